"""How a run ends, and how another run continues it: continue-as-new, retry of a failed or timed-out workflow, cron.

    completed ------------------------> cron schedule? --> next cron run
    failed, timed out --> retry policy? ----> another attempt
                              | no more
                              +-------> cron schedule? --> next cron run
    canceled, terminated, or asked to cancel: never

A run that is continued closes with ContinuedAsNew, and its successor begins in the same commit: there is no moment without a
current run.
"""

from __future__ import annotations

import zlib
from typing import Any

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.engine import child, decision_task, reset_points, start
from tenuto_server.history.engine.state import SECOND, RunState
from tenuto_server.history.engine.turn import Turn, evolves_event, timestamp, to_ns
from tenuto_server.history.engine.values import duration, seconds
from tenuto_server.rules import cron
from tenuto_server.rules.retry import TIMEOUT_REASON, backoff_s

# Of the requests that a chain comes of: what is older than the newest is not sent again any more.
REQUESTS_KEPT_MAX = 10


def complete(turn: Turn, completed_id: int, result: api.Payload | None, new_run_id: str) -> None:
    """The workflow returned: it has completed, or waits for its next cron time."""
    if not turn.state.cancel_requested and _run_by_cron(turn, completed_id, new_run_id, None, result):
        return
    turn.event(
        workflow_execution_completed_event_attributes=api.WorkflowExecutionCompletedEventAttributes(
            result=result, decision_task_completed_event_id=completed_id
        )
    )


def fail(turn: Turn, completed_id: int, failure: api.Failure, new_run_id: str) -> None:
    """The workflow failed: it is canceled if that was asked, tried again if its policy says so or at its next cron time, else
    failed."""
    if turn.state.cancel_requested:
        cancel(turn, completed_id, api.Payload(data=failure.details) if failure.details else None)
        return
    if _run_again(turn, completed_id, failure, new_run_id):
        return
    turn.event(
        workflow_execution_failed_event_attributes=api.WorkflowExecutionFailedEventAttributes(
            failure=failure, decision_task_completed_event_id=completed_id
        )
    )


def cancel(turn: Turn, completed_id: int, details: api.Payload | None) -> None:
    """The workflow ended as canceled."""
    turn.event(
        workflow_execution_canceled_event_attributes=api.WorkflowExecutionCanceledEventAttributes(
            decision_task_completed_event_id=completed_id, details=details
        )
    )


def continue_as_new(
    turn: Turn, completed_id: int, wanted: api.ContinueAsNewWorkflowExecutionDecisionAttributes, new_run_id: str
) -> None:
    """The workflow goes on as a new run, unless it was asked to cancel. What the decision leaves empty is inherited."""
    state = turn.state
    if state.cancel_requested:
        cancel(turn, completed_id, None)
        return
    backoff = seconds(wanted.backoff_start_interval)
    begun = _inherited(state, backoff)
    begun.initiator = wanted.initiator or api.CONTINUE_AS_NEW_INITIATOR_DECIDER
    begun.workflow_type.name = wanted.workflow_type.name or state.workflow_type
    begun.task_list.name = wanted.task_list.name or state.task_list
    # As on Cadence, a timeout below zero counts as none.
    execution_s, task_s = seconds(wanted.execution_start_to_close_timeout), seconds(wanted.task_start_to_close_timeout)
    begun.execution_start_to_close_timeout.seconds = execution_s if execution_s > 0 else state.execution_timeout_s
    begun.task_start_to_close_timeout.seconds = task_s if task_s > 0 else state.task_timeout_s
    begun.cron_schedule = wanted.cron_schedule
    begun.cron_overlap_policy = wanted.cron_overlap_policy
    for name in ("input", "header", "memo", "search_attributes", "retry_policy", "last_completion_result"):
        if wanted.HasField(name):
            getattr(begun, name).CopyFrom(getattr(wanted, name))
    if wanted.HasField("failure"):
        begun.continued_failure.CopyFrom(wanted.failure)
    if not wanted.HasField("memo") and state.memo:
        begun.memo.ParseFromString(state.memo)
    if not wanted.HasField("search_attributes") and state.search_attributes:
        begun.search_attributes.ParseFromString(state.search_attributes)
    _renew_expiration(begun, turn.now)
    _continue(turn, completed_id, begun, new_run_id, seconds(wanted.jitter_start))


