"""Making a fork: a run whose history begins with another run's (see `engine.reset`).

The base's events are read page by page, folded, and written as rows of the fork's own; so are the events that make it a fork and
the signals that came later. Nobody knows of these rows until the fork's first step is in the log, which is one commit with the
end of the current run. That step is taken without waiting, after a look that nothing new has come: what came during the last
read or write is in memory, and becomes part of the step. A fork that is given up deletes its rows; those that a crash leaves
behind belong to no run.
"""

from __future__ import annotations

import asyncio
import logging

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history import events, storing
from tenuto_server.history.core import Core
from tenuto_server.history.engine import close, reset
from tenuto_server.history.engine.records import Happened, Numbered, unframe
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.turn import Turn
from tenuto_server.history.run import Run
from tenuto_server.history.shard import Shard
from tenuto_server.persistence.interface import Row, StoreUnavailable, Table, WriteBatch
from tenuto_server.persistence.rows import int_key, pack

logger = logging.getLogger(__name__)

# Events read and folded in one go, and the size of a row of them.
_PAGE_EVENTS = 200
_ROW_BYTES = 512 * 1024


class Fork:
    """A run in the making, and its rows."""

    def __init__(self, core: Core, shard: Shard, base: Run, run_id: str) -> None:
        self.state = RunState(base.state.domain_id, base.state.workflow_id, run_id)
        self._core = core
        self._log = core.log
        self._epoch = shard.epoch
        self._partition = storing.history_partition(self.state)
        self._frames: list[bytes] = []
        self._bytes = 0
        self._next_row_id = 1
        self._keys: list[bytes] = []

    async def copy(self, base: Run, until: int) -> None:
        """Takes the base's events before `until` over."""
        while self.state.next_event_id < until:
            first = self.state.next_event_id
            page = await events.read(self._core.store, base, first, min(until, first + _PAGE_EVENTS), _ROW_BYTES)
            for framed in page:
                reset.fold(self.state, framed)
            await self._keep(page)

    def turn(self) -> Turn:
        """A turn on the fork: `keep` what it emits."""
        return self._core.turn(self.state)

    async def keep(self, turn: Turn) -> None:
        """Takes the events of a turn over."""
        await self._keep([record.frame for record in turn.records if isinstance(record, Happened | Numbered)])

    async def _keep(self, frames: list[bytes]) -> None:
        self._frames += frames
        self._bytes += sum(map(len, frames))
        if self._bytes >= _ROW_BYTES:
            await self.write()
        else:
            # A long history is folded for long: others have their turn in between.
            await asyncio.sleep(0)

    async def write(self) -> None:
        """Writes what is not written yet."""
        if not self._frames:
            return
        key = int_key(self._next_row_id)
        value = pack(storing.VERSION, b"".join(self._frames))
        self._next_row_id += len(self._frames)
        self._frames, self._bytes = [], 0
        self._keys.append(key)
        await self._write([Row(Table.HISTORY, self._partition, key, value, storing.stamp(self._epoch, 0))])

    async def discard(self) -> None:
        """The fork will not be. A process that has lost its log leaves the rows behind: they are not its to touch any more."""
        if not self._keys or self._log is None or self._log.is_lost:
            return
        at = storing.stamp(self._epoch, 1)
        try:
            await self._write([Row(Table.HISTORY, self._partition, key, None, at) for key in self._keys])
        except errors.Unavailable:
            logger.warning("rows of a run that was not made stay behind: %s", self._partition)

    async def _write(self, rows: list[Row]) -> None:
        try:
            await self._core.store.write(WriteBatch(rows=rows))
        except StoreUnavailable as error:
            raise errors.Unavailable(f"the store does not answer: {error}") from error


