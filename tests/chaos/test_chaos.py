"""The short form of the chaos suite: a cluster on a real Cassandra, each of its services killed once; and that judges judge."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tenuto_api import api
from tests.cassandra.provision import Cassandra
from tests.chaos import judges
from tests.chaos.faults import kill
from tests.chaos.scenario import Plan, run_scenario
from tests.chaos.scenarios import CASSANDRA_NODES, NAMES, keyspace_url, plan_of
from tests.e2e.cluster import Cluster


@pytest.mark.cassandra
def test_each_service_is_killed_once(cassandra: Cassandra, tmp_path: Path) -> None:
    plan = Plan(
        name="short",
        faults=(kill("history-0"), kill("matching-0"), kill("frontend-0")),
        counts={"history": 2, "matching": 1, "frontend": 1},
        rate=2.0,
        open_max=20,
        calm_s=(0.5, 1.0),
        worker_kills=1,
    )
    report = asyncio.run(run_scenario(plan, keyspace_url(cassandra), tmp_path))
    assert not report.problems, str(report)
    assert len(report.done) == 3 and report.attempts >= 3 * report.workflows > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_is_made(name: str, tmp_path: Path) -> None:
    """Of processes that there are, and more often where it is asked for."""
    plan = plan_of(name, rounds=3, seed=5)
    assert len(plan.faults) == 3 * len(plan_of(name).faults)
    cluster = Cluster(tmp_path, "memory://", plan.counts)
    assert {node.role for node in cluster.nodes.values()} == {"history", "matching", "frontend", "worker-host"}
    assert name not in CASSANDRA_NODES or CASSANDRA_NODES[name] >= 1


def _signaled(*texts: str) -> list[api.HistoryEvent]:
    events = []
    for text in texts:
        event = api.HistoryEvent()
        event.workflow_execution_signaled_event_attributes.input.data = json.dumps(text).encode()
        events.append(event)
    return events


def test_signals_that_are_missing_or_doubled_are_noticed() -> None:
    assert list(judges.judge_signals(_signaled("a", "b"), ["a", "b"])) == []
    assert list(judges.judge_signals(_signaled("a", "c", "c"), ["a", "b"])) == [
        "the acknowledged signal b is missing", "signal c is there 2 times",
    ]  # fmt: skip


def test_attempts_that_are_begun_twice_are_noticed(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("w r first 0\nw r first 1\n", encoding="utf-8")
    other.write_text("w r first 1\n", encoding="utf-8")
    assert judges.judge_attempts([one, other, tmp_path / "none"]) == (3, ["attempt 'w r first 1' was begun 2 times"])


def test_a_history_with_a_gap_or_another_result_is_noticed() -> None:
    closing = api.HistoryEvent(event_id=3)
    closing.workflow_execution_completed_event_attributes.result.data = b'"done"'
    events = [api.HistoryEvent(event_id=1), closing]
    assert list(judges.judge_history(events, "done")) == ["event ids have gaps: [1, 3]"]
    assert "its result is" in list(judges.judge_history(events, "other"))[-1]
    assert "it did not complete once" in list(judges.judge_history(events[:1], "done"))[-1]


def test_a_store_that_does_not_agree_is_noticed(tmp_path: Path) -> None:
    (problem,) = asyncio.run(judges.judge_store(f"sqlite:///{tmp_path}/none.db", running=False))
    assert "there is no file" in problem
