"""What every server process stands on, whichever services it runs: the store, the domains, the settings that change."""

from __future__ import annotations

import gc
import logging
from typing import NamedTuple

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.cluster.shards import settle_shards
from tenuto_server.config.dynamic import DynamicConfig
from tenuto_server.config.live import LiveSettings
from tenuto_server.config.runtime import Runtime
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.history.settings import HistorySettings
from tenuto_server.matching.settings import MatchingSettings
from tenuto_server.persistence.domains import DomainCache
from tenuto_server.persistence.factory import open_store
from tenuto_server.persistence.interface import Store

logger = logging.getLogger(__name__)

_SECONDS_A_DAY = 24 * 3600


class Live(NamedTuple):
    """Every service's settings, as they change while the process runs."""

    frontend: LiveSettings[FrontendSettings]
    history: LiveSettings[HistorySettings]
    matching: LiveSettings[MatchingSettings]


def live_settings(history: HistorySettings | None = None, frontend: FrontendSettings | None = None) -> Live:
    """The settings with their defaults, or those given."""
    return Live(
        LiveSettings(frontend or FrontendSettings(), "frontend"),
        LiveSettings(history or HistorySettings(), "history"),
        LiveSettings(MatchingSettings(), "matching"),
    )


class Foundation:
    """Opened by `start`, closed by `stop`. `shards` is the cluster's number of shards, known after the start."""

    def __init__(self, store: str, runtime: Runtime, live: Live, dynamic_settings: str = "") -> None:
        """`store`: its URL. `dynamic_settings`: a file; empty for none."""
        self.runtime = runtime
        self.live = live
        self.store: Store = open_store(store, runtime)
        self.domains = DomainCache(self.store, runtime)
        self.dynamic = DynamicConfig(list(live), self.store, dynamic_settings)
        self.shards = 0

    async def start(self, shards: int) -> None:
        """Opens the store and reads what it says. `shards`: how many a new store gets. Raises StoreUnavailable,
        StoreVersionError, and ValueError or OSError for the settings' file."""
        await self.store.open()
        await self.dynamic.start()
        self.shards = await settle_shards(self.store, shards)
        if self.shards != shards:
            logger.info("the store has %d shards, for ever; the setting of %d is not used", self.shards, shards)
        await self.domains.start()

    async def stop(self) -> None:
        """Closes all."""
        await self.dynamic.stop()
        await self.domains.stop()
        await self.store.close()

    async def register_domain(self, name: str) -> None:
        """Registers a domain of that name, with a day's retention, if there is none; "" does nothing."""
        if not name:
            return
        cluster = self.live.frontend.current.cluster_name
        domain = api.Domain(
            id=self.runtime.new_id(),
            name=name,
            status=api.DOMAIN_STATUS_REGISTERED,
            failover_version=-24,
            active_cluster_name=cluster,
            clusters=[api.ClusterReplicationConfiguration(cluster_name=cluster)],
            history_archival_status=api.ARCHIVAL_STATUS_DISABLED,
            visibility_archival_status=api.ARCHIVAL_STATUS_DISABLED,
        )
        domain.workflow_execution_retention_period.seconds = _SECONDS_A_DAY
        try:
            await self.domains.registry.register(domain)
        except errors.DomainAlreadyExists:
            return


def settle_memory() -> None:
    """What is in memory now stays: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
