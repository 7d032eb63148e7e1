"""Cuts a history into the turns that workflow code took, and names what each event records.

A turn is one decision task that completed (or the one being worked on): its input is every event after the previous turn's
DecisionTaskStarted up to its own. So a turn's events open with DecisionTaskCompleted of the turn before and the events
that its decisions made, then come results and signals from outside. Decision tasks that failed or timed out never
happened as far as workflow code goes: their events are left out, and what came meanwhile belongs to the next turn. Time in a
turn is its started event's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tenuto._types import SECOND_NS
from tenuto_api import api

NamedEvent = tuple[str, api.HistoryEvent]  # the attribute field's name without "_event_attributes"

SUFFIX = "_event_attributes"
STARTED = "decision_task_started"
COMPLETED = "decision_task_completed"
BOOKKEEPING = frozenset(
    {"decision_task_scheduled", COMPLETED, "decision_task_failed", "decision_task_timed_out", STARTED}
)


@dataclass(slots=True)
class Turn:
    """The input of one run of workflow code. `replaying` is False only for the decision that is to be answered now."""

    started_event_id: int
    time_ns: int
    events: list[NamedEvent]
    replaying: bool


def attributes(named: NamedEvent) -> Any:
    """The attributes message of an event."""
    return getattr(named[1], named[0] + SUFFIX)


def cut(events: Sequence[api.HistoryEvent]) -> tuple[list[Turn], list[NamedEvent]]:
    """The turns of a piece of history in order, and the events after the last one (`tail`).

    The last event of a decision task's history is its own DecisionTaskStarted: that turn is the live one.
    """
    turns: list[Turn] = []
    gathered: list[NamedEvent] = []
    last = len(events) - 1
    for index, event in enumerate(events):
        name = (event.WhichOneof("attributes") or "").removesuffix(SUFFIX)
        if name not in BOOKKEEPING:
            gathered.append((name, event))
        elif name == STARTED and (
            index == last or events[index + 1].HasField("decision_task_completed_event_attributes")
        ):
            time_ns = event.event_time.seconds * SECOND_NS + event.event_time.nanos
            turns.append(Turn(event.event_id, time_ns, gathered, replaying=index != last))
            gathered = []
    return turns, gathered


@dataclass(frozen=True, slots=True)
class Identity:
    """What command an event records, or a command is: compared to find where code and history part."""

    kind: str
    key: str = ""
    name: str = ""

    def __str__(self) -> str:
        parts = [part for part in (self.name, f"id {self.key}" if self.key else "") if part]
        return f"{self.kind}({', '.join(parts)})" if parts else self.kind


ANY_KEY = "*"  # of a command whose id is not the workflow code's choice

ACTIVITY = "ScheduleActivityTask"
CANCEL_ACTIVITY = "RequestCancelActivityTask"
TIMER = "StartTimer"
CANCEL_TIMER = "CancelTimer"
MARKER = "RecordMarker"
CHILD = "StartChildWorkflowExecution"
SIGNAL = "SignalExternalWorkflowExecution"
CANCEL_EXTERNAL = "RequestCancelExternalWorkflowExecution"
UPSERT = "UpsertWorkflowSearchAttributes"
COMPLETE = "CompleteWorkflowExecution"
FAIL = "FailWorkflowExecution"
CANCEL = "CancelWorkflowExecution"
CONTINUE = "ContinueAsNewWorkflowExecution"

_IDENTITIES: dict[str, Callable[[Any], Identity]] = {
    "activity_task_scheduled": lambda a: Identity(ACTIVITY, a.activity_id, a.activity_type.name),
    "activity_task_cancel_requested": lambda a: Identity(CANCEL_ACTIVITY, a.activity_id),
    "request_cancel_activity_task_failed": lambda a: Identity(CANCEL_ACTIVITY, a.activity_id),
    "timer_started": lambda a: Identity(TIMER, a.timer_id),
    "timer_canceled": lambda a: Identity(CANCEL_TIMER, a.timer_id),
    "cancel_timer_failed": lambda a: Identity(CANCEL_TIMER, a.timer_id),
    "marker_recorded": lambda a: Identity(MARKER, name=a.marker_name),
    "start_child_workflow_execution_initiated": lambda a: Identity(CHILD, a.workflow_id, a.workflow_type.name),
    "signal_external_workflow_execution_initiated": lambda a: Identity(
        SIGNAL, a.workflow_execution.workflow_id, a.signal_name
    ),
    "request_cancel_external_workflow_execution_initiated": lambda a: Identity(
        CANCEL_EXTERNAL, a.workflow_execution.workflow_id
    ),
    "upsert_workflow_search_attributes": lambda _: Identity(UPSERT),
    "workflow_execution_completed": lambda _: Identity(COMPLETE),
    "workflow_execution_failed": lambda _: Identity(FAIL),
    "workflow_execution_canceled": lambda _: Identity(CANCEL),
    "workflow_execution_continued_as_new": lambda _: Identity(CONTINUE),
}
DECISION_EVENTS = frozenset(_IDENTITIES)

# The server may close a run otherwise than asked: cron and retries continue it, a pending cancel request cancels it.
CLOSES_AS = {
    COMPLETE: {COMPLETE, CONTINUE},
    FAIL: {FAIL, CONTINUE, CANCEL},
    CANCEL: {CANCEL},
    CONTINUE: {CONTINUE, CANCEL},
}


def identity_of(named: NamedEvent) -> Identity:
    """What command a decision event records."""
    return _IDENTITIES[named[0]](attributes(named))


def fits(command: Identity, event: Identity) -> bool:
    """Whether an event can be what the server made of a command."""
    if command.key == ANY_KEY:
        return (command.kind, command.name) == (event.kind, event.name)
    return command == event or event.kind in CLOSES_AS.get(command.kind, ())
