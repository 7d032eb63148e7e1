"""The SQLite store: the `Store` interface over one file, or memory, by the standard library's sqlite3.

Several processes may share a file: SQLite lets one write at a time, and the others wait for it up to five seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from tenuto_server.config.runtime import SECOND, Runtime
from tenuto_server.persistence.interface import (
    LogRow,
    Member,
    Table,
    TimerRow,
    Versioned,
    VisibilityPage,
    VisibilityRecord,
    WriteBatch,
)
from tenuto_server.persistence.sqlite import operations, schema, visibility
from tenuto_server.persistence.sqlite.direct import DirectReads
from tenuto_server.persistence.sqlite.sweeper import Sweeper
from tenuto_server.persistence.sqlite.workers import Readers, Threads, Writer
from tenuto_server.telemetry.measures import Family, counter, gauge
from tenuto_server.visibility.tree import Query

_READERS: Final = 2
_READS_WAITING_MAX: Final = 10_000
_WRITES_WAITING_MAX: Final = 10_000
_WRITE_BYTES_WAITING_MAX: Final = 128 << 20
# A busy event loop lets the interpreter's lock go and takes it back many times a millisecond, too quickly for a waking
# thread to get it; what helps that thread is to ask for it, which it does only after this long without a release. With
# Python's 5 ms an append beside a busy loop took 40 ms, and seconds at worst (docs/decisions/0003).
_SWITCH_INTERVAL_S: Final = 0.0001


class SqliteStore:
    """A `Store` in the SQLite file `path`, or in this object's memory for ":memory:". With `synchronous` "FULL" what is
    acknowledged survives a loss of power, with "NORMAL" a crash of the process only."""

    def __init__(self, path: str, synchronous: schema.Synchronous = "FULL", runtime: Runtime | None = None) -> None:
        self._runtime = runtime or Runtime()
        self._sweeper = Sweeper(self._runtime.now)
        self._writer = Writer(
            partial(schema.connect_writer, path, synchronous),
            self._sweeper,
            _WRITES_WAITING_MAX,
            _WRITE_BYTES_WAITING_MAX,
            self._runtime.stopwatch,
        )
        self._connect_reader = partial(schema.connect_reader, path)
        # Only its own connection sees a database in memory.
        self._own_readers = (
            None
            if path == schema.MEMORY
            else Readers(self._connect_reader, _READERS, _READS_WAITING_MAX, self._runtime.stopwatch)
        )
        self._readers: Threads = self._own_readers or self._writer
        self._direct: DirectReads | None = None

    @property
    def groups(self) -> int:
        """How many transactions were committed for calls so far: many calls share one under load."""
        return self._writer.groups

    def measures(self) -> Iterator[Family]:
        """What this store shows of itself."""
        labels = ("db_system_name", "db_operation_name", "outcome")
        text = "Requests to the store, with their wait for a thread."
        waiting = 0
        for threads in (self._writer, self._own_readers):
            if threads is not None:
                yield threads.durations.family("db_client_operation_duration_seconds", text, labels, ("sqlite",))
                waiting += threads.waiting
        yield gauge("tenuto_store_requests_waiting", "Requests to the store that are not answered yet.", waiting)
        yield counter("tenuto_store_transactions_total", "Transactions that wrote, each for one or many requests.", self.groups)

    async def open(self) -> None:
        """See `Store.open`. Raises `StoreVersionError` for a file of a newer version or of another program. Sets the
        process's thread switch interval."""
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_INTERVAL_S))
        try:
            await self._writer.start()
            if self._own_readers is not None:
                await self._own_readers.start()
                self._direct = DirectReads(self._connect_reader, self._runtime.stopwatch, self._own_readers.durations)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """See `Store.close`."""
        if self._direct is not None:
            self._direct.close()
            self._direct = None
        if self._own_readers is not None:
            await self._own_readers.stop()
        await self._writer.stop()

    # --- the log ------------------------------------------------------------------------------------------------------
    async def create_log(self, log_id: str) -> None:
        """See `Store.create_log`."""
        await self._writer.submit(operations.create_log, (log_id,))

    async def append(self, log_id: str, seq: int, body: bytes) -> None:
        """See `Store.append`."""
        await self._writer.submit(operations.append, (log_id, seq, body), len(body))

    async def seal(self, log_id: str) -> None:
        """See `Store.seal`."""
        await self._writer.submit(operations.seal, (log_id,))

    async def log_sealed(self, log_id: str) -> bool:
        """See `Store.log_sealed`."""
        is_sealed: bool = await self._readers.submit(operations.log_sealed, (log_id,))
        return is_sealed

    async def read_log(self, log_id: str, after_seq: int, limit: int) -> list[LogRow]:
        """See `Store.read_log`."""
        rows: list[LogRow] = await self._readers.submit(operations.read_log, (log_id, after_seq, limit))
        return rows

    async def trim_log(self, log_id: str, through_seq: int) -> None:
        """See `Store.trim_log`. The rows are removed in the background."""
        await self._writer.submit(self._sweeper.trim_log, (log_id, through_seq))

    async def log_trimmed(self, log_id: str) -> int:
        """See `Store.log_trimmed`."""
        trimmed: int = await self._readers.submit(operations.log_trimmed, (log_id,))
        return trimmed

    async def delete_log(self, log_id: str) -> None:
        """See `Store.delete_log`. The rows are removed in the background."""
        await self._writer.submit(self._sweeper.delete_log, (log_id,))

    async def list_logs(self) -> list[str]:
        """See `Store.list_logs`."""
        log_ids: list[str] = await self._readers.submit(operations.list_logs, ())
        return log_ids

    # --- newest-timestamp-wins rows, timers, visibility ---------------------------------------------------------------
    async def write(self, batch: WriteBatch) -> None:
        """See `Store.write`. All of it is one transaction. The batch may not change while this waits."""
        size = sum([len(row.value) for row in batch.rows if row.value is not None]) + 512 * len(batch.visibility)
        await self._writer.submit(operations.write, (batch, self._runtime.now()), size)

    async def read(self, table: Table, partition: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Store.read`."""
        if self._direct is not None:
            found = self._direct.read(table, partition, keys)
            if found is not None:
                return found
        values: list[bytes | None] = await self._readers.submit(operations.read, (table, partition, keys))
        return values

    async def scan(
        self, table: Table, partition: str, after: bytes | None, limit: int, until: bytes | None = None
    ) -> list[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        rows: list[tuple[bytes, bytes]] = await self._readers.submit(operations.scan, (table, partition, after, limit, until))
        return rows

    async def list_partitions(self, table: Table, token: bytes, limit: int) -> tuple[list[str], bytes]:
        """See `Store.list_partitions`."""
        page: tuple[list[str], bytes] = await self._readers.submit(operations.list_partitions, (table, token, limit))
        return page

    async def scan_timers(self, shard: int, until_ns: int, after: tuple[int, bytes] | None, limit: int) -> list[TimerRow]:
        """See `Store.scan_timers`."""
        timers: list[TimerRow] = await self._readers.submit(operations.scan_timers, (shard, until_ns, after, limit))
        return timers

    async def list_visibility(self, query: Query, page_size: int, token: bytes) -> VisibilityPage:
        """See `Store.list_visibility`."""
        page: VisibilityPage = await self._readers.submit(
            visibility.list_page, (query, page_size, token, self._runtime.cpu_s)
        )
        return page

    async def list_expired(
        self, domain_id: str, until_ns: int, after: tuple[int, str] | None, limit: int
    ) -> list[VisibilityRecord]:
        """See `Store.list_expired`."""
        expired: list[VisibilityRecord] = await self._readers.submit(
            visibility.list_expired, (domain_id, until_ns, after, limit)
        )
        return expired

    async def count_visibility(self, query: Query) -> int:
        """See `Store.count_visibility`."""
        count: int = await self._readers.submit(visibility.count, (query, self._runtime.cpu_s))
        return count

    # --- compare-and-set rows -----------------------------------------------------------------------------------------
    async def get(self, space: str, key: str) -> Versioned | None:
        """See `Store.get`."""
        row: Versioned | None = await self._readers.submit(operations.get, (space, key))
        return row

    async def peek(self, space: str, key: str) -> Versioned | None:
        """See `Store.peek`."""
        return await self.get(space, key)

    async def compare_and_set(self, space: str, key: str, value: bytes | None, expected_version: int) -> bool:
        """See `Store.compare_and_set`."""
        size = 0 if value is None else len(value)
        done: bool = await self._writer.submit(operations.compare_and_set, (space, key, value, expected_version), size)
        return done

    async def list_rows(self, space: str, after: str, limit: int) -> list[Versioned]:
        """See `Store.list_rows`."""
        rows: list[Versioned] = await self._readers.submit(operations.list_rows, (space, after, limit))
        return rows

    # --- membership ---------------------------------------------------------------------------------------------------
    async def announce(self, member: Member, ttl_s: float) -> None:
        """See `Store.announce`. The store's clock is the machine's, which all processes on the file share."""
        expires_ns = self._runtime.now() + int(ttl_s * SECOND)
        await self._writer.submit(operations.announce, (member, expires_ns))

    async def withdraw(self, member: Member) -> None:
        """See `Store.withdraw`."""
        await self._writer.submit(operations.withdraw, (member,))

    async def members(self) -> list[Member]:
        """See `Store.members`."""
        members: list[Member] = await self._readers.submit(operations.members, (self._runtime.now(),))
        return members
