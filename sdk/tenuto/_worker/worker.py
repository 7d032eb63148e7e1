"""The worker: serves the workflows and activities of one task list."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from tenuto._replay.definition import definition_of
from tenuto._rpc.client import Client
from tenuto._rpc.connection import POLL_SECONDS, DomainRpc, WorkerRpc
from tenuto._types import Seconds
from tenuto._worker.activities import ActivityRunner
from tenuto._worker.cache import StickyCache
from tenuto._worker.decisions import DecisionRunner
from tenuto._worker.local_activities import LocalActivityRunner
from tenuto._worker.local_dispatch import LocalDispatch
from tenuto._worker.pollers import Pollers
from tenuto_api import api

T = TypeVar("T")

logger = logging.getLogger("tenuto.worker")

DOMAIN_CHECK_SECONDS = 60.0
STICKY_TIMEOUT = timedelta(seconds=5)


class Worker:
    """Polls a task list and runs what comes. `await worker.run()`, or `async with worker: ...`.

    `workflows` are classes or functions made by `@workflow.defn`, `activities` functions or bound methods.

    Workflow code runs on the event loop that the worker runs on, so it must be quick between its awaits; async activities
    too; plain activities run in `activity_executor` (by default a thread pool; a ProcessPoolExecutor serves functions that
    need no heartbeat). `sticky_cache_size` runs are kept in memory between their decisions (0: none are). Stopping ends
    the polls at once and gives activities `graceful_stop_timeout` to end. Activities that this worker's own workflows schedule
    on its task list run here at once where there is room (`local_dispatch`).
    """

    def __init__(
        self,
        client: Client,
        task_list: str,
        *,
        workflows: Sequence[Any] = (),
        activities: Sequence[Any] = (),
        max_concurrent_activities: int = 100,
        max_concurrent_decisions: int = 100,
        max_concurrent_local_activities: int = 100,
        activity_pollers: int = 4,
        decision_pollers: int = 2,
        sticky_pollers: int = 4,
        sticky_cache_size: int = 2000,
        sticky_timeout: Seconds = STICKY_TIMEOUT,
        max_activities_per_second: float | None = None,
        graceful_stop_timeout: Seconds = 10.0,
        activity_executor: Executor | None = None,
        binary_checksum: str = "",
        local_dispatch: bool = True,
    ) -> None:
        if not workflows and not activities:
            raise ValueError("a worker needs workflows or activities")
        self._client = client
        self._connection = client.connection
        self._task_list = task_list
        self._grace = (
            graceful_stop_timeout.total_seconds() if isinstance(graceful_stop_timeout, timedelta) else graceful_stop_timeout
        )
        self._stopping = asyncio.Event()
        self._started = False
        self._stopped = False
        self._checksum = binary_checksum
        self._rate = max_activities_per_second
        self.sticky_list = self._connection.new_name() if sticky_cache_size else ""
        self._cache = StickyCache(sticky_cache_size)
        definitions = {definition.name: definition for definition in map(definition_of, workflows)}
        if len(definitions) != len(workflows):
            raise ValueError("two workflows have the same name")
        self._activities = ActivityRunner(
            self._connection,
            activities,
            domain=client.domain,
            task_list=task_list,
            converter=client.converter,
            executor=activity_executor,
            threads=max_concurrent_activities,
        )
        self._pollers: list[Pollers[Any]] = []
        dispatch: LocalDispatch | None = None
        if activities:
            slots = asyncio.Semaphore(max_concurrent_activities)
            pollers = Pollers("activity", activity_pollers, slots, self._activity_poll(), self._activities.run)
            self._pollers.append(pollers)
            if local_dispatch and max_activities_per_second is None:
                dispatch = LocalDispatch(pollers, self._activities, task_list)
        self._decisions = DecisionRunner(
            self._connection,
            definitions,
            domain=client.domain,
            converter=client.converter,
            cache=self._cache,
            sticky_list=self.sticky_list,
            sticky_timeout=sticky_timeout,
            binary_checksum=binary_checksum,
            local=LocalActivityRunner(self._activities, client.converter, max_concurrent_local_activities),
            dispatch=dispatch,
        )
        # Begin with the first decision: nothing comes by the sticky list before.
        self._sticky_pollers: Pollers[Any] | None = None
        if workflows:
            slots = asyncio.Semaphore(max_concurrent_decisions)
            normal, run = self._decision_poll(task_list, ""), self._run_decision
            self._pollers.append(Pollers("decision", decision_pollers, slots, normal, run))
            if self.sticky_list:
                sticky = self._decision_poll(self.sticky_list, task_list)
                self._sticky_pollers = Pollers("sticky decision", sticky_pollers, slots, sticky, self._decisions.run)

    # ---- life ----

    async def start(self) -> None:
        """Checks that the domain exists, and begins to poll. Raises RpcError."""
        if self._started:
            raise RuntimeError("a worker can be started once")
        self._started = True
        request = api.DescribeDomainRequest(name=self._client.domain)
        await self._connection.call(DomainRpc.describe, request, DOMAIN_CHECK_SECONDS)
        for pollers in self._pollers:
            pollers.start()

    async def stop(self) -> None:
        """Stops polling, lets tasks under way end, cancels those that have not ended in time. Returns when all is over."""
        self._stopping.set()
        self._stopped = True
        await asyncio.gather(*(pollers.stop_polling() for pollers in self._pollers))
        drained = await asyncio.gather(*(pollers.drain(self._grace) for pollers in self._pollers))
        if not all(drained):
            self._activities.stop()
            await asyncio.gather(*(pollers.drain(1.0) for pollers in self._pollers))
            await asyncio.gather(*(pollers.kill() for pollers in self._pollers))
        self._activities.close()
        self._cache.clear()

    def request_stop(self) -> None:
        """Makes `run` stop and return; for signal handlers."""
        self._stopping.set()

    async def run(self) -> None:
        """Serves until `request_stop`, or until cancelled; then stops in good order."""
        await self.start()
        try:
            await self._stopping.wait()
        finally:
            await self.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # ---- polls ----

    async def _run_decision(self, task: api.PollForDecisionTaskResponse) -> None:
        sticky, self._sticky_pollers = self._sticky_pollers, None
        if sticky is not None and not self._stopped:
            self._pollers.append(sticky)
            sticky.start()
        await self._decisions.run(task)

    def _decision_poll(self, name: str, base: str) -> Callable[[], Any]:
        kind = api.TASK_LIST_KIND_STICKY if base else api.TASK_LIST_KIND_NORMAL
        request = api.PollForDecisionTaskRequest(
            domain=self._client.domain,
            task_list=api.TaskList(name=name, kind=kind, base_name=base),
            identity=self._connection.identity,
            binary_checksum=self._checksum,
        )

        async def poll() -> api.PollForDecisionTaskResponse | None:
            response = await self._connection.call_once(WorkerRpc.poll_decision, request, POLL_SECONDS)
            return response if response.task_token else None

        return poll

    def _activity_poll(self) -> Callable[[], Any]:
        request = api.PollForActivityTaskRequest(
            domain=self._client.domain,
            task_list=api.TaskList(name=self._task_list, kind=api.TASK_LIST_KIND_NORMAL),
            identity=self._connection.identity,
        )
        if self._rate is not None:
            request.task_list_metadata.max_tasks_per_second.value = self._rate

        async def poll() -> api.PollForActivityTaskResponse | None:
            response = await self._connection.call_once(WorkerRpc.poll_activity, request, POLL_SECONDS)
            return response if response.task_token else None

        return poll


async def run_until_signal(*workers: Worker) -> None:
    """Runs workers until the process gets SIGTERM or SIGINT, then stops them in good order."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for worker in workers:
            worker.request_stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # event loops of Windows
            loop.add_signal_handler(number, stop)
    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.run())
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)


def run_event_loop(main: Coroutine[Any, Any, T]) -> T:
    """asyncio.run, on uvloop where that is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)
