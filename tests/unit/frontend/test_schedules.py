"""Schedules at the frontend: what is refused, and what becomes of a call: a start, signal or query of the schedule's workflow."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.errors import BadRequest, EntityNotExists
from tenuto_server.rules import schedules as names
from tenuto_server.transport.network import InternalCall
from tests.unit.frontend.fakes import DOMAIN, START_NS, Bench, run

SECOND = 1_000_000_000
WORKFLOW_ID = "cadence-scheduler:nightly"


def create_request() -> api.CreateScheduleRequest:
    """One that keeps all rules."""
    request = api.CreateScheduleRequest(domain=DOMAIN, schedule_id="nightly")
    request.spec.cron_expression = "0 2 * * *"
    start = request.action.start_workflow
    start.workflow_type.name, start.task_list.name = "Report", "reports"
    start.execution_start_to_close_timeout.seconds = 60
    return request


def ask(method: str, request: Message, answer: Callable[[InternalCall], bytes] = lambda _: b"") -> tuple[bytes, list[Any]]:
    """The response's bytes, and what history was asked: (rpc, request)."""

    async def scenario() -> tuple[bytes, list[Any]]:
        async with Bench() as bench:
            bench.history.answer = answer
            body = await bench.call(f"ScheduleAPI/{method}", request.SerializeToString())
            kinds: dict[str, Any] = {
                "StartWorkflowExecution": api.StartWorkflowExecutionRequest,
                "SignalWorkflowExecution": api.SignalWorkflowExecutionRequest,
                "QueryWorkflow": api.QueryWorkflowRequest,
            }
            asked = [
                kinds[call.method].FromString(made.request)
                for call, made in zip(bench.history.calls, bench.history.requests(), strict=True)
            ]
            return body, asked

    return run(scenario())


def test_create_starts_a_workflow_in_the_users_domain() -> None:
    request = create_request()
    request.memo.fields["why"].data = b"1"
    request.search_attributes.indexed_fields["CustomIntField"].data = b"7"
    request.state.paused = True
    body, asked = ask("CreateSchedule", request)
    assert api.CreateScheduleResponse.FromString(body).schedule_id == "nightly"
    start = asked[0]
    assert (start.domain, start.workflow_id) == (DOMAIN, WORKFLOW_ID)
    assert (start.workflow_type.name, start.task_list.name) == ("cadence-scheduler", "cadence-scheduler")
    assert start.execution_start_to_close_timeout.seconds == 10 * 365 * 24 * 3600
    assert start.workflow_id_reuse_policy == api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    assert start.memo == request.memo
    assert names.from_json(api.CreateScheduleRequest, json.loads(start.input.data)["request"]) == request
    assert {key: value.data for key, value in start.search_attributes.indexed_fields.items()} == {
        "CustomIntField": b"7",
        "CadenceScheduleState": b'"paused"',
        "CadenceScheduleCron": b'"0 2 * * *"',
        "CadenceScheduleWorkflowType": b'"Report"',
    }


def change(**paths: Any) -> Callable[[api.CreateScheduleRequest], None]:
    """Sets fields by their paths, with __ between the names."""

    def apply(request: api.CreateScheduleRequest) -> None:
        for path, value in paths.items():
            *parents, name = path.split("__")
            target: Any = request
            for parent in parents:
                target = getattr(target, parent)
            setattr(target, name, value)

    return apply


def times(start_s: int, end_s: int) -> Callable[[api.CreateScheduleRequest], None]:
    return change(spec__start_time__seconds=start_s, spec__end_time__seconds=end_s)


def attribute(key: str, value: bytes) -> Callable[[api.CreateScheduleRequest], None]:
    def apply(request: api.CreateScheduleRequest) -> None:
        request.search_attributes.indexed_fields[key].data = value

    return apply


