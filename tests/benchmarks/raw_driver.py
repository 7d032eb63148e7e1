"""Client and worker of raw messages, for any server that speaks the interface."""

from __future__ import annotations

import asyncio
import uuid

import grpc
import grpc.aio

from tenuto_api import api
from tests.e2e.raw import RawClient, wait_closed
from tests.e2e.worker import RawWorker

WORKFLOW_SECONDS = 3600
DOMAIN_SECONDS = 60.0
SIGNAL_BYTES = b"1" * 100


class LoadProgram:
    """So many activities in a row as the input says, then the end."""

    def __init__(self) -> None:
        self._wanted = self._scheduled = self._done = 0
        self._list = ""

    def feed(self, event: api.HistoryEvent) -> None:
        kind = event.WhichOneof("attributes")
        if kind == "workflow_execution_started_event_attributes":
            started = event.workflow_execution_started_event_attributes
            self._wanted, self._list = int(started.input.data), started.task_list.name
        elif kind == "activity_task_scheduled_event_attributes":
            self._scheduled += 1
        elif kind == "activity_task_completed_event_attributes":
            self._done += 1

    def decide(self) -> list[api.Decision]:
        decision = api.Decision()
        if self._done == self._wanted:
            decision.complete_workflow_execution_decision_attributes.result.data = b'"done"\n'
        elif self._done == self._scheduled:
            attributes = decision.schedule_activity_task_decision_attributes
            attributes.activity_id = str(self._scheduled)
            attributes.activity_type.name = "work"
            attributes.task_list.name = self._list
            attributes.input.data = b'"x"\n'
            for timeout in (
                attributes.schedule_to_close_timeout,
                attributes.schedule_to_start_timeout,
                attributes.start_to_close_timeout,
            ):
                timeout.seconds = WORKFLOW_SECONDS
        else:
            return []
        return [decision]


async def _work(_task: api.PollForActivityTaskResponse) -> bytes:
    return b'"y"\n'


class RawDriver:
    """Drives loads with raw messages. With `sticky`, as the Go client does; else each decision sees the whole history."""

    def __init__(self, address: str, domain: str, *, sticky: bool = True, pollers: int = 4) -> None:
        self._address = address
        self._domain = domain
        self._sticky = sticky
        self._pollers = pollers
        self._list = f"bench-{uuid.uuid4()}"
        self._signalled = ""
        self._client: RawClient
        self._worker: RawWorker

    async def open(self) -> None:
        self._client = RawClient(self._address)
        await register(self._client, self._domain)
        self._worker = RawWorker(
            self._client,
            self._domain,
            self._list,
            LoadProgram,
            _work,
            sticky=self._sticky,
            decision_pollers=self._pollers,
            activity_pollers=self._pollers,
        )
        self._worker.start()

    async def close(self) -> None:
        await self._worker.stop()
        await self._client.close()

    async def workflow(self, activities: int) -> None:
        workflow_id, run_id = await self._start(self._list, activities)
        closed = await wait_closed(self._client, self._domain, workflow_id, run_id)
        if not closed.HasField("workflow_execution_completed_event_attributes"):
            raise AssertionError(f"did not complete: {closed}")

    async def start_alone(self) -> None:
        await self._start("nobody", 0)

    async def signal(self) -> None:
        if not self._signalled:
            self._signalled = f"signalled-{uuid.uuid4()}"
            await self._start("nobody", 0, self._signalled)
        await self._client.call(
            api.SignalWorkflowExecutionRequest(
                domain=self._domain,
                workflow_execution=api.WorkflowExecution(workflow_id=self._signalled),
                signal_name="load",
                signal_input=api.Payload(data=SIGNAL_BYTES),
                request_id=str(uuid.uuid4()),
                identity="raw",
            )
        )

    async def _start(self, task_list: str, activities: int, workflow_id: str = "") -> tuple[str, str]:
        request = api.StartWorkflowExecutionRequest(
            domain=self._domain,
            workflow_id=workflow_id or str(uuid.uuid4()),
            workflow_type=api.WorkflowType(name="load"),
            task_list=api.TaskList(name=task_list),
            input=api.Payload(data=str(activities).encode()),
            request_id=str(uuid.uuid4()),
            identity="raw",
        )
        request.execution_start_to_close_timeout.seconds = WORKFLOW_SECONDS
        request.task_start_to_close_timeout.seconds = 10
        response = await self._client.call(request, timeout=60.0)
        return request.workflow_id, response.run_id


async def register(client: RawClient, domain: str) -> None:
    """Makes sure that the domain is there; a server that caches domains may take a while to see a new one."""
    describe = api.DescribeDomainRequest(name=domain)
    try:
        await client.call(describe)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
    else:
        return
    request = api.RegisterDomainRequest(name=domain)
    request.workflow_execution_retention_period.seconds = 24 * 3600
    await client.call(request)
    async with asyncio.timeout(DOMAIN_SECONDS):
        while True:
            if await _visible(client, domain):
                return
            await asyncio.sleep(0.5)


async def _visible(client: RawClient, domain: str) -> bool:
    request = api.ListOpenWorkflowExecutionsRequest(domain=domain, page_size=1)
    request.start_time_filter.earliest_time.seconds = 1
    request.start_time_filter.latest_time.seconds = 2
    try:
        await client.call(request)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return False
    return True
