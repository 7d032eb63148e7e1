"""Servers and workers killed in the middle of their work: nothing acknowledged is lost, nothing is done twice.

The short form runs here; TENUTO_STORM_KILLS and TENUTO_STORM_WORKFLOWS make it longer (20 and 200 say), and so does
`python -m tests.e2e.kill`.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.e2e.server import acceptors
from tests.e2e.storm import Plan, Report, check_notes, run_storm

KILLS = int(os.environ.get("TENUTO_STORM_KILLS", "5"))
WORKFLOWS = int(os.environ.get("TENUTO_STORM_WORKFLOWS", "40"))


def weather(plan: Plan, folder: Path) -> Report:
    """Runs a storm that must leave no problem."""
    report = asyncio.run(run_storm(plan, folder))
    assert not report.problems, str(report)
    assert report.completed == plan.workflows, str(report)
    assert report.kills == plan.kills
    return report


def test_the_server_is_killed_again_and_again(tmp_path: Path) -> None:
    weather(Plan(WORKFLOWS, KILLS), tmp_path)


@pytest.mark.parametrize("acceptor", acceptors())
def test_server_and_sdk_worker_are_killed(tmp_path: Path, acceptor: str) -> None:
    plan = Plan(WORKFLOWS // 2, KILLS // 2, worker_kills=1, acceptor=acceptor, worker="sdk", seed=2)
    assert weather(plan, tmp_path).worker_kills == 1


@pytest.mark.parametrize("acceptor", acceptors())
def test_the_server_is_stopped_in_good_order_again_and_again(tmp_path: Path, acceptor: str) -> None:
    """Under load and with polls waiting, a stop is clean and quick, and the next start goes on."""
    plan = Plan(WORKFLOWS // 2, 2, acceptor=acceptor, graceful=True, seed=3, life_s=(0.2, 1.0))
    report = weather(plan, tmp_path)
    assert len(report.stops_s) == plan.kills
    assert max(report.stops_s) < 10.0


def test_a_server_that_forgets_is_noticed(tmp_path: Path) -> None:
    """The storm finds what it is made to find: this server keeps nothing over its death."""
    plan = Plan(5, 1, arguments=("--db", ":memory:"), life_s=(1.0, 1.1), early=0.0, patience_s=3.0)
    report = asyncio.run(run_storm(plan, tmp_path))
    assert any("its history cannot be read" in problem for problem in report.problems), str(report)


def test_an_attempt_begun_twice_is_noticed(tmp_path: Path) -> None:
    notes = tmp_path / "attempts.txt"
    notes.write_text("w r first 0\nw r second 0\nw r second 1\nw r first 0\n")
    report = Report()
    check_notes(notes, Plan(1, 0), report)
    assert report.problems == ["activity attempt ('w', 'r', 'first', '0') was begun 2 times"]
    assert report.activity_retries == 1
