"""One suite for every `Network`: within a process, and over streams on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tenuto_server import errors
from tenuto_server.telemetry import tracing
from tenuto_server.transport.inprocess import InProcessNetwork
from tenuto_server.transport.network import InternalCall, Listener, Network
from tenuto_server.transport.stream import StreamNetwork
from tests.integration.transport.served import ERRORS

WAIT_S = 10.0
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Callee:
    """A handler with a behaviour for each method, and what it saw."""

    seen: list[InternalCall] = field(default_factory=list)
    waiting: int = 0
    cancelled: int = 0
    ended: int = 0

    async def handle(self, call: InternalCall) -> bytes:
        self.seen.append(call)
        match call.method:
            case "echo":
                return call.body
            case "fail":
                raise ERRORS[call.body.decode()]
            case "crash":
                raise KeyError("secret")
            case "trace":
                return tracing.current_traceparent().encode()
            case "self-cancelled":
                future = asyncio.get_running_loop().create_future()
                future.cancel()
                await future
                raise AssertionError("unreachable")
            case "hold":
                await self.hold()
            case _:
                raise errors.Unimplemented(call.method)
        return b""

    async def hold(self) -> None:
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.waiting -= 1
            self.ended += 1


@dataclass
class Pair:
    """A callee that listens at `address`, and the caller's end of the network."""

    callee: Callee
    listener: Listener
    callee_end: Network
    caller_end: Network

    @property
    def address(self) -> str:
        return self.listener.address

    async def call(self, method: str, body: bytes = b"", timeout_s: float | None = WAIT_S) -> bytes:
        return await self.caller_end.call(self.address, method, body, timeout_s)

    async def holding(self, count: int, timeout_s: float | None = None) -> list[asyncio.Task[bytes]]:
        """Tasks of calls that have reached the handler and wait there."""
        tasks = [asyncio.create_task(self.call("hold", timeout_s=timeout_s)) for _ in range(count)]
        await until(lambda: self.callee.waiting == count)
        return tasks


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - what it waits for happens in another thread or process
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def pair(kind: str) -> AsyncIterator[Pair]:
    callee_end: Network
    caller_end: Network
    if kind == "inprocess":
        room = InProcessNetwork()
        callee_end, caller_end = room, room.endpoint()
    else:
        callee_end, caller_end = StreamNetwork(), StreamNetwork()
    callee = Callee()
    listener = await callee_end.listen("127.0.0.1:0", callee.handle)
    ends = Pair(callee, listener, callee_end, caller_end)
    try:
        yield ends
    finally:
        await caller_end.close()
        await ends.listener.close()
        await callee_end.close()


@pytest.fixture(params=["inprocess", "stream"])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[Pair], Awaitable[Any]]], None]:
    """Runs a coroutine function on a pair of the kind, and sees that no task is left over."""

    def run(test: Callable[[Pair], Awaitable[Any]]) -> None:
        async def whole() -> None:
            async with pair(request.param) as ends:
                await test(ends)
            left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            # grpc.aio ends its own tasks a little after a server has stopped.
            if left:
                _, left_over = await asyncio.wait(left, timeout=WAIT_S)
                assert not left_over

        asyncio.run(whole())

    return run


Run = Callable[[Callable[[Pair], Awaitable[Any]]], None]


async def outcome(task: Awaitable[bytes]) -> errors.ServiceError:
    with pytest.raises(errors.ServiceError) as caught:
        async with asyncio.timeout(WAIT_S):
            await task
    return caught.value


def test_the_answer_is_the_handlers_bytes(run: Run) -> None:
    async def test(pair: Pair) -> None:
        for body in (b"", b"x", bytes(range(256)), b"z" * 5_000_000):
            assert await pair.call("echo", body) == body
        assert [call.method for call in pair.callee.seen] == ["echo"] * 4

    run(test)


def test_many_calls_at_once(run: Run) -> None:
    async def test(pair: Pair) -> None:
        bodies = [b"%d" % number for number in range(1000)]
        assert await asyncio.gather(*[pair.call("echo", body) for body in bodies]) == bodies

    run(test)


@pytest.mark.parametrize("name", [name for name in ERRORS if name != "unknown status"])
def test_an_error_arrives_as_an_equal_error_of_the_same_class(run: Run, name: str) -> None:
    async def test(pair: Pair) -> None:
        error = await outcome(pair.call("fail", name.encode()))
        assert error == ERRORS[name]
        assert type(error) is type(ERRORS[name])
        assert str(error) == ERRORS[name].message

    run(test)


