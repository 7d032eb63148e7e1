"""Many open workflows that sleep: what they hold in memory, what they do to latencies, and how soon they are served again when
their owner is killed."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from google.protobuf.message import Message

from tenuto_api import api
from tenuto_server.cluster.sharding import shard_of
from tests.benchmarks.inside import Inside
from tests.benchmarks.loads import percentile
from tests.benchmarks.watching import Watch, at_once, gauge, peak_megabytes, say, until
from tests.e2e.cluster import Cluster, Node, get
from tests.e2e.raw import RawClient, read_history

DAY_S: Final = 24 * 3600
SIGNAL: Final = "wake"
# A call that meets a takeover waits it out.
PATIENT_S: Final = 60.0
# How late a timer may be before it counts as lost.
FIRE_S: Final = 60.0
DESCRIBES_AT_ONCE: Final = 20
# After the kill, so that some fire while nobody is there.
SOONEST_S: Final = 3
EVICTED_S: Final = 30.0
LEAST_S: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Plan:
    """`soon` timers fire between the kill and `soon_s` after their start; the others in 1 to `days` days. `samples` calls for
    each latency. `warm_up` workflows are there already when latencies are measured first."""

    count: int
    in_flight: int
    samples: int
    soon: int
    soon_s: int
    days: int
    warm_up: int
    idle_runs_max: int
    standby: bool


@dataclass(slots=True)
class Figures:
    """What was found. Times in seconds, latencies in milliseconds, memory in megabytes."""

    count: int = 0
    fill_s: float = 0.0
    settle_s: float = 0.0
    memory_empty_mb: float = 0.0
    memory_full_mb: float = 0.0
    memory_peak_mb: float = 0.0
    in_memory: int = 0
    latencies_empty: dict[str, tuple[float, float]] = field(default_factory=dict)
    latencies_full: dict[str, tuple[float, float]] = field(default_factory=dict)
    takeovers: dict[str, Takeover] = field(default_factory=dict)
    fired: int = 0
    fire_late_p50_s: float = 0.0
    fire_late_max_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Takeover:
    """From the kill: the first signal that was served, one of every shard, and the process that is ready. Memory after it."""

    first_s: float
    all_s: float
    ready_s: float
    memory_mb: float
    peak_mb: float


class Sleepers:
    """The measurement on a running cluster of one history process (and a second that is not up yet)."""

    def __init__(self, cluster: Cluster, watch: Watch, url: str, shards: int, plan: Plan, set_idle: Idle) -> None:
        self._cluster = cluster
        self._watch = watch
        self._url = url
        self._shards = shards
        self._plan = plan
        self._set_idle = set_idle
        self._random = random.Random(7)
        self._done = 0
        self._figures = Figures()
        self._history = cluster.nodes["history-0"]

    async def run(self) -> Figures:
        """All of it, in order."""
        plan, figures = self._plan, self._figures
        async with RawClient(self._cluster.address) as client:
            domain = (await client.call(api.DescribeDomainRequest(name="default"))).domain
            await self._fill(domain, range(plan.warm_up), "warm-up")
            await self._put_to_rest()
            figures.memory_empty_mb = self._watch.memory_mb("history")
            figures.latencies_empty = await self._latencies(client, range(plan.warm_up))
            begun = time.perf_counter()
            await self._fill(domain, range(plan.warm_up, plan.count), "sleepers")
            figures.fill_s = time.perf_counter() - begun
            figures.count = plan.count
            figures.settle_s = await self._watch.quiet()
            await self._evicted()
            self._note_memory()
            figures.latencies_full = await self._latencies(client, range(plan.warm_up, self._cold_until()))
            await self._fill(domain, range(plan.count, plan.count + plan.soon), "soon")
            await asyncio.sleep(2.0)
            self._note_memory()
            await self._takeovers(client)
            await self._check_fired(client)
        return figures

    def _cold_until(self) -> int:
        """Those from here on may be in memory still."""
        return max(self._plan.warm_up + 1, self._plan.count - 2 * self._plan.idle_runs_max)

    def _note_memory(self) -> None:
        figures = self._figures
        figures.memory_full_mb = max(figures.memory_full_mb, self._watch.memory_mb("history"))
        figures.memory_peak_mb = max(figures.memory_peak_mb, peak_megabytes(self._history))
        figures.in_memory = int(gauge(self._history, "tenuto_history_cache_workflows"))

    # --- filling ------------------------------------------------------------------------------------------------------
    async def _fill(self, domain: api.Domain, numbers: range, what: str) -> None:
        """Brings up the sleepers of these numbers."""
        if not numbers:
            return
        self._done = 0
        begun = time.perf_counter()

        def line() -> str:
            return f"{what}: {self._done} of {len(numbers)}, {self._done / (time.perf_counter() - begun):.0f} a second"

        async with Inside(self._url, self._shards, domain, self._decide) as inside, self._watch.lines(line):
            task_list = inside.own_list()
            begun = time.perf_counter()

            async def one(number: int) -> None:
                await inside.start(_name(number), task_list, decided=True)
                self._done += 1

            await at_once(one, numbers, self._plan.in_flight)
            say(line())

    def _decide(self, workflow_id: str) -> api.Decision:
        plan, number = self._plan, _number(workflow_id)
        decision = api.Decision()
        timer = decision.start_timer_decision_attributes
        timer.timer_id = "sleep"
        if number < plan.count:
            timer.start_to_fire_timeout.seconds = self._random.randrange(DAY_S, plan.days * DAY_S)
        else:
            timer.start_to_fire_timeout.seconds = self._random.randrange(min(SOONEST_S, plan.soon_s - 1), plan.soon_s)
        return decision

    async def _put_to_rest(self) -> None:
        """All runs leave memory."""
        await self._watch.quiet()
        self._set_idle(0)
        await until(lambda: not gauge(self._history, "tenuto_history_cache_workflows"), EVICTED_S)
        self._set_idle(self._plan.idle_runs_max)
        # Until the setting is read, and a checkpoint was made with it.
        await asyncio.sleep(3.0)

    async def _evicted(self) -> None:
        # Each shard's share is rounded.
        most = self._plan.idle_runs_max + self._shards
        await until(lambda: gauge(self._history, "tenuto_history_cache_workflows") <= most, EVICTED_S)

    # --- latencies ----------------------------------------------------------------------------------------------------
    async def _latencies(self, client: RawClient, numbers: range) -> dict[str, tuple[float, float]]:
        """p50 and p99 of starts, of signals to runs at rest, and of signals to the same runs, in memory now; one at a time."""
        chosen = self._random.sample(numbers, min(self._plan.samples, len(numbers)))
        signals = [_signal(_name(number)) for number in chosen]
        again = [_signal(_name(number)) for number in chosen]
        starts = [_start(f"measured-{uuid.uuid4()}") for _ in range(self._plan.samples)]
        return {
            "start": await _timed(client, starts),
            "signal to a run at rest": await _timed(client, signals),
            "signal to a run in memory": await _timed(client, again),
        }

    # --- takeovers ----------------------------------------------------------------------------------------------------
    async def _takeovers(self, client: RawClient) -> None:
        found = self._figures.takeovers
        self._history.kill()
        killed = time.perf_counter()
        self._history.start()
        found["started anew at its address"] = await self._served(client, killed, self._history)
        await self._watch.quiet()
        if not self._plan.standby:
            return
        other = self._cluster.nodes["history-1"]
        other.start()
        await self._cluster.ready()
        await self._watch.quiet()
        self._history.kill()
        found["by another that stands by"] = await self._served(client, time.perf_counter(), other)

    async def _served(self, client: RawClient, killed: float, successor: Node) -> Takeover:
        """Signals one sleeper of every shard, all at once; a frontend tries until there is an owner."""
        by_shard: dict[int, str] = {}
        domain = (await client.call(api.DescribeDomainRequest(name="default"))).domain
        for number in self._random.sample(range(self._plan.count), min(self._plan.count, 100 * self._shards)):
            by_shard.setdefault(shard_of(domain.id, _name(number), self._shards), _name(number))
        served: list[float] = []

        async def one(workflow_id: str) -> None:
            # In short tries: a frontend waits longer and longer within one.
            request, end = _signal(workflow_id), time.perf_counter() + PATIENT_S
            await client.persist(request, patience=end - time.perf_counter(), timeout=1.0)
            served.append(time.perf_counter() - killed)

        async with asyncio.TaskGroup() as group:
            for workflow_id in by_shard.values():
                group.create_task(one(workflow_id))
            ready = group.create_task(_ready(successor))
        await asyncio.sleep(1.0)
        return Takeover(
            min(served), max(served), ready.result() - killed, self._watch.memory_mb("history"), peak_megabytes(successor)
        )

    async def _check_fired(self, client: RawClient) -> None:
        late: list[float] = []
        missing: list[str] = []
        end = time.perf_counter() + self._plan.soon_s + FIRE_S

        async def one(number: int) -> None:
            while True:
                found = _lateness(await read_history(client, "default", _name(number), ""))
                if found is not None:
                    late.append(found)
                    return
                if time.perf_counter() > end:
                    missing.append(_name(number))
                    return
                await asyncio.sleep(1.0)

        await at_once(one, range(self._plan.count, self._plan.count + self._plan.soon), DESCRIBES_AT_ONCE)
        figures = self._figures
        figures.fired = len(late)
        if late:
            late.sort()
            figures.fire_late_p50_s, figures.fire_late_max_s = percentile(late, 0.5), late[-1]
        if missing:
            raise AssertionError(f"{len(missing)} timers did not fire, the first {missing[:5]}")


class Idle:
    """Sets how many runs at rest may stay in memory: in the file of changeable settings."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, count: int) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(f"history.idle_runs_max: {count}\n", encoding="utf-8")
        new.replace(self._path)


