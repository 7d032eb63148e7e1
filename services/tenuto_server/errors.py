"""The one table of errors: what each is on the wire (gRPC status and first detail), for clients and between services.

Source of the table: Cadence's interface. A client decides by the first detail's type, or by the status where there is none
(Java clients by the detail's name, in a trailer of its own); a BadRequest must have no detail at all. Three kinds of
error are kept apart: an expected outcome is a `ServiceError`; a broken invariant is an `InvariantViolation` and never
answered as such; anything else is a bug and reaches the caller as INTERNAL without its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2  # type: ignore[import-untyped]

from tenuto_api import api

# gRPC status codes, by number: this module must not need grpc.
OK = 0
CANCELLED = 1
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15

TYPE_URL_PREFIX = "type.googleapis.com/"
ALREADY_COMPLETED = "Workflow execution already completed."


class ServiceError(Exception):
    """An expected outcome other than success: a gRPC status, a message, and at most one detail message.

    Two errors are equal when they look the same on the wire.
    """

    default_status: ClassVar[int] = INTERNAL

    def __init__(self, message: str, detail: Message | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.status = self.default_status if status is None else status

    def detail_any(self) -> any_pb2.Any | None:
        """The detail packed as the interface wants it, or None."""
        if self.detail is None:
            return None
        packed = any_pb2.Any()
        packed.Pack(self.detail)
        return packed

    @property
    def detail_name(self) -> str:
        """The detail's message name without its package, empty where there is no detail: what Java clients decide by."""
        return "" if self.detail is None else self.detail.DESCRIPTOR.name

    def status_details(self) -> bytes:
        """The value of the trailer grpc-status-details-bin: a google.rpc.Status, empty bytes where there is no detail."""
        detail = self.detail_any()
        if detail is None:
            return b""
        status = status_pb2.Status(code=self.status, message=self.message, details=[detail])
        return bytes(status.SerializeToString())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ServiceError)
            and (self.status, self.message) == (other.status, other.message)
            and self.detail_any() == other.detail_any()
        )

    __hash__ = Exception.__hash__


class BadRequest(ServiceError):
    """The request can never succeed as it is."""

    default_status = INVALID_ARGUMENT


class EntityNotExists(ServiceError):
    """No such domain, workflow, run or task."""

    default_status = NOT_FOUND

    def __init__(
        self, message: str, current_cluster: str = "", active_cluster: str = "", active_clusters: Sequence[str] = ()
    ) -> None:
        super().__init__(
            message,
            api.EntityNotExistsError(
                current_cluster=current_cluster, active_cluster=active_cluster, active_clusters=active_clusters
            ),
        )


class WorkflowAlreadyCompleted(ServiceError):
    """The run has closed. Older clients are sent `downgraded()` instead."""

    default_status = NOT_FOUND

    def __init__(self, message: str = ALREADY_COMPLETED) -> None:
        super().__init__(message, api.WorkflowExecutionAlreadyCompletedError())

    def downgraded(self) -> EntityNotExists:
        """The same outcome for a client that did not ask for the newer error; Java clients read its text."""
        return EntityNotExists(ALREADY_COMPLETED)


class WorkflowAlreadyStarted(ServiceError):
    """The workflow id is taken, by a running run or by the reuse policy."""

    default_status = ALREADY_EXISTS

    def __init__(self, message: str, start_request_id: str, run_id: str) -> None:
        super().__init__(
            message, api.WorkflowExecutionAlreadyStartedError(start_request_id=start_request_id, run_id=run_id)
        )


class CancellationAlreadyRequested(ServiceError):
    """The run was asked to cancel before, by another request."""

    default_status = ALREADY_EXISTS

    def __init__(self, message: str) -> None:
        super().__init__(message, api.CancellationAlreadyRequestedError())


class DomainAlreadyExists(ServiceError):
    """A domain of this name is registered."""

    default_status = ALREADY_EXISTS

    def __init__(self, message: str) -> None:
        super().__init__(message, api.DomainAlreadyExistsError())


class DomainNotActive(ServiceError):
    """The domain is active in another cluster."""

    default_status = FAILED_PRECONDITION

    def __init__(self, message: str, domain: str, current_cluster: str, active_cluster: str) -> None:
        super().__init__(
            message,
            api.DomainNotActiveError(domain=domain, current_cluster=current_cluster, active_cluster=active_cluster),
        )


