"""Keyspaces of tests' own on the run's Cassandra: made by the schema tool, used for as long as the process runs, then dropped."""

from __future__ import annotations

import asyncio
import os
import re
import uuid
from collections.abc import Sequence

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.cassandra import Session, schema
from tenuto_server.persistence.cassandra.base_session import BaseSession
from tenuto_server.persistence.cassandra.connect import new_session
from tenuto_server.persistence.cassandra.settings import CassandraSettings, parse
from tests.cassandra.provision import Cassandra

_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE\b.*? FROM) (\w+)")
_made: dict[str, str] = {}


def url(cassandra: Cassandra, keyspace: str, query: str = "") -> str:
    """The URL of a keyspace on the run's Cassandra."""
    hosts = ",".join(cassandra.hosts)
    return f"cassandra://{hosts}:{cassandra.port}/{keyspace}{'?' if query else ''}{query}"


def settings_of(cassandra: Cassandra, keyspace: str, query: str = "") -> CassandraSettings:
    """The same as settings."""
    location, _, rest = url(cassandra, keyspace, query).removeprefix("cassandra://").partition("?")
    return parse(location, rest)


def new_name(what: str) -> str:
    """A name that no other test and no other process has."""
    return f"t_{what}_{os.getpid()}_{uuid.uuid4().hex[:8]}"


def shared(cassandra: Cassandra, what: str) -> str:
    """The keyspace `what` of this process, with all tables: made at the first call. Cassandra ends with the run, so nobody drops
    it."""
    if what not in _made:
        name = new_name(what)
        asyncio.run(_make(settings_of(cassandra, name)))
        _made[what] = name
    return _made[what]


async def _make(settings: CassandraSettings) -> None:
    session = new_session(settings)
    await session.open()
    await schema.create(session, settings, Runtime())
    await session.close()


async def empty(session: BaseSession) -> None:
    """Empties the tables that the session wrote to, so that another finds no row and no deletion in the keyspace. Those that were
    not written to are left alone, for truncating takes long."""
    written = {found[1] for statement in session.statements if (found := _WRITES.match(statement.cql))}
    await asyncio.gather(*[session.run_ddl(f"TRUNCATE {table}") for table in sorted(written)])


async def drop(session: Session, names: Sequence[str]) -> None:
    """Drops keyspaces."""
    for name in names:
        await session.run_ddl(f"DROP KEYSPACE IF EXISTS {name}")
