"""What clients do to a run: signal, ask to cancel, terminate, forget its sticky worker."""

from __future__ import annotations

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history.core import Core
from tenuto_server.history.engine import close, decision_task, outside
from tenuto_server.history.handlers import repeats
from tenuto_server.history.run import Run
from tenuto_server.transport.network import InternalCall


async def signal(core: Core, call: InternalCall) -> bytes:
    """Answers an empty message when the signal is durable."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    core.count_request(envelope.domain_id, envelope.workflow_id)
    request = api.SignalWorkflowExecutionRequest.FromString(envelope.request)
    run = await _run(core, envelope, request.workflow_execution)
    payload = request.signal_input if request.HasField("signal_input") else None
    with core.step(run) as turn:
        outside.signal(turn, request.signal_name, payload, request.identity, request.request_id)
    await core.durable(run)
    return b""


async def request_cancel(core: Core, call: InternalCall) -> bytes:
    """Answers an empty message when the request is durable."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    request = api.RequestCancelWorkflowExecutionRequest.FromString(envelope.request)
    run = await _run(core, envelope, request.workflow_execution)
    _check_chain(run, request.first_execution_run_id)
    state = run.state
    acted = envelope.repeated and state.cancel_requested and request.request_id == state.cancel_request_id
    if not acted:
        with core.step(run) as turn:
            outside.request_cancel(turn, request)
    await core.durable(run)
    return b""


async def terminate(core: Core, call: InternalCall) -> bytes:
    """Answers an empty message when the run has ended, durably."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    request = api.TerminateWorkflowExecutionRequest.FromString(envelope.request)
    run = await _run(core, envelope, request.workflow_execution)
    _check_chain(run, request.first_execution_run_id)
    details = request.details if request.HasField("details") else None
    if not (envelope.repeated and run.is_closed and await repeats.terminated(core, run, request)):
        with core.step(run) as turn:
            close.terminate(turn, request.reason, details, request.identity)
    await core.durable(run)
    return b""


async def reset_sticky(core: Core, call: InternalCall) -> bytes:
    """The worker that kept the run's state is gone: answers an empty message when that is durable."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    request = api.ResetStickyTaskListRequest.FromString(envelope.request)
    run = await _run(core, envelope, request.workflow_execution)
    if not run.state.is_open:
        raise errors.WorkflowAlreadyCompleted
    decision = run.state.decision
    with core.step(run) as turn:
        decision_task.unstick(turn, decision.schedule_id if decision is not None else 0, reset=True)
    await core.durable(run)
    return b""


async def _run(core: Core, envelope: internal.WorkflowRequest, execution: api.WorkflowExecution) -> Run:
    return await core.run(envelope.domain_id, execution.workflow_id, execution.run_id)


def _check_chain(run: Run, first_run_id: str) -> None:
    """Raises EntityNotExists if the run is not of the chain that the caller means."""
    if first_run_id and run.state.first_run_id != first_run_id:
        raise errors.EntityNotExists(
            f"Workflow execution not found.  WorkflowId: {run.state.workflow_id}, FirstRunId: {first_run_id}"
        )
