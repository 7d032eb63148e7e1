"""A task list in partitions, set by the settings file of a running server: its workflows run, people see one list."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tenuto.client import Client
from tenuto.worker import Worker
from tenuto_api import admin, api
from tenuto_server.embedded import EmbeddedSettings
from tenuto_server.errors import BadRequest
from tenuto_server.history.engine.tasks import TaskKind
from tests.e2e.raw import RawClient
from tests.integration.embedded.hosted_workflows import Quadruple, double
from tests.integration.embedded.test_any_request import World
from tests.integration.embedded.test_embedded import run, serving
from tests.unit.frontend.fakes import DOMAIN, start_request
from tests.unit.frontend.fakes import run as run_virtual

SETTINGS = """
matching.numTasklistReadPartitions:
- value: 3
  constraints: {domainName: default, taskListName: numbers}
matching.numTasklistWritePartitions:
- value: 3
  constraints: {domainName: default, taskListName: numbers}
"""


@pytest.mark.parametrize("network", ["in-process", "streams"])
def test_workflows_run_on_a_list_in_partitions(tmp_path: Path, network: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(SETTINGS, encoding="utf-8")

    async def story() -> None:
        settings = EmbeddedSettings("memory://", network=network, settings_file=str(file), system_workers=False)
        async with serving(settings) as address, await Client.connect(address) as client:
            worker = Worker(client, "numbers", workflows=[Quadruple], activities=[double])
            async with worker:
                results = await asyncio.gather(
                    *(client.execute_workflow(Quadruple.run, n, id=f"q-{n}", task_list="numbers") for n in range(30))
                )
            assert results == [4 * n for n in range(30)]
            async with RawClient(address) as raw:
                request = api.ListTaskListPartitionsRequest(domain="default", task_list=api.TaskList(name="numbers"))
                parts = (await raw.call(request)).decision_task_list_partitions
                assert [part.key for part in parts] == ["numbers", "/__cadence_sys/numbers/1", "/__cadence_sys/numbers/2"]
                described = await raw.call(
                    api.DescribeTaskListRequest(
                        domain="default",
                        task_list=api.TaskList(name="numbers"),
                        task_list_type=api.TASK_LIST_TYPE_DECISION,
                        include_task_list_status=True,
                    )
                )
                assert len({poller.identity for poller in described.pollers}) == 1
                assert described.task_list_status.backlog_count_hint == 0

    run(story)


ADMIN = "uber.cadence.admin.v1.AdminAPI"


def config(read: list[int], write: list[int], read_count: int = 0, write_count: int = 0) -> api.TaskListPartitionConfig:
    made = api.TaskListPartitionConfig(num_read_partitions=read_count, num_write_partitions=write_count)
    for partitions, ids in ((made.read_partitions, read), (made.write_partitions, write)):
        for number in ids:
            partitions[number].SetInParent()
    return made


async def update(world: World, wanted: api.TaskListPartitionConfig, **changes: Any) -> None:
    request = admin.UpdateTaskListPartitionConfigRequest(
        domain=DOMAIN,
        task_list=api.TaskList(name="orders"),
        task_list_type=api.TASK_LIST_TYPE_DECISION,
        partition_config=wanted,
    )
    request.MergeFrom(admin.UpdateTaskListPartitionConfigRequest(**changes))
    await world.call(f"{ADMIN}/UpdateTaskListPartitionConfig", request)


async def partitions(world: World) -> tuple[int, int]:
    """Of decisions and of activities."""
    request = api.ListTaskListPartitionsRequest(domain=DOMAIN, task_list=api.TaskList(name="orders"))
    answer = api.ListTaskListPartitionsResponse.FromString(await world.call("WorkflowAPI/ListTaskListPartitions", request))
    return len(answer.decision_task_list_partitions), len(answer.activity_task_list_partitions)


def test_operators_set_the_partitions_of_one_list() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        assert await partitions(world) == (1, 1)
        await update(world, config([0, 1, 2], [0, 1]))
        assert await partitions(world) == (3, 1)
        core = world.server._history.core
        domain = await core.domains.by_name(DOMAIN)
        written = {name: core._write_partitions(domain.id, name, TaskKind.DECISION) for name in ("orders", "other")}
        assert written == {"orders": 2, "other": 1}
        described = api.DescribeTaskListRequest(
            domain=DOMAIN, task_list=api.TaskList(name="orders"), task_list_type=api.TASK_LIST_TYPE_DECISION
        )
        shown = api.DescribeTaskListResponse.FromString(await world.call("WorkflowAPI/DescribeTaskList", described))
        assert (sorted(shown.partition_config.read_partitions), sorted(shown.partition_config.write_partitions)) == (
            [0, 1, 2],
            [0, 1],
        )
        # A run started now has its decision in one of them, where a poll finds it.
        started = start_request()
        started.workflow_id = "another"
        await world.call("WorkflowAPI/StartWorkflowExecution", started)
        task = await world.poll_decision("orders")
        assert task.workflow_execution.workflow_id == "another"
        await update(world, config([], [], 1, 1))
        assert await partitions(world) == (1, 1)
        await world.server.stop()

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        (config([0], [0, 1]), {}),
        (config([0, 2], [0]), {}),
        (config([], []), {}),
        (config([], [], 1001, 1), {}),
        (config([0], [0]), {"task_list_type": 7}),
        (config([0], [0]), {"task_list": api.TaskList(kind=api.TASK_LIST_KIND_STICKY)}),
    ],
)
def test_partitions_that_cannot_be_are_refused(wanted: api.TaskListPartitionConfig, changes: dict[str, Any]) -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        with pytest.raises(BadRequest):
            await update(world, wanted, **changes)
        assert await partitions(world) == (1, 1)
        await world.server.stop()

    run_virtual(scenario())
