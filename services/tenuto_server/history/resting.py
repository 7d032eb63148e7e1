"""Timers at rest: runs that are not in memory and are to be looked after at a time.

The store holds one timer row for each open run, at its first alarm. Here are those of the near future: read ahead a window at a
time, or left by a run that was just evicted. When one is due its run is loaded, and its alarms ring by themselves. A row that
is stale (its run moved on) loads a run for nothing and does no harm.
"""

from __future__ import annotations

import asyncio
import heapq
import logging

from tenuto_server import errors
from tenuto_server.history.core import Core
from tenuto_server.history.storing import timer_owner
from tenuto_server.persistence.interface import StoreUnavailable

logger = logging.getLogger(__name__)

_PAGE = 1000
_LOADS_AT_ONCE = 16
_LONGEST_WAIT_S = 60.0


class RestingTimers:
    """The near resting timers of all shards of one process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._heap: list[tuple[int, int, bytes]] = []
        self._held: set[tuple[int, int, bytes]] = set()
        # Up to when each shard's rows are read.
        self._read_until: dict[int, int] = {}
        self._wake = asyncio.Event()
        core.on_rest = self.add

    def add(self, at_ns: int, shard_id: int, key: bytes) -> None:
        """A run went to rest whose first alarm is at `at_ns`."""
        until = self._read_until.get(shard_id)
        if until is not None and at_ns <= until:
            self._push((at_ns, shard_id, key))
            self._wake.set()

    def changed(self) -> None:
        """Shards came or went."""
        self._wake.set()

    async def run(self) -> None:
        """Wakes runs for ever."""
        while True:
            wait_s = _LONGEST_WAIT_S
            try:
                await self._read_ahead()
                wait_s = await self._wake_due()
            except StoreUnavailable:
                wait_s = self._core.settings.append_retry
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def _read_ahead(self) -> None:
        core = self._core
        window_ns = int(core.settings.timer_window * 1e9)
        now = core.runtime.now()
        for shard_id in list(self._read_until):
            if shard_id not in core.shards:
                del self._read_until[shard_id]
        for shard_id in list(core.shards):
            if self._read_until.get(shard_id, 0) < now + window_ns // 2:
                await self._read_shard(shard_id, now + window_ns)

    async def _read_shard(self, shard_id: int, until: int) -> None:
        after: tuple[int, bytes] | None = None
        while True:
            rows = await self._core.store.scan_timers(shard_id, until, after, _PAGE)
            for row in rows:
                self._push((row.fire_ns, shard_id, row.key))
            if len(rows) < _PAGE:
                break
            after = (rows[-1].fire_ns, rows[-1].key)
        self._read_until[shard_id] = until

    def _push(self, entry: tuple[int, int, bytes]) -> None:
        if entry not in self._held:
            self._held.add(entry)
            heapq.heappush(self._heap, entry)

    async def _wake_due(self) -> float:
        """Loads the runs that are due; returns how long to wait for the next, in seconds."""
        core = self._core
        while self._heap and self._heap[0][0] <= core.runtime.now():
            due: list[tuple[int, int, bytes]] = []
            while self._heap and len(due) < _LOADS_AT_ONCE and self._heap[0][0] <= core.runtime.now():
                entry = heapq.heappop(self._heap)
                self._held.discard(entry)
                due.append(entry)
            outcomes = await asyncio.gather(*(self._load(entry) for entry in due))
            failed = [entry for entry, loaded in zip(due, outcomes, strict=True) if not loaded]
            for entry in failed:
                self._push(entry)
            if failed:
                return core.settings.append_retry
        window_s = core.settings.timer_window / 2
        if not self._heap:
            return window_s
        return min(window_s, max(0.0, (self._heap[0][0] - core.runtime.now()) / 1e9))

    async def _load(self, entry: tuple[int, int, bytes]) -> bool:
        _, shard_id, key = entry
        shard = self._core.shards.get(shard_id)
        if shard is None:
            return True
        try:
            await shard.run(*timer_owner(key))
        except errors.EntityNotExists:
            logger.warning("a resting timer wakes a run that is not there: %r", key)
        except errors.Unavailable:
            return False
        return True
