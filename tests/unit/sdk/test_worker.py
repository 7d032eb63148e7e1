"""Client and worker against a small server on a real socket: whole workflows, from start to result."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from opentelemetry import trace

from tenuto import activity, errors, workflow
from tenuto.client import Client
from tenuto.worker import Worker, run_until_signal
from tenuto.workflow import RetryPolicy
from tenuto_api import api
from tests.unit.sdk.fake_server import FakeServer, Refusal

SECONDS_MAX = 8


@dataclass
class Order:
    item: str
    amount: int


@dataclass
class Receipt:
    text: str


def run(test: Callable[[FakeServer, Client], Awaitable[None]]) -> None:
    """Runs a test body with a server and a client of it."""

    async def body() -> None:
        async with asyncio.timeout(SECONDS_MAX), FakeServer() as server, await Client.connect(server.target) as client:
            await test(server, client)

    asyncio.run(body())


async def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition of the server's state; `run` bounds it."""
    while not condition():  # noqa: ASYNC110  what is waited for happens behind sockets and in threads
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def serving(client: Client, **options: Any) -> AsyncIterator[Worker]:
    """A worker with all workflows and activities of this module."""
    given: dict[str, Any] = {"workflows": WORKFLOWS, "activities": ACTIVITIES, "graceful_stop_timeout": 2, **options}
    async with Worker(client, "list", **given) as worker:
        yield worker


@activity.defn
async def charge(order: Order) -> Receipt:
    assert isinstance(order, Order)
    return Receipt(f"{order.amount} {order.item} paid")


@activity.defn(name="Shout")
def shout(text: str) -> str:
    assert threading.current_thread() is not threading.main_thread()
    activity.heartbeat("halfway")
    return text.upper()


@workflow.defn
class OrderWorkflow:
    def __init__(self) -> None:
        self.approved = ""
        self.stage = "new"

    @workflow.run
    async def run(self, order: Order) -> Receipt:
        receipt = await workflow.execute_activity(charge, order, start_to_close_timeout=10)
        self.stage = "charged"
        await asyncio.sleep(3600)
        self.stage = "waited"
        await workflow.wait_condition(lambda: self.approved != "")
        text = await workflow.execute_activity(shout, f"{receipt.text} by {self.approved}", start_to_close_timeout=10)
        return Receipt(text)

    @workflow.signal
    def approve(self, who: str) -> None:
        self.approved = who

    @workflow.query
    def current_stage(self) -> str:
        return self.stage


def test_a_workflow_with_activities_timer_signal_and_query() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with serving(client) as worker:
            handle = await client.start_workflow(OrderWorkflow.run, Order("tea", 2), id="o-1", task_list="list")
            result = asyncio.create_task(handle.result())
            await until(lambda: bool(server.run_of("o-1").timers))
            assert await handle.query(OrderWorkflow.current_stage) == "charged"
            server.fire_timers("o-1")
            await handle.signal(OrderWorkflow.approve, "ann")
            assert await result == Receipt("2 TEA PAID BY ANN")
            sticky = {request.sticky_attributes.worker_task_list.name for request in server.of("RespondDecisionTaskCompleted")}
            assert sticky == {worker.sticky_list, ""}, "sticky until the decision that closes"
            assert not server.of("GetWorkflowExecutionHistory")[1:], "the result is one call, the cache saved all re-reads"
            with pytest.raises(errors.WorkflowAlreadyCompletedError):
                await handle.signal("approve", "late")

    run(body)


def test_without_sticky_cache_every_decision_replays_the_whole_history() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with serving(client, sticky_cache_size=0):
            handle = await client.start_workflow(OrderWorkflow, Order("tea", 2), id="o-1", task_list="list")
            await handle.signal("approve", "bob")
            await until(lambda: bool(server.run_of("o-1").timers))
            assert await handle.query("current_stage") == "charged"
            server.fire_timers("o-1")
            assert await handle.result() == Receipt("2 TEA PAID BY BOB")

    run(body)


def test_a_lost_cache_entry_is_made_good_by_reading_the_history() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with serving(client, sticky_cache_size=1):
            first = await client.start_workflow(OrderWorkflow, Order("tea", 1), id="o-1", task_list="list")
            await until(lambda: bool(server.run_of("o-1").timers))
            await client.start_workflow(OrderWorkflow, Order("tea", 1), id="o-2", task_list="list")
            await until(lambda: bool(server.run_of("o-2").timers))
            server.fire_timers("o-1")
            await first.signal("approve", "ann")
            assert await first.result() == Receipt("1 TEA PAID BY ANN")
            assert len([r for r in server.of("GetWorkflowExecutionHistory") if not r.wait_for_new_event]) >= 1

    run(body)


