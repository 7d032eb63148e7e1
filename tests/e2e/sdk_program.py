"""The storm's workflow with the SDK."""

from __future__ import annotations

import asyncio

from tenuto import activity, workflow
from tenuto.client import Client
from tenuto.worker import Worker
from tests.e2e.program import ATTEMPTS_MAX, FIRST, SECOND, SIGNAL, TASK_SECONDS, WORKFLOW_SECONDS, Notes, work


@workflow.defn(name="storm")
class Storm:
    """An activity beside a timer; when both are done and the signal is there, a second activity; then the end."""

    def __init__(self) -> None:
        self._signal = ""

    @workflow.signal(name=SIGNAL)
    def go(self, text: str) -> None:
        """Lets the workflow go on."""
        self._signal = text

    @workflow.run
    async def run(self, number: int) -> str:
        first, _ = await asyncio.gather(self._activity(FIRST, number), workflow.sleep(1 + number % 2))
        await workflow.wait_condition(lambda: bool(self._signal))
        second = await self._activity(SECOND, number)
        return f"{first} {self._signal} {second}"

    async def _activity(self, name: str, number: int) -> str:
        result: str = await workflow.execute_activity(
            name,
            number,
            activity_id=name,
            start_to_close_timeout=TASK_SECONDS,
            schedule_to_start_timeout=WORKFLOW_SECONDS,
            schedule_to_close_timeout=WORKFLOW_SECONDS,
            retry_policy=workflow.RetryPolicy(
                initial_interval=1, backoff_coefficient=1.0, maximum_attempts=ATTEMPTS_MAX
            ),
            result_type=str,
        )
        return result


async def serve_sdk(address: str, domain: str, task_list: str, notes: Notes) -> None:
    """Runs the SDK's worker until it is killed."""

    async def attempt(number: int) -> str:
        info = activity.info()
        notes.begun(info.workflow_id, info.run_id, info.activity_id, info.attempt)
        return await work(number, info.activity_type)

    @activity.defn(name=FIRST)
    async def first(number: int) -> str:
        return await attempt(number)

    @activity.defn(name=SECOND)
    async def second(number: int) -> str:
        return await attempt(number)

    async with await Client.connect(address, domain=domain) as client:
        await Worker(client, task_list, workflows=[Storm], activities=[first, second]).run()
