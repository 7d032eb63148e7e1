"""Task lists as people see them: described, listed, in partitions."""

from __future__ import annotations

import pytest

from tenuto_api import api, internal
from tenuto_server.errors import BadRequest
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.transport.network import InternalCall
from tests.unit.frontend.fakes import DOMAIN, DOMAIN_ID, Bench, run


def test_describe_task_list() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = api.DescribeTaskListRequest(domain=DOMAIN, include_task_list_status=True)
            request.task_list.name = "orders"
            with pytest.raises(BadRequest, match=r"TaskListType is not set on request\."):
                await bench.call("WorkflowAPI/DescribeTaskList", request.SerializeToString())
            request.task_list_type = api.TASK_LIST_TYPE_ACTIVITY
            bench.matching.answer = lambda _: b"described"
            assert await bench.call("WorkflowAPI/DescribeTaskList", request.SerializeToString()) == b"described"
            assert internal.DescribeTaskListRequest.FromString(bench.matching.calls[0].body) == internal.DescribeTaskListRequest(
                domain_id=DOMAIN_ID, task_list="orders", type=internal.TASK_TYPE_ACTIVITY, include_status=True
            )

    run(scenario())


def test_polls_of_a_list_in_partitions_go_to_all_of_them() -> None:
    async def scenario() -> None:
        async with Bench(FrontendSettings(task_list_read_partitions=3)) as bench:
            poll = api.PollForActivityTaskRequest(domain=DOMAIN)
            poll.task_list.name = "orders"
            for _ in range(40):
                await bench.call("WorkerAPI/PollForActivityTask", poll.SerializeToString())
            polled = {internal.PollTaskRequest.FromString(call.body).task_list for call in bench.matching.calls}
            assert polled == {"orders", "/__cadence_sys/orders/1", "/__cadence_sys/orders/2"}

    run(scenario())


def test_a_list_in_partitions_is_described_as_one() -> None:
    async def scenario() -> None:
        async with Bench(FrontendSettings(task_list_read_partitions=2)) as bench:
            answers = [
                api.DescribeTaskListResponse(
                    pollers=[api.PollerInfo(identity="alice"), api.PollerInfo(identity=f"only-{part}")],
                    task_list_status=api.TaskListStatus(backlog_count_hint=part + 1, rate_per_second=10),
                ).SerializeToString()
                for part in range(2)
            ]
            bench.matching.answer = lambda _: answers.pop()
            request = api.DescribeTaskListRequest(
                domain=DOMAIN, include_task_list_status=True, task_list_type=api.TASK_LIST_TYPE_ACTIVITY
            )
            request.task_list.name = "orders"
            body = await bench.call("WorkflowAPI/DescribeTaskList", request.SerializeToString())
            found = api.DescribeTaskListResponse.FromString(body)
            assert sorted(poller.identity for poller in found.pollers) == ["alice", "only-0", "only-1"]
            assert (found.task_list_status.backlog_count_hint, found.task_list_status.rate_per_second) == (3, 20)
            assert not found.task_list_status.empty
            assert sorted(found.partition_config.read_partitions) == [0, 1]

    run(scenario())


def test_the_partitions_of_a_list_and_their_owners() -> None:
    async def scenario() -> None:
        async with Bench(FrontendSettings(task_list_read_partitions=2)) as bench:
            request = api.ListTaskListPartitionsRequest(domain=DOMAIN)
            request.task_list.name = "orders"
            body = await bench.call("WorkflowAPI/ListTaskListPartitions", request.SerializeToString())
            found = api.ListTaskListPartitionsResponse.FromString(body)
            for parts in (found.activity_task_list_partitions, found.decision_task_list_partitions):
                assert [(part.key, part.owner_host_name) for part in parts] == [
                    ("orders", "matching"),
                    ("/__cadence_sys/orders/1", "matching"),
                ]

    run(scenario())


def test_the_task_lists_of_a_domain_come_from_all_matching_processes() -> None:
    async def scenario() -> None:
        async with Bench() as bench:

            def answer(call: InternalCall) -> bytes:
                assert internal.ListTaskListsRequest.FromString(call.body).domain_id == DOMAIN_ID
                name = f"list-{len(bench.matching.calls)}"
                response = api.GetTaskListsByDomainResponse()
                response.decision_task_list_map[name].task_list.name = name
                return response.SerializeToString()

            bench.matching.answer = answer
            bench.router.set_members(["history"], ["matching", "matching-2"])
            listener = await bench.network.listen("matching-2", bench.matching.handle)
            request = api.GetTaskListsByDomainRequest(domain=DOMAIN)
            body = await bench.call("WorkflowAPI/GetTaskListsByDomain", request.SerializeToString())
            await listener.close()
            assert sorted(api.GetTaskListsByDomainResponse.FromString(body).decision_task_list_map) == ["list-1", "list-2"]

    run(scenario())
