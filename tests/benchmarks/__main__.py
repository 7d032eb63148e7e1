"""The benchmarks. `python -m tests.benchmarks` starts a server for each acceptor and drives all loads, in turns.

The servers are alive together, and each load goes to all of them before the next, so that a noisy minute of the machine
falls on all alike. `--address` measures a server that runs already instead (raw messages; `--server-pid` for its CPU).
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import yardstick
from tests.benchmarks.loads import FULL_LOADS, LOADS, Load, Result
from tests.benchmarks.process import memory_megabytes
from tests.benchmarks.report import Setup, Start, budgets_table, loads_table, yardstick_table
from tests.e2e.server import ServerProcess, acceptors

SECONDS, FULL_SECONDS = 2.5, 10.0
STARTS, FULL_STARTS = 3, 7
MEASUREMENT_SECONDS_MAX = 300.0


def main(arguments: Sequence[str]) -> None:
    """Runs what the command line asks for and prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="more loads, longer, and plain workers too")
    parser.add_argument("--acceptors", nargs="+", choices=acceptors(), default=None, help="default: those that are there")
    parser.add_argument("--clients", nargs="+", choices=("raw", "plain", "sdk"), default=None)
    parser.add_argument("--loads", nargs="+", help="names of loads, as 'one activity'; default: all")
    parser.add_argument("--at-once", nargs="+", type=int, help="only loads with so many at once")
    parser.add_argument("--seconds", type=float, help="for each measurement")
    parser.add_argument("--address", help="measure the server that runs there")
    parser.add_argument("--server-pid", type=int, help="with --address: its process")
    parser.add_argument("--domain", default="default")
    options = parser.parse_args(arguments)
    seconds = options.seconds or (FULL_SECONDS if options.full else SECONDS)
    clients = options.clients or (["raw"] if options.address else ["raw", "plain", "sdk"] if options.full else ["raw", "sdk"])
    loads = [
        load
        for load in (FULL_LOADS if options.full else LOADS)
        if load.name in (options.loads or [load.name]) and load.at_once in (options.at_once or [load.at_once])
    ]
    if options.address:
        targets = {Setup("server", client): (options.address, options.server_pid) for client in clients}
        print(loads_table(measure_all(loads, targets, options.domain, seconds)))
        return
    starts = FULL_STARTS if options.full else STARTS
    own_servers(options.acceptors or acceptors(), clients, loads, options.domain, seconds, starts)


def own_servers(
    kinds: Sequence[str], clients: Sequence[str], loads: Sequence[Load], domain: str, seconds: float, starts: int
) -> None:
    """Starts a server on a temporary SQLite file for each acceptor, measures, prints."""
    with ExitStack() as stack:
        servers: dict[str, ServerProcess] = {}
        seconds_to_start: dict[str, float] = {}
        for acceptor in kinds:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tenuto-bench-")))
            arguments = ("--log-level", "WARNING", "--synchronous", "FULL", "--domain", domain)
            servers[acceptor] = stack.enter_context(ServerProcess(folder, acceptor=acceptor, arguments=arguments))
            seconds_to_start[acceptor] = start_time(servers[acceptor], starts)
        idle = {acceptor: memory_megabytes(server.pid) for acceptor, server in servers.items()}
        targets: dict[Setup, tuple[str, int | None]] = {
            Setup(acceptor, client): (server.address, server.pid)
            for client in clients
            for acceptor, server in servers.items()
        }
        before = yardstick.measure()
        results = measure_all(loads, targets, domain, seconds)
        after = yardstick.measure()
        figures = {
            acceptor: Start(seconds_to_start[acceptor], idle[acceptor], memory_megabytes(server.pid))
            for acceptor, server in servers.items()
        }
        for server in servers.values():
            server.terminate()
    print(loads_table(results))
    print()
    print(budgets_table(results, figures))
    print()
    server_us, client_us = (statistics.mean(pair) for pair in zip(before, after, strict=True))
    print(yardstick_table(results, server_us, client_us))


def start_time(server: ServerProcess, times: int) -> float:
    """Median seconds from the process's start to its first answer; leaves the server running."""
    taken = [asyncio.run(server.up())]
    for _ in range(times - 1):
        server.terminate()
        taken.append(asyncio.run(server.up()))
    return statistics.median(taken)


def measure_all(
    loads: Sequence[Load], targets: dict[Setup, tuple[str, int | None]], domain: str, seconds: float
) -> dict[Load, dict[Setup, Result]]:
    """Each load on each target in turn. What fails is told and left out."""
    results: dict[Load, dict[Setup, Result]] = {}
    for load in loads:
        for setup, (address, pid) in targets.items():
            _progress(f"{load.title}: {setup.title} ...")
            try:
                result = measure_one(load, setup.client, address, pid, domain, seconds)
            except subprocess.SubprocessError as error:
                print(f"{load.title}: {setup.title}: failed: {error}", file=sys.stderr)
            else:
                results.setdefault(load, {})[setup] = result
    _progress("")
    return results


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(text.ljust(79), end="\r", file=sys.stderr, flush=True)


def measure_one(load: Load, client: str, address: str, pid: int | None, domain: str, seconds: float) -> Result:
    """One measurement in a process of its own. Raises subprocess.SubprocessError."""
    command = [
        sys.executable, "-m", "tests.benchmarks.client",
        "--address", address,
        "--domain", domain,
        "--client", client,
        "--load", load.name,
        "--at-once", str(load.at_once),
        "--seconds", str(seconds),
        *(["--server-pid", str(pid)] if pid else []),
    ]  # fmt: skip
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=MEASUREMENT_SECONDS_MAX, check=True)
    return Result.from_json(done.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
