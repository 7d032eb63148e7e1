"""The functions that workflow code calls; `tenuto.workflow` re-exports them. They find their run by the running loop."""

from __future__ import annotations

import asyncio
import logging
import operator
import random as random_module
import uuid
from asyncio import events
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar, Unpack, cast, overload

from tenuto._replay.definition import Signature, workflow_result_type
from tenuto._replay.execution import ContinueAsNew, ContinueOptions, Execution
from tenuto._replay.handles import ActivityHandle, ChildWorkflowHandle, LocalActivityHandle
from tenuto._replay.info import WorkflowInfo
from tenuto._replay.loop import WorkflowLoop
from tenuto._replay.options import (
    ActivityKeywords,
    ActivityOptions,
    ChildKeywords,
    ChildOptions,
    LocalActivityKeywords,
    LocalActivityOptions,
)
from tenuto._replay.requests import DEFAULT_VERSION
from tenuto._types import RetryPolicy, Seconds, whole_seconds
from tenuto.errors import NotInWorkflowError

T = TypeVar("T")


def current() -> Execution:
    """The run whose code is running. Raises NotInWorkflowError elsewhere."""
    loop = events._get_running_loop()
    if isinstance(loop, WorkflowLoop):
        return cast(Execution, loop.host)
    raise NotInWorkflowError("this is for workflow code only")


def in_workflow() -> bool:
    """Whether the caller is workflow code."""
    return isinstance(events._get_running_loop(), WorkflowLoop)


def is_replaying() -> bool:
    """Whether the code is run again over history. Never let it change what the workflow does."""
    return current().replaying


def info() -> WorkflowInfo:
    """What there is to know about the run."""
    return current().info


def now() -> datetime:
    """The workflow's time (UTC): when the server started the current decision. Use it instead of the system's clock."""
    return datetime.fromtimestamp(current().loop.time(), UTC)


def random() -> random_module.Random:
    """The run's own randomness, the same when replayed."""
    return current().random


def uuid4() -> uuid.UUID:
    """A random UUID, the same when replayed."""
    return uuid.UUID(int=current().random.getrandbits(128), version=4)


def last_completion_result(result_type: type[T]) -> T | None:
    """The result of the run before this one under a cron schedule, or None."""
    run = current()
    data = run.info.last_completion_payload
    return cast("T | None", run.decode_result(data, result_type)) if data else None


# ---- activities -----------------------------------------------------------------------------------------------------


def _result_type(target: Any, given: Any) -> Any:
    if given is not None:
        return given
    if isinstance(target, str):
        return Any
    cached = getattr(target, "__tenuto_returns__", None)
    if cached is None:
        cached = Signature.of(target).returns
        function = getattr(target, "__func__", target)
        if hasattr(function, "__dict__"):
            function.__tenuto_returns__ = cached
    return cached


@overload
def start_activity(
    activity: Callable[..., Awaitable[T]], *args: Any, **options: Unpack[ActivityKeywords]
) -> ActivityHandle[T]: ...
@overload
def start_activity(activity: Callable[..., T], *args: Any, **options: Unpack[ActivityKeywords]) -> ActivityHandle[T]: ...
@overload
def start_activity(activity: str, *args: Any, **options: Unpack[ActivityKeywords]) -> ActivityHandle[Any]: ...
def start_activity(activity: Any, *args: Any, **options: Unpack[ActivityKeywords]) -> ActivityHandle[Any]:
    """Schedules an activity (a function, or the name of a type) and returns a handle to await or cancel.

    Options: start_to_close_timeout or schedule_to_close_timeout (one must be given), schedule_to_start_timeout,
    heartbeat_timeout, retry_policy, task_list, activity_id, cancellation, result_type; see `ActivityKeywords`. Awaiting
    raises ActivityError (ActivityTimeoutError) when it failed for good, asyncio.CancelledError when it was cancelled.
    """
    given = ActivityOptions(**options)
    return current().schedule_activity(activity, args, _result_type(activity, given.result_type), given)


@overload
async def execute_activity(
    activity: Callable[..., Awaitable[T]], *args: Any, **options: Unpack[ActivityKeywords]
) -> T: ...
@overload
async def execute_activity(activity: Callable[..., T], *args: Any, **options: Unpack[ActivityKeywords]) -> T: ...
@overload
async def execute_activity(activity: str, *args: Any, **options: Unpack[ActivityKeywords]) -> Any: ...
async def execute_activity(activity: Any, *args: Any, **options: Unpack[ActivityKeywords]) -> Any:
    """Schedules an activity and waits for its result. Options as in `start_activity`."""
    return await start_activity(activity, *args, **options)


