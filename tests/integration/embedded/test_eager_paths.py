"""What goes with the answer to a decision task: activities that the worker runs itself, and heartbeats of decisions."""

from __future__ import annotations

import asyncio

import pytest

from tenuto._rpc.connection import WorkerRpc, WorkflowRpc
from tenuto.errors import EntityNotExistsError
from tenuto_api import api
from tests.integration.embedded.serving import NETWORKS, Raw, complete, raw, run

networks = pytest.mark.parametrize("network", NETWORKS)


def schedule(activity_id: str, *, local: bool = True, task_list: str = "") -> api.Decision:
    """A decision for an activity."""
    attributes = api.ScheduleActivityTaskDecisionAttributes(
        activity_id=activity_id,
        activity_type=api.ActivityType(name="charge"),
        task_list=api.TaskList(name=task_list),
        request_local_dispatch=local,
    )
    attributes.schedule_to_close_timeout.seconds = 20
    return api.Decision(schedule_activity_task_decision_attributes=attributes)


async def events(worker: Raw, execution: api.WorkflowExecution) -> list[str]:
    """The names of the run's events."""
    request = api.GetWorkflowExecutionHistoryRequest(domain="default", workflow_execution=execution)
    found = (await worker.connection.call(WorkflowRpc.history, request)).history.events
    return [(event.WhichOneof("attributes") or "").removesuffix("_event_attributes") for event in found]


@networks
def test_the_deciding_worker_runs_activities_at_once(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await worker.start()
            task = await worker.poll()
            response = await worker.decide(
                task, schedule("a"), schedule("b", local=False), schedule("c", task_list="other"), schedule("d", task_list="tl")
            )
            assert not response.HasField("decision_task")
            local = response.activities_to_dispatch_locally
            assert sorted(local) == ["a", "d"]
            assert local["a"].activity_id == "a"
            assert local["a"].scheduled_time == local["a"].scheduled_time_of_this_attempt
            assert local["a"].started_time.seconds
            assert (await events(worker, execution))[4:7] == [
                "activity_task_scheduled", "activity_task_started", "activity_task_scheduled",
            ]  # fmt: skip
            # They are on no task list: what waits there is the one that was not asked for.
            poll = api.PollForActivityTaskRequest(domain="default", task_list=api.TaskList(name="tl"), identity="raw")
            waiting = await worker.connection.call_once(WorkerRpc.poll_activity, poll, 5.0)
            assert waiting.activity_id == "b"
            assert not (await worker.connection.call_once(WorkerRpc.poll_activity, poll, 2.1)).task_token
            done = api.RespondActivityTaskCompletedRequest(task_token=local["a"].task_token, identity="raw")
            await worker.connection.call_once(WorkerRpc.completed, done)
            with pytest.raises(EntityNotExistsError):
                await worker.connection.call_once(WorkerRpc.completed, done)
            following = await worker.poll()
            completed = following.history.events[-3]
            assert completed.activity_task_completed_event_attributes.scheduled_event_id == 5
            assert completed.activity_task_completed_event_attributes.started_event_id == 6

    run(story)


@networks
def test_with_the_end_of_the_run_nothing_is_dispatched(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            await worker.start()
            response = await worker.decide(await worker.poll(), schedule("a"), complete())
            assert not response.activities_to_dispatch_locally

    run(story)


@networks
def test_a_row_of_heartbeats_has_an_end(network: str) -> None:
    async def story() -> None:
        async with raw(network, decision_heartbeat_timeout=0.5) as worker:
            execution = await worker.start()
            task = await worker.poll()
            describe = api.DescribeWorkflowExecutionRequest(domain="default", workflow_execution=execution)
            first = (await worker.connection.call(WorkflowRpc.describe, describe)).pending_decision
            beats = 0

            async def beat_on(task: api.PollForDecisionTaskResponse) -> None:
                nonlocal beats
                while True:
                    await asyncio.sleep(0.1)
                    response = await worker.decide(
                        task, force_create_new_decision_task=True, return_new_decision_task=True, sticky="host"
                    )
                    beats += 1
                    task = response.decision_task
                    pending = (await worker.connection.call(WorkflowRpc.describe, describe)).pending_decision
                    assert pending.original_scheduled_time == first.original_scheduled_time
                    assert pending.scheduled_time.ToNanoseconds() > first.scheduled_time.ToNanoseconds()

            with pytest.raises(EntityNotExistsError, match=r"^decision heartbeat timeout$"):
                await beat_on(task)
            assert beats >= 1
            assert "decision_task_timed_out" in await events(worker, execution)
            # It goes out again, from the start and to anybody.
            again = await worker.poll()
            assert again.attempt == 1
            assert again.history.events[0].event_id == 1
            await worker.decide(again, complete())

    run(story)
