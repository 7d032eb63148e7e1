"""The services as processes of their own, on one SQLite file: what the commands promise, whatever the store."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

from tenuto_api import api
from tests.e2e.cluster import Cluster, Falling, Node, get
from tests.e2e.raw import RawClient
from tests.e2e.server import can_connect, run_server
from tests.e2e.storm import Plan, run_storm
from tests.integration.transport.http_caller import call
from tests.ports import free_port


def test_services_are_killed_in_turn(tmp_path: Path) -> None:
    victims = ("history-0", "matching-0", "history-1", "worker-host-0", "frontend-0")
    cluster = Cluster(tmp_path, f"sqlite:///{tmp_path}/t.db")
    plan = Plan(40, len(victims), seed=11, life_s=(0.5, 1.5), early=0.0)
    report = asyncio.run(run_storm(plan, tmp_path, Falling(cluster, victims)))
    assert not report.problems, f"{report}\n{cluster.output()}"
    assert report.completed == plan.workflows


def test_services_are_stopped_in_turn_and_no_call_fails(tmp_path: Path) -> None:
    """History and matching leave and come back under load; clients see latency, no errors."""
    victims = ("history-0", "matching-0", "history-1")
    cluster = Cluster(tmp_path, f"sqlite:///{tmp_path}/t.db", acceptor="auto")
    plan = Plan(40, len(victims), seed=12, life_s=(0.5, 1.5), graceful=True)
    report = asyncio.run(run_storm(plan, tmp_path, Falling(cluster, victims)))
    assert not report.problems, f"{report}\n{cluster.output()}"
    assert report.completed == plan.workflows
    assert report.failed_calls == []


def test_several_processes_of_a_frontend_share_a_port_and_stop_together(tmp_path: Path) -> None:
    http = f"127.0.0.1:{free_port()}"
    settings = {"processes": 2, "public.http.address": http}
    counts = {"history": 1, "matching": 1, "frontend": 1}
    cluster = Cluster(tmp_path, f"sqlite:///{tmp_path}/t.db", counts, settings=settings)

    async def serve() -> None:
        await cluster.up()
        # Each client has a connection of its own, so that both processes get some.
        for _ in range(4):
            async with RawClient(cluster.address) as client:
                await client.call(api.DescribeDomainRequest(name="default"))
            assert (await call(http, "uber.cadence.api.v1.DomainAPI::DescribeDomain", {"name": "default"})).status == 200

    with cluster:
        asyncio.run(serve())
        for node in cluster.nodes.values():
            assert len(_children(node)) == 2, node.output()
        frontend = cluster.of("frontend")[0]
        os.kill(_children(frontend)[0], signal.SIGKILL)
        _until(lambda: frontend.output().count("frontend serves as") == 3)
        for node in cluster.nodes.values():
            assert node.terminate() == 0, node.output()
            assert "has stopped" in node.output()


def test_probes_tell_how_a_process_is(tmp_path: Path) -> None:
    """A frontend alone lives, but is not ready; with the others it is; one that stops is not, and serves on meanwhile."""
    cluster = Cluster(tmp_path, f"sqlite:///{tmp_path}/t.db", {"history": 1, "matching": 1, "frontend": 1})
    frontend = cluster.of("frontend")[0]
    frontend.settings["drain_delay"] = 2.0
    http = frontend.http
    with cluster:
        cluster.start([frontend.name])
        _until(lambda: "no history service is in the ring" in get(http, "/readyz")[1], 90)
        assert get(http, "/readyz")[0] == 503
        assert get(http, "/healthz")[0] == 200
        cluster.start()
        _until(lambda: get(http, "/readyz")[0] == 200, 90)
        for node in cluster.nodes.values():
            told = get(node.http, "/metrics")[1]
            assert "tenuto_" in told and "process_" in told, told[:2000]
        os.kill(frontend.pid, signal.SIGTERM)
        _until(lambda: "it is stopping" in get(http, "/readyz")[1])
        assert get(http, "/readyz")[0] == 503
        assert can_connect(cluster.address)
        assert frontend.terminate() == 0, frontend.output()
        assert get(http, "/healthz")[0] == 0


def _children(node: Node) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(node.pid)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def _until(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)  # tidy: allow blocking-sleep: the processes that are waited for are not of this loop


def test_what_is_wrong_with_settings_is_said(tmp_path: Path) -> None:
    config = tmp_path / "server.yaml"
    config.write_text("shards: many\ninternal: {port: 70000, prot: 1}\nmembership: {ttl: 1, announce: 2}\nhttp: 8088\n")
    outcome = run_server("history", "--config", str(config), "--set", "logs.level=loud")
    assert outcome.returncode == 1
    for field in ("shards", "internal.port", "internal.prot", "membership", "http", "logs.level"):
        assert f"{field}: " in outcome.stderr, outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_port_that_is_taken_and_a_store_that_is_none_are_said(tmp_path: Path) -> None:
    store = f"store=sqlite:///{tmp_path}/t.db"
    outcome = run_server("matching", "--set", "store=sqlight:///x")
    assert outcome.returncode == 1 and "no store is named by" in outcome.stderr and "Traceback" not in outcome.stderr
    with Node("matching", "first", {"store": store.partition("=")[2], "internal.port": (port := free_port())}, tmp_path) as first:
        first.start()
        _until(lambda: "serves as" in first.output())
        outcome = run_server("matching", "--set", store, "--set", f"internal.port={port}")
        assert outcome.returncode == 1 and "cannot listen" in outcome.stderr, outcome.stderr
