"""Workflows that begin again on a whole server: reset, restart, refreshed tasks, undone bad binaries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tenuto import workflow
from tenuto._rpc.connection import DomainRpc, Method, WorkerRpc, WorkflowRpc
from tenuto.client import Client
from tenuto.errors import BadRequestError, EntityNotExistsError, RpcError
from tenuto.worker import Worker
from tenuto_api import api
from tenuto_server.embedded import EmbeddedSettings
from tests.integration.embedded.hosted_workflows import Quadruple, double
from tests.integration.embedded.test_embedded import serving

TASK_LIST = "reset"
TIME_S = 30.0
restart_rpc = Method("WorkflowAPI", api.RestartWorkflowExecutionRequest, api.RestartWorkflowExecutionResponse)
refresh_rpc = Method("WorkflowAPI", api.RefreshWorkflowTasksRequest, api.RefreshWorkflowTasksResponse)


@workflow.defn
class Collector:
    """Doubles a number, hears words, and goes on in another run after each `rounds`."""

    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.signal
    def say(self, word: str) -> None:
        """One word."""
        self.words.append(word)

    @workflow.run
    async def run(self, wanted: int, rounds: int) -> list[str]:
        """The words, when there are as many as wanted."""
        number = await workflow.execute_activity(double, wanted, start_to_close_timeout=10)
        await workflow.wait_condition(lambda: len(self.words) >= number // 2)
        if rounds > 1:
            workflow.continue_as_new(wanted, rounds - 1)
        return self.words


@asynccontextmanager
async def stage(path: Path, network: str = "in-process") -> AsyncIterator[Client]:
    """A server and a client."""
    settings = EmbeddedSettings(f"sqlite:///{path / 'tenuto.db'}", network=network)
    async with serving(settings) as address, await Client.connect(address) as client:
        yield client


@asynccontextmanager
async def working(client: Client, checksum: str = "") -> AsyncIterator[Worker]:
    """A worker for everything here."""
    worker = Worker(
        client, TASK_LIST, workflows=[Collector, Quadruple], activities=[double], binary_checksum=checksum
    )
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Runs a story within a bound."""

    async def bounded() -> None:
        async with asyncio.timeout(TIME_S):
            await story()

    asyncio.run(bounded())


async def start(client: Client, wanted: int, rounds: int = 1) -> Any:
    return await client.start_workflow(Collector.run, wanted, rounds, id="c", task_list=TASK_LIST, task_timeout=2)


async def events_of(client: Client, run_id: str) -> list[api.HistoryEvent]:
    return [event async for event in client.get_workflow_handle("c", run_id=run_id).history()]


async def first_event(client: Client, run_id: str, kind: str, count: int = 1) -> int:
    """The id of the run's nth event of a kind, waited for."""
    while True:
        attributes = kind + "_event_attributes"
        found = [event for event in await events_of(client, run_id) if event.WhichOneof("attributes") == attributes]
        if len(found) >= count:
            return found[count - 1].event_id
        await asyncio.sleep(0.01)


async def listed_as_closed(client: Client, count: int) -> set[str]:
    """The run ids of the closed list, once it is that long."""
    while True:
        found = {info.workflow_execution.run_id async for info in client.list_workflows(closed=True)}
        if len(found) >= count:
            return found
        await asyncio.sleep(0.05)


async def result(client: Client, run_id: str) -> Any:
    return await client.get_workflow_handle("c", run_id=run_id, workflow=Collector.run).result()


