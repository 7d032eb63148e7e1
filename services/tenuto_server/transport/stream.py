"""The network between services over batched gRPC streams (protos/tenuto/internal/v1/transport.proto).

One bidirectional stream a (process, address) pair. A gRPC message costs Python far more than the work in it, so a frame
carries everything that gathered while the last one was being written: at low load a call leaves at once, under load
many share a frame. Both directions work so, each with one writer task that is woken when there is something to send.

The caller's side (`_Link`) keeps the deadline: when it passes, or the caller's task is cancelled, the call is forgotten
and its id sent as a cancel. The callee's side (`_Exchange`) runs each call in a task; a cancel, or the end of the
stream, cancels it. So a handler never outlives its caller's interest by more than the time it takes to notice a dead
peer, which keepalive pings hold to a few seconds. A stream that ends for any reason fails its calls with `Unavailable`;
the next call opens a new one.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from tenuto_api import internal
from tenuto_server import errors
from tenuto_server.telemetry import tracing
from tenuto_server.telemetry.measures import Family, counter, gauge
from tenuto_server.transport.network import NEW_CALL_S, InternalCall, InternalHandler

log = logging.getLogger(__name__)

MEBIBYTE = 1024 * 1024
METHOD = "/tenuto.internal.v1.Link/Exchange"
# What an envelope may need beside its body, generously.
_ENVELOPE_BYTES = 64 * 1024

if TYPE_CHECKING:
    _GenericHandler = grpc.GenericRpcHandler[bytes, bytes]
else:
    _GenericHandler = grpc.GenericRpcHandler
_Stream = grpc.aio.StreamStreamCall[bytes, bytes]
_Context = grpc.aio.ServicerContext[bytes, bytes]


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Limits of a process's links.

    calls_under_way_max: calls of one link at once; one more is answered ServiceBusy.
    message_bytes_max: the largest body, either way.
    frame_bytes: a frame is closed when its bodies reach this size (a single larger body makes a frame of its own).
    keepalive_s, keepalive_timeout_s: a silent peer is pinged, and given up on when it does not answer.
    connect_retry_s: after a refused connection, calls to that address fail at once for this long.
    close_wait_s: how long `close` waits for cancelled handlers to end.
    """

    calls_under_way_max: int = 20_000
    message_bytes_max: int = 64 * MEBIBYTE
    frame_bytes: int = MEBIBYTE
    keepalive_s: float = 2.0
    keepalive_timeout_s: float = 3.0
    connect_retry_s: float = 0.1
    close_wait_s: float = 2.0


def _options(settings: StreamSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.message_bytes_max + settings.frame_bytes + _ENVELOPE_BYTES),
        ("grpc.max_send_message_length", -1),
        ("grpc.keepalive_time_ms", int(settings.keepalive_s * 1000)),
        ("grpc.keepalive_timeout_ms", int(settings.keepalive_timeout_s * 1000)),
        ("grpc.http2.ping_timeout_ms", int(settings.keepalive_timeout_s * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", 500),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 500),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.so_reuseport", 0),
        # Else a new channel inherits the back-off of an earlier one to the same address.
        ("grpc.use_local_subchannel_pool", 1),
    ]


class _Pending:
    """A call whose reply is awaited."""

    __slots__ = ("body", "deadline", "future", "method", "timer", "traceparent")

    def __init__(self, method: str, body: bytes, deadline: float | None, future: asyncio.Future[bytes]) -> None:
        self.method = method
        self.body = body
        self.deadline = deadline
        self.traceparent = tracing.current_traceparent()
        self.future = future
        self.timer: asyncio.TimerHandle | None = None


