"""The decision task's life: scheduled, started, then completed, failed or timed out.

    (none) --schedule--> scheduled --start--> started --complete--> (none), or scheduled again if there is news
                            |                    |--fail, time out--> scheduled with attempt + 1
                            |                    |--heartbeat--> scheduled, counted from the first of its row
                            |--sticky list not polled in time--> scheduled on the normal list

A decision with attempt 0 writes its events as they happen. A later attempt is *transient*: its scheduled and started events are
shown to the worker with the next free ids but written only when it completes; if news arrived before it is started, it becomes
an ordinary decision with attempt 0. While a decision is started, outside events are buffered; when it closes they get their ids,
results of activities and children last.
"""

from __future__ import annotations

from typing import Any

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.engine import reset_points
from tenuto_server.history.engine.records import (
    DecisionContinued,
    DecisionDropped,
    DecisionMoved,
    DecisionScheduled,
    DecisionStarted,
    Numbered,
    StickyCleared,
    StickySet,
    frame,
)
from tenuto_server.history.engine.state import SECOND, Decision, RunState
from tenuto_server.history.engine.turn import LOCAL_VERSION, Turn, evolves, evolves_event, task_id, timestamp, to_ns
from tenuto_server.history.engine.values import SECONDS_MAX, duration

NOT_FOUND = "Decision task not found."
ATTEMPTS_EXCEED = "DECISION_ATTEMPTS_EXCEEDS_LIMIT"
# A decision that fails goes out again at once so many times, then after a back-off that doubles up to its longest.
RETRIES_AT_ONCE = 10
RETRY_BACKOFF_NS = 50_000_000
RETRY_BACKOFF_MAX_NS = 10 * SECOND
# Events that go to the end of the buffer's numbering.
_RESULTS = frozenset(
    {
        "activity_task_completed_event_attributes",
        "activity_task_failed_event_attributes",
        "activity_task_timed_out_event_attributes",
        "activity_task_canceled_event_attributes",
        "child_workflow_execution_completed_event_attributes",
        "child_workflow_execution_failed_event_attributes",
        "child_workflow_execution_canceled_event_attributes",
        "child_workflow_execution_timed_out_event_attributes",
        "child_workflow_execution_terminated_event_attributes",
    }
)


def schedule_if_none(turn: Turn) -> None:
    """There is news for the worker: schedules a decision unless one is pending."""
    state = turn.state
    decision = state.decision
    if decision is None:
        schedule(turn)
    elif len(state.buffered) > turn.limits.buffered_events_max:
        # Too much has happened since the worker was shown the history: it is to look again.
        fail(turn, decision, api.DECISION_TASK_FAILED_CAUSE_FORCE_CLOSE_DECISION, "history-service")
        schedule(turn)


def schedule(turn: Turn) -> None:
    """Schedules a decision; one that has failed too often ends the run instead. There must be none pending."""
    state = turn.state
    failures = state.decision_attempt
    flushed = flush(turn)
    attempt = 0 if flushed else failures
    if failures > turn.limits.decision_attempts_max > 0:
        turn.event(
            workflow_execution_terminated_event_attributes=api.WorkflowExecutionTerminatedEventAttributes(
                reason=ATTEMPTS_EXCEED, identity="history-service"
            )
        )
        return
    if attempt:
        turn.internal(DecisionScheduled(state.next_event_id, attempt, state.task_timeout_s, turn.now))
        return
    turn.event(
        decision_task_scheduled_event_attributes=api.DecisionTaskScheduledEventAttributes(
            task_list=dispatch_list(state), start_to_close_timeout=duration(state.task_timeout_s), attempt=0
        )
    )


def start(turn: Turn, schedule_id: int, attempt: int, request_id: str, identity: str) -> None:
    """A poller took the decision. Asked again with the same request id it changes nothing.

    Raises EntityNotExists if this decision does not wait any more.
    """
    state = turn.state
    decision = state.decision
    if not state.is_open or decision is None:
        raise errors.EntityNotExists(NOT_FOUND)
    if decision.started_ns:
        if decision.request_id == request_id:
            return
        raise errors.EntityNotExists(NOT_FOUND)
    if (decision.schedule_id, decision.attempt) != (schedule_id, attempt):
        raise errors.EntityNotExists(NOT_FOUND)
    _start(turn, decision, request_id, identity)


def start_inline(turn: Turn, request_id: str, identity: str) -> bool:
    """Starts the decision that was just scheduled for the worker that asked for it; False where there is none, or where it
    may not go out yet because it keeps failing."""
    decision = turn.state.decision
    if decision is None or decision.started_ns or dispatch_from_ns(decision) > turn.now:
        return False
    _start(turn, decision, request_id, identity)
    return True


