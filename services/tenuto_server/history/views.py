"""Answers made of a run's state: task responses for pollers, and what Describe shows."""

from __future__ import annotations

from collections.abc import Iterable

from tenuto_api import api, internal
from tenuto_server.history.engine import decision_task, reset_points
from tenuto_server.history.engine.child import POLICIES
from tenuto_server.history.engine.records import frame, unframe
from tenuto_server.history.engine.state import SECOND, Activity, Child, Decision, RunState
from tenuto_server.history.engine.turn import timestamp
from tenuto_server.history.run import Run

# The field of PollForDecisionTaskResponse that holds the history, as it stands on the wire.
_HISTORY_FIELD = b"\x42"


def history_bytes(frames: list[bytes]) -> bytes:
    """A `history` field (number 8, as in the poll response) that holds these events."""
    body = b"".join(frames)
    return _HISTORY_FIELD + frame(body)[1:]


def execution(state: RunState) -> api.WorkflowExecution:
    """The run's name."""
    return api.WorkflowExecution(workflow_id=state.workflow_id, run_id=state.run_id)


def decision_response(state: RunState, decision: Decision) -> api.PollForDecisionTaskResponse:
    """The decision task for its worker, all but the history and its page token, which are joined to its bytes."""
    token = internal.TaskToken(
        domain_id=state.domain_id,
        workflow_id=state.workflow_id,
        run_id=state.run_id,
        schedule_id=decision.schedule_id,
        attempt=decision.attempt,
        started_request_id=decision.request_id,
    )
    response = api.PollForDecisionTaskResponse(
        task_token=token.SerializeToString(),
        workflow_execution=execution(state),
        workflow_type=api.WorkflowType(name=state.workflow_type),
        started_event_id=decision.started_id,
        attempt=decision.attempt,
        workflow_execution_task_list=api.TaskList(name=state.task_list, kind=api.TASK_LIST_KIND_NORMAL),
        scheduled_time=timestamp(decision.scheduled_ns),
        started_time=timestamp(decision.started_ns),
        next_event_id=decision.started_id - 1 if decision.attempt else decision.started_id + 1,
        total_history_bytes=state.history_bytes,
    )
    if state.previous_started_id:
        response.previous_started_event_id.value = state.previous_started_id
    return response


def query_response(state: RunState) -> api.PollForDecisionTaskResponse:
    """The query task for a worker, all but token, query, history and its page token. There is no decision behind it."""
    response = api.PollForDecisionTaskResponse(
        workflow_execution=execution(state),
        workflow_type=api.WorkflowType(name=state.workflow_type),
        workflow_execution_task_list=api.TaskList(name=state.task_list, kind=api.TASK_LIST_KIND_NORMAL),
        next_event_id=state.next_event_id,
        total_history_bytes=state.history_bytes,
    )
    if state.previous_started_id:
        response.previous_started_event_id.value = state.previous_started_id
    return response


def transient_frames(state: RunState, decision: Decision) -> list[bytes]:
    """The events of a transient decision as its worker sees them; none for an ordinary one, which has real events."""
    if not decision.attempt:
        return []
    return [frame(event.SerializeToString()) for event in decision_task.transient_events(state, decision)]


def activity_response(
    state: RunState, activity: Activity, scheduled_frame: bytes, domain: str
) -> api.PollForActivityTaskResponse:
    """The activity task for its worker. `scheduled_frame` is its scheduled event."""
    event = api.HistoryEvent.FromString(unframe(scheduled_frame))
    scheduled = event.activity_task_scheduled_event_attributes
    response = api.PollForActivityTaskResponse(
        task_token=_activity_token(state, activity),
        workflow_execution=execution(state),
        activity_id=activity.activity_id,
        activity_type=scheduled.activity_type,
        scheduled_time=timestamp(activity.scheduled_ns),
        started_time=timestamp(activity.started_ns),
        schedule_to_close_timeout=scheduled.schedule_to_close_timeout,
        start_to_close_timeout=scheduled.start_to_close_timeout,
        heartbeat_timeout=scheduled.heartbeat_timeout,
        attempt=activity.attempt,
        scheduled_time_of_this_attempt=timestamp(activity.attempt_scheduled_ns),
        workflow_type=api.WorkflowType(name=state.workflow_type),
        workflow_domain=domain,
    )
    if scheduled.HasField("input"):
        response.input.CopyFrom(scheduled.input)
    if scheduled.HasField("header"):
        response.header.CopyFrom(scheduled.header)
    if activity.heartbeat_details is not None:
        response.heartbeat_details.ParseFromString(activity.heartbeat_details)
    return response


