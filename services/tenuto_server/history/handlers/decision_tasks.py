"""Handing tasks to pollers, and what workers answer to decision tasks."""

from __future__ import annotations

import logging

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history import events, paging, views
from tenuto_server.history.core import Core
from tenuto_server.history.engine import activity, decision_task, decisions, reset_points, search_attributes, sizes
from tenuto_server.history.engine.records import frame
from tenuto_server.history.engine.state import SECOND, Decision, ResetPoint, RunState
from tenuto_server.history.engine.tasks import TaskKind
from tenuto_server.history.forking import fork_run
from tenuto_server.history.handlers import repeats
from tenuto_server.history.offers import TaskKey
from tenuto_server.history.queries import BufferedQueries
from tenuto_server.history.run import Run
from tenuto_server.transport.network import InternalCall

logger = logging.getLogger(__name__)


async def start_task(core: Core, call: InternalCall) -> bytes:
    """StartTask: records that a poller took a task, and answers the poll response.

    A task may be on offer before its schedule is durable; it starts only then. An activity goes out only when its start is
    durable: no attempt starts twice. A decision may go before that, since deciding twice does no harm and its token names this
    very start; if a crash forgets the start, the answer is refused.
    """
    request = internal.StartTaskRequest.FromString(call.body)
    task = request.task
    key = TaskKey(
        task.domain_id, task.workflow_id, task.run_id, TaskKind(task.type), task.schedule_id, task.attempt
    )
    try:
        run = await core.run(task.domain_id, task.workflow_id, task.run_id)
    except errors.EntityNotExists:
        core.offers.done(key)
        raise
    await core.scheduled(run)
    if _waits_elsewhere(run.state, request):
        raise errors.EntityNotExists(activity.NOT_FOUND)
    core.taken(run, key)
    if key.kind is TaskKind.DECISION:
        return await _start_decision(core, run, request)
    return await _start_activity(core, run, request)


def _waits_elsewhere(state: RunState, request: internal.StartTaskRequest) -> bool:
    """Whether the activity of that number waits on another list. The one that was offered then never became durable: its history
    process lost its shard, and the workflow went on differently."""
    waiting = state.activities.get(request.task.schedule_id)
    return waiting is not None and waiting.task_list != request.task_list


async def _start_decision(core: Core, run: Run, request: internal.StartTaskRequest) -> bytes:
    task = request.task
    if run.state.reset_points and await _reset_from_bad_binary(core, run):
        raise errors.EntityNotExists(decision_task.NOT_FOUND)
    with core.step(run) as turn:
        decision_task.start(turn, task.schedule_id, task.attempt, request.request_id, request.identity)
    decision = run.state.decision
    assert decision is not None
    if decision.attempt >= core.settings.decision_attempts_critical:
        text = "decision attempt %d of workflow %s, run %s"
        logger.warning(text, decision.attempt, task.workflow_id, task.run_id, extra=core.about(run.state))
    is_sticky = decision.sticky and request.task_list == run.state.sticky_task_list
    return await _decision_bytes(core, run, decision, is_sticky)


async def _reset_from_bad_binary(core: Core, run: Run) -> bool:
    """Undoes what a bad binary decided: before the next decision goes out, the workflow is reset to where the binary first
    completed one. False where there is nothing to undo, or no way to: then the run goes on as it is."""
    state = run.state
    domain = core.domains.cached_by_id(state.domain_id)
    point = _bad_point(core, run, domain)
    if domain is None or point is None:
        return False
    reason = f"auto-reset from bad binary {point.checksum}: {domain.bad_binaries.binaries[point.checksum].reason}"
    try:
        base = await core.run(state.domain_id, state.workflow_id, point.run_id)
        await fork_run(core, base, point.completed_id, reason, core.runtime.new_id(), only_if=run)
    except (errors.EntityNotExists, errors.BadRequest, errors.WorkflowAlreadyCompleted) as error:
        text = "run %s is not reset from bad binary %s: %s"
        logger.warning(text, state.run_id, point.checksum, error, extra=core.about(state))
        return not state.is_open
    return True


