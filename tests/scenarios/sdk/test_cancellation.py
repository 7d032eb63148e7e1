"""Cancel requests: what they reach, what can be done about them, and how the run closes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tenuto import workflow
from tenuto.testing import ReplayHarness, replay_history
from tenuto.workflow import CancellationType, CancelScope
from tests.scenarios.sdk.histories import History, summary


@workflow.defn
async def waits() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(60))
        group.create_task(workflow.execute_activity("a", start_to_close_timeout=60))


def test_a_cancel_request_reaches_timers_and_activities_in_a_repeatable_order() -> None:
    history = History().start().decide().decided().timer("1", 60).scheduled("2", "a").cancel_requested().decide()
    for _ in range(10):
        decisions = ReplayHarness(waits).feed(history.events)
        assert summary(decisions) == ["cancel activity 2", "cancel timer 1", "cancel workflow"]


def test_a_cancel_request_with_the_start_lets_the_code_begin() -> None:
    history = History().start().cancel_requested().decide()
    decisions = summary(ReplayHarness(cleans_up).feed(history.events))
    assert decisions == ["activity 2 clean []"], "the timer of the same turn is withdrawn, the clean-up runs"


@workflow.defn
async def cleans_up() -> str:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await workflow.execute_activity("clean", start_to_close_timeout=5)
        raise
    return "slept"


def test_code_may_clean_up_before_it_is_cancelled() -> None:
    history = History().start().decide()
    run = ReplayHarness(cleans_up)
    run.feed(history.take())
    history.decided().timer("1", 60).cancel_requested().decide()
    assert summary(run.feed(history.take())) == ["cancel timer 1", "activity 2 clean []"]
    history.decided().add("timer_canceled", timer_id="1").scheduled("2", "clean").activity_done("2").decide()
    assert summary(run.feed(history.take())) == ["cancel workflow"]
    history.decided().add("workflow_execution_canceled")
    replay_history(cleans_up, history.events)


@workflow.defn
async def ignores() -> str:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return f"refused {workflow.info().cancel_requested}"
    return "slept"


def test_code_may_refuse() -> None:
    history = History().start().decide().decided().timer("1", 60).cancel_requested().decide()
    assert summary(ReplayHarness(ignores).feed(history.events)) == ["cancel timer 1", 'complete "refused True"']


@workflow.defn
async def shields() -> None:
    await workflow.shielded(workflow.execute_activity("must", start_to_close_timeout=5))
    await workflow.execute_activity("never", start_to_close_timeout=5)


def test_shielded_work_goes_on_and_the_cancellation_comes_after_it() -> None:
    history = History().start().decide()
    run = ReplayHarness(shields)
    assert summary(run.feed(history.take())) == ["activity 1 must []"]
    history.decided().scheduled("1", "must").cancel_requested().decide()
    assert summary(run.feed(history.take())) == []
    history.decided().activity_done("1").decide()
    assert summary(run.feed(history.take())) == ["cancel workflow"]


@workflow.defn
async def shields_with_asyncio() -> str:
    handle = workflow.start_activity("must", start_to_close_timeout=5)
    try:
        await asyncio.shield(handle)
    except asyncio.CancelledError:
        return str(await handle)
    return "?"


def test_asyncio_shield_keeps_the_activity_alive() -> None:
    history = History().start().decide().decided().scheduled("1", "must").cancel_requested().decide()
    run = ReplayHarness(shields_with_asyncio)
    assert summary(run.feed(history.take())) == []
    history.decided().activity_done("1", "kept").decide()
    assert summary(run.feed(history.take())) == ['complete "kept"']


@workflow.defn
async def scoped() -> str:
    async with CancelScope() as scope:
        asyncio.get_running_loop().call_later(3, scope.cancel)
        await workflow.execute_activity("slow", start_to_close_timeout=60)
        return "done"
    return "scope cancelled"


def test_a_scope_is_cancelled_by_itself() -> None:
    history = History().start().decide()
    run = ReplayHarness(scoped)
    assert summary(run.feed(history.take())) == ["timer 1 3s", "activity 2 slow []"]
    history.decided().timer("1", 3).scheduled("2", "slow").at(3).fired("1").decide()
    assert summary(run.feed(history.take())) == ["cancel activity 2", 'complete "scope cancelled"']


@workflow.defn
async def scoped_inside() -> str:
    scope = CancelScope()
    asyncio.get_running_loop().call_later(3, scope.cancel)
    async with scope:
        await scope.run(workflow.execute_activity("slow", start_to_close_timeout=60))
    return "went on"


def test_what_runs_in_a_scope_is_cancelled_with_it() -> None:
    history = History().start().decide().decided().timer("1", 3).scheduled("2", "slow").at(3).fired("1").decide()
    assert summary(ReplayHarness(scoped_inside).feed(history.events)) == ["cancel activity 2", 'complete "went on"']


@pytest.mark.parametrize("code", [scoped, scoped_inside])
def test_a_scope_does_not_swallow_the_workflows_own_cancellation(code: Any) -> None:
    history = History().start().decide().decided().timer("1", 3).scheduled("2", "slow").cancel_requested().decide()
    assert summary(ReplayHarness(code).feed(history.events)) == ["cancel activity 2", "cancel workflow"]


def test_nor_when_both_come_at_once() -> None:
    history = History().start().decide().decided().timer("1", 3).scheduled("2", "slow")
    history.at(3).cancel_requested().fired("1").decide()
    assert summary(ReplayHarness(scoped).feed(history.events))[-1] == "cancel workflow"


@workflow.defn
async def abandons() -> str:
    handle = workflow.start_activity("long", start_to_close_timeout=60, cancellation=CancellationType.ABANDON)
    try:
        async with asyncio.timeout(1):
            await handle
    except TimeoutError:
        return "left alone"
    return "?"


def test_an_abandoned_activity_is_not_asked_to_stop() -> None:
    history = History().start().decide().decided().scheduled("1", "long").timer("2").at(1).fired("2").decide()
    run = ReplayHarness(abandons)
    assert summary(run.feed(history.take())) == ['complete "left alone"']


def test_a_cancelled_run_replays() -> None:
    history = History().start().decide().decided().timer("1", 60).scheduled("2", "a").cancel_requested().decide()
    history.decided().add("activity_task_cancel_requested", activity_id="2").add("timer_canceled", timer_id="1")
    history.add("workflow_execution_canceled")
    replay_history(waits, history.events)
