"""Retention: closed runs are deleted when their domain's retention is over, after they were archived where the domain wants it.

A plain job of the worker-host and no workflow: what is to be done is listed by the store, each run's part of it is idempotent,
and the listing itself is the progress that is kept. A workflow would write a history of every deletion to delete that later.

The end of a run's retention is fixed when its closing is written (`expires_ns` of its visibility record): a change of the
domain's retention counts for runs that close from then on, as in Cadence. History and visibility are archived both then, just
before the deletion; a run that cannot be archived is not deleted.

Of several worker-hosts one looks after a domain at a time, by a lease. Where clocks differ two may: that does no harm.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.archival import archive
from tenuto_server.archival.places import ArchiveUnavailable, Places
from tenuto_server.cluster.router import Router
from tenuto_server.config.runtime import SECOND, Runtime
from tenuto_server.persistence.domains import Domains
from tenuto_server.persistence.interface import Store, StoreUnavailable, VisibilityRecord
from tenuto_server.persistence.rows import pack, unpack
from tenuto_server.transport.network import Network

logger = logging.getLogger(__name__)

_SPACE = "retention"
_VERSION = 1
_DOMAINS_A_PAGE = 500
_TRANSIENT = (errors.Unavailable, errors.ShardOwnershipLost, errors.ServiceBusy, errors.DeadlineExceeded, StoreUnavailable)


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """Times in seconds.

    interval: between two looks at all domains. page: expired runs that are listed at once. rate: runs a second, at most.
    at_once: of them under way. lease: how long a worker-host that fell silent keeps others from a domain.
    attempts, pause: tries of one run in one look, and the wait between two.
    """

    interval: float = 60.0
    page: int = 200
    rate: float = 200.0
    at_once: int = 8
    lease: float = 120.0
    timeout: float = 10.0
    attempts: int = 5
    pause: float = 0.5


class _Lease(msgspec.Struct, array_like=True):
    holder: str
    until_ns: int


class Retention:
    """One worker-host's part of retention. `holder` names this process's life."""

    def __init__(
        self, *, store: Store, network: Network, router: Router, runtime: Runtime, settings: RetentionSettings, holder: str
    ) -> None:
        self._store = store
        self._network = network
        self._router = router
        self._runtime = runtime
        self._settings = settings
        self._holder = holder
        self._domains = Domains(store)
        self._places = Places()
        self._task: asyncio.Task[None] | None = None
        self._next = 0.0

    async def start(self) -> None:
        """Looks after retention until `stop`."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """Stops; what is under way is done again by the next look."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def kill(self) -> None:
        """Stops at once."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._settings.interval)
            try:
                await self.sweep()
            except _TRANSIENT as error:
                logger.warning("retention goes on later: %s", error)
            except Exception:
                # A record or a domain that cannot be read must not end retention for all others.
                logger.exception("retention goes on later")

    async def sweep(self) -> int:
        """Looks at all domains once; returns how many runs were deleted."""
        deleted, after = 0, ""
        while True:
            domains = await self._domains.list(after, _DOMAINS_A_PAGE)
            for domain in domains:
                deleted += await self._sweep_domain(domain)
                after = domain.name
            if len(domains) < _DOMAINS_A_PAGE:
                return deleted

    async def _sweep_domain(self, domain: api.Domain) -> int:
        deleted = 0
        after: tuple[int, str] | None = None
        while True:
            expired = await self._store.list_expired(domain.id, self._runtime.now(), after, self._settings.page)
            if not expired or not await self._lease(domain.id):
                return deleted
            turns = asyncio.Semaphore(self._settings.at_once)

            async def one(record: VisibilityRecord, turns: asyncio.Semaphore = turns) -> bool:
                async with turns:
                    await self._take_turn()
                    return await self._end(domain, record)

            async with asyncio.TaskGroup() as group:
                ends = [group.create_task(one(record)) for record in expired]
            deleted += sum(end.result() for end in ends)
            after = (expired[-1].expires_ns, expired[-1].run_id)

    async def _take_turn(self) -> None:
        """Waits so that no more than `rate` runs are begun in a second."""
        now = self._runtime.monotonic()
        self._next = max(self._next, now) + 1 / self._settings.rate
        if self._next > now:
            await asyncio.sleep(self._next - now)

    async def _lease(self, domain_id: str) -> bool:
        """Whether the domain is this process's to look after, for a while from now on."""
        held = await self._store.get(_SPACE, domain_id)
        now = self._runtime.now()
        if held is not None:
            _, data = unpack(held.value, "retention lease", _VERSION)
            lease = msgspec.msgpack.decode(data, type=_Lease)
            if lease.holder != self._holder and lease.until_ns > now:
                return False
        mine = _Lease(self._holder, now + int(self._settings.lease * SECOND))
        value = pack(_VERSION, msgspec.msgpack.encode(mine))
        return await self._store.compare_and_set(_SPACE, domain_id, value, held.version if held is not None else 0)

    async def _end(self, domain: api.Domain, record: VisibilityRecord) -> bool:
        """Archives and deletes one run. False: it is left to a later look."""
        for attempt in range(self._settings.attempts):
            try:
                await self._archive(domain, record)
                request = internal.DeleteRunRequest(
                    domain_id=record.domain_id, workflow_id=record.workflow_id, run_id=record.run_id
                )
                await self._ask("DeleteRun", record, request.SerializeToString())
                return True
            except _TRANSIENT as error:
                logger.info("run %s is deleted later: %s", record.run_id, error)
            except (ArchiveUnavailable, ValueError, errors.ServiceError) as error:
                logger.warning("run %s stays, for now, after its retention: %s", record.run_id, error)
                return False
            if attempt < self._settings.attempts - 1:
                await asyncio.sleep(self._settings.pause)
        return False

    async def _archive(self, domain: api.Domain, record: VisibilityRecord) -> None:
        if domain.history_archival_status == api.ARCHIVAL_STATUS_ENABLED and domain.history_archival_uri:
            try:
                await archive.write_history(self._places.at(domain.history_archival_uri), record, self._pages(record))
            except errors.EntityNotExists:
                # It is deleted already, and was archived before that: only its record is still listed.
                return
        if domain.visibility_archival_status == api.ARCHIVAL_STATUS_ENABLED and domain.visibility_archival_uri:
            await archive.write_record(self._places.at(domain.visibility_archival_uri), record)

    async def _pages(self, record: VisibilityRecord) -> AsyncIterator[tuple[int, bytes, int]]:
        """The run's history, a page at a time."""
        named = api.WorkflowExecution(workflow_id=record.workflow_id, run_id=record.run_id)
        asked = api.GetWorkflowExecutionHistoryRequest(workflow_execution=named)
        while True:
            envelope = internal.WorkflowRequest(
                domain_id=record.domain_id, workflow_id=record.workflow_id, request=asked.SerializeToString()
            )
            body = await self._ask("GetWorkflowExecutionHistory", record, envelope.SerializeToString())
            page = api.GetWorkflowExecutionHistoryResponse.FromString(body)
            if page.history.events:
                yield page.history.events[0].event_id, page.history.SerializeToString(), len(page.history.events)
            if not page.next_page_token:
                return
            asked.next_page_token = page.next_page_token

    async def _ask(self, method: str, record: VisibilityRecord, body: bytes) -> bytes:
        shard = self._router.shard_of(record.domain_id, record.workflow_id)
        return await self._network.call(self._router.history_address(shard), method, body, self._settings.timeout)
