"""Random sequences of calls against the plainest model of a store: everything ever written, judged on reading."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto_server.persistence.interface import (
    HistoryDrop,
    LogRow,
    Row,
    Sealed,
    Store,
    Table,
    TimerRow,
    Versioned,
    VisibilityKey,
    VisibilityRecord,
    WriteBatch,
)
from tenuto_server.visibility.tree import everything, open_or_closed
from tests.conformance.conftest import NewStore
from tests.conformance.test_visibility import record, records_of

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

KEYS = [b"", b"\x00", b"a", b"a\x00", b"b", b"\xff"]
keys = st.sampled_from(KEYS)
stamps = st.integers(1, 4)
PLACES = [(Table.RUNS, "p"), (Table.RUNS, "q"), (Table.TASKS, "p"), (Table.HISTORY, "p")]


@dataclass
class Model:
    """All writes by name: of each the newest counts, and of one stamp a deletion (None)."""

    writes: dict[object, list[tuple[int, object]]] = field(default_factory=dict)

    def write(self, name: object, stamp: int, value: object) -> None:
        self.writes.setdefault(name, []).append((stamp, value))

    def read(self, name: object) -> object:
        newest = max((stamp for stamp, _ in self.writes.get(name, [])), default=0)
        values = [value for stamp, value in self.writes.get(name, []) if stamp == newest]
        return values[0] if values and None not in values else None

    def living(self) -> dict[object, object]:
        return {name: value for name in self.writes if (value := self.read(name)) is not None}


@st.composite
def batches(draw: st.DrawFn) -> list[WriteBatch]:
    """Batches in which a name and a stamp always have the same value, as the interface asks of its writers."""
    made = []
    for _ in range(draw(st.integers(1, 6))):
        batch = WriteBatch()
        for _ in range(draw(st.integers(0, 5))):
            table, partition = draw(st.sampled_from(PLACES))
            key, stamp = draw(keys), draw(stamps)
            value = None if draw(st.booleans()) else b"%s %s %d" % (partition.encode(), key, stamp)
            batch.rows.append(Row(table, partition, key, value, stamp))
        if draw(st.integers(0, 3)) == 0:
            batch.history_drops.append(HistoryDrop("p", draw(stamps)))
        for _ in range(draw(st.integers(0, 3))):
            fire_ns = draw(st.integers(1, 3))
            batch.timers.append(TimerRow(draw(st.integers(0, 1)), fire_ns, draw(keys), draw(st.booleans()), draw(stamps)))
        for _ in range(draw(st.integers(0, 3))):
            run_id, stamp = draw(st.sampled_from("abcd")), draw(stamps)
            if draw(st.booleans()):
                batch.visibility_deletes.append(VisibilityKey("domain", "w", run_id, stamp))
            else:
                batch.visibility.append(
                    record(run_id, stamp, workflow_id="w", close_ns=10 * (stamp % 2), close_status=stamp % 2, stamp=stamp)
                )
        made.append(batch)
    return made


@few
@given(all_batches=batches(), together=st.booleans())
def test_rows_timers_and_visibility(new_store: NewStore, all_batches: list[WriteBatch], together: bool) -> None:
    if new_store.enough("test_rows_timers_and_visibility"):
        return
    rows, timers, runs = Model(), Model(), Model()
    for batch in all_batches:
        for one in batch.rows:
            rows.write((one.table, one.partition, one.key), one.stamp, one.value)
        for drop in batch.history_drops:
            for key in KEYS:
                rows.write((Table.HISTORY, drop.partition, key), drop.stamp, None)
        for timer in batch.timers:
            timers.write((timer.shard, timer.fire_ns, timer.key), timer.stamp, timer if timer.live else None)
        for run in batch.visibility:
            runs.write(run.run_id, run.stamp, run)
        for gone in batch.visibility_deletes:
            runs.write(gone.run_id, gone.stamp, None)

    async def check() -> None:
        store = new_store()
        await store.open()
        if together:
            await asyncio.gather(*[store.write(batch) for batch in all_batches])
        else:
            for batch in all_batches:
                await store.write(batch)
        found_rows = {
            (table, partition, key): value
            for table in Table
            for partition in ("p", "q")
            for key, value in await store.scan(table, partition, None, 100)
        }
        found_timers = [timer for shard in (0, 1) for timer in await store.scan_timers(shard, 10, None, 100)]
        found_runs: list[VisibilityRecord] = []
        for is_open in (True, False):
            found_runs += await records_of(store, open_or_closed("domain", is_open, 0, 100), 2)
        count = await store.count_visibility(everything("domain"))
        await store.close()
        assert found_rows == rows.living()
        assert found_timers == [timers.living()[name] for name in sorted(timers.living(), key=str_key)]
        assert {run.run_id: run for run in found_runs} == runs.living()
        assert len(found_runs) == count == len(runs.living())

    asyncio.run(check())


def str_key(name: object) -> tuple[int, int, bytes]:
    assert isinstance(name, tuple)
    return name


log_steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 8)),
        st.tuples(st.just("trim"), st.integers(0, 8)),
        st.tuples(st.just("read"), st.integers(0, 8)),
        st.tuples(st.sampled_from(["seal", "delete", "create"]), st.just(0)),
    ),
    max_size=25,
)


@dataclass
class LogModel:
    rows: set[int] = field(default_factory=set)
    sealed: bool = False
    trimmed: int = 0

    def read(self, after: int, limit: int) -> list[LogRow]:
        found: list[LogRow] = []
        seq = max(after, self.trimmed) + 1
        while seq in self.rows and len(found) < limit:
            found.append(LogRow(seq, b"%d" % seq))
            seq += 1
        return found


@few
@given(steps=log_steps)
def test_the_log(new_store: NewStore, steps: list[tuple[str, int]]) -> None:
    if new_store.enough("test_the_log"):
        return
    async def check() -> None:
        store = new_store()
        await store.open()
        names = 1
        model: LogModel | None = LogModel()
        await store.create_log("log 1")
        for step, number in steps:
            log_id = f"log {names}"
            if step == "append":
                assert await appends(store, log_id, number) == (model is not None and not model.sealed)
                if model is not None and not model.sealed:
                    model.rows.add(number)
            elif step == "trim":
                await store.trim_log(log_id, number)
                if model is not None:
                    model.trimmed = max(model.trimmed, number)
            elif step == "seal":
                await store.seal(log_id)
                if model is not None:
                    model.sealed = True
            elif step == "delete":
                await store.delete_log(log_id)
                model = None
            elif step == "create" and model is None:
                # The id of a log is new for ever.
                names += 1
                model = LogModel()
                await store.create_log(f"log {names}")
            log_id = f"log {names}"
            assert await store.read_log(log_id, number, 3) == (model.read(number, 3) if model is not None else [])
            assert await store.log_trimmed(log_id) == (model.trimmed if model is not None else 0)
            assert await store.list_logs() == ([log_id] if model is not None else [])
        await store.close()

    asyncio.run(check())


async def appends(store: Store, log_id: str, seq: int) -> bool:
    try:
        await store.append(log_id, seq, b"%d" % seq)
    except Sealed:
        return False
    return True


cas_steps = st.lists(
    st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.binary(max_size=3)), st.sampled_from([0, 1, 2, 3, -1, -1, -1])),
    max_size=25,
)


@few
@given(steps=cas_steps)
def test_compare_and_set(new_store: NewStore, steps: list[tuple[str, bytes | None, int]]) -> None:
    """An expected version of -1 stands for the right one."""
    if new_store.enough("test_compare_and_set"):
        return

    async def check() -> None:
        store = new_store()
        await store.open()
        model: dict[str, Versioned] = {}
        for key, value, expected in steps:
            version = model[key].version if key in model else 0
            if expected == -1:
                expected = version
            assert await store.compare_and_set("s", key, value, expected) == (expected == version)
            if expected == version and value is not None:
                model[key] = Versioned(key, value, version + 1)
            elif expected == version:
                model.pop(key, None)
            assert await store.get("s", key) == model.get(key)
            assert await store.list_rows("s", "a", 2) == [model[name] for name in sorted(model) if name > "a"][:2]
        await store.close()

    asyncio.run(check())
