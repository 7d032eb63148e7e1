"""Task lists as people see them: DescribeTaskList, GetTaskListsByDomain, ListTaskListPartitions."""

from __future__ import annotations

import asyncio
from typing import Any

from tenuto_api import admin, api, internal
from tenuto_server.cluster.partitions import partition_name, split_name
from tenuto_server.config.live import DOMAIN, TASK_LIST, TASK_TYPE
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.transport.public import PublicCall

READ_PARTITIONS = "matching.numTasklistReadPartitions"
WRITE_PARTITIONS = "matching.numTasklistWritePartitions"
_PARTITIONS_MAX = 1000
_KINDS = {
    api.TASK_LIST_TYPE_DECISION: internal.TASK_TYPE_DECISION,
    api.TASK_LIST_TYPE_ACTIVITY: internal.TASK_TYPE_ACTIVITY,
}


async def describe_task_list(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Who polls a task list, and how much waits on it, in all its partitions together."""
    request = parse(api.DescribeTaskListRequest, call.body)
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    if request.task_list_type == api.TASK_LIST_TYPE_INVALID:
        raise BadRequest("TaskListType is not set on request.")
    validation.check_enum(request.task_list_type, api.TaskListType, "TaskListType")
    validation.check_task_list(request.task_list, frontend.limits, sticky_allowed=True, partition_allowed=True)
    domain = await frontend.domain(request.domain, RateClass.USER)
    describe = internal.DescribeTaskListRequest(
        domain_id=domain.id,
        type=_KINDS[request.task_list_type],
        include_status=request.include_task_list_status,
    )
    one = request.task_list.kind == api.TASK_LIST_KIND_STICKY or split_name(request.task_list.name)[1]
    partitions = 1 if one else _partitions(frontend, domain.name, request.task_list.name, describe.type)
    deadline = frontend.deadline(call)
    described = []
    for partition in range(partitions):
        describe.task_list = partition_name(request.task_list.name, partition)
        body = await frontend.call_matching(
            domain.id, describe.task_list, describe.type, "DescribeTaskList", describe.SerializeToString(), deadline
        )
        described.append(body)
    if partitions == 1:
        return described[0]
    merged = _merged([api.DescribeTaskListResponse.FromString(body) for body in described])
    config = merged.partition_config
    config.num_read_partitions = partitions
    config.num_write_partitions = _written(frontend, domain.name, request.task_list.name, describe.type, partitions)
    for partition in range(partitions):
        config.read_partitions[partition].SetInParent()
    for partition in range(config.num_write_partitions):
        config.write_partitions[partition].SetInParent()
    return merged.SerializeToString()


def _partitions(frontend: FrontendContext, domain: str, task_list: str, kind: internal.TaskType) -> int:
    return frontend.live.for_task_list(domain, task_list, kind).task_list_read_partitions


def _merged(described: list[api.DescribeTaskListResponse]) -> api.DescribeTaskListResponse:
    """The partitions of a list as one: every poller once, as it was seen last; what waits added up."""
    whole = described[0]
    pollers: dict[str, api.PollerInfo] = {}
    for part in described:
        for poller in part.pollers:
            known = pollers.get(poller.identity)
            if known is None or known.last_access_time.ToNanoseconds() < poller.last_access_time.ToNanoseconds():
                pollers[poller.identity] = poller
    latest_first = sorted(pollers.values(), key=lambda poller: -poller.last_access_time.ToNanoseconds())
    merged = api.DescribeTaskListResponse(pollers=latest_first, task_list=whole.task_list)
    if whole.HasField("task_list_status"):
        status = merged.task_list_status
        status.CopyFrom(whole.task_list_status)
        status.backlog_count_hint = sum(part.task_list_status.backlog_count_hint for part in described)
        status.rate_per_second = sum(part.task_list_status.rate_per_second for part in described)
        status.empty = status.backlog_count_hint == 0
    return merged


async def update_task_list_partition_config(frontend: FrontendContext, call: PublicCall) -> bytes:
    """How many partitions a task list has, from now on: set as settings of that one list, which every process takes over within
    a second or two. Reading stays ahead of writing: what is put in a partition that nobody reads is offered at the root."""
    request = parse(admin.UpdateTaskListPartitionConfigRequest, call.body)
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    validation.check_task_list(request.task_list, frontend.limits_for(request.domain), sticky_allowed=True)
    if request.task_list.kind == api.TASK_LIST_KIND_STICKY:
        raise BadRequest("A sticky TaskList has no partitions.")
    if request.task_list_type not in _KINDS:
        raise BadRequest("TaskListType is not set on request.")
    if not request.HasField("partition_config"):
        raise BadRequest("PartitionConfig is not set on request.")
    read, write = _counts(request.partition_config)
    domain = await frontend.domain(request.domain, RateClass.DOMAIN_ADMIN)
    filters = _filters(domain.name, request.task_list.name, _KINDS[request.task_list_type])
    try:
        await frontend.dynamic.put({READ_PARTITIONS: read, WRITE_PARTITIONS: write}, filters)
    except ValueError as error:
        raise BadRequest(f"Invalid PartitionConfig: {str(error)[:500]}.") from None
    return b""


def _filters(domain: str, task_list: str, kind: internal.TaskType) -> list[tuple[str, Any]]:
    return [(DOMAIN, domain), (TASK_LIST, task_list), (TASK_TYPE, kind - internal.TASK_TYPE_DECISION)]


def _written(frontend: FrontendContext, domain: str, task_list: str, kind: internal.TaskType, read: int) -> int:
    """How many partitions take new tasks: history's setting, which this process may not know."""
    try:
        return int(frontend.dynamic.get(WRITE_PARTITIONS, dict(_filters(domain, task_list, kind))))
    except ValueError:
        return read


def _counts(config: api.TaskListPartitionConfig) -> tuple[int, int]:
    """How many partitions are read and written. Raises BadRequest."""
    counts = []
    for named, number in (
        (config.read_partitions, config.num_read_partitions),
        (config.write_partitions, config.num_write_partitions),
    ):
        if sorted(named) != list(range(len(named))):
            raise BadRequest("Partitions must be numbered from 0 without gaps.")
        counts.append(len(named) or number)
    read, write = counts
    if not 1 <= write <= read <= _PARTITIONS_MAX:
        raise BadRequest(f"There must be 1 to {_PARTITIONS_MAX} partitions, as many to read as to write or more.")
    return read, write


async def get_task_lists_by_domain(frontend: FrontendContext, call: PublicCall) -> bytes:
    """All task lists of a domain that are in use, as each matching process knows its own."""
    request = parse(api.GetTaskListsByDomainRequest, call.body)
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    domain = await frontend.domain(request.domain, RateClass.USER)
    body = internal.ListTaskListsRequest(domain_id=domain.id).SerializeToString()
    timeout_s = frontend.deadline(call) - frontend.now()
    answers = await asyncio.gather(
        *(
            frontend.network.call(address, "ListTaskLists", body, timeout_s)
            for address in frontend.router.matching_addresses()
        )
    )
    # Two messages' bytes, one after the other, are the two messages merged.
    return b"".join(answers)


async def list_task_list_partitions(frontend: FrontendContext, call: PublicCall) -> bytes:
    """The partitions of a task list and which process owns each, for decisions and for activities."""
    request = parse(api.ListTaskListPartitionsRequest, call.body)
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    validation.check_task_list(request.task_list, frontend.limits, sticky_allowed=True)
    domain = await frontend.domain(request.domain, RateClass.USER)
    response = api.ListTaskListPartitionsResponse()
    for kind, parts in (
        (internal.TASK_TYPE_ACTIVITY, response.activity_task_list_partitions),
        (internal.TASK_TYPE_DECISION, response.decision_task_list_partitions),
    ):
        for partition in range(_partitions(frontend, domain.name, request.task_list.name, kind)):
            name = partition_name(request.task_list.name, partition)
            parts.add(key=name, owner_host_name=frontend.router.matching_address(domain.id, name, kind))
    return response.SerializeToString()
