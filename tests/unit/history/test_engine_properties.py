"""Random stories, of commands that fit and commands that do not, keep what must always hold of the engine (see `World`)."""

from __future__ import annotations

import random

from hypothesis import given, note, settings
from hypothesis import strategies as st

from tenuto_api import api
from tenuto_server.history.engine import calls
from tenuto_server.history.engine.records import unframe
from tenuto_server.history.engine.state import CallKind, RunState
from tests.scenarios.engine.script import Script
from tests.scenarios.engine.world import RunInMemory

IDS = ["a", "b", "c"]
SECONDS = ["1", "2", "3", "7"]
RETRIES = ["", " retry=initial=1,coefficient=1,attempts=3", " retry=initial=2,coefficient=1,expiration=20,final=Bad"]

STARTS = ["start timeout=90 task=5{retry}", "start timeout=90 parent=p/r/5{retry}", "start timeout=90 task=30 delay={s}{retry}"]
DECISIONS = [
    "activity {id} to-close={s}{retry}",
    "activity {id} to-start=2 run={s} beat=2{retry}",
    "activity {id} to-close=9 run=5{retry}",
    "activity {id} to-start=30 run=30{retry}",
    "timer {id} {s}",
    "timer {id} 30",
    "cancel-timer {id}",
    "cancel-activity {id}",
    "cancel-activity {id}",
    "marker {id}",
    "upsert search={id}:{s}",
    "child {id} policy=ABANDON",
    "child {id} policy=TERMINATE",
    "child ''",
    "signal-external {id} go",
    "cancel-external {id}",
]
LAST_DECISIONS = ["complete", "fail Bad", "fail Other", "cancel", "continue delay={s}{retry}", "nothing"]
COMPLETIONS = [
    "complete-decision",
    "complete-decision",
    "complete-decision sticky=host/{s}",
    "complete-decision sticky=host/3 inline",
    "complete-decision force",
]
# By what a call to another workflow asks.
OUTCOMES = {
    CallKind.START_CHILD: ["child-started {}", "child-started {}", "child-not-started {}"],
    CallKind.SIGNAL: ["delivered {}", "undelivered {}"],
    CallKind.CANCEL: ["delivered {}", "undelivered {} completed"],
    CallKind.CLOSE_CHILD: ["settled close-child {}"],
    CallKind.TELL_PARENT: ["settled tell-parent"],
}
# Commands that may fit or not.
ANY = [
    "signal s",
    "signal s id={id}",
    "cancel id={id}",
    "start-decision id={id}",
    "start-decision attempt=1",
    "complete-decision attempt=1",
    "fail-decision",
    "unstick",
    "unstick schedule=2",
    "start-activity {id}",
    "start-activity {id} id={id}",
    "start-activity {id} attempt=0",
    "complete-activity {id}",
    "complete-activity {id} token={id}",
    "fail-activity {id} Bad",
    "cancel-activity {id}",
    "heartbeat {id} details=1",
    "settled close-child 5",
    "settled tell-parent",
    "advance {s}",
    "advance 0.5",
    "ring-late {s}",
    "use run-1",
    "reset 3",
    "reset 4 run=run-1",
    "reset 7 skip",
]


def _fitting(state: RunState) -> list[str]:
    """Commands that this state waits for."""
    commands = ["signal s", "advance 1"]
    if state.decision is not None:
        commands += [*COMPLETIONS, "fail-decision"] if state.decision.started_ns else ["start-decision"] * 4
    for activity in state.activities.values():
        outcomes = ["complete-activity {}", "fail-activity {} Bad", "fail-activity {} Other progress=1", "heartbeat {} details=1"]
        if activity.cancel_requested_id:
            outcomes.append("cancel-activity {}")
        fitting = outcomes if activity.started_ns else ["start-activity {}"] * 3
        commands += [command.format(activity.activity_id) for command in fitting]
    for call in calls.due(state):
        commands += [command.format(call.initiated_id) for command in OUTCOMES[call.kind]]
    for child in state.children.values():
        commands += [f"child-closed {child.initiated_id} {how}" for how in ("completed", "canceled")]
    return commands


def _points(run: RunInMemory) -> list[str]:
    """Resets that this run's history allows."""
    decisions = [number for number, framed in enumerate(run.frames, 1) if _of_decision(framed)]
    return [f"reset {number}" for number in decisions]


def _of_decision(framed: bytes) -> bool:
    name = api.HistoryEvent.FromString(unframe(framed)).WhichOneof("attributes") or ""
    return name.startswith("decision_task_") and "scheduled" not in name


class Teller:
    """Tells one story to a script, by chance."""

    def __init__(self, seed: int) -> None:
        self.script = Script()
        self._chance = random.Random(seed)

    def begin(self) -> None:
        self._do(self._one_of(STARTS), [])

    def step(self) -> None:
        """One more command: two in three fit."""
        assert self.script.run is not None
        fits = self._chance.random() < 0.67
        command = self._one_of(_fitting(self.script.run.state) if fits else ANY)
        if self._chance.random() < 0.03:
            command = self._one_of(_points(self.script.run) or ANY)
        given_lines: list[str] = []
        if command.startswith("complete-decision"):
            given_lines = [self._one_of(DECISIONS) for _ in range(self._chance.randrange(5))]
            if self._chance.random() < 0.2:
                given_lines.append(self._one_of(LAST_DECISIONS))
        self._do(command, given_lines)

    def end(self) -> None:
        """Whatever was left pending: time ends every run, and all runs that retry it."""
        if self._chance.random() < 0.2:
            self._do("terminate", [])
        self._do("advance 100000", [])
        self.script.end()

    def _one_of(self, patterns: list[str]) -> str:
        one_of = self._chance.choice
        return one_of(patterns).format(id=one_of(IDS), s=one_of(SECONDS), retry=one_of(RETRIES))

    def _do(self, command: str, given_lines: list[str]) -> None:
        # What is noted is a script that shows the failure again.
        indented = ["  " + line for line in given_lines]
        note("\n".join([command, *indented]) + "\n")
        self.script.do(command, indented)


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), steps=st.integers(5, 80))
def test_any_story_keeps_the_invariants_and_every_run_ends(seed: int, steps: int) -> None:
    teller = Teller(seed)
    teller.begin()
    for _ in range(steps):
        teller.step()
    teller.end()
    assert all(run.state.close_status for run in teller.script.world.runs.values())
    assert not len(teller.script.world.queue)
