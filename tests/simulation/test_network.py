"""The simulated network keeps the contract of `transport.network`, and its faults are what they say."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tenuto_server import errors
from tenuto_server.transport.network import InternalCall

from .loop import new_loop
from .network import NetworkFaults, SimNetwork, SimPort
from .trace import Trace


def with_network(main: Callable[[SimNetwork], Awaitable[None]], faults: NetworkFaults | None = None) -> int:
    loop = new_loop("test")
    trace = Trace(loop.time)
    network = SimNetwork(loop, "test", trace)
    if faults is not None:
        network.faults = faults
    loop.run_until_complete(main(network))
    loop.close()
    assert loop.problems == []
    return trace.hash


class Server:
    """Counts what arrives; "slow" waits for ever."""

    def __init__(self) -> None:
        self.arrived: Counter[str] = Counter()
        self.cancelled = 0

    async def handle(self, call: InternalCall) -> bytes:
        self.arrived[call.method] += 1
        if call.method == "refuse":
            raise errors.WorkflowAlreadyStarted("taken", "request", "run")
        if call.method == "slow":
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        return b"re: " + call.body


async def outcome(port: SimPort, method: str, timeout_s: float | None = None) -> str:
    try:
        return (await port.call("b:1", method, b"hello", timeout_s)).decode()
    except errors.ServiceError as error:
        return type(error).__name__


def test_calls_errors_deadlines_and_cancellation() -> None:
    async def main(network: SimNetwork) -> None:
        server, port = Server(), network.port("a")
        assert await outcome(port, "echo") == "Unavailable"
        listener = await network.port("b").listen("b:1", server.handle)
        assert await outcome(port, "echo") == "re: hello"
        with pytest.raises(errors.WorkflowAlreadyStarted) as refused:
            await port.call("b:1", "refuse", b"")
        assert refused.value == errors.WorkflowAlreadyStarted("taken", "request", "run")
        assert await outcome(port, "slow", 1.0) == "DeadlineExceeded"
        await asyncio.sleep(1)
        call = asyncio.create_task(port.call("b:1", "slow", b""))
        await asyncio.sleep(1)
        call.cancel()
        await asyncio.sleep(1)
        assert server.arrived["slow"] == server.cancelled == 2
        lost: list[str] = []
        port.on_lost(lost.append)
        task = asyncio.create_task(outcome(port, "slow"))
        await asyncio.sleep(1)
        await listener.close()
        assert await task == "Unavailable"
        assert lost == ["b:1"] and server.cancelled == 3

    with_network(main)


def test_a_crash_ends_calls_both_ways() -> None:
    async def main(network: SimNetwork) -> None:
        server, a, b = Server(), network.port("a"), network.port("b")
        await b.listen("b:1", server.handle)
        lost: list[str] = []
        a.on_lost(lost.append)
        to_b = asyncio.create_task(outcome(a, "slow"))
        await asyncio.sleep(1)
        network.crash("b")
        assert await to_b == "Unavailable"
        assert lost == ["b:1"]
        assert await outcome(a, "echo") == "Unavailable"
        await network.port("b").listen("b:1", server.handle)
        assert await outcome(a, "echo") == "re: hello"
        from_a = asyncio.create_task(outcome(a, "slow"))
        await asyncio.sleep(1)
        network.crash("a")
        assert await from_a == "Unavailable"
        await asyncio.sleep(1)
        assert server.cancelled == 2

    with_network(main)


def test_lost_replies_were_served_and_lost_requests_were_not() -> None:
    def count(faults: NetworkFaults) -> tuple[int, int]:
        served = answered = 0

        async def main(network: SimNetwork) -> None:
            nonlocal served, answered
            server, port = Server(), network.port("a")
            await network.port("b").listen("b:1", server.handle)
            for _ in range(100):
                answered += await outcome(port, "echo") == "re: hello"
            served = server.arrived["echo"]

        with_network(main, faults)
        return served, answered

    requests = count(NetworkFaults(lose_request=0.3))
    replies = count(NetworkFaults(lose_reply=0.3))
    doubles = count(NetworkFaults(double=0.5))
    assert requests[0] == requests[1] < 90
    assert replies[0] == 100 and replies[1] < 90
    assert doubles[0] > 130 and doubles[1] == 100


def test_partitions_cut_one_way_or_both_and_heal() -> None:
    async def main(network: SimNetwork) -> None:
        server, a, b = Server(), network.port("a"), network.port("b")
        await b.listen("b:1", server.handle)
        assert await outcome(a, "echo") == "re: hello"
        lost: list[str] = []
        a.on_lost(lost.append)
        network.partition("a", "b")
        assert await outcome(a, "echo") == "Unavailable"
        assert server.arrived["echo"] == 1
        network.reunite("a", "b")
        assert await outcome(a, "echo") == "re: hello"
        network.partition("b", "a", one_way=True)
        assert await outcome(a, "echo") == "Unavailable"
        assert server.arrived["echo"] == 3
        network.heal()
        await asyncio.sleep(10)
        assert await outcome(a, "echo") == "re: hello"
        assert lost

    with_network(main)


def test_the_same_seed_is_the_same_run() -> None:
    async def main(network: SimNetwork) -> None:
        server, port = Server(), network.port("a")
        await network.port("b").listen("b:1", server.handle)
        await asyncio.gather(*[outcome(port, "echo", 5.0) for _ in range(50)])

    faults = NetworkFaults(tail=0.2, lose_request=0.02, lose_reply=0.02, double=0.1)
    assert with_network(main, faults) == with_network(main, faults)
