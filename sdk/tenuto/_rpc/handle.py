"""A workflow as its caller sees it: wait for its result, signal, query, cancel, terminate, describe, read its history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from tenuto import errors
from tenuto._failures import error_of, values_of
from tenuto._replay.definition import Signature
from tenuto._rpc import tracing
from tenuto._rpc.connection import CALL_SECONDS, WorkflowRpc, new_request_id
from tenuto._types import Seconds
from tenuto.errors import QueryRejectedError, TimedOutError, TimeoutType
from tenuto_api import api

if TYPE_CHECKING:
    from tenuto._rpc.client import Client

T = TypeVar("T")

# Below what the server holds such a poll for (20 s by default) nothing is gained; above, the answer is merely empty.
LONG_POLL_SECONDS = 30.0
HISTORY_PAGE_EVENTS = 1000
# Errors in a row that a wait for a result survives before it gives up: about a minute of an unreachable server.
POLL_FAILURES_MAX = 20


class WorkflowHandle(Generic[T]):
    """One workflow, by id and run id (empty: whichever run is current). From `Client`."""

    def __init__(self, client: Client, workflow_id: str, run_id: str, result_type: Any, first_run_id: str = "") -> None:
        self._client = client
        self._result_type = result_type
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.first_run_id = first_run_id

    def __repr__(self) -> str:
        return f"WorkflowHandle(workflow_id={self.workflow_id!r}, run_id={self.run_id!r})"

    @property
    def execution(self) -> api.WorkflowExecution:
        """The ids as the interface's message."""
        return api.WorkflowExecution(workflow_id=self.workflow_id, run_id=self.run_id)

    # ---- result ----

    async def result(self, *, timeout: Seconds | None = None, follow_runs: bool = True) -> T:
        """Waits for the workflow to close and returns its result.

        Follows a run that continued as new to the last of its chain, unless told not to. Raises the subclass of
        WorkflowExecutionError that says how it closed otherwise, and TimeoutError after `timeout`.
        """
        seconds = timeout.total_seconds() if timeout is not None and not isinstance(timeout, int | float) else timeout
        async with asyncio.timeout(seconds):
            run_id = self.run_id
            while True:
                event = await self._close_event(run_id)
                continued = event.workflow_execution_continued_as_new_event_attributes
                if not event.HasField("workflow_execution_continued_as_new_event_attributes"):
                    return self._outcome(event, run_id)
                if not follow_runs:
                    raise errors.WorkflowContinuedAsNewError(self.workflow_id, run_id, continued.new_execution_run_id)
                run_id = continued.new_execution_run_id

    async def _close_event(self, run_id: str) -> api.HistoryEvent:
        """Long polls for the run's closing event."""
        request = api.GetWorkflowExecutionHistoryRequest(
            domain=self._client.domain,
            workflow_execution=api.WorkflowExecution(workflow_id=self.workflow_id, run_id=run_id),
            wait_for_new_event=True,
            history_event_filter_type=api.EVENT_FILTER_TYPE_CLOSE_EVENT,
            skip_archival=True,
        )
        async for response in self._long_poll(request):
            if response.history.events:
                return response.history.events[-1]
        raise errors.RpcError(f"workflow {self.workflow_id}: its history ended without a closing event")

    async def _long_poll(
        self, request: api.GetWorkflowExecutionHistoryRequest
    ) -> AsyncIterator[api.GetWorkflowExecutionHistoryResponse]:
        """The answers of a history long poll, until the server gives no further token."""
        failures = 0
        while True:
            try:
                response = await self._client.connection.call(WorkflowRpc.history, request, LONG_POLL_SECONDS)
            except (errors.DeadlineExceededError, errors.UnavailableError):
                failures += 1
                if failures > POLL_FAILURES_MAX:
                    raise
                await asyncio.sleep(self._client.backoff.delay(failures))
                continue
            failures = 0
            yield response
            if not response.next_page_token:
                return
            request.next_page_token = response.next_page_token

    def _outcome(self, event: api.HistoryEvent, run_id: str) -> T:
        converter = self._client.converter
        kind = event.WhichOneof("attributes")
        if kind == "workflow_execution_completed_event_attributes":
            data = event.workflow_execution_completed_event_attributes.result.data
            value: T = self._client.decode(data, self._result_type)
            return value
        if kind == "workflow_execution_failed_event_attributes":
            cause = error_of(event.workflow_execution_failed_event_attributes.failure, converter)
            raise errors.WorkflowFailedError(self.workflow_id, run_id, f"failed: {cause}", cause)
        if kind == "workflow_execution_canceled_event_attributes":
            details = values_of(event.workflow_execution_canceled_event_attributes.details.data, converter)
            cancelled = errors.CancelledError(details=details)
            raise errors.WorkflowCancelledError(self.workflow_id, run_id, "was cancelled", cancelled)
        if kind == "workflow_execution_terminated_event_attributes":
            reason = event.workflow_execution_terminated_event_attributes.reason
            raise errors.WorkflowTerminatedError(self.workflow_id, run_id, f"was terminated: {reason}")
        if kind == "workflow_execution_timed_out_event_attributes":
            timeout = TimeoutType.of(event.workflow_execution_timed_out_event_attributes.timeout_type)
            raise errors.WorkflowTimeoutError(self.workflow_id, run_id, "timed out", TimedOutError(timeout))
        return self._unknown(kind)

    def _unknown(self, kind: str | None) -> NoReturn:
        raise errors.RpcError(f"workflow {self.workflow_id}: {kind} is no closing event")

    # ---- asking something of it ----

    async def signal(self, signal: str | Callable[..., Any], *args: Any, request_id: str = "") -> None:
        """Sends a signal (a name, or the handler method). Raises WorkflowAlreadyCompletedError when it is closed."""
        request = api.SignalWorkflowExecutionRequest(
            domain=self._client.domain,
            workflow_execution=self.execution,
            identity=self._client.connection.identity,
            request_id=request_id or new_request_id(),
            signal_name=signal_name(signal),
            signal_input=self._client.payload(args),
        )
        with tracing.client_span(f"SignalWorkflow:{request.signal_name}", self._client.domain, self.workflow_id):
            await self._client.connection.call(WorkflowRpc.signal, request)

    async def query(
        self,
        query: str | Callable[..., Any],
        *args: Any,
        result_type: Any = None,
        strong: bool = False,
        reject_if_closed: bool = False,
        reject_if_not_completed: bool = False,
        timeout: float = CALL_SECONDS,
    ) -> Any:
        """Asks a query (a name, or the handler method), answered by a worker from the workflow's state.

        `strong` waits for a decision under way. Raises QueryFailedError with the handler's text; its subclass
        QueryRejectedError where the workflow is closed and `reject_if_closed` is set, or where it closed otherwise than by
        completing and `reject_if_not_completed` is set.
        """
        name = query if isinstance(query, str) else str(getattr(query, "__tenuto_query__", query.__name__))
        request = api.QueryWorkflowRequest(
            domain=self._client.domain,
            workflow_execution=self.execution,
            query=api.WorkflowQuery(query_type=name, query_args=self._client.payload(args)),
        )
        if strong:
            request.query_consistency_level = api.QUERY_CONSISTENCY_LEVEL_STRONG
        if reject_if_closed:
            request.query_reject_condition = api.QUERY_REJECT_CONDITION_NOT_OPEN
        elif reject_if_not_completed:
            request.query_reject_condition = api.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY
        response = await self._client.connection.call(WorkflowRpc.query, request, timeout)
        if response.HasField("query_rejected"):
            name = api.WorkflowExecutionCloseStatus.Name(response.query_rejected.close_status)
            status = name.removeprefix("WORKFLOW_EXECUTION_CLOSE_STATUS_")
            raise QueryRejectedError(f"workflow {self.workflow_id} is closed ({status})", status)
        expected = result_type
        if expected is None:
            expected = Any if isinstance(query, str) else Signature.of(query).returns
        return self._client.decode(response.query_result.data, expected)

    async def cancel(self, reason: str = "", *, request_id: str = "") -> None:
        """Asks the workflow to cancel itself. Raises CancellationAlreadyRequestedError when someone else has."""
        request = api.RequestCancelWorkflowExecutionRequest(
            domain=self._client.domain,
            workflow_execution=self.execution,
            identity=self._client.connection.identity,
            request_id=request_id or new_request_id(),
            cause=reason,
            first_execution_run_id=self.first_run_id,
        )
        await self._client.connection.call(WorkflowRpc.cancel, request)

    async def terminate(self, reason: str = "", *details: Any) -> None:
        """Ends the workflow at once, without asking it."""
        request = api.TerminateWorkflowExecutionRequest(
            domain=self._client.domain,
            workflow_execution=self.execution,
            reason=reason,
            identity=self._client.connection.identity,
            first_execution_run_id=self.first_run_id,
        )
        if details:
            request.details.CopyFrom(self._client.payload(details))
        await self._client.connection.call(WorkflowRpc.terminate, request)

    async def describe(self) -> api.DescribeWorkflowExecutionResponse:
        """Its configuration, status, pending activities, children and decision, as the interface tells them."""
        request = api.DescribeWorkflowExecutionRequest(domain=self._client.domain, workflow_execution=self.execution)
        return await self._client.connection.call(WorkflowRpc.describe, request)

    async def history(self, *, wait: bool = False) -> AsyncIterator[api.HistoryEvent]:
        """The run's events in order, a page at a time; with `wait`, goes on with new ones until the run closes."""
        request = api.GetWorkflowExecutionHistoryRequest(
            domain=self._client.domain,
            workflow_execution=self.execution,
            page_size=HISTORY_PAGE_EVENTS,
            wait_for_new_event=wait,
            history_event_filter_type=api.EVENT_FILTER_TYPE_ALL_EVENT,
        )
        async for response in self._long_poll(request):
            for event in response.history.events:
                yield event


def signal_name(signal: str | Callable[..., Any]) -> str:
    """The name of a signal given as such or by its handler method."""
    return signal if isinstance(signal, str) else str(getattr(signal, "__tenuto_signal__", signal.__name__))
