"""Signals and cancel requests from one workflow to another.

    (none) --initiate--> initiated --delivered--> (none)
                            |--failed--> (none)

The delivery is a call to the owner of the other workflow (see `calls`). A run that closes meanwhile keeps it: what a workflow has
decided is carried out, but nobody is told any more how it went.
"""

from __future__ import annotations

from typing import Any

from tenuto_api import api
from tenuto_server.history.engine import decision_task
from tenuto_server.history.engine.records import CallSettled
from tenuto_server.history.engine.state import CallKind, External, RunState
from tenuto_server.history.engine.turn import Turn, evolves_event

# Calls of either kind that may be pending at once: each is in the state.
PENDING_MAX = 10_000


def initiate_signal(
    turn: Turn, completed_id: int, wanted: api.SignalExternalWorkflowExecutionDecisionAttributes, domain: str
) -> None:
    """Writes down that another workflow is to be signaled, as a checked decision asks."""
    turn.event(
        signal_external_workflow_execution_initiated_event_attributes=(
            api.SignalExternalWorkflowExecutionInitiatedEventAttributes(
                decision_task_completed_event_id=completed_id,
                domain=wanted.domain or domain,
                workflow_execution=wanted.workflow_execution,
                signal_name=wanted.signal_name,
                input=wanted.input if wanted.HasField("input") else None,
                control=wanted.control,
                child_workflow_only=wanted.child_workflow_only,
            )
        )
    )


def initiate_cancel(
    turn: Turn, completed_id: int, wanted: api.RequestCancelExternalWorkflowExecutionDecisionAttributes, domain: str
) -> None:
    """Writes down that another workflow is to be asked to cancel, as a checked decision asks."""
    turn.event(
        request_cancel_external_workflow_execution_initiated_event_attributes=(
            api.RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(
                decision_task_completed_event_id=completed_id,
                domain=wanted.domain or domain,
                workflow_execution=wanted.workflow_execution,
                control=wanted.control,
                child_workflow_only=wanted.child_workflow_only,
            )
        )
    )


def delivered(turn: Turn, initiated: api.HistoryEvent) -> None:
    """The other workflow has it. Told again it changes nothing."""
    state = turn.state
    pending = state.externals.get(initiated.event_id)
    if pending is None:
        return
    if not state.is_open:
        turn.internal(CallSettled(pending.kind, initiated.event_id))
        return
    if pending.kind == CallKind.SIGNAL:
        signal = initiated.signal_external_workflow_execution_initiated_event_attributes
        turn.outside_event(
            external_workflow_execution_signaled_event_attributes=api.ExternalWorkflowExecutionSignaledEventAttributes(
                initiated_event_id=initiated.event_id,
                domain=signal.domain,
                workflow_execution=signal.workflow_execution,
                control=signal.control,
            )
        )
    else:
        cancel = initiated.request_cancel_external_workflow_execution_initiated_event_attributes
        turn.outside_event(
            external_workflow_execution_cancel_requested_event_attributes=(
                api.ExternalWorkflowExecutionCancelRequestedEventAttributes(
                    initiated_event_id=initiated.event_id,
                    domain=cancel.domain,
                    workflow_execution=cancel.workflow_execution,
                )
            )
        )
    decision_task.schedule_if_none(turn)


def failed(turn: Turn, initiated: api.HistoryEvent, has_completed: bool) -> None:
    """The other workflow cannot have it: it has completed, or there is none."""
    state = turn.state
    pending = state.externals.get(initiated.event_id)
    if pending is None:
        return
    if not state.is_open:
        turn.internal(CallSettled(pending.kind, initiated.event_id))
        return
    if pending.kind == CallKind.SIGNAL:
        signal = initiated.signal_external_workflow_execution_initiated_event_attributes
        turn.outside_event(
            signal_external_workflow_execution_failed_event_attributes=(
                api.SignalExternalWorkflowExecutionFailedEventAttributes(
                    cause=_signal_cause(has_completed),
                    decision_task_completed_event_id=signal.decision_task_completed_event_id,
                    domain=signal.domain,
                    workflow_execution=signal.workflow_execution,
                    initiated_event_id=initiated.event_id,
                    control=signal.control,
                )
            )
        )
    else:
        cancel = initiated.request_cancel_external_workflow_execution_initiated_event_attributes
        turn.outside_event(
            request_cancel_external_workflow_execution_failed_event_attributes=(
                api.RequestCancelExternalWorkflowExecutionFailedEventAttributes(
                    cause=_cancel_cause(has_completed),
                    decision_task_completed_event_id=cancel.decision_task_completed_event_id,
                    domain=cancel.domain,
                    workflow_execution=cancel.workflow_execution,
                    initiated_event_id=initiated.event_id,
                    control=cancel.control,
                )
            )
        )
    decision_task.schedule_if_none(turn)


def _signal_cause(has_completed: bool) -> api.SignalExternalWorkflowExecutionFailedCause:
    if has_completed:
        return api.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_COMPLETED
    return api.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION


def _cancel_cause(has_completed: bool) -> api.CancelExternalWorkflowExecutionFailedCause:
    if has_completed:
        return api.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_COMPLETED
    return api.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION


def settle(state: RunState, record: CallSettled) -> None:
    """A closed run's call is done."""
    state.externals.pop(record.initiated_id, None)


@evolves_event("signal_external_workflow_execution_initiated")
def _signal_initiated(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    _add(state, event.event_id, CallKind.SIGNAL, attributes)


@evolves_event("request_cancel_external_workflow_execution_initiated")
def _cancel_initiated(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    _add(state, event.event_id, CallKind.CANCEL, attributes)


def _add(state: RunState, initiated_id: int, kind: CallKind, attributes: Any) -> None:
    target = attributes.workflow_execution.workflow_id
    state.externals[initiated_id] = External(initiated_id, kind, attributes.domain, target)


def _ended(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    del state.externals[attributes.initiated_event_id]


for _name in (
    "signal_external_workflow_execution_failed",
    "external_workflow_execution_signaled",
    "request_cancel_external_workflow_execution_failed",
    "external_workflow_execution_cancel_requested",
):
    evolves_event(_name)(_ended)
