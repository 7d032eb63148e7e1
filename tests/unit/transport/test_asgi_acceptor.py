"""gRPC's framing in the ASGI acceptor, against a server of a few lines that keeps to the ASGI specification."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import Any

import pytest

from tenuto_server import errors
from tenuto_server.transport.asgi_acceptor import AsgiAcceptor, parse_timeout
from tenuto_server.transport.public import PublicCall
from tenuto_server.transport.settings import AcceptorSettings

SETTINGS = AcceptorSettings(receive_bytes_max=1000, send_bytes_max=1000, stop_grace_s=0.01)
GRPC = {"content-type": "application/grpc+proto", "te": "trailers"}


def framed(message: bytes, flag: int = 0) -> bytes:
    return bytes([flag]) + len(message).to_bytes(4, "big") + message


async def echo(call: PublicCall) -> bytes:
    return call.body


class Exchange:
    """One request: its parts, and what was answered."""

    def __init__(self, *parts: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> None:
        self.parts = list(parts)
        self.sent: list[Any] = []
        self.disconnected = asyncio.Event()
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/a.B/C",
            "headers": [(name.encode(), value.encode()) for name, value in (GRPC | (headers or {})).items()],
        }

    async def receive(self) -> Any:
        if self.parts:
            part = self.parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self.parts)}
        await self.disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    def status(self) -> tuple[int, str]:
        """gRPC status and message of an answer without a body."""
        headers = dict(self.sent[0]["headers"])
        assert self.sent[1] == {"type": "http.response.body", "body": b"", "more_body": False}
        return int(headers[b"grpc-status"]), headers.get(b"grpc-message", b"").decode()


def exchange(*parts: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> Exchange:
    async def whole() -> Exchange:
        acceptor = AsgiAcceptor(echo, SETTINGS)
        made = Exchange(*parts, headers=headers, method=method)
        await acceptor(made.scope, made.receive, made.send)
        await acceptor.stop()
        return made

    return asyncio.run(whole())


def test_a_message_in_parts() -> None:
    body = framed(b"hello")
    for cut in range(len(body)):
        sent = exchange(body[:cut], body[cut:], b"").sent
        assert [message["type"] for message in sent] == [
            "http.response.start", "http.response.body", "http.response.trailers",
        ]  # fmt: skip
        assert sent[0]["status"] == 200
        assert sent[0]["trailers"]
        assert sent[1]["body"] == body
        assert sent[2]["headers"] == [(b"grpc-status", b"0")]


@pytest.mark.parametrize(
    "body",
    [b"", b"\0\0\0", framed(b"hello")[:-1], framed(b"hello") + b"x", framed(b"a") + framed(b"b"), framed(b"a", 2)],
)
def test_what_is_not_one_message_is_internal(body: bytes) -> None:
    assert exchange(body).status()[0] == errors.INTERNAL


def test_compressed_messages() -> None:
    message = b"hello" * 20
    for encoding, packed in (("gzip", gzip.compress(message)), ("deflate", zlib.compress(message))):
        sent = exchange(framed(packed, 1), headers={"grpc-encoding": encoding}).sent
        assert sent[1]["body"] == framed(message)
        damaged = exchange(framed(packed[:-9], 1), headers={"grpc-encoding": encoding})
        assert damaged.status()[0] == errors.INTERNAL
    # The flag says of each message whether it is compressed.
    assert exchange(framed(message), headers={"grpc-encoding": "gzip"}).sent[1]["body"] == framed(message)
    assert exchange(framed(b"junk", 1), headers={"grpc-encoding": "gzip"}).status()[0] == errors.INTERNAL
    assert exchange(framed(message, 1)).status()[0] == errors.INTERNAL


def test_an_unknown_compression_is_unimplemented_and_told_what_is_accepted() -> None:
    made = exchange(framed(b"x", 1), headers={"grpc-encoding": "snappy"})
    assert made.status()[0] == errors.UNIMPLEMENTED
    assert dict(made.sent[0]["headers"])[b"grpc-accept-encoding"] == b"identity,deflate,gzip"


def test_limits() -> None:
    assert exchange(framed(b"x" * 1000)).sent[1]["body"] == framed(b"x" * 1000)
    assert exchange(framed(b"x" * 1001)).status()[0] == errors.RESOURCE_EXHAUSTED
    assert exchange(framed(b"x" * 500), b"x" * 600, b"x" * 600).status()[0] == errors.RESOURCE_EXHAUSTED
    bomb = gzip.compress(b"\0" * 100_000)
    made = exchange(framed(bomb, 1), headers={"grpc-encoding": "gzip"})
    assert len(bomb) < 1000
    assert made.status()[0] == errors.RESOURCE_EXHAUSTED


def test_what_is_not_grpc_is_refused_by_http() -> None:
    assert exchange(method="GET").sent[0]["status"] == 405
    for content_type in ("", "application/json", "application/grpc-web+proto"):
        assert exchange(framed(b""), headers={"content-type": content_type}).sent[0]["status"] == 415
    assert exchange(framed(b""), headers={"te": ""}).sent[0]["status"] == 400
    for content_type in ("application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"):
        assert exchange(framed(b""), headers={"content-type": content_type}).sent[0]["status"] == 200


def test_timeouts() -> None:
    assert parse_timeout("1H") == 3600
    assert parse_timeout("2M") == 120
    assert parse_timeout("99999999S") == 99999999
    assert parse_timeout("150m") == pytest.approx(0.15)
    assert parse_timeout("7u") == pytest.approx(7e-6)
    assert parse_timeout("0n") == 0
    for bad in ("", "S", "5", "-1S", "1.5S", "123456789S", "5 S", "٣S", "1s"):
        with pytest.raises(errors.BadRequest):
            parse_timeout(bad)
        assert exchange(framed(b""), headers={"grpc-timeout": bad}).status()[0] == errors.INVALID_ARGUMENT


def test_messages_of_errors_are_percent_encoded() -> None:
    async def fail(call: PublicCall) -> bytes:
        raise errors.BadRequest("100 % ü\n~")

    async def whole() -> None:
        acceptor = AsgiAcceptor(fail, SETTINGS)
        made = Exchange(framed(b""))
        await acceptor(made.scope, made.receive, made.send)
        assert made.status() == (errors.INVALID_ARGUMENT, "100 %25 %C3%BC%0A~")
        await acceptor.stop()

    asyncio.run(whole())


def test_a_caller_that_goes_cancels_the_handler_and_gets_nothing() -> None:
    async def whole() -> None:
        cancelled = asyncio.Event()
        started = asyncio.Event()

        async def hold(call: PublicCall) -> bytes:
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
            return b""

        acceptor = AsgiAcceptor(hold, SETTINGS)
        made = Exchange(framed(b""))
        task = asyncio.create_task(acceptor(made.scope, made.receive, made.send))
        await started.wait()
        made.disconnected.set()
        async with asyncio.timeout(10):
            await task
        assert cancelled.is_set()
        assert made.sent == []
        # One that goes before its request is whole never reaches the handler.
        made = Exchange()
        made.disconnected.set()
        started.clear()
        await acceptor(made.scope, made.receive, made.send)
        assert made.sent == []
        assert not started.is_set()
        await acceptor.stop()

    asyncio.run(whole())


def test_a_stop_refuses_new_calls_lets_short_ones_end_and_cancels_the_rest() -> None:
    async def whole() -> None:
        release = asyncio.Event()

        async def wait(call: PublicCall) -> bytes:
            await (release.wait() if call.body == b"short" else asyncio.Event().wait())
            return call.body

        acceptor = AsgiAcceptor(wait, SETTINGS)
        short, long, late = Exchange(framed(b"short")), Exchange(framed(b"long")), Exchange(framed(b"late"))
        tasks = [asyncio.create_task(acceptor(made.scope, made.receive, made.send)) for made in (short, long)]
        await asyncio.sleep(0)
        stopping = asyncio.create_task(acceptor.stop())
        await asyncio.sleep(0)
        await acceptor(late.scope, late.receive, late.send)
        release.set()
        await stopping
        await asyncio.gather(*tasks)
        assert short.sent[1]["body"] == framed(b"short")
        assert long.status()[0] == errors.UNAVAILABLE
        assert late.status()[0] == errors.UNAVAILABLE

    asyncio.run(whole())
