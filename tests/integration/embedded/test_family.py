"""Children, signals and cancel requests between workflows, close policies: the SDK against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tenuto.client import Client
from tenuto.errors import RpcError, WorkflowCancelledError, WorkflowTerminatedError
from tenuto.worker import Worker
from tenuto_api import api
from tenuto_server.embedded import EmbeddedSettings
from tests.integration.embedded.family_workflows import (
    ALL,
    Calls,
    Cancels,
    Leaves,
    Retries,
    Talks,
    Terminated,
    TimesOut,
    Waiter,
)
from tests.integration.embedded.test_embedded import serving

TIME_S = 30.0
LIST = "family"

Story = Callable[[Client], Awaitable[None]]


def play(story: Story, network: str = "in-process", store: str = "memory://") -> None:
    """Tells a story to a server with a worker, within a bound."""

    async def bounded() -> None:
        async with (
            asyncio.timeout(TIME_S),
            serving(EmbeddedSettings(store, network=network)) as address,
            await Client.connect(address) as client,
            Worker(client, LIST, workflows=ALL, graceful_stop_timeout=1),
        ):
            await story(client)

    asyncio.run(bounded())


async def describe(client: Client, workflow_id: str) -> api.DescribeWorkflowExecutionResponse | None:
    """What is known of a workflow; None if there is none yet."""
    try:
        return await client.get_workflow_handle(workflow_id).describe()
    except RpcError:
        return None


async def until(client: Client, workflow_id: str, holds: Callable[[api.DescribeWorkflowExecutionResponse], bool]) -> None:
    """Waits until something is true of a workflow that may not be there yet."""
    while (answer := await describe(client, workflow_id)) is None or not holds(answer):  # noqa: ASYNC110  behind a socket
        await asyncio.sleep(0.02)


def is_open(answer: api.DescribeWorkflowExecutionResponse) -> bool:
    return not answer.workflow_execution_info.close_status


@pytest.mark.parametrize("network", ["in-process", "streams"])
def test_a_child_is_started_signalled_and_awaited(network: str) -> None:
    async def story(client: Client) -> None:
        result = await client.execute_workflow(Talks.run, ["so", "end"], id="p", task_list=LIST)
        assert result == "0 so end"
        child = await client.get_workflow_handle("p/child").describe()
        parent = child.workflow_execution_info.parent_execution_info
        assert (parent.workflow_execution.workflow_id, parent.domain_name) == ("p", "default")

    play(story, network)


def test_a_failed_child_fails_with_its_reason() -> None:
    async def story(client: Client) -> None:
        assert await client.execute_workflow(Talks.run, ["fail"], id="p", task_list=LIST) == "failed: Told as told"

    play(story)


@pytest.mark.parametrize("network", ["in-process", "streams"])
def test_a_child_that_continues_as_new_ends_with_its_last_run(network: str) -> None:
    async def story(client: Client) -> None:
        handle = await client.start_workflow(Talks.run, ["again"], id="p", task_list=LIST)
        await until(client, "p", lambda parent: any(_run_id(one) for one in parent.pending_children))
        (pending,) = (await handle.describe()).pending_children
        first = _run_id(pending)
        # A signal that the first run sees beside "again" ends with that run: its code does not pass it on.
        await until(client, "p/child", lambda child: _run_id(child.workflow_execution_info) != first)
        (pending,) = (await handle.describe()).pending_children
        assert _run_id(pending) == first
        await client.get_workflow_handle("p/child").signal(Waiter.tell, "end")
        assert await handle.result() == "1 end"
        closed = await client.get_workflow_handle("p/child", run_id=first).describe()
        status = closed.workflow_execution_info.close_status
        assert status == api.WORKFLOW_EXECUTION_CLOSE_STATUS_CONTINUED_AS_NEW

    play(story, network)


def _run_id(of: api.PendingChildExecutionInfo | api.WorkflowExecutionInfo) -> str:
    return of.workflow_execution.run_id


def test_a_child_is_retried_and_tells_once() -> None:
    async def story(client: Client) -> None:
        handle = await client.start_workflow(Retries.run, id="p", task_list=LIST)
        assert await handle.result() == 2
        names = [event.WhichOneof("attributes") or "" async for event in handle.history()]
        assert [name for name in names if name.startswith("child_")] == [
            "child_workflow_execution_started_event_attributes",
            "child_workflow_execution_completed_event_attributes",
        ]

    play(story)


def test_a_child_that_times_out() -> None:
    async def story(client: Client) -> None:
        assert await client.execute_workflow(TimesOut.run, id="p", task_list=LIST) == "timed out"

    play(story)


def test_a_child_that_is_terminated() -> None:
    async def story(client: Client) -> None:
        handle = await client.start_workflow(Terminated.run, id="p", task_list=LIST)
        await until(client, "p/child", is_open)
        await client.get_workflow_handle("p/child").terminate("enough")
        assert await handle.result() == "TerminatedError"

    play(story)


def test_a_child_whose_id_is_taken() -> None:
    async def story(client: Client) -> None:
        await client.start_workflow(Waiter.run, id="p/child", task_list=LIST)
        assert await client.execute_workflow(Talks.run, ["so"], id="p", task_list=LIST) == "taken: p/child"

    play(story)


@pytest.mark.parametrize(("how", "outcome"), [("WAIT", "cancelled"), ("TRY_CANCEL", "cancelled"), ("ABANDON", "cancelled")])
def test_a_child_is_cancelled(how: str, outcome: str) -> None:
    async def story(client: Client) -> None:
        assert await client.execute_workflow(Cancels.run, how, id="p", task_list=LIST) == outcome
        child = client.get_workflow_handle("p/child")
        if how == "ABANDON":
            assert is_open(await child.describe())
        else:
            with pytest.raises(WorkflowCancelledError):
                await child.result()

    play(story)


@pytest.mark.parametrize("how", ["return", "fail", "terminate"])
@pytest.mark.parametrize("policy", ["TERMINATE", "REQUEST_CANCEL", "ABANDON"])
def test_a_close_policy(policy: str, how: str) -> None:
    async def story(client: Client) -> None:
        handle = await client.start_workflow(
            Leaves.run, policy, "wait" if how == "terminate" else how, id="p", task_list=LIST
        )
        if how == "terminate":
            await until(client, "p", lambda parent: any(_run_id(one) for one in parent.pending_children))
            (pending,) = (await handle.describe()).pending_children
            assert pending.workflow_type_name == "Waiter"
            assert pending.parent_close_policy == api.ParentClosePolicy.Value(f"PARENT_CLOSE_POLICY_{policy}")
            await handle.terminate("enough")
        child = client.get_workflow_handle("p/child")
        await until(client, "p", lambda parent: not is_open(parent) and not parent.pending_children)
        if policy == "ABANDON":
            await child.signal(Waiter.tell, "end")
            assert await child.result() == "0 end"
        elif policy == "REQUEST_CANCEL":
            with pytest.raises(WorkflowCancelledError):
                await child.result()
        else:
            with pytest.raises(WorkflowTerminatedError, match="by parent close policy"):
                await child.result()

    play(story)


def test_a_child_that_is_left_before_it_starts() -> None:
    async def story(client: Client) -> None:
        assert await client.execute_workflow(Leaves.run, "ABANDON", "at once", id="a", task_list=LIST) == "left True"
        await until(client, "a/child", is_open)
        assert await client.execute_workflow(Leaves.run, "TERMINATE", "at once", id="t", task_list=LIST) == "left True"
        assert await client.execute_workflow(Talks.run, ["end"], id="later", task_list=LIST) == "0 end"
        assert await describe(client, "t/child") is None

    play(story)


def test_calls_to_workflows_that_are_none_of_its_children() -> None:
    async def story(client: Client) -> None:
        other = await client.start_workflow(Waiter.run, id="other", task_list=LIST)
        outcomes = await client.execute_workflow(Calls.run, "other", id="p", task_list=LIST)
        assert outcomes == ["signalled", "unknown", "unknown", "cancelled", "unknown"]
        with pytest.raises(WorkflowCancelledError):
            await other.result()
        kinds = [event async for event in other.history()]
        (asked,) = [event for event in kinds if event.HasField("workflow_execution_cancel_requested_event_attributes")]
        source = asked.workflow_execution_cancel_requested_event_attributes.external_execution_info
        assert source.workflow_execution.workflow_id == "p"
        assert await client.execute_workflow(Calls.run, "other", id="q", task_list=LIST) == [
            "completed", "unknown", "unknown", "completed", "unknown",
        ]  # fmt: skip

    play(story)


def test_children_go_on_after_a_restart(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'tenuto.db'}"

    async def begin(client: Client) -> None:
        await client.start_workflow(Terminated.run, id="p", task_list=LIST)
        await until(client, "p/child", is_open)

    async def end(client: Client) -> None:
        await client.get_workflow_handle("p/child").terminate("enough")
        assert await client.get_workflow_handle("p").result() == "TerminatedError"

    play(begin, store=store)
    play(end, store=store)
