"""Schedules on a whole server in one process: clients, frontend, the scheduler workflow with its activities, users' workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tenuto import workflow
from tenuto.client import CatchUpPolicy, Client, OverlapPolicy, ScheduleAction, SchedulePolicies, ScheduleSpec
from tenuto.errors import BadRequestError, EntityNotExistsError
from tenuto.worker import Worker
from tenuto_api import api
from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.frontend.methods import METHODS
from tenuto_server.worker_host.direct import DirectConnection

TIME_S = 60.0
API = "uber.cadence.api.v1"
EVERY_SECOND = "@every 1s"


@workflow.defn
async def quick(word: str) -> str:
    return f"{word} {workflow.info().workflow_id}"


@workflow.defn
async def failing() -> None:
    raise ValueError("no")


@workflow.defn(name="waiting")
class Waiting:
    """Runs until it is told to end, or cancelled."""

    def __init__(self) -> None:
        self._ended = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._ended)

    @workflow.signal
    def end(self) -> None:
        self._ended = True


@asynccontextmanager
async def serving(store: str = "memory://") -> AsyncIterator[Client]:
    server = EmbeddedServer(EmbeddedSettings(store))
    await server.start()
    try:
        yield Client(DirectConnection(server.handle), domain="default")
    finally:
        await server.stop()


def worker(client: Client) -> Worker:
    return Worker(client, "tl", workflows=[quick, failing, Waiting], graceful_stop_timeout=1.0)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(TIME_S):
            await story()

    asyncio.run(bounded())


async def until(found: Callable[[], Awaitable[Any]]) -> Any:
    """Waits until there is something."""
    while not (answer := await found()):  # noqa: ASYNC110  lists give no sign of themselves
        await asyncio.sleep(0.05)
    return answer


async def runs(client: Client, *, closed: bool, workflow_type: str = "quick") -> list[api.WorkflowExecutionInfo]:
    """Runs of the user's workflows, oldest first."""
    found = [one async for one in client.list_workflows(closed=closed, workflow_type=workflow_type)]
    return sorted(found, key=lambda one: one.workflow_execution.workflow_id)


def ids(found: list[api.WorkflowExecutionInfo]) -> list[str]:
    return [one.workflow_execution.workflow_id for one in found]


def gaps(names: list[str]) -> list[timedelta]:
    """Between the times that one run after the other is named by."""
    times = [datetime.fromisoformat(name.partition("-")[2]) for name in names]
    return [later - before for before, later in pairwise(times)]


async def events(client: Client, schedule_id: str) -> list[str]:
    handle = client.get_workflow_handle(f"cadence-scheduler:{schedule_id}")
    return [str(event.WhichOneof("attributes")).removesuffix("_event_attributes") async for event in handle.history()]


async def attributes(client: Client, schedule_id: str) -> dict[str, bytes]:
    """The scheduler workflow's search attributes: its state as lists show it."""
    found = await client.get_workflow_handle(f"cadence-scheduler:{schedule_id}").describe()
    return {key: value.data for key, value in found.workflow_execution_info.search_attributes.indexed_fields.items()}


async def paused(client: Client, schedule_id: str) -> bool:
    return (await attributes(client, schedule_id))["CadenceScheduleState"] == b'"paused"'


QUICK = ScheduleAction(quick, "tl", ["hello"], execution_timeout=60)
WAITING = ScheduleAction(Waiting, "tl", execution_timeout=60)


def test_a_schedule_starts_its_workflow_again_and_again() -> None:
    async def story() -> None:
        async with serving() as client, worker(client):
            action = ScheduleAction(
                quick, "tl", ["hello"], id_prefix="job", execution_timeout=60, memo={"why": 1},
                search_attributes={"CustomKeywordField": "k"},
            )  # fmt: skip
            await client.schedules.create("s", EVERY_SECOND, action)

            async def three() -> list[api.WorkflowExecutionInfo]:
                found = await runs(client, closed=True)
                return found if len(found) >= 3 else []

            found = await until(three)
            for one in found:
                workflow_id = one.workflow_execution.workflow_id
                prefix, _, time = workflow_id.partition("-")
                assert prefix == "job" and datetime.fromisoformat(time).tzinfo == UTC
                keys = {key: value.data for key, value in one.search_attributes.indexed_fields.items()}
                assert keys == {
                    "CadenceScheduleID": b'"s"',
                    "CadenceScheduleTime": f'"{time}"'.encode(),
                    "CadenceScheduleIsBackfill": b"false",
                    "CustomKeywordField": b'"k"',
                }
                assert one.memo.fields["why"].data == b"1\n"
                assert await client.get_workflow_handle(workflow_id).result() == f"hello {workflow_id}"
            assert set(gaps(ids(found))) == {timedelta(seconds=1)}

    run(story)


