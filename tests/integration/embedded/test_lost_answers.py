"""Answers of history that get lost: the frontend asks again, and what was done already is answered as it was the first time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from tenuto_api import api
from tenuto_server.errors import EntityNotExists, ServiceError, Unavailable, WorkflowAlreadyCompleted
from tenuto_server.transport.network import InternalCall
from tests.integration.embedded.test_any_request import WORKFLOW_ID, World
from tests.unit.frontend.fakes import DOMAIN, run

EXECUTION = api.WorkflowExecution(workflow_id=WORKFLOW_ID)


async def losing(world: World, rpc: str) -> list[int]:
    """From now on the first answer to `rpc` gets lost on its way; returns how often it was asked, as a list to look at."""
    history = world.server._history
    real: Callable[[InternalCall], Awaitable[bytes]] = history.handle
    asked = [0]

    async def handle(call: InternalCall) -> bytes:
        if call.method != rpc:
            return await real(call)
        asked[0] += 1
        answer = await real(call)
        if asked[0] == 1:
            raise Unavailable("the answer is lost")
        return answer

    history.handle = handle  # type: ignore[method-assign]
    return asked


async def events(world: World) -> list[str]:
    request = api.GetWorkflowExecutionHistoryRequest(domain=DOMAIN, workflow_execution=EXECUTION)
    answer = await world.call("WorkflowAPI/GetWorkflowExecutionHistory", request)
    found = api.GetWorkflowExecutionHistoryResponse.FromString(answer).history.events
    return [(event.WhichOneof("attributes") or "").removesuffix("_event_attributes") for event in found]


def payload(text: str) -> api.Payload:
    return api.Payload(data=text.encode())


def decision_that_completes() -> api.Decision:
    decision = api.Decision()
    decision.complete_workflow_execution_decision_attributes.result.data = b"done"
    return decision


def activity_answers(token: bytes) -> list[tuple[str, Message, str]]:
    """RPC, request, the event it makes."""
    by_id: dict[str, Any] = {"domain": DOMAIN, "workflow_execution": EXECUTION, "activity_id": DOMAIN, "identity": "worker"}
    failure = api.Failure(reason="broken", details=b"x")
    return [
        (
            "RespondActivityTaskCompleted",
            api.RespondActivityTaskCompletedRequest(task_token=token, result=payload("r"), identity="worker"),
            "activity_task_completed",
        ),
        (
            "RespondActivityTaskFailed",
            api.RespondActivityTaskFailedRequest(task_token=token, failure=failure, identity="worker"),
            "activity_task_failed",
        ),
        (
            "RespondActivityTaskCanceled",
            api.RespondActivityTaskCanceledRequest(task_token=token, identity="worker"),
            "activity_task_canceled",
        ),
        (
            "RespondActivityTaskCompletedByID",
            api.RespondActivityTaskCompletedByIDRequest(**by_id, result=payload("r")),
            "activity_task_completed",
        ),
        (
            "RespondActivityTaskFailedByID",
            api.RespondActivityTaskFailedByIDRequest(**by_id, failure=failure),
            "activity_task_failed",
        ),
        ("RespondActivityTaskCanceledByID", api.RespondActivityTaskCanceledByIDRequest(**by_id), "activity_task_canceled"),
    ]


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("decided", [False, True])
def test_an_activity_s_answer(number: int, decided: bool) -> None:
    """Also while its event waits in the buffer of a started decision (`decided` False), or has its id."""

    async def scenario() -> None:
        world = World()
        await world.start()
        cancel = api.Decision()
        cancel.request_cancel_activity_task_decision_attributes.activity_id = DOMAIN
        first = api.RespondDecisionTaskCompletedRequest(
            task_token=world.tokens[0],
            decisions=[cancel],
            return_new_decision_task=True,
            force_create_new_decision_task=True,
        )
        answered = await world.call("WorkerAPI/RespondDecisionTaskCompleted", first)
        decision_token = api.RespondDecisionTaskCompletedResponse.FromString(answered).decision_task.task_token
        rpc, request, kind = activity_answers(world.tokens[1])[number]
        if decided:
            answer = api.RespondDecisionTaskCompletedRequest(task_token=decision_token, identity="decider")
            await world.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
        asked = await losing(world, rpc)
        assert await world.call(f"WorkerAPI/{rpc}", request) == b""
        assert asked == [2]
        # Sent once more by the worker itself, it is refused as ever.
        with pytest.raises(EntityNotExists, match="activity task not found"):
            await world.call(f"WorkerAPI/{rpc}", request)
        if not decided:
            answer = api.RespondDecisionTaskCompletedRequest(task_token=decision_token, identity="decider")
            await world.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
        assert (await events(world)).count(kind) == 1
        await world.server.stop()

    run(scenario())


def test_an_answer_that_was_never_acted_on_stays_refused() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        token = world.tokens[1]
        completed = api.RespondActivityTaskCompletedRequest(task_token=token, identity="one")
        await world.call("WorkerAPI/RespondActivityTaskCompleted", completed)
        history = world.server._history
        real = history.handle
        asked = [0]

        async def handle(call: InternalCall) -> bytes:
            asked[0] += 1
            if asked[0] == 1:
                raise Unavailable("the question is lost")
            return await real(call)

        history.handle = handle  # type: ignore[method-assign]
        for rpc, request in (
            ("RespondActivityTaskFailed", api.RespondActivityTaskFailedRequest(task_token=token, identity="one")),
            ("RespondActivityTaskCompleted", api.RespondActivityTaskCompletedRequest(task_token=token, identity="two")),
        ):
            asked[0] = 0
            with pytest.raises(EntityNotExists, match="activity task not found"):
                await world.call(f"WorkerAPI/{rpc}", request)
            assert asked == [2]
        await world.server.stop()

    run(scenario())


def test_a_failure_that_is_retried() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        decision = api.Decision()
        wanted = decision.schedule_activity_task_decision_attributes
        wanted.activity_id, wanted.activity_type.name, wanted.task_list.name = "again", "Pay", "again"
        wanted.schedule_to_close_timeout.seconds = 60
        wanted.retry_policy.initial_interval.seconds = wanted.retry_policy.maximum_attempts = 5
        wanted.retry_policy.backoff_coefficient = 1
        answer = api.RespondDecisionTaskCompletedRequest(task_token=world.tokens[0], decisions=[decision])
        await world.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
        poll = api.PollForActivityTaskRequest(domain=DOMAIN, task_list=api.TaskList(name="again"))
        task = api.PollForActivityTaskResponse.FromString(await world.call("WorkerAPI/PollForActivityTask", poll))
        asked = await losing(world, "RespondActivityTaskFailed")
        failed = api.RespondActivityTaskFailedRequest(task_token=task.task_token, failure=api.Failure(reason="broken"))
        assert await world.call("WorkerAPI/RespondActivityTaskFailed", failed) == b""
        assert asked == [2]
        task = api.PollForActivityTaskResponse.FromString(await world.call("WorkerAPI/PollForActivityTask", poll, 30.0))
        assert task.attempt == 1
        await world.server.stop()

    run(scenario())


@pytest.mark.parametrize("closes", [False, True])
def test_a_decision(closes: bool) -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        asked = await losing(world, "RespondDecisionTaskCompleted")
        answer = api.RespondDecisionTaskCompletedRequest(
            task_token=world.tokens[0],
            identity="decider",
            decisions=[decision_that_completes()] if closes else [],
            return_new_decision_task=not closes,
            force_create_new_decision_task=not closes,
        )
        response = api.RespondDecisionTaskCompletedResponse.FromString(
            await world.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
        )
        assert asked == [2]
        # The next task was started inside the answer that got lost: it comes with this one.
        assert bool(response.decision_task.task_token) is not closes
        if not closes:
            last = api.RespondDecisionTaskCompletedRequest(
                task_token=response.decision_task.task_token, decisions=[decision_that_completes()]
            )
            await world.call("WorkerAPI/RespondDecisionTaskCompleted", last)
        assert (await events(world))[-1] == "workflow_execution_completed"
        with pytest.raises(EntityNotExists, match="already completed"):
            await world.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
        await world.server.stop()

    run(scenario())


def test_a_decision_s_failure() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        token = world.tokens[0]
        asked = await losing(world, "RespondDecisionTaskFailed")
        cause = api.DECISION_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
        for attempt in range(2):
            asked[0] = 0
            failed = api.RespondDecisionTaskFailedRequest(task_token=token, cause=cause, identity="decider")
            assert await world.call("WorkerAPI/RespondDecisionTaskFailed", failed) == b""
            assert asked == [2]
            task = await world.poll_decision("orders")
            assert task.attempt == attempt + 1
            token = task.task_token
        await world.server.stop()

    run(scenario())


def test_a_termination_and_a_cancel_request() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        cancel = api.RequestCancelWorkflowExecutionRequest(domain=DOMAIN, workflow_execution=EXECUTION)
        asked = await losing(world, "RequestCancelWorkflowExecution")
        assert await world.call("WorkflowAPI/RequestCancelWorkflowExecution", cancel) == b""
        assert asked == [2]
        terminate = api.TerminateWorkflowExecutionRequest(
            domain=DOMAIN, workflow_execution=EXECUTION, reason="enough", identity="me"
        )
        asked = await losing(world, "TerminateWorkflowExecution")
        assert await world.call("WorkflowAPI/TerminateWorkflowExecution", terminate) == b""
        assert asked == [2]
        kinds = await events(world)
        assert kinds.count("workflow_execution_cancel_requested") == kinds.count("workflow_execution_terminated") == 1
        for text in ("enough", "other"):
            terminate.reason = text
            with pytest.raises(ServiceError) as refused:
                await world.call("WorkflowAPI/TerminateWorkflowExecution", terminate)
            assert isinstance(refused.value, EntityNotExists | WorkflowAlreadyCompleted)
        await world.server.stop()

    run(scenario())
