"""One turn on one run: the records a command leads to, each folded into the state the moment it is decided.

`decide` functions (one file a feature) take a `Turn`. They check first and raise an error of `tenuto_server.errors` while the
state is untouched; from the first `emit` on they may not fail. `evolve` is the only thing that changes a state, and it is the
same in the live path and in recovery: `replay` folds the records of a log entry with it. Later steps of one command see the
effect of earlier ones (the third decision of a completed task sees the activity that the first one scheduled), which is why
folding is not left until the end.

Each feature registers how its events and internal records change the state, with `evolves_event` and `evolves`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from tenuto_api import api
from tenuto_server.errors import InvariantViolation
from tenuto_server.history.engine.limits import DEFAULT, Limits
from tenuto_server.history.engine.records import Buffered, Happened, Internal, Numbered, Record, frame
from tenuto_server.history.engine.state import SECOND, RunState

# The version of events in a domain that lives in one cluster only.
LOCAL_VERSION = -24

EventEvolver = Callable[[RunState, api.HistoryEvent, Any], None]
InternalEvolver = Callable[[RunState, Any], None]
_Evolver = TypeVar("_Evolver", bound=Callable[..., None])

_event_evolvers: dict[str, EventEvolver] = {}
_number_evolvers: dict[str, EventEvolver] = {}
_internal_evolvers: dict[type, InternalEvolver] = {}


def evolves_event(name: str) -> Callable[[EventEvolver], EventEvolver]:
    """Registers what an event does: `name` is its attributes' field without "_event_attributes"."""

    def register(function: EventEvolver) -> EventEvolver:
        _event_evolvers[name + "_event_attributes"] = function
        return function

    return register


def evolves_numbering(name: str) -> Callable[[EventEvolver], EventEvolver]:
    """Registers what a buffered event's late id changes."""

    def register(function: EventEvolver) -> EventEvolver:
        _number_evolvers[name + "_event_attributes"] = function
        return function

    return register


def evolves(record_type: type) -> Callable[[_Evolver], _Evolver]:
    """Registers what an internal record does."""

    def register(function: _Evolver) -> _Evolver:
        _internal_evolvers[record_type] = function
        return function

    return register


def evolve(state: RunState, record: Record) -> None:
    """Folds one record into a state: the only thing that changes it."""
    if isinstance(record, Happened):
        event = record.event
        if event.event_id != state.next_event_id:
            raise InvariantViolation(f"event {event.event_id} where {state.next_event_id} comes next in run {state.run_id}")
        _append(state, event, len(record.frame))
        _apply(state, record)
    elif isinstance(record, Buffered):
        state.buffered.append(record.data)
        _apply(state, record)
    elif isinstance(record, Numbered):
        event = record.event
        if event.event_id != state.next_event_id:
            raise InvariantViolation(f"event {event.event_id} where {state.next_event_id} comes next in run {state.run_id}")
        _append(state, event, len(record.frame))
        state.buffered.remove(record.buffered)
        attributes = event.WhichOneof("attributes")
        numbering = _number_evolvers.get(attributes or "")
        if numbering is not None:
            numbering(state, event, getattr(event, attributes or ""))
    else:
        _internal_evolvers[type(record)](state, record)


def replay(state: RunState, version: int, records: Iterable[Record]) -> None:
    """Folds one log entry into a state that must be one step behind it."""
    if version != state.version + 1:
        raise InvariantViolation(f"step {version} where {state.version + 1} comes next in run {state.run_id}")
    for record in records:
        evolve(state, record)
    state.version = version


def _append(state: RunState, event: api.HistoryEvent, size: int) -> None:
    state.next_event_id += 1
    state.last_event_ns = max(state.last_event_ns, to_ns(event.event_time))
    state.history_bytes += size


def _apply(state: RunState, record: Happened | Buffered) -> None:
    event, name = record.event, record.name
    evolver = _event_evolvers.get(name)
    if evolver is None:
        raise InvariantViolation(f"event {event.event_id} of run {state.run_id} has attributes {name!r}")
    evolver(state, event, getattr(event, name))


class Turn:
    """A command at work on a run. `now` never runs back within a run; `limits` are those of its domain; `successor` is the turn
    of the run that continues this one, if it ended so: both belong into one commit."""

    __slots__ = ("limits", "now", "records", "state", "successor")

    def __init__(self, state: RunState, now: int, limits: Limits = DEFAULT) -> None:
        self.state = state
        self.limits = limits
        self.now = max(now, state.last_event_ns)
        self.records: list[Record] = []
        self.successor: Turn | None = None

    def event(self, at_ns: int | None = None, **attributes: Any) -> api.HistoryEvent:
        """Emits an event that takes effect now and has the next id."""
        at_ns = self.now if at_ns is None else at_ns
        event_id = self.state.next_event_id
        event = api.HistoryEvent(
            event_id=event_id,
            event_time=timestamp(at_ns),
            version=LOCAL_VERSION,
            task_id=task_id(self.state, event_id, at_ns),
            **attributes,
        )
        self.emit(Happened(event, frame(event.SerializeToString())))
        return event

    def outside_event(self, at_ns: int | None = None, **attributes: Any) -> None:
        """Emits an event that no decision made: while a decision is started it is buffered, and gets its id later."""
        decision = self.state.decision
        if decision is None or not decision.started_ns:
            self.event(at_ns, **attributes)
            return
        at_ns = self.now if at_ns is None else at_ns
        event = api.HistoryEvent(event_time=timestamp(at_ns), version=LOCAL_VERSION, **attributes)
        self.emit(Buffered(event, event.SerializeToString()))

    def emit(self, record: Record) -> None:
        """Adds a record and folds it in."""
        evolve(self.state, record)
        self.records.append(record)

    def internal(self, record: Internal) -> None:
        """Emits a fact that writes no event."""
        _internal_evolvers[type(record)](self.state, record)
        self.records.append(record)


def task_id(state: RunState, event_id: int, now: int) -> int:
    """The number that orders a workflow's events over all its runs, as clients see it in each of them. Small enough for those
    that hold it in a double."""
    return (state.begun_ns or now) // 1_000_000 * 1000 + event_id


def timestamp(ns: int) -> Timestamp:
    """A protobuf timestamp of nanoseconds since the epoch."""
    return Timestamp(seconds=ns // SECOND, nanos=ns % SECOND)


def to_ns(value: Timestamp) -> int:
    """Nanoseconds since the epoch of a protobuf timestamp."""
    return value.seconds * SECOND + value.nanos
