"""Schedules as clients see them. Each is a workflow of the system in the client's own domain: what is asked of a schedule is a
start, signal or query of that workflow, checked here and sent to the owner of its shard."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from tenuto_api import api
from tenuto_server.errors import (
    BadRequest,
    EntityNotExists,
    ServiceBusy,
    Unimplemented,
    WorkflowAlreadyCompleted,
    WorkflowAlreadyStarted,
)
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.frontend.search_attributes import check_search_attributes
from tenuto_server.rules import cron, durations
from tenuto_server.rules import schedules as names
from tenuto_server.transport.public import PublicCall
from tenuto_server.visibility.tree import open_or_closed

log = logging.getLogger(__name__)

PAGE_SIZE_DEFAULT = 10
PAGE_SIZE_MAX = 1000
# What the scheduler workflow carries from run to run must stay under the limit of a blob, with its state.
REQUEST_BYTES_MAX = 768 * 1024
WORKFLOW_SECONDS = 10 * 365 * 24 * 3600
DECISION_SECONDS = 10
_NS_MAX = 2**63 - 1


async def create_schedule(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Starts the schedule's workflow. A schedule that is there is a bad request: so clients expect it."""
    request = parse(api.CreateScheduleRequest, call.body)
    _check_names(frontend, request.domain, request.schedule_id)
    if not request.HasField("spec"):
        raise BadRequest("Spec is not set on request.")
    _check_spec(request.spec)
    await _check_action(frontend, request.action, request.domain)
    _check_policies(request.policies)
    await _check_attributes(frontend, request.search_attributes, request.domain)
    if request.state.HasField("pause_info"):
        request.state.pause_info.ClearField("paused_at")  # the time that counts is the server's
    domain = await frontend.domain(request.domain, RateClass.USER)
    if domain.status != api.DOMAIN_STATUS_REGISTERED:
        raise BadRequest(validation.DOMAIN_DEPRECATED)
    start = api.StartWorkflowExecutionRequest(
        domain=request.domain,
        workflow_id=names.workflow_id(request.schedule_id),
        workflow_type=api.WorkflowType(name=names.WORKFLOW_TYPE),
        task_list=api.TaskList(name=names.TASK_LIST),
        input=api.Payload(data=_payload({"request": names.to_json(request)})),
        request_id=frontend.runtime.new_id(),
        workflow_id_reuse_policy=api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    )
    start.execution_start_to_close_timeout.seconds = WORKFLOW_SECONDS
    start.task_start_to_close_timeout.seconds = DECISION_SECONDS
    if request.HasField("memo"):
        start.memo.CopyFrom(request.memo)
    start.search_attributes.CopyFrom(request.search_attributes)
    for key, text in names.listed(request.spec, request.action, paused=request.state.paused).items():
        start.search_attributes.indexed_fields[key].data = json.dumps(text).encode()
    body = start.SerializeToString()
    try:
        await frontend.call_history(call, "StartWorkflowExecution", domain.id, start.workflow_id, body)
    except WorkflowAlreadyStarted:
        raise BadRequest(f'schedule "{request.schedule_id}" already exists in domain "{request.domain}"') from None
    return api.CreateScheduleResponse(schedule_id=request.schedule_id).SerializeToString()


