"""What a domain is when registered, and how an update changes it. Pure: time and ids are arguments.

There is one cluster. A local domain has failover version -24 (Cadence's "no version"), a global one the cluster's own;
events carry it. Whatever names another cluster is refused.

Archival, of history and of visibility alike: DISABLED without a URI, then by an update DISABLED or ENABLED with a URI,
which never changes once it is set. A domain that enables archival without a URI gets the server's own, where it has one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from tenuto_api import api
from tenuto_server.archival import places
from tenuto_server.config.runtime import SECOND
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.validation import Limits

LOCAL_FAILOVER_VERSION = -24
GRACEFUL_TO_SAME = "Cannot start the graceful failover from an active cluster to an active cluster."
GRACEFUL_WITHOUT_CLUSTER = "Cannot start graceful failover without updating active cluster or in local domain."
NO_CHANGE = "A failover was requested, but there was no change detected, the configuration was not updated."
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Cluster:
    """This cluster's name, the failover version of its global domains, and where domains archive that name no place of
    their own (empty: they must)."""

    name: str
    global_failover_version: int
    history_archival_uri: str = ""
    visibility_archival_uri: str = ""


def new_domain(request: api.RegisterDomainRequest, domain_id: str, cluster: Cluster, limits: Limits) -> api.Domain:
    """The domain that a RegisterDomain makes; `BadRequest` where it breaks a rule."""
    validation.check_domain_name(request.name, limits)
    validation.check_retention(request.workflow_execution_retention_period, limits)
    _check_text(request.description, request.owner_email, limits)
    _check_data(request.data.items(), limits)
    named = [item.cluster_name for item in request.clusters]
    named += [*request.active_clusters_by_region.values(), *_clusters_by_attribute(request.active_clusters)]
    _check_clusters(request.active_cluster_name, named, cluster)
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
    if request.HasField("active_clusters"):
        _check_global(request.is_global_domain)
        domain.active_clusters.CopyFrom(request.active_clusters)
    _set_archival(domain, request, None, cluster, limits)
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
    _check_failover(domain, request, mask, cluster)
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
    if _given(mask, "active_clusters") and request.HasField("active_clusters"):
        _check_global(domain.is_global_domain)
        updated.active_clusters.MergeFrom(request.active_clusters)
    _set_archival(updated, request, mask, cluster, limits)
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


def check_failover(domain: api.Domain, request: api.FailoverDomainRequest, cluster: Cluster) -> None:
    """Always raises `BadRequest`: another cluster would have to be named, and there is none."""
    _check_global(domain.is_global_domain)
    by_attribute = [*_clusters_by_attribute(request.active_clusters)]
    if not request.domain_active_cluster_name and not by_attribute:
        raise BadRequest("A failover names the cluster to be active, or clusters by attribute.")
    _check_clusters(request.domain_active_cluster_name, by_attribute, cluster)
    if request.HasField("failover_timeout"):
        raise BadRequest(GRACEFUL_TO_SAME)
    raise BadRequest(NO_CHANGE)


def check_deletable(domain: api.Domain, runs: int) -> None:
    """Raises `BadRequest` unless the domain is deprecated and none of its runs can be seen any more."""
    if domain.status != api.DOMAIN_STATUS_DEPRECATED:
        raise BadRequest("Domain is not in a deprecated state.")
    if runs:
        raise BadRequest("Domain still have workflow execution history.")


def _check_failover(
    domain: api.Domain, request: api.UpdateDomainRequest, mask: Collection[str] | None, cluster: Cluster
) -> None:
    active = request.active_cluster_name if _given(mask, "active_cluster_name") else ""
    clusters = [item.cluster_name for item in request.clusters] if _given(mask, "clusters") else []
    if _given(mask, "active_clusters"):
        clusters += _clusters_by_attribute(request.active_clusters)
    _check_clusters(active, clusters, cluster)
    if _given(mask, "failover_timeout") and request.HasField("failover_timeout"):
        raise BadRequest(GRACEFUL_TO_SAME if active and domain.is_global_domain else GRACEFUL_WITHOUT_CLUSTER)


def _check_global(is_global: bool) -> None:
    if not is_global:
        raise BadRequest("Local domains cannot perform failovers or change replication configuration.")


def _clusters_by_attribute(active: api.ActiveClusters) -> Iterator[str]:
    for info in active.region_to_cluster.values():
        yield info.active_cluster_name
    for scope in active.active_clusters_by_cluster_attribute.values():
        for info in scope.cluster_attributes.values():
            yield info.active_cluster_name


def _set_archival(
    domain: api.Domain,
    request: api.RegisterDomainRequest | api.UpdateDomainRequest,
    mask: Collection[str] | None,
    cluster: Cluster,
    limits: Limits,
) -> None:
    """Both kinds of archival, as the module's text says."""
    defaults = {"history": cluster.history_archival_uri, "visibility": cluster.visibility_archival_uri}
    for kind, default_uri in defaults.items():
        status_field, uri_field = f"{kind}_archival_status", f"{kind}_archival_uri"
        status = getattr(request, status_field) if _given(mask, status_field) else api.ARCHIVAL_STATUS_INVALID
        validation.check_enum(status, api.ArchivalStatus, "ArchivalStatus")
        uri = getattr(request, uri_field) if _given(mask, uri_field) else ""
        held_uri = getattr(domain, uri_field)
        if held_uri and uri and uri != held_uri:
            raise BadRequest("Cannot update existing archival URI")
        uri = held_uri or uri
        if status == api.ARCHIVAL_STATUS_ENABLED:
            uri = uri or default_uri
            if not uri:
                raise BadRequest("Invalid to enable archival without specifying a uri.")
        if uri and not held_uri:
            _check_uri(uri, limits)
        setattr(domain, uri_field, uri)
        if status != api.ARCHIVAL_STATUS_INVALID:
            setattr(domain, status_field, status)


def _check_uri(uri: str, limits: Limits) -> None:
    validation.check_length(uri, "Archival URI", limits)
    wrong = places.fault(uri)
    if wrong:
        raise BadRequest(f"Archival URI is not valid: {wrong}.")


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
