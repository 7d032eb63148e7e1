"""What a frontend says of itself and its cluster: health, supported clients, members."""

from __future__ import annotations

from google.protobuf.wrappers_pb2 import StringValue

from tenuto_api import admin, api
from tenuto_server.errors import NOT_FOUND, ServiceError
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.versions import GO_SUPPORTED, JAVA_SUPPORTED
from tenuto_server.transport.public import PublicCall

# grpc.health.v1.HealthCheckResponse: field 1, `status`, is SERVING (1) or NOT_SERVING (2).
_SERVING = b"\x08\x01"
_NOT_SERVING = b"\x08\x02"
# A service's name as health checks may ask for it; "" is the whole process.
HEALTH_SERVICES = frozenset(
    ["", "cadence-frontend"]
    + [f"uber.cadence.api.v1.{name}API" for name in ("Domain", "Workflow", "Worker", "Visibility", "Meta")]
)


async def health(frontend: FrontendContext, call: PublicCall) -> bytes:
    """uber.cadence.api.v1.MetaAPI/Health."""
    parse(api.HealthRequest, call.body)
    if frontend.serving:
        return api.HealthResponse(ok=True, message="OK").SerializeToString()
    message = "ShuttingDown" if frontend.stopping else "WarmingUp"
    return api.HealthResponse(ok=False, message=message).SerializeToString()


async def grpc_health_check(frontend: FrontendContext, call: PublicCall) -> bytes:
    """grpc.health.v1.Health/Check. Its request has one text field, 1, so it reads as a StringValue."""
    service = parse(StringValue, call.body).value
    if service not in HEALTH_SERVICES:
        raise ServiceError("unknown service", status=NOT_FOUND)
    return _SERVING if frontend.serving else _NOT_SERVING


def _supported_clients() -> api.SupportedClientVersions:
    return api.SupportedClientVersions(go_sdk=GO_SUPPORTED, java_sdk=JAVA_SUPPORTED)


async def get_cluster_info(frontend: FrontendContext, call: PublicCall) -> bytes:
    """The newest client feature versions that this server knows."""
    parse(api.GetClusterInfoRequest, call.body)
    return api.GetClusterInfoResponse(supported_client_versions=_supported_clients()).SerializeToString()


async def describe_cluster(frontend: FrontendContext, call: PublicCall) -> bytes:
    """AdminAPI/DescribeCluster: members by role, as this process routes and as the membership table has them (a
    cluster in one process has no table), and what the store can do."""
    parse(admin.DescribeClusterRequest, call.body)
    response = admin.DescribeClusterResponse(supported_client_versions=_supported_clients())
    membership = response.membership_info
    membership.current_host.identity = frontend.address
    rings = {
        "frontend": {frontend.address},
        "history": set(frontend.router.history_addresses()),
        "matching": set(frontend.router.matching_addresses()),
    }
    for member in await frontend.store.members():
        rings.setdefault(member.role, set()).add(member.address)
    membership.reachable_members.extend(sorted(set().union(*rings.values())))
    for role, addresses in sorted(rings.items()):
        ring = membership.rings.add(role=f"cadence-{role}", member_count=len(addresses))
        for address in sorted(addresses):
            ring.members.add(identity=address)
    backend = frontend.settings.store_backend
    response.persistence_info["historyStore"].backend = backend
    visibility = response.persistence_info["visibilityStore"]
    visibility.backend = backend
    visibility.features.add(key="advancedVisibilityEnabled", enabled=frontend.settings.advanced_visibility)
    return response.SerializeToString()
