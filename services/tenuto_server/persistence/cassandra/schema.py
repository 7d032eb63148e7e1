"""The keyspace and its tables: made, brought up to date and checked, by versioned .cql files.

`schema/v1/10_log.cql`, `schema/v1/20_rows.cql`, ... make version 1; the files of `v2` would bring version 1 to version 2, and
so on. The files of a version run in the order of their names, then the version is noted in the table `schema_version`.
Cassandra has no transactions over schema changes, so a run may stop halfway; therefore every statement may be made again (IF
NOT EXISTS, IF EXISTS), and the next run makes all of the version's once more.

Several may run this at once, at a first start of many processes for instance. One does the work: it holds a row of
`schema_version` that a lightweight transaction gave it and that goes by itself if it dies; the others wait, and find the work
done. That table itself is made by all, under an id that follows from the keyspace's name: two that make it at once make the
same.

A session needs no keyspace to be there: it names tables with it.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from importlib.resources import files
from typing import Final

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.cassandra.session import Mode, Session, Statement
from tenuto_server.persistence.cassandra.settings import CassandraSettings, replication_map
from tenuto_server.persistence.interface import StoreUnavailable, StoreVersionError

SCHEMA_VERSION: Final = 1

# Longer than the making of all tables takes; what is under way when it ends does no harm, for every statement may be made again.
_LOCK_S: Final = 300
_LOCK_POLL_S: Final = 0.5

_HAS_TABLE: Final = Statement(
    "schema-has-table",
    "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'schema_version'",
)
_HAS_KEYSPACE: Final = Statement(
    "schema-has-keyspace", "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?"
)
_VERSION: Final = Statement(
    "schema-version", "SELECT version FROM schema_version WHERE name = 'version'", Mode.SERIAL_READ, partition=()
)
_NOTE: Final = Statement(
    "schema-note", "INSERT INTO schema_version (name, version) VALUES ('version', ?) IF NOT EXISTS",
    Mode.CONDITIONAL, idempotent=False, partition=(),
)  # fmt: skip
_RAISE: Final = Statement(
    "schema-raise", "UPDATE schema_version SET version = ? WHERE name = 'version' IF version = ?",
    Mode.CONDITIONAL, idempotent=False, partition=(),
)  # fmt: skip
_LOCK: Final = Statement(
    "schema-lock", f"INSERT INTO schema_version (name, holder) VALUES ('lock', ?) IF NOT EXISTS USING TTL {_LOCK_S}",
    Mode.CONDITIONAL, idempotent=False, partition=(),
)  # fmt: skip
_UNLOCK: Final = Statement(
    "schema-unlock", "DELETE FROM schema_version WHERE name = 'lock' IF holder = ?",
    Mode.CONDITIONAL, idempotent=False, partition=(),
)  # fmt: skip


def statements(version: int) -> list[str]:
    """The statements that bring the version before to `version`, in order."""
    folder = files(__package__) / "schema" / f"v{version}"
    sources = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".cql")), key=lambda entry: entry.name)
    return [statement for source in sources for statement in split(source.read_text(encoding="utf-8"))]


def split(source: str) -> list[str]:
    """The single statements of a .cql file: comments begin with -- and end with the line, statements end with a semicolon."""
    bare = re.sub(r"--[^\n]*", "", source)
    return [" ".join(one.split()) for one in bare.split(";") if one.strip()]


async def version_of(session: Session, settings: CassandraSettings) -> int:
    """The version of the keyspace's tables, 0 where there are none."""
    if not await session.execute(_HAS_TABLE, (settings.keyspace,)):
        return 0
    rows = await session.execute(_VERSION)
    return int(rows[0][0]) if rows and rows[0][0] is not None else 0


async def check(session: Session, settings: CassandraSettings) -> None:
    """Raises StoreVersionError unless the tables are those that this program works with."""
    version = await version_of(session, settings)
    if version > SCHEMA_VERSION:
        raise _too_new(settings, version)
    if version < SCHEMA_VERSION:
        have = f"has schema version {version}" if version else "holds no tables of this program"
        verb = "upgrade" if version else "create"
        raise StoreVersionError(
            f"the keyspace {settings.keyspace} {have}, and this program needs version {SCHEMA_VERSION}: "
            f"run `tenuto-server schema {verb}` with the same store first"
        )


async def create(session: Session, settings: CassandraSettings, runtime: Runtime) -> int:
    """Makes the keyspace where it is not there, then all tables; brings those that are there up to date. Returns the version that
    was there before."""
    if not await session.execute(_HAS_KEYSPACE, (settings.keyspace,)):
        replication = ", ".join(f"'{name}': '{value}'" for name, value in replication_map(settings).items())
        await session.run_ddl(f"CREATE KEYSPACE IF NOT EXISTS {settings.keyspace} WITH replication = {{{replication}}}")
    if not await session.execute(_HAS_TABLE, (settings.keyspace,)):
        table_id = uuid.uuid5(uuid.NAMESPACE_DNS, f"{settings.keyspace}.schema-version.tenuto")
        await session.run_ddl(
            "CREATE TABLE IF NOT EXISTS schema_version (name text PRIMARY KEY, version int, holder text) "
            f"WITH id = {table_id}"
        )
    return await _bring_up_to_date(session, settings, runtime)


async def upgrade(session: Session, settings: CassandraSettings, runtime: Runtime) -> int:
    """Brings the tables up to date. Returns the version that was there before. Raises StoreVersionError where there are none, or
    newer ones."""
    if not await version_of(session, settings):
        await check(session, settings)
    return await _bring_up_to_date(session, settings, runtime)


async def _bring_up_to_date(session: Session, settings: CassandraSettings, runtime: Runtime) -> int:
    before = await version_of(session, settings)
    if before > SCHEMA_VERSION:
        raise _too_new(settings, before)
    if before == SCHEMA_VERSION:
        return before
    holder = runtime.new_id()
    await _lock(session, holder)
    try:
        for version in range(await version_of(session, settings) + 1, SCHEMA_VERSION + 1):
            for statement in statements(version):
                await session.run_ddl(statement)
            await _note(session, settings, version)
    finally:
        await session.execute(_UNLOCK, (holder,))
    return before


async def _lock(session: Session, holder: str) -> None:
    while True:
        try:
            answer = (await session.execute(_LOCK, (holder,)))[0]
        except StoreUnavailable:
            # It may have been ours: the next try tells.
            await asyncio.sleep(_LOCK_POLL_S)
            continue
        # What was there follows in the order of the columns' names, after the key: holder, version.
        if answer[0] or holder in answer[1:]:
            return
        await asyncio.sleep(_LOCK_POLL_S)


async def _note(session: Session, settings: CassandraSettings, version: int) -> None:
    """Under the lock: the version is one less, or `version` already where an answer was lost."""
    while await version_of(session, settings) < version:
        if version == 1:
            await session.execute(_NOTE, (version,))
        else:
            await session.execute(_RAISE, (version, version - 1))


def _too_new(settings: CassandraSettings, version: int) -> StoreVersionError:
    return StoreVersionError(
        f"the keyspace {settings.keyspace} has schema version {version}, and this program knows up to {SCHEMA_VERSION}: "
        "a newer one made it"
    )