@pytest.mark.parametrize("network", ["in-process", "streams"])
def test_an_open_run_is_reset_and_later_signals_are_kept(tmp_path: Path, network: str) -> None:
    async def story() -> None:
        async with stage(tmp_path, network) as client, working(client):
            handle = await start(client, 3)
            await first_event(client, handle.run_id, "activity_task_completed")
            await handle.signal(Collector.say, "one", request_id="s-1")
            await handle.signal(Collector.say, "two")
            point = await first_event(client, handle.run_id, "decision_task_completed")
            fork = await client.reset_workflow("c", run_id=handle.run_id, event_id=point, reason="once more")
            assert fork.run_id != handle.run_id
            await fork.signal(Collector.say, "one", request_id="s-1")
            await fork.signal(Collector.say, "three")
            assert await result(client, fork.run_id) == ["one", "two", "three"]
            before, after = await events_of(client, handle.run_id), await events_of(client, fork.run_id)
            assert after[: point - 1] == before[: point - 1]
            failed = after[point - 1].decision_task_failed_event_attributes
            assert failed.cause == api.DECISION_TASK_FAILED_CAUSE_RESET_WORKFLOW
            assert (failed.base_run_id, failed.new_run_id, failed.failure.reason) == (handle.run_id, fork.run_id, "once more")
            assert before[-1].workflow_execution_terminated_event_attributes.reason == "once more"
            described = (await client.get_workflow_handle("c").describe()).workflow_execution_info
            assert described.workflow_execution.run_id == fork.run_id
            assert described.history_length == len(after)

    run(story)


def test_a_closed_run_is_reset_twice_and_again_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(tmp_path) as client, working(client):
            first = await start(client, 1)
            await first.signal(Collector.say, "word")
            assert await first.result() == ["word"]
            point = await first_event(client, first.run_id, "decision_task_completed")
            second = await client.reset_workflow("c", event_id=point)
            assert await result(client, second.run_id) == ["word"]
            third = await client.reset_workflow("c", run_id=second.run_id, event_id=point, reapply_signals=False)
            await first_event(client, third.run_id, "activity_task_completed")
            assert (await client.get_workflow_handle("c").describe()).workflow_execution_info.close_status == 0
        async with stage(tmp_path) as client, working(client):
            # From rows alone: the base, and the fork's own history.
            await client.get_workflow_handle("c").signal(Collector.say, "late")
            assert await result(client, third.run_id) == ["late"]
            fourth = await client.reset_workflow("c", run_id=first.run_id, event_id=point)
            assert await result(client, fourth.run_id) == ["word"]
            runs = {first.run_id, second.run_id, third.run_id, fourth.run_id}
            assert await listed_as_closed(client, len(runs)) == runs

    run(story)


