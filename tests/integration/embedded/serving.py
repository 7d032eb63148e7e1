"""A server on a free port, and a raw worker: polls and answers as a foreign client would, call by call."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tenuto._rpc.connection import Connection, WorkerRpc, WorkflowRpc, new_request_id
from tenuto_api import api
from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.transport.grpc_acceptor import GrpcAcceptor
from tenuto_server.transport.settings import AcceptorSettings

TIME_S = 30.0
NETWORKS = ["in-process", "streams"]


@asynccontextmanager
async def serving(settings: EmbeddedSettings, **history: Any) -> AsyncIterator[str]:
    """A server on a free port, and its address. `history` are settings of the history service."""
    server = EmbeddedServer(settings)
    await server.start()
    server.live.history.current = dataclasses.replace(server.live.history.current, **history)
    acceptor = GrpcAcceptor(server.handle, AcceptorSettings(address="127.0.0.1:0", stop_grace_s=0.1))
    await acceptor.start()
    try:
        yield acceptor.address
    finally:
        await acceptor.stop()
        await server.stop()


def run(story: Callable[[], Awaitable[None]], time_s: float = TIME_S) -> None:
    """Runs a story within a bound."""

    async def bounded() -> None:
        async with asyncio.timeout(time_s):
            await story()

    asyncio.run(bounded())


class Raw:
    """One connection, used as client and as worker of the task list "tl"."""

    def __init__(self, address: str) -> None:
        self.connection = Connection(address, identity="raw")

    async def start(self, workflow_id: str = "w", task_s: int = 10) -> api.WorkflowExecution:
        """Starts a workflow."""
        request = api.StartWorkflowExecutionRequest(
            domain="default",
            workflow_id=workflow_id,
            workflow_type=api.WorkflowType(name="greet"),
            task_list=api.TaskList(name="tl"),
            request_id=new_request_id(),
        )
        request.execution_start_to_close_timeout.seconds = 100
        request.task_start_to_close_timeout.seconds = task_s
        response = await self.connection.call(WorkflowRpc.start, request)
        return api.WorkflowExecution(workflow_id=workflow_id, run_id=response.run_id)

    async def signal(self, execution: api.WorkflowExecution) -> None:
        """Signals it."""
        request = api.SignalWorkflowExecutionRequest(
            domain="default", workflow_execution=execution, signal_name="s", request_id=new_request_id()
        )
        await self.connection.call(WorkflowRpc.signal, request)

    async def terminate(self, execution: api.WorkflowExecution) -> None:
        """Terminates it."""
        request = api.TerminateWorkflowExecutionRequest(domain="default", workflow_execution=execution)
        await self.connection.call(WorkflowRpc.terminate, request)

    async def query(
        self,
        execution: api.WorkflowExecution,
        name: str = "state",
        timeout_s: float = 10.0,
        *,
        strong: bool = False,
        reject: api.QueryRejectCondition = api.QUERY_REJECT_CONDITION_INVALID,
    ) -> api.QueryWorkflowResponse:
        """Asks once."""
        request = api.QueryWorkflowRequest(
            domain="default", workflow_execution=execution, query=api.WorkflowQuery(query_type=name)
        )
        if strong:
            request.query_consistency_level = api.QUERY_CONSISTENCY_LEVEL_STRONG
        request.query_reject_condition = reject
        return await self.connection.call_once(WorkflowRpc.query, request, timeout_s)

    async def poll(
        self, task_list: str = "tl", *, sticky: bool = False, timeout_s: float = 10.0
    ) -> api.PollForDecisionTaskResponse:
        """One decision poll; there must be a task."""
        kind = api.TASK_LIST_KIND_STICKY if sticky else api.TASK_LIST_KIND_NORMAL
        request = api.PollForDecisionTaskRequest(
            domain="default", task_list=api.TaskList(name=task_list, kind=kind), identity="raw"
        )
        response = await self.connection.call_once(WorkerRpc.poll_decision, request, timeout_s)
        assert response.task_token
        return response

    async def decide(
        self,
        task: api.PollForDecisionTaskResponse,
        *decisions: api.Decision,
        sticky: str = "",
        sticky_s: int = 5,
        **fields: Any,
    ) -> api.RespondDecisionTaskCompletedResponse:
        """Answers a decision task."""
        request = api.RespondDecisionTaskCompletedRequest(
            task_token=task.task_token, decisions=decisions, identity="raw", **fields
        )
        if sticky:
            request.sticky_attributes.worker_task_list.name = sticky
            request.sticky_attributes.schedule_to_start_timeout.seconds = sticky_s
        return await self.connection.call_once(WorkerRpc.decided, request)

    async def fail(self, task: api.PollForDecisionTaskResponse) -> None:
        """Fails a decision task."""
        cause = api.DECISION_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
        request = api.RespondDecisionTaskFailedRequest(task_token=task.task_token, cause=cause, identity="raw")
        await self.connection.call_once(WorkerRpc.decision_failed, request)

    async def answer(self, task: api.PollForDecisionTaskResponse, data: bytes = b"", error: str = "") -> None:
        """Answers a query task."""
        request = api.RespondQueryTaskCompletedRequest(task_token=task.task_token, result=result(data, error))
        await self.connection.call_once(WorkerRpc.query_answered, request)


def result(data: bytes = b"", error: str = "") -> api.WorkflowQueryResult:
    """What a worker makes of a query."""
    if error:
        return api.WorkflowQueryResult(result_type=api.QUERY_RESULT_TYPE_FAILED, error_message=error)
    return api.WorkflowQueryResult(result_type=api.QUERY_RESULT_TYPE_ANSWERED, answer=api.Payload(data=data))


def complete() -> api.Decision:
    """The decision that ends the workflow."""
    decision = api.Decision()
    decision.complete_workflow_execution_decision_attributes.SetInParent()
    return decision


@asynccontextmanager
async def raw(network: str, **history: Any) -> AsyncIterator[Raw]:
    """A server whose services are joined so, and a raw client of it. `history` are settings of the history service."""
    async with serving(EmbeddedSettings("memory://", network=network), **history) as address:
        both = Raw(address)
        try:
            yield both
        finally:
            await both.connection.close()
