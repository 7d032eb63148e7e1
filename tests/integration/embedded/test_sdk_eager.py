"""The SDK's queries, local activities and local dispatch against the embedded server, over both networks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tenuto import activity, workflow
from tenuto.client import Client, WorkflowHandle
from tenuto.errors import ActivityTimeoutError, ApplicationError, QueryFailedError, QueryRejectedError
from tenuto.testing import replay_history
from tenuto.worker import Worker
from tenuto.workflow import RetryPolicy
from tenuto_api import api
from tenuto_server.embedded import EmbeddedSettings
from tests.integration.embedded.serving import NETWORKS, run, serving

networks = pytest.mark.parametrize("network", NETWORKS)
LIST = "eager"
calls: list[str] = []


class Signs:
    """What activities and tests tell each other, made anew in each test's loop."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.free = asyncio.Event()


signs: list[Signs] = []


@activity.defn
async def quick(text: str) -> str:
    """Tells what it was given."""
    calls.append(f"quick {text} {activity.info().attempt}")
    return text.upper()


@activity.defn
def plain(number: int) -> int:
    """In a thread."""
    return number * 2


@activity.defn
async def slow(seconds: float) -> str:
    """Takes its time."""
    calls.append("slow")
    signs[-1].begun.set()
    await asyncio.sleep(seconds)
    return "at last"


@activity.defn
async def moody(fails: int) -> int:
    """Fails so often."""
    attempt = activity.info().attempt
    calls.append(f"moody {attempt}")
    if attempt < fails:
        raise ApplicationError("not yet", type="Moody")
    return attempt


@activity.defn
async def hold() -> str:
    """Until told."""
    await signs[-1].free.wait()
    return "held"


@workflow.defn
class Counter:
    """Counts signals until told to stop."""

    def __init__(self) -> None:
        self.count = 0

    @workflow.run
    async def run(self) -> int:
        """Runs until the count is over a hundred."""
        await workflow.wait_condition(lambda: self.count >= 100)
        return self.count

    @workflow.signal
    def add(self, number: int) -> None:
        """More."""
        self.count += number

    @workflow.query
    def value(self, times: int = 1) -> int:
        """How much."""
        return self.count * times

    @workflow.query
    def broken(self) -> int:
        """Cannot say."""
        raise ValueError("no idea")


@workflow.defn
async def locals_only() -> list[Any]:
    """Local activities of all kinds."""
    text = await workflow.execute_local_activity(quick, "a", schedule_to_close_timeout=5)
    both = await asyncio.gather(
        workflow.execute_local_activity(plain, 4, start_to_close_timeout=5),
        workflow.execute_local_activity(
            moody, 2, start_to_close_timeout=5, retry_policy=RetryPolicy(initial_interval=0.05, maximum_attempts=3)
        ),
    )
    try:
        await workflow.execute_local_activity(slow, 60.0, start_to_close_timeout=0.1)
    except ActivityTimeoutError as error:
        return [text, *both, error.timeout_type.value]
    return [text, *both]


@workflow.defn
async def long_local() -> str:
    """A local activity over more than one decision."""
    return await workflow.execute_local_activity(slow, 2.5, schedule_to_close_timeout=20)


@workflow.defn
async def patient() -> int:
    """Waits between two attempts for longer than a decision may take."""
    policy = RetryPolicy(initial_interval=2, maximum_attempts=2)
    return await workflow.execute_local_activity(moody, 1, start_to_close_timeout=5, retry_policy=policy)


@workflow.defn
class Held:
    """A query while a local activity runs."""

    def __init__(self) -> None:
        self.state = "begun"

    @workflow.run
    async def run(self) -> str:
        """Holds on."""
        await workflow.wait_condition(lambda: self.state == "go")
        self.state = await workflow.execute_local_activity(hold, schedule_to_close_timeout=30)
        return self.state

    @workflow.signal
    def go(self) -> None:
        """Begins the local activity."""
        self.state = "go"

    @workflow.query
    def current(self) -> str:
        """How it stands."""
        return self.state


