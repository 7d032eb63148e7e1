"""Deleting a run, for good: a step of the log says so, and the checkpoint removes the rows.

The step comes last of all the run's steps, in the same log: whoever replays the log passes the run's other steps over and
removes the rows once more. Without it a crash would bring the run back, for the log may still hold its steps when its rows
are gone. Three things make that safe:

* A run is deleted only while no former owner's log counts for the shard (`Shard.prior` is empty). So the log that holds the
  deletion is the only one that holds steps of the run, and it is trimmed from the front: the deletion goes last.
* A run is deleted only when its workflow's newest run has been stored once. From then on no row but its own holds it, nor does
  any other run need its place to be found.
* The removed rows' stamp is drawn when the deletion is decided. It beats every picture taken of the run, and loses to every
  picture of a run that begins under the same workflow id later.

Until the rows are gone the workflow stays in memory and knows that the run is deleted: the store would still show it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tenuto_server import errors
from tenuto_server.errors import InvariantViolation
from tenuto_server.history import storing
from tenuto_server.history.core import Core
from tenuto_server.history.engine.calls import owes
from tenuto_server.history.log import DELETED, Step
from tenuto_server.history.run import Deletion, Remains, Run, Workflow
from tenuto_server.history.shard import Shard
from tenuto_server.persistence.interface import HistoryDrop, Row, Store, Table, TimerRow, VisibilityKey, WriteBatch

# What a deletion costs in the log beside its names.
_STEP_BYTES = 256


def delete(core: Core, shard: Shard, workflow: Workflow, run_id: str, *, force: bool) -> Deletion:
    """Decides that a run is deleted, now; durable with the batch that `Deletion.seq` names. The run is in memory or is not there:
    then the step proves that nobody else has it, and what may have been left of it is removed. Raises BadRequest for an open run,
    unless `force`; Unavailable where the caller should ask again soon."""
    run = workflow.runs.get(run_id)
    if core.log is None:
        raise errors.ShardOwnershipLost("the commit log is closed")
    if run is not None and not run.is_closed and not force:
        raise errors.BadRequest("Only a closed workflow execution can be deleted.")
    if run is not None and owes(run.state) and not force:
        raise errors.Unavailable("the run still has something to tell other workflows")
    if shard.prior:
        raise errors.Unavailable("the shard was just taken over: what was replayed is being written down")
    if workflow.current is not None and not workflow.current.is_stored:
        raise errors.Unavailable("the workflow's newest run is being written down")
    remains = Remains(1) if run is None else Remains(run.stored_next_id, list(run.timer_rows), list(run.task_rows))
    step = Step(shard.id, shard.epoch, workflow.domain_id, workflow.workflow_id, run_id, DELETED, [remains])
    seq = core.log.add([step], _STEP_BYTES)
    is_current = run is not None and workflow.current is run
    deletion = Deletion(workflow, run_id, seq, core.next_picture(), is_current, remains)
    if run is not None:
        _forget(core, shard, run)
    shard.deletions[deletion] = None
    shard.workflows[workflow.domain_id, workflow.workflow_id] = workflow
    workflow.deleted[run_id] = deletion
    return deletion


def _forget(core: Core, shard: Shard, run: Run) -> None:
    """Takes a deleted run out of memory; whoever still holds it is told when it wants to use it."""
    run.is_deleted = True
    core.withdraw(run)
    core.calls.forget(run)
    core.alarms.forget(run)
    shard.mark_clean(run)
    workflow = run.workflow
    workflow.runs.pop(run.state.run_id, None)
    if workflow.current is run:
        workflow.current = None
    run.notify_end()
    if run.queries is not None:
        run.queries.lose()


def replayed(shard: Shard, workflow: Workflow, step: Step, is_current: bool) -> None:
    """A log that is replayed says that a run is deleted: its rows are to be removed, once more perhaps. `is_current`: the row of
    the workflow's newest run may hold this one."""
    if len(step.records) != 1:
        raise InvariantViolation(f"the deletion of run {step.run_id} in the log has {len(step.records)} records")
    remains = msgspec.convert(step.records[0], Remains)
    deletion = Deletion(workflow, step.run_id, 0, 0, is_current, remains)
    shard.deletions[deletion] = None
    workflow.deleted[step.run_id] = deletion


async def write(store: Store, shard: Shard, deletions: Sequence[Deletion], rows_max: int) -> None:
    """Removes all rows of deleted runs whose deletion is durable; then their workflows may forget them."""
    batch, collected = WriteBatch(), []
    for deletion in deletions:
        _collect(shard, deletion, batch)
        collected.append(deletion)
        if len(batch.rows) < rows_max and deletion is not deletions[-1]:
            continue
        await store.write(batch)
        for gone in collected:
            shard.deletions.pop(gone, None)
            gone.workflow.deleted.pop(gone.run_id, None)
            gone.workflow.settled += 1
        batch, collected = WriteBatch(), []


def _collect(shard: Shard, deletion: Deletion, batch: WriteBatch) -> None:
    """Puts the removal of every row into the batch."""
    workflow, run_id = deletion.workflow, deletion.run_id
    at = storing.stamp(shard.epoch, deletion.number)
    names = (workflow.domain_id, workflow.workflow_id, run_id)
    runs = storing.workflow_partition(workflow.domain_id, workflow.workflow_id)
    batch.rows.append(Row(Table.RUNS, runs, storing.run_key(run_id), None, at))
    if deletion.is_current:
        batch.rows.append(Row(Table.RUNS, runs, storing.CURRENT_KEY, None, at))
    tasks = storing.tasks_partition(shard.id)
    batch.rows += [Row(Table.TASKS, tasks, key, None, at) for key in deletion.remains.tasks]
    timer = storing.timer_key_of(*names)
    batch.timers += [TimerRow(shard.id, fire_ns, timer, False, at) for fire_ns in deletion.remains.timers]
    batch.visibility_deletes.append(VisibilityKey(*names, at))
    batch.history_drops.append(HistoryDrop(storing.history_partition_of(*names), at))
