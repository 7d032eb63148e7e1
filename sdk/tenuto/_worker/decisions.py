"""Works on decision tasks: brings the run's replayer up to date, answers with its decisions or with a query's result.

A sticky task carries only the events since this worker's last decision. If the replayer in the cache does not stand exactly
there (it was dropped, or its last answer never took effect), the whole history is fetched and replayed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence

from tenuto._replay.definition import WorkflowDefinition
from tenuto._replay.replayer import HistoryGapError, Replayer
from tenuto._rpc import tracing
from tenuto._rpc.connection import BaseConnection, WorkerRpc, WorkflowRpc
from tenuto._types import Seconds, duration
from tenuto._worker.about import about
from tenuto._worker.cache import StickyCache
from tenuto._worker.local_activities import LocalActivityRunner
from tenuto._worker.local_dispatch import LocalDispatch
from tenuto.converter import DataConverter
from tenuto.errors import EntityNotExistsError, RpcError, UnknownWorkflowTypeError
from tenuto_api import api

logger = logging.getLogger("tenuto.worker")

HISTORY_PAGE_EVENTS = 1000
# Workflow code shares the worker's loop: what computes for longer than this holds up heartbeats and polls.
SLOW_TURN_SECONDS = 1.0
REPORT_SECONDS = 60.0


class DecisionRunner:
    """See the module. `run(task)` never raises."""

    def __init__(
        self,
        connection: BaseConnection,
        workflows: Mapping[str, WorkflowDefinition],
        *,
        domain: str,
        converter: DataConverter,
        cache: StickyCache,
        sticky_list: str,
        sticky_timeout: Seconds,
        binary_checksum: str,
        local: LocalActivityRunner,
        dispatch: LocalDispatch | None,
    ) -> None:
        self._connection = connection
        self._workflows = workflows
        self._domain = domain
        self._converter = converter
        self._cache = cache
        self._checksum = binary_checksum
        self._local = local
        self._dispatch = dispatch
        self._sticky: api.StickyExecutionAttributes | None = None
        if sticky_list:
            self._sticky = api.StickyExecutionAttributes(
                worker_task_list=api.TaskList(name=sticky_list, kind=api.TASK_LIST_KIND_STICKY),
                schedule_to_start_timeout=duration(sticky_timeout),
            )

    async def run(self, task: api.PollForDecisionTaskResponse) -> None:
        """Answers a task, and then each further one that comes with the answer's acknowledgement."""
        following: api.PollForDecisionTaskResponse | None = task
        while following is not None:
            following = await self._run_one(following)

    async def _run_one(self, task: api.PollForDecisionTaskResponse) -> api.PollForDecisionTaskResponse | None:
        execution = task.workflow_execution
        try:
            if task.HasField("query"):
                await self._answer_query(task)
                return None
            return await self._decide(task)
        except EntityNotExistsError as error:
            extra = about(execution, self._domain)
            logger.info("decision for workflow %s came too late: %s", execution.workflow_id, error, extra=extra)
        except (RpcError, HistoryGapError) as error:
            extra = about(execution, self._domain)
            logger.warning("decision for workflow %s could not be made: %s", execution.workflow_id, error, extra=extra)
        except Exception as error:
            await self._report_failure(task, error)
        self._cache.drop(execution.run_id)
        return None

    # ---- decisions ----

    async def _decide(self, task: api.PollForDecisionTaskResponse) -> api.PollForDecisionTaskResponse | None:
        begun = asyncio.get_running_loop().time()
        replayer, events = await self._position(task)
        try:
            return await self._advance(task, replayer, events, begun)
        except BaseException:
            replayer.discard()
            raise

    async def _advance(
        self, task: api.PollForDecisionTaskResponse, replayer: Replayer, events: Sequence[api.HistoryEvent], arrived: float
    ) -> api.PollForDecisionTaskResponse | None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        begun_ns = time.time_ns() if tracing.is_on() else None
        replayer.begin(events)
        seconds = loop.time() - begun
        if seconds > SLOW_TURN_SECONDS:
            workflow = task.workflow_execution.workflow_id
            extra = about(task.workflow_execution, self._domain)
            logger.warning(
                "workflow %s held the event loop for %.1f s over %d events", workflow, seconds, len(events), extra=extra
            )
        if replayer.last_started_event_id != task.started_event_id:
            raise HistoryGapError(f"history ends before event {task.started_event_id}")
        # The run's header is known only now.
        execution = task.workflow_execution
        attributes = {
            tracing.DOMAIN: self._domain,
            tracing.WORKFLOW_ID: execution.workflow_id,
            tracing.RUN_ID: execution.run_id,
            "tenuto.decision.attempt": task.attempt,
        }
        header = {key: api.Payload(data=data) for key, data in replayer.info.header.items()}
        with tracing.worker_span(f"Decision:{task.workflow_type.name}", header, attributes, begun_ns):
            response = await self._answer(task, replayer, arrived)
        return response.decision_task if response.HasField("decision_task") else None

    async def _answer(
        self, task: api.PollForDecisionTaskResponse, replayer: Replayer, arrived: float
    ) -> api.RespondDecisionTaskCompletedResponse:
        goes_on = bool(replayer.local_activities) and await self._local.serve(replayer, arrived)
        request = api.RespondDecisionTaskCompletedRequest(
            task_token=task.task_token,
            decisions=replayer.finish(),
            identity=self._connection.identity,
            sticky_attributes=None if replayer.closed else self._sticky,
            return_new_decision_task=self._sticky is not None,
            force_create_new_decision_task=goes_on,
            binary_checksum=self._checksum,
        )
        if not goes_on:
            # Else the state is not yet the one that was asked for: the queries come again with the next task.
            for query_id, query in task.queries.items():
                request.query_results[query_id].CopyFrom(replayer.query(query))
        if replayer.closed:
            replayer.discard()
        else:
            self._cache.put(task.workflow_execution.run_id, replayer)
        tracing.pass_on(request.decisions)
        return await self._send(task, request)

    async def _send(
        self, task: api.PollForDecisionTaskResponse, request: api.RespondDecisionTaskCompletedRequest
    ) -> api.RespondDecisionTaskCompletedResponse:
        """Sends the decisions, and runs the activities that the server leaves to this worker."""
        dispatch = self._dispatch
        asked = await dispatch.ask(request.decisions) if dispatch is not None else []
        try:
            response = await self._connection.call(WorkerRpc.decided, request, REPORT_SECONDS)
        except BaseException:
            if dispatch is not None:
                dispatch.give_up(asked)
            raise
        if dispatch is not None:
            dispatch.start(asked, response, task)
        return response

    async def _position(
        self, task: api.PollForDecisionTaskResponse
    ) -> tuple[Replayer, Sequence[api.HistoryEvent]]:
        """A replayer, out of the cache while it works on the task, and the events that bring it there."""
        events: Sequence[api.HistoryEvent] = task.history.events
        if task.next_page_token:
            events = [*events, *await self._fetch(task, task.next_page_token)]
        cached = self._cache.take(task.workflow_execution.run_id)
        if (
            cached is not None
            and events
            and events[0].event_id == cached.last_started_event_id + 1
            and task.previous_started_event_id.value == cached.last_started_event_id
        ):
            return cached, events
        if cached is not None:
            cached.discard()
        if not events or events[0].event_id != 1:
            events = await self._fetch(task, b"")
        return self._new_replayer(task), events

    def _new_replayer(self, task: api.PollForDecisionTaskResponse) -> Replayer:
        definition = self._workflows.get(task.workflow_type.name)
        if definition is None:
            known = ", ".join(sorted(self._workflows))
            raise UnknownWorkflowTypeError(f"workflow {task.workflow_type.name} is not among this worker's: {known}")
        execution = task.workflow_execution
        return Replayer(
            definition,
            domain=self._domain,
            workflow_id=execution.workflow_id,
            run_id=execution.run_id,
            converter=self._converter,
        )

    async def _fetch(self, task: api.PollForDecisionTaskResponse, token: bytes) -> list[api.HistoryEvent]:
        """The history from a page token on (empty: from its start), up to the task's started event."""
        events: list[api.HistoryEvent] = []
        request = api.GetWorkflowExecutionHistoryRequest(
            domain=self._domain,
            workflow_execution=task.workflow_execution,
            page_size=HISTORY_PAGE_EVENTS,
            next_page_token=token,
        )
        while True:
            response = await self._connection.call(WorkflowRpc.history, request)
            events.extend(response.history.events)
            if not response.next_page_token:
                break
            request.next_page_token = response.next_page_token
        if task.started_event_id:
            events = [event for event in events if event.event_id <= task.started_event_id]
        return events

    async def _report_failure(self, task: api.PollForDecisionTaskResponse, error: Exception) -> None:
        """The code cannot follow. Said once; later attempts wait for the decision timeout, so that a bad deploy does not
        spin (the server makes a new attempt at once when told)."""
        workflow = task.workflow_execution.workflow_id
        extra = about(task.workflow_execution, self._domain)
        logger.error("workflow %s: decision attempt %d failed", workflow, task.attempt, exc_info=error, extra=extra)
        if task.HasField("query"):
            await self._send_query_result(task, _failed(str(error)))
            return
        if task.attempt > 0:
            return
        text = f"{type(error).__name__}: {error}"
        request = api.RespondDecisionTaskFailedRequest(
            task_token=task.task_token,
            cause=api.DECISION_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
            details=api.Payload(data=text.encode()),
            identity=self._connection.identity,
            binary_checksum=self._checksum,
        )
        try:
            await self._connection.call(WorkerRpc.decision_failed, request)
        except RpcError as problem:
            logger.warning("workflow %s: the failure could not be reported: %s", workflow, problem, extra=extra)

    # ---- queries ----

    async def _answer_query(self, task: api.PollForDecisionTaskResponse) -> None:
        replayer = await self._for_query(task)
        await self._send_query_result(task, replayer.query(task.query))
        if self._cache.get(task.workflow_execution.run_id) is not replayer:
            replayer.discard()

    async def _for_query(self, task: api.PollForDecisionTaskResponse) -> Replayer:
        """The cached replayer if it stands at the run's last decision, else one made by replaying the whole history."""
        cached = self._cache.get(task.workflow_execution.run_id)
        if cached is not None:
            previous = task.previous_started_event_id.value
            sticky = not task.history.events  # sent to this worker because its cache is meant to be current
            if previous == cached.last_started_event_id or (previous == 0 and sticky):
                return cached
        events: Sequence[api.HistoryEvent] = task.history.events
        if task.next_page_token:
            events = [*events, *await self._fetch(task, task.next_page_token)]
        if not events or events[0].event_id != 1:
            events = await self._fetch(task, b"")
        if events and events[-1].HasField("decision_task_started_event_attributes"):
            # That decision is not made yet, and not for a query to make.
            events = events[:-1]
        replayer = self._new_replayer(task)
        replayer.advance(events)
        return replayer

    async def _send_query_result(
        self, task: api.PollForDecisionTaskResponse, result: api.WorkflowQueryResult
    ) -> None:
        request = api.RespondQueryTaskCompletedRequest(task_token=task.task_token, result=result)
        try:
            await self._connection.call(WorkerRpc.query_answered, request)
        except RpcError as error:
            logger.warning("the answer to query %s could not be sent: %s", task.query.query_type, error)


def _failed(text: str) -> api.WorkflowQueryResult:
    return api.WorkflowQueryResult(result_type=api.QUERY_RESULT_TYPE_FAILED, error_message=text)
