"""One scenario: a cluster of processes on a store, a load, faults in turn, and the judges at the end.

up -> load begins -> fault, calm, fault, ... -> load ends -> every workflow is seen to end -> judges look at the running
cluster -> all is stopped -> the store is checked once more, strictly
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cassandra.node import Node as CassandraNode
from tests.chaos import judges
from tests.chaos.faults import Fault, World
from tests.chaos.load import CountingClient, Load, WorkerProcess
from tests.e2e.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Plan:
    """How a scenario goes. Times in seconds.

    counts: processes of each service. rate, open_max: workflows started a second, and open at most. calm_s: between two faults.
    worker_kills: after so many of the faults the worker is killed too. no_failures: no call may fail, however slow it may be.
    """

    name: str
    faults: tuple[Fault, ...]
    counts: Mapping[str, int]
    rate: float = 4.0
    open_max: int = 60
    calm_s: tuple[float, float] = (1.0, 3.0)
    worker_kills: int = 0
    no_failures: bool = False
    seed: int = 1
    patience_s: float = 90.0


@dataclass(slots=True)
class Report:
    """What happened, and what was wrong."""

    name: str
    problems: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    workflows: int = 0
    attempts: int = 0
    calls: int = 0
    failed: list[tuple[float, str]] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest_recovery_s: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        return "\n".join([
            f"{self.name}: {self.workflows} workflows, {self.attempts} activity attempts in {self.seconds:.0f} s",
            f"  faults: {', '.join(self.done)}",
            f"  {self.calls} calls, {len(self.failed)} of them failed and were made again",
            f"  slowest answer {self.slowest_s:.2f} s, slowest recovery of a process {self.slowest_recovery_s:.1f} s",
            *(f"PROBLEM: {problem}" for problem in self.problems),
        ])  # fmt: skip


async def run_scenario(plan: Plan, url: str, folder: Path, cassandra: list[CassandraNode] | None = None) -> Report:
    """Runs it on an empty store; the report's problems are empty if all went well."""
    report = Report(plan.name)
    begun = time.perf_counter()
    cluster = Cluster(folder, url, plan.counts)
    task_list = f"chaos-{plan.name}"
    workers = [WorkerProcess(cluster.addresses, task_list, folder, "worker-0")]
    try:
        with cluster:
            await cluster.up()
            for worker in workers:
                worker.start()
            await _under_load(plan, url, World(cluster, cassandra or [], _chance(plan)), workers, report)
            await _stop(cluster, report)
    finally:
        for worker in workers:
            worker.kill()
    report.problems += await judges.judge_store(url, running=False)
    report.attempts, doubled = judges.judge_attempts(worker.notes for worker in workers)
    report.problems += doubled
    report.seconds = time.perf_counter() - begun
    if report.problems:
        report.problems.append("what was printed:\n" + cluster.output())
    return report


def _failures(failed: list[tuple[float, str]]) -> str:
    """Calls that failed and should not have: how often each way, and when first and last."""
    when: dict[str, list[float]] = {}
    for at, how in failed:
        when.setdefault(how, []).append(at)
    lines = [
        f"  {len(times)} times, {time.strftime('%H:%M:%S', time.gmtime(min(times)))} to "
        f"{time.strftime('%H:%M:%S', time.gmtime(max(times)))}: {how}"
        for how, times in when.items()
    ]
    return "\n".join([f"{len(failed)} calls failed", *lines])


def _chance(plan: Plan) -> random.Random:
    return random.Random(f"{plan.seed}/{plan.name}")


async def _under_load(plan: Plan, url: str, world: World, workers: list[WorkerProcess], report: Report) -> None:
    async with CountingClient(world.cluster.addresses) as client:
        load = Load(client, f"chaos-{plan.name}", plan.rate, plan.open_max, plan.seed)
        running = asyncio.get_running_loop().create_task(load.run())
        try:
            await world.pause(*plan.calm_s)
            for number, fault in enumerate(plan.faults):
                await fault(world)
                if number < plan.worker_kills:
                    workers[0].kill()
                    workers[0].start()
                await world.pause(*plan.calm_s)
        finally:
            await load.stop(plan.patience_s)
            await running
        report.done, report.workflows = world.done, len(load.started)
        report.slowest_recovery_s = max(world.recoveries_s, default=0.0)
        report.calls, report.failed, report.slowest_s = client.calls, client.failed, client.slowest_s
        report.problems += load.problems
        if plan.no_failures and client.failed:
            report.problems += [_failures(client.failed)]
        if workers[0].has_ended():
            report.problems.append(f"the worker ended:\n{workers[0].output()}")
        report.problems += await judges.judge_runs(client, [run for run in load.started if run.is_over])
        report.problems += await judges.judge_store(url, running=True)


async def _stop(cluster: Cluster, report: Report) -> None:
    for role in ("worker-host", "frontend", "matching", "history"):
        for node in cluster.of(role):
            code = await asyncio.to_thread(node.terminate)
            if code != 0:
                report.problems.append(f"{node.name} ended with code {code} after SIGTERM")
