"""What workers answer: decisions, activity results and heartbeats, by task token or by activity id.

The token says whose shard it is. A result, a failure's details or a heartbeat over the blob limit fails the activity
with a reason of its own instead (details cut at the limit), so that the workflow learns of it rather than the worker
alone.
"""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse, parse_token
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.transport.public import PublicCall

# Failure reasons that are never retried; the same texts as the official server's.
RESULT_TOO_LARGE = "COMPLETE_RESULT_EXCEEDS_LIMIT"
FAILURE_TOO_LARGE = "FAILURE_DETAILS_EXCEEDS_LIMIT"
CANCEL_TOO_LARGE = "CANCEL_DETAILS_EXCEEDS_LIMIT"
HEARTBEAT_TOO_LARGE = "HEARTBEAT_EXCEEDS_LIMIT"


async def respond_decision_task_completed(frontend: FrontendContext, call: PublicCall) -> bytes:
    """The decisions themselves are judged by history: a bad one fails the decision task, not the call."""
    request = parse(api.RespondDecisionTaskCompletedRequest, call.body)
    return await _by_token(frontend, call, "RespondDecisionTaskCompleted", request, call.body)


async def respond_decision_task_failed(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Details over the limit are cut: no client acts on them."""
    body = call.body
    request = parse(api.RespondDecisionTaskFailedRequest, body)
    validation.check_enum(request.cause, api.DecisionTaskFailedCause, "DecisionTaskFailedCause")
    limit = frontend.limits.blob_bytes_max
    if len(request.details.data) > limit:
        request.details.data = request.details.data[:limit]
        body = request.SerializeToString()
    return await _by_token(frontend, call, "RespondDecisionTaskFailed", request, body)


# --- activities, by token ---------------------------------------------------------------------------------------------
async def respond_activity_task_completed(frontend: FrontendContext, call: PublicCall) -> bytes:
    """The result of an activity."""
    request = parse(api.RespondActivityTaskCompletedRequest, call.body)
    if len(request.result.data) > frontend.limits.blob_bytes_max:
        return await _fail_instead(frontend, call, request, RESULT_TOO_LARGE, request.result.data)
    return await _by_token(frontend, call, "RespondActivityTaskCompleted", request, call.body)


async def respond_activity_task_failed(frontend: FrontendContext, call: PublicCall) -> bytes:
    """The failure of an activity, which history may retry."""
    request = parse(api.RespondActivityTaskFailedRequest, call.body)
    validation.check_failure(request.failure)
    if _failure_too_large(frontend, request.failure):
        return await _fail_instead(frontend, call, request, FAILURE_TOO_LARGE, request.failure.details)
    validation.check_blob(len(request.heartbeat_details.data), frontend.limits)
    return await _by_token(frontend, call, "RespondActivityTaskFailed", request, call.body)


async def respond_activity_task_canceled(frontend: FrontendContext, call: PublicCall) -> bytes:
    """An activity that gave way to a cancellation."""
    request = parse(api.RespondActivityTaskCanceledRequest, call.body)
    if len(request.details.data) > frontend.limits.blob_bytes_max:
        return await _fail_instead(frontend, call, request, CANCEL_TOO_LARGE, request.details.data)
    return await _by_token(frontend, call, "RespondActivityTaskCanceled", request, call.body)


async def record_activity_task_heartbeat(frontend: FrontendContext, call: PublicCall) -> bytes:
    """A sign of life; the answer says whether the activity should stop."""
    request = parse(api.RecordActivityTaskHeartbeatRequest, call.body)
    if len(request.details.data) > frontend.limits.blob_bytes_max:
        await _fail_instead(frontend, call, request, HEARTBEAT_TOO_LARGE, request.details.data)
        return api.RecordActivityTaskHeartbeatResponse(cancel_requested=True).SerializeToString()
    return await _by_token(frontend, call, "RecordActivityTaskHeartbeat", request, call.body)


_TokenRequest = (
    api.RespondDecisionTaskCompletedRequest
    | api.RespondDecisionTaskFailedRequest
    | api.RespondActivityTaskCompletedRequest
    | api.RespondActivityTaskFailedRequest
    | api.RespondActivityTaskCanceledRequest
    | api.RecordActivityTaskHeartbeatRequest
)


async def _by_token(frontend: FrontendContext, call: PublicCall, rpc: str, request: _TokenRequest, body: bytes) -> bytes:
    validation.check_length(request.identity, "Identity", frontend.limits)
    token = parse_token(request.task_token)
    await frontend.domain_by_id(token.domain_id, RateClass.WORKER_ANSWER)
    return await frontend.call_history(call, rpc, token.domain_id, token.workflow_id, body)


async def _fail_instead(
    frontend: FrontendContext, call: PublicCall, request: _TokenRequest, reason: str, details: bytes
) -> bytes:
    failed = api.RespondActivityTaskFailedRequest(
        task_token=request.task_token,
        failure=api.Failure(reason=reason, details=details[: frontend.limits.blob_bytes_max]),
        identity=request.identity,
    )
    return await _by_token(frontend, call, "RespondActivityTaskFailed", failed, failed.SerializeToString())


def _failure_too_large(frontend: FrontendContext, failure: api.Failure) -> bool:
    return len(failure.details) + len(failure.reason) > frontend.limits.blob_bytes_max


# --- activities, by id ------------------------------------------------------------------------------------------------
async def respond_activity_task_completed_by_id(frontend: FrontendContext, call: PublicCall) -> bytes:
    """As by token; an empty run id means the current run."""
    request = parse(api.RespondActivityTaskCompletedByIDRequest, call.body)
    if len(request.result.data) > frontend.limits.blob_bytes_max:
        return await _fail_by_id_instead(frontend, call, request, RESULT_TOO_LARGE, request.result.data)
    return await _by_id(frontend, call, "RespondActivityTaskCompletedByID", request, call.body)


async def respond_activity_task_failed_by_id(frontend: FrontendContext, call: PublicCall) -> bytes:
    """As by token; an empty run id means the current run."""
    request = parse(api.RespondActivityTaskFailedByIDRequest, call.body)
    validation.check_failure(request.failure)
    if _failure_too_large(frontend, request.failure):
        return await _fail_by_id_instead(frontend, call, request, FAILURE_TOO_LARGE, request.failure.details)
    validation.check_blob(len(request.heartbeat_details.data), frontend.limits)
    return await _by_id(frontend, call, "RespondActivityTaskFailedByID", request, call.body)


async def respond_activity_task_canceled_by_id(frontend: FrontendContext, call: PublicCall) -> bytes:
    """As by token; an empty run id means the current run."""
    request = parse(api.RespondActivityTaskCanceledByIDRequest, call.body)
    if len(request.details.data) > frontend.limits.blob_bytes_max:
        return await _fail_by_id_instead(frontend, call, request, CANCEL_TOO_LARGE, request.details.data)
    return await _by_id(frontend, call, "RespondActivityTaskCanceledByID", request, call.body)


async def record_activity_task_heartbeat_by_id(frontend: FrontendContext, call: PublicCall) -> bytes:
    """As by token; an empty run id means the current run."""
    request = parse(api.RecordActivityTaskHeartbeatByIDRequest, call.body)
    if len(request.details.data) > frontend.limits.blob_bytes_max:
        await _fail_by_id_instead(frontend, call, request, HEARTBEAT_TOO_LARGE, request.details.data)
        return api.RecordActivityTaskHeartbeatByIDResponse(cancel_requested=True).SerializeToString()
    return await _by_id(frontend, call, "RecordActivityTaskHeartbeatByID", request, call.body)


_ByIdRequest = (
    api.RespondActivityTaskCompletedByIDRequest
    | api.RespondActivityTaskFailedByIDRequest
    | api.RespondActivityTaskCanceledByIDRequest
    | api.RecordActivityTaskHeartbeatByIDRequest
)


async def _by_id(frontend: FrontendContext, call: PublicCall, rpc: str, request: _ByIdRequest, body: bytes) -> bytes:
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    execution, limits = request.workflow_execution, frontend.limits
    validation.check_execution(execution, True, limits)
    if not request.activity_id:
        raise BadRequest("ActivityID is not set on request.")
    validation.check_length(request.activity_id, "ActivityID", limits)
    validation.check_length(request.identity, "Identity", limits)
    domain = await frontend.domain(request.domain, RateClass.WORKER_ANSWER)
    return await frontend.call_history(call, rpc, domain.id, execution.workflow_id, body)


async def _fail_by_id_instead(
    frontend: FrontendContext, call: PublicCall, request: _ByIdRequest, reason: str, details: bytes
) -> bytes:
    failed = api.RespondActivityTaskFailedByIDRequest(
        domain=request.domain,
        workflow_execution=request.workflow_execution,
        activity_id=request.activity_id,
        failure=api.Failure(reason=reason, details=details[: frontend.limits.blob_bytes_max]),
        identity=request.identity,
    )
    return await _by_id(frontend, call, "RespondActivityTaskFailedByID", failed, failed.SerializeToString())