failed_once: set[str] = set()


@activity.defn
async def flaky(key: str) -> str:
    if key not in failed_once:
        failed_once.add(key)
        activity.heartbeat({"progress": 3})
        raise ValueError("first time")
    return f"attempt {activity.info().attempt} found {activity.heartbeat_details()}"


@workflow.defn
async def retries(key: str) -> str:
    return await workflow.execute_activity(
        flaky, key, start_to_close_timeout=5, heartbeat_timeout=5, retry_policy=RetryPolicy(maximum_attempts=2)
    )


def test_a_failed_attempt_is_retried_and_finds_its_heartbeat_details() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with serving(client):
            result = await client.execute_workflow(retries, "k", id="r", task_list="list")
            assert result == "attempt 1 found [{'progress': 3}]"

    failed_once.clear()
    run(body)


@activity.defn
async def fatal() -> None:
    raise errors.ApplicationError("no such card", {"card": 1}, type="CardError")


@workflow.defn
async def fails() -> None:
    await workflow.execute_activity(fatal, start_to_close_timeout=5)


def test_a_failure_reaches_the_client_with_type_message_and_details() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with serving(client):
            with pytest.raises(errors.WorkflowFailedError) as caught:
                await client.execute_workflow(fails, id="f", task_list="list")
            cause = caught.value.cause
            assert isinstance(cause, errors.ApplicationError)
            assert (cause.type, cause.message, list(cause.details)) == ("CardError", "no such card", [{"card": 1}])

    run(body)


@activity.defn
async def slow() -> str:
    try:
        while True:
            activity.heartbeat("still here")
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        assert activity.is_cancelled()
        raise


@activity.defn
def slow_thread() -> str:
    stop = threading.Event()
    while True:
        activity.heartbeat("still here")
        stop.wait(0.02)


@workflow.defn
async def cancellable(name: str) -> str:
    try:
        return str(await workflow.execute_activity(
            name, start_to_close_timeout=60, heartbeat_timeout=0.25, cancellation=workflow.CancellationType.WAIT
        ))  # fmt: skip
    except asyncio.CancelledError:
        await workflow.sleep(1)
        raise


@pytest.mark.parametrize("name", ["slow", "slow_thread"])
def test_cancelling_a_workflow_cancels_its_activity_by_heartbeat(name: str) -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with serving(client):
            handle = await client.start_workflow(cancellable, name, id="c", task_list="list")
            await until(lambda: bool(server.of("RecordActivityTaskHeartbeat")))
            await handle.cancel("enough")
            await until(lambda: bool(server.run_of("c").timers))
            assert len(server.of("RespondActivityTaskCanceled")) == 1
            server.fire_timers("c")
            with pytest.raises(errors.WorkflowCancelledError):
                await handle.result()

    run(body)


@activity.defn
async def by_hand() -> str:
    tokens.append((activity.info().task_token, activity.info().activity_id))
    activity.complete_async()


tokens: list[tuple[bytes, str]] = []


@workflow.defn
async def waits_for_hand() -> str:
    first = await workflow.execute_activity(by_hand, start_to_close_timeout=60)
    return first + await workflow.execute_activity(by_hand, start_to_close_timeout=60)


def test_activities_completed_from_outside_by_token_and_by_id() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with serving(client):
            handle = await client.start_workflow(waits_for_hand, id="h", task_list="list")
            await until(lambda: len(tokens) == 1)
            await client.activity_by_token(tokens[0][0]).complete("by token, ")
            await until(lambda: len(tokens) == 2)
            await client.activity_by_id("h", tokens[1][1]).complete("by id")
            assert await handle.result() == "by token, by id"

    tokens.clear()
    run(body)


@workflow.defn
async def counts(number: int) -> int:
    if number < 3:
        workflow.continue_as_new(number + 1)
    return number


def test_result_follows_continue_as_new() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with serving(client):
            handle = await client.start_workflow(counts, 1, id="n", task_list="list")
            assert await handle.result() == 3
            with pytest.raises(errors.WorkflowContinuedAsNewError):
                await handle.result(follow_runs=False)

    run(body)


@workflow.defn
async def many(count: int) -> list[int]:
    async def one(number: int) -> int:
        return await workflow.execute_activity(double, number, start_to_close_timeout=10)

    return await asyncio.gather(*(one(number) for number in range(count)))


held: list[int] = []
gate = asyncio.Event()


