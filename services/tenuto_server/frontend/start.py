"""Starting workflows: StartWorkflowExecution and SignalWithStartWorkflowExecution."""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.transport.public import PublicCall


async def start_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Checked here, decided by the owner of the workflow id."""
    body = call.body
    request = parse(api.StartWorkflowExecutionRequest, body)
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    validation.check_start(request, len(body), frontend.limits_for(request.domain))
    domain = await frontend.domain(request.domain, RateClass.USER)
    validation.check_not_deprecated(domain)
    return await frontend.call_history(call, "StartWorkflowExecution", domain.id, request.workflow_id, body)


async def signal_with_start_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """As StartWorkflowExecution, but its request id may be empty: one is made here, so that the call can be
    repeated."""
    body = call.body
    request = parse(api.SignalWithStartWorkflowExecutionRequest, body)
    start = request.start_request
    if not start.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    validation.check_signal_with_start(request, len(body), frontend.limits_for(start.domain))
    domain = await frontend.domain(start.domain, RateClass.USER)
    validation.check_not_deprecated(domain)
    if not start.request_id:
        start.request_id = frontend.runtime.new_id()
        body = request.SerializeToString()
    return await frontend.call_history(call, "SignalWithStartWorkflowExecution", domain.id, start.workflow_id, body)
