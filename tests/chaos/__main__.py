"""Chaos by hand: `python -m tests.chaos [NAME ...] [--rounds N] [--seed N] [--store cassandra|sqlite]`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.cassandra import keeper, provision
from tests.chaos.scenario import Report, run_scenario
from tests.chaos.scenarios import CASSANDRA_NODES, NAMES, keyspace_url, own_cassandra, plan_of


def run(name: str, rounds: int, seed: int, store: str, folder: Path) -> Report:
    """One scenario on a store of its own."""
    plan = plan_of(name, rounds, seed)
    with ExitStack() as stack:
        if store == "sqlite":
            return asyncio.run(run_scenario(plan, f"sqlite:///{folder}/chaos.db", folder))
        if name in CASSANDRA_NODES:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=provision.temporary_base())))
            nodes = stack.enter_context(own_cassandra(place, CASSANDRA_NODES[name]))
            return asyncio.run(run_scenario(plan, keyspace_url(nodes), folder, nodes))
        shared = provision.shared(keeper.identity(os.getpid()))
        return asyncio.run(run_scenario(plan, keyspace_url(shared), folder))


def main() -> int:
    """Returns the exit code: 1 if a scenario had a problem."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which scenarios, of {', '.join(NAMES)}; all by default")
    parser.add_argument("--rounds", type=int, default=1, help="how often each does its faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=("cassandra", "sqlite"), default="cassandra")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no scenario {', '.join(unknown)}: they are {', '.join(NAMES)}")
    names = options.names or [name for name in NAMES if options.store == "cassandra" or name not in CASSANDRA_NODES]
    failed = 0
    try:
        for name in names:
            folder = Path(tempfile.mkdtemp(prefix=f"tenuto-chaos-{name}-"))
            report = run(name, options.rounds, options.seed, options.store, folder)
            print(report, flush=True)
            if report.problems:
                failed += 1
                print(f"the processes' output is in {folder}", flush=True)
    finally:
        provision.stop_shared(keeper.identity(os.getpid()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
