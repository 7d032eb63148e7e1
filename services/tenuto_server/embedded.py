"""All services in one process: the same parts as in a cluster, joined by the in-process network.

`make` builds and starts them, as the factory of an acceptor; what it is to build is told by an environment variable, because an
acceptor may replace the process before it calls the factory.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from tenuto_server.cluster.router import StaticRouter
from tenuto_server.config.runtime import Runtime
from tenuto_server.frontend.service import FrontendService
from tenuto_server.history.service import HistoryService
from tenuto_server.history.settings import HistorySettings
from tenuto_server.matching.service import MatchingService
from tenuto_server.node.foundation import Foundation, live_settings, settle_memory
from tenuto_server.telemetry import logs
from tenuto_server.transport.acceptor import Served
from tenuto_server.transport.inprocess import InProcessNetwork
from tenuto_server.transport.network import InternalCall, Network
from tenuto_server.transport.public import PublicHandler
from tenuto_server.visibility import query
from tenuto_server.worker_host.retention import Retention, RetentionSettings

if TYPE_CHECKING:
    from tenuto_server.telemetry.export import Exporting
    from tenuto_server.telemetry.ops import OpsServer
    from tenuto_server.transport.http_acceptor import HttpAcceptor
    from tenuto_server.worker_host.service import WorkerHostService
    from tenuto_server.worker_host.system import SystemHost

VARIABLE: Final = "TENUTO_EMBEDDED"
HISTORY, MATCHING, FRONTEND = "history", "matching", "frontend"
SECONDS_A_DAY: Final = 24 * 3600
# The system's workers wait this long after the start: loading the SDK holds up whoever calls meanwhile.
SYSTEM_DELAY_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class EmbeddedSettings:
    """One process's server.

    store: the store's URL (see `persistence.factory`).
    domain: registered at the start if it is not there; empty for none.
    shards: how many shards a new store gets; a store that has its number keeps it.
    log_level: of the standard library's names.
    network: "in-process", or "streams": the services are joined as in a cluster, over sockets.
    lock: a file that keeps a second server from the same database; empty for none.
    system_workers: whether this process also serves the system's own workflows, such as schedules.
    retention: seconds between two looks for runs whose retention is over; 0 for none. retention_day: how long a day of
        retention lasts, in seconds: tests shorten it.
    settings_file: YAML with settings that may change while the server runs; empty for none.
    hosted: modules to host workers of, as "module:task-list"; they reach this server at `address`.
    http_address: where to serve /metrics, /healthz and /readyz; empty for nowhere.
    http_api: where to serve the public interface over HTTP with JSON; empty for nowhere. http_procedures: its calls, as in
        `transport.settings`.
    otlp_endpoint: where to send traces (see `telemetry.export`); empty for nowhere. trace_ratio: the share that is sampled.
    log_form: "text" or "json".
    """

    store: str
    domain: str = "default"
    shards: int = 4
    log_level: str = "INFO"
    hosted: tuple[str, ...] = ()
    address: str = "127.0.0.1:7833"
    network: str = "in-process"
    lock: str = ""
    system_workers: bool = True
    retention: float = 60.0
    retention_day: float = float(SECONDS_A_DAY)
    settings_file: str = ""
    http_address: str = ""
    otlp_endpoint: str = ""
    trace_ratio: float = 1.0
    log_form: str = "text"
    http_api: str = ""
    http_procedures: tuple[str, ...] = ()

    def internal(self, service: str) -> str:
        """Where a service listens: its name in the process, or any free port."""
        return service if self.network == "in-process" else "127.0.0.1:0"

    def to_environment(self) -> None:
        """Leaves the settings where `make` finds them."""
        os.environ[VARIABLE] = json.dumps(asdict(self))


async def make() -> Served:
    """Starts the server that the environment describes, as an acceptor's factory."""
    settings = EmbeddedSettings(**json.loads(os.environ[VARIABLE]))
    logs.setup(settings.log_level, settings.log_form)
    server = EmbeddedServer(settings)
    await server.start()
    settle_memory()
    return Served(server.handle, server.stop)


