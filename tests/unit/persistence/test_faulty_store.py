"""The simulation's store: it fails in every way it says, repeats itself from a seed, and its planted mistakes show."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.interface import Row, Sealed, StoreUnavailable, Table, WriteBatch
from tenuto_server.persistence.memory import MemoryStore
from tests.simulation.faulty_store import Faults, FaultyStore
from tests.simulation.loop import new_loop

T = TypeVar("T")


def run(body: Coroutine[Any, Any, T]) -> T:
    loop = new_loop("faulty")
    try:
        return loop.run_until_complete(body)
    finally:
        loop.close()


def made(faults: Faults | None = None, seed: int = 1) -> tuple[FaultyStore, MemoryStore]:
    memory = MemoryStore(Runtime())
    return FaultyStore(memory, random.Random(seed), faults), memory


def one_row(stamp: int, key: bytes = b"k") -> WriteBatch:
    return WriteBatch(rows=[Row(Table.RUNS, "p", key, b"%d" % stamp, stamp)])


def test_without_faults_it_is_the_store() -> None:
    async def body() -> None:
        store, _ = made()
        await store.create_log("a")
        await store.append("a", 1, b"x")
        await store.seal("a")
        with pytest.raises(Sealed):
            await store.append("a", 2, b"x")
        assert len(await store.read_log("a", 0, 10)) == 1
        # A step of the simulated loop takes a microsecond; waiting would take more.
        assert asyncio.get_running_loop().time() < 0.0001

    run(body())


def test_what_is_refused_is_not_done_and_a_lost_answer_is() -> None:
    async def body() -> None:
        store, memory = made(Faults(refused=1.0))
        await memory.create_log("a")
        with pytest.raises(StoreUnavailable):
            await store.append("a", 1, b"x")
        with pytest.raises(StoreUnavailable):
            await store.compare_and_set("s", "k", b"x", 0)
        assert await memory.read_log("a", 0, 10) == []
        assert await memory.get("s", "k") is None
        store.faults = Faults(lost_answer=1.0)
        with pytest.raises(StoreUnavailable):
            await store.append("a", 1, b"x")
        with pytest.raises(StoreUnavailable):
            await store.compare_and_set("s", "k", b"x", 0)
        assert len(await memory.read_log("a", 0, 10)) == 1
        assert await memory.get("s", "k") is not None
        store.heal()
        await store.append("a", 1, b"x")

    run(body())


def test_a_refused_append_may_surface_after_the_seal_and_a_refused_write_after_a_newer_one() -> None:
    async def body() -> None:
        store, memory = made(Faults(refused=1.0, late=1.0, late_s=10.0))
        await memory.create_log("a")
        with pytest.raises(StoreUnavailable):
            await store.append("a", 1, b"x")
        with pytest.raises(StoreUnavailable):
            await store.write(one_row(1))
        store.heal()
        await store.seal("a")
        await store.write(one_row(2))
        assert await store.read_log("a", 0, 10) == []
        await asyncio.sleep(11.0)
        assert len(await store.read_log("a", 0, 10)) == 1
        assert await store.read(Table.RUNS, "p", [b"k"]) == [b"2"]

    run(body())


def test_what_is_late_never_comes_after_the_kill() -> None:
    async def body() -> None:
        store, memory = made(Faults(refused=1.0, late=1.0))
        await memory.create_log("a")
        with pytest.raises(StoreUnavailable):
            await store.append("a", 1, b"x")
        store.kill()
        await asyncio.sleep(60.0)
        assert await memory.read_log("a", 0, 10) == []

    run(body())


def test_a_refused_write_may_be_done_in_part() -> None:
    async def body() -> None:
        store, memory = made(Faults(refused=1.0, partial=1.0))
        batch = WriteBatch(rows=[Row(Table.RUNS, "p", b"%d" % n, b"v", 1) for n in range(100)])
        with pytest.raises(StoreUnavailable):
            await store.write(batch)
        assert 10 < len(await memory.scan(Table.RUNS, "p", None, 1000)) < 90

    run(body())


async def _order(seed: int) -> list[int]:
    """In which order the store does appends that are sent at the same time, and when the last is answered."""
    store, memory = made(Faults(delay_s=0.1, stall=0.1), seed)
    await memory.create_log("a")
    done: list[int] = []

    async def append(seq: int) -> None:
        await store.append("a", seq, b"x")
        done.append(seq)

    await asyncio.gather(*[append(seq) for seq in range(1, 21)])
    return [*done, int(asyncio.get_running_loop().time() * 1e9)]


def test_calls_are_slow_and_out_of_order_but_the_same_from_the_same_seed() -> None:
    orders = [run(_order(seed)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert sorted(orders[0][:20]) == list(range(1, 21))
    assert orders[0][:20] != list(range(1, 21))


def test_the_planted_mistakes_show() -> None:
    async def body() -> None:
        store, memory = made()
        store.skip_seal_check = True
        await memory.create_log("a")
        await store.seal("a")
        await store.append("a", 1, b"acknowledged, though sealed")
        assert len(await store.read_log("a", 0, 10)) == 1

        store, memory = made(Faults(delay_s=1.0))
        store.read_before_seal = True
        await memory.create_log("a")
        await memory.append("a", 1, b"seen")
        sealing = asyncio.ensure_future(store.seal("a"))
        await asyncio.sleep(0)
        await memory.append("a", 2, b"acknowledged, and missed")
        await sealing
        assert [row.seq for row in await store.read_log("a", 0, 10)] == [1]

    run(body())
