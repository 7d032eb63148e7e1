"""The log: appending, sealing, reading, trimming, deleting."""

from __future__ import annotations

import asyncio
import random

import pytest

from tenuto_server.persistence.interface import LogRow, Sealed, Store


def rows(first: int, last: int) -> list[LogRow]:
    return [LogRow(seq, body(seq)) for seq in range(first, last + 1)]


def body(seq: int) -> bytes:
    return b"row %d" % seq


async def appended(store: Store, log_id: str, first: int, last: int) -> None:
    for seq in range(first, last + 1):
        await store.append(log_id, seq, body(seq))


async def test_what_is_appended_is_read_in_order(store: Store) -> None:
    await store.create_log("a")
    await appended(store, "a", 1, 5)
    assert await store.read_log("a", 0, 100) == rows(1, 5)


async def test_reading_goes_on_after_a_sequence_number_up_to_a_limit(store: Store) -> None:
    await store.create_log("a")
    await appended(store, "a", 1, 9)
    assert await store.read_log("a", 3, 4) == rows(4, 7)
    assert await store.read_log("a", 7, 4) == rows(8, 9)
    assert await store.read_log("a", 9, 4) == []
    assert await store.read_log("a", 0, 0) == []


async def test_a_new_log_is_empty_and_making_it_again_changes_nothing(store: Store) -> None:
    await store.create_log("a")
    assert await store.read_log("a", 0, 10) == []
    assert await store.log_trimmed("a") == 0
    await appended(store, "a", 1, 1)
    await store.create_log("a")
    assert await store.read_log("a", 0, 10) == rows(1, 1)


async def test_making_a_sealed_log_again_is_refused(store: Store) -> None:
    await store.create_log("a")
    await store.seal("a")
    with pytest.raises(Sealed):
        await store.create_log("a")


async def test_whether_a_log_is_sealed_can_be_asked(store: Store) -> None:
    assert await store.log_sealed("a")
    await store.create_log("a")
    assert not await store.log_sealed("a")
    await appended(store, "a", 1, 2)
    assert not await store.log_sealed("a")
    await store.seal("a")
    assert await store.log_sealed("a")
    await store.delete_log("a")
    assert await store.log_sealed("a")


async def test_logs_do_not_mix(store: Store) -> None:
    for log_id in ("a", "b", "a/b", "/"):
        await store.create_log(log_id)
        await store.append(log_id, 1, log_id.encode())
    for log_id in ("a", "b", "a/b", "/"):
        assert await store.read_log(log_id, 0, 10) == [LogRow(1, log_id.encode())]
    assert sorted(await store.list_logs()) == ["/", "a", "a/b", "b"]


async def test_reading_ends_before_a_gap_until_it_is_filled(store: Store) -> None:
    await store.create_log("a")
    await appended(store, "a", 1, 2)
    await appended(store, "a", 4, 5)
    assert await store.read_log("a", 0, 10) == rows(1, 2)
    assert await store.read_log("a", 2, 10) == []
    await appended(store, "a", 3, 3)
    assert await store.read_log("a", 0, 10) == rows(1, 5)


async def test_appending_the_same_row_again_is_a_success(store: Store) -> None:
    await store.create_log("a")
    await appended(store, "a", 1, 3)
    await appended(store, "a", 1, 3)
    assert await store.read_log("a", 0, 10) == rows(1, 3)


async def test_a_sealed_log_takes_no_append_and_keeps_its_rows(store: Store) -> None:
    await store.create_log("a")
    await appended(store, "a", 1, 2)
    await store.seal("a")
    await store.seal("a")
    with pytest.raises(Sealed):
        await store.append("a", 3, b"late")
    with pytest.raises(Sealed):
        await store.append("a", 2, body(2))
    assert await store.read_log("a", 0, 10) == rows(1, 2)


async def test_sealing_one_log_leaves_others_open(store: Store) -> None:
    await store.create_log("a")
    await store.create_log("b")
    await store.seal("a")
    await appended(store, "b", 1, 1)
    assert await store.read_log("b", 0, 10) == rows(1, 1)


