"""How much one history process holds: `python -m tests.benchmarks.scale sleepers|backlog`.

A frontend, a history and a matching process, on a Cassandra of their own or on a SQLite file. `sleepers`: many open workflows on
long timers; memory, latencies beside those of an empty cluster, and takeovers after kill -9. `backlog`: many tasks on one list
without a poller, then drained. The workflows are made from within (`inside`): the public interface is measured, not the way in.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import uvloop

from tests.benchmarks import backlog, cassandra, sleepers
from tests.benchmarks.report import table
from tests.benchmarks.watching import Watch
from tests.cassandra.provision import temporary_base
from tests.e2e.cluster import Cluster
from tests.e2e.server import COMMAND
from tests.ports import free_port

MEMORY_MB_MAX: Final = 1500.0
RATIO_MAX: Final = 1.5
TAKEOVER_S_MAX: Final = 10.0
# What a million workflows leave on the disk is too much for a memory file system of an ordinary machine.
IN_MEMORY_COUNT_MAX: Final = 200_000


def parser() -> argparse.ArgumentParser:
    """The command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--store", choices=("cassandra", "sqlite"), default="cassandra")
    common.add_argument("--driver", default="auto")
    common.add_argument("--append", default="checked", choices=("checked", "lwt"))
    common.add_argument("--folder", type=Path, help="where data goes; default: memory if it is little, else the temporary folder")
    common.add_argument("--shards", type=int, default=16)
    common.add_argument("--heap-mib", type=int, default=1024)
    common.add_argument("--in-flight", type=int, default=300, help="workflows begun at once")
    common.add_argument("--json", type=Path, help="a file for the figures")
    parsed = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description=__doc__)
    parts = parsed.add_subparsers(dest="part", required=True)
    sleeping = parts.add_parser("sleepers", parents=[common])
    sleeping.add_argument("--count", type=int, default=1_000_000)
    sleeping.add_argument("--samples", type=int, default=500, help="calls for each latency")
    sleeping.add_argument("--soon", type=int, default=500, help="further timers that fire around the takeover")
    sleeping.add_argument("--soon-s", type=int, default=60, help="how soon, at the latest")
    sleeping.add_argument("--days", type=int, default=30, help="the others fire in 1 to so many days")
    sleeping.add_argument("--warm-up", type=int, default=2_000, help="workflows of an 'empty' cluster")
    sleeping.add_argument("--idle-runs-max", type=int, help="runs at rest in memory; default: the server's, or fewer")
    sleeping.add_argument("--no-standby", action="store_true", help="only the takeover by a process that is started anew")
    waiting = parts.add_parser("backlog", parents=[common])
    waiting.add_argument("--count", type=int, default=100_000)
    waiting.add_argument("--pollers", type=int, default=50)
    waiting.add_argument("--kinds", nargs="+", choices=("decision", "activity"), default=["decision", "activity"])
    return parsed


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Runs what the command line asks for, prints the tables and returns the figures."""
    options = parser().parse_args(arguments)
    found: dict[str, Any] = {}
    for kind in [""] if options.part == "sleepers" else options.kinds:
        with measured(options) as (cluster, watch, url, folder):
            if options.part == "sleepers":
                rest = sleepers.Idle(folder / "settings.yaml")
                plan = sleepers_plan(options)
                rest(plan.idle_runs_max)
                slept = _run(cluster, sleepers.Sleepers(cluster, watch, url, options.shards, plan, rest))
                found["sleepers"] = dataclasses.asdict(slept)
                print(sleepers_table(slept))
            else:
                waiting = backlog.Plan(options.count, options.in_flight, options.pollers, kind == "activity")
                drained = _run(cluster, backlog.Backlog(cluster, watch, url, options.shards, waiting))
                found[f"backlog of {kind} tasks"] = dataclasses.asdict(drained)
                print(backlog_table(kind, drained))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def sleepers_plan(options: argparse.Namespace) -> sleepers.Plan:
    """What the command line asks for."""
    idle = options.idle_runs_max
    return sleepers.Plan(
        options.count, options.in_flight, options.samples, options.soon, options.soon_s, options.days,
        min(options.warm_up, options.count // 2), min(10_000, options.count // 8) if idle is None else idle,
        not options.no_standby,
    )  # fmt: skip


def _run(cluster: Cluster, part: sleepers.Sleepers | backlog.Backlog) -> Any:
    async def go() -> Any:
        await cluster.ready()
        return await part.run()

    try:
        return uvloop.run(go())
    except BaseException:
        print(cluster.output(), file=sys.stderr)
        raise


@contextmanager
def measured(options: argparse.Namespace) -> Iterator[tuple[Cluster, Watch, str, Path]]:
    """A cluster while the block lasts: with its watch, the store's URL and a folder for its files."""
    with ExitStack() as stack:
        base = options.folder or (temporary_base() if options.count <= IN_MEMORY_COUNT_MAX else Path(tempfile.gettempdir()))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tenuto-scale-", dir=base)))
        pid = None
        if options.store == "sqlite":
            url = f"sqlite:///{folder}/t.db"
        else:
            node = stack.enter_context(cassandra.started(folder / "cassandra", options.heap_mib, synced=True))
            pid = node.pid
            driver = "" if options.driver == "auto" else f"&driver={options.driver}"
            url = f"cassandra://{node.settings.address}:{node.settings.port}/scale?append={options.append}{driver}"
            subprocess.run([*COMMAND, "schema", "create", "--store", url], check=True, stdout=subprocess.DEVNULL)
        counts = {"history": 2, "matching": 1, "frontend": 1}
        settings = {"dynamic_settings": str(folder / "settings.yaml")}
        (folder / "settings.yaml").write_text("{}\n", encoding="utf-8")
        cluster = stack.enter_context(Cluster(folder, url, counts, acceptor="auto", shards=options.shards, settings=settings))
        for history in cluster.of("history"):
            # Started anew it is known by its address.
            history.settings["internal.port"] = free_port()
        cluster.start(["history-0", "matching-0", "frontend-0"])
        yield cluster, Watch(cluster, pid), url, folder


