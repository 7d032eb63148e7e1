"""How a run begins: the started event, and its first decision at once or after a delay.

    first_run_at, if it is to come           until then; delay, jitter and cron do not count
    else, with a cron schedule               delay, then until its next time, then jitter
    else                                     delay and jitter
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.engine import decision_task, reset_points
from tenuto_server.history.engine.records import JitterKept, RequestsKept, Traced
from tenuto_server.history.engine.state import SECOND, RunState
from tenuto_server.history.engine.turn import Turn, evolves, evolves_event, timestamp, to_ns
from tenuto_server.history.engine.values import duration, retry_policy, seconds
from tenuto_server.rules import cron, traces

# Decision tasks may not hold a worker longer than this.
DECISION_TIMEOUT_MAX_S = 240


def start(
    turn: Turn,
    request: api.StartWorkflowExecutionRequest,
    jitter_s: int = 0,
    first: Callable[[Turn], None] | None = None,
    parent: api.ParentExecutionInfo | None = None,
) -> None:
    """Begins a run as a client asked. `jitter_s` is what chance made of the request's jitter, 0 to jitter_start; `first` is
    what happens to the run before its first decision is scheduled (the signal of a signal-with-start); `parent` whose child it
    is, if it is one. Raises BadRequest where the cron schedule cannot be read."""
    backoff_s = _first_backoff_s(turn.now, request, jitter_s)
    execution_s = seconds(request.execution_start_to_close_timeout)
    attributes = api.WorkflowExecutionStartedEventAttributes(
        workflow_type=request.workflow_type,
        task_list=request.task_list,
        execution_start_to_close_timeout=duration(execution_s),
        # What is in force, not what was asked for: whoever reads the history goes by it.
        task_start_to_close_timeout=duration(_task_timeout_s(seconds(request.task_start_to_close_timeout), execution_s)),
        original_execution_run_id=turn.state.run_id,
        first_execution_run_id=turn.state.run_id,
        identity=request.identity,
        request_id=request.request_id,
        parent_execution_info=parent,
        first_decision_task_backoff=duration(backoff_s),
        first_scheduled_time=timestamp(turn.now + backoff_s * SECOND),
        cron_schedule=request.cron_schedule,
        cron_overlap_policy=request.cron_overlap_policy,
    )
    for name in ("input", "memo", "search_attributes", "header", "retry_policy", "active_cluster_selection_policy"):
        if request.HasField(name):
            getattr(attributes, name).CopyFrom(getattr(request, name))
    if request.HasField("retry_policy"):
        expiration_s = seconds(request.retry_policy.expiration_interval)
        if expiration_s:
            attributes.expiration_time.CopyFrom(timestamp(turn.now + (expiration_s + backoff_s) * SECOND))
    begin(turn, attributes, first, seconds(request.jitter_start))


def begin(
    turn: Turn,
    attributes: api.WorkflowExecutionStartedEventAttributes,
    first: Callable[[Turn], None] | None = None,
    jitter_s: int = 0,
) -> None:
    """Writes the started event and, unless the run begins later, schedules the first decision. `jitter_s` is how late cron runs
    after this one may begin."""
    turn.event(workflow_execution_started_event_attributes=attributes)
    if jitter_s > 0 and attributes.cron_schedule:
        turn.internal(JitterKept(jitter_s))
    if first is not None:
        first(turn)
    if not turn.state.backoff_s:
        decision_task.schedule_if_none(turn)


def trace(turn: Turn, context: str) -> None:
    """The run belongs to this sampled trace (empty: none), unless its header names another."""
    if context and not turn.state.trace:
        turn.internal(Traced(context))


def keep_requests(turn: Turn, requests: dict[str, str]) -> None:
    """The run comes of these requests, by the runs before it: made again, they are answered as they were."""
    if requests:
        turn.internal(RequestsKept(requests))


def end_backoff(turn: Turn) -> None:
    """The delay of the first decision is over. Does nothing if something else woke the run before."""
    if turn.state.is_open and not turn.state.has_decided:
        decision_task.schedule(turn)


def backoff_ends_ns(state: RunState) -> int:
    """When the first decision may be scheduled."""
    return state.start_ns + state.backoff_s * SECOND


def execution_deadline_ns(state: RunState) -> int:
    """When the run times out: its time counts from the end of its delay, or from its reset. A retry ends with the policy's
    expiration, unless it was reset when that was over."""
    begins_ns = state.reset_ns or backoff_ends_ns(state)
    deadline = begins_ns + state.execution_timeout_s * SECOND
    ends_with_policy = state.attempt and state.expiration_ns > state.reset_ns
    return min(deadline, state.expiration_ns) if ends_with_policy else deadline


def _first_backoff_s(now: int, request: api.StartWorkflowExecutionRequest, jitter_s: int) -> int:
    """Seconds from now until the first decision."""
    if request.HasField("first_run_at"):
        first_ns = to_ns(request.first_run_at)
        if first_ns > now:
            return -((now - first_ns) // SECOND)
    delay_s = seconds(request.delay_start)
    if not request.cron_schedule:
        return delay_s + jitter_s
    delayed_ns = now + delay_s * SECOND
    try:
        wait_s = cron.backoff_s(cron.parse(request.cron_schedule), delayed_ns, delayed_ns, buffer_one=False)
    except ValueError as error:
        raise errors.BadRequest(f"Invalid CronSchedule: {error}.") from None
    if wait_s is None:
        raise errors.BadRequest("Invalid CronSchedule: it never fires.")
    return delay_s + wait_s + jitter_s


def _task_timeout_s(asked_s: int, execution_s: int) -> int:
    """The decision timeout in force."""
    return min(asked_s, execution_s, DECISION_TIMEOUT_MAX_S)


@evolves_event("workflow_execution_started")
def _started(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    state.workflow_type = attributes.workflow_type.name
    state.task_list = attributes.task_list.name
    state.execution_timeout_s = attributes.execution_start_to_close_timeout.seconds
    state.task_timeout_s = _task_timeout_s(attributes.task_start_to_close_timeout.seconds, state.execution_timeout_s)
    state.start_ns = to_ns(event.event_time)
    state.backoff_s = attributes.first_decision_task_backoff.seconds
    state.start_request_id = attributes.request_id
    state.requested_run_id = attributes.original_execution_run_id
    state.first_run_id = attributes.first_execution_run_id
    state.continued_run_id = attributes.continued_execution_run_id
    state.attempt = attributes.attempt
    if attributes.HasField("retry_policy"):
        state.retry = retry_policy(attributes.retry_policy)
    if attributes.HasField("retry_policy") or attributes.cron_schedule:
        state.restart_from = attributes.SerializeToString(deterministic=True)
    if attributes.HasField("expiration_time"):
        state.expiration_ns = to_ns(attributes.expiration_time)
    state.cron_schedule = attributes.cron_schedule
    state.cron_overlap = attributes.cron_overlap_policy
    state.first_scheduled_ns = to_ns(attributes.first_scheduled_time)
    # Maps have no order of their own: a replayed state must have the same bytes.
    state.memo = attributes.memo.SerializeToString(deterministic=True)
    state.search_attributes = attributes.search_attributes.SerializeToString(deterministic=True)
    if attributes.HasField("parent_execution_info"):
        state.parent = attributes.parent_execution_info.SerializeToString()
    if attributes.HasField("header"):
        state.trace = traces.of_header(attributes.header.fields)
    if attributes.HasField("prev_auto_reset_points"):
        state.reset_points = reset_points.from_wire(attributes.prev_auto_reset_points)


@evolves(Traced)
def _traced(state: RunState, record: Traced) -> None:
    state.trace = record.trace


@evolves(JitterKept)
def _jitter_kept(state: RunState, record: JitterKept) -> None:
    state.jitter_s = record.jitter_s


@evolves(RequestsKept)
def _requests_kept(state: RunState, record: RequestsKept) -> None:
    state.earlier_requests = {**record.requests, **state.earlier_requests}
