"""What only the network over streams has: batches, limits, dead peers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from tenuto_server import errors
from tenuto_server.transport.exchange import StreamListener
from tenuto_server.transport.network import InternalCall
from tenuto_server.transport.settings import StreamSettings
from tenuto_server.transport.stream import StreamNetwork
from tests.integration.transport.test_network import WAIT_S, Callee, outcome, until

QUICK = StreamSettings(keepalive_s=0.5, keepalive_timeout_s=0.5)


@contextlib.asynccontextmanager
async def served(
    callee: Callee, settings: StreamSettings | None = None
) -> AsyncIterator[tuple[StreamNetwork, StreamListener]]:
    network = StreamNetwork(settings)
    listener = await network.listen("127.0.0.1:0", callee.handle)
    try:
        yield network, listener
    finally:
        await network.close()
        await listener.close()


class Pipe:
    """A TCP relay in front of an address, that can stop passing bytes or break."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._open = asyncio.Event()
        self._open.set()
        self.address = ""

    async def __aenter__(self) -> Pipe:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def freeze(self) -> None:
        """From now on nothing passes, and nobody is told."""
        self._open.clear()

    def cut(self) -> None:
        """Breaks every connection."""
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers += [writer, far_writer]
        self._tasks += [
            asyncio.create_task(self._pass(reader, far_writer)),
            asyncio.create_task(self._pass(far_reader, writer)),
        ]

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
            writer.close()


def test_calls_of_one_moment_share_frames() -> None:
    async def test() -> None:
        async with served(Callee()) as (network, listener):
            await network.call(listener.address, "echo", b"")
            before = network.frames_sent(listener.address)
            await asyncio.gather(*[network.call(listener.address, "echo", b"x" * 100, WAIT_S) for _ in range(500)])
            assert network.frames_sent(listener.address) - before < 10

    asyncio.run(test())


def test_a_frame_is_closed_when_it_is_large_enough() -> None:
    async def test() -> None:
        settings = StreamSettings(frame_bytes=1000, message_bytes_max=200_000)
        async with served(Callee(), settings) as (network, listener):
            bodies = [bytes([number]) * 600 for number in range(100)] + [b"z" * 200_000]
            calls = [network.call(listener.address, "echo", body, WAIT_S) for body in bodies]
            assert await asyncio.gather(*calls) == bodies
            assert network.frames_sent(listener.address) >= 50

    asyncio.run(test())


def test_a_message_over_the_limit_is_refused_either_way_and_the_link_stays() -> None:
    async def big(call: InternalCall) -> bytes:
        return b"x" * int(call.body or b"0")

    async def test() -> None:
        settings = StreamSettings(message_bytes_max=10_000)
        network = StreamNetwork(settings)
        listener = await network.listen("127.0.0.1:0", big)
        lost: list[str] = []
        network.on_lost(lost.append)
        too_large = await outcome(network.call(listener.address, "big", b"1" * 10_001))
        assert too_large.status == errors.RESOURCE_EXHAUSTED
        too_large = await outcome(network.call(listener.address, "big", b"10001"))
        assert too_large.status == errors.RESOURCE_EXHAUSTED
        assert len(await network.call(listener.address, "big", b"10000")) == 10_000
        assert lost == []
        await network.close()
        await listener.close()

    asyncio.run(test())


def test_more_calls_than_allowed_are_refused_at_once() -> None:
    async def test() -> None:
        callee = Callee()
        async with served(callee, StreamSettings(calls_under_way_max=3)) as (network, listener):
            tasks = [asyncio.create_task(network.call(listener.address, "hold", b"")) for _ in range(3)]
            await until(lambda: callee.waiting == 3)
            assert type(await outcome(network.call(listener.address, "echo", b""))) is errors.ServiceBusy
            tasks[0].cancel()
            await until(lambda: callee.waiting == 2)
            assert await network.call(listener.address, "echo", b"x") == b"x"
            # The callee holds to the limit even where the caller does not.
            free = StreamNetwork()
            extra = [asyncio.create_task(free.call(listener.address, "hold", b"")) for _ in range(4)]
            assert type(await outcome(extra[3])) is errors.ServiceBusy
            await free.close()
            await asyncio.gather(*extra, return_exceptions=True)
            await network.close()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(test())


