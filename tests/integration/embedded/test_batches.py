"""Batch operations and diagnoses on the whole server, started as the CLI and the interface start them."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tenuto.client import Client
from tenuto_api import api
from tenuto_server import errors
from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.transport.public import PublicCall
from tenuto_server.worker_host.direct import DirectConnection

TIME_S = 40.0


async def ask(server: EmbeddedServer, method: str, request: Any) -> bytes:
    return await server.handle(PublicCall(f"uber.cadence.api.v1.{method}", {}, None, request.SerializeToString()))


def story(told: Callable[[EmbeddedServer, Client], Awaitable[None]]) -> None:
    async def whole() -> None:
        server = EmbeddedServer(EmbeddedSettings("memory://", retention=0))
        await server.start()
        try:
            await told(server, Client(DirectConnection(server.handle, "test"), domain="default"))
        finally:
            await server.stop()

    asyncio.run(asyncio.wait_for(whole(), TIME_S))


async def system_domain(server: EmbeddedServer, name: str) -> None:
    """Waits for a domain that the system workers make at the start."""
    while True:
        try:
            await ask(server, "DomainAPI/DescribeDomain", api.DescribeDomainRequest(name=name))
            return
        except errors.EntityNotExists:
            await asyncio.sleep(0.05)


async def batch(server: EmbeddedServer, kind: str = "cadence-sys-batch-workflow", **parameters: Any) -> str:
    """Starts a batch as the CLI does; returns its workflow id."""
    await system_domain(server, "cadence-batcher")
    given: dict[str, Any] = {"DomainName": "default", "Reason": "because", "SignalParams": {"SignalName": "", "Input": ""}}
    given |= {"RPS": 200, "Concurrency": 5, "PageSize": 1000, "AttemptsOnRetryableError": 50}
    given |= {"ActivityHeartBeatTimeout": 10_000_000_000, "NonRetryableErrors": None, "ReplicateParams": {"SourceCluster": ""}}
    given |= parameters
    request = api.StartWorkflowExecutionRequest(
        domain="cadence-batcher",
        workflow_id=str(uuid.uuid4()),
        request_id=str(uuid.uuid4()),
        workflow_type=api.WorkflowType(name=kind),
        task_list=api.TaskList(name="cadence-sys-batcher-tasklist"),
        input=api.Payload(data=json.dumps(given).encode()),
    )
    request.execution_start_to_close_timeout.seconds = 20 * 365 * 86_400
    request.task_start_to_close_timeout.seconds = 10
    request.memo.fields["Reason"].data = b'"because"'
    request.search_attributes.indexed_fields["CustomDomain"].data = b'"default"'
    request.search_attributes.indexed_fields["Operator"].data = b'"me"'
    await ask(server, "WorkflowAPI/StartWorkflowExecution", request)
    return request.workflow_id


async def closing(server: EmbeddedServer, domain: str, workflow_id: str) -> api.HistoryEvent:
    """The event that ends a run."""
    request = api.GetWorkflowExecutionHistoryRequest(
        domain=domain,
        workflow_execution=api.WorkflowExecution(workflow_id=workflow_id),
        wait_for_new_event=True,
        history_event_filter_type=api.EVENT_FILTER_TYPE_CLOSE_EVENT,
    )
    while True:
        body = await ask(server, "WorkflowAPI/GetWorkflowExecutionHistory", request)
        page = api.GetWorkflowExecutionHistoryResponse.FromString(body)
        if page.history.events:
            return page.history.events[-1]
        request.next_page_token = page.next_page_token


async def result(server: EmbeddedServer, domain: str, workflow_id: str) -> dict[str, Any]:
    event = await closing(server, domain, workflow_id)
    data = event.workflow_execution_completed_event_attributes.result.data
    assert data, event
    found: dict[str, Any] = json.loads(data)
    return found


async def some_runs(client: Client, count: int, workflow_type: str = "Some") -> list[str]:
    handles = [
        await client.start_workflow(workflow_type, id=f"{workflow_type}-{n}", task_list="nobody", execution_timeout=600)
        for n in range(count)
    ]
    return [handle.workflow_id for handle in handles]


def test_a_batch_terminates_what_its_query_finds_and_nothing_else() -> None:
    async def told(server: EmbeddedServer, client: Client) -> None:
        some, others = await some_runs(client, 23), await some_runs(client, 2, "Other")
        query = "WorkflowType = 'Some' and CloseTime = missing"
        job = await batch(server, Query=query, BatchType="terminate", TerminateParams={"TerminateChildren": None})
        done = await result(server, "cadence-batcher", job)
        assert (done["TotalEstimate"], done["SuccessCount"], done["ErrorCount"]) == (23, 23, 0)
        assert (done["RPS"], done["Concurrency"]) == (200, 5)
        for workflow_id in some:
            event = await closing(server, "default", workflow_id)
            assert event.workflow_execution_terminated_event_attributes.reason == "because"
        for workflow_id in others:
            info = (await client.get_workflow_handle(workflow_id).describe()).workflow_execution_info
            assert not info.HasField("close_time")
        listed = api.ListWorkflowExecutionsRequest(domain="cadence-batcher", query="CustomDomain = 'default'", page_size=10)
        body = await ask(server, "VisibilityAPI/ListWorkflowExecutions", listed)
        (shown,) = api.ListWorkflowExecutionsResponse.FromString(body).executions
        assert shown.memo.fields["Reason"].data == b'"because"'

    story(told)


def test_a_tuned_batch_goes_on_at_its_new_pace() -> None:
    async def told(server: EmbeddedServer, client: Client) -> None:
        await some_runs(client, 30)
        job = await batch(server, Query="WorkflowType = 'Some'", BatchType="refresh", RPS=1, Concurrency=1)
        run = api.WorkflowExecution(workflow_id=job)
        signal = api.SignalWorkflowExecutionRequest(
            domain="cadence-batcher",
            workflow_execution=run,
            signal_name="cadence-sys-batch-tune-signal",
            signal_input=api.Payload(data=b'{"RPS":500,"Concurrency":9}'),
        )
        await ask(server, "WorkflowAPI/SignalWorkflowExecution", signal)
        done = await result(server, "cadence-batcher", job)
        assert (done["SuccessCount"], done["RPS"], done["Concurrency"]) == (30, 500, 9)

    story(told)


@pytest.mark.parametrize("kind", ["cancel", "signal", "refresh"])
def test_a_batch_of_each_kind(kind: str) -> None:
    async def told(server: EmbeddedServer, client: Client) -> None:
        some = await some_runs(client, 3)
        more = {"SignalParams": {"SignalName": "go", "Input": '"on"'}} if kind == "signal" else {}
        name = "cadence-sys-batch-workflow-v2"
        job = await batch(server, name, Query="WorkflowType = 'Some'", BatchType=kind, **more)
        done = await result(server, "cadence-batcher", job)
        assert (done["SuccessCount"], done["ErrorCount"]) == (3, 0)
        for workflow_id in some:
            request = api.GetWorkflowExecutionHistoryRequest(
                domain="default", workflow_execution=api.WorkflowExecution(workflow_id=workflow_id)
            )
            body = await ask(server, "WorkflowAPI/GetWorkflowExecutionHistory", request)
            events = api.GetWorkflowExecutionHistoryResponse.FromString(body).history.events
            kinds = [event.WhichOneof("attributes") for event in events]
            assert ("workflow_execution_cancel_requested_event_attributes" in kinds) == (kind == "cancel")
            assert ("workflow_execution_signaled_event_attributes" in kinds) == (kind == "signal")

    story(told)


@pytest.mark.parametrize(
    "parameters",
    [
        {"Query": "", "BatchType": "terminate"},
        {"Query": "WorkflowType = 'x'", "BatchType": "replicate"},
        {"Query": "this is no query", "BatchType": "terminate"},
    ],
)
def test_a_batch_that_cannot_be_carried_out_fails(parameters: dict[str, Any]) -> None:
    async def told(server: EmbeddedServer, client: Client) -> None:
        job = await batch(server, **parameters)
        event = await closing(server, "cadence-batcher", job)
        assert event.WhichOneof("attributes") == "workflow_execution_failed_event_attributes"

    story(told)


def test_a_diagnosis_reads_the_history_and_says_what_is_wrong() -> None:
    async def told(server: EmbeddedServer, client: Client) -> None:
        await system_domain(server, "cadence-system")
        handle = await client.start_workflow("Slow", id="slow", task_list="nobody", execution_timeout=1)
        await closing(server, "default", "slow")
        request = api.DiagnoseWorkflowExecutionRequest(
            domain="default", workflow_execution=api.WorkflowExecution(workflow_id="slow"), identity="me"
        )
        body = await ask(server, "WorkflowAPI/DiagnoseWorkflowExecution", request)
        response = api.DiagnoseWorkflowExecutionResponse.FromString(body)
        assert response.domain == "cadence-system"
        assert response.diagnostic_workflow_execution.workflow_id == f"default-{handle.run_id}"
        found = await result(server, "cadence-system", response.diagnostic_workflow_execution.workflow_id)
        assert found["DiagnosticsCompleted"] is True
        timeouts = found["DiagnosticsResult"]["Timeouts"]
        assert timeouts["Issues"][0]["InvariantType"] == "Workflow Timeout"
        assert "no pollers" in timeouts["RootCause"][0]["RootCauseType"]
        assert found["DiagnosticsResult"]["Failures"] is None
        request.workflow_execution.workflow_id = "nobody"
        with pytest.raises(errors.EntityNotExists):
            await ask(server, "WorkflowAPI/DiagnoseWorkflowExecution", request)

    story(told)
