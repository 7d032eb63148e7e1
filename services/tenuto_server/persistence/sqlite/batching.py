"""Writing many rows with few statements.

A statement costs a hand-over of the interpreter's lock as well as its own work, so rows are written many to a
statement, in counts of `BATCH_COUNTS`, which keeps the number of different statements small enough for the connection's
cache."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

BATCH_COUNTS: Final = (64, 16, 4, 1)


def counts(total: int) -> Iterator[tuple[int, int]]:
    """How to cut `total` rows into statements: (first row, number of rows)."""
    first = 0
    for count in BATCH_COUNTS:
        while total - first >= count:
            yield first, count
            first += count


def values(columns: int, count: int) -> str:
    """What follows VALUES for so many rows."""
    row = f"({', '.join('?' * columns)})"
    return ", ".join([row] * count)


def execute_many(connection: sqlite3.Connection, statement: Callable[[int], str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Runs a statement that takes many rows, as few times as its sizes allow."""
    for first, count in counts(len(rows)):
        given = rows[first] if count == 1 else list(chain.from_iterable(rows[first : first + count]))
        connection.execute(statement(count), given)
