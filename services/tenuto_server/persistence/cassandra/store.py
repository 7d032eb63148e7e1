"""The Cassandra store: the `Store` interface over one keyspace, through a `Session`.

What each part does is in its module: `log` the commit logs, `rows` runs and histories, `queues` tasks and timers, `visibility`
the index, `cas` compare-and-set, `members` membership. Here they are put together.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.cassandra import cas, members, rows, writing
from tenuto_server.persistence.cassandra.log import CassandraLogs, LogForm
from tenuto_server.persistence.cassandra.queues import Queues
from tenuto_server.persistence.cassandra.session import Session
from tenuto_server.persistence.cassandra.visibility import VisibilityIndex, writes_of
from tenuto_server.persistence.interface import (
    LogRow,
    Member,
    StoreUnavailable,
    Table,
    TimerRow,
    Versioned,
    VisibilityPage,
    VisibilityRecord,
    WriteBatch,
)
from tenuto_server.telemetry.measures import Family, Measuring
from tenuto_server.visibility.tree import Query

logger = logging.getLogger(__name__)

_SWEEP_INTERVAL_S: Final = 600.0


class CassandraStore:
    """A `Store` through `session`. `form` is that of the logs it makes; `prepare` is called when the session is open, and makes
    or checks the schema."""

    def __init__(
        self,
        session: Session,
        runtime: Runtime,
        form: LogForm = LogForm.LWT,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._session = session
        self._logs = CassandraLogs(session, form)
        self._visibility = VisibilityIndex(session)
        self._queues = Queues(session, runtime)
        self._prepare = prepare
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def requests(self) -> Counter[str]:
        """How many requests were made to Cassandra so far, by the names of their statements."""
        return self._session.requests

    def measures(self) -> Iterator[Family]:
        """What this store shows of itself."""
        if isinstance(self._session, Measuring):
            yield from self._session.measures()

    async def open(self) -> None:
        """See `Store.open`. Raises StoreUnavailable, and StoreVersionError for a keyspace that is not made or not ours."""
        try:
            await self._session.open()
            if self._prepare is not None:
                await self._prepare()
        except BaseException:
            await self._session.close()
            raise
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    async def close(self) -> None:
        """See `Store.close`."""
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.cancel()
            await asyncio.gather(sweeper, return_exceptions=True)
        await self._session.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_INTERVAL_S)
            try:
                await self._queues.sweep()
            except StoreUnavailable as error:
                logger.info("looking for empty buckets is tried again later: %s", error)

    # --- the log ------------------------------------------------------------------------------------------------------
    async def create_log(self, log_id: str) -> None:
        """See `Store.create_log`."""
        await self._logs.create_log(log_id)

    async def append(self, log_id: str, seq: int, body: bytes) -> None:
        """See `Store.append`."""
        await self._logs.append(log_id, seq, body)

    async def seal(self, log_id: str) -> None:
        """See `Store.seal`."""
        await self._logs.seal(log_id)

    async def log_sealed(self, log_id: str) -> bool:
        """See `Store.log_sealed`."""
        return await self._logs.log_sealed(log_id)

    async def read_log(self, log_id: str, after_seq: int, limit: int) -> list[LogRow]:
        """See `Store.read_log`."""
        return await self._logs.read_log(log_id, after_seq, limit)

    async def trim_log(self, log_id: str, through_seq: int) -> None:
        """See `Store.trim_log`."""
        await self._logs.trim_log(log_id, through_seq)

    async def log_trimmed(self, log_id: str) -> int:
        """See `Store.log_trimmed`."""
        return await self._logs.log_trimmed(log_id)

    async def delete_log(self, log_id: str) -> None:
        """See `Store.delete_log`."""
        await self._logs.delete_log(log_id)

    async def list_logs(self) -> list[str]:
        """See `Store.list_logs`."""
        return await self._logs.list_logs()

    # --- newest-timestamp-wins rows, timers, visibility ---------------------------------------------------------------
    async def write(self, batch: WriteBatch) -> None:
        """See `Store.write`. What fits together goes in one request; the requests go at the same time."""
        tasks = [row for row in batch.rows if row.table is Table.TASKS]
        writes, marks = self._queues.writes_of(tasks, batch.timers)
        others = [row for row in batch.rows if row.table is not Table.TASKS]
        writes += [rows.write_of(row) for row in others if not rows.is_large(row)]
        writes += [rows.write_of_drop(drop) for drop in batch.history_drops]
        writes += writes_of(batch.visibility, batch.visibility_deletes)
        works = [rows.put_large(self._session, row) for row in others if rows.is_large(row)]
        if writes:
            works.append(writing.carry_out(self._session, writes))
        await writing.together(works)
        self._queues.wrote(marks)

    async def read(self, table: Table, partition: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Store.read`."""
        if table is Table.TASKS:
            return await self._queues.read_tasks(partition, keys)
        return await rows.read(self._session, table, partition, keys)

    async def scan(
        self, table: Table, partition: str, after: bytes | None, limit: int, until: bytes | None = None
    ) -> list[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        if table is Table.TASKS:
            return await self._queues.scan_tasks(partition, after, limit, until)
        return await rows.scan(self._session, table, partition, after, limit, until)

    async def list_partitions(self, table: Table, token: bytes, limit: int) -> tuple[list[str], bytes]:
        """See `Store.list_partitions`."""
        return await rows.list_partitions(self._session, table, token, limit)

    async def scan_timers(self, shard: int, until_ns: int, after: tuple[int, bytes] | None, limit: int) -> list[TimerRow]:
        """See `Store.scan_timers`."""
        return await self._queues.scan_timers(shard, until_ns, after, limit)

    async def list_visibility(self, query: Query, page_size: int, token: bytes) -> VisibilityPage:
        """See `Store.list_visibility`."""
        return await self._visibility.list_visibility(query, page_size, token)

    async def list_expired(
        self, domain_id: str, until_ns: int, after: tuple[int, str] | None, limit: int
    ) -> list[VisibilityRecord]:
        """See `Store.list_expired`."""
        return await self._visibility.list_expired(domain_id, until_ns, after, limit)

    async def count_visibility(self, query: Query) -> int:
        """See `Store.count_visibility`."""
        return await self._visibility.count_visibility(query)

    # --- compare-and-set rows -----------------------------------------------------------------------------------------
    async def get(self, space: str, key: str) -> Versioned | None:
        """See `Store.get`."""
        return await cas.get(self._session, space, key)

    async def peek(self, space: str, key: str) -> Versioned | None:
        """See `Store.peek`."""
        return await cas.peek(self._session, space, key)

    async def compare_and_set(self, space: str, key: str, value: bytes | None, expected_version: int) -> bool:
        """See `Store.compare_and_set`."""
        return await cas.compare_and_set(self._session, space, key, value, expected_version)

    async def list_rows(self, space: str, after: str, limit: int) -> list[Versioned]:
        """See `Store.list_rows`."""
        return await cas.list_rows(self._session, space, after, limit)

    # --- membership ---------------------------------------------------------------------------------------------------
    async def announce(self, member: Member, ttl_s: float) -> None:
        """See `Store.announce`."""
        await members.announce(self._session, member, ttl_s)

    async def withdraw(self, member: Member) -> None:
        """See `Store.withdraw`."""
        await members.withdraw(self._session, member)

    async def members(self) -> list[Member]:
        """See `Store.members`."""
        return await members.members(self._session)
