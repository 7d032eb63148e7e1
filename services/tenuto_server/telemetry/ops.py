"""The operations endpoint of a process: `GET /metrics`, `/healthz` (liveness) and `/readyz` (readiness), plain HTTP/1.1 on a port
of its own.

`ready` and `alive` are asked with each call: None means yes, a text is the reason why not and answered with 503. Requests need no
bodies; connections are few, and none may sit idle for long.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from tenuto_server.telemetry.lag import LoopLag
from tenuto_server.telemetry.metrics import Metrics, MetricsUnavailable
from tenuto_server.transport.http1 import Answer, HttpServer, Limits, Request

log = logging.getLogger(__name__)

# None: yes. A text: the reason why not.
Check = Callable[[], str | None]

CONNECTIONS_MAX = 64
IDLE_S_MAX = 75.0
HEADER_BYTES_MAX = 16 * 1024
BODY_BYTES_MAX = 16 * 1024


def _limits() -> Limits:
    return Limits(
        connections_max=CONNECTIONS_MAX,
        header_bytes_max=HEADER_BYTES_MAX,
        body_bytes_max=BODY_BYTES_MAX,
        request_s=IDLE_S_MAX,
        idle_s=IDLE_S_MAX,
        # Probes are written with whatever is at hand, such as `printf ... | nc`.
        half_closed=True,
    )


class OpsServer:
    """Serves the endpoint at `address` ("host:port"; port 0 takes any free one: see `address` after `start`)."""

    def __init__(self, address: str, metrics: Metrics, ready: Check, alive: Check) -> None:
        self.address = address
        self._metrics = metrics
        self._ready = ready
        self._alive = alive
        self._lag = LoopLag()
        metrics.add(self._lag.measures)
        self._http = HttpServer(self._answer, _limits)

    async def start(self) -> None:
        """Listens. Raises OSError where the address cannot be had, ValueError where it is none."""
        self.address = await self._http.start(self.address)
        self._lag.start()
        log.info("operations endpoint at http://%s: /metrics, /healthz, /readyz", self.address)

    async def stop(self) -> None:
        """Listens no more and closes all connections."""
        self._lag.stop()
        await self._http.stop()

    async def _answer(self, request: Request) -> Answer:
        if request.path not in ("/metrics", "/healthz", "/readyz"):
            return Answer(404, b"there are /metrics, /healthz and /readyz\n")
        if request.method not in ("GET", "HEAD"):
            return Answer(405, b"GET only\n")
        if request.path == "/healthz":
            return _checked(self._alive)
        if request.path == "/readyz":
            return _checked(self._ready)
        try:
            page = self._metrics.expose(",".join(value for name, value in request.headers if name == "accept"))
        except MetricsUnavailable as error:
            return Answer(501, f"{error}\n".encode())
        return Answer(200, page.body, page.content_type)


def _checked(check: Check) -> Answer:
    reason = check()
    status, body = (200, {"status": "ok"}) if reason is None else (503, {"status": "unavailable", "reason": reason})
    return Answer(status, json.dumps(body).encode() + b"\n", "application/json")
