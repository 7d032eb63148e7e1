"""A small HTTP/1.1 server: whole requests in, whole answers out, everything bounded.

h11 parses and writes the protocol without doing IO; here are the sockets, the times and the bounds. A connection is a
state machine driven by its transport: it reads one request to its end, gives it to the handler in a task of its own, writes
the answer, and goes on with the next request (which may have arrived already, and then waits in the socket). While the
handler is at work the connection reads on, and so sees its caller go: the task is then cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

import h11

from tenuto_server.transport.address import split_address

log = logging.getLogger(__name__)

TEXT = "text/plain; charset=utf-8"
# How long a stop waits for cancelled calls to tell their callers.
_CANCEL_WAIT_S = 1.0
# How long one that was refused before its request was whole may take to read why.
_LINGER_S = 2.0


class Request(NamedTuple):
    """One request. Header names are in lower case, in the order of their coming; `path` is without the query."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes


class Answer(NamedTuple):
    """What is answered; content-length and the like are added."""

    status: int
    body: bytes
    content_type: str = TEXT
    headers: tuple[tuple[bytes, bytes], ...] = ()


Handler = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a server.

    connections_max: further ones are closed at once.
    header_bytes_max, body_bytes_max: of a request; larger ones are answered 431 and 413.
    request_s: within this time a request is there as a whole, and an answer has been taken by its caller.
    idle_s: how long a connection may wait for its next request.
    half_closed: whether a caller that says it sends no more is still answered; otherwise it counts as gone.
    """

    connections_max: int
    header_bytes_max: int
    body_bytes_max: int
    request_s: float
    idle_s: float
    half_closed: bool = False


class HttpServer:
    """Serves `handler`. `limits` are asked for with each use."""

    def __init__(self, handler: Handler, limits: Callable[[], Limits]) -> None:
        self.handler = handler
        self.limits = limits
        self.stopping = False
        self.connections: set[_Connection] = set()
        self.empty = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, address: str, *, reuse_port: bool = False) -> str:
        """Listens, and returns the address with the real port. Raises OSError where it cannot be had, ValueError where it is
        none."""
        host, port = split_address(address)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port, reuse_port=reuse_port or None)
        return f"{address.rpartition(':')[0]}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self, grace_s: float = 0.0) -> None:
        """Listens no more, lets requests under way be answered within the grace, then cancels them and closes all."""
        self.stopping = True
        if self._server is None:
            return
        self._server.close()
        for connection in list(self.connections):
            connection.close_if_idle()
        await self._all_gone(grace_s)
        for connection in list(self.connections):
            connection.cancel()
        await self._all_gone(_CANCEL_WAIT_S)
        for connection in list(self.connections):
            connection.abort()
        await self._server.wait_closed()

    async def _all_gone(self, time_s: float) -> None:
        self.empty.clear()
        if not self.connections:
            return
        try:
            async with asyncio.timeout(time_s):
                await self.empty.wait()
        except TimeoutError:
            log.debug("%d connections are left", len(self.connections))


class _Connection(asyncio.Protocol):
    """One caller's connection."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._limits = server.limits()
        self._loop = asyncio.get_running_loop()
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.header_bytes_max)
        self._transport: asyncio.Transport | None = None
        self._request: h11.Request | None = None
        self._body = bytearray()
        # The call under way.
        self._task: asyncio.Task[None] | None = None
        # Whether a request has begun to arrive.
        self._reading = False
        self._write_paused = False
        # It was refused: what it still sends is thrown away.
        self._refused = False
        self._timer: asyncio.TimerHandle | None = None

    # --- what the transport tells -------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        connections = self._server.connections
        if len(connections) >= self._limits.connections_max or self._server.stopping:
            self._transport.abort()
            return
        connections.add(self)
        self._wait(self._limits.idle_s)

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or self._refused:
            return
        self._http.receive_data(data)
        if self._task is not None or self._write_paused:
            # It sends ahead: no more of that is read before its turn.
            transport.pause_reading()
            return
        if not self._reading:
            self._reading = True
            self._wait(self._limits.request_s)
        self._advance()

    def eof_received(self) -> bool:
        if not self._limits.half_closed or self._refused:
            return False
        self._http.receive_data(b"")
        if self._task is None:
            self._advance()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self._server.connections.discard(self)
        if not self._server.connections:
            self._server.empty.set()

    def pause_writing(self) -> None:
        self._write_paused = True
        self._wait(self._limits.request_s)

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._transport is not None and not self._transport.is_closing() and self._task is None:
            self._next()

    # --- what the server tells ----------------------------------------------------------------------------------------
    def close_if_idle(self) -> None:
        """Closes it unless a call is under way or an answer on its way."""
        if self._task is None and not self._write_paused:
            self._close()

    def cancel(self) -> None:
        """Ends the call under way."""
        if self._task is not None:
            self._task.cancel()
        else:
            self.abort()

    def abort(self) -> None:
        """Closes it at once."""
        if self._transport is not None:
            self._transport.abort()

    # --- the states ---------------------------------------------------------------------------------------------------
    def _wait(self, time_s: float) -> None:
        """From now on it has this long until it is cut off."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(time_s, self.abort)

    def _advance(self) -> None:
        """Takes in what has arrived, up to the end of one request."""
        try:
            while self._task is None and self._transport is not None and not self._transport.is_closing():
                event = self._http.next_event()
                if isinstance(event, h11.Data):
                    self._body += event.data
                    self._check_size(len(self._body))
                elif isinstance(event, h11.Request):
                    self._request = event
                    self._check_head(event)
                    self._check_size(_announced(event))
                elif isinstance(event, h11.EndOfMessage):
                    self._begin()
                elif event is h11.NEED_DATA:
                    if self._http.they_are_waiting_for_100_continue:
                        self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
                    return
                else:
                    # It closes, in good order.
                    self._close()
        except h11.RemoteProtocolError as error:
            self._refuse(Answer(error.error_status_hint, f"bad request: {error}\n".encode()))

    def _refuse(self, answer: Answer) -> None:
        """Answers what is no request, or too much of one, and closes. Not at once: closing a socket into which the caller still
        writes would take the answer from it."""
        self._refused = True
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._send(answer)
        if self._transport is not None:
            self._wait(_LINGER_S)
            self._transport.write_eof()

    def _check_head(self, request: h11.Request) -> None:
        # h11 minds the limit only while a head is incomplete.
        size = len(request.target) + sum(len(name) + len(value) for name, value in request.headers)
        limit = self._limits.header_bytes_max
        if size > limit:
            raise h11.RemoteProtocolError(f"headers of {size} bytes; the limit is {limit}", error_status_hint=431)

    def _check_size(self, size: int) -> None:
        limit = self._limits.body_bytes_max
        if size > limit:
            raise h11.RemoteProtocolError(f"a body of {size} bytes or more; the limit is {limit}", error_status_hint=413)

    def _begin(self) -> None:
        """Gives the whole request to the handler."""
        event, body = self._request, bytes(self._body)
        assert event is not None
        self._request, self._body, self._reading = None, bytearray(), False
        if self._timer is not None:
            self._timer.cancel()
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
        path = event.target.partition(b"?")[0].decode("latin-1")
        request = Request(event.method.decode("latin-1"), path, headers, body)
        self._task = self._loop.create_task(self._serve(request))

    async def _serve(self, request: Request) -> None:
        try:
            answer = await self._server.handler(request)
        except asyncio.CancelledError:
            # Its caller has gone (then nothing is sent), or the server stops.
            answer = Answer(503, b"the server is shutting down\n")
        except Exception:
            log.exception("the handler of an HTTP request failed")
            answer = Answer(500, b"internal error\n")
        finally:
            self._task = None
        if self._transport is None or self._transport.is_closing():
            return
        self._send(answer, has_body=request.method != "HEAD")
        if self._server.stopping or self._http.our_state is h11.MUST_CLOSE or self._http.their_state is not h11.DONE:
            self._close()
            return
        self._http.start_next_cycle()
        if not self._write_paused:
            self._next()

    def _next(self) -> None:
        """Turns to the next request, of which a part may be here."""
        self._reading = bool(self._http.trailing_data[0])
        self._wait(self._limits.request_s if self._reading else self._limits.idle_s)
        if self._transport is not None:
            self._transport.resume_reading()
        self._advance()

    def _send(self, answer: Answer, *, has_body: bool = True) -> None:
        headers = [
            (b"content-type", answer.content_type.encode("ascii")), (b"content-length", b"%d" % len(answer.body)),
            (b"cache-control", b"no-store"), *answer.headers,
        ]  # fmt: skip
        if self._server.stopping or self._refused:
            headers.append((b"connection", b"close"))
        http = self._http
        out = http.send(h11.Response(status_code=answer.status, headers=headers)) or b""
        if has_body:
            out += http.send(h11.Data(data=answer.body)) or b""
        self._write(out + (http.send(h11.EndOfMessage()) or b""))

    def _write(self, data: bytes | None) -> None:
        if self._transport is not None and data:
            self._transport.write(data)

    def _close(self) -> None:
        """Closes it as soon as what was written has been taken."""
        if self._transport is not None and not self._transport.is_closing():
            self._wait(self._limits.request_s)
            self._transport.close()


def _announced(request: h11.Request) -> int:
    """The length that a request says its body has; 0 where it says none. h11 has checked that it is a number."""
    return next((int(value) for name, value in request.headers if name == b"content-length"), 0)
