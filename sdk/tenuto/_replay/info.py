"""What a workflow can know about its own run, read from its first event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tenuto._failures import error_of, values_of
from tenuto._types import to_datetime, to_timedelta
from tenuto.converter import DataConverter
from tenuto.errors import FailureError
from tenuto_api import api


@dataclass(frozen=True, slots=True)
class ParentInfo:
    """The workflow that started this one as its child."""

    domain: str
    workflow_id: str
    run_id: str


@dataclass(slots=True)
class WorkflowInfo:
    """One run: its ids, type, task list, timeouts, and how it came to be.

    `attempt` counts a retry policy's runs from 0. `first_run_id` opens the chain of runs that continue one another.
    `original_run_id` stays the same when the run is reset. `last_completion_result` and `last_failure` come from the run
    before, under cron and retries. `cancel_requested` and `history_length` (events at the current decision) change with time.
    """

    workflow_id: str
    run_id: str
    workflow_type: str
    domain: str
    task_list: str
    attempt: int
    start_time: datetime
    execution_timeout: timedelta
    task_timeout: timedelta
    cron_schedule: str
    first_run_id: str
    original_run_id: str
    continued_run_id: str
    parent: ParentInfo | None
    memo: Mapping[str, Any]
    memo_payloads: Mapping[str, bytes]
    search_attributes: dict[str, Any]
    header: Mapping[str, bytes]
    retry_policy: api.RetryPolicy | None
    last_failure: FailureError | None
    last_completion_payload: bytes
    cancel_requested: bool = False
    history_length: int = field(default=0)


def info_of(event: api.HistoryEvent, domain: str, workflow_id: str, run_id: str, converter: DataConverter) -> WorkflowInfo:
    """The info of a run by its WorkflowExecutionStarted event."""
    started = event.workflow_execution_started_event_attributes
    parent = None
    if started.HasField("parent_execution_info"):
        execution = started.parent_execution_info.workflow_execution
        parent = ParentInfo(started.parent_execution_info.domain_name, execution.workflow_id, execution.run_id)
    original = started.original_execution_run_id or run_id
    return WorkflowInfo(
        workflow_id=workflow_id,
        run_id=run_id,
        workflow_type=started.workflow_type.name,
        domain=domain,
        task_list=started.task_list.name,
        attempt=started.attempt,
        start_time=to_datetime(event.event_time),
        execution_timeout=to_timedelta(started.execution_start_to_close_timeout),
        task_timeout=to_timedelta(started.task_start_to_close_timeout),
        cron_schedule=started.cron_schedule,
        first_run_id=started.first_execution_run_id or original,
        original_run_id=original,
        continued_run_id=started.continued_execution_run_id,
        parent=parent,
        memo={name: _single(payload.data, converter) for name, payload in started.memo.fields.items()},
        memo_payloads={name: payload.data for name, payload in started.memo.fields.items()},
        search_attributes={
            name: _single(payload.data, converter) for name, payload in started.search_attributes.indexed_fields.items()
        },
        header={name: payload.data for name, payload in started.header.fields.items()},
        retry_policy=started.retry_policy if started.HasField("retry_policy") else None,
        last_failure=error_of(started.continued_failure, converter) if started.HasField("continued_failure") else None,
        last_completion_payload=started.last_completion_result.data,
    )


def _single(data: bytes, converter: DataConverter) -> Any:
    values = values_of(data, converter)
    return values[0] if values else None
