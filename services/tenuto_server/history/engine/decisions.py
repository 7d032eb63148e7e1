"""A completed decision task: its decisions are checked as a whole, then applied in order.

A decision with bad attributes fails the decision task (an event tells the worker why, and it is tried again), never the call;
so all checks come before the first record. Only the first closing decision counts, what follows it is ignored. A closing
decision while there is news that the worker has not seen (buffered events) fails the task too: the worker must look again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from tenuto_api import api
from tenuto_server.errors import InvariantViolation
from tenuto_server.history.engine import activity, child, close, decision_task, external, search_attributes, sizes, timer
from tenuto_server.history.engine.state import Decision, RunState
from tenuto_server.history.engine.turn import Turn, evolves_event
from tenuto_server.history.engine.values import TOO_LONG, is_valid, seconds
from tenuto_server.rules import cron, retry
from tenuto_server.visibility.attributes import AttributeRules

IDENTIFIER_MAX = 1000
_RUN_ID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
RESERVED_TASK_LIST_PREFIX = "/__cadence_sys/"

_CLOSING = frozenset(
    {
        "complete_workflow_execution_decision_attributes",
        "fail_workflow_execution_decision_attributes",
        "cancel_workflow_execution_decision_attributes",
        "continue_as_new_workflow_execution_decision_attributes",
    }
)


@dataclass(slots=True)
class Fault:
    """Why a decision task fails."""

    cause: api.DecisionTaskFailedCause
    message: str


@dataclass(slots=True)
class _Preview:
    """What the decisions before the one being checked will have done, as far as checks ask. `unseen` are buffered events."""

    state: RunState
    activity_ids: set[str]
    timer_ids: set[str]
    unseen: list[bytes]
    children: int
    externals: int


def complete(
    turn: Turn,
    decision: Decision,
    request: api.RespondDecisionTaskCompletedRequest,
    domain: str,
    new_run_id: str,
    attributes: AttributeRules | None = None,
) -> Fault | None:
    """Completes the started decision task with the worker's decisions, or fails it. Schedules the next one where there is
    news. `new_run_id` is for a successor, if there is to be one; `attributes` are the rules for search attributes, None
    where there are none to check."""
    fault = check(turn.state, request.decisions, domain)
    if fault is None and attributes is not None:
        bad = search_attributes.fault(request.decisions, attributes)
        fault = None if bad is None else Fault(*bad)
    if fault is not None:
        fail(turn, decision, request, fault)
        return fault
    original_ns, request_id = decision.original_scheduled_ns, decision.request_id
    completed_id = decision_task.complete(turn, decision, request)
    canceled_unstarted = False
    sizes.check_history(turn, completed_id)
    for wanted in request.decisions:
        if not turn.state.is_open or sizes.fails(turn, completed_id, wanted):
            break
        canceled_unstarted |= _apply(turn, completed_id, wanted, request.identity, domain, new_run_id, request_id)
    state = turn.state
    if state.is_open and (state.buffered or canceled_unstarted or request.force_create_new_decision_task):
        decision_task.schedule(turn)
        if decision_task.is_heartbeat(request):
            decision_task.keep_original_time(turn, original_ns)
    return None


def refuse_binary(turn: Turn, decision: Decision, request: api.RespondDecisionTaskCompletedRequest) -> None:
    """Fails the started decision task: the worker's binary was marked bad."""
    message = f"binary {request.binary_checksum} is marked as bad deployment"
    fail(turn, decision, request, Fault(api.DECISION_TASK_FAILED_CAUSE_BAD_BINARY, message))


def fail(turn: Turn, decision: Decision, request: api.RespondDecisionTaskCompletedRequest, fault: Fault) -> None:
    """Fails the started decision task for what its worker made of it, and schedules the next."""
    failure = api.Failure(reason=api.DecisionTaskFailedCause.Name(fault.cause), details=fault.message.encode())
    decision_task.fail(turn, decision, fault.cause, request.identity, failure, request.binary_checksum)
    decision_task.schedule(turn)


