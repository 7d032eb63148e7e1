"""The start of a decision task goes out at once, and into the log with the answer that follows it."""

from __future__ import annotations

import asyncio

from tenuto_api import api, internal
from tenuto_server.history.log import CommitLog
from tenuto_server.persistence.domains import Domains
from tenuto_server.transport.network import InternalCall
from tests.unit.history.process import DOMAIN_ID, World, story


async def begin(w: World, run_id: str, request_id: str = "poll") -> api.PollForDecisionTaskResponse:
    """A poller takes the run's first decision task."""
    task = internal.TaskRef(domain_id=DOMAIN_ID, workflow_id="w", run_id=run_id, type=internal.TASK_TYPE_DECISION, schedule_id=2)
    request = internal.StartTaskRequest(task=task, request_id=request_id, task_list="l", domain_name="domain")
    answer = await w.service.handle(InternalCall("StartTask", request.SerializeToString(), None))
    return api.PollForDecisionTaskResponse.FromString(answer)


def log_of(w: World) -> CommitLog:
    """The log that the process writes to."""
    log = w.service.core.log
    assert log is not None
    return log


async def complete(w: World, token: bytes) -> None:
    decision = api.Decision()
    decision.complete_workflow_execution_decision_attributes.SetInParent()
    request = api.RespondDecisionTaskCompletedRequest(task_token=token, decisions=[decision])
    await w.call("RespondDecisionTaskCompleted", "w", request.SerializeToString())


def test_it_shares_the_append_of_the_answer() -> None:
    """Also while somebody waits for the end of the workflow, as a caller nearly always does."""

    async def told(w: World) -> None:
        await Domains(w.store).register(api.Domain(id=DOMAIN_ID, name="domain"))
        run_id = await w.start()
        log = log_of(w)
        wanted = api.GetWorkflowExecutionHistoryRequest(
            workflow_execution=api.WorkflowExecution(workflow_id="w", run_id=run_id),
            wait_for_new_event=True,
            history_event_filter_type=api.EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        before = log.appends
        taken = await begin(w, run_id)
        call = w.call("GetWorkflowExecutionHistory", "w", wanted.SerializeToString())
        result = asyncio.get_running_loop().create_task(call)
        await asyncio.sleep(0.01)
        assert (log.appends, log.steps_waiting) == (before, 1)
        await complete(w, taken.task_token)
        assert log.appends == before + 1
        history = api.GetWorkflowExecutionHistoryResponse.FromString(await result).history
        assert [event.event_id for event in history.events] == [5]

    story(told)


def test_it_is_written_soon_where_no_answer_comes() -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        log = log_of(w)
        before = log.appends
        await begin(w, run_id)
        await asyncio.sleep(0.1)
        assert (log.appends, log.steps_waiting) == (before + 1, 0)
        await w.crash()
        assert await w.events(run_id) == 3

    story(told)


def test_whoever_reads_the_history_sees_it_and_waits_for_it() -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        log = log_of(w)
        before = log.appends
        await begin(w, run_id)
        assert log.steps_waiting == 1
        assert await w.events(run_id) == 3
        assert (log.appends, log.steps_waiting) == (before + 1, 0)

    story(told)
