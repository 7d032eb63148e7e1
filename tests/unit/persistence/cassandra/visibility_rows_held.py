"""The table of the visibility index as a session in memory: answers the index's own statements, as Cassandra does.

Rows of a search come by the token of their partition, with at most as many a page as asked; what a search may not find by
chance, it does not find. It counts the rows it gave.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

from tenuto_server.persistence.cassandra.session import Bound, Page, Statement
from tenuto_server.persistence.cassandra.visibility_rows import PUT, REMOVE

_COLUMNS = (
    "domain_id", "bucket", "run_id", "body", "memo", "memo_size", "start_key", "state_key", "expiry_key", "terms", "stamp",
)  # fmt: skip
_CONDITION = re.compile(r"(\w+) (=|<=|>=|<|>|IN|CONTAINS) \?")
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda held, asked: held == asked,
    "<": lambda held, asked: held < asked,
    ">": lambda held, asked: held > asked,
    "<=": lambda held, asked: held <= asked,
    ">=": lambda held, asked: held >= asked,
    "IN": lambda held, asked: held in asked,
    "CONTAINS": lambda held, asked: asked in held,
}


def token(domain_id: str, bucket: int) -> int:
    return int.from_bytes(blake2b(f"{domain_id} {bucket}".encode(), digest_size=8).digest(), "big", signed=True)


class RowsHeld:
    """A `Session` over one table. It keeps no tombstones: writes come in the order of their stamps."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.requests: Counter[str] = Counter()
        self.given = 0
        self._ordered: dict[str, list[dict[str, Any]]] = {}

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def run_ddl(self, cql: str) -> None: ...

    async def write_together(self, rows: Sequence[Bound]) -> None:
        self._ordered.clear()
        for statement, parameters in rows:
            if statement is PUT:
                row = dict(zip(_COLUMNS, parameters, strict=True))
                row["token"] = token(row["domain_id"], row["bucket"])
                self.rows[row["domain_id"], row["run_id"]] = row
            else:
                assert statement is REMOVE
                self.rows.pop((parameters[1], parameters[3]), None)

    async def execute(self, statement: Statement, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return (await self.page(statement, parameters, 1 << 30)).rows

    def _candidates(self, conditions: list[tuple[str, str]], parameters: Sequence[Any]) -> list[dict[str, Any]]:
        """Those in a range of numbers, if that is asked for first; all, if not."""
        column, operator = conditions[0]
        if operator != ">=":
            return list(self.rows.values())
        ordered = self._ordered.get(column)
        if ordered is None:
            ordered = self._ordered[column] = sorted(self.rows.values(), key=lambda row: row[column])
        first = bisect_left(ordered, parameters[0], key=lambda row: row[column])
        return ordered[first : bisect_right(ordered, parameters[1], key=lambda row: row[column])]

    async def page(self, statement: Statement, parameters: Sequence[Any], size: int, state: bytes = b"") -> Page:
        self.requests[statement.name] += 1
        conditions = _CONDITION.findall(statement.cql)
        limit = parameters[-1] if "LIMIT ?" in statement.cql else 1 << 30
        found = [
            row
            for row in self._candidates(conditions, parameters)
            if all(
                _HOLDS[operator](row[column], asked)
                for (column, operator), asked in zip(conditions, parameters[: len(conditions)], strict=True)
            )
        ]
        found.sort(key=lambda row: (row["token"], row["run_id"]), reverse="DESC" in statement.cql)
        if "count(*)" in statement.cql:
            return Page([(len(found),)])
        first = int(state or b"0")
        end = min(first + size, limit)
        page = found[first:end]
        self.given += len(page)
        columns = ("run_id", "memo") if "SELECT run_id, memo FROM" in statement.cql else ("run_id", "body", "memo_size", "token")
        rest = str(end).encode() if end < min(limit, len(found)) else b""
        return Page([tuple([row[column] for column in columns]) for row in page], rest)
