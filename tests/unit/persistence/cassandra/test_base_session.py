"""Turns, tries and counts of a session, on a driver that does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from tenuto_server.persistence.cassandra.base_session import BaseSession, Passing, qualified
from tenuto_server.persistence.cassandra.session import Bound, Mode, Page, Statement
from tenuto_server.persistence.cassandra.settings import CassandraSettings
from tenuto_server.persistence.interface import StoreUnavailable

READ = Statement("read", "SELECT a FROM t WHERE b = ?")
CHANGE = Statement("change", "UPDATE t SET a = ? WHERE b = ? IF a = ?", Mode.CONDITIONAL, idempotent=False)


class Obedient(BaseSession):
    """Each try takes the next of `outcomes`: an error to raise, or an event to wait for; then answers with its parameters."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(CassandraSettings(hosts=("h",), keyspace="k", **settings))
        self.outcomes: list[Exception | asyncio.Event] = []
        self.most = self.now = 0
        self.is_connected = False

    async def _connect(self) -> None:
        self.is_connected = True

    async def _disconnect(self) -> None:
        assert self.now == 0
        self.is_connected = False

    async def _prepare_now(self, statement: Statement) -> Any:
        raise AssertionError(statement.name)

    async def _ask(self, statement: Statement, parameters: Sequence[Any], size: int, state: bytes) -> Page:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            outcome = self.outcomes.pop(0) if self.outcomes else None
            if isinstance(outcome, Exception):
                raise outcome
            if outcome is not None:
                await outcome.wait()
            return Page([tuple(parameters)], b"more" if size else b"")
        finally:
            self.now -= 1

    async def _ask_batch(self, rows: Sequence[Bound]) -> None:
        await self._ask(rows[0].statement, (), 0, b"")

    async def _change_schema(self, cql: str) -> None:
        raise AssertionError(cql)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_an_idempotent_request_is_made_again_and_counted_each_time() -> None:
    async def check() -> None:
        session = Obedient()
        await session.open()
        session.outcomes = [Passing("one"), Passing("two")]
        assert await session.execute(READ, (1,)) == [(1,)]
        assert session.requests == {"read": 3}
        session.outcomes = [Passing("one"), Passing("two"), Passing("three")]
        with pytest.raises(StoreUnavailable, match="three"):
            await session.execute(READ, (1,))
        await session.close()

    run(check())


def test_any_other_is_made_once() -> None:
    async def check() -> None:
        session = Obedient()
        await session.open()
        session.outcomes = [Passing("lost")]
        with pytest.raises(StoreUnavailable, match="change: lost"):
            await session.execute(CHANGE, (1, 2, 3))
        assert session.requests == {"change": 1}
        await session.close()

    run(check())


def test_mistakes_are_raised_as_they_are() -> None:
    async def check() -> None:
        session = Obedient()
        await session.open()
        session.outcomes = [KeyError("no such column")]
        with pytest.raises(KeyError):
            await session.execute(READ, (1,))
        assert session.requests == {"read": 1}
        await session.close()

    run(check())


def test_no_more_than_the_limit_are_under_way_and_the_others_go_in_their_order() -> None:
    async def check() -> None:
        session = Obedient(in_flight_max=2, waiting_max=2)
        await session.open()
        gates = [asyncio.Event() for _ in range(4)]
        session.outcomes = list(gates)
        calls = [asyncio.create_task(session.execute(READ, (number,))) for number in range(5)]
        await settled()
        assert session.now == 2
        with pytest.raises(StoreUnavailable, match="too many"):
            await calls[4]
        gates[0].set()
        await settled()
        assert calls[0].done() and not calls[1].done() and session.now == 2
        for gate in gates:
            gate.set()
        assert [(await call)[0][0] for call in calls[:4]] == [0, 1, 2, 3]
        assert session.most == 2
        await session.close()

    run(check())


