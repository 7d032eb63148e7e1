"""Rows and timers of which the newest timestamp wins."""

from __future__ import annotations

import itertools
import random

import pytest

from tenuto_server.persistence.interface import HistoryDrop, Row, Store, Table, TimerRow, WriteBatch


def batch(*rows: Row) -> WriteBatch:
    return WriteBatch(rows=list(rows))


def row(key: bytes, value: bytes | None, stamp: int = 1, partition: str = "p", table: Table = Table.RUNS) -> Row:
    return Row(table, partition, key, value, stamp)


def timer(fire_ns: int, key: bytes = b"k", live: bool = True, stamp: int = 1, shard: int = 7) -> WriteBatch:
    return WriteBatch(timers=[TimerRow(shard, fire_ns, key, live, stamp)])


async def value(store: Store, key: bytes = b"k") -> bytes | None:
    (found,) = await store.read(Table.RUNS, "p", [key])
    return found


async def test_values_are_read_in_the_order_asked_with_none_for_what_is_not_there(store: Store) -> None:
    await store.write(batch(row(b"a", b"1"), row(b"b", b"2"), row(b"c", b"")))
    assert await store.read(Table.RUNS, "p", [b"c", b"x", b"a", b"a"]) == [b"", None, b"1", b"1"]
    assert await store.read(Table.RUNS, "p", []) == []
    assert await store.read(Table.RUNS, "other", [b"a"]) == [None]


async def test_many_keys_are_read_at_once(store: Store) -> None:
    await store.write(batch(*[row(b"%04d" % n, b"v%d" % n) for n in range(300)]))
    asked = [b"%04d" % n for n in range(299, -1, -1)]
    assert await store.read(Table.RUNS, "p", asked) == [b"v%d" % n for n in range(299, -1, -1)]


async def test_tables_and_partitions_do_not_mix(store: Store) -> None:
    await store.write(batch(*[row(b"k", table.value.encode(), table=table) for table in Table], row(b"k", b"q", partition="q")))
    for table in Table:
        assert await store.read(table, "p", [b"k"]) == [table.value.encode()]
        assert await store.scan(table, "p", None, 10) == [(b"k", table.value.encode())]
    assert await store.read(Table.RUNS, "q", [b"k"]) == [b"q"]


VALUE_WRITES = (
    row(b"k", b"one", 1),
    row(b"k", b"two", 2),
    row(b"k", None, 2),
    row(b"k", b"three", 3),
    row(b"k", None, 3),
)


@pytest.mark.parametrize("several_batches", [True, False])
@pytest.mark.parametrize("count", [2, 3, 4])
async def test_the_newest_wins_in_whatever_order_writes_arrive(store: Store, count: int, several_batches: bool) -> None:
    """All orders of all selections: the highest stamp decides, and of one stamp the deletion."""
    for number, order in enumerate(itertools.permutations(VALUE_WRITES, count)):
        writes = [one._replace(partition=f"p{number}") for one in order]
        for some in [batch(one) for one in writes] if several_batches else [batch(*writes)]:
            await store.write(some)
        newest = max(one.stamp for one in writes)
        values = [one.value for one in writes if one.stamp == newest]
        expected = None if None in values else values[0]
        assert await store.read(Table.RUNS, f"p{number}", [b"k"]) == [expected], order
        scanned = await store.scan(Table.RUNS, f"p{number}", None, 10)
        assert scanned == ([] if expected is None else [(b"k", expected)]), order


async def test_a_late_write_does_not_bring_back_what_was_deleted(store: Store) -> None:
    await store.write(batch(row(b"k", None, 5)))
    await store.write(batch(row(b"k", b"late", 4)))
    assert await value(store) is None
    await store.write(batch(row(b"k", b"new", 6)))
    assert await value(store) == b"new"


async def test_the_same_write_again_changes_nothing(store: Store) -> None:
    for _ in range(3):
        await store.write(batch(row(b"k", b"v", 5), row(b"l", None, 5)))
    assert await store.scan(Table.RUNS, "p", None, 10) == [(b"k", b"v")]


