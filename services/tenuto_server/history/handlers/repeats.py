"""Requests that are sent again because nobody could say whether they were acted on: whether they were.

The frontend marks such a request (`repeated`). Signals, cancel requests and starts carry a request id that the state keeps. A
worker's answer carries its task's token, a termination nothing at all: where such a one is refused because its task or run is
closed, the run's own history says who closed it. That is read here, and only then: the refusal of a request that was sent once
costs nothing more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tenuto_api import api, internal
from tenuto_server.history import events
from tenuto_server.history.core import Core
from tenuto_server.history.engine.records import unframe
from tenuto_server.history.run import Run

_PAGE = 500


async def _since(core: Core, run: Run, first: int) -> AsyncIterator[api.HistoryEvent]:
    """The run's events from that id on, then those that wait for their ids."""
    state = run.state
    buffered, until = list(state.buffered), state.next_event_id
    at = max(1, first)
    while at < until:
        frames = await events.read(core.store, run, at, min(until, at + _PAGE), core.settings.history_page_bytes_max)
        for frame in frames:
            yield api.HistoryEvent.FromString(unframe(frame))
        at += len(frames)
    for data in buffered:
        yield api.HistoryEvent.FromString(data)


async def closed_activity(core: Core, run: Run, token: internal.TaskToken, kind: str, identity: str) -> bool:
    """Whether the answer with this token closed the activity: the attempt it names was started for it, and an event of
    this kind (as "activity_task_completed") closed it in this worker's name."""
    started = False
    async for event in _since(core, run, token.schedule_id):
        attributes = _attributes(event)
        if getattr(attributes, "scheduled_event_id", 0) != token.schedule_id:
            continue
        if event.HasField("activity_task_started_event_attributes"):
            started = attributes.request_id == token.started_request_id
        elif event.HasField(f"{kind}_event_attributes"):
            return started and attributes.identity == identity
    return False


async def closed_activity_by_id(core: Core, run: Run, activity_id: str, kind: str, identity: str) -> bool:
    """Whether the newest activity of that id was closed by an event of this kind, in this worker's name."""
    schedule_id, closed = 0, False
    async for event in _since(core, run, 1):
        if event.HasField("activity_task_scheduled_event_attributes"):
            if event.activity_task_scheduled_event_attributes.activity_id == activity_id:
                schedule_id, closed = event.event_id, False
        elif schedule_id and event.HasField(f"{kind}_event_attributes"):
            attributes = _attributes(event)
            if attributes.scheduled_event_id == schedule_id:
                closed = attributes.identity == identity
    return closed


def failed_attempt(run: Run, schedule_id: int, attempt: int, failure: api.Failure) -> bool:
    """Whether the attempt before the present one failed in just this way: the retry left no event."""
    activity = run.state.activities.get(schedule_id)
    if activity is None or activity.attempt != attempt + 1:
        return False
    last = api.Failure.FromString(activity.last_failure)
    return (last.reason, last.details) == (failure.reason, failure.details)


async def closed_decision(core: Core, run: Run, token: internal.TaskToken, identity: str) -> int:
    """The started event's id of the decision that the answer with this token closed; 0 if it did not."""
    started_id = 0
    async for event in _since(core, run, token.schedule_id):
        attributes = _attributes(event)
        if getattr(attributes, "scheduled_event_id", 0) != token.schedule_id:
            continue
        if event.HasField("decision_task_started_event_attributes"):
            started_id = event.event_id if attributes.request_id == token.started_request_id else 0
        elif event.HasField("decision_task_completed_event_attributes") or event.HasField(
            "decision_task_failed_event_attributes"
        ):
            return started_id if attributes.identity == identity else 0
    return 0


async def terminated(core: Core, run: Run, request: api.TerminateWorkflowExecutionRequest) -> bool:
    """Whether the run was ended by just this request."""
    async for event in _since(core, run, run.state.next_event_id - 1):
        if event.HasField("workflow_execution_terminated_event_attributes"):
            ended = event.workflow_execution_terminated_event_attributes
            return (ended.reason, ended.identity, ended.details) == (request.reason, request.identity, request.details)
    return False


def _attributes(event: api.HistoryEvent) -> Any:
    return getattr(event, event.WhichOneof("attributes") or "event_id")
