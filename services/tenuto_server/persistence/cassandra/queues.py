"""Tasks and timers on Cassandra: rows that are written, read in order of time, and removed soon.

In one partition a shard these would be what Cassandra does worst: a removed row stays as a tombstone until long after, and
whoever reads the partition from its start wades through all of them, or is refused where they are too many
(`tombstone_failure_threshold`). So they lie in buckets, partitions for about 69 seconds of time (2^36 ns) each: a timer's by
when it fires, a task's by the first bits of its key, which is the time of its scheduling. (Rows with other keys work as well,
in fewer and larger buckets.) Nobody reads a bucket that is done with, so nobody meets its tombstones.

Which buckets there are is told by marks, in `queue_buckets`:

- Before a write of a row counts as done its bucket is marked, with the writer's wall clock as the mark's write timestamp. A
  writer remembers that for `_MARK_S` and marks again when it writes there later.
- Who finds a bucket empty takes its mark away if that is older than `_QUIET_S`; by a deletion with the very timestamp of the
  mark it saw, which touches no later one. A writer that trusts a mark has renewed it within `_MARK_S`, so no mark that somebody
  trusts goes away while the clocks of processes differ by less than the rest, 50 minutes.
- A mark that is left behind, or comes back, costs one look into an empty bucket.

Marks are looked through in scans, and now and then by `sweep`, for tasks are scanned only when a shard finds a new owner.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tenuto_server.config.runtime import SECOND, Runtime
from tenuto_server.persistence.cassandra.reading import LIMIT_MAX, read_up_to
from tenuto_server.persistence.cassandra.rows import place_of
from tenuto_server.persistence.cassandra.session import Bound, Session, Statement
from tenuto_server.persistence.cassandra.writing import Write, together
from tenuto_server.persistence.interface import Row, StoreUnavailable, TimerRow
from tenuto_server.persistence.rows import INT64_MAX, INT64_MIN

logger = logging.getLogger(__name__)

_BUCKET_BITS: Final = 36
# A key's first bits that make its bucket: of eight bytes of time, all but the last 36 bits.
_PREFIX_BITS: Final = 64 - _BUCKET_BITS
BUCKET_MIN: Final = INT64_MIN >> _BUCKET_BITS
BUCKET_MAX: Final = 1 << _PREFIX_BITS

_MARK_S: Final = 300
_QUIET_S: Final = 3600
_MARKS_KEPT_MAX: Final = 100_000
_BUCKETS_READ_AT_ONCE_MAX: Final = 16
_SWEPT_AT_ONCE_MAX: Final = 1000
_KEYS_AT_ONCE: Final = 100

_MARK: Final = Statement("buckets-mark", "INSERT INTO queue_buckets (queue, bucket, noted) VALUES (?, ?, true) USING TIMESTAMP ?")
_UNMARK: Final = Statement(
    "buckets-unmark", "DELETE FROM queue_buckets USING TIMESTAMP ? WHERE queue = ? AND bucket = ?", partition=(1,)
)
_MARKS: Final = Statement(
    "buckets-list", "SELECT bucket, WRITETIME(noted) FROM queue_buckets WHERE queue = ? AND bucket >= ? AND bucket <= ?"
)

_PUT_TASK: Final = Statement(
    "tasks-put", "INSERT INTO tasks (place, bucket, key, value) VALUES (?, ?, ?, ?) USING TIMESTAMP ?", partition=(0, 1)
)
_REMOVE_TASK: Final = Statement(
    "tasks-remove", "DELETE FROM tasks USING TIMESTAMP ? WHERE place = ? AND bucket = ? AND key = ?", partition=(1, 2)
)
_READ_TASKS: Final = Statement(
    "tasks-read", "SELECT key, value FROM tasks WHERE place = ? AND bucket = ? AND key IN ?", partition=(0, 1)
)
_SCAN_TASKS: Final = {
    (after, until): Statement(
        "tasks-scan",
        "SELECT key, value FROM tasks WHERE place = ? AND bucket = ?"
        f"{' AND key > ?' if after else ''}{' AND key < ?' if until else ''} LIMIT ?",
        partition=(0, 1),
    )
    for after in (False, True)
    for until in (False, True)
}
_ANY_TASK: Final = Statement(
    "tasks-any", "SELECT key FROM tasks WHERE place = ? AND bucket = ? LIMIT 1", partition=(0, 1)
)

_PUT_TIMER: Final = Statement(
    "timers-put", "INSERT INTO timers (shard, bucket, fire_ns, key, live) VALUES (?, ?, ?, ?, true) USING TIMESTAMP ?",
    partition=(0, 1),
)  # fmt: skip
_REMOVE_TIMER: Final = Statement(
    "timers-remove", "DELETE FROM timers USING TIMESTAMP ? WHERE shard = ? AND bucket = ? AND fire_ns = ? AND key = ?",
    partition=(1, 2),
)  # fmt: skip
# By whether there is a timer to come after.
_SCAN_TIMERS: Final = {
    after: Statement(
        "timers-scan",
        "SELECT fire_ns, key, WRITETIME(live) FROM timers WHERE shard = ? AND bucket = ?"
        f"{' AND (fire_ns, key) > (?, ?)' if after else ''} AND (fire_ns) <= (?) LIMIT ?",
        partition=(0, 1),
    )
    for after in (False, True)
}
_ANY_TIMER: Final = Statement(
    "timers-any", "SELECT key FROM timers WHERE shard = ? AND bucket = ? LIMIT 1", partition=(0, 1)
)


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a scan asks of each bucket: the statement, and its parameters after those that name the bucket. `whole` are the
    first and last bucket that it sees all of."""

    queue: str
    place: str | int
    statement: Statement
    parameters: tuple[Any, ...]
    whole: tuple[int, int]


