"""A run's rows in the store: what is written reads back, and only what is new is written."""

from __future__ import annotations

import pytest

from tenuto_api import api
from tenuto_server.history import storing
from tenuto_server.history.engine import tasks
from tenuto_server.history.engine.state import SECOND, decode, encode
from tenuto_server.history.engine.tasks import Dispatch, TaskKind
from tenuto_server.history.offers import TaskKey
from tenuto_server.history.run import Run, Workflow
from tenuto_server.history.storing import RunImage
from tenuto_server.persistence.interface import Table, WriteBatch
from tenuto_server.persistence.memory import MemoryStore
from tenuto_server.persistence.rows import UnknownEncoding
from tests.scenarios.engine.script import Script
from tests.unit.history.virtual import run as run_virtual
from tests.unit.history.virtual import runtime

EPOCH, SHARD = 3, 7
# A run does not hold its workflow: a shard does.
_held: list[Workflow] = []


def _script(*commands: str) -> Script:
    script = Script()
    for command in commands:
        name, *given = command.split("\n")
        script.do(name, ["  " + line for line in given])
    return script


def _run_of(script: Script) -> Run:
    """The script's run as a shard would hold it; its frames come along."""
    assert script.run is not None
    state = script.run.state
    workflow = Workflow(state.domain_id, state.workflow_id)
    _held.append(workflow)
    run = Run(SHARD, workflow, state)
    run.first_id = run.stored_next_id = 1
    run.frames = script.run.frames
    workflow.add(run)
    return run


def _checkpoint(run: Run, number: int) -> WriteBatch:
    """Everything of one checkpoint as one batch."""
    image = RunImage(run, number, retention_s=86400)
    batch = WriteBatch()
    image.write_details(batch, EPOCH)
    image.write_snapshot(batch, EPOCH)
    image.settle()
    return batch


BUSY = (
    "start timeout=1000 memo=owner:ann",
    "start-decision",
    "complete-decision\nactivity a to-close=50\nactivity b to-close=50\ntimer t 5",
    "start-activity b",
)


def test_a_snapshot_reads_back_as_it_was() -> None:
    run = _run_of(_script(*BUSY))
    batch = _checkpoint(run, 1)
    (row,) = [row for row in batch.rows if row.table is Table.RUNS]
    assert (row.key, row.stamp) == (storing.CURRENT_KEY, storing.stamp(EPOCH, 1))
    assert row.value is not None
    state, stored = storing.read_run(row.value)
    assert state == run.state and encode(state) == encode(run.state)
    workflow = Workflow("d", "w")
    restored = Run(SHARD, workflow, state)
    storing.restore(restored, stored)
    assert (restored.stored_next_id, restored.first_id) == (run.state.next_event_id, run.state.next_event_id)
    assert restored.timer_rows == run.timer_rows and restored.task_rows == run.task_rows


def test_the_timer_is_the_first_alarm_and_the_tasks_are_those_that_wait() -> None:
    run = _run_of(_script(*BUSY))
    batch = _checkpoint(run, 1)
    (timer,) = batch.timers
    assert (timer.shard, timer.fire_ns - run.state.start_ns, timer.live) == (SHARD, 5 * SECOND, True)
    assert storing.timer_owner(timer.key) == ("dom", "wf", "run-1")
    (task,) = [row for row in batch.rows if row.table is Table.TASKS]
    assert task.value is not None
    key, dispatch = storing.read_task(task.value)
    assert key == TaskKey("dom", "wf", "run-1", TaskKind.ACTIVITY, run.state.activity_ids["a"], 0)
    assert dispatch == tasks.all_tasks(run.state).dispatches[0]
    assert isinstance(dispatch, Dispatch)


