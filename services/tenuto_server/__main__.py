"""The command line: `tenuto-server dev` runs all services in one process, the other commands one service each."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tenuto_server.check.command import check
from tenuto_server.node.commands import commands
from tenuto_server.persistence.interface import StoreUnavailable, StoreVersionError
from tenuto_server.persistence.schema_commands import schema
from tenuto_server.transport import acceptor
from tenuto_server.transport.settings import AcceptorSettings


@click.group()
@click.version_option(package_name="tenuto-server")
def main() -> None:
    """Tenuto: a durable workflow engine that speaks Cadence's gRPC interface."""


main.add_command(schema)


@main.command()
@click.option("--db", default="tenuto.db", show_default=True, help="SQLite file to keep everything in; :memory: for nothing.")
@click.option("--address", default="127.0.0.1:7833", show_default=True, help="Where to serve the public gRPC interface.")
@click.option("--acceptor", "kind", type=click.Choice(acceptor.KINDS), default="auto", show_default=True, help="Takes calls.")
@click.option("--domain", default="default", show_default=True, help="Domain to register if it is not there; empty for none.")
@click.option("--shards", default=4, show_default=True, type=click.IntRange(1, 16384), help="Shards of a new database.")
@click.option(
    "--synchronous", type=click.Choice(["FULL", "NORMAL"]), default="FULL", show_default=True,
    help="FULL: what was acknowledged survives a loss of power. NORMAL: the last moments may not.",
)  # fmt: skip
@click.option(
    "--network", type=click.Choice(["in-process", "streams"]), default="in-process", show_default=True,
    help="How the services are joined; streams is how a cluster does it.",
)  # fmt: skip
@click.option(
    "--host", "hosted", multiple=True, metavar="MODULE:TASK_LIST",
    help="Serve a module's workflows and activities in this process too; may be given several times.",
)  # fmt: skip
@click.option(
    "--settings", "settings_file", default="", metavar="FILE",
    help="YAML with settings by their names; it is read again whenever it changes.",
)  # fmt: skip
@click.option(
    "--log-level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False), default="INFO",
    show_default=True, help="Least level of log lines.",
)  # fmt: skip
@click.option(
    "--http-api", default="", metavar="HOST:PORT",
    help="Where to serve the public interface over HTTP with JSON; nowhere by default. 127.0.0.1:8800 is customary.",
)  # fmt: skip
@click.option(
    "--http-address", default="", metavar="HOST:PORT",
    help="Where to serve /metrics, /healthz and /readyz; nowhere by default. 127.0.0.1:8088 is customary.",
)  # fmt: skip
@click.option(
    "--otlp-endpoint", default="", envvar="OTEL_EXPORTER_OTLP_ENDPOINT", metavar="URL",
    help="Where to send traces by OTLP over gRPC, as http://localhost:4317; nowhere by default.",
)  # fmt: skip
@click.option(
    "--trace-ratio", default=1.0, show_default=True, type=click.FloatRange(0, 1),
    help="Share of the workflows started without a trace that are traced.",
)  # fmt: skip
@click.option("--log-form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of log lines.")
def dev(
    db: str, address: str, kind: str, domain: str, shards: int, synchronous: str, network: str, hosted: tuple[str, ...],
    settings_file: str, log_level: str, http_api: str, http_address: str, otlp_endpoint: str, trace_ratio: float, log_form: str,
) -> None:  # fmt: skip
    """Runs the whole server in one process, on a SQLite file."""
    from tenuto_server.embedded import EmbeddedSettings, take_lock

    # Looked at here, because an acceptor may open the file where it can only fail with a traceback.
    if db != ":memory:" and not Path(db).absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {Path(db).absolute().parent}", param_hint="--db")
    if settings_file:
        settings_file = str(Path(settings_file).absolute())
        _check_settings(settings_file)
    path = None if db == ":memory:" else Path(db).absolute()
    settings = EmbeddedSettings(
        store="sqlite://:memory:" if path is None else f"sqlite:///{path}?synchronous={synchronous}",
        domain=domain,
        shards=shards,
        log_level=log_level,
        hosted=hosted,
        address=address,
        network=network,
        settings_file=settings_file,
        http_api=http_api,
        http_address=http_address,
        otlp_endpoint=otlp_endpoint,
        trace_ratio=trace_ratio,
        log_form=log_form,
        lock="" if path is None else f"{path}-lock",
    )
    if otlp_endpoint:
        _check_traces()
    settings.to_environment()
    try:
        # For a clear word here: behind pyvoy the server itself can only fail with a traceback.
        lock = take_lock(settings.lock)
        if lock is not None:
            os.close(lock)
        acceptor.run("tenuto_server.embedded:make", AcceptorSettings(kind=kind, address=address))
    except (ValueError, OSError, StoreUnavailable, StoreVersionError) as error:
        raise click.ClickException(str(error)) from error


def _check_settings(path: str) -> None:
    """For a clear word before anything starts."""
    from tenuto_server.config.dynamic import check_file
    from tenuto_server.node.foundation import live_settings

    try:
        check_file(list(live_settings()), path)
    except (ValueError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="--settings") from None


def _check_traces() -> None:
    try:
        from tenuto_server.telemetry import export  # noqa: F401
    except ImportError as error:
        text = f"traces need more packages: pip install 'tenuto-server[telemetry]' ({error})"
        raise click.BadParameter(text, param_hint="--otlp-endpoint") from None


for command in (*commands(), check):
    main.add_command(command)

if __name__ == "__main__":
    main()
