"""How a run lies in the store: its snapshot, its history in batches, the timer that wakes it, its undispatched tasks and its
visibility record; and how it is read back.

Rows of a workflow id share a partition: the newest run's snapshot under one fixed key, so that one read finds it, former runs'
snapshots under their run id. The history of a run is a partition of its own, a row a batch under its first event's id. A row's
stamp is made of the shard's epoch and a count of the owner's pictures, so that a late write of a former owner loses, and so
does an older picture of the same one.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tenuto_api import api
from tenuto_server.errors import InvariantViolation
from tenuto_server.history.engine import tasks
from tenuto_server.history.engine.state import SECOND, RunState, decode, encode
from tenuto_server.history.engine.tasks import Dispatch, TaskKind
from tenuto_server.history.offers import TaskKey
from tenuto_server.history.run import Run
from tenuto_server.persistence.interface import Row, Store, Table, TimerRow, VisibilityRecord, WriteBatch
from tenuto_server.persistence.rows import int_key, join_ids, pack, split_ids, unpack

VERSION = 1
CURRENT_KEY = b"c"
# A shard's epoch and the number of the picture in one number; room for 8 million takeovers, a trillion pictures each.
_EPOCH_BITS = 40


class StoredRun(msgspec.Struct, array_like=True):
    """A snapshot row: the state, and what the store holds beside it."""

    state: bytes
    stored_next_id: int
    timer_ns: int
    tasks: tuple[bytes, ...]


class StoredTask(msgspec.Struct, array_like=True):
    """An undispatched task at rest."""

    key: tuple[str, str, str, int, int, int]
    dispatch: Dispatch


def stamp(epoch: int, number: int) -> int:
    """The write timestamp of rows pictured as number `number` by the owner of that epoch."""
    return epoch << _EPOCH_BITS | number


def workflow_partition(domain_id: str, workflow_id: str) -> str:
    """Where the snapshots of a workflow's runs lie."""
    return join_ids(domain_id, workflow_id)


def history_partition(state: RunState) -> str:
    """Where a run's history lies."""
    return history_partition_of(state.domain_id, state.workflow_id, state.run_id)


def history_partition_of(domain_id: str, workflow_id: str, run_id: str) -> str:
    """As `history_partition`, by names."""
    return join_ids(domain_id, workflow_id, run_id)


def tasks_partition(shard: int) -> str:
    """Where a shard's undispatched tasks lie."""
    return str(shard)


def run_key(run_id: str) -> bytes:
    """The key of a run's snapshot when it is not its workflow's newest."""
    return b"r" + run_id.encode()


def timer_key(state: RunState) -> bytes:
    """What a resting timer wakes."""
    return timer_key_of(state.domain_id, state.workflow_id, state.run_id)


def timer_key_of(domain_id: str, workflow_id: str, run_id: str) -> bytes:
    """As `timer_key`, by names."""
    return join_ids(domain_id, workflow_id, run_id).encode()


def timer_owner(key: bytes) -> tuple[str, str, str]:
    """Domain id, workflow id and run id of a resting timer."""
    domain_id, workflow_id, run_id = split_ids(key.decode())
    return domain_id, workflow_id, run_id


# What of a run a list shows that may change while it is open, and how it closed.
Looks = tuple[int, bytes, bool]