class ClientVersionNotSupported(ServiceError):
    """The client's feature version is newer than this server knows."""

    default_status = FAILED_PRECONDITION

    def __init__(self, message: str, feature_version: str, client_impl: str, supported_versions: str) -> None:
        super().__init__(
            message,
            api.ClientVersionNotSupportedError(
                feature_version=feature_version, client_impl=client_impl, supported_versions=supported_versions
            ),
        )


class FeatureNotEnabled(ServiceError):
    """The server has this feature switched off."""

    default_status = FAILED_PRECONDITION

    def __init__(self, message: str, feature_flag: str) -> None:
        super().__init__(message, api.FeatureNotEnabledError(feature_flag=feature_flag))


class LimitExceeded(ServiceError):
    """A limit of the run or domain is reached; trying again does not help."""

    default_status = RESOURCE_EXHAUSTED

    def __init__(self, message: str) -> None:
        super().__init__(message, api.LimitExceededError())


class ServiceBusy(ServiceError):
    """Too much at once; try again later."""

    default_status = RESOURCE_EXHAUSTED

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message, api.ServiceBusyError(reason=reason))


class QueryFailed(ServiceError):
    """The worker's query handler failed, or no worker could run it."""

    default_status = INVALID_ARGUMENT

    def __init__(self, message: str) -> None:
        super().__init__(message, api.QueryFailedError())


class AccessDenied(ServiceError):
    """The caller may not do this."""

    default_status = PERMISSION_DENIED


class InternalService(ServiceError):
    """The server failed; the text is safe to show."""

    default_status = INTERNAL


class Unimplemented(ServiceError):
    """No such method."""

    default_status = UNIMPLEMENTED


class DeadlineExceeded(ServiceError):
    """The caller's time ran out before there was an answer."""

    default_status = DEADLINE_EXCEEDED


class Unavailable(ServiceError):
    """Between services: the other side could not be reached, or the link broke; whether it acted is unknown."""

    default_status = UNAVAILABLE


class ShardOwnershipLost(ServiceError):
    """Between services: this process does not own the shard; nothing was done. Ask the ring again."""

    default_status = ABORTED


class InvariantViolation(Exception):
    """Something that must always hold does not. Never caught in the core: the shard drops its memory and reloads."""


def from_wire(status: int, message: str, detail: any_pb2.Any | None) -> ServiceError:
    """The error that another service answered, as the same class where that matters to callers."""
    name = detail.type_url.rpartition("/")[2].rpartition(".")[2] if detail is not None else ""
    found = _BY_DETAIL.get(name)
    if detail is not None and found is not None:
        error_class, message_class = found
        unpacked = message_class()
        detail.Unpack(unpacked)
        error = error_class.__new__(error_class)
        ServiceError.__init__(error, message, unpacked, status)
        return error
    bare = _BY_STATUS.get(status, ServiceError)
    error = bare.__new__(bare)
    ServiceError.__init__(error, message, None, status)
    return error


_BY_DETAIL: dict[str, tuple[type[ServiceError], type[Message]]] = {
    "EntityNotExistsError": (EntityNotExists, api.EntityNotExistsError),
    "WorkflowExecutionAlreadyCompletedError": (WorkflowAlreadyCompleted, api.WorkflowExecutionAlreadyCompletedError),
    "WorkflowExecutionAlreadyStartedError": (WorkflowAlreadyStarted, api.WorkflowExecutionAlreadyStartedError),
    "CancellationAlreadyRequestedError": (CancellationAlreadyRequested, api.CancellationAlreadyRequestedError),
    "DomainAlreadyExistsError": (DomainAlreadyExists, api.DomainAlreadyExistsError),
    "DomainNotActiveError": (DomainNotActive, api.DomainNotActiveError),
    "ClientVersionNotSupportedError": (ClientVersionNotSupported, api.ClientVersionNotSupportedError),
    "FeatureNotEnabledError": (FeatureNotEnabled, api.FeatureNotEnabledError),
    "LimitExceededError": (LimitExceeded, api.LimitExceededError),
    "ServiceBusyError": (ServiceBusy, api.ServiceBusyError),
    "QueryFailedError": (QueryFailed, api.QueryFailedError),
}
_BY_STATUS: dict[int, type[ServiceError]] = {
    error_class.default_status: error_class
    for error_class in (
        BadRequest, AccessDenied, InternalService, Unimplemented, DeadlineExceeded, Unavailable, ShardOwnershipLost,
    )
}  # fmt: skip
