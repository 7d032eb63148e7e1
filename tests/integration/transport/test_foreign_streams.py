"""The streams between services are gRPC: gRPC's own implementation speaks with either side of one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc
import grpc.aio
import pytest

from tenuto_api import internal
from tenuto_server import errors
from tenuto_server.transport.exchange import StreamListener
from tenuto_server.transport.link import METHOD
from tenuto_server.transport.settings import StreamSettings
from tenuto_server.transport.stream import StreamNetwork
from tests.integration.transport.test_network import WAIT_S, Callee, outcome, until

UNBOUNDED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
Stream: TypeAlias = "grpc.aio.StreamStreamCall[bytes, bytes]"
SIZES = [0, 1, 1000, 16_384, 65_535, 300_000, 5_000_000]


@contextlib.asynccontextmanager
async def listening(callee: Callee, stream_settings: StreamSettings | None = None) -> AsyncIterator[StreamListener]:
    network = StreamNetwork(stream_settings)
    listener = await network.listen("127.0.0.1:0", callee.handle)
    try:
        yield listener
    finally:
        await listener.close()
        await network.close()


@contextlib.asynccontextmanager
async def calling(callee: Callee) -> AsyncIterator[tuple[StreamListener, Stream]]:
    """A listener, and gRPC's own stream to it."""
    async with listening(callee) as listener, grpc.aio.insecure_channel(listener.address, UNBOUNDED) as channel:
        # The type stubs want an iterator of messages; without one they are written as they come.
        yield listener, channel.stream_stream(METHOD)()  # type: ignore[call-arg]


async def next_reply(stream: Stream) -> internal.Reply:
    data = await stream.read()
    assert isinstance(data, bytes), "the stream has ended"
    return internal.Frame.FromString(data).replies[0]


def frame_of(*calls: internal.Call, cancels: tuple[int, ...] = ()) -> bytes:
    return internal.Frame(calls=calls, cancels=cancels).SerializeToString()


def test_a_foreign_caller_is_served() -> None:
    async def test() -> None:
        callee = Callee()
        async with calling(callee) as (_, stream):
            await stream.wait_for_connection()
            for number, size in enumerate(SIZES, start=1):
                await stream.write(frame_of(internal.Call(id=number, method="echo", body=b"x" * size)))
                reply = await next_reply(stream)
                assert (reply.id, reply.body) == (number, b"x" * size)
            await stream.write(frame_of(*(internal.Call(id=number, method="hold") for number in (101, 102, 103))))
            await until(lambda: callee.waiting == 3)
            await stream.write(frame_of(cancels=(102,)))
            await until(lambda: callee.waiting == 2)
            stream.cancel()
            await until(lambda: callee.cancelled == 3)

    asyncio.run(test())


def test_a_foreign_caller_that_sends_no_more_ends_its_calls() -> None:
    async def test() -> None:
        callee = Callee()
        async with calling(callee) as (_, stream):
            await stream.write(frame_of(internal.Call(id=1, method="hold")))
            await until(lambda: callee.waiting == 1)
            await stream.done_writing()
            await until(lambda: callee.cancelled == 1)
            assert await stream.code() is grpc.StatusCode.OK

    asyncio.run(test())


def test_a_foreign_caller_hears_that_the_listener_stops() -> None:
    async def test() -> None:
        callee = Callee()
        async with calling(callee) as (listener, stream):
            await stream.write(frame_of(internal.Call(id=1, method="hold")))
            await until(lambda: callee.waiting == 1)
            await listener.close()
            reply = await next_reply(stream)
            assert (reply.id, reply.status) == (1, errors.UNAVAILABLE)
            assert await stream.code() is grpc.StatusCode.UNAVAILABLE

    asyncio.run(test())


class ForeignCallee(grpc.GenericRpcHandler):
    """Answers every call with its body, until it is told to end."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.seen = 0

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        if handler_call_details.method != METHOD:
            return None
        return grpc.stream_stream_rpc_method_handler(self.exchange)

    async def exchange(self, frames: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        await context.send_initial_metadata(())
        reader = asyncio.ensure_future(self.answer(frames, context))
        await self.end.wait()
        reader.cancel()
        await context.abort(grpc.StatusCode.ABORTED, "enough")

    async def answer(self, frames: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        async for data in frames:
            calls = internal.Frame.FromString(data).calls
            self.seen += len(calls)
            replies = [internal.Reply(id=call.id, body=call.body) for call in calls if call.method == "echo"]
            await context.write(internal.Frame(replies=replies).SerializeToString())


@contextlib.asynccontextmanager
async def foreign() -> AsyncIterator[tuple[ForeignCallee, str]]:
    callee = ForeignCallee()
    server = grpc.aio.server(handlers=[callee], options=UNBOUNDED)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield callee, f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def test_a_foreign_callee_is_called() -> None:
    async def test() -> None:
        async with foreign() as (callee, address):
            network = StreamNetwork()
            for size in SIZES:
                assert len(await network.call(address, "echo", b"x" * size, WAIT_S)) == size
            # More at once than the windows of the other side hold.
            bodies = [bytes([number]) * 200_000 for number in range(50)]
            assert await asyncio.gather(*(network.call(address, "echo", body, WAIT_S) for body in bodies)) == bodies
            lost: list[str] = []
            network.on_lost(lost.append)
            held = asyncio.create_task(network.call(address, "hold", b""))
            await until(lambda: callee.seen == len(SIZES) + len(bodies) + 1)
            callee.end.set()
            failed = await outcome(held)
            assert type(failed) is errors.Unavailable
            assert "enough" in failed.message
            await until(lambda: lost == [address])
            callee.end.clear()
            assert await network.call(address, "echo", b"again", WAIT_S) == b"again"
            await network.close()

    asyncio.run(test())


@pytest.mark.parametrize("kind", ["another method", "not HTTP/2"])
def test_what_listens_for_something_else_is_unavailable(kind: str) -> None:
    async def test() -> None:
        server: grpc.aio.Server | asyncio.Server
        if kind == "another method":
            server = grpc.aio.server()
            address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
            await server.start()
        else:
            async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"220 mail.example ESMTP\r\n" * 20)
                await writer.drain()
                writer.close()

            server = await asyncio.start_server(greet, "127.0.0.1", 0)
            address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        network = StreamNetwork()
        assert type(await outcome(network.call(address, "echo", b"", WAIT_S))) is errors.Unavailable
        await network.close()
        if isinstance(server, asyncio.Server):
            server.close()
        else:
            await server.stop(None)

    asyncio.run(test())