def test_a_restart_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'tenuto.db'}"
    policies = SchedulePolicies(OverlapPolicy.CONCURRENT, CatchUpPolicy.ALL)

    async def some(client: Client, count: int) -> list[str]:
        found = ids(await runs(client, closed=True))
        return found if len(found) >= count else []

    async def story() -> None:
        async with serving(store) as client, worker(client):
            await client.schedules.create("s", EVERY_SECOND, QUICK, policies=policies)
            before = await until(lambda: some(client, 2))
        await asyncio.sleep(2.5)
        async with serving(store) as client, worker(client):
            after = await until(lambda: some(client, len(before) + 5))
            assert len(set(after)) == len(after)
            assert set(gaps(after)) == {timedelta(seconds=1)}

    run(story)


def test_skip_new_starts_no_second_run_while_one_is_open() -> None:
    async def story() -> None:
        async with serving() as client, worker(client):
            await client.schedules.create("s", EVERY_SECOND, WAITING)
            first = ids(await until(lambda: runs(client, closed=False, workflow_type="waiting")))
            before = await events(client, "s")
            # Two more times are tried, and skipped.
            await until(lambda: activities(client, "s", before.count("activity_task_completed") + 2))
            assert ids(await runs(client, closed=False, workflow_type="waiting")) == first
            await client.get_workflow_handle(first[0]).signal("end")

            async def another() -> list[str]:
                return [name for name in ids(await runs(client, closed=False, workflow_type="waiting")) if name not in first]

            assert len(await until(another)) == 1

    run(story)


async def activities(client: Client, schedule_id: str, count: int) -> bool:
    return (await events(client, schedule_id)).count("activity_task_completed") >= count


def test_buffered_starts_follow_one_another_in_order() -> None:
    async def story() -> None:
        async with serving() as client, worker(client):
            policies = SchedulePolicies(OverlapPolicy.BUFFER)
            await client.schedules.create("s", EVERY_SECOND, WAITING, policies=policies)
            order: list[str] = []

            async def next_one() -> list[str]:
                found = ids(await runs(client, closed=False, workflow_type="waiting"))
                assert len(found) <= 1
                return [name for name in found if name not in order]

            for _ in range(3):
                order += await until(next_one)
                await client.get_workflow_handle(order[-1]).signal("end")
            assert gaps(order) == [timedelta(seconds=1)] * 2

    run(story)


@pytest.mark.parametrize(
    ("overlap", "status"),
    [
        (OverlapPolicy.CANCEL_PREVIOUS, api.WORKFLOW_EXECUTION_CLOSE_STATUS_CANCELED),
        (OverlapPolicy.TERMINATE_PREVIOUS, api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED),
    ],
)
def test_the_run_before_makes_room(overlap: OverlapPolicy, status: int) -> None:
    async def story() -> None:
        async with serving() as client, worker(client):
            await client.schedules.create("s", EVERY_SECOND, WAITING, policies=SchedulePolicies(overlap))

            async def two() -> list[api.WorkflowExecutionInfo]:
                found = await runs(client, closed=True, workflow_type="waiting")
                return found if len(found) >= 2 else []

            found = await until(two)
            assert {one.close_status for one in found} == {status}

    run(story)


def test_a_failure_pauses_the_schedule_where_that_is_wanted() -> None:
    async def story() -> None:
        async with serving() as client, worker(client):
            action = ScheduleAction(failing, "tl", execution_timeout=60)
            policies = SchedulePolicies(OverlapPolicy.CONCURRENT, pause_on_failure=True)
            await client.schedules.create("s", EVERY_SECOND, action, policies=policies)
            await until(lambda: paused(client, "s"))
            found = await until(lambda: runs(client, closed=True, workflow_type="failing"))
            assert len(found) <= 2

    run(story)


def test_backfill_pause_unpause_update_delete() -> None:
    async def story() -> None:
        async with serving() as client, worker(client):
            schedules = client.schedules
            await schedules.create("s", "0 * * * *", QUICK, paused=True, pause_reason="not yet")

            async def listed() -> list[api.ScheduleListEntry]:
                return [entry async for entry in schedules.list()]

            assert await until(listed) == [
                api.ScheduleListEntry(
                    schedule_id="s",
                    workflow_type=api.WorkflowType(name="quick"),
                    state=api.ScheduleState(paused=True),
                    cron_expression="0 * * * *",
                )
            ]
            begin = datetime(2026, 1, 1, tzinfo=UTC)
            for _ in range(2):
                await schedules.backfill(
                    "s", begin, begin + timedelta(hours=2), backfill_id="b", overlap=OverlapPolicy.CONCURRENT
                )
            await schedules.unpause("s", "now", catch_up=CatchUpPolicy.SKIP)

            async def three() -> list[api.WorkflowExecutionInfo]:
                found = await runs(client, closed=True)
                return found if len(found) >= 3 else []

            found = await until(three)
            assert ids(found) == [f"s-2026-01-01T0{hour}:00:00Z" for hour in range(3)]
            for one in found:
                keys = one.search_attributes.indexed_fields
                assert keys["CadenceScheduleIsBackfill"].data == b"true"
                assert keys["CadenceScheduleBackfillID"].data == b'"b"'
            await schedules.pause("s", "enough")
            await until(lambda: paused(client, "s"))
            await schedules.update("s", spec=ScheduleSpec("@daily"), action=WAITING, search_attributes={"CustomIntField": 7})

            async def changed() -> bool:
                now = await attributes(client, "s")
                expected = (b'"@daily"', b'"waiting"', b"7")
                keys = ("CadenceScheduleCron", "CadenceScheduleWorkflowType", "CustomIntField")
                return tuple(now.get(key) for key in keys) == expected

            await until(changed)
            await schedules.delete("s")
            await client.get_workflow_handle("cadence-scheduler:s").result(timeout=10)
            assert len(await runs(client, closed=True)) == 3
            for call in (schedules.pause("s"), schedules.unpause("s"), schedules.update("s", spec="@daily")):
                with pytest.raises(EntityNotExistsError, match='schedule "s" not found in domain "default"'):
                    await call
            await schedules.delete("s")
            # The name is free again.
            await schedules.create("s", "@daily", QUICK)

    run(story)


