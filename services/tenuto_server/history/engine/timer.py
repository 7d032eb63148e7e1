"""User timers: started by a decision, fired by time or canceled by a decision."""

from __future__ import annotations

from typing import Any

from tenuto_api import api
from tenuto_server.history.engine import decision_task
from tenuto_server.history.engine.state import SECOND, RunState, Timer
from tenuto_server.history.engine.turn import Turn, evolves_event, to_ns
from tenuto_server.history.engine.values import duration, seconds

UNKNOWN_ID = "TIMER_ID_UNKNOWN"


def start(turn: Turn, completed_id: int, wanted: api.StartTimerDecisionAttributes) -> None:
    """Starts a timer as a checked decision asks."""
    turn.event(
        timer_started_event_attributes=api.TimerStartedEventAttributes(
            timer_id=wanted.timer_id,
            start_to_fire_timeout=duration(seconds(wanted.start_to_fire_timeout)),
            decision_task_completed_event_id=completed_id,
        )
    )


def cancel(turn: Turn, completed_id: int, timer_id: str, identity: str) -> None:
    """Cancels a timer, also one that has fired while the decision was made but whose event has no id yet."""
    state = turn.state
    timer = state.timers.get(timer_id)
    started_id = timer.started_id if timer else _fired_unseen(state, timer_id)
    if not started_id:
        turn.event(
            cancel_timer_failed_event_attributes=api.CancelTimerFailedEventAttributes(
                timer_id=timer_id,
                cause=UNKNOWN_ID,
                decision_task_completed_event_id=completed_id,
                identity=identity,
            )
        )
        return
    turn.event(
        timer_canceled_event_attributes=api.TimerCanceledEventAttributes(
            timer_id=timer_id,
            started_event_id=started_id,
            decision_task_completed_event_id=completed_id,
            identity=identity,
        )
    )


def fire(turn: Turn, timer_id: str) -> None:
    """Looks whether the timer's time has come, and fires it if so."""
    timer = turn.state.timers.get(timer_id)
    if timer is None or timer.fire_ns > turn.now:
        return
    turn.outside_event(
        timer_fired_event_attributes=api.TimerFiredEventAttributes(
            timer_id=timer_id, started_event_id=timer.started_id
        )
    )
    decision_task.schedule_if_none(turn)


def buffered_firings(state: RunState, timer_id: str) -> list[tuple[bytes, int]]:
    """Encoded events of this timer's firing that wait for an id, each with the timer's started id."""
    found = []
    for data in state.buffered:
        event = api.HistoryEvent.FromString(data)
        fired = event.timer_fired_event_attributes
        if event.WhichOneof("attributes") == "timer_fired_event_attributes" and fired.timer_id == timer_id:
            found.append((data, fired.started_event_id))
    return found


def _fired_unseen(state: RunState, timer_id: str) -> int:
    firings = buffered_firings(state, timer_id)
    return firings[0][1] if firings else 0


@evolves_event("timer_started")
def _started(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    fire_ns = to_ns(event.event_time) + attributes.start_to_fire_timeout.seconds * SECOND
    state.timers[attributes.timer_id] = Timer(attributes.timer_id, event.event_id, fire_ns)


@evolves_event("timer_fired")
def _fired(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    # In a fold of the history alone a decision may have used the id again before the first one's end got its event id.
    timer = state.timers.get(attributes.timer_id)
    if timer is not None and timer.started_id == attributes.started_event_id:
        del state.timers[attributes.timer_id]


@evolves_event("timer_canceled")
def _canceled(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    if state.timers.pop(attributes.timer_id, None) is None:
        for data, _ in buffered_firings(state, attributes.timer_id):
            state.buffered.remove(data)


@evolves_event("cancel_timer_failed")
def _cancel_failed(state: RunState, event: api.HistoryEvent, attributes: Any) -> None:
    """The workflow named a timer that is not pending: only the worker needs to know."""
