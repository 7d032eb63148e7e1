"""The tables: each figure beside its ratio to the first column's, and beside its budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.loads import Kind, Load, Result

HEADER = (
    "load", "server, client", "done", "per s", "ratio", "p50 ms", "ratio", "p99 ms",
    "server CPU ms", "ratio", "client CPU ms",
)  # fmt: skip
BUDGET_LOAD = ("one activity", 50)
# Milliseconds of CPU a workflow under that load, by acceptor and by client.
SERVER_BUDGETS_MS = {"grpc": 9.0, "pyvoy": 6.0}
CLIENT_BUDGETS_MS = {"sdk": 10.0}
START_BUDGETS_S = {"grpc": 1.0, "pyvoy": 1.8}
MEMORY_BUDGET_MB = 150.0


@dataclass(frozen=True, slots=True)
class Setup:
    """A server with one acceptor, under one client."""

    acceptor: str
    client: str

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.acceptor}, {self.client}"


@dataclass(frozen=True, slots=True)
class Start:
    """How a server starts, and what it holds: seconds to the first answer, megabytes then and after all loads."""

    seconds: float
    idle_mb: float
    loaded_mb: float


Results = Mapping[Load, Mapping[Setup, Result]]


def loads_table(results: Results) -> str:
    """Every load under every setup; ratios are to the load's first setup."""
    rows: list[Sequence[str]] = [HEADER]
    for load, by_setup in results.items():
        first = next(iter(by_setup.values()))
        title = load.title
        for setup, result in by_setup.items():
            rows.append((
                title,
                setup.title,
                str(result.count),
                f"{result.rate:.0f}" if result.rate >= 10 else f"{result.rate:.1f}",
                f"{result.rate / first.rate:.2f}",
                f"{result.p50_ms:.1f}",
                f"{result.p50_ms / first.p50_ms:.2f}",
                f"{result.p99_ms:.1f}",
                _number(result.server_cpu_ms),
                _ratio(result.server_cpu_ms, first.server_cpu_ms),
                _number(result.client_cpu_ms),
            ))  # fmt: skip
            title = ""
    return table(rows)


def budgets_table(results: Results, starts: Mapping[str, Start]) -> str:
    """What is measured against its budget. Nothing fails for it: machines are noisy. A loaded server has no budget of memory."""
    rows: list[Sequence[str]] = [("budget", "measured", "allowed", "share")]
    for load, by_setup in results.items():
        if (load.name, load.at_once) != BUDGET_LOAD or load.kind is not Kind.WORKFLOW:
            continue
        for setup, result in by_setup.items():
            if result.server_cpu_ms is not None and setup.acceptor in SERVER_BUDGETS_MS:
                what = f"server CPU a workflow ({setup.title}), ms"
                rows.append(_budget(what, result.server_cpu_ms, SERVER_BUDGETS_MS[setup.acceptor]))
            if setup.client in CLIENT_BUDGETS_MS:
                what = f"client and worker CPU a workflow ({setup.title}), ms"
                rows.append(_budget(what, result.client_cpu_ms, CLIENT_BUDGETS_MS[setup.client]))
    for acceptor, start in starts.items():
        rows.append(_budget(f"start to first answer ({acceptor}), s", start.seconds, START_BUDGETS_S[acceptor]))
        rows.append(_budget(f"memory when started ({acceptor}), MB", start.idle_mb, MEMORY_BUDGET_MB))
        rows.append((f"memory after all loads ({acceptor}), MB", f"{start.loaded_mb:.2f}", "-", "-"))
    return table(rows)


def yardstick_table(results: Results, server_us: float, client_us: float) -> str:
    """How many calls that do nothing (on grpc.aio) a unit of each load costs."""
    rows: list[Sequence[str]] = [("load", "server, client", "server, in null calls", "client, in null calls")]
    for load, by_setup in results.items():
        title = load.title
        for setup, result in by_setup.items():
            server = "-" if result.server_cpu_ms is None else f"{result.server_cpu_ms * 1e3 / server_us:.1f}"
            rows.append((title, setup.title, server, f"{result.client_cpu_ms * 1e3 / client_us:.1f}"))
            title = ""
    now = f"A null call on grpc.aio costs the server {server_us:.0f} us of CPU, the client {client_us:.0f} us, here and now."
    return f"{now}\n{table(rows)}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned text: the first is the header, words to the left, figures to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if _is_figure(rows, column) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _is_figure(rows: Sequence[Sequence[str]], column: int) -> bool:
    return all(row[column][:1].isdigit() or row[column] == "-" for row in rows[1:])


def _budget(what: str, measured: float, allowed: float) -> Sequence[str]:
    return what, f"{measured:.2f}", f"{allowed:.1f}", f"{measured / allowed:.2f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _ratio(value: float | None, first: float | None) -> str:
    return "-" if not value or not first else f"{value / first:.2f}"
