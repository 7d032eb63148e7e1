"""Client and worker of the SDK."""

from __future__ import annotations

import uuid

from tenuto import activity, workflow
from tenuto.client import Client, WorkflowHandle
from tenuto.worker import Worker

SIGNAL_BYTES = "1" * 98


@activity.defn
async def work(text: str) -> str:
    """Gives back what it got."""
    return text


@workflow.defn
class LoadWorkflow:
    """So many activities in a row."""

    @workflow.run
    async def run(self, activities: int) -> str:
        for _ in range(activities):
            await workflow.execute_activity(work, "x", start_to_close_timeout=3600)
        return "done"


class SdkDriver:
    """Drives loads with the SDK as users have it: its defaults throughout."""

    def __init__(self, address: str, domain: str) -> None:
        self._address = address
        self._domain = domain
        self._list = f"bench-{uuid.uuid4()}"
        self._signalled: WorkflowHandle[str] | None = None
        self._client: Client
        self._worker: Worker

    async def open(self) -> None:
        self._client = await Client.connect(self._address, domain=self._domain)
        self._worker = Worker(self._client, self._list, workflows=[LoadWorkflow], activities=[work])
        await self._worker.start()

    async def close(self) -> None:
        await self._worker.stop()
        await self._client.close()

    async def workflow(self, activities: int) -> None:
        result = await self._client.execute_workflow(
            LoadWorkflow.run, activities, id=str(uuid.uuid4()), task_list=self._list
        )
        assert result == "done"

    async def start_alone(self) -> None:
        await self._start_alone()

    async def signal(self) -> None:
        if self._signalled is None:
            self._signalled = self._client.get_workflow_handle(str(uuid.uuid4()), workflow=LoadWorkflow.run)
            await self._start_alone(self._signalled.workflow_id)
        await self._signalled.signal("load", SIGNAL_BYTES)

    async def _start_alone(self, workflow_id: str = "") -> None:
        await self._client.start_workflow(LoadWorkflow.run, 0, id=workflow_id or str(uuid.uuid4()), task_list="nobody")
