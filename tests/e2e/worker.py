"""A worker made of raw messages: decides by the run's history and nothing else, and runs activities.

Sticky, it does as the Go client: it keeps its runs in memory, takes partial histories from a task list of its own, and takes
the next decision task with the answer to the last. Plain, it gets the whole history each time.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Protocol

import grpc
import grpc.aio

from tenuto_api import api
from tests.e2e.raw import RawClient, read_history

POLL_SECONDS = 60.0
RETRY_SECONDS = 0.05
STICKY_SECONDS = 5
CACHED_RUNS_MAX = 20_000


class Program(Protocol):
    """One run's workflow code: is fed each event once, in order, and says what is to be done."""

    def feed(self, event: api.HistoryEvent) -> None:
        """Takes note of an event."""

    def decide(self) -> list[api.Decision]:
        """What to do now; nothing that was decided before."""


Activity = Callable[[api.PollForActivityTaskResponse], Awaitable[bytes]]


class _Run:
    __slots__ = ("last_event", "program")

    def __init__(self, program: Program) -> None:
        self.program = program
        self.last_event = 0

    def feed(self, events: Iterable[api.HistoryEvent]) -> None:
        for event in events:
            if event.event_id > self.last_event:
                self.last_event = event.event_id
                self.program.feed(event)


class RawWorker:
    """Serves one task list. `program` makes the code of one run, `activity` runs every activity."""

    def __init__(
        self,
        client: RawClient,
        domain: str,
        task_list: str,
        program: Callable[[], Program],
        activity: Activity,
        *,
        sticky: bool = False,
        decision_pollers: int = 4,
        activity_pollers: int = 4,
    ) -> None:
        self._client = client
        self._domain = domain
        self._list = api.TaskList(name=task_list, kind=api.TASK_LIST_KIND_NORMAL)
        self._program = program
        self._activity = activity
        self._sticky = f"{task_list}:{uuid.uuid4()}" if sticky else ""
        self._decision_pollers = decision_pollers
        self._activity_pollers = activity_pollers
        self._runs: dict[str, _Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begins to poll."""
        lists = [self._list]
        if self._sticky:
            lists.append(
                api.TaskList(name=self._sticky, kind=api.TASK_LIST_KIND_STICKY, base_name=self._list.name)
            )
        for task_list in lists:
            for _ in range(self._decision_pollers):
                self._spawn(self._poll_decisions(task_list))
        for _ in range(self._activity_pollers):
            self._spawn(self._poll_activities())

    async def stop(self) -> None:
        """Ends all polls and tasks at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _poll_decisions(self, task_list: api.TaskList) -> None:
        request = api.PollForDecisionTaskRequest(domain=self._domain, task_list=task_list, identity="raw")
        while True:
            try:
                task = await self._client.call(request, POLL_SECONDS)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if task.task_token:
                self._spawn(self._run_decisions(task))

    async def _run_decisions(self, task: api.PollForDecisionTaskResponse) -> None:
        """Answers a decision task, and those that come with the answers."""
        while True:
            request = api.RespondDecisionTaskCompletedRequest(
                task_token=task.task_token, decisions=await self._decide(task), identity="raw"
            )
            if self._sticky:
                request.return_new_decision_task = True
                request.sticky_attributes.worker_task_list.name = self._sticky
                request.sticky_attributes.schedule_to_start_timeout.seconds = STICKY_SECONDS
            try:
                response = await self._client.persist(request)
            except grpc.aio.AioRpcError:  # the server gave the task up; if the run goes on there will be another
                self._runs.pop(task.workflow_execution.run_id, None)
                return
            if not response.HasField("decision_task"):
                return
            task = response.decision_task

    async def _decide(self, task: api.PollForDecisionTaskResponse) -> list[api.Decision]:
        execution = task.workflow_execution
        events: Iterable[api.HistoryEvent] = task.history.events
        run = self._runs.get(execution.run_id)
        first = task.history.events[0].event_id if task.history.events else 0
        if run is None or first > run.last_event + 1:
            run = _Run(self._program())
            if first != 1 or task.next_page_token:
                events = await read_history(self._client, self._domain, execution.workflow_id, execution.run_id)
        run.feed(event for event in events if event.event_id <= task.started_event_id)
        decisions = run.program.decide()
        if self._sticky and len(self._runs) < CACHED_RUNS_MAX and not _closes(decisions):
            self._runs[execution.run_id] = run
        else:
            self._runs.pop(execution.run_id, None)
        return decisions

    async def _poll_activities(self) -> None:
        request = api.PollForActivityTaskRequest(domain=self._domain, task_list=self._list, identity="raw")
        while True:
            try:
                task = await self._client.call(request, POLL_SECONDS)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if task.task_token:
                self._spawn(self._run_activity(task))

    async def _run_activity(self, task: api.PollForActivityTaskResponse) -> None:
        data = await self._activity(task)
        request = api.RespondActivityTaskCompletedRequest(
            task_token=task.task_token, result=api.Payload(data=data), identity="raw"
        )
        try:
            await self._client.persist(request)
        except grpc.aio.AioRpcError:  # timed out meanwhile: the server has its own view of this attempt
            return


def _closes(decisions: list[api.Decision]) -> bool:
    return any(d.HasField("complete_workflow_execution_decision_attributes") for d in decisions)
