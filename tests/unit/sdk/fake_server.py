# ruff: noqa: N802  the methods that serve calls are named as the calls are
"""A small Cadence server in memory for the SDK's tests: one domain, the calls a client and a worker make, real sockets.

It keeps the interface's rules that matter to an SDK: sticky and normal task lists, partial history on sticky tasks, inline
decision tasks, events buffered while a decision runs, typed errors in the trailer. Timers fire when a test says so
(`fire_timers`), so that nothing waits for clocks. Every request is kept in `calls`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped,unused-ignore]

from tenuto_api import api
from tests.scenarios.sdk.histories import History

CLOSING = {"complete_workflow_execution", "fail_workflow_execution", "cancel_workflow_execution",
           "continue_as_new_workflow_execution"}  # fmt: skip


@dataclass
class Refusal(Exception):
    """A gRPC error with an optional detail."""

    code: grpc.StatusCode
    message: str
    detail: Any = None

    def trailer(self) -> tuple[tuple[str, bytes], ...]:
        """The status details as the interface sends them."""
        if self.detail is None:
            return ()
        packed = any_pb2.Any()
        packed.Pack(self.detail)
        status = status_pb2.Status(code=self.code.value[0], message=self.message, details=[packed])
        return (("grpc-status-details-bin", status.SerializeToString()),)


@dataclass
class Activity:
    """An open activity."""

    activity_id: str
    attributes: api.ScheduleActivityTaskDecisionAttributes
    scheduled_id: int
    attempt: int = 0
    details: bytes = b""
    cancel_requested: bool = False


@dataclass
class Run:
    """One workflow run."""

    workflow_id: str
    run_id: str
    workflow_type: str
    task_list: str
    history: History = field(default_factory=History)
    state: str = "idle"  # of its decision: idle, scheduled, started
    attempt: int = 0
    previous_started: int = 0
    sticky: str = ""
    buffered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    activities: dict[str, Activity] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    queries: dict[str, api.WorkflowQuery] = field(default_factory=dict)
    query_results: dict[str, api.WorkflowQueryResult] = field(default_factory=dict)
    closed: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def touch(self) -> None:
        """Wakes whoever waits for the run to move."""
        self.changed.set()
        self.changed = asyncio.Event()


class FakeServer:
    """See the module. `async with FakeServer() as server`, then connect to `server.target`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.metadata: list[dict[str, Any]] = []
        self.failures: dict[str, list[Refusal]] = defaultdict(list)  # errors to answer with, by method
        self.runs: dict[str, Run] = {}
        self.current: dict[str, str] = {}
        self.decisions: dict[str, asyncio.Queue[Any]] = defaultdict(asyncio.Queue)
        self.activities: dict[str, asyncio.Queue[tuple[Run, Activity]]] = defaultdict(asyncio.Queue)
        self.waiting_queries: dict[bytes, asyncio.Future[api.WorkflowQueryResult]] = {}
        self.polls = 0  # waiting now
        self._server = grpc.aio.server()
        self.target = ""

    async def __aenter__(self) -> Self:
        for service, names in SERVICES.items():
            handlers = {name: self._handler(name) for name in names}
            generic = grpc.method_handlers_generic_handler(f"uber.cadence.api.v1.{service}", handlers)
            self._server.add_generic_rpc_handlers((generic,))
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.target = f"127.0.0.1:{port}"
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(None)

    def _handler(self, name: str) -> Any:
        method: Callable[[Any], Awaitable[Any]] = getattr(self, "do_" + name)
        response = getattr(api, name + "Response")

        async def serve(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            self.calls.append((name, request))
            self.metadata.append(dict(context.invocation_metadata() or ()))
            try:
                if self.failures[name]:
                    raise self.failures[name].pop(0)
                return await method(request)
            except Refusal as refusal:
                await context.abort(refusal.code, refusal.message, refusal.trailer())

        return grpc.unary_unary_rpc_method_handler(
            serve,
            request_deserializer=getattr(api, name + "Request").FromString,
            response_serializer=response.SerializeToString,
        )

    # ---- what tests do ----

    def run_of(self, workflow_id: str) -> Run:
        """The current run of a workflow id."""
        run = self.runs.get(self.current.get(workflow_id, ""))
        if run is None:
            raise missing(f"Workflow execution not found.  WorkflowId: {workflow_id}")
        return run

    def of(self, name: str) -> list[Any]:
        """The requests of one method so far."""
        return [request for method, request in self.calls if method == name]

    def fire_timers(self, workflow_id: str) -> None:
        """All open timers of a workflow fire."""
        run = self.run_of(workflow_id)
        for timer_id, started in list(run.timers.items()):
            del run.timers[timer_id]
            self.happen(run, "timer_fired", timer_id=timer_id, started_event_id=started)

    # ---- history ----

    def happen(self, run: Run, name: str, **fields: Any) -> None:
        """An event from outside: buffered while a decision runs, else written, and a decision is wanted."""
        if run.state == "started":
            run.buffered.append((name, fields))
            return
        run.history.add(name, **fields)
        self.want_decision(run)

    def want_decision(self, run: Run) -> None:
        """Schedules a decision task unless there is one."""
        if run.state == "idle" and not run.closed:
            run.history.add("decision_task_scheduled")
            run.history.scheduled_id = run.history.last_id
            run.state = "scheduled"
            self.decisions[run.sticky or run.task_list].put_nowait(run)
        run.touch()

    async def _wait(self, tasks: asyncio.Queue[Any]) -> Any:
        self.polls += 1
        try:
            return await tasks.get()
        finally:
            self.polls -= 1

    def decision_task(self, run: Run, sticky: bool) -> api.PollForDecisionTaskResponse:
        """Starts the scheduled decision."""
        run.history.begin()
        run.state = "started"
        events = run.history.events[run.previous_started if sticky else 0 :]
        task = api.PollForDecisionTaskResponse(
            task_token=f"d:{run.run_id}:{run.history.started_id}".encode(),
            workflow_execution=api.WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
            workflow_type=api.WorkflowType(name=run.workflow_type),
            started_event_id=run.history.started_id,
            attempt=run.attempt,
            history=api.History(events=events),
        )
        if run.previous_started:
            task.previous_started_event_id.value = run.previous_started
        for query_id, query in run.queries.items():
            task.queries[query_id].CopyFrom(query)
        run.queries.clear()
        return task

    # ---- workflow calls ----

    async def do_DescribeDomain(self, request: api.DescribeDomainRequest) -> api.DescribeDomainResponse:
        if request.name != "default":
            raise missing(f"Domain {request.name} does not exist.")
        return api.DescribeDomainResponse(domain=api.Domain(name=request.name))

    async def do_StartWorkflowExecution(
        self, request: api.StartWorkflowExecutionRequest
    ) -> api.StartWorkflowExecutionResponse:
        before = self.runs.get(self.current.get(request.workflow_id, ""))
        if before is not None and not before.closed:
            detail = api.WorkflowExecutionAlreadyStartedError(run_id=before.run_id)
            raise Refusal(grpc.StatusCode.ALREADY_EXISTS, "Workflow execution is already running.", detail)
        run = self.new_run(request.workflow_id, request.workflow_type.name, request.task_list.name, request.input)
        started = run.history.events[0].workflow_execution_started_event_attributes
        started.header.CopyFrom(request.header)
        self.want_decision(run)
        return api.StartWorkflowExecutionResponse(run_id=run.run_id)

    def new_run(self, workflow_id: str, workflow_type: str, task_list: str, data: api.Payload) -> Run:
        """A run with its first event."""
        run = Run(workflow_id, str(uuid.uuid4()), workflow_type, task_list)
        run.history.start(
            input=data,
            workflow_type=api.WorkflowType(name=workflow_type),
            task_list=api.TaskList(name=task_list),
            original_execution_run_id=run.run_id,
        )
        self.runs[run.run_id] = run
        self.current[workflow_id] = run.run_id
        return run

    async def do_SignalWorkflowExecution(
        self, request: api.SignalWorkflowExecutionRequest
    ) -> api.SignalWorkflowExecutionResponse:
        run = self.run_of(request.workflow_execution.workflow_id)
        if run.closed:
            raise missing("Workflow execution already completed.")
        name = "workflow_execution_signaled"
        self.happen(run, name, signal_name=request.signal_name, input=request.signal_input)
        return api.SignalWorkflowExecutionResponse()

    async def do_SignalWithStartWorkflowExecution(
        self, request: api.SignalWithStartWorkflowExecutionRequest
    ) -> api.SignalWithStartWorkflowExecutionResponse:
        start = request.start_request
        run = self.runs.get(self.current.get(start.workflow_id, ""))
        if run is None or run.closed:
            run = self.new_run(start.workflow_id, start.workflow_type.name, start.task_list.name, start.input)
        name = "workflow_execution_signaled"
        self.happen(run, name, signal_name=request.signal_name, input=request.signal_input)
        return api.SignalWithStartWorkflowExecutionResponse(run_id=run.run_id)

    async def do_RequestCancelWorkflowExecution(
        self, request: api.RequestCancelWorkflowExecutionRequest
    ) -> api.RequestCancelWorkflowExecutionResponse:
        run = self.run_of(request.workflow_execution.workflow_id)
        self.happen(run, "workflow_execution_cancel_requested", cause=request.cause)
        return api.RequestCancelWorkflowExecutionResponse()

    async def do_TerminateWorkflowExecution(
        self, request: api.TerminateWorkflowExecutionRequest
    ) -> api.TerminateWorkflowExecutionResponse:
        run = self.run_of(request.workflow_execution.workflow_id)
        run.history.add("workflow_execution_terminated", reason=request.reason)
        run.closed = True
        run.touch()
        return api.TerminateWorkflowExecutionResponse()

    async def do_GetWorkflowExecutionHistory(
        self, request: api.GetWorkflowExecutionHistoryRequest
    ) -> api.GetWorkflowExecutionHistoryResponse:
        run = self.runs.get(request.workflow_execution.run_id) or self.run_of(request.workflow_execution.workflow_id)
        response = api.GetWorkflowExecutionHistoryResponse()
        response.history.SetInParent()
        closing = request.history_event_filter_type == api.EVENT_FILTER_TYPE_CLOSE_EVENT
        while request.wait_for_new_event and closing and not run.closed:
            await run.changed.wait()
        response.history.events.extend(run.history.events[-1:] if closing else run.history.events)
        return response

    async def do_QueryWorkflow(self, request: api.QueryWorkflowRequest) -> api.QueryWorkflowResponse:
        run = self.run_of(request.workflow_execution.workflow_id)
        token = f"q:{uuid.uuid4()}".encode()
        answer = self.waiting_queries[token] = asyncio.get_running_loop().create_future()
        task = api.PollForDecisionTaskResponse(
            task_token=token,
            workflow_execution=api.WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
            workflow_type=api.WorkflowType(name=run.workflow_type),
            query=request.query,
        )
        task.history.SetInParent()
        if run.previous_started:
            task.previous_started_event_id.value = run.previous_started
        if not run.sticky:
            task.history.events.extend(run.history.events)
        self.decisions[run.sticky or run.task_list].put_nowait(task)
        result = await answer
        if result.result_type == api.QUERY_RESULT_TYPE_FAILED:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, result.error_message, api.QueryFailedError())
        return api.QueryWorkflowResponse(query_result=result.answer)

    async def do_DescribeWorkflowExecution(
        self, request: api.DescribeWorkflowExecutionRequest
    ) -> api.DescribeWorkflowExecutionResponse:
        run = self.run_of(request.workflow_execution.workflow_id)
        response = api.DescribeWorkflowExecutionResponse()
        response.workflow_execution_info.history_length = run.history.last_id
        return response

    async def do_ListOpenWorkflowExecutions(
        self, request: api.ListOpenWorkflowExecutionsRequest
    ) -> api.ListOpenWorkflowExecutionsResponse:
        """One run a page, so that paging is used."""
        found = [run for run in self.runs.values() if not run.closed]
        start = int(request.next_page_token or b"0")
        response = api.ListOpenWorkflowExecutionsResponse()
        for run in found[start : start + 1]:
            response.executions.add().workflow_execution.workflow_id = run.workflow_id
        if start + 1 < len(found):
            response.next_page_token = str(start + 1).encode()
        return response

    # ---- worker calls: decisions ----

    async def do_PollForDecisionTask(
        self, request: api.PollForDecisionTaskRequest
    ) -> api.PollForDecisionTaskResponse:
        item = await self._wait(self.decisions[request.task_list.name])
        if isinstance(item, api.PollForDecisionTaskResponse):
            return item
        return self.decision_task(item, request.task_list.kind == api.TASK_LIST_KIND_STICKY)

    async def do_RespondDecisionTaskCompleted(
        self, request: api.RespondDecisionTaskCompletedRequest
    ) -> api.RespondDecisionTaskCompletedResponse:
        run = self._decided_run(request.task_token)
        run.history.decided()
        run.previous_started = run.history.started_id
        run.sticky = request.sticky_attributes.worker_task_list.name
        run.attempt = 0
        run.query_results.update(request.query_results)
        run.state = "idle"
        for decision in request.decisions:
            self._decide(run, decision)
        wanted = bool(run.buffered)
        for name, fields in run.buffered:
            run.history.add(name, **fields)
        run.buffered.clear()
        response = api.RespondDecisionTaskCompletedResponse()
        if wanted and not run.closed:
            if request.return_new_decision_task:
                run.history.add("decision_task_scheduled")
                run.history.scheduled_id = run.history.last_id
                response.decision_task.CopyFrom(self.decision_task(run, sticky=True))
            else:
                self.want_decision(run)
        run.touch()
        return response

    def _decided_run(self, token: bytes) -> Run:
        _, run_id, started = token.decode().split(":")
        run = self.runs[run_id]
        if run.closed or run.state != "started" or run.history.started_id != int(started):
            raise missing("Decision task not found.")
        return run

    def _decide(self, run: Run, decision: api.Decision) -> None:
        kind = (decision.WhichOneof("attributes") or "").removesuffix("_decision_attributes")
        a: Any = getattr(decision, kind + "_decision_attributes")
        history = run.history
        if kind == "schedule_activity_task":
            history.scheduled(a.activity_id, a.activity_type.name)
            activity = run.activities[a.activity_id] = Activity(a.activity_id, a, history.last_id)
            self.activities[a.task_list.name].put_nowait((run, activity))
        elif kind == "start_timer":
            history.timer(a.timer_id, a.start_to_fire_timeout.seconds)
            run.timers[a.timer_id] = history.last_id
        elif kind == "cancel_timer":
            run.timers.pop(a.timer_id, None)
            history.add("timer_canceled", timer_id=a.timer_id)
        elif kind == "request_cancel_activity_task":
            run.activities[a.activity_id].cancel_requested = True
            history.add("activity_task_cancel_requested", activity_id=a.activity_id)
        elif kind == "record_marker":
            history.add("marker_recorded", marker_name=a.marker_name, details=a.details)
        elif kind == "upsert_workflow_search_attributes":
            history.add(kind, search_attributes=a.search_attributes)
        elif kind in CLOSING:
            self._close(run, kind, a)
        else:
            raise AssertionError(kind)

    def _close(self, run: Run, kind: str, a: Any) -> None:
        run.closed = True
        if kind == "complete_workflow_execution":
            run.history.add("workflow_execution_completed", result=a.result)
        elif kind == "fail_workflow_execution":
            run.history.add("workflow_execution_failed", failure=a.failure)
        elif kind == "cancel_workflow_execution":
            run.history.add("workflow_execution_canceled", details=a.details)
        else:
            following = self.new_run(run.workflow_id, a.workflow_type.name, a.task_list.name, a.input)
            run.history.add("workflow_execution_continued_as_new", new_execution_run_id=following.run_id)
            self.want_decision(following)
        run.touch()

    async def do_RespondDecisionTaskFailed(
        self, request: api.RespondDecisionTaskFailedRequest
    ) -> api.RespondDecisionTaskFailedResponse:
        run = self._decided_run(request.task_token)
        run.history.decision_failed()
        run.state, run.sticky, run.attempt = "idle", "", run.attempt + 1
        self.want_decision(run)
        return api.RespondDecisionTaskFailedResponse()

    async def do_RespondQueryTaskCompleted(
        self, request: api.RespondQueryTaskCompletedRequest
    ) -> api.RespondQueryTaskCompletedResponse:
        self.waiting_queries.pop(request.task_token).set_result(request.result)
        return api.RespondQueryTaskCompletedResponse()

    # ---- worker calls: activities ----

    async def do_PollForActivityTask(
        self, request: api.PollForActivityTaskRequest
    ) -> api.PollForActivityTaskResponse:
        run, activity = await self._wait(self.activities[request.task_list.name])
        a = activity.attributes
        return api.PollForActivityTaskResponse(
            task_token=f"a:{run.run_id}:{activity.activity_id}".encode(),
            workflow_execution=api.WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
            workflow_type=api.WorkflowType(name=run.workflow_type),
            activity_id=activity.activity_id,
            activity_type=a.activity_type,
            input=a.input,
            header=a.header,
            attempt=activity.attempt,
            heartbeat_details=api.Payload(data=activity.details),
            heartbeat_timeout=a.heartbeat_timeout,
            start_to_close_timeout=a.start_to_close_timeout,
        )

    def _open_activity(self, run_id: str, activity_id: str) -> tuple[Run, Activity]:
        run = self.runs.get(run_id)
        if run is None or run.closed or activity_id not in run.activities:
            raise missing("activity task not found")
        return run, run.activities[activity_id]

    def _by_token(self, token: bytes) -> tuple[Run, Activity]:
        _, run_id, activity_id = token.decode().split(":")
        return self._open_activity(run_id, activity_id)

    def _end_activity(self, run: Run, activity: Activity, name: str, **fields: Any) -> None:
        del run.activities[activity.activity_id]
        self.happen(run, name, scheduled_event_id=activity.scheduled_id, **fields)

    async def do_RespondActivityTaskCompleted(
        self, request: api.RespondActivityTaskCompletedRequest
    ) -> api.RespondActivityTaskCompletedResponse:
        run, activity = self._by_token(request.task_token)
        self._end_activity(run, activity, "activity_task_completed", result=request.result)
        return api.RespondActivityTaskCompletedResponse()

    async def do_RespondActivityTaskCompletedByID(
        self, request: api.RespondActivityTaskCompletedByIDRequest
    ) -> api.RespondActivityTaskCompletedByIDResponse:
        run = self.run_of(request.workflow_execution.workflow_id)
        run, activity = self._open_activity(run.run_id, request.activity_id)
        self._end_activity(run, activity, "activity_task_completed", result=request.result)
        return api.RespondActivityTaskCompletedByIDResponse()

    async def do_RespondActivityTaskFailed(
        self, request: api.RespondActivityTaskFailedRequest
    ) -> api.RespondActivityTaskFailedResponse:
        run, activity = self._by_token(request.task_token)
        policy = activity.attributes.retry_policy
        retry = request.failure.reason not in policy.non_retryable_error_reasons
        if retry and activity.attempt + 1 < policy.maximum_attempts:
            activity.attempt += 1
            activity.details = request.heartbeat_details.data or activity.details
            self.activities[activity.attributes.task_list.name].put_nowait((run, activity))
        else:
            self._end_activity(run, activity, "activity_task_failed", failure=request.failure)
        return api.RespondActivityTaskFailedResponse()

    async def do_RespondActivityTaskCanceled(
        self, request: api.RespondActivityTaskCanceledRequest
    ) -> api.RespondActivityTaskCanceledResponse:
        run, activity = self._by_token(request.task_token)
        self._end_activity(run, activity, "activity_task_canceled", details=request.details)
        return api.RespondActivityTaskCanceledResponse()

    async def do_RecordActivityTaskHeartbeat(
        self, request: api.RecordActivityTaskHeartbeatRequest
    ) -> api.RecordActivityTaskHeartbeatResponse:
        _, activity = self._by_token(request.task_token)
        activity.details = request.details.data
        return api.RecordActivityTaskHeartbeatResponse(cancel_requested=activity.cancel_requested)


def missing(text: str) -> Refusal:
    """NOT_FOUND, typed."""
    return Refusal(grpc.StatusCode.NOT_FOUND, text, api.EntityNotExistsError())


SERVICES = {
    "DomainAPI": ["DescribeDomain"],
    "WorkflowAPI": [
        "StartWorkflowExecution", "SignalWorkflowExecution", "SignalWithStartWorkflowExecution", "QueryWorkflow",
        "RequestCancelWorkflowExecution", "TerminateWorkflowExecution", "GetWorkflowExecutionHistory",
        "DescribeWorkflowExecution",
    ],
    "VisibilityAPI": ["ListOpenWorkflowExecutions"],
    "WorkerAPI": [
        "PollForDecisionTask", "RespondDecisionTaskCompleted", "RespondDecisionTaskFailed", "RespondQueryTaskCompleted",
        "PollForActivityTask", "RespondActivityTaskCompleted", "RespondActivityTaskCompletedByID",
        "RespondActivityTaskFailed", "RespondActivityTaskCanceled", "RecordActivityTaskHeartbeat",
    ],
}  # fmt: skip
