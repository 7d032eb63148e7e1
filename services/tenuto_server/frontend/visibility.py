"""Lists of workflows, read from the store's visibility index, and the search attributes there are."""

from __future__ import annotations

from typing import TypeVar, cast

from google.protobuf.timestamp_pb2 import Timestamp

from tenuto_api import api
from tenuto_server.config.runtime import SECOND
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.transport.public import PublicCall
from tenuto_server.visibility import attributes, query
from tenuto_server.visibility.records import VisibilityRecord, execution_status
from tenuto_server.visibility.tree import BY_RUN, Query, open_or_closed

_NS_MAX = 2**63 - 1

_Response = TypeVar(
    "_Response",
    api.ListWorkflowExecutionsResponse,
    api.ScanWorkflowExecutionsResponse,
    api.ListOpenWorkflowExecutionsResponse,
    api.ListClosedWorkflowExecutionsResponse,
)


async def list_workflow_executions(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Runs that a query finds, in the order it asks for."""
    request = parse(api.ListWorkflowExecutionsRequest, call.body)
    domain = await _domain(frontend, request.domain)
    asked = await query_of(frontend, request.query, domain)
    return await _answer(frontend, request, domain, asked, api.ListWorkflowExecutionsResponse())


async def scan_workflow_executions(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Runs that a query finds, in an order that no change of a run moves it in."""
    request = parse(api.ScanWorkflowExecutionsRequest, call.body)
    domain = await _domain(frontend, request.domain)
    asked = await query_of(frontend, request.query, domain)
    asked = Query(asked.domain_id, asked.where, BY_RUN)
    return await _answer(frontend, request, domain, asked, api.ScanWorkflowExecutionsResponse())


async def count_workflow_executions(frontend: FrontendContext, call: PublicCall) -> bytes:
    """How many runs a query finds."""
    request = parse(api.CountWorkflowExecutionsRequest, call.body)
    domain = await _domain(frontend, request.domain)
    asked = await query_of(frontend, request.query, domain)
    await frontend.flush_visibility()
    count = await frontend.store.count_visibility(asked)
    return api.CountWorkflowExecutionsResponse(count=count).SerializeToString()


async def _domain(frontend: FrontendContext, name: str) -> api.Domain:
    if not name:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    return await frontend.domain(name, RateClass.VISIBILITY)


async def query_of(frontend: FrontendContext, text: str, domain: api.Domain) -> Query:
    """What a list asks for. Raises BadRequest for a text that is no query."""
    types = await frontend.search_attributes.types()
    try:
        return query.parse(text, types, domain.id)
    except query.UnknownKey as unknown:
        # It may have been added a moment ago.
        types = await frontend.search_attributes.types([unknown.name])
        return query.parse(text, types, domain.id)


async def _answer(
    frontend: FrontendContext, request: _Request, domain: api.Domain, asked: Query, response: _Response
) -> bytes:
    """One page of a query."""
    most = frontend.settings.visibility_page_max
    if request.page_size > most:
        raise BadRequest(f"Pagesize is larger than allowed {most}")
    size = request.page_size if request.page_size > 0 else frontend.settings.visibility_page_default
    if not request.next_page_token:
        # Later pages go on from where the first began.
        await frontend.flush_visibility()
    try:
        page = await frontend.store.list_visibility(asked, size, request.next_page_token)
    except ValueError:
        raise BadRequest(validation.INVALID_PAGE_TOKEN) from None
    response.next_page_token = page.next_token
    for record in page.records:
        fill_info(response.executions.add(), record, domain.name)
    return response.SerializeToString()


async def list_open_workflow_executions(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Open runs by start time, newest first."""
    request = parse(api.ListOpenWorkflowExecutionsRequest, call.body)
    domain, asked = await _filtered(frontend, request, is_open=True)
    return await _answer(frontend, request, domain, asked, api.ListOpenWorkflowExecutionsResponse())


async def list_closed_workflow_executions(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Closed runs by close time, newest first."""
    request = parse(api.ListClosedWorkflowExecutionsRequest, call.body)
    domain, asked = await _filtered(frontend, request, is_open=False)
    return await _answer(frontend, request, domain, asked, api.ListClosedWorkflowExecutionsResponse())


_FilterRequest = api.ListOpenWorkflowExecutionsRequest | api.ListClosedWorkflowExecutionsRequest
_Request = _FilterRequest | api.ListWorkflowExecutionsRequest | api.ScanWorkflowExecutionsRequest


async def _filtered(frontend: FrontendContext, request: _FilterRequest, *, is_open: bool) -> tuple[api.Domain, Query]:
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    earliest_ns, latest_ns = _time_range(request)
    workflow_id = run_id = workflow_type = ""
    close_status = 0
    limits = frontend.limits_for(request.domain)
    if request.HasField("execution_filter"):
        workflow_id, run_id = request.execution_filter.workflow_id, request.execution_filter.run_id
        validation.check_length(workflow_id, "WorkflowID", limits)
        validation.check_run_id(run_id)
    elif request.HasField("type_filter"):
        workflow_type = request.type_filter.name
        validation.check_length(workflow_type, "WorkflowType", limits)
    elif isinstance(request, api.ListClosedWorkflowExecutionsRequest) and request.HasField("status_filter"):
        close_status = request.status_filter.status
        validation.check_enum(close_status, api.WorkflowExecutionCloseStatus, "WorkflowExecutionCloseStatus")
    domain = await _domain(frontend, request.domain)
    return domain, open_or_closed(
        domain.id, is_open, earliest_ns, latest_ns,
        workflow_id=workflow_id, run_id=run_id, workflow_type=workflow_type, close_status=close_status,
    )  # fmt: skip


def _time_range(request: _FilterRequest) -> tuple[int, int]:
    """Both ends in nanoseconds since the epoch."""
    if not request.HasField("start_time_filter"):
        raise BadRequest("StartTimeFilter is required")
    span = request.start_time_filter
    if not span.HasField("earliest_time"):
        raise BadRequest("EarliestTime in StartTimeFilter is required")
    if not span.HasField("latest_time"):
        raise BadRequest("LatestTime in StartTimeFilter is required")
    earliest_ns, latest_ns = _nanoseconds(span.earliest_time), _nanoseconds(span.latest_time)
    if earliest_ns > latest_ns:
        raise BadRequest("EarliestTime in StartTimeFilter should not be larger than LatestTime")
    return earliest_ns, latest_ns


def _nanoseconds(timestamp: Timestamp) -> int:
    """Within 64 bits: clients write "from the beginning" and "for ever" as times far away."""
    return min(max(timestamp.seconds * SECOND + timestamp.nanos, 0), _NS_MAX)


def fill_info(info: api.WorkflowExecutionInfo, record: VisibilityRecord, domain_name: str) -> None:
    """A run as lists show it. What is not known of it is absent, not empty."""
    info.workflow_execution.workflow_id = record.workflow_id
    info.workflow_execution.run_id = record.run_id
    info.type.name = record.workflow_type
    _set_time(info.start_time, record.start_ns)
    for due in (info.execution_time, info.scheduled_execution_time):
        _set_time(due, record.execution_ns or record.start_ns)
    info.history_length = record.history_length
    info.task_list = record.task_list
    info.task_list_info.name = record.task_list
    info.task_list_info.kind = api.TASK_LIST_KIND_NORMAL
    info.is_cron = record.is_cron
    info.cron_schedule = record.cron_schedule
    if record.update_ns:
        _set_time(info.update_time, record.update_ns)
    info.memo.MergeFromString(record.memo)
    info.search_attributes.MergeFromString(record.search_attributes)
    if record.parent_workflow_id:
        parent = info.parent_execution_info
        parent.domain_id, parent.domain_name = record.domain_id, domain_name
        parent.workflow_execution.workflow_id = record.parent_workflow_id
        parent.workflow_execution.run_id = record.parent_run_id
    info.execution_status = execution_status(record)
    if record.close_ns:
        _set_time(info.close_time, record.close_ns)
        if record.close_status in api.WorkflowExecutionCloseStatus.values():
            info.close_status = cast("api.WorkflowExecutionCloseStatus", record.close_status)


def _set_time(timestamp: Timestamp, nanoseconds: int) -> None:
    timestamp.seconds, timestamp.nanos = divmod(nanoseconds, SECOND)
    timestamp.SetInParent()


async def get_search_attributes(frontend: FrontendContext, call: PublicCall) -> bytes:
    """All keys with their types: the server's own and the custom ones."""
    parse(api.GetSearchAttributesRequest, call.body)
    keys = {**attributes.SYSTEM, **await frontend.search_attributes.types()}
    response = api.GetSearchAttributesResponse()
    for name, value_type in keys.items():
        response.keys[name] = cast("api.IndexedValueType", value_type)
    return response.SerializeToString()
