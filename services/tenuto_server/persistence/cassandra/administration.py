"""Looks after a keyspace from outside of a server: what `tenuto-server schema` does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.cassandra import schema
from tenuto_server.persistence.cassandra.connect import new_session
from tenuto_server.persistence.cassandra.session import Session
from tenuto_server.persistence.cassandra.settings import CassandraSettings


class SchemaTool:
    """The schema of one keyspace. Each call connects for itself, and may raise StoreUnavailable and StoreVersionError."""

    def __init__(self, settings: CassandraSettings, runtime: Runtime) -> None:
        self._settings = settings
        self._runtime = runtime

    @property
    def keyspace(self) -> str:
        """The keyspace's name."""
        return self._settings.keyspace

    @property
    def newest(self) -> int:
        """The version that this program works with."""
        return schema.SCHEMA_VERSION

    async def version(self) -> int:
        """The version that is there, 0 for none."""
        async with self._connected() as session:
            return await schema.version_of(session, self._settings)

    async def create(self) -> int:
        """Makes keyspace and tables; returns the version that was there before."""
        async with self._connected() as session:
            return await schema.create(session, self._settings, self._runtime)

    async def upgrade(self) -> int:
        """Brings tables that are there up to date; returns the version that was there before."""
        async with self._connected() as session:
            return await schema.upgrade(session, self._settings, self._runtime)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Session]:
        session = new_session(self._settings)
        await session.open()
        try:
            yield session
        finally:
            await session.close()
