"""The visibility index on Cassandra: what `Store` asks of it, over one table with storage-attached indexes.

A run is one row, the same from its start to its deletion, and written with its stamp as the write's timestamp: so the newest
state wins whatever the order, nothing has to be moved or cleaned when a run closes, and no index can disagree with its row.

Reading goes one of four ways (`visibility_plan` chooses from the tree):

- by the run ids that a query names;
- in the order of start or close, in windows of time (`visibility_windows`), together with the terms that the query asks for;
- if it asks for terms or times that few runs have: all those, then put in order;
- else over the domain's buckets, which are in the order of run ids; for orders by other keys, through the whole domain.

What is read is then filtered by the query's meaning. The rows read for a page are bounded: where few of many fit, a page is
short, even empty, and its token says how far it came; where there is no order to stop in, the query is refused (`TooCostly`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tenuto_server.persistence.cassandra import visibility_rows as rows
from tenuto_server.persistence.cassandra.session import Session
from tenuto_server.persistence.cassandra.visibility_plan import Plan, plan
from tenuto_server.persistence.cassandra.visibility_rows import Axis, unit
from tenuto_server.persistence.cassandra.visibility_search import TIME_OF, Candidate, Reader
from tenuto_server.persistence.cassandra.visibility_windows import Windows
from tenuto_server.persistence.cassandra.writing import Write
from tenuto_server.persistence.interface import TooCostly, VisibilityKey, VisibilityPage
from tenuto_server.persistence.rows import INT64_MAX
from tenuto_server.visibility import evaluate, paging
from tenuto_server.visibility.attributes import Scalar
from tenuto_server.visibility.paging import Position
from tenuto_server.visibility.records import VisibilityRecord
from tenuto_server.visibility.tree import BY_RUN, AllOf, Leaf, Node, Op, Query, needs_value, system

# A search that finds more than these is not put in order in memory.
_GATHER_MAX: Final = 2000
# A page that has something ends when it has read so many rows, by searches or by a walk; one that has nothing, when it
# has read a few times as many.
_SEARCHED_MAX: Final = 5_000
_WALKED_MAX: Final = 50_000
_EMPTY_FACTOR: Final = 4
# What is ordered by a key without an index, or counted by a condition without one, reads at most so many.
_SCANNED_MAX: Final = 1_000_000
_HINTS_MAX: Final = 1024
# Rows of a window, at least and at most; in between twice what is needed.
_WINDOW_LEAST: Final = 256
_WINDOW_MOST: Final = 2100
_CLOSE: Final = system("CloseTime")
_OPEN: Final = Leaf(_CLOSE, Op.PRESENT, (), True)


def writes_of(records: Sequence[VisibilityRecord], deletes: Sequence[VisibilityKey]) -> list[Write]:
    """The writes of records and deletions: one each. Of each run the newest stamp counts, and of one stamp the deletion."""
    return [*map(rows.put, records), *map(rows.remove, deletes)]


# With what it is ordered by.
_Placed = tuple[Scalar | None, Candidate]


@dataclass(slots=True)
class _Result:
    """Candidates in the query's order. `rest` is where to go on once all of them are out, None where that is the end."""

    ordered: list[_Placed] = field(default_factory=list)
    rest: Position | None = None


@dataclass(frozen=True, slots=True)
class _Walk:
    """A list in the order of an axis. `select` picks and orders the candidates of a window."""

    reader: Reader
    axis: Axis
    units: tuple[int, int]
    descending: bool
    alternatives: tuple[tuple[str, ...], ...]
    select: Callable[[Iterable[Candidate]], list[_Placed]]