@workflow.defn
async def fans_out(number: int) -> list[str]:
    """Ordinary activities at once."""
    return list(
        await asyncio.gather(
            *(workflow.execute_activity(quick, str(i), start_to_close_timeout=10) for i in range(number))
        )
    )


def worker_of(client: Client, **options: Any) -> Worker:
    return Worker(
        client,
        LIST,
        workflows=[Counter, locals_only, long_local, patient, Held, fans_out],
        activities=[quick, plain, slow, moody, hold],
        **options,
    )


async def names(handle: WorkflowHandle[Any]) -> list[str]:
    """The run's events without those of decisions."""
    found = [(event.WhichOneof("attributes") or "").removesuffix("_event_attributes") async for event in handle.history()]
    return [name for name in found if not name.startswith("decision_task")]


@pytest.fixture(autouse=True)
def anew() -> None:
    """Nothing was called yet."""
    calls.clear()


def begin(story: Callable[[], Awaitable[None]]) -> None:
    """Runs a story with signs of its own."""

    async def whole() -> None:
        signs.append(Signs())
        await story()

    run(whole)


async def start(client: Client, code: Any, *args: Any, **options: Any) -> WorkflowHandle[Any]:
    handle: WorkflowHandle[Any] = await client.start_workflow(code, *args, id="w", task_list=LIST, **options)
    return handle


@networks
@pytest.mark.parametrize("cache", [100, 0], ids=["sticky", "not sticky"])
def test_queries_of_all_kinds(network: str, cache: int) -> None:
    async def story() -> None:
        async with serving(EmbeddedSettings("memory://", network=network)) as address, await Client.connect(address) as client:
            async with worker_of(client, sticky_cache_size=cache):
                handle = await start(client, Counter)
                assert await handle.query(Counter.value, timeout=5.0) == 0
                for number in range(5):
                    await handle.signal(Counter.add, 10)
                    # Strong: what was signaled before is in it.
                    assert await handle.query(Counter.value, 2, strong=True) == 20 * (number + 1)
                assert "value" in await handle.query("__query_types")
                assert "wait_condition" in await handle.query("__stack_trace")
                with pytest.raises(QueryFailedError, match=r"^no idea$"):
                    await handle.query(Counter.broken)
                unknown = r"^unknown queryType nothing. KnownQueryTypes=\[__query_types __stack_trace broken value\]$"
                for strong in (False, True):
                    with pytest.raises(QueryFailedError, match=unknown):
                        await handle.query("nothing", strong=strong)
                together = await asyncio.gather(*(handle.query(Counter.value, i, strong=bool(i % 2)) for i in range(20)))
                assert together == [50 * i for i in range(20)]
                await handle.signal(Counter.add, 60)
                assert await handle.result() == 110
                assert await handle.query(Counter.value) == 110
                with pytest.raises(QueryRejectedError, match="is closed") as refused:
                    await handle.query(Counter.value, reject_if_closed=True)
                assert refused.value.close_status == "COMPLETED"
                assert await handle.query(Counter.value, reject_if_not_completed=True) == 110
            # The worker has gone, and another one knows nothing yet.
            asked = asyncio.create_task(handle.query(Counter.value, 3))
            await asyncio.sleep(0.1)
            async with worker_of(client, sticky_cache_size=cache):
                assert await asked == 330

    begin(story)


@networks
def test_local_activities_leave_markers_only(network: str) -> None:
    async def story() -> None:
        async with serving(EmbeddedSettings("memory://", network=network)) as address, await Client.connect(address) as client:
            async with worker_of(client):
                handle = await start(client, locals_only)
                assert await handle.result() == ["A", 8, 2, "START_TO_CLOSE"]
            assert [call for call in calls if call.startswith("moody")] == ["moody 0", "moody 1", "moody 2"]
            assert await names(handle) == [
                "workflow_execution_started", *["marker_recorded"] * 4, "workflow_execution_completed",
            ]  # fmt: skip
            events = [event async for event in handle.history()]
            marker = next(e for e in events if e.HasField("marker_recorded_event_attributes"))
            details = json.loads(marker.marker_recorded_event_attributes.details.data)
            assert marker.marker_recorded_event_attributes.marker_name == "LocalActivity"
            assert {key: details[key] for key in ("activityId", "activityType", "resultJson")} == {
                "activityId": "1", "activityType": "quick", "resultJson": '"A"\n',
            }  # fmt: skip
            replay_history(locals_only, events)

    begin(story)


