"""Whatever is sent to a whole server, spoiled in any way, is answered with bytes or an error of the interface; no text of
a crash ever reaches a client, and the services go on serving."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto_api import api
from tenuto_server.config.runtime import SECOND, Runtime
from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.errors import INVALID_ARGUMENT, ServiceError
from tenuto_server.frontend.methods import INTERFACE, METHODS
from tenuto_server.history.handlers import TABLE
from tenuto_server.transport.public import PublicCall
from tests.unit.frontend.fakes import DOMAIN, START_NS, run, start_request, task_token
from tests.unit.frontend.test_properties import EXPECTED, good_request, spoiled

# What changes the ground that the other requests stand on.
ENDS_THE_DOMAIN = frozenset({"DeprecateDomain", "UpdateDynamicConfig", "UpdateOperationalDynamicConfig"})
# What a call asks of history beside its own name.
ASKS = {"DescribeSchedule": "QueryWorkflow"}
PATHS = sorted(
    path
    for path, rpc in ((path, path.rpartition("/")[2]) for path in METHODS)
    if rpc not in ENDS_THE_DOMAIN and ASKS.get(rpc, "StartTask") in TABLE
)
WORKFLOW_ID = "order-1"


class World:
    """A server with one workflow, whose first activity is started."""

    def __init__(self) -> None:
        # The wall clock goes with the loop's.
        runtime = Runtime(now=lambda: START_NS + int(_now() * SECOND), random=random.Random(5))
        self.server = EmbeddedServer(EmbeddedSettings("memory://", domain=DOMAIN, system_workers=False), runtime)
        self.tokens: list[bytes] = []

    async def call(self, method: str, request: Message | bytes, timeout_s: float | None = 10.0) -> bytes:
        path = method if "." in method else f"uber.cadence.api.v1.{method}"
        body = request if isinstance(request, bytes) else request.SerializeToString()
        deadline = None if timeout_s is None else _now() + timeout_s
        return await self.server.handle(PublicCall(path, {}, deadline, body))

    async def start(self) -> None:
        await self.server.start()
        await self.call("WorkflowAPI/StartWorkflowExecution", start_request())
        decision = await self.poll_decision("orders")
        activity = api.Decision()
        wanted = activity.schedule_activity_task_decision_attributes
        wanted.activity_id, wanted.activity_type.name, wanted.task_list.name = DOMAIN, "Pay", "orders"
        wanted.schedule_to_close_timeout.seconds = wanted.heartbeat_timeout.seconds = 60
        answer = api.RespondDecisionTaskCompletedRequest(task_token=decision.task_token, decisions=[activity])
        await self.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
        poll = api.PollForActivityTaskRequest(domain=DOMAIN, task_list=api.TaskList(name="orders"))
        task = api.PollForActivityTaskResponse.FromString(await self.call("WorkerAPI/PollForActivityTask", poll))
        signal = api.SignalWorkflowExecutionRequest(
            domain=DOMAIN, workflow_execution=api.WorkflowExecution(workflow_id=WORKFLOW_ID), signal_name="s"
        )
        await self.call("WorkflowAPI/SignalWorkflowExecution", signal)
        second = await self.poll_decision("orders")
        self.tokens = [second.task_token, task.task_token, decision.task_token, task_token(), b"", b"\xff\x01"]

    async def poll_decision(self, task_list: str) -> api.PollForDecisionTaskResponse:
        poll = api.PollForDecisionTaskRequest(domain=DOMAIN, task_list=api.TaskList(name=task_list))
        answer = api.PollForDecisionTaskResponse.FromString(await self.call("WorkerAPI/PollForDecisionTask", poll))
        assert answer.task_token
        return answer

    async def serves(self) -> None:
        """A new workflow is started, gets its decision task and is shown."""
        request = start_request()
        request.workflow_id, request.task_list.name = "afterwards", "afterwards"
        await self.call("WorkflowAPI/StartWorkflowExecution", request)
        assert (await self.poll_decision("afterwards")).workflow_execution.workflow_id == "afterwards"

    async def outcome(self, path: str, body: bytes, timeout_s: float | None) -> bytes | ServiceError:
        try:
            return await self.call(path, body, timeout_s)
        except ServiceError as error:
            return error


def _now() -> float:
    return asyncio.get_running_loop().time()


def aim(draw: Any, request: Message, world: World) -> None:
    """At what is there, or was: the workflow, and tokens of its tasks."""
    fields = request.DESCRIPTOR.fields_by_name
    if "task_token" in fields:
        request.task_token = draw(st.sampled_from(world.tokens))  # type: ignore[attr-defined]
    for name in ("workflow_execution", "execution"):
        message_type = fields[name].message_type if name in fields else None
        if message_type is not None and message_type.name == "WorkflowExecution" and draw(st.integers(0, 3)):
            getattr(request, name).workflow_id = WORKFLOW_ID


def check(path: str, outcome: bytes | ServiceError) -> None:
    if isinstance(outcome, ServiceError):
        assert outcome.status in EXPECTED, (path, outcome)
        assert 0 < len(outcome.message) < 2000, path
        if outcome.status == INVALID_ARGUMENT:
            assert outcome.detail is None or outcome.detail_name == "QueryFailedError", path


@settings(max_examples=60)
@given(data=st.data())
def test_spoiled_requests_do_no_harm(data: st.DataObject) -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        for _ in range(data.draw(st.integers(4, 10))):
            path = data.draw(st.sampled_from(PATHS))
            request = good_request(path)
            aim(data.draw, request, world)
            body = data.draw(spoiled(request))
            timeout_s = data.draw(st.sampled_from([None, 0.0, 1.0, 30.0]))
            check(path, await world.outcome(path, body, timeout_s))
        await world.serves()
        await world.server.stop()

    run(scenario())


@pytest.mark.parametrize("path", sorted(INTERFACE | METHODS.keys()))
def test_nothing_garbage_and_the_oversized(path: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        bodies = [b"", b"\xff", b"\x0a\x05ab", b"\x0a\x03\xff\xfe\xfd", b"\x0a\x80\x80\x80\x01" + b"x" * (2 * 1024 * 1024)]
        for body in bodies:
            check(path, await world.outcome(path, body, 3.0))
        await world.serves()
        await world.server.stop()

    with caplog.at_level(logging.ERROR):
        run(scenario())
    assert not caplog.records
