"""Whatever is taken out of a request, emptied or set to nonsense, the answer is bytes or an error of the interface."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto_api import admin, api
from tenuto_server.errors import (
    ALREADY_EXISTS,
    DEADLINE_EXCEEDED,
    FAILED_PRECONDITION,
    INVALID_ARGUMENT,
    NOT_FOUND,
    RESOURCE_EXHAUSTED,
    ServiceError,
)
from tenuto_server.frontend.methods import METHODS
from tenuto_server.transport.network import InternalCall
from tests.unit.frontend.fakes import DOMAIN, DOMAIN_ID, Bench, query_token, run, start_request, task_token
from tests.unit.frontend.test_domain import register_request
from tests.unit.frontend.test_schedules import backfill as backfill_schedule
from tests.unit.frontend.test_schedules import create_request as create_schedule
from tests.unit.frontend.test_visibility import list_closed, list_open

EXPECTED = {
    INVALID_ARGUMENT,
    DEADLINE_EXCEEDED,
    NOT_FOUND,
    ALREADY_EXISTS,
    RESOURCE_EXHAUSTED,
    FAILED_PRECONDITION,
}
RARE_CLASSES: dict[str, type[Message]] = {
    "grpc.health.v1.Health/Check": StringValue,
    **{path: getattr(admin, f"{path.rpartition('/')[2]}Request") for path in METHODS if ".admin." in path},
}
QUERY = "WorkflowType = 'T' and (CloseTime = missing or CustomIntField > 5) order by StartTime desc"
VALUES: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_INT32: st.sampled_from([0, 1, -1, 2**31 - 1, -(2**31)]),
    FieldDescriptor.CPPTYPE_INT64: st.sampled_from([0, 1, -1, 2**40, 2**63 - 1, -(2**63)]),
    FieldDescriptor.CPPTYPE_DOUBLE: st.sampled_from([0.0, 1.0, -1.0, 1e308, float("nan"), float("inf")]),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_ENUM: st.sampled_from([0, 1, 2, 3, 7, 99, -1, 2**31 - 1]),
    FieldDescriptor.CPPTYPE_STRING: st.one_of(
        st.sampled_from(["", "x", "\0", "é" * 600, "/__cadence_sys/x/1", "@every", DOMAIN]), st.text(max_size=20)
    ),
}
BYTES = st.one_of(st.sampled_from([b"", b"\xff", task_token()]), st.binary(max_size=20))


GROUPS = api.IsolationGroupConfiguration(
    isolation_groups=[api.IsolationGroupPartition(name="zone", state=api.ISOLATION_GROUP_STATE_DRAINED)]
)
# Refused, or the end of what the others need, even where nothing is wrong with them; or answered by nobody but a worker.
NOT_SERVED = frozenset(
    {
        "DeprecateDomain",
        "DeleteDomain",
        "FailoverDomain",
        "DescribeSchedule",
        "DiagnoseWorkflowExecution",
        "ListArchivedWorkflowExecutions",
    }
)


def _fill(message: Message, depth: int) -> None:
    """Puts something good into every field that a plain request needs."""
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated:
            continue
        if field.message_type is not None and field.name in ("workflow_execution", "task_list") and depth < 2:
            getattr(message, field.name).SetInParent()
            _fill(getattr(message, field.name), depth + 1)
        elif field.name in ("domain", "name", "workflow_id", "activity_id", "signal_name", "schedule_id"):
            setattr(message, field.name, DOMAIN)
        elif field.name == "config_name":
            message.config_name = "frontend.rps"  # type: ignore[attr-defined]
        elif field.name == "task_token":
            message.task_token = task_token()  # type: ignore[attr-defined]
        elif field.name == "task_list_type":
            message.task_list_type = api.TASK_LIST_TYPE_DECISION  # type: ignore[attr-defined]


def good_request(path: str) -> Message:
    """A request of this method that the frontend would serve."""
    rpc = path.rpartition("/")[2]
    special: dict[str, Message] = {
        "StartWorkflowExecution": start_request(),
        "SignalWithStartWorkflowExecution": api.SignalWithStartWorkflowExecutionRequest(
            start_request=start_request(), signal_name="s"
        ),
        "ListOpenWorkflowExecutions": list_open(),
        "ListClosedWorkflowExecutions": list_closed(),
        "RegisterDomain": register_request(),
        "CreateSchedule": create_schedule(),
        "UpdateSchedule": api.UpdateScheduleRequest(domain=DOMAIN, schedule_id="s", spec=create_schedule().spec),
        "BackfillSchedule": backfill_schedule(),
        "ListFailoverHistory": api.ListFailoverHistoryRequest(
            filters=api.ListFailoverHistoryRequestFilters(domain_id=DOMAIN_ID)
        ),
        "DescribeHistoryHost": admin.DescribeHistoryHostRequest(shard_id=1),
        "UpdateTaskListPartitionConfig": admin.UpdateTaskListPartitionConfigRequest(
            domain=DOMAIN,
            task_list=api.TaskList(name="l"),
            task_list_type=api.TASK_LIST_TYPE_DECISION,
            partition_config=api.TaskListPartitionConfig(num_read_partitions=2, num_write_partitions=1),
        ),
        "UpdateGlobalIsolationGroups": admin.UpdateGlobalIsolationGroupsRequest(isolation_groups=GROUPS),
        "UpdateDomainIsolationGroups": admin.UpdateDomainIsolationGroupsRequest(domain=DOMAIN, isolation_groups=GROUPS),
        "UpdateDomainAsyncWorkflowConfiguraton": admin.UpdateDomainAsyncWorkflowConfiguratonRequest(
            domain=DOMAIN, configuration=api.AsyncWorkflowConfiguration(enabled=True)
        ),
        "ListWorkflowExecutions": api.ListWorkflowExecutionsRequest(domain=DOMAIN, query=QUERY),
        "ScanWorkflowExecutions": api.ScanWorkflowExecutionsRequest(domain=DOMAIN, query=QUERY),
        "CountWorkflowExecutions": api.CountWorkflowExecutionsRequest(domain=DOMAIN, query=QUERY),
        "AddSearchAttribute": admin.AddSearchAttributeRequest(search_attribute={"Colour": api.INDEXED_VALUE_TYPE_KEYWORD}),
        "QueryWorkflow": api.QueryWorkflowRequest(
            domain=DOMAIN,
            workflow_execution=api.WorkflowExecution(workflow_id="order-1"),
            query=api.WorkflowQuery(query_type="state"),
        ),
        "RespondQueryTaskCompleted": api.RespondQueryTaskCompletedRequest(
            task_token=query_token(), result=api.WorkflowQueryResult(result_type=api.QUERY_RESULT_TYPE_ANSWERED)
        ),
    }
    if rpc in special:
        return special[rpc]
    if rpc.endswith("ExecutionAsync"):
        wrapped: Message = getattr(api, f"{rpc}Request")()
        wrapped.request.CopyFrom(good_request(path.removesuffix("Async")))  # type: ignore[attr-defined]
        return wrapped
    request: Message = RARE_CLASSES[path]() if path in RARE_CLASSES else getattr(api, f"{rpc}Request")()
    if path != "grpc.health.v1.Health/Check":
        _fill(request, 0)
    return request


@st.composite
def spoiled(draw: st.DrawFn, request: Message) -> bytes:
    """The request with a few fields, at any depth, cleared or set to something else; at times its bytes cut."""
    for _ in range(draw(st.integers(0, 4))):
        target = request
        while target.DESCRIPTOR.fields:
            fields: list[Any] = list(target.DESCRIPTOR.fields)
            field = draw(st.sampled_from(fields))
            if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE and not field.is_repeated and draw(st.booleans()):
                target = getattr(target, field.name)
                target.SetInParent()
                continue
            if draw(st.booleans()):
                target.ClearField(field.name)
            else:
                _set(draw, target, field)
            break
    body = request.SerializeToString()
    return body[: draw(st.integers(0, len(body)))] if draw(st.integers(0, 9)) == 0 else body


def _set(draw: st.DrawFn, target: Message, field: FieldDescriptor) -> None:
    if field.message_type is not None:
        if not field.is_repeated:
            getattr(target, field.name).SetInParent()
        elif not field.message_type.GetOptions().map_entry:
            getattr(target, field.name).add()
        else:
            key = draw(VALUES[field.message_type.fields_by_name["key"].cpp_type])
            value_type = field.message_type.fields_by_name["value"].cpp_type
            if value_type == FieldDescriptor.CPPTYPE_MESSAGE:
                getattr(target, field.name)[key].SetInParent()
            else:
                getattr(target, field.name)[key] = draw(VALUES[value_type])
        return
    value = draw(BYTES if field.type == FieldDescriptor.TYPE_BYTES else VALUES[field.cpp_type])
    if field.is_repeated:
        getattr(target, field.name).append(value)
    else:
        setattr(target, field.name, value)


def _one_event(call: InternalCall) -> bytes:
    """A history that restarting can begin with; anything else is answered with an empty message."""
    if call.method != "GetWorkflowExecutionHistory":
        return b""
    response = api.GetWorkflowExecutionHistoryResponse()
    response.history.events.add().workflow_execution_started_event_attributes.SetInParent()
    return response.SerializeToString()


def test_good_requests_are_served() -> None:
    """What the property below starts from: without this it might only ever see the first check."""

    async def scenario() -> None:
        async with Bench() as bench:
            bench.history.answer = _one_event
            for path in METHODS:
                if path.rpartition("/")[2] not in NOT_SERVED:
                    await bench.call(path, good_request(path).SerializeToString())
            served = {call.method for call in bench.history.calls} | {call.method for call in bench.matching.calls}
            assert len(served) >= 23

    run(scenario())


@settings(max_examples=400, deadline=None, derandomize=True)
@given(data=st.data(), path=st.sampled_from(sorted(METHODS)), timeout_s=st.sampled_from([None, 0.0, 1.0, 30.0]))
def test_spoiled_requests_get_an_answer(data: st.DataObject, path: str, timeout_s: float | None) -> None:
    body = data.draw(spoiled(good_request(path)))

    async def scenario() -> bytes | ServiceError:
        async with Bench() as bench:
            try:
                return await bench.call(path, body, timeout_s=timeout_s)
            except ServiceError as error:
                return error

    outcome = run(scenario())
    if isinstance(outcome, ServiceError):
        assert outcome.status in EXPECTED, outcome
        assert 0 < len(outcome.message) < 1000
        has_detail = outcome.detail is not None
        bare = outcome.status in (INVALID_ARGUMENT, DEADLINE_EXCEEDED) or path == "grpc.health.v1.Health/Check"
        assert has_detail != bare
    else:
        assert isinstance(outcome, bytes)
