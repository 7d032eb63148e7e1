"""Queries: the question of a client, and a worker's answer to it.

The question goes to the owner of the workflow's shard, which finds a worker; the answer goes to the matching process in which the
question waits, as the query task's token says.
"""

from __future__ import annotations

from tenuto_api import api, internal
from tenuto_server.errors import BadRequest, EntityNotExists
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse, parse_token_of
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.transport.public import PublicCall

# What is longer would not fit into the asker's trailer anyway.
ERROR_CHARS_MAX = 10_000
QUERY_NOT_FOUND = "query task not found, or already expired"


async def query_workflow(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Waits for the answer as long as the caller does. Asked again on the way it does no harm: a query changes nothing."""
    request = parse(api.QueryWorkflowRequest, call.body)
    limits = frontend.limits
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    execution = request.workflow_execution
    validation.check_execution(execution, request.HasField("workflow_execution"), limits)
    if not request.HasField("query"):
        raise BadRequest("Query is not set on request.")
    if not request.query.query_type:
        raise BadRequest("QueryType is not set on request.")
    validation.check_length(request.query.query_type, "QueryType", limits)
    size = len(request.query.query_args.data)
    validation.check_blob(size, limits, request.domain, execution.workflow_id, execution.run_id)
    validation.check_enum(request.query_reject_condition, api.QueryRejectCondition, "QueryRejectCondition")
    validation.check_enum(request.query_consistency_level, api.QueryConsistencyLevel, "QueryConsistencyLevel")
    domain = await frontend.domain(request.domain, RateClass.USER)
    return await frontend.call_history(call, "QueryWorkflow", domain.id, execution.workflow_id, call.body)


async def respond_query_task_completed(frontend: FrontendContext, call: PublicCall) -> bytes:
    """An answer over the blob limit becomes a failure that says so: the asker learns of it rather than the worker."""
    request = parse(api.RespondQueryTaskCompletedRequest, call.body)
    token = _parse_token(request.task_token)
    result = request.result
    validation.check_enum(result.result_type, api.QueryResultType, "QueryResultType")
    if result.result_type == api.QUERY_RESULT_TYPE_INVALID:
        raise BadRequest("QueryResultType is not set on request.")
    limit = frontend.limits.blob_bytes_max
    if len(result.answer.data) > limit:
        result = api.WorkflowQueryResult(
            result_type=api.QUERY_RESULT_TYPE_FAILED, error_message=validation.BLOB_TOO_LARGE
        )
    elif len(result.error_message) > ERROR_CHARS_MAX:
        result.error_message = result.error_message[:ERROR_CHARS_MAX]
    await frontend.domain_by_id(token.domain_id, RateClass.WORKER_ANSWER)
    # Nothing but a matching process of this cluster: a token comes from outside.
    if token.matching_address not in frontend.router.matching_addresses():
        raise EntityNotExists(QUERY_NOT_FOUND)
    answer = internal.AnswerQueryRequest(domain_id=token.domain_id, task_id=token.task_id, result=result)
    await frontend.call_address(token.matching_address, "AnswerQuery", answer.SerializeToString(), frontend.deadline(call))
    return b""


def _parse_token(token: bytes) -> internal.QueryToken:
    parsed = parse_token_of(internal.QueryToken, token)
    if not (parsed.domain_id and parsed.task_id and parsed.matching_address):
        raise BadRequest(validation.INVALID_TASK_TOKEN)
    return parsed