class EmbeddedServer:
    """Frontend, history and matching on one store, in this process."""

    def __init__(self, settings: EmbeddedSettings, runtime: Runtime | None = None) -> None:
        self._settings = settings
        self._runtime = runtime or Runtime()
        self.live = live_settings(HistorySettings(retention_day=settings.retention_day))
        self.foundation = Foundation(settings.store, self._runtime, self.live, settings.settings_file)
        self.store = self.foundation.store
        self.dynamic = self.foundation.dynamic
        self._domains = self.foundation.domains
        self.frontend: FrontendService | None = None
        self._host = _worker_host(settings) if settings.hosted else None
        self._system: SystemHost | None = None
        self._system_start: asyncio.Task[None] | None = None
        self._retention: Retention | None = None
        self.http_api: HttpAcceptor | None = None
        self.ops: OpsServer | None = None
        self._exporting: Exporting | None = None

    async def start(self) -> None:
        """Opens the store and starts the services. Raises OSError where another server has the database."""
        self._lock = take_lock(self._settings.lock)
        if self._settings.otlp_endpoint:
            self._start_tracing()
        await self.foundation.start(self._settings.shards)
        shards = self.foundation.shards
        await self.foundation.register_domain(self._settings.domain)
        network = _networks(self._settings.network)
        at_history, at_matching, at_frontend = network(), network(), network()
        # An address with port 0 is known only after listening, so the listeners come before the services.
        to_matching = await at_matching.listen(self._settings.internal(MATCHING), self._to_matching)
        to_history = await at_history.listen(self._settings.internal(HISTORY), self._to_history)
        self._listeners = [to_matching, to_history]
        self._networks = [at_history, at_matching, at_frontend]
        router = StaticRouter(shards, [to_history.address], [to_matching.address])
        self._matching = MatchingService(
            network=at_matching,
            router=router,
            runtime=self._runtime,
            settings=self.live.matching,
            address=to_matching.address,
        )
        self._history = HistoryService(
            store=self.store,
            network=at_history,
            router=router,
            runtime=self._runtime,
            domains=self._domains,
            settings=self.live.history,
            address=to_history.address,
        )
        self.frontend = FrontendService(
            store=self.store,
            network=at_frontend,
            router=router,
            runtime=self._runtime,
            domains=self._domains,
            domain_registry=self._domains.registry,
            settings=self.live.frontend,
            dynamic=self.dynamic,
            address=FRONTEND,
        )
        await self._matching.start()
        await self._history.start()
        await self.frontend.start()
        self.handle: PublicHandler = self.frontend.handle
        if self._host is not None:
            await self._host.start()
        if self._settings.retention:
            self._retention = Retention(
                store=self.store,
                network=at_frontend,
                router=router,
                runtime=self._runtime,
                settings=RetentionSettings(interval=self._settings.retention),
                holder=self._runtime.new_id(),
            )
            await self._retention.start()
        if self._settings.system_workers:
            self._system_start = asyncio.get_running_loop().create_task(self._start_system())
        if self._settings.http_api:
            await self._start_http_api()
        if self._settings.http_address:
            await self._start_ops(shards)

    def _start_tracing(self) -> None:
        # Loaded only where it is wanted: the server must start quickly.
        from tenuto_server.telemetry.export import Exporting, TracingSettings

        settings = TracingSettings(endpoint=self._settings.otlp_endpoint, ratio=self._settings.trace_ratio)
        self._exporting = Exporting(settings, self._runtime)
        self._exporting.start()

    async def _start_http_api(self) -> None:
        # Loaded only where it is wanted: the server must start quickly.
        from tenuto_server.transport.http_acceptor import HttpAcceptor
        from tenuto_server.transport.settings import HttpApiSettings

        self.http_api = HttpAcceptor(self.handle, HttpApiSettings(self._settings.http_api, tuple(self._settings.http_procedures)))
        await self.http_api.start()

    async def _start_ops(self, shards: int) -> None:
        # Loaded only where it is wanted: the server must start quickly.
        from tenuto_server.telemetry.metrics import Metrics
        from tenuto_server.telemetry.ops import OpsServer

        def ready() -> str | None:
            held = len(self._history.core.shards)
            return None if held == shards else f"{held} of {shards} shards are served"

        assert self.frontend is not None
        metrics = Metrics()
        metrics.add_parts(self.frontend, self._history, self._matching, logs, self.store, self.http_api, *self._networks)
        self.ops = OpsServer(self._settings.http_address, metrics, ready, lambda: None)
        await self.ops.start()

    async def _start_system(self) -> None:
        await asyncio.sleep(SYSTEM_DELAY_SECONDS)
        for _step in query.prepare():
            await asyncio.sleep(0)
        self._system = _system_host(self.handle)
        await self._system.start()

    def _to_matching(self, call: InternalCall) -> Awaitable[bytes]:
        return self._matching.handle(call)

    def _to_history(self, call: InternalCall) -> Awaitable[bytes]:
        return self._history.handle(call)

    async def stop(self) -> None:
        """Stops in good order: answers what is under way, writes everything down."""
        assert self.frontend is not None
        if self.ops is not None:
            await self.ops.stop()
        if self._system_start is not None:
            self._system_start.cancel()
        if self._system is not None:
            await self._system.stop()
        if self._host is not None:
            await self._host.stop()
        if self._retention is not None:
            await self._retention.stop()
        if self.http_api is None:
            await self.frontend.stop()
        else:
            # Together: the frontend answers the long polls under way, which this waits for.
            await asyncio.gather(self.frontend.stop(), self.http_api.stop())
        await self._matching.stop()
        await self._history.stop()
        for listener in self._listeners:
            await listener.close()
        for network in self._networks:
            await network.close()
        await self.foundation.stop()
        if self._exporting is not None:
            await self._exporting.stop()
        if self._lock is not None:
            os.close(self._lock)


def take_lock(path: str) -> int | None:
    """Locks the file until the descriptor that is returned is closed, or this process ends; None for no path. Raises OSError
    if it is locked. Two servers on one database would do no harm, but take its shards from each other for ever."""
    if not path:
        return None
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise OSError(f"another server has this database: {path} is locked") from None
    return lock


def _networks(kind: str) -> Callable[[], Network]:
    """Makes each service's end of the network."""
    if kind == "in-process":
        return InProcessNetwork().endpoint
    # Loaded where it is needed: the server must start quickly.
    from tenuto_server.transport.stream import StreamNetwork

    return StreamNetwork


def _worker_host(settings: EmbeddedSettings) -> WorkerHostService:
    # The SDK is loaded only where it is needed: the server must start quickly.
    from tenuto_server.worker_host.service import Hosted, HostSettings, WorkerHostService

    hosted = [Hosted.parse(text) for text in settings.hosted]
    return WorkerHostService(hosted, HostSettings(settings.address, settings.domain))


def _system_host(handler: PublicHandler) -> SystemHost:
    from tenuto_server.worker_host.direct import DirectConnection
    from tenuto_server.worker_host.system import SystemHost, SystemSettings, registered

    return SystemHost(DirectConnection(handler, "tenuto-system"), registered(), SystemSettings())
