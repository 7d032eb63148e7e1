"""What each call does on a SQLite connection; run by the writer's thread or a reader's, never by the event loop's.

Every query takes all its rows at once (`fetchall`): an unfinished one would keep its snapshot, and later queries on the
connection would not see newer commits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial

from tenuto_server.errors import InvariantViolation
from tenuto_server.persistence.interface import (
    LogRow,
    Member,
    Row,
    Sealed,
    Table,
    TimerRow,
    Versioned,
    WriteBatch,
)
from tenuto_server.persistence.rows import (
    INT64_MAX,
    INT64_MIN,
    int_key,
)
from tenuto_server.persistence.sqlite import statements, visibility
from tenuto_server.persistence.sqlite.batching import execute_many

Connection = sqlite3.Connection
_Grave = tuple[str, str, bytes, int, int]  # kind, partition, key, stamp, dead_ns


# --- the log ----------------------------------------------------------------------------------------------------------
def create_log(connection: Connection, log_id: str) -> None:
    """See `Store.create_log`."""
    if connection.execute(statements.CREATE_LOG, (log_id,)).rowcount == 0:
        state = connection.execute(statements.LOG_STATE, (log_id,)).fetchall()
        if state and state[0][1]:
            raise Sealed(log_id)


def append(connection: Connection, log_id: str, seq: int, body: bytes) -> None:
    """See `Store.append`."""
    if not 0 < seq <= statements.SEQ_MAX:
        raise ValueError(f"a log's sequence numbers are between 1 and {statements.SEQ_MAX}, not {seq}")
    if connection.execute(statements.APPEND, (seq, body, log_id)).rowcount == 1:
        return
    state = connection.execute(statements.LOG_STATE, (log_id,)).fetchall()
    if not state or state[0][1]:
        raise Sealed(log_id)
    num, _, trimmed = state[0]
    if seq > trimmed:
        held = connection.execute(statements.LOG_ROW, ((num << statements.SEQ_BITS) | seq,)).fetchall()
        if held != [(body,)]:
            raise InvariantViolation(f"log {log_id} has another row {seq}")


def seal(connection: Connection, log_id: str) -> None:
    """See `Store.seal`."""
    connection.execute(statements.SEAL, (log_id,))


def read_log(connection: Connection, log_id: str, after_seq: int, limit: int) -> list[LogRow]:
    """See `Store.read_log`."""
    state = connection.execute(statements.LOG_STATE, (log_id,)).fetchall()
    if not state or limit <= 0:
        return []
    num, _, trimmed = state[0]
    seq = max(after_seq, trimmed, 0)
    first = num << statements.SEQ_BITS
    found: list[LogRow] = []
    for pos, body in connection.execute(
        statements.READ_LOG, (first | min(seq, statements.SEQ_MAX), first | statements.SEQ_MAX, limit)
    ).fetchall():
        seq += 1
        if pos - first != seq:
            break
        found.append(LogRow(seq, body))
    return found


def log_sealed(connection: Connection, log_id: str) -> bool:
    """See `Store.log_sealed`."""
    state: list[tuple[int, int, int]] = connection.execute(statements.LOG_STATE, (log_id,)).fetchall()
    return not state or bool(state[0][1])


def log_trimmed(connection: Connection, log_id: str) -> int:
    """See `Store.log_trimmed`."""
    state: list[tuple[int, int, int]] = connection.execute(statements.LOG_STATE, (log_id,)).fetchall()
    return state[0][2] if state else 0


def list_logs(connection: Connection) -> list[str]:
    """See `Store.list_logs`."""
    return [log_id for (log_id,) in connection.execute(statements.LIST_LOGS).fetchall()]


# --- newest-timestamp-wins rows, timers, visibility -------------------------------------------------------------------
def write(connection: Connection, batch: WriteBatch, now_ns: int) -> None:
    """See `Store.write`. What is deleted is remembered as of `now_ns`."""
    graves: list[_Grave] = []
    if batch.rows:
        _write_rows(connection, batch.rows, graves, now_ns)
    for partition, stamp in batch.history_drops:
        connection.execute(statements.DROP_HISTORY, (partition, stamp))
        graves.append((statements.DROPPED, partition, b"", stamp, now_ns))
    if batch.timers:
        _write_timers(connection, batch.timers, graves, now_ns)
    if batch.visibility:
        visibility.put(connection, batch.visibility)
    if batch.visibility_deletes:
        visibility.remove(connection, batch.visibility_deletes)
        graves += [
            ("visibility", one.domain_id, one.run_id.encode(), one.stamp, now_ns) for one in batch.visibility_deletes
        ]
    if graves:
        execute_many(connection, statements.bury, graves)


def _write_rows(connection: Connection, rows: list[Row], graves: list[_Grave], now_ns: int) -> None:
    by_table: dict[Table, tuple[list[tuple[str, bytes, bytes, int]], list[tuple[str, bytes, int]]]] = {}
    for table, partition, key, value, stamp in rows:
        new, gone = by_table.setdefault(table, ([], []))
        if value is None:
            gone.append((partition, key, stamp))
            graves.append((table.value, partition, key, stamp, now_ns))
        else:
            new.append((partition, key, value, stamp))
    for table, (new, gone) in by_table.items():
        execute_many(connection, partial(statements.put_rows, table), new)
        execute_many(connection, partial(statements.remove_rows, table), gone)


def _write_timers(connection: Connection, timers: list[TimerRow], graves: list[_Grave], now_ns: int) -> None:
    new: list[tuple[int, int, bytes, int, str, bytes]] = []
    gone: list[tuple[int, int, bytes, int]] = []
    for shard, fire_ns, key, live, stamp in timers:
        partition, dead_key = str(shard), int_key(fire_ns) + key
        if live:
            new.append((shard, fire_ns, key, stamp, partition, dead_key))
        else:
            gone.append((shard, fire_ns, key, stamp))
            graves.append(("timers", partition, dead_key, stamp, now_ns))
    execute_many(connection, statements.put_timers, new)
    execute_many(connection, statements.remove_timers, gone)


def read(connection: Connection, table: Table, partition: str, keys: Sequence[bytes]) -> list[bytes | None]:
    """See `Store.read`."""
    found: dict[bytes, bytes] = {}
    most = statements.READ_COUNTS[-1]
    for first in range(0, len(keys), most):
        some = list(keys[first : first + most])
        count = next(count for count in statements.READ_COUNTS if count >= len(some))
        some += some[-1:] * (count - len(some))
        found.update(connection.execute(statements.READ[table, count], (partition, *some)).fetchall())
    return [found.get(key) for key in keys]


def scan(
    connection: Connection, table: Table, partition: str, after: bytes | None, limit: int, until: bytes | None
) -> list[tuple[bytes, bytes]]:
    """See `Store.scan`."""
    bounds = [key for key in (after, until) if key is not None]
    statement = statements.SCAN[table, after is not None, until is not None]
    return connection.execute(statement, (partition, *bounds, max(limit, 0))).fetchall()


def list_partitions(connection: Connection, table: Table, token: bytes, limit: int) -> tuple[list[str], bytes]:
    """See `Store.list_partitions`."""
    bounds = [token.decode()] if token else []
    found = connection.execute(statements.LIST_PARTITIONS[table, bool(token)], (*bounds, limit)).fetchall()
    names = [name for (name,) in found]
    return names, names[-1].encode() if len(names) == limit else b""


def scan_timers(connection: Connection, shard: int, until_ns: int, after: tuple[int, bytes] | None, limit: int) -> list[TimerRow]:
    """See `Store.scan_timers`."""
    until_ns, limit = _clamp(until_ns), max(limit, 0)
    if after is None:
        cursor = connection.execute(statements.SCAN_TIMERS_FROM_START, (shard, until_ns, limit))
    else:
        cursor = connection.execute(statements.SCAN_TIMERS, (shard, _clamp(after[0]), after[1], until_ns, limit))
    return [TimerRow(shard, fire_ns, key, True, stamp) for fire_ns, key, stamp in cursor.fetchall()]


def _clamp(number: int) -> int:
    """The nearest number that SQLite can hold."""
    return max(INT64_MIN, min(INT64_MAX, number))


# --- compare-and-set rows ---------------------------------------------------------------------------------------------
def get(connection: Connection, space: str, key: str) -> Versioned | None:
    """See `Store.get`."""
    rows = connection.execute(statements.GET, (space, key)).fetchall()
    return Versioned(key, *rows[0]) if rows else None


def compare_and_set(connection: Connection, space: str, key: str, value: bytes | None, expected_version: int) -> bool:
    """See `Store.compare_and_set`."""
    if value is None:
        if expected_version == 0:
            return get(connection, space, key) is None
        return connection.execute(statements.CAS_DELETE, (space, key, expected_version)).rowcount == 1
    if expected_version == 0:
        return connection.execute(statements.CAS_INSERT, (space, key, value)).rowcount == 1
    return connection.execute(statements.CAS_UPDATE, (value, space, key, expected_version)).rowcount == 1


def list_rows(connection: Connection, space: str, after: str, limit: int) -> list[Versioned]:
    """See `Store.list_rows`."""
    rows = connection.execute(statements.LIST_ROWS, (space, after, max(limit, 0))).fetchall()
    return [Versioned(*row) for row in rows]


# --- membership -------------------------------------------------------------------------------------------------------
def announce(connection: Connection, member: Member, expires_ns: int) -> None:
    """See `Store.announce`."""
    connection.execute(statements.ANNOUNCE, (*member, expires_ns))


def withdraw(connection: Connection, member: Member) -> None:
    """See `Store.withdraw`."""
    connection.execute(statements.WITHDRAW, member)


def members(connection: Connection, now_ns: int) -> list[Member]:
    """See `Store.members`."""
    return [Member(*row) for row in connection.execute(statements.MEMBERS, (now_ns,)).fetchall()]
