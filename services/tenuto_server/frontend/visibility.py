"""Lists of workflows, read from the store's visibility index, and the search attributes there are."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from tenuto_api import api
from tenuto_server.config.runtime import SECOND
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import search_attributes, validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.persistence.interface import VisibilityFilter, VisibilityPage, VisibilityRecord
from tenuto_server.transport.public import PublicCall

PAGE_SIZE_MAX = 1000
_NS_MAX = 2**63 - 1
# By the number of a close status, COMPLETED to TIMED_OUT: what a list says of the run. Others are a KeyError: no number
# that is not in the interface is ever sent.
_CLOSE_STATUS: dict[int, tuple[api.WorkflowExecutionCloseStatus, api.WorkflowExecutionStatus]] = {
    int(close): (close, status)
    for close, status in (
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED, api.WORKFLOW_EXECUTION_STATUS_COMPLETED),
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED, api.WORKFLOW_EXECUTION_STATUS_FAILED),
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_CANCELED, api.WORKFLOW_EXECUTION_STATUS_CANCELED),
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED, api.WORKFLOW_EXECUTION_STATUS_TERMINATED),
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_CONTINUED_AS_NEW, api.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW),
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_TIMED_OUT, api.WORKFLOW_EXECUTION_STATUS_TIMED_OUT),
    )
}


async def list_open_workflow_executions(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Open runs by start time, newest first."""
    request = parse(api.ListOpenWorkflowExecutionsRequest, call.body)
    page, domain, now_ns = await _list(frontend, request, is_open=True)
    response = api.ListOpenWorkflowExecutionsResponse(next_page_token=page.next_token)
    for record in page.records:
        fill_info(response.executions.add(), record, domain.name, now_ns)
    return response.SerializeToString()


async def list_closed_workflow_executions(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Closed runs by close time, newest first."""
    request = parse(api.ListClosedWorkflowExecutionsRequest, call.body)
    page, domain, now_ns = await _list(frontend, request, is_open=False)
    response = api.ListClosedWorkflowExecutionsResponse(next_page_token=page.next_token)
    for record in page.records:
        fill_info(response.executions.add(), record, domain.name, now_ns)
    return response.SerializeToString()


_ListRequest = api.ListOpenWorkflowExecutionsRequest | api.ListClosedWorkflowExecutionsRequest


async def _list(frontend: FrontendContext, request: _ListRequest, *, is_open: bool) -> tuple[VisibilityPage, api.Domain, int]:
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    earliest_ns, latest_ns = _time_range(request)
    where = VisibilityFilter("", is_open, earliest_ns, latest_ns)
    limits = frontend.limits
    if request.HasField("execution_filter"):
        where.workflow_id, where.run_id = request.execution_filter.workflow_id, request.execution_filter.run_id
        validation.check_length(where.workflow_id, "WorkflowID", limits)
        validation.check_run_id(where.run_id)
    elif request.HasField("type_filter"):
        where.workflow_type = request.type_filter.name
        validation.check_length(where.workflow_type, "WorkflowType", limits)
    elif isinstance(request, api.ListClosedWorkflowExecutionsRequest) and request.HasField("status_filter"):
        where.close_status = request.status_filter.status
        validation.check_enum(where.close_status, api.WorkflowExecutionCloseStatus, "WorkflowExecutionCloseStatus")
    domain = await frontend.domain(request.domain, RateClass.VISIBILITY)
    where.domain_id = domain.id
    size = request.page_size
    try:
        page = await frontend.store.list_visibility(
            where, size if 0 < size <= PAGE_SIZE_MAX else PAGE_SIZE_MAX, request.next_page_token
        )
    except ValueError:
        raise BadRequest(validation.INVALID_PAGE_TOKEN) from None
    return page, domain, frontend.runtime.now()


def _time_range(request: _ListRequest) -> tuple[int, int]:
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


def fill_info(info: api.WorkflowExecutionInfo, record: VisibilityRecord, domain_name: str, now_ns: int) -> None:
    """A run as lists show it. What is not known of it is absent, not empty."""
    info.workflow_execution.workflow_id = record.workflow_id
    info.workflow_execution.run_id = record.run_id
    info.type.name = record.workflow_type
    _set_time(info.start_time, record.start_ns)
    _set_time(info.execution_time, record.execution_ns or record.start_ns)
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
    if record.close_ns:
        _set_time(info.close_time, record.close_ns)
        info.close_status, info.execution_status = _CLOSE_STATUS[record.close_status]
    elif record.execution_ns > now_ns:
        info.execution_status = api.WORKFLOW_EXECUTION_STATUS_PENDING
    else:
        info.execution_status = api.WORKFLOW_EXECUTION_STATUS_STARTED


def _set_time(timestamp: Timestamp, nanoseconds: int) -> None:
    timestamp.seconds, timestamp.nanos = divmod(nanoseconds, SECOND)
    timestamp.SetInParent()


async def get_search_attributes(frontend: FrontendContext, call: PublicCall) -> bytes:
    """All keys with their types: the server's own and the custom ones."""
    parse(api.GetSearchAttributesRequest, call.body)
    keys = {**search_attributes.SYSTEM, **search_attributes.CUSTOM}
    return api.GetSearchAttributesResponse(keys=keys).SerializeToString()
