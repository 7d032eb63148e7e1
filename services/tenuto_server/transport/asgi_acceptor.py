"""The public interface as an ASGI application that frames gRPC itself, for pyvoy (ASGI on Envoy, with trailers).

A unary gRPC call over HTTP/2 is small: POST to the method's path, a body of one flag byte, four bytes of length and the
message; back come headers, the framed message and trailers with the status (protocol: grpc.io, PROTOCOL-HTTP2.md). An
error without a message is sent as one block of headers ("trailers-only"). All of it is done here in one task a call,
without intermediate objects, since at this place every microsecond is paid on each call.

A caller that goes away shows as `http.disconnect` from `receive()`. By the ASGI specification that waits until it
happens; pyvoy's answers at once, with an empty `http.request` while the caller is there. So calls that have been
waiting for a while are asked after from time to time, by one task for all of them: short calls cost nothing, and the
rate is bounded however many wait. The deadline is passed to the handler and not enforced here: at its end the caller
resets the stream, and is gone.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote

from tenuto_server import errors
from tenuto_server.telemetry import tracing
from tenuto_server.transport.public import PublicCall, PublicHandler
from tenuto_server.transport.settings import AcceptorSettings

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_CONTENT_TYPE = (b"content-type", b"application/grpc+proto")
_STATUS_OK = (b"grpc-status", b"0")
_START: Message = {"type": "http.response.start", "status": 200, "headers": [_CONTENT_TYPE], "trailers": True}
_END: Message = {"type": "http.response.body", "body": b"", "more_body": False}
_PREFIX_BYTES = 5
_TIMEOUT_UNITS_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT_DIGITS_MAX = 8
# Printable ASCII without the percent sign passes as it is in grpc-message.
_MESSAGE_SAFE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
# zlib's window argument: the largest window, and whether a gzip or a zlib header is expected.
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
# How soon, at best, a waiting call is asked after, and how many are in a second: that bounds what watching costs.
_CHECK_S = 0.05
_CHECKS_PER_S = 2000
# How long a stop waits for cancelled calls to tell their callers.
_CANCEL_WAIT_S = 1.0
_ACCEPTED = (b"grpc-accept-encoding", b"identity,deflate,gzip")


class _Gone(Exception):
    """The caller went away before its request was whole."""


class _Call:
    """A call under way, as the watch sees it: `receive` is None until the request is whole."""

    __slots__ = ("check", "gone", "receive", "seen", "task")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.receive: Receive | None = None
        self.check: asyncio.Future[Message] | None = None
        self.seen = False
        self.gone = False


class AsgiAcceptor:
    """The ASGI application; also knows the calls under way, to watch their callers and to let them end at a stop."""

    def __init__(self, handler: PublicHandler, settings: AcceptorSettings) -> None:
        self._handler = handler
        self._settings = settings
        self._body_bytes_max = settings.receive_bytes_max + _PREFIX_BYTES
        # Asking for the running loop is a system call in some Pythons; an application serves one loop all its life.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: dict[asyncio.Task[Any], _Call] = {}
        self._watch_task: asyncio.Task[None] | None = None
        self._stopping = False
        self._idle = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call; anything that is not a gRPC request is refused by an HTTP status."""
        headers = {_name(name): value.decode("latin-1") for name, value in scope["headers"] if name[-4:] != b"-bin"}
        refused = _refusal(scope["method"], headers)
        if refused:
            await send({"type": "http.response.start", "status": refused, "headers": [(b"content-length", b"0")]})
            await send(_END)
            return
        service = headers.get("rpc-service")
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        under_way = self._under_way
        call = under_way[task] = _Call(task)
        try:
            answer = await self._answer(scope["path"][1:], headers, receive, call, loop)
        except _Gone:
            return
        except errors.ServiceError as error:
            await _send_error(send, error, service)
            return
        except asyncio.CancelledError:
            # Cancelled by the watch, by a stop, or by the handler's own side.
            if not call.gone:
                await _send_error(send, errors.Unavailable("the call was cancelled by the server"), service)
            return
        finally:
            del under_way[task]
            if not under_way:
                self._idle.set()
        trailers = [_STATUS_OK] if service is None else [_STATUS_OK, (b"rpc-service", service.encode("latin-1"))]
        body = b"\0" + len(answer).to_bytes(4, "big") + answer
        try:
            await send(_START)
            await send({"type": "http.response.body", "body": body, "more_body": False})
            await send({"type": "http.response.trailers", "headers": trailers, "more_trailers": False})
        except OSError:
            log.debug("the caller went away before its answer")

    async def stop(self) -> None:
        """Takes no more calls, lets those under way end within the grace, then cancels them."""
        self._stopping = True
        self._idle.clear()
        if self._under_way:
            await self._let_end()
        if self._watch_task is not None:
            self._watch_task.cancel()

    async def _let_end(self) -> None:
        try:
            async with asyncio.timeout(self._settings.stop_grace_s):
                await self._idle.wait()
        except TimeoutError:
            tasks = set(self._under_way)
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=_CANCEL_WAIT_S)

    async def _answer(
        self, method: str, headers: dict[str, str], receive: Receive, call: _Call, loop: asyncio.AbstractEventLoop
    ) -> bytes:
        """The response message's bytes; ServiceError for every other outcome."""
        timeout = headers.get("grpc-timeout")
        deadline = None if timeout is None else loop.time() + parse_timeout(timeout)
        if self._stopping:
            raise errors.Unavailable("the server is shutting down")
        if len(self._under_way) > self._settings.calls_under_way_max:
            raise errors.ServiceBusy("too many calls under way")
        event = await receive()
        body: bytes = event.get("body", b"")
        if event["type"] != "http.request" or event.get("more_body", False):
            body = await self._rest_of_body(event, receive)
        message = self._unframe(body, headers)
        tracing.carry(headers.get("traceparent", ""))
        call.receive = receive
        if self._watch_task is None:
            self._watch_task = loop.create_task(self._watch())
        try:
            answer = await self._handler(PublicCall(method, headers, deadline, message))
        except errors.ServiceError:
            raise
        except Exception:
            log.exception("handler of %s failed", method)
            raise errors.InternalService("internal error") from None
        if len(answer) > self._settings.send_bytes_max:
            raise errors.ServiceError("response message is too large", status=errors.RESOURCE_EXHAUSTED)
        return answer

    async def _watch(self) -> None:
        """Asks after the callers of waiting calls; a call whose caller has gone is cancelled."""
        interval_s = _CHECK_S
        while True:
            await asyncio.sleep(interval_s)
            waiting = [call for call in self._under_way.values() if call.receive is not None]
            for call in waiting:
                if not call.seen:
                    call.seen = True
                elif call.check is None and call.receive is not None:
                    call.check = asyncio.ensure_future(call.receive())
                    call.check.add_done_callback(partial(self._checked, call))
            interval_s = max(_CHECK_S, len(waiting) / _CHECKS_PER_S)

    def _checked(self, call: _Call, check: asyncio.Future[Message]) -> None:
        call.check = None
        if check.cancelled() or check.exception() is not None:
            return
        if check.result()["type"] == "http.disconnect" and call.task in self._under_way:
            call.gone = True
            call.task.cancel()

    async def _rest_of_body(self, event: Message, receive: Receive) -> bytes:
        """The whole body, of which `event` is the first part."""
        parts: list[bytes] = []
        size = 0
        while True:
            if event["type"] != "http.request":
                raise _Gone
            part = event.get("body", b"")
            size += len(part)
            if size > self._body_bytes_max:
                raise _too_large(size, self._settings.receive_bytes_max)
            parts.append(part)
            if not event.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)
            event = await receive()

    def _unframe(self, body: bytes, headers: dict[str, str]) -> bytes:
        """The one message in `body`; ServiceError where it is not exactly one, or cannot be had."""
        size = len(body) - _PREFIX_BYTES
        if size < 0 or size != int.from_bytes(body[1:5], "big"):
            raise errors.InternalService("a unary call has exactly one request message")
        limit = self._settings.receive_bytes_max
        if size > limit:
            raise _too_large(size, limit)
        flag = body[0]
        if flag == 0:
            return body[_PREFIX_BYTES:]
        if flag != 1:
            raise errors.InternalService("unknown flags in the message's prefix")
        return _decompress(body[_PREFIX_BYTES:], headers.get("grpc-encoding", "identity"), limit)


