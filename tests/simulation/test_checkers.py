"""Each checker finds what it is for, in a history made by hand and then spoiled."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tenuto_api import api

from . import checkers
from .observed import Answered, Decided, Delivered, Observed, Reset, Started, Terminated, Told
from .picture import Picture, Run, compare
from .program import Item, Plan, decide, random_plan

PLAN = Plan("seed", "list", [[Item("activity", "0.0"), Item("timer", "0.1")]])


def events() -> list[api.HistoryEvent]:
    """A workflow with one activity, one timer and one signal, from start to completion."""
    made: list[dict[str, dict[str, Any]]] = [
        {"workflow_execution_started": {"input": {"data": PLAN.encode()}, "request_id": "start"}},
        {"decision_task_scheduled": {}},
        {"decision_task_started": {"scheduled_event_id": 2}},
        {"decision_task_completed": {"scheduled_event_id": 2, "started_event_id": 3, "identity": "worker/1"}},
        {"activity_task_scheduled": {"activity_id": "0.0", "decision_task_completed_event_id": 4}},
        {"timer_started": {"timer_id": "0.1", "decision_task_completed_event_id": 4}},
        {"activity_task_started": {"scheduled_event_id": 5}},
        {"activity_task_completed": {"scheduled_event_id": 5, "started_event_id": 7, "identity": "actor/1"}},
        {"decision_task_scheduled": {}},
        {"workflow_execution_signaled": {"input": {"data": b"wf#1"}, "request_id": "signal"}},
        {"timer_fired": {"timer_id": "0.1", "started_event_id": 6}},
        {"decision_task_started": {"scheduled_event_id": 9}},
        {"decision_task_completed": {"scheduled_event_id": 9, "started_event_id": 12, "identity": "worker/2"}},
        {"workflow_execution_completed": {"decision_task_completed_event_id": 13}},
    ]
    found = []
    for number, one in enumerate(made, start=1):
        [(kind, attributes)] = one.items()
        event = event_of(number, kind, attributes)
        event.event_time.FromSeconds(1000 + number)
        found.append(event)
    return found


def event_of(event_id: int, kind: str, attributes: dict[str, Any]) -> api.HistoryEvent:
    """An event of a kind."""
    fields: dict[str, Any] = {f"{kind}_event_attributes": attributes}
    return api.HistoryEvent(event_id=event_id, **fields)


def whole() -> tuple[Observed, Picture]:
    """What was told of that workflow, and its picture."""
    history, seen = events(), events()
    observed = Observed(
        starts=[Started("wf", "run", "start")],
        signals=[Told("wf", "", "signal", "wf#1")],
        decisions=[
            Decided("wf", "run", "worker/1", 3, 0, False, 2, tuple(seen[:3])),
            Decided("wf", "run", "worker/2", 12, 0, True, 1, tuple(seen[:12])),
        ],
        deliveries=[Delivered("wf", "run", "0.0", 0, "actor/1")],
        answers=[Answered("wf", "run", "0.0", 0, "actor/1", "completed")],
    )
    describe = api.DescribeWorkflowExecutionResponse()
    describe.workflow_execution_info.close_status = api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED
    describe.workflow_execution_info.history_length = len(history)
    run = Run("wf", "run", history, describe)
    return observed, Picture({"run": run}, [("run", api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED)])


def judge(observed: Observed, picture: Picture) -> list[str]:
    return checkers.check(observed, picture, calm=True, skewed=False)


def test_a_whole_history_passes() -> None:
    assert judge(*whole()) == []


Spoil = Callable[[Observed, list[api.HistoryEvent], Picture], object]


def swap(history: list[api.HistoryEvent], first: int, second: int) -> None:
    history[first - 1].event_id, history[second - 1].event_id = second, first
    history[first - 1], history[second - 1] = history[second - 1], history[first - 1]


def append(history: list[api.HistoryEvent], kind: str, **attributes: Any) -> None:
    event = event_of(len(history) + 1, kind, attributes)
    event.event_time.FromSeconds(2000)
    history.append(event)


SPOILS: dict[str, tuple[Spoil, str]] = {
    "a gap": (lambda o, h, p: h.pop(9), "event ids"),
    "no start": (lambda o, h, p: h.pop(0), "does not begin"),
    "after the end": (lambda o, h, p: append(h, "workflow_execution_signaled"), "closing events"),
    "closed twice": (lambda o, h, p: append(h, "workflow_execution_terminated"), "closing events"),
    "open": (lambda o, h, p: h.pop(), "has not finished"),
    "decision started early": (lambda o, h, p: swap(h, 2, 3), "does not fit"),
    "decision ended unstarted": (
        lambda o, h, p: setattr(h[3].decision_task_completed_event_attributes, "started_event_id", 2), "does not fit"
    ),
    "two activity starts": (
        lambda o, h, p: h[9].activity_task_started_event_attributes.CopyFrom(
            api.ActivityTaskStartedEventAttributes(scheduled_event_id=5)
        ),
        "activity 5 is started at",
    ),
    "wrong reference": (
        lambda o, h, p: setattr(h[10].timer_fired_event_attributes, "started_event_id", 5), "has started_event_id 5"
    ),
    "times run back": (lambda o, h, p: h[8].event_time.FromSeconds(5), "run back"),
    "late decision": (lambda o, h, p: h[11].event_time.FromSeconds(1020), "waited"),
    "another request": (lambda o, h, p: o.starts.append(Started("wf", "run", "other")), "begun by"),
    "lost start": (lambda o, h, p: o.starts.append(Started("wf", "run2", "start")), "is lost"),
    "lost signal": (lambda o, h, p: o.signals.append(Told("wf", "", "x", "wf#2")), "signal"),
    "signal in another run": (lambda o, h, p: o.signals.append(Told("wf", "run2", "x", "wf#1")), "is lost"),
    "signal twice": (
        lambda o, h, p: h[10].workflow_execution_signaled_event_attributes.CopyFrom(
            h[9].workflow_execution_signaled_event_attributes
        ),
        "several times",
    ),
    "lost cancel": (lambda o, h, p: o.cancels.append(Told("wf", "", "x")), "cancel request"),
    "lost termination": (lambda o, h, p: o.terminations.append(Terminated("wf", "", "x")), "termination"),
    "lost decision": (
        lambda o, h, p: o.decisions.append(Decided("wf", "run", "worker/3", 12, 0, False, 0, ())), "is 0 times"
    ),
    "half a decision": (
        lambda o, h, p: h[5].timer_started_event_attributes.ClearField("decision_task_completed_event_id"),
        "decisions were carried out",
    ),
    "another past": (lambda o, h, p: h[0].event_time.FromSeconds(500), "another history"),
    "handed out twice": (lambda o, h, p: o.deliveries.append(Delivered("wf", "run", "0.0", 0, "actor/2")), "2 times"),
    "two answers": (
        lambda o, h, p: o.answers.append(Answered("wf", "run", "0.0", 0, "actor/2", "failed")), "were accepted"
    ),
    "lost answer": (
        lambda o, h, p: o.answers.append(Answered("wf", "run", "0.0", 1, "actor/2", "completed")), "is 0 times"
    ),
    "described open": (
        lambda o, h, p: p.runs["run"].describe.workflow_execution_info.ClearField("close_status"), "described as INVALID"
    ),
    "not listed": (lambda o, h, p: p.listed.clear(), "listed 0 times"),
    "listed otherwise": (lambda o, h, p: p.listed.__setitem__(0, ("run", 0)), "listed as INVALID"),
    "broken chain": (
        lambda o, h, p: setattr(h[0].workflow_execution_started_event_attributes, "continued_execution_run_id", "x"),
        "continues a run",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILS)
def test_a_spoiled_one_is_found(name: str) -> None:
    observed, picture = whole()
    spoil, finding = SPOILS[name]
    spoil(observed, picture.runs["run"].events, picture)
    problems = judge(observed, picture)
    assert any(finding in problem for problem in problems), problems


def test_one_request_may_not_begin_two_runs_in_a_row() -> None:
    observed, picture = whole()
    other = whole()[1].runs["run"]
    other.run_id = "run2"
    picture.runs["run2"] = other
    picture.listed.append(("run2", api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED))
    assert any("began run and run2" in problem for problem in judge(observed, picture))


def test_a_run_may_not_begin_while_another_is_open() -> None:
    picture = whole()[1]
    other = whole()[1].runs["run"]
    other.run_id = "run2"
    picture.runs["run2"] = other
    for at_s, found in ((1_013, True), (1_014, False)):
        for event in other.events:
            event.event_time.FromSeconds(at_s)
        assert list(checkers.check_one_open(picture)) == ["wf run2 began while wf run was open"] * found


def test_one_request_may_begin_two_runs_around_a_fork() -> None:
    """The fork was begun before the first of the two, and took its place."""
    observed, picture = forked()
    picture.runs["fork"].events[-1].event_time.FromSeconds(2_000)
    for event in picture.runs["fork"].events[3:]:
        event.event_time.FromSeconds(min(2_000, event.event_time.seconds))
    for run_id, at_s in (("run2", 1_999), ("run3", 2_100)):
        other = whole()[1].runs["run"]
        other.run_id = run_id
        for event in other.events:
            event.event_time.FromSeconds(at_s)
            attributes = event.workflow_execution_started_event_attributes
            if event.event_id == 1:
                attributes.request_id = "again"
        picture.runs[run_id] = other
    assert not any("began" in problem for problem in checkers.check_starts(observed, picture))
    for event in picture.runs["fork"].events[3:]:
        event.event_time.FromSeconds(1_990)
    assert any("began run2 and run3" in problem for problem in checkers.check_starts(observed, picture))


def forked() -> tuple[Observed, Picture]:
    """As `whole`, and then reset to its first decision."""
    observed, picture = whole()
    fork, base = whole()[1].runs["run"], picture.runs["run"].events
    fork.run_id = "fork"
    reset = {"cause": "DECISION_TASK_FAILED_CAUSE_RESET_WORKFLOW", "base_run_id": "run", "new_run_id": "fork"}
    made: list[dict[str, dict[str, Any]]] = [
        {"decision_task_failed": {"scheduled_event_id": 2, "started_event_id": 3, "request_id": "reset", **reset}},
        {"workflow_execution_signaled": {"input": {"data": b"wf#1"}, "request_id": "signal"}},
        {"workflow_execution_terminated": {}},
    ]
    del fork.events[3:]
    for number, one in enumerate(made, start=4):
        [(kind, attributes)] = one.items()
        fork.events.append(event_of(number, kind, attributes))
        fork.events[-1].event_time.FromSeconds(3000 + number)
    assert fork.events[:3] == base[:3]
    info = fork.describe.workflow_execution_info
    info.close_status, info.history_length = api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED, 6
    picture.runs["fork"] = fork
    picture.listed.append(("fork", api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED))
    observed.resets.append(Reset("wf", "run", 4, "reset", True, "fork"))
    return observed, picture


def test_a_reset_passes() -> None:
    assert judge(*forked()) == []


def test_a_spoiled_reset_is_found() -> None:
    observed, picture = forked()
    picture.runs["fork"].events[1].event_time.FromSeconds(1001)
    assert any("does not begin as its base" in problem for problem in judge(observed, picture))
    observed, picture = forked()
    picture.runs["fork"].events[4].workflow_execution_signaled_event_attributes.input.data = b"wf#0"
    assert any("['wf#1'] are lost" in problem for problem in judge(observed, picture))
    observed, picture = forked()
    observed.resets[0].request_id = "other"
    assert any("reset" in problem and "is lost" in problem for problem in judge(observed, picture))
    observed, picture = forked()
    del picture.runs["run"]
    assert any("a run that is lost" in problem for problem in judge(observed, picture))


def test_readings_are_compared() -> None:
    before, after = whole()[1].runs["run"], whole()[1].runs["run"]
    assert compare(before, after) == []
    after.events.pop()
    assert len(compare(before, after)) == 1
    after.describe.workflow_execution_info.history_length = 5
    assert len(compare(before, after)) == 2


def test_programs_decide_by_their_history() -> None:
    history = events()
    kinds = [decision.WhichOneof("attributes") for decision in decide(history[:3], "wf")]
    assert kinds == ["schedule_activity_task_decision_attributes", "start_timer_decision_attributes"]
    assert decide(history[:9], "wf") == []
    assert decide(history[:12], "wf")[0].HasField("complete_workflow_execution_decision_attributes")


def test_plans_are_made_of_the_seed_alone() -> None:
    one = random_plan("a", "list", polite=False)
    assert one == random_plan("a", "list", polite=False) == Plan.decode(one.encode())
    assert len({json.dumps(random_plan(str(n), "list", polite=False).encode().decode()) for n in range(50)}) == 50
