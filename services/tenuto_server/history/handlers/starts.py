"""Starting runs: StartWorkflowExecution and SignalWithStartWorkflowExecution, and who may use a workflow id again."""

from __future__ import annotations

from collections.abc import Callable

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history.core import Core
from tenuto_server.history.engine import close, outside
from tenuto_server.history.engine import start as engine_start
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.turn import Turn
from tenuto_server.history.engine.values import seconds
from tenuto_server.history.run import FAILED_STATUSES, Run, Workflow
from tenuto_server.history.shard import Shard
from tenuto_server.rules import traces
from tenuto_server.transport.network import InternalCall

_TERMINATED_FOR = "TerminateIfRunning Policy"
_TERMINATED_BY = "history-service"


async def start(core: Core, call: InternalCall) -> bytes:
    """Answers StartWorkflowExecutionResponse when the start is durable."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    core.count_request(envelope.domain_id, envelope.workflow_id)
    request = api.StartWorkflowExecutionRequest.FromString(envelope.request)
    shard, workflow = await workflow_of(core, envelope.domain_id, envelope.workflow_id)
    current = workflow.current
    run_id = "" if current is None else current.state.made_for(request.request_id)
    if current is None or not run_id:
        admit(current, request)
        current = begin(core, shard, workflow, request, trace=traces.sampled(call.traceparent))
        run_id = current.state.run_id
    await core.durable(current)
    return api.StartWorkflowExecutionResponse(run_id=run_id).SerializeToString()


async def signal_with_start(core: Core, call: InternalCall) -> bytes:
    """Signals the running run, or starts one with the signal in it. Answers when that is durable."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    core.count_request(envelope.domain_id, envelope.workflow_id)
    request = api.SignalWithStartWorkflowExecutionRequest.FromString(envelope.request)
    begun = request.start_request
    shard, workflow = await workflow_of(core, envelope.domain_id, envelope.workflow_id)
    run = workflow.current
    seen = run is not None and begun.request_id in run.state.signal_request_ids
    if run is not None and (seen or (run.state.is_open and not _terminates(begun))):
        with core.step(run) as turn:
            outside.signal(turn, request.signal_name, _payload(request), begun.identity, begun.request_id)
    else:
        if not (run is not None and run.state.is_open):
            admit(run, begun)
        run = begin(core, shard, workflow, begun, request, trace=traces.sampled(call.traceparent))
    await core.durable(run)
    return api.SignalWithStartWorkflowExecutionResponse(run_id=run.state.run_id).SerializeToString()


async def workflow_of(core: Core, domain_id: str, workflow_id: str) -> tuple[Shard, Workflow]:
    """A workflow of this process, without runs if it is new. Raises ShardOwnershipLost."""
    shard = core.shard(domain_id, workflow_id)
    workflow = await shard.workflow(domain_id, workflow_id)
    if core.shards.get(shard.id) is not shard or not shard.is_open:
        raise errors.ShardOwnershipLost("the shard belongs to another history process")
    return shard, workflow


def begin(
    core: Core,
    shard: Shard,
    workflow: Workflow,
    request: api.StartWorkflowExecutionRequest,
    with_signal: api.SignalWithStartWorkflowExecutionRequest | None = None,
    run_id: str = "",
    parent: api.ParentExecutionInfo | None = None,
    trace: str = "",
) -> Run:
    """Starts a run, after ending the current one if the policy says so: in one commit. `trace` is the caller's sampled trace
    context."""
    state = RunState(workflow.domain_id, workflow.workflow_id, run_id or core.runtime.new_id())
    turn = core.turn(state)
    jitter_s = seconds(request.jitter_start)
    chance_s = core.runtime.random.randint(0, jitter_s) if jitter_s > 0 else 0
    engine_start.start(turn, request, chance_s, None if with_signal is None else _signals(with_signal), parent)
    engine_start.trace(turn, trace)
    turns: list[tuple[Run, Turn]] = []
    current = workflow.current
    if current is not None and current.state.is_open:
        ending = core.turn(current.state)
        details = api.Payload(data=f"New runID: {state.run_id}".encode())
        close.terminate(ending, _TERMINATED_FOR, details, _TERMINATED_BY)
        turns.append((current, ending))
    run = core.begin(shard, workflow, turn)
    core.commit(*turns, (run, turn))
    return run


def _signals(request: api.SignalWithStartWorkflowExecutionRequest) -> Callable[[Turn], None]:
    begun = request.start_request

    def first(turn: Turn) -> None:
        outside.add_signal(turn, request.signal_name, _payload(request), begun.identity, begun.request_id)

    return first


def admit(current: Run | None, request: api.StartWorkflowExecutionRequest) -> None:
    """Raises WorkflowAlreadyStarted where the reuse policy forbids a new run."""
    if current is None:
        return
    state = current.state
    where = f"WorkflowId: {state.workflow_id}, RunId: {state.run_id}."
    policy = request.workflow_id_reuse_policy
    if state.is_open:
        if policy == api.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING:
            return
        message = f"Workflow execution is already running. {where}"
    elif policy == api.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
        message = f"Workflow execution already finished. {where} Workflow ID reuse policy: reject duplicate workflow ID."
    elif policy in _FAILED_ONLY and state.close_status not in FAILED_STATUSES:
        message = (
            f"Workflow execution already finished successfully. {where} "
            "Workflow ID reuse policy: allow duplicate workflow ID if last run failed."
        )
    else:
        return
    raise errors.WorkflowAlreadyStarted(message, state.start_request_id, state.run_id)


_FAILED_ONLY = (
    api.WORKFLOW_ID_REUSE_POLICY_INVALID,
    api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
)


def _terminates(request: api.StartWorkflowExecutionRequest) -> bool:
    return request.workflow_id_reuse_policy == api.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING


def _payload(request: api.SignalWithStartWorkflowExecutionRequest) -> api.Payload | None:
    return request.signal_input if request.HasField("signal_input") else None
