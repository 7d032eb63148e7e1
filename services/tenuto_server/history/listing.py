"""Lists that show what was acknowledged before: visibility records of runs that moved, written when somebody is about to read.

Checkpoints write visibility records a second or two late. Whoever lists asks for a flush first, which writes those of runs that
look different in a list than what the store has; nothing else of a run is written, and it stays dirty for the checkpoint. Records
carry a picture's number as all rows do, so whichever of checkpoint and flush pictured a run later wins, however writes overtake
one another. Only what is durable in the log is written.

Flushes are made one at a time with a gap between them, and one serves all who asked before it began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tenuto_server import errors
from tenuto_server.history import storing
from tenuto_server.history.core import Core
from tenuto_server.history.log import CommitLog
from tenuto_server.history.run import Run
from tenuto_server.history.shard import Shard
from tenuto_server.persistence.interface import StoreUnavailable, VisibilityRecord, WriteBatch


class _Picture(NamedTuple):
    run: Run
    version: int
    seq: int
    looks: storing.Looks
    record: VisibilityRecord


class VisibilityFlusher:
    """Writes visibility records on request. `retention_s` tells how long a run is kept after its close."""

    def __init__(self, core: Core, retention_s: Callable[[Run], Awaitable[float]]) -> None:
        self._core = core
        self._retention_s = retention_s
        self._waiting: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._last_s = float("-inf")

    async def flush(self) -> None:
        """Returns when what was durable before the call can be seen in lists. Raises Unavailable where it cannot be written
        now."""
        if not any(_unlisted(shard) for shard in self._core.shards.values()):
            return
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_future()
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._serve())
        # One who goes away does not end it for the others.
        await asyncio.shield(self._waiting)

    def kill(self) -> None:
        """Stops at once; those who wait are told."""
        if self._task is not None:
            self._task.cancel()
        _tell(self._waiting, errors.Unavailable("history is stopping"))
        self._waiting = None

    async def _serve(self) -> None:
        """Flushes until nobody waits."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] | None = None
        try:
            while self._waiting is not None:
                await asyncio.sleep(max(0.0, self._last_s + self._core.settings.visibility_flush_gap - loop.time()))
                # Who asks from now on may have seen something newer than what is written now.
                waiting, self._waiting = self._waiting, None
                try:
                    await self._write_all()
                    _tell(waiting, None)
                except (StoreUnavailable, errors.ServiceError) as error:
                    _tell(waiting, errors.Unavailable(f"visibility could not be written: {error}"))
                self._last_s = loop.time()
        finally:
            # Nobody waits for ever if this is cancelled or breaks.
            self._task = None
            _tell(waiting, errors.Unavailable("history is stopping"))

    async def _write_all(self) -> None:
        core, log = self._core, self._core.log
        if log is None:
            raise errors.ShardOwnershipLost("the commit log is closed")
        for shard in list(core.shards.values()):
            runs = _unlisted(shard)
            for at in range(0, len(runs), core.settings.checkpoint_rows):
                await self._write(shard, log, runs[at : at + core.settings.checkpoint_rows])

    async def _write(self, shard: Shard, log: CommitLog, runs: list[Run]) -> None:
        core = self._core
        batch = WriteBatch()
        pictures: list[_Picture] = []
        for run in runs:
            retention_s = await self._retention_s(run)
            if core.log is not log or run.is_deleted or not run.is_dirty:
                continue
            record = storing.visibility_record(run.state, retention_s)
            record.stamp = storing.stamp(shard.epoch, core.next_picture())
            pictures.append(_Picture(run, run.state.version, run.last_seq, storing.looks(run.state), record))
            batch.visibility.append(record)
        if not pictures:
            return
        await log.wait(max(picture.seq for picture in pictures))
        if core.log is not log:
            raise errors.ShardOwnershipLost("the commit log is closed")
        await core.store.write(batch)
        for picture in pictures:
            picture.run.note_listed(picture.version, picture.looks)


def _unlisted(shard: Shard) -> list[Run]:
    """Runs of which a list would show something else than what they are."""
    found: list[Run] = []
    for run in shard.dirty:
        if run.listed_version == run.state.version:
            continue
        looks = storing.looks(run.state)
        if run.listed_looks == looks:
            run.listed_version = run.state.version
        else:
            found.append(run)
    return found


def _tell(waiting: asyncio.Future[None] | None, error: errors.Unavailable | None) -> None:
    if waiting is None or waiting.done():
        return
    if error is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(error)
        # Those who asked may all have gone.
        waiting.exception()
