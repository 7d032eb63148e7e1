"""Reads many rows in pages whose size follows the rows' own: an answer of Cassandra is counted in rows, and must not be large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tenuto_server.persistence.cassandra.session import Session, Statement

_FIRST_PAGE_ROWS: Final = 64
_PAGE_ROWS_MAX: Final = 5000
_PAGE_BYTES: Final = 4 << 20
# CQL's integers have 32 bits.
LIMIT_MAX: Final = (1 << 31) - 1


async def read_up_to(
    session: Session, statement: Statement, parameters: Sequence[Any], limit: int, row_bytes: int = 0
) -> list[tuple[Any, ...]]:
    """The first `limit` rows of an answer. The statement has no LIMIT of its own, or one of at least `limit`. `row_bytes` is how
    large a row is, where that is known."""
    rows: list[tuple[Any, ...]] = []
    state = b""
    size = min(limit, max(1, _PAGE_BYTES // row_bytes) if row_bytes else _FIRST_PAGE_ROWS)
    while len(rows) < limit:
        page = await session.page(statement, parameters, size, state)
        rows += page.rows
        state = page.next_state
        if not state:
            break
        size = min(limit - len(rows), _next_size(page.rows))
    return rows[:limit]


def _next_size(rows: Sequence[tuple[Any, ...]]) -> int:
    held = sum([len(value) for row in rows for value in row if isinstance(value, bytes)]) + 16 * len(rows)
    average = max(1, held // max(1, len(rows)))
    return max(1, min(_PAGE_ROWS_MAX, _PAGE_BYTES // average))
