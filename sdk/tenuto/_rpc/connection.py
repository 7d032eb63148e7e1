"""A connection to a Cadence-compatible server: one grpc.aio channel, its methods, headers, deadlines and retries."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from google.protobuf.message import Message

from tenuto._rpc import tracing
from tenuto._rpc.backoff import Backoff
from tenuto._rpc.status import error_of, retryable
from tenuto.errors import DeadlineExceededError, RpcError
from tenuto_api import api

if TYPE_CHECKING:
    import grpc

Req = TypeVar("Req", bound=Message)
Resp = TypeVar("Resp", bound=Message)

CALL_SECONDS = 10.0
# Servers hold a long poll for up to a minute and answer a second before the caller's deadline.
POLL_SECONDS = 65.0
FEATURE_VERSION = "1.7.0"
MESSAGE_BYTES_MAX = 64 * 1024 * 1024
_PACKAGE = "uber.cadence.api.v1"
_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 5000),  # grpc's own is two minutes: a server that is back should be found
    ("grpc.enable_retries", 0),  # retried here, where the kind of error is known
]


class Method(Generic[Req, Resp]):
    """An RPC of the interface: its path, and how its messages become bytes and back."""

    __slots__ = ("name", "path", "request", "response")

    def __init__(self, service: str, request: type[Req], response: type[Resp]) -> None:
        self.name = request.__name__.removesuffix("Request")
        self.path = f"/{_PACKAGE}.{service}/{self.name}"
        self.request = request
        self.response = response


class DomainRpc:
    """Methods of DomainAPI."""

    register = Method("DomainAPI", api.RegisterDomainRequest, api.RegisterDomainResponse)
    describe = Method("DomainAPI", api.DescribeDomainRequest, api.DescribeDomainResponse)
    update = Method("DomainAPI", api.UpdateDomainRequest, api.UpdateDomainResponse)
    list = Method("DomainAPI", api.ListDomainsRequest, api.ListDomainsResponse)


class WorkflowRpc:
    """Methods of WorkflowAPI."""

    start = Method("WorkflowAPI", api.StartWorkflowExecutionRequest, api.StartWorkflowExecutionResponse)
    start_async = Method("WorkflowAPI", api.StartWorkflowExecutionAsyncRequest, api.StartWorkflowExecutionAsyncResponse)
    signal_with_start_async = Method(
        "WorkflowAPI", api.SignalWithStartWorkflowExecutionAsyncRequest, api.SignalWithStartWorkflowExecutionAsyncResponse
    )
    signal = Method("WorkflowAPI", api.SignalWorkflowExecutionRequest, api.SignalWorkflowExecutionResponse)
    signal_with_start = Method(
        "WorkflowAPI", api.SignalWithStartWorkflowExecutionRequest, api.SignalWithStartWorkflowExecutionResponse
    )
    cancel = Method("WorkflowAPI", api.RequestCancelWorkflowExecutionRequest, api.RequestCancelWorkflowExecutionResponse)
    terminate = Method("WorkflowAPI", api.TerminateWorkflowExecutionRequest, api.TerminateWorkflowExecutionResponse)
    reset = Method("WorkflowAPI", api.ResetWorkflowExecutionRequest, api.ResetWorkflowExecutionResponse)
    describe = Method("WorkflowAPI", api.DescribeWorkflowExecutionRequest, api.DescribeWorkflowExecutionResponse)
    query = Method("WorkflowAPI", api.QueryWorkflowRequest, api.QueryWorkflowResponse)
    history = Method("WorkflowAPI", api.GetWorkflowExecutionHistoryRequest, api.GetWorkflowExecutionHistoryResponse)


class ScheduleRpc:
    """Methods of ScheduleAPI."""

    create = Method("ScheduleAPI", api.CreateScheduleRequest, api.CreateScheduleResponse)
    describe = Method("ScheduleAPI", api.DescribeScheduleRequest, api.DescribeScheduleResponse)
    list = Method("ScheduleAPI", api.ListSchedulesRequest, api.ListSchedulesResponse)
    update = Method("ScheduleAPI", api.UpdateScheduleRequest, api.UpdateScheduleResponse)
    delete = Method("ScheduleAPI", api.DeleteScheduleRequest, api.DeleteScheduleResponse)
    pause = Method("ScheduleAPI", api.PauseScheduleRequest, api.PauseScheduleResponse)
    unpause = Method("ScheduleAPI", api.UnpauseScheduleRequest, api.UnpauseScheduleResponse)
    backfill = Method("ScheduleAPI", api.BackfillScheduleRequest, api.BackfillScheduleResponse)


class VisibilityRpc:
    """Methods of VisibilityAPI."""

    list = Method("VisibilityAPI", api.ListWorkflowExecutionsRequest, api.ListWorkflowExecutionsResponse)
    list_open = Method("VisibilityAPI", api.ListOpenWorkflowExecutionsRequest, api.ListOpenWorkflowExecutionsResponse)
    list_closed = Method(
        "VisibilityAPI", api.ListClosedWorkflowExecutionsRequest, api.ListClosedWorkflowExecutionsResponse
    )
    scan = Method("VisibilityAPI", api.ScanWorkflowExecutionsRequest, api.ScanWorkflowExecutionsResponse)
    count = Method("VisibilityAPI", api.CountWorkflowExecutionsRequest, api.CountWorkflowExecutionsResponse)


class WorkerRpc:
    """Methods of WorkerAPI."""

    poll_decision = Method("WorkerAPI", api.PollForDecisionTaskRequest, api.PollForDecisionTaskResponse)
    decided = Method("WorkerAPI", api.RespondDecisionTaskCompletedRequest, api.RespondDecisionTaskCompletedResponse)
    decision_failed = Method("WorkerAPI", api.RespondDecisionTaskFailedRequest, api.RespondDecisionTaskFailedResponse)
    query_answered = Method("WorkerAPI", api.RespondQueryTaskCompletedRequest, api.RespondQueryTaskCompletedResponse)
    poll_activity = Method("WorkerAPI", api.PollForActivityTaskRequest, api.PollForActivityTaskResponse)
    completed = Method("WorkerAPI", api.RespondActivityTaskCompletedRequest, api.RespondActivityTaskCompletedResponse)
    failed = Method("WorkerAPI", api.RespondActivityTaskFailedRequest, api.RespondActivityTaskFailedResponse)
    canceled = Method("WorkerAPI", api.RespondActivityTaskCanceledRequest, api.RespondActivityTaskCanceledResponse)
    heartbeat = Method("WorkerAPI", api.RecordActivityTaskHeartbeatRequest, api.RecordActivityTaskHeartbeatResponse)
    completed_by_id = Method(
        "WorkerAPI", api.RespondActivityTaskCompletedByIDRequest, api.RespondActivityTaskCompletedByIDResponse
    )
    failed_by_id = Method("WorkerAPI", api.RespondActivityTaskFailedByIDRequest, api.RespondActivityTaskFailedByIDResponse)
    canceled_by_id = Method(
        "WorkerAPI", api.RespondActivityTaskCanceledByIDRequest, api.RespondActivityTaskCanceledByIDResponse
    )
    heartbeat_by_id = Method(
        "WorkerAPI", api.RecordActivityTaskHeartbeatByIDRequest, api.RecordActivityTaskHeartbeatByIDResponse
    )


class BaseConnection:
    """What a way to a server has in common: who calls, with which headers, and how often it tries."""

    def __init__(self, identity: str = "", headers: Mapping[str, str] | None = None) -> None:
        self.identity = identity or f"{os.getpid()}@{socket.gethostname()}"
        self.headers = {
            "rpc-caller": "tenuto",
            "rpc-service": "cadence-frontend",
            "rpc-encoding": "proto",
            "cadence-client-name": "tenuto-python",
            "cadence-client-library-version": _library_version(),
            "cadence-client-feature-version": FEATURE_VERSION,
            "cadence-client-feature-flags": '{"WorkflowExecutionAlreadyCompletedErrorEnabled":true}',
            "cadence-caller-type": "sdk",
            **(headers or {}),
        }
        self._backoff = Backoff()

    def new_name(self) -> str:
        """A name that nobody else has, such as a worker's sticky list needs."""
        return f"{socket.gethostname()}:{uuid.uuid4()}"

    async def close(self) -> None:
        """Ends it; calls under way fail."""

    async def call(self, method: Method[Req, Resp], request: Req, timeout: float = CALL_SECONDS) -> Resp:
        """Calls, and calls again while the error is a passing one, all within `timeout` seconds. Raises RpcError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        failures = 0
        while True:
            try:
                return await self.call_once(method, request, deadline - loop.time())
            except RpcError as error:
                delay = self._backoff.delay(failures)
                if not retryable(error) or loop.time() + delay >= deadline:
                    raise
            failures += 1
            await asyncio.sleep(delay)

    async def call_once(self, method: Method[Req, Resp], request: Req, timeout: float = CALL_SECONDS) -> Resp:
        """Calls once. Raises RpcError."""
        raise NotImplementedError


class Connection(BaseConnection):
    """See the module. Make it inside the running event loop; `close` it when done."""

    def __init__(
        self,
        target: str,
        *,
        identity: str = "",
        headers: Mapping[str, str] | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        # Loaded here: a client within the server's own process does without.
        import grpc.aio

        super().__init__(identity, headers)
        channel_options = [*_OPTIONS, *options]
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(target, options=channel_options)
        else:
            self._channel = grpc.aio.secure_channel(target, credentials, options=channel_options)
        self._failed = grpc.aio.AioRpcError
        self._metadata_sent = tuple(self.headers.items())
        self._calls: dict[str, Any] = {}

    async def close(self) -> None:
        """Ends the channel; calls under way fail."""
        await self._channel.close(None)

    async def call_once(self, method: Method[Req, Resp], request: Req, timeout: float = CALL_SECONDS) -> Resp:
        """Calls once. Raises RpcError."""
        if timeout <= 0:
            raise DeadlineExceededError(f"{method.name}: no time left", 4)
        stub = self._calls.get(method.path)
        if stub is None:
            stub = self._calls[method.path] = self._channel.unary_unary(
                method.path,
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString,
            )
        try:
            return cast(Resp, await stub(request, timeout=timeout, metadata=self._metadata()))
        except self._failed as error:
            raise error_of(error) from None

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        """The headers; with the current span's context where OpenTelemetry is set up."""
        traced = tracing.current()
        return (*self._metadata_sent, *traced.items()) if traced else self._metadata_sent


def _library_version() -> str:
    try:
        return metadata.version("tenuto")
    except metadata.PackageNotFoundError:
        return "0"


def new_request_id() -> str:
    """A random UUID: what makes a retried request the same request."""
    return str(uuid.uuid4())
