"""Lists of many runs: each run once and in order, few rows read for a page, and an end to the work of one call."""

from __future__ import annotations

import asyncio
import itertools
import random
import uuid
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto_server.persistence.cassandra import visibility
from tenuto_server.persistence.cassandra.visibility import VisibilityIndex, writes_of
from tenuto_server.persistence.cassandra.visibility_windows import Windows
from tenuto_server.persistence.cassandra.writing import carry_out
from tenuto_server.persistence.interface import TooCostly
from tenuto_server.visibility import evaluate
from tenuto_server.visibility.attributes import DEFAULT
from tenuto_server.visibility.query import parse
from tenuto_server.visibility.records import VisibilityRecord
from tenuto_server.visibility.tree import Query, everything
from tests.conformance.test_queries import attributes
from tests.conformance.test_visibility import record
from tests.unit.persistence.cassandra.visibility_rows_held import RowsHeld

NOW = 1_700_000_000_000_000_000
MS = 1_000_000


def runs(count: int, start_ns: Callable[[int], int], **fields: object) -> list[VisibilityRecord]:
    ids = random.Random(7)
    return [
        record(str(uuid.UUID(int=ids.getrandbits(128))), start_ns(n), workflow_id=f"w{n}", workflow_type=f"T{n % 10}", **fields)
        for n in range(count)
    ]


def close(made: Iterable[VisibilityRecord], after_ns: int = 5 * MS) -> list[VisibilityRecord]:
    made = list(made)
    for n, one in enumerate(made):
        if n % 50:
            one.close_ns, one.close_status = one.start_ns + after_ns, 2 if n % 20 == 7 else 1
            one.expires_ns = one.close_ns + 1000 * MS
    return made


class Held:
    """An index with runs in it, and how it is asked."""

    def __init__(self, made: list[VisibilityRecord]) -> None:
        self.session = RowsHeld()
        self.index = VisibilityIndex(self.session)
        self.made = made

    async def pages(self, query: Query, page_size: int) -> tuple[list[str], int]:
        """The run ids of all pages, and the most rows read for a page."""
        found: list[str] = []
        token, most = b"", 0
        while True:
            before = self.session.given
            page = await self.index.list_visibility(query, page_size, token)
            most = max(most, self.session.given - before)
            assert len(page.records) <= page_size
            found += [one.run_id for one in page.records]
            token = page.next_token
            if not token:
                return found, most

    def expected(self, query: Query) -> list[str]:
        found = [one for one in self.made if evaluate.matches(query, one)]
        return [one.run_id for _, one in evaluate.in_order(found, query.order)]


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "_WINDOW_LEAST", 64)
    monkeypatch.setattr(visibility, "_GATHER_MAX", 300)


def check(made: list[VisibilityRecord], *asked: str, page_size: int, most: int) -> None:
    async def run() -> None:
        held = Held(made)
        await carry_out(held.session, writes_of(made, []))
        for text in asked:
            query = parse(text, DEFAULT, "domain")
            found, read = await held.pages(query, page_size)
            assert found == held.expected(query), text
            assert read <= most, (text, read)

    asyncio.run(run())


LISTS = (
    "",
    "order by StartTime",
    "CloseTime = missing",
    "order by CloseTime desc",
    "order by CloseTime",
    "CloseTime > 0 order by CloseTime desc",
    "CloseStatus = 'FAILED' order by CloseTime desc",
    "WorkflowType = 'T3'",
    "WorkflowType in ('T3', 'T4') order by StartTime",
    f"StartTime > {NOW + 500 * MS} and StartTime < {NOW + 700 * MS}",
)


@pytest.mark.parametrize("page_size", [20, 300])
def test_lists_of_runs_that_started_one_after_the_other(page_size: int) -> None:
    check(close(runs(1000, lambda n: NOW + n * MS * 3)), *LISTS, page_size=page_size, most=4000)


def test_lists_of_runs_that_started_at_the_same_time() -> None:
    check(close(runs(1000, lambda n: NOW + n % 3)), *LISTS, page_size=100, most=8000)


def test_lists_of_crowds_with_long_gaps() -> None:
    check(close(runs(1000, lambda n: NOW + (n % 7) ** 9 * 10**9 + n * 10)), *LISTS, page_size=50, most=8000)


