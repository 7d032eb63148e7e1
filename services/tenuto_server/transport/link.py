"""The caller's side of a stream to another process."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from google.protobuf.message import DecodeError

from tenuto_api import internal
from tenuto_server import errors
from tenuto_server.telemetry import tracing
from tenuto_server.transport import http2
from tenuto_server.transport.address import split_address
from tenuto_server.transport.connection import Connection
from tenuto_server.transport.network import NEW_CALL_S
from tenuto_server.transport.settings import StreamSettings

METHOD = "/tenuto.internal.v1.Link/Exchange"


def too_large(size: int, settings: StreamSettings) -> errors.ServiceError:
    """What is said of a body over the limit."""
    return errors.ServiceError(
        f"message of {size} bytes; the limit is {settings.message_bytes_max}", status=errors.RESOURCE_EXHAUSTED
    )


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


class Link:
    """One stream, from the first call on. Once it has ended it is never used again.

    It keeps the deadlines: when a call's passes, or the caller's task is cancelled, the call is forgotten and its id sent as a
    cancel. `on_end` runs once, when it ends.
    """

    def __init__(self, address: str, settings: StreamSettings, on_end: Callable[[Link], None]) -> None:
        self.address = address
        self.is_open = False
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
        wire = http2.ClientWire(METHOD, address, settings.frame_bytes_max)
        self._connection = Connection(wire, self, settings)
        self._connecting = self._loop.create_task(self._connect())

    @property
    def calls_under_way(self) -> int:
        """Calls whose reply is awaited."""
        return len(self._pending)

    @property
    def frames_sent(self) -> int:
        """Frames handed to the socket."""
        return self._connection.messages_sent

    async def call(self, method: str, body: bytes, timeout_s: float | None) -> bytes:
        """The reply's body, or the error it carries."""
        if len(body) > self._settings.message_bytes_max:
            raise too_large(len(body), self._settings)
        if len(self._pending) >= self._settings.calls_under_way_max:
            raise errors.ServiceBusy(f"too many calls under way to {self.address}")
        loop = self._loop
        future: asyncio.Future[bytes] = loop.create_future()
        deadline = None if timeout_s is None else loop.time() + timeout_s
        call_id = self._next_id
        self._next_id += 1
        call = self._pending[call_id] = self._unsent[call_id] = _Pending(method, body, deadline, future)
        self._connection.wake()
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

    def end(self, reason: str) -> None:
        """Fails the calls under way; `aclose` then waits for the socket to close."""
        self._connection.close(reason=reason)

    async def aclose(self) -> None:
        """Returns when the socket has closed."""
        self.end("the link was closed")
        self._connecting.cancel()
        await asyncio.wait([self._connecting])
        if self.is_open:
            await self._connection.gone

    async def _connect(self) -> None:
        try:
            host, port = split_address(self.address)
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await self._loop.create_connection(lambda: self._connection, host or "localhost", port)
        except (OSError, ValueError) as error:
            self.end(str(error) or "not connected in time")

    def _keep_new(self) -> None:
        new, self._new = self._new, []
        self._new_timer = None
        for call_id in new:
            call = self._pending.get(call_id)
            if call is not None and call.deadline is not None:
                call.timer = self._loop.call_at(call.deadline, self._expire, call_id)

    def _expire(self, call_id: int) -> None:
        call = self._pending.get(call_id)
        if call is not None and not call.future.done():
            call.future.set_exception(errors.DeadlineExceeded("deadline exceeded"))

    def _forget(self, call_id: int) -> None:
        """Drops a call that nobody awaits any more; the callee hears of it only if it heard of the call."""
        if self._pending.pop(call_id, None) is not None and self._unsent.pop(call_id, None) is None:
            self._cancels.append(call_id)
            self._connection.wake()

    # What the connection calls.

    def opened(self) -> None:
        """The other side is there."""
        self.is_open = True

    def received(self, message: bytes) -> None:
        """A frame of replies."""
        try:
            frame = internal.Frame.FromString(message)
        except DecodeError as error:
            raise http2.WireError(http2.PROTOCOL_ERROR, f"a damaged frame from {self.address}: {error}") from None
        for reply in frame.replies:
            call = self._pending.pop(reply.id, None)
            if call is None or call.future.done():
                continue
            if reply.status == 0:
                call.future.set_result(reply.body)
            else:
                detail = reply.detail if reply.HasField("detail") else None
                call.future.set_exception(errors.from_wire(reply.status, reply.message, detail))

    def next_message(self) -> bytes | None:
        """The next frame: all that waits, up to the size of a frame."""
        if not self._unsent and not self._cancels:
            return None
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

    def ended(self, reason: str) -> None:
        """The stream is over."""
        pending, self._pending = self._pending, {}
        self._unsent.clear()
        if self._new_timer is not None:
            self._new_timer.cancel()
        for call in pending.values():
            if not call.future.done():
                call.future.set_exception(errors.Unavailable(f"{self.address}: {reason}"))
        self._on_end(self)
