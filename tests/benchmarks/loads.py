"""The loads: what is asked of a server, how many at once, and how it is measured."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Protocol, Self

from tests.benchmarks.process import cpu_seconds

WARM_UP_SHARE = 0.2


class Kind(StrEnum):
    """What one unit of a load is."""

    WORKFLOW = "workflow"
    """A workflow from its start to its awaited result."""
    START = "start"
    """StartWorkflowExecution alone; nobody works on it."""
    SIGNAL = "signal"
    """A signal to one and the same workflow; nobody works on it."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many units at once; a workflow runs its activities in a row."""

    name: str
    kind: Kind
    at_once: int
    activities: int = 0

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.name}, {self.at_once} at once"


def _workflows(name: str, activities: int, *at_once: int) -> list[Load]:
    return [Load(name, Kind.WORKFLOW, count, activities) for count in at_once]


LOADS = [
    *_workflows("one activity", 1, 1, 10, 50, 200),
    *_workflows("ten activities", 10, 10),
    *_workflows("no activity", 0, 50),
    Load("start alone", Kind.START, 10),
    Load("signals to one", Kind.SIGNAL, 10),
]
FULL_LOADS = [
    *LOADS[:-2],
    *[Load("start alone", Kind.START, count) for count in (1, 10, 50)],
    *[Load("signals to one", Kind.SIGNAL, count) for count in (1, 10, 50)],
]


class Driver(Protocol):
    """A client and worker that can carry out the loads."""

    async def open(self) -> None:
        """Connects and begins to poll."""

    async def workflow(self, activities: int) -> None:
        """Starts a workflow and waits for its result."""

    async def start_alone(self) -> None:
        """Starts a workflow that nobody works on."""

    async def signal(self) -> None:
        """Signals the one workflow that nobody works on."""

    async def close(self) -> None:
        """Ends it all."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one measurement gave. CPU in milliseconds a unit; of the server only where its process is known."""

    count: int
    rate: float
    p50_ms: float
    p99_ms: float
    server_cpu_ms: float | None
    client_cpu_ms: float

    def to_json(self) -> str:
        """For a pipe."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The reverse."""
        return cls(**json.loads(text))


async def measure(driver: Driver, load: Load, seconds: float, server_pid: int | None) -> Result:
    """Keeps `load.at_once` units under way for `seconds`, after a share of that to warm up."""
    unit = _unit(driver, load)
    await _keep_going(unit, load.at_once, seconds * WARM_UP_SHARE)
    server_before = cpu_seconds(server_pid) if server_pid else 0.0
    client_before, before = time.process_time(), time.perf_counter()
    latencies = await _keep_going(unit, load.at_once, seconds)
    elapsed, client = time.perf_counter() - before, time.process_time() - client_before
    server = cpu_seconds(server_pid) - server_before if server_pid else None
    count = len(latencies)
    latencies.sort()
    return Result(
        count=count,
        rate=count / elapsed,
        p50_ms=percentile(latencies, 0.50) * 1e3,
        p99_ms=percentile(latencies, 0.99) * 1e3,
        server_cpu_ms=None if server is None else server / count * 1e3,
        client_cpu_ms=client / count * 1e3,
    )


def percentile(ordered: list[float], share: float) -> float:
    """The value that this share of an ordered list does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _unit(driver: Driver, load: Load) -> Callable[[], Awaitable[None]]:
    if load.kind is Kind.START:
        return driver.start_alone
    if load.kind is Kind.SIGNAL:
        return driver.signal
    return lambda: driver.workflow(load.activities)


async def _keep_going(unit: Callable[[], Awaitable[None]], at_once: int, seconds: float) -> list[float]:
    """Runs units, `at_once` at a time, until the time is up and those under way have ended. At least one each."""
    end = time.perf_counter() + seconds

    async def one_after_another() -> list[float]:
        latencies = []
        for _ in itertools.count():
            before = time.perf_counter()
            await unit()
            after = time.perf_counter()
            latencies.append(after - before)
            if after >= end:
                break
        return latencies

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one_after_another()) for _ in range(at_once)]
    return [latency for task in tasks for latency in task.result()]