class _Link:
    """The caller's side of one stream. `lost` is true once it has ended; it is never used again then."""

    def __init__(self, address: str, settings: StreamSettings, on_end: Callable[[_Link], None]) -> None:
        self.address = address
        self.lost = False
        self.opened = False
        self.frames_sent = 0
        self._settings = settings
        self._on_end = on_end
        self._next_id = 1
        self._loop = asyncio.get_running_loop()
        # Calls begun a moment ago that have a deadline: those still under way when the timer rings get timers of their own.
        self._new: list[int] = []
        self._new_timer: asyncio.TimerHandle | None = None
        self._pending: dict[int, _Pending] = {}
        self._unsent: dict[int, _Pending] = {}
        self._cancels: list[int] = []
        self._wake = asyncio.Event()
        self._channel = grpc.aio.insecure_channel(address, options=_options(settings))
        self._stream: _Stream = self._channel.stream_stream(METHOD)()  # type: ignore[call-arg]
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]

    @property
    def calls_under_way(self) -> int:
        """Calls whose reply is awaited."""
        return len(self._pending)

    async def call(self, method: str, body: bytes, timeout_s: float | None) -> bytes:
        """The reply's body, or the error it carries."""
        if len(self._pending) >= self._settings.calls_under_way_max:
            raise errors.ServiceBusy(f"too many calls under way to {self.address}")
        loop = self._loop
        future: asyncio.Future[bytes] = loop.create_future()
        deadline = None if timeout_s is None else loop.time() + timeout_s
        call_id = self._next_id
        self._next_id += 1
        call = self._pending[call_id] = self._unsent[call_id] = _Pending(method, body, deadline, future)
        self._wake.set()
        if deadline is not None:
            if deadline <= loop.time() + NEW_CALL_S:
                call.timer = loop.call_at(deadline, self._expire, call_id)
            else:
                self._new.append(call_id)
                if self._new_timer is None:
                    self._new_timer = loop.call_later(NEW_CALL_S, self._keep_new)
        try:
            return await future
        finally:
            if call.timer is not None:
                call.timer.cancel()
            self._forget(call_id)

    def _keep_new(self) -> None:
        new, self._new = self._new, []
        self._new_timer = None
        for call_id in new:
            call = self._pending.get(call_id)
            if call is not None and call.deadline is not None:
                call.timer = self._loop.call_at(call.deadline, self._expire, call_id)

    def end(self, reason: str) -> None:
        """Fails the calls under way; the tasks are cancelled and the channel closed by `aclose`."""
        if self.lost:
            return
        self.lost = True
        pending, self._pending = self._pending, {}
        self._unsent.clear()
        if self._new_timer is not None:
            self._new_timer.cancel()
        for call in pending.values():
            if not call.future.done():
                call.future.set_exception(errors.Unavailable(reason))
        self._on_end(self)

    async def aclose(self) -> None:
        """Frees the stream, its tasks and its channel."""
        self.end(f"the link to {self.address} was closed")
        for task in self._tasks:
            task.cancel()
        self._stream.cancel()
        await asyncio.wait(self._tasks)
        await self._channel.close(None)

    def _expire(self, call_id: int) -> None:
        call = self._pending.get(call_id)
        if call is not None and not call.future.done():
            call.future.set_exception(errors.DeadlineExceeded("deadline exceeded"))

    def _forget(self, call_id: int) -> None:
        """Drops a call that nobody awaits any more; the callee hears of it only if it heard of the call."""
        if self._pending.pop(call_id, None) is not None and self._unsent.pop(call_id, None) is None:
            self._cancels.append(call_id)
            self._wake.set()

    async def _read(self) -> None:
        try:
            await self._stream.wait_for_connection()
            self.opened = True
            async for data in self._stream:
                self._take_replies(data)
            reason = "the other side ended the link"
        except grpc.aio.AioRpcError as error:
            reason = error.details() or error.code().name
        except DecodeError:
            log.exception("a frame from %s cannot be read", self.address)
            reason = "damaged frame"
        self.end(f"{self.address}: {reason}")

    def _take_replies(self, data: bytes) -> None:
        for reply in internal.Frame.FromString(data).replies:
            call = self._pending.pop(reply.id, None)
            if call is None or call.future.done():
                continue
            if reply.status == 0:
                call.future.set_result(reply.body)
            else:
                detail = reply.detail if reply.HasField("detail") else None
                call.future.set_exception(errors.from_wire(reply.status, reply.message, detail))

    async def _write(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._unsent or self._cancels:
                    await self._stream.write(self._frame())
                    self.frames_sent += 1
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            self.end(f"{self.address}: {error}")

    def _frame(self) -> bytes:
        """The next frame: all that waits, up to the size of a frame."""
        frame = internal.Frame()
        size = 0
        now = self._loop.time()
        unsent = self._unsent
        while unsent and size < self._settings.frame_bytes:
            call_id = next(iter(unsent))
            call = unsent.pop(call_id)
            size += len(call.body)
            timeout_ms = 0 if call.deadline is None else max(1, math.ceil((call.deadline - now) * 1000))
            frame.calls.add(
                id=call_id, method=call.method, timeout_ms=timeout_ms, traceparent=call.traceparent, body=call.body
            )
            # The bytes are in the frame now; a call may wait long for its reply.
            call.body = b""
        frame.cancels.extend(self._cancels)
        self._cancels.clear()
        return frame.SerializeToString()


class _Exchange:
    """The callee's side of one stream."""

    __slots__ = ("_handler", "_replies", "_settings", "_wake", "tasks")

    def __init__(self, handler: InternalHandler, settings: StreamSettings) -> None:
        self._handler = handler
        self._settings = settings
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self._replies: deque[internal.Reply] = deque()
        self._wake = asyncio.Event()

    async def run(self, frames: AsyncIterator[bytes], context: _Context) -> None:
        """Serves the stream until it ends, whichever side ends it."""
        # Headers at once, so that the caller knows that the link is open.
        await context.send_initial_metadata(())
        writer = asyncio.create_task(self._write(context))
        try:
            async for data in frames:
                self._take(internal.Frame.FromString(data))
        finally:
            for task in self.tasks.values():
                task.cancel()
            writer.cancel()

    def _take(self, frame: internal.Frame) -> None:
        loop = asyncio.get_running_loop()
        for call in frame.calls:
            if len(self.tasks) >= self._settings.calls_under_way_max:
                self._reply_error(call.id, errors.ServiceBusy("too many calls under way"))
                continue
            deadline = loop.time() + call.timeout_ms / 1000 if call.timeout_ms else None
            handed = InternalCall(call.method, call.body, deadline, call.traceparent)
            self.tasks[call.id] = loop.create_task(self._serve(call.id, handed))
        for call_id in frame.cancels:
            task = self.tasks.pop(call_id, None)
            if task is not None:
                task.cancel()

    async def _serve(self, call_id: int, call: InternalCall) -> None:
        tracing.carry(call.traceparent)
        try:
            body = await self._handler(call)
        except errors.ServiceError as error:
            self._reply_error(call_id, error)
        except asyncio.CancelledError:
            # Where the caller or the link ended it nobody waits for this; where the handler did, the caller does.
            self._reply_error(call_id, errors.Unavailable("the call was cancelled by the other side"))
            raise
        except Exception:
            log.exception("handler of %s failed", call.method)
            self._reply_error(call_id, errors.InternalService("internal error"))
        else:
            if len(body) > self._settings.message_bytes_max:
                self._reply_error(call_id, _too_large(len(body), self._settings))
            else:
                self._replies.append(internal.Reply(id=call_id, body=body))
                self._wake.set()
        finally:
            self.tasks.pop(call_id, None)

    def _reply_error(self, call_id: int, error: errors.ServiceError) -> None:
        self._replies.append(
            internal.Reply(id=call_id, status=error.status, message=error.message, detail=error.detail_any())
        )
        self._wake.set()

    async def _write(self, context: _Context) -> None:
        frame_bytes = self._settings.frame_bytes
        replies = self._replies
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while replies:
                    frame = internal.Frame()
                    size = 0
                    while replies and size < frame_bytes:
                        reply = replies.popleft()
                        size += len(reply.body)
                        frame.replies.append(reply)
                    await context.write(frame.SerializeToString())
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.UsageError) as error:
            # The reader hears of the stream's end too, and ends the exchange.
            log.debug("link broke while writing: %s", error)


