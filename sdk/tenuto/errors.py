"""Every error that users of the SDK meet: refused calls, failed activities and workflows, and mistakes in workflow code.

Three families. `RpcError` and below: the server refused or could not serve a call. `FailureError` and below: something
durable failed (an activity, a child, a whole workflow), as recorded in history. `WorkflowCodeError` and below: the
workflow code cannot go on as it is (it is not deterministic, or calls what it must not); these fail the decision task,
never the workflow, so that a corrected worker can take it up.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

from tenuto_api import api


class TenutoError(Exception):
    """The root of the SDK's errors."""


# ---- calls --------------------------------------------------------------------------------------------------------


class RpcError(TenutoError):
    """A call was refused or failed; `status` is the gRPC status code's number, `message` the server's text."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class BadRequestError(RpcError):
    """The request can never succeed as it is."""


class QueryFailedError(RpcError):
    """The workflow's query handler refused or failed."""


class QueryRejectedError(QueryFailedError):
    """The workflow is closed, and the question was for an open one; `close_status` is how it closed, as COMPLETED or FAILED."""

    def __init__(self, message: str, close_status: str) -> None:
        super().__init__(message, 3)
        self.close_status = close_status


class EntityNotExistsError(RpcError):
    """There is no such domain, workflow, run or task."""


class WorkflowAlreadyCompletedError(EntityNotExistsError):
    """The workflow exists but is closed."""


class WorkflowAlreadyStartedError(RpcError):
    """A start met a running workflow, or a closed one that the reuse policy protects; `run_id` is that run."""

    def __init__(self, message: str, status: int = 6, run_id: str = "", start_request_id: str = "") -> None:
        super().__init__(message, status)
        self.run_id = run_id
        self.start_request_id = start_request_id


class CancellationAlreadyRequestedError(RpcError):
    """Someone else has asked for the workflow's cancellation already."""


class DomainAlreadyExistsError(RpcError):
    """The domain's name is taken."""


class DomainNotActiveError(RpcError):
    """The domain is active in another cluster."""


class ClientVersionNotSupportedError(RpcError):
    """The server does not serve this client's version."""


class FeatureNotEnabledError(RpcError):
    """The server has this feature turned off."""


class LimitExceededError(RpcError):
    """A fixed limit (not load) refused the request."""


class ServiceBusyError(RpcError):
    """The server is overloaded; the call was retried for its whole deadline."""


class AccessDeniedError(RpcError):
    """The caller may not do this."""


class InternalServiceError(RpcError):
    """The server failed."""


class UnavailableError(RpcError):
    """The server cannot be reached, or is going down."""


class DeadlineExceededError(RpcError):
    """No answer within the call's deadline."""


# ---- durable failures ---------------------------------------------------------------------------------------------


class TimeoutType(enum.Enum):
    """Which of an activity's or workflow's timeouts ran out; the values are the names used on the wire."""

    START_TO_CLOSE = "START_TO_CLOSE"
    SCHEDULE_TO_START = "SCHEDULE_TO_START"
    SCHEDULE_TO_CLOSE = "SCHEDULE_TO_CLOSE"
    HEARTBEAT = "HEARTBEAT"

    @classmethod
    def of(cls, value: int) -> TimeoutType:
        """From the interface's enum number; an unset one counts as start-to-close."""
        return _TIMEOUT_TYPES.get(value, cls.START_TO_CLOSE)


_TIMEOUT_TYPES = {
    int(api.TIMEOUT_TYPE_START_TO_CLOSE): TimeoutType.START_TO_CLOSE,
    int(api.TIMEOUT_TYPE_SCHEDULE_TO_START): TimeoutType.SCHEDULE_TO_START,
    int(api.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE): TimeoutType.SCHEDULE_TO_CLOSE,
    int(api.TIMEOUT_TYPE_HEARTBEAT): TimeoutType.HEARTBEAT,
}


