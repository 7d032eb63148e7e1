"""A child workflow as its parent sees it.

    (none) --initiate--> initiated --started--> started --closed--> (none)
                            |--start failed--> (none)

The start is a call to the owner of the child's workflow id (see `calls`), under a run id that follows from the parent's run and
the initiated event: asked again, however late, it finds what it started. The child's chain of runs tells the parent when
it ends; should that come before the parent has recorded the start, the start is recorded first.

When the parent closes, a child that nobody began to start (its initiated event is of the closing decision itself) never starts,
unless it is to be abandoned. One whose start may have been carried out is started first, so that there is something that the
close policy can be applied to. A run that continues as new applies no policy, and takes no children along.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from tenuto_api import api
from tenuto_server.errors import InvariantViolation
from tenuto_server.history.engine import decision_task
from tenuto_server.history.engine.records import CallSettled
from tenuto_server.history.engine.state import CallKind, Child, RunState
from tenuto_server.history.engine.turn import Turn, evolves_event, evolves_numbering
from tenuto_server.history.engine.values import TOO_LONG, duration, is_valid, seconds

# Children that may be pending at once: each is in the parent's state.
PENDING_MAX = 10_000
# What the state holds as numbers.
POLICIES: dict[int, api.ParentClosePolicy] = {
    int(policy): policy
    for policy in (
        api.PARENT_CLOSE_POLICY_ABANDON,
        api.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
        api.PARENT_CLOSE_POLICY_TERMINATE,
    )
}


def initiate(
    turn: Turn, completed_id: int, wanted: api.StartChildWorkflowExecutionDecisionAttributes, domain: str
) -> None:
    """Writes down that a child is to start, as a checked decision asks. What the decision leaves empty is the parent's."""
    state = turn.state
    attributes = api.StartChildWorkflowExecutionInitiatedEventAttributes(
        domain=wanted.domain or domain,
        workflow_id=wanted.workflow_id,
        workflow_type=wanted.workflow_type,
        task_list=api.TaskList(name=wanted.task_list.name or state.task_list, kind=wanted.task_list.kind),
        execution_start_to_close_timeout=duration(
            seconds(wanted.execution_start_to_close_timeout) or state.execution_timeout_s
        ),
        task_start_to_close_timeout=duration(seconds(wanted.task_start_to_close_timeout) or state.task_timeout_s),
        parent_close_policy=wanted.parent_close_policy or api.PARENT_CLOSE_POLICY_TERMINATE,
        control=wanted.control,
        decision_task_completed_event_id=completed_id,
        workflow_id_reuse_policy=wanted.workflow_id_reuse_policy,
        cron_schedule=wanted.cron_schedule,
        cron_overlap_policy=wanted.cron_overlap_policy,
    )
    for name in ("input", "retry_policy", "header", "memo", "search_attributes", "active_cluster_selection_policy"):
        if wanted.HasField(name):
            getattr(attributes, name).CopyFrom(getattr(wanted, name))
    turn.event(start_child_workflow_execution_initiated_event_attributes=attributes)


def timeouts_fault(wanted: api.StartChildWorkflowExecutionDecisionAttributes) -> str:
    """What is wrong with a child's timeouts, empty where nothing is."""
    if not (is_valid(wanted.execution_start_to_close_timeout) and is_valid(wanted.task_start_to_close_timeout)):
        return TOO_LONG
    if seconds(wanted.execution_start_to_close_timeout) < 0:
        return "A valid ExecutionStartToCloseTimeout is not set on decision."
    if seconds(wanted.task_start_to_close_timeout) < 0:
        return "A valid TaskStartToCloseTimeout is not set on decision."
    return ""


