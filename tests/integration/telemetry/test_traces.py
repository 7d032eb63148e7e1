"""One run's trace as an OTLP receiver gets it: its shape, also when the server was restarted in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tenuto._rpc.connection import WorkerRpc, WorkflowRpc, new_request_id
from tenuto_api import api
from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.transport.grpc_acceptor import GrpcAcceptor
from tenuto_server.transport.settings import AcceptorSettings
from tests.integration.embedded.serving import NETWORKS, Raw, complete
from tests.integration.telemetry.otlp import Receiver, Trace, receiving

TIME_S = 60.0
API = "uber.cadence.api.v1"
START = f"{API}.WorkflowAPI/StartWorkflowExecution"
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"}


@asynccontextmanager
async def serving(receiver: Receiver, store: str, network: str, ratio: float = 1.0) -> AsyncIterator[str]:
    """A server whose traces go to the receiver, and its address."""
    settings = EmbeddedSettings(
        store, network=network, system_workers=False, otlp_endpoint=receiver.address, trace_ratio=ratio
    )
    server = EmbeddedServer(settings)
    await server.start()
    acceptor = GrpcAcceptor(server.handle, AcceptorSettings(address="127.0.0.1:0", stop_grace_s=0.1))
    await acceptor.start()
    try:
        yield acceptor.address
    finally:
        await acceptor.stop()
        await server.stop()


@asynccontextmanager
async def raw(address: str, headers: dict[str, str] | None = None) -> AsyncIterator[Raw]:
    """A client and worker without OpenTelemetry; `headers` go out with its calls."""
    both = Raw(address)
    await both.connection.close()
    both.connection = type(both.connection)(address, identity="raw", headers=headers)
    try:
        yield both
    finally:
        await both.connection.close()


def activity(attempts: int) -> api.Decision:
    """Schedules an activity that may be tried so often."""
    decision = api.Decision()
    wanted = decision.schedule_activity_task_decision_attributes
    wanted.activity_id = "a"
    wanted.activity_type.name = "act"
    wanted.task_list.name = "tl"
    wanted.schedule_to_close_timeout.seconds = 60
    wanted.retry_policy.initial_interval.nanos = 1_000_000
    wanted.retry_policy.initial_interval.seconds = 1
    wanted.retry_policy.backoff_coefficient = 1
    wanted.retry_policy.maximum_attempts = attempts
    return decision


async def attempt(worker: Raw, *, fail: bool) -> None:
    """One attempt of the activity."""
    poll = api.PollForActivityTaskRequest(domain="default", task_list=api.TaskList(name="tl"), identity="raw")
    task = await worker.connection.call_once(WorkerRpc.poll_activity, poll, 20)
    assert task.task_token
    if fail:
        failure = api.Failure(reason="not yet")
        failed = api.RespondActivityTaskFailedRequest(task_token=task.task_token, failure=failure, identity="raw")
        await worker.connection.call_once(WorkerRpc.failed, failed)
    else:
        done = api.RespondActivityTaskCompletedRequest(task_token=task.task_token, identity="raw")
        await worker.connection.call_once(WorkerRpc.completed, done)


async def story(client: Raw, worker: Raw) -> None:
    """A run with an activity that fails once, and a signal."""
    execution = await client.start()
    await worker.decide(await worker.poll(), activity(attempts=3))
    await attempt(worker, fail=True)
    await attempt(worker, fail=False)
    await worker.signal(execution)
    await worker.decide(await worker.poll(), complete())


def done(trace: Trace) -> bool:
    return len(trace.named("history.RespondDecisionTaskCompleted")) == 2


def check_story(trace: Trace) -> None:
    """The shape of the story's trace, whoever began it."""
    assert len(trace.ids) == 1
    start = trace.one(START)
    assert start.attributes["rpc.response.status_code"] == "OK"
    assert start.attributes["tenuto.domain"] == "default"
    assert start.attributes["tenuto.workflow.id"] == "w"
    begun = trace.one("history.StartWorkflowExecution")
    assert trace.line(begun)[:2] == ["history.StartWorkflowExecution", START]
    assert set(begun.attributes) == {"tenuto.domain", "tenuto.workflow.id", "tenuto.run.id", "tenuto.shard.id"}
    # Waits for pollers are below the start, the starts of tasks below the waits.
    assert [trace.parent(one) for one in trace.named("matching.decision")] == [START, START]
    assert [trace.parent(one) for one in trace.named("matching.activity")] == [START, START]
    above = [trace.parent(one) for one in trace.named("history.StartTask")]
    assert above == ["matching.decision", "matching.activity", "matching.activity", "matching.decision"]
    # What an untraced worker answers is in the run's trace nevertheless.
    answers = {"RespondDecisionTaskCompleted": 2, "RespondActivityTaskFailed": 1, "RespondActivityTaskCompleted": 1}
    for name, count in answers.items():
        assert [trace.parent(one) for one in trace.named(f"history.{name}")] == [START] * count, name
    assert trace.parent(trace.one("history.SignalWorkflowExecution")) == START
    appends = trace.named("history.log.append")
    assert len(appends) >= 4
    assert all(trace.parent(one).startswith("history.") for one in appends)
    runs = {one.attributes["tenuto.run.id"] for one in trace.spans if "tenuto.run.id" in one.attributes}
    assert len(runs) == 1
    for one in trace.spans:
        above_it = trace.by_id.get(one.parent_id)
        assert above_it is None or one.name.startswith("matching.") or one.span.start_time_unix_nano >= (
            above_it.span.start_time_unix_nano - 2_000_000
        ), (one, above_it)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_trace_that_begins_at_the_server(network: str) -> None:
    async def test() -> None:
        async with asyncio.timeout(TIME_S), receiving() as receiver:
            async with serving(receiver, "memory://", network) as address, raw(address) as both:
                await story(both, both)
            trace = await receiver.until(done)
            check_story(trace)
            assert trace.one(START).parent_id == ""

    asyncio.run(test())