@networks
def test_a_long_one_keeps_its_decision_going_by_heartbeats(network: str) -> None:
    async def story() -> None:
        async with serving(EmbeddedSettings("memory://", network=network)) as address, await Client.connect(address) as client:
            async with worker_of(client):
                handle = await start(client, long_local, task_timeout=1)
                assert await handle.result() == "at last"
            assert calls == ["slow"]
            events = [event async for event in handle.history()]
            kinds = [event.WhichOneof("attributes") for event in events]
            assert "decision_task_timed_out_event_attributes" not in kinds
            assert kinds.count("decision_task_completed_event_attributes") >= 3
            replay_history(long_local, events)

    begin(story)


@networks
def test_one_under_way_is_run_again_by_the_next_worker(network: str) -> None:
    async def story() -> None:
        async with serving(EmbeddedSettings("memory://", network=network)) as address, await Client.connect(address) as client:
            async with worker_of(client, graceful_stop_timeout=0.0):
                handle = await start(client, long_local, task_timeout=1)
                await signs[-1].begun.wait()
            async with worker_of(client):
                assert await handle.result() == "at last"
            assert calls == ["slow", "slow"]

    begin(story)


@networks
def test_a_long_wait_between_attempts_is_a_durable_timer(network: str) -> None:
    async def story() -> None:
        async with serving(EmbeddedSettings("memory://", network=network)) as address, await Client.connect(address) as client:
            async with worker_of(client):
                handle = await start(client, patient, task_timeout=1)
                assert await handle.result() == 1
            assert calls == ["moody 0", "moody 1"]
            assert await names(handle) == [
                "workflow_execution_started", "marker_recorded", "timer_started", "timer_fired", "marker_recorded",
                "workflow_execution_completed",
            ]  # fmt: skip

    begin(story)


@networks
def test_queries_while_a_local_activity_runs(network: str) -> None:
    async def story() -> None:
        async with (
            serving(EmbeddedSettings("memory://", network=network)) as address,
            await Client.connect(address) as client,
            worker_of(client),
        ):
            handle = await start(client, Held, task_timeout=2)
            assert await handle.query(Held.current) == "begun"
            await handle.signal(Held.go)
            strong = asyncio.create_task(handle.query(Held.current, strong=True))
            # What is decided, not what is being worked on.
            assert await handle.query(Held.current) in ("begun", "go")
            await asyncio.sleep(0.2)
            assert not strong.done()
            signs[-1].free.set()
            assert await strong == "held"
            assert await handle.result() == "held"

    begin(story)


@networks
@pytest.mark.parametrize("local", [True, False])
def test_activities_of_the_deciding_worker_start_at_once(network: str, local: bool) -> None:
    async def story() -> None:
        async with serving(EmbeddedSettings("memory://", network=network)) as address, await Client.connect(address) as client:
            async with worker_of(client, local_dispatch=local, max_concurrent_activities=8):
                handle = await start(client, fans_out, 6)
                assert await handle.result() == [str(i) for i in range(6)]
            events = [event async for event in handle.history()]
            # One that starts in the turn that scheduled it follows at once. Four of the eight slots are the pollers'.
            in_turn = [
                event
                for event in events
                if event.activity_task_started_event_attributes.scheduled_event_id == event.event_id - 1
            ]
            assert len(in_turn) >= 4 if local else len(in_turn) <= 1
            assert (await names(handle)).count("activity_task_completed") == 6
            replay_history(fans_out, events)
            description: api.DescribeWorkflowExecutionResponse = await handle.describe()
            assert not description.pending_activities

    begin(story)
