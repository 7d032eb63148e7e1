"""QueryWorkflow: asks a worker for the state of a run, directly through matching or with the run's decision task.

A query writes nothing. It needs a run whose first decision is done, for before that no worker has anything to tell; it
waits for one while there is time. A strong query that finds a decision pending waits for it (see `history.queries`);
every other goes at once to a worker: to the one that keeps the run's state, if it takes the query in the time it has for
decisions, else to any, which replays the history. So a closed run can be asked as long as its history is kept.
"""

from __future__ import annotations

import asyncio

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history import events, paging, views
from tenuto_server.history.core import Core
from tenuto_server.history.engine import decision_task
from tenuto_server.history.queries import BufferedQueries
from tenuto_server.history.run import Run
from tenuto_server.transport.network import InternalCall

NOT_YET = "workflow must handle at least one decision task before it can be queried"
_NOT_OPEN = api.QUERY_REJECT_CONDITION_NOT_OPEN
_NOT_COMPLETED_CLEANLY = api.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY
# The wait for the first decision ends so long before the caller's time does.
_MARGIN_S = 1.0
# Errors travel in the trailer, of which clients take eight kibibytes; the text is in it twice.
_ERROR_CHARS_MAX = 2000
# Of a caller that set no deadline.
_TIME_S = 10.0


async def query(core: Core, call: InternalCall) -> bytes:
    """QueryWorkflow."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    request = api.QueryWorkflowRequest.FromString(envelope.request)
    named = request.workflow_execution
    run = await core.run(envelope.domain_id, named.workflow_id, named.run_id)
    if _is_rejected(run, request.query_reject_condition):
        response = api.QueryWorkflowResponse()
        response.query_rejected.close_status = views.close_status(run.state)
        await core.durable(run)
        return response.SerializeToString()
    deadline = call.deadline if call.deadline is not None else asyncio.get_running_loop().time() + _TIME_S
    await _first_decision(core, run, deadline - _MARGIN_S)
    result = None
    if request.query_consistency_level == api.QUERY_CONSISTENCY_LEVEL_STRONG:
        result = await _with_decision(core, run, request.query)
    if result is None:
        result = await _directly(core, run, request.query, deadline)
    if result.result_type != api.QUERY_RESULT_TYPE_ANSWERED:
        raise errors.QueryFailed(result.error_message[:_ERROR_CHARS_MAX])
    response = api.QueryWorkflowResponse()
    response.query_result.CopyFrom(result.answer)
    return response.SerializeToString()


def _is_rejected(run: Run, condition: int) -> bool:
    status = run.state.close_status
    if condition == _NOT_COMPLETED_CLEANLY:
        return bool(status) and status != api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED
    return condition == _NOT_OPEN and bool(status)


async def _first_decision(core: Core, run: Run, until: float) -> None:
    """Waits for the first finished decision. Raises QueryFailed where there will be none in time."""
    while not run.state.previous_started_id:
        if run.is_closed or not await core.news(run, until):
            raise errors.QueryFailed(NOT_YET)


async def _with_decision(core: Core, run: Run, query: api.WorkflowQuery) -> api.WorkflowQueryResult | None:
    """The answer of the worker at the pending decision; None where the query is to be asked directly."""
    if run.state.decision is None or not run.state.is_open:
        return None
    query_id = core.runtime.new_id()
    if run.queries is None:
        run.queries = BufferedQueries()
    outcome = run.queries.buffer(query_id, query, core.settings.buffered_queries_max)
    try:
        result = await outcome
    finally:
        if run.queries is not None:
            run.queries.remove(query_id)
            if not run.queries:
                run.queries = None
    core.require(run)
    await core.durable(run)
    return result


async def _directly(core: Core, run: Run, query: api.WorkflowQuery, deadline: float) -> api.WorkflowQueryResult:
    """Asks through matching: the sticky worker first, if there is one."""
    state = run.state
    sticky_list, left_s = state.sticky_task_list, deadline - asyncio.get_running_loop().time()
    if sticky_list and state.is_open:
        timeout_s = float(state.sticky_timeout_s)
        try:
            answer = await _ask(core, run, query, sticky_list, api.TASK_LIST_KIND_STICKY, min(left_s, timeout_s))
        except errors.DeadlineExceeded:
            if left_s <= timeout_s:
                # The caller's time is over: that says nothing of the worker.
                raise
            answer = None
        if answer is not None and not answer.no_sticky_poller:
            return answer.result
        core.require(run)
        if answer is None:
            _unstick(core, run, sticky_list)
        left_s = deadline - asyncio.get_running_loop().time()
    answer = await _ask(core, run, query, state.task_list, api.TASK_LIST_KIND_NORMAL, left_s)
    return answer.result


async def _ask(
    core: Core, run: Run, query: api.WorkflowQuery, task_list: str, kind: api.TaskListKind, timeout_s: float
) -> internal.QueryTaskResponse:
    state = run.state
    request = internal.QueryTaskRequest(
        history_address=core.address,
        domain_id=state.domain_id,
        workflow_id=state.workflow_id,
        run_id=state.run_id,
        task_list=task_list,
        kind=kind,
        query=query,
    )
    address = core.router.matching_address(state.domain_id, task_list, int(internal.TASK_TYPE_DECISION))
    answer = await core.network.call(address, "QueryTask", request.SerializeToString(), timeout_s)
    return internal.QueryTaskResponse.FromString(answer)


def _unstick(core: Core, run: Run, sticky_list: str) -> None:
    """The sticky worker did not answer in time: it is no longer counted on, unless another one is by now."""
    state = run.state
    if state.is_open and state.sticky_task_list == sticky_list:
        with core.step(run) as turn:
            decision_task.unstick(turn, state.decision.schedule_id if state.decision is not None else 0)


async def start_query(core: Core, call: InternalCall) -> bytes:
    """StartQuery: the decision poll response of a query task, but for its token and query.

    The worker that keeps the run's state needs no history; any other gets all that is durable by now.
    """
    request = internal.StartQueryRequest.FromString(call.body)
    run = await core.run(request.domain_id, request.workflow_id, request.run_id)
    await core.durable(run)
    state = run.state
    response = views.query_response(state).SerializeToString()
    if state.is_open and request.task_list == state.sticky_task_list:
        return response + views.history_bytes([])
    until = state.next_event_id
    page_until = min(until, 1 + core.settings.history_page_max)
    bytes_max = max(1, core.settings.history_page_bytes_max - request.query_bytes)
    frames = await events.read(core.store, run, 1, page_until, bytes_max)
    next_id = 1 + len(frames)
    if next_id < until:
        token = paging.encode(paging.PageToken(state.run_id, next_id, until, False))
        response += api.PollForDecisionTaskResponse(next_page_token=token).SerializeToString()
    return response + views.history_bytes(frames)
