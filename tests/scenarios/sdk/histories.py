"""Builds histories by hand: each method appends one event, as the server would write it."""

from __future__ import annotations

from typing import Any, Self

from tenuto.converter import default_converter
from tenuto_api import api

START_SECONDS = 1_700_000_000


def payload(*values: Any) -> api.Payload:
    """Values as the default converter writes them."""
    return api.Payload(data=default_converter.to_payload(values))


class History:
    """A growing history. `take()` returns the events since the last take: what a sticky decision task carries.

    Time moves only by `at(seconds)` (since the start); every event has the time of its moment.
    """

    def __init__(self) -> None:
        self.events: list[api.HistoryEvent] = []
        self._taken = 0
        self._seconds = 0.0
        self.started_id = 0
        self.scheduled_id = 0
        self.completed_id = 0
        self.activities: dict[str, int] = {}

    def at(self, seconds: float) -> Self:
        """Sets the time for the events that follow."""
        self._seconds = seconds
        return self

    def add(self, name: str, **fields: Any) -> Self:
        """Any event, by the name of its attributes without the suffix."""
        event = api.HistoryEvent(event_id=len(self.events) + 1)
        event.event_time.FromNanoseconds(int((START_SECONDS + self._seconds) * 1_000_000_000))
        attributes = getattr(event, name + "_event_attributes")
        attributes.SetInParent()
        attributes.MergeFrom(type(attributes)(**fields))
        self.events.append(event)
        return self

    @property
    def last_id(self) -> int:
        """The id of the last event."""
        return len(self.events)

    def take(self) -> list[api.HistoryEvent]:
        """The events since the last take."""
        taken, self._taken = self.events[self._taken :], len(self.events)
        return taken

    def rewind(self) -> None:
        """The next take returns the whole history: what a worker that lost its cache gets."""
        self._taken = 0

    # ---- the run and its decisions ----

    def start(self, *args: Any, **fields: Any) -> Self:
        """WorkflowExecutionStarted with these arguments."""
        given: dict[str, Any] = {
            "workflow_type": api.WorkflowType(name="Workflow"),
            "task_list": api.TaskList(name="list"),
            "input": payload(*args) if args else api.Payload(),
            "original_execution_run_id": "00000000-0000-4000-8000-000000000000",
            **fields,
        }
        self.add("workflow_execution_started", **given)
        attributes = self.events[-1].workflow_execution_started_event_attributes
        attributes.execution_start_to_close_timeout.seconds = 3600
        attributes.task_start_to_close_timeout.seconds = 10
        return self

    def decide(self) -> Self:
        """A decision task scheduled and started."""
        self.add("decision_task_scheduled")
        self.scheduled_id = self.last_id
        return self.begin()

    def begin(self) -> Self:
        """The scheduled decision task started."""
        self.add("decision_task_started", scheduled_event_id=self.scheduled_id)
        self.started_id = self.last_id
        return self

    def decided(self) -> Self:
        """The decision task completed; the events that it made follow."""
        ids = {"scheduled_event_id": self.scheduled_id, "started_event_id": self.started_id}
        self.add("decision_task_completed", **ids)
        self.completed_id = self.last_id
        return self

    def decision_failed(self) -> Self:
        """The decision task failed."""
        return self.add("decision_task_failed", scheduled_event_id=self.scheduled_id, started_event_id=self.started_id)

    def decision_timed_out(self) -> Self:
        """The decision task timed out."""
        return self.add("decision_task_timed_out", scheduled_event_id=self.scheduled_id, started_event_id=self.started_id)

    # ---- activities and timers ----

    def scheduled(self, activity_id: str, name: str) -> Self:
        """ActivityTaskScheduled."""
        self.add("activity_task_scheduled", activity_id=activity_id, activity_type=api.ActivityType(name=name))
        self.activities[activity_id] = self.last_id
        return self

    def activity_done(self, activity_id: str, result: Any = None) -> Self:
        """ActivityTaskStarted and Completed."""
        scheduled_id = self.activities[activity_id]
        self.add("activity_task_started", scheduled_event_id=scheduled_id)
        ids = {"scheduled_event_id": scheduled_id, "started_event_id": self.last_id}
        return self.add("activity_task_completed", **ids, result=payload(result))

    def activity_failed(self, activity_id: str, reason: str, *details: Any) -> Self:
        """ActivityTaskStarted and Failed."""
        scheduled_id = self.activities[activity_id]
        self.add("activity_task_started", scheduled_event_id=scheduled_id)
        failure = api.Failure(reason=reason, details=payload(*details).data)
        ids = {"scheduled_event_id": scheduled_id, "started_event_id": self.last_id}
        return self.add("activity_task_failed", **ids, failure=failure)

    def timer(self, timer_id: str, seconds: int = 1) -> Self:
        """TimerStarted."""
        self.add("timer_started", timer_id=timer_id)
        self.events[-1].timer_started_event_attributes.start_to_fire_timeout.seconds = seconds
        return self

    def fired(self, timer_id: str) -> Self:
        """TimerFired."""
        return self.add("timer_fired", timer_id=timer_id)

    def signal(self, name: str, *args: Any) -> Self:
        """WorkflowExecutionSignaled."""
        return self.add("workflow_execution_signaled", signal_name=name, input=payload(*args) if args else api.Payload())

    def marker(self, name: str, *details: Any) -> Self:
        """MarkerRecorded."""
        return self.add("marker_recorded", marker_name=name, details=payload(*details))

    def cancel_requested(self) -> Self:
        """WorkflowExecutionCancelRequested."""
        return self.add("workflow_execution_cancel_requested", cause="test")


def summary(decisions: list[api.Decision]) -> list[str]:
    """Decisions in one line each: what the scripts compare."""
    return [_line(decision) for decision in decisions]


def _line(decision: api.Decision) -> str:
    name = decision.WhichOneof("attributes") or ""
    a: Any = getattr(decision, name)
    match name.removesuffix("_decision_attributes"):
        case "schedule_activity_task":
            return f"activity {a.activity_id} {a.activity_type.name} {a.input.data.decode().split()}"
        case "request_cancel_activity_task":
            return f"cancel activity {a.activity_id}"
        case "start_timer":
            return f"timer {a.timer_id} {a.start_to_fire_timeout.seconds}s"
        case "cancel_timer":
            return f"cancel timer {a.timer_id}"
        case "complete_workflow_execution":
            return f"complete {a.result.data.decode().strip()}"
        case "fail_workflow_execution":
            return f"fail {a.failure.reason}"
        case "cancel_workflow_execution":
            return "cancel workflow"
        case "continue_as_new_workflow_execution":
            return f"continue {a.workflow_type.name} {a.input.data.decode().split()}"
        case "record_marker":
            return f"marker {a.marker_name} {a.details.data.decode().split()}"
        case "start_child_workflow_execution":
            return f"child {a.workflow_id} {a.workflow_type.name} {a.input.data.decode().split()}"
        case "signal_external_workflow_execution":
            return f"signal {a.workflow_execution.workflow_id} {a.signal_name}"
        case "request_cancel_external_workflow_execution":
            return f"cancel external {a.workflow_execution.workflow_id}"
        case "upsert_workflow_search_attributes":
            fields = a.search_attributes.indexed_fields
            return f"upsert {({key: fields[key].data.decode() for key in sorted(fields)})}"
        case other:
            return other
