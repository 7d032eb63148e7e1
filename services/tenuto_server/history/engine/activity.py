"""An activity's life: scheduled, started, then completed, failed, canceled or timed out, with retries in between.

    (none) --schedule--> scheduled --start--> started --complete, fail, cancel, time out--> (none)
                            ^                    |
                            +-- back-off, attempt + 1 --+   where the retry policy allows another attempt

Without a retry policy the started event is written when the attempt starts; with one it is written only when the activity
closes, with the attempt that closed it, so that attempts leave no trace in the history.
"""

from __future__ import annotations

from typing import Any

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.engine import decision_task
from tenuto_server.history.engine.records import AttemptFailed, AttemptStarted, Heartbeat
from tenuto_server.history.engine.state import SECOND, Activity, RunState
from tenuto_server.history.engine.turn import Turn, evolves, evolves_event, evolves_numbering, to_ns
from tenuto_server.history.engine.values import TOO_LONG, duration, is_valid, retry_policy, seconds
from tenuto_server.rules import traces
from tenuto_server.rules.retry import TIMEOUT_REASON, backoff_s

NOT_FOUND = "activity task not found"
UNKNOWN_ID = "ACTIVITY_ID_UNKNOWN"
NOT_STARTED = "ACTIVITY_ID_NOT_STARTED"
# With a retry policy an attempt may wait in its task list for long, but not for ever.
SCHEDULE_TO_START_MAX_S = 30 * 60


def schedule(turn: Turn, completed_id: int, wanted: api.ScheduleActivityTaskDecisionAttributes, domain: str) -> None:
    """Schedules an activity as a checked decision asks."""
    state = turn.state
    timeouts = effective_timeouts(wanted, state.execution_timeout_s)
    attributes = api.ActivityTaskScheduledEventAttributes(
        activity_id=wanted.activity_id,
        activity_type=wanted.activity_type,
        domain=wanted.domain or domain,
        task_list=api.TaskList(name=wanted.task_list.name or state.task_list, kind=wanted.task_list.kind),
        schedule_to_close_timeout=duration(timeouts[1]),
        schedule_to_start_timeout=duration(timeouts[0]),
        start_to_close_timeout=duration(timeouts[2]),
        heartbeat_timeout=duration(timeouts[3]),
        decision_task_completed_event_id=completed_id,
    )
    if wanted.HasField("input"):
        attributes.input.CopyFrom(wanted.input)
    if wanted.HasField("header"):
        attributes.header.CopyFrom(wanted.header)
    if wanted.HasField("retry_policy"):
        attributes.retry_policy.CopyFrom(wanted.retry_policy)
    turn.event(activity_task_scheduled_event_attributes=attributes)


def is_local(state: RunState, wanted: api.ScheduleActivityTaskDecisionAttributes) -> bool:
    """Whether the deciding worker may run the activity at once: it asked to, and polls its task list."""
    return wanted.request_local_dispatch and wanted.task_list.name in ("", state.task_list)


def timeouts_fault(wanted: api.ScheduleActivityTaskDecisionAttributes) -> str:
    """What is wrong with an activity's timeouts, empty where nothing is."""
    given = (
        wanted.schedule_to_start_timeout, wanted.schedule_to_close_timeout, wanted.start_to_close_timeout,
        wanted.heartbeat_timeout,
    )  # fmt: skip
    if not all(map(is_valid, given)):
        return TOO_LONG
    to_start, to_close, run, heartbeat = map(seconds, given)
    if min(to_start, to_close, run, heartbeat) < 0:
        return "A valid timeout may not be negative."
    if not to_close and not (to_start and run):
        return "A valid ScheduleToCloseTimeout is not set on decision."
    return ""


