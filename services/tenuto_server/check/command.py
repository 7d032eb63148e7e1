"""`tenuto-server check`: looks for what does not agree in a store, on a cluster that runs or one that does not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import click

if TYPE_CHECKING:
    from tenuto_server.check.findings import Report

# What the command needs it imports when it runs: the other commands must start quickly.

PROBLEMS_EXIT_CODE = 1


@click.command()
@click.option(
    "--store", required=True, envvar="TENUTO_STORE", metavar="URL",
    help="The store, as the services' setting names it: sqlite:///tenuto.db, cassandra://host1,host2:9042/keyspace?...",
)  # fmt: skip
@click.option(
    "--running/--stopped", default=None,
    help="Whether the cluster serves meanwhile; then what looks wrong is looked at again before it counts. By default the "
    "membership table tells.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--limit", default=1000, show_default=True, type=click.IntRange(1), help="Findings that are shown; all are counted."
)
def check(store: str, running: bool | None, as_json: bool, limit: int) -> None:
    """Checks that shards, logs, snapshots, histories, timers, tasks and visibility agree.

    Exits with 1 if anything is wrong. Notices, such as what a crash left behind, do not count.
    """
    from tenuto_server.persistence.interface import StoreUnavailable, StoreVersionError

    path = unquote(store.partition("?")[0].removeprefix("sqlite:///"))
    if store.startswith("sqlite:///") and not Path(path).is_file():
        # Opening would make it.
        raise click.ClickException(f"there is no file {path}")
    try:
        report = asyncio.run(check_store(store, running, limit))
    except (ValueError, OSError, StoreUnavailable, StoreVersionError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(report.json() if as_json else report.text())
    if report.problems:
        raise SystemExit(PROBLEMS_EXIT_CODE)


async def check_store(url: str, running: bool | None = None, limit: int = 1000) -> Report:
    """Opens the store and checks it. `running` None: whether a history process is announced. Raises ValueError for a URL that
    names no store, StoreUnavailable, and StoreVersionError."""
    from tenuto_server.check.checker import RUNNING, STOPPED, Checker
    from tenuto_server.config.runtime import Runtime
    from tenuto_server.persistence.factory import open_store

    runtime = Runtime()
    store = open_store(url, runtime)
    await store.open()
    try:
        if running is None:
            running = any(member.role == "history" for member in await store.members())
        return await Checker(store, runtime, RUNNING if running else STOPPED, limit).run()
    finally:
        await store.close()