def _activity_token(state: RunState, activity: Activity) -> bytes:
    return internal.TaskToken(
        domain_id=state.domain_id,
        workflow_id=state.workflow_id,
        run_id=state.run_id,
        schedule_id=activity.schedule_id,
        attempt=activity.attempt,
        started_request_id=activity.started_request_id,
        activity_id=activity.activity_id,
    ).SerializeToString()


def local_dispatches(
    state: RunState, decisions: Iterable[api.Decision], request_id: str
) -> dict[str, api.ActivityLocalDispatchInfo]:
    """The activities that the deciding worker runs itself, by id: those of its decisions that its own answer started."""
    started: dict[str, api.ActivityLocalDispatchInfo] = {}
    for decision in decisions:
        wanted = decision.schedule_activity_task_decision_attributes
        if not wanted.request_local_dispatch:
            continue
        activity = state.activity_by_id(wanted.activity_id)
        if activity is not None and activity.started_request_id == request_id:
            started[activity.activity_id] = api.ActivityLocalDispatchInfo(
                activity_id=activity.activity_id,
                scheduled_time=timestamp(activity.scheduled_ns),
                started_time=timestamp(activity.started_ns),
                scheduled_time_of_this_attempt=timestamp(activity.attempt_scheduled_ns),
                task_token=_activity_token(state, activity),
            )
    return started


def describe(run: Run) -> api.DescribeWorkflowExecutionResponse:
    """What Describe shows of a run."""
    state = run.state
    response = api.DescribeWorkflowExecutionResponse(
        execution_configuration=api.WorkflowExecutionConfiguration(
            task_list=api.TaskList(name=state.task_list, kind=api.TASK_LIST_KIND_NORMAL)
        ),
        workflow_execution_info=_info(state),
        pending_activities=[_pending_activity(activity) for activity in state.activities.values()],
        # A run that has closed may owe its children something still, but waits for none.
        pending_children=[_pending_child(child) for child in state.children.values() if state.is_open],
    )
    configuration = response.execution_configuration
    configuration.execution_start_to_close_timeout.seconds = state.execution_timeout_s
    configuration.task_start_to_close_timeout.seconds = state.task_timeout_s
    if state.decision is not None:
        response.pending_decision.CopyFrom(_pending_decision(state.decision))
    return response


# By close status: the same outcome as an execution status.
_STATUSES_BY_CLOSE = {
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED: api.WORKFLOW_EXECUTION_STATUS_COMPLETED,
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED: api.WORKFLOW_EXECUTION_STATUS_FAILED,
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_CANCELED: api.WORKFLOW_EXECUTION_STATUS_CANCELED,
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED: api.WORKFLOW_EXECUTION_STATUS_TERMINATED,
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_CONTINUED_AS_NEW: api.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_TIMED_OUT: api.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
}

_STATUSES: dict[int, api.WorkflowExecutionStatus] = {int(close): status for close, status in _STATUSES_BY_CLOSE.items()}
_OVERLAP_POLICIES: dict[int, api.CronOverlapPolicy] = {
    int(policy): policy for policy in (api.CRON_OVERLAP_POLICY_SKIPPED, api.CRON_OVERLAP_POLICY_BUFFER_ONE)
}
_CLOSE_STATUSES: dict[int, api.WorkflowExecutionCloseStatus] = {int(close): close for close in _STATUSES_BY_CLOSE}


def close_status(state: RunState) -> api.WorkflowExecutionCloseStatus:
    """How a closed run closed."""
    return _CLOSE_STATUSES[state.close_status]


