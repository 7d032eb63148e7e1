"""Workers' answers: what travels on as it is, and what is too large and fails the activity instead."""

from __future__ import annotations

from typing import Any

import pytest

from tenuto_api import api
from tenuto_server.errors import BadRequest
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.frontend.validation import Limits
from tests.unit.frontend.fakes import DOMAIN, Bench, run, task_token

SMALL = FrontendSettings(limits=Limits(blob_bytes_max=100))
FITS, LARGE = b"x" * 100, b"x" * 101
EXECUTION = api.WorkflowExecution(workflow_id="order-1")
BY_TOKEN: dict[str, Any] = {"task_token": task_token(), "identity": "w"}
BY_ID: dict[str, Any] = {"domain": DOMAIN, "workflow_execution": EXECUTION, "activity_id": "a", "identity": "w"}


def _requests(details: bytes) -> list[tuple[str, api.RespondActivityTaskCompletedRequest, str]]:
    """RPC, request that carries the details, reason that it fails with where they are too large."""
    payload, failure = api.Payload(data=details), api.Failure(reason="", details=details)
    rows: list[tuple[str, Any, str]] = [
        (
            "RespondActivityTaskCompleted",
            api.RespondActivityTaskCompletedRequest(**BY_TOKEN, result=payload),
            "COMPLETE_RESULT_EXCEEDS_LIMIT",
        ),
        (
            "RespondActivityTaskFailed",
            api.RespondActivityTaskFailedRequest(**BY_TOKEN, failure=failure),
            "FAILURE_DETAILS_EXCEEDS_LIMIT",
        ),
        (
            "RespondActivityTaskCanceled",
            api.RespondActivityTaskCanceledRequest(**BY_TOKEN, details=payload),
            "CANCEL_DETAILS_EXCEEDS_LIMIT",
        ),
        (
            "RecordActivityTaskHeartbeat",
            api.RecordActivityTaskHeartbeatRequest(**BY_TOKEN, details=payload),
            "HEARTBEAT_EXCEEDS_LIMIT",
        ),
        (
            "RespondActivityTaskCompletedByID",
            api.RespondActivityTaskCompletedByIDRequest(**BY_ID, result=payload),
            "COMPLETE_RESULT_EXCEEDS_LIMIT",
        ),
        (
            "RespondActivityTaskFailedByID",
            api.RespondActivityTaskFailedByIDRequest(**BY_ID, failure=failure),
            "FAILURE_DETAILS_EXCEEDS_LIMIT",
        ),
        (
            "RespondActivityTaskCanceledByID",
            api.RespondActivityTaskCanceledByIDRequest(**BY_ID, details=payload),
            "CANCEL_DETAILS_EXCEEDS_LIMIT",
        ),
        (
            "RecordActivityTaskHeartbeatByID",
            api.RecordActivityTaskHeartbeatByIDRequest(**BY_ID, details=payload),
            "HEARTBEAT_EXCEEDS_LIMIT",
        ),
    ]
    return rows


def test_what_fits_travels_as_it_is() -> None:
    async def scenario() -> None:
        async with Bench(SMALL) as bench:
            bench.history.answer = lambda _: b"answer"
            for rpc, request, _ in _requests(FITS):
                body = request.SerializeToString()
                assert await bench.call(f"WorkerAPI/{rpc}", body) == b"answer"
                sent = bench.history.requests()[-1]
                assert (bench.history.calls[-1].method, sent.workflow_id, sent.request) == (rpc, "order-1", body)

    run(scenario())


def test_what_is_too_large_fails_the_activity_with_a_reason() -> None:
    async def scenario() -> None:
        async with Bench(SMALL) as bench:
            for rpc, request, reason in _requests(LARGE):
                answer = await bench.call(f"WorkerAPI/{rpc}", request.SerializeToString())
                by_id = rpc.endswith("ByID")
                assert bench.history.calls[-1].method == f"RespondActivityTaskFailed{'ByID' if by_id else ''}"
                sent = bench.history.requests()[-1].request
                failure = api.Failure(reason=reason, details=FITS)
                if by_id:
                    assert api.RespondActivityTaskFailedByIDRequest.FromString(sent) == api.RespondActivityTaskFailedByIDRequest(
                        **BY_ID, failure=failure
                    )
                else:
                    assert api.RespondActivityTaskFailedRequest.FromString(sent) == api.RespondActivityTaskFailedRequest(
                        **BY_TOKEN, failure=failure
                    )
                if "Heartbeat" in rpc:
                    assert api.RecordActivityTaskHeartbeatResponse.FromString(answer).cancel_requested
                else:
                    assert answer == b""

    run(scenario())


def test_details_of_a_failed_decision_are_cut() -> None:
    async def scenario() -> None:
        async with Bench(SMALL) as bench:
            request = api.RespondDecisionTaskFailedRequest(
                **BY_TOKEN,
                details=api.Payload(data=LARGE),
                cause=api.DECISION_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
            )
            await bench.call("WorkerAPI/RespondDecisionTaskFailed", request.SerializeToString())
            request.details.data = FITS
            assert bench.history.requests()[0].request == request.SerializeToString()

    run(scenario())


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"domain": ""}, "Domain not set on request."),
        ({"workflow_execution": api.WorkflowExecution()}, "WorkflowId is not set on request."),
        ({"workflow_execution": api.WorkflowExecution(workflow_id="w", run_id="r")}, "Invalid RunId."),
        ({"activity_id": ""}, "ActivityID is not set on request."),
        ({"activity_id": "a" * 1001}, "ActivityID length exceeds limit."),
        ({"identity": "a" * 1001}, "Identity length exceeds limit."),
    ],
)
def test_by_id_needs_its_names(changes: dict[str, Any], text: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = api.RecordActivityTaskHeartbeatByIDRequest(**{**BY_ID, **changes})
            with pytest.raises(BadRequest) as refused:
                await bench.call("WorkerAPI/RecordActivityTaskHeartbeatByID", request.SerializeToString())
            assert refused.value.message == text

    run(scenario())


def test_enums_out_of_the_interface_never_reach_history() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            failed = api.RespondActivityTaskFailedRequest(**BY_TOKEN)
            failed.failure.options.MergeFromString(b"\x08\x09")
            with pytest.raises(BadRequest, match=r"Unknown FailureCategory: 9\."):
                await bench.call("WorkerAPI/RespondActivityTaskFailed", failed.SerializeToString())
            decision = api.RespondDecisionTaskFailedRequest(**BY_TOKEN)
            decision.MergeFromString(b"\x10\x63")
            with pytest.raises(BadRequest, match=r"Unknown DecisionTaskFailedCause: 99\."):
                await bench.call("WorkerAPI/RespondDecisionTaskFailed", decision.SerializeToString())
            assert bench.history.calls == []

    run(scenario())
