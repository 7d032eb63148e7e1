"""The worker-host: runs users' own workflow modules, so that a small site needs no process of its own for them.

A hosted module is named as `module:task_list`. All workflows and activities that it defines are served on that list, by the SDK's
worker, over the public interface like any other worker.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tenuto.client import Client
from tenuto.errors import TenutoError
from tenuto.worker import Worker, definitions_in

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostSettings:
    """`server` is the public address; `retry` the seconds between tries to reach it at the start."""

    server: str
    domain: str = "default"
    retry: float = 0.1


@dataclass(frozen=True, slots=True)
class Hosted:
    """A module and the task list that its workflows and activities are served on."""

    module: str
    task_list: str

    @classmethod
    def parse(cls, text: str) -> Hosted:
        """From "package.module:task-list". Raises ValueError."""
        module, _, task_list = text.partition(":")
        if not module or not task_list:
            raise ValueError(f"{text!r}: a hosted module is named module:task-list")
        return cls(module, task_list)


class WorkerHostService:
    """One worker-host process. Raises ImportError or ValueError for a module that cannot be hosted."""

    def __init__(self, hosted: Sequence[Hosted], settings: HostSettings) -> None:
        self._hosted = [(one, *_definitions(one)) for one in hosted]
        self._settings = settings
        self._client: Client | None = None
        self._workers: list[Worker] = []
        self._starting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to serve as soon as the server answers; does not wait for that."""
        self._client = await Client.connect(self._settings.server, domain=self._settings.domain)
        self._starting = asyncio.get_running_loop().create_task(self._start_workers(self._client))

    async def stop(self) -> None:
        """Stops polling and lets tasks under way end, within the workers' grace."""
        if self._starting is not None:
            self._starting.cancel()
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        if self._client is not None:
            await self._client.close()

    async def _start_workers(self, client: Client) -> None:
        for one, workflows, activities in self._hosted:
            while True:
                worker = Worker(client, one.task_list, workflows=workflows, activities=activities)
                try:
                    await worker.start()
                    break
                except TenutoError as error:
                    logger.info("hosting %s waits for the server: %s", one.module, error)
                    await asyncio.sleep(self._settings.retry)
            self._workers.append(worker)
            logger.info("hosting %s on task list %s", one.module, one.task_list)


def _definitions(one: Hosted) -> tuple[list[object], list[object]]:
    # As for other programs that are given modules by name: those of the current folder count too.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    workflows, activities = definitions_in(importlib.import_module(one.module))
    if not workflows and not activities:
        raise ValueError(f"module {one.module} defines neither workflows nor activities")
    return workflows, activities
