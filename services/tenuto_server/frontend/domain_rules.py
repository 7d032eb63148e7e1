"""What a domain is when registered, and how an update changes it. Pure: time and ids are arguments.

There is one cluster. A local domain has failover version -24 (Cadence's "no version"), a global one the cluster's own;
events carry it. Archival is not configured, so a domain's archival statuses stay DISABLED whatever is asked, as on an
official server without archival.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tenuto_api import api
from tenuto_server.config.runtime import SECOND
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.validation import Limits

LOCAL_FAILOVER_VERSION = -24
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Cluster:
    """This cluster's name and the failover version of its global domains."""

    name: str
    global_failover_version: int


def new_domain(request: api.RegisterDomainRequest, domain_id: str, cluster: Cluster, limits: Limits) -> api.Domain:
    """The domain that a RegisterDomain makes; `BadRequest` where it breaks a rule."""
    validation.check_domain_name(request.name, limits)
    validation.check_retention(request.workflow_execution_retention_period, limits)
    _check_text(request.description, request.owner_email, limits)
    _check_data(request.data.items(), limits)
    _check_clusters(request.active_cluster_name, (item.cluster_name for item in request.clusters), cluster)
    domain = api.Domain(
        id=domain_id,
        name=request.name,
        status=api.DOMAIN_STATUS_REGISTERED,
        description=request.description,
        owner_email=request.owner_email,
        data=dict(request.data),
        history_archival_status=api.ARCHIVAL_STATUS_DISABLED,
        visibility_archival_status=api.ARCHIVAL_STATUS_DISABLED,
        active_cluster_name=cluster.name,
        clusters=[api.ClusterReplicationConfiguration(cluster_name=cluster.name)],
        failover_version=cluster.global_failover_version if request.is_global_domain else LOCAL_FAILOVER_VERSION,
        is_global_domain=request.is_global_domain,
    )
    _set_retention(domain, request.workflow_execution_retention_period.seconds)
    domain.bad_binaries.SetInParent()
    return domain


def updated_domain(
    domain: api.Domain, request: api.UpdateDomainRequest, now_ns: int, cluster: Cluster, limits: Limits
) -> api.Domain:
    """The domain after an UpdateDomain, a new message. Only fields in the update mask count; without a mask all do. An
    unset message, an empty map, list, cluster name or checksum, and an INVALID enum mean "leave it" in either case; an
    empty description or owner does not."""
    mask = set(request.update_mask.paths) if request.HasField("update_mask") else None
    _check_failover(request, mask, cluster)
    updated = api.Domain()
    updated.CopyFrom(domain)
    if _given(mask, "description"):
        updated.description = request.description
    if _given(mask, "owner_email"):
        updated.owner_email = request.owner_email
    _check_text(updated.description, updated.owner_email, limits)
    if _given(mask, "data"):
        for key, value in request.data.items():
            updated.data[key] = value
        _check_data(updated.data.items(), limits)
    if _given(mask, "workflow_execution_retention_period") and request.HasField("workflow_execution_retention_period"):
        validation.check_retention(request.workflow_execution_retention_period, limits)
        _set_retention(updated, request.workflow_execution_retention_period.seconds)
    if _given(mask, "history_archival_status"):
        validation.check_enum(request.history_archival_status, api.ArchivalStatus, "ArchivalStatus")
    if _given(mask, "visibility_archival_status"):
        validation.check_enum(request.visibility_archival_status, api.ArchivalStatus, "ArchivalStatus")
    if _given(mask, "bad_binaries"):
        _add_bad_binaries(updated, request.bad_binaries, now_ns, limits)
    if _given(mask, "delete_bad_binary") and request.delete_bad_binary:
        if request.delete_bad_binary not in updated.bad_binaries.binaries:
            raise BadRequest(f"Bad binary checksum {request.delete_bad_binary[:100]} doesn't exists.")
        del updated.bad_binaries.binaries[request.delete_bad_binary]
    return updated


def deprecated_domain(domain: api.Domain) -> api.Domain:
    """The domain after a DeprecateDomain, a new message: no new runs, those there go on."""
    deprecated = api.Domain()
    deprecated.CopyFrom(domain)
    deprecated.status = api.DOMAIN_STATUS_DEPRECATED
    return deprecated


def _given(mask: Collection[str] | None, path: str) -> bool:
    return mask is None or path in mask


def _check_failover(request: api.UpdateDomainRequest, mask: Collection[str] | None, cluster: Cluster) -> None:
    active = request.active_cluster_name if _given(mask, "active_cluster_name") else ""
    clusters = [item.cluster_name for item in request.clusters] if _given(mask, "clusters") else []
    _check_clusters(active, clusters, cluster)
    if _given(mask, "failover_timeout") and request.HasField("failover_timeout"):
        raise BadRequest("Cannot start the graceful failover: there is no other cluster.")


def _check_clusters(active: str, clusters: Iterable[str], cluster: Cluster) -> None:
    """Empty means this cluster; there are no others."""
    for name in (active, *clusters):
        if name and name != cluster.name:
            raise BadRequest(f"Invalid cluster name: {name[:100]}")


def _check_text(description: str, owner_email: str, limits: Limits) -> None:
    if len(description.encode()) + len(owner_email.encode()) > limits.domain_data_bytes_max:
        raise BadRequest("Domain description exceeds limit.")


def _check_data(data: Iterable[tuple[str, str]], limits: Limits) -> None:
    if sum(len(key.encode()) + len(value.encode()) for key, value in data) > limits.domain_data_bytes_max:
        raise BadRequest("Domain data exceeds limit.")


def _set_retention(domain: api.Domain, seconds: int) -> None:
    domain.workflow_execution_retention_period.seconds = seconds // DAY_SECONDS * DAY_SECONDS


def _add_bad_binaries(domain: api.Domain, added: api.BadBinaries, now_ns: int, limits: Limits) -> None:
    binaries = domain.bad_binaries.binaries
    for checksum, info in added.binaries.items():
        validation.check_length(checksum, "Binary checksum", limits)
        validation.check_length(info.reason, "Bad binary reason", limits)
        validation.check_length(info.operator, "Bad binary operator", limits)
        kept = binaries[checksum]
        kept.CopyFrom(info)
        kept.created_time.seconds, kept.created_time.nanos = divmod(now_ns, SECOND)
    if len(binaries) > limits.bad_binaries_max:
        raise BadRequest(f"Domain can only have {limits.bad_binaries_max} bad binaries at most.")
