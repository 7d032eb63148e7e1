"""Isolation groups: which of them are drained, for the cluster and by domain. Set and kept; workers are not yet sorted by
them."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from tenuto_api import admin, api
from tenuto_server.errors import BadRequest, ServiceBusy
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.persistence.rows import UnknownEncoding, pack, unpack
from tenuto_server.transport.public import PublicCall

_SPACE, _KEY, _ENCODING = "settings", "isolation_groups", 1
_GROUPS_MAX = 1_000
_ATTEMPTS_MAX = 10


async def get_global_isolation_groups(frontend: FrontendContext, call: PublicCall) -> bytes:
    """What was set for the cluster."""
    parse(admin.GetGlobalIsolationGroupsRequest, call.body)
    row = await frontend.store.get(_SPACE, _KEY)
    groups = api.IsolationGroupConfiguration() if row is None else _decoded(row.value)
    return admin.GetGlobalIsolationGroupsResponse(isolation_groups=groups).SerializeToString()


async def update_global_isolation_groups(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Replaces what was set for the cluster."""
    request = parse(admin.UpdateGlobalIsolationGroupsRequest, call.body)
    groups = _checked(request, frontend)
    value = pack(_ENCODING, groups.SerializeToString())
    for _ in range(_ATTEMPTS_MAX):
        row = await frontend.store.get(_SPACE, _KEY)
        if await frontend.store.compare_and_set(_SPACE, _KEY, value, 0 if row is None else row.version):
            return b""
    raise ServiceBusy("The isolation groups are being changed by others.")


async def get_domain_isolation_groups(frontend: FrontendContext, call: PublicCall) -> bytes:
    """What was set for a domain."""
    request = parse(admin.GetDomainIsolationGroupsRequest, call.body)
    domain = await frontend.domain(request.domain, RateClass.DOMAIN_ADMIN)
    return admin.GetDomainIsolationGroupsResponse(isolation_groups=domain.isolation_groups).SerializeToString()


async def update_domain_isolation_groups(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Replaces what was set for a domain."""
    request = parse(admin.UpdateDomainIsolationGroupsRequest, call.body)
    groups = _checked(request, frontend)
    domain = await frontend.domain(request.domain, RateClass.DOMAIN_ADMIN)

    def changed(before: api.Domain) -> api.Domain:
        before.isolation_groups.CopyFrom(groups)
        return before

    await frontend.registry.update(domain.name, changed)
    return b""


def _checked(
    request: admin.UpdateGlobalIsolationGroupsRequest | admin.UpdateDomainIsolationGroupsRequest, frontend: FrontendContext
) -> api.IsolationGroupConfiguration:
    if not request.HasField("isolation_groups"):
        raise BadRequest("IsolationGroups is not set on request.")
    groups = request.isolation_groups
    if len(groups.isolation_groups) > _GROUPS_MAX:
        raise BadRequest(f"There may be {_GROUPS_MAX} isolation groups at most.")
    seen: set[str] = set()
    for group in groups.isolation_groups:
        if not group.name or group.name in seen:
            raise BadRequest("Each isolation group needs a name of its own.")
        seen.add(group.name)
        validation.check_length(group.name, "Isolation group", frontend.limits)
        validation.check_enum(group.state, api.IsolationGroupState, "IsolationGroupState")
        if group.state == api.ISOLATION_GROUP_STATE_INVALID:
            raise BadRequest("IsolationGroupState is not set on request.")
    return groups


def _decoded(value: bytes) -> api.IsolationGroupConfiguration:
    _, data = unpack(value, "isolation groups", _ENCODING)
    try:
        return api.IsolationGroupConfiguration.FromString(bytes(data))
    except DecodeError as error:
        raise UnknownEncoding("the isolation groups cannot be decoded") from error