def run_id_of(parent_run_id: str, initiated_id: int) -> str:
    """The run id under which a child starts: a UUID of version 5, made of what it stands for (RFC 9562)."""
    name = f"tenuto/child/{parent_run_id}/{initiated_id}"
    digits = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def start_request(
    initiated: api.StartChildWorkflowExecutionInitiatedEventAttributes, run_id: str
) -> api.StartWorkflowExecutionRequest:
    """The request that starts a child: all that the initiated event says. `run_id` is to be the child's."""
    request = api.StartWorkflowExecutionRequest(
        domain=initiated.domain,
        workflow_id=initiated.workflow_id,
        workflow_type=initiated.workflow_type,
        task_list=initiated.task_list,
        execution_start_to_close_timeout=initiated.execution_start_to_close_timeout,
        task_start_to_close_timeout=initiated.task_start_to_close_timeout,
        request_id=run_id,
        workflow_id_reuse_policy=initiated.workflow_id_reuse_policy,
        cron_schedule=initiated.cron_schedule,
        cron_overlap_policy=initiated.cron_overlap_policy,
    )
    for name in (
        "input", "retry_policy", "header", "memo", "search_attributes", "delay_start", "jitter_start", "first_run_at",
        "active_cluster_selection_policy",
    ):  # fmt: skip
        if initiated.HasField(name):
            getattr(request, name).CopyFrom(getattr(initiated, name))
    return request


def started(turn: Turn, initiated: api.HistoryEvent, run_id: str) -> None:
    """The child runs. Told again it changes nothing."""
    state = turn.state
    child = state.children.get(initiated.event_id)
    if child is None or child.run_id:
        return
    if not state.is_open:
        turn.internal(CallSettled(CallKind.START_CHILD, initiated.event_id))
        return
    _record_started(turn, initiated, run_id)
    decision_task.schedule_if_none(turn)


def start_failed(turn: Turn, initiated: api.HistoryEvent) -> None:
    """The child's workflow id is taken."""
    state = turn.state
    child = state.children.get(initiated.event_id)
    if child is None or child.run_id:
        return
    if not state.is_open:
        turn.internal(CallSettled(CallKind.CLOSE_CHILD, initiated.event_id))
        return
    wanted = initiated.start_child_workflow_execution_initiated_event_attributes
    turn.outside_event(
        start_child_workflow_execution_failed_event_attributes=api.StartChildWorkflowExecutionFailedEventAttributes(
            domain=wanted.domain,
            workflow_id=wanted.workflow_id,
            workflow_type=wanted.workflow_type,
            cause=api.CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_RUNNING,
            control=wanted.control,
            initiated_event_id=initiated.event_id,
            decision_task_completed_event_id=wanted.decision_task_completed_event_id,
        )
    )
    decision_task.schedule_if_none(turn)


class Closed(NamedTuple):
    """What a child tells of its end: its last run, its first run's id, the last run's last event."""

    initiated_id: int
    execution: api.WorkflowExecution
    first_run_id: str
    closing: api.HistoryEvent


def closed(turn: Turn, told: Closed, initiated: api.HistoryEvent | None) -> None:
    """The child's chain of runs has ended; `initiated` is needed where its start was not recorded yet. Told again, or too late,
    it changes nothing."""
    state = turn.state
    child = state.children.get(told.initiated_id)
    if child is None or not state.is_open or child.run_id not in ("", told.first_run_id):
        return
    if not child.run_id:
        if initiated is None:
            raise InvariantViolation(f"child {told.initiated_id} of run {state.run_id} ends before its start")
        _record_started(turn, initiated, told.first_run_id)
    attributes = {
        "domain": child.domain,
        "workflow_execution": told.execution,
        "workflow_type": api.WorkflowType(name=child.workflow_type),
        "initiated_event_id": told.initiated_id,
        "started_event_id": child.started_id,
    }
    turn.outside_event(**_closing_event(attributes, told.closing))
    decision_task.schedule_if_none(turn)


def _record_started(turn: Turn, initiated: api.HistoryEvent, run_id: str) -> None:
    wanted = initiated.start_child_workflow_execution_initiated_event_attributes
    turn.outside_event(
        child_workflow_execution_started_event_attributes=api.ChildWorkflowExecutionStartedEventAttributes(
            domain=wanted.domain,
            workflow_execution=api.WorkflowExecution(workflow_id=wanted.workflow_id, run_id=run_id),
            workflow_type=wanted.workflow_type,
            initiated_event_id=initiated.event_id,
            header=wanted.header if wanted.HasField("header") else None,
        )
    )