def effective_timeouts(wanted: api.ScheduleActivityTaskDecisionAttributes, workflow_s: int) -> tuple[int, int, int, int]:
    """Schedule-to-start, schedule-to-close, start-to-close and heartbeat as they will hold, in seconds.

    Those not given follow from the others; none is longer than the workflow's; a retry policy stretches the first two over
    its expiration, so that a late worker is not the activity's failure.
    """
    to_start, to_close = seconds(wanted.schedule_to_start_timeout), seconds(wanted.schedule_to_close_timeout)
    run, heartbeat = seconds(wanted.start_to_close_timeout), seconds(wanted.heartbeat_timeout)
    to_start, to_close, run, heartbeat = (min(value, workflow_s) for value in (to_start, to_close, run, heartbeat))
    if to_close:
        to_start, run = to_start or to_close, run or to_close
    else:
        to_close = min(to_start + run, workflow_s)
    if wanted.HasField("retry_policy"):
        policy = retry_policy(wanted.retry_policy)
        expiration_s = min(policy.expiration_s or workflow_s, workflow_s)
        if TIMEOUT_REASON + "SCHEDULE_TO_START" not in policy.non_retryable:
            to_start = max(to_start, min(expiration_s, SCHEDULE_TO_START_MAX_S))
        to_close = max(to_close, expiration_s)
    return to_start, to_close, run, heartbeat


def start(turn: Turn, schedule_id: int, attempt: int, request_id: str, identity: str) -> Activity:
    """A poller took this attempt. Asked again with the same request id it changes nothing.

    Raises EntityNotExists if the attempt does not wait any more.
    """
    activity = turn.state.activities.get(schedule_id)
    if not turn.state.is_open or activity is None or activity.attempt != attempt:
        raise errors.EntityNotExists(NOT_FOUND)
    if activity.started_ns:
        if activity.started_request_id == request_id:
            return activity
        raise errors.EntityNotExists(NOT_FOUND)
    if activity.retry is not None:
        turn.internal(AttemptStarted(schedule_id, attempt, request_id, identity, turn.now))
    else:
        turn.outside_event(
            activity_task_started_event_attributes=api.ActivityTaskStartedEventAttributes(
                scheduled_event_id=schedule_id, identity=identity, request_id=request_id, attempt=attempt
            )
        )
    return activity


def started(state: RunState, schedule_id: int, attempt: int, request_id: str) -> Activity:
    """The started attempt that a task token names. Raises EntityNotExists if it is not the current one."""
    activity = state.activities.get(schedule_id)
    if (
        activity is None
        or not activity.started_ns
        or (activity.attempt, activity.started_request_id) != (attempt, request_id)
    ):
        raise errors.EntityNotExists(NOT_FOUND)
    return activity


def started_by_id(state: RunState, activity_id: str) -> Activity:
    """The started attempt of that activity id. Raises EntityNotExists if there is none."""
    activity = state.activity_by_id(activity_id)
    if activity is None or not activity.started_ns:
        raise errors.EntityNotExists(NOT_FOUND)
    return activity


def complete(turn: Turn, activity: Activity, result: api.Payload | None, identity: str) -> None:
    """The worker is done: the result is an event, and news for the workflow."""
    started_id = _write_start(turn, activity)
    turn.outside_event(
        activity_task_completed_event_attributes=api.ActivityTaskCompletedEventAttributes(
            result=result, scheduled_event_id=activity.schedule_id, started_event_id=started_id, identity=identity
        )
    )
    decision_task.schedule_if_none(turn)


def fail(
    turn: Turn, activity: Activity, failure: api.Failure, identity: str, details: api.Payload | None = None
) -> None:
    """The attempt failed: another follows by the retry policy, else the activity has failed."""
    encoded = None if details is None else details.SerializeToString()
    if _try_again(turn, activity, failure, failure.reason, identity, encoded):
        return
    started_id = _write_start(turn, activity)
    turn.outside_event(
        activity_task_failed_event_attributes=api.ActivityTaskFailedEventAttributes(
            failure=failure, scheduled_event_id=activity.schedule_id, started_event_id=started_id, identity=identity
        )
    )
    decision_task.schedule_if_none(turn)


def cancel(turn: Turn, activity: Activity, details: api.Payload | None, identity: str) -> None:
    """The worker gave up because the workflow asked it to. Raises BadRequest if it did not ask: no workflow could replay
    a cancellation that comes of itself."""
    if not activity.cancel_requested_id:
        raise errors.BadRequest(f"The workflow did not ask to cancel activity {activity.activity_id}.")
    started_id = _write_start(turn, activity)
    _write_canceled(turn, activity, details, identity, started_id)
    decision_task.schedule_if_none(turn)