class Queues:
    """Tasks and timers of all shards, through one session."""

    def __init__(self, session: Session, runtime: Runtime) -> None:
        self._session = session
        self._runtime = runtime
        # When we marked buckets, in nanoseconds.
        self._marked: dict[tuple[str, int], int] = {}
        # The queues that were written here, with their places.
        self._known: dict[str, str | int] = {}

    # --- writing ------------------------------------------------------------------------------------------------------
    def writes_of(self, tasks: Iterable[Row], timers: Iterable[TimerRow]) -> tuple[list[Write], dict[tuple[str, int], int]]:
        """The writes that make and remove rows, with those that mark their buckets. When all are done, `wrote` is to be told of
        the marks."""
        writes: list[Write] = []
        wanted: dict[tuple[str, int], str | int] = {}
        for row in tasks:
            place, bucket = place_of(row.partition), bucket_of_key(row.key)
            partition = ("tasks", place, bucket)
            if row.value is None:
                bound = Bound(_REMOVE_TASK, (row.stamp, place, bucket, row.key))
                writes.append(Write(bound, partition, len(row.key)))
            else:
                bound = Bound(_PUT_TASK, (place, bucket, row.key, bytes(row.value), row.stamp))
                writes.append(Write(bound, partition, len(row.key) + len(row.value)))
                wanted[_tasks_queue(place), bucket] = place
        for shard, fire_ns, key, live, stamp in timers:
            bucket = fire_ns >> _BUCKET_BITS
            if live:
                bound = Bound(_PUT_TIMER, (shard, bucket, fire_ns, key, stamp))
                wanted[_timers_queue(shard), bucket] = shard
            else:
                bound = Bound(_REMOVE_TIMER, (stamp, shard, bucket, fire_ns, key))
            writes.append(Write(bound, ("timers", shard, bucket), len(key)))
        now = self._runtime.now()
        marks: dict[tuple[str, int], int] = {}
        for (queue, bucket), place_or_shard in wanted.items():
            self._known[queue] = place_or_shard
            if now - self._marked.get((queue, bucket), -INT64_MAX) >= _MARK_S * SECOND:
                marks[queue, bucket] = now
                writes.append(Write(Bound(_MARK, (queue, bucket, now // 1000)), ("buckets", queue), len(queue)))
        return writes, marks

    def wrote(self, marks: dict[tuple[str, int], int]) -> None:
        """The writes that went with these marks are durable."""
        if len(self._marked) + len(marks) > _MARKS_KEPT_MAX:
            self._marked.clear()
        self._marked.update(marks)

    # --- reading ------------------------------------------------------------------------------------------------------
    async def read_tasks(self, partition: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Store.read`."""
        place = place_of(partition)
        by_bucket: dict[int, list[bytes]] = {}
        for key in dict.fromkeys(keys):
            by_bucket.setdefault(bucket_of_key(key), []).append(key)
        found: dict[bytes, bytes] = {}

        async def read_some(bucket: int, some: list[bytes]) -> None:
            found.update(await self._session.execute(_READ_TASKS, (place, bucket, some)))

        await together(
            [
                read_some(bucket, asked[first : first + _KEYS_AT_ONCE])
                for bucket, asked in by_bucket.items()
                for first in range(0, len(asked), _KEYS_AT_ONCE)
            ]
        )
        return [found.get(key) for key in keys]

    async def scan_tasks(
        self, partition: str, after: bytes | None, limit: int, until: bytes | None
    ) -> list[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        if limit <= 0 or (after is not None and until is not None and after >= until):
            return []
        place = place_of(partition)
        first = BUCKET_MIN if after is None else bucket_of_key(after)
        last = BUCKET_MAX if until is None else bucket_of_key(until)
        bounds = tuple(key for key in (after, until) if key is not None)
        whole = (first if after is None else first + 1, last if until is None else last - 1)
        statement = _SCAN_TASKS[after is not None, until is not None]
        scan = _Scan(_tasks_queue(place), place, statement, bounds, whole)
        return [(key, value) for key, value in await self._scan(scan, first, last, limit)]

    async def scan_timers(self, shard: int, until_ns: int, after: tuple[int, bytes] | None, limit: int) -> list[TimerRow]:
        """See `Store.scan_timers`."""
        if limit <= 0:
            return []
        until_ns = max(INT64_MIN, min(INT64_MAX, until_ns))
        first = BUCKET_MIN if after is None else max(INT64_MIN, min(INT64_MAX, after[0])) >> _BUCKET_BITS
        last = until_ns >> _BUCKET_BITS
        whole = (first if after is None else first + 1, last - 1)
        scan = _Scan(
            _timers_queue(shard), shard, _SCAN_TIMERS[after is not None], (*(after or ()), until_ns), whole
        )
        rows = await self._scan(scan, first, last, limit)
        return [TimerRow(shard, fire_ns, key, True, stamp) for fire_ns, key, stamp in rows]

    async def _scan(self, scan: _Scan, first: int, last: int, limit: int) -> list[tuple[Any, ...]]:
        """The first rows of the buckets from `first` to `last`: more and more buckets at once while they hold little."""
        limit = min(limit, LIMIT_MAX)
        self._known[scan.queue] = scan.place
        marks = await read_up_to(self._session, _MARKS, (scan.queue, first, last), LIMIT_MAX)
        rows: list[tuple[Any, ...]] = []
        done: list[tuple[int, int]] = []
        at, count = 0, 1
        while at < len(marks) and len(rows) < limit:
            some = marks[at : at + count]
            held: list[list[tuple[Any, ...]]] = [[] for _ in some]
            await together(
                [self._read_bucket(scan, bucket, limit, held[number]) for number, (bucket, _) in enumerate(some)]
            )
            for (bucket, marked_us), found in zip(some, held, strict=True):
                rows += found
                if not found and scan.whole[0] <= bucket <= scan.whole[1]:
                    done.append((bucket, marked_us))
            at += count
            count = min(count * 2, _BUCKETS_READ_AT_ONCE_MAX)
        await self._unmark(scan.queue, done)
        return rows[:limit]

    async def _read_bucket(self, scan: _Scan, bucket: int, limit: int, found: list[tuple[Any, ...]]) -> None:
        parameters = (scan.place, bucket, *scan.parameters, limit)
        found += await read_up_to(self._session, scan.statement, parameters, limit)

    # --- what is done with --------------------------------------------------------------------------------------------
    async def sweep(self) -> None:
        """Takes away the marks of empty buckets. Raises StoreUnavailable; whatever was not done is done the next time."""
        this_bucket = self._runtime.now() >> _BUCKET_BITS
        for queue, place in list(self._known.items()):
            # Timers lie in the buckets of when they fire: those to come are left alone.
            is_timers = isinstance(place, int)
            last = this_bucket - 1 if is_timers else BUCKET_MAX
            marks = await read_up_to(self._session, _MARKS, (queue, BUCKET_MIN, last), _SWEPT_AT_ONCE_MAX)
            quiet = [(bucket, marked_us) for bucket, marked_us in marks if self._is_quiet(marked_us)]
            any_row = _ANY_TIMER if is_timers else _ANY_TASK
            done = [mark for mark in quiet if not await self._session.execute(any_row, (place, mark[0]))]
            await self._unmark(queue, done)

    async def _unmark(self, queue: str, buckets: Sequence[tuple[int, int]]) -> None:
        quiet = [(bucket, marked_us) for bucket, marked_us in buckets if self._is_quiet(marked_us)]
        if not quiet:
            return
        try:
            await self._session.write_together(
                [Bound(_UNMARK, (marked_us, queue, bucket)) for bucket, marked_us in quiet[:_SWEPT_AT_ONCE_MAX]]
            )
        except StoreUnavailable:
            logger.info("the marks of %d empty buckets of %s stay until the next look", len(quiet), queue)

    def _is_quiet(self, marked_us: int) -> bool:
        return self._runtime.now() // 1000 - marked_us >= _QUIET_S * 1_000_000


def bucket_of_key(key: bytes) -> int:
    """The bucket of a task's row: the first bits of its key, so that buckets follow one another as keys do."""
    return int.from_bytes(key[:4].ljust(4, b"\0")) >> (32 - _PREFIX_BITS)


def _tasks_queue(place: str) -> str:
    return "tasks " + place


def _timers_queue(shard: int) -> str:
    return f"timers {shard}"
