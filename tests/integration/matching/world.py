"""A matching service, histories and frontends in one in-process network on virtual time."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.cluster.router import StaticRouter
from tenuto_server.config.runtime import Runtime
from tenuto_server.matching.service import MatchingService
from tenuto_server.matching.settings import MatchingSettings
from tenuto_server.transport.inprocess import InProcessNetwork
from tenuto_server.transport.network import InternalCall, Listener
from tests.simulation.loop import SimLoop, new_loop

DOMAIN = "5b9a9c3a-0000-4000-8000-000000000001"
MATCHING = "matching-1"
ACTIVITY = internal.TASK_TYPE_ACTIVITY
START_NS = 1_700_000_000_000_000_000

Behaviour = Callable[[internal.StartTaskRequest], Awaitable[bytes]]


class History:
    """A history process: starts each task once a request id, unless told to behave otherwise for a time."""

    def __init__(self, network: InProcessNetwork, address: str) -> None:
        self.network = network
        self.address = address
        self.asked: list[internal.StartTaskRequest] = []
        self.started: dict[bytes, str] = {}
        self.gone: set[int] = set()
        self.behaviours: list[Behaviour] = []
        self.listener: Listener | None = None

    async def listen(self) -> None:
        self.listener = await self.network.listen(self.address, self.handle)

    async def handle(self, call: InternalCall) -> bytes:
        assert call.method == "StartTask"
        request = internal.StartTaskRequest.FromString(call.body)
        self.asked.append(request)
        if self.behaviours:
            return await self.behaviours.pop(0)(request)
        return self.start(request)

    def start(self, request: internal.StartTaskRequest) -> bytes:
        key = request.task.SerializeToString()
        if request.task.schedule_id in self.gone:
            raise errors.EntityNotExists("activity task not found")
        if self.started.setdefault(key, request.request_id) != request.request_id:
            raise errors.EntityNotExists("activity task not found")
        return f"task {request.task.schedule_id} for {request.identity}".encode()

    async def offer(self, *tasks: int, task_list: str = "list", sticky: bool = False) -> list[str]:
        """Offers tasks, named and ordered by their schedule ids; returns the outcomes' names."""
        kind = api.TASK_LIST_KIND_STICKY if sticky else api.TASK_LIST_KIND_NORMAL
        request = internal.OfferTasksRequest(history_address=self.address)
        for task in tasks:
            ref = internal.TaskRef(domain_id=DOMAIN, workflow_id="w", run_id="r", type=ACTIVITY, schedule_id=task)
            request.offers.add(task=ref, task_list=task_list, kind=kind, scheduled_ns=START_NS + task)
        answer = await self.network.call(MATCHING, "OfferTasks", request.SerializeToString(), 5.0)
        outcomes = internal.OfferTasksResponse.FromString(answer).outcomes
        return [internal.OfferOutcome.Name(outcome).removeprefix("OFFER_OUTCOME_") for outcome in outcomes]


class World:
    """One matching service with its network; polls come from a frontend."""

    def __init__(self, loop: SimLoop, settings: MatchingSettings) -> None:
        self.loop = loop
        network = InProcessNetwork()
        self.frontend = network.endpoint()
        self.network = network
        self.router = StaticRouter(4, ["h1"], [MATCHING])
        self.settings = settings
        self.runtime = Runtime(now=lambda: START_NS + int(loop.time() * 1e9), random=random.Random(1))
        self.service = MatchingService(
            network=network, router=self.router, runtime=self.runtime, settings=settings, address=MATCHING
        )
        self.polls = 0

    async def start(self) -> None:
        await self.network.listen(MATCHING, self.service.handle)
        await self.service.start()

    async def history(self, address: str = "h1") -> History:
        history = History(self.network.endpoint(), address)
        await history.listen()
        return history

    async def poll(
        self,
        identity: str = "worker",
        *,
        timeout_s: float | None = 30.0,
        task_list: str = "list",
        sticky: bool = False,
        rate: float = 0.0,
    ) -> str:
        """One poll, as the text that history answered; empty where there was no task."""
        self.polls += 1
        request = internal.PollTaskRequest(
            domain_id=DOMAIN,
            domain_name="shop",
            task_list=task_list,
            kind=api.TASK_LIST_KIND_STICKY if sticky else api.TASK_LIST_KIND_NORMAL,
            type=ACTIVITY,
            identity=identity,
            binary_checksum="abc",
            max_tasks_per_second=rate,
            request_id=f"poll-{self.polls}",
        )
        return (await self.frontend.call(MATCHING, "PollTask", request.SerializeToString(), timeout_s)).decode()

    def polling(self, identity: str = "worker", **how: Any) -> asyncio.Task[str]:
        """A poll in a task of its own."""
        return asyncio.create_task(self.poll(identity, **how))

    async def describe(self, task_list: str = "list", *, status: bool = True) -> api.DescribeTaskListResponse:
        request = internal.DescribeTaskListRequest(domain_id=DOMAIN, task_list=task_list, type=ACTIVITY, include_status=status)
        answer = await self.frontend.call(MATCHING, "DescribeTaskList", request.SerializeToString(), 5.0)
        return api.DescribeTaskListResponse.FromString(answer)

    async def backlog(self, task_list: str = "list") -> int:
        return (await self.describe(task_list)).task_list_status.backlog_count_hint


async def settle() -> None:
    """Lets all that can happen now happen."""
    for _ in range(50):
        await asyncio.sleep(0)


def run(main: Callable[[World], Coroutine[Any, Any, None]], settings: MatchingSettings | None = None, seed: int = 0) -> None:
    """Runs a test on virtual time; the service must end with nothing left behind. A `seed` over 0 shuffles what happens
    at the same moment."""
    logging.getLogger("tenuto_server.matching").setLevel(logging.ERROR)
    loop = new_loop(f"matching-{seed}", shuffle=0.3 if seed else 0.0)

    async def whole() -> None:
        world = World(loop, settings or MatchingSettings())
        await world.start()
        await main(world)
        await world.service.stop()
        await settle()
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    try:
        loop.run_until_complete(whole())
        assert loop.problems == []
    finally:
        loop.close()
