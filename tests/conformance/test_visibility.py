"""The visibility index: open and closed lists, filters, pages, updates and deletions."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from tenuto_server.persistence.interface import (
    Store,
    VisibilityKey,
    VisibilityPage,
    VisibilityRecord,
    WriteBatch,
)
from tenuto_server.visibility.tree import Query, everything, open_or_closed

COMPLETED = 1
FAILED = 2
EVER = (0, 1 << 62)


def record(run_id: str, start_ns: int = 100, **changes: object) -> VisibilityRecord:
    made = VisibilityRecord(
        domain_id="domain",
        workflow_id=f"workflow of {run_id}",
        run_id=run_id,
        workflow_type="Order",
        task_list="orders",
        start_ns=start_ns,
        execution_ns=start_ns,
        close_ns=0,
        close_status=0,
        history_length=2,
        is_cron=False,
        cron_schedule="",
        memo=b"",
        search_attributes=b"",
        parent_workflow_id="",
        parent_run_id="",
        update_ns=start_ns,
        expires_ns=0,
        stamp=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def closed(one: VisibilityRecord, close_ns: int, status: int = COMPLETED) -> VisibilityRecord:
    return replace(one, close_ns=close_ns, close_status=status, stamp=one.stamp + 1)


def key(one: VisibilityRecord, stamp: int) -> VisibilityKey:
    return VisibilityKey(one.domain_id, one.workflow_id, one.run_id, stamp)


async def put(store: Store, *records: VisibilityRecord) -> None:
    await store.write(WriteBatch(visibility=list(records)))


async def listed(
    store: Store, is_open: bool, earliest_ns: int = EVER[0], latest_ns: int = EVER[1], page_size: int = 100, **asked: object
) -> list[str]:
    """The run ids of all pages."""
    where = open_or_closed("domain", is_open, earliest_ns, latest_ns, **asked)  # type: ignore[arg-type]
    return [one.run_id for one in await records_of(store, where, page_size)]


async def records_of(store: Store, where: Query, page_size: int) -> list[VisibilityRecord]:
    found: list[VisibilityRecord] = []
    token = b""
    while True:
        page = await store.list_visibility(where, page_size, token)
        assert len(page.records) <= page_size
        found += page.records
        token = page.next_token
        if not token:
            return found
        assert len(page.records) == page_size


async def test_a_record_comes_back_as_it_was_written(store: Store) -> None:
    whole = record(
        "r",
        task_list="列",
        execution_ns=200,
        close_ns=1 << 60,
        close_status=FAILED,
        history_length=1 << 40,
        is_cron=True,
        cron_schedule="@every 5s",
        memo=b"\x00memo",
        search_attributes=bytes(range(256)),
        parent_workflow_id="parent\0",
        parent_run_id="parent run",
        update_ns=77,
        expires_ns=88,
        stamp=99,
    )
    await put(store, whole)
    page = await store.list_visibility(open_or_closed("domain", False, *EVER), 10, b"")
    assert page.records == [whole]
    assert page.next_token == b""


async def test_a_written_record_does_not_change_with_the_writers_object(store: Store) -> None:
    mine = record("r")
    await put(store, mine)
    mine.workflow_type = "changed"
    where = open_or_closed("domain", True, *EVER)
    (found,) = (await store.list_visibility(where, 10, b"")).records
    assert found.workflow_type == "Order"
    found.workflow_type = "changed too"
    (again,) = (await store.list_visibility(where, 10, b"")).records
    assert again.workflow_type == "Order"


async def test_open_lists_go_by_start_and_closed_ones_by_close_newest_first(store: Store) -> None:
    runs = [record(f"r{n}", start_ns=100 + n) for n in range(4)]
    await put(store, *runs, closed(record("c1", 1), 500), closed(record("c2", 2), 400))
    assert await listed(store, True) == ["r3", "r2", "r1", "r0"]
    assert await listed(store, False) == ["c1", "c2"]


async def test_both_ends_of_the_time_range_are_in(store: Store) -> None:
    await put(store, *[record(f"r{n}", start_ns=n) for n in range(1, 6)])
    await put(store, *[closed(record(f"c{n}", start_ns=1), n) for n in range(1, 6)])
    assert await listed(store, True, 2, 4) == ["r4", "r3", "r2"]
    assert await listed(store, False, 2, 4) == ["c4", "c3", "c2"]
    assert await listed(store, True, 3, 3) == ["r3"]
    assert await listed(store, True, 4, 3) == []
    assert await listed(store, True, -(1 << 63), (1 << 63) - 1) == ["r5", "r4", "r3", "r2", "r1"]


@pytest.mark.parametrize("is_open", [True, False])
async def test_every_filter_alone_and_together(store: Store, is_open: bool) -> None:
    runs = [
        record(
            f"run-{workflow}-{kind}-{status}-{n}",
            start_ns=n,
            workflow_id=workflow,
            workflow_type=kind,
            close_ns=0 if is_open else 1000 + n,
            close_status=0 if is_open else status,
        )
        for n, (workflow, kind, status) in enumerate(itertools.product(["w1", "w2"], ["A", "B"], [COMPLETED, FAILED]))
    ]
    await put(store, *runs)
    choices = itertools.product(["", "w1", "x"], ["", runs[2].run_id, "x"], ["", "A", "x"], [0, COMPLETED, 5])
    for workflow_id, run_id, workflow_type, close_status in choices:
        expected = [
            one.run_id
            for one in reversed(runs)
            if workflow_id in ("", one.workflow_id)
            and run_id in ("", one.run_id)
            and workflow_type in ("", one.workflow_type)
            and close_status in (0, one.close_status)
        ]
        found = await listed(
            store, is_open, page_size=3, workflow_id=workflow_id, run_id=run_id, workflow_type=workflow_type,
            close_status=close_status,
        )  # fmt: skip
        assert found == expected, (workflow_id, run_id, workflow_type, close_status)
    assert await listed(store, not is_open) == []


@pytest.mark.parametrize("page_size", [1, 2, 7, 100])
async def test_pages_hold_each_run_once_though_many_have_the_same_time(store: Store, page_size: int) -> None:
    runs = [record(f"run {n:03}", start_ns=n // 10) for n in range(60)]
    await put(store, *runs)
    found = await listed(store, True, page_size=page_size)
    assert sorted(found) == [one.run_id for one in runs]
    starts = {one.run_id: one.start_ns for one in runs}
    assert [starts[run_id] for run_id in found] == sorted(starts.values(), reverse=True)


async def test_a_page_that_is_just_full_has_a_token_and_an_empty_one_follows(store: Store) -> None:
    await put(store, *[record(f"r{n}", start_ns=n) for n in range(4)])
    where = open_or_closed("domain", True, *EVER)
    first = await store.list_visibility(where, 2, b"")
    assert first.next_token
    second = await store.list_visibility(where, 2, first.next_token)
    assert len(second.records) == 2
    assert await store.list_visibility(where, 2, second.next_token) == VisibilityPage([])
    assert (await store.list_visibility(where, 5, b"")).next_token == b""


async def test_runs_that_do_not_change_are_on_one_page_while_others_come_and_go(store: Store) -> None:
    runs = [record(f"run {n:03}", start_ns=n * 10) for n in range(40)]
    await put(store, *runs)
    where = open_or_closed("domain", True, *EVER)
    steady = [one for n, one in enumerate(runs) if n % 3]
    moving = [one for n, one in enumerate(runs) if n % 3 == 0]
    found: list[str] = []
    token = b""
    for step in itertools.count():
        page = await store.list_visibility(where, 3, token)
        found += [one.run_id for one in page.records]
        token = page.next_token
        if not token:
            break
        if step < len(moving):
            goes = moving[step]
            await put(store, closed(goes, 10_000), record(f"new {step}", start_ns=goes.start_ns + 1))
            await store.write(WriteBatch(visibility_deletes=[key(moving[-1 - step], 50)]))
    for one in steady:
        assert found.count(one.run_id) == 1
    assert len(found) == len(set(found))


@pytest.mark.parametrize("token", [b"x", b"\x01", b"\x01\xff\xff", b"\x00abc", b"\xff" * 40, b"\x01\x92\xa1a\xa1b"])
async def test_a_foreign_token_is_refused(store: Store, token: bytes) -> None:
    with pytest.raises(ValueError, match="token"):
        await store.list_visibility(open_or_closed("domain", True, *EVER), 10, token)


async def test_closing_moves_a_run_from_the_open_to_the_closed_list(store: Store) -> None:
    one = record("r", 100)
    await put(store, one)
    await put(store, closed(one, 200))
    assert await listed(store, True) == []
    assert await listed(store, False) == ["r"]
    assert await store.count_visibility(everything("domain")) == 1
    await put(store, one)
    assert await listed(store, True) == [], "a late write of the open state loses"
    assert await listed(store, False) == ["r"]


async def test_the_newest_wins_in_whatever_order_writes_arrive(store: Store) -> None:
    first = record("?", 100)
    writes: list[VisibilityRecord | int] = [
        first,
        closed(first, 200),
        2,
        replace(first, start_ns=300, stamp=3),
        4,
        replace(first, close_ns=9, stamp=5),
    ]
    for number, order in enumerate(itertools.permutations(writes, 3)):
        run_id = f"r{number}"
        for one in order:
            if isinstance(one, int):
                await store.write(WriteBatch(visibility_deletes=[VisibilityKey("domain", "w", run_id, one)]))
            else:
                await put(store, replace(one, run_id=run_id, workflow_id="w"))
        stamps = [one if isinstance(one, int) else one.stamp for one in order]
        newest = [one for one, stamp in zip(order, stamps, strict=True) if stamp == max(stamps)]
        deleted = any(isinstance(one, int) for one in newest)
        expected = None if deleted else newest[0]
        is_open = isinstance(expected, VisibilityRecord) and not expected.close_ns
        assert await listed(store, True, run_id=run_id) == ([run_id] if expected and is_open else []), order
        assert await listed(store, False, run_id=run_id) == ([run_id] if expected and not is_open else []), order


async def test_counting_sees_open_and_closed_runs_of_one_domain(store: Store) -> None:
    one = record("a")
    await put(store, one, closed(record("b"), 5), record("c", domain_id="other"))
    assert await store.count_visibility(everything("domain")) == 2
    await store.write(WriteBatch(visibility_deletes=[key(one, 1)]))
    assert await store.count_visibility(everything("domain")) == 1
    assert await store.count_visibility(everything("nowhere")) == 0


async def test_domains_do_not_mix(store: Store) -> None:
    await put(store, record("a"), record("b", domain_id="other"))
    assert await listed(store, True) == ["a"]


async def test_ids_of_any_characters(store: Store) -> None:
    names = ["a/b", "a\0b", "日本", "\U0001f600", "x" * 1000, "%_'"]
    await put(store, *[record(name, n, workflow_id=name, workflow_type=name) for n, name in enumerate(names)])
    for name in names:
        assert await listed(store, True, workflow_id=name) == [name]
        assert await listed(store, True, workflow_type=name, run_id=name) == [name]
    assert sorted(await listed(store, True, page_size=2)) == sorted(names)


async def test_many_records_at_once_and_large_ones(store: Store) -> None:
    large = bytes(1 << 20)
    await put(store, *[record(f"r{n}", n) for n in range(500)], record("large", 1000, memo=large))
    assert await store.count_visibility(everything("domain")) == 501
    page = await store.list_visibility(open_or_closed("domain", True, *EVER), 1, b"")
    assert page.records[0].memo == large


async def test_lists_while_others_write(store: Store) -> None:
    async def write() -> None:
        for n in range(30):
            await put(store, record(f"r{n}", n))
            await asyncio.sleep(0)

    async def read() -> None:
        for _ in range(10):
            found = await listed(store, True, page_size=4)
            assert found == sorted(found, key=lambda run_id: -int(run_id[1:]))
            await asyncio.sleep(0)

    await asyncio.gather(write(), read())
    assert len(await listed(store, True)) == 30


async def expired(store: Store, until_ns: int, limit: int = 100) -> list[str]:
    """The run ids of all pages."""
    found: list[str] = []
    after: tuple[int, str] | None = None
    while page := await store.list_expired("domain", until_ns, after, limit):
        assert len(page) <= limit
        found += [one.run_id for one in page]
        after = (page[-1].expires_ns, page[-1].run_id)
    return found


async def test_expired_runs_come_in_the_order_of_their_expiry(store: Store) -> None:
    runs = [record(f"r{n}", close_ns=50, close_status=COMPLETED, expires_ns=100 + n // 3) for n in range(9)]
    await put(store, record("open"), record("kept", close_ns=60, close_status=FAILED), *reversed(runs))
    await put(store, record("other", close_ns=1, close_status=FAILED, expires_ns=1, domain_id="another domain"))
    assert await expired(store, 99) == []
    assert await expired(store, 101) == [f"r{n}" for n in range(6)]
    for limit in (1, 2, 3, 100):
        assert await expired(store, 1 << 62, limit) == [f"r{n}" for n in range(9)]
    assert (await store.list_expired("domain", 100, None, 1))[0] == runs[0]
    assert await store.list_expired("domain", 100, None, 0) == []
    assert await store.list_expired("nowhere", 1 << 62, None, 10) == []


async def test_a_run_expires_as_its_newest_record_says_and_not_once_it_is_deleted(store: Store) -> None:
    run = record("r", close_ns=50, close_status=COMPLETED, expires_ns=100)
    await put(store, run)
    await put(store, replace(run, expires_ns=200, stamp=5))
    await put(store, replace(run, expires_ns=300, stamp=4))
    assert await expired(store, 199) == []
    assert await expired(store, 200) == ["r"]
    await put(store, replace(run, expires_ns=0, stamp=6))
    assert await expired(store, 1 << 62) == []
    await put(store, replace(run, expires_ns=100, stamp=7))
    await store.write(WriteBatch(visibility_deletes=[key(run, 8)]))
    assert await expired(store, 1 << 62) == []
    await put(store, replace(run, stamp=7))
    assert await expired(store, 1 << 62) == []
