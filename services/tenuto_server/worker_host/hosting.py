"""Everything that a worker-host process of a cluster runs: the system's workflows, retention, and users' own modules."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tenuto.client import Connection
from tenuto_server.cluster.router import Router
from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.interface import Store
from tenuto_server.transport.network import Network
from tenuto_server.worker_host.retention import Retention, RetentionSettings
from tenuto_server.worker_host.service import Hosted, HostSettings, WorkerHostService
from tenuto_server.worker_host.system import SystemHost, SystemSettings, registered

_IDENTITY = "tenuto-system"
# A new domain has its schedules and batches served after this long. Each look reads the domains of a store that many share.
_REFRESH_S = 5.0


@dataclass(frozen=True, slots=True)
class HostingSettings:
    """frontend: the public address that workers reach the cluster by. domain, modules: see `service.Hosted`. system: whether the
    system's workflows are served. retention: seconds between two looks for runs whose retention is over; 0 for none."""

    frontend: str
    domain: str = "default"
    modules: tuple[str, ...] = ()
    system: bool = True
    retention: float = 60.0


class Hosting:
    """Raises ImportError or ValueError for a module that cannot be hosted."""

    def __init__(self, settings: HostingSettings, *, store: Store, network: Network, router: Router, runtime: Runtime) -> None:
        self._connection = Connection(settings.frontend, identity=_IDENTITY) if settings.system else None
        system = SystemSettings(refresh=_REFRESH_S)
        self._system = None if self._connection is None else SystemHost(self._connection, registered(), system)
        self._users = (
            WorkerHostService(
                [Hosted.parse(text) for text in settings.modules], HostSettings(settings.frontend, settings.domain)
            )
            if settings.modules
            else None
        )
        self._retention = (
            Retention(
                store=store,
                network=network,
                router=router,
                runtime=runtime,
                settings=RetentionSettings(interval=settings.retention),
                holder=runtime.new_id(),
            )
            if settings.retention
            else None
        )

    async def start(self) -> None:
        """Begins; what needs the frontends waits for them in the background."""
        for part in (self._users, self._system, self._retention):
            if part is not None:
                await part.start()

    async def stop(self) -> None:
        """Stops polling and gives tasks under way their grace."""
        await asyncio.gather(*[part.stop() for part in (self._users, self._system, self._retention) if part is not None])
        if self._connection is not None:
            await self._connection.close()
