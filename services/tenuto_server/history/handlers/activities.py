"""What workers answer to activity tasks, by token or by activity id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history.core import Core
from tenuto_server.history.engine import activity
from tenuto_server.history.engine.state import Activity
from tenuto_server.history.engine.turn import Turn
from tenuto_server.history.run import Run
from tenuto_server.transport.network import InternalCall


async def completed(core: Core, call: InternalCall) -> bytes:
    """RespondActivityTaskCompleted."""
    request = api.RespondActivityTaskCompletedRequest.FromString(_request(call))
    await _by_token(core, request.task_token, lambda turn, pending: _complete(turn, pending, request))
    return b""


async def completed_by_id(core: Core, call: InternalCall) -> bytes:
    """RespondActivityTaskCompletedByID."""
    request = api.RespondActivityTaskCompletedByIDRequest.FromString(_request(call))
    await _by_id(core, call, request, lambda turn, pending: _complete(turn, pending, request))
    return b""


async def failed(core: Core, call: InternalCall) -> bytes:
    """RespondActivityTaskFailed."""
    request = api.RespondActivityTaskFailedRequest.FromString(_request(call))
    await _by_token(core, request.task_token, lambda turn, pending: _fail(turn, pending, request))
    return b""


async def failed_by_id(core: Core, call: InternalCall) -> bytes:
    """RespondActivityTaskFailedByID."""
    request = api.RespondActivityTaskFailedByIDRequest.FromString(_request(call))
    await _by_id(core, call, request, lambda turn, pending: _fail(turn, pending, request))
    return b""


async def canceled(core: Core, call: InternalCall) -> bytes:
    """RespondActivityTaskCanceled."""
    request = api.RespondActivityTaskCanceledRequest.FromString(_request(call))
    await _by_token(core, request.task_token, lambda turn, pending: _cancel(turn, pending, request))
    return b""


async def canceled_by_id(core: Core, call: InternalCall) -> bytes:
    """RespondActivityTaskCanceledByID."""
    request = api.RespondActivityTaskCanceledByIDRequest.FromString(_request(call))
    await _by_id(core, call, request, lambda turn, pending: _cancel(turn, pending, request))
    return b""


async def heartbeat(core: Core, call: InternalCall) -> bytes:
    """RecordActivityTaskHeartbeat: answers whether the workflow wants the activity canceled."""
    request = api.RecordActivityTaskHeartbeatRequest.FromString(_request(call))
    pending = await _by_token(core, request.task_token, lambda turn, pending: _beat(turn, pending, request))
    wanted = bool(pending.cancel_requested_id)
    return api.RecordActivityTaskHeartbeatResponse(cancel_requested=wanted).SerializeToString()


async def heartbeat_by_id(core: Core, call: InternalCall) -> bytes:
    """RecordActivityTaskHeartbeatByID."""
    request = api.RecordActivityTaskHeartbeatByIDRequest.FromString(_request(call))
    pending = await _by_id(core, call, request, lambda turn, pending: _beat(turn, pending, request))
    wanted = bool(pending.cancel_requested_id)
    return api.RecordActivityTaskHeartbeatByIDResponse(cancel_requested=wanted).SerializeToString()


_Step = Callable[[Turn, Activity], None]


def _request(call: InternalCall) -> bytes:
    return internal.WorkflowRequest.FromString(call.body).request


async def _by_token(core: Core, task_token: bytes, step: _Step) -> Activity:
    token = internal.TaskToken.FromString(task_token)
    run = await core.run(token.domain_id, token.workflow_id, token.run_id)
    _require_open(run)
    if token.started_request_id:
        pending = activity.started(run.state, token.schedule_id, token.attempt, token.started_request_id)
    else:
        pending = activity.started_by_id(run.state, token.activity_id)
    return await _commit(core, run, pending, step)


async def _by_id(core: Core, call: InternalCall, request: Any, step: _Step) -> Activity:
    envelope = internal.WorkflowRequest.FromString(call.body)
    named = request.workflow_execution
    run = await core.run(envelope.domain_id, named.workflow_id, named.run_id)
    _require_open(run)
    return await _commit(core, run, activity.started_by_id(run.state, request.activity_id), step)


async def _commit(core: Core, run: Run, pending: Activity, step: _Step) -> Activity:
    with core.step(run) as turn:
        step(turn, pending)
    await core.durable(run)
    return pending


def _require_open(run: Run) -> None:
    if not run.state.is_open:
        raise errors.WorkflowAlreadyCompleted


def _complete(turn: Turn, pending: Activity, request: Any) -> None:
    activity.complete(turn, pending, request.result if request.HasField("result") else None, request.identity)


def _fail(turn: Turn, pending: Activity, request: Any) -> None:
    details = request.heartbeat_details if request.HasField("heartbeat_details") else None
    activity.fail(turn, pending, request.failure, request.identity, details)


def _cancel(turn: Turn, pending: Activity, request: Any) -> None:
    activity.cancel(turn, pending, request.details if request.HasField("details") else None, request.identity)


def _beat(turn: Turn, pending: Activity, request: Any) -> None:
    activity.heartbeat(turn, pending, request.details if request.HasField("details") else None)
