"""The engine on a clock and with ids that a test holds: commands go in, records, tasks and errors come out.

`World` does what the history service does around the engine, without its IO: a command is a turn; its records are encoded
as the log holds them; alarms go into the real alarm queue and ring when time moves on; dispatches are kept as on offer until
their task is taken. After every command it checks what must always hold:

- the records of the run, decoded from the log's bytes and folded from nothing, give exactly the live state;
- the history alone, folded from nothing, gives the state, but for what writes no event (see `public`);
- a snapshot of the state reads back as the same state;
- event ids have no gaps, and the frames joined together are a History;
- all that the state implies (`all_tasks`) is set or on offer by what `tasks_for` said earlier;
- a refused command left the state as it was, byte for byte;
- the state agrees with itself (see `consistent`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.alarms import AlarmQueue
from tenuto_server.history.engine import calls, close, reset, tasks
from tenuto_server.history.engine.calls import Call
from tenuto_server.history.engine.limits import Limits
from tenuto_server.history.engine.records import Happened, Numbered, Record, from_wire, to_wire, unframe
from tenuto_server.history.engine.state import SECOND, RunState, decode, encode
from tenuto_server.history.engine.tasks import Alarm, AlarmKind, Dispatch, TaskKind
from tenuto_server.history.engine.turn import Turn, evolve, replay
from tests.scenarios.engine.arrows import Arrows

# Where every script's clock begins: times are shown from here.
START_NS = 1_700_000_000 * SECOND
DOMAIN = "dom"
RETENTION_S = 1000

TaskName = tuple[TaskKind, int, int]


@dataclass(eq=False)
class RunInMemory:
    """A run, what the log holds of it, and what waits because of it."""

    state: RunState
    shadow: RunState
    log: list[bytes] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    alarms: dict[tuple[AlarmKind, str], int] | None = field(default_factory=dict)
    offered: dict[TaskName, Dispatch] = field(default_factory=dict)
    calls: dict[Call, None] = field(default_factory=dict)

    def event(self, event_id: int) -> api.HistoryEvent:
        """An event of the run's history."""
        return api.HistoryEvent.FromString(unframe(self.frames[event_id - 1]))


@dataclass
class Outcome:
    """What one turn came to. `alarms` and `dispatches` are what followed from its records."""

    run: RunInMemory
    at_ns: int
    records: list[Record]
    alarms: list[Alarm]
    dispatches: list[Dispatch]
    calls: list[Call]
    rang: tuple[AlarmKind, str] | None = None


