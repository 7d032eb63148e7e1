"""Reset: a run forked off another one's history, so that decisions made since can be made again.

    base       1 Started  2 Scheduled  3 Started | 4 Completed  5 ...  8 Signaled  9 ...
    the fork   1 Started  2 Scheduled  3 Started | 4 DecisionTaskFailed(RESET_WORKFLOW)  5 Signaled  6 Scheduled

The fork's history begins with the base's events before the decision's end (or start), byte by byte. Its state is those events
folded by the same `evolve` that made the base's (`fold`): whatever the base knows beside its history (attempts, heartbeats,
sticky workers) is not handed on. Then

- the decision that was pending at the point fails, or times out where it was not started: this event makes the run a fork (its
  time begins anew, and that of activities which wait for their start; timers keep the time they fire at);
- activities that were started there fail, with the reset's reason: their workers answer to the base. Under a retry policy
  attempts are no events, so there these wait again, from the first attempt on;
- signals and cancel requests on their way to other workflows are sent again; children that had not ended are not taken over, so
  there no fork can be made;
- signals that came after the point, also to runs that continue the base, are signalled again;
- a decision is scheduled.

The prepared part is written to the store before the run is committed, so a long history costs no memory (`Forked`); the last
signals and the decision are events of the run's first step.
"""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.errors import BadRequest
from tenuto_server.history.engine import decision_task, outside, start
from tenuto_server.history.engine.records import Forked, Happened, JitterKept, unframe
from tenuto_server.history.engine.state import RunState, decode, encode
from tenuto_server.history.engine.turn import LOCAL_VERSION, Turn, evolve, evolves

IDENTITY = "history-service"
_POINTS = frozenset(
    {
        "decision_task_started_event_attributes",
        "decision_task_completed_event_attributes",
        "decision_task_failed_event_attributes",
        "decision_task_timed_out_event_attributes",
    }
)


def check_point(base: RunState, event_id: int) -> None:
    """Raises BadRequest where a run cannot be forked before that event, as far as its state tells."""
    if not base.has_decided and not base.close_status and not base.decision_attempt:
        raise BadRequest("Cannot reset workflow without a decision task schedule.")
    if not 1 < event_id <= base.next_event_id:
        raise BadRequest("Decision finish ID must be > 1 && <= workflow next event ID.")


def check_fork(fork: RunState, at_point: api.HistoryEvent | None) -> None:
    """Raises BadRequest where the folded history cannot be gone on with: `at_point` is the event that the fork leaves out, None
    where the base's history ends here."""
    kind = None if at_point is None else at_point.WhichOneof("attributes")
    if fork.decision is None or (at_point is not None and kind not in _POINTS):
        raise BadRequest(
            "A workflow can only be reset to an event that starts or ends a decision task: "
            f"{fork.next_event_id} is {(kind or 'none').removesuffix('_event_attributes')}."
        )
    if fork.children:
        # They answer to the base, and end with it by their parent close policy.
        raise BadRequest("Can not reset workflow with pending child workflows")


def fold(state: RunState, framed: bytes) -> None:
    """Folds the next event of a history into a state that knows nothing else: how a run is rebuilt from public events."""
    evolve(state, Happened(api.HistoryEvent.FromString(unframe(framed)), framed))


def fork(turn: Turn, base: RunState, reason: str, request_id: str) -> None:
    """Makes the folded state a run of its own."""
    state, base_run_id = turn.state, base.run_id
    if base.jitter_s:
        turn.internal(JitterKept(base.jitter_s))
    # The fork's events tell of the resets before the point, but not of others that the base comes of, nor of the base's chain.
    known = {*state.earlier_requests, state.start_request_id}
    start.keep_requests(turn, {made: run_id for made, run_id in base.earlier_requests.items() if made not in known})
    decision = state.decision
    assert decision is not None
    if decision.started_ns:
        turn.event(
            decision_task_failed_event_attributes=api.DecisionTaskFailedEventAttributes(
                scheduled_event_id=decision.schedule_id,
                started_event_id=decision.started_id,
                cause=api.DECISION_TASK_FAILED_CAUSE_RESET_WORKFLOW,
                failure=api.Failure(reason=reason),
                identity=IDENTITY,
                base_run_id=base_run_id,
                new_run_id=state.run_id,
                fork_event_version=LOCAL_VERSION,
                request_id=request_id,
            )
        )
    else:
        turn.event(
            decision_task_timed_out_event_attributes=api.DecisionTaskTimedOutEventAttributes(
                scheduled_event_id=decision.schedule_id,
                timeout_type=api.TIMEOUT_TYPE_SCHEDULE_TO_START,
                base_run_id=base_run_id,
                new_run_id=state.run_id,
                fork_event_version=LOCAL_VERSION,
                reason=reason,
                cause=api.DECISION_TASK_TIMED_OUT_CAUSE_RESET,
                request_id=request_id,
            )
        )
    for pending in [pending for pending in state.activities.values() if pending.started_ns]:
        turn.event(
            activity_task_failed_event_attributes=api.ActivityTaskFailedEventAttributes(
                failure=api.Failure(reason=reason),
                scheduled_event_id=pending.schedule_id,
                started_event_id=pending.started_id,
                identity=pending.started_identity,
            )
        )


def signal_again(turn: Turn, framed: bytes) -> None:
    """Applies an event of the base's later history to the fork, if it is a signal that the fork does not know."""
    event = api.HistoryEvent.FromString(unframe(framed))
    if event.WhichOneof("attributes") != "workflow_execution_signaled_event_attributes":
        return
    signaled = event.workflow_execution_signaled_event_attributes
    if signaled.request_id and signaled.request_id in turn.state.signal_request_ids:
        return
    payload = signaled.input if signaled.HasField("input") else None
    outside.add_signal(turn, signaled.signal_name, payload, signaled.identity, signaled.request_id)


def begin(turn: Turn, base_run_id: str, prepared: RunState) -> None:
    """The first step of a fork whose prepared part is in the store."""
    turn.internal(Forked(base_run_id, prepared.next_event_id, encode(prepared)))
    turn.now = max(turn.now, prepared.last_event_ns)


def end(turn: Turn) -> None:
    """Wakes the fork's workers."""
    decision_task.schedule_if_none(turn)


@evolves(Forked)
def _forked(state: RunState, record: Forked) -> None:
    prepared = decode(record.state)
    for name in RunState.__struct_fields__:
        if name != "version":
            setattr(state, name, getattr(prepared, name))
