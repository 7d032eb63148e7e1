"""gRPC errors to the SDK's: by the type of the first detail in `grpc-status-details-bin`, else by the status code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

from tenuto import errors
from tenuto.errors import RpcError
from tenuto_api import api

if TYPE_CHECKING:
    from grpc.aio import AioRpcError

DETAILS_KEY = "grpc-status-details-bin"
ALREADY_COMPLETED = "Workflow execution already completed."

INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, PERMISSION_DENIED = 3, 4, 5, 7
RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE = 8, 10, 13, 14
# What may succeed when asked again; the request ids make that safe.
RETRYABLE = frozenset({RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE})

_BY_STATUS: dict[int, type[RpcError]] = {
    INVALID_ARGUMENT: errors.BadRequestError,
    DEADLINE_EXCEEDED: errors.DeadlineExceededError,
    NOT_FOUND: errors.EntityNotExistsError,
    PERMISSION_DENIED: errors.AccessDeniedError,
    RESOURCE_EXHAUSTED: errors.ServiceBusyError,
    INTERNAL: errors.InternalServiceError,
    UNAVAILABLE: errors.UnavailableError,
}
_BY_DETAIL: dict[str, type[RpcError]] = {
    "EntityNotExistsError": errors.EntityNotExistsError,
    "WorkflowExecutionAlreadyCompletedError": errors.WorkflowAlreadyCompletedError,
    "QueryFailedError": errors.QueryFailedError,
    "CancellationAlreadyRequestedError": errors.CancellationAlreadyRequestedError,
    "DomainAlreadyExistsError": errors.DomainAlreadyExistsError,
    "DomainNotActiveError": errors.DomainNotActiveError,
    "ClientVersionNotSupportedError": errors.ClientVersionNotSupportedError,
    "FeatureNotEnabledError": errors.FeatureNotEnabledError,
    "LimitExceededError": errors.LimitExceededError,
    "ServiceBusyError": errors.ServiceBusyError,
}


def _rpc_status_class() -> Any:
    """google.rpc.Status, made here in a pool of its own: a dependency less, and no clash with whoever has the real one."""
    file = descriptor_pb2.FileDescriptorProto(name="tenuto_rpc_status.proto", package="tenuto_rpc", syntax="proto3")
    file.dependency.append(any_pb2.DESCRIPTOR.name)
    message = file.message_type.add(name="Status")
    field = descriptor_pb2.FieldDescriptorProto
    message.field.add(name="code", number=1, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL)
    message.field.add(name="message", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    message.field.add(
        name="details", number=3, type=field.TYPE_MESSAGE, label=field.LABEL_REPEATED, type_name=".google.protobuf.Any"
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tenuto_rpc.Status"))


_STATUS = _rpc_status_class()


def error_of(error: AioRpcError) -> RpcError:
    """The typed error of a failed call."""
    metadata: Any = error.trailing_metadata() or ()
    trailer = dict(metadata).get(DETAILS_KEY)
    code: int = error.code().value[0]
    return typed(code, error.details() or error.code().name, trailer if isinstance(trailer, bytes) else b"")


def typed(status: int, message: str, details: bytes) -> RpcError:
    """The typed error of a status code, its message and the serialized google.rpc.Status (empty if none)."""
    if details:
        found = _STATUS.FromString(details).details
        name = found[0].type_url.rpartition(".")[2] if found else ""
        if name == "WorkflowExecutionAlreadyStartedError":
            started = api.WorkflowExecutionAlreadyStartedError.FromString(found[0].value)
            return errors.WorkflowAlreadyStartedError(message, status, started.run_id, started.start_request_id)
        kind = _BY_DETAIL.get(name)
        if kind is errors.EntityNotExistsError and message == ALREADY_COMPLETED:
            kind = errors.WorkflowAlreadyCompletedError  # the form for clients without the feature flag
        if kind is not None:
            return kind(message, status)
    return _BY_STATUS.get(status, RpcError)(message, status)


def retryable(error: RpcError) -> bool:
    """Whether asking again may help. A fixed limit looks like an overload on the wire, but never goes away."""
    return error.status in RETRYABLE and not isinstance(error, errors.LimitExceededError)