class StreamListener(_GenericHandler):
    """A process's open door: a gRPC server with the one method `Link.Exchange`."""

    def __init__(self, address: str, handler: InternalHandler, settings: StreamSettings) -> None:
        self.address = address
        self._handler = handler
        self._settings = settings
        self._exchanges: set[_Exchange] = set()
        self._method = grpc.stream_stream_rpc_method_handler(self._exchange)
        self._server = grpc.aio.server(handlers=[self], options=_options(settings))

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return self._method if handler_call_details.method == METHOD else None

    async def start(self) -> None:
        """Listens; OSError where the address cannot be had."""
        try:
            port = self._server.add_insecure_port(self.address)
        except RuntimeError as error:
            raise OSError(f"cannot listen at {self.address}: {error}") from error
        if port == 0:
            raise OSError(f"cannot listen at {self.address}")
        self.address = f"{self.address.rpartition(':')[0]}:{port}"
        await self._server.start()

    async def close(self) -> None:
        """Takes no more calls; those under way are cancelled and their callers told `Unavailable`."""
        tasks = {task for exchange in self._exchanges for task in exchange.tasks.values()}
        for task in tasks:
            task.cancel()
        await self._server.stop(None)
        tasks.discard(asyncio.current_task())
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.close_wait_s)

    async def _exchange(self, frames: AsyncIterator[bytes], context: _Context) -> None:
        exchange = _Exchange(self._handler, self._settings)
        self._exchanges.add(exchange)
        try:
            await exchange.run(frames, context)
        finally:
            self._exchanges.discard(exchange)


