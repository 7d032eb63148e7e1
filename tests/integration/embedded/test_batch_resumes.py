"""A batch whose worker-host dies in the middle of a page: another one goes on where the heartbeats say."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from tenuto.client import Client
from tenuto_api import api
from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.transport.public import PublicHandler
from tenuto_server.worker_host import batches
from tenuto_server.worker_host.direct import DirectConnection
from tenuto_server.worker_host.system import SystemHost, SystemSettings, registered
from tests.integration.embedded.test_batches import ask, batch, result, some_runs

TIME_S = 60.0
RUNS = 23
BEFORE = 9


class MortalConnection(DirectConnection):
    """A worker-host's connection: counts what is done to runs, and can be cut, after which nothing goes through."""

    def __init__(self, handler: PublicHandler, acts_max: int) -> None:
        super().__init__(handler)
        self.acted: Counter[str] = Counter()
        self.cut = asyncio.Event()
        self._acts_max = acts_max

    async def call_once(self, method: Any, request: Any, timeout: float = 10.0) -> Any:
        """As the connection it is, until it is cut; acts beyond the most wait for ever."""
        acts = method.name in ("SignalWorkflowExecution", "TerminateWorkflowExecution")
        if self.cut.is_set() or (acts and self.acted.total() >= self._acts_max):
            await asyncio.Event().wait()
        if acts:
            self.acted[request.workflow_execution.workflow_id] += 1
        return await super().call_once(method, request, timeout)


async def host(connection: DirectConnection) -> SystemHost:
    served = SystemHost(connection, [one for one in registered() if one.name == "batches"], SystemSettings(refresh=0.05))
    await served.start()
    return served


async def told(server: EmbeddedServer, job: str) -> dict[str, Any]:
    """The last heartbeat's details."""
    run = api.WorkflowExecution(workflow_id=job)
    request = api.DescribeWorkflowExecutionRequest(domain=batches.DOMAIN, workflow_execution=run)
    body = await ask(server, "WorkflowAPI/DescribeWorkflowExecution", request)
    pending = api.DescribeWorkflowExecutionResponse.FromString(body).pending_activities
    details = pending[0].heartbeat_details.data if pending else b""
    found: dict[str, Any] = json.loads(details) if details else {}
    return found


async def story(kind: str, parameters: dict[str, Any]) -> None:
    server = EmbeddedServer(EmbeddedSettings("memory://", retention=0, system_workers=False))
    await server.start()
    first, second = MortalConnection(server.handle, BEFORE), MortalConnection(server.handle, RUNS)
    hosts = [await host(first)]
    try:
        client = Client(DirectConnection(server.handle), domain="default")
        names = await some_runs(client, RUNS)
        query = "WorkflowType = 'Some' and CloseTime = missing"
        job = await batch(server, Query=query, BatchType=kind, ActivityHeartBeatTimeout=1_000_000_000, **parameters)
        while (await told(server, job)).get("SuccessCount") != BEFORE:  # noqa: ASYNC110  it is what it waits for
            await asyncio.sleep(0.05)
        first.cut.set()
        await hosts.pop().stop()
        hosts.append(await host(second))
        done = await result(server, batches.DOMAIN, job)
        assert (done["TotalEstimate"], done["SuccessCount"], done["ErrorCount"]) == (RUNS, RUNS, 0)
        assert "Done" not in done
        assert first.acted.total() == BEFORE
        assert first.acted + second.acted == Counter(names)
    finally:
        for one in hosts:
            await one.stop()
        await server.stop()


@pytest.mark.parametrize(
    ("kind", "parameters"), [("signal", {"SignalParams": {"SignalName": "go", "Input": "1"}}), ("terminate", {})]
)
def test_another_host_goes_on_from_the_heartbeat_and_acts_on_each_run_once(kind: str, parameters: dict[str, Any]) -> None:
    asyncio.run(asyncio.wait_for(story(kind, parameters), TIME_S))
