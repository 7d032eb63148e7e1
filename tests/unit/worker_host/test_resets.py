"""Where a batch resets a run to, by each reset type."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tenuto.client import BaseConnection
from tenuto.errors import BadRequestError
from tenuto_api import api
from tenuto_server.worker_host import resets

# One event a second, from second 1; the run before has the same events.
KINDS = (
    "workflow_execution_started", "decision_task_scheduled", "decision_task_started", "decision_task_completed",
    "decision_task_scheduled", "decision_task_started", "decision_task_completed",
    "workflow_execution_signaled", "decision_task_scheduled", "decision_task_started", "decision_task_completed",
)  # fmt: skip
PAGE = 4


class Histories(BaseConnection):
    """Answers with the histories of "run" and of "before", which continued as "run", and with their reset points."""

    async def call_once(self, method: Any, request: Any, timeout: float = 10.0) -> Any:
        """A page, or a description."""
        if method.name == "DescribeWorkflowExecution":
            described = api.DescribeWorkflowExecutionResponse()
            points = described.workflow_execution_info.auto_reset_points.points
            points.add(binary_checksum="bad", run_id="before", first_decision_completed_id=4, resettable=False)
            points.add(binary_checksum="bad", run_id="before", first_decision_completed_id=7, resettable=True)
            return described
        events = []
        for event_id, kind in enumerate(KINDS, 1):
            event = api.HistoryEvent(event_id=event_id)
            event.event_time.seconds = event_id
            getattr(event, f"{kind}_event_attributes").SetInParent()
            events.append(event)
        if request.workflow_execution.run_id == "run":
            events[0].workflow_execution_started_event_attributes.continued_execution_run_id = "before"
        at = int(request.next_page_token or b"0")
        page = api.GetWorkflowExecutionHistoryResponse()
        if at + PAGE < len(events):
            page.next_page_token = str(at + PAGE).encode()
        page.history.events.extend(events[at : at + PAGE])
        return page


def found(run_id: str = "run", **given: Any) -> tuple[str, int]:
    wanted = msgspec.convert(given, resets.Reset)
    resets.check(wanted)
    run = api.WorkflowExecution(workflow_id="w", run_id=run_id)
    base, event_id = asyncio.run(resets.point(Histories("me"), "d", run, wanted))
    return base.run_id, event_id


def at(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ResetType": "FirstDecisionCompleted"}, ("run", 4)),
        ({"ResetType": "LastDecisionCompleted"}, ("run", 11)),
        ({"ResetType": "LastDecisionCompleted", "DecisionOffset": -1}, ("run", 7)),
        ({"ResetType": "LastDecisionCompleted", "DecisionOffset": -50}, ("run", 4)),
        ({"ResetType": "FirstDecisionScheduled"}, ("run", 3)),
        ({"ResetType": "LastDecisionScheduled"}, ("run", 10)),
        ({"ResetType": "DecisionCompletedTime", "EarliestTime": at(5)}, ("run", 7)),
        ({"ResetType": "DecisionCompletedTime", "LatestTime": at(10)}, ("run", 7)),
        ({"ResetType": "LastContinuedAsNew"}, ("before", 11)),
        ({"ResetType": "BadBinary", "BadBinaryChecksum": "bad"}, ("before", 7)),
    ],
)
def test_each_reset_type_has_its_event(given: dict[str, Any], expected: tuple[str, int]) -> None:
    assert found(**given) == expected


@pytest.mark.parametrize(
    ("run_id", "given"),
    [
        ("before", {"ResetType": "LastContinuedAsNew"}),
        ("run", {"ResetType": "BadBinary", "BadBinaryChecksum": "good"}),
        ("run", {"ResetType": "DecisionCompletedTime", "EarliestTime": at(12)}),
        ("run", {"ResetType": "DecisionCompletedTime", "LatestTime": at(3)}),
    ],
)
def test_a_run_without_such_an_event_is_refused(run_id: str, given: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError, match="nothing to reset to"):
        found(run_id, **given)


@pytest.mark.parametrize(
    "given",
    [
        {}, {"ResetType": "Sometime"}, {"ResetType": "BadBinary"}, {"ResetType": "DecisionCompletedTime"},
        {"ResetType": "DecisionCompletedTime", "EarliestTime": at(1), "LatestTime": at(2)},
        {"ResetType": "FirstDecisionCompleted", "LatestTime": at(2)},
        {"ResetType": "DecisionCompletedTime", "LatestTime": "2026-01-01T00:00:00"},
        {"ResetType": "LastDecisionCompleted", "DecisionOffset": 1},
    ],
)  # fmt: skip
def test_what_is_no_way_to_reset_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must provide|not supported"):
        found(**given)
