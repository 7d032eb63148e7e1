"""A shard as its owner holds it: the workflows in memory, and how one gets there.

Everything a shard does to a workflow happens in one piece, without waiting, so a workflow needs no lock. Only loading waits;
those who ask for a workflow that is being loaded wait for the same load.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tenuto_server import errors
from tenuto_server.history import storing
from tenuto_server.history.run import Deletion, Run, Workflow
from tenuto_server.persistence.interface import Store, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WorkflowKey = tuple[str, str]


class Shard:
    """`epoch` goes up with each owner. `prior` are logs of former owners whose records of this shard are in memory only:
    (log id, last sequence number that counts). `is_open` is False from the moment the shard is to be given up."""

    __slots__ = ("_loading", "_on_loaded", "_store", "deletions", "dirty", "epoch", "id", "is_open", "prior", "workflows")

    def __init__(
        self, shard_id: int, epoch: int, prior: list[tuple[str, int]], store: Store, on_loaded: Callable[[Run], None]
    ) -> None:
        self.id = shard_id
        self.epoch = epoch
        self.prior = prior
        self.is_open = True
        self.workflows: dict[WorkflowKey, Workflow] = {}
        # Runs that moved since the last checkpoint, in the order they first did.
        self.dirty: dict[Run, None] = {}
        # Runs whose rows are to be removed, in the order they were deleted.
        self.deletions: dict[Deletion, None] = {}
        self._store = store
        self._on_loaded = on_loaded
        self._loading: dict[WorkflowKey, asyncio.Future[Workflow]] = {}

    async def workflow(self, domain_id: str, workflow_id: str) -> Workflow:
        """The workflow, loaded if need be; one without runs if there never was any."""
        key = (domain_id, workflow_id)
        found = self.workflows.get(key)
        if found is not None:
            return found
        loading = self._loading.get(key)
        if loading is not None:
            return await asyncio.shield(loading)
        loading = self._loading[key] = asyncio.get_running_loop().create_future()
        try:
            workflow = await self._load(key)
        except BaseException as error:
            del self._loading[key]
            # Nobody may be waiting for it: then nobody is to be told.
            loading.set_exception(_as_unavailable(error))
            loading.exception()
            raise
        del self._loading[key]
        loading.set_result(workflow)
        return workflow

    async def run(self, domain_id: str, workflow_id: str, run_id: str) -> Run:
        """A run; the newest one for an empty run id. Raises EntityNotExists."""
        found = self.workflows.get((domain_id, workflow_id))
        workflow = found if found is not None else await self.workflow(domain_id, workflow_id)
        current = workflow.current
        if current is not None and (not run_id or run_id == current.state.run_id):
            return current
        if run_id:
            return workflow.runs.get(run_id) or await self._load_former(workflow, run_id)
        self._forget_empty(workflow)
        raise errors.EntityNotExists(f"Workflow execution not found.  WorkflowId: {workflow_id}")

    def runs(self) -> list[Run]:
        """All runs in memory."""
        return [run for workflow in self.workflows.values() for run in workflow.runs.values()]

    def mark_dirty(self, run: Run) -> None:
        """The run's rows in the store are not what they must be."""
        if not run.is_dirty:
            run.is_dirty = True
            run.dirty_since = run.last_seq
            self.dirty[run] = None

    def mark_clean(self, run: Run) -> None:
        """The run's rows in the store are up to date."""
        run.is_dirty = False
        self.dirty.pop(run, None)

    def forget(self, workflow: Workflow) -> None:
        """Takes a workflow out of memory."""
        self.workflows.pop((workflow.domain_id, workflow.workflow_id), None)

    def _forget_empty(self, workflow: Workflow) -> None:
        """Lets go of a workflow that nothing is known of."""
        if not workflow.runs and not workflow.deleted:
            self.forget(workflow)

    def adopt(self, workflow: Workflow, value: bytes, current: bool) -> Run:
        """Makes a run of a snapshot row and takes it into the workflow."""
        state, stored = storing.read_run(value)
        run = Run(self.id, workflow, state)
        storing.restore(run, stored)
        workflow.add(run, current)
        return run

    async def _load(self, key: WorkflowKey) -> Workflow:
        value = await self._read(storing.newest_row(self._store, *key))
        held = self.workflows.get(key)
        if held is not None:
            # Somebody who had it from an earlier load began a run in it meanwhile.
            return held
        workflow = Workflow(*key)
        if value is not None:
            self._loaded(self.adopt(workflow, value, current=True))
        if self.is_open:
            self.workflows[key] = workflow
        return workflow

    async def _load_former(self, workflow: Workflow, run_id: str) -> Run:
        value: bytes | None = None
        settled = -1
        # A run that is deleted while it is read must not come back: then what was read counts for nothing.
        while run_id not in workflow.deleted and settled != workflow.settled:
            settled = workflow.settled
            value = await self._read(storing.former_row(self._store, workflow.domain_id, workflow.workflow_id, run_id))
        if value is None or run_id in workflow.deleted:
            self._forget_empty(workflow)
            raise errors.EntityNotExists(
                f"Workflow execution not found.  WorkflowId: {workflow.workflow_id}, RunId: {run_id}"
            )
        known = workflow.runs.get(run_id)
        if known is not None:
            return known
        run = self.adopt(workflow, value, current=False)
        # It has closed, but may still owe calls to other workflows.
        self._loaded(run)
        return run

    def _loaded(self, run: Run) -> None:
        """Sets up what wakes a run that came from the store. Not while the shard is being given up: alarms and calls would
        outlive it, and come upon a state of old if this process gets the shard back."""
        if self.is_open:
            self._on_loaded(run)

    async def _read(self, reading: Awaitable[bytes | None]) -> bytes | None:
        try:
            return await reading
        except StoreUnavailable as error:
            raise errors.Unavailable(f"the store does not answer: {error}") from error


def _as_unavailable(error: BaseException) -> Exception:
    if isinstance(error, errors.ServiceError):
        return error
    return errors.Unavailable("loading the workflow was interrupted")