def _closing_event(common: dict[str, Any], closing: api.HistoryEvent) -> dict[str, Any]:
    """The parent's event for a child's last one, as `attributes field: message`."""
    match closing.WhichOneof("attributes"):
        case "workflow_execution_completed_event_attributes":
            completed = closing.workflow_execution_completed_event_attributes
            result = completed.result if completed.HasField("result") else None
            attributes: Any = api.ChildWorkflowExecutionCompletedEventAttributes(**common, result=result)
            return {"child_workflow_execution_completed_event_attributes": attributes}
        case "workflow_execution_failed_event_attributes":
            failure = closing.workflow_execution_failed_event_attributes.failure
            attributes = api.ChildWorkflowExecutionFailedEventAttributes(**common, failure=failure)
            return {"child_workflow_execution_failed_event_attributes": attributes}
        case "workflow_execution_canceled_event_attributes":
            canceled = closing.workflow_execution_canceled_event_attributes
            details = canceled.details if canceled.HasField("details") else None
            attributes = api.ChildWorkflowExecutionCanceledEventAttributes(**common, details=details)
            return {"child_workflow_execution_canceled_event_attributes": attributes}
        case "workflow_execution_timed_out_event_attributes":
            timeout_type = closing.workflow_execution_timed_out_event_attributes.timeout_type
            attributes = api.ChildWorkflowExecutionTimedOutEventAttributes(**common, timeout_type=timeout_type)
            return {"child_workflow_execution_timed_out_event_attributes": attributes}
        case _:
            attributes = api.ChildWorkflowExecutionTerminatedEventAttributes(**common)
            return {"child_workflow_execution_terminated_event_attributes": attributes}


def leave(state: RunState, continues: bool, completed_id: int) -> None:
    """What of its children a run that closes keeps: those that a call is still to be made for. `continues`: it is continued as
    new; `completed_id`: the decision that closes it, 0 where none does."""
    for initiated_id, child in list(state.children.items()):
        abandoned = child.close_policy == api.PARENT_CLOSE_POLICY_ABANDON
        never_begun = not child.run_id and 0 < completed_id < initiated_id
        if (never_begun and not abandoned) or (child.run_id and (abandoned or continues)):
            del state.children[initiated_id]


def settle(state: RunState, record: CallSettled) -> None:
    """A closed run's call for a child is done: with the start known the close policy may follow."""
    child = state.children.get(record.initiated_id)
    if child is None:
        return
    continues = state.close_status == api.WORKFLOW_EXECUTION_CLOSE_STATUS_CONTINUED_AS_NEW
    ends = child.close_policy != api.PARENT_CLOSE_POLICY_ABANDON and not continues
    if record.kind == CallKind.START_CHILD and ends:
        child.run_id = run_id_of(state.run_id, child.initiated_id)
    else:
        del state.children[record.initiated_id]


@evolves_event("start_child_workflow_execution_initiated")
def _initiated(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    state.children[event.event_id] = Child(
        initiated_id=event.event_id,
        domain=attributes.domain,
        workflow_id=attributes.workflow_id,
        workflow_type=attributes.workflow_type.name,
        close_policy=attributes.parent_close_policy,
    )


@evolves_event("child_workflow_execution_started")
def _started(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    child = state.children[attributes.initiated_event_id]
    child.run_id = attributes.workflow_execution.run_id
    child.started_id = event.event_id


@evolves_numbering("child_workflow_execution_started")
def _started_numbered(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    child = state.children.get(attributes.initiated_event_id)
    if child is not None:
        child.started_id = event.event_id


def _ended(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    del state.children[attributes.initiated_event_id]


evolves_event("start_child_workflow_execution_failed")(_ended)
for _name in ("completed", "failed", "canceled", "timed_out", "terminated"):
    evolves_event(f"child_workflow_execution_{_name}")(_ended)
