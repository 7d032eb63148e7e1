"""What is done to a workflow from outside once it is there: signal, cancel, terminate, forget its sticky task list."""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.frontend.validation import Limits
from tenuto_server.transport.public import PublicCall


async def signal_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """A signal without a request id gets one here: repeated on the way to its owner it still is one signal."""
    body = call.body
    request = parse(api.SignalWorkflowExecutionRequest, body)
    limits = frontend.limits_for(request.domain)
    _check_domain_and_execution(frontend, request)
    validation.check_signal_name(request.signal_name, limits)
    validation.check_length(request.request_id, "RequestID", limits)
    validation.check_length(request.identity, "Identity", limits)
    _check_blob(request, len(request.signal_input.data), limits)
    domain = await frontend.domain(request.domain, RateClass.USER)
    validation.check_not_deprecated(domain)
    if not request.request_id:
        request.request_id = frontend.runtime.new_id()
        body = request.SerializeToString()
    return await frontend.call_history(call, "SignalWorkflowExecution", domain.id, request.workflow_execution.workflow_id, body)


async def request_cancel_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """A second request with the same id is the same request, so one without gets one here."""
    body = call.body
    request = parse(api.RequestCancelWorkflowExecutionRequest, body)
    limits = frontend.limits_for(request.domain)
    _check_domain_and_execution(frontend, request)
    validation.check_length(request.request_id, "RequestID", limits)
    validation.check_length(request.identity, "Identity", limits)
    validation.check_length(request.first_execution_run_id, "FirstExecutionRunID", limits)
    _check_blob(request, len(request.cause), limits)
    domain = await frontend.domain(request.domain, RateClass.USER)
    if not request.request_id:
        request.request_id = frontend.runtime.new_id()
        body = request.SerializeToString()
    return await frontend.call_history(
        call, "RequestCancelWorkflowExecution", domain.id, request.workflow_execution.workflow_id, body
    )


async def terminate_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Ends a run at once. It has no request id: repeated after it was done it finds the run closed and says so."""
    request = parse(api.TerminateWorkflowExecutionRequest, call.body)
    limits = frontend.limits_for(request.domain)
    _check_domain_and_execution(frontend, request)
    validation.check_length(request.identity, "Identity", limits)
    validation.check_length(request.first_execution_run_id, "FirstExecutionRunID", limits)
    _check_blob(request, len(request.reason) + len(request.details.data), limits)
    domain = await frontend.domain(request.domain, RateClass.USER)
    return await frontend.call_history(
        call, "TerminateWorkflowExecution", domain.id, request.workflow_execution.workflow_id, call.body
    )


async def reset_sticky_task_list(frontend: FrontendContext, call: PublicCall) -> bytes:
    """A worker that stops gives its workflows back to the normal task list."""
    request = parse(api.ResetStickyTaskListRequest, call.body)
    _check_domain_and_execution(frontend, request)
    domain = await frontend.domain(request.domain, RateClass.WORKER_ANSWER)
    return await frontend.call_history(call, "ResetStickyTaskList", domain.id, request.workflow_execution.workflow_id, call.body)


def _check_blob(request: _OnExecution, size: int, limits: Limits) -> None:
    named = request.workflow_execution
    validation.check_blob(size, limits, request.domain, named.workflow_id, named.run_id)


_OnExecution = (
    api.SignalWorkflowExecutionRequest
    | api.RequestCancelWorkflowExecutionRequest
    | api.TerminateWorkflowExecutionRequest
    | api.ResetStickyTaskListRequest
)


def _check_domain_and_execution(frontend: FrontendContext, request: _OnExecution) -> None:
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    limits = frontend.limits_for(request.domain)
    validation.check_execution(request.workflow_execution, request.HasField("workflow_execution"), limits)