def test_a_caller_that_goes_away_leaves_its_turn_to_the_next() -> None:
    async def check() -> None:
        session = Obedient(in_flight_max=1)
        await session.open()
        gate = asyncio.Event()
        session.outcomes = [gate]
        first, second, third = (asyncio.create_task(session.execute(READ, (n,))) for n in range(3))
        await settled()
        second.cancel()
        await settled()
        gate.set()
        assert await third == [(2,)]
        await first
        # Gone in the very moment in which its turn came.
        gate = asyncio.Event()
        session.outcomes = [gate]
        first, second, third = (asyncio.create_task(session.execute(READ, (n,))) for n in range(3))
        await settled()
        gate.set()
        await first
        second.cancel()
        assert await third == [(2,)]
        assert session._under_way == 0
        await session.close()

    run(check())


def test_who_waits_too_long_for_a_turn_is_told() -> None:
    async def check() -> None:
        session = Obedient(in_flight_max=1, request_timeout_s=0.01)
        await session.open()
        gate = asyncio.Event()
        session.outcomes = [gate]
        first = asyncio.create_task(session.execute(READ, (1,)))
        await settled()
        with pytest.raises(StoreUnavailable, match="too long"):
            await session.execute(READ, (2,))
        gate.set()
        await first
        await session.close()

    run(check())


def test_closing_waits_for_what_is_under_way_and_refuses_the_rest() -> None:
    async def check() -> None:
        session = Obedient(in_flight_max=1)
        with pytest.raises(StoreUnavailable, match="not open"):
            await session.execute(READ, (1,))
        await session.open()
        gate = asyncio.Event()
        session.outcomes = [gate]
        under_way, waits = (asyncio.create_task(session.execute(READ, (n,))) for n in range(2))
        await settled()
        closing = asyncio.create_task(session.close())
        await settled()
        assert not closing.done()
        with pytest.raises(StoreUnavailable, match="closed"):
            await waits
        gate.set()
        assert await under_way == [(0,)]
        await closing
        assert not session.is_connected
        with pytest.raises(StoreUnavailable):
            await session.execute(READ, (1,))

    run(check())


def test_a_batch_of_one_is_no_batch() -> None:
    async def check() -> None:
        session = Obedient()
        await session.open()
        await session.write_together([])
        await session.write_together([Bound(READ, (1,))])
        await session.write_together([Bound(READ, (1,)), Bound(CHANGE, (1, 2, 3))])
        assert session.requests == {"read": 1, "read+": 1}
        assert (await session.page(READ, (5,), 1)).next_state == b"more"
        await session.close()

    run(check())


@pytest.mark.parametrize(
    ("cql", "expected"),
    [
        ("SELECT a FROM t WHERE b = ?", "SELECT a FROM k.t WHERE b = ?"),
        ("SELECT a FROM system_schema.tables", "SELECT a FROM system_schema.tables"),
        ("INSERT INTO t (a) VALUES (?) IF NOT EXISTS USING TTL ?", "INSERT INTO k.t (a) VALUES (?) IF NOT EXISTS USING TTL ?"),
        ("UPDATE t SET a = ? WHERE b = ? IF EXISTS", "UPDATE k.t SET a = ? WHERE b = ? IF EXISTS"),
        ("DELETE FROM t WHERE a = ?", "DELETE FROM k.t WHERE a = ?"),
        ("CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY)", "CREATE TABLE IF NOT EXISTS k.t (a int PRIMARY KEY)"),
        ("DROP TABLE IF EXISTS t", "DROP TABLE IF EXISTS k.t"),
        ("ALTER TABLE t ADD IF NOT EXISTS a int", "ALTER TABLE k.t ADD IF NOT EXISTS a int"),
        ("CREATE INDEX IF NOT EXISTS i ON t (a) USING 'sai'", "CREATE INDEX IF NOT EXISTS i ON k.t (a) USING 'sai'"),
        ("TRUNCATE t", "TRUNCATE k.t"),
        ("CREATE KEYSPACE IF NOT EXISTS k WITH replication = {}", "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {}"),
    ],
)  # fmt: skip
def test_tables_are_named_with_their_keyspace(cql: str, expected: str) -> None:
    assert qualified(cql, "k") == expected
