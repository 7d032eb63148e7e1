"""Reading one workflow: its history, at once or waiting for more, and its description."""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.errors import BadRequest, DeadlineExceeded, EntityNotExists, ServiceBusy
from tenuto_server.frontend import archived, validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.transport.public import PublicCall

# Less than history keeps back of a caller's time for its answer.
_LAST_LOOK_S = 0.9


async def get_workflow_execution_history(frontend: FrontendContext, call: PublicCall) -> bytes:
    """A page of history; with `wait_for_new_event` history holds the call until there is something to say, and answers
    before the caller's time is over. The history of a run that is gone comes from the domain's archive."""
    request = parse(api.GetWorkflowExecutionHistoryRequest, call.body)
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    execution = request.workflow_execution
    validation.check_execution(execution, request.HasField("workflow_execution"), frontend.limits_for(request.domain))
    validation.check_enum(request.history_event_filter_type, api.EventFilterType, "EventFilterType")
    validation.check_enum(request.query_consistency_level, api.QueryConsistencyLevel, "QueryConsistencyLevel")
    domain = await frontend.domain(request.domain, RateClass.USER)
    gone = EntityNotExists("Workflow execution not found.")
    if not archived.is_archived(request.next_page_token):
        try:
            return await _living_history(frontend, call, request, domain)
        except EntityNotExists as error:
            gone = error
    return await archived.read_history(frontend, domain, request, gone)


async def _living_history(
    frontend: FrontendContext, call: PublicCall, request: api.GetWorkflowExecutionHistoryRequest, domain: api.Domain
) -> bytes:
    execution = request.workflow_execution
    if not request.wait_for_new_event:
        return await frontend.call_history(call, "GetWorkflowExecutionHistory", domain.id, execution.workflow_id, call.body)
    try:
        with frontend.long_poll():
            return await frontend.call_history(
                call,
                "GetWorkflowExecutionHistory",
                domain.id,
                execution.workflow_id,
                call.body,
                _until(frontend, call),
            )
    except DeadlineExceeded:
        return _nothing_new(request.next_page_token)
    except TimeoutError:
        if request.next_page_token:
            return _nothing_new(request.next_page_token)
        return await _last_look(frontend, call, domain, execution.workflow_id)


async def _last_look(frontend: FrontendContext, call: PublicCall, domain: api.Domain, workflow_id: str) -> bytes:
    """This process stops: history is asked once more, with so little time that it answers at once, if only with a token by which
    the caller goes on elsewhere."""
    deadline = min(_until(frontend, call), frontend.now() + _LAST_LOOK_S)
    try:
        return await frontend.call_history(call, "GetWorkflowExecutionHistory", domain.id, workflow_id, call.body, deadline)
    except DeadlineExceeded:
        return _nothing_new(b"")


def _until(frontend: FrontendContext, call: PublicCall) -> float:
    """Until when history may hold the call: a little less than the caller's time, so that the answer gets there."""
    settings, now = frontend.settings, frontend.now()
    if call.deadline is None:
        return now + settings.poll_s_max
    left = call.deadline - now
    return now + min(left - min(settings.poll_margin_s, left / 10), settings.poll_s_max)


def _nothing_new(token: bytes) -> bytes:
    """History did not answer in time, or this process stops: a caller that has a token is told that nothing is new and
    asks again with it; without one there is nothing to say."""
    if not token:
        raise ServiceBusy("The history could not be read in time.")
    response = api.GetWorkflowExecutionHistoryResponse(next_page_token=token)
    response.history.SetInParent()
    return response.SerializeToString()


async def describe_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """State, pending activities, children and decision of a run."""
    request = parse(api.DescribeWorkflowExecutionRequest, call.body)
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    execution = request.workflow_execution
    validation.check_execution(execution, request.HasField("workflow_execution"), frontend.limits_for(request.domain))
    validation.check_enum(request.query_consistency_level, api.QueryConsistencyLevel, "QueryConsistencyLevel")
    domain = await frontend.domain(request.domain, RateClass.USER)
    return await frontend.call_history(call, "DescribeWorkflowExecution", domain.id, execution.workflow_id, call.body)