def _start(turn: Turn, decision: Decision, request_id: str, identity: str) -> None:
    state = turn.state
    if decision.attempt and decision.schedule_id != state.next_event_id:
        # News came since the transient decision was scheduled: it becomes an ordinary one.
        turn.event(
            decision_task_scheduled_event_attributes=api.DecisionTaskScheduledEventAttributes(
                task_list=dispatch_list(state), start_to_close_timeout=duration(decision.timeout_s), attempt=0
            )
        )
        assert state.decision is not None
        decision = state.decision
    if decision.attempt:
        turn.internal(DecisionStarted(request_id, identity, turn.now))
        return
    turn.event(
        decision_task_started_event_attributes=api.DecisionTaskStartedEventAttributes(
            scheduled_event_id=decision.schedule_id, identity=identity, request_id=request_id
        )
    )


def started(state: RunState, schedule_id: int, attempt: int, request_id: str) -> Decision:
    """The started decision that a task token names. Raises EntityNotExists if it is not the current one."""
    decision = state.decision
    if (
        decision is None
        or not decision.started_ns
        or (decision.schedule_id, decision.attempt, decision.request_id) != (schedule_id, attempt, request_id)
    ):
        raise errors.EntityNotExists(NOT_FOUND)
    return decision


def complete(turn: Turn, decision: Decision, request: api.RespondDecisionTaskCompletedRequest) -> int:
    """Writes the completed event, for a transient decision its other two before it. Returns the completed event's id."""
    if decision.attempt:
        for event in transient_events(turn.state, decision):
            turn.event(to_ns(event.event_time), **_attributes(event))
        assert turn.state.decision is not None
        decision = turn.state.decision
    event = turn.event(
        decision_task_completed_event_attributes=api.DecisionTaskCompletedEventAttributes(
            scheduled_event_id=decision.schedule_id,
            started_event_id=decision.started_id,
            identity=request.identity,
            binary_checksum=request.binary_checksum,
            execution_context=request.execution_context,
        )
    )
    sticky = request.sticky_attributes
    if sticky.worker_task_list.name:
        timeout_s = min(max(1, sticky.schedule_to_start_timeout.seconds), SECONDS_MAX)
        if (turn.state.sticky_task_list, turn.state.sticky_timeout_s) != (sticky.worker_task_list.name, timeout_s):
            turn.internal(StickySet(sticky.worker_task_list.name, timeout_s))
    else:
        clear_sticky(turn)
    return event.event_id


def fail(
    turn: Turn,
    decision: Decision,
    cause: api.DecisionTaskFailedCause,
    identity: str,
    failure: api.Failure | None = None,
    binary_checksum: str = "",
) -> None:
    """The started decision failed: its first attempt writes an event. Schedules nothing."""
    clear_sticky(turn)
    if decision.attempt:
        turn.internal(DecisionDropped())
        return
    turn.event(
        decision_task_failed_event_attributes=api.DecisionTaskFailedEventAttributes(
            scheduled_event_id=decision.schedule_id,
            started_event_id=decision.started_id,
            cause=cause,
            failure=failure,
            identity=identity,
            binary_checksum=binary_checksum,
        )
    )


def close_for_end(turn: Turn) -> None:
    """Before an end that comes from outside (terminate, timeout): a started decision fails, buffered events get their ids."""
    decision = turn.state.decision
    if decision is not None and decision.started_ns:
        fail(turn, decision, api.DECISION_TASK_FAILED_CAUSE_FORCE_CLOSE_DECISION, "history-service")
    flush(turn)


def time_out(turn: Turn, schedule_id: int, attempt: int) -> None:
    """A deadline of the decision has passed: of its worker, or of the sticky list it waits on. Stale calls do nothing."""
    decision = turn.state.decision
    if decision is None or (decision.schedule_id, decision.attempt) != (schedule_id, attempt):
        return
    deadline = deadline_ns(turn.state)
    if deadline is None or deadline > turn.now:
        return
    _write_timeout(turn, decision)
    schedule(turn)


def _write_timeout(turn: Turn, decision: Decision) -> None:
    clear_sticky(turn)
    if decision.attempt:
        turn.internal(DecisionDropped())
        return
    late = api.TIMEOUT_TYPE_START_TO_CLOSE if decision.started_ns else api.TIMEOUT_TYPE_SCHEDULE_TO_START
    turn.event(
        decision_task_timed_out_event_attributes=api.DecisionTaskTimedOutEventAttributes(
            scheduled_event_id=decision.schedule_id,
            started_event_id=decision.started_id,
            timeout_type=late,
            cause=api.DECISION_TASK_TIMED_OUT_CAUSE_TIMEOUT,
        )
    )


def is_heartbeat(request: api.RespondDecisionTaskCompletedRequest) -> bool:
    """Whether a worker only asks for more time, because local activities still run there."""
    return request.force_create_new_decision_task and not request.decisions


