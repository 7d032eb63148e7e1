"""What other workflows ask of this process's: to start as a child, to take a signal or a cancel request, to follow a parent's
close policy; and what children tell their parents.

All of it may be asked again, late, and answers the same. Whoever asks goes by the answer for good. So one that no step of its
own backs (a refusal, or "nothing to do") is given only when the log has confirmed that this process owns the shard still, and
that the state which it was made of is durable.
"""

from __future__ import annotations

from collections.abc import Callable

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history import events
from tenuto_server.history.core import Core
from tenuto_server.history.engine import child, close, outside
from tenuto_server.history.engine.records import unframe
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.turn import Turn
from tenuto_server.history.handlers import starts
from tenuto_server.history.run import Run, Workflow
from tenuto_server.rules import traces
from tenuto_server.transport.network import InternalCall

POLICY_REASON = "by parent close policy"
IDENTITY = "history-service"


async def start_child(core: Core, call: InternalCall) -> bytes:
    """Starts a child under the run id that its parent chose, unless it has started already. Answers when that is durable."""
    wanted = internal.StartChildRequest.FromString(call.body)
    request = api.StartWorkflowExecutionRequest.FromString(wanted.request)
    shard, workflow = await starts.workflow_of(core, wanted.domain_id, wanted.workflow_id)
    if await _begun_before(core, workflow, wanted.run_id):
        await core.confirm()
    else:
        if not shard.is_open or shard.workflows.get((wanted.domain_id, wanted.workflow_id)) is not workflow:
            raise errors.ShardOwnershipLost("the workflow went out of memory")
        try:
            starts.admit(workflow.current, request)
        except errors.ServiceError:
            await core.confirm()
            raise
        trace = traces.sampled(call.traceparent)
        begun = starts.begin(core, shard, workflow, request, run_id=wanted.run_id, parent=wanted.parent, trace=trace)
        await core.durable(begun)
    return b""


async def _begun_before(core: Core, workflow: Workflow, run_id: str) -> bool:
    """Whether the child has started before; it may have been continued since, and other runs may have followed."""
    while (current := workflow.current) is not None:
        if current.state.first_run_id == run_id:
            return True
        try:
            await core.run(workflow.domain_id, workflow.workflow_id, run_id)
        except errors.EntityNotExists:
            if workflow.current is current:
                return False
        else:
            return True
    return False


async def signal_external(core: Core, call: InternalCall) -> bytes:
    """Another workflow signals. Answers when the signal is durable."""
    wanted = internal.ExternalRequest.FromString(call.body)
    request = api.SignalWorkflowExecutionRequest.FromString(wanted.request)
    payload = request.signal_input if request.HasField("signal_input") else None

    def act(turn: Turn) -> None:
        _check_parent(turn.state, wanted)
        outside.signal(turn, request.signal_name, payload, request.identity, request.request_id)

    await _carry_out(core, await _run(core, wanted.domain_id, wanted.workflow_id, request.workflow_execution.run_id), act)
    return b""


async def cancel_external(core: Core, call: InternalCall) -> bytes:
    """Another workflow asks to cancel. Answers when that is durable."""
    wanted = internal.ExternalRequest.FromString(call.body)
    request = api.RequestCancelWorkflowExecutionRequest.FromString(wanted.request)

    def act(turn: Turn) -> None:
        _check_parent(turn.state, wanted)
        outside.request_cancel(turn, request, wanted.source)

    await _carry_out(core, await _run(core, wanted.domain_id, wanted.workflow_id, request.workflow_execution.run_id), act)
    return b""


async def close_child(core: Core, call: InternalCall) -> bytes:
    """The parent has closed: its close policy is applied to the current run of the child's chain, if that is open."""
    wanted = internal.CloseChildRequest.FromString(call.body)
    run = await _run(core, wanted.domain_id, wanted.workflow_id, "")

    def act(turn: Turn) -> None:
        if not turn.state.is_open or turn.state.first_run_id != wanted.first_run_id:
            return
        if wanted.policy == api.PARENT_CLOSE_POLICY_TERMINATE:
            close.terminate(turn, POLICY_REASON, None, IDENTITY)
        elif not turn.state.cancel_requested:
            request = api.RequestCancelWorkflowExecutionRequest(
                identity=IDENTITY, request_id=wanted.request_id, cause=POLICY_REASON
            )
            outside.request_cancel(turn, request)

    await _carry_out(core, run, act)
    return b""


async def child_closed(core: Core, call: InternalCall) -> bytes:
    """A child has ended: its parent's event. Answers when that is durable."""
    told = internal.ChildClosedRequest.FromString(call.body)
    run = await _run(core, told.domain_id, told.workflow_id, told.run_id)
    initiated = None
    pending = run.state.children.get(told.initiated_id)
    if pending is not None and not pending.run_id:
        (framed,) = await events.read(core.store, run, told.initiated_id, told.initiated_id + 1)
        core.require(run)
        initiated = api.HistoryEvent.FromString(unframe(framed))
    closed = child.Closed(told.initiated_id, told.child, told.first_run_id, told.closing)
    await _carry_out(core, run, lambda turn: child.closed(turn, closed, initiated))
    return b""


async def _run(core: Core, domain_id: str, workflow_id: str, run_id: str) -> Run:
    try:
        return await core.run(domain_id, workflow_id, run_id)
    except errors.EntityNotExists:
        await core.confirm()
        raise


async def _carry_out(core: Core, run: Run, act: Callable[[Turn], None]) -> None:
    """One turn; returns when it is durable. What is refused, or changes nothing, is confirmed first."""
    try:
        with core.step(run) as turn:
            act(turn)
    except errors.ServiceError:
        await core.confirm()
        raise
    if turn.records:
        await core.durable(run)
    else:
        await core.confirm()


def _check_parent(state: RunState, wanted: internal.ExternalRequest) -> None:
    """Raises EntityNotExists if only a child may be asked, and this is none of the run that asks."""
    if not wanted.child_workflow_only:
        return
    parent = api.ParentExecutionInfo.FromString(state.parent)
    if parent.workflow_execution != wanted.source.workflow_execution:
        raise errors.EntityNotExists(f"Workflow {state.workflow_id} is not a child of the workflow that asks.")
