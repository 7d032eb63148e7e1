"""The operations endpoint over real sockets: probes, metrics, and callers that misbehave."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from tenuto_server.telemetry import ops
from tenuto_server.telemetry.measures import counter
from tenuto_server.telemetry.metrics import Metrics
from tenuto_server.telemetry.ops import OpsServer


class _Health:
    """What the checks answer."""

    def __init__(self) -> None:
        self.ready: str | None = None
        self.alive: str | None = None


@asynccontextmanager
async def _serving(health: _Health) -> AsyncIterator[str]:
    metrics = Metrics()
    metrics.add(lambda: [counter("tenuto_test_total", "A test.", 5)])
    server = OpsServer("127.0.0.1:0", metrics, lambda: health.ready, lambda: health.alive)
    await server.start()
    try:
        yield server.address
    finally:
        await server.stop()


async def _exchange(address: str, data: bytes) -> bytes:
    """All that the server sends until it closes the connection."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


async def _get(address: str, path: str, method: str = "GET") -> tuple[int, str, str]:
    """Status, content type, body."""
    request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    head, _, body = (await _exchange(address, request.encode())).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    types = [line.partition(": ")[2] for line in lines if line.lower().startswith("content-type: ")]
    return int(lines[0].split()[1]), types[0], body.decode()


def test_probes_and_metrics() -> None:
    async def test() -> None:
        health = _Health()
        async with _serving(health) as address:
            for path in ("/healthz", "/readyz"):
                status, kind, body = await _get(address, path)
                assert (status, kind, json.loads(body)) == (200, "application/json", {"status": "ok"})
            health.ready = "3 of 4 shards"
            status, _, body = await _get(address, "/readyz")
            assert (status, json.loads(body)) == (503, {"status": "unavailable", "reason": "3 of 4 shards"})
            assert (await _get(address, "/healthz"))[0] == 200
            health.alive = "stuck"
            assert (await _get(address, "/healthz"))[0] == 503
            status, kind, body = await _get(address, "/metrics")
            assert (status, kind.partition(";")[0]) == (200, "text/plain")
            names = {family.name: family for family in parse(body)}
            assert names["tenuto_test"].samples[0].value == 5
            assert "tenuto_event_loop_lag_seconds" in names
            assert (await _get(address, "/metrics", "HEAD"))[2] == ""
            assert (await _get(address, "/metrics", "POST"))[0] == 405
            assert (await _get(address, "/elsewhere"))[0] == 404

    asyncio.run(test())


def test_a_connection_serves_many_requests() -> None:
    async def test() -> None:
        async with _serving(_Health()) as address:
            one = b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
            last = b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            assert (await _exchange(address, one * 3 + last)).count(b"HTTP/1.1 200") == 4

    asyncio.run(test())


def test_nonsense_is_refused() -> None:
    async def test() -> None:
        async with _serving(_Health()) as address:
            assert (await _exchange(address, b"\x16\x03\x01\x00\xff\x01\r\n\r\n")).startswith(b"HTTP/1.1 400")
            long = b"GET / HTTP/1.1\r\nHost: " + b"x" * (2 * ops.HEADER_BYTES_MAX)
            assert (await _exchange(address, long)).startswith(b"HTTP/1.1 431")
            # One that goes away in the middle hurts nobody.
            host, _, port = address.rpartition(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /healthz HT")
            writer.close()
            await writer.wait_closed()
            assert (await _get(address, "/healthz"))[0] == 200

    asyncio.run(test())


def test_silent_connections_are_few_and_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "CONNECTIONS_MAX", 2)
    monkeypatch.setattr(ops, "IDLE_S_MAX", 0.2)

    async def test() -> None:
        async with _serving(_Health()) as address:
            host, _, port = address.rpartition(":")
            silent = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
            async with asyncio.timeout(10):
                # No room for a third; and the two are closed after their time.
                assert await _exchange(address, b"") == b""
                assert [await reader.read() for reader, _ in silent] == [b"", b""]
            assert (await _get(address, "/healthz"))[0] == 200
            for _, writer in silent:
                writer.close()

    asyncio.run(test())


def test_without_prometheus_all_else_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client.exposition", None)

    async def test() -> None:
        async with _serving(_Health()) as address:
            status, _, body = await _get(address, "/metrics")
            assert status == 501
            assert "tenuto-server[telemetry]" in body
            assert (await _get(address, "/readyz"))[0] == 200

    asyncio.run(test())


def test_an_address_that_cannot_be_had() -> None:
    async def test() -> None:
        async with _serving(_Health()) as address:
            taken = OpsServer(address, Metrics(), lambda: None, lambda: None)
            with pytest.raises(OSError, match="in use"):
                await taken.start()
            await taken.stop()
        with pytest.raises(ValueError, match="host:port"):
            await OpsServer("8088x", Metrics(), lambda: None, lambda: None).start()

    asyncio.run(test())
