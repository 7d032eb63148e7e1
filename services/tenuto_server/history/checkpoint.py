"""The checkpoint: in the background, what happened to runs since the last one becomes rows, and the log may forget it.

All that is in memory of a run is pictured in one moment (`RunImage`), and written when the log holds it too. A store may apply a
write in part before it fails or we crash, so order matters: history and all else comes before the snapshot that vouches for
it, and a workflow's former runs before the newest, because they lose their place to it. Whatever is lost in between is still
in the log, and a run that the log names is written again, whole, by whoever replays it.

A periodic checkpoint spares the young: an open run that moved only since the last one has it is left to the log, and the
log keeps what it needs. So a short workflow is written once, when it has closed, and a busy one half as often.

A run whose state cannot be told as bytes is a mistake of ours, and costs only itself: it is set aside, with the other runs of its
workflow, and the log keeps all that it has of them, while every other run is written.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterable

import msgspec

from tenuto_server import errors
from tenuto_server.errors import InvariantViolation
from tenuto_server.history import deletion
from tenuto_server.history.core import Core
from tenuto_server.history.engine.calls import owes
from tenuto_server.history.log import CommitLog
from tenuto_server.history.run import Deletion, Run, Workflow
from tenuto_server.history.shard import Shard
from tenuto_server.history.storing import RunImage
from tenuto_server.persistence.interface import WriteBatch

logger = logging.getLogger(__name__)

# What encoding raises where a value does not fit its type.
_UNTELLABLE = (OverflowError, TypeError, ValueError, msgspec.MsgspecError, InvariantViolation)
_PICTURES_AT_ONCE = 50
_DAY_S = 86_400
# Deleted runs whose rows a periodic checkpoint removes, of each shard: the others wait for the next.
_DELETIONS_AT_ONCE = 100
# A workflow that is open may keep this much of its stored history in memory.
_KEPT_HISTORY_BYTES = 64 * 1024


class Checkpointer:
    """Writes checkpoints of the shards of one process, one at a time."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = asyncio.Lock()
        # How far the log was durable when the last checkpoint of all shards began, and which log that was.
        self._last: tuple[CommitLog | None, int] = (None, 0)
        # Runs that the checkpoint under way cannot write.
        self._set_aside: set[Run] = set()

    async def checkpoint(self, shards: Iterable[Shard] | None = None, *, spare_young: bool = False) -> list[Shard]:
        """Makes rows of all that has happened in these shards (all, and then trims the log); returns those of which nothing was
        set aside. Raises StoreUnavailable or ShardOwnershipLost; then what was not written stays dirty. Raises
        InvariantViolation where one of the shards that were named holds a run that cannot be written."""
        async with self._lock:
            core, log = self._core, self._core.log
            if log is None:
                raise errors.ShardOwnershipLost("the commit log is closed")
            everything = shards is None
            # The open batch may still take steps of runs that are pictured already: it does not count.
            through = log.committed_seq
            young_from = self._last[1] + 1 if spare_young and self._last[0] is log else None
            needed = through + 1
            covered = list(core.shards.values()) if shards is None else list(shards)
            self._set_aside.clear()
            for shard in covered:
                spared = [] if young_from is None else [run for run in shard.dirty if _is_young(run, young_from)]
                deletions = list(shard.deletions)
                if spare_young:
                    # All that were replayed: after this checkpoint the logs that tell of them count no more.
                    left = [one for one in deletions[_DELETIONS_AT_ONCE:] if one.seq]
                    deletions = deletions[: len(deletions) - len(left)]
                    needed = min([needed, *(one.seq for one in left)])
                needed = min([needed, *(run.dirty_since for run in spared)])
                await self._write_deletions(shard, log, deletions)
                needed = min(needed, await self._write_shard(shard, log, set(spared), young_from or 0))
            if self._set_aside:
                self._tell()
                if not everything:
                    raise InvariantViolation("a shard holds runs that cannot be written")
                needed = min([needed, *(run.dirty_since for shard in covered for run in self._kept(shard))])
            if everything:
                self._last = (log, through)
                await self._trim(log, needed - 1)
            return [shard for shard in covered if not self._kept(shard)]

    def _kept(self, shard: Shard) -> list[Run]:
        """Runs that only the logs have, because they or others of their workflow cannot be written."""
        if not self._set_aside:
            return []
        workflows = {run.workflow for run in self._set_aside}
        return [run for run in shard.dirty if run.workflow in workflows]

    def _tell(self) -> None:
        self._core.measured.checkpoint_set_aside += len(self._set_aside)
        state = next(iter(self._set_aside)).state
        logger.error(
            "%d runs cannot be written, and the log keeps them; one is %s of workflow %s in domain %s",
            len(self._set_aside), state.run_id, state.workflow_id, state.domain_id,
        )  # fmt: skip

    async def _trim(self, log: CommitLog, through: int) -> None:
        if through > log.trimmed_seq:
            self._require(log)
            await self._core.store.trim_log(log.log_id, through)
            log.trimmed_seq = through

    def _require(self, log: CommitLog) -> None:
        """Raises ShardOwnershipLost if memory was dropped meanwhile: what we pictured may never have been durable."""
        if self._core.log is not log:
            raise errors.ShardOwnershipLost("the commit log is closed")

    async def _write_deletions(self, shard: Shard, log: CommitLog, deletions: list[Deletion]) -> None:
        if deletions:
            await log.wait(max(one.seq for one in deletions))
            self._require(log)
            await deletion.write(self._core.store, shard, deletions, self._core.settings.checkpoint_rows)
            self._require(log)

    async def _write_shard(self, shard: Shard, log: CommitLog, spared: set[Run], young_from: int) -> int:
        """Writes all runs that moved but the spared; returns from which batch on the log must stay because of the others."""
        # One that was spared may have ended since, and another one taken its place: it must be written before that.
        dirty = [run for run in shard.dirty if not (run in spared and _is_young(run, young_from))]
        former = [run for run in dirty if run.workflow.current is not run]
        newest = [run for run in dirty if run.workflow.current is run]
        for runs in (former, newest):
            for at in range(0, len(runs), self._core.settings.checkpoint_rows):
                await self._write(shard, log, runs[at : at + self._core.settings.checkpoint_rows])
        # Runs that took a place meanwhile are written by the next checkpoint; until then the newest run's row shows the former
        # one as it was before this one, and the log must lead on from there.
        return min((run.dirty_since for run in dirty if run.is_dirty and not _has_own_row(run)), default=sys.maxsize)

    async def _write(self, shard: Shard, log: CommitLog, runs: list[Run]) -> None:
        images: list[RunImage] = []
        for number, run in enumerate(runs):
            if number % _PICTURES_AT_ONCE == _PICTURES_AT_ONCE - 1:
                await asyncio.sleep(0)
            retention_s = await self.retention_s(run)
            image = None if run.is_deleted else self._picture(run, retention_s)
            if image is not None:
                images.append(image)
        self._require(log)
        await log.wait(max((image.seq for image in images), default=0))
        self._require(log)
        details, snapshots = WriteBatch(), WriteBatch()
        # What is written of a run after its deletion was decided is not removed by it.
        images = [image for image in images if not image.run.is_deleted]
        if not images:
            return
        for image in images:
            image.write_details(details, shard.epoch)
            image.write_snapshot(snapshots, shard.epoch)
        await self._core.store.write(details)
        await self._core.store.write(snapshots)
        for image in images:
            self._settle(shard, image)

    def _picture(self, run: Run, retention_s: float) -> RunImage | None:
        """A picture of the run; None if it is set aside. The newest run goes with a former one, whose place in the store it would
        take."""
        is_newest = run.workflow.current is run
        if is_newest and self._set_aside and any(other in self._set_aside for other in run.workflow.runs.values()):
            return None
        try:
            return RunImage(run, self._core.next_picture(), retention_s)
        except _UNTELLABLE:
            if not self._set_aside:
                logger.exception("a run cannot be written")
            self._set_aside.add(run)
            return None

    def _settle(self, shard: Shard, image: RunImage) -> None:
        run = image.run
        if run.is_deleted:
            return
        image.settle()
        if image.is_current:
            # It has the place of the newest run now, and those before it that were written are found by their own rows.
            for former in run.workflow.runs.values():
                if former is not run and former.is_dirty and former.own_version == former.state.version:
                    shard.mark_clean(former)
        else:
            run.own_version = image.version
        if run.state.version != image.version or image.is_current != (run.workflow.current is run) or not _has_own_row(run):
            return
        shard.mark_clean(run)
        if run.first_id < run.stored_next_id and run.state.history_bytes > _KEPT_HISTORY_BYTES:
            run.drop_stored_frames()

    async def retention_s(self, run: Run) -> float:
        """How long the run is kept after its close, in seconds."""
        domain = self._core.domains.cached_by_id(run.state.domain_id)
        if domain is None:
            try:
                domain = await self._core.domains.by_id(run.state.domain_id)
            except errors.EntityNotExists:
                return 0
        return domain.workflow_execution_retention_period.seconds * self._core.settings.retention_day / _DAY_S

    def evict(self) -> None:
        """Lets go of clean workflows at rest, those longest in memory first, until there are no more than may be."""
        core = self._core
        total = sum(len(shard.workflows) for shard in core.shards.values())
        for shard in core.shards.values():
            excess = (total - core.settings.idle_runs_max) * len(shard.workflows) // max(1, total)
            if excess > 0:
                self._evict_some(shard, excess)

    def _evict_some(self, shard: Shard, excess: int) -> None:
        core = self._core
        committed = 0 if core.log is None else core.log.committed_seq
        for workflow in list(shard.workflows.values()):
            if excess <= 0:
                return
            if _at_rest(workflow, committed):
                for run in workflow.runs.values():
                    core.rest(run)
                shard.forget(workflow)
                core.measured.evicted += 1
                excess -= 1


def _is_young(run: Run, young_from: int) -> bool:
    """Whether the log may stand for the run a while longer. Never for one of several runs of a workflow that moved: the newest
    takes the place of a former one, so they are written together."""
    if run.dirty_since < young_from or run.is_closed or run.workflow.current is not run:
        return False
    return all(other is run or not other.is_dirty for other in run.workflow.runs.values())


def _has_own_row(run: Run) -> bool:
    """Whether the run, once written, is found by its own row: a former one is not, as long as the store lacks the newest."""
    newest = run.workflow.current
    return newest is None or newest is run or newest.is_stored


def _at_rest(workflow: Workflow, committed: int) -> bool:
    if workflow.deleted:
        return False
    return all(
        not run.is_dirty and not run.is_watched and run.queries is None and run.last_seq <= committed and not owes(run.state)
        for run in workflow.runs.values()
    )
