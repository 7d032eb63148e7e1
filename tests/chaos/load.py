"""A steady load of workflows, and what its client was told: every acknowledged start and signal is noted."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from tenuto_api import api
from tests.chaos.program import DOMAIN, SIGNAL, SIGNALS, WORKFLOW, signal_of
from tests.e2e.child import Child
from tests.e2e.program import TASK_SECONDS, WORKFLOW_SECONDS
from tests.e2e.raw import CALL_SECONDS, PASSING, RawClient, wait_closed

FOREVER_S = 3600.0


@dataclass(slots=True)
class Started:
    """One workflow as its client knows it. `signals` are those that were acknowledged; `is_over`: its end was seen."""

    number: int
    workflow_id: str
    run_id: str = ""
    signals: list[str] = field(default_factory=list)
    is_over: bool = False


class CountingClient(RawClient):
    """A client that counts the calls that failed though another try would do, and keeps the longest time to an answer."""

    def __init__(self, addresses: Sequence[str]) -> None:
        super().__init__("ipv4:" + ",".join(addresses))
        # When (seconds since the epoch), and how.
        self.failed: list[tuple[float, str]] = []
        self.calls = 0
        self.slowest_s = 0.0

    async def call(self, request: Message, timeout: float = CALL_SECONDS) -> Any:
        """As RawClient."""
        self.calls += 1
        begun = time.perf_counter()
        try:
            answer = await super().call(request, timeout)
        except grpc.aio.AioRpcError as error:
            if error.code() in PASSING:
                self.failed.append((time.time(), f"{request.DESCRIPTOR.name}: {error.code().name}: {error.details()}"))
            raise
        if not isinstance(request, api.GetWorkflowExecutionHistoryRequest):
            self.slowest_s = max(self.slowest_s, time.perf_counter() - begun)
        return answer


class WorkerProcess(Child):
    """A worker of the load; it appends a line to `notes` before each attempt of an activity."""

    def __init__(self, addresses: Sequence[str], task_list: str, folder: Path, name: str) -> None:
        super().__init__(name, folder / f"{name}.log")
        self.notes = folder / f"{name}.attempts"
        self._command = [
            sys.executable, "-m", "tests.chaos.program",
            "--address", "ipv4:" + ",".join(addresses),
            "--task-list", task_list,
            "--notes", str(self.notes),
        ]  # fmt: skip

    def start(self) -> None:
        """Starts a process; returns at once."""
        self.run(self._command)

    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self.code is not None


class Load:
    """Starts `rate` workflows a second until it is told to stop, at most `open_max` of them open at a time; each is signalled and
    seen to its end."""

    def __init__(self, client: CountingClient, task_list: str, rate: float, open_max: int, seed: int) -> None:
        self.started: list[Started] = []
        self.problems: list[str] = []
        self._client = client
        self._task_list = task_list
        self._rate = rate
        self._room = asyncio.Semaphore(open_max)
        self._seed = seed
        self._over = asyncio.Event()
        self._drivers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Starts workflows until `stop`."""
        chance = random.Random(f"{self._seed}/load")
        while not self._over.is_set():
            await self._room.acquire()
            if self._over.is_set():
                # Told to stop while it waited for room: nobody would wait for one more.
                return
            number = len(self.started)
            run = Started(number, f"{self._task_list}-{number}")
            self.started.append(run)
            driver = asyncio.get_running_loop().create_task(self._drive(run))
            self._drivers.add(driver)
            driver.add_done_callback(self._drivers.discard)
            try:
                async with asyncio.timeout(chance.expovariate(self._rate)):
                    await self._over.wait()
            except TimeoutError:
                pass

    async def stop(self, patience_s: float) -> None:
        """No more starts; waits for what is open."""
        self._over.set()
        if not self._drivers:
            return
        _, late = await asyncio.wait(self._drivers, timeout=patience_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            names = [run.workflow_id for run in self.started if not run.is_over]
            self.problems.append(f"{len(late)} workflows were not seen to end in {patience_s:.0f} s: {names[:5]}")

    async def _drive(self, run: Started) -> None:
        chance = random.Random(f"{self._seed}/{run.number}")
        try:
            response = await self._client.persist(self._start(run), FOREVER_S)
            run.run_id = response.run_id
            for which in range(SIGNALS):
                await asyncio.sleep(chance.uniform(0.0, 1.5))
                await self._signal(run, which)
            await wait_closed(self._client, DOMAIN, run.workflow_id, run.run_id, FOREVER_S)
            run.is_over = True
        except grpc.aio.AioRpcError as error:
            self.problems.append(f"{run.workflow_id}: {error.code().name}: {error.details()}")
        finally:
            self._room.release()

    def _start(self, run: Started) -> api.StartWorkflowExecutionRequest:
        request = api.StartWorkflowExecutionRequest(
            domain=DOMAIN,
            workflow_id=run.workflow_id,
            workflow_type=api.WorkflowType(name=WORKFLOW),
            task_list=api.TaskList(name=self._task_list),
            input=api.Payload(data=_json(run.number)),
            request_id=str(uuid.uuid4()),
            identity="chaos",
        )
        request.execution_start_to_close_timeout.seconds = WORKFLOW_SECONDS
        request.task_start_to_close_timeout.seconds = TASK_SECONDS
        return request

    async def _signal(self, run: Started, which: int) -> None:
        text = signal_of(run.number, which)
        request = api.SignalWorkflowExecutionRequest(
            domain=DOMAIN,
            workflow_execution=api.WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
            signal_name=SIGNAL,
            signal_input=api.Payload(data=_json(text)),
            request_id=str(uuid.uuid4()),
            identity="chaos",
        )
        await self._client.persist(request, FOREVER_S)
        run.signals.append(text)


def _json(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
