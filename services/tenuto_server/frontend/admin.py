"""What operators do to runs, shards and history processes, by the admin interface."""

from __future__ import annotations

import logging

from google.protobuf.message import DecodeError

from tenuto_api import admin, api, internal
from tenuto_server.errors import BadRequest, EntityNotExists, ServiceBusy, ShardOwnershipLost, Unavailable
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import NO_OWNER, FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.transport.public import PublicCall

logger = logging.getLogger(__name__)

_SHARDS_PAGE_DEFAULT = 100
_SHARDS_PAGE_MAX = 10_000
_INT64_MAX = 2**63 - 1
# Domains that are asked for a workflow whose domain is not named.
_DOMAINS_MAX = 200


async def describe_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Where a run lives, and its state as JSON: in memory, and as last written down."""
    request = parse(admin.DescribeWorkflowExecutionRequest, call.body)
    domain, execution = await _run(frontend, request)
    asked = _named(domain, execution)
    answer = internal.AdminDescribeRunResponse.FromString(
        await _ask_shard(frontend, call, _shard(frontend, domain, execution), "AdminDescribeRun", asked)
    )
    return admin.DescribeWorkflowExecutionResponse(
        shard_id=answer.shard_id,
        history_addr=answer.address,
        mutable_state_in_cache=answer.in_memory,
        # The CLI reads this one. What is not written down yet is in the log, so the state in memory stands for it.
        mutable_state_in_database=answer.in_store or answer.in_memory,
    ).SerializeToString()


async def get_workflow_execution_raw_history_v2(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Events strictly between two ids, a page a blob: a History message's bytes, encoded as PROTO3."""
    request = parse(admin.GetWorkflowExecutionRawHistoryV2Request, call.body)
    domain, execution = await _run(frontend, request)
    asked = internal.AdminRawHistoryRequest(
        domain_id=domain.id, workflow_id=execution.workflow_id, run_id=execution.run_id, page_size=request.page_size
    )
    if request.next_page_token:
        _continue(asked, request.next_page_token)
    else:
        if request.HasField("start_event"):
            asked.first_event_id = _event_id(request.start_event.event_id) + 1
        if request.HasField("end_event"):
            asked.until_event_id = _event_id(request.end_event.event_id)
    shard = _shard(frontend, domain, execution)
    page = internal.AdminRawHistoryResponse.FromString(
        await _ask_shard(frontend, call, shard, "AdminRawHistory", asked.SerializeToString())
    )
    response = admin.GetWorkflowExecutionRawHistoryV2Response()
    if page.history:
        response.history_batches.add(encoding_type=api.ENCODING_TYPE_PROTO3, data=page.history)
    response.version_history.branch_token = page.run_id.encode()
    response.version_history.items.add(event_id=page.end_event_id - 1, version=domain.failover_version)
    until = asked.until_event_id or page.end_event_id
    if page.history and page.next_event_id < until:
        token = internal.AdminRawHistoryRequest(
            run_id=page.run_id, first_event_id=page.next_event_id, until_event_id=until
        )
        response.next_page_token = token.SerializeToString()
    return response.SerializeToString()


def _continue(asked: internal.AdminRawHistoryRequest, token: bytes) -> None:
    try:
        held = internal.AdminRawHistoryRequest.FromString(token)
    except DecodeError:
        raise BadRequest(validation.INVALID_PAGE_TOKEN) from None
    if held.first_event_id < 1 or held.until_event_id < 1 or (asked.run_id and held.run_id != asked.run_id):
        raise BadRequest(validation.INVALID_PAGE_TOKEN)
    validation.check_run_id(held.run_id)
    asked.run_id, asked.first_event_id, asked.until_event_id = held.run_id, held.first_event_id, held.until_event_id


def _event_id(number: int) -> int:
    if not 0 <= number < _INT64_MAX:
        raise BadRequest("Invalid event id.")
    return number