@overload
def start_local_activity(
    activity: Callable[..., Awaitable[T]], *args: Any, **options: Unpack[LocalActivityKeywords]
) -> LocalActivityHandle[T]: ...
@overload
def start_local_activity(
    activity: Callable[..., T], *args: Any, **options: Unpack[LocalActivityKeywords]
) -> LocalActivityHandle[T]: ...
@overload
def start_local_activity(
    activity: str, *args: Any, **options: Unpack[LocalActivityKeywords]
) -> LocalActivityHandle[Any]: ...
def start_local_activity(
    activity: Any, *args: Any, **options: Unpack[LocalActivityKeywords]
) -> LocalActivityHandle[Any]:
    """Has this very worker run an activity, without a task of the server, and returns a handle to await or cancel.

    For short ones: nothing but the outcome is recorded, so if the worker goes meanwhile it is run again from its first attempt,
    and it has no heartbeat. The worker must know it. Options: see `LocalActivityKeywords`. Raises as other activities do.
    """
    given = LocalActivityOptions(**options)
    return current().start_local_activity(activity, args, _result_type(activity, given.result_type), given)


@overload
async def execute_local_activity(
    activity: Callable[..., Awaitable[T]], *args: Any, **options: Unpack[LocalActivityKeywords]
) -> T: ...
@overload
async def execute_local_activity(
    activity: Callable[..., T], *args: Any, **options: Unpack[LocalActivityKeywords]
) -> T: ...
@overload
async def execute_local_activity(activity: str, *args: Any, **options: Unpack[LocalActivityKeywords]) -> Any: ...
async def execute_local_activity(activity: Any, *args: Any, **options: Unpack[LocalActivityKeywords]) -> Any:
    """Runs a local activity and waits for its result. Options as in `start_local_activity`."""
    return await start_local_activity(activity, *args, **options)


# ---- other workflows ------------------------------------------------------------------------------------------------


@overload
async def start_child(
    workflow: Callable[..., Awaitable[T]], *args: Any, **options: Unpack[ChildKeywords]
) -> ChildWorkflowHandle[T]: ...
@overload
async def start_child(
    workflow: str | type, *args: Any, **options: Unpack[ChildKeywords]
) -> ChildWorkflowHandle[Any]: ...
async def start_child(workflow: Any, *args: Any, **options: Unpack[ChildKeywords]) -> ChildWorkflowHandle[Any]:
    """Starts a child workflow (class, run method, function or type name); returns when the server has started it.

    Options: id, task_list, execution_timeout, task_timeout, id_reuse_policy, parent_close_policy, retry_policy,
    cron_schedule, memo, search_attributes, cancellation, domain, result_type; see `ChildKeywords`. Raises
    ChildAlreadyStartedError if the id is in use. Await the handle for the result; that raises ChildWorkflowError when the
    child did not complete.
    """
    given = ChildOptions(**options)
    expected = given.result_type if given.result_type is not None else workflow_result_type(workflow)
    handle = current().start_child(workflow, args, expected, given)
    try:
        await handle.started
    except asyncio.CancelledError:
        handle.cancel()
        raise
    return handle


@overload
async def execute_child(workflow: Callable[..., Awaitable[T]], *args: Any, **options: Unpack[ChildKeywords]) -> T: ...
@overload
async def execute_child(workflow: str | type, *args: Any, **options: Unpack[ChildKeywords]) -> Any: ...
async def execute_child(workflow: Any, *args: Any, **options: Unpack[ChildKeywords]) -> Any:
    """Starts a child workflow and waits for its result. Options as in `start_child`."""
    return await (await start_child(workflow, *args, **options))


def signal_external(workflow_id: str, signal: Any, *args: Any, run_id: str = "", domain: str = "") -> Awaitable[None]:
    """Signals another workflow; await the answer to know that it was delivered. Raises ExternalWorkflowError."""
    return current().signal_external(domain, workflow_id, run_id, signal, args, child_only=False)


def cancel_external(workflow_id: str, *, run_id: str = "", domain: str = "") -> Awaitable[None]:
    """Asks for another workflow's cancellation; the answer says that it was asked. Raises ExternalWorkflowError."""
    return current().request_cancel_external(domain, workflow_id, run_id, child_only=False)