def stop_heartbeats(turn: Turn, decision: Decision, timeout_ns: int) -> bool:
    """A heartbeat came. True if the row of them has gone on for too long: then the decision has timed out and is tried again
    elsewhere."""
    if turn.now <= decision.original_scheduled_ns + timeout_ns:
        return False
    _write_timeout(turn, decision)
    schedule(turn)
    return True


def keep_original_time(turn: Turn, original_scheduled_ns: int) -> None:
    """After a heartbeat: the decision that was just scheduled counts from the first of its row."""
    turn.internal(DecisionContinued(original_scheduled_ns))


def clear_sticky(turn: Turn) -> None:
    """Forgets the worker that keeps the run's state."""
    if turn.state.sticky_task_list:
        turn.internal(StickyCleared())


def unstick(turn: Turn, schedule_id: int, *, reset: bool = False) -> None:
    """Nobody polls the sticky list that the decision waits on: it goes to the normal list at once, without an event. If nobody
    takes it there either, it times out when it would have on the sticky list; as a failure, as on Cadence, after a `reset` by a
    caller.

    Does nothing if another decision waits on the sticky list by now: what is known of its list may be newer.
    """
    decision = turn.state.decision
    waits = decision is not None and decision.sticky and not decision.started_ns
    if waits and decision is not None and decision.schedule_id != schedule_id:
        return
    has_left = decision is not None and decision.sticky_until_ns and not decision.started_ns
    if waits or (has_left and reset):
        turn.internal(DecisionMoved(reset))
    clear_sticky(turn)


def deadline_ns(state: RunState) -> int | None:
    """When the pending decision times out, None where it may wait for ever."""
    decision = state.decision
    if decision is None:
        return None
    if decision.started_ns:
        return decision.started_ns + decision.timeout_s * SECOND
    if decision.sticky:
        return decision.scheduled_ns + state.sticky_timeout_s * SECOND
    return decision.sticky_until_ns or None


def dispatch_from_ns(decision: Decision) -> int:
    """When a decision that is not started may go out, 0 for at once. One that keeps failing is tried again ever more slowly,
    so that a mistake in a workflow does not keep its workers and the server busy."""
    failures = decision.attempt - RETRIES_AT_ONCE
    if failures <= 0:
        return 0
    return decision.scheduled_ns + min(RETRY_BACKOFF_MAX_NS, RETRY_BACKOFF_NS << min(failures, 30))


def dispatch_list(state: RunState) -> api.TaskList:
    """Where a decision scheduled now would go."""
    if state.sticky_task_list and not state.decision_attempt:
        return api.TaskList(
            name=state.sticky_task_list, kind=api.TASK_LIST_KIND_STICKY, base_name=state.task_list
        )
    return api.TaskList(name=state.task_list, kind=api.TASK_LIST_KIND_NORMAL)


def transient_events(state: RunState, decision: Decision) -> list[api.HistoryEvent]:
    """The two events of a transient decision that is started, with the next free ids, as its worker sees them."""
    scheduled = api.HistoryEvent(
        event_id=state.next_event_id,
        event_time=timestamp(decision.scheduled_ns),
        version=LOCAL_VERSION,
        task_id=task_id(state, state.next_event_id, decision.scheduled_ns),
        decision_task_scheduled_event_attributes=api.DecisionTaskScheduledEventAttributes(
            task_list=api.TaskList(name=state.task_list, kind=api.TASK_LIST_KIND_NORMAL),
            start_to_close_timeout=duration(decision.timeout_s),
            attempt=decision.attempt,
        ),
    )
    begun = api.HistoryEvent(
        event_id=state.next_event_id + 1,
        event_time=timestamp(decision.started_ns),
        version=LOCAL_VERSION,
        task_id=task_id(state, state.next_event_id + 1, decision.started_ns),
        decision_task_started_event_attributes=api.DecisionTaskStartedEventAttributes(
            scheduled_event_id=state.next_event_id, identity=decision.identity, request_id=decision.request_id
        ),
    )
    return [scheduled, begun]


def flush(turn: Turn) -> bool:
    """Gives buffered events their ids, results last; a closing event learns the id of its started event. False if none."""
    state = turn.state
    if not state.buffered:
        return False
    waiting = [(data, api.HistoryEvent.FromString(data)) for data in state.buffered]
    waiting.sort(key=lambda item: item[1].WhichOneof("attributes") in _RESULTS)
    started_ids: dict[int, int] = {}
    for data, event in waiting:
        event.event_id = state.next_event_id
        event.task_id = task_id(state, event.event_id, turn.now)
        name = event.WhichOneof("attributes") or ""
        attributes = getattr(event, name)
        if name == "activity_task_started_event_attributes":
            started_ids[attributes.scheduled_event_id] = event.event_id
        elif name == "child_workflow_execution_started_event_attributes":
            started_ids[attributes.initiated_event_id] = event.event_id
        elif name in _RESULTS:
            begun_id = attributes.scheduled_event_id if name.startswith("activity") else attributes.initiated_event_id
            attributes.started_event_id = started_ids.get(begun_id, attributes.started_event_id)
        turn.emit(Numbered(event, frame(event.SerializeToString()), data))
    return True


