"""What a cluster's processes hold and do while it is filled or drained: a line now and then, and the figures of a moment."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.benchmarks.process import KIBIBYTE, MEGABYTE, cpu_seconds, memory_megabytes
from tests.e2e.cluster import Cluster, Node, get

LINE_S: Final = 5.0
POLL_S: Final = 0.2
LOOK_S: Final = 1.5
QUIET_S: Final = 600.0
# Of one core: what a process that has nothing to do may use.
QUIET_SHARE: Final = 0.15


class Watch:
    """Watches the processes of `cluster`, and Cassandra's where its pid is known."""

    def __init__(self, cluster: Cluster, cassandra_pid: int | None) -> None:
        self.cluster = cluster
        self.cassandra_pid = cassandra_pid
        self._cpu: dict[int, float] = {}
        self._at = time.perf_counter()

    def memory_mb(self, role: str) -> float:
        """Resident memory of a service's processes now."""
        return sum(memory_megabytes(node.pid) for node in self.cluster.of(role) if node.is_up)

    def shares(self) -> dict[str, float]:
        """CPU since the last call, in cores, by service and Cassandra."""
        pids = {node.role: node.pid for node in self.cluster.nodes.values() if node.is_up}
        if self.cassandra_pid is not None:
            pids["cassandra"] = self.cassandra_pid
        now, elapsed = time.perf_counter(), time.perf_counter() - self._at
        spent = {pid: cpu_seconds(pid) for pid in pids.values()}
        shares = {role: (spent[pid] - self._cpu.get(pid, 0.0)) / max(elapsed, 1e-9) for role, pid in pids.items()}
        self._at, self._cpu = now, spent
        return shares

    def line(self, what: str) -> str:
        """One line of how things are."""
        cpu = ", ".join(f"{role} {share:.0%}" for role, share in self.shares().items())
        memory = ", ".join(f"{role} {self.memory_mb(role):.0f}" for role in ("history", "matching"))
        return f"{time.strftime('%H:%M:%S')} {what}; MB: {memory}; CPU: {cpu}"

    @asynccontextmanager
    async def lines(self, what: Callable[[], str]) -> AsyncIterator[None]:
        """Prints a line now and then while the block lasts."""

        async def keep_printing() -> None:
            while True:
                await asyncio.sleep(LINE_S)
                say(await asyncio.to_thread(self.line, what()))

        self.shares()
        printing = asyncio.create_task(keep_printing())
        try:
            yield
        finally:
            printing.cancel()
            await asyncio.gather(printing, return_exceptions=True)

    async def quiet(self) -> float:
        """Waits until history has written all down and nobody does much, for ten minutes at most; returns the seconds."""
        begun = time.perf_counter()
        self.shares()
        while time.perf_counter() - begun < QUIET_S:
            await asyncio.sleep(LOOK_S)
            shares = await asyncio.to_thread(self.shares)
            dirty = sum(gauge(node, "tenuto_history_runs_dirty") for node in self.cluster.of("history") if node.is_up)
            if not dirty and max(shares.values()) < QUIET_SHARE:
                break
        return time.perf_counter() - begun


def peak_megabytes(node: Node) -> float:
    """The most resident memory that a service's process ever had; the largest of its processes where it has several."""
    text = Path(f"/proc/{node.pid}/status").read_text()
    return float(re.findall(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)[0]) * KIBIBYTE / MEGABYTE


def gauge(node: Node, name: str, labels: str = "") -> float:
    """The sum of a metric's samples whose labels hold `labels`."""
    lines = get(node.http, "/metrics")[1].splitlines()
    return sum(
        float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}(\{{|\s)", line) and labels in line
    )


def say(text: str) -> None:
    """Prints at once."""
    print(text, file=sys.stderr, flush=True)


async def at_once(work: Callable[[int], Awaitable[None]], numbers: Iterable[int], limit: int) -> None:
    """Does the work for all numbers, `limit` at a time. The first failure ends it."""
    waiting = iter(numbers)

    async def one_after_another() -> None:
        for number in waiting:
            await work(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(limit):
            group.create_task(one_after_another())


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Waits until it holds. Raises TimeoutError."""
    end = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > end:
            raise TimeoutError(f"did not come about in {seconds:g} s")
        await asyncio.sleep(POLL_S)