async def test_stamps_may_be_large(store: Store) -> None:
    top = (1 << 63) - 1
    await store.write(batch(row(b"k", b"last", top)))
    await store.write(batch(row(b"k", b"before", top - 1)))
    assert await value(store) == b"last"


async def test_scanning_with_bounds_and_limits(store: Store) -> None:
    keys = [b"", b"\x00", b"\x00\x00", b"a", b"a\x00", b"b", b"\xff", b"\xff\xff"]
    shuffled = random.Random(3).sample(keys, len(keys))
    await store.write(batch(*[row(key, b"v" + key) for key in shuffled], row(b"z", b"no", partition="q")))

    async def scan(after: bytes | None, limit: int, until: bytes | None = None) -> list[bytes]:
        found = await store.scan(Table.RUNS, "p", after, limit, until)
        assert all(held == b"v" + key for key, held in found)
        return [key for key, _ in found]

    assert await scan(None, 100) == keys
    assert await scan(None, 3) == keys[:3]
    assert await scan(b"", 100) == keys[1:]
    assert await scan(b"a", 2) == [b"a\x00", b"b"]
    assert await scan(b"aa", 100, b"\xff") == [b"b"]
    assert await scan(None, 100, b"a") == keys[:3]
    assert await scan(None, 0) == []
    assert await scan(b"b", 100, b"a") == []
    assert await store.scan(Table.RUNS, "nowhere", None, 10) == []


@pytest.mark.parametrize("table", [Table.RUNS, Table.HISTORY])
@pytest.mark.parametrize("limit", [1, 3, 10, 100])
async def test_every_partition_is_listed_once(store: Store, table: Table, limit: int) -> None:
    names = {f"d/{number}" for number in range(9)} | {"ä/%2F"}
    await store.write(batch(*[row(b"%d" % n, b"v", partition=name, table=table) for name in names for n in range(3)]))
    other = Table.HISTORY if table is Table.RUNS else Table.RUNS
    await store.write(batch(row(b"k", b"v", partition="other", table=other)))
    listed: list[str] = []
    token = b""
    while True:
        page, token = await store.list_partitions(table, token, limit)
        assert len(page) <= limit
        listed += page
        if not token:
            break
    assert sorted(listed) == sorted(names)


async def test_scanning_in_pages_leaves_out_what_is_deleted(store: Store) -> None:
    await store.write(batch(*[row(b"%03d" % n, b"v") for n in range(100)]))
    await store.write(batch(*[row(b"%03d" % n, None, 2) for n in range(0, 100, 2)]))
    found: list[bytes] = []
    after = None
    while page := await store.scan(Table.RUNS, "p", after, 7):
        found += [key for key, _ in page]
        after = page[-1][0]
    assert found == [b"%03d" % n for n in range(1, 100, 2)]


async def test_keys_and_partitions_of_any_characters(store: Store) -> None:
    partitions = ["", "/", "a/b", "a\0b", "a\0", "ä", "日本", "\U0001f600", "x" * 1000, "%", "'\"--;"]
    await store.write(batch(*[row(b"k\x00\xff'", name.encode(), partition=name) for name in partitions]))
    for name in partitions:
        assert await store.read(Table.RUNS, name, [b"k\x00\xff'", b"k"]) == [name.encode(), None]


async def test_large_values(store: Store) -> None:
    large = random.Random(2).randbytes(1 << 20)
    await store.write(batch(row(b"k", large)))
    assert await value(store) == large


async def test_large_batches(store: Store) -> None:
    await store.write(batch(*[row(b"%04d" % n, b"v%d" % n, table=Table.HISTORY) for n in range(1000)]))
    assert len(await store.scan(Table.HISTORY, "p", None, 10_000)) == 1000
    await store.write(batch(*[row(b"%04d" % n, None, 2, table=Table.HISTORY) for n in range(999)]))
    assert await store.scan(Table.HISTORY, "p", None, 10_000) == [(b"0999", b"v999")]


