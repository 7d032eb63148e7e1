"""Deleting runs on a real history process over a store in memory: what goes, what stays, and that nothing comes back."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from google.protobuf.duration_pb2 import Duration

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.cluster.router import StaticRouter
from tenuto_server.config.runtime import Runtime
from tenuto_server.history.service import HistoryService
from tenuto_server.history.settings import HistorySettings
from tenuto_server.persistence.domains import DomainCache
from tenuto_server.persistence.memory import MemoryStore
from tenuto_server.transport.inprocess import InProcessNetwork
from tenuto_server.transport.network import InternalCall
from tenuto_server.visibility import tree
from tests.simulation.victims import rows_of
from tests.unit.history.virtual import run as run_virtual

ADDRESS = "history"
DOMAIN_ID = "d"


class World:
    """A store, and the history process that lives on it at the moment."""

    def __init__(self) -> None:
        self.runtime = Runtime(now=lambda: 1_000_000_000, random=random.Random(1))
        self.store = MemoryStore(self.runtime)
        self.service = self._new()
        self._requests = itertools.count(1)

    def _new(self) -> HistoryService:
        return HistoryService(
            store=self.store,
            network=InProcessNetwork().endpoint(),
            router=StaticRouter(1, [ADDRESS], ["matching"]),
            runtime=self.runtime,
            domains=DomainCache(self.store, self.runtime),
            settings=HistorySettings(checkpoint_interval=3600),
            address=ADDRESS,
        )

    async def crash(self) -> None:
        """The process dies, and another one comes."""
        self.service.kill()
        self.service = self._new()
        await self.service.start()
        await self.checkpoint()

    async def checkpoint(self) -> None:
        """As the process does it every second."""
        for shard in await self.service._checkpointer.checkpoint(spare_young=True):
            await self.service._ownership.forget_prior(shard)

    async def written(self) -> None:
        """All that happened is written down."""
        await self.service._checkpointer.checkpoint()

    async def call(self, method: str, workflow_id: str, request: bytes) -> bytes:
        envelope = internal.WorkflowRequest(domain_id=DOMAIN_ID, workflow_id=workflow_id, request=request)
        return await self.service.handle(InternalCall(method, envelope.SerializeToString(), None))

    async def start(self, workflow_id: str = "w") -> str:
        number = next(self._requests)
        request = api.StartWorkflowExecutionRequest(
            workflow_id=workflow_id,
            request_id=f"request {number}",
            workflow_type=api.WorkflowType(name="t"),
            task_list=api.TaskList(name="l"),
            execution_start_to_close_timeout=Duration(seconds=1000),
            task_start_to_close_timeout=Duration(seconds=10),
            workflow_id_reuse_policy=api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
        )
        answer = await self.call("StartWorkflowExecution", workflow_id, request.SerializeToString())
        return api.StartWorkflowExecutionResponse.FromString(answer).run_id

    async def terminate(self, workflow_id: str = "w") -> None:
        named = api.WorkflowExecution(workflow_id=workflow_id)
        request = api.TerminateWorkflowExecutionRequest(workflow_execution=named)
        await self.call("TerminateWorkflowExecution", workflow_id, request.SerializeToString())

    async def delete(self, run_id: str, workflow_id: str = "w", *, force: bool = False) -> bool:
        request = internal.DeleteRunRequest(domain_id=DOMAIN_ID, workflow_id=workflow_id, run_id=run_id, force=force)
        answer = await self.service.handle(InternalCall("DeleteRun", request.SerializeToString(), None))
        return internal.DeleteRunResponse.FromString(answer).deleted

    async def events(self, run_id: str = "", workflow_id: str = "w") -> int:
        named = api.WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        request = api.GetWorkflowExecutionHistoryRequest(workflow_execution=named).SerializeToString()
        answer = await self.call("GetWorkflowExecutionHistory", workflow_id, request)
        return len(api.GetWorkflowExecutionHistoryResponse.FromString(answer).history.events)

    async def is_there(self, run_id: str = "", workflow_id: str = "w") -> bool:
        try:
            return await self.events(run_id, workflow_id) > 0
        except errors.EntityNotExists:
            return False

    async def listed(self) -> set[str]:
        page = await self.store.list_visibility(tree.everything(DOMAIN_ID), 100, b"")
        return {one.run_id for one in page.records}

    def remains(self, run_id: str, workflow_id: str = "w") -> list[str]:
        return list(rows_of(self.store, DOMAIN_ID, workflow_id, run_id))


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A world whose history process serves."""
    made = World()
    await made.service.start()
    try:
        yield made
    finally:
        await made.service.stop()