@lru_cache(maxsize=512)
def _name(name: bytes) -> str:
    """A header's name: there are few, and each comes with nearly every call."""
    return name.decode("latin-1")


def parse_timeout(value: str) -> float:
    """Seconds in a grpc-timeout header: up to eight digits and a unit; BadRequest where it is not that."""
    digits, unit = value[:-1], _TIMEOUT_UNITS_S.get(value[-1:])
    if unit is None or not digits.isdecimal() or not digits.isascii() or len(digits) > _TIMEOUT_DIGITS_MAX:
        raise errors.BadRequest("malformed grpc-timeout")
    return int(digits) * unit


def _decompress(data: bytes, encoding: str, limit: int) -> bytes:
    """`data` unpacked, never more than `limit` bytes of it."""
    if encoding == "identity":
        raise errors.InternalService("compressed message without grpc-encoding")
    window_bits = _WINDOW_BITS.get(encoding)
    if window_bits is None:
        raise errors.Unimplemented(f"unsupported grpc-encoding {encoding!r}")
    unpacker = zlib.decompressobj(window_bits)
    try:
        message = unpacker.decompress(data, limit + 1)
    except zlib.error:
        raise errors.InternalService("damaged compressed message") from None
    if len(message) > limit:
        raise _too_large(len(message), limit)
    if not unpacker.eof:
        raise errors.InternalService("damaged compressed message")
    return message


def _too_large(size: int, limit: int) -> errors.ServiceError:
    return errors.ServiceError(
        f"request message of {size} bytes or more; the limit is {limit}", status=errors.RESOURCE_EXHAUSTED
    )


async def _send_error(send: Send, error: errors.ServiceError, service: str | None) -> None:
    """A response of headers only."""
    headers = [_CONTENT_TYPE, (b"grpc-status", b"%d" % error.status)]
    if error.message:
        headers.append((b"grpc-message", quote(error.message, safe=_MESSAGE_SAFE).encode("ascii")))
    details = error.status_details()
    if details:
        headers.append((b"grpc-status-details-bin", base64.b64encode(details).rstrip(b"=")))
        headers.append((b"rpc-application-error-name", error.detail_name.encode("ascii")))
    if error.status == errors.UNIMPLEMENTED:
        headers.append(_ACCEPTED)
    if service is not None:
        headers.append((b"rpc-service", service.encode("latin-1")))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(_END)
    except OSError:
        log.debug("the caller went away before its answer")


def _refusal(method: str, headers: dict[str, str]) -> int:
    """The HTTP status for what is not a gRPC request at all, or 0."""
    if method != "POST":
        return 405
    content_type = headers.get("content-type", "")
    # "application/grpc", also with "+proto" or parameters, but not "application/grpc-web".
    if content_type[:16] != "application/grpc" or content_type[16:17] not in ("", "+", ";"):
        return 415
    # Who does not say that it takes trailers is not sent any, and would never see a status.
    return 0 if headers.get("te") == "trailers" else 400
