"""Local activities: their markers, live and replayed, over heartbeats, retries by durable timers, and cancellation."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tenuto import workflow
from tenuto._replay.definition import definition_of
from tenuto._replay.local import LocalOutcome
from tenuto._replay.replayer import Replayer
from tenuto.converter import default_converter
from tenuto.errors import ActivityError, ActivityTimeoutError, NonDeterminismError, PayloadError
from tenuto.testing import replay_history
from tenuto_api import api
from tests.scenarios.sdk.histories import START_SECONDS, History, summary

NS = 1_000_000_000
OPTIONS: Any = {"schedule_to_close_timeout": 5}


def replayer(code: Any) -> Replayer:
    return Replayer(definition_of(code), domain="default", workflow_id="w", run_id="r", converter=default_converter)


def ended(activity_id: str, result: Any = None, name: str = "look", at: float = 0.0, **fields: Any) -> LocalOutcome:
    data = default_converter.to_payload([result]) if "failure" not in fields else b""
    return LocalOutcome(activity_id, name, fields.pop("attempt", 0), int((START_SECONDS + at) * NS), data, **fields)


def recorded(history: History, decisions: list[api.Decision]) -> History:
    """The history with the markers of the decisions, as a server writes them."""
    history.decided()
    for decision in decisions:
        attributes = decision.record_marker_decision_attributes
        if attributes.marker_name:
            history.add("marker_recorded", marker_name=attributes.marker_name, details=attributes.details)
    return history


@workflow.defn
async def both() -> list[Any]:
    """Two at once."""
    first = workflow.start_local_activity("look", 1, **OPTIONS)
    second = workflow.start_local_activity("look", 2, **OPTIONS)
    order: list[Any] = []
    waiting: set[Any] = {first, second}
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for future in done:
            order.append(future.result())
            order.append(workflow.now().timestamp() - START_SECONDS)
    return order


def test_outcomes_are_told_and_recorded_in_the_order_in_which_they_come() -> None:
    history = History().start().decide()
    run = replayer(both)
    assert run.begin(history.take())
    assert [(a.activity_id, a.activity_type, a.input, a.attempt) for a in run.local_activities.pending()] == [
        ("1", "look", b"1\n", 0),
        ("2", "look", b"2\n", 0),
    ]
    run.resolve(ended("2", "b", at=1.5))
    assert not run.closed
    run.resolve(ended("1", "a", at=2.25))
    assert run.closed
    assert not run.local_activities
    decisions = run.finish()
    assert [line.split()[0:2] for line in summary(decisions)] == [
        ["marker", "LocalActivity"],
        ["marker", "LocalActivity"],
        ["complete", '["b",1.5,"a",2.25]'],
    ]
    recorded(history, decisions).add("workflow_execution_completed")
    replay_history(both, history.events)


def test_markers_are_those_of_the_go_client() -> None:
    outcome = LocalOutcome("7", "look", 2, 1_700_000_001_250_000_000, b'"fine"\n')
    assert outcome.details() == (
        b'{"activityId":"7","activityType":"look","resultJson":"\\"fine\\"\\n","replayTime":"2023-11-14T22:13:21.25Z","attempt":2}\n'
    )
    failure = api.Failure(reason="Sad", details=b'"why"\n')
    assert json.loads(LocalOutcome("7", "look", 0, 1_700_000_001 * NS, failure=failure, backoff_ns=5 * NS).details()) == {
        "activityId": "7", "activityType": "look", "errReason": "Sad", "errJson": '"why"\n',
        "replayTime": "2023-11-14T22:13:21Z", "backoff": 5_000_000_000,
    }  # fmt: skip
    for given in (
        outcome,
        LocalOutcome("7", "look", 0, 5, b"\xff\x00"),
        LocalOutcome("7", "look", 1, NS, failure=failure, backoff_ns=3),
        LocalOutcome("", "", 0, 0),
    ):
        assert LocalOutcome.of(given.details()) == given
    go = b'{"activityId":"1","activityType":"main.look","resultJson":"5","replayTime":"2023-11-14T23:13:21.123456789+01:00"}\n'
    assert LocalOutcome.of(go) == LocalOutcome("1", "main.look", 0, 1_700_000_001_123_456_789, b"5")
    for broken in (b"", b"[]", b"5", b"{}", b'{"replayTime":"now"}', b'{"replayTime":"2023-11-14T22:13:21Z","attempt":"x"}'):
        with pytest.raises(PayloadError):
            LocalOutcome.of(broken)


def test_over_heartbeats_the_outcome_belongs_to_the_turn_in_which_it_is_told() -> None:
    history = History().start().decide()
    run = replayer(both)
    run.begin(history.take())
    assert run.finish() == []
    history.decided().decide()
    run.begin(history.take())
    run.resolve(ended("1", "a", at=8))
    first = run.finish()
    recorded(history, first).decide()
    run.begin(history.take())
    assert [activity.activity_id for activity in run.local_activities.pending()] == ["2"]
    run.resolve(ended("2", "b", at=9))
    decisions = run.finish()
    assert summary(decisions)[-1] == 'complete ["a",8.0,"b",9.0]'
    # A worker that lost the run begins again: what is recorded is not run again.
    history.rewind()
    again = replayer(both)
    again.begin(history.take())
    assert [activity.activity_id for activity in again.local_activities.pending()] == ["2"]
    again.resolve(ended("2", "b", at=9))
    assert again.finish() == decisions
    recorded(history, decisions).add("workflow_execution_completed")
    replay_history(both, history.events)


@workflow.defn
async def catching() -> str:
    """Tells how it failed."""
    try:
        await workflow.execute_local_activity("look", **OPTIONS)
    except ActivityTimeoutError as error:
        return f"timeout {error.timeout_type.value}"
    except ActivityError as error:
        return f"{error.cause}"
    return "no error"


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (api.Failure(reason="Sad", details=b'"too sad"\n'), "Sad: too sad"),
        (api.Failure(reason="cadenceInternal:Timeout SCHEDULE_TO_CLOSE"), "timeout SCHEDULE_TO_CLOSE"),
    ],
)
def test_failures_reach_the_code_as_those_of_other_activities(failure: api.Failure, told: str) -> None:
    history = History().start().decide()
    run = replayer(catching)
    run.begin(history.take())
    run.resolve(ended("1", failure=failure))
    decisions = run.finish()
    assert summary(decisions)[-1] == f'complete "{told}"'
    recorded(history, decisions).add("workflow_execution_completed")
    replay_history(catching, history.events)


def test_a_long_wait_between_attempts_is_a_durable_timer() -> None:
    history = History().start().decide()
    run = replayer(catching)
    run.begin(history.take())
    failure = api.Failure(reason="Sad")
    run.resolve(ended("1", failure=failure, attempt=3, backoff_ns=60 * NS))
    decisions = run.finish()
    assert summary(decisions)[-1] == "timer 2 60s"
    assert not run.local_activities
    recorded(history, decisions).timer("2", 60).at(60).fired("2").decide()
    for worker in (run, replayer(catching)):
        if worker is not run:
            history.rewind()
        worker.begin(history.take())
        [again] = worker.local_activities.pending()
        assert (again.activity_id, again.attempt) == ("3", 4)
        assert again.seconds_left(worker.now_ns) == -55
        worker.resolve(ended("3", attempt=4, at=60))
        assert summary(worker.finish())[-1] == 'complete "no error"'


@workflow.defn
async def impatient() -> str:
    """Gives its local activity two seconds."""
    try:
        async with asyncio.timeout(2):
            await workflow.execute_local_activity("look", start_to_close_timeout=60)
    except TimeoutError:
        return "gave up"
    return "got it"


def test_one_that_is_cancelled_leaves_no_trace() -> None:
    history = History().start().decide()
    run = replayer(impatient)
    gone: list[str] = []
    run.local_activities.on_gone = gone.append
    run.begin(history.take())
    assert summary(run.finish()) == ["timer 1 2s"]
    history.decided().timer("1", 2).at(2).fired("1").decide()
    run.begin(history.take())
    assert gone == ["2"]
    assert summary(run.finish()) == ['complete "gave up"']
    history.decided().add("workflow_execution_completed")
    replay_history(impatient, history.events)


@workflow.defn
async def leaving() -> str:
    """Does not wait for it."""
    workflow.start_local_activity("look", **OPTIONS)
    return "done"


def test_the_end_of_the_workflow_ends_them() -> None:
    run = replayer(leaving)
    gone: list[str] = []
    run.local_activities.on_gone = gone.append
    run.begin(History().start().decide().take())
    assert summary(run.finish()) == ['complete "done"']
    assert gone == ["1"]


def test_dropping_the_run_ends_them() -> None:
    run = replayer(both)
    gone: list[str] = []
    run.local_activities.on_gone = gone.append
    run.begin(History().start().decide().take())
    run.discard()
    assert gone == ["1", "2"]
    assert not run.local_activities


@pytest.mark.parametrize(
    "outcome", [ended("1", "x", name="other"), ended("9", "x")], ids=["another activity", "an unknown one"]
)
def test_what_the_code_did_not_ask_for_is_a_mismatch(outcome: LocalOutcome) -> None:
    history = History().start().decide().decided()
    history.add("marker_recorded", marker_name="LocalActivity", details=api.Payload(data=outcome.details())).decide()
    with pytest.raises(NonDeterminismError, match="local activity"):
        replayer(both).advance(history.take())


def test_a_marker_less_than_the_code_asks_for_is_one_that_is_not_over() -> None:
    history = History().start().decide().decided().signal("s").decide()
    run = replayer(both)
    run.begin(history.take())
    assert len(run.local_activities) == 2


@workflow.defn
class Asked:
    """Answers a query wrongly."""

    @workflow.run
    async def run(self) -> None:
        """Waits for ever."""
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def look(self) -> str:
        """Must not do this."""
        workflow.start_local_activity("look", **OPTIONS)
        return ""


def test_a_query_may_not_run_one() -> None:
    run = replayer(Asked)
    run.advance(History().start().decide().take())
    answer = run.query(api.WorkflowQuery(query_type="look"))
    assert answer.result_type == api.QUERY_RESULT_TYPE_FAILED
    assert not run.local_activities


@workflow.defn
async def unbounded() -> None:
    """Says no timeout."""
    await workflow.execute_local_activity("look")


def test_it_needs_a_timeout() -> None:
    run = replayer(unbounded)
    assert summary(run.advance(History().start().decide().take())) == ["fail ValueError"]
