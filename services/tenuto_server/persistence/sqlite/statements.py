"""All SQL of the SQLite store: the schema, and statements that are constant but for how many rows they take.

What is deleted leaves its stamp in one table, `dead`, so that live tables hold live rows only and scans never wade
through the deleted. A value is written only if no deletion with its stamp or a higher one is known; a deletion removes
what is not newer than it. Both orders of two such writes come to the same.

A log's rows are numbered by (log number << `SEQ_BITS`) + seq, so that an append is one insert at the end of a log's
range of one B-tree.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from tenuto_server.persistence.interface import Table
from tenuto_server.persistence.sqlite.batching import values
from tenuto_server.persistence.sqlite.visibility_sql import VISIBILITY_TABLES

SCHEMA_VERSION: Final = 2
SEQ_BITS: Final = 40
SEQ_MAX: Final = (1 << SEQ_BITS) - 1
READ_COUNTS: Final = (1, 8, 64)

ROW_TABLES: Final = tuple(table.value for table in Table)

# Numbers of logs are never used twice (AUTOINCREMENT): rows of a deleted log wait in `log_rows` until they are swept.
_TABLES: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    (
        "CREATE TABLE logs (num INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, "
        "sealed INTEGER NOT NULL DEFAULT 0, trimmed INTEGER NOT NULL DEFAULT 0)"
    ),
    "CREATE TABLE log_rows (pos INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE dead_logs (num INTEGER PRIMARY KEY)",
    *(
        f"CREATE TABLE {table} (partition TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, "
        "stamp INTEGER NOT NULL, UNIQUE (partition, key))"
        for table in ROW_TABLES
    ),
    (
        "CREATE TABLE timers (shard INTEGER NOT NULL, fire_ns INTEGER NOT NULL, key BLOB NOT NULL, "
        "stamp INTEGER NOT NULL, PRIMARY KEY (shard, fire_ns, key)) WITHOUT ROWID"
    ),
    *VISIBILITY_TABLES,
    (
        "CREATE TABLE dead (kind TEXT NOT NULL, partition TEXT NOT NULL, key BLOB NOT NULL, stamp INTEGER NOT NULL, "
        "dead_ns INTEGER NOT NULL, PRIMARY KEY (kind, partition, key)) WITHOUT ROWID"
    ),
    "CREATE INDEX dead_by_time ON dead (dead_ns)",
    (
        "CREATE TABLE cas_rows (space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL, "
        "PRIMARY KEY (space, key)) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE members (role TEXT NOT NULL, address TEXT NOT NULL, incarnation TEXT NOT NULL, "
        "expires_ns INTEGER NOT NULL, PRIMARY KEY (role, address, incarnation)) WITHOUT ROWID"
    ),
)
CREATE_SCHEMA: Final = (*_TABLES, f"INSERT INTO meta (name, value) VALUES ('schema_version', '{SCHEMA_VERSION}')")
HAS_TABLES: Final = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
HAS_META: Final = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'"
SET_SCHEMA_VERSION: Final = f"UPDATE meta SET value = '{SCHEMA_VERSION}' WHERE name = 'schema_version'"
GET_SCHEMA_VERSION: Final = "SELECT value FROM meta WHERE name = 'schema_version'"

# --- the log ----------------------------------------------------------------------------------------------------------
CREATE_LOG: Final = "INSERT INTO logs (id) VALUES (?) ON CONFLICT DO NOTHING"
LOG_STATE: Final = "SELECT num, sealed, trimmed FROM logs WHERE id = ?"
# One statement checks the seal and inserts: nothing can come between.
APPEND: Final = (
    f"INSERT INTO log_rows (pos, body) SELECT (num << {SEQ_BITS}) | ?1, ?2 FROM logs "
    "WHERE id = ?3 AND sealed = 0 AND trimmed < ?1 ON CONFLICT DO NOTHING"
)
LOG_ROW: Final = "SELECT body FROM log_rows WHERE pos = ?"
SEAL: Final = "UPDATE logs SET sealed = 1 WHERE id = ?"
READ_LOG: Final = "SELECT pos, body FROM log_rows WHERE pos > ? AND pos <= ? ORDER BY pos LIMIT ?"
TRIM: Final = "UPDATE logs SET trimmed = ?1 WHERE id = ?2 AND trimmed < ?1"
BURY_LOG: Final = "INSERT INTO dead_logs (num) SELECT num FROM logs WHERE id = ?"
DELETE_LOG: Final = "DELETE FROM logs WHERE id = ?"
LIST_LOGS: Final = "SELECT id FROM logs"
TRIMMED_LOGS: Final = "SELECT num, trimmed FROM logs WHERE trimmed > 0"
DEAD_LOGS: Final = "SELECT num FROM dead_logs"
FORGET_DEAD_LOG: Final = "DELETE FROM dead_logs WHERE num = ?"
SWEEP_LOG: Final = "DELETE FROM log_rows WHERE pos IN (SELECT pos FROM log_rows WHERE pos > ? AND pos <= ? ORDER BY pos LIMIT ?)"

# --- compare-and-set rows ---------------------------------------------------------------------------------------------
GET: Final = "SELECT value, version FROM cas_rows WHERE space = ? AND key = ?"
CAS_INSERT: Final = "INSERT INTO cas_rows (space, key, value, version) VALUES (?, ?, ?, 1) ON CONFLICT DO NOTHING"
CAS_UPDATE: Final = "UPDATE cas_rows SET value = ?, version = version + 1 WHERE space = ? AND key = ? AND version = ?"
CAS_DELETE: Final = "DELETE FROM cas_rows WHERE space = ? AND key = ? AND version = ?"
LIST_ROWS: Final = "SELECT key, value, version FROM cas_rows WHERE space = ? AND key > ? ORDER BY key LIMIT ?"

# --- membership -------------------------------------------------------------------------------------------------------
ANNOUNCE: Final = (
    "INSERT INTO members (role, address, incarnation, expires_ns) VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET expires_ns = excluded.expires_ns"
)
WITHDRAW: Final = "DELETE FROM members WHERE role = ? AND address = ? AND incarnation = ?"
MEMBERS: Final = "SELECT role, address, incarnation FROM members WHERE expires_ns > ? ORDER BY role, address, incarnation"
PURGE_MEMBERS: Final = "DELETE FROM members WHERE expires_ns < ?"

# --- reading rows -----------------------------------------------------------------------------------------------------
# By table; for scans also whether there is a key to come after and one to end before.
READ: Final = {
    (table, count): f"SELECT key, value FROM {table.value} WHERE partition = ? AND key IN ({', '.join('?' * count)})"
    for table in Table
    for count in READ_COUNTS
}
SCAN: Final = {
    (table, after, until): f"SELECT key, value FROM {table.value} WHERE partition = ?"
    f"{' AND key > ?' if after else ''}{' AND key < ?' if until else ''} ORDER BY key LIMIT ?"
    for table in Table
    for after in (False, True)
    for until in (False, True)
}
LIST_PARTITIONS: Final = {
    (table, after): f"SELECT DISTINCT partition FROM {table.value}{' WHERE partition > ?' if after else ''} "
    "ORDER BY partition LIMIT ?"
    for table in Table
    for after in (False, True)
}
SCAN_TIMERS: Final = (
    "SELECT fire_ns, key, stamp FROM timers WHERE shard = ? AND (fire_ns, key) > (?, ?) AND fire_ns <= ? "
    "ORDER BY fire_ns, key LIMIT ?"
)
SCAN_TIMERS_FROM_START: Final = (
    "SELECT fire_ns, key, stamp FROM timers WHERE shard = ? AND fire_ns <= ? ORDER BY fire_ns, key LIMIT ?"
)

# The kind under which `dead` keeps the histories that were dropped as a whole; their key is empty.
DROPPED: Final = "history-drop"
DROP_HISTORY: Final = "DELETE FROM history WHERE partition = ? AND stamp <= ?"


# --- writing rows: each takes its columns once for every row ----------------------------------------------------------
@cache
def put_rows(table: Table, count: int) -> str:
    """Takes partition, key, value, stamp."""
    drops = (
        f"AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.kind = '{DROPPED}' AND dead.partition = new.partition "
        "AND dead.key = x'' AND dead.stamp >= new.stamp) "
    )
    return (
        f"WITH new (partition, key, value, stamp) AS (VALUES {values(4, count)}) "
        f"INSERT INTO {table.value} (partition, key, value, stamp) SELECT partition, key, value, stamp FROM new "
        f"WHERE NOT EXISTS (SELECT 1 FROM dead WHERE dead.kind = '{table.value}' AND dead.partition = new.partition "
        f"AND dead.key = new.key AND dead.stamp >= new.stamp) {drops if table is Table.HISTORY else ''}"
        "ON CONFLICT (partition, key) DO UPDATE SET value = excluded.value, stamp = excluded.stamp "
        f"WHERE excluded.stamp > {table.value}.stamp"
    )


@cache
def remove_rows(table: Table, count: int) -> str:
    """Takes partition, key, stamp."""
    return (
        f"WITH gone (partition, key, stamp) AS (VALUES {values(3, count)}) "
        f"DELETE FROM {table.value} WHERE rowid IN (SELECT held.rowid FROM gone CROSS JOIN {table.value} AS held "
        "ON held.partition = gone.partition AND held.key = gone.key AND held.stamp <= gone.stamp)"
    )


@cache
def put_timers(count: int) -> str:
    """Takes shard, fire_ns, key, stamp, and the name under which `dead` knows it: partition, key."""
    return (
        f"WITH new (shard, fire_ns, key, stamp, dead_partition, dead_key) AS (VALUES {values(6, count)}) "
        "INSERT INTO timers (shard, fire_ns, key, stamp) SELECT shard, fire_ns, key, stamp FROM new WHERE NOT EXISTS "
        "(SELECT 1 FROM dead WHERE dead.kind = 'timers' AND dead.partition = new.dead_partition "
        "AND dead.key = new.dead_key AND dead.stamp >= new.stamp) "
        "ON CONFLICT (shard, fire_ns, key) DO UPDATE SET stamp = excluded.stamp WHERE excluded.stamp > timers.stamp"
    )


@cache
def remove_timers(count: int) -> str:
    """Takes shard, fire_ns, key, stamp."""
    return (
        f"WITH gone (shard, fire_ns, key, stamp) AS (VALUES {values(4, count)}) "
        "DELETE FROM timers WHERE (shard, fire_ns, key) IN (SELECT held.shard, held.fire_ns, held.key FROM gone "
        "CROSS JOIN timers AS held ON held.shard = gone.shard AND held.fire_ns = gone.fire_ns AND held.key = gone.key "
        "AND held.stamp <= gone.stamp)"
    )


@cache
def bury(count: int) -> str:
    """Takes kind, partition, key, stamp, dead_ns: remembers deletions."""
    return (
        f"INSERT INTO dead (kind, partition, key, stamp, dead_ns) VALUES {values(5, count)} "
        "ON CONFLICT (kind, partition, key) DO UPDATE SET stamp = excluded.stamp, dead_ns = excluded.dead_ns "
        "WHERE excluded.stamp > dead.stamp"
    )


PURGE_DEAD: Final = (
    "DELETE FROM dead WHERE (kind, partition, key) IN "
    "(SELECT kind, partition, key FROM dead WHERE dead_ns < ? ORDER BY dead_ns LIMIT ?)"
)
