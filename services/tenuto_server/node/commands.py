"""The commands `tenuto-server frontend|history|matching|worker-host`."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tenuto_server.node.settings import ServerSettings

# What a command needs it imports when it runs: the other commands must start quickly.

_ABOUT = {
    "frontend": "Runs a frontend: the public gRPC interface.",
    "history": "Runs a history service: it owns shards of the workflows.",
    "matching": "Runs a matching service: it pairs tasks with pollers.",
    "worker-host": "Runs a worker-host: the system's workflows, retention, and modules of your own.",
}


def commands() -> list[click.Command]:
    """One for each service, and the one by which a supervisor runs its processes."""
    return [*(_command(role) for role in _ABOUT), run_process]


def _command(role: str) -> click.Command:
    @click.command(role, help=_ABOUT[role] + "\n\nSettings come from --set, then TENUTO_... variables, then --config.")
    @click.option("--config", default="", metavar="FILE", envvar="TENUTO_CONFIG", help="YAML with settings.")
    @click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="One setting, like internal.port=7934.")
    @click.option("--processes", type=click.IntRange(1, 256), help="How many processes of it to run here.")
    def command(config: str, assignments: tuple[str, ...], processes: int | None) -> None:
        from tenuto_server.node.settings import SettingsError, load

        more = (f"processes={processes}",) if processes is not None else ()
        try:
            settings = load(config, (*assignments, *more))
        except SettingsError as error:
            raise click.ClickException(str(error)) from None
        _run(role, settings)

    return command


@click.command("run-process", hidden=True)
def run_process() -> None:
    """Runs the process that the environment describes."""
    from tenuto_server.node.process import from_environment, ports_are_shared

    role, settings = from_environment()
    _run_one(role, settings, shared=ports_are_shared())


def _run(role: str, settings: ServerSettings) -> None:
    if settings.processes == 1:
        _run_one(role, settings, shared=False)
        return
    from tenuto_server.node.process import SHARED, VARIABLE, describe
    from tenuto_server.node.supervisor import ChildrenFail, Supervisor, own_command
    from tenuto_server.telemetry import logs

    logs.setup(settings.logs.level, settings.logs.form)
    environments = [
        {VARIABLE: describe(role, settings.of_process(index)), SHARED: "1"} for index in range(settings.processes)
    ]

    async def supervise() -> None:
        await Supervisor(own_command("run-process"), environments).run()

    _clearly(lambda: asyncio.run(supervise()), ChildrenFail)


def _run_one(role: str, settings: ServerSettings, *, shared: bool) -> None:
    from tenuto_server.node import process
    from tenuto_server.transport import acceptor

    if role == "frontend":
        process.to_environment(role, settings)
        _clearly(lambda: acceptor.run("tenuto_server.node.process:make", settings.acceptor(shared=shared)))
        return
    import uvloop

    _clearly(lambda: uvloop.run(_serve(role, settings)))


async def _serve(role: str, settings: ServerSettings) -> None:
    from tenuto_server.node import process

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await process.serve(role, settings, stop)


def _clearly(run: Callable[[], None], *more: type[Exception]) -> None:
    """Runs it; what an operator can mend is said without a traceback."""
    from tenuto_server.persistence.interface import StoreVersionError

    expected: tuple[type[Exception], ...] = (ValueError, OSError, ImportError, StoreVersionError, *more)
    try:
        run()
    except expected as error:
        logging.getLogger(__name__).debug("the process ends", exc_info=True)
        raise click.ClickException(str(error)) from error
