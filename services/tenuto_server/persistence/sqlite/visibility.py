"""The visibility index on a SQLite connection: writing records and answering queries."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final

from tenuto_server.persistence.interface import VisibilityKey, VisibilityPage
from tenuto_server.persistence.rows import INT64_MAX, INT64_MIN, decode_visibility, encode_visibility
from tenuto_server.persistence.sqlite import visibility_sql
from tenuto_server.persistence.sqlite.batching import execute_many
from tenuto_server.visibility import attributes, paging
from tenuto_server.visibility.records import VisibilityRecord, execution_status
from tenuto_server.visibility.tree import Query, close_status_number, execution_status_number

# A query that computes longer is given up: the caller has gone, and others wait for the reader.
_QUERY_S_MAX: Final = 10.0
_STEPS_BETWEEN_LOOKS: Final = 500_000


def put(connection: sqlite3.Connection, records: Sequence[VisibilityRecord]) -> None:
    """Writes records and their attributes; of one run the newest stays."""
    execute_many(connection, visibility_sql.put, [_row(record) for record in records])
    indexed = [
        (record.domain_id, record.run_id, record.stamp, name, value_type, value)
        for record in records
        if record.search_attributes
        for name, value_type, value in attributes.entries(record.search_attributes)
    ]
    if indexed:
        execute_many(connection, visibility_sql.put_attributes, indexed)


def _row(run: VisibilityRecord) -> tuple[object, ...]:
    closed = run.close_ns != 0
    return (
        run.domain_id, run.run_id, run.workflow_id, run.workflow_type, run.task_list, run.cron_schedule or None,
        int(run.is_cron), run.start_ns, run.execution_ns, run.close_ns if closed else None,
        close_status_number(run.close_status) if closed else None, execution_status_number(execution_status(run)),
        run.history_length, run.update_ns, run.expires_ns if run.expires_ns > 0 else None, int(bool(run.search_attributes)),
        encode_visibility(run), run.stamp, run.run_id.encode(),
    )  # fmt: skip


def remove(connection: sqlite3.Connection, gone: Sequence[VisibilityKey]) -> None:
    """Takes runs out of the index that are not newer than their stamps."""
    execute_many(connection, visibility_sql.remove, [(one.domain_id, one.run_id, one.stamp) for one in gone])


def list_page(
    connection: sqlite3.Connection, query: Query, page_size: int, token: bytes, cpu_s: Callable[[], float]
) -> VisibilityPage:
    """See `Store.list_visibility`. `cpu_s` is the time that this thread has computed."""
    position = paging.decode_token(query, token)
    found = VisibilityPage([])
    if page_size <= 0:
        return found
    statement, bound = visibility_sql.page(query, position, page_size)
    size = 0
    # Closed before it is read to its end, lest it keep its snapshot.
    with _bounded(connection, cpu_s), closing(connection.execute(statement, bound)) as rows:
        for body, value, run_id in rows:
            found.records.append(decode_visibility(body))
            size += len(body)
            if len(found.records) >= page_size or size >= paging.PAGE_BYTES_MAX:
                found.next_token = paging.encode_token(query, value, run_id)
                break
    return found


def list_expired(
    connection: sqlite3.Connection, domain_id: str, until_ns: int, after: tuple[int, str] | None, limit: int
) -> list[VisibilityRecord]:
    """See `Store.list_expired`."""
    from_ns, from_run_id = (0, "") if after is None else after
    until_ns = min(max(until_ns, INT64_MIN), INT64_MAX)
    rows = connection.execute(
        visibility_sql.LIST_EXPIRED, (domain_id, from_ns, from_run_id, until_ns, max(limit, 0))
    ).fetchall()
    return [decode_visibility(body) for (body,) in rows]


def count(connection: sqlite3.Connection, query: Query, cpu_s: Callable[[], float]) -> int:
    """See `Store.count_visibility`."""
    statement, bound = visibility_sql.count(query)
    with _bounded(connection, cpu_s):
        rows: list[tuple[int]] = connection.execute(statement, bound).fetchall()
    return rows[0][0]


@contextmanager
def _bounded(connection: sqlite3.Connection, cpu_s: Callable[[], float]) -> Iterator[None]:
    """What runs in the block is interrupted when it takes too long, and fails with sqlite3.OperationalError."""
    deadline = cpu_s() + _QUERY_S_MAX
    connection.set_progress_handler(lambda: cpu_s() > deadline, _STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def move_records(connection: sqlite3.Connection) -> None:
    """Makes the tables of schema version 2 of that of version 1, whose rows held the same records."""
    for index in ("time", "type", "workflow", "status"):
        connection.execute(f"DROP INDEX visibility_by_{index}")
    connection.execute("ALTER TABLE visibility RENAME TO visibility_1")
    for statement in visibility_sql.VISIBILITY_TABLES:
        connection.execute(statement)
    after = 0
    while True:
        rows = connection.execute(
            "SELECT rowid, body FROM visibility_1 WHERE rowid > ? ORDER BY rowid LIMIT 1000", (after,)
        ).fetchall()
        if not rows:
            break
        after = rows[-1][0]
        put(connection, [decode_visibility(body) for _, body in rows])
    connection.execute("DROP TABLE visibility_1")
