"""The replayer: a workflow's history in, decisions out. Sans-IO, single-threaded, and the same for replay and live work.

Theory of operation. A history is cut into turns (see `history`). For each turn, in order:
  1. every event is applied: a decision event must be what the oldest unconfirmed command of the turn before became
     (see `commands`), any other event settles a future, calls a signal handler, or cancels the main task;
  2. if commands of the turn before are left unconfirmed, code and history disagree;
  3. time is set to the turn's, the markers of the next turn's events are made ready, and the code runs until it waits;
  4. local activities that ended in the turn are told to the code one by one, and it runs again after each: in replay by the
     markers of the next turn's events, live as they end (`resolve`);
  5. what it asked for meanwhile are the turn's commands. If the turn is live they are the answer to the decision task.
A replayer that stays in memory (the sticky cache) goes on where it stands with the events since; a new one begins with
event 1. After any error a replayer is of no more use: drop it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tenuto._replay import history
from tenuto._replay.apply import apply
from tenuto._replay.definition import WorkflowDefinition
from tenuto._replay.execution import Execution
from tenuto._replay.history import NamedEvent, Turn
from tenuto._replay.info import WorkflowInfo, info_of
from tenuto._replay.local import LocalActivities, LocalOutcome
from tenuto.converter import DataConverter
from tenuto.errors import NonDeterminismError, TenutoError
from tenuto_api import api


class HistoryGapError(TenutoError):
    """The events do not go on where the replayer stands: it needs the history from its first event."""


class Replayer:
    """One run's replayer. `last_started_event_id` is the decision-started event of its latest turn, 0 before the first."""

    def __init__(
        self, definition: WorkflowDefinition, *, domain: str, workflow_id: str, run_id: str, converter: DataConverter
    ) -> None:
        self._domain = domain
        self._workflow_id = workflow_id
        self._run_id = run_id
        self._execution = Execution(definition, converter)
        self.last_started_event_id = 0
        self._replayed = False  # whether the latest turn's decision is known to have completed

    @property
    def closed(self) -> bool:
        """Whether the workflow's code has ended, so that nothing can come after the latest turn."""
        return self._execution.closed

    def advance(self, events: Sequence[api.HistoryEvent]) -> list[api.Decision]:
        """Feeds the next piece of history, and returns the live turn's decisions (none if the piece ends otherwise), not waiting
        for local activities: `begin` and `finish` in one."""
        return self.finish() if self.begin(events) else []

    def begin(self, events: Sequence[api.HistoryEvent]) -> bool:
        """Feeds the next piece of history. True if it ends with a live turn: then `finish` gives its decisions, and until then
        `resolve` may tell of local activities that ended.

        Raises HistoryGapError if the piece does not begin where the last one ended, NonDeterminismError and other
        WorkflowCodeErrors when the code cannot follow.
        """
        if not events:
            return False
        if events[0].event_id != self.last_started_event_id + 1:
            raise HistoryGapError(f"events from {events[0].event_id} do not follow {self.last_started_event_id}")
        turns, tail = history.cut(events)
        for index, turn in enumerate(turns):
            following = turns[index + 1].events if index + 1 < len(turns) else tail
            self._take(turn, following if turn.replaying else ())
        return bool(turns) and not turns[-1].replaying

    @property
    def local_activities(self) -> LocalActivities:
        """Those that have not ended."""
        return self._execution.local_activities

    @property
    def now_ns(self) -> int:
        """The workflow's time."""
        return self._execution.loop.now_ns

    @property
    def info(self) -> WorkflowInfo:
        """The run's, once its first event is in."""
        return self._execution.info

    def resolve(self, outcome: LocalOutcome) -> None:
        """A local activity ended within the live turn: tells the code, and runs it until it waits again."""
        self._execution.loop.enter(lambda: self._resolve(outcome))

    def finish(self) -> list[api.Decision]:
        """Ends the live turn: its decisions, in order."""
        return [command.decision for command in self._execution.log.end_turn()]

    def verify(self, tail: Iterable[NamedEvent]) -> None:
        """Checks the latest turn's commands against the events after it; feeds nothing. For tests of whole histories."""
        named = [event for event in tail if event[0] in history.DECISION_EVENTS]
        for event in named:
            self._execution.log.confirm(event, self._execution.where)
        if self._replayed:
            self._execution.log.expect_none(0)

    def query(self, query: api.WorkflowQuery) -> api.WorkflowQueryResult:
        """Answers a query from the state after the latest turn."""
        return self._execution.query(query)

    def discard(self) -> None:
        """Drops the run from memory."""
        self._execution.discard()

    def _take(self, turn: Turn, following: Sequence[NamedEvent]) -> None:
        run = self._execution
        run.replaying = turn.replaying
        # A local activity may have moved the time on beyond the turn's, by the worker's clock.
        run.loop.now_ns = max(run.loop.now_ns, turn.time_ns)
        run.markers.preload(following)
        run.loop.enter(lambda: self._run_turn(turn))
        for outcome in list(run.markers.local):
            self.resolve(outcome)
        self.last_started_event_id = turn.started_event_id
        self._replayed = turn.replaying
        if turn.replaying:
            run.log.end_turn()

    def _resolve(self, outcome: LocalOutcome) -> None:
        run = self._execution
        if run.closed:
            raise run.fail_turn(
                NonDeterminismError(
                    event_id=0,
                    recorded=f"local activity {outcome.activity_type} (id {outcome.activity_id})",
                    produced="the end of the workflow",
                    where=run.where(),
                )
            )
        run.local_ended(outcome)
        run.loop.run_until_idle()
        run.close_if_done()

    def _run_turn(self, turn: Turn) -> None:
        run = self._execution
        for named in turn.events:
            name, event = named
            if name == "workflow_execution_started":
                info = info_of(event, self._domain, self._workflow_id, self._run_id, run.converter)
                run.begin(info, event.workflow_execution_started_event_attributes.input.data)
            elif name in history.DECISION_EVENTS:
                run.log.confirm(named, run.where)
            else:
                apply(run, named)
        run.log.expect_none(turn.started_event_id)
        if run.closed:
            raise NonDeterminismError(
                event_id=turn.started_event_id,
                recorded="a further decision",
                produced="the end of the workflow",
                where=run.where(),
            )
        run.info.history_length = turn.started_event_id
        run.start_main()
        run.loop.run_until_idle()
        run.close_if_done()
