"""Domain deprecation on the whole server, started as the CLI starts it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenuto import activity
from tenuto.client import Client
from tenuto.errors import BadRequestError, WorkflowFailedError
from tenuto.worker import Worker
from tenuto_api import api
from tenuto_server.embedded import EmbeddedServer
from tenuto_server.worker_host import batches
from tenuto_server.worker_host.deprecation import DomainDeprecationWorkflow
from tests.integration.embedded.test_batches import ask, closing, some_runs, story, system_domain


async def deprecate(server: EmbeddedServer, domain: str) -> api.HistoryEvent:
    """As `cadence domain deprecate` does; the event that ends the workflow."""
    await system_domain(server, "cadence-system")
    request = api.StartWorkflowExecutionRequest(
        domain="cadence-system",
        workflow_id=f"domain-deprecation-{domain}-1",
        request_id="6a0a8f1a-6b4b-4be6-a8e5-5d5f2a6f5b0e",
        workflow_type=api.WorkflowType(name="domain-deprecation-workflow"),
        task_list=api.TaskList(name="domain-deprecation-tasklist"),
        input=api.Payload(data=json.dumps({"domain_name": domain, "security_token": ""}).encode()),
    )
    request.execution_start_to_close_timeout.seconds = 30 * 86_400
    request.task_start_to_close_timeout.seconds = 300
    await ask(server, "WorkflowAPI/StartWorkflowExecution", request)
    return await closing(server, "cadence-system", request.workflow_id)


def test_a_deprecated_domain_takes_no_runs_and_has_none_open() -> None:
    async def told(server: EmbeddedServer, client: Client) -> None:
        await Client(client.connection, domain="other").ensure_domain()
        (other,) = await some_runs(Client(client.connection, domain="other"), 1)
        some = await some_runs(client, 30)
        event = await deprecate(server, "default")
        assert event.WhichOneof("attributes") == "workflow_execution_completed_event_attributes", event
        for workflow_id in some:
            closed = await closing(server, "default", workflow_id)
            assert closed.workflow_execution_terminated_event_attributes.reason == "domain is deprecated"
        domain = await client.describe_domain()
        assert domain.status == api.DOMAIN_STATUS_DEPRECATED
        assert domain.history_archival_status == domain.visibility_archival_status == api.ARCHIVAL_STATUS_DISABLED
        with pytest.raises(BadRequestError, match="domain deprecated"):
            await some_runs(client, 1, "Late")
        info = (await Client(client.connection, domain="other").get_workflow_handle(other).describe()).workflow_execution_info
        assert not info.HasField("close_time")

    story(told)


@pytest.mark.parametrize(
    ("domain", "reason"),
    [("nowhere", "domain does not exist"), ("", "domain-deprecation-refused"), ("cadence-system", "domain-deprecation-refused")],
)
def test_a_deprecation_that_cannot_be_carried_out_fails_at_once(domain: str, reason: str) -> None:
    async def told(server: EmbeddedServer, client: Client) -> None:
        event: Any = await deprecate(server, domain)
        assert event.workflow_execution_failed_event_attributes.failure.reason == reason, event

    story(told)


class Leftovers:
    """Steps that find runs open so many times, and the batches' page that they get."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.pages: list[dict[str, Any]] = []

    @activity.defn(name="disableArchival")
    async def disable_archival(self, given: dict[str, Any]) -> None:
        """Nothing."""

    @activity.defn(name="deprecateDomain")
    async def deprecate_domain(self, given: dict[str, Any]) -> None:
        """Nothing."""

    @activity.defn(name="checkOpenWorkflows")
    async def check_open_workflows(self, given: dict[str, Any]) -> bool:
        """True as often as said."""
        return len(self.pages) <= self.times

    @activity.defn(name=batches.ACTIVITY_TYPE)
    async def page(self, given: dict[str, Any], so_far: dict[str, Any]) -> dict[str, Any]:
        """The last one."""
        self.pages.append(given)
        return so_far


@pytest.mark.parametrize(("times", "rounds"), [(0, 1), (2, 3), (3, 3)])
def test_what_remains_open_is_terminated_in_three_rounds_or_the_deprecation_fails(times: int, rounds: int) -> None:
    async def told(server: EmbeddedServer, client: Client) -> None:
        left = Leftovers(times)
        worker = Worker(
            client,
            "rounds",
            workflows=[DomainDeprecationWorkflow, batches.BatchWorkflow],
            activities=[left.disable_archival, left.deprecate_domain, left.check_open_workflows, left.page],
        )
        await worker.start()
        try:
            run = client.execute_workflow(DomainDeprecationWorkflow, {"domain_name": "d"}, id="d", task_list="rounds")
            if times < rounds:
                await run
            else:
                with pytest.raises(WorkflowFailedError, match="failed to terminate all workflows after 3 attempts"):
                    await run
        finally:
            await worker.stop()
        assert len(left.pages) == rounds
        page = left.pages[0]
        assert (page["DomainName"], page["Query"], page["BatchType"]) == ("d", "CloseTime = missing", "terminate")

    story(told)
