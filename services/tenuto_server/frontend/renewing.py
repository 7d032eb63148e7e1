"""Beginning a workflow's work again: reset to a point of its history, restart from its start, deriving its tasks anew."""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.errors import BadRequest, EntityNotExists
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.transport.public import PublicCall


async def reset_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """A request without a request id gets one here: repeated on the way to its owner it still is one reset."""
    body = call.body
    request = parse(api.ResetWorkflowExecutionRequest, body)
    limits = frontend.limits_for(request.domain)
    _check_domain_and_execution(frontend, request)
    validation.check_length(request.request_id, "RequestID", limits)
    named = request.workflow_execution
    validation.check_blob(len(request.reason.encode()), limits, request.domain, named.workflow_id, named.run_id)
    domain = await frontend.domain(request.domain, RateClass.USER)
    validation.check_not_deprecated(domain)
    if not request.request_id:
        request.request_id = frontend.runtime.new_id()
        body = request.SerializeToString()
    return await frontend.call_history(call, "ResetWorkflowExecution", domain.id, request.workflow_execution.workflow_id, body)


async def refresh_workflow_tasks(frontend: FrontendContext, call: PublicCall) -> bytes:
    """What is to be done for a run is found out anew from its state."""
    request = parse(api.RefreshWorkflowTasksRequest, call.body)
    _check_domain_and_execution(frontend, request)
    domain = await frontend.domain(request.domain, RateClass.USER)
    return await frontend.call_history(
        call, "RefreshWorkflowTasks", domain.id, request.workflow_execution.workflow_id, call.body
    )


async def restart_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Starts a workflow as the named run was started, by what its first event says, and ends the current run."""
    request = parse(api.RestartWorkflowExecutionRequest, call.body)
    _check_domain_and_execution(frontend, request)
    validation.check_length(request.identity, "Identity", frontend.limits_for(request.domain))
    domain = await frontend.domain(request.domain, RateClass.USER)
    validation.check_not_deprecated(domain)
    named = request.workflow_execution
    first_page = api.GetWorkflowExecutionHistoryRequest(domain=request.domain, workflow_execution=named, page_size=1)
    answer = await frontend.call_history(
        call, "GetWorkflowExecutionHistory", domain.id, named.workflow_id, first_page.SerializeToString()
    )
    history = api.GetWorkflowExecutionHistoryResponse.FromString(answer).history
    if not history.events:
        raise EntityNotExists(f"Workflow execution has no history.  WorkflowId: {named.workflow_id}, RunId: {named.run_id}")
    begun = history.events[0].workflow_execution_started_event_attributes
    start = _start_again(request, begun, frontend.runtime.new_id())
    answer = await frontend.call_history(
        call, "StartWorkflowExecution", domain.id, named.workflow_id, start.SerializeToString()
    )
    started = api.StartWorkflowExecutionResponse.FromString(answer)
    return api.RestartWorkflowExecutionResponse(run_id=started.run_id).SerializeToString()


def _start_again(
    request: api.RestartWorkflowExecutionRequest, begun: api.WorkflowExecutionStartedEventAttributes, request_id: str
) -> api.StartWorkflowExecutionRequest:
    start = api.StartWorkflowExecutionRequest(
        domain=request.domain,
        workflow_id=request.workflow_execution.workflow_id,
        workflow_type=begun.workflow_type,
        task_list=begun.task_list,
        execution_start_to_close_timeout=begun.execution_start_to_close_timeout,
        task_start_to_close_timeout=begun.task_start_to_close_timeout,
        identity=request.identity,
        request_id=request_id,
        workflow_id_reuse_policy=api.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
        cron_schedule=begun.cron_schedule,
        cron_overlap_policy=begun.cron_overlap_policy,
    )
    for name in ("input", "retry_policy", "memo", "search_attributes", "header", "active_cluster_selection_policy"):
        if begun.HasField(name):
            getattr(start, name).CopyFrom(getattr(begun, name))
    if not begun.cron_schedule and not begun.continued_execution_run_id:
        # With a cron schedule, or in a run that continues another, the back-off was no wish of who started it.
        start.delay_start.CopyFrom(begun.first_decision_task_backoff)
    return start


_OnExecution = api.ResetWorkflowExecutionRequest | api.RefreshWorkflowTasksRequest | api.RestartWorkflowExecutionRequest


def _check_domain_and_execution(frontend: FrontendContext, request: _OnExecution) -> None:
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    limits = frontend.limits_for(request.domain)
    validation.check_execution(request.workflow_execution, request.HasField("workflow_execution"), limits)
