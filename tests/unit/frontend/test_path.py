"""The whole path of one workflow as the frontend sees it: start, poll, respond, read the history."""

from __future__ import annotations

from tenuto_api import api, internal
from tests.unit.frontend.fakes import DOMAIN, DOMAIN_ID, RUN_ID, Bench, run, start_request, task_token


def test_start_poll_respond_history() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            answers = {
                "StartWorkflowExecution": api.StartWorkflowExecutionResponse(run_id=RUN_ID),
                "RespondDecisionTaskCompleted": api.RespondDecisionTaskCompletedResponse(),
                "GetWorkflowExecutionHistory": api.GetWorkflowExecutionHistoryResponse(next_page_token=b"more"),
            }
            task = api.PollForDecisionTaskResponse(task_token=task_token(), started_event_id=3)
            bench.history.answer = lambda call: answers[call.method].SerializeToString()
            bench.matching.answer = lambda _: task.SerializeToString()
            headers = {"cadence-client-name": "uber-go", "cadence-client-feature-version": "1.7.0"}

            start = start_request().SerializeToString()
            started = await bench.call("WorkflowAPI/StartWorkflowExecution", start, headers=headers)
            assert api.StartWorkflowExecutionResponse.FromString(started).run_id == RUN_ID
            assert bench.history.requests()[0] == internal.WorkflowRequest(
                domain_id=DOMAIN_ID,
                workflow_id="order-1",
                request=start,
                client_name="uber-go",
                client_feature_version="1.7.0",
            )

            poll = api.PollForDecisionTaskRequest(domain=DOMAIN, identity="w", binary_checksum="c")
            poll.task_list.name = "orders"
            polled = await bench.call("WorkerAPI/PollForDecisionTask", poll.SerializeToString(), timeout_s=30)
            assert polled == task.SerializeToString()
            asked = bench.matching.calls[0]
            assert asked.method == "PollTask"
            sent = internal.PollTaskRequest.FromString(asked.body)
            assert len(sent.request_id) == 36
            sent.request_id = ""
            assert sent == internal.PollTaskRequest(
                domain_id=DOMAIN_ID,
                domain_name=DOMAIN,
                task_list="orders",
                kind=api.TASK_LIST_KIND_NORMAL,
                type=internal.TASK_TYPE_DECISION,
                identity="w",
                binary_checksum="c",
            )

            respond = api.RespondDecisionTaskCompletedRequest(task_token=task_token(), identity="w")
            await bench.call("WorkerAPI/RespondDecisionTaskCompleted", respond.SerializeToString())
            assert bench.history.requests()[1].request == respond.SerializeToString()
            assert bench.history.requests()[1].workflow_id == "order-1"

            read = api.GetWorkflowExecutionHistoryRequest(domain=DOMAIN, wait_for_new_event=True)
            read.workflow_execution.workflow_id = "order-1"
            page = await bench.call("WorkflowAPI/GetWorkflowExecutionHistory", read.SerializeToString())
            assert api.GetWorkflowExecutionHistoryResponse.FromString(page).next_page_token == b"more"
            assert [call.method for call in bench.history.calls] == list(answers)

    run(scenario())
