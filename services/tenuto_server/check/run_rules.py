"""What must hold of one run: pure judgements over its snapshot, its steps in the logs, and its events.

A run is what its snapshot says, with the steps that the logs hold beyond it folded in: exactly what a new owner of its shard
would have (`reached`). Its history is what the store's rows say, continued by the events of those steps. `HistoryJudge` takes the
events in order and folds them as the engine does (`reset.fold`), so it knows what a run must be that has just this history:
everything that events tell must be in the run's state as it is there. What rows beside the snapshot say is compared only while
no log has more: a checkpoint that was interrupted leaves newer ones, which whoever replays the log writes again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tenuto_api import api
from tenuto_server.errors import InvariantViolation
from tenuto_server.history import storing
from tenuto_server.history.engine import reset
from tenuto_server.history.engine.records import Buffered, Forked, Happened, Numbered, from_wire, unframe
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.tasks import all_tasks
from tenuto_server.history.engine.turn import evolve, replay
from tenuto_server.history.log import Step
from tenuto_server.history.storing import StoredRun
from tenuto_server.visibility.records import VisibilityRecord

_CLOSINGS = frozenset(
    f"workflow_execution_{how}_event_attributes"
    for how in ("completed", "failed", "canceled", "terminated", "timed_out", "continued_as_new")
)
_START = "workflow_execution_started_event_attributes"
# Of these, public events alone tell what the state must say; of the second ones only while the run is open, for a closed run
# keeps what it still owes, and forgets it when that is done.
_TOLD = (
    "next_event_id", "last_event_ns", "workflow_type", "task_list", "start_ns", "close_status", "close_ns", "history_bytes",
    "cancel_requested", "signal_count", "previous_started_id",
)  # fmt: skip
# When a run that began was put off, is not part of what lists compare.
_LISTED = (
    "workflow_id", "workflow_type", "task_list", "start_ns", "execution_ns", "close_ns", "close_status", "history_length",
    "is_cron", "cron_schedule", "memo", "search_attributes", "parent_workflow_id", "parent_run_id",
)  # fmt: skip


class Reached(NamedTuple):
    """A run as a new owner would have it. `stored_next_id`: the first event that must come from the logs; `frames` are those.
    `has_more`: the logs hold steps that the snapshot lacks."""

    state: RunState
    stored_next_id: int
    frames: list[bytes]
    has_more: bool


def reached(names: tuple[str, str, str], snapshot: tuple[RunState, StoredRun] | None, steps: Sequence[Step]) -> Reached:
    """Folds the steps that the snapshot lacks into it. Raises InvariantViolation where they do not follow."""
    state = RunState(*names) if snapshot is None else snapshot[0]
    stored_next_id = 1 if snapshot is None else snapshot[1].stored_next_id
    frames: list[bytes] = []
    has_more = False
    for step in steps:
        if step.version <= state.version:
            continue
        has_more = True
        records = from_wire(step.records)
        replay(state, step.version, records)
        for record in records:
            if isinstance(record, Happened | Numbered):
                frames.append(record.frame)
            elif isinstance(record, Forked):
                stored_next_id = record.next_event_id
    return Reached(state, stored_next_id, frames, has_more)


class HistoryJudge:
    """Takes a run's events in order; `problems` says what is wrong with them. After the first gap it folds no further.

    Stretches may overlap: checkpoints cut a history where it then ends, and one that was written late, by a former owner or after
    an outcome that was unknown, was cut elsewhere. Readers skip what they have already (`history.events`), and may begin with
    either stretch, so the same event must be the same in both.
    """

    def __init__(self, names: tuple[str, str, str]) -> None:
        self.problems: list[str] = []
        self.next_id = 1
        self._state = RunState(*names)
        self._broken = False
        self._closing_id = 0
        self._seen: dict[int, int] = {}

    def take(self, first_id: int, framed: Iterable[bytes]) -> None:
        """Takes a stretch of events that begins with that id."""
        if first_id > self.next_id or first_id < 1:
            self._say(f"event {first_id} follows event {self.next_id - 1}")
            self._broken = True
            self.next_id = first_id
        for event_id, one in enumerate(framed, first_id):
            if event_id < self.next_id:
                self._take_again(event_id, one)
            else:
                self._seen[event_id] = hash(one)
                self._take(one)
                self.next_id += 1

    def _take_again(self, event_id: int, framed: bytes) -> None:
        if event_id in self._seen and self._seen[event_id] != hash(framed):
            self._say(f"event {event_id} is stored twice, and differs")

    def _take(self, framed: bytes) -> None:
        event = api.HistoryEvent.FromString(unframe(framed))
        kind = event.WhichOneof("attributes") or "nothing"
        if event.event_id != self.next_id:
            self._say(f"event {event.event_id} stands in the place of event {self.next_id}")
            self._broken = True
            self.next_id = event.event_id
        if (event.event_id == 1) != (kind == _START):
            self._say(f"event {event.event_id} is {kind.removesuffix('_event_attributes')}")
        if self._closing_id:
            self._say(f"event {event.event_id} comes after the closing event {self._closing_id}")
        if kind in _CLOSINGS:
            self._closing_id = event.event_id
        if not self._broken:
            self._fold(framed)

    def _fold(self, framed: bytes) -> None:
        try:
            reset.fold(self._state, framed)
        except (InvariantViolation, LookupError, ValueError) as error:
            self._say(f"event {self.next_id} does not follow: {error!r}")
            self._broken = True

    def compare(self, state: RunState) -> None:
        """The end of the history: what it tells must be what the state says."""
        if self.next_id != state.next_event_id:
            self._say(
                f"the history ends with event {self.next_id - 1}, by the snapshot and the log with {state.next_event_id - 1}"
            )
            return
        if bool(self._closing_id) != bool(state.close_status):
            self._say(f"the closing event is {self._closing_id or 'missing'}, the close status {state.close_status}")
        if self._broken:
            return
        told = self._state
        for data in state.buffered:
            evolve(told, Buffered(api.HistoryEvent.FromString(data), data))
        for name, ours, theirs in differences(told, state):
            self._say(f"{name} is {theirs!r}, by the history {ours!r}")

    def _say(self, problem: str) -> None:
        # One gap makes many: the first few tell it.
        if len(self.problems) < 5:
            self.problems.append(problem)


def differences(told: RunState, state: RunState) -> Iterator[tuple[str, object, object]]:
    """Where a state says otherwise than the public events that led to it: (name, by the events, by the state)."""
    for name in _TOLD:
        if getattr(told, name) != getattr(state, name):
            yield name, getattr(told, name), getattr(state, name)
    if not state.is_open:
        return
    pairs: list[tuple[str, object, object]] = [
        ("activities", sorted(told.activities), sorted(state.activities)),
        ("timers", _timers(told), _timers(state)),
        ("children", sorted(told.children), sorted(state.children)),
        ("externals", sorted(told.externals), sorted(state.externals)),
    ]
    if state.decision is not None and not state.decision.attempt:
        pairs.append(("decision", told.decision and told.decision.schedule_id, state.decision.schedule_id))
    for name, ours, theirs in pairs:
        if ours != theirs:
            yield name, ours, theirs


def _timers(state: RunState) -> dict[str, tuple[int, int]]:
    return {name: (timer.started_id, timer.fire_ns) for name, timer in state.timers.items()}


def judge_waking(state: RunState, stored: StoredRun | None) -> Iterator[str]:
    """Something must wake a run that is not at rest for ever; what its snapshot says of that must be what follows from it."""
    derived = all_tasks(state)
    if state.is_open and not (derived.alarms or derived.dispatches or derived.calls):
        yield "the run is open, and nothing will ever wake it"
    if stored is None:
        return
    timer_ns, dispatches = storing.rows_beside(state)
    if stored.timer_ns != timer_ns:
        yield f"its timer should wake it at {timer_ns}, by its snapshot at {stored.timer_ns}"
    if set(stored.tasks) != set(dispatches):
        yield f"{len(dispatches)} tasks should wait at rest, by its snapshot {len(stored.tasks)}"


def judge_listed(state: RunState, records: Sequence[VisibilityRecord]) -> Iterator[str]:
    """The visibility index must show the run, once, as it is."""
    if len(records) != 1:
        yield f"{len(records)} visibility records"
    wanted = storing.visibility_record(state, 0)
    for record in records:
        for name in _LISTED:
            if getattr(record, name) != getattr(wanted, name):
                yield f"visibility shows {name} {getattr(record, name)!r}, the run has {getattr(wanted, name)!r}"