def test_a_run_that_was_continued_is_reset_with_the_signals_of_its_successors(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(tmp_path) as client, working(client):
            handle = await start(client, 1, rounds=3)
            await client.get_workflow_handle("c").signal(Collector.say, "a")
            await first_event(client, handle.run_id, "workflow_execution_continued_as_new")
            await client.get_workflow_handle("c").signal(Collector.say, "b")
            point = await first_event(client, handle.run_id, "decision_task_completed")
            fork = await client.reset_workflow("c", run_id=handle.run_id, event_id=point)
            signals = [
                event.workflow_execution_signaled_event_attributes.input.data
                for event in await events_of(client, fork.run_id)
                if event.HasField("workflow_execution_signaled_event_attributes")
            ]
            assert signals == [b'"a"\n', b'"b"\n']

    run(story)


def test_a_long_history_is_copied_in_pieces(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(tmp_path) as client, working(client):
            words = [f"{number:04}" * 500 for number in range(600)]
            handle = await start(client, len(words))
            for at in range(0, len(words), 50):
                await asyncio.gather(*(handle.signal(Collector.say, word) for word in words[at : at + 50]))
            said = await handle.result()
            assert sorted(said) == words
            point = await first_event(client, handle.run_id, "decision_task_completed")
            fork = await client.reset_workflow("c", run_id=handle.run_id, event_id=point)
            assert sorted(await result(client, fork.run_id)) == words
            before = await events_of(client, handle.run_id)
            last = [event.event_id for event in before if event.HasField("decision_task_completed_event_attributes")][-1]
            again = await client.reset_workflow("c", run_id=handle.run_id, event_id=last)
            assert await result(client, again.run_id) == said
            assert (await events_of(client, again.run_id))[: last - 1] == before[: last - 1]

    run(story)


def test_points_that_cannot_be_reset_to_are_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(tmp_path) as client:
            handle = await start(client, 1)
            for event_id in (-1, 0, 1, 2, 4, 2**62):
                with pytest.raises(BadRequestError):
                    await client.reset_workflow("c", event_id=event_id)
            with pytest.raises(EntityNotExistsError):
                await client.reset_workflow("nobody", event_id=3)
            assert (await client.get_workflow_handle("c").describe()).workflow_execution_info.close_status == 0
            request = api.ResetWorkflowExecutionRequest(domain=client.domain, decision_finish_event_id=3, request_id="again")
            request.workflow_execution.CopyFrom(handle.execution)
            made = [(await client.connection.call(WorkflowRpc.reset, request)).run_id for _ in range(3)]
            assert made[0] == made[1] == made[2] != handle.run_id

    run(story)


def test_a_workflow_is_restarted_with_what_it_was_started_with(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(tmp_path) as client, working(client):
            handle = await start(client, 1)
            await first_event(client, handle.run_id, "activity_task_completed")
            request = api.RestartWorkflowExecutionRequest(domain=client.domain, identity="me")
            request.workflow_execution.CopyFrom(handle.execution)
            again = await client.connection.call(restart_rpc, request)
            assert again.run_id != handle.run_id
            await client.get_workflow_handle("c").signal(Collector.say, "word")
            assert await result(client, again.run_id) == ["word"]
            ended = (await events_of(client, handle.run_id))[-1]
            assert ended.HasField("workflow_execution_terminated_event_attributes")

    run(story)


def test_refreshed_tasks_do_no_harm(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(tmp_path) as client:
            handle = await start(client, 1)
            request = api.RefreshWorkflowTasksRequest(domain=client.domain, workflow_execution=handle.execution)
            await client.connection.call(refresh_rpc, request)
            async with working(client):
                await first_event(client, handle.run_id, "activity_task_completed")
                await client.connection.call(refresh_rpc, request)
                await handle.signal(Collector.say, "word")
                assert await handle.result() == ["word"]
                await client.connection.call(refresh_rpc, request)

    run(story)


def test_what_a_bad_binary_decided_is_undone(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(tmp_path) as client:
            async with working(client, "bad"):
                handle = await start(client, 1)
                await first_event(client, handle.run_id, "decision_task_completed", 2)
            points = (await handle.describe()).workflow_execution_info.auto_reset_points.points
            assert [(point.binary_checksum, point.first_decision_completed_id, point.resettable) for point in points] == [
                ("bad", 4, True)
            ]
            change = api.UpdateDomainRequest(name=client.domain)
            change.bad_binaries.binaries["bad"].reason = "it was wrong"
            change.update_mask.paths.append("bad_binaries")
            await client.connection.call(DomainRpc.update, change)
            async with working(client, "good"):
                await handle.signal(Collector.say, "word")
                await first_event(client, handle.run_id, "workflow_execution_terminated")
                current = (await client.get_workflow_handle("c").describe()).workflow_execution_info
                assert await result(client, current.workflow_execution.run_id) == ["word"]
            history = await events_of(client, current.workflow_execution.run_id)
            failed = history[3].decision_task_failed_event_attributes
            assert failed.cause == api.DECISION_TASK_FAILED_CAUSE_RESET_WORKFLOW
            assert "it was wrong" in failed.failure.reason
            points = (await client.get_workflow_handle("c").describe()).workflow_execution_info.auto_reset_points.points
            assert [point.binary_checksum for point in points] == ["good"]
            poll = api.PollForDecisionTaskRequest(domain=client.domain, identity="w", binary_checksum="bad")
            poll.task_list.name = TASK_LIST
            with pytest.raises(RpcError, match="bad"):
                await client.connection.call(WorkerRpc.poll_decision, poll)

    run(story)