def terminate(turn: Turn, reason: str, details: api.Payload | None, identity: str) -> None:
    """Ends the run at once, from outside. Raises WorkflowAlreadyCompleted."""
    if not turn.state.is_open:
        raise errors.WorkflowAlreadyCompleted
    decision_task.close_for_end(turn)
    turn.event(
        workflow_execution_terminated_event_attributes=api.WorkflowExecutionTerminatedEventAttributes(
            reason=reason, details=details, identity=identity
        )
    )


def time_out(turn: Turn, new_run_id: str) -> None:
    """Looks whether the run's time is over, and ends, retries or, by cron, repeats it if so."""
    state = turn.state
    if not state.is_open or start.execution_deadline_ns(state) > turn.now:
        return
    decision_task.close_for_end(turn)
    failure = api.Failure(reason=TIMEOUT_REASON + "START_TO_CLOSE")
    if not state.cancel_requested and _run_again(turn, 0, failure, new_run_id):
        return
    turn.event(
        workflow_execution_timed_out_event_attributes=api.WorkflowExecutionTimedOutEventAttributes(
            timeout_type=api.TIMEOUT_TYPE_START_TO_CLOSE
        )
    )


def _run_again(turn: Turn, completed_id: int, failure: api.Failure, new_run_id: str) -> bool:
    """After a failure: another attempt by the retry policy, else the next cron run; False where there is neither."""
    return _retry(turn, completed_id, failure, new_run_id) or _run_by_cron(turn, completed_id, new_run_id, failure, None)


def _retry(turn: Turn, completed_id: int, failure: api.Failure, new_run_id: str) -> bool:
    state = turn.state
    if state.retry is None:
        return False
    wait_s = backoff_s(state.retry, state.attempt, turn.now, state.expiration_ns, failure.reason)
    if wait_s is None:
        return False
    begun = _restarted(state, wait_s)
    begun.initiator = api.CONTINUE_AS_NEW_INITIATOR_RETRY_POLICY
    begun.attempt = state.attempt + 1
    begun.continued_failure.CopyFrom(failure)
    if state.expiration_ns:
        begun.expiration_time.CopyFrom(timestamp(state.expiration_ns))
    _continue(turn, completed_id, begun, new_run_id, state.jitter_s)
    return True


def _run_by_cron(
    turn: Turn, completed_id: int, new_run_id: str, failure: api.Failure | None, result: api.Payload | None
) -> bool:
    """The next cron run, which is told how this one ended: its result, or its failure and the last result before."""
    state = turn.state
    if not state.cron_schedule:
        return False
    begun = _restarted(state, 0)
    try:
        schedule = cron.parse(state.cron_schedule)
    except ValueError:
        # It was checked when the chain began: this machine does not know its time zone any more.
        return False
    buffer_one = state.cron_overlap == api.CRON_OVERLAP_POLICY_BUFFER_ONE
    wait_s = cron.backoff_s(schedule, start.backoff_ends_ns(state), turn.now, buffer_one=buffer_one)
    if wait_s is None:
        return False
    if state.jitter_s:
        # Chance comes with the new run's id.
        wait_s += zlib.crc32(new_run_id.encode()) % (state.jitter_s + 1)
    begun.first_decision_task_backoff.seconds = wait_s
    begun.initiator = api.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
    if failure is not None:
        begun.continued_failure.CopyFrom(failure)
    else:
        begun.ClearField("last_completion_result")
        if result is not None:
            begun.last_completion_result.CopyFrom(result)
    _renew_expiration(begun, turn.now)
    _continue(turn, completed_id, begun, new_run_id, state.jitter_s)
    return True


def _inherited(state: RunState, backoff: int) -> api.WorkflowExecutionStartedEventAttributes:
    """What every successor takes from its predecessor."""
    begun = api.WorkflowExecutionStartedEventAttributes(
        continued_execution_run_id=state.run_id,
        first_execution_run_id=state.first_run_id,
        first_decision_task_backoff=duration(backoff),
        first_scheduled_time=timestamp(state.first_scheduled_ns),
    )
    if state.parent:
        begun.parent_execution_info.ParseFromString(state.parent)
    return begun


def _restarted(state: RunState, backoff: int) -> api.WorkflowExecutionStartedEventAttributes:
    """What a retry and a cron run take from their predecessor: all that it was started with."""
    former = api.WorkflowExecutionStartedEventAttributes.FromString(state.restart_from)
    begun = _inherited(state, backoff)
    begun.cron_schedule = former.cron_schedule
    begun.cron_overlap_policy = former.cron_overlap_policy
    for name in (
        "workflow_type", "task_list", "input", "header", "retry_policy", "last_completion_result",
        "execution_start_to_close_timeout", "task_start_to_close_timeout", "active_cluster_selection_policy",
    ):  # fmt: skip
        if former.HasField(name):
            getattr(begun, name).CopyFrom(getattr(former, name))
    if state.memo:
        begun.memo.ParseFromString(state.memo)
    if state.search_attributes:
        begun.search_attributes.ParseFromString(state.search_attributes)
    return begun


