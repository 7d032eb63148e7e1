"""Four processes on a real Cassandra: `python -m tests.benchmarks.cluster`.

One frontend, history, matching and worker-host, on a Cassandra node with a heap of 1 GiB, under the raw load generator. Each
variant (driver, form of the log's appends) has a cluster of its own. Beside the rate stands what a workflow costs: requests to
Cassandra, CPU of Cassandra and of each service. What the processes do beside the load counts too.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import cassandra
from tests.benchmarks.client import driver_of
from tests.benchmarks.loads import LOADS, WARM_UP_SHARE, Load, Result, measure
from tests.benchmarks.process import cpu_seconds
from tests.benchmarks.report import table
from tests.cassandra.node import Node
from tests.cassandra.provision import temporary_base
from tests.e2e.cluster import Cluster, get
from tests.e2e.server import COMMAND

HEADER = (
    "load", "variant", "done", "per s", "p50 ms", "p99 ms", "requests", "cassandra ms", "frontend ms", "history ms",
    "matching ms", "worker-host ms", "services ms", "client ms",
)  # fmt: skip
# What one workflow of the budgets' load may cost: one activity, fifty at once.
BUDGETS = {"requests": 3.5, "cassandra ms": 6.0, "services ms": 11.0}
ALONE_MS_MAX = 40.0
_WARM_UP = next(load for load in LOADS if load.name == "one activity" and load.at_once == 50)
_REQUEST = re.compile(r'^db_client_operation_duration_seconds_count\{.*db_operation_name="([^"]+)".*\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Variant:
    """How the processes reach Cassandra, and how they are reached."""

    driver: str
    append: str
    acceptor: str

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.driver}, {self.append}, {self.acceptor}"


class Measured:
    """A running cluster with its node."""

    def __init__(self, node: Node, cluster: Cluster) -> None:
        self.node = node
        self.cluster = cluster

    def costs(self) -> dict[str, float]:
        """CPU in seconds so far, by service and Cassandra."""
        spent = {one.role: cpu_seconds(one.pid) for one in self.cluster.nodes.values()}
        assert self.node.pid is not None, "Cassandra does not run"
        return {**spent, "cassandra": cpu_seconds(self.node.pid)}

    def requests(self) -> Counter[str]:
        """Requests to Cassandra so far, by statement."""
        found: Counter[str] = Counter()
        for one in self.cluster.nodes.values():
            for name, value in _REQUEST.findall(get(one.http, "/metrics")[1]):
                found[name] += int(float(value))
        return found


def main(arguments: Sequence[str]) -> None:
    """Runs what the command line asks for and prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cluster", description=__doc__)
    parser.add_argument("--loads", nargs="+", default=["one activity"])
    parser.add_argument("--at-once", nargs="+", type=int, default=[1, 50])
    parser.add_argument("--drivers", nargs="+", default=["acsylla", "cassandra-driver"])
    parser.add_argument("--appends", nargs="+", default=["lwt", "checked"])
    parser.add_argument("--acceptor", default="auto")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--warm-up", type=float, default=60.0, help="seconds of load before the first figure: Cassandra compiles")
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument(
        "--synced", action="store_true", help="Cassandra syncs its commit log at each write (its default: by time)"
    )
    parser.add_argument("--paxos", choices=("v1", "v2"), default="v1", help="Cassandra's paxos_variant (its default: v1)")
    parser.add_argument("--statements", action="store_true", help="requests by statement too")
    options = parser.parse_args(arguments)
    variants = [Variant(driver, append, options.acceptor) for driver in options.drivers for append in options.appends]
    loads = [load for load in LOADS if load.name in options.loads and load.at_once in options.at_once]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tenuto-bench-", dir=temporary_base())))
        started_node = cassandra.started(folder / "cassandra", heap_mib=1024, synced=options.synced, paxos=options.paxos)
        node = stack.enter_context(started_node)
        rows: list[Sequence[str]] = [HEADER]
        details: list[str] = []
        for variant in variants:
            (folder / variant.append / variant.driver).mkdir(parents=True)
            with started(node, variant, folder / variant.append / variant.driver, options.shards) as measured:
                # A young virtual machine costs three times what it costs later; the first variant pays for all.
                warm_up = options.warm_up if variant is variants[0] else options.warm_up / 4
                asyncio.run(take(measured, variant, _WARM_UP, warm_up / 2))
                for load in loads:
                    row, detail = asyncio.run(take(measured, variant, load, options.seconds))
                    rows.append(row)
                    details.append(f"{load.title}, {variant.title}: {detail}")
        print(table(rows))
        print(f"budgets of {LOADS[0].name}, 50 at once: {BUDGETS}; 1 at once: p50 at most {ALONE_MS_MAX:g} ms")
        if options.statements:
            print("\n".join(details))


@contextmanager
def started(node: Node, variant: Variant, folder: Path, shards: int) -> Iterator[Measured]:
    """A cluster of four processes in a keyspace of its own, while the block lasts."""
    settings = node.settings
    keyspace = f"bench_{variant.driver.replace('-', '_')}_{variant.append}"
    url = f"cassandra://{settings.address}:{settings.port}/{keyspace}?driver={variant.driver}&append={variant.append}"
    subprocess.run([*COMMAND, "schema", "create", "--store", url], check=True, stdout=subprocess.DEVNULL)
    counts = {"history": 1, "matching": 1, "frontend": 1, "worker-host": 1}
    with Cluster(folder, url, counts, acceptor=variant.acceptor, shards=shards) as cluster:
        asyncio.run(cluster.up())
        yield Measured(node, cluster)


async def take(measured: Measured, variant: Variant, load: Load, seconds: float) -> tuple[Sequence[str], str]:
    """One measurement: its row, and the requests a workflow by statement."""
    driver = driver_of("raw", measured.cluster.address, "default")
    await driver.open()
    try:
        await measure(driver, load, seconds / 2, None)
        # Until what the warm-up left is written down.
        await asyncio.sleep(2.0)
        costs, requests = measured.costs(), measured.requests()
        result = await measure(driver, load, seconds, None)
        await asyncio.sleep(2.0)
        spent = {name: value - costs[name] for name, value in measured.costs().items()}
        made = measured.requests() - requests
    finally:
        await driver.close()
    return _row(variant, load, result, spent, made), _by_statement(made, _units(result))


def _units(result: Result) -> float:
    """How many were done between the two readings, those of `measure`'s own warm-up too."""
    return result.count * (1 + WARM_UP_SHARE)


def _row(variant: Variant, load: Load, result: Result, spent: dict[str, float], made: Counter[str]) -> Sequence[str]:
    units = _units(result)
    each = {name: value * 1e3 / units for name, value in spent.items()}
    services = [each[role] for role in ("frontend", "history", "matching", "worker-host")]
    return (
        load.title, variant.title, str(result.count), f"{result.rate:.1f}", f"{result.p50_ms:.1f}", f"{result.p99_ms:.1f}",
        f"{made.total() / units:.2f}", f"{each['cassandra']:.2f}", *(f"{value:.2f}" for value in services),
        f"{sum(services):.2f}", f"{result.client_cpu_ms:.2f}",
    )  # fmt: skip


def _by_statement(made: Counter[str], units: float) -> str:
    return ", ".join(f"{name} {count / units:.2f}" for name, count in made.most_common() if count / units >= 0.005)


if __name__ == "__main__":
    main(sys.argv[1:])
