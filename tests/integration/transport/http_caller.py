"""A caller over HTTP/1.1, by bytes on a socket: for tests of the HTTP interface."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

SERVICE = "uber.cadence.api.v1.WorkflowAPI"
TIME_S = 20.0


class Reply(NamedTuple):
    """An answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body of a success."""
        assert (self.status, self.headers["content-type"]) == (200, "application/json"), self
        assert self.headers["rpc-status"] == "success"
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body of an error, without the end of its line."""
        assert self.headers["content-type"].startswith("text/plain")
        return self.body.decode().removesuffix("\n")


def request(
    procedure: str, body: object = None, headers: dict[str, str | None] | None = None, method: str = "POST", path: str = "/"
) -> bytes:
    """A call as curl would send it. `body` may be bytes; a header with None is left out."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    name = procedure if "::" in procedure else f"{SERVICE}::{procedure}"
    sent: dict[str, str | None] = {
        "Host": "localhost", "Rpc-Caller": "test", "Rpc-Service": "cadence-frontend", "Rpc-Encoding": "json",
        "Rpc-Procedure": name, "Context-TTL-MS": "10000", "Content-Type": "application/json", "Content-Length": str(len(data)),
        **(headers or {}),
    }  # fmt: skip
    head = "".join(f"{key}: {value}\r\n" for key, value in sent.items() if value is not None)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data


class Wire:
    """One connection, kept from call to call."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, address: str) -> Wire:
        """Connects."""
        host, _, port = address.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port), limit=1 << 20))

    async def send(self, data: bytes) -> None:
        """Sends bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> Reply:
        """The next answer."""
        async with asyncio.timeout(TIME_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("utf-8").split("\r\n")
            pairs = (line.partition(": ") for line in head[1:] if line)
            headers = {name.lower(): value for name, _, value in pairs}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Reply(int(head[0].split()[1]), headers, body)

    async def ended(self) -> bytes:
        """What comes until the server closes."""
        async with asyncio.timeout(TIME_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def close(self) -> None:
        """Goes away."""
        self.writer.close()


async def call(
    address: str, procedure: str, body: object = None, headers: dict[str, str | None] | None = None, **more: str
) -> Reply:
    """One call on a connection of its own."""
    wire = await Wire.open(address)
    try:
        await wire.send(request(procedure, body, headers, **more))
        return await wire.reply()
    finally:
        wire.close()
