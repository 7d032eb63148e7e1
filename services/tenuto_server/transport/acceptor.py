"""The choice between the acceptors of the public interface.

`run` is a process's main: it makes the handler by calling a factory, serves it and stops in good order on SIGTERM or
SIGINT. Behind pyvoy the process becomes Envoy with Python in it, so the factory is given by name: it is called inside.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import signal
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, cast

from tenuto_server.transport.public import PublicHandler
from tenuto_server.transport.settings import AcceptorSettings

log = logging.getLogger(__name__)

KINDS = ("auto", "grpc", "pyvoy")

Stop = Callable[[], Awaitable[None]]


async def _at_once() -> None:
    """There is nothing to wait for."""


class Served(NamedTuple):
    """What an acceptor serves: the handler, and what to do when the process is told to stop. First `drain`: calls are taken as
    before until it returns, so that balancers can look elsewhere. Then `stop`, while the acceptor stops too."""

    handler: PublicHandler
    stop: Stop
    drain: Stop = _at_once


# Behind pyvoy it runs in a fresh interpreter: what the process has set up before (logs, telemetry) must be set up in it.
Factory = Callable[[], Awaitable[Served]]


class Acceptor(Protocol):
    """The open public door of a process."""

    async def stop(self) -> None:
        """Takes no more calls, lets those under way end within the grace, then cancels them."""


def choose(settings: AcceptorSettings) -> str:
    """The acceptor that `settings` name: "grpc" or "pyvoy"; ValueError where it is not there."""
    from tenuto_server.transport import pyvoy_acceptor

    if settings.kind not in KINDS:
        raise ValueError(f"unknown acceptor {settings.kind!r}; there are {', '.join(KINDS)}")
    if settings.kind == "grpc":
        return "grpc"
    if pyvoy_acceptor.available():
        return "pyvoy"
    if settings.kind == "pyvoy":
        raise ValueError("the pyvoy acceptor needs the package pyvoy and a shared libpython")
    return "grpc"


def run(factory: str, settings: AcceptorSettings) -> None:
    """Serves what `factory` ("module:function") makes until SIGTERM or SIGINT. With pyvoy this call does not return."""
    if choose(settings) == "pyvoy":
        from tenuto_server.transport import pyvoy_acceptor

        pyvoy_acceptor.run(factory, settings)
    import uvloop

    uvloop.run(_serve_grpc(load_factory(factory), settings))
    return


def load_factory(name: str) -> Factory:
    """The factory of that name; ValueError where the name has not the form "module:function"."""
    module, colon, function = name.partition(":")
    if not colon:
        raise ValueError(f"a factory is named module:function, not {name!r}")
    return cast("Factory", getattr(importlib.import_module(module), function))


async def _serve_grpc(factory: Factory, settings: AcceptorSettings) -> None:
    from tenuto_server.transport.grpc_acceptor import GrpcAcceptor

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    served = await factory()
    acceptor = GrpcAcceptor(served.handler, settings)
    try:
        await acceptor.start()
    except BaseException:
        await served.stop()
        raise
    log.info("public interface at %s, on grpc.aio", acceptor.address)
    await stopping.wait()
    await served.drain()
    # Together: what stands behind answers the long polls under way, which the acceptor waits for.
    await asyncio.gather(acceptor.stop(), served.stop())
