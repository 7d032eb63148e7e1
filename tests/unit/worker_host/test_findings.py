"""Diagnoses, read off histories made by hand."""

from __future__ import annotations

from typing import Any

from tenuto_api import api
from tenuto_server.worker_host.diagnostics.findings import diagnose, task_lists


def history(**closing: Any) -> list[api.HistoryEvent]:
    """A run with one activity, and one more event."""
    started = api.WorkflowExecutionStartedEventAttributes(task_list=api.TaskList(name="deciders"))
    scheduled = api.ActivityTaskScheduledEventAttributes(
        activity_id="a", activity_type=api.ActivityType(name="pack"), task_list=api.TaskList(name="packers")
    )
    return [
        api.HistoryEvent(event_id=1, workflow_execution_started_event_attributes=started),
        api.HistoryEvent(event_id=2, activity_task_scheduled_event_attributes=scheduled),
        api.HistoryEvent(event_id=3, **closing),
    ]


def timed_out(kind: api.TimeoutType, started_id: int = 0) -> list[api.HistoryEvent]:
    attributes = api.ActivityTaskTimedOutEventAttributes(scheduled_event_id=2, started_event_id=started_id, timeout_type=kind)
    return history(activity_task_timed_out_event_attributes=attributes)


def causes(found: dict[str, Any], group: str) -> list[str]:
    return [cause["RootCauseType"] for cause in found[group]["RootCause"]]


def test_a_healthy_run_has_no_issue() -> None:
    events = history(workflow_execution_completed_event_attributes=api.WorkflowExecutionCompletedEventAttributes())
    assert diagnose(events, {}) == {"Timeouts": None, "Failures": None, "Retries": None, "Blobs": None}
    assert task_lists(events) == ["deciders", "packers"]


def test_an_activity_that_nobody_took() -> None:
    events = timed_out(api.TIMEOUT_TYPE_SCHEDULE_TO_START)
    found = diagnose(events, {"packers": 0})
    (issue,) = found["Timeouts"]["Issues"]
    assert (issue["InvariantType"], issue["Reason"]) == ("Activity Timeout", "SCHEDULE_TO_START")
    assert issue["Metadata"]["ActivityType"] == "pack"
    assert causes(found, "Timeouts") == ["There are currently no pollers for the tasklist", "There is no retry policy"]
    assert "There are pollers" in causes(diagnose(events, {"packers": 3}), "Timeouts")[0]


def test_an_activity_without_heartbeats() -> None:
    found = diagnose(timed_out(api.TIMEOUT_TYPE_START_TO_CLOSE, started_id=2), {})
    assert "HeartBeat timeout is not set" in causes(found, "Timeouts")[0]


def test_failures_by_kind() -> None:
    attributes = api.ActivityTaskFailedEventAttributes(
        scheduled_event_id=2, failure=api.Failure(reason="cadenceInternal:Panic")
    )
    found = diagnose(history(activity_task_failed_event_attributes=attributes), {})
    assert found["Failures"]["Issues"][0]["Reason"] == "cadenceInternal:Panic"
    assert causes(found, "Failures") == ["There is a panic in the worker's code"]


def test_a_retry_policy_without_effect_and_a_large_event() -> None:
    policy = api.RetryPolicy(maximum_attempts=1)
    started = api.WorkflowExecutionStartedEventAttributes(retry_policy=policy, input=api.Payload(data=bytes(300_000)))
    found = diagnose([api.HistoryEvent(event_id=1, workflow_execution_started_event_attributes=started)], {})
    assert "MaximumAttempts is 1" in found["Retries"]["Issues"][0]["Reason"]
    assert found["Blobs"]["Issues"][0]["Metadata"]["EventID"] == 1
