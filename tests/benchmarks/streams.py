"""What a message on a stream between two processes costs: `python -m tests.benchmarks.streams`.

The project's own streams beside grpc.aio's, on uvloop. A message goes to the other process and back; then the next one goes: at
once, or after a pause, as on a quiet cluster. The streams' own figures have a call in each message, with its task and future.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import uvloop

from tenuto_server.transport.link import METHOD
from tenuto_server.transport.network import InternalCall
from tenuto_server.transport.stream import StreamNetwork
from tests.benchmarks.process import cpu_seconds
from tests.benchmarks.report import table

HEADER = ("streams", "pause ms", "callee CPU µs", "ratio", "caller CPU µs", "ratio", "round trip p50 µs", "ratio")
KINDS = ("grpc.aio", "tenuto")
BODY = b"x" * 1500
Trip = Callable[[], Awaitable[object]]


class _Echo(grpc.GenericRpcHandler):
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return grpc.stream_stream_rpc_method_handler(self.exchange) if handler_call_details.method == METHOD else None

    async def exchange(self, messages: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        async for message in messages:
            await context.write(message)


async def serve(kind: str) -> None:
    """Echoes until it is killed; prints its address first."""
    if kind == "grpc.aio":
        server = grpc.aio.server(handlers=[_Echo()])
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
    else:
        async def echo(call: InternalCall) -> bytes:
            return call.body

        address = (await StreamNetwork().listen("127.0.0.1:0", echo)).address
    print(address, flush=True)
    await asyncio.Event().wait()


@asynccontextmanager
async def calling(kind: str, address: str) -> AsyncIterator[Trip]:
    """Sends one message and waits until it is back."""
    if kind == "grpc.aio":
        async with grpc.aio.insecure_channel(address) as channel:
            # The type stubs want an iterator of messages; without one they are written as they come.
            stream = channel.stream_stream(METHOD)()  # type: ignore[call-arg]

            async def over_grpc() -> object:
                await stream.write(BODY)
                return await stream.read()

            yield over_grpc
            stream.cancel()
    else:
        network = StreamNetwork()
        yield lambda: network.call(address, "echo", BODY, 10.0)
        await network.close()


def measure(kind: str, trips: int, pause_s: float) -> tuple[float, float, float]:
    """CPU of the callee and of the caller a trip, and its p50; in microseconds."""
    with subprocess.Popen([sys.executable, "-m", __spec__.name, "--serve", kind], stdout=subprocess.PIPE, text=True) as callee:
        assert callee.stdout is not None, "it is a pipe"
        try:
            return uvloop.run(call(kind, callee.stdout.readline().strip(), callee.pid, trips, pause_s))
        finally:
            callee.kill()


async def call(kind: str, address: str, pid: int, trips: int, pause_s: float) -> tuple[float, float, float]:
    """The caller's part of `measure`."""
    times: list[float] = []
    async with calling(kind, address) as trip:
        for _ in range(200):
            await trip()
        before, own_before = cpu_seconds(pid), time.process_time()
        for _ in range(trips):
            begun = time.perf_counter()
            await trip()
            times.append(time.perf_counter() - begun)
            if pause_s:
                await asyncio.sleep(pause_s)
        spent, own_spent = cpu_seconds(pid) - before, time.process_time() - own_before
    return spent / trips * 1e6, own_spent / trips * 1e6, sorted(times)[trips // 2] * 1e6


def main() -> None:
    """Measures both in turn and prints them side by side."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.streams", description=__doc__)
    parser.add_argument("--trips", type=int, default=5000)
    parser.add_argument("--pause-ms", nargs="+", type=float, default=[0.0, 3.0])
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(serve(options.serve))
        return
    rows: list[tuple[str, ...]] = [HEADER]
    for pause_ms in options.pause_ms:
        trips = options.trips if pause_ms == 0 else options.trips // 4
        figures = [measure(kind, trips, pause_ms / 1e3) for kind in KINDS]
        for kind, row in zip(KINDS, figures, strict=True):
            pairs = ((f"{value:.0f}", f"{value / first:.2f}") for value, first in zip(row, figures[0], strict=True))
            rows.append((kind, f"{pause_ms:g}", *(cell for pair in pairs for cell in pair)))
    print(table(rows))


if __name__ == "__main__":
    main()