def test_an_unexpected_exception_is_internal_without_its_text(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def test(pair: Pair) -> None:
        assert await outcome(pair.call("crash")) == errors.InternalService("internal error")
        assert await pair.call("echo", b"still here") == b"still here"

    run(test)
    assert "secret" in caplog.text


def test_the_handler_sees_the_deadline(run: Run) -> None:
    async def test(pair: Pair) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await pair.call("echo", timeout_s=5)
        await pair.call("echo", timeout_s=None)
        timed, untimed = pair.callee.seen
        assert timed.deadline is not None
        assert start + 4 < timed.deadline < loop.time() + 5.1
        assert untimed.deadline is None

    run(test)


def test_a_call_past_its_deadline_fails_and_cancels_the_handler(run: Run) -> None:
    async def test(pair: Pair) -> None:
        error = await outcome(pair.call("hold", timeout_s=0.1))
        assert type(error) is errors.DeadlineExceeded
        await until(lambda: pair.callee.cancelled == 1)
        assert type(await outcome(pair.call("hold", timeout_s=0))) is errors.DeadlineExceeded
        assert len(pair.callee.seen) == 1
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(test)


def test_a_cancelled_caller_cancels_the_handler(run: Run) -> None:
    async def test(pair: Pair) -> None:
        [task] = await pair.holding(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: pair.callee.cancelled == 1)
        assert await pair.call("echo", b"x") == b"x"

    run(test)


def test_a_handler_cancelled_by_its_own_side_is_unavailable(run: Run) -> None:
    async def test(pair: Pair) -> None:
        assert type(await outcome(pair.call("self-cancelled"))) is errors.Unavailable
        assert await pair.call("echo", b"x") == b"x"

    run(test)


def test_nobody_there_is_unavailable_and_not_a_lost_link(run: Run) -> None:
    async def test(pair: Pair) -> None:
        lost: list[str] = []
        pair.caller_end.on_lost(lost.append)
        for _ in range(3):
            error = await outcome(pair.caller_end.call("127.0.0.1:1", "echo", b"", WAIT_S))
            assert type(error) is errors.Unavailable
        await asyncio.sleep(0)
        assert lost == []

    run(test)


def test_a_closed_listener_fails_its_calls_and_says_so_once(run: Run) -> None:
    async def test(pair: Pair) -> None:
        lost: list[str] = []
        pair.caller_end.on_lost(lost.append)
        pair.callee_end.on_lost(lambda address: lost.append(f"never called {address}"))
        tasks = await pair.holding(20)
        await pair.listener.close()
        assert pair.callee.ended == 20
        for task in tasks:
            assert type(await outcome(task)) is errors.Unavailable
        await until(lambda: lost == [pair.address])
        assert type(await outcome(pair.call("echo"))) is errors.Unavailable

    run(test)


def test_the_next_call_reaches_a_new_listener(run: Run) -> None:
    async def test(pair: Pair) -> None:
        assert await pair.call("echo", b"1") == b"1"
        await pair.listener.close()
        pair.listener = await pair.callee_end.listen(pair.address, pair.callee.handle)
        # A link may break only when it is used.
        async with asyncio.timeout(WAIT_S):
            while True:
                with contextlib.suppress(errors.Unavailable):
                    assert await pair.call("echo", b"2") == b"2"
                    break
                await asyncio.sleep(0.02)

    run(test)


def test_a_taken_address_is_an_error(run: Run) -> None:
    async def test(pair: Pair) -> None:
        with pytest.raises(OSError, match=pair.address):
            await pair.callee_end.listen(pair.address, pair.callee.handle)

    run(test)


def test_closing_the_network_fails_the_calls_and_is_no_loss(run: Run) -> None:
    async def test(pair: Pair) -> None:
        lost: list[str] = []
        pair.caller_end.on_lost(lost.append)
        tasks = await pair.holding(5)
        await pair.caller_end.close()
        for task in tasks:
            assert type(await outcome(task)) is errors.Unavailable
        await until(lambda: pair.callee.cancelled == 5)
        assert type(await outcome(pair.call("echo"))) is errors.Unavailable
        assert lost == []

    run(test)


def test_a_handler_may_close_its_own_listener(run: Run) -> None:
    async def test(pair: Pair) -> None:
        async def close(call: InternalCall) -> bytes:
            await listener.close()
            return b"closed"

        listener = await pair.callee_end.listen("127.0.0.1:0", close)
        error = await outcome(pair.caller_end.call(listener.address, "close", b"", WAIT_S))
        assert type(error) is errors.Unavailable
        assert await pair.call("echo", b"x") == b"x"

    run(test)


def test_calls_nest(run: Run) -> None:
    """A handler that calls on: the inner deadline is the inner call's, the outer one cancels both."""

    async def test(pair: Pair) -> None:
        async def relay(call: InternalCall) -> bytes:
            try:
                return await pair.call("hold", timeout_s=float(call.body))
            except errors.DeadlineExceeded:
                return b"inner"

        outer = await pair.callee_end.listen("127.0.0.1:0", relay)
        assert await pair.caller_end.call(outer.address, "relay", b"0.05", WAIT_S) == b"inner"
        error = await outcome(pair.caller_end.call(outer.address, "relay", b"10", 0.1))
        assert type(error) is errors.DeadlineExceeded
        await until(lambda: pair.callee.cancelled == 2)
        await outer.close()

    run(test)


def test_the_trace_goes_with_the_call(run: Run) -> None:
    async def test(pair: Pair) -> None:
        tracing.carry(TRACEPARENT)
        assert await pair.call("trace") == TRACEPARENT.encode()
        assert pair.callee.seen[0].traceparent == TRACEPARENT
        tracing.carry("")
        assert await pair.call("trace") == b""

    run(test)
