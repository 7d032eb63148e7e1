"""A task list in partitions, set by the settings file of a running server: its workflows run, people see one list."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tenuto.client import Client
from tenuto.worker import Worker
from tenuto_api import api
from tenuto_server.embedded import EmbeddedSettings
from tests.e2e.raw import RawClient
from tests.integration.embedded.hosted_workflows import Quadruple, double
from tests.integration.embedded.test_embedded import run, serving

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
