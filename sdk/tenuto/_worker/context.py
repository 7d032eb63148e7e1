"""What activity code can see and do about its own attempt; `tenuto.activity` re-exports it. Found by a context variable."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar, overload

from tenuto._types import to_datetime, to_timedelta
from tenuto.converter import DataConverter
from tenuto.errors import CancelledError, TenutoError
from tenuto_api import api

F = TypeVar("F", bound=Callable[..., Any])


class NotInActivityError(TenutoError):
    """A function of `tenuto.activity` was called outside an activity."""


class CompleteAsync(BaseException):
    """Leaves an activity that will be completed from outside. No Exception, so that `except Exception` lets it through."""


@dataclass(frozen=True, slots=True)
class ActivityInfo:
    """One attempt at an activity. `attempt` counts from 0; `deadline` is when the server gives this attempt up."""

    task_token: bytes
    domain: str
    workflow_id: str
    run_id: str
    workflow_type: str
    activity_id: str
    activity_type: str
    task_list: str
    attempt: int
    scheduled_time: datetime
    started_time: datetime
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    header: dict[str, bytes]

    @classmethod
    def of(cls, task: api.PollForActivityTaskResponse, domain: str, task_list: str) -> ActivityInfo:
        """From the task as the server gave it."""
        return cls(
            task_token=task.task_token,
            domain=task.workflow_domain or domain,
            workflow_id=task.workflow_execution.workflow_id,
            run_id=task.workflow_execution.run_id,
            workflow_type=task.workflow_type.name,
            activity_id=task.activity_id,
            activity_type=task.activity_type.name,
            task_list=task_list,
            attempt=task.attempt,
            scheduled_time=to_datetime(task.scheduled_time),
            started_time=to_datetime(task.started_time),
            start_to_close_timeout=to_timedelta(task.start_to_close_timeout),
            schedule_to_close_timeout=to_timedelta(task.schedule_to_close_timeout),
            heartbeat_timeout=to_timedelta(task.heartbeat_timeout),
            header={key: payload.data for key, payload in task.header.fields.items()},
        )


class ActivityContext:
    """The running attempt. Activity code on another thread reaches the worker's loop through `call`."""

    def __init__(
        self,
        task: api.PollForActivityTaskResponse,
        domain: str,
        task_list: str,
        converter: DataConverter,
        record: Callable[[bytes], None],
    ) -> None:
        self._task = task
        self._domain = domain
        self._task_list = task_list
        self._info: ActivityInfo | None = None
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._record = record
        self.converter = converter
        self.cancel_requested = threading.Event()
        self.cancel_reason = ""

    @property
    def info(self) -> ActivityInfo:
        """The attempt's info, made when first asked for."""
        if self._info is None:
            self._info = ActivityInfo.of(self._task, self._domain, self._task_list)
        return self._info

    @property
    def previous_details(self) -> bytes:
        """The last heartbeat details of the attempt before this one."""
        return self._task.heartbeat_details.data

    def heartbeat(self, details: tuple[Any, ...]) -> None:
        """See `heartbeat` below."""
        data = self.converter.to_payload(details) if details else b""
        if threading.get_ident() == self._thread:
            self._record(data)
            return
        self._loop.call_soon_threadsafe(self._record, data)
        if self.cancel_requested.is_set():  # a thread cannot be interrupted, but here it can be told
            raise CancelledError(self.cancel_reason)


CURRENT: ContextVar[ActivityContext | None] = ContextVar("tenuto_activity", default=None)


def _context() -> ActivityContext:
    found = CURRENT.get()
    if found is None:
        raise NotInActivityError("this is for activity code only")
    return found


@overload
def defn(function: F) -> F: ...
@overload
def defn(*, name: str | None = None) -> Callable[[F], F]: ...
def defn(function: F | None = None, *, name: str | None = None) -> Any:
    """Marks a function or method, async or plain, as an activity; plain ones run in a thread. `name` is its type's name."""

    def decorate(target: F) -> F:
        target.__tenuto_activity__ = name or target.__name__  # type: ignore[attr-defined]
        return target

    return decorate if function is None else decorate(function)


def info() -> ActivityInfo:
    """What there is to know about the attempt."""
    return _context().info


def in_activity() -> bool:
    """Whether the caller is activity code."""
    return CURRENT.get() is not None


def heartbeat(*details: Any) -> None:
    """A sign of life with the progress made; the next attempt finds the details. Call it as often as convenient.

    It goes out at most about every 80 % of the heartbeat timeout. When the workflow asks the activity to stop, async
    activities are cancelled, and plain ones get CancelledError from here.
    """
    _context().heartbeat(details)


def heartbeat_details(*types: Any) -> list[Any]:
    """The details of the last heartbeat of the attempt before this one, decoded to `types`; empty if there were none."""
    context = _context()
    data = context.previous_details
    return context.converter.from_payload(data, types) if data else []


def is_cancelled() -> bool:
    """Whether the activity is asked to stop; known from heartbeats."""
    return _context().cancel_requested.is_set()


def complete_async() -> NoReturn:
    """Leaves the activity open, to be completed by `Client.activity_by_token` or `activity_by_id`."""
    _context()
    raise CompleteAsync


class _ActivityLogger(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        if in_activity():
            about = info()
            kwargs["extra"] = {
                "workflow_id": about.workflow_id, "run_id": about.run_id, "activity_id": about.activity_id,
                "activity_type": about.activity_type, "attempt": about.attempt, **(kwargs.get("extra") or {}),
            }  # fmt: skip
        return msg, kwargs


logger = _ActivityLogger(logging.getLogger("tenuto.activity"), {})
