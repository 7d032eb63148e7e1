"""What schedules do to the runs they start: start them, cancel or terminate those before, and watch for their end.

Every call may be made again: starts and cancel requests carry request ids that follow from the schedule and the time, and a run
that is gone counts as closed. A run that continues as new, is retried or has a cron of its own stays one run here: it is known
by its workflow id, which no other time of the schedule has.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import OrderedDict
from contextlib import suppress
from typing import Any, Final

import msgspec

from tenuto import activity
from tenuto.client import Client, WorkflowRpc
from tenuto.errors import (
    ApplicationError,
    BadRequestError,
    CancellationAlreadyRequestedError,
    DeadlineExceededError,
    EntityNotExistsError,
    LimitExceededError,
    WorkflowAlreadyStartedError,
)
from tenuto_api import api
from tenuto_server.rules import schedules as names
from tenuto_server.worker_host.schedules import core
from tenuto_server.worker_host.schedules.core import Fire, Outcome, Run, State, Verdict
from tenuto_server.worker_host.schedules.times import rfc3339

logger = logging.getLogger(__name__)

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "schedules.tenuto")
REQUESTS_CACHED_MAX: Final = 200
LOOKED_AT_MAX: Final = 20
WATCHES_MAX: Final = 2000
WATCH_SECONDS: Final = 30 * 60.0
_POLL_SECONDS: Final = 25.0
_CAUSE: Final = "overlap policy of its schedule"
_FAILED: Final = (
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED,
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_TIMED_OUT,
)
_FAILED_EVENTS: Final = (
    "workflow_execution_failed_event_attributes",
    "workflow_execution_timed_out_event_attributes",
)


class Batch(msgspec.Struct):
    """What `start` is given: starts in order, runs known to be open, how many more there are of these, and when the schedule
    was made."""

    fires: list[Fire]
    running: list[Run]
    others: int
    created_ns: int


def batch_of(fires: list[Fire], state: State) -> Batch:
    """For starts that only have to count the open runs a few of these will do."""
    counts = all(fire.overlap == core.CONCURRENT for fire in fires)
    running = state.running[:LOOKED_AT_MAX] if counts else state.running
    return Batch(fires, running, len(state.running) - len(running), state.created_ns)


class Closed(msgspec.Struct):
    """A run that is not open any more; `failed` if by failure or timeout."""

    run: Run
    failed: bool


class Tried(msgspec.Struct, omit_defaults=True):
    """How a start ended."""

    fire: Fire
    outcome: Outcome
    run: Run | None = None
    error: str = ""


class Report(msgspec.Struct):
    """What `start` answers: how each start ended, and which runs it found closed."""

    tried: list[Tried]
    closed: list[Closed]


class Watched(msgspec.Struct):
    """What `watch` answers: whether the run has closed, and if so how. An open one is to be watched again."""

    closed: bool
    failed: bool = False


class ScheduleActivities:
    """The activities of one domain."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._requests: OrderedDict[str, api.CreateScheduleRequest] = OrderedDict()
        self._watches = 0

    @activity.defn(name="scheduler-start")
    async def start(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Tries starts one after the other."""
        given = msgspec.convert(batch, Batch)
        request = await self._request()
        report = Report([], [])
        for fire in given.fires:
            try:
                tried = await self._try(request, fire, given, report)
            except (BadRequestError, LimitExceededError, EntityNotExistsError) as error:
                logger.warning("schedule %s cannot start what it should: %s", request.schedule_id, error)
                tried = Tried(fire, Outcome.FAILED, error=error.message)
            report.tried.append(tried)
        answer: dict[str, Any] = msgspec.to_builtins(report)
        return answer

    @activity.defn(name="scheduler-watch")
    async def watch(self, run: dict[str, Any]) -> dict[str, Any]:
        """Waits for a run's end, for a time."""
        watched = msgspec.convert(run, Run)
        found = Watched(False)
        if self._watches < WATCHES_MAX:
            self._watches += 1
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    found = await self._wait_for_end(watched)
            except TimeoutError:
                pass
            finally:
                self._watches -= 1
        answer: dict[str, Any] = msgspec.to_builtins(found)
        return answer

    async def _request(self) -> api.CreateScheduleRequest:
        """The schedule as the calling run's input has it: kept out of the activity's input, for it may be large."""
        info = activity.info()
        found = self._requests.get(info.run_id)
        if found is None:
            ask = api.GetWorkflowExecutionHistoryRequest(
                domain=self._client.domain,
                workflow_execution=api.WorkflowExecution(workflow_id=info.workflow_id, run_id=info.run_id),
                page_size=1,
            )
            answer = await self._client.connection.call(WorkflowRpc.history, ask)
            started = answer.history.events[0].workflow_execution_started_event_attributes
            given = self._client.decode(started.input.data, dict[str, Any])
            try:
                found = names.from_json(api.CreateScheduleRequest, given["request"])
            except (ValueError, KeyError, TypeError) as error:
                raise ApplicationError(f"the schedule's input cannot be read: {error}", type="BadScheduleInput") from error
            self._requests[info.run_id] = found
            while len(self._requests) > REQUESTS_CACHED_MAX:
                self._requests.popitem(last=False)
        self._requests.move_to_end(info.run_id)
        return found

    # ---- starting ----

    async def _try(self, request: api.CreateScheduleRequest, fire: Fire, batch: Batch, report: Report) -> Tried:
        limit = core.concurrency_limit(request.policies)
        running = batch.running
        for run in list(running):
            if core.verdict(fire.overlap, len(running) + batch.others, limit) is Verdict.START:
                break
            watched = await self._look_at(run)
            if watched.closed:
                running.remove(run)
                report.closed.append(Closed(run, watched.failed))
        decided = core.verdict(fire.overlap, len(running) + batch.others, limit)
        if decided is Verdict.SKIP:
            return Tried(fire, Outcome.SKIPPED)
        for run in running:
            if decided is Verdict.CANCEL:
                await self._cancel(run)
            elif decided is Verdict.TERMINATE:
                await self._terminate(run)
        try:
            started = await self._start(request, fire, batch.created_ns)
        except WorkflowAlreadyStartedError:
            # Somebody else's run has the id that belongs to this time.
            return Tried(fire, Outcome.SKIPPED)
        running.append(started)
        return Tried(fire, Outcome.STARTED, started)

    async def _look_at(self, run: Run) -> Watched:
        ask = api.DescribeWorkflowExecutionRequest(domain=self._client.domain, workflow_execution=_latest(run))
        try:
            answer = await self._client.connection.call(WorkflowRpc.describe, ask)
        except EntityNotExistsError:
            return Watched(True)
        status = answer.workflow_execution_info.close_status
        if status in (
            api.WORKFLOW_EXECUTION_CLOSE_STATUS_INVALID,
            api.WORKFLOW_EXECUTION_CLOSE_STATUS_CONTINUED_AS_NEW,
        ):
            return Watched(False)
        return Watched(True, status in _FAILED)

    async def _start(self, schedule: api.CreateScheduleRequest, fire: Fire, created_ns: int) -> Run:
        request = start_request(self._client.domain, schedule, fire, created_ns)
        request.identity = self._client.connection.identity
        answer = await self._client.connection.call(WorkflowRpc.start, request)
        return Run(request.workflow_id, answer.run_id)

    async def _cancel(self, run: Run) -> None:
        request = api.RequestCancelWorkflowExecutionRequest(
            domain=self._client.domain,
            workflow_execution=_latest(run),
            identity=self._client.connection.identity,
            request_id=str(uuid.uuid5(_NAMESPACE, f"cancel|{run.workflow_id}|{run.run_id}")),
            cause=_CAUSE,
        )
        with suppress(EntityNotExistsError, CancellationAlreadyRequestedError):  # gone, or someone else was first
            await self._client.connection.call(WorkflowRpc.cancel, request)

    async def _terminate(self, run: Run) -> None:
        request = api.TerminateWorkflowExecutionRequest(
            domain=self._client.domain,
            workflow_execution=_latest(run),
            identity=self._client.connection.identity,
            reason=_CAUSE,
        )
        with suppress(EntityNotExistsError):  # gone already
            await self._client.connection.call(WorkflowRpc.terminate, request)

    # ---- watching ----

    async def _wait_for_end(self, run: Run) -> Watched:
        """Long polls for the closing event; follows the run where it continues as another."""
        ask = api.GetWorkflowExecutionHistoryRequest(
            domain=self._client.domain,
            workflow_execution=_latest(run),
            wait_for_new_event=True,
            history_event_filter_type=api.EVENT_FILTER_TYPE_CLOSE_EVENT,
            skip_archival=True,
        )
        while True:
            activity.heartbeat()
            try:
                answer = await self._client.connection.call(WorkflowRpc.history, ask, _POLL_SECONDS)
            except EntityNotExistsError:
                return Watched(True)
            except DeadlineExceededError:
                continue
            ask.next_page_token = answer.next_page_token
            if not answer.history.events:
                continue
            kind = answer.history.events[-1].WhichOneof("attributes")
            if kind != "workflow_execution_continued_as_new_event_attributes":
                return Watched(True, kind in _FAILED_EVENTS)
            ask.next_page_token = b""


def _latest(run: Run) -> api.WorkflowExecution:
    return api.WorkflowExecution(workflow_id=run.workflow_id)


def start_request(
    domain: str, schedule: api.CreateScheduleRequest, fire: Fire, created_ns: int
) -> api.StartWorkflowExecutionRequest:
    """The start that belongs to a time of a schedule: always the same, so that it can be sent again. Another schedule that
    comes to have the same id has other request ids, and each backfill has its own."""
    action = schedule.action.start_workflow
    at = rfc3339(fire.time_ns)
    seed = f"{domain}|{schedule.schedule_id}|{created_ns}|{fire.time_ns}|{fire.backfill_id}"
    request = api.StartWorkflowExecutionRequest(
        domain=domain,
        workflow_id=f"{action.workflow_id_prefix or schedule.schedule_id}-{at}",
        workflow_type=action.workflow_type,
        task_list=action.task_list,
        execution_start_to_close_timeout=action.execution_start_to_close_timeout,
        task_start_to_close_timeout=action.task_start_to_close_timeout,
        request_id=str(uuid.uuid5(_NAMESPACE, seed)),
        workflow_id_reuse_policy=api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    )
    if action.HasField("input"):
        request.input.CopyFrom(action.input)
    if action.HasField("retry_policy"):
        request.retry_policy.CopyFrom(action.retry_policy)
    if action.HasField("memo"):
        request.memo.CopyFrom(action.memo)
    fields = request.search_attributes.indexed_fields
    for key, value in action.search_attributes.indexed_fields.items():
        fields[key].CopyFrom(value)
    own: dict[str, object] = {
        names.KEY_ID: schedule.schedule_id,
        names.KEY_TIME: at,
        names.KEY_IS_BACKFILL: bool(fire.backfill_id),
    }
    if fire.backfill_id:
        own[names.KEY_BACKFILL_ID] = fire.backfill_id
    for key, found in own.items():
        fields[key].data = msgspec.json.encode(found)
    if not request.task_start_to_close_timeout.seconds:
        request.task_start_to_close_timeout.seconds = 10
    return request
