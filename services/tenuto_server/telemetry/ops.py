"""The operations endpoint of a process: `GET /metrics`, `/healthz` (liveness) and `/readyz` (readiness), plain HTTP/1.1 on a port
of its own.

`ready` and `alive` are asked with each call: None means yes, a text is the reason why not and answered with 503. h11 parses and
writes the protocol; the rest is one asyncio server. Requests have no bodies; connections are few, and none may sit idle for long.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import NamedTuple

import h11

from tenuto_server.telemetry.lag import LoopLag
from tenuto_server.telemetry.metrics import Metrics, MetricsUnavailable

log = logging.getLogger(__name__)

# None: yes. A text: the reason why not.
Check = Callable[[], str | None]

CONNECTIONS_MAX = 64
IDLE_S_MAX = 75.0
HEADER_BYTES_MAX = 16 * 1024
_READ_BYTES = 16 * 1024
_TEXT = "text/plain; charset=utf-8"


class _Answer(NamedTuple):
    status: int
    body: bytes
    content_type: str = _TEXT


class OpsServer:
    """Serves the endpoint at `address` ("host:port"; port 0 takes any free one: see `address` after `start`)."""

    def __init__(self, address: str, metrics: Metrics, ready: Check, alive: Check) -> None:
        self.address = address
        self._metrics = metrics
        self._ready = ready
        self._alive = alive
        self._lag = LoopLag()
        metrics.add(self._lag.measures)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listens. Raises OSError where the address cannot be had, ValueError where it is none."""
        host, colon, port = self.address.rpartition(":")
        if not colon or not port.isdecimal():
            raise ValueError(f"an address is host:port, not {self.address!r}")
        self._server = await asyncio.start_server(self._connected, host.strip("[]") or None, int(port), limit=HEADER_BYTES_MAX)
        self.address = f"{host}:{self._server.sockets[0].getsockname()[1]}"
        self._lag.start()
        log.info("operations endpoint at http://%s: /metrics, /healthz, /readyz", self.address)

    async def stop(self) -> None:
        """Listens no more and closes all connections."""
        self._lag.stop()
        if self._server is None:
            return
        self._server.close()
        connections = list(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._connections) < CONNECTIONS_MAX:
                self._connections.add(task)
                await self._serve(reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            # The caller has gone, was silent for too long, or the server stops.
            log.debug("a connection of the operations endpoint ended early")
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of one connection, one after the other."""
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADER_BYTES_MAX)
        while True:
            try:
                async with asyncio.timeout(IDLE_S_MAX):
                    request = await _request(http, reader)
            except h11.RemoteProtocolError as error:
                if http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await _send(http, writer, _Answer(error.error_status_hint, b"bad request\n"), has_body=True)
                return
            if request is None:
                return
            await _send(http, writer, self._answer(request), has_body=request.method != b"HEAD")
            if http.our_state is h11.MUST_CLOSE or http.their_state is not h11.DONE:
                return
            http.start_next_cycle()

    def _answer(self, request: h11.Request) -> _Answer:
        path = request.target.partition(b"?")[0]
        if path not in (b"/metrics", b"/healthz", b"/readyz"):
            return _Answer(404, b"there are /metrics, /healthz and /readyz\n")
        if request.method not in (b"GET", b"HEAD"):
            return _Answer(405, b"GET only\n")
        if path == b"/healthz":
            return _checked(self._alive)
        if path == b"/readyz":
            return _checked(self._ready)
        accept = b",".join(value for name, value in request.headers if name == b"accept")
        try:
            page = self._metrics.expose(accept.decode("latin-1"))
        except MetricsUnavailable as error:
            return _Answer(501, f"{error}\n".encode())
        return _Answer(200, page.body, page.content_type)


def _checked(check: Check) -> _Answer:
    reason = check()
    status, body = (200, {"status": "ok"}) if reason is None else (503, {"status": "unavailable", "reason": reason})
    return _Answer(status, json.dumps(body).encode() + b"\n", "application/json")


async def _request(http: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """The next request, read to its end; None where the caller has none more. A body is passed over."""
    request: h11.Request | None = None
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_READ_BYTES))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.EndOfMessage):
            return request
        elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            return None


async def _send(http: h11.Connection, writer: asyncio.StreamWriter, answer: _Answer, *, has_body: bool) -> None:
    headers = [
        ("content-type", answer.content_type), ("content-length", str(len(answer.body))), ("cache-control", "no-store"),
    ]  # fmt: skip
    out = http.send(h11.Response(status_code=answer.status, headers=headers)) or b""
    if has_body:
        out += http.send(h11.Data(data=answer.body)) or b""
    out += http.send(h11.EndOfMessage()) or b""
    writer.write(out)
    await writer.drain()