class StreamNetwork:
    """The network over gRPC streams; implements `Network`. Its calls must all come from one event loop."""

    def __init__(self, settings: StreamSettings | None = None) -> None:
        self._settings = StreamSettings() if settings is None else settings
        self._links: dict[str, _Link] = {}
        self._refused_until: dict[str, float] = {}
        self._callbacks: list[Callable[[str], None]] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._calls = 0
        self._links_lost = 0

    async def listen(self, address: str, handler: InternalHandler) -> StreamListener:
        """Serves `handler` at `address` ("host:port"; port 0 takes any free one)."""
        listener = StreamListener(address, handler, self._settings)
        await listener.start()
        return listener

    async def call(self, address: str, method: str, body: bytes, timeout_s: float | None = None) -> bytes:
        """Calls the process at `address`; opens the link where there is none."""
        if timeout_s is not None and timeout_s <= 0:
            raise errors.DeadlineExceeded("deadline exceeded")
        if len(body) > self._settings.message_bytes_max:
            raise _too_large(len(body), self._settings)
        self._calls += 1
        link = self._links.get(address)
        if link is None:
            link = self._open(address)
        return await link.call(method, body, timeout_s)

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """`callback(address)` runs whenever an open link to that address breaks."""
        self._callbacks.append(callback)

    def measures(self) -> Iterator[Family]:
        """What the links of this process show of themselves."""
        yield gauge("tenuto_links", "Links to other processes.", len(self._links))
        under_way = sum(link.calls_under_way for link in self._links.values())
        yield gauge("tenuto_link_calls", "Calls to other processes under way.", under_way)
        yield counter("tenuto_link_calls_total", "Calls to other processes.", self._calls)
        yield counter("tenuto_links_lost_total", "Links that broke.", self._links_lost)

    def frames_sent(self, address: str) -> int:
        """How many frames the open link to `address` has sent; 0 where there is none."""
        link = self._links.get(address)
        return 0 if link is None else link.frames_sent

    async def close(self) -> None:
        """Closes all links this process opened; callers under way get `Unavailable`."""
        self._closed = True
        for link in list(self._links.values()):
            link.opened = False  # A link that is closed here is not lost.
            link.end("the network was closed")
        while self._closing:
            await asyncio.wait(self._closing)

    def _open(self, address: str) -> _Link:
        if self._closed:
            raise errors.Unavailable("the network was closed")
        retry_at = self._refused_until.get(address)
        if retry_at is not None:
            if asyncio.get_running_loop().time() < retry_at:
                raise errors.Unavailable(f"{address} refused a moment ago")
            del self._refused_until[address]
        link = self._links[address] = _Link(address, self._settings, self._ended)
        return link

    def _ended(self, link: _Link) -> None:
        del self._links[link.address]
        loop = asyncio.get_running_loop()
        task = loop.create_task(link.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        if link.opened:
            self._links_lost += 1
            for callback in self._callbacks:
                loop.call_soon(callback, link.address)
        elif not self._closed:
            self._refused_until[link.address] = loop.time() + self._settings.connect_retry_s


def _too_large(size: int, settings: StreamSettings) -> errors.ServiceError:
    return errors.ServiceError(
        f"message of {size} bytes; the limit is {settings.message_bytes_max}", status=errors.RESOURCE_EXHAUSTED
    )
