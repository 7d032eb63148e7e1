"""A store that fails as a replicated one does: slow, refusing, silent about what it did, late, and half.

`FaultyStore` stands before a `MemoryStore`, which decides what is true. Each call is on its way for a while, is carried
out at one moment, and its answer is on its way for a while: so calls made at the same time are carried out in any
order. A call may be refused (not done, and the caller told StoreUnavailable) or lose its answer (done, and told the
same). What was refused may still be carried out later, or in part, where the interface allows that: log rows, sealed
log or not, and rows with stamps. Compare-and-set is never late: to read such a row settles what was under way.

All chance comes from the `random.Random` that it is given, all time from the event loop.

Two mistakes can be planted, which the checkers must find: `skip_seal_check` acknowledges appends to a sealed log, and
`read_before_seal` shows whoever seals the log as it was before the seal took hold.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

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
from tenuto_server.persistence.memory import MemoryStore
from tenuto_server.visibility.tree import Query

T = TypeVar("T")
_ALL = 1 << 40


@dataclass(slots=True)
class Faults:
    """Chances a call (0 to 1) and times in seconds.

    delay_s: mean time of a call's way in, and of its answer's way back.
    stall, stall_s: chance of a way that takes up to `stall_s`.
    refused: not done, and the caller is told StoreUnavailable.
    lost_answer: done, and the caller is told StoreUnavailable.
    late, late_s: chance that a refused append or write is carried out after all, up to `late_s` later.
    partial: chance that of a refused write some rows are written at once.
    """

    delay_s: float = 0.0
    stall: float = 0.0
    stall_s: float = 5.0
    refused: float = 0.0
    lost_answer: float = 0.0
    late: float = 0.0
    late_s: float = 30.0
    partial: float = 0.0


class FaultyStore:
    """A `Store` with `faults`, which may be changed at any time, and planted mistakes, which are off at first."""

    def __init__(self, memory: MemoryStore, chance: random.Random, faults: Faults | None = None) -> None:
        self._memory = memory
        self._chance = chance
        self.faults = faults or Faults()
        self.skip_seal_check = False
        self.read_before_seal = False
        self._shown: dict[str, list[LogRow]] = {}  # by log: what `read_before_seal` shows
        self._late: set[asyncio.Task[None]] = set()

    def heal(self) -> None:
        """No more faults; calls under way keep theirs, and what is late still comes. Planted mistakes stay."""
        self.faults = Faults()

    def kill(self) -> None:
        """What is late never comes."""
        for task in self._late:
            task.cancel()

    # --- how a call goes ----------------------------------------------------------------------------------------------
    async def _way(self) -> None:
        faults = self.faults
        if self._chance.random() < faults.stall:
            await asyncio.sleep(self._chance.uniform(0.0, faults.stall_s))
        elif faults.delay_s > 0.0:
            await asyncio.sleep(self._chance.expovariate(1.0 / faults.delay_s))

    async def _call(self, operation: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """`operation` waits for nothing, so that it happens at one moment."""
        await self._way()
        if self._chance.random() < self.faults.refused:
            raise StoreUnavailable("refused")
        return await self._answered(await operation())

    async def _answered(self, result: T) -> T:
        await self._way()
        if self._chance.random() < self.faults.lost_answer:
            raise StoreUnavailable("done, but the answer is lost")
        return result

    def _perhaps_late(self, operation: Callable[[], None]) -> None:
        if self._chance.random() < self.faults.late:
            wait_s = self._chance.uniform(0.0, self.faults.late_s)
            task = asyncio.get_running_loop().create_task(_after(wait_s, operation))
            self._late.add(task)
            task.add_done_callback(self._late.discard)

    # --- the store ----------------------------------------------------------------------------------------------------
    async def open(self) -> None:
        """See `Store.open`."""
        await self._call(self._memory.open)

    async def close(self) -> None:
        """See `Store.close`."""
        await self._memory.close()

    async def create_log(self, log_id: str) -> None:
        """See `Store.create_log`."""
        await self._call(lambda: self._memory.create_log(log_id))

    async def append(self, log_id: str, seq: int, body: bytes) -> None:
        """See `Store.append`."""
        await self._way()
        if self._chance.random() < self.faults.refused:
            self._perhaps_late(lambda: self._memory.surface(log_id, seq, body))
            raise StoreUnavailable("refused")
        if self.skip_seal_check:
            self._memory.surface(log_id, seq, body)
        else:
            await self._memory.append(log_id, seq, body)
        await self._answered(None)

    async def seal(self, log_id: str) -> None:
        """See `Store.seal`."""
        if self.read_before_seal and log_id not in self._shown:
            self._shown[log_id] = await self._memory.read_log(log_id, 0, _ALL)
        await self._call(lambda: self._memory.seal(log_id))

    async def read_log(self, log_id: str, after_seq: int, limit: int) -> list[LogRow]:
        """See `Store.read_log`."""
        rows = await self._call(lambda: self._memory.read_log(log_id, after_seq, limit))
        shown = self._shown.get(log_id)
        if shown is None:
            return rows
        last = shown[-1].seq if shown else 0
        return [row for row in rows if row.seq <= last]

    async def trim_log(self, log_id: str, through_seq: int) -> None:
        """See `Store.trim_log`."""
        await self._call(lambda: self._memory.trim_log(log_id, through_seq))

    async def log_sealed(self, log_id: str) -> bool:
        """See `Store.log_sealed`."""
        return await self._call(lambda: self._memory.log_sealed(log_id))

    async def log_trimmed(self, log_id: str) -> int:
        """See `Store.log_trimmed`."""
        return await self._call(lambda: self._memory.log_trimmed(log_id))

    async def delete_log(self, log_id: str) -> None:
        """See `Store.delete_log`."""
        await self._call(lambda: self._memory.delete_log(log_id))

    async def list_logs(self) -> list[str]:
        """See `Store.list_logs`."""
        return await self._call(self._memory.list_logs)

    async def write(self, batch: WriteBatch) -> None:
        """See `Store.write`."""
        # What the caller does with its batch afterwards must not change what is under way.
        sent = WriteBatch(
            list(batch.rows), list(batch.timers), list(batch.visibility), list(batch.visibility_deletes),
            list(batch.history_drops),
        )  # fmt: skip
        await self._way()
        if self._chance.random() < self.faults.refused:
            if self._chance.random() < self.faults.partial:
                self._memory.write_now(self._some_of(sent))
            self._perhaps_late(lambda: self._memory.write_now(sent))
            raise StoreUnavailable("refused")
        self._memory.write_now(sent)
        await self._answered(None)

    def _some_of(self, batch: WriteBatch) -> WriteBatch:
        def some(rows: list[T]) -> list[T]:
            return [row for row in rows if self._chance.random() < 0.5]

        return WriteBatch(
            some(batch.rows), some(batch.timers), some(batch.visibility), some(batch.visibility_deletes),
            some(batch.history_drops),
        )  # fmt: skip

    async def read(self, table: Table, partition: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Store.read`."""
        return await self._call(lambda: self._memory.read(table, partition, keys))

    async def scan(
        self, table: Table, partition: str, after: bytes | None, limit: int, until: bytes | None = None
    ) -> list[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        return await self._call(lambda: self._memory.scan(table, partition, after, limit, until))

    async def list_partitions(self, table: Table, token: bytes, limit: int) -> tuple[list[str], bytes]:
        """See `Store.list_partitions`."""
        return await self._call(lambda: self._memory.list_partitions(table, token, limit))

    async def scan_timers(self, shard: int, until_ns: int, after: tuple[int, bytes] | None, limit: int) -> list[TimerRow]:
        """See `Store.scan_timers`."""
        return await self._call(lambda: self._memory.scan_timers(shard, until_ns, after, limit))

    async def list_visibility(self, query: Query, page_size: int, token: bytes) -> VisibilityPage:
        """See `Store.list_visibility`."""
        return await self._call(lambda: self._memory.list_visibility(query, page_size, token))

    async def list_expired(
        self, domain_id: str, until_ns: int, after: tuple[int, str] | None, limit: int
    ) -> list[VisibilityRecord]:
        """See `Store.list_expired`."""
        return await self._call(lambda: self._memory.list_expired(domain_id, until_ns, after, limit))

    async def count_visibility(self, query: Query) -> int:
        """See `Store.count_visibility`."""
        return await self._call(lambda: self._memory.count_visibility(query))

    async def get(self, space: str, key: str) -> Versioned | None:
        """See `Store.get`."""
        return await self._call(lambda: self._memory.get(space, key))

    async def peek(self, space: str, key: str) -> Versioned | None:
        """See `Store.peek`."""
        return await self._call(lambda: self._memory.peek(space, key))

    async def compare_and_set(self, space: str, key: str, value: bytes | None, expected_version: int) -> bool:
        """See `Store.compare_and_set`."""
        return await self._call(lambda: self._memory.compare_and_set(space, key, value, expected_version))

    async def list_rows(self, space: str, after: str, limit: int) -> list[Versioned]:
        """See `Store.list_rows`."""
        return await self._call(lambda: self._memory.list_rows(space, after, limit))

    async def announce(self, member: Member, ttl_s: float) -> None:
        """See `Store.announce`."""
        await self._call(lambda: self._memory.announce(member, ttl_s))

    async def withdraw(self, member: Member) -> None:
        """See `Store.withdraw`."""
        await self._call(lambda: self._memory.withdraw(member))

    async def members(self) -> list[Member]:
        """See `Store.members`."""
        return await self._call(self._memory.members)


async def _after(wait_s: float, operation: Callable[[], None]) -> None:
    await asyncio.sleep(wait_s)
    operation()