class _Later:
    """Where we are in what came after the point: in the base, then in the runs that continue it."""

    def __init__(self, run: Run, next_id: int) -> None:
        self.run = run
        self.next_id = next_id

    async def catch_up(self, core: Core, fork: Fork) -> None:
        """Signals again, until the newest that is known of now. Ends with `run` as it is in memory, and all that is left to
        take there too."""
        while True:
            state = self.run.state
            if self.next_id < state.next_event_id:
                until = min(state.next_event_id, self.next_id + _PAGE_EVENTS)
                page = await events.read(core.store, self.run, self.next_id, until, _ROW_BYTES)
                turn = fork.turn()
                for framed in page:
                    reset.signal_again(turn, framed)
                self.next_id += len(page)
                await fork.keep(turn)
                continue
            if state.next_run_id and await self._go_on(core, state):
                continue
            await fork.write()
            self.run = await core.run(state.domain_id, state.workflow_id, state.run_id)
            state = self.run.state
            if self.next_id >= self.run.first_id and not state.next_run_id:
                return
            if self.next_id == state.next_event_id:
                # Its successor is gone: nothing is left to take.
                return

    async def _go_on(self, core: Core, state: RunState) -> bool:
        try:
            following = await core.run(state.domain_id, state.workflow_id, state.next_run_id)
        except errors.EntityNotExists:
            return False
        self.run, self.next_id = following, 1
        return True

    def rest(self) -> list[bytes]:
        """What came while the last was written."""
        return self.run.frames[self.next_id - self.run.first_id :]


async def fork_run(
    core: Core, base: Run, event_id: int, reason: str, request_id: str, *, again: bool = True, only_if: Run | None = None
) -> Run:
    """Ends the workflow's current run, and makes a fork of `base` before that event the current one; returns it (durable when
    `core.durable` says so), or the current run if it comes of the same request. `again`: whether later signals are signalled
    again. `only_if`: nothing is to happen unless that run is the current one, and open, at the end.

    Raises BadRequest where there is nothing to go on with at that point, WorkflowAlreadyCompleted for `only_if`.
    """
    state = base.state
    reset.check_point(state, event_id)
    shard = core.shard(state.domain_id, state.workflow_id)
    fork = Fork(core, shard, base, core.runtime.new_id())
    made: Run | None = None
    try:
        await fork.copy(base, event_id)
        reset.check_fork(fork.state, await _event(core, base, event_id))
        turn = fork.turn()
        reset.fork(turn, state, reason, request_id)
        await fork.keep(turn)
        later = _Later(base, event_id if again else state.next_event_id)
        if again:
            await later.catch_up(core, fork)
        else:
            await fork.write()
        current = await core.run(state.domain_id, state.workflow_id, "")
        # From here on nothing may wait.
        if current.state.made_for(request_id):
            return current
        if only_if is not None and (current.state.run_id != only_if.state.run_id or not current.state.is_open):
            raise errors.WorkflowAlreadyCompleted
        made = _commit(core, fork, current, later if again else None, state.run_id, reason)
        return made
    finally:
        if made is None:
            await fork.discard()


async def _event(core: Core, base: Run, event_id: int) -> api.HistoryEvent | None:
    if event_id >= base.state.next_event_id:
        return None
    (framed,) = await events.read(core.store, base, event_id, event_id + 1)
    return api.HistoryEvent.FromString(unframe(framed))


def _commit(core: Core, fork: Fork, current: Run, later: _Later | None, base_run_id: str, reason: str) -> Run:
    """Ends the current run and begins the fork, in one commit."""
    turns: list[tuple[Run, Turn]] = []
    rest = [] if later is None else later.rest()
    if current.state.is_open:
        ending = core.turn(current.state)
        close.terminate(ending, reason, None, reset.IDENTITY)
        turns.append((current, ending))
        if later is not None and later.run is current:
            rest += [record.frame for record in ending.records if isinstance(record, Happened | Numbered)]
    prepared = fork.state
    turn = core.turn(RunState(prepared.domain_id, prepared.workflow_id, prepared.run_id))
    reset.begin(turn, base_run_id, prepared)
    for framed in rest:
        reset.signal_again(turn, framed)
    reset.end(turn)
    run = core.begin(core.shard(prepared.domain_id, prepared.workflow_id), current.workflow, turn)
    core.commit(*turns, (run, turn))
    return run
