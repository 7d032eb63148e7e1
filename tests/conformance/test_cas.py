"""Rows changed by compare-and-set, and membership."""

from __future__ import annotations

import asyncio
import random

import pytest

from tenuto_server.persistence.interface import Member, Store, Versioned


async def test_a_row_comes_changes_and_goes(store: Store) -> None:
    assert await store.get("s", "k") is None
    assert await store.compare_and_set("s", "k", b"one", 0)
    assert await store.get("s", "k") == Versioned("k", b"one", 1)
    assert await store.compare_and_set("s", "k", b"two", 1)
    assert await store.get("s", "k") == Versioned("k", b"two", 2)
    assert await store.compare_and_set("s", "k", None, 2)
    assert await store.get("s", "k") is None
    assert await store.compare_and_set("s", "k", b"", 0)
    assert await store.get("s", "k") == Versioned("k", b"", 1)


async def test_who_only_peeks_sees_every_change_that_was_told_of(store: Store) -> None:
    assert await store.peek("s", "k") is None
    for version in range(5):
        assert await store.compare_and_set("s", "k", b"%d" % version, version)
        assert await store.peek("s", "k") == Versioned("k", b"%d" % version, version + 1)
    assert await store.compare_and_set("s", "k", None, 5)
    assert await store.peek("s", "k") is None


async def test_a_wrong_version_changes_nothing(store: Store) -> None:
    assert not await store.compare_and_set("s", "k", b"x", 1)
    assert not await store.compare_and_set("s", "k", None, 1)
    assert await store.get("s", "k") is None
    assert await store.compare_and_set("s", "k", b"one", 0)
    for wrong in (0, 2, 7):
        assert not await store.compare_and_set("s", "k", b"x", wrong)
        assert not await store.compare_and_set("s", "k", None, wrong)
    assert await store.get("s", "k") == Versioned("k", b"one", 1)


async def test_a_row_that_is_not_there_is_not_there(store: Store) -> None:
    assert await store.compare_and_set("s", "k", None, 0)
    assert await store.get("s", "k") is None


async def test_spaces_do_not_mix(store: Store) -> None:
    assert await store.compare_and_set("s", "k", b"one", 0)
    assert await store.get("t", "k") is None
    assert await store.compare_and_set("t", "k", b"two", 0)
    assert await store.list_rows("s", "", 10) == [Versioned("k", b"one", 1)]


@pytest.mark.parametrize("contenders", [2, 16])
async def test_of_many_contenders_one_wins(store: Store, contenders: int) -> None:
    for version in range(10):
        values = [b"%d of %d" % (n, version) for n in range(contenders)]
        won = await asyncio.gather(*[store.compare_and_set("s", "k", value, version) for value in values])
        assert won.count(True) == 1
        assert await store.get("s", "k") == Versioned("k", values[won.index(True)], version + 1)


async def test_counting_under_contention_loses_nothing(store: Store) -> None:
    async def count_up() -> None:
        done = 0
        while done < 10:
            held = await store.get("s", "n")
            value, version = (int(held.value), held.version) if held is not None else (0, 0)
            if await store.compare_and_set("s", "n", b"%d" % (value + 1), version):
                done += 1
            await asyncio.sleep(0)

    await asyncio.gather(*[count_up() for _ in range(5)])
    assert await store.get("s", "n") == Versioned("n", b"50", 50)


async def test_rows_are_listed_by_key_in_pages(store: Store) -> None:
    keys = ["a", "b/c", "b\0c", "z", "ä", "日本", "\U0001f600", "b", "x" * 1000]
    for key in keys:
        assert await store.compare_and_set("s", key, key.encode(), 0)
    assert await store.compare_and_set("s", "z", None, 1)
    expected = sorted(set(keys) - {"z"})
    found: list[str] = []
    after = ""
    while page := await store.list_rows("s", after, 3):
        assert len(page) <= 3
        assert all(row.value == row.key.encode() and row.version == 1 for row in page)
        found += [row.key for row in page]
        after = page[-1].key
    assert found == expected
    assert await store.list_rows("s", "", 0) == []
    assert await store.list_rows("empty", "", 10) == []


async def test_large_values(store: Store) -> None:
    large = random.Random(5).randbytes(1 << 20)
    assert await store.compare_and_set("s", "k", large, 0)
    assert await store.get("s", "k") == Versioned("k", large, 1)


# --- membership -------------------------------------------------------------------------------------------------------
ONE = Member("history", "127.0.0.1:1", "first")
TWO = Member("matching", "127.0.0.1:2", "first")


async def gone(store: Store, member: Member) -> None:
    """Waits until a member is not there, five seconds at most."""
    for _ in range(1000):
        if member not in await store.members():
            return
        await asyncio.sleep(0.005)
    pytest.fail(f"{member} is still there")


async def test_members_come_in_a_stable_order_and_go(store: Store) -> None:
    assert await store.members() == []
    again = ONE._replace(incarnation="second")
    for member in (TWO, again, ONE):
        await store.announce(member, 60.0)
    first = await store.members()
    assert set(first) == {ONE, TWO, again}
    assert await store.members() == first
    await store.withdraw(ONE)
    await store.withdraw(ONE)
    assert await store.members() == [member for member in first if member != ONE]


async def test_a_member_is_gone_when_its_time_has_run_out(store: Store) -> None:
    await store.announce(ONE, 0.05)
    await store.announce(TWO, 60.0)
    assert TWO in await store.members()
    await gone(store, ONE)
    assert await store.members() == [TWO]
    await store.announce(ONE, 60.0)
    assert set(await store.members()) == {ONE, TWO}


async def test_announcing_again_sets_the_time_anew(store: Store) -> None:
    await store.announce(ONE, 0.05)
    await store.announce(ONE, 60.0)
    await store.announce(TWO, 0.1)
    await gone(store, TWO)
    assert await store.members() == [ONE]
    await store.announce(ONE, 0.01)
    await gone(store, ONE)
