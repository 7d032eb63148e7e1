"""What only the network within a process has: crashes at once, and cancellations that meet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tenuto_server import errors
from tenuto_server.transport.inprocess import InProcessNetwork
from tenuto_server.transport.network import InternalCall


async def echo(call: InternalCall) -> bytes:
    return call.body


async def hold(call: InternalCall) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def run(test: Callable[[InProcessNetwork], Awaitable[Any]]) -> None:
    async def whole() -> None:
        await test(InProcessNetwork())
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


def test_addresses_are_given_out_once() -> None:
    async def test(network: InProcessNetwork) -> None:
        first = await network.listen("history:0", echo)
        second = await network.endpoint().listen("history:0", echo)
        assert first.address != second.address
        named = await network.listen("any name", echo)
        assert named.address == "any name"

    run(test)


def test_a_crash_is_seen_at_once() -> None:
    async def test(network: InProcessNetwork) -> None:
        caller = network.endpoint()
        lost: list[str] = []
        caller.on_lost(lost.append)
        listener = await network.listen("a", hold)
        task = asyncio.create_task(caller.call("a", "hold", b""))
        await asyncio.sleep(0)
        network.crash("a")
        network.crash("nobody")
        with pytest.raises(errors.Unavailable):
            await task
        assert lost == ["a"]
        with pytest.raises(errors.Unavailable):
            await caller.call("a", "hold", b"")
        await listener.close()
        assert lost == ["a"]

    run(test)


def test_a_dropped_end_fails_its_calls_only() -> None:
    async def test(network: InProcessNetwork) -> None:
        await network.listen("a", hold)
        one, other = network.endpoint(), network.endpoint()
        tasks = [asyncio.create_task(end.call("a", "hold", b"")) for end in (one, other)]
        await asyncio.sleep(0)
        one.drop()
        with pytest.raises(errors.Unavailable):
            await tasks[0]
        assert not tasks[1].done()
        network.crash("a")
        with pytest.raises(errors.Unavailable):
            await tasks[1]

    run(test)


def test_a_cancelled_caller_stays_cancelled_when_the_listener_closes_too() -> None:
    async def test(network: InProcessNetwork) -> None:
        await network.listen("a", hold)
        task = asyncio.create_task(network.call("a", "hold", b""))
        await asyncio.sleep(0)
        task.cancel()
        network.crash("a")
        with pytest.raises(asyncio.CancelledError):
            await task

    run(test)


def test_nested_calls_that_lose_both_ends_see_one_outcome() -> None:
    async def test(network: InProcessNetwork) -> None:
        async def relay(call: InternalCall) -> bytes:
            return await network.call("inner", "hold", b"")

        await network.listen("inner", hold)
        await network.listen("outer", relay)
        task = asyncio.create_task(network.call("outer", "relay", b""))
        await asyncio.sleep(0)
        network.crash("inner")
        network.crash("outer")
        with pytest.raises(errors.Unavailable, match="outer"):
            await task
        assert task.cancelling() == 0

    run(test)


def test_a_handler_that_crashes_its_own_process_leaves_no_cancellation_behind() -> None:
    async def test(network: InProcessNetwork) -> None:
        async def crash(call: InternalCall) -> bytes:
            network.crash("a")
            return b"too late"

        async def fail(call: InternalCall) -> bytes:
            network.crash("b")
            raise errors.BadRequest("first")

        await network.listen("a", crash)
        await network.listen("b", fail)
        with pytest.raises(errors.Unavailable):
            await network.call("a", "crash", b"")
        with pytest.raises(errors.BadRequest):
            await network.call("b", "fail", b"")
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(test)


def test_a_handler_that_swallows_its_cancellation_still_ends_in_the_error() -> None:
    async def test(network: InProcessNetwork) -> None:
        async def stubborn(call: InternalCall) -> bytes:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return b"no"
            return b""

        await network.listen("a", stubborn)
        task = asyncio.create_task(network.call("a", "x", b""))
        await asyncio.sleep(0)
        network.crash("a")
        with pytest.raises(errors.Unavailable):
            await task
        assert task.cancelling() == 0

    run(test)


def test_close_waits_for_the_handlers() -> None:
    async def test(network: InProcessNetwork) -> None:
        ended: list[str] = []

        async def slow_to_end(call: InternalCall) -> bytes:
            try:
                await asyncio.Event().wait()
            finally:
                for _ in range(5):
                    await asyncio.sleep(0)
                ended.append(call.method)
            return b""

        listener = await network.listen("a", slow_to_end)
        task = asyncio.create_task(network.call("a", "x", b""))
        await asyncio.sleep(0)
        await listener.close()
        assert ended == ["x"]
        with pytest.raises(errors.Unavailable):
            await task

    run(test)
