"""Runs and histories on Cassandra: rows whose stamps are Cassandra's write timestamps.

Cassandra itself keeps the newest of a row's writes whatever their order, and of two with one timestamp the deletion: exactly what
the interface asks. A timestamp is any 64-bit number but the lowest. What was deleted is remembered for `gc_grace_seconds`, ten
days, which no late write outlives.

A value of more than `PART_BYTES` is not one row, for Cassandra takes no mutation of more than half a commit log segment (16 MiB
by default). Its parts are rows of their own, under the stamp as version; when they are there the head is written, which is
version 0 and part 0, and says where the parts are. So a value is seen whole or not at all, and of two values the heads decide.
With such a head go the parts of older versions; those of one that was replaced by a small value stay until the row is removed.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tenuto_server.persistence.cassandra.reading import LIMIT_MAX, read_up_to
from tenuto_server.persistence.cassandra.session import Bound, Session, Statement
from tenuto_server.persistence.cassandra.writing import Write, together
from tenuto_server.persistence.interface import HistoryDrop, Row, StoreUnavailable, Table

PART_BYTES: Final = 512 << 10

_TABLES: Final = (Table.RUNS, Table.HISTORY)
_KEYS_AT_ONCE: Final = 100
_PARTS_AT_ONCE: Final = 8
# A value may be replaced while its parts are read.
_LOOKS_MAX: Final = 5
# The head of a value in parts: the stamp that is their version, and how many they are.
_WHERE: Final = struct.Struct(">qi")


def _for_each(name: str, cql: str, partition: int = 0) -> dict[Table, Statement]:
    """A statement on each table; `{}` stands for the table's name."""
    return {
        table: Statement(f"{table.value}-{name}", cql.format(table.value), partition=(partition,)) for table in _TABLES
    }


_HEAD: Final = "place, key, version, part, value, has_parts"
_PUT: Final = _for_each("put", f"INSERT INTO {{}} ({_HEAD}) VALUES (?, ?, 0, 0, ?, false) USING TIMESTAMP ?")
_PUT_HEAD: Final = _for_each("put-head", f"INSERT INTO {{}} ({_HEAD}) VALUES (?, ?, 0, 0, ?, true) USING TIMESTAMP ?")
_PUT_PART: Final = _for_each(
    "put-part", "INSERT INTO {} (place, key, version, part, value) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?"
)
_REMOVE: Final = _for_each("remove", "DELETE FROM {} USING TIMESTAMP ? WHERE place = ? AND key = ?", 1)
# Version 0 is the head's.
_REMOVE_OLDER: Final = _for_each(
    "remove-older", "DELETE FROM {} USING TIMESTAMP ? WHERE place = ? AND key = ? AND version > 0 AND version < ?", 1
)
_DROP_HISTORY: Final = Statement("history-drop", "DELETE FROM history USING TIMESTAMP ? WHERE place = ?", partition=(1,))
_READ_ONE: Final = _for_each(
    "read", "SELECT key, value, has_parts FROM {} WHERE place = ? AND key = ? AND version = 0 AND part = 0"
)
_READ: Final = _for_each(
    "read-many", "SELECT key, value, has_parts FROM {} WHERE place = ? AND key IN ? AND version = 0 AND part = 0"
)
_READ_PARTS: Final = _for_each(
    "read-parts", "SELECT value FROM {} WHERE place = ? AND key = ? AND version = ? AND part > 0 AND part <= ?"
)
# By whether there is a key to come after, and one to end before.
_SCAN: Final = {
    (after, until): _for_each(
        "scan",
        "SELECT key, value, has_parts, part FROM {} WHERE place = ?"
        f"{' AND key > ?' if after else ''}{' AND key < ?' if until else ''} LIMIT ?",
    )
    for after in (False, True)
    for until in (False, True)
}

_PLACES: Final = {
    table: Statement(f"{table.value}-places", f"SELECT DISTINCT place FROM {table.value}", partition=()) for table in _TABLES
}


def place_of(partition: str) -> str:
    """A partition's name as Cassandra can hold it: it takes none without characters."""
    return "\0" + partition if not partition or partition[0] == "\0" else partition


def is_large(row: Row) -> bool:
    """Whether a row's value is stored in parts: then `put_large` writes it, not `write_of`."""
    return row.value is not None and len(row.value) > PART_BYTES