async def delete_workflow(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Removes all there is of a run, open or closed: its state, its history and its place in lists. Nobody is told."""
    request = parse(admin.DeleteWorkflowRequest, call.body)
    domain, execution = await _run(frontend, request)
    shard = _shard(frontend, domain, execution)
    named = _named(domain, execution)
    # Which run is the newest is asked first: asked for again, a deletion must not take the next one.
    found = internal.AdminDescribeRunResponse.FromString(
        await _ask_shard(frontend, call, shard, "AdminDescribeRun", named)
    )
    deleted = await _delete(frontend, call, domain, execution.workflow_id, found.run_id)
    return admin.DeleteWorkflowResponse(
        history_deleted=deleted, executions_deleted=deleted, visibility_deleted=deleted
    ).SerializeToString()


async def maintain_corrupt_workflow(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Removes all there is of a run whose history cannot be read any more; one that is sound stays as it is."""
    request = parse(admin.MaintainCorruptWorkflowRequest, call.body)
    domain, execution = await _run(frontend, request)
    named = _named(domain, execution)
    found = internal.AdminCheckRunResponse.FromString(
        await _ask_shard(frontend, call, _shard(frontend, domain, execution), "AdminCheckRun", named)
    )
    deleted = False
    if found.problem:
        names = domain.name, execution.workflow_id, found.run_id
        logger.warning("corrupt: domain %s, workflow %s, run %s is deleted: %s", *names, found.problem)
        deleted = await _delete(frontend, call, domain, execution.workflow_id, found.run_id)
    return admin.MaintainCorruptWorkflowResponse(
        history_deleted=deleted, executions_deleted=deleted, visibility_deleted=deleted
    ).SerializeToString()


def _named(domain: api.Domain, execution: api.WorkflowExecution) -> bytes:
    """A run as history is asked for it."""
    return internal.AdminDescribeRunRequest(
        domain_id=domain.id, workflow_id=execution.workflow_id, run_id=execution.run_id
    ).SerializeToString()


async def _delete(frontend: FrontendContext, call: PublicCall, domain: api.Domain, workflow_id: str, run_id: str) -> bool:
    asked = internal.DeleteRunRequest(domain_id=domain.id, workflow_id=workflow_id, run_id=run_id, force=True)
    shard = frontend.router.shard_of(domain.id, workflow_id)
    answer = await _ask_shard(frontend, call, shard, "DeleteRun", asked.SerializeToString())
    return internal.DeleteRunResponse.FromString(answer).deleted


async def refresh_workflow_tasks(frontend: FrontendContext, call: PublicCall) -> bytes:
    """A run's tasks and timers are made anew from its state."""
    request = parse(admin.RefreshWorkflowTasksRequest, call.body)
    domain, execution = await _run(frontend, request)
    body = api.RefreshWorkflowTasksRequest(domain=domain.name, workflow_execution=execution).SerializeToString()
    return await frontend.call_history(call, "RefreshWorkflowTasks", domain.id, execution.workflow_id, body)


# --- shards and their owners ------------------------------------------------------------------------------------------
async def describe_history_host(frontend: FrontendContext, call: PublicCall) -> bytes:
    """What a history process owns: the one at an address, the owner of a shard, or of a workflow's shard."""
    request = parse(admin.DescribeHistoryHostRequest, call.body)
    named = request.WhichOneof("describe_by")
    if named == "workflow_execution":
        address = frontend.router.history_address(await _shard_of_workflow(frontend, call, request.workflow_execution))
    elif named == "shard_id":
        address = frontend.router.history_address(_known_shard(frontend, request.shard_id))
    elif named == "host_address" and request.host_address:
        address = request.host_address
    else:
        raise BadRequest("Neither the host's address nor a shard is set on request.")
    if address not in frontend.router.history_addresses():
        raise EntityNotExists(f"There is no history host at {address[:200]}.")
    asked = internal.AdminDescribeHostRequest().SerializeToString()
    try:
        body = await frontend.network.call(address, "AdminDescribeHost", asked, frontend.left(frontend.deadline(call)))
    except Unavailable:
        raise ServiceBusy(f"The history host at {address} does not answer.") from None
    host = internal.AdminDescribeHostResponse.FromString(body)
    return admin.DescribeHistoryHostResponse(
        number_of_shards=len(host.shard_ids),
        shard_ids=host.shard_ids,
        domain_cache=admin.DomainCacheInfo(
            num_of_items_in_cache_by_id=host.domains_by_id, num_of_items_in_cache_by_name=host.domains_by_name
        ),
        shard_controller_status=host.status,
        address=host.address,
    ).SerializeToString()


async def _shard_of_workflow(frontend: FrontendContext, call: PublicCall, execution: api.WorkflowExecution) -> int:
    """The shard of a workflow whose domain is not named: the domains are asked for it. Raises BadRequest where there are too
    many, or several have a workflow of that name."""
    validation.check_execution(execution, True, frontend.limits)
    domains = await frontend.registry.list("", _DOMAINS_MAX + 1)
    if len(domains) > _DOMAINS_MAX:
        raise BadRequest("The shard of a workflow depends on its domain, and there are many: name the shard or the host.")
    found: set[int] = set()
    for domain in domains:
        asked = _named(domain, execution)
        shard = _shard(frontend, domain, execution)
        try:
            await _ask_shard(frontend, call, shard, "AdminDescribeRun", asked)
        except EntityNotExists:
            continue
        found.add(shard)
    if not found:
        raise EntityNotExists(f"Workflow execution not found.  WorkflowId: {execution.workflow_id}")
    if len(found) > 1:
        raise BadRequest("Several domains have a workflow of that name: name the shard or the host.")
    return found.pop()


async def describe_shard_distribution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Which process should have which shard, by the ring as this process sees it."""
    request = parse(admin.DescribeShardDistributionRequest, call.body)
    if request.page_id < 0 or request.page_size < 0:
        raise BadRequest("PageID and PageSize must not be negative.")
    size = min(request.page_size or _SHARDS_PAGE_DEFAULT, _SHARDS_PAGE_MAX)
    count = frontend.router.shard_count
    response = admin.DescribeShardDistributionResponse(number_of_shards=count)
    for shard in range(min(request.page_id * size, count), min((request.page_id + 1) * size, count)):
        try:
            response.shards[shard] = frontend.router.history_address(shard)
        except Unavailable:
            response.shards[shard] = ""
    return response.SerializeToString()


async def close_shard(frontend: FrontendContext, call: PublicCall) -> bytes:
    """The owner writes the shard down and gives it up; it is taken again, with its next epoch."""
    request = parse(admin.CloseShardRequest, call.body)
    shard = _known_shard(frontend, request.shard_id)
    asked = internal.AdminCloseShardRequest(shard_id=shard).SerializeToString()
    await _ask_shard(frontend, call, shard, "AdminCloseShard", asked)
    return b""


def _known_shard(frontend: FrontendContext, shard: int) -> int:
    if not 0 <= shard < frontend.router.shard_count:
        raise BadRequest(f"There is no shard {shard}: they are 0 to {frontend.router.shard_count - 1}.")
    return shard


# --- on the way to history --------------------------------------------------------------------------------------------
_OnRun = (
    admin.DescribeWorkflowExecutionRequest
    | admin.GetWorkflowExecutionRawHistoryV2Request
    | admin.DeleteWorkflowRequest
    | admin.MaintainCorruptWorkflowRequest
    | admin.RefreshWorkflowTasksRequest
)


async def _run(frontend: FrontendContext, request: _OnRun) -> tuple[api.Domain, api.WorkflowExecution]:
    """The domain and the execution that a request names."""
    execution = request.workflow_execution
    validation.check_execution(
        execution, request.HasField("workflow_execution"), frontend.limits_for(request.domain)
    )
    return await frontend.domain(request.domain, RateClass.DOMAIN_ADMIN), execution


def _shard(frontend: FrontendContext, domain: api.Domain, execution: api.WorkflowExecution) -> int:
    return frontend.router.shard_of(domain.id, execution.workflow_id)


async def _ask_shard(frontend: FrontendContext, call: PublicCall, shard: int, method: str, body: bytes) -> bytes:
    """Asks a shard's owner, whoever that is by the time it can be reached: none of these questions does harm twice."""
    deadline = frontend.deadline(call)
    backoff = 0.0
    while True:
        try:
            address = frontend.router.history_address(shard)
            return await frontend.network.call(address, method, body, frontend.left(deadline))
        except (Unavailable, ShardOwnershipLost):
            backoff = await frontend.pause(backoff, deadline, NO_OWNER)
