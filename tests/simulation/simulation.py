"""One run of the simulation, from a seed to its findings.

set up     a healthy cluster registers the domain
storm      clients and workers work while the scenario's faults and mishaps happen
heal       faults end, everything is up, workers behave; clients come to their end
drain      until every workflow has closed, or the time that this may take is over
check      every history is read from every frontend, then every process crashes at once and comes back, and
everything is
           read again; then the checkers judge
"""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import traceback
from dataclasses import dataclass, field
from functools import partial

from google.protobuf.duration_pb2 import Duration

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.check.checker import Checker
from tenuto_server.cluster.shards import settle_shards
from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.cassandra import LogForm
from tenuto_server.persistence.memory import MemoryStore

from . import checkers, picture
from .client import DOMAIN, Client, Doubtful
from .cluster import Cluster, Hooks
from .faulty_store import FaultyStore
from .loop import PROCESS, Runaway, SimLoop, Stuck, new_loop
from .network import SimNetwork
from .observed import Observed
from .picture import Picture
from .replicated import ReplicatedStores
from .scenario import Scenario, scenario_of
from .schedules import Scheduler
from .states import held_states, owing, state_differences
from .storm import storm
from .trace import Trace
from .victims import Deleter, Graves, Victims, check_deleted, check_newest
from .workers import Manners
from .workload import run_clients, start_workers

# The server's, and the SDK's in the worker-host.
LOGGERS = ("tenuto_server", "tenuto")
DRAIN_S = 1000.0
DRAIN_POLL_S = 5.0
SETTLE_S = 5.0


@dataclass(slots=True)
class Outcome:
    """What came of one run. No `problems`: it passed."""

    seed: str
    problems: list[str] = field(default_factory=list)
    hash: int = 0
    steps: int = 0
    virtual_s: float = 0.0
    summary: str = ""
    trace: list[str] = field(default_factory=list)


def simulate(seed: str, *, keep_trace: bool = False, hooks: Hooks | None = None, scenario: Scenario | None = None) -> Outcome:
    """Runs one seed. Never raises for what the run finds."""
    scenario = scenario or scenario_of(seed)
    loop = new_loop(seed, shuffle=scenario.shuffle)
    trace = Trace(loop.time, keep=keep_trace)
    simulation = Simulation(scenario, loop, trace, hooks or Hooks())
    logs = _LogLines(trace, simulation.problems)
    # The SDK draws its pauses between tries from the interpreter's own generator.
    drawn = random.getstate()
    random.seed(seed)
    # Collections would run finalizers at moments that differ from run to run.
    collecting = gc.isenabled()
    gc.disable()
    for name in LOGGERS:
        logging.getLogger(name).addHandler(logs)
    try:
        loop.run_until_complete(simulation.run())
    except (Stuck, Runaway) as error:
        simulation.problems.append(f"{type(error).__name__}: {error}")
    except Exception:
        simulation.problems.append(f"the run itself failed: {traceback.format_exc()}")
    finally:
        outcome = simulation.outcome()
        loop.close()
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(logs)
        random.setstate(drawn)
        if collecting:
            gc.enable()
    return outcome


def run_seed(number: int) -> Outcome:
    """One numbered seed, as a process of a pool runs it."""
    return simulate(str(number))


class _LogLines(logging.Handler):
    """What the services log goes into the trace; an error with a traceback is a finding."""

    def __init__(self, trace: Trace, problems: list[str]) -> None:
        super().__init__(logging.INFO)
        self._trace = trace
        self._problems = problems

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        self._trace.note_unhashed(f"log {PROCESS.get()} {record.levelname} {text}")
        if record.exc_info and record.levelno >= logging.ERROR:
            self._problems.append(f"{PROCESS.get()} logged an error: {text}")


