"""The diagnostics workflow: reads a run's history, and answers what is wrong with it as JSON (see `findings`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from tenuto import activity, workflow
from tenuto.client import Client, RetryPolicy, RpcMethod, WorkflowRpc
from tenuto.errors import ApplicationError, BadRequestError, EntityNotExistsError, RpcError
from tenuto_api import api
from tenuto_server.rules import diagnostics as names
from tenuto_server.worker_host.diagnostics import findings

EVENTS_MAX: Final = 100_000
_ACTIVITY: Final = "diagnose"
# The failure's reason of what no other try would change.
_REFUSED: Final = "diagnostics-refused"
_DESCRIBE_LIST_RPC: Final = RpcMethod("WorkflowAPI", api.DescribeTaskListRequest, api.DescribeTaskListResponse)
_RETRY: Final = RetryPolicy(
    initial_interval=1, maximum_interval=30, maximum_attempts=5, non_retryable_errors=[_REFUSED]
)


@workflow.defn(name=names.WORKFLOW_TYPE)
class DiagnosticsWorkflow:
    """One diagnosis. Its input is {"Domain", "WorkflowID", "RunID", "Identity"}."""

    def __init__(self) -> None:
        self._result: dict[str, Any] = {"DiagnosticsResult": None, "DiagnosticsCompleted": False}

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """Answers {"DiagnosticsResult", "DiagnosticsCompleted"}."""
        found = await workflow.execute_activity(
            _ACTIVITY,
            given,
            start_to_close_timeout=timedelta(minutes=5),
            schedule_to_start_timeout=timedelta(minutes=5),
            heartbeat_timeout=60,
            retry_policy=_RETRY,
            result_type=dict[str, Any],
        )
        self._result = {"DiagnosticsResult": found, "DiagnosticsCompleted": True}
        return self._result

    @workflow.query(name=names.QUERY)
    def report(self) -> dict[str, Any]:
        """The same as the result, as far as it is known."""
        return self._result


class DiagnosticsActivities:
    """What the diagnosis reads, in whatever domain."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name=_ACTIVITY)
    async def diagnose(self, given: dict[str, Any]) -> dict[str, Any]:
        """Reads the history and the pollers, and answers the findings."""
        domain = str(given.get("Domain", ""))
        run = api.WorkflowExecution(workflow_id=str(given.get("WorkflowID", "")), run_id=str(given.get("RunID", "")))
        try:
            events = await self._events(domain, run)
        except (EntityNotExistsError, BadRequestError) as error:
            raise ApplicationError(str(error), type=_REFUSED, non_retryable=True) from None
        pollers = {name: await self._pollers(domain, name) for name in findings.task_lists(events)}
        return findings.diagnose(events, pollers)

    async def _events(self, domain: str, run: api.WorkflowExecution) -> list[api.HistoryEvent]:
        request = api.GetWorkflowExecutionHistoryRequest(domain=domain, workflow_execution=run)
        events: list[api.HistoryEvent] = []
        while len(events) < EVENTS_MAX:
            page = await self._client.connection.call(WorkflowRpc.history, request)
            events += page.history.events
            activity.heartbeat(len(events))
            if not page.next_page_token:
                break
            request.next_page_token = page.next_page_token
        return events

    async def _pollers(self, domain: str, task_list: str) -> int:
        count = 0
        for kind in (api.TASK_LIST_TYPE_DECISION, api.TASK_LIST_TYPE_ACTIVITY):
            request = api.DescribeTaskListRequest(domain=domain, task_list=api.TaskList(name=task_list), task_list_type=kind)
            try:
                count += len((await self._client.connection.call(_DESCRIBE_LIST_RPC, request)).pollers)
            except RpcError:
                continue
        return count
