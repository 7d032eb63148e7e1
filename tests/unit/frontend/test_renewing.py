"""Reset, restart and refresh as the frontend sees them: what is asked of the owner, and what is refused before."""

from __future__ import annotations

import pytest

from tenuto_api import api, internal
from tenuto_server.errors import BadRequest
from tenuto_server.transport.network import InternalCall
from tests.unit.frontend.fakes import DOMAIN, RUN_ID, Bench, run


def begun() -> api.WorkflowExecutionStartedEventAttributes:
    attributes = api.WorkflowExecutionStartedEventAttributes(
        workflow_type=api.WorkflowType(name="greet"),
        task_list=api.TaskList(name="orders"),
        input=api.Payload(data=b"1"),
        memo=api.Memo(fields={"m": api.Payload(data=b"2")}),
        header=api.Header(fields={"h": api.Payload(data=b"3")}),
        retry_policy=api.RetryPolicy(maximum_attempts=3),
        first_execution_run_id=RUN_ID,
        identity="starter",
    )
    attributes.execution_start_to_close_timeout.seconds = 100
    attributes.task_start_to_close_timeout.seconds = 10
    attributes.first_decision_task_backoff.seconds = 7
    return attributes


def restart(attributes: api.WorkflowExecutionStartedEventAttributes) -> api.StartWorkflowExecutionRequest:
    """The start that a restart comes to."""
    asked: list[api.StartWorkflowExecutionRequest] = []

    def answer(call: InternalCall) -> bytes:
        request = internal.WorkflowRequest.FromString(call.body).request
        if call.method == "GetWorkflowExecutionHistory":
            assert api.GetWorkflowExecutionHistoryRequest.FromString(request).page_size == 1
            response = api.GetWorkflowExecutionHistoryResponse()
            response.history.events.add().workflow_execution_started_event_attributes.CopyFrom(attributes)
            return response.SerializeToString()
        asked.append(api.StartWorkflowExecutionRequest.FromString(request))
        return api.StartWorkflowExecutionResponse(run_id="new").SerializeToString()

    async def scenario() -> None:
        async with Bench() as bench:
            bench.history.answer = answer
            request = api.RestartWorkflowExecutionRequest(domain=DOMAIN, identity="me")
            request.workflow_execution.workflow_id = "order-1"
            answered = await bench.call("WorkflowAPI/RestartWorkflowExecution", request.SerializeToString())
            assert api.RestartWorkflowExecutionResponse.FromString(answered).run_id == "new"

    run(scenario())
    (start,) = asked
    return start


def test_a_restart_starts_with_what_the_first_event_says() -> None:
    former = begun()
    start = restart(former)
    assert start.workflow_id_reuse_policy == api.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING
    assert (start.domain, start.workflow_id, start.identity) == (DOMAIN, "order-1", "me")
    assert start.request_id
    for name in (
        "workflow_type", "task_list", "input", "memo", "header", "retry_policy",
        "execution_start_to_close_timeout", "task_start_to_close_timeout",
    ):  # fmt: skip
        assert getattr(start, name) == getattr(former, name), name
    assert start.delay_start.seconds == 7


def test_a_restart_does_not_wait_as_a_cron_run_or_a_retry_did() -> None:
    former = begun()
    former.cron_schedule = "* * * * *"
    start = restart(former)
    assert start.cron_schedule == "* * * * *"
    assert not start.HasField("delay_start")
    former = begun()
    former.continued_execution_run_id = RUN_ID
    assert not restart(former).HasField("delay_start")


def test_a_reset_without_request_id_gets_one() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = api.ResetWorkflowExecutionRequest(domain=DOMAIN, decision_finish_event_id=4)
            request.workflow_execution.workflow_id = "order-1"
            await bench.call("WorkflowAPI/ResetWorkflowExecution", request.SerializeToString())
            (call,) = bench.history.requests()
            assert api.ResetWorkflowExecutionRequest.FromString(call.request).request_id

    run(scenario())


@pytest.mark.parametrize("rpc", ["ResetWorkflowExecution", "RestartWorkflowExecution", "RefreshWorkflowTasks"])
def test_a_workflow_must_be_named(rpc: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = getattr(api, rpc + "Request")(domain=DOMAIN)
            with pytest.raises(BadRequest, match="Execution is not set"):
                await bench.call(f"WorkflowAPI/{rpc}", request.SerializeToString())
            with pytest.raises(BadRequest, match="Domain not set"):
                await bench.call(f"WorkflowAPI/{rpc}", b"")
            assert not bench.history.calls

    run(scenario())