class RunImage:
    """A run's rows as they must be after its newest step, taken in one moment.

    Write the details, then the snapshot, then `settle`. A write that fails may have been applied in part: until `settle` a row
    counts as there when it comes to deleting it, and as not there when it comes to writing it.
    """

    __slots__ = (
        "_frames", "_looks", "_snapshot", "_tasks", "_timer_ns", "_visibility", "is_current", "next_id", "number", "run", "seq",
        "version",
    )  # fmt: skip

    def __init__(self, run: Run, number: int, retention_s: float) -> None:
        state = run.state
        self.run = run
        self.is_current = run.workflow.current is run
        self.number = number
        self.seq = run.last_seq
        self.version = state.version
        self.next_id = state.next_event_id
        self._frames = b"".join(run.frames[run.stored_next_id - run.first_id :])
        self._timer_ns, self._tasks = rows_beside(state)
        stored = StoredRun(encode(state), self.next_id, self._timer_ns, tuple(self._tasks))
        self._snapshot = pack(VERSION, msgspec.msgpack.encode(stored))
        self._visibility = visibility_record(state, retention_s)
        self._looks = looks(state)

    def write_details(self, batch: WriteBatch, epoch: int) -> None:
        """Adds all rows but the snapshot: only those that the store may not have."""
        run, state = self.run, self.run.state
        at = stamp(epoch, self.number)
        if self._frames:
            value = pack(VERSION, self._frames)
            batch.rows.append(Row(Table.HISTORY, history_partition(state), int_key(run.stored_next_id), value, at))
        self._write_timer(batch, at)
        self._write_tasks(batch, at)
        self._visibility.stamp = at
        batch.visibility.append(self._visibility)

    def write_snapshot(self, batch: WriteBatch, epoch: int) -> None:
        """Adds the snapshot, which vouches for the other rows."""
        state = self.run.state
        partition = workflow_partition(state.domain_id, state.workflow_id)
        key = CURRENT_KEY if self.is_current else run_key(state.run_id)
        batch.rows.append(Row(Table.RUNS, partition, key, self._snapshot, stamp(epoch, self.number)))

    def _write_timer(self, batch: WriteBatch, at: int) -> None:
        rows, wanted = self.run.timer_rows, self._timer_ns
        key = timer_key(self.run.state)
        for fire_ns in rows:
            if fire_ns != wanted:
                batch.timers.append(TimerRow(self.run.shard, fire_ns, key, False, at))
                rows[fire_ns] = False
        if wanted and not rows.get(wanted):
            batch.timers.append(TimerRow(self.run.shard, wanted, key, True, at))
            rows[wanted] = False

    def _write_tasks(self, batch: WriteBatch, at: int) -> None:
        rows, state = self.run.task_rows, self.run.state
        partition = tasks_partition(self.run.shard)
        for row_key in rows:
            if row_key not in self._tasks:
                batch.rows.append(Row(Table.TASKS, partition, row_key, None, at))
                rows[row_key] = False
        for row_key, dispatch in self._tasks.items():
            if not rows.get(row_key):
                stored = StoredTask((state.domain_id, state.workflow_id, state.run_id, *_task_number(dispatch)), dispatch)
                value = pack(VERSION, msgspec.msgpack.encode(stored))
                batch.rows.append(Row(Table.TASKS, partition, row_key, value, at))
                rows[row_key] = False

    def settle(self) -> None:
        """All rows are durable."""
        run = self.run
        run.is_stored = True
        run.stored_next_id = self.next_id
        run.timer_rows = {self._timer_ns: True} if self._timer_ns else {}
        run.task_rows = dict.fromkeys(self._tasks, True)
        run.note_listed(self.version, self._looks)
        if run.is_closed:
            run.drop_stored_frames()


async def newest_row(store: Store, domain_id: str, workflow_id: str) -> bytes | None:
    """The snapshot row of a workflow's newest run. Raises StoreUnavailable."""
    (value,) = await store.read(Table.RUNS, workflow_partition(domain_id, workflow_id), [CURRENT_KEY])
    return value


async def former_row(store: Store, domain_id: str, workflow_id: str, run_id: str) -> bytes | None:
    """The snapshot row of a run that is not its workflow's newest. Raises StoreUnavailable."""
    (value,) = await store.read(Table.RUNS, workflow_partition(domain_id, workflow_id), [run_key(run_id)])
    return value


def read_run(value: bytes) -> tuple[RunState, StoredRun]:
    """The state of a snapshot row, and the row."""
    _, data = unpack(value, "run snapshot", VERSION)
    stored = msgspec.msgpack.decode(data, type=StoredRun)
    return decode(stored.state), stored


def restore(run: Run, stored: StoredRun) -> None:
    """Tells a run made from a snapshot what the store holds of it."""
    run.is_stored = True
    run.stored_next_id = stored.stored_next_id
    run.first_id = stored.stored_next_id
    if stored.timer_ns:
        run.timer_rows[stored.timer_ns] = True
    run.task_rows = dict.fromkeys(stored.tasks, True)
    run.note_listed(run.state.version, looks(run.state))