def test_more_links_than_allowed_are_closed_at_once() -> None:
    async def test() -> None:
        async with served(Callee(), StreamSettings(links_max=1, connect_retry_s=0.01)) as (network, listener):
            assert await network.call(listener.address, "echo", b"x") == b"x"
            other = StreamNetwork(StreamSettings(connect_retry_s=0.01))
            assert type(await outcome(other.call(listener.address, "echo", b"y"))) is errors.Unavailable
            assert await network.call(listener.address, "echo", b"z") == b"z"
            await network.close()
            # The first has gone: there is room again, as soon as the listener knows.
            answers = [b""]
            async with asyncio.timeout(WAIT_S):
                while answers[-1] != b"y":
                    with contextlib.suppress(errors.Unavailable):
                        answers.append(await other.call(listener.address, "echo", b"y"))
                    await asyncio.sleep(0.02)
            await other.close()

    asyncio.run(test())


def test_a_call_cancelled_before_it_was_sent_never_arrives() -> None:
    async def test() -> None:
        callee = Callee()
        async with served(callee) as (network, listener):
            await network.call(listener.address, "echo", b"")
            # While this is being written, what comes next has to wait.
            large = asyncio.create_task(network.call(listener.address, "echo", b"x" * 30_000_000))
            await until(lambda: network.frames_sent(listener.address) == 2 and not large.done())
            task = asyncio.create_task(network.call(listener.address, "hold", b""))
            asyncio.get_running_loop().call_later(0.001, task.cancel)
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(await large) == 30_000_000
            assert [call.method for call in callee.seen] == ["echo", "echo"]

    asyncio.run(test())


def test_a_broken_stream_fails_the_calls_cancels_the_handlers_and_is_opened_anew() -> None:
    async def test() -> None:
        callee = Callee()
        async with served(callee) as (network, listener), Pipe(listener.address) as pipe:
            lost: list[str] = []
            network.on_lost(lost.append)
            tasks = [asyncio.create_task(network.call(pipe.address, "hold", b"")) for _ in range(10)]
            await until(lambda: callee.waiting == 10)
            pipe.cut()
            for task in tasks:
                assert type(await outcome(task)) is errors.Unavailable
            await until(lambda: callee.cancelled == 10 and lost == [pipe.address])
            assert await network.call(pipe.address, "echo", b"again", WAIT_S) == b"again"

    asyncio.run(test())


def test_a_peer_that_falls_silent_is_noticed_by_both_sides() -> None:
    async def test() -> None:
        callee = Callee()
        async with served(callee, QUICK) as (network, listener), Pipe(listener.address) as pipe:
            lost: list[str] = []
            network.on_lost(lost.append)
            task = asyncio.create_task(network.call(pipe.address, "hold", b""))
            await until(lambda: callee.waiting == 1)
            pipe.freeze()
            assert type(await outcome(task)) is errors.Unavailable
            await until(lambda: callee.cancelled == 1 and lost == [pipe.address])

    asyncio.run(test())


def test_an_address_that_refused_is_left_alone_for_a_moment() -> None:
    async def test() -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        network = StreamNetwork(StreamSettings(connect_retry_s=0.2))
        assert type(await outcome(network.call(address, "echo", b""))) is errors.Unavailable
        assert "a moment ago" in str(await outcome(network.call(address, "echo", b"")))
        listener = await network.listen(address, Callee().handle)
        await asyncio.sleep(0.25)
        assert await network.call(address, "echo", b"x", WAIT_S) == b"x"
        await network.close()
        await listener.close()
        assert type(await outcome(network.call(address, "echo", b""))) is errors.Unavailable

    asyncio.run(test())


def test_a_foreign_method_is_unimplemented() -> None:
    import grpc

    async def test() -> None:
        async with served(Callee()) as (_, listener), grpc.aio.insecure_channel(listener.address) as channel:
            call = channel.unary_unary("/some.Other/Method")  # type: ignore[call-arg]
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"")
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED

    asyncio.run(test())