class FailureError(TenutoError):
    """Something durable failed; `cause` is what it failed with, where that is known."""

    def __init__(self, message: str, cause: BaseException | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.__cause__ = cause


class ApplicationError(FailureError):
    """A failure of user code, on any side of the wire.

    `type` is the failure's reason, which retry policies match on; by default the class name of the exception. Raise it in
    an activity or workflow to choose type and details. `non_retryable=True` marks it fatal for servers that know failure
    categories; for all servers, name its type in the retry policy's `non_retryable_errors`.
    """

    def __init__(
        self, message: str, *details: Any, type: str = "ApplicationError", non_retryable: bool = False
    ) -> None:
        super().__init__(message)
        self.type = type
        self.details: Sequence[Any] = details
        self.non_retryable = non_retryable

    def __str__(self) -> str:
        return f"{self.type}: {self.message}"


class CancelledError(FailureError):
    """Work was cancelled on request; plain-function activities get it from `activity.heartbeat()`."""

    def __init__(self, message: str = "cancelled", details: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.details: Sequence[Any] = tuple(details)


class TimedOutError(FailureError):
    """A timeout of the server ran out; `timeout_type` says which."""

    def __init__(self, timeout_type: TimeoutType, cause: BaseException | None = None) -> None:
        super().__init__(f"timeout {timeout_type.value}", cause)
        self.timeout_type = timeout_type


class ActivityError(FailureError):
    """An activity failed for good; `cause` is its `ApplicationError` (or `TimedOutError`, see the subclass)."""

    def __init__(self, activity_type: str, activity_id: str, cause: BaseException | None) -> None:
        super().__init__(f"activity {activity_type} (id {activity_id}) failed: {cause}", cause)
        self.activity_type = activity_type
        self.activity_id = activity_id


class ActivityTimeoutError(ActivityError):
    """An activity timed out for good; `last_heartbeat_details` are those of its last attempt."""

    def __init__(
        self, activity_type: str, activity_id: str, cause: TimedOutError, last_heartbeat_details: Sequence[Any] = ()
    ) -> None:
        super().__init__(activity_type, activity_id, cause)
        self.timeout_type = cause.timeout_type
        self.last_heartbeat_details = last_heartbeat_details


class ChildWorkflowError(FailureError):
    """A child workflow did not complete: `cause` is an ApplicationError, TimedOutError or TerminatedError."""

    def __init__(self, workflow_type: str, workflow_id: str, run_id: str, cause: BaseException | None) -> None:
        super().__init__(f"child workflow {workflow_type} (id {workflow_id}) failed: {cause}", cause)
        self.workflow_type = workflow_type
        self.workflow_id = workflow_id
        self.run_id = run_id


class ChildAlreadyStartedError(ChildWorkflowError):
    """A child workflow could not start: its id is in use."""


class ExternalWorkflowError(FailureError):
    """Signalling or cancelling another workflow failed: it is unknown or closed."""


class TerminatedError(FailureError):
    """A workflow was terminated from outside; the message is the reason given."""


class WorkflowExecutionError(FailureError):
    """A workflow whose result is awaited did not complete; see the subclasses for how it closed."""

    def __init__(self, workflow_id: str, run_id: str, message: str, cause: BaseException | None = None) -> None:
        super().__init__(f"workflow {workflow_id} {message}", cause)
        self.workflow_id = workflow_id
        self.run_id = run_id


class WorkflowFailedError(WorkflowExecutionError):
    """The workflow failed; `cause` says with what."""


class WorkflowCancelledError(WorkflowExecutionError):
    """The workflow was cancelled."""


class WorkflowTerminatedError(WorkflowExecutionError, TerminatedError):
    """The workflow was terminated."""


class WorkflowTimeoutError(WorkflowExecutionError):
    """The workflow ran out of its execution timeout."""


class WorkflowContinuedAsNewError(WorkflowExecutionError):
    """The run continued as a new one (`new_run_id`), and the caller asked not to follow it."""

    def __init__(self, workflow_id: str, run_id: str, new_run_id: str) -> None:
        super().__init__(workflow_id, run_id, f"continued as new run {new_run_id}")
        self.new_run_id = new_run_id


# ---- mistakes in workflow code ------------------------------------------------------------------------------------


class WorkflowCodeError(TenutoError):
    """The workflow code cannot go on as it is. The decision task fails and is tried again later; the workflow lives."""


class NonDeterminismError(WorkflowCodeError):
    """Replaying gave other commands than history records. Names the event, the line of code, and both sides.

    `event_id` is the history event (0 where history ends too early), `recorded` what history says, `produced` what the
    code did, `where` the line of workflow code.
    """

    def __init__(self, *, event_id: int, recorded: str, produced: str, where: str) -> None:
        at = f"event {event_id}" if event_id else "the end of the decision"
        sides = f"recorded {recorded}, produced {produced}"
        super().__init__(f"workflow code does not match history at {at}: {sides} ({where})")
        self.event_id = event_id
        self.recorded = recorded
        self.produced = produced
        self.where = where


class NotInWorkflowError(WorkflowCodeError):
    """A function of `tenuto.workflow` was called outside workflow code."""


class ForbiddenInWorkflowError(WorkflowCodeError):
    """Workflow code called what has no place in it (sockets, threads, commands from a query); use an activity."""


class WorkflowStuckError(WorkflowCodeError):
    """Workflow code kept running without ever waiting for anything durable."""


class UnsupportedVersionError(WorkflowCodeError):
    """History was written with a version of a change that this code does not support any more (or not yet)."""


class UnknownWorkflowTypeError(WorkflowCodeError):
    """No workflow of this type is registered with the worker."""


class ActivityNotRegisteredError(TenutoError):
    """No activity of this type is registered with the worker; it fails the attempt."""


class PayloadError(TenutoError):
    """A value cannot be turned into a payload, or a payload not into the type asked for."""
