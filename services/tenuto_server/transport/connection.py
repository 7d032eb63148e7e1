"""One end of a stream between two processes, on a socket: `http2` does the protocol, this the bytes and the times.

What is to be sent is asked for when it can be written: all that gathered in one turn of the event loop, or while the socket
took the last of it, is then one message. A peer that falls silent is asked for a sign of life, and given up on when none comes.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol, cast

from tenuto_server.transport import http2
from tenuto_server.transport.settings import StreamSettings

log = logging.getLogger(__name__)

# How much later than asked for a timer may ring before the loop counts as held up: bytes may then wait unread.
_LATE_S = 0.1
# Answers to a peer's pings and settings that may wait for it to read.
_ANSWERS_MAX = 10_000


class StreamUser(Protocol):
    """Who works with a stream."""

    def opened(self) -> None:
        """The socket is open. Once, before any message."""

    def received(self, message: bytes) -> None:
        """A whole message came. Raises `http2.WireError` for one that makes no sense."""

    def next_message(self) -> bytes | None:
        """What is to be sent next; None if nothing is."""

    def ended(self, reason: str) -> None:
        """The stream is over, whoever ended it. Once."""


class Connection(asyncio.Protocol):
    """One end, from the moment its socket is open."""

    def __init__(self, wire: http2.Wire, user: StreamUser, settings: StreamSettings) -> None:
        self.messages_sent = 0
        self._loop = asyncio.get_running_loop()
        # Until the socket has closed.
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self._wire = wire
        self._user = user
        self._settings = settings
        self._transport: asyncio.Transport | None = None
        self._is_full = False
        self._is_flush_due = False
        self._is_over = False
        self._heard = True
        self._answers_before = 0
        self._timer: asyncio.TimerHandle | None = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast("asyncio.Transport", transport)
        if self._is_over:
            self._transport.abort()
            return
        self._user.opened()
        self._wire.start()
        self._flush()
        self._listen()

    def data_received(self, data: bytes) -> None:
        """The socket has bytes."""
        if self._is_over:
            return
        self._heard = True
        wire = self._wire
        try:
            messages = wire.receive(data)
            for message in messages:
                self._user.received(message)
        except http2.WireError as error:
            log.warning("a stream is given up: %s", error)
            self._end(str(error))
            return
        if self._is_full and wire.answers - self._answers_before > _ANSWERS_MAX:
            self.abort("the other side asks and does not read")
        elif wire.ended is not None:
            wire.finish()
            self._end(wire.ended)
        else:
            self._flush()

    def pause_writing(self) -> None:
        """The socket's buffer is full."""
        self._is_full = True
        self._answers_before = self._wire.answers

    def resume_writing(self) -> None:
        """There is room in the socket's buffer."""
        self._is_full = False
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket has closed."""
        self._over(f"the connection broke: {exc}" if exc else "the other side closed the connection")
        if self._timer is not None:
            self._timer.cancel()
        if not self.gone.done():
            self.gone.set_result(None)

    # What the user calls.

    def wake(self) -> None:
        """There is something to send: it goes out with all that comes in the same turn of the loop."""
        if not self._is_flush_due and not self._is_full:
            self._is_flush_due = True
            self._loop.call_soon(self._flush)

    def close(self, status: int = http2.OK, reason: str = "closed") -> None:
        """Ends the stream in good order; what the user has still to send is sent before."""
        if not self._is_over:
            self._flush()
            self._wire.finish(status, reason)
            self._end(reason)

    def abort(self, reason: str) -> None:
        """Ends the connection at once."""
        self._over(reason)
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        self._is_flush_due = False
        if self._transport is None or self._is_over:
            return
        wire = self._wire
        while not self._is_full:
            message = self._user.next_message() if wire.is_clear else None
            if message is not None:
                wire.send(message)
                self.messages_sent += 1
            out = wire.take_out()
            if not out:
                return
            self._transport.write(out)
            if message is None:
                return

    def _end(self, reason: str) -> None:
        """The stream is over: what is written goes out, and the socket closes."""
        transport = self._transport
        if transport is None or self._is_over:
            self._over(reason)
            return
        transport.write(self._wire.take_out())
        if self._wire.closes_first:
            transport.close()
        self._over(reason)
        # A peer that does not read, or does not go, must not hold the socket for ever.
        self._timer = self._loop.call_later(self._settings.close_wait_s, transport.abort)

    def _over(self, reason: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        self._user.ended(reason)

    # Whether the other side lives.

    def _listen(self) -> None:
        self._heard = False
        self._timer = self._loop.call_later(self._settings.keepalive_s, self._ask)

    def _ask(self) -> None:
        if self._heard:
            self._listen()
            return
        assert self._transport is not None, "the timer is set when the socket is open"
        self._wire.ping()
        self._transport.write(self._wire.take_out())
        wait_s = self._settings.keepalive_timeout_s
        self._timer = self._loop.call_later(wait_s, self._judge, self._loop.time() + wait_s)

    def _judge(self, due: float) -> None:
        if self._heard:
            self._listen()
        elif self._loop.time() > due + _LATE_S:
            self._ask()
        else:
            self.abort("the other side does not answer")
