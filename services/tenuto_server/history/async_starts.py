"""Asynchronous starts: requests to start a workflow that are answered when they are durable, and done afterwards.

A wish is a row of its shard. It is accepted in two steps, each after the one before: the row is written, then the commit log is
appended to once more. Whoever takes the shard over from a silent owner seals that owner's log first and reads the rows then; so
either the append fails, and the caller asks again at the new owner, or the new owner sees the row. A row is removed when its
workflow has been started, or cannot be (the id is in use): nobody waits to hear that, so the log line tells it. If a crash comes
between the start and the removal the wish is done again, and finds its own request id in the run.

Wishes for one workflow id are done in the order in which they were accepted. Everything is bounded: wishes a shard, and how many
are under way.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history import spans
from tenuto_server.history.shard import Shard
from tenuto_server.history.storing import stamp
from tenuto_server.persistence import scans
from tenuto_server.persistence.interface import Row, StoreUnavailable, Table, WriteBatch
from tenuto_server.persistence.rows import join_ids, pack, unpack
from tenuto_server.rules import traces
from tenuto_server.telemetry import tracing
from tenuto_server.transport.network import InternalCall

if TYPE_CHECKING:
    from tenuto_server.history.core import Core

    Handler = Callable[[Core, InternalCall], Awaitable[bytes]]

logger = logging.getLogger(__name__)

_VERSION = 1
_PAGE = 200
# Wishes under way at once; those of one workflow id share a lane.
_LANES = 16
# What another owner, or a moment later, may answer otherwise.
_PASSING = (errors.Unavailable, errors.ServiceBusy, errors.ShardOwnershipLost, StoreUnavailable)


class Wish(NamedTuple):
    """An accepted request. `key` names its row, `rpc` the synchronous form of the request, `body` is its WorkflowRequest, `trace`
    the sampled trace context of the call that brought it."""

    shard: int
    key: bytes
    accepted_ns: int
    lane: int
    rpc: str
    body: bytes
    trace: str = ""


class _Stored(msgspec.Struct, array_like=True):
    accepted_ns: int
    lane: int
    rpc: str
    body: bytes
    trace: str = ""


class AsyncStarts:
    """The wishes of all shards of one process. `handlers` do them: by the synchronous RPC's name."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.handlers: dict[str, Handler] = {}
        # Counts the writes of this process: a later one of a row wins.
        self._writes = 0
        self._pending: dict[int, dict[bytes, Wish]] = {}
        self._lanes: dict[int, deque[Wish]] = {}
        self._workers: dict[int, asyncio.Task[None]] = {}

    async def accept(self, rpc: str, body: bytes, request_id: str, trace: str) -> None:
        """Returns when the wish is durable. Raises ServiceBusy where the shard has too many, ShardOwnershipLost, or
        StoreUnavailable."""
        core = self._core
        envelope = internal.WorkflowRequest.FromString(body)
        shard = core.shard(envelope.domain_id, envelope.workflow_id)
        pending = self._pending.setdefault(shard.id, {})
        if len(pending) >= core.settings.async_starts_max:
            raise errors.ServiceBusy("Too many asynchronous requests wait.", "async-starts")
        key = _key(join_ids(envelope.domain_id, envelope.workflow_id, request_id).encode())
        lane = zlib.crc32(envelope.workflow_id.encode()) % _LANES
        wish = Wish(shard.id, key, core.runtime.now(), lane, rpc, body, trace)
        stored = _Stored(wish.accepted_ns, lane, rpc, body, trace)
        await self._write(shard, wish, pack(_VERSION, msgspec.msgpack.encode(stored)))
        await self._confirm(shard)
        self._add(wish)

    async def read(self, shard: Shard) -> list[Wish]:
        """The wishes that former owners of the shard left. Call it when their logs are sealed or the shard was freed."""
        wishes: list[Wish] = []
        async for rows in scans.pages(self._core.store, Table.TASKS, _partition(shard.id), _PAGE):
            for key, value in rows:
                _, data = unpack(value, "asynchronous start", _VERSION)
                stored = msgspec.msgpack.decode(data, type=_Stored)
                wishes.append(Wish(shard.id, key, stored.accepted_ns, stored.lane, stored.rpc, stored.body, stored.trace))
        return sorted(wishes, key=lambda wish: wish.accepted_ns)

    def open(self, wishes: list[Wish]) -> None:
        """Does the wishes of a shard that is served from now on."""
        for wish in wishes:
            self._add(wish)

    def drop(self, shard_id: int) -> None:
        """A shard is somebody else's now, and so are its wishes."""
        self._pending.pop(shard_id, None)

    def kill(self) -> None:
        """Stops at once."""
        for worker in self._workers.values():
            worker.cancel()
        self._workers.clear()

    async def _write(self, shard: Shard, wish: Wish, value: bytes | None) -> None:
        self._writes += 1
        at = stamp(shard.epoch, self._writes)
        await self._core.store.write(WriteBatch(rows=[Row(Table.TASKS, _partition(shard.id), wish.key, value, at)]))

    async def _confirm(self, shard: Shard) -> None:
        """Returns if nobody who took the shard over can have missed what was written before. Raises ShardOwnershipLost."""
        core = self._core
        if core.log is not None and self._serves(shard):
            await core.log.wait(core.log.confirm())
        if not self._serves(shard):
            raise errors.ShardOwnershipLost("the shard belongs to another history process")

    def _serves(self, shard: Shard) -> bool:
        return self._core.shards.get(shard.id) is shard and shard.is_open and self._core.log is not None

    def _add(self, wish: Wish) -> None:
        pending = self._pending.setdefault(wish.shard, {})
        if wish.key in pending:
            return
        pending[wish.key] = wish
        self._lanes.setdefault(wish.lane, deque()).append(wish)
        if wish.lane not in self._workers:
            worker = asyncio.get_running_loop().create_task(self._work(wish.lane))
            self._workers[wish.lane] = worker
            worker.add_done_callback(self._ended)

    async def _work(self, lane: int) -> None:
        queue = self._lanes[lane]
        try:
            await self._empty(queue)
        finally:
            # In the same moment as the last look at the queue: what is added later finds no worker, and starts one.
            if self._workers.get(lane) is asyncio.current_task():
                del self._workers[lane]

    async def _empty(self, queue: deque[Wish]) -> None:
        settings = self._core.settings
        pause_s = settings.async_start_retry
        while queue:
            wish = queue[0]
            if self._is_wanted(wish) and not await self._carry_out(wish):
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, settings.async_start_retry_max)
                continue
            queue.popleft()
            pause_s = settings.async_start_retry

    def _ended(self, worker: asyncio.Task[None]) -> None:
        """A worker that broke leaves wishes undone: memory is read anew."""
        if not worker.cancelled() and worker.exception() is not None:
            self._core.abandon(repr(worker.exception()))

    def _is_wanted(self, wish: Wish) -> bool:
        return self._pending.get(wish.shard, {}).get(wish.key) is wish

    async def _carry_out(self, wish: Wish) -> bool:
        """Whether the wish is settled: done, refused for good, or somebody else's."""
        core = self._core
        shard = core.shards.get(wish.shard)
        if shard is None:
            return False
        if tracing.state.on:
            # Until the task's next wish.
            spans.begin(wish.rpc, wish.trace)
        try:
            await self.handlers[wish.rpc](core, InternalCall(wish.rpc, wish.body, traceparent=wish.trace))
        except _PASSING:
            return False
        except errors.InvariantViolation as violation:
            core.abandon(str(violation))
            return False
        except errors.ServiceError as error:
            logger.warning("an asynchronous %s is dropped: %s: %s", wish.rpc, type(error).__name__, error.message)
        try:
            await self._write(shard, wish, None)
        except StoreUnavailable:
            return False
        self._pending.get(wish.shard, {}).pop(wish.key, None)
        return True


def _partition(shard: int) -> str:
    return f"async/{shard}"


def _key(name: bytes) -> bytes:
    """The row of a request: the same whenever it is made, so that it is one wish however often it is accepted. A byte of hash
    comes first, for a store may keep rows whose keys begin alike together, and these all come and go."""
    return bytes((zlib.crc32(name) & 0xFF,)) + name


async def accept_start(core: Core, call: InternalCall) -> bytes:
    """StartWorkflowExecutionAsync; the envelope holds the request of the synchronous form. Answers an empty message."""
    request = api.StartWorkflowExecutionRequest.FromString(internal.WorkflowRequest.FromString(call.body).request)
    trace = traces.sampled(call.traceparent)
    await core.async_starts.accept("StartWorkflowExecution", call.body, request.request_id, trace)
    return b""


async def accept_signal_with_start(core: Core, call: InternalCall) -> bytes:
    """SignalWithStartWorkflowExecutionAsync, likewise."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    request = api.SignalWithStartWorkflowExecutionRequest.FromString(envelope.request)
    request_id, trace = request.start_request.request_id, traces.sampled(call.traceparent)
    await core.async_starts.accept("SignalWithStartWorkflowExecution", call.body, request_id, trace)
    return b""
