"""The check of a store: a whole one passes, and damage of each kind is found."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tenuto_api import api
from tenuto_server.check.checker import STOPPED, Checker, Patience
from tenuto_server.check.command import check
from tenuto_server.check.findings import Finding, Kind, Report
from tenuto_server.cluster.shards import settle_shards
from tenuto_server.config.runtime import Runtime
from tenuto_server.history import storing
from tenuto_server.history.engine.state import RunState, encode
from tenuto_server.history.ownership import SPACE, ShardRow, decode_row, encode_row, shard_key
from tenuto_server.history.storing import CURRENT_KEY, StoredRun
from tenuto_server.persistence.domains import Domains
from tenuto_server.persistence.factory import open_store
from tenuto_server.persistence.interface import Row, Store, Table, TimerRow, VisibilityKey, VisibilityRecord, WriteBatch
from tenuto_server.persistence.rows import INT64_MAX, int_key, pack, unpack
from tenuto_server.visibility import tree
from tests.unit.history.process import DOMAIN_ID, World, story

# Beats every stamp that a history process gives here.
LATE = 1 << 60
OPEN, CLOSED, LOGGED = "open", "closed", "logged"


class Site:
    """What a crash left: a workflow at rest with its decision waiting, one with two closed runs, one just in the log."""

    def __init__(self, world: World, runs: dict[str, str]) -> None:
        self.store = world.store
        self.runtime = world.runtime
        self.runs = runs

    async def check(self, patience: Patience = STOPPED) -> Report:
        return await Checker(self.store, self.runtime, patience).run()

    async def row(self, table: Table, partition: str, key: bytes, value: bytes | None) -> None:
        await self.store.write(WriteBatch(rows=[Row(table, partition, key, value, LATE)]))

    def partition(self, workflow_id: str) -> str:
        return storing.workflow_partition(DOMAIN_ID, workflow_id)

    def history(self, workflow_id: str) -> str:
        return storing.history_partition_of(DOMAIN_ID, workflow_id, self.runs[workflow_id])

    async def change(self, workflow_id: str, change: Callable[[RunState], None]) -> None:
        """Changes the newest snapshot behind everybody's back."""
        (value,) = await self.store.read(Table.RUNS, self.partition(workflow_id), [CURRENT_KEY])
        assert value is not None
        state, stored = storing.read_run(value)
        change(state)
        changed = StoredRun(encode(state), stored.stored_next_id, stored.timer_ns, stored.tasks)
        await self.row(Table.RUNS, self.partition(workflow_id), CURRENT_KEY, pack(1, msgspec.msgpack.encode(changed)))

    async def listed(self, run_id: str) -> VisibilityRecord:
        page = await self.store.list_visibility(tree.everything(DOMAIN_ID), 100, b"")
        return next(record for record in page.records if record.run_id == run_id)

    async def timer(self) -> TimerRow:
        return (await self.store.scan_timers(0, INT64_MAX, None, 1))[0]

    async def shard(self) -> tuple[ShardRow, int]:
        found = await self.store.get(SPACE, shard_key(0))
        assert found is not None
        return decode_row(found.value), found.version


def at(told: Callable[[Site], Awaitable[None]]) -> None:
    """Runs a test's coroutine on what a crash left."""

    async def whole(w: World) -> None:
        await settle_shards(w.store, 1)
        await Domains(w.store).register(api.Domain(id=DOMAIN_ID, name="domain"))
        await w.start(CLOSED)
        await w.terminate(CLOSED)
        runs = {OPEN: await w.start(OPEN), CLOSED: await w.start(CLOSED)}
        await w.terminate(CLOSED)
        await w.written()
        runs[LOGGED] = await w.start(LOGGED)
        w.service.kill()
        # Nothing of it looks at the store any more, not even when the world ends.
        w.service.core.shards.clear()
        w.service.core.log = None
        await told(Site(w, runs))

    story(whole)


Damage = Callable[[Site], Awaitable[None]]
DAMAGES: list[tuple[str, Damage, Kind, str]] = []


def damage(kind: Kind, text: str) -> Callable[[Damage], Damage]:
    """A damage, and how it is found."""

    def note(one: Damage) -> Damage:
        DAMAGES.append((one.__name__, one, kind, text))
        return one

    return note


@damage(Kind.SHARD, "the run's shard has no row")
async def a_shard_row_is_gone(s: Site) -> None:
    _, version = await s.shard()
    await s.store.compare_and_set(SPACE, shard_key(0), None, version)


@damage(Kind.SHARD, "row '00000000' cannot be read")
async def a_shard_row_is_garbage(s: Site) -> None:
    _, version = await s.shard()
    await s.store.compare_and_set(SPACE, shard_key(0), b"\xff?", version)