class World:
    """Runs of one workflow, the newest last. While `fold_all` the whole log is folded after each command."""

    def __init__(self) -> None:
        self.now = START_NS
        self.runs: dict[str, RunInMemory] = {}
        self.queue = AlarmQueue()
        self.arrows = Arrows()
        self.fold_all = True
        self.limits = Limits(retention_s=RETENTION_S)
        self._ids = 0

    def new_id(self, prefix: str) -> str:
        """An id never given before."""
        self._ids += 1
        return f"{prefix}-{self._ids}"

    def new_run(self) -> RunInMemory:
        """A run that nothing has happened to."""
        run_id = f"run-{len(self.runs) + 1}"
        return self._adopt(RunState(DOMAIN, "wf", run_id))

    def _adopt(self, state: RunState) -> RunInMemory:
        run = RunInMemory(state, RunState(state.domain_id, state.workflow_id, state.run_id))
        self.runs[state.run_id] = run
        return run

    # --- turns -------------------------------------------------------------------------------------------------------
    def command(self, run: RunInMemory, act: Callable[[Turn], object]) -> list[Outcome]:
        """One command as one turn: what came of it, a successor's turn after it. Raises the command's refusal."""
        before = encode(run.state)
        turn = Turn(run.state, self.now, self.limits)
        try:
            act(turn)
        except errors.ServiceError:
            assert not turn.records, "a refused command left records"
            assert encode(run.state) == before, "a refused command changed the state"
            raise
        if not turn.records:
            assert encode(run.state) == before, "a state changed without a record"
            self._check(run)
            return []
        return self._commit(run, turn)

    def _commit(self, run: RunInMemory, turn: Turn) -> list[Outcome]:
        state = run.state
        state.version += 1
        entry = msgspec.msgpack.encode((state.version, to_wire(turn.records)))
        run.log.append(entry)
        self._shadow(run, entry)
        for record in turn.records:
            if isinstance(record, Happened | Numbered):
                run.frames.append(record.frame)
        derived = tasks.tasks_for(state, turn.records)
        if state.is_open:
            self.queue.set(run, derived.alarms)
            self._offer(run, derived.dispatches)
        else:
            assert not derived.alarms and not derived.dispatches, "a closed run wants something"
            self.queue.forget(run)
            run.offered.clear()
        run.calls.update(dict.fromkeys(derived.calls))
        run.calls = {call: None for call in run.calls if calls.is_due(state, call)}
        outcomes = [Outcome(run, turn.now, list(turn.records), derived.alarms, derived.dispatches, derived.calls)]
        self._check(run)
        if turn.successor is not None:
            outcomes += self._commit(self._adopt(turn.successor.state), turn.successor)
        return outcomes

    def _offer(self, run: RunInMemory, dispatches: Sequence[Dispatch]) -> None:
        for dispatch in dispatches:
            if dispatch.not_before_ns <= self.now:
                run.offered[dispatch.kind, dispatch.schedule_id, dispatch.attempt] = dispatch

    def _shadow(self, run: RunInMemory, entry: bytes) -> None:
        """Folds a log entry record by record, watching the transitions."""
        version, wire = msgspec.msgpack.decode(entry)
        for record in from_wire(wire):
            self.arrows.before(run.shadow)
            evolve(run.shadow, record)
            self.arrows.after(run.shadow, record)
        run.shadow.version = version

    def fork(self, base: RunInMemory, event_id: int, reason: str, request_id: str, again: bool) -> list[Outcome]:
        """A reset, as `history.forking` makes it: prepared from the base's events, then one step together with the end of the
        newest run."""
        reset.check_point(base.state, event_id)
        newest = list(self.runs.values())[-1]
        if newest.state.made_for(request_id):
            return []
        run = self.new_run()
        try:
            made = self._prepare(base, run, event_id, reason, request_id)
        except errors.ServiceError:
            del self.runs[run.state.run_id]
            raise
        outcomes = []
        if newest.state.is_open:
            outcomes += self.command(newest, lambda turn: close.terminate(turn, reason, None, reset.IDENTITY))
        prepared = run.state
        begun = Turn(RunState(DOMAIN, "wf", run.state.run_id), self.now, self.limits)
        run.state = begun.state
        reset.begin(begun, base.state.run_id, prepared)
        for framed in self._later(base, event_id) if again else []:
            reset.signal_again(begun, framed)
        reset.end(begun)
        return [*outcomes, Outcome(run, made.now, made.records, [], [], []), *self._commit(run, begun)]

    def _prepare(self, base: RunInMemory, run: RunInMemory, event_id: int, reason: str, request_id: str) -> Turn:
        for framed in base.frames[: event_id - 1]:
            reset.fold(run.state, framed)
        run.frames = base.frames[: event_id - 1]
        at_point = base.frames[event_id - 1 : event_id]
        reset.check_fork(run.state, api.HistoryEvent.FromString(unframe(at_point[0])) if at_point else None)
        turn = Turn(run.state, self.now, self.limits)
        reset.fork(turn, base.state, reason, request_id)
        run.frames += [record.frame for record in turn.records if isinstance(record, Happened)]
        return turn

    def _later(self, base: RunInMemory, event_id: int) -> list[bytes]:
        frames = base.frames[event_id - 1 :]
        while base.state.next_run_id:
            base = self.runs[base.state.next_run_id]
            frames = frames + base.frames
        return frames

    # --- time --------------------------------------------------------------------------------------------------------
    def advance(self, until_ns: int, new_run_id: Callable[[], str]) -> list[Outcome]:
        """Time moves on to `until_ns`; alarms ring on the way, each at its time."""
        outcomes: list[Outcome] = []
        while (at_ns := self.queue.next_ns()) is not None and at_ns <= until_ns:
            self.now = max(self.now, at_ns)
            ((owner, kind, key),) = self.queue.pop_due(self.now, 1)
            assert isinstance(owner, RunInMemory)
            outcomes += self._ring(owner, kind, key, new_run_id())
        self.now = max(self.now, until_ns)
        return outcomes

    def _ring(self, run: RunInMemory, kind: AlarmKind, key: str, new_run_id: str) -> list[Outcome]:
        # What an alarm is for is not set any more while it rings; the check follows when it is settled.
        turn = Turn(run.state, self.now, self.limits)
        tasks.ring(turn, kind, key, new_run_id)
        again = tasks.alarm(run.state, kind, key)
        if again is not None and again.at_ns > turn.now:
            self.queue.set(run, [again])
        late: list[Dispatch] = []
        if kind is AlarmKind.RETRY:
            known = set(run.offered)
            self._offer(run, tasks.all_tasks(run.state).dispatches)
            late = [dispatch for name, dispatch in run.offered.items() if name not in known]
        outcomes = self._commit(run, turn) if turn.records else []
        if late:
            outcomes.append(Outcome(run, turn.now, [], [], late, []))
        for outcome in outcomes:
            outcome.rang = (kind, key)
        self._check(run)
        return outcomes

    # --- what must always hold -----------------------------------------------------------------------------------------
    def _check(self, run: RunInMemory) -> None:
        state = run.state
        if self.fold_all:
            live = encode(state)
            assert encode(run.shadow) == live, "folding the log's records does not give the live state"
            assert decode(live) == state, "a snapshot reads back as another state"
            self.check_history(run)
        consistent(state)
        self._check_tasks(run)

    def check_history(self, run: RunInMemory) -> None:
        """Folds the whole log from nothing, through a snapshot in the middle; the frames are the events 1 to n."""
        state = run.state
        folded = RunState(state.domain_id, state.workflow_id, state.run_id)
        for number, entry in enumerate(run.log):
            version, wire = msgspec.msgpack.decode(entry)
            replay(folded, version, from_wire(wire))
            if number == len(run.log) // 2:
                folded = decode(encode(folded))
        assert encode(folded) == encode(state), "folding the whole log does not give the live state"
        history = api.History.FromString(b"".join(run.frames))
        assert [event.event_id for event in history.events] == list(range(1, state.next_event_id))
        assert state.history_bytes == sum(map(len, run.frames))
        if not state.buffered:
            rebuilt = RunState(state.domain_id, state.workflow_id, state.run_id)
            for framed in run.frames:
                reset.fold(rebuilt, framed)
            assert public(rebuilt) == public(state), "folding the history does not give the state"
            assert rebuilt.earlier_requests.items() <= state.earlier_requests.items(), "a fork's requests are lost"

    def _check_tasks(self, run: RunInMemory) -> None:
        state = run.state
        implied = tasks.all_tasks(state)
        assert set(implied.calls) == set(run.calls), f"calls that are due: {implied.calls}, asked for: {list(run.calls)}"
        assert calls.owes(state) == bool(implied.calls)
        if not state.is_open:
            assert not implied.alarms and not implied.dispatches
            return
        assert run.alarms is not None
        for alarm in implied.alarms:
            if alarm.kind is AlarmKind.RETRY and alarm.at_ns <= self.now:
                continue  # It rang, and has offered the task: see below.
            due = run.alarms.get((alarm.kind, alarm.key))
            assert due is not None and due <= alarm.at_ns, f"{alarm} is not set (set: {due})"
        for dispatch in implied.dispatches:
            assert dispatch.task_list, f"{dispatch} has no task list"
            key = str(dispatch.schedule_id) if dispatch.kind is TaskKind.ACTIVITY else ""
            retry_ns = run.alarms.get((AlarmKind.RETRY, key))
            if retry_ns is not None and retry_ns <= dispatch.not_before_ns:
                continue  # An alarm will offer it, perhaps in this very moment.
            assert dispatch.not_before_ns <= self.now, f"nothing will offer {dispatch}"
            on_offer = run.offered.get((dispatch.kind, dispatch.schedule_id, dispatch.attempt))
            assert on_offer is not None, f"{dispatch} is not on offer"
            assert on_offer.task_list == dispatch.task_list, f"{dispatch} is on offer at {on_offer.task_list}"


