"""What workers answer to activity tasks, by token or by activity id: each kind of answer is one row, and two handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from google.protobuf.message import Message

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history.core import Core
from tenuto_server.history.engine import activity
from tenuto_server.history.engine.state import Activity
from tenuto_server.history.engine.turn import Turn
from tenuto_server.history.handlers import repeats
from tenuto_server.history.run import Run
from tenuto_server.transport.network import InternalCall

Handler = Callable[[Core, InternalCall], Awaitable[bytes]]


class _Answer(NamedTuple):
    """A kind of answer: what it does to the activity, the event that tells of it (empty: none closes it), and the messages by
    token and by id."""

    step: Callable[[Turn, Activity, Any], None]
    kind: str
    by_token: type[Message]
    by_id: type[Message]


def _complete(turn: Turn, pending: Activity, request: Any) -> None:
    activity.complete(turn, pending, request.result if request.HasField("result") else None, request.identity)


def _fail(turn: Turn, pending: Activity, request: Any) -> None:
    details = request.heartbeat_details if request.HasField("heartbeat_details") else None
    activity.fail(turn, pending, request.failure, request.identity, details)


def _cancel(turn: Turn, pending: Activity, request: Any) -> None:
    activity.cancel(turn, pending, request.details if request.HasField("details") else None, request.identity)


def _beat(turn: Turn, pending: Activity, request: Any) -> None:
    activity.heartbeat(turn, pending, request.details if request.HasField("details") else None)


_ANSWERS = {
    "RespondActivityTaskCompleted": _Answer(
        _complete,
        "activity_task_completed",
        api.RespondActivityTaskCompletedRequest,
        api.RespondActivityTaskCompletedByIDRequest,
    ),
    "RespondActivityTaskFailed": _Answer(
        _fail, "activity_task_failed", api.RespondActivityTaskFailedRequest, api.RespondActivityTaskFailedByIDRequest
    ),
    "RespondActivityTaskCanceled": _Answer(
        _cancel,
        "activity_task_canceled",
        api.RespondActivityTaskCanceledRequest,
        api.RespondActivityTaskCanceledByIDRequest,
    ),
    # Field 1 of either response is whether the workflow wants the activity canceled.
    "RecordActivityTaskHeartbeat": _Answer(
        _beat, "", api.RecordActivityTaskHeartbeatRequest, api.RecordActivityTaskHeartbeatByIDRequest
    ),
}


def _by_token(answer: _Answer) -> Handler:
    async def handle(core: Core, call: InternalCall) -> bytes:
        envelope = internal.WorkflowRequest.FromString(call.body)
        request: Any = answer.by_token.FromString(envelope.request)
        token = internal.TaskToken.FromString(request.task_token)
        run = await core.run(token.domain_id, token.workflow_id, token.run_id)
        try:
            _require_open(run)
            if token.started_request_id:
                pending = activity.started(run.state, token.schedule_id, token.attempt, token.started_request_id)
            else:
                pending = activity.started_by_id(run.state, token.activity_id)
        except (errors.EntityNotExists, errors.WorkflowAlreadyCompleted):
            if not (envelope.repeated and answer.kind and await _acted(core, run, answer, token, request)):
                raise
            await core.durable(run)
            return b""
        return await _commit(core, run, pending, answer, request)

    return handle


async def _acted(core: Core, run: Run, answer: _Answer, token: internal.TaskToken, request: Any) -> bool:
    if answer.step is _fail and repeats.failed_attempt(run, token.schedule_id, token.attempt, request.failure):
        return True
    if not token.started_request_id:
        return await repeats.closed_activity_by_id(core, run, token.activity_id, answer.kind, request.identity)
    return await repeats.closed_activity(core, run, token, answer.kind, request.identity)


def _by_id(answer: _Answer) -> Handler:
    async def handle(core: Core, call: InternalCall) -> bytes:
        envelope = internal.WorkflowRequest.FromString(call.body)
        request: Any = answer.by_id.FromString(envelope.request)
        named = request.workflow_execution
        run = await core.run(envelope.domain_id, named.workflow_id, named.run_id)
        try:
            _require_open(run)
            pending = activity.started_by_id(run.state, request.activity_id)
        except (errors.EntityNotExists, errors.WorkflowAlreadyCompleted):
            if not (envelope.repeated and answer.kind):
                raise
            if not await repeats.closed_activity_by_id(core, run, request.activity_id, answer.kind, request.identity):
                raise
            await core.durable(run)
            return b""
        return await _commit(core, run, pending, answer, request)

    return handle


async def _commit(core: Core, run: Run, pending: Activity, answer: _Answer, request: Any) -> bytes:
    with core.step(run) as turn:
        answer.step(turn, pending, request)
    await core.durable(run)
    if answer.kind:
        return b""
    wanted = bool(pending.cancel_requested_id)
    return api.RecordActivityTaskHeartbeatResponse(cancel_requested=wanted).SerializeToString()


def _require_open(run: Run) -> None:
    if not run.state.is_open:
        raise errors.WorkflowAlreadyCompleted


# By the RPC's name.
HANDLERS: dict[str, Handler] = {
    **{rpc: _by_token(answer) for rpc, answer in _ANSWERS.items()},
    **{f"{rpc}ByID": _by_id(answer) for rpc, answer in _ANSWERS.items()},
}
