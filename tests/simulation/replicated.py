"""The product's Cassandra store for each simulated process, over one model of replicas: everything but the visibility index runs
on it as it does on a real cluster. The index is the simulated one (`faulty_store`): its statements need a search engine.

Unlike the other simulated store, whose calls are carried out even if their process dies, what a call has not yet asked of
Cassandra ends with its process; only requests that have left it go on."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.cassandra import CassandraStore, LogForm
from tenuto_server.persistence.cassandra.writing import together
from tenuto_server.persistence.interface import VisibilityPage, VisibilityRecord, WriteBatch
from tenuto_server.visibility.tree import Query

from .faulty_store import Faults, FaultyStore
from .loop import PROCESS, SimLoop
from .replica_session import Keyspace, ReplicaSession, tables_of
from .replicas import ReplicaFaults, Replicas

TABLES = tables_of()

T = TypeVar("T")


class ReplicatedStore(CassandraStore):
    """The product's store, but for the visibility index: that is `index`. Calls of it are carried out whatever becomes of the
    process."""

    def __init__(self, session: ReplicaSession, runtime: Runtime, form: LogForm, index: FaultyStore, loop: SimLoop) -> None:
        super().__init__(session, runtime, form)
        self._index = index
        self._loop = loop
        self._context = contextvars.copy_context()
        self._context.run(PROCESS.set, "store")

    async def _carried_out(self, call: Coroutine[Any, Any, T]) -> T:
        task = self._loop.create_task(call, context=self._context)
        # Its outcome may be nobody's any more.
        task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        return await asyncio.shield(task)

    async def write(self, batch: WriteBatch) -> None:
        """See `Store.write`."""
        works = [super().write(replace(batch, visibility=[], visibility_deletes=[]))]
        if batch.visibility or batch.visibility_deletes:
            listed = WriteBatch(visibility=list(batch.visibility), visibility_deletes=list(batch.visibility_deletes))
            works.append(self._carried_out(self._index.write(listed)))
        await together(works)

    async def list_visibility(self, query: Query, page_size: int, token: bytes) -> VisibilityPage:
        """See `Store.list_visibility`."""
        return await self._carried_out(self._index.list_visibility(query, page_size, token))

    async def list_expired(
        self, domain_id: str, until_ns: int, after: tuple[int, str] | None, limit: int
    ) -> list[VisibilityRecord]:
        """See `Store.list_expired`."""
        return await self._carried_out(self._index.list_expired(domain_id, until_ns, after, limit))

    async def count_visibility(self, query: Query) -> int:
        """See `Store.count_visibility`."""
        return await self._carried_out(self._index.count_visibility(query))


class ReplicatedStores:
    """Makes the store of each process. `form` is that of the logs they make."""

    def __init__(self, loop: SimLoop, seed: str, form: LogForm, index: FaultyStore) -> None:
        self.replicas = Replicas(loop, random.Random(f"replicas:{seed}"))
        self._keyspace = Keyspace(self.replicas, TABLES)
        self._form = form
        self._index = index
        self._loop = loop

    def of_process(self, runtime: Runtime) -> CassandraStore:
        """A store as one process opens it."""
        session = ReplicaSession(self._keyspace)
        return ReplicatedStore(session, runtime, self._form, self._index, self._loop)

    def misbehave(self, faults: Faults, chance: random.Random) -> None:
        """Lets the replicas fail about as the other store would."""
        self.replicas.faults = ReplicaFaults(
            delay_s=faults.delay_s / 4,
            stall=faults.stall,
            refused=faults.refused / 4,
            missed=chance.choice([0.0, faults.refused, 2 * faults.refused]),
            late=faults.late,
            late_s=faults.late_s,
            lost_answer=faults.lost_answer / 2,
            half=chance.choice([0.0, 0.05, 0.2]),
            down_s=chance.choice([0.0, 0.0, 10.0]),
            skew_s=chance.choice([0.0, 1.0]),
        )