def test_a_schedule_that_exists_is_a_bad_request() -> None:
    async def story() -> None:
        async with serving() as client:
            await client.schedules.create("s", "@daily", QUICK)
            with pytest.raises(BadRequestError, match='schedule "s" already exists in domain "default"'):
                await client.schedules.create("s", "@daily", QUICK)

    run(story)


def test_a_schedule_ends_after_its_end_time() -> None:
    async def story() -> None:
        async with serving() as client, worker(client):
            end = datetime.now(UTC) + timedelta(seconds=2.5)
            spec = ScheduleSpec(EVERY_SECOND, end_time=end)
            policies = SchedulePolicies(OverlapPolicy.CONCURRENT)
            await client.schedules.create("s", spec, QUICK, policies=policies)
            await client.get_workflow_handle("cadence-scheduler:s").result(timeout=20)
            assert all(datetime.fromisoformat(name.partition("-")[2]) <= end for name in ids(await runs(client, closed=True)))

    run(story)


def test_signals_that_cannot_be_read_do_no_harm() -> None:
    async def story() -> None:
        async with serving() as client, worker(client):
            await client.schedules.create("s", EVERY_SECOND, QUICK)
            scheduler = client.get_workflow_handle("cadence-scheduler:s")
            for signal in ("scheduler-pause", "scheduler-unpause", "scheduler-update", "scheduler-backfill"):
                await scheduler.signal(signal, {"spec": {"cronExpression": 7}, "reason": []})
                await scheduler.signal(signal, {"spec": {"cronExpression": "nonsense"}})
                await scheduler.signal(signal, 5)
                await scheduler.signal(signal)
            before = ids(await runs(client, closed=True))

            async def more() -> bool:
                return len(await runs(client, closed=True)) > len(before)

            await until(more)

    run(story)


@pytest.mark.skipif(f"{API}.WorkflowAPI/QueryWorkflow" not in METHODS, reason="the server has no queries")
def test_describe_tells_all_there_is_to_know() -> None:
    async def story() -> None:
        async with serving() as client, worker(client):
            schedules = client.schedules
            policies = SchedulePolicies(OverlapPolicy.BUFFER, CatchUpPolicy.ONE, timedelta(hours=1))
            begin = datetime.now(UTC)
            await schedules.create("s", EVERY_SECOND, WAITING, policies=policies, memo={"why": 1})

            async def buffering() -> api.DescribeScheduleResponse | None:
                found = await schedules.describe("s")
                return found if found.info.buffered_fire_count >= 2 else None

            found = await until(buffering)
            assert found.spec.cron_expression == EVERY_SECOND
            assert found.action.start_workflow.workflow_type.name == "waiting"
            assert found.policies == policies.proto()
            assert found.memo.fields["why"].data == b"1\n"
            assert not found.state.paused and not found.state.HasField("pause_info")
            info = found.info
            assert (info.total_runs, info.missed_runs, info.running_workflow_count) == (1, 0, 1)
            assert abs(info.create_time.ToDatetime(tzinfo=UTC) - begin) < timedelta(seconds=10)
            assert info.last_update_time == info.create_time
            assert info.next_run_time.ToNanoseconds() > info.last_run_time.ToNanoseconds()
            far = datetime(2026, 1, 1, tzinfo=UTC)
            await schedules.pause("s", "lunch")
            await schedules.backfill("s", far, far + timedelta(seconds=30), backfill_id="b")

            async def waiting() -> api.DescribeScheduleResponse | None:
                described = await schedules.describe("s")
                return described if described.info.ongoing_backfills else None

            found = await until(waiting)
            assert found.state.paused
            assert (found.state.pause_info.reason, found.state.pause_info.paused_by) == ("lunch", client.connection.identity)
            assert not found.info.HasField("next_run_time")
            (ongoing,) = found.info.ongoing_backfills
            assert (ongoing.backfill_id, ongoing.runs_completed, ongoing.runs_total) == ("b", 0, 30)
            assert ongoing.start_time.ToDatetime(tzinfo=UTC) == far
            await schedules.delete("s")
            await client.get_workflow_handle("cadence-scheduler:s").result(timeout=10)
            with pytest.raises(EntityNotExistsError, match='schedule "s" not found in domain "default"'):
                await schedules.describe("s")
            with pytest.raises(EntityNotExistsError, match='schedule "t" not found in domain "default"'):
                await schedules.describe("t")

    run(story)