@damage(Kind.SHARD, "there are 1 shards")
async def a_shard_too_many(s: Site) -> None:
    await s.store.compare_and_set(SPACE, shard_key(5), encode_row(ShardRow(1)), 0)


@damage(Kind.SHARD, "which counts for it, is not there")
async def the_log_is_gone(s: Site) -> None:
    await s.store.delete_log((await s.shard())[0].log_id)


@damage(Kind.SHARD, "counts for it up to row 900, and ends with")
async def the_end_of_a_former_log_is_gone(s: Site) -> None:
    row, version = await s.shard()
    taken = ShardRow(row.epoch + 1, "other", "", [(row.log_id, 900)])
    await s.store.compare_and_set(SPACE, shard_key(0), encode_row(taken), version)


@damage(Kind.LOG, "is missing")
async def a_log_row_is_gone(s: Site) -> None:
    log = s.store._logs[(await s.shard())[0].log_id]
    first = min(log.rows)
    log.rows[first + 1], log.rows[first + 2] = log.rows[first], log.rows[first]
    del log.rows[first + 1]


@damage(Kind.LOG, "cannot be read")
async def a_log_row_is_garbage(s: Site) -> None:
    log = s.store._logs[(await s.shard())[0].log_id]
    log.rows[min(log.rows)] = b"\x63"


@damage(Kind.DOMAIN, "its domain is not there")
async def the_domain_is_gone(s: Site) -> None:
    await Domains(s.store).delete("domain")


@damage(Kind.SNAPSHOT, "cannot be read")
async def a_snapshot_is_garbage(s: Site) -> None:
    await s.row(Table.RUNS, s.partition(OPEN), CURRENT_KEY, b"\x01\xc1")


@damage(Kind.SNAPSHOT, "stands in row")
async def a_snapshot_is_in_the_wrong_place(s: Site) -> None:
    (value,) = await s.store.read(Table.RUNS, s.partition(OPEN), [CURRENT_KEY])
    await s.row(Table.RUNS, s.partition(OPEN), b"rsomewhere", value)


@damage(Kind.VISIBILITY, "the run that it shows is not there")
async def a_snapshot_is_gone(s: Site) -> None:
    await s.row(Table.RUNS, s.partition(OPEN), CURRENT_KEY, None)


@damage(Kind.WORKFLOW, "2 runs are open")
async def two_runs_are_open(s: Site) -> None:
    (value,) = await s.store.read(Table.RUNS, s.partition(OPEN), [CURRENT_KEY])
    assert value is not None
    state, stored = storing.read_run(value)
    state.run_id = "another"
    changed = StoredRun(encode(state), stored.stored_next_id, stored.timer_ns, stored.tasks)
    await s.row(Table.RUNS, s.partition(OPEN), storing.run_key("another"), pack(1, msgspec.msgpack.encode(changed)))


@damage(Kind.WORKFLOW, "the open run is not the newest")
async def an_open_run_lost_its_place(s: Site) -> None:
    (value,) = await s.store.read(Table.RUNS, s.partition(OPEN), [CURRENT_KEY])
    await s.row(Table.RUNS, s.partition(OPEN), storing.run_key(s.runs[OPEN]), value)
    await s.row(Table.RUNS, s.partition(OPEN), CURRENT_KEY, None)


@damage(Kind.HISTORY, "the history ends with event")
async def a_history_is_gone(s: Site) -> None:
    for key, _ in await s.store.scan(Table.HISTORY, s.history(CLOSED), None, 10):
        await s.row(Table.HISTORY, s.history(CLOSED), key, None)


@damage(Kind.HISTORY, "the history ends with event")
async def the_end_of_a_history_is_gone(s: Site) -> None:
    ((key, value),) = await s.store.scan(Table.HISTORY, s.history(CLOSED), None, 10)
    frames = list(storing.split_frames(value[1:]))
    await s.row(Table.HISTORY, s.history(CLOSED), key, pack(1, b"".join(frames[:-1])))


@damage(Kind.HISTORY, "event 3 follows event 1")
async def an_event_is_gone(s: Site) -> None:
    ((key, value),) = await s.store.scan(Table.HISTORY, s.history(CLOSED), None, 10)
    frames = list(storing.split_frames(value[1:]))
    await s.row(Table.HISTORY, s.history(CLOSED), key, pack(1, frames[0]))
    await s.row(Table.HISTORY, s.history(CLOSED), int_key(3), pack(1, b"".join(frames[2:])))


@damage(Kind.HISTORY, "event 3 stands in the place of event 2")
async def an_event_is_left_out(s: Site) -> None:
    ((key, value),) = await s.store.scan(Table.HISTORY, s.history(CLOSED), None, 10)
    frames = list(storing.split_frames(value[1:]))
    await s.row(Table.HISTORY, s.history(CLOSED), key, pack(1, b"".join([frames[0], *frames[2:]])))


