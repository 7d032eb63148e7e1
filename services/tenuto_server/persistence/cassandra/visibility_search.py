"""Reading candidates: searches by the indexes, and walks over a domain's buckets.

A search finds rows in the order of their partitions' tokens, which has nothing to do with time or ids: as partitions are placed
by a hash, the first rows of a search that finds many are a fair sample of all, and how far through the ring they reach tells
how many there are. `Found` keeps what follows from that.

`Reader` is for one request: it counts what it reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from tenuto_server.persistence.cassandra import visibility_cql as cql
from tenuto_server.persistence.cassandra import visibility_rows as rows
from tenuto_server.persistence.cassandra.session import Session, Statement
from tenuto_server.persistence.cassandra.visibility_rows import Axis
from tenuto_server.persistence.rows import decode_visibility
from tenuto_server.visibility.records import VisibilityRecord

# Rows of one answer of Cassandra: a row is 44 KiB at most, mostly attributes, and mostly less than 1.
_FETCH_ROWS: Final = 500
_AT_ONCE: Final = 8
# Buckets of one read while they hold little.
_BUCKETS_AT_ONCE: Final = 64
_RING: Final = 1 << 64

_T = TypeVar("_T")


class Candidate(NamedTuple):
    """A run as stored. The memo is still missing in the record if `memo_size` is not 0."""

    record: VisibilityRecord
    memo_size: int


@dataclass(slots=True)
class Found:
    """What a search found: all there is if `complete`, else a sample. `weights`, by run id: how many a row of the sample
    stands for."""

    candidates: dict[str, Candidate] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    complete: bool = True


class Reader:
    """Reads for one request. `examined` is the number of rows read so far."""

    def __init__(self, session: Session, domain_id: str) -> None:
        self._session = session
        self.domain_id = domain_id
        self.examined = 0

    async def search(
        self, axis: Axis | None, units: tuple[int, int], alternatives: Sequence[tuple[str, ...]], limit: int
    ) -> Found:
        """What is on an axis between two units of its time, both included, and has all terms of an alternative; of each
        alternative at most `limit`."""
        found = Found()
        for answer in await _together([self._search(axis, units, terms, limit) for terms in alternatives]):
            self._add(found, answer, limit)
        return found

    async def _search(
        self, axis: Axis | None, units: tuple[int, int], terms: tuple[str, ...], limit: int
    ) -> list[tuple[Any, ...]]:
        keys = [rows.key_of_unit(self.domain_id, axis, number) for number in units] if axis is not None else []
        return await self._all(cql.search(axis, len(terms)), (*keys, *terms, limit))

    def _add(self, found: Found, answer: list[tuple[Any, ...]], limit: int) -> None:
        weight = 1.0
        if len(answer) >= limit:
            found.complete = False
            weight = _RING / max(1, answer[-1][3] + _RING // 2)
        for row in answer:
            candidate = _candidate(row)
            # Hashes of domains may collide.
            if candidate.record.domain_id == self.domain_id:
                found.candidates[candidate.record.run_id] = candidate
                found.weights[candidate.record.run_id] = weight

    async def stream(self, axis: Axis, units: tuple[int, int], terms: tuple[str, ...]) -> AsyncIterator[list[Candidate]]:
        """All that one search finds, in pieces."""
        keys = [rows.key_of_unit(self.domain_id, axis, number) for number in units]
        async for answer in self._pages(cql.search(axis, len(terms)), (*keys, *terms, (1 << 31) - 1)):
            yield [candidate for row in answer if (candidate := _candidate(row)).record.domain_id == self.domain_id]

    async def by_run_ids(self, run_ids: Sequence[str]) -> list[Candidate]:
        """Those of the runs that there are."""
        answers = await self._by_bucket(cql.BY_RUN_ID, run_ids)
        self.examined += len(answers)
        return [_candidate(row) for row in answers]

    async def with_memos(self, candidates: Sequence[Candidate]) -> list[VisibilityRecord]:
        """The records, whole."""
        missing = [candidate.record.run_id for candidate in candidates if candidate.memo_size]
        memos: dict[str, bytes] = dict(await self._by_bucket(cql.MEMOS, missing)) if missing else {}
        for candidate in candidates:
            if candidate.memo_size:
                # Empty where the run was deleted meanwhile.
                candidate.record.memo = bytes(memos.get(candidate.record.run_id) or b"")
        return [candidate.record for candidate in candidates]

    async def _by_bucket(self, statement: Statement, run_ids: Sequence[str]) -> list[tuple[Any, ...]]:
        by_bucket: dict[int, list[str]] = {}
        for run_id in run_ids:
            by_bucket.setdefault(rows.bucket_of(run_id), []).append(run_id)
        answers = await _together(
            [self._session.execute(statement, (self.domain_id, bucket, asked)) for bucket, asked in by_bucket.items()]
        )
        return [row for answer in answers for row in answer]

    async def walk(self, mark: str | None, descending: bool, want: int) -> AsyncIterator[list[Candidate]]:
        """All runs of the domain behind a run id, in the order of run ids, in pieces: of some `want` rows where there are
        many."""
        step = -1 if descending else 1
        end = -1 if descending else rows.BUCKETS
        bucket = _first_bucket(mark, descending)
        at_once = _BUCKETS_AT_ONCE
        limit = max(want, _FETCH_ROWS)
        while bucket != end:
            if mark is None and at_once > 1:
                some = list(range(bucket, end, step))[:at_once]
                answer = await self._all(cql.BUCKETS, (self.domain_id, some, limit))
                if len(answer) >= limit:
                    # Of the last one only a part is there.
                    at_once = min(at_once - 1, max(1, (len({rows.bucket_of(row[0]) for row in answer}) - 1) // 2))
                    continue
                yield sorted(map(_candidate, answer), key=lambda one: one.record.run_id, reverse=descending)
                bucket += step * len(some)
                continue
            marked = () if mark is None else (mark,)
            answer = await self._all(cql.bucket(descending, mark is not None), (self.domain_id, bucket, *marked, limit))
            yield [_candidate(row) for row in answer]
            if len(answer) >= limit:
                mark = answer[-1][0]
            else:
                bucket, mark = bucket + step, None

    async def count(self) -> int:
        """How many runs the domain has. One read for every bucket, which Cassandra counts: some 14 s of its CPU for a
        million runs."""
        answers = await _together(
            [self._session.execute(cql.COUNT_BUCKET, (self.domain_id, bucket)) for bucket in range(rows.BUCKETS)]
        )
        return sum(int(answer[0][0]) for answer in answers)

    async def _all(self, statement: Statement, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return [row async for answer in self._pages(statement, parameters) for row in answer]

    async def _pages(self, statement: Statement, parameters: Sequence[Any]) -> AsyncIterator[list[tuple[Any, ...]]]:
        state = b""
        while True:
            page = await self._session.page(statement, parameters, _FETCH_ROWS, state)
            self.examined += len(page.rows)
            yield page.rows
            state = page.next_state
            if not state:
                return


async def _together(calls: Sequence[Coroutine[Any, Any, _T]]) -> list[_T]:
    """What the calls answer, a few of them at a time; if one fails none goes on."""
    if len(calls) == 1:
        return [await calls[0]]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(call: Coroutine[Any, Any, _T]) -> _T:
        async with turns:
            return await call

    tasks = [asyncio.ensure_future(one(call)) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for call in calls:
            # One whose turn never came.
            call.close()


def _first_bucket(mark: str | None, descending: bool) -> int:
    if mark is None:
        return rows.BUCKETS - 1 if descending else 0
    return rows.bucket_of(mark)


def _candidate(row: tuple[Any, ...]) -> Candidate:
    return Candidate(decode_visibility(row[1]), row[2])


TimeOf = Callable[[VisibilityRecord], int]

TIME_OF: Final[dict[Axis, TimeOf]] = {
    Axis.START: lambda record: record.start_ns,
    Axis.OPEN: lambda record: record.start_ns,
    Axis.CLOSED: lambda record: record.close_ns,
    Axis.EXPIRY: lambda record: record.expires_ns,
}
