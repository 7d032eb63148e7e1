"""Which shards this process owns, how it gets them and gives them up.

A shard's row names the log its owner writes to and the epoch, and changes only by compare-and-set. A free shard is claimed. A
shard of a living owner that the ring gives to us is waited for: the owner hands it over (stops taking requests, commits,
checkpoints, frees the row). A silent owner's shard is taken over: its whole log is sealed, which revokes everything that process
owned at once; the sealed log is read; the row is changed to epoch + 1, our log, and the note up to where the old log counts;
then the shard's records are replayed. The note stays until a checkpoint has made those records rows of our own, so that a
third owner replays the same; a row that surfaces in the old log after the note was written is ignored for ever.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence

import msgspec

from tenuto_server import errors
from tenuto_server.errors import InvariantViolation
from tenuto_server.history import storing
from tenuto_server.history.core import Core
from tenuto_server.history.log import CommitLog
from tenuto_server.history.recovery import LogGone, LogReader, replay
from tenuto_server.history.shard import Shard
from tenuto_server.persistence import scans
from tenuto_server.persistence.interface import Store, StoreUnavailable, Table, Versioned
from tenuto_server.persistence.rows import pack, unpack

logger = logging.getLogger(__name__)

SPACE = "shard"
VERSION = 1
_PAGE = 500


class ShardRow(msgspec.Struct, array_like=True):
    """What the store knows of a shard's ownership. `owner` and `log_id` are empty while it is free."""

    epoch: int = 0
    owner: str = ""
    log_id: str = ""
    prior: list[tuple[str, int]] = []


def shard_key(shard_id: int) -> str:
    """The key of a shard's row; sorts as the number does."""
    return f"{shard_id:08d}"


def encode_row(row: ShardRow) -> bytes:
    """The stored form of a shard row."""
    return pack(VERSION, msgspec.msgpack.encode(row))


def decode_row(value: bytes) -> ShardRow:
    """A shard row from its stored form."""
    _, data = unpack(value, "shard row", VERSION)
    return msgspec.msgpack.decode(data, type=ShardRow)


async def read_row(store: Store, shard_id: int) -> tuple[ShardRow, int]:
    """A shard's row and its version, 0 where there is none yet."""
    found = await store.get(SPACE, shard_key(shard_id))
    return (ShardRow(), 0) if found is None else (decode_row(found.value), found.version)


async def stored_rows(store: Store) -> AsyncIterator[Versioned]:
    """The rows of all shards, as they are stored."""
    after = ""
    while True:
        page = await store.list_rows(SPACE, after, _PAGE)
        for found in page:
            yield found
        if len(page) < _PAGE:
            return
        after = page[-1].key


