"""Beginning a workflow's work again: reset to a point of its history, and deriving its tasks anew."""

from __future__ import annotations

from tenuto_api import api, internal
from tenuto_server.history.core import Core
from tenuto_server.history.forking import fork_run
from tenuto_server.transport.network import InternalCall


async def reset(core: Core, call: InternalCall) -> bytes:
    """ResetWorkflowExecution: answers when the new run is durable. The same request again answers the run it made, as long as
    that is the current one, or the current one was forked from it."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    request = api.ResetWorkflowExecutionRequest.FromString(envelope.request)
    named = request.workflow_execution
    base = await core.run(envelope.domain_id, named.workflow_id, named.run_id)
    current = base.workflow.current
    run_id = "" if current is None else current.state.made_for(request.request_id)
    if current is None or not run_id:
        current = await fork_run(
            core,
            base,
            request.decision_finish_event_id,
            request.reason,
            request.request_id,
            again=not request.skip_signal_reapply,
        )
    await core.durable(current)
    run_id = run_id or current.state.made_for(request.request_id)
    return api.ResetWorkflowExecutionResponse(run_id=run_id).SerializeToString()


async def refresh(core: Core, call: InternalCall) -> bytes:
    """RefreshWorkflowTasks: what the run's state implies is set and offered anew. Changes no run."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    request = api.RefreshWorkflowTasksRequest.FromString(envelope.request)
    named = request.workflow_execution
    run = await core.run(envelope.domain_id, named.workflow_id, named.run_id)
    await core.durable(run)
    core.require(run)
    core.refresh(run)
    return b""
