"""The options of a workflow's start: as keywords that callers write, and as values that requests read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NotRequired, Required, TypedDict

from tenuto._types import CronOverlapPolicy, IdReusePolicy, RetryPolicy, Seconds

DEFAULT_TASK_TIMEOUT = timedelta(seconds=10)
DEFAULT_EXECUTION_TIMEOUT = timedelta(days=365)


class StartKeywords(TypedDict):
    """See `Client.start_workflow`."""

    id: Required[str]
    task_list: Required[str]
    execution_timeout: NotRequired[Seconds]
    task_timeout: NotRequired[Seconds]
    id_reuse_policy: NotRequired[IdReusePolicy]
    retry_policy: NotRequired[RetryPolicy | None]
    cron_schedule: NotRequired[str]
    cron_overlap_policy: NotRequired[CronOverlapPolicy | None]
    memo: NotRequired[Mapping[str, Any] | None]
    search_attributes: NotRequired[Mapping[str, Any] | None]
    delay_start: NotRequired[Seconds | None]
    jitter_start: NotRequired[Seconds | None]
    first_run_at: NotRequired[datetime | None]
    request_id: NotRequired[str]
    result_type: NotRequired[Any]


@dataclass(frozen=True, slots=True)
class StartOptions:
    """The values of `StartKeywords`."""

    id: str
    task_list: str
    execution_timeout: Seconds = DEFAULT_EXECUTION_TIMEOUT
    task_timeout: Seconds = DEFAULT_TASK_TIMEOUT
    id_reuse_policy: IdReusePolicy = IdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    retry_policy: RetryPolicy | None = None
    cron_schedule: str = ""
    cron_overlap_policy: CronOverlapPolicy | None = None
    memo: Mapping[str, Any] | None = None
    search_attributes: Mapping[str, Any] | None = None
    delay_start: Seconds | None = None
    jitter_start: Seconds | None = None
    first_run_at: datetime | None = None
    request_id: str = ""
    result_type: Any = None
