"""What must be dispatched or timed because of a run's state: one derivation, for the live path and recovery alike.

`tasks_for` looks at what the records of a turn touched, `all_tasks` at the whole state; both ask the same functions. A timer
may ring early or for nothing: whoever handles it looks at the state (`ring`), and `alarm` says when to ring again, if at all. So
timers are only ever added, and a deadline that moves to later (a heartbeat) costs nothing until it rings.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple

from tenuto_server.history.engine import activity, calls, close, decision_task, start, timer
from tenuto_server.history.engine.records import (
    AttemptFailed,
    AttemptStarted,
    Buffered,
    DecisionMoved,
    DecisionScheduled,
    DecisionStarted,
    Forked,
    Happened,
    Record,
)
from tenuto_server.history.engine.state import Activity, Decision, RunState
from tenuto_server.history.engine.turn import Turn


class TaskKind(enum.IntEnum):
    """The two kinds of task that pollers take; the numbers are those of the internal interface's TaskType."""

    DECISION = 1
    ACTIVITY = 2


class Dispatch(NamedTuple):
    """A task that waits for a poller of `task_list`, not before `not_before_ns` (0: at once)."""

    kind: TaskKind
    schedule_id: int
    attempt: int
    task_list: str
    sticky: bool
    scheduled_ns: int
    not_before_ns: int
    # The sampled trace context that its spans are below; empty where there is none.
    trace: str = ""


class AlarmKind(enum.IntEnum):
    """What an alarm looks after."""

    EXECUTION = 1
    BACKOFF = 2
    DECISION = 3
    ACTIVITY = 4
    TIMER = 5
    # A later attempt of an activity (of the decision, for an empty key) may go out: rings without a record.
    RETRY = 6


class Alarm(NamedTuple):
    """Ring at `at_ns`. Kind and key name what it looks after: an activity's schedule id or a timer's id as text."""

    at_ns: int
    kind: AlarmKind
    key: str = ""


class Tasks:
    """What follows from a turn."""

    __slots__ = ("alarms", "calls", "dispatches")

    def __init__(self, calls_due: list[calls.Call]) -> None:
        self.calls = calls_due
        self.dispatches: list[Dispatch] = []
        self.alarms: list[Alarm] = []

    def _add_alarm(self, alarm: Alarm | None) -> None:
        if alarm is not None:
            self.alarms.append(alarm)


def tasks_for(state: RunState, records: Sequence[Record]) -> Tasks:
    """The tasks that the records brought about, as the state stands after them."""
    tasks = Tasks(calls.due_after(state, records) if calls.may_owe(state) else [])
    if not state.is_open:
        return tasks
    touched: dict[tuple[AlarmKind, str], None] = {}
    for record in records:
        if isinstance(record, Happened | Buffered):
            _touch_event(touched, record)
        elif isinstance(record, DecisionScheduled | DecisionStarted | DecisionMoved):
            touched[AlarmKind.DECISION, ""] = None
        elif isinstance(record, AttemptStarted | AttemptFailed):
            touched[AlarmKind.ACTIVITY, str(record.schedule_id)] = None
        elif isinstance(record, Forked):
            return all_tasks(state)
    for kind, key in touched:
        if kind is AlarmKind.ACTIVITY:
            _add_activity(tasks, state, state.activities.get(int(key)))
            continue
        tasks._add_alarm(_alarm(state, kind, key))
        if kind is AlarmKind.DECISION:
            _add_decision(tasks, state)
    return tasks


def all_tasks(state: RunState) -> Tasks:
    """Everything that the state implies: what recovery sets up."""
    tasks = Tasks(calls.due(state) if calls.may_owe(state) else [])
    if not state.is_open:
        return tasks
    tasks._add_alarm(_alarm(state, AlarmKind.EXECUTION, ""))
    tasks._add_alarm(_alarm(state, AlarmKind.BACKOFF, ""))
    tasks._add_alarm(_alarm(state, AlarmKind.DECISION, ""))
    _add_decision(tasks, state)
    for pending in state.activities.values():
        _add_activity(tasks, state, pending)
    for timer_id in state.timers:
        tasks._add_alarm(_alarm(state, AlarmKind.TIMER, timer_id))
    return tasks


def alarm(state: RunState, kind: AlarmKind, key: str) -> Alarm | None:
    """When to look after something, None where it needs no looking after."""
    return _alarm(state, kind, key) if state.is_open else None


