"""Decisions that would make a run too large fail it: a payload over the limit, a history over its limits, too many activities.

Neither a retry policy nor a cron schedule helps against that, so the run closes as failed at once. What happened unseen in the
meantime is written down before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenuto_api import api
from tenuto_server.history.engine import decision_task
from tenuto_server.history.engine.turn import Turn

BLOB_EXCEEDS = "DECISION_BLOB_SIZE_EXCEEDS_LIMIT"
HISTORY_EXCEEDS = "HISTORY_EXCEEDS_LIMIT"
ACTIVITIES_EXCEED = "PENDING_ACTIVITIES_EXCEEDS_LIMIT"


def check_history(turn: Turn, completed_id: int) -> None:
    """Fails the run if its history is larger than it may be."""
    state, limits = turn.state, turn.limits
    if state.history_bytes > limits.history_bytes_max or state.next_event_id - 1 > limits.history_events_max:
        _fail(turn, completed_id, HISTORY_EXCEEDS, "Workflow history size / count exceeds limit.")


def fails(turn: Turn, completed_id: int, wanted: api.Decision) -> bool:
    """Fails the run if this decision would make it too large; True then."""
    limits = turn.limits
    name = wanted.WhichOneof("attributes") or ""
    if name == "schedule_activity_task_decision_attributes":
        pending_max = limits.pending_activities_max
        if pending_max and len(turn.state.activities) >= pending_max:
            _fail(turn, completed_id, ACTIVITIES_EXCEED, f"More than {pending_max} activities are pending.")
            return True
    found = blob_over(wanted, limits.blob_bytes_max)
    if found is None:
        return False
    _fail(turn, completed_id, BLOB_EXCEEDS, f"{found[0]} exceeds size limit.")
    return True


def blob_over(wanted: api.Decision, bytes_max: int) -> tuple[str, int] | None:
    """What the payload of a decision is called, and its size in bytes, where that is over a limit."""
    if wanted.ByteSize() <= bytes_max:
        return None
    name = wanted.WhichOneof("attributes") or ""
    found = _BLOBS.get(name)
    if found is None:
        return None
    size = found[1](getattr(wanted, name))
    return (found[0], size) if size > bytes_max else None


def _fail(turn: Turn, completed_id: int, reason: str, details: str) -> None:
    decision_task.flush(turn)
    turn.event(
        workflow_execution_failed_event_attributes=api.WorkflowExecutionFailedEventAttributes(
            failure=api.Failure(reason=reason, details=details.encode()), decision_task_completed_event_id=completed_id
        )
    )


def _search_attributes_size(wanted: Any) -> int:
    return sum(len(key) + len(payload.data) for key, payload in wanted.search_attributes.indexed_fields.items())


# The payload of a decision: what it is called, and its size.
_BLOBS: dict[str, tuple[str, Callable[[Any], int]]] = {
    "schedule_activity_task_decision_attributes": (
        "ScheduleActivityTaskDecisionAttributes.Input",
        lambda wanted: len(wanted.input.data),
    ),
    "complete_workflow_execution_decision_attributes": (
        "CompleteWorkflowExecutionDecisionAttributes.Result",
        lambda wanted: len(wanted.result.data),
    ),
    "fail_workflow_execution_decision_attributes": (
        "FailWorkflowExecutionDecisionAttributes.Details",
        lambda wanted: len(wanted.failure.details),
    ),
    "cancel_workflow_execution_decision_attributes": (
        "CancelWorkflowExecutionDecisionAttributes.Details",
        lambda wanted: len(wanted.details.data),
    ),
    "continue_as_new_workflow_execution_decision_attributes": (
        "ContinueAsNewWorkflowExecutionDecisionAttributes.Input",
        lambda wanted: len(wanted.input.data),
    ),
    "record_marker_decision_attributes": (
        "RecordMarkerDecisionAttributes.Details",
        lambda wanted: len(wanted.details.data),
    ),
    "start_child_workflow_execution_decision_attributes": (
        "StartChildWorkflowExecutionDecisionAttributes.Input",
        lambda wanted: len(wanted.input.data),
    ),
    "signal_external_workflow_execution_decision_attributes": (
        "SignalExternalWorkflowExecutionDecisionAttributes.Input",
        lambda wanted: len(wanted.input.data),
    ),
    "upsert_workflow_search_attributes_decision_attributes": (
        "UpsertWorkflowSearchAttributesDecisionAttributes",
        _search_attributes_size,
    ),
}
