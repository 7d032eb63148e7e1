"""Reading a run's events: the newest from memory, older ones from the store, always as bytes that need no decoding."""

from __future__ import annotations

import sys

from tenuto_server import errors
from tenuto_server.errors import InvariantViolation
from tenuto_server.history import storing
from tenuto_server.history.run import Run
from tenuto_server.persistence.interface import Store, StoreUnavailable, Table
from tenuto_server.persistence.rows import int_key, int_of_key, unpack

_ROWS_AT_ONCE = 20


async def read(store: Store, run: Run, first: int, until: int, bytes_max: int = sys.maxsize) -> list[bytes]:
    """Frames of the events first <= id < until, all of which must have happened; where they are larger than `bytes_max`, only
    the first of them, as many as fit but at least one."""
    frames = await _read(store, run, first, until, bytes_max)
    size = 0
    for count, data in enumerate(frames):
        size += len(data)
        if size > bytes_max and count:
            return frames[:count]
    return frames


async def _read(store: Store, run: Run, first: int, until: int, enough: int) -> list[bytes]:
    """The frames, up to where they are `enough` bytes or a little further."""
    if first >= run.first_id:
        return run.frames[first - run.first_id : until - run.first_id]
    try:
        older = await _read_stored(store, run, first, min(until, run.first_id), enough)
    except StoreUnavailable as error:
        raise errors.Unavailable(f"the store does not answer: {error}") from error
    # The run may have let go of more meanwhile: what is in memory now begins later than before.
    at = first + len(older)
    if at >= until:
        return older
    left = enough - sum(map(len, older))
    return older if left <= 0 else older + await _read(store, run, at, until, left)


async def _read_stored(store: Store, run: Run, first: int, until: int, enough: int) -> list[bytes]:
    partition = storing.history_partition(run.state)
    found: list[bytes] = []
    size = 0
    after: bytes | None = int_key(first - 1)
    from_beginning = False
    while len(found) < until - first and size < enough:
        rows = await store.scan(Table.HISTORY, partition, after, _ROWS_AT_ONCE, int_key(until))
        if not from_beginning and not found and (not rows or int_of_key(rows[0][0]) != first):
            # The event lies within a batch that begins before it: read from the beginning, once.
            after, from_beginning = None, True
            continue
        if not rows and run.is_deleted:
            raise errors.EntityNotExists(f"Workflow execution not found.  WorkflowId: {run.state.workflow_id}")
        if not rows:
            raise InvariantViolation(f"history of run {run.state.run_id} has no event {first + len(found)}")
        for key, value in rows:
            frames = _cut(int_of_key(key), value, first + len(found), until)
            size += sum(map(len, frames))
            found += frames
        after = rows[-1][0]
    return found


def _cut(start: int, value: bytes, first: int, until: int) -> list[bytes]:
    """Frames first <= id < until of a batch that begins with event `start`."""
    _, data = unpack(value, "history batch", storing.VERSION)
    frames = list(storing.split_frames(data))
    if start > first:
        raise InvariantViolation(f"stored history goes on with event {start} where {first} comes next")
    return frames[first - start : until - start]