@damage(Kind.HISTORY, "event 2 is stored twice, and differs")
async def an_event_is_told_in_two_ways(s: Site) -> None:
    ((_, value),) = await s.store.scan(Table.HISTORY, s.history(CLOSED), None, 10)
    frames = list(storing.split_frames(value[1:]))
    await s.row(Table.HISTORY, s.history(CLOSED), int_key(2), pack(1, b"".join(frames[2:])))


@damage(Kind.HISTORY, "comes after the closing event")
async def something_follows_the_end(s: Site) -> None:
    ((key, value),) = await s.store.scan(Table.HISTORY, s.history(CLOSED), None, 10)
    frames = list(storing.split_frames(value[1:]))
    await s.row(Table.HISTORY, s.history(CLOSED), key, pack(1, b"".join([*frames, frames[-1]])))


@damage(Kind.HISTORY, "is stored, and the snapshot ends with")
async def a_history_goes_on_too_far(s: Site) -> None:
    ((_, value),) = await s.store.scan(Table.HISTORY, s.history(CLOSED), None, 10)
    await s.row(Table.HISTORY, s.history(CLOSED), int_key(50), value)


@damage(Kind.HISTORY, "cannot be read")
async def a_history_batch_is_garbage(s: Site) -> None:
    await s.row(Table.HISTORY, s.history(CLOSED), int_key(1), b"\x01garbage")


@damage(Kind.HISTORY, "signal_count is 7, by the history 0")
async def a_snapshot_counts_otherwise(s: Site) -> None:
    await s.change(OPEN, lambda state: setattr(state, "signal_count", 7))


@damage(Kind.HISTORY, "close_status is 1, by the history 4")
async def a_snapshot_ends_otherwise(s: Site) -> None:
    await s.change(CLOSED, lambda state: setattr(state, "close_status", 1))


@damage(Kind.SNAPSHOT, "the log does not follow the snapshot")
async def the_log_begins_too_late(s: Site) -> None:
    log = s.store._logs[(await s.shard())[0].log_id]
    log.trimmed = min(log.rows)
    step = unpack(log.rows.pop(log.trimmed))[1]
    steps = msgspec.msgpack.decode(step)
    for one in steps:
        one[5] += 3
    log.rows[log.trimmed + 1] = pack(1, msgspec.msgpack.encode(steps))


@damage(Kind.WAKING, "its timer should wake it")
async def a_snapshot_forgets_its_timer(s: Site) -> None:
    await s.change(OPEN, lambda state: setattr(state, "execution_timeout_s", 1))


@damage(Kind.TIMER, "which is to wake it, is missing")
async def a_timer_is_gone(s: Site) -> None:
    await s.store.write(WriteBatch(timers=[(await s.timer())._replace(live=False, stamp=LATE)]))


@damage(Kind.TIMER, "is left over")
async def a_timer_too_many(s: Site) -> None:
    timer = await s.timer()
    await s.store.write(WriteBatch(timers=[timer._replace(fire_ns=timer.fire_ns + 1)]))


@damage(Kind.TIMER, "wakes a run that is not there")
async def a_timer_of_nobody(s: Site) -> None:
    await s.store.write(WriteBatch(timers=[TimerRow(0, 5, storing.timer_key_of(DOMAIN_ID, "no", "body"), True, 1)]))


@damage(Kind.TASK, "1 of its 1 undispatched tasks are missing")
async def a_task_is_gone(s: Site) -> None:
    ((key, _),) = await s.store.scan(Table.TASKS, storing.tasks_partition(0), None, 10)
    await s.row(Table.TASKS, storing.tasks_partition(0), key, None)


@damage(Kind.TASK, "an undispatched task is left over")
async def a_task_too_many(s: Site) -> None:
    ((key, value),) = await s.store.scan(Table.TASKS, storing.tasks_partition(0), None, 10)
    await s.row(Table.TASKS, storing.tasks_partition(0), key + b"2", value)


@damage(Kind.VISIBILITY, "0 visibility records")
async def a_visibility_record_is_gone(s: Site) -> None:
    name = VisibilityKey(DOMAIN_ID, CLOSED, s.runs[CLOSED], LATE)
    await s.store.write(WriteBatch(visibility_deletes=[name]))


@damage(Kind.VISIBILITY, "visibility shows close_status 0")
async def a_visibility_record_is_old(s: Site) -> None:
    record = replace(await s.listed(s.runs[CLOSED]), close_status=0, stamp=LATE)
    await s.store.write(WriteBatch(visibility=[record]))


@damage(Kind.VISIBILITY, "the run that it shows is not there")
async def a_visibility_record_of_nobody(s: Site) -> None:
    record = replace(await s.listed(s.runs[CLOSED]), run_id="nobody", stamp=1)
    await s.store.write(WriteBatch(visibility=[record]))


