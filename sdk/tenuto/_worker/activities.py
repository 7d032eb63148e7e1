"""Runs activity tasks: finds the function, decodes its arguments, runs it with its deadline, and reports how it ended."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tenuto._failures import failure_of
from tenuto._replay.definition import Signature, activity_name
from tenuto._rpc import tracing
from tenuto._rpc.connection import BaseConnection, WorkerRpc
from tenuto._types import to_timedelta
from tenuto._worker.about import about
from tenuto._worker.context import CURRENT, ActivityContext, CompleteAsync
from tenuto._worker.heartbeats import Heartbeats
from tenuto.converter import DataConverter
from tenuto.errors import (
    ActivityNotRegisteredError,
    ApplicationError,
    CancelledError,
    EntityNotExistsError,
    RpcError,
    TimedOutError,
    TimeoutType,
)
from tenuto_api import api

logger = logging.getLogger("tenuto.worker")

REPORT_SECONDS = 60.0
WORKER_STOPPED = "WorkerStopped"


@dataclass(frozen=True, slots=True)
class ActivityDefinition:
    """An activity type: its name, function, parameters, and whether it is async."""

    name: str
    function: Callable[..., Any]
    parameters: tuple[Any, ...]
    is_async: bool

    @classmethod
    def of(cls, function: Callable[..., Any]) -> ActivityDefinition:
        """From a decorated or plain function, or a bound method."""
        target = function if inspect.isroutine(function) else type(function).__call__
        is_async = inspect.iscoroutinefunction(target)
        return cls(activity_name(function), function, Signature.of(function).parameters, is_async)


@dataclass(slots=True, eq=False)
class _Running:
    """An attempt under way: `abandoned` when it is not waited for any more, `stopping` when that is because the worker stops."""

    context: ActivityContext
    work: asyncio.Task[Any] | None = None
    abandoned: bool = False
    stopping: bool = False


class _DeadlineError(Exception):
    """The attempt has had its time; the server knows by itself."""


class ActivityRunner:
    """See the module. `run(task)` never raises; `stop()` ends what still runs, and has it reported as failed."""

    def __init__(
        self,
        connection: BaseConnection,
        activities: Sequence[Callable[..., Any]],
        *,
        domain: str,
        task_list: str,
        converter: DataConverter,
        executor: Executor | None,
        threads: int,
    ) -> None:
        self._connection = connection
        self._definitions = {definition.name: definition for definition in map(ActivityDefinition.of, activities)}
        if len(self._definitions) != len(activities):
            raise ValueError("two activities have the same name")
        self._domain = domain
        self._task_list = task_list
        self._converter = converter
        self._executor = executor
        self._own_executor: ThreadPoolExecutor | None = None
        self._threads = threads
        self._running: set[_Running] = set()

    def stop(self) -> None:
        """Cancels the attempts under way. Threads are told by their next heartbeat, and not waited for."""
        for running in list(self._running):
            running.stopping = running.abandoned = True
            self._cancel(running, "the worker stops")

    def close(self) -> None:
        """Gives the thread pool back."""
        if self._own_executor is not None:
            self._own_executor.shutdown(wait=False, cancel_futures=True)

    def knows(self, name: str) -> bool:
        """Whether an activity of that name can run here."""
        return name in self._definitions

    async def run_local(self, task: api.PollForActivityTaskResponse, timeout: TimeoutType) -> bytes:
        """Runs one attempt of a local activity: its result as payload, or the exception that it ended with; at its deadline a
        TimedOutError of that type. Cancelling this cancels the attempt."""
        running = _Running(ActivityContext(task, self._domain, self._task_list, self._converter, lambda _: None))
        self._running.add(running)
        try:
            with tracing.worker_span(f"LocalActivity:{task.activity_type.name}", task.header.fields, self._attributes(task)):
                result = await self._execute(task, running)
            return self._converter.to_payload([result]) if result is not None else b""
        except CompleteAsync:
            raise ApplicationError("a local activity cannot be completed from outside") from None
        except _DeadlineError:
            raise TimedOutError(timeout) from None
        except asyncio.CancelledError:
            if running.stopping or _being_cancelled():
                running.abandoned = True
                self._cancel(running, "the workflow does not wait for it any more")
                raise
            raise CancelledError("the activity cancelled itself") from None
        finally:
            self._running.discard(running)

    async def run(self, task: api.PollForActivityTaskResponse) -> None:
        """Runs one attempt and reports it."""
        heartbeats = Heartbeats(
            self._connection,
            task.task_token,
            to_timedelta(task.heartbeat_timeout),
            lambda reason: self._cancel(running, reason),
        )
        context = ActivityContext(task, self._domain, self._task_list, self._converter, heartbeats.record)
        running = _Running(context)
        self._running.add(running)
        try:
            with tracing.worker_span(f"Activity:{task.activity_type.name}", task.header.fields, self._attributes(task)):
                await self._run_and_report(task, running, heartbeats)
        except EntityNotExistsError as error:
            workflow_id, extra = task.workflow_execution.workflow_id, self._about(task)
            logger.info("activity %s of workflow %s: %s", task.activity_id, workflow_id, error, extra=extra)
        except RpcError as error:
            extra = self._about(task)
            logger.warning("the outcome of activity %s could not be reported: %s", task.activity_id, error, extra=extra)
        finally:
            heartbeats.stop()
            self._running.discard(running)

    def _about(self, task: api.PollForActivityTaskResponse) -> dict[str, str]:
        return about(task.workflow_execution, task.workflow_domain or self._domain)

    def _attributes(self, task: api.PollForActivityTaskResponse) -> dict[str, str | int]:
        return {
            tracing.DOMAIN: task.workflow_domain or self._domain,
            tracing.WORKFLOW_ID: task.workflow_execution.workflow_id,
            tracing.RUN_ID: task.workflow_execution.run_id,
            "tenuto.activity.id": task.activity_id,
            "tenuto.activity.attempt": task.attempt,
        }

    @staticmethod
    def _cancel(running: _Running, reason: str) -> None:
        context = running.context
        if context.cancel_requested.is_set():
            return
        context.cancel_reason = reason
        context.cancel_requested.set()
        if running.work is not None:
            running.work.cancel()

    async def _run_and_report(
        self, task: api.PollForActivityTaskResponse, running: _Running, heartbeats: Heartbeats
    ) -> None:
        context = running.context
        try:
            result = await self._execute(task, running)
            payload = self._converter.to_payload([result]) if result is not None else b""
        except CompleteAsync:
            return
        except _DeadlineError:
            extra = self._about(task)
            logger.info("activity %s ran over its deadline and was cancelled", task.activity_id, extra=extra)
        except (asyncio.CancelledError, CancelledError) as error:
            if running.stopping:
                stopped = ApplicationError("the worker stopped before the activity was done", type=WORKER_STOPPED)
                await self._report_failure(task, stopped, heartbeats)
            elif context.cancel_requested.is_set():
                await self._report_cancelled(task, error)
            elif isinstance(error, asyncio.CancelledError) and _being_cancelled():
                raise
            else:
                await self._report_failure(task, error, heartbeats)
        except Exception as error:
            level = logging.INFO if isinstance(error, ApplicationError) else logging.WARNING
            name, attempt = task.activity_type.name, task.attempt
            logger.log(level, "activity %s failed (attempt %d)", name, attempt, exc_info=error, extra=self._about(task))
            await self._report_failure(task, error, heartbeats)
        else:
            request = api.RespondActivityTaskCompletedRequest(
                task_token=task.task_token, result=api.Payload(data=payload), identity=self._connection.identity
            )
            await self._connection.call(WorkerRpc.completed, request, REPORT_SECONDS)

    async def _execute(self, task: api.PollForActivityTaskResponse, running: _Running) -> Any:
        definition = self._definitions.get(task.activity_type.name)
        if definition is None:
            known = ", ".join(sorted(self._definitions))
            raise ActivityNotRegisteredError(f"activity {task.activity_type.name} is not among this worker's: {known}")
        args: list[Any] = []
        if task.input.data or definition.parameters[:1] == (bytes,):
            args = self._converter.from_payload(task.input.data, definition.parameters)
        token = CURRENT.set(running.context)
        try:
            call = definition.function(*args) if definition.is_async else self._in_executor(running, definition, args)
            running.work = asyncio.create_task(call)
        finally:
            CURRENT.reset(token)
        seconds = _seconds_left(task)
        if running.context.cancel_requested.is_set():
            running.work.cancel()
        done, _ = await asyncio.wait([running.work], timeout=seconds)
        if not done:
            running.abandoned = True
            self._cancel(running, "the attempt's deadline has passed")
            await asyncio.wait([running.work], timeout=0)
            raise _DeadlineError
        return running.work.result()

    async def _in_executor(self, running: _Running, definition: ActivityDefinition, args: list[Any]) -> Any:
        """Runs a plain function in the pool.

        Cancelling does not end a thread: its function is told at its next heartbeat, and the attempt waits for what it
        makes of that, unless it is abandoned.
        """
        executor = self._executor
        if executor is None:
            if self._own_executor is None:
                self._own_executor = ThreadPoolExecutor(self._threads, thread_name_prefix="tenuto-activity")
            executor = self._own_executor
        loop = asyncio.get_running_loop()
        if isinstance(executor, ProcessPoolExecutor):
            return await loop.run_in_executor(executor, definition.function, *args)  # another process has no context of ours
        context = contextvars.copy_context()
        future = loop.run_in_executor(executor, _call_in, context, definition.function, args)
        while True:
            try:
                return await asyncio.shield(future)
            except asyncio.CancelledError:
                if future.done() or running.abandoned or not running.context.cancel_requested.is_set():
                    raise

    async def _report_failure(
        self, task: api.PollForActivityTaskResponse, error: BaseException, heartbeats: Heartbeats
    ) -> None:
        tracing.failed(error)
        request = api.RespondActivityTaskFailedRequest(
            task_token=task.task_token,
            failure=failure_of(error, self._converter),
            identity=self._connection.identity,
        )
        if heartbeats.unsent is not None:
            request.heartbeat_details.data = heartbeats.unsent
        await self._connection.call(WorkerRpc.failed, request, REPORT_SECONDS)

    async def _report_cancelled(self, task: api.PollForActivityTaskResponse, error: BaseException) -> None:
        details = error.details if isinstance(error, CancelledError) else ()
        request = api.RespondActivityTaskCanceledRequest(
            task_token=task.task_token,
            details=api.Payload(data=self._converter.to_payload(details) if details else b""),
            identity=self._connection.identity,
        )
        await self._connection.call(WorkerRpc.canceled, request, REPORT_SECONDS)


def _call_in(context: contextvars.Context, function: Callable[..., Any], args: list[Any]) -> Any:
    return context.run(function, *args)


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _seconds_left(task: api.PollForActivityTaskResponse) -> float | None:
    """Seconds from now until the server gives the attempt up, by its timeouts; None if it has none.

    Counted from when the task arrived, not by comparing clocks; the server's own count began a little earlier.
    """
    limits = [
        timeout.seconds + timeout.nanos / 1e9
        for timeout in (task.start_to_close_timeout, task.schedule_to_close_timeout)
        if timeout.seconds or timeout.nanos
    ]
    return min(limits) if limits else None
