"""Prints at the end of a run how often the scenarios drew each transition of the engine (with -v only the full list)."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Takes the list from the coverage test's report, which also comes from another process under xdist."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            lines = dict(report.user_properties).get("transitions")
            if not lines:
                continue
            missing = [line for line in lines if line.split()[0] == "0"]
            drawn = len(lines) - len(missing)
            terminalreporter.section("transitions of the engine")
            terminalreporter.line(f"{drawn} of {len(lines)} drawn by the scenarios")
            for line in lines if terminalreporter.verbosity > 0 else missing:
                terminalreporter.line(line)
