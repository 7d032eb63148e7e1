"""Starting workflows: StartWorkflowExecution and SignalWithStartWorkflowExecution, and the asynchronous forms of both."""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.frontend.search_attributes import check_search_attributes
from tenuto_server.transport.public import PublicCall


async def start_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Checked here, decided by the owner of the workflow id."""
    body = call.body
    request = parse(api.StartWorkflowExecutionRequest, body)
    domain = await _checked_start(frontend, request, len(body))
    return await frontend.call_history(call, "StartWorkflowExecution", domain.id, request.workflow_id, body)


async def start_workflow_execution_async(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Checked as the synchronous form; the answer says that it will be done, not that it can be."""
    request = parse(api.StartWorkflowExecutionAsyncRequest, call.body).request
    domain = await _checked_start(frontend, request, len(call.body), RateClass.ASYNC)
    _check_async(domain)
    return await frontend.call_history(
        call, "StartWorkflowExecutionAsync", domain.id, request.workflow_id, request.SerializeToString()
    )


async def signal_with_start_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """As StartWorkflowExecution, but its request id may be empty: one is made here, so that the call can be
    repeated."""
    body = call.body
    request = parse(api.SignalWithStartWorkflowExecutionRequest, body)
    start = request.start_request
    domain = await _checked_signal_with_start(frontend, request, len(body))
    if not start.request_id:
        start.request_id = frontend.runtime.new_id()
        body = request.SerializeToString()
    return await frontend.call_history(call, "SignalWithStartWorkflowExecution", domain.id, start.workflow_id, body)


async def signal_with_start_workflow_execution_async(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Checked as the synchronous form; the answer says that it will be done, not that it can be."""
    request = parse(api.SignalWithStartWorkflowExecutionAsyncRequest, call.body).request
    start = request.start_request
    domain = await _checked_signal_with_start(frontend, request, len(call.body), RateClass.ASYNC)
    _check_async(domain)
    start.request_id = start.request_id or frontend.runtime.new_id()
    return await frontend.call_history(
        call, "SignalWithStartWorkflowExecutionAsync", domain.id, start.workflow_id, request.SerializeToString()
    )


async def _checked_start(
    frontend: FrontendContext, request: api.StartWorkflowExecutionRequest, size: int, rate_class: RateClass = RateClass.USER
) -> api.Domain:
    """The domain of a request that may be handed on."""
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    validation.check_start(request, size, frontend.limits_for(request.domain))
    domain = await frontend.domain(request.domain, rate_class)
    validation.check_not_deprecated(domain)
    if request.HasField("search_attributes"):
        await check_search_attributes(frontend, request.search_attributes, request.domain)
    return domain


async def _checked_signal_with_start(
    frontend: FrontendContext,
    request: api.SignalWithStartWorkflowExecutionRequest,
    size: int,
    rate_class: RateClass = RateClass.USER,
) -> api.Domain:
    if not request.start_request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    validation.check_signal_with_start(request, size, frontend.limits_for(request.start_request.domain))
    domain = await frontend.domain(request.start_request.domain, rate_class)
    validation.check_not_deprecated(domain)
    if request.start_request.HasField("search_attributes"):
        await check_search_attributes(frontend, request.start_request.search_attributes, request.start_request.domain)
    return domain


def _check_async(domain: api.Domain) -> None:
    if not domain.async_workflow_config.enabled:
        raise BadRequest(f"Domain {domain.name} is not enabled for asynchronous workflow requests.")