def _apply(
    turn: Turn, completed_id: int, wanted: api.Decision, identity: str, domain: str, new_run_id: str, request_id: str
) -> bool:
    """Applies one checked decision of the task that was started for `request_id`. True if it canceled an activity that was not
    started."""
    match wanted.WhichOneof("attributes"):
        case "schedule_activity_task_decision_attributes":
            asked = wanted.schedule_activity_task_decision_attributes
            activity.schedule(turn, completed_id, asked, domain)
            if activity.is_local(turn.state, asked):
                # The deciding worker runs it. Its start has the decision's own request id: an answer that got lost can be made
                # again.
                activity.start(turn, turn.state.activity_ids[asked.activity_id], 0, request_id, identity)
        case "start_timer_decision_attributes":
            timer.start(turn, completed_id, wanted.start_timer_decision_attributes)
        case "cancel_timer_decision_attributes":
            timer.cancel(turn, completed_id, wanted.cancel_timer_decision_attributes.timer_id, identity)
        case "request_cancel_activity_task_decision_attributes":
            activity_id = wanted.request_cancel_activity_task_decision_attributes.activity_id
            return activity.request_cancel(turn, completed_id, activity_id, identity)
        case "start_child_workflow_execution_decision_attributes":
            child.initiate(turn, completed_id, wanted.start_child_workflow_execution_decision_attributes, domain)
        case "signal_external_workflow_execution_decision_attributes":
            signal = wanted.signal_external_workflow_execution_decision_attributes
            external.initiate_signal(turn, completed_id, signal, domain)
        case "request_cancel_external_workflow_execution_decision_attributes":
            cancel = wanted.request_cancel_external_workflow_execution_decision_attributes
            external.initiate_cancel(turn, completed_id, cancel, domain)
        case "record_marker_decision_attributes":
            _record_marker(turn, completed_id, wanted.record_marker_decision_attributes)
        case "upsert_workflow_search_attributes_decision_attributes":
            _upsert(turn, completed_id, wanted.upsert_workflow_search_attributes_decision_attributes)
        case "complete_workflow_execution_decision_attributes":
            done = wanted.complete_workflow_execution_decision_attributes
            close.complete(turn, completed_id, done.result if done.HasField("result") else None, new_run_id)
        case "fail_workflow_execution_decision_attributes":
            close.fail(turn, completed_id, wanted.fail_workflow_execution_decision_attributes.failure, new_run_id)
        case "cancel_workflow_execution_decision_attributes":
            given_up = wanted.cancel_workflow_execution_decision_attributes
            close.cancel(turn, completed_id, given_up.details if given_up.HasField("details") else None)
        case "continue_as_new_workflow_execution_decision_attributes":
            again = wanted.continue_as_new_workflow_execution_decision_attributes
            close.continue_as_new(turn, completed_id, again, new_run_id)
        case unknown:
            raise InvariantViolation(f"decision {unknown} was checked but cannot be applied")
    return False


def check(state: RunState, decisions: Sequence[api.Decision], domain: str) -> Fault | None:
    """The first thing that is wrong with the decisions, None where nothing is."""
    preview = _Preview(
        state, set(state.activity_ids), set(state.timers), list(state.buffered), len(state.children), len(state.externals)
    )
    for wanted in decisions:
        name = wanted.WhichOneof("attributes")
        if name is None:
            return Fault(api.DECISION_TASK_FAILED_CAUSE_UNHANDLED_DECISION, "A decision has no attributes.")
        if name in _CLOSING and preview.unseen:
            return Fault(api.DECISION_TASK_FAILED_CAUSE_UNHANDLED_DECISION, "There are events the worker has not seen.")
        fault = _CHECKS[name](getattr(wanted, name), preview, domain)
        if fault is not None:
            return fault
        if name in _CLOSING:
            return None
    return None


_Check = Callable[[Any, _Preview, str], Fault | None]


