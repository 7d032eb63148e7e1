"""One process of a cluster: one service on the cluster's store, joined to the others by the membership table and batched streams.

Start: the store, what it says, the door for the other services, a row in the membership table, then the service. Until the
service serves, its door answers "unavailable", and callers come back. Stop: the service hands over what it has, and the
row goes (see `leave`); the door stays open meanwhile, for those who have not seen yet.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from typing import TYPE_CHECKING, Any, Final, Protocol

from tenuto_server import errors
from tenuto_server.cluster.membership import Membership
from tenuto_server.cluster.router import MembershipRouter
from tenuto_server.config.runtime import Runtime
from tenuto_server.frontend.service import FrontendService
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.history.service import HistoryService
from tenuto_server.matching.service import MatchingService
from tenuto_server.node.foundation import Foundation, live_settings, settle_memory
from tenuto_server.node.settings import ROLES, ServerSettings, Traces
from tenuto_server.persistence.interface import Member, StoreUnavailable
from tenuto_server.telemetry import logs
from tenuto_server.telemetry.metrics import Metrics
from tenuto_server.telemetry.ops import OpsServer
from tenuto_server.transport.acceptor import Served
from tenuto_server.transport.network import InternalCall, InternalHandler, Listener
from tenuto_server.transport.public import PublicHandler
from tenuto_server.transport.stream import StreamNetwork
from tenuto_server.visibility import query

if TYPE_CHECKING:
    from tenuto_server.telemetry.export import Exporting
    from tenuto_server.transport.http_acceptor import HttpAcceptor

logger = logging.getLogger(__name__)

# What `make` reads: JSON with the service's name and the settings.
VARIABLE: Final = "TENUTO_SERVER_PROCESS"
# Set where several processes listen at the same public ports.
SHARED: Final = "TENUTO_SERVER_SHARED"
RETRY_S: Final = 1.0
FRONTEND, HISTORY, MATCHING, WORKER_HOST = ROLES


class Service(Protocol):
    """What the services have in common."""

    async def start(self) -> None:
        """Begins to serve."""

    async def stop(self) -> None:
        """Hands over what it has, and ends."""


class ServerProcess:
    """A process in the service `role`. `handle` is the public handler, of a frontend only. `address` is where the others reach
    it, known after the start."""

    def __init__(self, role: str, settings: ServerSettings, runtime: Runtime | None = None) -> None:
        self.role = role
        self.address = ""
        self.service: Service | None = None
        self._settings = settings
        self._runtime = runtime or Runtime()
        live = live_settings(frontend=FrontendSettings(store_backend=settings.store.partition(":")[0]))
        self.foundation = Foundation(settings.store, self._runtime, live, settings.dynamic_settings)
        self.network = StreamNetwork()
        self._listener: Listener | None = None
        self._door: InternalHandler | None = None
        self.membership: Membership | None = None
        self.router: MembershipRouter | None = None
        self.http_api: HttpAcceptor | None = None
        # Stopped last: whoever asks meanwhile is told.
        self.ops: OpsServer | None = None
        self.exporting: Exporting | None = None
        self._stopping = False

    @property
    def handle(self) -> PublicHandler:
        """The public interface."""
        assert isinstance(self.service, FrontendService)
        return self.service.handle

    async def start(self) -> None:
        """Joins the cluster and serves. Raises StoreUnavailable (start another one later), StoreVersionError, OSError."""
        settings, foundation = self._settings, self.foundation
        try:
            await foundation.start(settings.shards)
            if self.role == FRONTEND:
                # Now, when nobody waits: the first list would hold up every other call.
                for _step in query.prepare():
                    await asyncio.sleep(0)
            await self._listen()
            member = Member(self.role, self.address, self._runtime.new_id())
            self.membership = Membership(foundation.store, self._runtime, member, settings.membership.settings())
            await self.membership.start()
            self.network.on_lost(self._link_lost)
            self.router = MembershipRouter(self.membership, foundation.shards, virtual_nodes=settings.virtual_nodes)
            if self.role == FRONTEND:
                await foundation.register_domain(settings.domain)
            self.service, self._door = self._make(self.router)
            await self.service.start()
            if self.role == FRONTEND:
                await self._start_http_api()
        except BaseException:
            await self._close()
            raise
        logger.info("%s serves as %s", self.role, self.address)

    async def drain(self) -> None:
        """Says that it is not ready, and serves on for a while: balancers look elsewhere."""
        self._stopping = True
        await asyncio.sleep(self._settings.drain_delay)

    async def stop(self) -> None:
        """Leaves the cluster in good order."""
        self._stopping = True
        if self.membership is not None and self.service is not None:
            leaving = leave(self.role, self.membership, self.service)
            # Together: the service answers the long polls under way, which this waits for.
            await (leaving if self.http_api is None else asyncio.gather(leaving, self.http_api.stop()))
        await self._close()
        if self.ops is not None:
            await self.ops.stop()
        if self.exporting is not None:
            await self.exporting.stop()
        logger.info("%s at %s has stopped", self.role, self.address)

    def not_ready(self) -> str | None:
        """Why this process cannot do its work now; None where it can."""
        if self._stopping:
            return "it is stopping"
        service, router = self.service, self.router
        if service is None or router is None:
            return "it is starting"
        if self.role in (FRONTEND, WORKER_HOST) and not router.history_addresses():
            return "no history service is in the ring"
        if self.role in (FRONTEND, WORKER_HOST) and not router.matching_addresses():
            return "no matching service is in the ring"
        if isinstance(service, HistoryService) and (missing := service.shards_missing()):
            return f"{missing} shards are to be taken yet"
        return None

    def _link_lost(self, address: str) -> None:
        """Whoever was there may be gone."""
        if self.membership is not None:
            self.membership.look_soon()

    # --- parts --------------------------------------------------------------------------------------------------------
    async def _listen(self) -> None:
        internal = self._settings.internal
        if self.role in (HISTORY, MATCHING):
            self._listener = await self.network.listen(f"{internal.host}:{internal.port}", self._take)
            self.address = f"{internal.told()}:{self._listener.address.rpartition(':')[2]}"
        elif self.role == FRONTEND:
            self.address = f"{internal.told()}:{self._settings.public.address.rpartition(':')[2]}"
        else:
            # Nobody calls it; its number tells it from others on the machine.
            self.address = f"{internal.told()}/{os.getpid()}"

    async def _start_http_api(self) -> None:
        settings = self._settings.http_api(shared=ports_are_shared())
        if settings is None:
            return
        # Loaded only where it is wanted.
        from tenuto_server.transport.http_acceptor import HttpAcceptor

        self.http_api = HttpAcceptor(self.handle, settings)
        await self.http_api.start()

    async def _take(self, call: InternalCall) -> bytes:
        door = self._door
        if door is None:
            raise errors.Unavailable("the service is starting")
        return await door(call)

    def _make(self, router: MembershipRouter) -> tuple[Service, InternalHandler | None]:
        foundation = self.foundation
        common: dict[str, Any] = {
            "network": self.network, "router": router, "runtime": self._runtime, "address": self.address
        }  # fmt: skip
        if self.role == MATCHING:
            matching = MatchingService(settings=foundation.live.matching, **common)
            return matching, matching.handle
        if self.role == HISTORY:
            history = HistoryService(
                store=foundation.store, domains=foundation.domains, settings=foundation.live.history, **common
            )
            return history, history.handle
        if self.role == FRONTEND:
            frontend = FrontendService(
                store=foundation.store,
                domains=foundation.domains,
                domain_registry=foundation.domains.registry,
                settings=foundation.live.frontend,
                dynamic=foundation.dynamic,
                **common,
            )
            return frontend, None
        return self._make_worker_host(router), None

    def _make_worker_host(self, router: MembershipRouter) -> Service:
        # The SDK is loaded only where it is needed.
        from tenuto_server.worker_host.hosting import Hosting, HostingSettings

        told = self._settings.worker_host
        return Hosting(
            HostingSettings(told.frontend, told.domain, told.modules, told.system, told.retention),
            store=self.foundation.store,
            network=self.network,
            router=router,
            runtime=self._runtime,
        )

    async def _close(self) -> None:
        if self._listener is not None:
            await self._listener.close()
        await self.network.close()
        if self.membership is not None:
            await self.membership.stop()
        await self.foundation.stop()


async def leave(role: str, membership: Membership, service: Service) -> None:
    """Takes a service out of the cluster in good order."""
    if role == HISTORY:
        # Its shards are free before the others find that it has gone: else they would take them from it by force.
        await service.stop()
        await membership.withdraw()
    else:
        await membership.withdraw()
        await service.stop()


# --- running one ------------------------------------------------------------------------------------------------------
def describe(role: str, settings: ServerSettings) -> str:
    """A process as the text that `from_environment` reads."""
    return json.dumps({"role": role, "settings": settings.model_dump(mode="json")})


def to_environment(role: str, settings: ServerSettings) -> None:
    """Leaves what to run where `make` finds it: an acceptor may replace the process before it calls the factory."""
    os.environ[VARIABLE] = describe(role, settings)


def from_environment() -> tuple[str, ServerSettings]:
    """What `to_environment` left."""
    told = json.loads(os.environ[VARIABLE])
    return told["role"], ServerSettings.model_validate(told["settings"])


def ports_are_shared() -> bool:
    """Whether several processes listen at this one's public ports."""
    return bool(os.environ.get(SHARED))