def _renew_expiration(begun: api.WorkflowExecutionStartedEventAttributes, now: int) -> None:
    """A run that is no retry has the whole time of its retry policy before it, counted from its first decision."""
    expiration_s = seconds(begun.retry_policy.expiration_interval)
    if expiration_s:
        begun.expiration_time.CopyFrom(timestamp(now + (expiration_s + begun.first_decision_task_backoff.seconds) * SECOND))


def _continue(
    turn: Turn, completed_id: int, begun: api.WorkflowExecutionStartedEventAttributes, new_run_id: str, jitter_s: int
) -> None:
    """Closes the run with ContinuedAsNew and begins its successor."""
    attributes = api.WorkflowExecutionContinuedAsNewEventAttributes(
        new_execution_run_id=new_run_id,
        decision_task_completed_event_id=completed_id,
        backoff_start_interval=begun.first_decision_task_backoff,
        initiator=begun.initiator,
        cron_overlap_policy=begun.cron_overlap_policy,
    )
    for name in (
        "workflow_type", "task_list", "input", "header", "memo", "search_attributes", "last_completion_result",
        "execution_start_to_close_timeout", "task_start_to_close_timeout", "active_cluster_selection_policy",
    ):  # fmt: skip
        if begun.HasField(name):
            getattr(attributes, name).CopyFrom(getattr(begun, name))
    if begun.HasField("continued_failure"):
        attributes.failure.CopyFrom(begun.continued_failure)
    turn.event(workflow_execution_continued_as_new_event_attributes=attributes)
    state = turn.state
    begun.original_execution_run_id = new_run_id
    # Nobody asked for this run by a request of theirs: its id stands in, so that it is unique.
    begun.request_id = new_run_id
    if state.reset_points:
        retention_s = turn.limits.retention_s
        expires_ns = turn.now + retention_s * SECOND if retention_s else 0
        begun.prev_auto_reset_points.CopyFrom(reset_points.handed_on(state, expires_ns))
    turn.successor = Turn(RunState(state.domain_id, state.workflow_id, new_run_id), turn.now, turn.limits)
    start.begin(turn.successor, begun, jitter_s=jitter_s)
    start.trace(turn.successor, state.trace)
    start.keep_requests(turn.successor, _requests(state))


def _requests(state: RunState) -> dict[str, str]:
    """The requests that the chain comes of, the newest of them. Where a run is continued nobody wished for its end: a start sent
    again must find what it made, and not begin anew when the chain has ended."""
    requests = dict(state.earlier_requests)
    # A run that follows another was asked for by nobody, and has its own id there.
    if state.start_request_id not in ("", state.requested_run_id):
        requests[state.start_request_id] = state.requested_run_id
    return dict(list(requests.items())[-REQUESTS_KEPT_MAX:])


# --- what each end does to the state -----------------------------------------------------------------------------------


def _closes(status: api.WorkflowExecutionCloseStatus) -> Any:
    def close(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
        state.close_status = status
        state.close_ns = to_ns(event.event_time)
        state.decision = None
        state.activities.clear()
        state.activity_ids.clear()
        state.timers.clear()
        state.buffered.clear()
        state.restart_from = b""
        state.sticky_task_list = ""
        continues = status == api.WORKFLOW_EXECUTION_CLOSE_STATUS_CONTINUED_AS_NEW
        child.leave(state, continues, getattr(attributes, "decision_task_completed_event_id", 0))
        state.owes_parent = bool(state.parent) and not continues
        if continues:
            state.next_run_id = attributes.new_execution_run_id

    return close


for _name, _status in (
    ("completed", api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED),
    ("failed", api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED),
    ("canceled", api.WORKFLOW_EXECUTION_CLOSE_STATUS_CANCELED),
    ("terminated", api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED),
    ("continued_as_new", api.WORKFLOW_EXECUTION_CLOSE_STATUS_CONTINUED_AS_NEW),
    ("timed_out", api.WORKFLOW_EXECUTION_CLOSE_STATUS_TIMED_OUT),
):
    evolves_event(f"workflow_execution_{_name}")(_closes(_status))