def _alarm(state: RunState, kind: AlarmKind, key: str) -> Alarm | None:
    """As `alarm`, of an open run."""
    at_ns: int | None = None
    if kind is AlarmKind.EXECUTION:
        at_ns = start.execution_deadline_ns(state)
    elif kind is AlarmKind.BACKOFF:
        at_ns = start.backoff_ends_ns(state) if state.backoff_s and not state.has_decided else None
    elif kind is AlarmKind.DECISION:
        at_ns = decision_task.deadline_ns(state)
    elif kind is AlarmKind.ACTIVITY:
        pending = state.activities.get(int(key))
        at_ns = None if pending is None else activity.earliest_deadline(pending)[0]
    elif kind is AlarmKind.RETRY:
        at_ns = _retry_ns(state, key)
    else:
        user_timer = state.timers.get(key)
        at_ns = None if user_timer is None else user_timer.fire_ns
    return None if at_ns is None else Alarm(at_ns, kind, key)


def _retry_ns(state: RunState, key: str) -> int | None:
    if not key:
        decision = state.decision
        waits = decision is not None and not decision.started_ns
        return decision_task.dispatch_from_ns(decision) or None if decision is not None and waits else None
    pending = state.activities.get(int(key))
    waits = pending is not None and pending.attempt > 0 and not pending.started_ns
    return pending.attempt_scheduled_ns if pending is not None and waits else None


def ring(turn: Turn, kind: AlarmKind, key: str, new_run_id: str) -> None:
    """An alarm rings: what is due happens; nothing if nothing is."""
    state = turn.state
    if not state.is_open:
        return
    if kind is AlarmKind.EXECUTION:
        close.time_out(turn, new_run_id)
    elif kind is AlarmKind.BACKOFF:
        if start.backoff_ends_ns(state) <= turn.now:
            start.end_backoff(turn)
    elif kind is AlarmKind.DECISION:
        if state.decision is not None:
            decision_task.time_out(turn, state.decision.schedule_id, state.decision.attempt)
    elif kind is AlarmKind.ACTIVITY:
        activity.time_out(turn, int(key))
    elif kind is AlarmKind.TIMER:
        timer.fire(turn, key)


def ended_activity(record: Record) -> int:
    """The schedule id of the activity whose waiting attempt a record ends other than by a start; 0 for any other record."""
    if isinstance(record, AttemptFailed):
        return record.schedule_id
    if not isinstance(record, Happened | Buffered):
        return 0
    match record.name:
        case "activity_task_timed_out_event_attributes":
            return record.event.activity_task_timed_out_event_attributes.scheduled_event_id
        case "activity_task_canceled_event_attributes":
            return record.event.activity_task_canceled_event_attributes.scheduled_event_id
        case _:
            return 0


def decision_dispatch(state: RunState, decision: Decision) -> Dispatch:
    """Where a decision that is not started waits."""
    task_list = state.sticky_task_list if decision.sticky else state.task_list
    return Dispatch(
        TaskKind.DECISION,
        decision.schedule_id,
        decision.attempt,
        task_list,
        decision.sticky,
        decision.scheduled_ns,
        decision_task.dispatch_from_ns(decision),
        state.trace,
    )


def _add_decision(tasks: Tasks, state: RunState) -> None:
    if state.decision is not None and not state.decision.started_ns:
        tasks._add_alarm(_alarm(state, AlarmKind.RETRY, ""))
        tasks.dispatches.append(decision_dispatch(state, state.decision))


def _add_activity(tasks: Tasks, state: RunState, pending: Activity | None) -> None:
    if pending is None:
        return
    key = str(pending.schedule_id)
    tasks._add_alarm(_alarm(state, AlarmKind.ACTIVITY, key))
    if pending.started_ns:
        return
    tasks._add_alarm(_alarm(state, AlarmKind.RETRY, key))
    tasks.dispatches.append(
        Dispatch(
            TaskKind.ACTIVITY,
            pending.schedule_id,
            pending.attempt,
            pending.task_list,
            False,
            pending.attempt_scheduled_ns,
            # Only a retry waits, with an alarm; a clock that runs behind its predecessor's must hold nothing else back.
            pending.attempt_scheduled_ns if pending.attempt else 0,
            pending.trace or state.trace,
        )
    )


def _touch_event(touched: dict[tuple[AlarmKind, str], None], record: Happened | Buffered) -> None:
    event = record.event
    match record.name:
        case "decision_task_scheduled_event_attributes" | "decision_task_started_event_attributes":
            touched[AlarmKind.DECISION, ""] = None
        case "activity_task_scheduled_event_attributes":
            touched[AlarmKind.ACTIVITY, str(event.event_id)] = None
        case "activity_task_started_event_attributes":
            scheduled_id = event.activity_task_started_event_attributes.scheduled_event_id
            touched[AlarmKind.ACTIVITY, str(scheduled_id)] = None
        case "timer_started_event_attributes":
            touched[AlarmKind.TIMER, event.timer_started_event_attributes.timer_id] = None
        case "workflow_execution_started_event_attributes":
            touched[AlarmKind.EXECUTION, ""] = None
            touched[AlarmKind.BACKOFF, ""] = None
        case _:
            pass