async def _timed(client: RawClient, requests: Sequence[Message]) -> tuple[float, float]:
    taken: list[float] = []
    for request in requests:
        before = time.perf_counter()
        await client.call(request, timeout=PATIENT_S)
        taken.append(time.perf_counter() - before)
    taken.sort()
    return percentile(taken, 0.5) * 1e3, percentile(taken, 0.99) * 1e3


async def _ready(node: Node) -> float:
    end = time.perf_counter() + PATIENT_S
    while (await asyncio.to_thread(get, node.http, "/readyz", 1.0))[0] != 200:
        if time.perf_counter() > end:
            raise AssertionError(f"{node.name} is not ready:\n{node.output()}")
        await asyncio.sleep(0.1)
    return time.perf_counter()


def _lateness(events: Sequence[api.HistoryEvent]) -> float | None:
    """How many seconds after its time the timer fired; None where it did not yet."""
    due = 0.0
    for event in events:
        if event.HasField("timer_started_event_attributes"):
            due = event.event_time.ToNanoseconds() / 1e9 + event.timer_started_event_attributes.start_to_fire_timeout.seconds
        elif event.HasField("timer_fired_event_attributes"):
            return event.event_time.ToNanoseconds() / 1e9 - due
    return None


def _name(number: int) -> str:
    return f"sleeper-{number}"


def _number(workflow_id: str) -> int:
    return int(workflow_id.rpartition("-")[2])


def _start(workflow_id: str) -> api.StartWorkflowExecutionRequest:
    request = api.StartWorkflowExecutionRequest(
        domain="default",
        workflow_id=workflow_id,
        workflow_type=api.WorkflowType(name="measured"),
        task_list=api.TaskList(name="nobody"),
        request_id=str(uuid.uuid4()),
        identity="scale",
    )
    request.execution_start_to_close_timeout.seconds = DAY_S
    request.task_start_to_close_timeout.seconds = 10
    return request


def _signal(workflow_id: str) -> api.SignalWorkflowExecutionRequest:
    return api.SignalWorkflowExecutionRequest(
        domain="default",
        workflow_execution=api.WorkflowExecution(workflow_id=workflow_id),
        signal_name=SIGNAL,
        signal_input=api.Payload(data=b"1" * 100),
        request_id=str(uuid.uuid4()),
        identity="scale",
    )
