"""The server of the acceptors' tests: run as a program it serves a handler with a behaviour for each method.

    python -m tests.integration.transport.served '{"kind": "grpc", "address": "127.0.0.1:7833"}'
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from tenuto_server import errors
from tenuto_server.telemetry import tracing
from tenuto_server.transport.acceptor import Served, run
from tenuto_server.transport.public import PublicCall
from tenuto_server.transport.settings import AcceptorSettings

SERVICE = "uber.cadence.api.v1.WorkflowAPI"
STOPPED = "TENUTO_TEST_STOPPED"

ERRORS: dict[str, errors.ServiceError] = {
    error.__class__.__name__: error
    for error in (
        errors.BadRequest("Domain is not set on request."),
        errors.EntityNotExists("Workflow execution not found.", "here", "there", ["a", "b"]),
        errors.WorkflowAlreadyCompleted(),
        errors.WorkflowAlreadyStarted("started", "request", "run"),
        errors.CancellationAlreadyRequested("cancelled before"),
        errors.DomainAlreadyExists("Domain exists."),
        errors.DomainNotActive("not active", "d", "here", "there"),
        errors.ClientVersionNotSupported("too new", "9.0.0", "uber-go", "<1.7.0"),
        errors.FeatureNotEnabled("off", "flag"),
        errors.LimitExceeded("too many"),
        errors.ServiceBusy("busy", "rps"),
        errors.QueryFailed("unknown queryType X. KnownQueryTypes=[a b]"),
        errors.AccessDenied("no"),
        errors.InternalService("said aloud"),
        errors.Unimplemented("no such method"),
        errors.DeadlineExceeded("too late"),
        errors.Unavailable("away"),
        errors.ShardOwnershipLost("lost"),
    )
} | {
    "unicode": errors.BadRequest("Größe 100 % – “naïve”\nnew line, emoji 🎵, control \x01"),
    "unicode detail": errors.EntityNotExists("kein Fluß 🎵"),
    "empty": errors.BadRequest(""),
    "unknown status": errors.ServiceError("odd", status=77),
}


class Behaviour:
    """One behaviour a method, and what was seen."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.waiting = 0
        self.cancelled = 0

    async def handle(self, call: PublicCall) -> bytes:
        name = call.method.partition("/")[2]
        behaviour: Callable[[PublicCall], Awaitable[bytes]] | None = getattr(self, f"do_{name}", None)
        if not call.method.startswith(SERVICE) or behaviour is None:
            raise errors.Unimplemented(f"unknown method {call.method}")
        return await behaviour(call)

    async def do_Echo(self, call: PublicCall) -> bytes:  # noqa: N802
        return call.body

    async def do_Describe(self, call: PublicCall) -> bytes:  # noqa: N802
        now = asyncio.get_running_loop().time()
        remaining = None if call.deadline is None else call.deadline - now
        seen = {
            "method": call.method,
            "headers": dict(call.headers),
            "remaining": remaining,
            "traceparent": tracing.current_traceparent(),
            "loop": type(asyncio.get_running_loop()).__module__,
        }
        return json.dumps(seen).encode()

    async def do_Fail(self, call: PublicCall) -> bytes:  # noqa: N802
        raise ERRORS[call.body.decode()]

    async def do_Crash(self, call: PublicCall) -> bytes:  # noqa: N802
        raise KeyError("secret")

    async def do_Cancelled(self, call: PublicCall) -> bytes:  # noqa: N802
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        future.cancel()
        return await future

    async def do_Empty(self, call: PublicCall) -> bytes:  # noqa: N802
        return b""

    async def do_Big(self, call: PublicCall) -> bytes:  # noqa: N802
        return b"y" * int(call.body)

    async def do_Hold(self, call: PublicCall) -> bytes:  # noqa: N802
        self.waiting += 1
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.waiting -= 1
        return call.body

    async def do_Sleep(self, call: PublicCall) -> bytes:  # noqa: N802
        self.waiting += 1
        try:
            await asyncio.sleep(float(call.body))
        finally:
            self.waiting -= 1
        return b"slept"

    async def do_Release(self, call: PublicCall) -> bytes:  # noqa: N802
        self.released.set()
        self.released = asyncio.Event()
        return b""

    async def do_Counts(self, call: PublicCall) -> bytes:  # noqa: N802
        return json.dumps({"waiting": self.waiting, "cancelled": self.cancelled}).encode()


async def make() -> Served:
    """The factory that the acceptors call."""

    async def stop() -> None:
        mark = os.environ.get(STOPPED)
        if mark:
            Path(mark).write_text("stopped", "utf-8")  # noqa: ASYNC240 - the test's mark, at the end

    return Served(Behaviour().handle, stop)


async def fail() -> Served:
    """A factory of a server that cannot start."""
    raise ValueError("no such store")


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    factory = told.pop("factory", "make")
    run(f"tests.integration.transport.served:{factory}", AcceptorSettings(**told))
