"""A whole cluster in one event loop: processes that start, stop in good order, crash between any two steps, and come
back.

Each process has its own network port, store access, clock and chance, as a real one has; only the store behind is
shared. Addresses stay, incarnations change: `history-0` is the name of a process, `history-0.2` its second life.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tenuto_server import errors
from tenuto_server.cluster.membership import Membership, MembershipSettings
from tenuto_server.cluster.router import MembershipRouter, Router, StaticRouter
from tenuto_server.config.runtime import Runtime
from tenuto_server.frontend.service import FrontendService
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.history.service import HistoryService
from tenuto_server.history.settings import HistorySettings
from tenuto_server.matching.service import MatchingService
from tenuto_server.matching.settings import MatchingSettings
from tenuto_server.node.process import leave
from tenuto_server.persistence.domains import DomainCache
from tenuto_server.persistence.interface import Member, Sealed, Store, StoreUnavailable
from tenuto_server.transport.network import InternalCall, InternalHandler
from tenuto_server.transport.public import PublicCall

from .hosting import host_of
from .loop import PROCESS, SimLoop
from .network import SimNetwork
from .replicated import ReplicatedStores
from .scenario import Scenario
from .store import ProcessStore
from .trace import Trace

EPOCH_NS = 1_700_000_000_000_000_000
LAST_BREATH_S = 0.01
# Slower than the defaults, for most of a run's steps would be these; the row lives as long as it does by default.
MEMBERSHIP = MembershipSettings(ttl_s=10.0, announce_interval_s=4.0, read_interval_s=2.0)


class Service(Protocol):
    """What the three services have in common."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def kill(self) -> None: ...


@dataclass(slots=True)
class Hooks:
    """Where tests plant bugs: each may wrap or change what the cluster is made of.

    store: given the shared store and a process's life ("history-0.2"), the store that this process sees.
    handler: given a service's handler and its process's name, the handler to listen with.
    crashed: told of each life that ended in a crash.
    renew_request_ids: clients make a new request id for each further try.
    """

    store: Callable[[Store, str], Store] = lambda store, _life: store
    handler: Callable[[InternalHandler, str], InternalHandler] = lambda handler, _process: handler
    crashed: Callable[[str], None] = lambda _life: None
    renew_request_ids: bool = False


@dataclass(slots=True)
class Process:
    """One process. `service` and the rest are those of its present life; `up` False: there is none;
    `ready`: it has started."""

    name: str
    role: str
    life: int = 0
    up: bool = False
    ready: bool = False
    skew_ns: int = 0
    store: ProcessStore | None = None
    service: Any = None
    membership: Membership | None = None
    domains: DomainCache | None = None
    starting: asyncio.Task[None] | None = None
    stopping: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where the others reach it."""
        return f"{self.name}:1"

    @property
    def incarnation(self) -> str:
        """Its present life's name."""
        return f"{self.name}.{self.life}"


