"""Replaying former owners' logs: the records of one shard, folded over the snapshots that the store has.

A snapshot says how many steps it holds (`version`), a log entry which step it is: what the snapshot has is passed over, and the
first that it lacks must be the next one. Each log is read up to the last row that counts, no further. Of a run that is deleted
in a log nothing is replayed, wherever it stands there: its rows are removed once more.

What a sealed log may do while it is read, and what follows:
- Its former owner, who does not know of the seal, may trim it, for it has written down what it trims. So what was read and is
  trimmed meanwhile is not replayed, what is missing because of that is no end, and snapshots are loaded when the logs have been
  read.
- It may be deleted, once nobody needs it: then somebody else has the shard, and whoever reads less than the shard's row says
  (`LogGone`) must not open it.
- Rows may surface after its end. The store does not show them; where it did, the note in the shard's row would leave them out.
"""

from __future__ import annotations

from collections.abc import Container

from tenuto_server.errors import InvariantViolation
from tenuto_server.history import deletion, storing
from tenuto_server.history.engine.records import from_wire
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.turn import replay as fold
from tenuto_server.history.log import DELETED, Step, decode_batch
from tenuto_server.history.run import Run, Workflow
from tenuto_server.history.shard import Shard
from tenuto_server.persistence.interface import Store


class LogGone(Exception):
    """A log of a former owner holds less than it did: it was deleted, because somebody else has the shard."""


class LogReader:
    """Reads sealed logs, each once: several shards are replayed from the same one."""

    def __init__(self, store: Store, page_rows: int) -> None:
        self._store = store
        self._page_rows = page_rows
        self._logs: dict[str, tuple[int, list[tuple[int, list[Step]]]]] = {}

    async def end_of(self, log_id: str) -> int:
        """The last sequence number that counts."""
        return (await self._read(log_id))[0]

    async def steps(self, log_id: str, through: int, shard_id: int) -> list[Step]:
        """The steps of one shard up to and including row `through`. Raises LogGone."""
        end, rows = await self._read(log_id)
        if end < through:
            raise LogGone(f"log {log_id} ends at {end}, and counts up to {through}")
        return [step for seq, steps in rows if seq <= through for step in steps if step.shard == shard_id]

    async def _read(self, log_id: str) -> tuple[int, list[tuple[int, list[Step]]]]:
        known = self._logs.get(log_id)
        if known is None:
            known = self._logs[log_id] = await self._read_anew(log_id)
        return known

    async def _read_anew(self, log_id: str) -> tuple[int, list[tuple[int, list[Step]]]]:
        rows: list[tuple[int, list[Step]]] = []
        end = await self._store.log_trimmed(log_id)
        while True:
            page = await self._store.read_log(log_id, end, self._page_rows)
            for seq, body in page:
                if seq != end + 1:
                    # All up to here was trimmed since the last page.
                    rows.clear()
                rows.append((seq, decode_batch(body)))
                end = seq
            if len(page) < self._page_rows:
                trimmed = await self._store.log_trimmed(log_id)
                if trimmed <= end:
                    return end, rows
                rows.clear()
                end = trimmed


async def replay(store: Store, shard: Shard, reader: LogReader) -> list[Run]:
    """Brings the shard's memory up to what its former owners' logs say; returns the runs that the logs name, in their order:
    all of them are to be written again, also those whose snapshot is up to date."""
    named: dict[Run, None] = {}
    logs = [await reader.steps(log_id, through, shard.id) for log_id, through in shard.prior]
    deleted = {step.run_id: step for steps in logs for step in steps if step.version == DELETED}
    for steps in logs:
        for step in steps:
            if step.run_id not in deleted:
                named[await _replay_step(store, shard, deleted, step)] = None
    for step in deleted.values():
        workflow = await _workflow(store, shard, deleted, step)
        current = workflow.current
        # A newest run that the store has took the place; one that it lacks will beat the removal.
        deletion.replayed(shard, workflow, step, is_current=current is None or not current.is_stored)
    for run in named:
        storing.doubt(run)
    return list(named)


async def _workflow(store: Store, shard: Shard, deleted: Container[str], step: Step) -> Workflow:
    key = (step.domain_id, step.workflow_id)
    workflow = shard.workflows.get(key)
    if workflow is None:
        workflow = shard.workflows[key] = await _load(store, shard, deleted, *key)
    return workflow


async def _replay_step(store: Store, shard: Shard, deleted: Container[str], step: Step) -> Run:
    workflow = await _workflow(store, shard, deleted, step)
    run = workflow.runs.get(step.run_id)
    if run is None:
        run = await _load_former(store, shard, workflow, step.run_id)
    if run is None:
        if step.version != 1:
            raise InvariantViolation(f"run {step.run_id} begins with step {step.version} in the log")
        former = workflow.current
        run = Run(shard.id, workflow, RunState(step.domain_id, step.workflow_id, step.run_id))
        run.first_id = run.stored_next_id = 1
        workflow.add(run)
        if former is not None:
            # Written again under its own key: the new run takes its place as the newest.
            shard.mark_dirty(former)
    if step.version <= run.state.version:
        return run
    records = from_wire(step.records)
    fold(run.state, step.version, records)
    run.take(records)
    storing.suspect(run)
    return run


async def _load(store: Store, shard: Shard, deleted: Container[str], domain_id: str, workflow_id: str) -> Workflow:
    workflow = Workflow(domain_id, workflow_id)
    value = await storing.newest_row(store, domain_id, workflow_id)
    if value is not None and storing.read_run(value)[0].run_id not in deleted:
        shard.adopt(workflow, value, current=True)
    return workflow


async def _load_former(store: Store, shard: Shard, workflow: Workflow, run_id: str) -> Run | None:
    value = await storing.former_row(store, workflow.domain_id, workflow.workflow_id, run_id)
    return None if value is None else shard.adopt(workflow, value, current=False)
