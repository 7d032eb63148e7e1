"""The commit log of a running history process, with group commit: one append carries the steps of all workflows in all shards
that moved since the last one.

Steps are added to the open batch. The committer writes one batch at a time as one row; what comes meanwhile fills the next.
Only when the row is durable do the batch's actions run (tasks are handed out, long polls woken) and its waiters go on.

    add(steps) -> sequence number of its batch     wait(seq)      after(seq, action, is_urgent)

Between two appends lies a gap that grows with the load, up to a setting: it makes batches larger, and cost goes with the number
of appends, not of steps. Two things ask for one, and the longer holds:

- *Pressure*, where the event loop has no time to spare: it works all the time, or what is ready in it waits for its turn, because
  of other threads, or of other processes on the machine. Callers would wait in any case.
- *A throng*, where many steps share each append as it is: then the gap goes with the time that an append takes. A caller waits
  somewhat longer, and the store has a fraction of the appends.

With few at once there is none. And a batch that nobody waits for and from which nothing follows (the start of a decision task)
lies a short while, because the step that comes next will want an append anyway.

An append with an unknown outcome is made again, same bytes, until its outcome is known. If the log is sealed, somebody else owns
what this process owned: everything waiting fails, and `on_sealed` makes the process drop its memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from tenuto_server import errors
from tenuto_server.config.live import LiveSettings
from tenuto_server.errors import InvariantViolation
from tenuto_server.history import spans
from tenuto_server.history.measures import Measured
from tenuto_server.history.settings import HistorySettings
from tenuto_server.persistence.interface import Sealed, Store, StoreUnavailable
from tenuto_server.telemetry import tracing
from tenuto_server.telemetry.tracing import Span

BATCH_VERSION = 1
# Where a gap begins to grow, and where it is at its longest. Under pressure: by steps in a batch,
_STEPS = (1.5, 4.0)
# and by the share of its time that the loop works,
_BUSY = (0.6, 0.9)
# or by how long a turn of the loop is, in seconds.
_LAG_S = (0.001, 0.004)
# In a throng: by steps in a batch, up to so many times as long as an append takes.
_THRONG = (4.0, 10.0)
_THRONG_APPENDS = 2.0
# How much the newest measurement counts in the averages.
_NEWEST = 0.2

_encoder = msgspec.msgpack.Encoder()


# The `version` of the step that deletes a run: nothing of the run comes after it, and nothing before it counts any more.
DELETED = 0


class Step(msgspec.Struct, array_like=True):
    """One entry of a batch: what happened to one run in one turn. `records` is in the form of `records.to_wire`; of a step that
    deletes the run it is what `deletion` needs to know."""

    shard: int
    epoch: int
    domain_id: str
    workflow_id: str
    run_id: str
    version: int
    records: list[Any]


_steps_decoder = msgspec.msgpack.Decoder(list[Step])


class _Batch:
    __slots__ = ("actions", "is_due", "is_timed", "is_urgent", "seq", "size", "spans", "steps", "waiters")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.steps: list[Step] = []
        self.size = 0
        # It is to be appended.
        self.is_due = False
        # At once: somebody waits for it. Until then a timer sees to it.
        self.is_urgent = False
        self.is_timed = False
        self.actions: list[Callable[[], None]] = []
        self.waiters: list[asyncio.Future[None]] = []
        # Of the turns in it that belong to sampled traces.
        self.spans: list[Span] = []


class CommitLog:
    """The log of one process, from its creation until it is sealed or closed. `log_id` is new."""

    def __init__(
        self,
        store: Store,
        log_id: str,
        settings: HistorySettings | LiveSettings[HistorySettings],
        on_sealed: Callable[[], None],
        cpu_s: Callable[[], float],
        measured: Measured,
    ) -> None:
        self.log_id = log_id
        self.committed_seq = 0
        # What checkpoints have trimmed away.
        self.trimmed_seq = 0
        self.appends = 0
        self.steps_committed = 0
        self._store = store
        self._live = LiveSettings.of(settings, "history")
        self._on_sealed = on_sealed
        self._open = _Batch(1)
        self._closed_batches: list[_Batch] = []
        self._in_flight: _Batch | None = None
        self._steps_average = 0.0
        self._busy_average = 0.0
        self._lag_average_s = 0.0
        self._cpu_s = cpu_s
        self._measured = measured
        self._last_cpu_s = cpu_s()
        self._append_began = 0.0
        self._append_ended = 0.0
        self._append_average_s = 0.0
        self._failed = False
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    @property
    def _settings(self) -> HistorySettings:
        return self._live.current

    async def start(self) -> None:
        """Creates the log and begins to commit."""
        await self._store.create_log(self.log_id)
        self._task = self._loop.create_task(self._commit_for_ever())

    async def close(self) -> None:
        """Commits what is waiting, then stops."""
        if not self._failed and self.last_seq > self.committed_seq:
            await self.wait(self.last_seq)
        self.kill()

    def kill(self) -> None:
        """Stops at once: what is waiting fails, though it may be in the log."""
        if self._task is not None:
            self._task.cancel()
        self._fail()

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest batch that is to be appended."""
        return self._open.seq if self._open.is_due else self._open.seq - 1

    @property
    def is_lost(self) -> bool:
        """Whether it takes no more steps: sealed by another owner, or this process has stopped."""
        return self._failed

    @property
    def is_busy(self) -> bool:
        """Whether more waits for the log than should."""
        return len(self._open.steps) > self._settings.pending_steps_max or len(self._closed_batches) > 16

    @property
    def steps_waiting(self) -> int:
        """Steps that are not durable yet."""
        under_way = () if self._in_flight is None else self._in_flight.steps
        return len(self._open.steps) + len(under_way) + sum(len(batch.steps) for batch in self._closed_batches)

    def add(self, steps: list[Step], size: int) -> int:
        """Puts steps of about `size` bytes in all into the open batch, together; returns the batch's sequence number.

        Raises ShardOwnershipLost if the log is gone.
        """
        if self._failed:
            raise errors.ShardOwnershipLost("the commit log is closed")
        batch = self._open
        if batch.size + size > self._settings.batch_bytes_max and batch.steps:
            self._closed_batches.append(batch)
            batch = self._open = _Batch(batch.seq + 1)
        batch.steps += steps
        batch.size += size
        batch.is_due = True
        self._wake.set()
        return batch.seq

    def confirm(self) -> int:
        """The sequence number of an append that is still to begin, made for its own sake if need be: when it is durable nobody
        had sealed the log until now. Raises ShardOwnershipLost if the log is gone."""
        return self.add([], 0)

    def after(self, seq: int, action: Callable[[], None], *, is_urgent: bool = True) -> None:
        """Runs the action when that batch is durable: at once if it is. It never runs if the log is lost first. An action that is
        not urgent may wait for steps that are."""
        if seq <= self.committed_seq:
            action()
            return
        batch = self._find(seq)
        batch.actions.append(action)
        if is_urgent:
            self._hurry(batch)

    def trace(self, seq: int, turns: list[Span]) -> None:
        """The spans of turns that were just added: they end when they are durable."""
        if turns:
            self._find(seq).spans += turns

    async def wait(self, seq: int) -> None:
        """Returns when that batch is durable. Raises ShardOwnershipLost if nobody will ever know."""
        if seq <= self.committed_seq:
            return
        if self._failed:
            raise errors.ShardOwnershipLost("the commit log is closed")
        waiter: asyncio.Future[None] = self._loop.create_future()
        batch = self._find(seq)
        batch.waiters.append(waiter)
        self._hurry(batch)
        await waiter

    def _find(self, seq: int) -> _Batch:
        if seq == self._open.seq:
            return self._open
        if self._in_flight is not None and seq == self._in_flight.seq:
            return self._in_flight
        for batch in self._closed_batches:
            if batch.seq == seq:
                return batch
        raise InvariantViolation(f"batch {seq} of log {self.log_id} is neither open nor under way")

    async def _commit_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._closed_batches or self._open.is_urgent:
                await self._pause()
                if not await self._commit(self._take()):
                    return
            batch = self._open
            if batch.is_due and not batch.is_timed:
                batch.is_timed = True
                self._loop.call_later(self._settings.append_patience, self._hurry, batch)

    def _hurry(self, batch: _Batch) -> None:
        if not batch.is_urgent:
            batch.is_urgent = True
            self._wake.set()

    def _take(self) -> _Batch:
        if self._closed_batches:
            batch = self._closed_batches.pop(0)
        else:
            batch = self._open
            self._open = _Batch(batch.seq + 1)
        self._in_flight = batch
        return batch

    async def _pause(self) -> None:
        if self._steps_average <= _STEPS[0] or self._closed_batches:
            return
        # One turn of the loop: what is ready adds its steps, and how long that takes tells how much is ready.
        begun = self._loop.time()
        await asyncio.sleep(0)
        now = self._loop.time()
        self._lag_average_s += (now - begun - self._lag_average_s) * _NEWEST
        longest = self._settings.append_gap_max
        pressure = max(_share(self._busy_average, _BUSY), _share(self._lag_average_s, _LAG_S))
        pressed = self._append_began + longest * _share(self._steps_average, _STEPS) * pressure
        throng = _THRONG_APPENDS * _share(self._steps_average, _THRONG)
        left = max(pressed, self._append_ended + self._append_average_s * throng) - now
        if left > 0:
            await asyncio.sleep(min(left, longest))

    def _measure(self) -> None:
        """Notes when an append begins, and how busy the loop was since the last one."""
        now, cpu_s = self._loop.time(), self._cpu_s()
        if now > self._append_began:
            busy = min(1.0, (cpu_s - self._last_cpu_s) / (now - self._append_began))
            self._busy_average += (busy - self._busy_average) * _NEWEST
        self._append_began, self._last_cpu_s = now, cpu_s

    async def _commit(self, batch: _Batch) -> bool:
        self._measure()
        body = encode_batch(batch.steps)
        measured = self._measured
        begun = measured.stopwatch()
        begun_ns = tracing.state.now() if batch.spans else 0
        while True:
            try:
                await self._store.append(self.log_id, batch.seq, body)
                break
            except StoreUnavailable:
                measured.append_retries += 1
                await asyncio.sleep(self._settings.append_retry)
            except Sealed:
                self._fail()
                self._on_sealed()
                return False
        measured.append_s.observe(measured.stopwatch() - begun)
        measured.batch_steps.observe(len(batch.steps))
        measured.batch_bytes.observe(len(body))
        self.committed_seq = batch.seq
        self._in_flight = None
        self.appends += 1
        self.steps_committed += len(batch.steps)
        if batch.spans:
            spans.appended(batch.spans, begun_ns, len(batch.steps), len(body))
        self._steps_average += (len(batch.steps) - self._steps_average) * _NEWEST
        self._append_ended = self._loop.time()
        self._append_average_s += (self._append_ended - self._append_began - self._append_average_s) * _NEWEST
        for action in batch.actions:
            action()
        for waiter in batch.waiters:
            if not waiter.done():
                waiter.set_result(None)
        return True

    def _fail(self) -> None:
        self._failed = True
        batches = [*self._closed_batches, self._open]
        if self._in_flight is not None:
            batches.append(self._in_flight)
        for batch in batches:
            for waiter in batch.waiters:
                if not waiter.done():
                    waiter.set_exception(errors.ShardOwnershipLost("the commit log was sealed"))


def _share(value: float, bounds: tuple[float, float]) -> float:
    """How far `value` has come from the one bound to the other: 0 to 1."""
    quiet, full = bounds
    return min(1.0, max(0.0, (value - quiet) / (full - quiet)))


def encode_batch(steps: list[Step]) -> bytes:
    """The body of a log row: its encoding's version, then the steps."""
    return bytes([BATCH_VERSION]) + _encoder.encode(steps)


def decode_batch(body: bytes) -> list[Step]:
    """The steps of a log row. Raises InvariantViolation for an encoding this version does not know."""
    if not body or body[0] != BATCH_VERSION:
        raise InvariantViolation(f"log row has encoding version {body[:1].hex() or 'none'}, known is {BATCH_VERSION}")
    return _steps_decoder.decode(body[1:])