def test_lists_of_runs_that_become_more_and_more() -> None:
    check(close(runs(1000, lambda n: NOW - 10**17 // (n + 1))), *LISTS, page_size=30, most=4000)


def test_in_other_orders() -> None:
    made = close(runs(1200, lambda n: NOW + n * MS * 3))
    for n, one in enumerate(made):
        one.history_length = n * 7 % 40
    check(made, "order by HistoryLength", "WorkflowID in ('w3', 'w4') order by HistoryLength desc", page_size=200, most=10_000)
    check(made, "order by RunID", "order by RunID desc", "IsCron = false order by RunID", page_size=100, most=3000)


def test_the_first_page_of_many_takes_few_searches_and_the_next_one() -> None:
    async def run() -> None:
        made = runs(5000, lambda n: NOW + n * MS * 3)
        held = Held(made)
        await carry_out(held.session, writes_of(made, []))
        query = parse("", DEFAULT, "domain")
        page = await held.index.list_visibility(query, 100, b"")
        assert sum(held.session.requests.values()) <= 5
        assert held.session.given <= 1000
        held.session.requests.clear()
        held.session.given = 0
        await held.index.list_visibility(query, 100, page.next_token)
        await held.index.list_visibility(query, 100, b"")
        assert sum(held.session.requests.values()) <= 3
        assert held.session.given <= 700

    asyncio.run(run())


def test_where_few_of_many_fit_a_page_ends_early_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "_SEARCHED_MAX", 500)
    monkeypatch.setattr(visibility, "_WALKED_MAX", 500)
    made = close(runs(2500, lambda n: NOW + n * MS * 3))
    made[1500].history_length = made[17].history_length = 77
    rare = ("HistoryLength = 77", "HistoryLength = 77 order by StartTime", "HistoryLength = 77 order by CloseTime desc")
    check(made, *rare, "HistoryLength = 77 order by RunID", "HistoryLength = 77 order by RunID desc", page_size=10, most=3000)


def test_what_cannot_end_early_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "_SCANNED_MAX", 600)

    async def run() -> None:
        made = runs(1500, lambda n: NOW + n * MS * 3)
        held = Held(made)
        await carry_out(held.session, writes_of(made, []))
        with pytest.raises(TooCostly):
            await held.index.list_visibility(parse("order by HistoryLength", DEFAULT, "domain"), 10, b"")
        with pytest.raises(TooCostly):
            await held.index.count_visibility(parse("HistoryLength = 2", DEFAULT, "domain"))
        assert await held.index.count_visibility(parse("WorkflowID = 'w7'", DEFAULT, "domain")) == 1
        assert await held.index.count_visibility(everything("domain")) == 1500
        assert await held.index.count_visibility(everything("another")) == 0

    asyncio.run(run())


def test_attributes_are_found_among_many() -> None:
    made = runs(2000, lambda n: NOW + n * MS * 3)
    for n in range(0, 2000, 100):
        made[n].search_attributes = attributes(CustomKeywordField=f"k{n % 300}", CustomIntField=n)
    check(
        made,
        "CustomKeywordField = 'k100' and CustomIntField > 700",
        "CustomIntField >= 0 order by CustomIntField desc",
        "CustomKeywordField in ('k0', 'k200')",
        page_size=5, most=700,
    )  # fmt: skip
    check(made, "CustomKeywordField = missing and WorkflowType = 'T1'", page_size=50, most=3000)


def test_expired_runs_come_in_order_whatever_expires_together() -> None:
    async def run(made: list[VisibilityRecord]) -> None:
        held = Held(made)
        await carry_out(held.session, writes_of(made, []))
        expected = sorted([(one.expires_ns, one.run_id) for one in made if one.expires_ns])
        after: tuple[int, str] | None = None
        found: list[tuple[int, str]] = []
        while page := await held.index.list_expired("domain", 1 << 62, after, 100):
            after = (page[-1].expires_ns, page[-1].run_id)
            found += [(one.expires_ns, one.run_id) for one in page]
        assert found == expected

    asyncio.run(run(close(runs(1500, lambda n: NOW + n * MS * 3))))
    asyncio.run(run(close(runs(1500, lambda n: NOW + n % 5))))


# --- windows ----------------------------------------------------------------------------------------------------------
@settings(max_examples=200, deadline=None)
@given(
    units=st.lists(st.integers(0, (1 << 43) - 1) | st.integers(0, 50) | st.integers(10**12, 10**12 + 5000), max_size=300),
    descending=st.booleans(),
    limit=st.integers(2, 60),
    wanted=st.integers(1, 400),
    width=st.none() | st.integers(1, 1 << 43),
    seed=st.integers(0, 1 << 30),
)
def test_windows_cover_all_once_in_few_searches(
    units: list[int], descending: bool, limit: int, wanted: int, width: int | None, seed: int
) -> None:
    chance = random.Random(seed)
    windows = Windows(0, (1 << 43) - 1, descending, limit, width)
    covered: list[tuple[int, int]] = []
    found: list[int] = []
    searches = 0
    while not windows.is_done:
        searches += 1
        low, high = windows.window()
        assert windows.first <= low <= high <= windows.last
        within = [unit for unit in units if low <= unit <= high]
        if len(within) >= limit and low < high:
            windows.overflowed([(unit, len(within) / limit) for unit in chance.sample(within, limit)], wanted)
            assert 1 <= (windows.width or 0) <= high - low
            continue
        covered.append((low, high))
        found += within
        windows.was_read(len(within), max(1, wanted - len(found)))
    covered.sort()
    assert covered[0][0] == 0
    assert covered[-1][1] == (1 << 43) - 1
    assert all(one[1] + 1 == other[0] for one, other in itertools.pairwise(covered))
    assert sorted(found) == sorted(units)
    assert searches <= 60 + 8 * len(units)
