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

from collections.abc import Sequence

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
    steps = [step for log_id, through in shard.prior for step in await reader.steps(log_id, through, shard.id)]
    return await _Replay(store, shard, {step.run_id: step for step in steps if step.version == DELETED}).take(steps)


class _Replay:
    """The replay of one shard's steps. `deleted`: the steps that delete runs, by run id."""

    def __init__(self, store: Store, shard: Shard, deleted: dict[str, Step]) -> None:
        self._store = store
        self._shard = shard
        self._deleted = deleted
        # The run that the row of a workflow's newest run held when it was read, "" for none.
        self._newest: dict[Workflow, str] = {}

    async def take(self, steps: Sequence[Step]) -> list[Run]:
        """See `replay`."""
        named: dict[Run, None] = {}
        for step in steps:
            if step.run_id not in self._deleted:
                named[await self._step(step)] = None
        for step in self._deleted.values():
            workflow = await self._workflow(step)
            # Of another run that row may be the only one, until what was replayed is written down.
            is_current = self._newest.get(workflow, "") in ("", step.run_id)
            deletion.replayed(self._shard, workflow, step, is_current=is_current)
        for run in named:
            storing.doubt(run)
        return list(named)

    async def _step(self, step: Step) -> Run:
        workflow = await self._workflow(step)
        run = workflow.runs.get(step.run_id) or await self._former(workflow, step.run_id) or self._begun(workflow, step)
        if step.version > run.state.version:
            records = from_wire(step.records)
            fold(run.state, step.version, records)
            run.take(records)
            storing.suspect(run)
        return run

    def _begun(self, workflow: Workflow, step: Step) -> Run:
        """A run that no row tells of: it begins with this step."""
        if step.version != 1:
            raise InvariantViolation(f"run {step.run_id} begins with step {step.version} in the log")
        former = workflow.current
        run = Run(self._shard.id, workflow, RunState(step.domain_id, step.workflow_id, step.run_id))
        run.first_id = run.stored_next_id = 1
        workflow.add(run)
        if former is not None:
            # Written again under its own key: the new run takes its place as the newest.
            self._shard.mark_dirty(former)
        return run

    async def _workflow(self, step: Step) -> Workflow:
        key = (step.domain_id, step.workflow_id)
        workflow = self._shard.workflows.get(key)
        if workflow is None:
            workflow = self._shard.workflows[key] = await self._load(*key)
        return workflow

    async def _load(self, domain_id: str, workflow_id: str) -> Workflow:
        workflow = Workflow(domain_id, workflow_id)
        value = await storing.newest_row(self._store, domain_id, workflow_id)
        if value is not None:
            run_id = self._newest[workflow] = storing.read_run(value)[0].run_id
            if run_id not in self._deleted:
                self._shard.adopt(workflow, value, current=True)
        return workflow

    async def _former(self, workflow: Workflow, run_id: str) -> Run | None:
        value = await storing.former_row(self._store, workflow.domain_id, workflow.workflow_id, run_id)
        return None if value is None else self._shard.adopt(workflow, value, current=False)
