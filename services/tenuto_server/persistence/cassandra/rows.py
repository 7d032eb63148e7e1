"""Runs and histories on Cassandra: rows whose stamps are Cassandra's write timestamps.

Cassandra itself keeps the newest of a row's writes whatever their order, and of two with one timestamp the deletion: exactly
what the interface asks. A timestamp is any 64-bit number but the lowest. What was deleted is remembered for `gc_grace_seconds`,
ten days, which no late write outlives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tenuto_server.persistence.cassandra.reading import LIMIT_MAX, read_up_to
from tenuto_server.persistence.cassandra.session import Bound, Session, Statement
from tenuto_server.persistence.cassandra.writing import Write
from tenuto_server.persistence.interface import HistoryDrop, Row, Table

_TABLES: Final = (Table.RUNS, Table.HISTORY)
_KEYS_AT_ONCE: Final = 100

_PUT: Final = {
    table: Statement(
        f"{table.value}-put", f"INSERT INTO {table.value} (place, key, value) VALUES (?, ?, ?) USING TIMESTAMP ?"
    )
    for table in _TABLES
}
_REMOVE: Final = {
    table: Statement(
        f"{table.value}-remove", f"DELETE FROM {table.value} USING TIMESTAMP ? WHERE place = ? AND key = ?", partition=(1,)
    )
    for table in _TABLES
}
_READ_ONE: Final = {
    table: Statement(f"{table.value}-read", f"SELECT key, value FROM {table.value} WHERE place = ? AND key = ?")
    for table in _TABLES
}
_READ: Final = {
    table: Statement(f"{table.value}-read-many", f"SELECT key, value FROM {table.value} WHERE place = ? AND key IN ?")
    for table in _TABLES
}
_DROP_HISTORY: Final = Statement("history-drop", "DELETE FROM history USING TIMESTAMP ? WHERE place = ?", partition=(1,))
# By whether there is a key to come after, and one to end before.
_SCAN: Final = {
    (table, after, until): Statement(
        f"{table.value}-scan",
        f"SELECT key, value FROM {table.value} WHERE place = ?"
        f"{' AND key > ?' if after else ''}{' AND key < ?' if until else ''} LIMIT ?",
    )
    for table in _TABLES
    for after in (False, True)
    for until in (False, True)
}

_PLACES: Final = {
    table: Statement(f"{table.value}-places", f"SELECT DISTINCT place FROM {table.value}", partition=()) for table in _TABLES
}


def place_of(partition: str) -> str:
    """A partition's name as Cassandra can hold it: it takes none without characters."""
    return "\0" + partition if not partition or partition[0] == "\0" else partition


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


async def read(session: Session, table: Table, partition: str, keys: Sequence[bytes]) -> list[bytes | None]:
    """See `Store.read`."""
    place = place_of(partition)
    if len(keys) == 1:
        found = dict(await session.execute(_READ_ONE[table], (place, keys[0])))
        return [found.get(keys[0])]
    found = {}
    asked = list(dict.fromkeys(keys))
    for first in range(0, len(asked), _KEYS_AT_ONCE):
        found.update(await session.execute(_READ[table], (place, asked[first : first + _KEYS_AT_ONCE])))
    return [found.get(key) for key in keys]


async def scan(
    session: Session, table: Table, partition: str, after: bytes | None, limit: int, until: bytes | None
) -> list[tuple[bytes, bytes]]:
    """See `Store.scan`."""
    if limit <= 0 or (after is not None and until is not None and after >= until):
        return []
    bounds = [key for key in (after, until) if key is not None]
    limit = min(limit, LIMIT_MAX)
    statement = _SCAN[table, after is not None, until is not None]
    return [(key, value) for key, value in await read_up_to(session, statement, (place_of(partition), *bounds, limit), limit)]


async def list_partitions(session: Session, table: Table, token: bytes, limit: int) -> tuple[list[str], bytes]:
    """See `Store.list_partitions`: in the order of Cassandra's tokens; the token of a page is Cassandra's own."""
    page = await session.page(_PLACES[table], (), limit, token)
    return [place.removeprefix("\0") for (place,) in page.rows], page.next_state