def request_cancel(turn: Turn, completed_id: int, activity_id: str, identity: str) -> bool:
    """The workflow wants an activity canceled. True if it was not started and is canceled already.

    The request is an event even where it fails, for the worker's replay looks for it.
    """
    activity = turn.state.activity_by_id(activity_id)
    is_known = activity is not None and not activity.cancel_requested_id
    turn.event(
        activity_task_cancel_requested_event_attributes=api.ActivityTaskCancelRequestedEventAttributes(
            activity_id=activity_id, decision_task_completed_event_id=completed_id
        )
    )
    if activity is None or not is_known:
        turn.event(
            request_cancel_activity_task_failed_event_attributes=api.RequestCancelActivityTaskFailedEventAttributes(
                activity_id=activity_id, cause=UNKNOWN_ID, decision_task_completed_event_id=completed_id
            )
        )
        return False
    if activity.started_ns:
        return False
    _write_canceled(turn, activity, api.Payload(data=NOT_STARTED.encode()), identity, 0)
    return True


def heartbeat(turn: Turn, activity: Activity, details: api.Payload | None) -> None:
    """The worker is alive, and perhaps tells how far it is."""
    encoded = None if details is None else details.SerializeToString()
    turn.internal(Heartbeat(activity.schedule_id, turn.now, encoded))


def time_out(turn: Turn, schedule_id: int) -> None:
    """Looks whether a deadline of the activity has passed, and closes the attempt if so."""
    activity = turn.state.activities.get(schedule_id)
    if activity is None:
        return
    deadline, kind = earliest_deadline(activity)
    if deadline is None or deadline > turn.now:
        return
    name = api.TimeoutType.Name(kind).removeprefix("TIMEOUT_TYPE_")
    retryable = kind != api.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
    failure = api.Failure(reason=TIMEOUT_REASON + name)
    if retryable and _try_again(turn, activity, failure, failure.reason, activity.started_identity, None):
        return
    started_id = _write_start(turn, activity) if activity.started_ns else 0
    attributes = api.ActivityTaskTimedOutEventAttributes(
        scheduled_event_id=schedule_id, started_event_id=started_id, timeout_type=kind
    )
    if activity.heartbeat_details is not None:
        attributes.details.ParseFromString(activity.heartbeat_details)
    if activity.last_failure:
        attributes.last_failure.ParseFromString(activity.last_failure)
    turn.outside_event(activity_task_timed_out_event_attributes=attributes)
    decision_task.schedule_if_none(turn)


def earliest_deadline(activity: Activity) -> tuple[int | None, api.TimeoutType]:
    """The first of the activity's deadlines and which it is; None where it has none."""
    deadlines: list[tuple[int, api.TimeoutType]] = []
    if activity.schedule_to_close_s:
        due = activity.scheduled_ns + activity.schedule_to_close_s * SECOND
        deadlines.append((due, api.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE))
    if activity.started_ns:
        if activity.start_to_close_s:
            due = activity.started_ns + activity.start_to_close_s * SECOND
            deadlines.append((due, api.TIMEOUT_TYPE_START_TO_CLOSE))
        if activity.heartbeat_s:
            last_ns = max(activity.started_ns, activity.heartbeat_ns)
            deadlines.append((last_ns + activity.heartbeat_s * SECOND, api.TIMEOUT_TYPE_HEARTBEAT))
    elif activity.schedule_to_start_s:
        due = activity.attempt_scheduled_ns + activity.schedule_to_start_s * SECOND
        deadlines.append((due, api.TIMEOUT_TYPE_SCHEDULE_TO_START))
    if not deadlines:
        return None, api.TIMEOUT_TYPE_INVALID
    return min(deadlines)


def _try_again(
    turn: Turn, activity: Activity, failure: api.Failure, reason: str, identity: str, details: bytes | None
) -> bool:
    if activity.retry is None or activity.cancel_requested_id:
        return False
    if failure.options.failure_category == api.FAILURE_CATEGORY_FATAL:
        return False
    wait_s = backoff_s(activity.retry, activity.attempt, turn.now, activity.expiration_ns, reason)
    if wait_s is None:
        return False
    next_ns = turn.now + wait_s * SECOND
    turn.internal(
        AttemptFailed(
            activity.schedule_id, activity.attempt + 1, next_ns, failure.SerializeToString(), identity, details
        )
    )
    return True


def _write_start(turn: Turn, activity: Activity) -> int:
    """The id of the started event, which is written now where a retry policy held it back. 0 while it waits for its id."""
    if activity.retry is None:
        return activity.started_id
    attributes = api.ActivityTaskStartedEventAttributes(
        scheduled_event_id=activity.schedule_id,
        identity=activity.started_identity,
        request_id=activity.started_request_id,
        attempt=activity.attempt,
    )
    if activity.last_failure:
        attributes.last_failure.ParseFromString(activity.last_failure)
    turn.outside_event(activity.started_ns, activity_task_started_event_attributes=attributes)
    return activity.started_id


