"""A whole server over HTTP with JSON: a workflow from its start to its end by HTTP alone, every service, errors, waits."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.transport.http_acceptor import PROCEDURES
from tests.integration.embedded.serving import run
from tests.integration.transport.http_caller import Reply, Wire, call, request

API = "uber.cadence.api.v1"
START: dict[str, Any] = {
    "domain": "default",
    "workflow_id": "w",
    "workflow_type": {"name": "greet"},
    "task_list": {"name": "tl"},
    "execution_start_to_close_timeout": "61s",
    "task_start_to_close_timeout": "60s",
    "identity": "curl",
    "request_id": "8049B932-6C2F-415A-9BB2-241DCF4CFC9C",
    "input": {"data": "IkN1cmwhIg=="},
}
EXECUTION = {"domain": "default", "workflowExecution": {"workflowId": "w"}}
POLL = {"domain": "default", "taskList": {"name": "tl"}, "identity": "curl"}


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[EmbeddedServer]:
    server = EmbeddedServer(EmbeddedSettings("memory://", http_api="127.0.0.1:0", **settings))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class Http:
    """Calls of one server."""

    def __init__(self, server: EmbeddedServer) -> None:
        assert server.http_api is not None
        self.address = server.http_api.address

    async def __call__(self, rpc: str, body: object, **headers: str | None) -> Any:
        """A call that succeeds: its answer."""
        return (await self.reply(rpc, body, **headers)).json

    async def reply(self, rpc: str, body: object, **headers: str | None) -> Reply:
        """Any call."""
        service, _, method = rpc.rpartition(".")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await call(self.address, f"{API}.{service or 'WorkflowAPI'}::{method}", body, named)


def _types(history: Any) -> list[str]:
    """The kinds of the events: of their fields the one that is not in every event."""
    return [next(name for name in event if name.endswith("Attributes")) for event in history["history"]["events"]]


def test_a_workflow_by_http_alone() -> None:
    async def story() -> None:
        async with serving() as server:
            http = Http(server)
            run_id = (await http("StartWorkflowExecution", START))["runId"]
            # The same request again is the same run.
            assert (await http("StartWorkflowExecution", START))["runId"] == run_id
            signal = {**EXECUTION, "signalName": "s", "signalInput": {"data": "MQ=="}, "requestId": "1"}
            assert await http("SignalWorkflowExecution", signal) == {}
            told = await http("DescribeWorkflowExecution", EXECUTION)
            assert told["workflowExecutionInfo"]["workflowExecution"] == {"workflowId": "w", "runId": run_id}

            task = await http("WorkerAPI.PollForDecisionTask", POLL)
            assert task["workflowType"] == {"name": "greet"}
            assert _types(task)[0] == "workflowExecutionStartedEventAttributes"
            activity = {
                "activityId": "a", "activityType": {"name": "act"}, "taskList": {"name": "tl"}, "input": {"data": "Mg=="},
                "scheduleToCloseTimeout": "60s", "scheduleToStartTimeout": "60s", "startToCloseTimeout": "60s",
                "heartbeatTimeout": "0s",
            }  # fmt: skip
            decisions = [{"scheduleActivityTaskDecisionAttributes": activity}]
            await http("WorkerAPI.RespondDecisionTaskCompleted", {"taskToken": task["taskToken"], "decisions": decisions})

            work = await http("WorkerAPI.PollForActivityTask", POLL)
            assert (work["activityId"], base64.b64decode(work["input"]["data"])) == ("a", b"2")
            await http("WorkerAPI.RespondActivityTaskCompleted", {"taskToken": work["taskToken"], "result": {"data": "Mw=="}})

            # Who waits for the end is told of it.
            waiting = asyncio.create_task(
                http(
                    "GetWorkflowExecutionHistory",
                    {**EXECUTION, "waitForNewEvent": True, "historyEventFilterType": "EVENT_FILTER_TYPE_CLOSE_EVENT"},
                )
            )
            task = await http("WorkerAPI.PollForDecisionTask", POLL)
            end = {"completeWorkflowExecutionDecisionAttributes": {"result": {"data": "NA=="}}}
            await http("WorkerAPI.RespondDecisionTaskCompleted", {"taskToken": task["taskToken"], "decisions": [end]})
            assert _types(await waiting) == ["workflowExecutionCompletedEventAttributes"]

            history = await http("GetWorkflowExecutionHistory", EXECUTION)
            assert _types(history) == [
                "workflowExecutionStartedEventAttributes", "decisionTaskScheduledEventAttributes",
                "workflowExecutionSignaledEventAttributes", "decisionTaskStartedEventAttributes",
                "decisionTaskCompletedEventAttributes", "activityTaskScheduledEventAttributes",
                "activityTaskStartedEventAttributes", "activityTaskCompletedEventAttributes",
                "decisionTaskScheduledEventAttributes", "decisionTaskStartedEventAttributes",
                "decisionTaskCompletedEventAttributes", "workflowExecutionCompletedEventAttributes",
            ]  # fmt: skip
            assert [event["eventId"] for event in history["history"]["events"]] == [str(n) for n in range(1, 13)]
            assert history["history"]["events"][-1]["workflowExecutionCompletedEventAttributes"]["result"] == {"data": "NA=="}

    run(story)


def test_every_service_is_there() -> None:
    async def story() -> None:
        async with serving() as server:
            http = Http(server)
            assert (await http("MetaAPI.Health", {}))["ok"] is True
            await http("DomainAPI.RegisterDomain", {"name": "d", "workflowExecutionRetentionPeriod": "86400s"})
            told = await http("DomainAPI.DescribeDomain", {"name": "d"})
            assert told["domain"]["workflowExecutionRetentionPeriod"] == "86400s"
            assert "keys" in await http("VisibilityAPI.GetSearchAttributes", {})
            assert await http("VisibilityAPI.CountWorkflowExecutions", {"domain": "d"}) == {}
            assert await http("ScheduleAPI.ListSchedules", {"domain": "d", "pageSize": 10}) == {}

    run(story)


def test_every_procedure_answers_an_empty_request() -> None:
    async def story() -> None:
        async with serving() as server:
            http = Http(server)
            outcomes = {
                name: (await call(http.address, name, {}, {"Context-TTL-MS": "3000"})).status for name in sorted(PROCEDURES)
            }
            assert len(outcomes) > 40
            assert set(outcomes.values()) == {200, 400}, outcomes

    run(story)


def test_errors_of_the_server() -> None:
    async def story() -> None:
        async with serving() as server:
            http = Http(server)
            reply = await http.reply("DescribeWorkflowExecution", EXECUTION)
            assert (reply.status, reply.headers["rpc-error-code"]) == (404, "not-found")
            assert reply.headers["rpc-application-error-name"] == "EntityNotExistsError"
            reply = await http.reply("StartWorkflowExecution", {**START, "domain": ""})
            assert (reply.status, reply.text) == (400, "Domain not set on request.")
            run_id = (await http("StartWorkflowExecution", START))["runId"]
            reply = await http.reply("StartWorkflowExecution", {**START, "request_id": "0ca3c1e6-5d08-4f6e-8d4e-2c9a2c6b8c55"})
            assert (reply.status, reply.headers["rpc-error-code"]) == (409, "already-exists")
            assert run_id in reply.text
            reply = await http.reply("StartWorkflowExecution", b"\xff", Rpc_Encoding="proto")
            assert reply.status == 400

    run(story)


def test_long_polls_end_with_their_time() -> None:
    async def story() -> None:
        async with serving() as server:
            http = Http(server)
            begun = time.monotonic()
            assert await http("WorkerAPI.PollForDecisionTask", POLL, Context_TTL_MS="2500") == {}
            assert await http("StartWorkflowExecution", START)
            wait = {**EXECUTION, "waitForNewEvent": True, "historyEventFilterType": "EVENT_FILTER_TYPE_CLOSE_EVENT"}
            history = await http("GetWorkflowExecutionHistory", wait, Context_TTL_MS="1500")
            assert (history["history"], bool(history["nextPageToken"])) == ({}, True)
            assert time.monotonic() - begun < 10

    run(story)


async def waiting_poll(server: EmbeddedServer, address: str) -> Wire:
    """A poll that the server has, and that waits there."""
    assert server.frontend is not None
    wire = await Wire.open(address)
    await wire.send(request(f"{API}.WorkerAPI::PollForDecisionTask", POLL))
    while server.frontend.calls == 0:  # noqa: ASYNC110 what is waited for is within the server
        await asyncio.sleep(0.01)
    return wire


def test_a_poll_whose_caller_has_gone_takes_no_task() -> None:
    async def story() -> None:
        async with serving() as server:
            http = Http(server)
            assert server.frontend is not None
            wire = await waiting_poll(server, http.address)
            wire.close()
            while server.frontend.calls:  # noqa: ASYNC110 what is waited for is within the server
                await asyncio.sleep(0.01)
            await http("StartWorkflowExecution", START)
            assert (await http("WorkerAPI.PollForDecisionTask", POLL))["taskToken"]

    run(story)


def test_a_stop_answers_the_polls_that_wait() -> None:
    async def story() -> None:
        async with serving() as server:
            wire = await waiting_poll(server, Http(server).address)
        assert (await wire.reply()).json == {}
        wire.close()

    run(story)


def test_only_the_procedures_that_are_named() -> None:
    async def story() -> None:
        async with serving(http_procedures=(f"{API}.WorkflowAPI::StartWorkflowExecution",)) as server:
            http = Http(server)
            assert (await http("StartWorkflowExecution", START))["runId"]
            assert (await http.reply("TerminateWorkflowExecution", EXECUTION)).status == 404

    run(story)
