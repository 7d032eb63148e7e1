"""Requests of clients and workers, made of the words of a script."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from google.protobuf.duration_pb2 import Duration

from tenuto_api import api
from tenuto_server.history.engine.state import SECOND
from tenuto_server.history.engine.turn import timestamp


class Words:
    """The words of a line: positional ones in order, and NAME=VALUE. Each must be used."""

    def __init__(self, words: list[str]) -> None:
        self._named = dict(_named(word) for word in words if _is_named(word))
        self._plain = [_repeated(word) for word in words if not _is_named(word)]

    def take(self) -> str:
        """The next positional word."""
        return self._plain.pop(0)

    def last(self) -> str:
        """The last positional word."""
        return self._plain.pop()

    def flag(self, word: str) -> bool:
        """Whether the word is there."""
        there = word in self._plain
        if there:
            self._plain.remove(word)
        return there

    def has(self, name: str) -> bool:
        """Whether NAME= is there and not yet used."""
        return name in self._named

    def text(self, name: str) -> str:
        """The value of NAME=, empty where it is not there."""
        return self._named.pop(name, "")

    def number(self, name: str, default: int) -> int:
        """The value of NAME= as a number."""
        value = self._named.pop(name, "")
        return int(value) if value else default

    def seconds(self, name: str) -> int:
        """The value of NAME= in whole seconds, 0 where it is not there."""
        return int(self.text(name).removesuffix("s") or 0)

    def duration(self, name: str) -> Duration | None:
        """The value of NAME= as a duration: "10", "10s" or "0.5s"."""
        return _duration(self.text(name)) if self.has(name) else None

    def nanoseconds(self) -> int:
        """The next positional word as a time span."""
        return int(float(self.take().removesuffix("s")) * SECOND)

    def payload(self, name: str) -> api.Payload | None:
        """The value of NAME= as a payload."""
        return api.Payload(data=self.text(name).encode()) if self.has(name) else None

    def payloads(self, name: str) -> dict[str, api.Payload]:
        """The value of NAME=, "key:value,key:value", as payloads by key."""
        pairs = (pair.split(":", 1) for pair in self.text(name).split(",") if pair)
        return {key: api.Payload(data=value.encode()) for key, value in pairs}

    def retry(self, name: str = "retry") -> api.RetryPolicy | None:
        """The value of NAME= as a retry policy: "initial=1s,coefficient=2,maximum=10s,attempts=3,expiration=60s,
        final=Bad|Worse"."""
        if not self.has(name):
            return None
        parts = dict(part.split("=", 1) for part in self.text(name).split(","))
        policy = api.RetryPolicy(
            initial_interval=_duration(parts.pop("initial", "1")),
            backoff_coefficient=float(parts.pop("coefficient", "2")),
            maximum_attempts=int(parts.pop("attempts", "0")),
            non_retryable_error_reasons=[reason for reason in parts.pop("final", "").split("|") if reason],
        )
        if "maximum" in parts:
            policy.maximum_interval.CopyFrom(_duration(parts.pop("maximum")))
        if "expiration" in parts:
            policy.expiration_interval.CopyFrom(_duration(parts.pop("expiration")))
        assert not parts, f"unknown in a retry policy: {parts}"
        return policy

    def end(self) -> None:
        """All words must have been used."""
        assert not self._plain and not self._named, f"unknown: {self._plain} {self._named}"


