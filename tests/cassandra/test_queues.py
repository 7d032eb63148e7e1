"""Tasks and timers in buckets, on a real Cassandra: what is done with is not read again, and nothing that was
written is missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tenuto_server.config.runtime import SECOND, Runtime
from tenuto_server.persistence.cassandra import Session, Statement
from tenuto_server.persistence.cassandra.connect import new_session
from tenuto_server.persistence.cassandra.queues import Queues
from tenuto_server.persistence.cassandra.writing import carry_out
from tenuto_server.persistence.interface import Row, Table, TimerRow
from tenuto_server.persistence.rows import int_key
from tests.cassandra import keyspaces
from tests.cassandra.provision import Cassandra

pytestmark = pytest.mark.cassandra

MARKS = Statement("test-marks", "SELECT bucket FROM queue_buckets WHERE queue = ?")
MINUTE = 1 << 36
START = 1_800_000_000 * SECOND // MINUTE * MINUTE
HOUR = 3600 * SECOND


class Bench:
    """Queues of two processes on one keyspace, whose clock the test sets."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.now = START
        self.one, self.other = (Queues(session, Runtime(now=lambda: self.now)) for _ in range(2))

    async def write(self, queues: Queues, *rows: Row | TimerRow) -> None:
        writes, marks = queues.writes_of(
            [row for row in rows if isinstance(row, Row)], [row for row in rows if isinstance(row, TimerRow)]
        )
        await carry_out(self.session, writes)
        queues.wrote(marks)

    async def marks(self, queue: str) -> list[int]:
        return [bucket for (bucket,) in await self.session.execute(MARKS, (queue,))]

    async def reads(self, work: Awaitable[object], name: str) -> int:
        before = self.session.requests[name]
        await work
        return self.session.requests[name] - before


def task(at_ns: int, live: bool = True, stamp: int = 1, partition: str = "5") -> Row:
    return Row(Table.TASKS, partition, int_key(at_ns) + b"x", b"v" if live else None, stamp)


def timer(fire_ns: int, live: bool = True, stamp: int = 1) -> TimerRow:
    return TimerRow(5, fire_ns, b"k", live, stamp)


def run(cassandra: Cassandra, test: Callable[[Bench], Awaitable[None]]) -> None:
    @asynccontextmanager
    async def bench() -> AsyncIterator[Bench]:
        keyspace = keyspaces.shared(cassandra, "queues")
        session = new_session(keyspaces.settings_of(cassandra, keyspace))
        await session.open()
        try:
            yield Bench(session)
        finally:
            await keyspaces.empty(session)
            await session.close()

    async def check() -> None:
        async with bench() as made:
            await test(made)

    keyspaces.shared(cassandra, "queues")
    asyncio.run(check())


def test_a_bucket_is_marked_once_in_a_while_and_not_with_every_row(cassandra: Cassandra) -> None:
    async def check(bench: Bench) -> None:
        for n in range(10):
            await bench.write(bench.one, task(START + n), timer(START + n))
        assert bench.session.requests["buckets-mark"] + bench.session.requests["buckets-mark+"] <= 2
        assert len(await bench.marks("tasks 5")) == len(await bench.marks("timers 5")) == 1
        _, again = bench.one.writes_of([task(START)], [])
        assert again == {}
        bench.now += 400 * SECOND
        _, again = bench.one.writes_of([task(START)], [])
        assert len(again) == 1

    run(cassandra, check)


def test_what_is_removed_is_not_marked(cassandra: Cassandra) -> None:
    async def check(bench: Bench) -> None:
        await bench.write(bench.one, task(START, live=False), timer(START, live=False))
        assert await bench.marks("tasks 5") == await bench.marks("timers 5") == []

    run(cassandra, check)


@pytest.mark.parametrize("by_sweep", [True, False])
def test_a_bucket_that_is_done_with_is_never_read_again(cassandra: Cassandra, by_sweep: bool) -> None:
    async def look(bench: Bench) -> None:
        if by_sweep:
            await bench.one.sweep()
        else:
            await bench.other.scan_tasks("5", None, 100, None)
            await bench.other.scan_timers(5, START + 10 * HOUR, None, 100)

    async def check(bench: Bench) -> None:
        times = [START + n * MINUTE for n in range(4)]
        await bench.write(bench.one, *[task(at) for at in times], *[timer(at) for at in times])
        await bench.write(bench.one, *[task(at, False, 2) for at in times[1:]], *[timer(at, False, 2) for at in times[1:]])
        await look(bench)
        assert len(await bench.marks("tasks 5")) == len(await bench.marks("timers 5")) == 4, "somebody may be writing there"
        bench.now += 2 * HOUR
        await look(bench)
        assert len(await bench.marks("tasks 5")) == len(await bench.marks("timers 5")) == 1
        assert await bench.reads(bench.other.scan_tasks("5", None, 100, None), "tasks-scan") == 1
        assert await bench.reads(bench.other.scan_timers(5, START + 10 * HOUR, None, 100), "timers-scan") == 1
        assert len(await bench.other.scan_tasks("5", None, 100, None)) == 1
        assert len(await bench.other.scan_timers(5, START + 10 * HOUR, None, 100)) == 1

    run(cassandra, check)


def test_a_row_that_comes_when_its_bucket_was_taken_for_empty_is_found(cassandra: Cassandra) -> None:
    """The mark that goes away is the one that was seen: a later one stays."""

    async def check(bench: Bench) -> None:
        await bench.write(bench.one, task(START), timer(START))
        await bench.write(bench.one, task(START, False, 2), timer(START, False, 2))
        bench.now += 2 * HOUR
        tasks = [(bucket, START // 1000) for bucket in await bench.marks("tasks 5")]
        timers = [(bucket, START // 1000) for bucket in await bench.marks("timers 5")]
        await bench.write(bench.one, task(START, True, 3), timer(START, True, 3))
        await bench.other._unmark("tasks 5", tasks)
        await bench.other._unmark("timers 5", timers)
        assert len(await bench.other.scan_tasks("5", None, 100, None)) == 1
        assert len(await bench.other.scan_timers(5, START + HOUR, None, 100)) == 1

    run(cassandra, check)


def test_timers_to_come_are_left_alone_by_the_sweep(cassandra: Cassandra) -> None:
    async def check(bench: Bench) -> None:
        bench.now -= 3 * HOUR
        await bench.write(bench.one, timer(START + HOUR))
        bench.now += 3 * HOUR
        assert await bench.reads(bench.one.sweep(), "timers-any") == 0

    run(cassandra, check)


def test_many_buckets_are_read_in_order_with_bounds_and_limits(cassandra: Cassandra) -> None:
    async def check(bench: Bench) -> None:
        times = [START + n * MINUTE // 3 for n in range(150)]
        await bench.write(bench.one, *[task(at) for at in times], *[timer(at) for at in times])
        keys = [int_key(at) + b"x" for at in times]
        assert [key for key, _ in await bench.other.scan_tasks("5", None, 1000, None)] == keys
        found = await bench.other.scan_tasks("5", keys[20], 40, keys[100])
        assert [key for key, _ in found] == keys[21:61]
        assert [key for key, _ in await bench.other.scan_tasks("5", keys[90], 40, keys[100])] == keys[91:100]
        assert [one.fire_ns for one in await bench.other.scan_timers(5, times[99], (times[10], b"k"), 50)] == times[11:61]
        assert [one.fire_ns for one in await bench.other.scan_timers(5, times[99], (times[90], b"k"), 50)] == times[91:100]
        assert await bench.other.read_tasks("5", [keys[149], b"none", keys[0]]) == [b"v", None, b"v"]

    run(cassandra, check)