def continue_as_new(
    *args: Any,
    workflow: Any = None,
    task_list: str | None = None,
    execution_timeout: Seconds | None = None,
    task_timeout: Seconds | None = None,
    backoff: Seconds | None = None,
    retry_policy: RetryPolicy | None = None,
    cron_schedule: str = "",
    memo: Mapping[str, Any] | None = None,
    search_attributes: Mapping[str, Any] | None = None,
) -> NoReturn:
    """Ends this run and begins a new one under the same workflow id, with these arguments and a fresh history.

    What is not given stays as it is. Leaves the workflow code by an exception: call it from the main method.

    Signals that came after this decision's history was read undo it, so that the code sees them first. Those that it has
    received end with this run: what was not acted on yet belongs in the arguments.
    """
    current()
    options = ContinueOptions(
        workflow, task_list, execution_timeout, task_timeout, backoff, retry_policy, cron_schedule, memo, search_attributes
    )  # fmt: skip
    raise ContinueAsNew(args, options)


# ---- waiting --------------------------------------------------------------------------------------------------------


async def wait_condition(predicate: Callable[[], bool], *, timeout: Seconds | None = None) -> None:
    """Waits until a condition on the workflow's own state holds. Raises TimeoutError after `timeout`, a durable timer.

    The condition is tested whenever the workflow has moved; it must be quick and change nothing.
    """
    if predicate():
        return
    loop = current().loop
    future = loop.create_future()
    loop.conditions.append((predicate, future))
    if timeout is None:
        await future
        return
    async with asyncio.timeout(whole_seconds(timeout)):
        await future


async def sleep(delay: Seconds) -> None:
    """A durable timer: the same as asyncio.sleep, and takes a timedelta too."""
    await asyncio.sleep(whole_seconds(delay))


def as_completed(awaitables: Iterable[Awaitable[T]]) -> Iterator[Awaitable[T]]:
    """As asyncio.as_completed, but starts coroutines in the order given: asyncio's own takes them in no order at all."""
    loop = current().loop
    done: asyncio.Queue[asyncio.Future[T]] = asyncio.Queue()
    futures = [asyncio.ensure_future(awaitable, loop=loop) for awaitable in awaitables]
    for future in futures:
        future.add_done_callback(done.put_nowait)

    async def next_one() -> T:
        return (await done.get()).result()

    return iter([next_one() for _ in futures])


# ---- determinism ----------------------------------------------------------------------------------------------------


def side_effect(function: Callable[[], T], *, result_type: Any = None) -> T:
    """Calls a quick, non-deterministic function once and records its result; replaying returns the record."""
    expected = _result_type(function, result_type)
    return cast(T, current().side_effect(function, expected))


def mutable_side_effect(
    key: str, function: Callable[[], T], *, equals: Callable[[T, T], bool] = operator.eq, result_type: Any = None
) -> T:
    """Calls a function each time, but records its value under `key` only when it has changed. For configuration."""
    expected = _result_type(function, result_type)
    return cast(T, current().mutable_side_effect(key, function, expected, equals))


def get_version(change_id: str, min_supported: int, max_supported: int) -> int:
    """Which version of a change the run follows: `max_supported` for code that meets it live, the recorded one on replay.

    DEFAULT_VERSION (-1) is the code from before the change. A version outside the range fails the decision task.
    """
    return current().get_version(change_id, min_supported, max_supported)


def upsert_search_attributes(values: Mapping[str, Any]) -> None:
    """Sets search attributes of the run, which lists and counts can ask for. They must be registered with the server."""
    current().upsert_search_attributes(values)


def set_signal_handler(name: str, function: Callable[..., Any]) -> None:
    """Handles a signal by a function from now on, beginning with those that came before and wait."""
    current().set_signal_handler(name, function)


def set_query_handler(name: str, function: Callable[..., Any]) -> None:
    """Answers a query by a plain function from now on."""
    current().set_query_handler(name, function)


class _WorkflowLogger(logging.LoggerAdapter[logging.Logger]):
    """Silent while replaying; says which run speaks."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  logging's name
        if in_workflow() and current().replaying:
            return False
        return self.logger.isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        if in_workflow():
            about = current().info
            kwargs["extra"] = {
                "workflow_id": about.workflow_id, "run_id": about.run_id, "workflow_type": about.workflow_type,
                **(kwargs.get("extra") or {}),
            }  # fmt: skip
        return msg, kwargs


logger = _WorkflowLogger(logging.getLogger("tenuto.workflow"), {})

__all__ = [
    "DEFAULT_VERSION", "as_completed", "cancel_external", "continue_as_new", "current", "execute_activity", "execute_child",
    "execute_local_activity",
    "get_version", "in_workflow", "info", "is_replaying", "last_completion_result", "logger", "mutable_side_effect", "now",
    "random", "set_query_handler", "set_signal_handler", "side_effect", "signal_external", "sleep", "start_activity",
    "start_child", "start_local_activity", "upsert_search_attributes", "uuid4", "wait_condition",
]  # fmt: skip
