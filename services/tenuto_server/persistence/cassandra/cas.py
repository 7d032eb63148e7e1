"""Rows changed by compare-and-set, as lightweight transactions on Cassandra.

The rows of a space are spread over a few partitions by a hash of their key: transactions of one partition wait for one another.
The shards are spread wider, for they are claimed all at once when a cluster starts. To list a space reads all its parts at
once, in order, and merges them; all processes list the domains every few seconds.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any, Final

from tenuto_server.persistence.cassandra.reading import LIMIT_MAX
from tenuto_server.persistence.cassandra.session import Mode, Session, Statement
from tenuto_server.persistence.cassandra.writing import together
from tenuto_server.persistence.interface import Versioned

PARTS: Final = 4
_PARTS_OF: Final = {"shard": 16}
# Beyond its share of what is wanted, a part is asked for so many rows more: parts are not quite equal.
_SPARE_ROWS: Final = 8

_NAME: Final = "space = ? AND part = ? AND key = ?"
_READ: Final = f"SELECT value, version FROM cas_rows WHERE {_NAME}"
_GET: Final = Statement("cas-get", _READ, Mode.SERIAL_READ, partition=(0, 1))
# A transaction commits at the level of this read before it is acknowledged. At the serial level each reader would ask for a
# promise of its own, which is a write, and all processes of a cluster would be in one another's way.
_PEEK: Final = Statement("cas-peek", _READ, partition=(0, 1))
_INSERT: Final = Statement(
    "cas-insert", "INSERT INTO cas_rows (space, part, key, value, version) VALUES (?, ?, ?, ?, 1) IF NOT EXISTS",
    Mode.CONDITIONAL, idempotent=False, partition=(0, 1),
)  # fmt: skip
_UPDATE: Final = Statement(
    "cas-update", f"UPDATE cas_rows SET value = ?, version = ? WHERE {_NAME} IF version = ?",
    Mode.CONDITIONAL, idempotent=False, partition=(2, 3),
)  # fmt: skip
_DELETE: Final = Statement(
    "cas-delete", f"DELETE FROM cas_rows WHERE {_NAME} IF version = ?",
    Mode.CONDITIONAL, idempotent=False, partition=(0, 1),
)  # fmt: skip
_LIST: Final = Statement(
    "cas-list", "SELECT key, value, version FROM cas_rows WHERE space = ? AND part = ? AND key > ? LIMIT ?", partition=(0, 1)
)


def part_of(space: str, key: str) -> int:
    """The part of its space in which a row lies."""
    return zlib.crc32(key.encode()) % _PARTS_OF.get(space, PARTS)


async def get(session: Session, space: str, key: str) -> Versioned | None:
    """See `Store.get`."""
    return await _read(session, _GET, space, key)


async def peek(session: Session, space: str, key: str) -> Versioned | None:
    """See `Store.peek`."""
    return await _read(session, _PEEK, space, key)


async def _read(session: Session, statement: Statement, space: str, key: str) -> Versioned | None:
    rows = await session.execute(statement, (space, part_of(space, key), key))
    return Versioned(key, *rows[0]) if rows else None


async def compare_and_set(session: Session, space: str, key: str, value: bytes | None, expected_version: int) -> bool:
    """See `Store.compare_and_set`."""
    name = (space, part_of(space, key), key)
    if value is None and expected_version == 0:
        return await get(session, space, key) is None
    if value is None:
        answer = await session.execute(_DELETE, (*name, expected_version))
    elif expected_version == 0:
        answer = await session.execute(_INSERT, (*name, bytes(value)))
    else:
        answer = await session.execute(_UPDATE, (bytes(value), expected_version + 1, *name, expected_version))
    return bool(answer[0][0])


@dataclass(slots=True)
class _Part:
    """A part of a space while it is listed: `rows` were read and not yet taken, in order."""

    number: int
    after: str
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    is_read: bool = False


async def list_rows(session: Session, space: str, after: str, limit: int) -> list[Versioned]:
    """See `Store.list_rows`."""
    limit = min(limit, LIMIT_MAX)
    if limit <= 0:
        return []
    count = _PARTS_OF.get(space, PARTS)
    share = min(limit, limit // count + _SPARE_ROWS)
    parts = [_Part(number, after) for number in range(count)]
    found: list[Versioned] = []
    while parts:
        await together([_read_more(session, space, part, share) for part in parts if not part.rows])
        parts = [part for part in parts if part.rows]
        # Up to the last row of the part that ends first, no part can have another row.
        known = min((part.rows[-1][0] for part in parts if not part.is_read), default=None)
        for part in parts:
            taken = [row for row in part.rows if known is None or row[0] <= known]
            found += [Versioned(*row) for row in taken]
            part.rows = part.rows[len(taken) :]
        parts = [part for part in parts if part.rows or not part.is_read]
        if len(found) >= limit:
            break
    return sorted(found)[:limit]


async def _read_more(session: Session, space: str, part: _Part, count: int) -> None:
    if part.is_read:
        return
    rows = await session.execute(_LIST, (space, part.number, part.after, count))
    part.is_read = len(rows) < count
    part.rows = rows
    if rows:
        part.after = rows[-1][0]