def test_a_checkpoint_writes_only_what_the_store_does_not_have() -> None:
    script = _script(*BUSY)
    run = _run_of(script)
    first = _checkpoint(run, 1)
    again = _checkpoint(run, 2)
    assert [row.table for row in again.rows] == [Table.RUNS] and not again.timers
    script.do("start-activity a", [])
    script.do("advance 5", [])
    more = _checkpoint(run, 3)
    history = [row for row in (*first.rows, *more.rows) if row.table is Table.HISTORY]
    joined = b"".join((row.value or b"")[1:] for row in history)
    assert joined == b"".join(run.frames)
    # The activity's task row goes, the new decision's comes; so does the timer row.
    assert [row.value is None for row in more.rows if row.table is Table.TASKS] == [True, False]
    assert [(timer.live, (timer.fire_ns - run.state.start_ns) // SECOND) for timer in more.timers] == [(False, 5), (True, 50)]


def test_a_closed_run_leaves_no_timer_and_no_task() -> None:
    async def main() -> None:
        script = _script(*BUSY)
        run = _run_of(script)
        store = MemoryStore(runtime())
        await store.write(_checkpoint(run, 1))
        assert len(await store.scan(Table.TASKS, storing.tasks_partition(SHARD), None, 10)) == 1
        script.do("terminate", [])
        await store.write(_checkpoint(run, 2))
        assert not await store.scan(Table.TASKS, storing.tasks_partition(SHARD), None, 10)
        assert not await store.scan_timers(SHARD, 10**30, None, 10)
        assert not run.frames and run.first_id == run.state.next_event_id
        rows = await store.scan(Table.HISTORY, storing.history_partition(run.state), None, 10)
        history = api.History.FromString(b"".join(value[1:] for _, value in rows))
        assert [event.event_id for event in history.events] == list(range(1, run.state.next_event_id))

    run_virtual(main())


def test_a_write_in_doubt_is_written_again_and_deleted_all_the_same() -> None:
    script = _script(*BUSY)
    run = _run_of(script)
    lost = WriteBatch()
    RunImage(run, 1, 0).write_details(lost, EPOCH)
    # It failed, perhaps in part: nothing is settled, so all of it comes again.
    again = _checkpoint(run, 2)
    assert {(row.table, row.key) for row in lost.rows} < {(row.table, row.key) for row in again.rows}
    storing.doubt(run)
    once_more = _checkpoint(run, 3)
    assert len([row for row in once_more.rows if row.table is Table.TASKS]) == 1 and len(once_more.timers) == 1


def test_a_timer_whose_removal_is_in_doubt_is_set_again() -> None:
    script = _script("start timeout=1000", "start-decision", "complete-decision")
    run = _run_of(script)
    _checkpoint(run, 1)
    for command in ("signal s", "start-decision", "complete-decision\ntimer t 5"):
        name, *given = command.split("\n")
        script.do(name, ["  " + line for line in given])
    # This write takes the timer at 1000 away, or does not: it fails.
    lost = WriteBatch()
    RunImage(run, 2, 0).write_details(lost, EPOCH)
    assert [timer.live for timer in lost.timers] == [False, True]
    for command in ("signal s", "start-decision", "complete-decision\ncancel-timer t"):
        name, *given = command.split("\n")
        script.do(name, ["  " + line for line in given])
    again = _checkpoint(run, 3)
    wanted = [((timer.fire_ns - run.state.start_ns) // SECOND, timer.live) for timer in again.timers]
    assert wanted == [(5, False), (1000, True)]


def test_a_former_run_has_its_own_key() -> None:
    run = _run_of(_script("start"))
    assert run.workflow.current is run
    run.workflow.current = None
    (row,) = [row for row in _checkpoint(run, 1).rows if row.table is Table.RUNS]
    assert row.key == storing.run_key("run-1") != storing.CURRENT_KEY


def test_stamps_grow_with_the_epoch_and_then_with_the_number() -> None:
    stamps = [storing.stamp(1, 1), storing.stamp(1, 2), storing.stamp(1, 2**39), storing.stamp(2, 0), storing.stamp(2, 1)]
    assert stamps == sorted(set(stamps))
    assert max(stamps) < 2**63


def test_the_visibility_record_tells_of_the_run() -> None:
    script = _script("start timeout=1000 delay=5 memo=owner:ann search=Customer:7", "advance 5", "start-decision")
    assert script.run is not None
    state = script.run.state
    record = storing.visibility_record(state, 86400)
    assert (record.run_id, record.workflow_type, record.task_list) == ("run-1", "greet", "tl")
    assert (record.execution_ns - record.start_ns) // SECOND == 5
    assert (record.close_ns, record.close_status, record.history_length, record.expires_ns) == (0, 0, 0, 0)
    assert api.Memo.FromString(record.memo).fields["owner"].data == b"ann"
    script.do("advance 1", [])
    script.do("terminate", [])
    closed = storing.visibility_record(state, 86400)
    assert closed.close_status == api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED
    assert (closed.close_ns - closed.start_ns) // SECOND == 6
    assert closed.history_length == state.next_event_id - 1
    assert closed.expires_ns == closed.close_ns + 86400 * SECOND
    assert storing.visibility_record(state, 0).expires_ns == 0


def test_values_of_a_newer_version_are_refused() -> None:
    run = _run_of(_script("start"))
    (row,) = [row for row in _checkpoint(run, 1).rows if row.table is Table.RUNS]
    assert row.value is not None
    newer = bytes([storing.VERSION + 1]) + row.value[1:]
    with pytest.raises(UnknownEncoding):
        storing.read_run(newer)
    with pytest.raises(UnknownEncoding):
        storing.read_task(newer)
    for snapshot in (b"", b"\x09" + encode(run.state)[1:]):
        with pytest.raises(Exception, match="encoding version"):
            decode(snapshot)
