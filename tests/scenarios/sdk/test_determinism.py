"""What is a mismatch between code and history, what is not, and what the error says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tenuto import workflow
from tenuto.errors import NonDeterminismError, UnsupportedVersionError
from tenuto.testing import ReplayHarness, replay_history
from tests.scenarios.sdk.histories import History, summary


@workflow.defn
async def two_steps() -> None:
    await workflow.execute_activity("a", start_to_close_timeout=5)
    await asyncio.sleep(5)


def recorded() -> History:
    """What `two_steps` records until it is done."""
    history = History().start().decide().decided().scheduled("1", "a").activity_done("1").decide()
    return history.decided().timer("2", 5).at(5).fired("2").decide().decided().add("workflow_execution_completed")


def test_the_recorded_history_replays() -> None:
    replay_history(two_steps, recorded().events)


def mismatch(history: History) -> NonDeterminismError:
    with pytest.raises(NonDeterminismError) as caught:
        replay_history(two_steps, history.events)
    return caught.value


def test_another_activity() -> None:
    error = mismatch(History().start().decide().decided().scheduled("1", "b").activity_done("1").decide())
    assert (error.event_id, error.produced) == (5, "ScheduleActivityTask(a, id 1)")
    assert "ScheduleActivityTask(b, id 1)" in error.recorded
    assert "test_determinism.py" in error.where and "in two_steps" in error.where


def test_another_order() -> None:
    error = mismatch(History().start().decide().decided().timer("1", 5).fired("1").decide())
    assert "timer_started" in error.recorded


def test_history_has_more_than_the_code_asks_for() -> None:
    history = History().start().decide().decided().scheduled("1", "a").timer("2", 9).activity_done("1").decide()
    error = mismatch(history)
    assert (error.event_id, error.produced) == (6, "no further command")
    assert "in two_steps" in error.where


def test_the_code_asks_for_more_than_history_has() -> None:
    history = History().start().decide().decided().signal("x").decide().decided().scheduled("1", "a")
    error = mismatch(history)
    assert error.recorded == "no such event"
    assert error.produced == "ScheduleActivityTask(a, id 1)"


def test_the_code_ends_where_history_goes_on() -> None:
    history = recorded()
    history.events.pop()
    history.decide()
    with pytest.raises(NonDeterminismError):
        ReplayHarness(two_steps).feed(history.events)


def test_the_code_goes_on_where_history_ends() -> None:
    history = History().start().decide().decided().add("workflow_execution_completed")
    error = mismatch(history)
    assert "CompleteWorkflowExecution" in error.recorded


def test_a_workflow_terminated_meanwhile_replays() -> None:
    history = History().start().decide().decided().scheduled("1", "a").add("workflow_execution_terminated")
    replay_history(two_steps, history.events)


@pytest.mark.parametrize("event", ["workflow_execution_completed", "workflow_execution_continued_as_new"])
def test_cron_continues_a_completed_run_as_new(event: str) -> None:
    history = recorded()
    history.events.pop()
    replay_history(two_steps, history.add(event).events)


# ---- markers --------------------------------------------------------------------------------------------------------


class Counter:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return self.calls


counter = Counter()


@workflow.defn
async def side_effects() -> list[int]:
    first = workflow.side_effect(counter, result_type=int)
    await asyncio.sleep(1)
    return [first, workflow.side_effect(counter, result_type=int)]


def test_side_effects_are_called_once_and_recorded() -> None:
    counter.calls = 10
    history = History().start().decide()
    run = ReplayHarness(side_effects)
    assert summary(run.feed(history.take())) == ["marker SideEffect ['1', '\"MTEK\"']", "timer 1 1s"]
    history.decided().marker("SideEffect", 1, b"11\n").timer("1").at(1).fired("1").decide()
    assert summary(run.feed(history.take())) == ["marker SideEffect ['2', '\"MTIK\"']", "complete [11,12]"]
    history.decided().marker("SideEffect", 2, b"12\n").add("workflow_execution_completed")
    counter.calls = 100
    replay_history(side_effects, history.events)
    assert counter.calls == 100, "replaying does not call"


def test_a_side_effect_that_history_does_not_know_is_a_mismatch() -> None:
    history = History().start().decide().decided().timer("1").at(1).fired("1").decide()
    with pytest.raises(NonDeterminismError, match="side effect 1"):
        ReplayHarness(side_effects).feed(history.events)


settings = {"limit": 1}


@workflow.defn
async def mutable_side_effects() -> list[int]:
    seen = []
    for _ in range(3):
        seen.append(workflow.mutable_side_effect("limit", lambda: settings["limit"], result_type=int))
        await asyncio.sleep(1)
    return seen


def test_mutable_side_effects_are_recorded_when_they_change() -> None:
    settings["limit"] = 1
    history = History().start().decide()
    run = ReplayHarness(mutable_side_effects)
    assert summary(run.feed(history.take())) == ["marker MutableSideEffect ['\"limit\"', '\"1\\\\n\"', '1']", "timer 1 1s"]
    history.decided().marker("MutableSideEffect", "limit", "1\n", 1).timer("1").fired("1").decide()
    assert summary(run.feed(history.take())) == ["timer 2 1s"]
    history.decided().timer("2").fired("2").decide()
    settings["limit"] = 5
    assert summary(run.feed(history.take()))[0].startswith("marker MutableSideEffect")
    history.decided().marker("MutableSideEffect", "limit", "5\n", 3).timer("3").fired("3").decide()
    settings["limit"] = 99
    assert summary(ReplayHarness(mutable_side_effects).feed(history.events)) == ["complete [1,1,5]"]


def versioned(change: Callable[[], None]) -> type:
    """A workflow whose code calls `change` between two timers."""

    @workflow.defn(name="Versioned")
    class Versioned:
        @workflow.run
        async def run(self) -> int:
            await asyncio.sleep(1)
            change()
            await asyncio.sleep(2)
            return version[0] if version else 0

    return Versioned


version: list[int] = []


def ask(low: int, high: int) -> Callable[[], None]:
    def change() -> None:
        version[:] = [workflow.get_version("fix", low, high)]

    return change


def test_new_runs_take_the_latest_version_and_record_it() -> None:
    history = History().start().decide().decided().timer("1").fired("1").decide()
    code = versioned(ask(workflow.DEFAULT_VERSION, 2))
    assert summary(ReplayHarness(code).feed(history.events)) == [
        "marker Version ['\"fix\"', '2']", "upsert {'CadenceChangeVersion': '[\"fix-2\"]'}", "timer 2 2s",
    ]  # fmt: skip
    history.decided().marker("Version", "fix", 2)
    history.add("upsert_workflow_search_attributes", search_attributes=_change_version("fix-2"))
    history.timer("2", 2).fired("2").decide()
    newer = versioned(ask(workflow.DEFAULT_VERSION, 3))
    assert summary(ReplayHarness(newer).feed(history.events)) == ["complete 2"], "a run stays with its version"
    with pytest.raises(UnsupportedVersionError, match="follows version 2"):
        ReplayHarness(versioned(ask(3, 3))).feed(history.events)
    assert summary(ReplayHarness(versioned(lambda: None)).feed(history.events))[0].startswith("complete"), (
        "the question may be removed when no run needs it"
    )


def test_old_runs_follow_the_default_version() -> None:
    history = History().start().decide().decided().timer("1").fired("1").decide()
    history.decided().timer("2", 2).fired("2").decide()
    assert summary(ReplayHarness(versioned(ask(workflow.DEFAULT_VERSION, 2))).feed(history.events)) == ["complete -1"]


def _change_version(value: str) -> object:
    from tenuto_api import api

    return api.SearchAttributes(indexed_fields={"CadenceChangeVersion": api.Payload(data=f'["{value}"]'.encode())})


@workflow.defn
async def upserts() -> dict[str, object]:
    workflow.upsert_search_attributes({"CustomIntField": 5, "CustomKeywordField": "a"})
    return dict(workflow.info().search_attributes)


def test_upsert_search_attributes() -> None:
    decisions = ReplayHarness(upserts).feed(History().start().decide().events)
    assert summary(decisions) == [
        "upsert {'CustomIntField': '5', 'CustomKeywordField': '\"a\"'}",
        'complete {"CustomIntField":5,"CustomKeywordField":"a"}',
    ]
