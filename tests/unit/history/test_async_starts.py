"""Asynchronous starts: durable when answered, done once, by whoever owns the shard. A history process on a store in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.cluster.router import StaticRouter
from tenuto_server.config.runtime import Runtime
from tenuto_server.history.core import Core
from tenuto_server.history.service import HistoryService
from tenuto_server.history.settings import HistorySettings
from tenuto_server.persistence.domains import DomainCache
from tenuto_server.persistence.factory import open_store
from tenuto_server.persistence.interface import Store, Table
from tenuto_server.transport.inprocess import InProcessNetwork
from tenuto_server.transport.network import InternalCall
from tests.unit.history.virtual import run

DOMAIN = "11111111-1111-4111-8111-111111111111"
SHARDS = 2
MOMENTS = 1000
Handler = Callable[[Core, InternalCall], Awaitable[bytes]]


class World:
    """A store, and history processes on it one after another."""

    def __init__(self, **settings: Any) -> None:
        chance = random.Random("async")
        self.runtime = Runtime(now=lambda: 10**18 + int(asyncio.get_running_loop().time() * 1e9), random=chance)
        self.store: Store = open_store("memory://", self.runtime)
        self._settings = HistorySettings(handover_timeout=0.1, **settings)
        self._lives = 0
        self.history: HistoryService

    async def start(self, handlers: dict[str, Handler] | None = None) -> None:
        """Starts the next process; `handlers` stand in for those that do the wishes."""
        await self.store.open()
        self._lives += 1
        address = f"history-{self._lives}"
        self.history = HistoryService(
            store=self.store,
            network=InProcessNetwork().endpoint(),
            router=StaticRouter(SHARDS, [address], ["matching"]),
            runtime=self.runtime,
            domains=DomainCache(self.store, self.runtime),
            settings=self._settings,
            address=address,
        )
        if handlers is not None:
            self.history.core.async_starts.handlers = handlers
        await self.history.start()

    async def call(self, method: str, workflow_id: str, request: Any) -> bytes:
        envelope = internal.WorkflowRequest(domain_id=DOMAIN, workflow_id=workflow_id, request=request.SerializeToString())
        return await self.history.handle(InternalCall(method, envelope.SerializeToString()))

    async def events(self, workflow_id: str) -> list[str]:
        """The names of the events of the newest run, waiting for it to be there."""
        request = api.GetWorkflowExecutionHistoryRequest(workflow_execution=api.WorkflowExecution(workflow_id=workflow_id))
        for _ in range(MOMENTS):
            try:
                answer = await self.call("GetWorkflowExecutionHistory", workflow_id, request)
                break
            except errors.EntityNotExists:
                await asyncio.sleep(0.01)
        else:
            raise AssertionError(f"{workflow_id} was never started")
        history = api.GetWorkflowExecutionHistoryResponse.FromString(answer).history
        return [(event.WhichOneof("attributes") or "").removesuffix("_event_attributes") for event in history.events]

    async def rows(self) -> int:
        """How many wishes lie in the store."""
        return sum([len(await self.store.scan(Table.TASKS, f"async/{shard}", None, 100)) for shard in range(SHARDS)])

    async def settled(self) -> None:
        """Waits until there are no more wishes."""
        for _ in range(MOMENTS):
            if not await self.rows():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("wishes are left")


def start_request(workflow_id: str, request_id: str = "r1", **fields: Any) -> api.StartWorkflowExecutionRequest:
    request = api.StartWorkflowExecutionRequest(
        domain="dom",
        workflow_id=workflow_id,
        workflow_type=api.WorkflowType(name="greet"),
        task_list=api.TaskList(name="tl"),
        request_id=request_id,
        workflow_id_reuse_policy=api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
        **fields,
    )
    request.execution_start_to_close_timeout.seconds = 100
    request.task_start_to_close_timeout.seconds = 10
    return request


def signal_request(workflow_id: str, request_id: str) -> api.SignalWithStartWorkflowExecutionRequest:
    start = start_request(workflow_id, request_id)
    return api.SignalWithStartWorkflowExecutionRequest(start_request=start, signal_name="go")


async def not_now(core: Core, call: InternalCall) -> bytes:
    raise errors.Unavailable("not now")


NOT_NOW: dict[str, Handler] = {"StartWorkflowExecution": not_now, "SignalWithStartWorkflowExecution": not_now}
STARTED = ["workflow_execution_started", "decision_task_scheduled"]


def test_an_accepted_start_is_done_and_leaves_nothing() -> None:
    async def story() -> None:
        world = World()
        await world.start()
        assert await world.call("StartWorkflowExecutionAsync", "wf", start_request("wf")) == b""
        assert await world.events("wf") == STARTED
        await world.settled()
        await world.history.stop()

    run(story())


def test_an_accepted_start_outlives_its_process() -> None:
    async def story() -> None:
        world = World()
        await world.start(NOT_NOW)
        for number in range(5):
            await world.call("StartWorkflowExecutionAsync", f"wf-{number}", start_request(f"wf-{number}"))
        world.history.kill()
        assert await world.rows() == 5
        await world.start()
        for number in range(5):
            assert await world.events(f"wf-{number}") == STARTED
        await world.settled()
        world.history.kill()

    run(story())


def test_a_graceful_stop_hands_wishes_over() -> None:
    async def story() -> None:
        world = World()
        await world.start(NOT_NOW)
        await world.call("StartWorkflowExecutionAsync", "wf", start_request("wf"))
        await world.history.stop()
        await world.start()
        assert await world.events("wf") == STARTED
        await world.settled()
        world.history.kill()

    run(story())


def test_done_but_not_yet_removed_is_not_done_twice() -> None:
    """The process dies between the start and the removal of its row: the next one finds the run by its request id."""

    async def story() -> None:
        world = World()
        await world.start()
        done = world.history.core.async_starts.handlers
        world.history.core.async_starts.handlers = NOT_NOW
        await world.call("StartWorkflowExecutionAsync", "wf", start_request("wf"))
        await world.call("SignalWithStartWorkflowExecutionAsync", "sig", signal_request("sig", "s1"))
        await world.call("StartWorkflowExecution", "wf", start_request("wf"))
        await world.call("SignalWithStartWorkflowExecution", "sig", signal_request("sig", "s1"))
        assert set(NOT_NOW) <= set(done)
        world.history.kill()
        assert await world.rows() == 2
        await world.start()
        await world.settled()
        assert await world.events("wf") == STARTED
        assert await world.events("sig") == [STARTED[0], "workflow_execution_signaled", STARTED[1]]
        world.history.kill()

    run(story())


def test_a_start_that_is_refused_is_dropped() -> None:
    async def story() -> None:
        world = World()
        await world.start()
        await world.call("StartWorkflowExecution", "wf", start_request("wf", "first"))
        await world.call("StartWorkflowExecutionAsync", "wf", start_request("wf", "second"))
        await world.settled()
        assert await world.events("wf") == STARTED
        world.history.kill()

    run(story())


def test_the_wishes_of_one_workflow_are_done_in_order() -> None:
    async def story() -> None:
        world = World()
        await world.start(NOT_NOW)
        await world.call("StartWorkflowExecutionAsync", "wf", start_request("wf"))
        for number in range(3):
            await asyncio.sleep(0.01)
            await world.call("SignalWithStartWorkflowExecutionAsync", "wf", signal_request("wf", f"s{number}"))
        world.history.kill()
        await world.start()
        await world.settled()
        assert await world.events("wf") == [*STARTED, *["workflow_execution_signaled"] * 3]
        world.history.kill()

    run(story())


def test_the_same_request_twice_is_one() -> None:
    async def story() -> None:
        world = World()
        await world.start(NOT_NOW)
        for _ in range(2):
            await world.call("StartWorkflowExecutionAsync", "wf", start_request("wf"))
        assert await world.rows() == 1
        world.history.kill()

    run(story())


def test_too_many_are_refused_as_busy() -> None:
    async def story() -> None:
        world = World(async_starts_max=2)
        await world.start(NOT_NOW)
        refused = 0
        for number in range(2 * SHARDS + 3):
            try:
                await world.call("StartWorkflowExecutionAsync", f"wf-{number}", start_request(f"wf-{number}"))
            except errors.ServiceBusy:
                refused += 1
        assert refused >= 3
        assert await world.rows() == 2 * SHARDS + 3 - refused
        world.history.kill()

    run(story())


def test_a_process_whose_log_was_sealed_accepts_nothing() -> None:
    async def story() -> None:
        world = World()
        await world.start(NOT_NOW)
        assert world.history.core.log is not None
        await world.store.seal(world.history.core.log.log_id)
        with pytest.raises(errors.ShardOwnershipLost):
            await world.call("StartWorkflowExecutionAsync", "wf", start_request("wf"))
        world.history.kill()

    run(story())
