"""The domain registry as clients see it: register, describe, list, update, fail over, deprecate, delete."""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.errors import BadRequest, EntityNotExists
from tenuto_server.frontend import domain_rules, validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.transport.public import PublicCall
from tenuto_server.visibility.tree import BY_RUN, Query

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 2000


async def register_domain(frontend: FrontendContext, call: PublicCall) -> bytes:
    """`DomainAlreadyExists` where the name is taken."""
    request = parse(api.RegisterDomainRequest, call.body)
    domain = domain_rules.new_domain(request, frontend.runtime.new_id(), _cluster(frontend), frontend.limits)
    await frontend.registry.register(domain)
    return b""


async def describe_domain(frontend: FrontendContext, call: PublicCall) -> bytes:
    """By name or by id. Every Go worker asks this before its first poll."""
    request = parse(api.DescribeDomainRequest, call.body)
    if request.name:
        validation.check_length(request.name, "Domain", frontend.limits)
        domain = await frontend.domains.by_name(request.name)
    elif request.id:
        validation.check_length(request.id, "Domain", frontend.limits)
        domain = await frontend.domains.by_id(request.id)
    else:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    return api.DescribeDomainResponse(domain=domain).SerializeToString()


async def list_domains(frontend: FrontendContext, call: PublicCall) -> bytes:
    """All domains by name. The page token is the last name given out."""
    request = parse(api.ListDomainsRequest, call.body)
    size = min(request.page_size if request.page_size > 0 else PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
    try:
        after = request.next_page_token.decode()
    except UnicodeDecodeError:
        raise BadRequest(validation.INVALID_PAGE_TOKEN) from None
    validation.check_length(after, "NextPageToken", frontend.limits)
    # One more than asked for tells whether there is another page.
    domains = await frontend.registry.list(after, size + 1)
    response = api.ListDomainsResponse(domains=domains[:size])
    if len(domains) > size:
        response.next_page_token = domains[size - 1].name.encode()
    return response.SerializeToString()


async def update_domain(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Changes what the update mask names and answers with the whole domain."""
    request = parse(api.UpdateDomainRequest, call.body)
    _check_name(frontend, request.name)
    now_ns, cluster, limits = frontend.runtime.now(), _cluster(frontend), frontend.limits_for(request.name)
    domain = await frontend.registry.update(
        request.name, lambda before: domain_rules.updated_domain(before, request, now_ns, cluster, limits)
    )
    return api.UpdateDomainResponse(domain=domain).SerializeToString()


async def deprecate_domain(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Refuses new runs from now on; those there go on."""
    request = parse(api.DeprecateDomainRequest, call.body)
    _check_name(frontend, request.name)
    await frontend.registry.update(request.name, domain_rules.deprecated_domain)
    return b""


async def failover_domain(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Always refused, with what is wrong: a failover needs a second cluster."""
    request = parse(api.FailoverDomainRequest, call.body)
    _check_name(frontend, request.domain_name)
    domain = await _stored(frontend, request.domain_name)
    domain_rules.check_failover(domain, request, _cluster(frontend))
    raise AssertionError("a failover within one cluster is refused")


async def list_failover_history(frontend: FrontendContext, call: PublicCall) -> bytes:
    """The failovers of a domain: with one cluster there are none."""
    request = parse(api.ListFailoverHistoryRequest, call.body)
    domain_id = request.filters.domain_id
    if not domain_id:
        raise BadRequest("DomainID is not set on request.")
    validation.check_length(domain_id, "DomainID", frontend.limits)
    if request.pagination.page_size < 0:
        raise BadRequest("PageSize must not be negative.")
    if request.pagination.next_page_token:
        raise BadRequest(validation.INVALID_PAGE_TOKEN)
    await frontend.domains.by_id(domain_id)
    return b""


async def delete_domain(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Removes a deprecated domain of which no run can be seen any more."""
    request = parse(api.DeleteDomainRequest, call.body)
    _check_name(frontend, request.name)
    domain = await _stored(frontend, request.name)
    domain_rules.check_deletable(domain, await frontend.store.count_visibility(Query(domain.id, None, BY_RUN)))
    await frontend.registry.delete(request.name)
    return b""


async def _stored(frontend: FrontendContext, name: str) -> api.Domain:
    """The domain as the store has it now: the cache may be seconds behind."""
    record = await frontend.registry.get(name)
    if record is None:
        raise EntityNotExists(f"Domain {name} does not exist.")
    return record.domain


def _check_name(frontend: FrontendContext, name: str) -> None:
    if not name:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    validation.check_length(name, "Domain", frontend.limits)


def _cluster(frontend: FrontendContext) -> domain_rules.Cluster:
    settings = frontend.settings
    return domain_rules.Cluster(
        settings.cluster_name,
        settings.global_failover_version,
        settings.history_archival_uri,
        settings.visibility_archival_uri,
    )