async def make() -> Served:
    """Starts the frontend that the environment describes, as an acceptor's factory."""
    role, settings = from_environment()
    process = await start(role, settings)
    return Served(process.handle, process.stop, process.drain)


async def start(role: str, settings: ServerSettings) -> ServerProcess:
    """A process that serves; waits for a store that cannot be reached yet. The operations endpoint is there before."""
    logs.setup(settings.logs.level, settings.logs.form)
    process: ServerProcess | None = None
    metrics = Metrics()
    exporting = _start_tracing(role, settings.traces)
    ops = OpsServer(settings.http, metrics, lambda: "it is starting" if process is None else process.not_ready(), lambda: None)
    if settings.http:
        await ops.start()
    try:
        while True:
            process = ServerProcess(role, settings)
            try:
                await process.start()
            except StoreUnavailable as error:
                logger.warning("the store cannot be reached, trying again: %s", error)
                await asyncio.sleep(RETRY_S)
                continue
            process.ops, process.exporting = ops, exporting
            metrics.add_parts(process.service, logs, process.foundation.store, process.network, process.http_api)
            settle_memory()
            return process
    except BaseException:
        await ops.stop()
        if exporting is not None:
            await exporting.stop()
        raise


def _start_tracing(role: str, settings: Traces) -> Exporting | None:
    """Traces go out from here on, where they are wanted."""
    if not settings.endpoint:
        return None
    # Loaded only where it is wanted: its packages are optional.
    from tenuto_server.telemetry.export import Exporting, TracingSettings

    instance = f"{socket.gethostname()}/{os.getpid()}"
    wanted = TracingSettings(settings.endpoint, settings.ratio, f"tenuto-{role}", instance)
    exporting = Exporting(wanted, Runtime())
    exporting.start()
    return exporting


async def serve(role: str, settings: ServerSettings, stop: asyncio.Event) -> None:
    """Runs a process that is no frontend until it is told to stop."""
    starting = asyncio.ensure_future(start(role, settings))
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return
    process = await starting
    await stopped
    await process.drain()
    await process.stop()