REFUSED: list[tuple[Callable[[api.CreateScheduleRequest], Any], str]] = [
    (change(domain=""), "Domain not set on request."),
    (change(schedule_id=""), "ScheduleID is not set on request."),
    (change(schedule_id="x" * 990), "ScheduleID length exceeds limit."),
    (lambda request: request.ClearField("spec"), "Spec is not set on request."),
    (change(spec__cron_expression=""), "CronExpression is not set on request."),
    (change(spec__cron_expression="0 2 30 2 *"), "Invalid CronSchedule, no next firing time found"),
    (change(spec__cron_expression="often"), "err: expected exactly 5 fields, found 1"),
    (times(200, 100), "Spec.EndTime must be after Spec.StartTime."),
    (times(100, 100), "Spec.EndTime must be after Spec.StartTime."),
    (change(spec__start_time__seconds=-5), "A valid Spec.StartTime is not set on request."),
    (change(spec__jitter__seconds=-1), "A valid Spec.Jitter is not set on request."),
    (lambda request: request.ClearField("action"), "Action.StartWorkflow is not set on request."),
    (change(action__start_workflow__workflow_type__name=""), "WorkflowType is not set on request."),
    (change(action__start_workflow__task_list__name=""), "TaskList is not set on request."),
    (change(action__start_workflow__task_list__name="/__cadence_sys/x"), "must not start with the reserved prefix"),
    (change(action__start_workflow__workflow_id_prefix="x" * 990), "WorkflowIDPrefix length exceeds limit."),
    (
        change(action__start_workflow__execution_start_to_close_timeout__seconds=0),
        "A valid ExecutionStartToCloseTimeoutSeconds is not set on request.",
    ),
    (change(action__start_workflow__retry_policy__maximum_attempts=3), "InitialIntervalInSeconds must be greater than 0"),
    (change(policies__overlap_policy=1, policies__catch_up_policy=3), "SKIP_NEW overlap policy with CATCH_UP_ALL"),
    (change(policies__overlap_policy=9), "Unknown ScheduleOverlapPolicy: 9."),
    (change(policies__catch_up_policy=9), "Unknown ScheduleCatchUpPolicy: 9."),
    (change(policies__buffer_limit=-1), "Policies.BufferLimit cannot be less than 0."),
    (change(policies__catch_up_window__seconds=-1), "A valid Policies.CatchUpWindow is not set on request."),
    (attribute("CadenceScheduleOwner", b'"x"'), 'search attribute key "CadenceScheduleOwner" is reserved for internal use'),
    (attribute("Unknown", b'"x"'), "Unknown is not a valid search attribute key"),
    (change(action__start_workflow__input__data=b"x" * 800_000), "Blob data size exceeds limit."),
]


@pytest.mark.parametrize(("spoil", "said"), REFUSED, ids=[said[:40] for _, said in REFUSED])
def test_create_refuses(spoil: Callable[[api.CreateScheduleRequest], Any], said: str) -> None:
    request = create_request()
    spoil(request)
    with pytest.raises(BadRequest) as refused:
        ask("CreateSchedule", request)
    assert said in refused.value.message


def test_a_schedule_that_is_there_is_a_bad_request() -> None:
    def running(_: InternalCall) -> bytes:
        raise errors.WorkflowAlreadyStarted("running", "", "")

    with pytest.raises(BadRequest, match='schedule "nightly" already exists in domain "orders"'):
        ask("CreateSchedule", create_request(), running)


def test_a_domain_that_is_deprecated_takes_no_schedules() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.change_domain(lambda domain: setattr(domain, "status", api.DOMAIN_STATUS_DEPRECATED))
            with pytest.raises(BadRequest, match="domain deprecated"):
                await bench.call("ScheduleAPI/CreateSchedule", create_request().SerializeToString())

    run(scenario())


def full_update() -> api.UpdateScheduleRequest:
    request, made = api.UpdateScheduleRequest(domain=DOMAIN, schedule_id="nightly"), create_request()
    request.spec.CopyFrom(made.spec)
    request.action.CopyFrom(made.action)
    request.policies.overlap_policy = api.SCHEDULE_OVERLAP_POLICY_BUFFER
    return request


def backfill(start_s: int = 100, end_s: int = 200, backfill_id: str = "b") -> api.BackfillScheduleRequest:
    request = api.BackfillScheduleRequest(domain=DOMAIN, schedule_id="nightly", backfill_id=backfill_id)
    if start_s:
        request.start_time.seconds = start_s
    if end_s:
        request.end_time.seconds = end_s
    return request


SIGNALS: list[tuple[str, Any, str]] = [
    ("PauseSchedule", api.PauseScheduleRequest(reason="lunch", identity="me"), names.PAUSE),
    ("UnpauseSchedule", api.UnpauseScheduleRequest(catch_up_policy=2), names.UNPAUSE),  # type: ignore[arg-type]
    ("UpdateSchedule", full_update(), names.UPDATE),
    ("BackfillSchedule", backfill(), names.BACKFILL),
]


