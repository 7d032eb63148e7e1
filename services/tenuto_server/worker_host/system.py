"""System workers: the task lists that the server itself serves, and the host that serves them.

Parts of the server are workflows like any other, made with the SDK: schedules, batch operations, archival, retention. Each
has a line in `registered`. Its workflows live in one domain of the system or in the users' own domains. A worker with
nothing to do costs two waiting polls; in all domains together there are at most so many.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from tenuto.client import BaseConnection, Client
from tenuto.errors import TenutoError
from tenuto.worker import Worker
from tenuto_api import api
from tenuto_server.rules import diagnostics, schedules
from tenuto_server.worker_host import batches, deprecation
from tenuto_server.worker_host.diagnostics.workflow import DiagnosticsActivities, DiagnosticsWorkflow
from tenuto_server.worker_host.schedules.activities import WATCHES_MAX, ScheduleActivities
from tenuto_server.worker_host.schedules.workflow import SchedulerWorkflow

logger = logging.getLogger(__name__)

# In place of a domain's name: each registered domain.
EVERY: Final = ""
SYSTEM_RETENTION: Final = timedelta(days=7)
# Tasks of the system are short, or begin again elsewhere.
STOP_GRACE_SECONDS: Final = 0.5
_DOMAINS_A_PAGE: Final = 1000
# So many domains are looked for in one interval; more of them are looked for more seldom.
_DOMAINS_AN_INTERVAL: Final = 200


@dataclass(frozen=True, slots=True)
class SystemContext:
    """What activities of the system work with: `client` is one of the domain that they are served in."""

    client: Client


def _nothing(_context: SystemContext) -> Sequence[Any]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemWorker:
    """A task list that the server serves.

    name: for logs.
    domain: where; one that is not registered is made. EVERY: in all.
    activities: made for each domain, functions or bound methods; so many of them run at once in each.
    begin: called when the worker of a domain has begun to poll, until it succeeds, to start workflows that always run. Every
        host calls it, so it must be idempotent.
    """

    name: str
    task_list: str
    domain: str
    workflows: Sequence[Any] = ()
    activities: Callable[[SystemContext], Sequence[Any]] = _nothing
    activities_at_once: int = 50
    begin: Callable[[SystemContext], Awaitable[None]] | None = None


def schedule_activities(context: SystemContext) -> Sequence[Any]:
    """The activities of schedules in one domain."""
    found = ScheduleActivities(context.client)
    return [found.start, found.watch]


def deprecation_activities(context: SystemContext) -> Sequence[Any]:
    """What deprecates domains, and the batches among it."""
    steps = deprecation.DeprecationActivities(context.client)
    page = batches.BatchActivities(context.client).page
    return [steps.disable_archival, steps.deprecate_domain, steps.check_open_workflows, page]


def registered() -> list[SystemWorker]:
    """All system workers."""
    return [
        SystemWorker(
            name="schedules",
            task_list=schedules.TASK_LIST,
            domain=EVERY,
            workflows=[SchedulerWorkflow],
            activities=schedule_activities,
            activities_at_once=WATCHES_MAX + 200,
        ),
        SystemWorker(
            name="batches",
            task_list=batches.TASK_LIST,
            domain=batches.DOMAIN,
            workflows=[batches.BatchWorkflow, batches.TunableBatchWorkflow],
            activities=lambda context: [batches.BatchActivities(context.client).page],
        ),
        SystemWorker(
            name="diagnostics",
            task_list=diagnostics.TASK_LIST,
            domain=diagnostics.DOMAIN,
            workflows=[DiagnosticsWorkflow],
            activities=lambda context: [DiagnosticsActivities(context.client).diagnose],
        ),
        SystemWorker(
            name="domain deprecation",
            task_list=deprecation.TASK_LIST,
            domain=deprecation.DOMAIN,
            # Its batch is a child on the same list.
            workflows=[deprecation.DomainDeprecationWorkflow, batches.BatchWorkflow],
            activities=deprecation_activities,
        ),
    ]


@dataclass(frozen=True, slots=True)
class SystemSettings:
    """refresh: seconds between two looks for new domains; a look that failed is made again after `retry`, if that is sooner.
    domains_max: of which EVERY is served."""

    refresh: float = 1.0
    retry: float = 1.0
    domains_max: int = 1000
    decisions_at_once: int = 50


class SystemHost:
    """Serves system workers by one connection; `start` returns at once, and stays at it when the server cannot be reached."""

    def __init__(self, connection: BaseConnection, workers: Sequence[SystemWorker], settings: SystemSettings) -> None:
        self._connection = connection
        self._workers = workers
        self._settings = settings
        self._running: dict[tuple[str, str], Worker] = {}
        # Workers that poll, whose `begin` has not succeeded yet.
        self._beginning: dict[tuple[str, str], Callable[[], Awaitable[None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._failing = False
        self._crowded = False

    async def start(self) -> None:
        """Begins to serve."""
        self._task = asyncio.get_running_loop().create_task(self._serve(), name="system workers")

    async def stop(self) -> None:
        """Ends the polls, and gives tasks under way their grace."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._running.values()))
        self._running.clear()

    def serving(self) -> set[tuple[str, str]]:
        """Names of the system workers that poll, each with its domain."""
        return set(self._running)

    async def _serve(self) -> None:
        while True:
            failed = False
            names: list[str] = []
            for step in self._steps(names):
                try:
                    await step
                except TenutoError as error:
                    failed = True
                    if not self._failing:
                        logger.warning("system workers cannot all be served, trying on: %s", error)
            self._failing = failed
            wait = self._settings.refresh * max(1.0, len(names) / _DOMAINS_AN_INTERVAL)
            await asyncio.sleep(min(wait, self._settings.retry) if failed else wait)

    def _steps(self, names: list[str]) -> Iterator[Awaitable[None]]:
        """One look around: starts what is missing and stops what has lost its domain. `names` becomes those of all domains. A
        step that fails must not keep the others from being taken."""
        for system in self._workers:
            if system.domain != EVERY and (system.name, system.domain) not in self._running:
                yield self._start(system, system.domain)
        everywhere = [system for system in self._workers if system.domain == EVERY]
        if everywhere:
            yield self._find_domains(names)
            # None at all: they could not be read.
            for system in everywhere if names else ():
                yield from self._spread(system, names)
        for key in list(self._beginning):
            yield self._finish(key)

    def _spread(self, system: SystemWorker, names: list[str]) -> Iterator[Awaitable[None]]:
        """Serves one in as many of these domains as may be; those that have a worker keep it."""
        served = {domain for name, domain in self._running if name == system.name}
        for gone in served.difference(names):
            self._beginning.pop((system.name, gone), None)
            yield self._running.pop((system.name, gone)).stop()
        room = self._settings.domains_max - len(served.intersection(names))
        missing = [name for name in names if name not in served]
        for name in missing[: max(0, room)]:
            yield self._start(system, name)
        if len(missing) > room and not self._crowded:
            self._crowded = True
            logger.warning("%s has no room for %d domains: raise domains_max", system.name, len(missing) - room)

    async def _find_domains(self, names: list[str]) -> None:
        """The names of all domains but deleted ones."""
        client = Client(self._connection, domain="")
        names += [
            domain.name
            async for domain in client.list_domains(page_size=_DOMAINS_A_PAGE)
            if domain.status != api.DOMAIN_STATUS_DELETED
        ]

    async def _start(self, system: SystemWorker, domain: str) -> None:
        client = Client(self._connection, domain=domain)
        if system.domain != EVERY:
            await client.ensure_domain(retention=SYSTEM_RETENTION)
        context = SystemContext(client)
        worker = Worker(
            client,
            system.task_list,
            workflows=system.workflows,
            activities=system.activities(context),
            max_concurrent_activities=system.activities_at_once,
            max_concurrent_decisions=self._settings.decisions_at_once,
            activity_pollers=1,
            decision_pollers=1,
            sticky_pollers=1,
            graceful_stop_timeout=STOP_GRACE_SECONDS,
        )
        await worker.start()
        key = system.name, domain
        self._running[key] = worker
        logger.info("serving %s in domain %s", system.name, domain)
        if system.begin is not None:
            self._beginning[key] = partial(system.begin, context)

    async def _finish(self, key: tuple[str, str]) -> None:
        await self._beginning[key]()
        del self._beginning[key]