async def test_appending_to_a_log_that_was_never_made_or_is_deleted_is_refused(store: Store) -> None:
    with pytest.raises(Sealed):
        await store.append("nowhere", 1, b"x")
    await store.create_log("a")
    await appended(store, "a", 1, 3)
    await store.delete_log("a")
    await store.delete_log("a")
    with pytest.raises(Sealed):
        await store.append("a", 4, b"x")
    assert await store.read_log("a", 0, 10) == []
    assert await store.list_logs() == []


async def test_a_sealed_log_can_be_deleted(store: Store) -> None:
    await store.create_log("a")
    await appended(store, "a", 1, 3)
    await store.seal("a")
    await store.delete_log("a")
    assert await store.list_logs() == []
    assert await store.read_log("a", 0, 10) == []


async def test_trimmed_rows_are_gone_and_the_rest_is_read_from_there(store: Store) -> None:
    await store.create_log("a")
    await appended(store, "a", 1, 100)
    await store.trim_log("a", 70)
    assert await store.read_log("a", 0, 1000) == rows(71, 100)
    assert await store.log_trimmed("a") == 70
    await store.trim_log("a", 10)
    assert await store.log_trimmed("a") == 70, "trimming never goes back"
    await store.append("a", 5, body(5))
    assert await store.read_log("a", 0, 1) == rows(71, 71)
    await store.trim_log("a", 100)
    assert await store.read_log("a", 0, 1000) == []
    await appended(store, "a", 101, 101)
    assert await store.read_log("a", 0, 1000) == rows(101, 101)


async def test_a_log_can_be_trimmed_when_it_is_sealed_and_while_it_grows(store: Store) -> None:
    await store.create_log("a")
    for first in range(1, 200, 20):
        await appended(store, "a", first, first + 19)
        await store.trim_log("a", first + 5)
    await store.seal("a")
    assert await store.read_log("a", 0, 1000) == rows(187, 200)
    await store.trim_log("a", 190)
    assert await store.read_log("a", 0, 1000) == rows(191, 200)


async def test_large_and_empty_bodies(store: Store) -> None:
    large = random.Random(1).randbytes(1 << 20)
    await store.create_log("a")
    await store.append("a", 1, large)
    await store.append("a", 2, b"")
    assert await store.read_log("a", 0, 10) == [LogRow(1, large), LogRow(2, b"")]


@pytest.mark.parametrize("enough", [1, 10, 57, 200])
async def test_nothing_acknowledged_is_missed_by_whoever_seals(store: Store, enough: int) -> None:
    """Several appends are in flight when another process seals the log: it must read all that were acknowledged."""
    await store.create_log("a")
    acknowledged: set[int] = set()
    refused: set[int] = set()
    time_to_seal = asyncio.Event()

    async def writer(lane: int) -> None:
        for seq in range(lane, 401, 4):
            try:
                await store.append("a", seq, body(seq))
            except Sealed:
                refused.add(seq)
                return
            acknowledged.add(seq)
            if len(acknowledged) >= enough:
                time_to_seal.set()
            # A store without threads is done at once: give the sealer its chance between any two appends.
            await asyncio.sleep(0)

    async def sealer(read: list[LogRow]) -> None:
        await time_to_seal.wait()
        await store.seal("a")
        read += await store.read_log("a", 0, 1000)

    read: list[LogRow] = []
    await asyncio.gather(sealer(read), *[writer(lane) for lane in range(1, 5)])
    assert refused, "the seal came too late to test anything"
    unbroken = 0
    while unbroken + 1 in acknowledged:
        unbroken += 1
    assert read[:unbroken] == rows(1, unbroken)
    assert await store.read_log("a", 0, 1000) == read, "after the seal nothing comes in any more"
    for seq in acknowledged:
        assert await store.read_log("a", seq - 1, 1) == rows(seq, seq)