def _check_activity(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    cause = api.DECISION_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES
    message = (
        _identifier_fault("ActivityId", wanted.activity_id)
        or _identifier_fault("ActivityType", wanted.activity_type.name)
        or _task_list_fault(wanted.task_list.name)
        or _enum_fault("TaskListKind", wanted.task_list.kind, api.TaskListKind)
        or activity.timeouts_fault(wanted)
        or (retry.fault(wanted.retry_policy) if wanted.HasField("retry_policy") else "")
    )
    if not message and wanted.domain and wanted.domain != domain:
        message = "Activities may not be scheduled in another domain."
    if message:
        return Fault(cause, message)
    if wanted.activity_id in preview.activity_ids:
        duplicate = api.DECISION_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID
        return Fault(duplicate, f"An activity with id {wanted.activity_id!r} is pending.")
    preview.activity_ids.add(wanted.activity_id)
    return None


def _check_timer(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    message = _identifier_fault("TimerId", wanted.timer_id) or ("" if is_valid(wanted.start_to_fire_timeout) else TOO_LONG)
    if not message and seconds(wanted.start_to_fire_timeout) <= 0:
        message = "A valid StartToFireTimeout is not set on decision."
    if message:
        return Fault(api.DECISION_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES, message)
    if wanted.timer_id in preview.timer_ids:
        duplicate = api.DECISION_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID
        return Fault(duplicate, f"A timer with id {wanted.timer_id!r} is pending.")
    preview.timer_ids.add(wanted.timer_id)
    return None


def _check_cancel_timer(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    message = _identifier_fault("TimerId", wanted.timer_id)
    if message:
        return Fault(api.DECISION_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES, message)
    if wanted.timer_id in preview.timer_ids:
        preview.timer_ids.discard(wanted.timer_id)
    else:
        # It may have fired unseen: canceling takes that back, and with it the news.
        firings = [data for data, _ in timer.buffered_firings(preview.state, wanted.timer_id)]
        preview.unseen = [data for data in preview.unseen if data not in firings]
    return None


def _check_cancel_activity(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    message = _identifier_fault("ActivityId", wanted.activity_id)
    if message:
        return Fault(api.DECISION_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES, message)
    pending = preview.state.activity_by_id(wanted.activity_id)
    if pending is None or not pending.started_ns:
        # Canceled at once: its id is free.
        preview.activity_ids.discard(wanted.activity_id)
    return None


def _check_marker(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    message = _identifier_fault("MarkerName", wanted.marker_name)
    return Fault(api.DECISION_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES, message) if message else None


def _check_upsert(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    if not wanted.search_attributes.indexed_fields:
        return Fault(api.DECISION_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES, "IndexedFields is empty on decision.")
    return None


def _check_nothing(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    return None


def _check_fail(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    message = "" if wanted.failure.reason else "FailReason is not set on decision."
    message = message or _failure_fault(wanted.failure)
    return Fault(api.DECISION_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES, message) if message else None


def _check_continue_as_new(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    spans = wanted.execution_start_to_close_timeout, wanted.task_start_to_close_timeout, wanted.backoff_start_interval
    message = (
        (retry.fault(wanted.retry_policy) if wanted.HasField("retry_policy") else "")
        or cron.fault(wanted.cron_schedule, wanted.jitter_start)
        or _task_list_fault(wanted.task_list.name)
        or ("WorkflowType exceeds length limit." if _is_long(wanted.workflow_type.name) else "")
        or _enum_fault("ContinueAsNewInitiator", wanted.initiator, api.ContinueAsNewInitiator)
        or _enum_fault("CronOverlapPolicy", wanted.cron_overlap_policy, api.CronOverlapPolicy)
        or _failure_fault(wanted.failure)
        or ("" if all(map(is_valid, spans)) else TOO_LONG)
    )
    if not message and seconds(wanted.backoff_start_interval) < 0:
        message = "BackoffStartInterval is less than 0."
    return Fault(api.DECISION_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES, message) if message else None


def _check_child(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    message = (
        _identifier_fault("WorkflowId", wanted.workflow_id)
        or _identifier_fault("WorkflowType", wanted.workflow_type.name)
        or _task_list_fault(wanted.task_list.name)
        or _enum_fault("TaskListKind", wanted.task_list.kind, api.TaskListKind)
        or _enum_fault("ParentClosePolicy", wanted.parent_close_policy, api.ParentClosePolicy)
        or _enum_fault("WorkflowIdReusePolicy", wanted.workflow_id_reuse_policy, api.WorkflowIdReusePolicy)
        or _enum_fault("CronOverlapPolicy", wanted.cron_overlap_policy, api.CronOverlapPolicy)
        or child.timeouts_fault(wanted)
        or (retry.fault(wanted.retry_policy) if wanted.HasField("retry_policy") else "")
    )
    message = message or cron.fault(wanted.cron_schedule)
    if not message and wanted.domain and wanted.domain != domain:
        message = "Child workflows may not be started in another domain."
    preview.children += 1
    if not message and preview.children > child.PENDING_MAX:
        message = f"More than {child.PENDING_MAX} child workflows are pending."
    return Fault(api.DECISION_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES, message) if message else None


def _check_signal_external(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    message = _external_fault(wanted, preview) or _identifier_fault("SignalName", wanted.signal_name)
    return Fault(api.DECISION_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES, message) if message else None


def _check_cancel_external(wanted: Any, preview: _Preview, domain: str) -> Fault | None:
    message = _external_fault(wanted, preview)
    cause = api.DECISION_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES
    return Fault(cause, message) if message else None


def _external_fault(wanted: Any, preview: _Preview) -> str:
    preview.externals += 1
    if preview.externals > external.PENDING_MAX:
        return f"More than {external.PENDING_MAX} calls to other workflows are pending."
    if not wanted.HasField("workflow_execution"):
        return "Execution is not set on decision."
    run_id = wanted.workflow_execution.run_id
    if run_id and not _RUN_ID.fullmatch(run_id):
        return "Invalid RunId set on decision."
    if len(wanted.domain) > IDENTIFIER_MAX:
        return "Domain exceeds length limit."
    return _identifier_fault("WorkflowId", wanted.workflow_execution.workflow_id)


_CHECKS: dict[str, _Check] = {
    "schedule_activity_task_decision_attributes": _check_activity,
    "start_timer_decision_attributes": _check_timer,
    "cancel_timer_decision_attributes": _check_cancel_timer,
    "request_cancel_activity_task_decision_attributes": _check_cancel_activity,
    "record_marker_decision_attributes": _check_marker,
    "upsert_workflow_search_attributes_decision_attributes": _check_upsert,
    "complete_workflow_execution_decision_attributes": _check_nothing,
    "fail_workflow_execution_decision_attributes": _check_fail,
    "cancel_workflow_execution_decision_attributes": _check_nothing,
    "continue_as_new_workflow_execution_decision_attributes": _check_continue_as_new,
    "start_child_workflow_execution_decision_attributes": _check_child,
    "signal_external_workflow_execution_decision_attributes": _check_signal_external,
    "request_cancel_external_workflow_execution_decision_attributes": _check_cancel_external,
}


def _identifier_fault(name: str, value: str) -> str:
    if not value:
        return f"{name} is not set on decision."
    return f"{name} exceeds length limit." if _is_long(value) else ""


def _task_list_fault(name: str) -> str:
    if name.startswith(RESERVED_TASK_LIST_PREFIX):
        return f"Task list names may not begin with {RESERVED_TASK_LIST_PREFIX}."
    return "TaskList exceeds length limit." if _is_long(name) else ""


@cache
def _numbers(enum: EnumTypeWrapper) -> frozenset[int]:
    return frozenset(enum.values())


def _enum_fault(name: str, value: int, enum: EnumTypeWrapper) -> str:
    """A number out of the interface, once it is in a history, would break clients that read it back."""
    return f"Unknown {name}: {value}." if value and value not in _numbers(enum) else ""


def _failure_fault(failure: api.Failure) -> str:
    return _enum_fault("FailureCategory", failure.options.failure_category, api.FailureCategory)


def _is_long(text: str) -> bool:
    """Whether it is longer than names and ids may be, in bytes of UTF-8."""
    length = len(text)
    return length > IDENTIFIER_MAX or (length * 4 > IDENTIFIER_MAX and len(text.encode()) > IDENTIFIER_MAX)


def _record_marker(turn: Turn, completed_id: int, wanted: api.RecordMarkerDecisionAttributes) -> None:
    turn.event(
        marker_recorded_event_attributes=api.MarkerRecordedEventAttributes(
            marker_name=wanted.marker_name,
            details=wanted.details if wanted.HasField("details") else None,
            decision_task_completed_event_id=completed_id,
            header=wanted.header if wanted.HasField("header") else None,
        )
    )


def _upsert(turn: Turn, completed_id: int, wanted: api.UpsertWorkflowSearchAttributesDecisionAttributes) -> None:
    turn.event(
        upsert_workflow_search_attributes_event_attributes=api.UpsertWorkflowSearchAttributesEventAttributes(
            decision_task_completed_event_id=completed_id, search_attributes=wanted.search_attributes
        )
    )


@evolves_event("marker_recorded")
def _marker_recorded(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    """Markers matter to the worker alone."""


@evolves_event("upsert_workflow_search_attributes")
def _upserted(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    merged = api.SearchAttributes.FromString(state.search_attributes)
    for key, value in attributes.search_attributes.indexed_fields.items():
        merged.indexed_fields[key].CopyFrom(value)
    state.search_attributes = merged.SerializeToString(deterministic=True)