async def describe_schedule(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Asks the workflow."""
    request = parse(api.DescribeScheduleRequest, call.body)
    _check_names(frontend, request.domain, request.schedule_id)
    domain = await frontend.domain(request.domain, RateClass.USER)
    query = api.QueryWorkflowRequest(
        domain=request.domain,
        workflow_execution=api.WorkflowExecution(workflow_id=names.workflow_id(request.schedule_id)),
        query=api.WorkflowQuery(query_type=names.DESCRIBE),
        query_reject_condition=api.QUERY_REJECT_CONDITION_NOT_OPEN,
        # What was told before, such as a pause, shows.
        query_consistency_level=api.QUERY_CONSISTENCY_LEVEL_STRONG,
    )
    body = query.SerializeToString()
    try:
        answer = await frontend.call_history(call, "QueryWorkflow", domain.id, query.workflow_execution.workflow_id, body)
    except (EntityNotExists, WorkflowAlreadyCompleted):
        raise _unknown(request) from None
    except Unimplemented:  # a history process of an older version
        raise BadRequest("DescribeSchedule is not supported by this server.") from None
    response = api.QueryWorkflowResponse.FromString(answer)
    if response.HasField("query_rejected"):
        raise _unknown(request)
    try:
        described = names.from_json(api.DescribeScheduleResponse, json.loads(response.query_result.data))
    except ValueError:
        raise ServiceBusy(f'schedule "{request.schedule_id}" gave no readable description') from None
    return described.SerializeToString()


async def update_schedule(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Replaces the parts that are set."""
    request = parse(api.UpdateScheduleRequest, call.body)
    _check_names(frontend, request.domain, request.schedule_id)
    parts = [part for part in ("spec", "action", "policies", "search_attributes") if request.HasField(part)]
    if not parts:
        raise BadRequest("At least one of Spec, Action, Policies, or SearchAttributes must be set on request.")
    if "spec" in parts:
        _check_spec(request.spec)
    if "action" in parts:
        await _check_action(frontend, request.action, request.domain)
    _check_policies(request.policies)
    await _check_attributes(frontend, request.search_attributes, request.domain)
    await _signal(frontend, call, request, names.UPDATE, names.to_json(request))
    return b""


async def delete_schedule(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Ends the workflow; what it started runs on. A schedule that is not there is deleted already."""
    request = parse(api.DeleteScheduleRequest, call.body)
    _check_names(frontend, request.domain, request.schedule_id)
    try:
        await _signal(frontend, call, request, names.DELETE, None)
    except EntityNotExists:
        # Of the schedule; a domain that is not there is an error.
        await frontend.domain(request.domain, RateClass.USER)
    return b""


async def pause_schedule(frontend: FrontendContext, call: PublicCall) -> bytes:
    """No effect on one that is paused."""
    request = parse(api.PauseScheduleRequest, call.body)
    _check_names(frontend, request.domain, request.schedule_id)
    validation.check_length(request.identity, "Identity", frontend.limits)
    await _signal(frontend, call, request, names.PAUSE, names.to_json(request))
    return b""


async def unpause_schedule(frontend: FrontendContext, call: PublicCall) -> bytes:
    """No effect on one that is not paused."""
    request = parse(api.UnpauseScheduleRequest, call.body)
    _check_names(frontend, request.domain, request.schedule_id)
    validation.check_enum(request.catch_up_policy, api.ScheduleCatchUpPolicy, "ScheduleCatchUpPolicy")
    await _signal(frontend, call, request, names.UNPAUSE, names.to_json(request))
    return b""


async def backfill_schedule(frontend: FrontendContext, call: PublicCall) -> bytes:
    """One without an id gets one here."""
    request = parse(api.BackfillScheduleRequest, call.body)
    _check_names(frontend, request.domain, request.schedule_id)
    for name in ("start_time", "end_time"):
        said = "StartTime" if name == "start_time" else "EndTime"
        if not request.HasField(name):
            raise BadRequest(f"{said} is not set on request.")
        validation.check_timestamp(getattr(request, name), f"A valid {said} is not set on request.")
    if request.end_time.ToNanoseconds() <= request.start_time.ToNanoseconds():
        raise BadRequest("EndTime must be after StartTime.")
    validation.check_enum(request.overlap_policy, api.ScheduleOverlapPolicy, "ScheduleOverlapPolicy")
    request.backfill_id = request.backfill_id.strip() or frontend.runtime.new_id()
    validation.check_length(request.backfill_id, "BackfillID", frontend.limits)
    await _signal(frontend, call, request, names.BACKFILL, names.to_json(request))
    return b""


async def list_schedules(frontend: FrontendContext, call: PublicCall) -> bytes:
    """The open ones, newest first."""
    request = parse(api.ListSchedulesRequest, call.body)
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    domain = await frontend.domain(request.domain, RateClass.USER)
    asked = open_or_closed(domain.id, True, 0, _NS_MAX, workflow_type=names.WORKFLOW_TYPE)
    size = request.page_size if request.page_size > 0 else PAGE_SIZE_DEFAULT
    if not request.next_page_token:
        await frontend.flush_visibility()
    try:
        page = await frontend.store.list_visibility(asked, min(size, PAGE_SIZE_MAX), request.next_page_token)
    except ValueError:
        raise BadRequest(validation.INVALID_PAGE_TOKEN) from None
    response = api.ListSchedulesResponse(next_page_token=page.next_token)
    for record in page.records:
        if record.workflow_id.startswith(names.ID_PREFIX):
            attributes = api.SearchAttributes.FromString(record.search_attributes)
            entry = response.schedules.add(schedule_id=record.workflow_id.removeprefix(names.ID_PREFIX))
            _fill_entry(entry, {key: payload.data for key, payload in attributes.indexed_fields.items()})
    return response.SerializeToString()


def _fill_entry(entry: api.ScheduleListEntry, attributes: Mapping[str, bytes]) -> None:
    def text(key: str) -> str:
        try:
            found = json.loads(attributes.get(key, b'""'))
        except ValueError:
            return ""
        return found if isinstance(found, str) else ""

    entry.state.paused = text(names.KEY_STATE) == names.PAUSED
    entry.cron_expression = text(names.KEY_CRON)
    if text(names.KEY_WORKFLOW_TYPE):
        entry.workflow_type.name = text(names.KEY_WORKFLOW_TYPE)


_OnSchedule = (
    api.DescribeScheduleRequest
    | api.UpdateScheduleRequest
    | api.DeleteScheduleRequest
    | api.PauseScheduleRequest
    | api.UnpauseScheduleRequest
    | api.BackfillScheduleRequest
)


def _unknown(request: _OnSchedule) -> EntityNotExists:
    return EntityNotExists(f'schedule "{request.schedule_id}" not found in domain "{request.domain}"')


async def _signal(
    frontend: FrontendContext, call: PublicCall, request: _OnSchedule, signal: str, given: dict[str, Any] | None
) -> None:
    domain = await frontend.domain(request.domain, RateClass.USER)
    signalled = api.SignalWorkflowExecutionRequest(
        domain=request.domain,
        workflow_execution=api.WorkflowExecution(workflow_id=names.workflow_id(request.schedule_id)),
        request_id=frontend.runtime.new_id(),
        signal_name=signal,
    )
    if given is not None:
        signalled.signal_input.data = _payload(given)
    workflow_id = signalled.workflow_execution.workflow_id
    try:
        await frontend.call_history(call, "SignalWorkflowExecution", domain.id, workflow_id, signalled.SerializeToString())
    except (EntityNotExists, WorkflowAlreadyCompleted):
        raise _unknown(request) from None


# ---- checks ---------------------------------------------------------------------------------------------------------


def _payload(given: dict[str, Any]) -> bytes:
    data = names.payload(given)
    if len(data) > REQUEST_BYTES_MAX:
        raise BadRequest(validation.BLOB_TOO_LARGE)
    return data


def _check_names(frontend: FrontendContext, domain: str, schedule_id: str) -> None:
    if not domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    if not schedule_id:
        raise BadRequest("ScheduleID is not set on request.")
    validation.check_length(names.workflow_id(schedule_id), "ScheduleID", frontend.limits)


def _check_spec(spec: api.ScheduleSpec) -> None:
    if not spec.cron_expression:
        raise BadRequest("CronExpression is not set on request.")
    if fault := cron.fault(spec.cron_expression):
        raise BadRequest(fault)
    for name, said in (("start_time", "Spec.StartTime"), ("end_time", "Spec.EndTime")):
        if spec.HasField(name):
            validation.check_timestamp(getattr(spec, name), f"A valid {said} is not set on request.")
    both = spec.HasField("start_time") and spec.HasField("end_time")
    if both and spec.end_time.ToNanoseconds() <= spec.start_time.ToNanoseconds():
        raise BadRequest("Spec.EndTime must be after Spec.StartTime.")
    _check_duration(spec.jitter, "Spec.Jitter")


async def _check_action(frontend: FrontendContext, action: api.ScheduleAction, domain: str) -> None:
    """What would make each start of it fail is refused here."""
    if not action.HasField("start_workflow"):
        raise BadRequest("Action.StartWorkflow is not set on request.")
    start = action.start_workflow
    if not start.workflow_type.name:
        raise BadRequest("Action.StartWorkflow.WorkflowType is not set on request.")
    validation.check_length(start.workflow_type.name, "WorkflowType", frontend.limits)
    # The time is put behind it.
    validation.check_length(start.workflow_id_prefix + "-0000-00-00T00:00:00.000000000Z", "WorkflowIDPrefix", frontend.limits)
    validation.check_task_list(start.task_list, frontend.limits, sticky_allowed=False)
    refusal = "A valid ExecutionStartToCloseTimeoutSeconds is not set on request."
    if not durations.is_valid(start.execution_start_to_close_timeout) or start.execution_start_to_close_timeout.seconds <= 0:
        raise BadRequest(refusal)
    _check_duration(start.task_start_to_close_timeout, "TaskStartToCloseTimeoutSeconds")
    if start.HasField("retry_policy"):
        validation.check_retry_policy(start.retry_policy)
    await _check_attributes(frontend, start.search_attributes, domain)


def _check_policies(policies: api.SchedulePolicies) -> None:
    validation.check_enum(policies.overlap_policy, api.ScheduleOverlapPolicy, "ScheduleOverlapPolicy")
    validation.check_enum(policies.catch_up_policy, api.ScheduleCatchUpPolicy, "ScheduleCatchUpPolicy")
    if (
        policies.overlap_policy == api.SCHEDULE_OVERLAP_POLICY_SKIP_NEW
        and policies.catch_up_policy == api.SCHEDULE_CATCH_UP_POLICY_ALL
    ):
        raise BadRequest(
            "SKIP_NEW overlap policy with CATCH_UP_ALL catch-up policy is invalid: "
            "caught-up fires would be immediately skipped due to overlap with the previous run."
        )
    _check_duration(policies.catch_up_window, "Policies.CatchUpWindow")
    for name, value in (("BufferLimit", policies.buffer_limit), ("ConcurrencyLimit", policies.concurrency_limit)):
        if value < 0:
            raise BadRequest(f"Policies.{name} cannot be less than 0.")


def _check_duration(duration: Any, what: str) -> None:
    if not durations.is_valid(duration) or duration.seconds < 0 or duration.nanos < 0:
        raise BadRequest(f"A valid {what} is not set on request.")


async def _check_attributes(frontend: FrontendContext, attributes: api.SearchAttributes, domain: str) -> None:
    for key in attributes.indexed_fields:
        if key.startswith(names.RESERVED_KEYS):
            raise BadRequest(f'search attribute key "{key[:100]}" is reserved for internal use')
    await check_search_attributes(frontend, attributes, domain)