@pytest.mark.parametrize(("method", "request_", "signal"), SIGNALS, ids=[method for method, _, _ in SIGNALS])
def test_changes_are_signals(method: str, request_: Any, signal: str) -> None:
    request_.domain, request_.schedule_id = DOMAIN, "nightly"
    _, asked = ask(method, request_)
    assert (asked[0].workflow_execution.workflow_id, asked[0].signal_name) == (WORKFLOW_ID, signal)
    assert names.from_json(type(request_), json.loads(asked[0].signal_input.data)) == request_
    assert asked[0].request_id


def gone(_: InternalCall) -> bytes:
    raise errors.WorkflowAlreadyCompleted


def unknown(_: InternalCall) -> bytes:
    raise EntityNotExists("no such workflow")


@pytest.mark.parametrize("answer", [gone, unknown])
@pytest.mark.parametrize(("method", "request_", "_signal"), SIGNALS, ids=[method for method, _, _ in SIGNALS])
def test_a_schedule_that_is_not_there_is_not_found(
    method: str, request_: Any, _signal: str, answer: Callable[[InternalCall], bytes]
) -> None:
    request_.domain, request_.schedule_id = DOMAIN, "nightly"
    with pytest.raises(EntityNotExists, match='schedule "nightly" not found in domain "orders"'):
        ask(method, request_, answer)


@pytest.mark.parametrize("answer", [gone, unknown])
def test_delete_of_what_is_not_there_is_done_already(answer: Callable[[InternalCall], bytes]) -> None:
    assert ask("DeleteSchedule", api.DeleteScheduleRequest(domain=DOMAIN, schedule_id="nightly"), answer)[0] == b""
    with pytest.raises(EntityNotExists):
        ask("DeleteSchedule", api.DeleteScheduleRequest(domain="nowhere", schedule_id="nightly"), answer)


def test_an_update_must_change_something_and_keep_the_rules() -> None:
    request = api.UpdateScheduleRequest(domain=DOMAIN, schedule_id="nightly")
    with pytest.raises(BadRequest, match="At least one of Spec, Action, Policies, or SearchAttributes must be set"):
        ask("UpdateSchedule", request)
    request.spec.cron_expression = "often"
    with pytest.raises(BadRequest, match="Invalid CronSchedule"):
        ask("UpdateSchedule", request)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (backfill(start_s=0), "StartTime is not set on request."),
        (backfill(end_s=0), "EndTime is not set on request."),
        (backfill(200, 100), "EndTime must be after StartTime."),
        (backfill(100, 100), "EndTime must be after StartTime."),
    ],
)
def test_a_backfill_needs_a_range(request_: api.BackfillScheduleRequest, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        ask("BackfillSchedule", request_)


def test_a_backfill_without_an_id_gets_one() -> None:
    _, asked = ask("BackfillSchedule", backfill(backfill_id="  "))
    assert len(json.loads(asked[0].signal_input.data)["backfillId"]) == 36


def test_describe_asks_the_workflow() -> None:
    described = api.DescribeScheduleResponse(spec=create_request().spec, info=api.ScheduleInfo(total_runs=3))
    described.info.create_time.FromNanoseconds(START_NS + 5)

    def answer(_: InternalCall) -> bytes:
        response = api.QueryWorkflowResponse()
        response.query_result.data = names.payload(described)
        return response.SerializeToString()

    request = api.DescribeScheduleRequest(domain=DOMAIN, schedule_id="nightly")
    body, asked = ask("DescribeSchedule", request, answer)
    assert api.DescribeScheduleResponse.FromString(body) == described
    assert (asked[0].query.query_type, asked[0].workflow_execution.workflow_id) == (names.DESCRIBE, WORKFLOW_ID)
    assert asked[0].query_consistency_level == api.QUERY_CONSISTENCY_LEVEL_STRONG, "a pause told before must show"

    def rejected(_: InternalCall) -> bytes:
        response = api.QueryWorkflowResponse()
        response.query_rejected.close_status = api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED
        return response.SerializeToString()

    for closed in (rejected, unknown):
        with pytest.raises(EntityNotExists, match='schedule "nightly" not found'):
            ask("DescribeSchedule", request, closed)


def test_a_page_token_that_is_none_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"Invalid NextPageToken\."):
        ask("ListSchedules", api.ListSchedulesRequest(domain=DOMAIN, next_page_token=b"nonsense"))
