"""Values that are larger than Cassandra takes in one mutation: seen whole or not at all."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from tenuto_server.persistence.cassandra import Session, Statement, rows
from tenuto_server.persistence.cassandra.connect import new_session
from tenuto_server.persistence.cassandra.session import Bound
from tenuto_server.persistence.cassandra.writing import carry_out
from tenuto_server.persistence.interface import HistoryDrop, Row, Table
from tests.cassandra import keyspaces
from tests.cassandra.provision import Cassandra

pytestmark = pytest.mark.cassandra

CHANCE = random.Random(8)
LARGE = CHANCE.randbytes(20 << 20)
OTHER = CHANCE.randbytes(3 * rows.PART_BYTES)
COUNT = Statement("test-count", "SELECT count(*) FROM history WHERE place = ?")


def run(cassandra: Cassandra, test: Callable[[Session], Awaitable[None]]) -> None:
    async def check() -> None:
        session = new_session(keyspaces.settings_of(cassandra, keyspace))
        await session.open()
        try:
            await test(session)
        finally:
            await keyspaces.empty(session)
            await session.close()

    keyspace = keyspaces.shared(cassandra, "large")
    asyncio.run(check())


def row(value: bytes | None, stamp: int, key: bytes = b"k") -> Row:
    return Row(Table.HISTORY, "p", key, value, stamp)


async def put(session: Session, one: Row) -> None:
    if rows.is_large(one):
        await rows.put_large(session, one)
    else:
        await carry_out(session, [rows.write_of(one)])


async def held(session: Session, key: bytes = b"k") -> bytes | None:
    (value,) = await rows.read(session, Table.HISTORY, "p", [key])
    return value


def test_the_newest_wins_whatever_the_sizes_and_the_order(cassandra: Cassandra) -> None:
    async def check(session: Session) -> None:
        await put(session, row(LARGE, 2))
        assert await held(session) == LARGE
        await put(session, row(OTHER, 1))
        assert await held(session) == LARGE
        await put(session, row(b"small", 3))
        assert await held(session) == b"small"
        await put(session, row(OTHER, 4))
        assert await held(session) == OTHER
        assert (await session.execute(COUNT, ("p",)))[0][0] == 1 + 3, "parts of older versions went with it"
        await put(session, row(None, 5))
        assert await held(session) is None
        assert (await session.execute(COUNT, ("p",)))[0][0] == 0
        await put(session, row(LARGE, 4))
        assert await held(session) is None

    run(cassandra, check)


def test_reading_and_scanning_among_others(cassandra: Cassandra) -> None:
    async def check(session: Session) -> None:
        values = {b"a": b"1", b"b": OTHER, b"c": b"3", b"d": OTHER[:-1], b"e": b"5"}
        for key, value in values.items():
            await put(session, row(value, 1, key))
        assert await rows.read(session, Table.HISTORY, "p", [b"b", b"x", b"a", b"d"]) == [OTHER, None, b"1", OTHER[:-1]]
        assert dict(await rows.scan(session, Table.HISTORY, "p", None, 100, None)) == values
        for limit in range(1, 6):
            found = await rows.scan(session, Table.HISTORY, "p", None, limit, None)
            assert found == list(values.items())[:limit]
        assert [key for key, _ in await rows.scan(session, Table.HISTORY, "p", b"a", 2, b"e")] == [b"b", b"c"]
        await carry_out(session, [rows.write_of_drop(HistoryDrop("p", 1))])
        assert await rows.scan(session, Table.HISTORY, "p", None, 100, None) == []
        assert (await session.execute(COUNT, ("p",)))[0][0] == 0

    run(cassandra, check)


def test_a_write_that_does_not_get_to_its_head_is_not_seen(cassandra: Cassandra) -> None:
    async def check(session: Session) -> None:
        await put(session, row(OTHER, 1))
        part = Bound(rows._PUT_PART[Table.HISTORY], ("p", b"k", 2, 1, b"half", 2))
        await session.execute(*part)
        assert await held(session) == OTHER
        assert await rows.scan(session, Table.HISTORY, "p", None, 100, None) == [(b"k", OTHER)]

    run(cassandra, check)


def test_one_that_is_replaced_while_it_is_read(cassandra: Cassandra) -> None:
    """The reader has seen the head of the former value, whose parts are gone."""

    async def check(session: Session) -> None:
        await put(session, row(OTHER, 1))
        head = rows._WHERE.pack(1, 3)
        for value, stamp in ((LARGE, 2), (b"small", 3), (None, 4)):
            await put(session, row(value, stamp))
            if stamp != 3:
                assert await rows._whole(session, Table.HISTORY, "p", b"k", head) == value

    run(cassandra, check)
