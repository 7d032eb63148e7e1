"""The callee's side of the streams between services: who listens, and what runs for each stream that comes in."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from google.protobuf.message import DecodeError

from tenuto_api import internal
from tenuto_server import errors
from tenuto_server.telemetry import tracing
from tenuto_server.transport import http2
from tenuto_server.transport.address import split_address
from tenuto_server.transport.connection import Connection
from tenuto_server.transport.link import METHOD, too_large
from tenuto_server.transport.network import InternalCall, InternalHandler
from tenuto_server.transport.settings import StreamSettings

log = logging.getLogger(__name__)


class _Exchange:
    """One stream. Each call runs in a task; a cancel, or the end of the stream, cancels it."""

    def __init__(self, handler: InternalHandler, settings: StreamSettings) -> None:
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self._settings = settings
        self._handler = handler
        self._replies: deque[internal.Reply] = deque()
        self._loop = asyncio.get_running_loop()
        self.connection = Connection(http2.ServerWire(METHOD, self._settings.frame_bytes_max), self, self._settings)

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
                self._reply_error(call_id, too_large(len(body), self._settings))
            else:
                self._replies.append(internal.Reply(id=call_id, body=body))
                self.connection.wake()
        finally:
            self.tasks.pop(call_id, None)

    def _reply_error(self, call_id: int, error: errors.ServiceError) -> None:
        self._replies.append(
            internal.Reply(id=call_id, status=error.status, message=error.message, detail=error.detail_any())
        )
        self.connection.wake()

    # What the connection calls.

    def opened(self) -> None:
        """Somebody has come; what they want they have still to say."""

    def received(self, message: bytes) -> None:
        """A frame of calls and cancels."""
        try:
            frame = internal.Frame.FromString(message)
        except DecodeError as error:
            raise http2.WireError(http2.PROTOCOL_ERROR, f"a damaged frame: {error}") from None
        now = self._loop.time()
        for call in frame.calls:
            if len(self.tasks) >= self._settings.calls_under_way_max:
                self._reply_error(call.id, errors.ServiceBusy("too many calls under way"))
                continue
            deadline = now + call.timeout_ms / 1000 if call.timeout_ms else None
            handed = InternalCall(call.method, call.body, deadline, call.traceparent)
            self.tasks[call.id] = self._loop.create_task(self._serve(call.id, handed))
        for call_id in frame.cancels:
            task = self.tasks.pop(call_id, None)
            if task is not None:
                task.cancel()

    def next_message(self) -> bytes | None:
        """The next frame: all replies that wait, up to the size of a frame."""
        replies = self._replies
        if not replies:
            return None
        frame = internal.Frame()
        size = 0
        while replies and size < self._settings.frame_bytes:
            reply = replies.popleft()
            size += len(reply.body)
            frame.replies.append(reply)
        return frame.SerializeToString()

    def ended(self, _reason: str) -> None:
        """The stream is over: nobody waits for what is still under way."""
        for task in self.tasks.values():
            task.cancel()


class StreamListener:
    """A process's open door: a server of the one method `Link.Exchange`."""

    def __init__(self, address: str, handler: InternalHandler, settings: StreamSettings) -> None:
        self.address = address
        self._handler = handler
        self._settings = settings
        # Until their sockets have closed.
        self._exchanges: set[_Exchange] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listens; OSError where the address cannot be had."""
        try:
            host, port = split_address(self.address)
            self._server = await asyncio.get_running_loop().create_server(self._accept, host, port)
        except (OSError, ValueError) as error:
            raise OSError(f"cannot listen at {self.address}: {error}") from error
        port = self._server.sockets[0].getsockname()[1]
        self.address = f"{self.address.rpartition(':')[0]}:{port}"

    async def close(self) -> None:
        """Takes no more calls; those under way are cancelled and their callers told `Unavailable`."""
        if self._server is not None:
            self._server.close()
        exchanges = list(self._exchanges)
        tasks = {task for exchange in exchanges for task in exchange.tasks.values()}
        for task in tasks:
            task.cancel()
        tasks.discard(asyncio.current_task())
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.close_wait_s)
        for exchange in exchanges:
            exchange.connection.close(errors.UNAVAILABLE, "the other side stops")
        await self._all_gone()
        for exchange in self._exchanges:
            exchange.connection.abort("the other side does not go")
        await self._all_gone()

    async def _all_gone(self) -> None:
        """Returns when all sockets have closed, or after a while."""
        gone = [exchange.connection.gone for exchange in self._exchanges]
        if gone:
            await asyncio.wait(gone, timeout=self._settings.close_wait_s)

    def _accept(self) -> Connection:
        exchange = _Exchange(self._handler, self._settings)
        if len(self._exchanges) >= self._settings.links_max:
            # Closed as soon as its socket is there.
            exchange.connection.abort("too many links")
        self._exchanges.add(exchange)
        exchange.connection.gone.add_done_callback(lambda _: self._exchanges.discard(exchange))
        return exchange.connection
