"""What clients do to a running workflow: signal it, ask it to cancel."""

from __future__ import annotations

from typing import Any

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.engine import decision_task
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.turn import Turn, evolves_event


def signal(turn: Turn, name: str, payload: api.Payload | None, identity: str, request_id: str) -> None:
    """Signals the run. A signal whose request id was seen changes nothing, even on a closed run.

    Raises WorkflowAlreadyCompleted, or LimitExceeded where the run has had too many.
    """
    state = turn.state
    if request_id and request_id in state.signal_request_ids:
        return
    if not state.is_open:
        raise errors.WorkflowAlreadyCompleted
    limits = turn.limits
    if state.signal_count >= limits.signals_max or state.history_bytes > limits.history_bytes_max:
        raise errors.LimitExceeded("Exceeded workflow execution limit for signal events")
    add_signal(turn, name, payload, identity, request_id)
    _wake(turn)


def add_signal(turn: Turn, name: str, payload: api.Payload | None, identity: str, request_id: str) -> None:
    """Writes the signal and leaves the decision to the caller."""
    turn.outside_event(
        workflow_execution_signaled_event_attributes=api.WorkflowExecutionSignaledEventAttributes(
            signal_name=name, input=payload, identity=identity, request_id=request_id
        )
    )


def request_cancel(
    turn: Turn, request: api.RequestCancelWorkflowExecutionRequest, source: api.ExternalExecutionInfo | None = None
) -> None:
    """Asks the run to cancel itself; `source` is the run that asks, if one does. The same request again changes nothing.

    Raises WorkflowAlreadyCompleted, or CancellationAlreadyRequested where another request came before.
    """
    state = turn.state
    if not state.is_open:
        raise errors.WorkflowAlreadyCompleted
    if state.cancel_requested:
        if request.request_id and request.request_id == state.cancel_request_id:
            return
        raise errors.CancellationAlreadyRequested("Cancellation already requested for this workflow execution.")
    turn.outside_event(
        workflow_execution_cancel_requested_event_attributes=api.WorkflowExecutionCancelRequestedEventAttributes(
            cause=request.cause,
            identity=request.identity,
            request_id=request.request_id,
            external_execution_info=source,
        )
    )
    decision_task.schedule_if_none(turn)


def _wake(turn: Turn) -> None:
    """News from outside: a decision, unless the run's start is still delayed."""
    if turn.state.has_decided or not turn.state.backoff_s:
        decision_task.schedule_if_none(turn)


@evolves_event("workflow_execution_signaled")
def _signaled(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    state.signal_count += 1
    if attributes.request_id:
        state.signal_request_ids[attributes.request_id] = True


@evolves_event("workflow_execution_cancel_requested")
def _cancel_requested(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    state.cancel_requested = True
    state.cancel_request_id = attributes.request_id