def public(state: RunState) -> RunState:
    """A state without what writes no event: attempts, heartbeats of both kinds, sticky workers, transient decisions, and the
    requests that a fork or a run of a chain has from the run before it."""
    shown = decode(encode(state))
    shown.version = shown.decision_attempt = shown.sticky_timeout_s = shown.jitter_s = 0
    shown.sticky_task_list = ""
    if shown.continued_run_id or shown.reset_ns:
        shown.earlier_requests = {}
    if shown.close_status:
        # What a closed run owes others goes as it is done, without an event.
        shown.children, shown.externals, shown.owes_parent = {}, {}, False
    if shown.decision is not None:
        shown.decision.sticky, shown.decision.sticky_until_ns, shown.decision.sticky_reset = False, 0, False
        # Over a row of heartbeats it is that of the first.
        shown.decision.original_scheduled_ns = shown.decision.scheduled_ns
        shown.decision = None if shown.decision.attempt else shown.decision
    for activity in shown.activities.values():
        if activity.retry is not None:
            activity.attempt = activity.started_ns = activity.started_id = activity.attempt_scheduled_ns = 0
            activity.started_request_id = activity.started_identity = activity.last_identity = ""
            activity.last_failure = b""
        activity.heartbeat_ns, activity.heartbeat_details = 0, None
    return shown


def consistent(state: RunState) -> None:
    """A state agrees with itself."""
    assert {activity.activity_id: number for number, activity in state.activities.items()} == state.activity_ids
    assert all(number == activity.schedule_id for number, activity in state.activities.items())
    assert all(timer_id == timer.timer_id for timer_id, timer in state.timers.items())
    assert all(number == child.initiated_id for number, child in state.children.items())
    assert all(number == pending.initiated_id for number, pending in state.externals.items())
    assert not state.owes_parent or (state.close_status and state.parent)
    decision = state.decision
    if state.buffered:
        assert decision is not None and decision.started_ns, "events are buffered with no decision started"
    if decision is not None and decision.started_ns:
        assert decision.started_id and decision.request_id
    if decision is not None and decision.attempt:
        assert not decision.sticky, "a transient decision is on the sticky list"
    if decision is not None and decision.sticky and not decision.started_ns:
        assert state.sticky_task_list, "a decision is on a sticky list that is forgotten"
    if not state.is_open:
        held = (state.decision, state.activities, state.timers, state.buffered)
        assert held == (None, {}, {}, []), "a run that is not open holds something"
