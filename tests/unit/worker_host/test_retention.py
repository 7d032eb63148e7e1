"""Retention over a real history process, with a clock that the test moves by days."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration

from tenuto_api import api
from tenuto_server.archival import archive
from tenuto_server.archival.places import Places
from tenuto_server.persistence.domains import Domains
from tenuto_server.visibility import tree
from tenuto_server.worker_host.retention import Retention, RetentionSettings
from tests.unit.history.process import DOMAIN_ID, World, story

DAY_NS = 86_400 * 10**9
SETTINGS = RetentionSettings(page=2, pause=0.01)


async def domain(w: World, days: int = 1, **settings: Any) -> None:
    """Registers the domain, or changes its settings."""
    made = api.Domain(
        id=DOMAIN_ID, name="domain", workflow_execution_retention_period=Duration(seconds=days * 86_400), **settings
    )
    registry = w.service.core.domains.registry
    if await registry.get("domain") is None:
        await registry.register(made)
    else:
        await registry.update("domain", lambda _: made)


async def retention(w: World, holder: str = "one") -> Retention:
    return Retention(
        store=w.store, network=w.network.endpoint(), router=w.router, runtime=w.runtime, settings=SETTINGS, holder=holder
    )


async def closed(w: World, *workflow_ids: str) -> dict[str, str]:
    """Closed runs by workflow id, written down."""
    runs = {}
    for workflow_id in workflow_ids:
        runs[workflow_id] = await w.start(workflow_id)
        await w.terminate(workflow_id)
    await w.written()
    return runs


def test_a_closed_run_is_deleted_when_its_retention_is_over_and_not_before() -> None:
    async def told(w: World) -> None:
        await domain(w)
        runs = await closed(w, *(f"w{n}" for n in range(5)))
        opened = await w.start("open")
        await w.written()
        one = await retention(w)
        w.now_ns += DAY_NS - 1
        assert await one.sweep() == 0
        w.now_ns += 1
        assert await one.sweep() == 5
        await w.written()
        assert await w.listed() == {opened}
        for workflow_id, run_id in runs.items():
            assert w.remains(run_id, workflow_id) == [] and not await w.is_there(run_id, workflow_id)
        assert await w.is_there(opened, "open")
        assert await one.sweep() == 0

    story(told)


def test_a_change_of_the_retention_counts_for_runs_that_close_later() -> None:
    async def told(w: World) -> None:
        await domain(w, days=3)
        await closed(w, "three")
        await domain(w, days=1)
        await closed(w, "one")
        one = await retention(w)
        w.now_ns += DAY_NS
        assert await one.sweep() == 1
        await w.written()
        assert await w.is_there(workflow_id="three") and not await w.is_there(workflow_id="one")
        w.now_ns += 2 * DAY_NS
        assert await one.sweep() == 1
        assert not await w.is_there(workflow_id="three")

    story(told)


def test_one_worker_host_at_a_time_looks_after_a_domain() -> None:
    async def told(w: World) -> None:
        await domain(w)
        await closed(w, "a")
        one, other = await retention(w, "one"), await retention(w, "other")
        w.now_ns += DAY_NS
        assert await one.sweep() == 1
        await closed(w, "b")
        w.now_ns += DAY_NS - 1
        assert await one._lease(DOMAIN_ID)
        w.now_ns += 1
        assert await other.sweep() == 0
        w.now_ns += int(SETTINGS.lease * 10**9)
        assert await other.sweep() == 1

    story(told)


def test_a_run_is_archived_before_it_goes(tmp_path: Path) -> None:
    async def told(w: World) -> None:
        uri = f"file://{tmp_path}/archive"
        status = api.ARCHIVAL_STATUS_ENABLED
        await domain(
            w,
            history_archival_status=status,
            history_archival_uri=uri,
            visibility_archival_status=status,
            visibility_archival_uri=uri,
        )
        runs = await closed(w, "a/../b", "c")
        one = await retention(w)
        w.now_ns += DAY_NS
        assert await one.sweep() == 2
        place = Places().at(uri)
        for workflow_id, run_id in runs.items():
            page = await archive.read_history(place, DOMAIN_ID, workflow_id, run_id, 1, 100)
            assert page is not None and [event.event_id for event in page.events] == [1, 2, 3] and page.next_id == 0
            assert await archive.read_history(place, DOMAIN_ID, "another", run_id, 1, 100) is None
        records, token = await archive.list_records(place, tree.everything(DOMAIN_ID), 10, b"")
        assert {record.run_id for record in records} == set(runs.values()) and token == b""

    story(told, real=True)


def test_a_run_that_cannot_be_archived_stays(tmp_path: Path) -> None:
    async def told(w: World) -> None:
        (tmp_path / "archive").write_text("a file where a folder should be")
        uri = f"file://{tmp_path}/archive"
        await domain(w, history_archival_status=api.ARCHIVAL_STATUS_ENABLED, history_archival_uri=uri)
        runs = await closed(w, "a")
        one = await retention(w)
        w.now_ns += DAY_NS
        assert await one.sweep() == 0
        assert await w.is_there(runs["a"], "a")
        (tmp_path / "archive").unlink()
        assert await one.sweep() == 1
        assert not await w.is_there(runs["a"], "a")

    story(told, real=True)


def test_domains_are_looked_at_by_what_the_store_says() -> None:
    async def told(w: World) -> None:
        assert await Domains(w.store).list("", 10) == []
        one = await retention(w)
        assert await one.sweep() == 0

    story(told)
