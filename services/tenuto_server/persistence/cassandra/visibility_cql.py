"""The statements that read the visibility index. All have the same columns, see `COLUMNS`."""

from __future__ import annotations

from functools import cache
from typing import Final

from tenuto_server.persistence.cassandra.session import Statement
from tenuto_server.persistence.cassandra.visibility_rows import Axis

# The token is how far through the ring a search has come.
COLUMNS: Final = "run_id, body, memo_size, token(domain_id, bucket)"
_SELECT: Final = f"SELECT {COLUMNS} FROM visibility WHERE "

# Parameters: domain, bucket, run ids.
BY_RUN_ID: Final = Statement("visibility-by-run-id", f"{_SELECT}domain_id = ? AND bucket = ? AND run_id IN ?", partition=(0, 1))
MEMOS: Final = Statement(
    "visibility-memos",
    "SELECT run_id, memo FROM visibility WHERE domain_id = ? AND bucket = ? AND run_id IN ?",
    partition=(0, 1),
)
# Parameters: domain, bucket.
COUNT_BUCKET: Final = Statement(
    "visibility-count-bucket", "SELECT count(*) FROM visibility WHERE domain_id = ? AND bucket = ?", partition=(0, 1)
)
# Parameters: domain, buckets, limit. In no order.
BUCKETS: Final = Statement("visibility-buckets", f"{_SELECT}domain_id = ? AND bucket IN ? LIMIT ?", partition=())


@cache
def bucket(descending: bool, has_mark: bool) -> Statement:
    """Parameters: domain, bucket, the run id to go on after if `has_mark`, limit. In the order of run ids."""
    after = f" AND run_id {'<' if descending else '>'} ?" if has_mark else ""
    order = "DESC" if descending else "ASC"
    return Statement(
        f"visibility-bucket-{order.lower()}{'-after' if has_mark else ''}",
        f"{_SELECT}domain_id = ? AND bucket = ?{after} ORDER BY run_id {order} LIMIT ?",
        partition=(0, 1),
    )


@cache
def search(axis: Axis | None, term_count: int) -> Statement:
    """Parameters: the least and greatest key if there is an axis, terms, limit. In the order of tokens."""
    column = axis.column if axis is not None else ""
    return _search(column, term_count)


@cache
def _search(column: str, term_count: int) -> Statement:
    parts = [f"{column} >= ?", f"{column} <= ?"] if column else []
    parts += ["terms CONTAINS ?"] * term_count
    return Statement(f"visibility-search-{column or 'any'}-{term_count}", f"{_SELECT}{' AND '.join(parts)} LIMIT ?", partition=())
