"""A real history process over a store in memory, in virtual time."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

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
        self.now_ns = 1_000_000_000
        self.runtime = Runtime(now=lambda: self.now_ns, random=random.Random(1))
        self.store = MemoryStore(self.runtime)
        self.network = InProcessNetwork()
        self.router = StaticRouter(1, [ADDRESS], ["matching"])
        self.service = self._new()
        self._requests = itertools.count(1)

    def _new(self) -> HistoryService:
        return HistoryService(
            store=self.store,
            network=self.network.endpoint(),
            router=self.router,
            runtime=self.runtime,
            domains=DomainCache(self.store, self.runtime),
            settings=HistorySettings(checkpoint_interval=3600),
            address=ADDRESS,
        )

    async def listen(self) -> None:
        """Lets other services call the process."""
        await self.network.endpoint().listen(ADDRESS, self._handle)

    async def _handle(self, call: InternalCall) -> bytes:
        return await self.service.handle(call)

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

    async def signal(self, workflow_id: str = "w") -> None:
        named = api.WorkflowExecution(workflow_id=workflow_id)
        request = api.SignalWorkflowExecutionRequest(workflow_execution=named, signal_name="s")
        await self.call("SignalWorkflowExecution", workflow_id, request.SerializeToString())

    async def current(self, workflow_id: str = "w") -> str:
        """The run id of the newest run."""
        named = api.WorkflowExecution(workflow_id=workflow_id)
        request = api.DescribeWorkflowExecutionRequest(workflow_execution=named).SerializeToString()
        answer = await self.call("DescribeWorkflowExecution", workflow_id, request)
        described = api.DescribeWorkflowExecutionResponse.FromString(answer)
        return described.workflow_execution_info.workflow_execution.run_id

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
    await made.listen()
    try:
        yield made
    finally:
        await made.service.stop()


def story(told: Callable[[World], Awaitable[None]], *, real: bool = False) -> None:
    """Runs a test's coroutine in a world, in virtual time; `real`: on an ordinary loop, for what needs its threads."""

    async def whole() -> None:
        async with world() as w:
            await told(w)

    if real:
        asyncio.run(whole())
    else:
        run_virtual(whole())