# --- histories removed as a whole -------------------------------------------------------------------------------------
async def test_a_history_is_removed_as_a_whole_with_what_arrives_late(store: Store) -> None:
    history = [row(b"%d" % n, b"v%d" % n, stamp=n, table=Table.HISTORY) for n in range(1, 6)]
    await store.write(batch(*history, row(b"1", b"other", partition="q", table=Table.HISTORY), row(b"1", b"run")))
    await store.write(WriteBatch(history_drops=[HistoryDrop("p", 3)]))
    assert await store.scan(Table.HISTORY, "p", None, 10) == [(b"4", b"v4"), (b"5", b"v5")]
    await store.write(batch(*history, row(b"9", b"late", 3, table=Table.HISTORY), row(b"8", b"new", 4, table=Table.HISTORY)))
    assert await store.scan(Table.HISTORY, "p", None, 10) == [(b"4", b"v4"), (b"5", b"v5"), (b"8", b"new")]
    await store.write(WriteBatch(history_drops=[HistoryDrop("p", 2), HistoryDrop("p", 9), HistoryDrop("nowhere", 9)]))
    assert await store.scan(Table.HISTORY, "p", None, 10) == []
    assert await store.read(Table.HISTORY, "p", [b"1", b"5", b"8"]) == [None, None, None]
    assert await store.scan(Table.HISTORY, "q", None, 10) == [(b"1", b"other")]
    assert await store.scan(Table.RUNS, "p", None, 10) == [(b"1", b"run")]
    await store.write(batch(row(b"1", b"again", 10, table=Table.HISTORY)))
    assert await store.read(Table.HISTORY, "p", [b"1"]) == [b"again"]


async def test_an_empty_batch(store: Store) -> None:
    await store.write(WriteBatch())


# --- timers -----------------------------------------------------------------------------------------------------------
async def fired(
    store: Store, until_ns: int = 10**18, after: tuple[int, bytes] | None = None, limit: int = 100
) -> list[tuple[int, bytes]]:
    found = await store.scan_timers(7, until_ns, after, limit)
    assert all(one.shard == 7 and one.live for one in found)
    return [(one.fire_ns, one.key) for one in found]


async def test_timers_come_in_order_of_time_then_key(store: Store) -> None:
    names = [(30, b"a"), (10, b"b"), (10, b"a"), (20, b""), (10, b"a\x00"), (1 << 62, b"far")]
    for fire_ns, key in names:
        await store.write(timer(fire_ns, key))
    await store.write(timer(5, b"other", shard=8))
    assert await fired(store, 1 << 62) == sorted(names)
    assert await fired(store, 20) == [(10, b"a"), (10, b"a\x00"), (10, b"b"), (20, b"")]
    assert await fired(store, 9) == []
    assert await fired(store, 1 << 62, (10, b"a"), 2) == [(10, b"a\x00"), (10, b"b")]
    assert await fired(store, 1 << 62, (20, b"")) == [(30, b"a"), (1 << 62, b"far")]
    assert await fired(store, 1 << 62, None, 1) == [(10, b"a")]
    assert await fired(store, 1 << 62, None, 0) == []


async def test_timers_tell_their_stamp(store: Store) -> None:
    await store.write(timer(10, b"a", stamp=42))
    assert await store.scan_timers(7, 10, None, 10) == [TimerRow(7, 10, b"a", True, 42)]


async def test_the_newest_of_a_timer_wins_in_whatever_order(store: Store) -> None:
    writes = [(True, 1), (False, 1), (True, 2), (False, 3), (True, 4)]
    for number, order in enumerate(itertools.permutations(writes, 3)):
        for live, stamp in order:
            await store.write(timer(number, b"k", live, stamp))
        newest = max(stamp for _, stamp in order)
        lives = all(live for live, stamp in order if stamp == newest)
        found = await store.scan_timers(7, number, (number - 1, b"\xff"), 10)
        assert found == ([TimerRow(7, number, b"k", True, newest)] if lives else []), order


async def test_many_timers_at_once(store: Store) -> None:
    await store.write(WriteBatch(timers=[TimerRow(7, n, b"k", True, 1) for n in range(500)]))
    await store.write(WriteBatch(timers=[TimerRow(7, n, b"k", n % 3 == 0, 2) for n in range(500)]))
    assert await fired(store, 1000, None, 1000) == [(n, b"k") for n in range(0, 500, 3)]