def sleepers_table(found: sleepers.Figures) -> str:
    """The figures beside what they must be."""
    each = max(0.0, found.memory_full_mb - found.memory_empty_mb) * 1e6 / max(1, found.count)
    rows: list[Sequence[str]] = [
        ("what", "figure", "at most"),
        ("open workflows", f"{found.count}", "-"),
        ("brought up, a second", f"{found.count / max(found.fill_s, 1e-9):.0f}", "-"),
        ("until all was written and quiet, s", f"{found.settle_s:.0f}", "-"),
        ("history, empty, MB", f"{found.memory_empty_mb:.0f}", "-"),
        ("history, full, MB", f"{found.memory_full_mb:.0f}", f"{MEMORY_MB_MAX:.0f}"),
        ("history, its peak, MB", f"{found.memory_peak_mb:.0f}", f"{MEMORY_MB_MAX:.0f}"),
        ("workflows in memory", f"{found.in_memory}", "-"),
        ("bytes an open workflow", f"{each:.0f}", "-"),
    ]
    for name, empty in found.latencies_empty.items():
        for share, before, after in zip(("p50", "p99"), empty, found.latencies_full[name], strict=True):
            rows.append((f"{name}, {share}, empty, ms", f"{before:.2f}", "-"))
            rows.append((f"{name}, {share}, full, ms", f"{after:.2f}", "-"))
            rows.append((f"{name}, {share}, ratio", f"{after / max(before, sleepers.LEAST_S):.2f}", f"{RATIO_MAX}"))
    for name, takeover in found.takeovers.items():
        rows.append((f"takeover {name}: first request served, s", f"{takeover.first_s:.2f}", f"{TAKEOVER_S_MAX:.0f}"))
        rows.append((f"takeover {name}: all shards served, s", f"{takeover.all_s:.2f}", f"{TAKEOVER_S_MAX:.0f}"))
        rows.append((f"takeover {name}: ready, s", f"{takeover.ready_s:.2f}", "-"))
        rows.append((f"takeover {name}: history after it, MB", f"{takeover.memory_mb:.0f}", f"{MEMORY_MB_MAX:.0f}"))
        rows.append((f"takeover {name}: its peak, MB", f"{takeover.peak_mb:.0f}", f"{MEMORY_MB_MAX:.0f}"))
    rows.append(("timers that fired around the takeovers", f"{found.fired}", "-"))
    rows.append(("their lateness, p50, s", f"{found.fire_late_p50_s:.2f}", "-"))
    rows.append(("their lateness, most, s", f"{found.fire_late_max_s:.2f}", "-"))
    return table(rows)


def backlog_table(kind: str, found: backlog.Figures) -> str:
    """The figures beside what they must be."""
    return table([
        (f"backlog of {kind} tasks", "figure", "at most"),
        ("tasks", f"{found.count}", "-"),
        ("brought up, a second", f"{found.count / max(found.fill_s, 1e-9):.0f}", "-"),
        ("waiting then, by history", f"{found.waiting}", "-"),
        ("drained, a second", f"{found.count / max(found.drain_s, 1e-9):.0f}", "-"),
        ("lost", f"{found.lost}", "0"),
        ("delivered more than once", f"{found.duplicates}", "0"),
        ("left, by history", f"{found.left}", "0"),
        ("history, empty, MB", f"{found.history_empty_mb:.0f}", "-"),
        ("history, full, MB", f"{found.history_full_mb:.0f}", "-"),
        ("history, its peak, MB", f"{found.history_peak_mb:.0f}", "-"),
        ("matching, empty, MB", f"{found.matching_empty_mb:.0f}", "-"),
        ("matching, full, MB", f"{found.matching_full_mb:.0f}", "-"),
        ("matching, its peak, MB", f"{found.matching_peak_mb:.0f}", "-"),
    ])  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
