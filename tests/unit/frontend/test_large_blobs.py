"""A large blob is told of in the log, with the names of whose it is, before blobs are refused."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tenuto_api import api
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.frontend.validation import Limits
from tests.unit.frontend.fakes import DOMAIN, REQUEST_ID, RUN_ID, Bench, run, task_token

SETTINGS = FrontendSettings(limits=Limits(blob_bytes_max=1000, blob_bytes_warn=300))
EXECUTION = api.WorkflowExecution(workflow_id="order-1", run_id=RUN_ID)


def start(size: int) -> api.StartWorkflowExecutionRequest:
    request = api.StartWorkflowExecutionRequest(domain=DOMAIN, workflow_id="order-1", request_id=REQUEST_ID)
    request.workflow_type.name = request.task_list.name = "t"
    request.execution_start_to_close_timeout.seconds = request.task_start_to_close_timeout.seconds = 10
    request.input.data = b"x" * size
    return request


def requests(size: int) -> dict[str, Any]:
    payload = api.Payload(data=b"x" * size)
    signal: dict[str, Any] = {"signal_name": "s", "signal_input": payload}
    by_id: dict[str, Any] = {"domain": DOMAIN, "workflow_execution": EXECUTION, "activity_id": "a"}
    return {
        "WorkflowAPI/StartWorkflowExecution": start(size),
        "WorkflowAPI/SignalWithStartWorkflowExecution": api.SignalWithStartWorkflowExecutionRequest(
            start_request=start(0), **signal
        ),
        "WorkflowAPI/SignalWorkflowExecution": api.SignalWorkflowExecutionRequest(
            domain=DOMAIN, workflow_execution=EXECUTION, **signal
        ),
        "WorkflowAPI/TerminateWorkflowExecution": api.TerminateWorkflowExecutionRequest(
            domain=DOMAIN, workflow_execution=EXECUTION, details=payload
        ),
        "WorkerAPI/RespondActivityTaskCompleted": api.RespondActivityTaskCompletedRequest(
            task_token=task_token(), result=payload
        ),
        "WorkerAPI/RecordActivityTaskHeartbeatByID": api.RecordActivityTaskHeartbeatByIDRequest(details=payload, **by_id),
    }


@pytest.mark.parametrize("rpc", list(requests(0)))
def test_a_large_blob_is_told_of(rpc: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with Bench(SETTINGS) as bench:
            for size, told in ((300, 0), (301, 1)):
                caplog.clear()
                await bench.call(f"uber.cadence.api.v1.{rpc}", requests(size)[rpc].SerializeToString())
                lines = [one.getMessage() for one in caplog.records if "large blob" in one.getMessage()]
                assert len(lines) == told, lines
                assert all(f"{size} bytes, domain {DOMAIN}, workflow order-1" in line for line in lines), lines

    with caplog.at_level(logging.WARNING, "tenuto_server"):
        run(scenario())