def _write_canceled(
    turn: Turn, activity: Activity, details: api.Payload | None, identity: str, started_id: int
) -> None:
    turn.outside_event(
        activity_task_canceled_event_attributes=api.ActivityTaskCanceledEventAttributes(
            details=details,
            latest_cancel_requested_event_id=activity.cancel_requested_id,
            scheduled_event_id=activity.schedule_id,
            started_event_id=started_id,
            identity=identity,
        )
    )


# --- what each record does to the state ------------------------------------------------------------------------------


@evolves_event("activity_task_scheduled")
def _scheduled(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    at_ns = to_ns(event.event_time)
    policy = retry_policy(attributes.retry_policy) if attributes.HasField("retry_policy") else None
    activity = Activity(
        schedule_id=event.event_id,
        activity_id=attributes.activity_id,
        activity_type=attributes.activity_type.name,
        task_list=attributes.task_list.name,
        scheduled_ns=at_ns,
        schedule_to_start_s=attributes.schedule_to_start_timeout.seconds,
        schedule_to_close_s=attributes.schedule_to_close_timeout.seconds,
        start_to_close_s=attributes.start_to_close_timeout.seconds,
        heartbeat_s=attributes.heartbeat_timeout.seconds,
        retry=policy,
        attempt_scheduled_ns=at_ns,
    )
    if policy is not None:
        expiration_s = policy.expiration_s or activity.schedule_to_close_s
        activity.expiration_ns = at_ns + expiration_s * SECOND
    if attributes.HasField("header"):
        activity.trace = traces.of_header(attributes.header.fields)
    state.activities[event.event_id] = activity
    state.activity_ids[activity.activity_id] = event.event_id


@evolves_event("activity_task_started")
def _started(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    activity = state.activities[attributes.scheduled_event_id]
    activity.started_id = event.event_id
    activity.started_ns = activity.heartbeat_ns = to_ns(event.event_time)
    activity.started_request_id = attributes.request_id
    activity.started_identity = attributes.identity


@evolves_numbering("activity_task_started")
def _started_numbered(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    activity = state.activities.get(attributes.scheduled_event_id)
    if activity is not None:
        activity.started_id = event.event_id


@evolves(AttemptStarted)
def _attempt_started(state: RunState, record: AttemptStarted) -> None:
    activity = state.activities[record.schedule_id]
    activity.started_ns = activity.heartbeat_ns = record.started_ns
    activity.started_request_id = record.request_id
    activity.started_identity = record.identity


@evolves(AttemptFailed)
def _attempt_failed(state: RunState, record: AttemptFailed) -> None:
    activity = state.activities[record.schedule_id]
    activity.attempt = record.next_attempt
    activity.attempt_scheduled_ns = record.next_ns
    activity.started_ns = 0
    activity.started_request_id = ""
    activity.started_identity = ""
    activity.last_failure = record.failure
    activity.last_identity = record.identity
    if record.heartbeat_details is not None:
        activity.heartbeat_details = record.heartbeat_details


@evolves(Heartbeat)
def _heartbeat(state: RunState, record: Heartbeat) -> None:
    activity = state.activities[record.schedule_id]
    activity.heartbeat_ns = record.at_ns
    activity.heartbeat_details = record.details


@evolves_event("activity_task_cancel_requested")
def _cancel_requested(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    activity = state.activity_by_id(attributes.activity_id)
    if activity is not None and not activity.cancel_requested_id:
        activity.cancel_requested_id = event.event_id


@evolves_event("request_cancel_activity_task_failed")
def _cancel_failed(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    """The workflow named an activity that is not pending, or again: only the worker needs to know."""


@evolves_event("activity_task_completed")
@evolves_event("activity_task_failed")
@evolves_event("activity_task_canceled")
@evolves_event("activity_task_timed_out")
def _closed(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    activity = state.activities.pop(attributes.scheduled_event_id)
    # In a fold of the history alone a decision may have used the id again before the first one's end got its event id.
    if state.activity_ids[activity.activity_id] == activity.schedule_id:
        del state.activity_ids[activity.activity_id]
