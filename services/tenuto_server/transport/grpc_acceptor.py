"""The public interface on grpc.aio: one generic handler, raw bytes in and out.

Requests and responses pass through as bytes, so that this layer parses nothing. grpc.aio runs each call in a task of
its own and cancels it when the caller goes away or its deadline passes. Of trailers there is `rpc-service`, echoed as
it was sent (clients compare it with what they asked for), and on typed errors `grpc-status-details-bin` and
`rpc-application-error-name`, the detail's name (Java clients read that alone).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, cast

import grpc
import grpc.aio

from tenuto_server import errors
from tenuto_server.telemetry import tracing
from tenuto_server.transport.public import PublicCall, PublicHandler
from tenuto_server.transport.settings import AcceptorSettings

log = logging.getLogger(__name__)

_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
_METHODS_MAX = 1024

if TYPE_CHECKING:
    _GenericHandler = grpc.GenericRpcHandler[bytes, bytes]
else:
    _GenericHandler = grpc.GenericRpcHandler
_Context = grpc.aio.ServicerContext[bytes, bytes]
_Behaviour = Callable[[bytes, _Context], Awaitable[bytes]]


class GrpcAcceptor:
    """Serves a handler on grpc.aio."""

    def __init__(self, handler: PublicHandler, settings: AcceptorSettings) -> None:
        self._settings = settings
        self.address = settings.address
        self._server = grpc.aio.server(
            handlers=[_Calls(handler)],
            options=_options(settings),
            maximum_concurrent_rpcs=settings.calls_under_way_max,
        )

    async def start(self) -> None:
        """Listens; OSError where the address cannot be had. `address` then has the real port."""
        try:
            port = self._server.add_insecure_port(self._settings.address)
        except RuntimeError as error:
            raise OSError(f"cannot listen at {self._settings.address}: {error}") from error
        if port == 0:
            raise OSError(f"cannot listen at {self._settings.address}")
        host = self._settings.address.rpartition(":")[0]
        self.address = f"{host}:{port}"
        await self._server.start()

    async def stop(self) -> None:
        """Takes no more calls, lets those under way end within the grace, then cancels them."""
        await self._server.stop(self._settings.stop_grace_s)


def _options(settings: AcceptorSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.receive_bytes_max),
        ("grpc.max_send_message_length", settings.send_bytes_max),
        ("grpc.so_reuseport", int(settings.reuse_port)),
        # A caller that vanished is noticed, so that its waiting polls take no task.
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # Clients may ping as often as they like; nothing here ends a connection because it is old or quiet.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.http2.max_pings_without_data", 0),
    ]


class _Calls(_GenericHandler):
    """Hands every method path to the one public handler; which methods exist is that handler's business."""

    def __init__(self, handler: PublicHandler) -> None:
        self._handler = handler
        self._methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        path = handler_call_details.method
        found = self._methods.get(path)
        if found is None:
            # grpc.aio asks from its loop.
            found = grpc.unary_unary_rpc_method_handler(
                _behaviour(path.removeprefix("/"), self._handler, asyncio.get_running_loop())
            )
            if len(self._methods) < _METHODS_MAX:
                self._methods[path] = found
        return found


def _behaviour(method: str, handler: PublicHandler, loop: asyncio.AbstractEventLoop) -> _Behaviour:
    """What grpc.aio runs for a call of `method`."""

    async def serve(body: bytes, context: _Context) -> bytes:
        metadata = cast("Iterable[tuple[str, str]]", context.invocation_metadata())
        headers = {key: value for key, value in metadata if not key.endswith("-bin")}
        # None where the caller gave no timeout, whatever the stubs say.
        remaining_s = cast("float | None", context.time_remaining())
        deadline = None if remaining_s is None else loop.time() + remaining_s
        service = headers.get("rpc-service")
        if service is not None:
            context.set_trailing_metadata((("rpc-service", service),))
        tracing.carry(headers.get("traceparent", ""))
        try:
            return await handler(PublicCall(method, headers, deadline, body))
        except errors.ServiceError as expected:
            error = expected
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled this call: the handler awaited something that was cancelled on its side.
            error = errors.Unavailable("the call was cancelled by the server")
        except Exception:
            log.exception("handler of %s failed", method)
            error = errors.InternalService("internal error")
        return await _fail(context, error, service)

    return serve


async def _fail(context: _Context, error: errors.ServiceError, service: str | None) -> bytes:
    trailers: list[tuple[str, str | bytes]] = [] if service is None else [("rpc-service", service)]
    details = error.status_details()
    if details:
        trailers.append(("grpc-status-details-bin", details))
        trailers.append(("rpc-application-error-name", error.detail_name))
    code = _CODES.get(error.status, grpc.StatusCode.UNKNOWN)
    await context.abort(code, error.message, tuple(trailers))
    raise AssertionError("abort raises")