def doubt(run: Run) -> None:
    """The run's rows beside its snapshot may be there or not: a former owner may have died while it wrote them."""
    run.timer_rows = dict.fromkeys(run.timer_rows, False)
    run.task_rows = dict.fromkeys(run.task_rows, False)


def suspect(run: Run) -> None:
    """While a log is replayed: the rows that a picture of the run as it is now would have. A former owner may have written them
    without the snapshot that tells of them."""
    timer_ns, dispatches = rows_beside(run.state)
    if timer_ns:
        run.timer_rows.setdefault(timer_ns, False)
    for row_key in dispatches:
        run.task_rows.setdefault(row_key, False)


def rows_beside(state: RunState) -> tuple[int, dict[bytes, Dispatch]]:
    """When a run at rest is to be woken (0: never), and its undispatched tasks by their rows' keys."""
    derived = tasks.all_tasks(state)
    # A run that owes calls is to be looked after at once: a time that has passed.
    owes_from = (state.last_event_ns,) if derived.calls else ()
    timer_ns = min((*owes_from, *(alarm.at_ns for alarm in derived.alarms)), default=0)
    return timer_ns, {_task_row_key(state, dispatch): dispatch for dispatch in derived.dispatches}


def read_task(value: bytes) -> tuple[TaskKey, Dispatch]:
    """An undispatched task at rest."""
    _, data = unpack(value, "undispatched task", VERSION)
    stored = msgspec.msgpack.decode(data, type=StoredTask)
    domain_id, workflow_id, run_id, kind, schedule_id, attempt = stored.key
    key = TaskKey(domain_id, workflow_id, run_id, TaskKind(kind), schedule_id, attempt)
    return key, stored.dispatch


def split_frames(data: bytes | memoryview) -> Iterator[bytes]:
    """The single events of a stretch of history, each still an element of a History message."""
    view = bytes(data)
    at, end = 0, len(view)
    while at < end:
        if view[at] != 0x0A:
            raise InvariantViolation("stored history is not a sequence of events")
        size, shift, cursor = 0, 0, at + 1
        while True:
            byte = view[cursor]
            size |= (byte & 0x7F) << shift
            cursor += 1
            if byte < 0x80:
                break
            shift += 7
        yield view[at : cursor + size]
        at = cursor + size


def looks(state: RunState) -> Looks:
    """What tells whether a list shows the run as it is; when it last moved is not part of it."""
    return state.close_status, state.search_attributes, state.last_event_ns >= _execution_ns(state)


def _execution_ns(state: RunState) -> int:
    return state.begun_ns + state.backoff_s * SECOND


def visibility_record(state: RunState, retention_s: float) -> VisibilityRecord:
    """The run as the visibility index shows it."""
    parent = api.ParentExecutionInfo.FromString(state.parent).workflow_execution
    return VisibilityRecord(
        domain_id=state.domain_id,
        workflow_id=state.workflow_id,
        run_id=state.run_id,
        workflow_type=state.workflow_type,
        task_list=state.task_list,
        start_ns=state.begun_ns,
        execution_ns=_execution_ns(state),
        close_ns=state.close_ns,
        close_status=state.close_status,
        history_length=state.next_event_id - 1 if state.close_status else 0,
        is_cron=bool(state.cron_schedule),
        cron_schedule=state.cron_schedule,
        memo=state.memo,
        search_attributes=state.search_attributes,
        parent_workflow_id=parent.workflow_id,
        parent_run_id=parent.run_id,
        update_ns=state.last_event_ns,
        expires_ns=state.close_ns + int(retention_s * SECOND) if state.close_ns and retention_s else 0,
        stamp=0,
    )


def _task_row_key(state: RunState, dispatch: Dispatch) -> bytes:
    name = join_ids(state.domain_id, state.workflow_id, state.run_id)
    return int_key(dispatch.scheduled_ns) + name.encode() + b"\0" + repr(_task_number(dispatch)).encode()


def _task_number(dispatch: Dispatch) -> tuple[int, int, int]:
    return int(dispatch.kind), dispatch.schedule_id, dispatch.attempt
