"""What pyvoy loads: the ASGI application of a whole server, which makes that server and stops it.

It is made by a factory named in the environment (see `pyvoy_acceptor`). SIGTERM and SIGINT arrive blocked: they are
looked for a few times a second, and let through to Envoy when the server has stopped.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal

from tenuto_server.transport.acceptor import Served, load_factory
from tenuto_server.transport.asgi_acceptor import AsgiAcceptor, Receive, Scope, Send
from tenuto_server.transport.pyvoy_acceptor import SIGNALS, VARIABLE
from tenuto_server.transport.settings import AcceptorSettings

log = logging.getLogger(__name__)

SIGNAL_CHECK_S = 0.1


class Entry:
    """The application: calls go to the acceptor, the lifespan makes and stops it."""

    __slots__ = ("_acceptor", "_served", "_stopped", "_watcher")

    def __init__(self) -> None:
        self._acceptor: AsgiAcceptor | None = None
        self._served: Served | None = None
        self._stopped: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._acceptor is not None:
            await self._acceptor(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:
            log.exception("the server could not start")
            await send({"type": "lifespan.startup.failed", "message": repr(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop_once()
        if self._watcher is not None:
            self._watcher.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> None:
        # These are for Envoy; a Python started from here must not see them.
        for name in ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "PYTHONHOME"):
            os.environ.pop(name, None)
        told = json.loads(os.environ.pop(VARIABLE))
        settings = AcceptorSettings(**told["settings"])
        self._served = await load_factory(told["factory"])()
        self._acceptor = AsgiAcceptor(self._served.handler, settings)
        self._watcher = asyncio.create_task(self._watch_signals())
        log.info("public interface at %s, on pyvoy", settings.address)

    async def _watch_signals(self) -> None:
        # A thread in sigwait would see them at once, but would be a thread.
        while not SIGNALS & signal.sigpending():  # noqa: ASYNC110 - nothing in this process can be waited on instead
            await asyncio.sleep(SIGNAL_CHECK_S)
        try:
            await self._stop_once()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    async def _stop_once(self) -> None:
        """Stops the acceptor and what stands behind it; a second caller waits for the first."""
        if self._stopped is None:
            self._stopped = asyncio.create_task(self._stop_all())
        await asyncio.shield(self._stopped)

    async def _stop_all(self) -> None:
        served, acceptor = self._served, self._acceptor
        if served is None or acceptor is None:
            return
        await served.drain()
        # Together: what stands behind answers the long polls under way, which the acceptor waits for.
        await asyncio.gather(acceptor.stop(), served.stop())


app = Entry()
