"""The options of activities and child workflows: as keywords that callers write, and as values that requests read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

from tenuto._types import CancellationType, IdReusePolicy, ParentClosePolicy, RetryPolicy, Seconds


class ActivityKeywords(TypedDict, total=False):
    """One attempt is bounded by `start_to_close_timeout`, all of them by `schedule_to_close_timeout`: give one of the two.

    `task_list` and the wait for a worker (`schedule_to_start_timeout`) default to the workflow's. `result_type` is what the
    result is decoded to where the activity's annotation does not say it.
    """

    start_to_close_timeout: Seconds | None
    schedule_to_close_timeout: Seconds | None
    schedule_to_start_timeout: Seconds | None
    heartbeat_timeout: Seconds | None
    retry_policy: RetryPolicy | None
    task_list: str | None
    activity_id: str | None
    cancellation: CancellationType
    result_type: Any


@dataclass(frozen=True, slots=True)
class ActivityOptions:
    """The values of `ActivityKeywords`."""

    start_to_close_timeout: Seconds | None = None
    schedule_to_close_timeout: Seconds | None = None
    schedule_to_start_timeout: Seconds | None = None
    heartbeat_timeout: Seconds | None = None
    retry_policy: RetryPolicy | None = None
    task_list: str | None = None
    activity_id: str | None = None
    cancellation: CancellationType = CancellationType.TRY_CANCEL
    result_type: Any = None


class LocalActivityKeywords(TypedDict, total=False):
    """One attempt is bounded by `start_to_close_timeout`, all of them by `schedule_to_close_timeout`: give one of the two."""

    start_to_close_timeout: Seconds | None
    schedule_to_close_timeout: Seconds | None
    retry_policy: RetryPolicy | None
    result_type: Any


@dataclass(frozen=True, slots=True)
class LocalActivityOptions:
    """The values of `LocalActivityKeywords`."""

    start_to_close_timeout: Seconds | None = None
    schedule_to_close_timeout: Seconds | None = None
    retry_policy: RetryPolicy | None = None
    result_type: Any = None


class ChildKeywords(TypedDict, total=False):
    """Timeouts, task list and domain default to the parent's, the id to one made of the parent's run id."""

    id: str | None
    domain: str
    task_list: str | None
    execution_timeout: Seconds | None
    task_timeout: Seconds | None
    id_reuse_policy: IdReusePolicy | None
    parent_close_policy: ParentClosePolicy
    retry_policy: RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: Mapping[str, Any] | None
    cancellation: CancellationType
    result_type: Any


@dataclass(frozen=True, slots=True)
class ChildOptions:
    """The values of `ChildKeywords`."""

    id: str | None = None
    domain: str = ""
    task_list: str | None = None
    execution_timeout: Seconds | None = None
    task_timeout: Seconds | None = None
    id_reuse_policy: IdReusePolicy | None = None
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.TERMINATE
    retry_policy: RetryPolicy | None = None
    cron_schedule: str = ""
    memo: Mapping[str, Any] | None = None
    search_attributes: Mapping[str, Any] | None = None
    cancellation: CancellationType = CancellationType.TRY_CANCEL
    result_type: Any = None


class RunOptions(Protocol):
    """What options of a child and of continuing as new have in common."""

    @property
    def execution_timeout(self) -> Seconds | None:
        """The whole run's."""

    @property
    def task_timeout(self) -> Seconds | None:
        """One decision's."""
