"""The demo as users run it: on a server of its own, and on a cluster on Cassandra that loses a process in the middle."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import grpc.aio
import pytest

from tenuto_api import admin, api
from tests.cassandra.provision import Cassandra
from tests.chaos.scenarios import keyspace_url
from tests.e2e.child import Child
from tests.e2e.cluster import Cluster, Node
from tests.e2e.raw import HEADERS, RawClient
from tests.integration.telemetry.otlp import Trace, receiving

DEMO = Path(__file__).parents[2] / "sdk" / "samples" / "demo.py"
DEMO_SECONDS = 90.0
LOOK_SECONDS = 0.05
START = "uber.cadence.api.v1.WorkflowAPI/StartWorkflowExecution"
DESCRIBE = "/uber.cadence.admin.v1.AdminAPI/DescribeWorkflowExecution"
# What the history must tell, in this order; a decision stands between most of them.
TOLD = (
    "WorkflowExecutionStarted", "ActivityTaskCompleted", "last_failure=ConnectionError", "TimerStarted", "TimerFired",
    "activity_type=ship", "WorkflowExecutionCompleted",
)  # fmt: skip


def _demo(tmp_path: Path, *arguments: str) -> Child:
    demo = Child("demo", tmp_path / "demo.log")
    demo.run([sys.executable, "-u", str(DEMO), *arguments], {**os.environ, "TMPDIR": str(tmp_path)})
    return demo


def _assert_told(text: str) -> None:
    assert "payment='payment-" in text and "tracking='track-" in text, text
    at = 0
    for wanted in TOLD:
        at = text.find(wanted, at)
        assert at >= 0, f"{wanted} is missing in its place:\n{text}"


def test_on_a_server_of_its_own(tmp_path: Path) -> None:
    with _demo(tmp_path) as demo:
        assert demo.wait(DEMO_SECONDS) == 0, demo.output()
        text = demo.log.read_text()
    _assert_told(text)
    assert "Server stopped" in text


@pytest.mark.cassandra
def test_on_a_cluster_that_loses_its_history_process(cassandra: Cassandra, tmp_path: Path) -> None:
    """The process that has the order is killed while the parcel is packed; the other goes on, also with the order's trace."""
    asyncio.run(_lose_one(keyspace_url(cassandra), tmp_path))


async def _lose_one(url: str, tmp_path: Path) -> None:
    async with receiving() as receiver:
        traces = {"traces.endpoint": receiver.address, "traces.ratio": 1.0}
        with Cluster(tmp_path, url, acceptor="auto", settings=traces) as cluster:
            await cluster.up()
            with _demo(tmp_path, "--address", cluster.address) as demo:
                workflow_id = await _said(demo, r"the workflow (\S+) starts")
                await _until_packing(cluster.address, workflow_id)
                lost = await _owner(cluster, workflow_id)
                lost_instance = f"/{lost.pid}"
                lost.kill()
                assert await asyncio.to_thread(demo.wait, DEMO_SECONDS) == 0, demo.output() + cluster.output()
                _assert_told(demo.log.read_text())

            def goes_on(trace: Trace) -> bool:
                """Whether the process that took over has told of the order, in the trace that began with its start."""
                ours = [one for one in trace.spans if workflow_id in map(str, one.attributes.values())]
                begun = {one.trace_id for one in ours if one.name == START and one.service == "tenuto-frontend"}
                later = {
                    one.trace_id for one in ours if one.service == "tenuto-history" and not one.instance.endswith(lost_instance)
                }
                return len(begun) == 1 and later == begun

            await receiver.until(goes_on)


async def _said(demo: Child, pattern: str) -> str:
    async with asyncio.timeout(DEMO_SECONDS):
        while not (found := re.search(pattern, demo.output())):
            assert demo.is_up, demo.output()
            await asyncio.sleep(LOOK_SECONDS)
    return found[1]


async def _until_packing(address: str, workflow_id: str) -> None:
    request = api.GetWorkflowExecutionHistoryRequest(
        domain="default", workflow_execution=api.WorkflowExecution(workflow_id=workflow_id), page_size=1000
    )
    async with asyncio.timeout(DEMO_SECONDS), RawClient(address) as client:
        while True:
            history = (await client.call(request)).history
            if any(event.WhichOneof("attributes") == "timer_started_event_attributes" for event in history.events[-3:]):
                return
            await asyncio.sleep(LOOK_SECONDS)


async def _owner(cluster: Cluster, workflow_id: str) -> Node:
    request = admin.DescribeWorkflowExecutionRequest(
        domain="default", workflow_execution=api.WorkflowExecution(workflow_id=workflow_id)
    )
    async with grpc.aio.insecure_channel(cluster.address) as channel:
        call = channel.unary_unary(
            DESCRIBE,
            request_serializer=admin.DescribeWorkflowExecutionRequest.SerializeToString,
            response_deserializer=admin.DescribeWorkflowExecutionResponse.FromString,
        )
        answer = await call(request, metadata=HEADERS)
    return next(node for node in cluster.of("history") if f"history serves as {answer.history_addr}" in node.log.read_text())