def test_a_trace_that_the_client_began(tmp_path: Path) -> None:
    """And in the middle of it the server is stopped, and another goes on with its database."""

    async def test() -> None:
        async with asyncio.timeout(TIME_S), receiving() as receiver:
            store = f"sqlite:///{tmp_path}/t.db"
            async with (
                serving(receiver, store, "streams", 0.0) as address,
                raw(address, CALLER) as client,
                raw(address) as worker,
            ):
                execution = await client.start()
                await worker.decide(await worker.poll(), activity(attempts=3))
                await attempt(worker, fail=True)
            before = len(receiver.spans)
            assert before
            async with serving(receiver, store, "streams", 0.0) as address, raw(address) as worker:
                await attempt(worker, fail=False)
                await worker.signal(execution)
                await worker.decide(await worker.poll(), complete())
            trace = await receiver.until(done)
            assert len(receiver.spans) > before
            # Below the client's own span, where that would be shown; so the server's waits and answers are beside its call.
            start = trace.one(START)
            assert (start.trace_id, start.parent_id) == (TRACE_ID, SPAN_ID)
            assert trace.ids == {TRACE_ID}
            check_story(trace)

    asyncio.run(test())


def test_a_header_names_the_trace_as_jaegers_users_write_it() -> None:
    async def test() -> None:
        async with asyncio.timeout(TIME_S), receiving() as receiver:
            async with serving(receiver, "memory://", "in-process", 0.0) as address, raw(address) as both:
                request = api.StartWorkflowExecutionRequest(
                    domain="default", workflow_id="w", workflow_type=api.WorkflowType(name="t"),
                    task_list=api.TaskList(name="tl"), request_id=new_request_id(),
                )  # fmt: skip
                request.execution_start_to_close_timeout.seconds = 100
                request.task_start_to_close_timeout.seconds = 10
                request.header.fields["uber-trace-id"].data = f"{TRACE_ID}:{SPAN_ID}:0:1".encode()
                await both.connection.call(WorkflowRpc.start, request)
                task = await both.poll()
                # Handed on as it was given, and nothing more.
                header = task.history.events[0].workflow_execution_started_event_attributes.header
                assert {key: value.data for key, value in header.fields.items()} == {
                    "uber-trace-id": request.header.fields["uber-trace-id"].data
                }
                await both.decide(task, complete())
            trace = await receiver.until(lambda trace: bool(trace.named("history.RespondDecisionTaskCompleted")))
            assert trace.ids == {TRACE_ID}
            assert {one.parent_id for one in trace.named("matching.decision")} == {SPAN_ID}

    asyncio.run(test())


def test_what_is_not_sampled_leaves_nothing() -> None:
    async def test() -> None:
        async with asyncio.timeout(TIME_S), receiving() as receiver:
            async with serving(receiver, "memory://", "in-process", 0.0) as address, raw(address) as both:
                await story(both, both)
            assert receiver.spans == []

    asyncio.run(test())


def test_a_signal_of_another_trace_is_linked() -> None:
    other = "00-11111111111111111111111111111111-2222222222222222-01"

    async def test() -> None:
        async with asyncio.timeout(TIME_S), receiving() as receiver:
            async with (
                serving(receiver, "memory://", "streams", 0.0) as address,
                raw(address, CALLER) as client,
                raw(address, {"traceparent": other}) as signaller,
            ):
                await signaller.signal(await client.start())
            trace = await receiver.until(lambda trace: bool(trace.named("history.SignalWorkflowExecution")))
            call, turn = trace.one(f"{API}.WorkflowAPI/SignalWorkflowExecution"), trace.one("history.SignalWorkflowExecution")
            assert call.trace_id == "1" * 32
            assert turn.trace_id == TRACE_ID
            assert turn.links == [call.span_id]

    asyncio.run(test())