class Ownership:
    """Brings what this process owns in line with what the ring says."""

    def __init__(self, core: Core) -> None:
        self._core = core
        # When we first saw that a shard of a living owner should be ours.
        self._waiting_since: dict[int, float] = {}
        # Sealed logs that may be of no more use to any shard.
        self._retired: set[str] = set()

    async def find_retired(self, log_id: str) -> None:
        """Notes the logs of this process's former lives, so that they are deleted when no shard needs them."""
        prefix = log_id.rpartition("/")[0] + "/"
        logs = await self._core.store.list_logs()
        self._retired.update(former for former in logs if former.startswith(prefix) and former != log_id)

    async def settle(self) -> None:
        """Takes what should be ours and can be had. Store failures are met again at the next call."""
        core, log = self._core, self._core.log
        if log is None:
            return
        assigned = self.assigned()
        for shard_id in assigned:
            held = core.shards.get(shard_id)
            if held is not None and not held.is_open:
                await self._take_back(held, log)
        wanted = [shard_id for shard_id in assigned if shard_id not in core.shards]
        to_have: dict[int, ShardRow] = {}
        for shard_id in wanted:
            row, _ = await read_row(core.store, shard_id)
            if row.log_id in ("", log.log_id) or self._may_take_over(shard_id, row):
                to_have[shard_id] = row
        if to_have and await self._is_writable(log):
            await self._take(to_have, log)

    async def _is_writable(self, log: CommitLog) -> bool:
        """Whether nobody sealed the log until now: one that was idle, with no shard left, would not know, and claim shards for a
        log that nothing can be written to and that may be deleted already."""
        try:
            await log.wait(log.confirm())
        except errors.ShardOwnershipLost:
            return False
        return self._core.log is log

    async def _take(self, to_have: dict[int, ShardRow], log: CommitLog) -> None:
        by_log: dict[str, list[int]] = {}
        reader = LogReader(self._core.store, self._core.settings.log_page_rows)
        for shard_id, row in to_have.items():
            if row.log_id == log.log_id:
                # A claim of ours whose outcome we did not learn: it is ours, with nothing in it yet.
                await self._open(shard_id, row, log, reader)
            elif not row.log_id:
                await self._claim(shard_id, log, "", 0, reader)
            else:
                by_log.setdefault(row.log_id, []).append(shard_id)
        for former, shard_ids in by_log.items():
            await self._take_over(former, shard_ids, log, reader)

    async def _take_back(self, shard: Shard, log: CommitLog) -> None:
        """A shard that was to be given up, but could not be, is ours by the ring again. Whether it was freed, its row tells."""
        core = self._core
        row, _ = await read_row(core.store, shard.id)
        if core.log is not log:
            return
        if row.log_id != log.log_id:
            core.drop(shard)
            return
        shard.is_open = True
        for run in shard.runs():
            # Alarms that rang meanwhile went unheard.
            core.loaded(run)

    async def is_dispossessed(self) -> bool:
        """Whether another process takes, or has taken, what this one holds: it seals the log first. One that writes learns it
        from its appends; one that only reads would never, and answer from what it remembers."""
        core = self._core
        return core.log is not None and bool(core.shards) and await core.store.log_sealed(core.log.log_id)

    def surplus(self) -> list[Shard]:
        """Shards that the ring gives to another process."""
        assigned = set(self.assigned())
        return [shard for shard_id, shard in self._core.shards.items() if shard_id not in assigned]

    async def free(self, shard: Shard) -> None:
        """Gives a shard up whose records are all checkpointed: any process may claim it."""
        core = self._core
        row, version = await read_row(core.store, shard.id)
        if core.log is not None and row.log_id == core.log.log_id:
            await core.store.compare_and_set(SPACE, shard_key(shard.id), encode_row(ShardRow(epoch=row.epoch)), version)
            core.measured.shards_freed += 1

    async def free_unopened(self) -> None:
        """In a stop: frees shards whose claim came through while nobody waited for it any more. What former owners left of them
        is still in the logs that their rows name."""
        core = self._core
        for shard_id, row in await self._rows():
            if core.log is None or row.log_id != core.log.log_id or shard_id in core.shards:
                continue
            now, version = await read_row(core.store, shard_id)
            if now.log_id == core.log.log_id:
                freed = encode_row(ShardRow(epoch=now.epoch, prior=now.prior))
                await core.store.compare_and_set(SPACE, shard_key(shard_id), freed, version)

    async def forget_prior(self, shard: Shard) -> None:
        """A checkpoint has made all that was replayed rows of our own: former logs do not count for this shard any more."""
        core = self._core
        if not shard.prior:
            return
        row, version = await read_row(core.store, shard.id)
        if core.log is None or row.log_id != core.log.log_id:
            return
        row.prior = []
        if await core.store.compare_and_set(SPACE, shard_key(shard.id), encode_row(row), version):
            shard.prior = []

    async def delete_own_log(self, log: CommitLog) -> None:
        """At the end of a stop. Where another process has taken a shard over meanwhile, its row names the log: that process has
        yet to read it, and deletes it later."""
        await self._delete_unnamed({log.log_id})

    async def delete_unused_logs(self) -> None:
        """Deletes sealed logs that no shard needs."""
        await self._delete_unnamed(self._retired)

    async def _delete_unnamed(self, logs: set[str]) -> None:
        """Deletes those of the logs that no row names, and takes them out of the set."""
        if not logs:
            return
        named = {log_id for _, row in await self._rows() for log_id in (row.log_id, *(log for log, _ in row.prior))}
        for log_id in sorted(logs - named):
            await self._core.store.delete_log(log_id)
            logs.discard(log_id)

    async def _rows(self) -> list[tuple[int, ShardRow]]:
        return [(int(found.key), decode_row(found.value)) async for found in stored_rows(self._core.store)]

    def assigned(self) -> list[int]:
        """The shards that the ring gives to this process."""
        core = self._core
        if core.address not in core.router.history_addresses():
            return []
        return [shard_id for shard_id in range(core.router.shard_count) if core.router.history_address(shard_id) == core.address]

    def _may_take_over(self, shard_id: int, row: ShardRow) -> bool:
        """Whether the owner is silent: gone from the ring, a former life of this process, or asked for too long."""
        core = self._core
        if row.owner == core.address or row.owner not in core.router.history_addresses():
            return True
        now = core.runtime.monotonic()
        return now - self._waiting_since.setdefault(shard_id, now) >= core.settings.handover_timeout

    async def _claim(self, shard_id: int, log: CommitLog, former: str, through: int, reader: LogReader) -> None:
        """Makes the shard ours if it still stands as the caller saw it: free, or with the sealed log `former`."""
        core = self._core
        row, version = await read_row(core.store, shard_id)
        if row.log_id != former:
            return
        prior = [*row.prior, (former, through)] if former else row.prior
        claimed = ShardRow(row.epoch + 1, core.address, log.log_id, prior)
        if await core.store.compare_and_set(SPACE, shard_key(shard_id), encode_row(claimed), version):
            if former:
                core.measured.shards_taken_over += 1
            else:
                core.measured.shards_claimed += 1
            await self._open(shard_id, claimed, log, reader)

    async def _take_over(self, former: str, shard_ids: Sequence[int], log: CommitLog, reader: LogReader) -> None:
        core = self._core
        await core.store.seal(former)
        through = await reader.end_of(former)
        self._retired.add(former)
        for shard_id in shard_ids:
            await self._claim(shard_id, log, former, through, reader)

    async def _open(self, shard_id: int, row: ShardRow, log: CommitLog, reader: LogReader) -> None:
        """Replays what former owners left, then serves the shard."""
        core = self._core
        shard = Shard(shard_id, row.epoch, row.prior, core.store, core.loaded)
        self._retired.update(log_id for log_id, _ in row.prior)
        try:
            runs = await replay(core.store, shard, reader)
            await self._load_tasks(shard)
            wishes = await core.async_starts.read(shard)
        except StoreUnavailable:
            # The row is ours already: the next call opens the shard.
            logger.warning("shard %d: the store does not answer, opening it is tried again", shard_id)
            return
        except (InvariantViolation, LogGone) as error:
            await self._not_opened(shard_id, log, error)
            return
        if core.log is not log:
            return
        self._waiting_since.pop(shard_id, None)
        core.shards[shard_id] = shard
        core.async_starts.open(wishes)
        for run in runs:
            shard.mark_dirty(run)
        for run in shard.runs():
            # Also those that replay only had to look at: they are in memory now, and nothing else will wake them.
            core.loaded(run)
        logger.info("shard %d: owned, epoch %d, %d runs replayed", shard_id, row.epoch, len(runs))

    async def _not_opened(self, shard_id: int, log: CommitLog, error: Exception) -> None:
        """What was read of a shard makes no sense. No wonder if another owner has it by now, and does away with former logs."""
        row, _ = await read_row(self._core.store, shard_id)
        if row.log_id == log.log_id:
            logger.error("shard %d cannot be replayed", shard_id, exc_info=error)
        else:
            logger.warning("shard %d was taken over while it was replayed", shard_id)

    async def _load_tasks(self, shard: Shard) -> None:
        """Takes the undispatched tasks at rest into the backlog, as ids."""
        core = self._core
        async for rows in scans.pages(core.store, Table.TASKS, storing.tasks_partition(shard.id), _PAGE):
            for _, value in rows:
                key, dispatch = storing.read_task(value)
                if dispatch.not_before_ns <= core.runtime.now():
                    core.offers.add(key, dispatch)