@activity.defn
async def double(number: int) -> int:
    held.append(number)
    await gate.wait()
    return number * 2


def test_concurrency_is_bounded_before_polling() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        gate.clear()
        held.clear()
        async with serving(client, max_concurrent_activities=3, activity_pollers=8):
            result = asyncio.create_task(client.execute_workflow(many, 30, id="m", task_list="list"))
            await until(lambda: len(held) == 3)
            assert await client.get_workflow_handle("m").query("__query_types") != []  # the worker is not stuck
            assert len(server.of("PollForActivityTask")) == 3, "no poll without a free slot"
            gate.set()
            assert await result == [2 * n for n in range(30)]

    run(body)


def test_decisions_that_come_with_the_acknowledgement_are_taken_at_once() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        gate.set()
        async with serving(client, decision_pollers=1, sticky_pollers=1):
            await asyncio.gather(
                *(client.execute_workflow(many, 10, id=f"m-{n}", task_list="list") for n in range(10))
            )
        started = sum(
            event.HasField("decision_task_started_event_attributes")
            for run in server.runs.values()
            for event in run.history.events
        )
        answered = len([1 for name, _ in server.calls if name == "RespondDecisionTaskCompleted"])
        assert answered == started, "each decision was made once"

    run(body)


code = {"version": 1}


@workflow.defn
async def changes() -> str:
    if code["version"] == 1:
        await workflow.execute_activity("Shout", "a", start_to_close_timeout=5)
    await workflow.sleep(5)
    return "done"


def test_non_determinism_is_reported_once_and_heals_with_the_old_code() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        code["version"] = 1
        async with serving(client, sticky_cache_size=0):
            handle = await client.start_workflow(changes, id="v", task_list="list")
            await until(lambda: bool(server.run_of("v").timers))
            code["version"] = 2
            server.fire_timers("v")
            await until(lambda: bool(server.of("RespondDecisionTaskFailed")))
            failed = server.of("RespondDecisionTaskFailed")
            assert b"NonDeterminismError" in failed[0].details.data
            await until(lambda: server.run_of("v").state == "started")  # attempt 1 was taken
        assert len(failed) == len(server.of("RespondDecisionTaskFailed")), "attempt 1 is not reported"
        await until(lambda: server.polls == 0)  # the cancelled polls have left, none of them takes the next task
        code["version"] = 1
        run = server.run_of("v")
        run.history.decision_timed_out()
        run.state = "idle"
        server.want_decision(run)
        async with serving(client, sticky_cache_size=0):
            assert await handle.result() == "done"

    run(body)


def test_passing_errors_are_retried_with_the_same_request_id_and_typed_ones_are_raised() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        server.failures["StartWorkflowExecution"] = [
            Refusal(grpc.StatusCode.UNAVAILABLE, "going down"),
            Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", api.ServiceBusyError()),
        ]
        handle = await client.start_workflow("any", id="x", task_list="nobody")
        requests = server.of("StartWorkflowExecution")
        assert len(requests) == 3
        assert len({request.request_id for request in requests}) == 1
        with pytest.raises(errors.WorkflowAlreadyStartedError) as caught:
            await client.start_workflow("any", id="x", task_list="nobody")
        assert caught.value.run_id == handle.run_id
        server.failures["StartWorkflowExecution"] = [
            Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "too big", api.LimitExceededError())
        ]
        with pytest.raises(errors.LimitExceededError):
            await client.start_workflow("any", id="y", task_list="nobody")
        with pytest.raises(errors.EntityNotExistsError):
            await client.get_workflow_handle("unknown").describe()
        sent = server.metadata[0]
        assert sent["rpc-service"] == "cadence-frontend"
        assert sent["cadence-client-name"] == "tenuto-python"
        assert sent["cadence-client-feature-version"] == "1.7.0"

    run(body)


def test_terminate_list_and_history() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        handles = [await client.start_workflow("any", id=f"t-{n}", task_list="nobody") for n in range(3)]
        assert [found.workflow_execution.workflow_id async for found in client.list_workflows()] == ["t-0", "t-1", "t-2"]
        await handles[0].terminate("broken")
        with pytest.raises(errors.WorkflowTerminatedError, match="broken"):
            await handles[0].result()
        assert [event.event_id async for event in handles[0].history()] == [1, 2, 3]

    run(body)


def test_polling_goes_on_after_failures() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        server.failures["PollForDecisionTask"] = [Refusal(grpc.StatusCode.UNAVAILABLE, "away")] * 4
        async with serving(client):
            assert await client.execute_workflow(counts, 5, id="p", task_list="list") == 5

    run(body)


