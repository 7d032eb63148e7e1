"""Opening connections to a SQLite file: settings, creating the schema, and bringing an older one up to date, and refusing
a file that is not ours or is newer."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final, Literal
from urllib.parse import quote

from tenuto_server.persistence.interface import StoreUnavailable, StoreVersionError
from tenuto_server.persistence.sqlite import statements, visibility

MEMORY: Final = ":memory:"
Synchronous = Literal["FULL", "NORMAL"]

# How long a connection waits for another process that is writing.
_BUSY_TIMEOUT_S: Final = 5.0
_WAL_TRIES: Final = 500
_WAL_PAUSE_S: Final = 0.01
# After this many pages (16 MB) the writer moves the write-ahead log into the file; less often means more of a
# short-lived page's versions are never moved. Once moved, a log file longer than the limit is cut.
_CHECKPOINT_PAGES: Final = 4000
_WAL_BYTES_KEPT: Final = 64 << 20
_STATEMENTS_CACHED: Final = 256
_CACHE_KIB_WRITER: Final = 32 << 10
_CACHE_KIB_READER: Final = 8 << 10
# By the version that they start from.
_MIGRATIONS: Final[dict[int, Callable[[sqlite3.Connection], None]]] = {1: visibility.move_records}


def connect_writer(path: str, synchronous: Synchronous) -> sqlite3.Connection:
    """A connection that may write, to a file that holds the schema. Raises `StoreVersionError` and
    `StoreUnavailable`."""
    connection = _connect(path, "rwc")
    try:
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB_WRITER}")
        _ensure_schema(connection)
        if path != MEMORY:
            _use_wal(connection)
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}").fetchall()
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}").fetchall()
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreUnavailable(f"cannot open the SQLite file {path}: {error}") from error
    except StoreVersionError:
        connection.close()
        raise
    return connection


def connect_reader(path: str) -> sqlite3.Connection:
    """A connection that cannot write; each statement on it sees all that was committed before. Raises
    `StoreUnavailable`."""
    connection = _connect(path, "rw")
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB_READER}")
    return connection


def _connect(path: str, mode: str) -> sqlite3.Connection:
    """Transactions are begun by hand, and a connection is used by the thread that made it."""
    target = path if path == MEMORY else f"file:{quote(path)}?mode={mode}"
    try:
        return sqlite3.connect(
            target,
            uri=path != MEMORY,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            cached_statements=_STATEMENTS_CACHED,
        )
    except sqlite3.Error as error:
        raise StoreUnavailable(f"cannot open the SQLite file {path}: {error}") from error


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switches to the write-ahead log. Another process that does so at the same moment is an error at once, not waited for as
    other locks are: so this asks again."""
    for attempt in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempt == _WAL_TRIES - 1:
                raise
            # tidy: allow blocking-sleep: this is a thread of the store's own, and nobody can tell when the other has finished
            time.sleep(_WAL_PAUSE_S)
        else:
            return


def _ensure_schema(connection: sqlite3.Connection) -> None:
    """Creates the schema in an empty file, else checks its version; several processes may do so at the same time."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _count(connection, statements.HAS_TABLES) == 0:
            for statement in statements.CREATE_SCHEMA:
                connection.execute(statement)
        _check_version(connection)
        _migrate(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _migrate(connection: sqlite3.Connection) -> None:
    """Brings an older version's tables up to date, one version after the other."""
    older = range(_version(connection), statements.SCHEMA_VERSION)
    for version in older:
        _MIGRATIONS[version](connection)
    if older:
        connection.execute(statements.SET_SCHEMA_VERSION)


def _check_version(connection: sqlite3.Connection) -> None:
    version = _version(connection)
    if version != statements.SCHEMA_VERSION and version not in _MIGRATIONS:
        raise StoreVersionError(
            f"the SQLite file has schema version {version}, and this program knows version {statements.SCHEMA_VERSION}"
        )


def _version(connection: sqlite3.Connection) -> int:
    rows: list[tuple[str]] = []
    if _count(connection, statements.HAS_META):
        with closing(connection.execute(statements.GET_SCHEMA_VERSION)) as cursor:
            rows = cursor.fetchall()
    if not rows or not rows[0][0].isdecimal():
        raise StoreVersionError("the SQLite file is not a store of this program: it has tables but no schema version")
    return int(rows[0][0])


def _count(connection: sqlite3.Connection, statement: str) -> int:
    rows: list[tuple[int]] = connection.execute(statement).fetchall()
    return rows[0][0]
