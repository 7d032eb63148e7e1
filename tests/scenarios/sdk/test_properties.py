"""Whatever happens to a workflow in whatever order: live turns, replay from the start and a restart midway all agree."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto import workflow
from tenuto.errors import ActivityError
from tenuto.testing import ReplayHarness, replay_history
from tenuto_api import api
from tests.scenarios.sdk.histories import History, summary


@workflow.defn
class Busy:
    """Does a bit of everything at once, driven by what happens to it."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        async with asyncio.TaskGroup() as group:
            for name in ("a", "b", "c"):
                group.create_task(self._job(name))
            group.create_task(self._watch())
        return self.notes

    async def _job(self, name: str) -> None:
        for round_ in range(3):
            try:
                async with asyncio.timeout(5 + round_):
                    self.notes.append(await workflow.execute_activity(name, round_, start_to_close_timeout=9))
            except TimeoutError:
                self.notes.append(f"{name} late")
            except ActivityError as error:
                self.notes.append(f"{name} {error.cause}")
                self.notes.append(str(workflow.random().randrange(1000)))
            if workflow.side_effect(lambda: len(self.notes)) % 2:
                await asyncio.sleep(1)

    async def _watch(self) -> None:
        await workflow.wait_condition(lambda: len(self.notes) > 4)
        if workflow.get_version("watch", workflow.DEFAULT_VERSION, 1) == 1:
            await asyncio.wait([asyncio.create_task(asyncio.sleep(n)) for n in (3, 2, 1)], timeout=2)

    @workflow.signal
    async def note(self, text: str) -> None:
        self.notes.append(text)
        await asyncio.sleep(2)
        self.notes.append(f"{text} again")


@dataclass
class World:
    """A server's view of one run: what is open, and the decision events that its decisions made."""

    history: History = field(default_factory=History)
    activities: list[str] = field(default_factory=list)
    timers: list[str] = field(default_factory=list)
    closed: bool = False

    def take(self, decisions: list[api.Decision]) -> None:
        """Writes what the server makes of decisions."""
        self.history.decided()
        for decision in decisions:
            kind = (decision.WhichOneof("attributes") or "").removesuffix("_decision_attributes")
            getattr(self, "on_" + kind)(getattr(decision, kind + "_decision_attributes"))

    def on_schedule_activity_task(self, a: api.ScheduleActivityTaskDecisionAttributes) -> None:
        self.history.scheduled(a.activity_id, a.activity_type.name)
        self.activities.append(a.activity_id)

    def on_request_cancel_activity_task(self, a: api.RequestCancelActivityTaskDecisionAttributes) -> None:
        self.history.add("activity_task_cancel_requested", activity_id=a.activity_id)

    def on_start_timer(self, a: api.StartTimerDecisionAttributes) -> None:
        self.history.timer(a.timer_id, a.start_to_fire_timeout.seconds)
        self.timers.append(a.timer_id)

    def on_cancel_timer(self, a: api.CancelTimerDecisionAttributes) -> None:
        if a.timer_id in self.timers:
            self.timers.remove(a.timer_id)
            self.history.add("timer_canceled", timer_id=a.timer_id)
        else:
            self.history.add("cancel_timer_failed", timer_id=a.timer_id)

    def on_record_marker(self, a: api.RecordMarkerDecisionAttributes) -> None:
        self.history.add("marker_recorded", marker_name=a.marker_name, details=a.details)

    def on_upsert_workflow_search_attributes(self, a: api.UpsertWorkflowSearchAttributesDecisionAttributes) -> None:
        self.history.add("upsert_workflow_search_attributes", search_attributes=a.search_attributes)

    def on_complete_workflow_execution(self, a: api.CompleteWorkflowExecutionDecisionAttributes) -> None:
        self.history.add("workflow_execution_completed", result=a.result)
        self.closed = True

    def on_cancel_workflow_execution(self, _: api.CancelWorkflowExecutionDecisionAttributes) -> None:
        self.history.add("workflow_execution_canceled")
        self.closed = True

    def on_fail_workflow_execution(self, a: api.FailWorkflowExecutionDecisionAttributes) -> None:
        self.history.add("workflow_execution_failed", failure=a.failure)
        self.closed = True

    def happen(self, what: str, which: int) -> None:
        """Something happens outside."""
        if what == "signal":
            self.history.signal("note", f"s{which}")
        elif what == "cancel":
            self.history.cancel_requested()
        elif what == "fire" and self.timers:
            self.history.fired(self.timers.pop(which % len(self.timers)))
        elif self.activities and what in ("complete", "fail"):
            activity_id = self.activities.pop(which % len(self.activities))
            if what == "complete":
                self.history.activity_done(activity_id, f"r{activity_id}")
            else:
                self.history.activity_failed(activity_id, "Oops", f"e{activity_id}")


happenings = st.lists(
    st.tuples(st.sampled_from(["complete"] * 4 + ["fire"] * 3 + ["fail", "signal"]), st.integers(0, 5)),
    min_size=1,
    max_size=3,
)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(happenings, st.sampled_from(["", "", "", "restart", "failed"])), min_size=3, max_size=12),
    st.integers(0, 30),
)
def test_live_replayed_and_restarted_runs_agree(turns: list[tuple[list[tuple[str, int]], str]], cancel_at: int) -> None:
    world = World()
    world.history.start().decide()
    live = ReplayHarness(Busy)
    for number, (happened, twist) in enumerate(turns):
        decisions = live.feed(world.history.take())
        assert summary(ReplayHarness(Busy).feed(world.history.events)) == summary(decisions)
        world.take(decisions)
        if world.closed:
            break
        if twist == "restart":
            live = ReplayHarness(Busy)
            world.history.rewind()
        for what, which in happened:
            world.happen(what, which)
        if number == cancel_at:
            world.happen("cancel", 0)
        world.history.at(number + 1).decide()
        if twist == "failed":
            world.history.decision_failed().decide()
    if world.closed:
        replay_history(Busy, world.history.events)