class VisibilityIndex:
    """The part of the store that keeps the index. All that it remembers is how dense lists were, to begin the next one well."""

    def __init__(self, session: Session) -> None:
        self._session = session
        # By list: how wide a page was, and where the first began, in units.
        self._known: dict[object, tuple[int, int]] = {}

    async def list_visibility(self, query: Query, page_size: int, token: bytes) -> VisibilityPage:
        """See `Store.list_visibility`."""
        position = paging.decode_token(query, token)
        if page_size <= 0:
            return VisibilityPage([])
        reader = Reader(self._session, query.domain_id)
        result = await self._find(reader, query, position, page_size)
        page: list[Candidate] = []
        next_position = result.rest
        size = 0
        for value, candidate in result.ordered:
            page.append(candidate)
            size += len(candidate.record.memo) + len(candidate.record.search_attributes) + candidate.memo_size
            if len(page) >= page_size or size >= paging.PAGE_BYTES_MAX:
                next_position = (value, candidate.record.run_id)
                break
        next_token = paging.encode_token(query, *next_position) if next_position is not None else b""
        return VisibilityPage(await reader.with_memos(page), next_token)

    async def _find(self, reader: Reader, query: Query, position: Position | None, need: int) -> _Result:
        """The first `need` runs after a position, or as far as the work for one page goes."""
        way = plan(query)
        if way.is_empty:
            return _Result()
        if way.run_ids is not None:
            return _Result(_in_order(query, position, await reader.by_run_ids(way.run_ids)))
        if way.by_axis:
            return await self._by_time(reader, query, way, position, need)
        if query.order.field.name == "RunID":
            mark = None if position is None else position[1]
            return await self._by_run(reader, query, way, mark, need)
        return await self._by_any(reader, query, way, position, need)

    # --- in the order of time -----------------------------------------------------------------------------------------
    async def _by_time(self, reader: Reader, query: Query, way: Plan, position: Position | None, need: int) -> _Result:
        result = _Result()
        if position is None or position[0] is not None:
            result = await self._timed(reader, query, way, position, need)
            if result.rest is not None or len(result.ordered) >= need:
                return result
            position = None
        if way.axis is Axis.CLOSED and not needs_value(query.where, _CLOSE):
            # Those without a value come last, by their run ids.
            where: Node = _OPEN if query.where is None else AllOf((query.where, _OPEN))
            mark = None if position is None else position[1]
            inner = plan(Query(query.domain_id, where, BY_RUN))
            last = await self._by_run(reader, Query(query.domain_id, where, query.order), inner, mark, need - len(result.ordered))
            result.ordered += last.ordered
            result.rest = last.rest
        return result

    async def _timed(self, reader: Reader, query: Query, way: Plan, position: Position | None, need: int) -> _Result:
        descending = query.order.descending
        first_ns, last_ns = way.first_ns, way.last_ns
        if position is not None and isinstance(position[0], int):
            if descending:
                last_ns = min(last_ns, position[0])
            else:
                first_ns = max(first_ns, position[0])
        assert way.axis is not None
        return await self._windows(
            _Walk(
                reader, way.axis, (unit(first_ns), unit(last_ns)), descending, way.alternatives,
                lambda candidates: _in_order(query, position, candidates),
            ),
            need,
        )  # fmt: skip

    async def _windows(self, walk: _Walk, need: int) -> _Result:
        """Reads windows in order until there is enough, or as far as the work for one page goes."""
        reader, axis = walk.reader, walk.axis
        hint = (reader.domain_id, axis, walk.descending, walk.alternatives)
        limit = min(max(_WINDOW_LEAST, 2 * need), _WINDOW_MOST)
        windows = Windows(*walk.units, walk.descending, limit, self._first_width(hint, walk))
        result = _Result()
        fitting = 1.0
        while not windows.is_done:
            wanted = (need - len(result.ordered)) / fitting
            span = windows.window()
            found = await reader.search(axis, span, walk.alternatives, limit)
            if found.complete:
                matching = walk.select(found.candidates.values())
            elif span[0] < span[1]:
                sample = [(unit(TIME_OF[axis](one.record)), found.weights[name]) for name, one in found.candidates.items()]
                windows.overflowed(sample, wanted)
                continue
            else:
                matching = await _crowd(walk, span, need)
            result.ordered += matching
            examined = len(found.candidates)
            if examined:
                # Where nothing fits, the next window is larger, but not at once of all.
                fitting = max(len(matching) / examined, fitting / 8, 0.001)
                if fitting < 0.25:
                    # Fewer, larger searches.
                    limit = windows.limit = _WINDOW_MOST
            left = need - len(result.ordered)
            if left <= 0:
                if windows.width is not None:
                    self._remember(hint, walk, span, [unit(TIME_OF[axis](one.record)) for _, one in result.ordered], need)
                break
            windows.was_read(examined, left / fitting)
            if reader.examined > _SEARCHED_MAX * (1 if result.ordered else _EMPTY_FACTOR) and not windows.is_done:
                result.rest = ((windows.last + 1) if walk.descending else windows.first) << rows.UNIT_BITS, ""
                break
        return result

    def _first_width(self, hint: object, walk: _Walk) -> int | None:
        """A width that gives a page if the list is as dense as it was, and begins where it did."""
        known = self._known.get(hint)
        if known is None:
            return None
        width, edge = known
        low, high = walk.units
        return width + (high - min(high, edge) if walk.descending else max(low, edge) - low)

    def _remember(self, hint: object, walk: _Walk, span: tuple[int, int], units: Sequence[int], need: int) -> None:
        """Notes what gave a page: `units` of what was found, the last of it in `span`."""
        known = self._known.pop(hint, None)
        edge = units[0]
        held = edge - span[0] if walk.descending else span[1] - edge
        if known is not None and not walk.units[0] <= known[1] <= walk.units[1]:
            # A later page says nothing of where the list begins.
            edge = known[1]
        self._known[hint] = max(1, (held + 1) * need * 13 // (10 * len(units))), edge
        if len(self._known) > _HINTS_MAX:
            del self._known[next(iter(self._known))]

    # --- in other orders ----------------------------------------------------------------------------------------------
    async def _gather(self, reader: Reader, way: Plan) -> list[Candidate] | None:
        """All candidates of a search, None if they are many or there is none."""
        if not way.is_search:
            return None
        if way.is_empty:
            return []
        found = await reader.search(way.axis, (unit(way.first_ns), unit(way.last_ns)), way.alternatives, _GATHER_MAX)
        return list(found.candidates.values()) if found.complete else None

    async def _by_run(self, reader: Reader, query: Query, way: Plan, mark: str | None, need: int) -> _Result:
        """Runs by their ids. The query's order may be another, of which all these have no value."""
        descending = query.order.descending
        gathered = await self._gather(reader, way)
        if gathered is not None:
            fitting = [one for one in gathered if evaluate.matches(query, one.record)]
            fitting.sort(key=lambda one: one.record.run_id, reverse=descending)
            behind = [
                one for one in fitting if mark is None or (one.record.run_id < mark if descending else one.record.run_id > mark)
            ]
            return _Result([(evaluate.sort_value(one.record, query.order), one) for one in behind])
        result = _Result()
        async for piece in reader.walk(mark, descending, need):
            fitting = [one for one in piece if evaluate.matches(query, one.record)]
            result.ordered += [(evaluate.sort_value(one.record, query.order), one) for one in fitting]
            if len(result.ordered) >= need:
                break
            if piece and reader.examined > _WALKED_MAX * (1 if result.ordered else _EMPTY_FACTOR):
                run_id = piece[-1].record.run_id
                result.rest = (run_id if query.order.field.name == "RunID" else None, run_id)
                break
        return result

    async def _by_any(self, reader: Reader, query: Query, way: Plan, position: Position | None, need: int) -> _Result:
        """In an order that no index has: all that there is, keeping the first of it."""
        best: list[_Placed] = []
        async for piece in self._everything(reader, way):
            best = _in_order(query, position, [*[one for _, one in best], *piece])[:need]
        return _Result(best)

    async def _everything(self, reader: Reader, way: Plan) -> AsyncIterator[list[Candidate]]:
        gathered = await self._gather(reader, way)
        if gathered is not None:
            yield gathered
            return
        async for piece in reader.walk(None, False, _GATHER_MAX):
            yield piece
            if reader.examined > _SCANNED_MAX:
                raise TooCostly

    async def count_visibility(self, query: Query) -> int:
        """See `Store.count_visibility`."""
        reader = Reader(self._session, query.domain_id)
        # An order by close would search for closed runs.
        way = plan(Query(query.domain_id, query.where, BY_RUN))
        if way.is_empty:
            return 0
        if way.run_ids is not None:
            found = await reader.by_run_ids(way.run_ids)
            return sum(evaluate.matches(query, one.record) for one in found)
        total = 0
        async for piece in self._everything(reader, way):
            total += sum(evaluate.matches(query, one.record) for one in piece)
            if query.where is None and reader.examined > _GATHER_MAX:
                return await reader.count()
            await asyncio.sleep(0)
        return total

    async def list_expired(
        self, domain_id: str, until_ns: int, after: tuple[int, str] | None, limit: int
    ) -> list[VisibilityRecord]:
        """See `Store.list_expired`."""
        until_ns = min(until_ns, INT64_MAX)
        from_ns, from_run_id = (0, "") if after is None else after
        if limit <= 0 or until_ns < max(from_ns, 1):
            return []
        mark = (from_ns, from_run_id)

        def select(candidates: Iterable[Candidate]) -> list[_Placed]:
            expired = [
                one
                for one in candidates
                if 0 < one.record.expires_ns <= until_ns and (one.record.expires_ns, one.record.run_id) > mark
            ]
            expired.sort(key=lambda one: (one.record.expires_ns, one.record.run_id))
            return [(one.record.expires_ns, one) for one in expired]

        reader = Reader(self._session, domain_id)
        result = await self._windows(_Walk(reader, Axis.EXPIRY, (unit(from_ns), unit(until_ns)), False, ((),), select), limit)
        return await reader.with_memos([one for _, one in result.ordered[:limit]])


async def _crowd(walk: _Walk, span: tuple[int, int], need: int) -> list[_Placed]:
    """The first of very many within a millisecond."""
    best: list[_Placed] = []
    for terms in walk.alternatives:
        async for piece in walk.reader.stream(walk.axis, span, terms):
            held = {one.record.run_id: one for _, one in best}
            held.update((one.record.run_id, one) for one in piece)
            best = walk.select(held.values())[:need]
            if walk.reader.examined > _SCANNED_MAX:
                raise TooCostly
    return best


def _in_order(query: Query, position: Position | None, candidates: Iterable[Candidate]) -> list[_Placed]:
    """Those that a query finds after a position, in its order."""
    fitting = {one.record.run_id: one for one in candidates if evaluate.matches(query, one.record)}
    ordered = evaluate.in_order([one.record for one in fitting.values()], query.order)
    return [
        (value, fitting[record.run_id])
        for value, record in ordered
        if position is None or evaluate.is_after(value, record.run_id, position, query.order)
    ]
