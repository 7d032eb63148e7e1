"""What is wrong with a run, read off its history: timeouts with their likely causes, failures by kind, useless retries, blobs.

Pure. An issue says what happened, a root cause what probably led to it; both name each other by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tenuto_api import api

BLOB_WARN_BYTES: Final = 256 * 1024
ISSUES_MAX: Final = 1000


class Group:
    """Issues of one kind and their causes."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = []
        self.causes: list[dict[str, Any]] = []

    def add(self, kind: str, reason: str, metadata: dict[str, Any], *causes: str) -> None:
        """One more issue."""
        if len(self.issues) >= ISSUES_MAX:
            return
        number = len(self.issues)
        self.issues.append({"IssueID": number, "InvariantType": kind, "Reason": reason, "Metadata": metadata})
        self.causes += [{"IssueID": number, "RootCauseType": cause, "Metadata": metadata} for cause in causes]

    def result(self) -> dict[str, Any] | None:
        """As JSON; None where there is no issue."""
        return {"Issues": self.issues, "RootCause": self.causes} if self.issues else None


def task_lists(events: Sequence[api.HistoryEvent]) -> list[str]:
    """Lists whose pollers matter for the causes of timeouts: activities' and the workflow's own."""
    found: dict[str, None] = {}
    for event in events:
        match event.WhichOneof("attributes"):
            case "activity_task_scheduled_event_attributes":
                found[event.activity_task_scheduled_event_attributes.task_list.name] = None
            case "workflow_execution_started_event_attributes":
                found[event.workflow_execution_started_event_attributes.task_list.name] = None
            case _:
                pass
    return list(found)


def diagnose(events: Sequence[api.HistoryEvent], pollers: dict[str, int]) -> dict[str, Any]:
    """The findings. `pollers`: how many workers poll each of `task_lists` now."""
    found = _Findings(events, pollers)
    for event in events:
        found.look_at(event)
    return {
        "Timeouts": found.timeouts.result(),
        "Failures": found.failures.result(),
        "Retries": found.retries.result(),
        "Blobs": found.blobs.result(),
    }


