"""The benchmarks run, and their figures make sense; how good they are is not for a test to say."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.benchmarks import scale
from tests.benchmarks.__main__ import measure_one
from tests.benchmarks.layers import LOOP, shares
from tests.benchmarks.loads import Kind, Load, Result
from tests.benchmarks.process import cpu_seconds, memory_megabytes
from tests.benchmarks.report import Setup, Start, budgets_table, loads_table, yardstick_table
from tests.e2e.server import ServerProcess

LOAD = Load("one activity", Kind.WORKFLOW, 5, 1)


@pytest.mark.parametrize("client", ["raw", "plain", "sdk"])
def test_a_load_is_measured(tmp_path: Path, client: str) -> None:
    with ServerProcess(tmp_path) as server:
        asyncio.run(server.up())
        result = measure_one(LOAD, client, server.address, server.pid, "default", 0.2)
    assert result.count >= LOAD.at_once
    assert 0 < result.p50_ms <= result.p99_ms
    assert result.server_cpu_ms is not None
    assert result.client_cpu_ms > 0


def test_cpu_and_memory_of_this_process_are_seen() -> None:
    before = cpu_seconds(1)
    assert before >= 0.0
    assert memory_megabytes(1) > 0


def test_tables_compare_with_the_first_setup_and_with_the_budget() -> None:
    load = Load("one activity", Kind.WORKFLOW, 50, 1)
    results = {
        load: {
            Setup("grpc", "raw"): Result(100, 100.0, 20.0, 40.0, 9.0, 4.0),
            Setup("pyvoy", "raw"): Result(150, 150.0, 10.0, 30.0, 4.5, 4.0),
        }
    }
    header, _, first, second = loads_table(results).splitlines()
    assert header.split()[:3] == ["load", "server,", "client"]
    assert first.split() == "one activity, 50 at once grpc, raw 100 100 1.00 20.0 1.00 40.0 9.00 1.00 4.00".split()
    assert second.split() == "pyvoy, raw 150 150 1.50 10.0 0.50 30.0 4.50 0.50 4.00".split()
    budgets = budgets_table(results, {"grpc": Start(0.5, 75.0, 150.0)}).splitlines()
    assert budgets[2].split()[-3:] == ["9.00", "9.0", "1.00"]
    assert budgets[-1].split()[-3:] == ["150.00", "-", "-"]
    calls = yardstick_table(results, 500.0, 400.0).splitlines()
    assert [row.split()[-2:] for row in calls[-2:]] == [["18.0", "10.0"], ["9.0", "10.0"]]


def test_samples_belong_to_their_innermost_layer() -> None:
    lines = [
        "run (asyncio/runners.py:1);serve (tenuto_server/transport/grpc_acceptor.py:2);go (tenuto_server/frontend/polls.py:3) 2",
        "run (asyncio/runners.py:1);handle (tenuto_server/history/service.py:2);loads (json/decoder.py:3) 1",
        "run (asyncio/runners.py:1) 5",
    ]
    assert shares(lines) == [(LOOP, 0.625), ("frontend", 0.25), ("history: log, shards, handlers", 0.125)]


def test_sleepers_are_measured_and_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    arguments = "sleepers --store sqlite --count 200 --samples 10 --soon 10 --soon-s 6 --shards 4 --in-flight 50 --no-standby"
    found = scale.main([*arguments.split(), "--json", str(file)])["sleepers"]
    assert found == json.loads(file.read_text())["sleepers"] | {
        name: found[name] for name in ("latencies_empty", "latencies_full")
    }
    assert found["count"] == 200
    assert 0 < found["in_memory"] < 100
    assert found["memory_full_mb"] > 0
    assert len(found["latencies_empty"]) == len(found["latencies_full"]) == 3
    (takeover,) = found["takeovers"].values()
    assert 0 < takeover["first_s"] <= takeover["all_s"]
    assert found["fired"] == 10


@pytest.mark.parametrize("kind", ["decision", "activity"])
def test_a_backlog_goes_out_once(kind: str) -> None:
    arguments = f"backlog --store sqlite --count 300 --pollers 10 --shards 4 --in-flight 50 --kinds {kind}"
    found = scale.main(arguments.split())[f"backlog of {kind} tasks"]
    assert found["waiting"] == 300
    assert (found["lost"], found["duplicates"], found["left"]) == (0, 0, 0)