def _attributes(event: api.HistoryEvent) -> dict[str, Any]:
    name = event.WhichOneof("attributes") or ""
    return {name: getattr(event, name)}


# --- what each record does to the state ------------------------------------------------------------------------------


@evolves_event("decision_task_scheduled")
def _scheduled(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    at_ns = to_ns(event.event_time)
    state.decision_attempt = 0
    state.decision = Decision(
        schedule_id=event.event_id,
        attempt=0,
        timeout_s=attributes.start_to_close_timeout.seconds,
        scheduled_ns=at_ns,
        original_scheduled_ns=at_ns,
        sticky=attributes.task_list.kind == api.TASK_LIST_KIND_STICKY,
    )


@evolves(DecisionScheduled)
def _scheduled_transient(state: RunState, record: DecisionScheduled) -> None:
    state.decision = Decision(
        record.schedule_id, record.attempt, record.timeout_s, record.scheduled_ns, record.scheduled_ns
    )


@evolves_event("decision_task_started")
def _started(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    decision = state.decision
    assert decision is not None
    decision.started_id = event.event_id
    decision.started_ns = to_ns(event.event_time)
    decision.request_id = attributes.request_id
    decision.identity = attributes.identity


@evolves(DecisionContinued)
def _continued(state: RunState, record: DecisionContinued) -> None:
    if state.decision is not None:
        state.decision.original_scheduled_ns = record.original_scheduled_ns


@evolves(DecisionStarted)
def _started_transient(state: RunState, record: DecisionStarted) -> None:
    decision = state.decision
    assert decision is not None
    decision.started_id = decision.schedule_id + 1
    decision.started_ns = record.started_ns
    decision.request_id = record.request_id
    decision.identity = record.identity


@evolves_event("decision_task_completed")
def _completed(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    state.decision = None
    state.decision_attempt = 0
    state.previous_started_id = attributes.started_event_id
    checksum = attributes.binary_checksum
    if checksum and not (state.reset_points and state.reset_points[-1].checksum == checksum):
        reset_points.add(state, checksum, event)


@evolves_event("decision_task_failed")
def _failed(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    _drop(state)
    if attributes.cause == api.DECISION_TASK_FAILED_CAUSE_RESET_WORKFLOW:
        _begin_anew(state, event, attributes)


@evolves(DecisionDropped)
def _dropped(state: RunState, record: DecisionDropped) -> None:
    _drop(state)


@evolves_event("decision_task_timed_out")
def _timed_out(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    was_reset = state.decision is not None and state.decision.sticky_reset
    if attributes.timeout_type == api.TIMEOUT_TYPE_SCHEDULE_TO_START and not was_reset:
        # The sticky list was too slow, nobody failed: the next decision is an ordinary one.
        state.decision = None
        state.decision_attempt = 0
    else:
        _drop(state)
    if attributes.cause == api.DECISION_TASK_TIMED_OUT_CAUSE_RESET:
        _begin_anew(state, event, attributes)


def _begin_anew(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    """The run is a fork that begins here: nobody failed, its time and that of its waiting activities counts from now, and the
    request that made it is the reset's."""
    at_ns = to_ns(event.event_time)
    state.decision_attempt = 0
    state.reset_ns = at_ns
    state.earlier_requests[state.start_request_id] = state.requested_run_id
    state.start_request_id, state.requested_run_id = attributes.request_id, attributes.new_run_id
    for activity in state.activities.values():
        if not activity.started_ns:
            if activity.expiration_ns:
                activity.expiration_ns += at_ns - activity.scheduled_ns
            activity.scheduled_ns = activity.attempt_scheduled_ns = at_ns


def _drop(state: RunState) -> None:
    state.decision_attempt = (state.decision.attempt if state.decision else 0) + 1
    state.decision = None


@evolves(StickySet)
def _sticky_set(state: RunState, record: StickySet) -> None:
    state.sticky_task_list = record.task_list
    state.sticky_timeout_s = record.timeout_s


@evolves(StickyCleared)
def _sticky_cleared(state: RunState, record: StickyCleared) -> None:
    state.sticky_task_list = ""
    state.sticky_timeout_s = 0


@evolves(DecisionMoved)
def _moved(state: RunState, record: DecisionMoved) -> None:
    decision = state.decision
    if decision is None:
        return
    if decision.sticky:
        decision.sticky = False
        decision.sticky_until_ns = decision.scheduled_ns + state.sticky_timeout_s * SECOND
    decision.sticky_reset = record.reset