def _bad_point(core: Core, run: Run, domain: api.Domain | None) -> ResetPoint | None:
    """Where the open run is to be reset to, because it has decisions of a binary that is marked bad by now."""
    state = run.state
    if not state.reset_points or domain is None or not domain.bad_binaries.binaries or not state.is_open:
        return None
    if not reset_points.is_resettable(state):
        return None
    return reset_points.first_bad(state, domain.bad_binaries.binaries, core.runtime.now())


async def _start_activity(core: Core, run: Run, request: internal.StartTaskRequest) -> bytes:
    task = request.task
    with core.step(run) as turn:
        pending = activity.start(turn, task.schedule_id, task.attempt, request.request_id, request.identity)
    (scheduled,) = await events.read(core.store, run, task.schedule_id, task.schedule_id + 1)
    response = views.activity_response(run.state, pending, scheduled, request.domain_name)
    await core.durable(run)
    return response.SerializeToString()


async def _decision_bytes(core: Core, run: Run, decision: Decision, is_sticky: bool) -> bytes:
    """The poll response for a started decision: the whole history, or for a sticky worker what it has not seen."""
    state = run.state
    first = state.previous_started_id + 1 if is_sticky else 1
    until = state.next_event_id if decision.attempt else decision.started_id + 1
    page_until = min(until, first + core.settings.history_page_max)
    extra = views.transient_frames(state, decision)
    # Before the read: the state may go on while that waits for the store.
    response = views.decision_response(state, decision).SerializeToString()
    if run.queries is not None:
        attached = run.queries.attach(decision, core.settings.attached_queries_bytes_max)
        response += api.PollForDecisionTaskResponse(queries=attached).SerializeToString()
    frames = await events.read(core.store, run, first, page_until, core.settings.history_page_bytes_max)
    next_id = first + len(frames)
    if next_id < until:
        token = paging.encode(paging.PageToken(state.run_id, next_id, until, False, extra))
        response += api.PollForDecisionTaskResponse(next_page_token=token).SerializeToString()
        extra = []
    return response + views.history_bytes([*frames, *extra])