@dataclass(slots=True)
class Cluster:
    """All processes of one run, by name."""

    loop: SimLoop
    network: SimNetwork
    store: Store
    trace: Trace
    scenario: Scenario
    hooks: Hooks
    replicated: ReplicatedStores | None = None
    processes: dict[str, Process] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = random.Random(f"clocks:{self.scenario.seed}")
        shape = self.scenario
        for role, count in (("history", shape.histories), ("matching", shape.matchings), ("frontend", shape.frontends)):
            for number in range(count):
                self._new(role, number, chance)
        if shape.schedules:
            self._new("worker-host", 0, chance)

    def _new(self, role: str, number: int, chance: random.Random) -> Process:
        process = Process(f"{role}-{number}", role)
        process.skew_ns = int(chance.uniform(-1, 1) * self.scenario.skew_s * 1e9)
        self.processes[process.name] = process
        return process

    def of(self, role: str, *, up: bool | None = None) -> list[Process]:
        """The processes of a role, those that are up or down where asked."""
        found = [process for process in self.processes.values() if process.role == role]
        return found if up is None else [process for process in found if process.up is up]

    def frontends(self) -> list[str]:
        """The public addresses, of processes up or down: clients cannot know."""
        return [process.address for process in self.of("frontend")]

    def now(self) -> int:
        """True time, nanoseconds since the epoch."""
        return EPOCH_NS + int(self.loop.time() * 1e9)

    # --- life and death ----------------------------------------------------------------------------------------------
    def start(self, process: Process) -> asyncio.Task[None]:
        """Begins a new life of a process that is down."""
        assert not process.up, process.name
        process.life += 1
        process.up = True
        self.trace.note(f"start {process.incarnation}")
        context = contextvars.copy_context()
        context.run(PROCESS.set, process.incarnation)
        process.starting = self.loop.create_task(
            self._start(process, process.life), name=f"start of {process.incarnation}", context=context
        )
        return process.starting

    async def _start(self, process: Process, life: int) -> None:
        """A process whose start fails is tried again, as a supervisor would."""
        try:
            await self._build(process)
        except (StoreUnavailable, Sealed, errors.ServiceError) as error:
            self.trace.note(f"start of {process.incarnation} failed: {error!r}")
            self._end(process)
            self.loop.call_later(1.0, self._start_again, process, life)

    def _start_again(self, process: Process, life: int) -> None:
        if not process.up and process.life == life:
            self.start(process)

    async def _build(self, process: Process) -> None:
        scenario = self.scenario
        runtime = Runtime(
            now=lambda: self.now() + process.skew_ns,
            random=random.Random(f"{scenario.seed}:{process.incarnation}"),
            # Always busy: then appends wait for more, where there is a crowd.
            cpu_s=self.loop.time,
        )
        port = self.network.port(process.name)
        if process.role == "worker-host":
            process.service = host_of(port, self.frontends, process.incarnation, scenario.seed)
            await process.service.start()
            process.ready = True
            return
        shared = self.store if self.replicated is None else self.replicated.of_process(runtime)
        process.store = ProcessStore(
            self.hooks.store(shared, process.incarnation),
            process.incarnation,
            self.loop,
            self.trace,
            self.problems,
            goes_on=self.replicated is None,
        )
        store: Any = process.store
        member = Member(process.role, process.address, process.incarnation)
        process.membership = Membership(store, runtime, None if scenario.static else member, MEMBERSHIP)
        router: Router
        if scenario.static:
            router = StaticRouter(
                scenario.shards,
                [one.address for one in self.of("history")],
                [one.address for one in self.of("matching")],
            )
        else:
            await process.membership.start()
            router = MembershipRouter(process.membership, scenario.shards)
        process.domains = DomainCache(store, runtime)
        await process.domains.start()
        common: dict[str, Any] = {"network": port, "router": router, "runtime": runtime, "address": process.address}
        if process.role == "matching":
            process.service = MatchingService(settings=MatchingSettings(), **common)
        elif process.role == "history":
            history_settings = HistorySettings(
                idle_runs_max=self.scenario.idle_runs_max, log_page_rows=self.scenario.log_page_rows
            )
            process.service = HistoryService(store=store, domains=process.domains, settings=history_settings, **common)
        else:
            process.service = FrontendService(
                store=store,
                domains=process.domains,
                settings=FrontendSettings(),
                **common,
            )
        handler = process.service.handle
        if process.role == "frontend":
            handler = _public(process.service)
        await process.service.start()
        await port.listen(process.address, self.hooks.handler(handler, process.name))
        process.ready = True

    def crash(self, process: Process) -> None:
        """The process dies between two steps; nothing of it may go on."""
        self.trace.note(f"crash {process.incarnation}")
        self.hooks.crashed(process.incarnation)
        self._end(process)

    def _end(self, process: Process) -> None:
        """The present life is over. The task that starts it may be the one that finds so, and ends by itself."""
        for task in (process.starting, process.stopping):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        for part in (process.service, process.membership, process.domains):
            if part is not None and process.role != "worker-host":
                part.kill()
        if process.role == "worker-host":
            # Its tasks are the SDK's: the process takes them along.
            for left in self.loop.tasks(process.incarnation):
                if left is not asyncio.current_task():
                    left.cancel()
        if process.store is not None:
            process.store.alive = False
        self.network.crash(process.name)
        process.service = process.membership = process.domains = process.store = process.stopping = None
        process.up = process.ready = False
        self.loop.call_later(LAST_BREATH_S, self._check_dead, process.incarnation)

    def _check_dead(self, incarnation: str) -> None:
        alive = [task.what() for task in self.loop.tasks(incarnation)]
        if alive:
            self.problems.append(f"{incarnation} has died, and these tasks of it go on: {alive}")

    async def stop(self, process: Process) -> None:
        """Stops a process in good order, unless it is stopping already; a crash may still come between."""
        if not process.ready or process.stopping is not None:
            return
        self.trace.note(f"stop {process.incarnation}")
        context = contextvars.copy_context()
        context.run(PROCESS.set, process.incarnation)
        stopping = self.loop.create_task(self._stop(process), context=context, name=f"stop of {process.incarnation}")
        process.stopping = stopping
        await asyncio.wait([stopping])
        if process.stopping is not stopping:
            return
        self.trace.note(f"stopped {process.incarnation}")
        error = stopping.exception()
        if error is not None:
            self.problems.append(f"the stop of {process.incarnation} raised {error!r}")
        self._end(process)

    async def _stop(self, process: Process) -> None:
        service, membership, domains = process.service, process.membership, process.domains
        if process.role == "worker-host":
            await service.stop()
            return
        assert membership is not None and domains is not None
        await leave(process.role, membership, service)
        await domains.stop()
        await membership.stop()

    def add(self, role: str) -> Process:
        """One more process of a role, started at once. Only where routing follows membership."""
        process = self._new(role, len(self.of(role)), random.Random(f"{self.scenario.seed}:{role}:{len(self.of(role))}"))
        self.start(process)
        return process

    def reach_store(self) -> None:
        """Nobody is cut off from the store any more."""
        for process in self.processes.values():
            if process.store is not None:
                process.store.refuses = ()

    async def all_up(self) -> None:
        """Starts what is down, and returns when every process has started."""
        while True:
            for process in list(self.processes.values()):
                if not process.up:
                    self.start(process)
            waiting = [one.starting for one in self.processes.values() if one.starting is not None]
            await asyncio.wait(waiting)
            if all(process.ready for process in self.processes.values()):
                return
            await asyncio.sleep(1.0)


def _public(service: FrontendService) -> Callable[[InternalCall], Any]:
    """A frontend's public door as a listener of the simulated network."""

    async def handle(call: InternalCall) -> bytes:
        return await service.handle(PublicCall(call.method, {"rpc-caller": "simulation"}, call.deadline, call.body))

    return handle