class _Findings:
    def __init__(self, events: Sequence[api.HistoryEvent], pollers: dict[str, int]) -> None:
        self._by_id = {event.event_id: event for event in events}
        self._pollers = pollers
        self._task_list = ""
        self.timeouts, self.failures, self.retries, self.blobs = Group(), Group(), Group(), Group()

    def look_at(self, event: api.HistoryEvent) -> None:
        name = (event.WhichOneof("attributes") or "").removesuffix("_event_attributes")
        look = getattr(self, f"_{name}", None)
        if look is not None:
            look(event)
        size = event.ByteSize()
        if size > BLOB_WARN_BYTES:
            self.blobs.add("Large event", f"{name} has {size} bytes", {"EventID": event.event_id, "Bytes": size})

    def _nobody(self, task_list: str) -> tuple[str, ...]:
        """The cause of what waits on a list that nobody polls."""
        if self._pollers.get(task_list, 0) == 0:
            return ("There are currently no pollers for the tasklist",)
        return ("There are pollers for the tasklist: they may be too few, or too slow",)

    # --- the run -------------------------------------------------------------------------------------------------------
    def _workflow_execution_started(self, event: api.HistoryEvent) -> None:
        begun = event.workflow_execution_started_event_attributes
        self._task_list = begun.task_list.name
        if begun.HasField("retry_policy"):
            timeout_s = begun.execution_start_to_close_timeout.seconds
            self._check_policy(begun.retry_policy, event.event_id, "workflow", timeout_s)

    def _workflow_execution_timed_out(self, event: api.HistoryEvent) -> None:
        metadata = {"EventID": event.event_id, "Tasklist": self._task_list, "ExecutionTimeout": self._execution_timeout_s()}
        self.timeouts.add("Workflow Timeout", "START_TO_CLOSE", metadata, *self._nobody(self._task_list))

    def _execution_timeout_s(self) -> int:
        first = self._by_id.get(1)
        if first is None:
            return 0
        return first.workflow_execution_started_event_attributes.execution_start_to_close_timeout.seconds

    def _workflow_execution_failed(self, event: api.HistoryEvent) -> None:
        self._failed("Workflow Failed", event.event_id, event.workflow_execution_failed_event_attributes.failure, {})

    # --- decisions -----------------------------------------------------------------------------------------------------
    def _decision_task_timed_out(self, event: api.HistoryEvent) -> None:
        timed_out = event.decision_task_timed_out_event_attributes
        kind = _timeout(timed_out.timeout_type)
        causes: tuple[str, ...] = ("The worker may have died, or the workflow's code blocked it",)
        if kind == "SCHEDULE_TO_START":
            causes = self._nobody(self._task_list)
        self.timeouts.add("Decision Timeout", kind, {"EventID": event.event_id, "Tasklist": self._task_list}, *causes)

    def _decision_task_failed(self, event: api.HistoryEvent) -> None:
        failed = event.decision_task_failed_event_attributes
        cause = api.DecisionTaskFailedCause.Name(failed.cause).removeprefix("DECISION_TASK_FAILED_CAUSE_")
        self._failed("Decision Failed", event.event_id, failed.failure, {"Cause": cause, "Identity": failed.identity})

    # --- activities ----------------------------------------------------------------------------------------------------
    def _activity_task_scheduled(self, event: api.HistoryEvent) -> None:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.HasField("retry_policy"):
            timeout_s = scheduled.schedule_to_close_timeout.seconds
            self._check_policy(scheduled.retry_policy, event.event_id, f"activity {scheduled.activity_id}", timeout_s)

    def _activity_task_timed_out(self, event: api.HistoryEvent) -> None:
        timed_out = event.activity_task_timed_out_event_attributes
        kind = _timeout(timed_out.timeout_type)
        scheduled = self._by_id[timed_out.scheduled_event_id].activity_task_scheduled_event_attributes
        task_list = scheduled.task_list.name
        heartbeat_s = scheduled.heartbeat_timeout.seconds
        metadata = {
            "EventID": event.event_id,
            "ActivityID": scheduled.activity_id,
            "ActivityType": scheduled.activity_type.name,
            "Tasklist": task_list,
            "HeartBeatTimeout": heartbeat_s,
            "HasRetryPolicy": scheduled.HasField("retry_policy"),
        }
        causes: tuple[str, ...]
        if kind in ("SCHEDULE_TO_START", "SCHEDULE_TO_CLOSE") and not timed_out.started_event_id:
            causes = self._nobody(task_list)
        elif kind == "HEARTBEAT":
            causes = ("The worker died, or did not heartbeat within the heartbeat timeout",)
        elif not heartbeat_s:
            causes = ("HeartBeat timeout is not set: the death of a worker is noticed by this timeout only",)
        else:
            causes = ("The activity took longer than this timeout, though it sent heartbeats",)
        if not scheduled.HasField("retry_policy"):
            causes = (*causes, "There is no retry policy")
        self.timeouts.add("Activity Timeout", kind, metadata, *causes)

    def _activity_task_failed(self, event: api.HistoryEvent) -> None:
        failed = event.activity_task_failed_event_attributes
        scheduled = self._by_id[failed.scheduled_event_id].activity_task_scheduled_event_attributes
        kind = scheduled.activity_type.name
        metadata = {"ActivityID": scheduled.activity_id, "ActivityType": kind, "Identity": failed.identity}
        self._failed("Activity Failed", event.event_id, failed.failure, metadata)

    # --- children ------------------------------------------------------------------------------------------------------
    def _child_workflow_execution_timed_out(self, event: api.HistoryEvent) -> None:
        child = event.child_workflow_execution_timed_out_event_attributes
        metadata = {"EventID": event.event_id, "WorkflowID": child.workflow_execution.workflow_id}
        self.timeouts.add("Child Workflow Timeout", _timeout(child.timeout_type), metadata, "Diagnose the child workflow")

    def _child_workflow_execution_failed(self, event: api.HistoryEvent) -> None:
        child = event.child_workflow_execution_failed_event_attributes
        metadata = {"WorkflowID": child.workflow_execution.workflow_id}
        self._failed("Child Workflow Failed", event.event_id, child.failure, metadata)

    # --- what they share -----------------------------------------------------------------------------------------------
    def _failed(self, kind: str, event_id: int, failure: api.Failure, metadata: dict[str, Any]) -> None:
        reason = failure.reason
        if reason == "cadenceInternal:Panic":
            cause = "There is a panic in the worker's code"
        elif reason.startswith("cadenceInternal:Timeout"):
            cause = "Something within timed out"
        elif reason.endswith("_EXCEEDS_LIMIT"):
            cause = "A blob is larger than allowed"
        else:
            cause = "There is an issue in the worker's code"
        self.failures.add(kind, reason or "no reason given", {"EventID": event_id, **metadata}, cause)

    def _check_policy(self, policy: api.RetryPolicy, event_id: int, whose: str, timeout_s: int) -> None:
        metadata = {"EventID": event_id, "Of": whose, "MaximumAttempts": policy.maximum_attempts}
        if policy.maximum_attempts == 1:
            self.retries.add("Retry policy without effect", "MaximumAttempts is 1: nothing is ever retried", metadata)
        expiration_s = policy.expiration_interval.seconds
        if expiration_s and policy.initial_interval.seconds > expiration_s:
            self.retries.add("Retry policy without effect", "ExpirationInterval is less than InitialInterval", metadata)
        if timeout_s and not policy.maximum_attempts and expiration_s > timeout_s and whose == "workflow":
            reason = "ExpirationInterval is longer than one run's timeout: each run starts anew"
            self.retries.add("Retry policy", reason, metadata)


def _timeout(kind: api.TimeoutType) -> str:
    return api.TimeoutType.Name(kind).removeprefix("TIMEOUT_TYPE_")