def story(told: Callable[[World], Awaitable[None]]) -> None:
    """Runs a test's coroutine in a world, in virtual time."""

    async def whole() -> None:
        async with world() as w:
            await told(w)

    run_virtual(whole())


def test_a_deleted_run_is_gone_at_once_and_its_rows_soon_after() -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        await w.terminate()
        await w.written()
        assert w.remains(run_id) and await w.listed() == {run_id}
        assert await w.delete(run_id)
        assert not await w.is_there(run_id) and not await w.is_there()
        await w.checkpoint()
        assert w.remains(run_id) == [] and await w.listed() == set()
        assert not await w.is_there(run_id)

    story(told)


def test_a_deletion_may_be_asked_for_again() -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        await w.terminate()
        await w.written()
        assert await w.delete(run_id)
        assert await w.delete(run_id)
        await w.checkpoint()
        assert not await w.delete(run_id)
        assert not await w.delete("never was")
        await w.checkpoint()
        assert await w.listed() == set()

    story(told)


def test_an_open_run_is_deleted_by_force_only() -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        await w.written()
        with pytest.raises(errors.BadRequest):
            await w.delete(run_id)
        assert await w.is_there(run_id)
        assert await w.delete(run_id, force=True)
        await w.checkpoint()
        assert w.remains(run_id) == [] and not await w.is_there()

    story(told)


def test_a_deletion_names_a_run() -> None:
    async def told(w: World) -> None:
        with pytest.raises(errors.BadRequest):
            await w.delete("")

    story(told)


def test_a_run_that_the_store_lacks_is_deleted_a_little_later() -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        await w.terminate()
        with pytest.raises(errors.Unavailable):
            await w.delete(run_id)
        await w.checkpoint()
        assert await w.delete(run_id)

    story(told)


def test_the_workflow_id_is_free_after_its_newest_run_was_deleted() -> None:
    async def told(w: World) -> None:
        first = await w.start()
        await w.terminate()
        await w.written()
        await w.delete(first)
        second = await w.start()
        await w.checkpoint()
        assert await w.is_there(second) and await w.is_there()
        await w.crash()
        assert await w.is_there(second) and not await w.is_there(first)
        assert w.remains(first) == [] and await w.listed() == {second}

    story(told)


def test_of_two_runs_either_may_go_and_the_other_stays() -> None:
    async def told(w: World) -> None:
        former, newest = await w.start("a"), ""
        await w.terminate("a")
        newest = await w.start("a")
        await w.terminate("a")
        other = await w.start("b")
        await w.terminate("b")
        newest_b = await w.start("b")
        await w.written()
        assert await w.delete(former, "a")
        assert await w.delete(newest_b, "b", force=True)
        await w.written()
        await w.crash()
        assert await w.is_there(newest, "a") and await w.is_there("", "a") and not await w.is_there(former, "a")
        assert await w.is_there(other, "b") and not await w.is_there("", "b")
        assert await w.listed() == {newest, other}

    story(told)


@pytest.mark.parametrize("moments", range(6))
def test_a_crash_while_the_rows_are_removed_brings_nothing_back(moments: int) -> None:
    """The process dies after so many writes to the store."""

    async def told(w: World) -> None:
        former = await w.start()
        await w.terminate()
        newest = await w.start()
        await w.terminate()
        kept = await w.start("kept")
        await w.written()
        deaths = Dying(w, moments)
        try:
            await w.delete(newest)
            again = await w.start()
            await w.delete(former)
            await w.checkpoint()
            await w.checkpoint()
        except (Died, errors.ServiceError):
            again = ""
        deaths.over()
        await w.crash()
        for run_id in (former, newest):
            assert await w.delete(run_id) in (True, False)
        await w.crash()
        for run_id in (former, newest):
            assert w.remains(run_id) == [] and not await w.is_there(run_id)
        assert await w.is_there(kept, "kept")
        assert await w.listed() == {kept, again} - {""} or not again
        if again:
            assert await w.is_there(again)

    story(told)


class Died(Exception):
    """The process is dead: nothing of it reaches the store."""


class Dying:
    """Writes of a world's store go through that often, then no more."""

    def __init__(self, w: World, left: int) -> None:
        self._world = w
        self._left = left
        self._write = w.store.write
        w.store.write = self.write  # type: ignore[method-assign]

    async def write(self, batch: object) -> None:
        self._left -= 1
        if self._left < 0:
            raise Died
        await self._write(batch)  # type: ignore[arg-type]

    def over(self) -> None:
        self._world.store.write = self._write  # type: ignore[method-assign]
