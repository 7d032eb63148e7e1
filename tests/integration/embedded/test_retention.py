"""Retention on the whole server, with days of a fraction of a second: runs go, and read on from the archive."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from tenuto.client import Client
from tenuto_api import api
from tenuto_server import errors
from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.frontend.archived import HISTORY_NOT_FOUND
from tenuto_server.transport.public import PublicCall
from tenuto_server.worker_host.direct import DirectConnection

TIME_S = 30.0


async def ask(server: EmbeddedServer, method: str, request: object) -> bytes:
    body: bytes = request.SerializeToString()  # type: ignore[attr-defined]
    return await server.handle(PublicCall(f"uber.cadence.api.v1.{method}", {}, None, body))


async def closed_run(client: Client, workflow_id: str) -> str:
    handle = await client.start_workflow("Nobody", id=workflow_id, task_list="nobody", execution_timeout=60)
    await handle.terminate("enough")
    assert handle.run_id
    return handle.run_id


def history_of(domain: str, workflow_id: str, run_id: str, token: bytes = b"") -> api.GetWorkflowExecutionHistoryRequest:
    named = api.WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    return api.GetWorkflowExecutionHistoryRequest(
        domain=domain, workflow_execution=named, page_size=2, next_page_token=token
    )


def test_a_closed_run_is_archived_deleted_and_read_from_the_archive(tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/archive"

    async def story() -> None:
        settings = EmbeddedSettings(
            f"sqlite:///{tmp_path}/tenuto.db", system_workers=False, retention=0.1, retention_day=0.5
        )
        server = EmbeddedServer(settings)
        await server.start()
        try:
            await ask(server, "DomainAPI/RegisterDomain", register("kept", uri))
            await ask(server, "DomainAPI/RegisterDomain", register("lost", ""))
            for domain in ("kept", "lost"):
                client = Client(DirectConnection(server.handle, "test"), domain=domain)
                run_id = await closed_run(client, "w/1")
                await read_until_gone(server, domain, "w/1", run_id)
        finally:
            await server.stop()

    asyncio.run(asyncio.wait_for(story(), TIME_S))


def register(name: str, uri: str) -> api.RegisterDomainRequest:
    status = api.ARCHIVAL_STATUS_ENABLED if uri else api.ARCHIVAL_STATUS_DISABLED
    return api.RegisterDomainRequest(
        name=name,
        workflow_execution_retention_period=Duration(seconds=86_400),
        history_archival_status=status,
        history_archival_uri=uri,
        visibility_archival_status=status,
        visibility_archival_uri=uri,
    )


async def read_until_gone(server: EmbeddedServer, domain: str, workflow_id: str, run_id: str) -> None:
    """Reads a run's history until it is there no more as a living one, then all of its pages."""
    gone = ""
    while True:
        try:
            body = await ask(server, "WorkflowAPI/GetWorkflowExecutionHistory", history_of(domain, workflow_id, run_id))
        except errors.BadRequest as error:
            gone = error.message
            break
        page = api.GetWorkflowExecutionHistoryResponse.FromString(body)
        if page.archived:
            assert domain == "kept" and [event.event_id for event in page.history.events] == [1, 2]
            following = history_of(domain, workflow_id, run_id, page.next_page_token)
            body = await ask(server, "WorkflowAPI/GetWorkflowExecutionHistory", following)
            page = api.GetWorkflowExecutionHistoryResponse.FromString(body)
            assert page.archived and [event.event_id for event in page.history.events] == [3] and not page.next_page_token
            break
        await asyncio.sleep(0.05)
    assert gone == (HISTORY_NOT_FOUND if domain == "lost" else "")
    with pytest.raises(errors.EntityNotExists):
        await ask(
            server, "WorkflowAPI/GetWorkflowExecutionHistory", history_of(domain, workflow_id, "")
        )
    asked = api.ListArchivedWorkflowExecutionsRequest(domain=domain, query="WorkflowType = 'Nobody'", page_size=10)
    if domain == "lost":
        with pytest.raises(errors.BadRequest):
            await ask(server, "VisibilityAPI/ListArchivedWorkflowExecutions", asked)
        return
    body = await ask(server, "VisibilityAPI/ListArchivedWorkflowExecutions", asked)
    (listed,) = api.ListArchivedWorkflowExecutionsResponse.FromString(body).executions
    assert listed.workflow_execution.run_id == run_id
    assert listed.close_status == api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED
