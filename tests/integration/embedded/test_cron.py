"""Starts of every kind against all services in one process: cron, delay, retry, asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tenuto.client import Client, CronOverlapPolicy, IdReusePolicy, RetryPolicy, RpcMethod
from tenuto.errors import RpcError, WorkflowAlreadyStartedError
from tenuto.worker import Worker
from tenuto_api import admin, api
from tenuto_server.embedded import EmbeddedSettings
from tests.integration.embedded.cron_workflows import Count, Greet, Stumble, Twice
from tests.integration.embedded.test_embedded import run, serving

LIST = "cron"
UPDATE = RpcMethod(
    "AdminAPI",
    admin.UpdateDomainAsyncWorkflowConfiguratonRequest,
    admin.UpdateDomainAsyncWorkflowConfiguratonResponse,
)
UPDATE.path = f"/uber.cadence.admin.v1.AdminAPI/{UPDATE.name}"


@asynccontextmanager
async def stage(workflow: type, store: str = "memory://") -> AsyncIterator[Client]:
    """A server, a client of it, and a worker for one workflow."""
    async with (
        serving(EmbeddedSettings(store)) as address,
        await Client.connect(address) as client,
        Worker(client, task_list=LIST, workflows=[workflow]),
    ):
        yield client


async def next_run(client: Client, workflow_id: str, run_id: str) -> api.WorkflowExecutionContinuedAsNewEventAttributes:
    """What ended a run that went on as another."""
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    async for event in handle.history(wait=True):
        if event.HasField("workflow_execution_continued_as_new_event_attributes"):
            return event.workflow_execution_continued_as_new_event_attributes
    raise AssertionError("the run did not continue")


def test_a_cron_workflow_runs_again_and_again(tmp_path: Path) -> None:
    """Each run sees the result of the one before, and begins about a second after it."""

    async def story() -> None:
        async with stage(Count, f"sqlite:///{tmp_path / 'tenuto.db'}") as client:
            handle = await client.start_workflow(
                Count.run,
                id="count",
                task_list=LIST,
                cron_schedule="@every 1s",
                cron_overlap_policy=CronOverlapPolicy.BUFFER_ONE,
            )
            info = (await handle.describe()).workflow_execution_info
            assert (info.is_cron, info.cron_schedule) == (True, "@every 1s")
            assert info.cron_overlap_policy == api.CRON_OVERLAP_POLICY_BUFFER_ONE
            assert timedelta(seconds=1) == info.execution_time.ToDatetime() - info.start_time.ToDatetime()
            run_id, results, runs = handle.run_id, [], [handle.run_id]
            for _ in range(3):
                ended = await next_run(client, "count", run_id)
                assert ended.initiator == api.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
                results.append(int(ended.last_completion_result.data))
                run_id = ended.new_execution_run_id
                runs.append(run_id)
            assert results == [1, 2, 3]
            assert len(set(runs)) == 4
            current = client.get_workflow_handle("count")
            await current.terminate("enough")
            info = (await current.describe()).workflow_execution_info
            assert info.close_status == api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED

    run(story)


def test_a_retried_workflow_is_told_of_its_failure() -> None:
    async def story() -> None:
        async with stage(Stumble) as client:
            policy = RetryPolicy(initial_interval=1, maximum_attempts=2)
            result = await client.execute_workflow(Stumble.run, id="stumble", task_list=LIST, retry_policy=policy)
            assert "not yet" in result

    run(story)


def test_what_is_refused_at_the_start() -> None:
    async def story() -> None:
        async with serving(EmbeddedSettings("memory://")) as address, await Client.connect(address) as client:
            for schedule, word in (("* * *", "failed to parse"), ("0 0 31 2 *", "impossible date")):
                with pytest.raises(RpcError, match=word):
                    await client.start_workflow(Count.run, id="c", task_list=LIST, cron_schedule=schedule)
            with pytest.raises(RpcError, match="larger than cron duration"):
                await client.start_workflow(
                    Count.run, id="c", task_list=LIST, cron_schedule="* * * * *", jitter_start=61
                )

    run(story)


def test_delay_jitter_and_a_fixed_time_put_the_first_decision_off() -> None:
    async def story() -> None:
        async with serving(EmbeddedSettings("memory://")) as address, await Client.connect(address) as client:
            at = datetime.now(UTC) + timedelta(hours=1)
            delayed = await client.start_workflow(Count.run, id="a", task_list=LIST, delay_start=50, jitter_start=20)
            fixed = await client.start_workflow(
                Count.run, id="b", task_list=LIST, delay_start=5, first_run_at=at, cron_schedule="@every 10s"
            )
            for handle, least, most in ((delayed, 50, 70), (fixed, 3590, 3601)):
                info = (await handle.describe()).workflow_execution_info
                wait = info.execution_time.ToDatetime() - info.start_time.ToDatetime()
                assert timedelta(seconds=least) <= wait <= timedelta(seconds=most)
                assert info.execution_status == api.WORKFLOW_EXECUTION_STATUS_PENDING

    run(story)


def test_who_may_use_a_workflow_id_again() -> None:
    async def story() -> None:
        async with serving(EmbeddedSettings("memory://")) as address, await Client.connect(address) as client:

            async def start(policy: IdReusePolicy, request_id: str = "") -> str:
                handle = await client.start_workflow(
                    Greet.run, id="g", task_list=LIST, id_reuse_policy=policy, request_id=request_id
                )
                return handle.run_id

            request_id = "33333333-3333-4333-8333-333333333333"
            first = await start(IdReusePolicy.ALLOW_DUPLICATE, request_id)
            assert await start(IdReusePolicy.REJECT_DUPLICATE, request_id) == first
            with pytest.raises(WorkflowAlreadyStartedError, match="already running") as refused:
                await start(IdReusePolicy.ALLOW_DUPLICATE)
            assert (refused.value.run_id, refused.value.start_request_id) == (first, request_id)
            second = await start(IdReusePolicy.TERMINATE_IF_RUNNING)
            assert second != first
            ended = (await client.get_workflow_handle("g", run_id=first).describe()).workflow_execution_info
            assert ended.close_status == api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED
            await client.get_workflow_handle("g").terminate()
            with pytest.raises(WorkflowAlreadyStartedError, match="reject duplicate workflow ID"):
                await start(IdReusePolicy.REJECT_DUPLICATE)
            # A terminated run counts as failed.
            third = await start(IdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, request_id)
            await client.get_workflow_handle("g").terminate()
            # The same request finds its run also after it closed.
            assert await start(IdReusePolicy.REJECT_DUPLICATE, request_id) == third

    run(story)


def test_a_start_sent_again_finds_what_it_made_also_when_its_chain_has_ended(tmp_path: Path) -> None:
    """A client whose answer was lost sends its start again, perhaps late: the run may have been continued by others since."""

    async def story() -> None:
        async with stage(Twice, f"sqlite:///{tmp_path / 'tenuto.db'}") as client:

            async def start(request_id: str) -> str:
                handle = await client.start_workflow(
                    Twice.run,
                    id="t",
                    task_list=LIST,
                    id_reuse_policy=IdReusePolicy.ALLOW_DUPLICATE,
                    request_id=request_id,
                )
                return handle.run_id

            request_id = "44444444-4444-4444-8444-444444444444"
            first = await start(request_id)
            assert await client.get_workflow_handle("t", run_id=first).result() == "done"
            assert await start(request_id) == first
            fork = await client.reset_workflow("t", event_id=3)
            assert await client.get_workflow_handle("t", run_id=fork.run_id).result() == "done"
            assert await start(request_id) == first
            assert await start("55555555-5555-4555-8555-555555555555") not in (first, fork.run_id)

    run(story)


def test_asynchronous_starts() -> None:
    async def story() -> None:
        async with stage(Greet) as client:
            with pytest.raises(RpcError, match="not enabled for asynchronous"):
                await client.start_workflow_async(Greet.run, id="g", task_list=LIST)
            enabled = api.AsyncWorkflowConfiguration(enabled=True)
            request = admin.UpdateDomainAsyncWorkflowConfiguratonRequest(domain=client.domain, configuration=enabled)
            await client.connection.call(UPDATE, request)
            greeting = await client.start_workflow_async(Greet.run, id="g", task_list=LIST)
            await client.signal_with_start_async(
                Greet.run, id="g", task_list=LIST, signal=Greet.named, signal_args=["ann"]
            )
            while True:
                try:
                    assert await greeting.result() == "hello ann"
                    break
                except RpcError:
                    # Not started yet: the bound is the story's.
                    await asyncio.sleep(0.02)

    run(story)
