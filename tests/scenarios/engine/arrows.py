"""Watches the transitions of the engine's state machines, record by record.

A machine is the run, its decision task, an activity, a timer, a child, a signal or cancel request to another workflow. Each
has a handful of statuses; an arrow is "from status, by this record, to status", also where a record changes the machine but
not its status (a heartbeat). `transitions.py` beside this file lists all arrows there are; the scenarios must draw each of
them, and none that is not there.
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any, NamedTuple

from tenuto_api import api
from tenuto_server.history.engine.records import Buffered, CallSettled, Happened, Numbered, Record
from tenuto_server.history.engine.state import Activity, Decision, RunState


class Arrow(NamedTuple):
    """One transition. `after` equals `before` where only the machine's fields changed."""

    machine: str
    before: str
    record: str
    after: str

    def __str__(self) -> str:
        return f"{self.machine}: {self.before} --{self.record}--> {self.after}"


class Arrows:
    """How often each arrow was drawn. Call `before` and `after` around the folding of each record."""

    def __init__(self) -> None:
        self.drawn: Counter[Arrow] = Counter()
        self._machines: dict[tuple[str, object], tuple[str, Any]] = {}

    def before(self, state: RunState) -> None:
        """Remembers how the machines stand."""
        self._machines = _machines(state)

    def after(self, state: RunState, record: Record) -> None:
        """Draws the arrows of what has changed."""
        machines = _machines(state)
        for name in {**self._machines, **machines}:
            before, after = self._machines.get(name, ("none", None)), machines.get(name, ("none", None))
            if before != after:
                label = _label(record)
                if name[0] != "run" and state.close_status and not isinstance(record, CallSettled):
                    label = "(the run closes)"
                self.drawn[Arrow(name[0], before[0], label, after[0])] += 1


def _machines(state: RunState) -> dict[tuple[str, object], tuple[str, Any]]:
    found: dict[tuple[str, object], tuple[str, Any]] = {("run", ""): (_run(state), None)}
    if state.decision is not None:
        found["decision", ""] = (_decision(state.decision), copy.copy(state.decision))
    for activity in state.activities.values():
        found["activity", activity.schedule_id] = (_activity(activity), copy.copy(activity))
    for timer in state.timers.values():
        found["timer", timer.started_id] = ("running", timer)
    owed = ", owed" if state.close_status else ""
    for child in state.children.values():
        found["child", child.initiated_id] = (("started" if child.run_id else "initiated") + owed, copy.copy(child))
    for call in state.externals.values():
        found[call.kind.name.lower(), call.initiated_id] = ("initiated" + owed, call)
    if state.owes_parent:
        found["parent", ""] = ("to be told", None)
    for data in state.buffered:
        fired = api.HistoryEvent.FromString(data)
        if fired.HasField("timer_fired_event_attributes"):
            found["timer", fired.timer_fired_event_attributes.started_event_id] = ("fired, unseen", data)
    return found


def _run(state: RunState) -> str:
    if state.close_status:
        name = api.WorkflowExecutionCloseStatus.Name(state.close_status)
        return name.removeprefix("WORKFLOW_EXECUTION_CLOSE_STATUS_").lower().replace("_", " ")
    if not state.is_open:
        return "none"
    # Between a failed first decision and the next one (within a turn) the run is not delayed again.
    is_awake = state.has_decided or state.decision_attempt or not state.backoff_s
    status = "open" if is_awake else "delayed"
    return status + (", to cancel" if state.cancel_requested else "")


def _decision(decision: Decision) -> str:
    if decision.started_ns:
        return "started, transient" if decision.attempt else "started"
    if decision.attempt:
        return "scheduled, transient"
    return "scheduled, sticky" if decision.sticky else "scheduled"


def _activity(activity: Activity) -> str:
    status = "started" if activity.started_ns else "retrying" if activity.attempt else "scheduled"
    return status + (", to cancel" if activity.cancel_requested_id else "")


def event_name(event: api.HistoryEvent) -> str:
    """The name of an event's type: "TimerFired"."""
    name = event.WhichOneof("attributes") or "none"
    return "".join(word.capitalize() for word in name.removesuffix("_event_attributes").split("_"))


def _label(record: Record) -> str:
    if not isinstance(record, Happened | Buffered | Numbered):
        return type(record).__name__
    label = event_name(record.event)
    kind = getattr(getattr(record.event, record.event.WhichOneof("attributes") or ""), "timeout_type", None)
    if kind is not None and label != "WorkflowExecutionTimedOut":
        label += ":" + api.TimeoutType.Name(kind).removeprefix("TIMEOUT_TYPE_")
    if isinstance(record, Numbered):
        label += " (numbered)"
    return label
