"""What workers answer: decisions, activity results and heartbeats, by task token or by activity id.

The token says whose shard it is. A result, a failure's details or a heartbeat over the blob limit fails the activity
with a reason of its own instead (details cut at the limit), so that the workflow learns of it rather than the worker
alone. Each kind of answer to an activity is one row, and two handlers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from google.protobuf.message import Message

from tenuto_api import api, internal
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse, parse_token
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.frontend.validation import Limits
from tenuto_server.transport.public import PublicCall

Handler = Callable[[FrontendContext, PublicCall], Awaitable[bytes]]

# Failure reasons that are never retried; the same texts as the official server's.
RESULT_TOO_LARGE = "COMPLETE_RESULT_EXCEEDS_LIMIT"
FAILURE_TOO_LARGE = "FAILURE_DETAILS_EXCEEDS_LIMIT"
CANCEL_TOO_LARGE = "CANCEL_DETAILS_EXCEEDS_LIMIT"
HEARTBEAT_TOO_LARGE = "HEARTBEAT_EXCEEDS_LIMIT"

_FAILED = "RespondActivityTaskFailed"


# --- decisions --------------------------------------------------------------------------------------------------------
async def respond_decision_task_completed(frontend: FrontendContext, call: PublicCall) -> bytes:
    """The decisions themselves are judged by history: a bad one fails the decision task, not the call."""
    request = parse(api.RespondDecisionTaskCompletedRequest, call.body)
    token, _, _ = await _token(frontend, request)
    return await _pass_on(frontend, call, "RespondDecisionTaskCompleted", token, call.body)


async def respond_decision_task_failed(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Details over the limit are cut: no client acts on them."""
    body = call.body
    request = parse(api.RespondDecisionTaskFailedRequest, body)
    validation.check_enum(request.cause, api.DecisionTaskFailedCause, "DecisionTaskFailedCause")
    token, limits, _ = await _token(frontend, request)
    limit = limits.blob_bytes_max
    if len(request.details.data) > limit:
        request.details.data = request.details.data[:limit]
        body = request.SerializeToString()
    return await _pass_on(frontend, call, "RespondDecisionTaskFailed", token, body)


async def _token(frontend: FrontendContext, request: Any) -> tuple[internal.TaskToken, Limits, str]:
    """What the request's token holds, and its domain's limits and name."""
    token = parse_token(request.task_token)
    domain = await frontend.domain_by_id(token.domain_id, RateClass.WORKER_ANSWER)
    limits = frontend.limits_for(domain.name)
    validation.check_length(request.identity, "Identity", limits)
    return token, limits, domain.name


async def _pass_on(frontend: FrontendContext, call: PublicCall, rpc: str, token: internal.TaskToken, body: bytes) -> bytes:
    return await frontend.call_history(call, rpc, token.domain_id, token.workflow_id, body)


# --- activities -------------------------------------------------------------------------------------------------------
class _Answer(NamedTuple):
    """A kind of answer: its messages by token and by id; its blob, which may be too large, and what the activity fails with
    then; what else to check; and what that is answered with."""

    by_token: type[Message]
    by_id: type[Message]
    blob: Callable[[Any], bytes]
    # Counts beside the blob.
    beside: Callable[[Any], int]
    too_large: str
    # Given the limits, and the names of domain, workflow and run.
    check: Callable[..., None]
    answer_too_large: bytes = b""


def _nothing(request: Any) -> int:
    return 0


def _no_check(request: Any, limits: Limits, *names: str) -> None:
    return


def _check_failed(request: Any, limits: Limits, *names: str) -> None:
    validation.check_failure(request.failure)
    validation.check_blob(len(request.heartbeat_details.data), limits, *names)


