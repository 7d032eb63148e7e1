"""What comes of a decision worker's answer that the server does not take as it is."""

from __future__ import annotations

import logging

import pytest

from tenuto_api import api
from tests.integration.embedded.test_any_request import WORKFLOW_ID, World
from tests.unit.frontend.fakes import DOMAIN, run

EXECUTION = api.WorkflowExecution(workflow_id=WORKFLOW_ID)


async def last_events(world: World, count: int) -> list[api.HistoryEvent]:
    request = api.GetWorkflowExecutionHistoryRequest(domain=DOMAIN, workflow_execution=EXECUTION)
    answer = await world.call("WorkflowAPI/GetWorkflowExecutionHistory", request)
    return list(api.GetWorkflowExecutionHistoryResponse.FromString(answer).history.events)[-count:]


def test_a_bad_binary_s_decisions_are_not_taken() -> None:
    """It was marked while it decided: the call succeeds, the decision task fails and goes out again."""

    async def scenario() -> None:
        world = World()
        await world.start()
        change = api.UpdateDomainRequest(name=DOMAIN)
        change.bad_binaries.binaries["wrong"].reason = "it was wrong"
        change.update_mask.paths.append("bad_binaries")
        await world.call("DomainAPI/UpdateDomain", change)
        decision = api.Decision()
        decision.complete_workflow_execution_decision_attributes.SetInParent()
        answer = api.RespondDecisionTaskCompletedRequest(
            task_token=world.tokens[0], decisions=[decision], binary_checksum="wrong", return_new_decision_task=True
        )
        answered = await world.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
        assert not api.RespondDecisionTaskCompletedResponse.FromString(answered).HasField("decision_task")
        failed = [one for one in await last_events(world, 4) if one.HasField("decision_task_failed_event_attributes")]
        assert [one.decision_task_failed_event_attributes.cause for one in failed] == [api.DECISION_TASK_FAILED_CAUSE_BAD_BINARY]
        describe = api.DescribeWorkflowExecutionRequest(domain=DOMAIN, workflow_execution=EXECUTION)
        answered = await world.call("WorkflowAPI/DescribeWorkflowExecution", describe)
        described = api.DescribeWorkflowExecutionResponse.FromString(answered)
        assert not described.workflow_execution_info.close_status and described.pending_decision.attempt == 1
        await world.server.stop()

    run(scenario())


def test_a_decision_s_large_payload_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        decision = api.Decision()
        decision.record_marker_decision_attributes.marker_name = "m"
        decision.record_marker_decision_attributes.details.data = b"x" * (256 * 1024 + 1)
        answer = api.RespondDecisionTaskCompletedRequest(task_token=world.tokens[0], decisions=[decision])
        await world.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
        await world.server.stop()

    with caplog.at_level(logging.WARNING, "tenuto_server"):
        run(scenario())
    (line,) = [one.getMessage() for one in caplog.records if "large blob" in one.getMessage()]
    assert "RecordMarkerDecisionAttributes.Details of 262145 bytes" in line
    assert f"domain {DOMAIN}, workflow {WORKFLOW_ID}, run" in line


def test_times_for_ever_do_no_harm_to_what_is_written_down() -> None:
    """A timer beyond 64 bits of nanoseconds, and a worker that says so of its sticky list."""

    async def scenario() -> None:
        world = World()
        await world.start()
        decision = api.Decision()
        decision.start_timer_decision_attributes.timer_id = "for ever"
        decision.start_timer_decision_attributes.start_to_fire_timeout.seconds = 9 * 10**18
        answer = api.RespondDecisionTaskCompletedRequest(task_token=world.tokens[0], decisions=[decision])
        await world.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
        failed = [one for one in await last_events(world, 4) if one.HasField("decision_task_failed_event_attributes")]
        assert [one.decision_task_failed_event_attributes.cause for one in failed] == [
            api.DECISION_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES
        ]
        task = await world.poll_decision("orders")
        answer = api.RespondDecisionTaskCompletedRequest(task_token=task.task_token, force_create_new_decision_task=True)
        answer.sticky_attributes.worker_task_list.name = "host:1"
        answer.sticky_attributes.schedule_to_start_timeout.seconds = 9 * 10**18
        await world.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
        # Everything is written down here.
        await world.server.stop()

    run(scenario())