def _is_named(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.replace("-", "").isalpha()


def _named(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, _repeated(value)


def _repeated(value: str) -> str:
    text, tilde, times = value.rpartition("~")
    return text * int(times) if tilde and times.isdigit() else value


def _duration(text: str) -> Duration:
    nanos = int(float(text.removesuffix("s")) * SECOND)
    return Duration(seconds=int(nanos / SECOND), nanos=nanos - int(nanos / SECOND) * SECOND)


def _overlap(words: Words) -> api.CronOverlapPolicy:
    """`buffer-one`, or nothing for the interface's default."""
    return api.CRON_OVERLAP_POLICY_BUFFER_ONE if words.flag("buffer-one") else api.CRON_OVERLAP_POLICY_INVALID


def start(words: Words, now: int) -> api.StartWorkflowExecutionRequest:
    """A start request; what is not given has a usual value."""
    request = api.StartWorkflowExecutionRequest(
        domain="dom",
        workflow_id="wf",
        workflow_type=api.WorkflowType(name=words.text("type") or "greet"),
        task_list=api.TaskList(name=words.text("list") or "tl"),
        execution_start_to_close_timeout=words.duration("timeout") or Duration(seconds=100),
        task_start_to_close_timeout=words.duration("task") or Duration(seconds=10),
        identity="client",
        request_id=words.text("id") or "start",
        delay_start=words.duration("delay"),
        jitter_start=words.duration("jitter-start"),
        cron_schedule=words.text("cron"),
        cron_overlap_policy=_overlap(words),
        input=words.payload("input"),
        retry_policy=words.retry(),
    )
    if words.has("first-run"):
        request.first_run_at.CopyFrom(timestamp(now + int(float(words.text("first-run").removesuffix("s")) * SECOND)))
    if words.has("memo"):
        request.memo.CopyFrom(api.Memo(fields=words.payloads("memo")))
    if words.has("search"):
        request.search_attributes.CopyFrom(api.SearchAttributes(indexed_fields=words.payloads("search")))
    if words.has("header"):
        request.header.CopyFrom(api.Header(fields=words.payloads("header")))
    return request


def decisions(words: Words, given: list[str]) -> api.RespondDecisionTaskCompletedRequest:
    """A completed decision task: one decision a line."""
    request = api.RespondDecisionTaskCompletedRequest(
        identity="worker",
        force_create_new_decision_task=words.flag("force"),
        binary_checksum=words.text("checksum"),
        decisions=[decision(line) for line in given],
    )
    if words.has("sticky"):
        name, _, timeout = words.text("sticky").partition("/")
        request.sticky_attributes.worker_task_list.name = name
        request.sticky_attributes.schedule_to_start_timeout.CopyFrom(_duration(timeout))
    return request


def decision(line: str) -> api.Decision:
    """One decision."""
    words = Words(shlex.split(line))
    made = _DECISIONS[words.take()](words)
    words.end()
    return made


def _activity(words: Words) -> api.Decision:
    attributes = api.ScheduleActivityTaskDecisionAttributes(
        activity_id=words.take(),
        activity_type=api.ActivityType(name=words.text("type") if words.has("type") else "charge"),
        domain=words.text("domain"),
        task_list=api.TaskList(name=words.text("list")),
        schedule_to_start_timeout=words.duration("to-start"),
        schedule_to_close_timeout=words.duration("to-close"),
        start_to_close_timeout=words.duration("run"),
        heartbeat_timeout=words.duration("beat"),
        input=words.payload("input"),
        retry_policy=words.retry(),
    )
    if words.has("header"):
        attributes.header.CopyFrom(api.Header(fields=words.payloads("header")))
    attributes.request_local_dispatch = words.flag("local")
    return api.Decision(schedule_activity_task_decision_attributes=attributes)


def _timer(words: Words) -> api.Decision:
    return api.Decision(
        start_timer_decision_attributes=api.StartTimerDecisionAttributes(
            timer_id=words.take(), start_to_fire_timeout=_duration(words.take())
        )
    )


def _cancel_timer(words: Words) -> api.Decision:
    return api.Decision(cancel_timer_decision_attributes=api.CancelTimerDecisionAttributes(timer_id=words.take()))


def _cancel_activity(words: Words) -> api.Decision:
    return api.Decision(
        request_cancel_activity_task_decision_attributes=api.RequestCancelActivityTaskDecisionAttributes(
            activity_id=words.take()
        )
    )


def _marker(words: Words) -> api.Decision:
    return api.Decision(
        record_marker_decision_attributes=api.RecordMarkerDecisionAttributes(
            marker_name=words.take(), details=words.payload("details")
        )
    )


def _upsert(words: Words) -> api.Decision:
    fields = words.payloads("search")
    return api.Decision(
        upsert_workflow_search_attributes_decision_attributes=api.UpsertWorkflowSearchAttributesDecisionAttributes(
            search_attributes=api.SearchAttributes(indexed_fields=fields)
        )
    )


def _complete(words: Words) -> api.Decision:
    return api.Decision(
        complete_workflow_execution_decision_attributes=api.CompleteWorkflowExecutionDecisionAttributes(
            result=words.payload("result")
        )
    )


def _fail(words: Words) -> api.Decision:
    failure = api.Failure(reason=words.take(), details=words.text("details").encode())
    return api.Decision(
        fail_workflow_execution_decision_attributes=api.FailWorkflowExecutionDecisionAttributes(failure=failure)
    )


def _cancel(words: Words) -> api.Decision:
    return api.Decision(
        cancel_workflow_execution_decision_attributes=api.CancelWorkflowExecutionDecisionAttributes(
            details=words.payload("details")
        )
    )


def _continue(words: Words) -> api.Decision:
    attributes = api.ContinueAsNewWorkflowExecutionDecisionAttributes(
        execution_start_to_close_timeout=words.duration("timeout"),
        task_start_to_close_timeout=words.duration("task"),
        backoff_start_interval=words.duration("delay"),
        cron_schedule=words.text("cron"),
        cron_overlap_policy=_overlap(words),
        jitter_start=words.duration("jitter-start"),
        input=words.payload("input"),
        last_completion_result=words.payload("last-result"),
        retry_policy=words.retry(),
    )
    if words.has("type"):
        attributes.workflow_type.name = words.text("type")
    if words.has("list"):
        attributes.task_list.name = words.text("list")
    if words.has("memo"):
        attributes.memo.CopyFrom(api.Memo(fields=words.payloads("memo")))
    if words.has("search"):
        attributes.search_attributes.CopyFrom(api.SearchAttributes(indexed_fields=words.payloads("search")))
    if words.has("header"):
        attributes.header.CopyFrom(api.Header(fields=words.payloads("header")))
    return api.Decision(continue_as_new_workflow_execution_decision_attributes=attributes)


def _child(words: Words) -> api.Decision:
    attributes = api.StartChildWorkflowExecutionDecisionAttributes(
        workflow_id=words.take(),
        workflow_type=api.WorkflowType(name=words.text("type") if words.has("type") else "greet"),
        domain=words.text("domain"),
        execution_start_to_close_timeout=words.duration("timeout"),
        task_start_to_close_timeout=words.duration("task"),
        cron_schedule=words.text("cron"),
        control=words.text("control").encode(),
        input=words.payload("input"),
        retry_policy=words.retry(),
    )
    if words.has("list"):
        attributes.task_list.name = words.text("list")
    if words.has("policy"):
        policy: Any = api.ParentClosePolicy.Value("PARENT_CLOSE_POLICY_" + words.text("policy"))
        attributes.parent_close_policy = policy
    if words.has("reuse"):
        reuse: Any = api.WorkflowIdReusePolicy.Value("WORKFLOW_ID_REUSE_POLICY_" + words.text("reuse"))
        attributes.workflow_id_reuse_policy = reuse
    if words.has("memo"):
        attributes.memo.CopyFrom(api.Memo(fields=words.payloads("memo")))
    if words.has("search"):
        attributes.search_attributes.CopyFrom(api.SearchAttributes(indexed_fields=words.payloads("search")))
    if words.has("header"):
        attributes.header.CopyFrom(api.Header(fields=words.payloads("header")))
    return api.Decision(start_child_workflow_execution_decision_attributes=attributes)


def _external(words: Words) -> api.WorkflowExecution | None:
    """The workflow that is meant; "-" for none."""
    workflow_id, run_id = words.take(), words.text("run")
    return None if workflow_id == "-" else api.WorkflowExecution(workflow_id=workflow_id, run_id=run_id)


def _signal_external(words: Words) -> api.Decision:
    attributes = api.SignalExternalWorkflowExecutionDecisionAttributes(
        workflow_execution=_external(words),
        signal_name=words.take(),
        domain=words.text("domain"),
        input=words.payload("input"),
        control=words.text("control").encode(),
        child_workflow_only=words.flag("child-only"),
    )
    return api.Decision(signal_external_workflow_execution_decision_attributes=attributes)


def _cancel_external(words: Words) -> api.Decision:
    attributes = api.RequestCancelExternalWorkflowExecutionDecisionAttributes(
        workflow_execution=_external(words),
        domain=words.text("domain"),
        control=words.text("control").encode(),
        child_workflow_only=words.flag("child-only"),
    )
    return api.Decision(request_cancel_external_workflow_execution_decision_attributes=attributes)


def parent(words: Words) -> api.ParentExecutionInfo | None:
    """The value of parent=WORKFLOW/RUN/INITIATED as whose child a run starts."""
    if not words.has("parent"):
        return None
    workflow_id, run_id, initiated_id = words.text("parent").split("/")
    execution = api.WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    return api.ParentExecutionInfo(
        domain_id="dom", domain_name="dom", workflow_execution=execution, initiated_id=int(initiated_id)
    )


def closing_event(how: str, value: str) -> api.HistoryEvent:
    """The last event of a child that ended so."""
    payload = api.Payload(data=value.encode()) if value else None
    match how:
        case "completed":
            completed = api.WorkflowExecutionCompletedEventAttributes(result=payload)
            return api.HistoryEvent(workflow_execution_completed_event_attributes=completed)
        case "failed":
            failed = api.WorkflowExecutionFailedEventAttributes(failure=api.Failure(reason=value))
            return api.HistoryEvent(workflow_execution_failed_event_attributes=failed)
        case "canceled":
            canceled = api.WorkflowExecutionCanceledEventAttributes(details=payload)
            return api.HistoryEvent(workflow_execution_canceled_event_attributes=canceled)
        case "timed-out":
            timed_out = api.WorkflowExecutionTimedOutEventAttributes(timeout_type=api.TIMEOUT_TYPE_START_TO_CLOSE)
            return api.HistoryEvent(workflow_execution_timed_out_event_attributes=timed_out)
        case _:
            assert how == "terminated", f"a child cannot end as {how}"
            terminated = api.WorkflowExecutionTerminatedEventAttributes(reason=value)
            return api.HistoryEvent(workflow_execution_terminated_event_attributes=terminated)


_DECISIONS: dict[str, Callable[[Words], api.Decision]] = {
    "activity": _activity,
    "timer": _timer,
    "cancel-timer": _cancel_timer,
    "cancel-activity": _cancel_activity,
    "marker": _marker,
    "upsert": _upsert,
    "complete": _complete,
    "fail": _fail,
    "cancel": _cancel,
    "continue": _continue,
    "child": _child,
    "signal-external": _signal_external,
    "cancel-external": _cancel_external,
    "nothing": lambda _words: api.Decision(),
}