def test_a_worker_of_an_unknown_domain_does_not_start() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with await Client.connect(server.target, domain="nope") as other:
            with pytest.raises(errors.EntityNotExistsError):
                await Worker(other, "list", workflows=[counts]).start()

    run(body)


begun: list[str] = []


@activity.defn
async def stubborn() -> None:
    begun.append("stubborn")
    await asyncio.sleep(3600)


@workflow.defn
async def waits_for_stubborn() -> None:
    await workflow.execute_activity(stubborn, start_to_close_timeout=3600)


def test_stopping_reports_activities_that_did_not_end_in_time() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        begun.clear()
        async with serving(client, graceful_stop_timeout=0.05):
            await client.start_workflow(waits_for_stubborn, id="s", task_list="list")
            await until(lambda: bool(begun))
        failures = [request.failure.reason for request in server.of("RespondActivityTaskFailed")]
        assert failures == ["WorkerStopped"]

    run(body)


def test_sigterm_stops_the_worker_in_good_order() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        worker = Worker(client, "list", workflows=WORKFLOWS, activities=ACTIVITIES)
        serving_until_signal = asyncio.create_task(run_until_signal(worker))
        await client.execute_workflow(counts, 5, id="t", task_list="list")
        os.kill(os.getpid(), signal.SIGTERM)
        await serving_until_signal
        await until(lambda: server.polls == 0)

    run(body)


@workflow.defn
async def asks_for_pid() -> int:
    return int(await workflow.execute_activity(os.getpid, start_to_close_timeout=10))


def test_plain_activities_may_run_in_other_processes() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            activities: list[Callable[..., Any]] = [os.getpid]
            async with Worker(
                client, "list", workflows=[asks_for_pid], activities=activities, activity_executor=pool
            ):
                assert await client.execute_workflow(asks_for_pid, id="t", task_list="list") != os.getpid()

    run(body)


@activity.defn
def sleeps_through(seconds: float) -> str:
    begun.append("sleeps")
    let_go.wait(seconds)
    return "late"


let_go = threading.Event()


@workflow.defn
async def runs_over() -> None:
    await workflow.execute_activity(sleeps_through, 5.0, start_to_close_timeout=1)


def test_an_attempt_over_its_deadline_is_left_to_the_servers_timeout() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        begun.clear()
        let_go.clear()
        async with Worker(
            client, "list", workflows=[runs_over], activities=[sleeps_through], max_concurrent_activities=1
        ):
            await client.start_workflow(runs_over, id="o", task_list="list")
            await until(lambda: bool(begun))
            await until(lambda: len(server.of("PollForActivityTask")) == 2)  # the slot is free again
            let_go.set()
        assert not server.of("RespondActivityTaskCompleted")
        assert not server.of("RespondActivityTaskFailed")

    run(body)


@activity.defn
async def tells_its_trace() -> str:
    return format(trace.get_current_span().get_span_context().trace_id, "032x")


@workflow.defn
async def is_traced() -> str:
    return await workflow.execute_activity(tells_its_trace, start_to_close_timeout=10)


def test_the_starters_trace_reaches_the_server_and_the_activity() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with Worker(client, "list", workflows=[is_traced], activities=[tells_its_trace]):
            span = trace.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=trace.TraceFlags(1))
            with trace.use_span(trace.NonRecordingSpan(span)):
                handle = await client.start_workflow(is_traced, id="t", task_list="list")
            assert await handle.result() == format(0xABC, "032x")
        sent = [headers for headers in server.metadata if "traceparent" in headers]
        assert {headers["traceparent"] for headers in sent} >= {f"00-{0xABC:032x}-{0xDEF:016x}-01"}

    run(body)


def test_signal_with_start_is_seen_by_the_first_decision() -> None:
    async def body(server: FakeServer, client: Client) -> None:
        async with serving(client):
            handle = await client.signal_with_start(
                OrderWorkflow, Order("tea", 1), signal=OrderWorkflow.approve, signal_args=["zoe"], id="w", task_list="list"
            )
            await until(lambda: bool(server.run_of("w").timers))
            server.fire_timers("w")
            assert await handle.result() == Receipt("1 TEA PAID BY ZOE")

    run(body)


WORKFLOWS = [
    OrderWorkflow, retries, fails, cancellable, waits_for_hand, counts, many, changes, waits_for_stubborn,
]  # fmt: skip
ACTIVITIES = [charge, shout, flaky, fatal, slow, slow_thread, by_hand, double, stubborn]