def test_what_a_crash_leaves_is_whole() -> None:
    async def told(s: Site) -> None:
        report = await s.check()
        assert report.findings == []
        assert report.looked_at["workflows"] == 3 and report.looked_at["runs"] == 3
        assert report.looked_at["tasks"] == 1 and report.looked_at["visibility records"] == 3

    at(told)


@pytest.mark.parametrize(("one", "kind", "text"), [case[1:] for case in DAMAGES], ids=[case[0] for case in DAMAGES])
@pytest.mark.parametrize("patience", [STOPPED, Patience(2, 1.0)], ids=["stopped", "running"])
def test_damage_is_found(one: Damage, kind: Kind, text: str, patience: Patience) -> None:
    async def told(s: Site) -> None:
        await one(s)
        report = await s.check(patience)
        assert [finding for finding in report.findings if finding.kind is kind and text in finding.text], report.text()
        assert report.problems

    at(told)


def test_what_mends_itself_while_a_cluster_runs_does_not_count() -> None:
    async def told(s: Site) -> None:
        timer = await s.timer()
        await s.store.write(WriteBatch(timers=[timer._replace(live=False, stamp=LATE)]))

        async def mend() -> None:
            await asyncio.sleep(1.5)
            await s.store.write(WriteBatch(timers=[timer._replace(stamp=LATE + 1)]))

        mending = asyncio.get_running_loop().create_task(mend())
        assert (await s.check(Patience(3, 1.0))).findings == []
        await mending

    at(told)


def test_what_a_crash_left_behind_is_a_notice() -> None:
    async def told(s: Site) -> None:
        await s.store.create_log("history/forgotten")
        await s.row(Table.HISTORY, storing.history_partition_of(DOMAIN_ID, OPEN, "fork"), int_key(1), b"\x01")
        report = await s.check()
        assert (report.problems, report.notices) == (0, 2)
        assert {finding.kind for finding in report.findings} == {Kind.LOG, Kind.HISTORY}

    at(told)


def test_stretches_of_a_history_may_overlap() -> None:
    async def told(s: Site) -> None:
        ((_, value),) = await s.store.scan(Table.HISTORY, s.history(CLOSED), None, 10)
        frames = list(storing.split_frames(value[1:]))
        await s.row(Table.HISTORY, s.history(CLOSED), int_key(2), pack(1, b"".join(frames[1:])))
        assert (await s.check()).findings == []

    at(told)


def test_a_run_that_is_being_deleted_is_left_alone() -> None:
    async def told(w: World) -> None:
        await settle_shards(w.store, 1)
        await Domains(w.store).register(api.Domain(id=DOMAIN_ID, name="domain"))
        run_id = await w.start()
        await w.terminate()
        await w.written()
        assert await w.delete(run_id)
        w.service.kill()
        assert (await Checker(w.store, w.runtime).run()).findings == []

    story(told)


def test_a_report_counts_what_it_does_not_keep() -> None:
    report = Report(2)
    report.add([Finding(Kind.LOG, f"text {number}") for number in range(5)])
    report.add([Finding(Kind.HISTORY, "left", "d", "w", "r", 3, is_notice=True)])
    assert report.text().splitlines() == [
        "PROBLEM log: text 0", "PROBLEM log: text 1", "... and 4 more", "5 problems and 1 notices in an empty store",
    ]  # fmt: skip
    told = json.loads(report.json())
    assert (told["problems"], told["notices"], len(told["findings"])) == (5, 1, 2)


async def _fill(url: str, fill: Callable[[Store], Awaitable[None]]) -> None:
    store = open_store(url, Runtime(random=random.Random(1)))
    await store.open()
    await fill(store)
    await store.close()


def test_the_command_says_what_it_found(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"

    async def empty(store: Store) -> None:
        await settle_shards(store, 4)

    asyncio.run(_fill(url, empty))
    good = CliRunner().invoke(check, ["--store", url])
    assert (good.exit_code, good.output) == (0, "0 problems and 0 notices in 4 shards\n")

    async def spoil(store: Store) -> None:
        await store.compare_and_set(SPACE, shard_key(2), encode_row(ShardRow(1, "a", "lost")), 0)

    asyncio.run(_fill(url, spoil))
    bad = CliRunner().invoke(check, ["--store", url, "--json"])
    assert bad.exit_code == 1
    (finding,) = json.loads(bad.output)["findings"]
    assert (finding["kind"], finding["shard"]) == ("shard", 2)


def test_the_command_makes_no_file(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    done = CliRunner().invoke(check, ["--store", f"sqlite:///{missing}"])
    assert done.exit_code == 1 and "there is no file" in done.output
    assert not missing.exists()
    assert CliRunner().invoke(check, ["--store", "nothing://x"]).exit_code == 1
