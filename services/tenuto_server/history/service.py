"""The history service: its calls, and its background work (shards, checkpoints, resting timers)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator

from tenuto_server import errors
from tenuto_server.cluster.router import Router
from tenuto_server.config.live import LiveSettings
from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import InvariantViolation
from tenuto_server.history import spans
from tenuto_server.history.checkpoint import Checkpointer
from tenuto_server.history.core import Core
from tenuto_server.history.handlers import TABLE
from tenuto_server.history.listing import VisibilityFlusher
from tenuto_server.history.log import CommitLog
from tenuto_server.history.measures import measures
from tenuto_server.history.ownership import Ownership
from tenuto_server.history.resting import RestingTimers
from tenuto_server.history.settings import HistorySettings
from tenuto_server.history.shard import Shard
from tenuto_server.persistence.domains import DomainCache
from tenuto_server.persistence.interface import Store, StoreUnavailable
from tenuto_server.persistence.rows import join_ids
from tenuto_server.telemetry import tracing
from tenuto_server.telemetry.measures import Family, status_of
from tenuto_server.transport.network import InternalCall, Network

logger = logging.getLogger(__name__)

# How long a stop waits for background work that it has cancelled.
_CANCEL_S = 5.0


class HistoryService:
    """One history process. `address` is where other services reach it."""

    def __init__(
        self,
        *,
        store: Store,
        network: Network,
        router: Router,
        runtime: Runtime,
        domains: DomainCache,
        settings: HistorySettings | LiveSettings[HistorySettings],
        address: str,
    ) -> None:
        self.core = Core(
            store=store,
            network=network,
            router=router,
            runtime=runtime,
            domains=domains,
            settings=settings,
            address=address,
        )
        self.core.abandon = self._abandon
        self.core.close_shard = self._close_shard
        self.core.async_starts.handlers = TABLE
        self._ownership = Ownership(self.core)
        self._checkpointer = Checkpointer(self.core)
        self._flusher = VisibilityFlusher(self.core, self._checkpointer.retention_s)
        self.core.flush_visibility = self._flusher.flush
        self._resting = RestingTimers(self.core)
        self._tasks: set[asyncio.Task[None]] = set()
        self._shards_due = asyncio.Event()
        # Shards that operators want given up, and who waits for it.
        self._to_close: dict[int, asyncio.Future[None]] = {}
        self._stopping = False
        # Appends of the log when shards were last looked after: none since then, and it may be sealed without our knowing.
        self._appends_seen = 0
        router.on_change(self._shards_due.set)

    async def start(self) -> None:
        """Opens a log, takes the shards that the ring gives to this process, and serves them."""
        await self._open_log()
        await self._settle_shards()
        for work in (self._look_after_shards, self._checkpoint_for_ever, self._resting.run):
            self._spawn(work)

    async def stop(self) -> None:
        """Hands everything over: takes no more requests, commits, checkpoints, frees its shards."""
        self._stopping = True
        core = self.core
        shards = list(core.shards.values())
        for shard in shards:
            shard.is_open = False
        working = list(self._tasks)
        for task in working:
            task.cancel()
        if working:
            await asyncio.wait(working, timeout=_CANCEL_S)
        try:
            await self._checkpointer.checkpoint()
            for shard in shards:
                await self._give_up(shard)
            if core.log is not None:
                await self._ownership.free_unopened()
                await self._ownership.delete_own_log(core.log)
        except (StoreUnavailable, errors.ServiceError, InvariantViolation) as error:
            # What is not handed over is in the log: the next owner takes it over.
            logger.warning("stopping without handing everything over: %s", error)
        self.kill()

    def shards_missing(self) -> int:
        """How many shards the ring gives to this process that it does not serve yet."""
        core = self.core
        return sum(shard_id not in core.shards for shard_id in self._ownership.assigned())

    def kill(self) -> None:
        """Stops at once, as a crash would."""
        self._stopping = True
        for waiting in self._to_close.values():
            if not waiting.done():
                waiting.set_exception(errors.Unavailable("history stops"))
                waiting.exception()
        for task in list(self._tasks):
            task.cancel()
        if self.core.log is not None:
            self.core.log.kill()
        self._flusher.kill()
        self.core.kill()

    async def handle(self, call: InternalCall) -> bytes:
        """Answers an internal call: public requests by their RPC's name, and StartTask."""
        handler = TABLE.get(call.method)
        if handler is None:
            raise errors.Unimplemented(f"history has no method {call.method}")
        measured = self.core.measured
        begun, status = measured.stopwatch(), errors.INTERNAL
        cause = spans.begin(call.method, call.traceparent) if tracing.state.on else None
        try:
            answer = await handler(self.core, call)
            status = errors.OK
        except (errors.ServiceError, asyncio.CancelledError) as error:
            status = status_of(error)
            raise
        except InvariantViolation as violation:
            self._abandon(str(violation))
            raise errors.ShardOwnershipLost("the shard reloads its memory") from violation
        except StoreUnavailable as error:
            status = errors.UNAVAILABLE
            raise errors.Unavailable(f"the store does not answer: {error}") from error
        finally:
            measured.calls.note(call.method, status, measured.stopwatch() - begun)
            if cause is not None:
                spans.end(cause)
        return answer

    def measures(self) -> Iterator[Family]:
        """What this process shows of itself."""
        return measures(self.core)

    # --- the log and the shards ----------------------------------------------------------------------------------------
    async def _open_log(self) -> None:
        core = self.core
        log_id = join_ids(core.address, core.runtime.new_id())
        log = CommitLog(core.store, log_id, core.live, self._sealed, core.runtime.cpu_s, core.measured)
        await log.start()
        core.log = log
        await self._ownership.find_retired(log_id)

    def _sealed(self) -> None:
        """Somebody took over all that this process owned: its memory is worth nothing any more."""
        logger.warning("the commit log was sealed: starting anew")
        self.core.measured.logs_lost += 1
        self._drop_everything()

    def _abandon(self, reason: str) -> None:
        """A broken invariant: memory is not to be trusted. Starts anew from what is durable."""
        logger.error("memory is dropped and read anew: %s", reason)
        if self.core.log is not None:
            self.core.log.kill()
        self._drop_everything()

    def _drop_everything(self) -> None:
        core = self.core
        core.log = None
        for shard in list(core.shards.values()):
            core.drop(shard)
        core.offers.clear()
        self._shards_due.set()

    async def _look_after_shards(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self.core.settings.shard_interval):
                    await self._shards_due.wait()
            except TimeoutError:
                pass
            self._shards_due.clear()
            try:
                if self.core.log is None:
                    await self._open_log()
                await self._settle_shards()
            except StoreUnavailable as error:
                logger.warning("shards are looked after later: %s", error)
            except errors.ServiceError as error:
                logger.warning("a shard could not be handed over: %s", error)

    async def _close_shard(self, shard_id: int) -> None:
        """Returns when the shard was given up by the task that looks after shards, so that nobody else does it too."""
        waiting = self._to_close.get(shard_id)
        if waiting is None:
            waiting = self._to_close[shard_id] = asyncio.get_running_loop().create_future()
            self._shards_due.set()
        await asyncio.shield(waiting)

    async def _settle_shards(self) -> None:
        log = self.core.log
        if log is not None and log.appends == self._appends_seen and await self._ownership.is_dispossessed():
            log.kill()
            self._sealed()
            return
        self._appends_seen = 0 if log is None else log.appends
        asked, self._to_close = self._to_close, {}
        try:
            wanted = [shard for shard_id in asked if (shard := self.core.shards.get(shard_id)) is not None]
            for shard in dict.fromkeys([*self._ownership.surplus(), *wanted]):
                shard.is_open = False
                await self._checkpointer.checkpoint([shard])
                await self._give_up(shard)
        finally:
            gone = errors.Unavailable("the shard could not be given up")
            for shard_id, waiting in asked.items():
                if waiting.done():
                    continue
                if shard_id in self.core.shards:
                    waiting.set_exception(gone)
                    # The caller may have gone.
                    waiting.exception()
                else:
                    waiting.set_result(None)
        await self._ownership.settle()
        self._resting.changed()

    async def _give_up(self, shard: Shard) -> None:
        if shard.dirty or shard.deletions:
            raise InvariantViolation(f"shard {shard.id} is to be given up with runs that are not written down")
        await self._ownership.forget_prior(shard)
        await self._ownership.free(shard)
        self.core.drop(shard)

    async def _checkpoint_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self.core.settings.checkpoint_interval)
            measured = self.core.measured
            begun = measured.stopwatch()
            try:
                for shard in await self._checkpointer.checkpoint(spare_young=True):
                    await self._ownership.forget_prior(shard)
                await self._ownership.delete_unused_logs()
                measured.checkpoint_s.observe(measured.stopwatch() - begun)
            except (StoreUnavailable, errors.ServiceError) as error:
                measured.checkpoint_failures += 1
                logger.warning("a checkpoint is made later: %s", error)
            self._checkpointer.evict()

    def _spawn(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        task = asyncio.get_running_loop().create_task(work())
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, work))

    def _ended(self, task: asyncio.Task[None], work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Background work never ends by itself: if it broke, memory is not to be trusted."""
        self._tasks.discard(task)
        if self._stopping or task.cancelled():
            return
        error = task.exception()
        logger.error("background work of history broke", exc_info=error)
        self._abandon(repr(error))
        self._spawn(work)