class Simulation:
    """The parts of one run."""

    def __init__(self, scenario: Scenario, loop: SimLoop, trace: Trace, hooks: Hooks) -> None:
        self.scenario = scenario
        self.loop = loop
        self.trace = trace
        self.problems: list[str] = []
        self.observed = Observed()
        self.manners = Manners()
        self.network = SimNetwork(loop, scenario.seed, trace)
        self.memory = MemoryStore(Runtime(now=self._true_time, random=random.Random(scenario.seed)))
        self.store = FaultyStore(self.memory, random.Random(f"store:{scenario.seed}"))
        self.replicated: ReplicatedStores | None = None
        if scenario.replicated:
            self.replicated = ReplicatedStores(loop, scenario.seed, LogForm(scenario.replicated), self.store)
        self.cluster = Cluster(loop, self.network, self.store, trace, scenario, hooks, self.replicated)
        self.client = Client(self.network.port("client"), self.cluster.frontends, random.Random(f"calls:{scenario.seed}"))
        self.client.renews_request_ids = hooks.renew_request_ids
        self.graves = Graves()
        schedules_client = Client(
            self.network.port("scheduling"), self.cluster.frontends, random.Random(f"schedule calls:{scenario.seed}")
        )
        self.schedulers = [
            Scheduler(number, schedules_client, self.cluster.now, scenario) for number in range(scenario.schedules)
        ]

    def _true_time(self) -> int:
        return self.cluster.now()

    def outcome(self) -> Outcome:
        """As far as the run has come."""
        problems = [
            *self.problems,
            *self.cluster.problems,
            *self.manners.problems,
            *self.network.problems,
            *self.loop.problems,
        ]
        return Outcome(
            seed=self.scenario.seed,
            problems=problems,
            hash=self.trace.hash,
            steps=self.loop.steps,
            virtual_s=self.loop.time(),
            summary=self.observed.summary(),
            trace=self.trace.lines,
        )

    async def run(self) -> None:
        """All phases in turn."""
        PROCESS.set("world")
        await self.cluster.all_up()
        await self._register_domain()
        async with asyncio.TaskGroup() as group:
            workers = start_workers(group, self.scenario.load, self.client, self.observed, self.manners)
            clients = group.create_task(run_clients(self.scenario.load, self.client, self.observed, self.scenario.seed))
            victims = self._victims()
            deleting = [group.create_task(one.run(self.loop.time() + self.scenario.storm_s)) for one in victims]
            scheduling = [group.create_task(one.run()) for one in self.schedulers]
            self._misbehave()
            await storm(self.cluster)
            await self._heal()
            await clients
            for program, task in zip(victims, deleting, strict=True):
                await task
                await program.finish()
            for scheduler, task in zip(self.schedulers, scheduling, strict=True):
                await task
                await scheduler.finish()
            if self.scenario.midway:
                workers = await self._crash_midway(group, workers)
            await self._drain()
            for worker in workers:
                worker.cancel()
        await self._check()

    def _victims(self) -> list[Victims]:
        deleter = Deleter(self.network.port("deleter"), self.cluster, self.graves)
        seed = self.scenario.seed
        return [
            Victims(number, self.client, deleter, self.observed, self.graves, seed) for number in range(self.scenario.victims)
        ]

    def _misbehave(self) -> None:
        scenario = self.scenario
        self.manners.rude = scenario.rude
        self.manners.think_s = scenario.load.think_s
        self.network.faults = scenario.network
        self.store.faults = scenario.store
        if self.replicated is not None and not scenario.calm:
            self.replicated.misbehave(scenario.store, random.Random(f"replica faults:{scenario.seed}"))

    async def _heal(self) -> None:
        self.trace.note("heal")
        self.manners.rude = 0.0
        self.network.heal()
        self.store.heal()
        if self.replicated is not None:
            self.replicated.replicas.heal()
        self.cluster.reach_store()
        await self.cluster.all_up()

    async def _crash_midway(self, group: asyncio.TaskGroup, workers: list[asyncio.Task[None]]) -> list[asyncio.Task[None]]:
        """The workers leave, everything crashes, and what is open must still hold all that it held; a new crew goes
        on."""
        for worker in workers:
            worker.cancel()
        await asyncio.sleep(1.0)
        before = await picture.take(self.client, self.observed)
        held = held_states(self.cluster)
        await self._crash_everything()
        for run in before.runs.values():
            again = Picture()
            after = await picture.read_run(self.client, run.workflow_id, run.run_id, again)
            self.problems += again.problems
            if after is not None:
                self.problems += picture.compare_open(run, after)
        self.problems += state_differences(held, held_states(self.cluster))
        return start_workers(group, self.scenario.load, self.client, self.observed, self.manners, crew="-again")

    async def _register_domain(self) -> None:
        request = api.RegisterDomainRequest(name=DOMAIN, workflow_execution_retention_period=Duration(seconds=30 * 86400))
        try:
            await self.client.call("RegisterDomain", request, api.RegisterDomainResponse)
        except Doubtful as error:
            if not isinstance(error.error, errors.DomainAlreadyExists):
                raise
        described = await self.client.call(
            "DescribeDomain", api.DescribeDomainRequest(name=DOMAIN), api.DescribeDomainResponse
        )
        self.graves.domain_id = described.domain.id

    async def _drain(self) -> None:
        """Waits until no run is open and nothing has changed for a while."""
        end = self.loop.time() + DRAIN_S
        quiet = 0
        while self.loop.time() < end and quiet < 2:
            await asyncio.sleep(DRAIN_POLL_S)
            quiet = quiet + 1 if not await self._open_runs() else 0
        await asyncio.sleep(SETTLE_S)

    async def _open_runs(self) -> list[str]:
        """The workflow ids whose current run is open, and of all children that these ever started."""
        opened = sorted(await picture.listed_open(self.client))
        self.observed.workflow_ids.update(dict.fromkeys(opened))
        for workflow_id in self.observed.workflow_ids:
            request = api.DescribeWorkflowExecutionRequest(
                domain=DOMAIN, workflow_execution=api.WorkflowExecution(workflow_id=workflow_id)
            )
            try:
                answer = await self.client.call("DescribeWorkflowExecution", request, api.DescribeWorkflowExecutionResponse)
            except (errors.EntityNotExists, Doubtful):
                continue
            if not answer.workflow_execution_info.close_status:
                opened.append(workflow_id)
        for decided in self.observed.decisions:
            self.observed.workflow_ids[decided.workflow_id] = None
        return opened

    async def _check(self) -> None:
        taken = await picture.take(self.client, self.observed)
        for address in self.cluster.frontends():
            one = Client(self.network.port("reader"), partial(list, (address,)), self.client.random)
            self.problems += await picture.differences(one, taken, page_size=7)
            self.network.crash("reader")
        await self._check_recovery(taken)
        problems = checkers.check(self.observed, taken, calm=self.scenario.calm, skewed=self.scenario.skew_s > 0)
        self.problems += problems
        for scheduler in self.schedulers:
            self.problems += scheduler.check(taken)
        await asyncio.sleep(SETTLE_S)
        self.problems += check_deleted(self.graves, await picture.take(self.client, self.observed), self.memory)
        self.problems += await check_newest(self.client, self.graves)

    async def _check_recovery(self, taken: Picture) -> None:
        """After a crash of everything all must read as before."""
        held = held_states(self.cluster)
        self.problems += owing(held)
        await self._crash_everything()
        self.problems += [f"after a restart of everything {text}" for text in await picture.differences(self.client, taken)]
        self.problems += state_differences(held, held_states(self.cluster))

    async def _crash_everything(self) -> None:
        """Every process dies in the same moment, and starts anew; what they leave in the store must agree."""
        for process in self.cluster.processes.values():
            if process.up:
                self.cluster.crash(process)
        # What has left a dead process is carried out.
        await asyncio.sleep(SETTLE_S)
        await self._check_store()
        await self.cluster.all_up()

    async def _check_store(self) -> None:
        await settle_shards(self.memory, self.scenario.shards)
        runtime = Runtime(now=self._true_time)
        report = await Checker(self.memory, runtime).run()
        self.problems += [finding.line() for finding in report.findings if not finding.is_notice]
