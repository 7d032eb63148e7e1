"""Making, upgrading and checking the tables of a keyspace, on a real Cassandra."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from click.testing import CliRunner

from tenuto_server.__main__ import main
from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.cassandra import Session, Statement, schema
from tenuto_server.persistence.cassandra.connect import new_session
from tenuto_server.persistence.cassandra.settings import CassandraSettings
from tenuto_server.persistence.factory import open_store, schema_tool
from tenuto_server.persistence.interface import StoreUnavailable, StoreVersionError
from tests.cassandra import keyspaces
from tests.cassandra.provision import Cassandra

pytestmark = pytest.mark.cassandra

TABLES = Statement("tables", "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?")
EXPECTED = {"schema_version", "runs", "history", "tasks", "timers", "queue_buckets", "cas_rows", "members"}

Test = Callable[[Session, CassandraSettings], Awaitable[None]]


@pytest.fixture
def settings(cassandra: Cassandra) -> CassandraSettings:
    """A keyspace that is not there."""
    return keyspaces.settings_of(cassandra, keyspaces.new_name("schema"))


def run(settings: CassandraSettings, test: Test) -> None:
    async def with_session() -> None:
        session = new_session(settings)
        await session.open()
        try:
            await test(session, settings)
        finally:
            await keyspaces.drop(session, [settings.keyspace])
            await session.close()

    asyncio.run(with_session())


async def tables(session: Session, settings: CassandraSettings) -> set[str]:
    return {name for (name,) in await session.execute(TABLES, (settings.keyspace,))}


def test_several_that_make_it_at_once_make_it_once(settings: CassandraSettings) -> None:
    async def check(session: Session, settings: CassandraSettings) -> None:
        assert await schema.version_of(session, settings) == 0
        with pytest.raises(StoreVersionError, match=r"holds no tables.*tenuto-server schema create"):
            await schema.check(session, settings)
        with pytest.raises(StoreVersionError, match="schema create"):
            await schema.upgrade(session, settings, Runtime())
        before = await asyncio.gather(*[schema.create(session, settings, Runtime()) for _ in range(3)])
        assert set(before) <= {0, schema.SCHEMA_VERSION}
        assert 0 in before
        assert await tables(session, settings) >= EXPECTED
        await schema.check(session, settings)
        made = session.requests["ddl"]
        assert await schema.create(session, settings, Runtime()) == schema.SCHEMA_VERSION
        assert await schema.upgrade(session, settings, Runtime()) == schema.SCHEMA_VERSION
        assert session.requests["ddl"] == made, "nothing is made again"

    run(settings, check)


def test_what_was_left_half_made_is_completed(settings: CassandraSettings) -> None:
    async def check(session: Session, settings: CassandraSettings) -> None:
        await schema.create(session, settings, Runtime())
        await session.run_ddl("DROP TABLE IF EXISTS members")
        await session.run_ddl("TRUNCATE schema_version")
        with pytest.raises(StoreVersionError, match="schema create"):
            await schema.check(session, settings)
        assert await schema.create(session, settings, Runtime()) == 0
        assert await tables(session, settings) >= EXPECTED
        await schema.check(session, settings)

    run(settings, check)


def test_newer_tables_are_refused_and_older_ones_name_the_command(settings: CassandraSettings) -> None:
    noted = Statement("noted", "INSERT INTO schema_version (name, version) VALUES ('version', ?)")

    async def check(session: Session, settings: CassandraSettings) -> None:
        await schema.create(session, settings, Runtime())
        newer = schema.SCHEMA_VERSION + 1
        await session.execute(
            Statement("raise", "UPDATE schema_version SET version = ? WHERE name = 'version' IF version = ?", idempotent=False),
            (newer, schema.SCHEMA_VERSION),
        )
        for work in (
            schema.check(session, settings),
            schema.create(session, settings, Runtime()),
            schema.upgrade(session, settings, Runtime()),
        ):
            with pytest.raises(StoreVersionError, match=f"schema version {newer}.*a newer one"):
                await work
        await session.run_ddl("TRUNCATE schema_version")
        await session.execute(noted, (schema.SCHEMA_VERSION - 1 or -1,))
        with pytest.raises(StoreVersionError, match="tenuto-server schema"):
            await schema.check(session, settings)

    run(settings, check)


def test_the_commands(cassandra: Cassandra, settings: CassandraSettings) -> None:
    runner = CliRunner()
    place = keyspaces.url(cassandra, settings.keyspace, "replication=1")

    def said(*words: str) -> str:
        result = runner.invoke(main, ["schema", *words])
        return result.output

    assert "schema version none" in said("version", "--store", place)
    assert "tenuto-server schema create" in said("upgrade", "--store", place)
    assert f"schema version {schema.SCHEMA_VERSION}, before none" in said("create", "--store", place)
    assert "nothing to do" in said("create", "--store", place)
    assert "nothing to do" in said("upgrade", "--store", place)
    assert f"schema version {schema.SCHEMA_VERSION}; this program works with" in said("version", "--store", place)
    assert "Error" in said("create", "--store", "sqlite://:memory:")
    assert "Error" in said("create", "--store", place + "&colour=red")

    async def clean(session: Session, settings: CassandraSettings) -> None:
        assert await tables(session, settings) >= EXPECTED

    run(settings, clean)


def test_a_store_makes_its_tables_only_if_it_is_told_to(cassandra: Cassandra, settings: CassandraSettings) -> None:
    async def opened(query: str) -> None:
        store = open_store(keyspaces.url(cassandra, settings.keyspace, query), Runtime())
        await store.open()
        assert await store.compare_and_set("s", "k", b"v", 0)
        await store.close()

    with pytest.raises(StoreVersionError, match="tenuto-server schema create"):
        asyncio.run(opened(""))
    asyncio.run(opened("create=true"))

    async def clean(session: Session, settings: CassandraSettings) -> None:
        assert await schema.version_of(session, settings) == schema.SCHEMA_VERSION

    run(settings, clean)


@pytest.mark.parametrize("driver", ["acsylla", "cassandra-driver"])
def test_where_nobody_answers(cassandra: Cassandra, driver: str) -> None:
    tool = schema_tool(f"cassandra://127.0.0.1:1/k?driver={driver}&connect_timeout=2", Runtime())
    with pytest.raises(StoreUnavailable, match=r"cannot connect to Cassandra at 127\.0\.0\.1"):
        asyncio.run(tool.version())
