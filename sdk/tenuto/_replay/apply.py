"""What each event from outside does to a run in memory: one function an event, in a table by the event's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenuto._failures import error_of, values_of
from tenuto._replay import history
from tenuto._replay.execution import Execution
from tenuto._replay.handles import ChildWorkflowHandle
from tenuto._replay.history import NamedEvent
from tenuto.errors import (
    ActivityError,
    ActivityTimeoutError,
    ChildAlreadyStartedError,
    ChildWorkflowError,
    ExternalWorkflowError,
    TerminatedError,
    TimedOutError,
    TimeoutType,
)
from tenuto_api import api


def _activity_completed(run: Execution, event: api.ActivityTaskCompletedEventAttributes) -> None:
    handle = run.activities.pop(event.scheduled_event_id, None)
    if handle is not None:
        handle.resolve(event.result.data)


def _activity_failed(run: Execution, event: api.ActivityTaskFailedEventAttributes) -> None:
    handle = run.activities.pop(event.scheduled_event_id, None)
    if handle is not None:
        cause = error_of(event.failure, run.converter)
        handle.reject(ActivityError(handle.activity_type, handle.activity_id, cause))


def _activity_timed_out(run: Execution, event: api.ActivityTaskTimedOutEventAttributes) -> None:
    handle = run.activities.pop(event.scheduled_event_id, None)
    if handle is not None:
        last = error_of(event.last_failure, run.converter) if event.last_failure.reason else None
        cause = TimedOutError(TimeoutType.of(event.timeout_type), last)
        details = values_of(event.details.data, run.converter)
        handle.reject(ActivityTimeoutError(handle.activity_type, handle.activity_id, cause, details))


def _activity_canceled(run: Execution, event: api.ActivityTaskCanceledEventAttributes) -> None:
    handle = run.activities.pop(event.scheduled_event_id, None)
    if handle is not None:
        handle.cancelled_there()


def _timer_fired(run: Execution, event: api.TimerFiredEventAttributes) -> None:
    run.timer_fired(event.timer_id)


def _signaled(run: Execution, event: api.WorkflowExecutionSignaledEventAttributes) -> None:
    run.signalled(event.signal_name, event.input.data)


def _cancel_requested(run: Execution, _event: api.WorkflowExecutionCancelRequestedEventAttributes) -> None:
    run.request_cancel()


def _child_started(run: Execution, event: api.ChildWorkflowExecutionStartedEventAttributes) -> None:
    handle = run.children.get(event.initiated_event_id)
    if handle is not None:
        handle.run_id = event.workflow_execution.run_id
        if not handle.started.done():
            handle.started.set_result(None)


def _start_child_failed(run: Execution, event: api.StartChildWorkflowExecutionFailedEventAttributes) -> None:
    handle = run.children.pop(event.initiated_event_id, None)
    if handle is not None:
        cause = TerminatedError("a workflow with this id is running or protected by the id reuse policy")
        handle.reject(ChildAlreadyStartedError(handle.workflow_type, handle.workflow_id, "", cause))


def _child_error(handle: ChildWorkflowHandle[Any], cause: BaseException) -> ChildWorkflowError:
    return ChildWorkflowError(handle.workflow_type, handle.workflow_id, handle.run_id, cause)


def _child_completed(run: Execution, event: api.ChildWorkflowExecutionCompletedEventAttributes) -> None:
    handle = run.children.pop(event.initiated_event_id, None)
    if handle is not None:
        handle.resolve(event.result.data)


def _child_failed(run: Execution, event: api.ChildWorkflowExecutionFailedEventAttributes) -> None:
    handle = run.children.pop(event.initiated_event_id, None)
    if handle is not None:
        handle.reject(_child_error(handle, error_of(event.failure, run.converter)))


def _child_canceled(run: Execution, event: api.ChildWorkflowExecutionCanceledEventAttributes) -> None:
    handle = run.children.pop(event.initiated_event_id, None)
    if handle is not None:
        handle.cancelled_there()


def _child_timed_out(run: Execution, event: api.ChildWorkflowExecutionTimedOutEventAttributes) -> None:
    handle = run.children.pop(event.initiated_event_id, None)
    if handle is not None:
        handle.reject(_child_error(handle, TimedOutError(TimeoutType.of(event.timeout_type))))


def _child_terminated(run: Execution, event: api.ChildWorkflowExecutionTerminatedEventAttributes) -> None:
    handle = run.children.pop(event.initiated_event_id, None)
    if handle is not None:
        handle.reject(_child_error(handle, TerminatedError("terminated")))


def _external_done(run: Execution, event: Any) -> None:
    call = run.external_calls.pop(event.initiated_event_id, None)
    if call is not None and not call.done():
        call.set_result(None)


def _external_failed(run: Execution, event: Any) -> None:
    call = run.external_calls.pop(event.initiated_event_id, None)
    if call is not None:
        unknown = event.cause in (
            api.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION,
            api.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION,
        )
        problem = "is unknown" if unknown else "is closed already"
        call.reject(ExternalWorkflowError(f"{call.what}: workflow {call.workflow_id} {problem}"))


HANDLERS: dict[str, Callable[[Execution, Any], None]] = {
    "activity_task_completed": _activity_completed,
    "activity_task_failed": _activity_failed,
    "activity_task_timed_out": _activity_timed_out,
    "activity_task_canceled": _activity_canceled,
    "timer_fired": _timer_fired,
    "workflow_execution_signaled": _signaled,
    "workflow_execution_cancel_requested": _cancel_requested,
    "child_workflow_execution_started": _child_started,
    "start_child_workflow_execution_failed": _start_child_failed,
    "child_workflow_execution_completed": _child_completed,
    "child_workflow_execution_failed": _child_failed,
    "child_workflow_execution_canceled": _child_canceled,
    "child_workflow_execution_timed_out": _child_timed_out,
    "child_workflow_execution_terminated": _child_terminated,
    "signal_external_workflow_execution_failed": _external_failed,
    "external_workflow_execution_signaled": _external_done,
    "request_cancel_external_workflow_execution_failed": _external_failed,
    "external_workflow_execution_cancel_requested": _external_done,
}


def apply(run: Execution, named: NamedEvent) -> None:
    """Applies one event that no decision made; events that mean nothing to workflow code are passed over."""
    handler = HANDLERS.get(named[0])
    if handler is not None:
        handler(run, history.attributes(named))
