"""Where a batch resets a run to: the reset types of the CLI, each found in the run's history or among its reset points."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from tenuto.client import BaseConnection, WorkflowRpc
from tenuto.errors import BadRequestError
from tenuto_api import api

TYPES: Final = frozenset(
    {
        "FirstDecisionCompleted",
        "LastDecisionCompleted",
        "LastContinuedAsNew",
        "BadBinary",
        "DecisionCompletedTime",
        "FirstDecisionScheduled",
        "LastDecisionScheduled",
    }
)
OFFSET_MAX: Final = 10_000
_COMPLETED: Final = "decision_task_completed_event_attributes"
_SCHEDULED: Final = "decision_task_scheduled_event_attributes"
_INVALID_ARGUMENT: Final = 3


class Reset(msgspec.Struct, rename="pascal"):
    """How a batch resets.

    decision_offset: of the last decisions, so many before the very last (0 or less, as the CLI has it).
    earliest_time, latest_time: of DecisionCompletedTime, exactly one of them; RFC 3339.
    skip_signal_reapply: signals that came later are not given to the new run.
    skip_base_not_current: leaves out runs that are not their workflow's current one; None: yes. Otherwise each of a workflow's
        runs would end the one that came of the reset before.
    """

    reset_type: str = ""
    decision_offset: int = 0
    bad_binary_checksum: str = ""
    earliest_time: datetime | None = None
    latest_time: datetime | None = None
    skip_signal_reapply: bool = False
    skip_base_not_current: bool | None = None


def check(wanted: Reset) -> None:
    """Raises ValueError where that is no way to reset."""
    kind = wanted.reset_type
    if kind not in TYPES:
        raise ValueError(f"not supported reset type: {kind[:100]}")
    if kind == "BadBinary" and not wanted.bad_binary_checksum:
        raise ValueError("must provide bad binary checksum")
    times = (wanted.earliest_time, wanted.latest_time)
    if sum(time is not None for time in times) != (kind == "DecisionCompletedTime"):
        raise ValueError("must provide exactly one of EarliestTime and LatestTime for DecisionCompletedTime, and none for others")
    if any(time is not None and time.tzinfo is None for time in times):
        raise ValueError("not supported time: it needs its zone")
    if not -OFFSET_MAX <= wanted.decision_offset <= 0:
        raise ValueError(f"not supported decision offset: {wanted.decision_offset}")


async def point(
    connection: BaseConnection, domain: str, run: api.WorkflowExecution, wanted: Reset
) -> tuple[api.WorkflowExecution, int]:
    """The run to reset, and the first event that the new run does not take over. Raises BadRequestError where there is none."""
    kind, base = wanted.reset_type, run
    if kind == "BadBinary":
        return await _bad_binary(connection, domain, run, wanted.bad_binary_checksum)
    if kind == "LastContinuedAsNew":
        base = await _before(connection, domain, run)
    attributes = _SCHEDULED if kind.endswith("Scheduled") else _COMPLETED
    offset = wanted.decision_offset if kind in ("LastDecisionCompleted", "LastDecisionScheduled") else 0
    last = deque[int](maxlen=1 - offset)
    async for event in _events(connection, domain, base):
        if event.WhichOneof("attributes") != attributes:
            continue
        time = event.event_time.ToDatetime(UTC)
        if wanted.latest_time is not None and time > wanted.latest_time:
            break
        if wanted.earliest_time is not None and time < wanted.earliest_time:
            continue
        last.append(event.event_id)
        if kind.startswith("First") or wanted.earliest_time is not None:
            break
    if not last:
        raise _nowhere(base, kind)
    # A decision that was scheduled is taken over, and is open in the new run.
    return base, last[0] + (attributes == _SCHEDULED)


def _nowhere(run: api.WorkflowExecution, kind: str) -> BadRequestError:
    return BadRequestError(f"run {run.run_id} has nothing to reset to by {kind}", _INVALID_ARGUMENT)


async def _events(connection: BaseConnection, domain: str, run: api.WorkflowExecution) -> AsyncIterator[api.HistoryEvent]:
    request = api.GetWorkflowExecutionHistoryRequest(domain=domain, workflow_execution=run)
    while True:
        page = await connection.call(WorkflowRpc.history, request)
        for event in page.history.events:
            yield event
        if not page.next_page_token:
            return
        request.next_page_token = page.next_page_token


async def _before(connection: BaseConnection, domain: str, run: api.WorkflowExecution) -> api.WorkflowExecution:
    """The run that continued as this one."""
    request = api.GetWorkflowExecutionHistoryRequest(domain=domain, workflow_execution=run, page_size=1)
    page = await connection.call(WorkflowRpc.history, request)
    for event in page.history.events[:1]:
        before = event.workflow_execution_started_event_attributes.continued_execution_run_id
        if before:
            return api.WorkflowExecution(workflow_id=run.workflow_id, run_id=before)
    raise _nowhere(run, "LastContinuedAsNew")


async def _bad_binary(
    connection: BaseConnection, domain: str, run: api.WorkflowExecution, checksum: str
) -> tuple[api.WorkflowExecution, int]:
    """The binary's first decision; it may be one of a run that continued as this one."""
    request = api.DescribeWorkflowExecutionRequest(domain=domain, workflow_execution=run)
    described = await connection.call(WorkflowRpc.describe, request)
    for found in described.workflow_execution_info.auto_reset_points.points:
        if found.binary_checksum == checksum and found.resettable:
            base = api.WorkflowExecution(workflow_id=run.workflow_id, run_id=found.run_id or run.run_id)
            return base, found.first_decision_completed_id
    raise _nowhere(run, "BadBinary")
