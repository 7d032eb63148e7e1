"""The yardstick: what a call that does nothing costs on grpc.aio, here and now.

CPU times change with the machine and with what else runs on it. So a run of the benchmarks also measures a server of its own
that answers 1 KB with 1 KB, 50 callers at once, and says how many such calls a workflow costs.

    python -m tests.benchmarks.yardstick serve ADDRESS      the server
    python -m tests.benchmarks.yardstick                    measures, prints JSON
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import uvloop

from tests.benchmarks.process import cpu_seconds
from tests.e2e.server import can_connect
from tests.ports import free_port

METHOD = "/yardstick/Call"
BODY = b"x" * 1024
CALLERS = 50
SECONDS = 1.5
START_SECONDS_MAX = 15.0

if TYPE_CHECKING:
    GenericHandler = grpc.GenericRpcHandler[bytes, bytes]
else:
    GenericHandler = grpc.GenericRpcHandler


class Echo(GenericHandler):
    """Answers everything with what it got."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        return HANDLER


async def _echo(body: bytes, _context: object) -> bytes:
    return body


HANDLER = grpc.unary_unary_rpc_method_handler(_echo)


async def serve(address: str) -> None:
    """The server, until it is killed."""
    server = grpc.aio.server(handlers=[Echo()])
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


async def load(address: str, seconds: float, pid: int) -> tuple[float, float]:
    """CPU of server and client a call, in microseconds."""
    async with grpc.aio.insecure_channel(address) as channel:
        call: Callable[[bytes], Awaitable[bytes]] = channel.unary_unary(
            METHOD, request_serializer=None, response_deserializer=None
        )
        await _calls(call, seconds / 5)
        server, client = cpu_seconds(pid), time.process_time()
        count = await _calls(call, seconds)
        server, client = cpu_seconds(pid) - server, time.process_time() - client
    return server / count * 1e6, client / count * 1e6


async def _calls(call: Callable[[bytes], Awaitable[bytes]], seconds: float) -> int:
    end = time.perf_counter() + seconds

    async def one_after_another() -> int:
        count = 0
        while time.perf_counter() < end:
            await call(BODY)
            count += 1
        return count

    return sum(await asyncio.gather(*(one_after_another() for _ in range(CALLERS))))


def measure() -> tuple[float, float]:
    """Microseconds of CPU a call, of the server and of the client, each in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.yardstick"], stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )
    server, client = json.loads(done.stdout)
    return server, client


def main(arguments: list[str]) -> None:
    """Serves, or measures a server of its own."""
    if arguments[:1] == ["serve"]:
        uvloop.run(serve(arguments[1]))
        return
    address = f"127.0.0.1:{free_port()}"
    server = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.yardstick", "serve", address])
    try:
        end = time.perf_counter() + START_SECONDS_MAX
        while not can_connect(address) and time.perf_counter() < end:
            # tidy: allow blocking-sleep: no event loop runs yet, and a starting server cannot tell us when it is ready
            time.sleep(0.02)
        print(json.dumps(uvloop.run(load(address, SECONDS, server.pid))))
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
