"""Flushes: what happened shows in lists before any checkpoint, and is written once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tenuto_api import api, internal
from tenuto_server.cluster.router import StaticRouter
from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import Unavailable
from tenuto_server.history.service import HistoryService
from tenuto_server.history.settings import HistorySettings
from tenuto_server.persistence.domains import DomainCache
from tenuto_server.persistence.interface import StoreUnavailable, VisibilityRecord, WriteBatch
from tenuto_server.persistence.memory import MemoryStore
from tenuto_server.transport.inprocess import InProcessNetwork
from tenuto_server.transport.network import InternalCall
from tenuto_server.visibility.tree import everything
from tests.unit.frontend.fakes import DOMAIN_ID, make_domain, run, start_request


class CountingStore(MemoryStore):
    """Keeps what is written of visibility; `fails` makes writing fail."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self.written: list[list[VisibilityRecord]] = []
        self.fails = False

    async def write(self, batch: WriteBatch) -> None:
        await asyncio.sleep(0.001)
        if self.fails:
            raise StoreUnavailable("planted")
        if batch.visibility:
            self.written.append(batch.visibility)
        await super().write(batch)


class World:
    """A history process that makes no checkpoints of its own accord."""

    def __init__(self) -> None:
        runtime = Runtime()
        self.store = CountingStore(runtime)
        network = InProcessNetwork()
        domains = DomainCache(self.store, runtime)
        self.registry = domains.registry
        self.service = HistoryService(
            store=self.store,
            network=network.endpoint(),
            router=StaticRouter(4, ["history"], ["matching"]),
            runtime=runtime,
            domains=domains,
            settings=HistorySettings(checkpoint_interval=1e6),
            address="history",
        )

    async def call(self, method: str, workflow_id: str, request: bytes) -> bytes:
        envelope = internal.WorkflowRequest(domain_id=DOMAIN_ID, workflow_id=workflow_id, request=request)
        return await self.service.handle(InternalCall(method, envelope.SerializeToString()))

    async def start(self, number: int) -> None:
        request = start_request()
        request.workflow_id = f"w{number}"
        await self.call("StartWorkflowExecution", request.workflow_id, request.SerializeToString())

    async def end(self, number: int) -> None:
        execution = api.WorkflowExecution(workflow_id=f"w{number}")
        request = api.TerminateWorkflowExecutionRequest(workflow_execution=execution)
        await self.call("TerminateWorkflowExecution", f"w{number}", request.SerializeToString())

    async def signal(self, number: int) -> None:
        execution = api.WorkflowExecution(workflow_id=f"w{number}")
        request = api.SignalWorkflowExecutionRequest(workflow_execution=execution, signal_name="s")
        await self.call("SignalWorkflowExecution", f"w{number}", request.SerializeToString())

    async def flush(self) -> None:
        await self.service.handle(InternalCall("FlushVisibility", b""))

    async def listed(self) -> dict[str, int]:
        page = await self.store.list_visibility(everything(DOMAIN_ID), 1000, b"")
        return {one.workflow_id: one.close_status for one in page.records}


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    made = World()
    await made.registry.register(make_domain())
    await made.service.start()
    try:
        yield made
    finally:
        made.service.kill()


def test_what_happened_shows_after_a_flush_and_is_written_once() -> None:
    async def story() -> None:
        async with world() as here:
            await here.flush()
            assert here.store.written == []
            await here.start(1)
            assert await here.listed() == {}
            await here.flush()
            assert await here.listed() == {"w1": 0}
            await here.signal(1)
            await here.flush()
            assert len(here.store.written) == 1, "a list shows nothing of a signal"
            await here.end(1)
            await here.flush()
            assert await here.listed() == {"w1": api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED}
            await here.service._checkpointer.checkpoint()
            await here.flush()
            assert len(here.store.written) == 3, "twice by flushes, once by the checkpoint"

    run(story())


def test_one_flush_serves_all_who_asked_before_it_began() -> None:
    async def story() -> None:
        async with world() as here:

            async def start_and_look(number: int) -> None:
                await here.start(number)
                await here.flush()
                assert f"w{number}" in await here.listed()

            await asyncio.gather(*[start_and_look(number) for number in range(60)])
            assert len(here.store.written) < 20
            runs = [one.run_id for batch in here.store.written for one in batch]
            assert len(runs) == len(set(runs)) == 60

    run(story())


def test_a_checkpoints_older_picture_loses_to_a_flush() -> None:
    async def story() -> None:
        async with world() as here:
            await here.start(1)
            checkpoint = asyncio.create_task(here.service._checkpointer.checkpoint())
            # It has pictured the run, and waits for the log or the store.
            await asyncio.sleep(0)
            await here.end(1)
            await here.flush()
            await checkpoint
            assert await here.listed() == {"w1": api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED}

    run(story())


def test_who_waits_is_told_when_nothing_can_be_written() -> None:
    async def story() -> None:
        async with world() as here:
            await here.start(1)
            here.store.fails = True
            with pytest.raises(Unavailable):
                await here.flush()
            here.store.fails = False
            await here.flush()
            assert await here.listed() == {"w1": 0}
            await here.start(2)
            waiting = asyncio.create_task(here.flush())
            await asyncio.sleep(0)
            here.service.kill()
            with pytest.raises(Unavailable):
                await waiting

    run(story())