async def completed(core: Core, call: InternalCall) -> bytes:
    """RespondDecisionTaskCompleted: answers when the decisions are durable, with the next task if the worker wants it."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    request = api.RespondDecisionTaskCompletedRequest.FromString(envelope.request)
    token = internal.TaskToken.FromString(request.task_token)
    domain = await core.domains.by_id(token.domain_id)
    names = search_attributes.names(request.decisions)
    attributes = await core.attribute_rules(token.domain_id, names) if names else None
    run = await core.run(token.domain_id, token.workflow_id, token.run_id)
    try:
        decision = _started(run, token)
    except (errors.EntityNotExists, errors.WorkflowAlreadyCompleted):
        started_id = await repeats.closed_decision(core, run, token, request.identity) if envelope.repeated else 0
        if not started_id:
            raise
        return await _completed_before(core, run, request, token, started_id)
    new_id = core.runtime.new_id()
    events_before, bytes_before = run.state.next_event_id, run.state.history_bytes
    limit_ns = int(core.settings_for(token.domain_id).decision_heartbeat_timeout * SECOND)
    is_bad, overdue = request.binary_checksum in domain.bad_binaries.binaries, False
    with core.step(run) as turn:
        if is_bad:
            decisions.refuse_binary(turn, decision, request)
        elif decision_task.is_heartbeat(request) and decision_task.stop_heartbeats(turn, decision, limit_ns):
            overdue = True
        elif decisions.complete(turn, decision, request, domain.name, new_id, attributes) is None and run.queries is not None:
            _answer_queries(core, run.queries, decision, request, token.domain_id)
        goes_on = request.return_new_decision_task and not (is_bad or overdue) and _bad_point(core, run, domain) is None
        inline = goes_on and decision_task.start_inline(turn, new_id, request.identity)
    _warn_of_size(core, run.state, events_before, bytes_before)
    if len(envelope.request) > core.settings_for(token.domain_id).blob_bytes_warn:
        _warn_of_blobs(core, run.state, domain.name, request)
    if overdue:
        await core.durable(run)
        raise errors.EntityNotExists("decision heartbeat timeout")
    local = views.local_dispatches(run.state, request.decisions, token.started_request_id)
    next_task = b""
    if inline and run.state.decision is not None:
        is_sticky = bool(run.state.sticky_task_list)
        next_task = await _decision_bytes(core, run, run.state.decision, is_sticky)
    await core.durable(run)
    return _completed_response(next_task, local)


def _warn_of_size(core: Core, state: RunState, events_before: int, bytes_before: int) -> None:
    """Says once that a history has become large."""
    settings = core.settings_for(state.domain_id)
    grew_long = events_before <= settings.history_count_warn < state.next_event_id
    if grew_long or bytes_before <= settings.history_size_warn < state.history_bytes:
        logger.warning(
            "history of workflow %s, run %s is large: %d events, %d bytes",
            state.workflow_id,
            state.run_id,
            state.next_event_id - 1,
            state.history_bytes,
            extra=core.about(state),
        )


def _warn_of_blobs(core: Core, state: RunState, domain: str, request: api.RespondDecisionTaskCompletedRequest) -> None:
    """Says which payloads of decisions are large."""
    limit = core.settings_for(state.domain_id).blob_bytes_warn
    for wanted in request.decisions:
        found = sizes.blob_over(wanted, limit)
        if found is not None:
            name, size = found
            logger.warning(
                "large blob: %s of %d bytes, domain %s, workflow %s, run %s", name, size, domain, state.workflow_id, state.run_id
            )


async def _completed_before(
    core: Core, run: Run, request: api.RespondDecisionTaskCompletedRequest, token: internal.TaskToken, started_id: int
) -> bytes:
    """The answer of a request that was acted on before: the activities that its worker runs itself, and the next task where
    it was started inside that answer, which got lost. Should its worker have polled it instead, it decides twice, which does no
    harm."""
    decision = run.state.decision
    next_task = b""
    if (
        request.return_new_decision_task
        and decision is not None
        and decision.started_ns
        and decision.identity == request.identity
        and run.state.previous_started_id == started_id
    ):
        next_task = await _decision_bytes(core, run, decision, bool(run.state.sticky_task_list))
    local = views.local_dispatches(run.state, request.decisions, token.started_request_id)
    await core.durable(run)
    return _completed_response(next_task, local)


def _answer_queries(
    core: Core,
    queries: BufferedQueries,
    decision: Decision,
    request: api.RespondDecisionTaskCompletedRequest,
    domain_id: str,
) -> None:
    if decision_task.is_heartbeat(request):
        # Local activities of what happened before the query still run: this is not yet the state that was asked for.
        queries.detach(decision)
    else:
        queries.answer(decision, request.query_results, core.settings_for(domain_id).blob_bytes_max)


def _completed_response(next_task: bytes, local: dict[str, api.ActivityLocalDispatchInfo]) -> bytes:
    """RespondDecisionTaskCompletedResponse with an encoded decision task in field 1, or none at all."""
    # Field 1, length-prefixed: as an event in a History.
    response = frame(next_task) if next_task else b""
    if local:
        response += api.RespondDecisionTaskCompletedResponse(activities_to_dispatch_locally=local).SerializeToString()
    return response


async def failed(core: Core, call: InternalCall) -> bytes:
    """RespondDecisionTaskFailed: the decision is tried again."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    request = api.RespondDecisionTaskFailedRequest.FromString(envelope.request)
    token = internal.TaskToken.FromString(request.task_token)
    run = await core.run(token.domain_id, token.workflow_id, token.run_id)
    try:
        decision = _started(run, token)
    except (errors.EntityNotExists, errors.WorkflowAlreadyCompleted):
        if not envelope.repeated:
            raise
        # The failure of a transient decision leaves no event, only the next attempt.
        pending = run.state.decision
        next_attempt = token.attempt > 0 and pending is not None and pending.attempt == token.attempt + 1
        if not next_attempt and not await repeats.closed_decision(core, run, token, request.identity):
            raise
        await core.durable(run)
        return b""
    failure = api.Failure(details=request.details.data) if request.HasField("details") else None
    with core.step(run) as turn:
        decision_task.fail(turn, decision, request.cause, request.identity, failure, request.binary_checksum)
        decision_task.schedule(turn)
    await core.durable(run)
    return b""


def _started(run: Run, token: internal.TaskToken) -> Decision:
    if not run.state.is_open:
        raise errors.WorkflowAlreadyCompleted
    return decision_task.started(run.state, token.schedule_id, token.attempt, token.started_request_id)