def _info(state: RunState) -> api.WorkflowExecutionInfo:
    waiting = state.backoff_s and not state.has_decided
    started = api.WORKFLOW_EXECUTION_STATUS_PENDING if waiting else api.WORKFLOW_EXECUTION_STATUS_STARTED
    status = _STATUSES.get(state.close_status, started)
    execution_ns = state.begun_ns + state.backoff_s * SECOND
    info = api.WorkflowExecutionInfo(
        workflow_execution=execution(state),
        type=api.WorkflowType(name=state.workflow_type),
        start_time=timestamp(state.begun_ns),
        execution_time=timestamp(execution_ns),
        history_length=state.next_event_id - 1,
        task_list=state.task_list,
        task_list_info=api.TaskList(name=state.task_list, kind=api.TASK_LIST_KIND_NORMAL),
        is_cron=bool(state.cron_schedule),
        cron_schedule=state.cron_schedule,
        cron_overlap_policy=_OVERLAP_POLICIES.get(state.cron_overlap),
        update_time=timestamp(state.last_event_ns),
        execution_status=status,
        scheduled_execution_time=timestamp(execution_ns),
        auto_reset_points=reset_points.to_wire(state.reset_points),
    )
    info.memo.ParseFromString(state.memo)
    info.search_attributes.ParseFromString(state.search_attributes)
    if state.parent:
        info.parent_execution_info.ParseFromString(state.parent)
    if state.close_status:
        info.close_status = _CLOSE_STATUSES[state.close_status]
        info.close_time.CopyFrom(timestamp(state.close_ns))
    return info


def _pending_activity(activity: Activity) -> api.PendingActivityInfo:
    pending = api.PendingActivityInfo(
        activity_id=activity.activity_id,
        activity_type=api.ActivityType(name=activity.activity_type),
        state=_activity_state(activity),
        attempt=activity.attempt,
        last_worker_identity=activity.last_identity,
        started_worker_identity=activity.started_identity,
        schedule_id=activity.schedule_id,
    )
    if activity.retry is not None:
        pending.maximum_attempts = activity.retry.attempts
        pending.expiration_time.CopyFrom(timestamp(activity.expiration_ns))
    if activity.heartbeat_details is not None:
        pending.heartbeat_details.ParseFromString(activity.heartbeat_details)
    if activity.heartbeat_ns:
        pending.last_heartbeat_time.CopyFrom(timestamp(activity.heartbeat_ns))
    if activity.started_ns:
        pending.last_started_time.CopyFrom(timestamp(activity.started_ns))
    else:
        pending.scheduled_time.CopyFrom(timestamp(activity.attempt_scheduled_ns))
    if activity.last_failure:
        pending.last_failure.ParseFromString(activity.last_failure)
    return pending


def _pending_child(child: Child) -> api.PendingChildExecutionInfo:
    return api.PendingChildExecutionInfo(
        workflow_execution=api.WorkflowExecution(workflow_id=child.workflow_id, run_id=child.run_id),
        workflow_type_name=child.workflow_type,
        initiated_id=child.initiated_id,
        parent_close_policy=POLICIES.get(child.close_policy),
        domain=child.domain,
    )


def _activity_state(activity: Activity) -> api.PendingActivityState:
    if activity.cancel_requested_id:
        return api.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
    if activity.started_ns:
        return api.PENDING_ACTIVITY_STATE_STARTED
    return api.PENDING_ACTIVITY_STATE_SCHEDULED


def _pending_decision(decision: Decision) -> api.PendingDecisionInfo:
    started = bool(decision.started_ns)
    pending = api.PendingDecisionInfo(
        state=api.PENDING_DECISION_STATE_STARTED if started else api.PENDING_DECISION_STATE_SCHEDULED,
        scheduled_time=timestamp(decision.scheduled_ns),
        original_scheduled_time=timestamp(decision.original_scheduled_ns),
        attempt=decision.attempt,
        schedule_id=decision.schedule_id,
    )
    if started:
        pending.started_time.CopyFrom(timestamp(decision.started_ns))
    return pending