_ANSWERS = {
    "RespondActivityTaskCompleted": _Answer(
        api.RespondActivityTaskCompletedRequest,
        api.RespondActivityTaskCompletedByIDRequest,
        lambda request: request.result.data,
        _nothing,
        RESULT_TOO_LARGE,
        _no_check,
    ),
    _FAILED: _Answer(
        api.RespondActivityTaskFailedRequest,
        api.RespondActivityTaskFailedByIDRequest,
        lambda request: request.failure.details,
        lambda request: len(request.failure.reason.encode()),
        FAILURE_TOO_LARGE,
        _check_failed,
    ),
    "RespondActivityTaskCanceled": _Answer(
        api.RespondActivityTaskCanceledRequest,
        api.RespondActivityTaskCanceledByIDRequest,
        lambda request: request.details.data,
        _nothing,
        CANCEL_TOO_LARGE,
        _no_check,
    ),
    # Both responses have the same one field.
    "RecordActivityTaskHeartbeat": _Answer(
        api.RecordActivityTaskHeartbeatRequest,
        api.RecordActivityTaskHeartbeatByIDRequest,
        lambda request: request.details.data,
        _nothing,
        HEARTBEAT_TOO_LARGE,
        _no_check,
        api.RecordActivityTaskHeartbeatResponse(cancel_requested=True).SerializeToString(),
    ),
}


def _is_too_large(answer: _Answer, request: Any, limits: Limits, *names: str) -> bool:
    size = len(answer.blob(request)) + answer.beside(request)
    validation.warn_of_blob(size, limits, *names)
    return size > limits.blob_bytes_max


def _failure(answer: _Answer, request: Any, limits: Limits) -> api.Failure:
    return api.Failure(reason=answer.too_large, details=answer.blob(request)[: limits.blob_bytes_max])


def _by_token(rpc: str, answer: _Answer) -> Handler:
    async def handle(frontend: FrontendContext, call: PublicCall) -> bytes:
        request: Any = parse(answer.by_token, call.body)
        token, limits, domain = await _token(frontend, request)
        names = domain, token.workflow_id, token.run_id
        if not _is_too_large(answer, request, limits, *names):
            answer.check(request, limits, *names)
            return await _pass_on(frontend, call, rpc, token, call.body)
        failed = api.RespondActivityTaskFailedRequest(
            task_token=request.task_token, failure=_failure(answer, request, limits), identity=request.identity
        )
        await _pass_on(frontend, call, _FAILED, token, failed.SerializeToString())
        return answer.answer_too_large

    return handle


def _by_id(rpc: str, answer: _Answer) -> Handler:
    async def handle(frontend: FrontendContext, call: PublicCall) -> bytes:
        request: Any = parse(answer.by_id, call.body)
        execution, limits = request.workflow_execution, frontend.limits_for(request.domain)
        if not request.domain:
            raise BadRequest(validation.DOMAIN_NOT_SET)
        validation.check_execution(execution, True, limits)
        if not request.activity_id:
            raise BadRequest("ActivityID is not set on request.")
        validation.check_length(request.activity_id, "ActivityID", limits)
        validation.check_length(request.identity, "Identity", limits)
        domain = await frontend.domain(request.domain, RateClass.WORKER_ANSWER)
        names = request.domain, execution.workflow_id, execution.run_id
        if not _is_too_large(answer, request, limits, *names):
            answer.check(request, limits, *names)
            return await frontend.call_history(call, f"{rpc}ByID", domain.id, execution.workflow_id, call.body)
        failed = api.RespondActivityTaskFailedByIDRequest(
            domain=request.domain,
            workflow_execution=execution,
            activity_id=request.activity_id,
            failure=_failure(answer, request, limits),
            identity=request.identity,
        )
        body = failed.SerializeToString()
        await frontend.call_history(call, f"{_FAILED}ByID", domain.id, execution.workflow_id, body)
        return answer.answer_too_large

    return handle


# By the RPC's name.
HANDLERS: dict[str, Handler] = {
    **{rpc: _by_token(rpc, answer) for rpc, answer in _ANSWERS.items()},
    **{f"{rpc}ByID": _by_id(rpc, answer) for rpc, answer in _ANSWERS.items()},
}
