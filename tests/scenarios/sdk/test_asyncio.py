"""Plain asyncio in workflow code: tasks, gather, groups, timeouts, locks and queues, and what has no place there."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tenuto import workflow
from tenuto._replay import loop as workflow_loop
from tenuto.errors import ForbiddenInWorkflowError, NotInWorkflowError, WorkflowStuckError
from tenuto.testing import ReplayHarness, replay_history
from tests.scenarios.sdk.histories import History, summary


async def step(name: str) -> str:
    return str(await workflow.execute_activity(name, start_to_close_timeout=5))


@workflow.defn
async def gathers() -> list[str]:
    return list(await asyncio.gather(step("a"), step("b"), step("c")))


def test_gather_schedules_in_order_and_keeps_the_order_of_results() -> None:
    history = History().start().decide()
    run = ReplayHarness(gathers)
    assert summary(run.feed(history.take())) == ["activity 1 a []", "activity 2 b []", "activity 3 c []"]
    history.decided().scheduled("1", "a").scheduled("2", "b").scheduled("3", "c")
    history.activity_done("3", "C").activity_done("1", "A").decide()
    assert summary(run.feed(history.take())) == []
    history.decided().activity_done("2", "B").decide()
    assert summary(run.feed(history.take())) == ['complete ["A","B","C"]']
    history.decided().add("workflow_execution_completed")
    replay_history(gathers, history.events)


@workflow.defn
async def races() -> str:
    tasks = [asyncio.create_task(step(name)) for name in ("a", "b", "c")]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return ",".join(task.result() for task in done)


def test_wait_for_the_first_and_cancel_the_rest_in_a_repeatable_order() -> None:
    history = History().start().decide().decided().scheduled("1", "a").scheduled("2", "b").scheduled("3", "c")
    history.activity_done("2", "B").decide()
    for _ in range(20):  # sets of tasks must not be ordered by address
        decisions = ReplayHarness(races).feed(history.events)
        assert summary(decisions) == ["cancel activity 1", "cancel activity 3", 'complete "B"']


@workflow.defn
async def grouped() -> str:
    try:
        async with asyncio.TaskGroup() as group:
            for name in ("a", "b", "c", "d"):
                group.create_task(step(name))
    except ExceptionGroup as errors:
        return type(errors.exceptions[0]).__name__
    return "all"


def test_a_task_group_cancels_its_others_when_one_fails() -> None:
    history = History().start().decide().decided()
    for number, name in enumerate("abcd", 1):
        history.scheduled(str(number), name)
    history.activity_failed("3", "Oops", "x").decide()
    for _ in range(20):
        assert summary(ReplayHarness(grouped).feed(history.events)) == [
            "cancel activity 1", "cancel activity 2", "cancel activity 4", 'complete "ActivityError"',
        ]  # fmt: skip


@workflow.defn
async def times_out() -> str:
    try:
        async with asyncio.timeout(5):
            return await step("slow")
    except TimeoutError:
        return "late"


def test_a_timeout_is_a_durable_timer_that_is_cancelled_when_not_needed() -> None:
    history = History().start().decide()
    run = ReplayHarness(times_out)
    assert summary(run.feed(history.take())) == ["timer 1 5s", "activity 2 slow []"]
    history.decided().timer("1", 5).scheduled("2", "slow").activity_done("2", "quick").decide()
    assert summary(run.feed(history.take())) == ["cancel timer 1", 'complete "quick"']
    history.decided().add("timer_canceled", timer_id="1").add("workflow_execution_completed")
    replay_history(times_out, history.events)


def test_a_timeout_that_fires_cancels_the_activity() -> None:
    history = History().start().decide().decided().timer("1", 5).scheduled("2", "slow").at(5).fired("1").decide()
    assert summary(ReplayHarness(times_out).feed(history.events)) == ["cancel activity 2", 'complete "late"']


def test_a_timer_cancelled_too_late_is_no_mismatch() -> None:
    """The server answers with CancelTimerFailed when the timer has gone already."""
    history = History().start().decide().decided().timer("1", 5).scheduled("2", "slow").activity_done("2", "x").decide()
    history.decided().add("cancel_timer_failed", timer_id="1").add("workflow_execution_completed")
    replay_history(times_out, history.events)


@workflow.defn
async def changes_its_mind() -> str:
    task = asyncio.create_task(asyncio.sleep(10))
    handle = workflow.start_activity("x", start_to_close_timeout=1)
    await asyncio.sleep(0)
    task.cancel()
    handle.cancel()
    return "nothing happened"


def test_what_is_cancelled_in_the_same_turn_was_never_asked_for() -> None:
    decisions = ReplayHarness(changes_its_mind).feed(History().start().decide().events)
    assert summary(decisions) == ['complete "nothing happened"']


@workflow.defn
async def synchronizes() -> list[str]:
    lock, queue, event, log = asyncio.Lock(), asyncio.Queue[str](maxsize=1), asyncio.Event(), list[str]()

    async def worker(name: str) -> None:
        async with lock:
            log.append(f"{name} in")
            await asyncio.sleep(1)
            await queue.put(name)
        event.set()

    tasks = [asyncio.create_task(worker(name)) for name in ("a", "b")]
    await event.wait()
    log.extend([await queue.get(), await queue.get()])
    await asyncio.wait_for(asyncio.gather(*tasks), 60)
    return log


def test_locks_queues_and_events() -> None:
    history = History().start().decide()
    run = ReplayHarness(synchronizes)
    assert summary(run.feed(history.take())) == ["timer 1 1s"]
    history.decided().timer("1").at(1).fired("1").decide()
    assert summary(run.feed(history.take())) == ["timer 2 1s"]
    history.decided().timer("2").at(2).fired("2").decide()
    assert summary(run.feed(history.take()))[-1] == 'complete ["a in","b in","a","b"]'


@workflow.defn
async def completes_in_order() -> list[str]:
    return [await result for result in workflow.as_completed(step(name) for name in ("a", "b", "c"))]


def test_as_completed_starts_in_the_order_given_and_yields_in_that_of_completion() -> None:
    history = History().start().decide()
    run = ReplayHarness(completes_in_order)
    assert summary(run.feed(history.take())) == ["activity 1 a []", "activity 2 b []", "activity 3 c []"]
    history.decided().scheduled("1", "a").scheduled("2", "b").scheduled("3", "c")
    history.activity_done("3", "C").activity_done("1", "A").activity_done("2", "B").decide()
    assert summary(run.feed(history.take())) == ['complete ["C","A","B"]']


@workflow.defn
async def uses_threads() -> None:
    await asyncio.to_thread(print, "no")


@workflow.defn
async def opens_a_socket() -> None:
    await asyncio.open_connection("127.0.0.1", 1)


@workflow.defn
async def never_waits() -> None:
    while True:  # noqa: ASYNC110  that is the mistake
        await asyncio.sleep(0)


def test_threads_and_sockets_are_refused_by_name() -> None:
    with pytest.raises(ForbiddenInWorkflowError, match="run_in_executor has no place in workflow code"):
        ReplayHarness(uses_threads).feed(History().start().decide().events)
    with pytest.raises(ForbiddenInWorkflowError, match="create_connection"):
        ReplayHarness(opens_a_socket).feed(History().start().decide().events)


def test_code_that_never_waits_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow_loop, "STEPS_MAX", 1000)
    with pytest.raises(WorkflowStuckError):
        ReplayHarness(never_waits).feed(History().start().decide().events)


def test_workflow_functions_need_a_workflow() -> None:
    with pytest.raises(NotInWorkflowError):
        workflow.now()
    assert not workflow.in_workflow()


@workflow.defn
async def times_out_waiting() -> str:
    try:
        await workflow.wait_condition(lambda: False, timeout=2.2)
    except TimeoutError:
        return "gave up"
    return "?"


def test_wait_condition_with_timeout() -> None:
    history = History().start().decide()
    run = ReplayHarness(times_out_waiting)
    assert summary(run.feed(history.take())) == ["timer 1 3s"]
    history.decided().timer("1", 3).at(3).fired("1").decide()
    assert summary(run.feed(history.take())) == ['complete "gave up"']


@workflow.defn
class Chatty:
    @workflow.run
    async def run(self) -> None:
        workflow.logger.warning("one")
        await asyncio.sleep(1)
        workflow.logger.warning("two")
        asyncio.create_task(self._fail())  # noqa: RUF006  that nobody holds it is the point
        await asyncio.sleep(1)

    async def _fail(self) -> None:
        raise ValueError("nobody takes this")


def test_the_logger_is_silent_while_replaying(caplog: pytest.LogCaptureFixture) -> None:
    history = History().start().decide().decided().timer("1").at(1).fired("1").decide()
    with caplog.at_level(logging.INFO):
        run = ReplayHarness(Chatty)
        run.feed(history.events)
        assert [record.message for record in caplog.records] == ["two"]
        assert caplog.records[0].__dict__["workflow_id"] == "workflow"
        run.discard()
        assert "never retrieved" in caplog.records[1].message


cleaned: list[str] = []


@workflow.defn
async def cleans_up() -> None:
    try:
        await asyncio.sleep(10)
    finally:
        cleaned.append("unwound")
        await workflow.execute_activity("x", start_to_close_timeout=1)


def test_dropping_a_workflow_unwinds_its_code_without_effect() -> None:
    run = ReplayHarness(cleans_up)
    run.feed(History().start().decide().events)
    run.discard()
    assert cleaned == ["unwound"]


async def outer(harness: ReplayHarness, history: History) -> tuple[list[str], object, asyncio.AbstractEventLoop]:
    lines = summary(harness.feed(history.take()))
    return lines, asyncio.current_task(), asyncio.get_running_loop()


def test_the_outer_loop_and_its_task_are_themselves_again_afterwards() -> None:
    async def main() -> None:
        history = History().start().decide()
        harness = ReplayHarness(gathers)
        task, running = asyncio.current_task(), asyncio.get_running_loop()
        lines, after_task, after_loop = await outer(harness, history)
        assert len(lines) == 3
        assert (after_task, after_loop) == (task, running)
        await asyncio.sleep(0)

    asyncio.run(main())
