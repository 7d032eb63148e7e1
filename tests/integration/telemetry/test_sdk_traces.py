"""One run's trace with the SDK's client and worker, which have an OpenTelemetry of their own."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tenuto import activity, workflow
from tenuto.client import Client
from tenuto.errors import ApplicationError
from tenuto.worker import Worker
from tenuto_server.telemetry import logs
from tests.integration.telemetry.otlp import Received, Receiver, Trace, receiving
from tests.integration.telemetry.test_traces import API, START, TIME_S, serving

tries: list[str] = []


@activity.defn
async def second_time_lucky() -> str:
    """Fails once; tells in which trace it runs."""
    tries.append(format(trace.get_current_span().get_span_context().span_id, "016x"))
    if len(tries) == 1:
        raise ApplicationError("not yet", type="NotYet")
    return "done"


@workflow.defn
async def child() -> str:
    """Ends at once."""
    return "child"


@workflow.defn
async def parent() -> str:
    """An activity, a timer, and a child."""
    result = await workflow.execute_activity(
        second_time_lucky,
        start_to_close_timeout=10,
        retry_policy=workflow.RetryPolicy(initial_interval=1, backoff_coefficient=1, maximum_attempts=3),
    )
    await workflow.sleep(1)
    return result + await workflow.execute_child(child, id="child")


@contextmanager
def sdk_exporting(receiver: Receiver) -> Iterator[None]:
    """This process's own spans go to the receiver, as of the service "client"."""
    provider = TracerProvider(resource=Resource.create({"service.name": "client"}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=receiver.address, insecure=True)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=50))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        # The receiver is in this very loop: no waiting for it here.
        exporter.shutdown(timeout_millis=0)


def ended(whole: Trace) -> bool:
    decisions = whole.named("Decision:parent") + whole.named("Decision:child")
    # With or without one between the child's start and its end.
    return (
        len(decisions) in (5, 6)
        and len(whole.named("history.RespondDecisionTaskCompleted")) == len(decisions)
        and bool(whole.named("history.call.tell_parent"))
        and not lost(whole)
    )


def lost(whole: Trace) -> list[Received]:
    """Spans whose parent is not there."""
    return [one for one in whole.spans if one.parent_id and one.parent_id not in whole.by_id]


def check(whole: Trace) -> None:
    def parents(name: str) -> list[str]:
        return [whole.parent(one) for one in whole.named(name)]

    def answers(rpc: str) -> list[str]:
        return parents(f"{API}.WorkerAPI/{rpc}")

    assert len(whole.ids) == 1
    begun = whole.one("StartWorkflow:parent")
    assert (begun.service, begun.parent_id) == ("client", "")
    [start] = [one for one in whole.named(START) if one.parent_id == begun.span_id]
    assert start.service == "tenuto"
    assert whole.parent(whole.one("history.StartWorkflowExecution")) == START
    assert set(parents("Decision:parent")) == {begun.name}
    # The activity is below the decision that scheduled it, both attempts; the child as well.
    first = whole.named("Decision:parent")[0]
    attempts = whole.named("Activity:second_time_lucky")
    assert [one.parent_id for one in attempts] == [first.span_id] * 2
    assert [one.failed for one in attempts] == [True, False]
    assert [one.attributes["tenuto.activity.attempt"] for one in attempts] == [0, 1]
    assert [one.span_id for one in attempts] == tries
    assert {one.parent_id for one in whole.named("matching.activity")} == {first.span_id}
    assert set(parents("Decision:child")) == {"Decision:parent"}
    assert parents("history.StartChild") == [begun.name]
    # What workers answer is below their spans, and history's turn below that.
    assert set(answers("RespondDecisionTaskCompleted")) == {"Decision:parent", "Decision:child"}
    assert answers("RespondActivityTaskFailed") == ["Activity:second_time_lucky"]
    assert answers("RespondActivityTaskCompleted") == ["Activity:second_time_lucky"]
    assert parents("history.RespondActivityTaskFailed") == [f"{API}.WorkerAPI/RespondActivityTaskFailed"]
    assert parents("history.alarm.timer") == [begun.name]


def test_a_run_from_the_clients_call_to_its_end() -> None:
    tries.clear()

    async def test() -> None:
        async with asyncio.timeout(TIME_S), receiving() as receiver:
            with sdk_exporting(receiver):
                async with serving(receiver, "memory://", "streams", 0.0) as address:
                    client = await Client.connect(address, domain="default")
                    async with client, Worker(
                        client, "tl", workflows=[parent, child], activities=[second_time_lucky], local_dispatch=False
                    ):
                        assert await client.execute_workflow(parent, id="w", task_list="tl") == "donechild"
                whole = await receiver.until(ended)
            check(whole)

    asyncio.run(test())


def test_log_lines_of_a_worker_and_a_server_name_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    tries.clear()
    stream = io.StringIO()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.INFO)

    async def test() -> None:
        async with asyncio.timeout(TIME_S), receiving() as receiver:
            with sdk_exporting(receiver):
                async with serving(receiver, "memory://", "in-process", 0.0) as address:
                    logs.setup("info", "json", stream)
                    client = await Client.connect(address, domain="default")
                    async with client, Worker(client, "tl", workflows=[parent, child], activities=[second_time_lucky]):
                        await client.execute_workflow(parent, id="w", task_list="tl")
                whole = await receiver.until(lambda got: bool(got.named("StartWorkflow:parent")))
            lines: list[dict[str, Any]] = [json.loads(line) for line in stream.getvalue().splitlines()]
            [failed] = [line for line in lines if "activity second_time_lucky failed" in line["message"]]
            assert failed["logger"] == "tenuto.worker"
            assert (failed["domain"], failed["workflow_id"], len(failed["run_id"])) == ("default", "w", 36)
            assert failed["trace_id"] == whole.one("StartWorkflow:parent").trace_id

    asyncio.run(test())


def test_the_sdk_does_without_opentelemetry() -> None:
    code = """
import sys
import tenuto, tenuto.client, tenuto.worker, tenuto.workflow
from tenuto._rpc import tracing
from tenuto_api import api
loaded = [name for name in sys.modules if name.startswith("opentelemetry")]
assert not loaded, loaded
header = api.Header()
header.fields["traceparent"].data = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
with tracing.worker_span("x", header.fields, {}):
    assert tracing.current() == {"traceparent": header.fields["traceparent"].data.decode()}
    tracing.failed(ValueError())
assert tracing.current() == {}
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
