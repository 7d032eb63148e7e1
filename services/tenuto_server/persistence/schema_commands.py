"""The commands `tenuto-server schema create|upgrade|version`: the tables of a store that does not make them by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import click

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.factory import SchemaTool, schema_tool
from tenuto_server.persistence.interface import StoreUnavailable, StoreVersionError


@click.group()
def schema() -> None:
    """Makes and upgrades the tables of a Cassandra keyspace."""


def _command(text: str) -> Callable[[Callable[[SchemaTool], Coroutine[Any, Any, str]]], None]:
    """Makes a subcommand of a coroutine that takes the tool and returns what there is to say."""

    def decorate(work: Callable[[SchemaTool], Coroutine[Any, Any, str]]) -> None:
        @schema.command(work.__name__, help=text)
        @click.option(
            "--store", "url", required=True, envvar="TENUTO_STORE", metavar="URL",
            help="cassandra://host1,host2:9042/keyspace?replication=3&... (or the variable TENUTO_STORE)",
        )  # fmt: skip
        def run(url: str) -> None:
            try:
                said = asyncio.run(work(schema_tool(url, Runtime())))
            except (ValueError, StoreUnavailable, StoreVersionError) as error:
                raise click.ClickException(str(error)) from error
            click.echo(said)

    return decorate


@_command("Makes the keyspace where it is not there, and all tables; may be run again, and by several at once.")
async def create(tool: SchemaTool) -> str:
    """See its help."""
    return _done(tool, await tool.create())


@_command("Brings the tables that an older version made up to date; may be run again, and by several at once.")
async def upgrade(tool: SchemaTool) -> str:
    """See its help."""
    return _done(tool, await tool.upgrade())


@_command("Shows the version of the tables that are there, and the one that this program works with.")
async def version(tool: SchemaTool) -> str:
    """See its help."""
    have = await tool.version()
    return f"keyspace {tool.keyspace}: schema version {have or 'none'}; this program works with {tool.newest}"


def _done(tool: SchemaTool, before: int) -> str:
    if before == tool.newest:
        return f"keyspace {tool.keyspace}: schema version {before}, nothing to do"
    return f"keyspace {tool.keyspace}: schema version {tool.newest}, before {before or 'none'}"