def write_of(row: Row) -> Write:
    """A row's write or deletion."""
    table, partition, key, value, stamp = row
    place = place_of(partition)
    if value is None:
        return Write(Bound(_REMOVE[table], (stamp, place, key)), (table, place), len(place) + len(key))
    size = len(place) + len(key) + len(value)
    return Write(Bound(_PUT[table], (place, key, bytes(value), stamp)), (table, place), size)


def write_of_drop(drop: HistoryDrop) -> Write:
    """A history's removal: one tombstone for the whole partition, which nobody reads again."""
    place = place_of(drop.partition)
    return Write(Bound(_DROP_HISTORY, (drop.stamp, place)), (Table.HISTORY, place), len(place))


async def put_large(session: Session, row: Row) -> None:
    """Writes a value in parts, and then its head. A try that did not get to the head changed nothing that is seen."""
    table, partition, key, value, stamp = row
    assert value is not None
    place = place_of(partition)
    parts = [
        (place, key, stamp, number, part, stamp) for number, part in enumerate(_cut(value), 1)
    ]

    async def put(some: Sequence[tuple[Any, ...]]) -> None:
        for one in some:
            await session.execute(_PUT_PART[table], one)

    await together([put(parts[lane::_PARTS_AT_ONCE]) for lane in range(min(_PARTS_AT_ONCE, len(parts)))])
    # Of one partition, so this happens as one.
    await session.write_together(
        [
            Bound(_PUT_HEAD[table], (place, key, _WHERE.pack(stamp, len(parts)), stamp)),
            Bound(_REMOVE_OLDER[table], (stamp, place, key, stamp)),
        ]
    )


def _cut(value: bytes) -> Iterator[bytes]:
    view = memoryview(value)
    for first in range(0, len(view), PART_BYTES):
        yield bytes(view[first : first + PART_BYTES])


async def read(session: Session, table: Table, partition: str, keys: Sequence[bytes]) -> list[bytes | None]:
    """See `Store.read`."""
    place = place_of(partition)
    asked = list(dict.fromkeys(keys))
    heads: list[tuple[Any, ...]] = []
    if len(asked) == 1:
        heads = await session.execute(_READ_ONE[table], (place, asked[0]))
    else:
        for first in range(0, len(asked), _KEYS_AT_ONCE):
            heads += await session.execute(_READ[table], (place, asked[first : first + _KEYS_AT_ONCE]))
    found: dict[bytes, bytes | None] = {}
    for key, value, has_parts in heads:
        found[key] = await _whole(session, table, place, key, value) if has_parts else value
    return [found.get(key) for key in keys]


async def _whole(session: Session, table: Table, place: str, key: bytes, head: bytes) -> bytes | None:
    """The value of a head, or of the one that replaced it meanwhile. Raises StoreUnavailable where that goes on and on."""
    for _ in range(_LOOKS_MAX):
        version, count = _WHERE.unpack(head)
        rows = await read_up_to(session, _READ_PARTS[table], (place, key, version, count), count, PART_BYTES)
        if len(rows) == count:
            return b"".join([part for (part,) in rows])
        # Its parts went with it.
        again = await session.execute(_READ_ONE[table], (place, key))
        if not again:
            return None
        _, head, has_parts = again[0]
        if not has_parts:
            return head
        await asyncio.sleep(0)
    raise StoreUnavailable(f"the {table.value} row {key!r} of {place!r} changes faster than it can be read")


async def scan(
    session: Session, table: Table, partition: str, after: bytes | None, limit: int, until: bytes | None
) -> list[tuple[bytes, bytes]]:
    """See `Store.scan`."""
    place = place_of(partition)
    found: list[tuple[bytes, bytes]] = []
    while len(found) < limit and (after is None or until is None or after < until):
        # Parts are among the rows, and count: where there are any, it goes on after the last key that was seen.
        wanted = min(limit - len(found), LIMIT_MAX)
        statement = _SCAN[after is not None, until is not None][table]
        bounds = [key for key in (after, until) if key is not None]
        rows = await read_up_to(session, statement, (place, *bounds, wanted), wanted)
        for key, value, has_parts, part in rows:
            if part:
                continue
            whole = await _whole(session, table, place, key, value) if has_parts else value
            if whole is not None:
                found.append((key, whole))
        if len(rows) < wanted:
            break
        after = rows[-1][0]
    return found


async def list_partitions(session: Session, table: Table, token: bytes, limit: int) -> tuple[list[str], bytes]:
    """See `Store.list_partitions`: in the order of Cassandra's tokens; the token of a page is Cassandra's own."""
    page = await session.page(_PLACES[table], (), limit, token)
    return [place.removeprefix("\0") for (place,) in page.rows], page.next_state
