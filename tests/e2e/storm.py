"""A storm: workflows on a real server that is killed again and again, and in the end nothing acknowledged is missing.

Each workflow runs an activity beside a timer, waits for a signal, runs a second activity and returns what they gave. The
worker is a process too and may be killed as well. The client notes what the server acknowledged: starts, signals, and
events that it was shown. Checked at the end, by the histories:

- every workflow completed, once, with the right result;
- every acknowledged start is the run that there is, every acknowledged signal is in it, once;
- event ids have no gaps, and every history that was ever shown is the beginning of the final one;
- no attempt of an activity was begun twice, by the worker's own notes.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import grpc
import grpc.aio

from tenuto_api import api
from tests.e2e.child import Child
from tests.e2e.program import SIGNAL, result_of, signal_of, start_request
from tests.e2e.raw import RawClient, history_request, read_history, wait_closed
from tests.e2e.server import ServerProcess

DOMAIN = "default"
TASK_LIST = "storm"
# Longer than any storm.
FOREVER_S = 3600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard the storm is. Times in seconds.

    life_s: most kills come so long after the server answered; some (`early`, a share of 1) so long after its start.
    graceful: the server is stopped in good order instead of killed, and never before it answered.
    patience_s: workflows that have not ended so long after the last kill are given up.
    arguments: more of the server's command line.
    """

    workflows: int
    kills: int
    worker_kills: int = 0
    acceptor: str = "grpc"
    worker: str = "raw"
    seed: int = 1
    graceful: bool = False
    arguments: tuple[str, ...] = ()
    life_s: tuple[float, float] = (0.0, 1.5)
    early: float = 0.25
    patience_s: float = 60.0


@dataclass(slots=True)
class Started:
    """One workflow as its client knows it."""

    number: int
    workflow_id: str
    request_id: str
    signal_request_id: str
    run_id: str = ""
    shown: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What happened, and what was wrong."""

    problems: list[str] = field(default_factory=list)
    completed: int = 0
    kills: int = 0
    worker_kills: int = 0
    kills_before_ready: int = 0
    activity_attempts: int = 0
    activity_retries: int = 0
    failed_calls: list[str] = field(default_factory=list)
    histories_shown: int = 0
    seconds: float = 0.0
    recoveries_s: list[float] = field(default_factory=list)
    stops_s: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        slowest = max(self.recoveries_s, default=0.0)
        return "\n".join([
            f"{self.completed} workflows completed in {self.seconds:.1f} s",
            f"server ended {self.kills} times, {self.kills_before_ready} of them before it answered",
            f"worker killed {self.worker_kills} times; slowest start to first answer {slowest:.2f} s",
            *([f"slowest stop {max(self.stops_s):.2f} s"] if self.stops_s else []),
            f"{self.activity_attempts} activity attempts, {self.activity_retries} of them repeated ones",
            f"{self.histories_shown} histories shown on the way, {len(self.failed_calls)} calls failed and were made again",
            *(f"PROBLEM: {problem}" for problem in self.problems),
        ])  # fmt: skip


class Server(Protocol):
    """What the storm is made upon: one process, or a cluster of which one process ends at a time."""

    address: str

    def start(self) -> None:
        """Starts what is down; returns at once."""

    async def ready(self) -> float:
        """Waits until it answers. Returns the seconds that took."""

    async def up(self) -> float:
        """Both."""

    def kill(self) -> None:
        """SIGKILL."""

    def terminate(self) -> int:
        """SIGTERM; returns the exit code."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class WorkerProcess(Child):
    """The storm's worker as a child process; it appends a line to `notes` before each activity attempt."""

    def __init__(self, address: str, folder: Path, kind: str) -> None:
        super().__init__("the worker", folder / "worker.log")
        self.notes = folder / "attempts.txt"
        self._command = [
            sys.executable, "-m", "tests.e2e.program",
            "--address", address,
            "--domain", DOMAIN,
            "--task-list", TASK_LIST,
            "--notes", str(self.notes),
            "--worker", kind,
        ]  # fmt: skip

    def start(self) -> None:
        """Starts a process; returns at once."""
        self.run(self._command)

    def check(self) -> None:
        """Raises if the process ended by itself."""
        if self.code is not None:
            raise AssertionError(f"the worker ended:\n{self.output()}")


async def run_storm(plan: Plan, folder: Path, upon: Server | None = None) -> Report:
    """Runs a storm in `folder`, upon a server of one process where none is given; the report's problems are empty if all went
    well."""
    report = Report()
    before = time.perf_counter()
    worker: WorkerProcess | None = None
    with upon or ServerProcess(folder, acceptor=plan.acceptor, arguments=plan.arguments) as server:
        try:
            start_s = await server.up()
            worker = WorkerProcess(server.address, folder, plan.worker)
            worker.start()
            async with RawClient(server.address) as client:
                runs = _runs(plan)
                storm_s = plan.kills * (start_s * (1 - plan.early) + sum(plan.life_s) / 2)
                over = asyncio.Event()
                async with asyncio.TaskGroup() as group:
                    weather = group.create_task(_weather(plan, server, worker, report))
                    watch = group.create_task(_watch(plan, client, runs, over, report))
                    clients = [group.create_task(_drive(plan, client, run, storm_s, report)) for run in runs]
                    await weather
                    _, late = await asyncio.wait(clients, timeout=plan.patience_s)
                    for task in late:
                        task.cancel()
                    if late:
                        report.problems.append(f"{len(late)} workflows were not seen to end in {plan.patience_s} s")
                    over.set()
                    await watch
                worker.check()
                for run in runs:
                    await check_run(client, run, report)
        finally:
            if worker is not None:
                worker.kill()
    if worker.notes.exists():
        check_notes(worker.notes, plan, report)
    report.seconds = time.perf_counter() - before
    return report


def _runs(plan: Plan) -> list[Started]:
    return [
        Started(number, f"storm-{number}", str(uuid.uuid4()), str(uuid.uuid4())) for number in range(plan.workflows)
    ]


async def _weather(plan: Plan, server: Server, worker: WorkerProcess, report: Report) -> None:
    """Kills the server, and at moments in between the worker; each is started again at once."""
    chance = random.Random(plan.seed)
    worker_kills = set(chance.sample(range(plan.kills), min(plan.kills, plan.worker_kills)))
    for number in range(plan.kills):
        ready = asyncio.get_running_loop().create_task(server.ready())
        if plan.graceful or chance.random() >= plan.early:
            await ready
        await asyncio.sleep(chance.uniform(*plan.life_s))
        if number in worker_kills:
            worker.kill()
            worker.start()
            report.worker_kills += 1
            await asyncio.sleep(chance.uniform(0.0, 0.5))
        if ready.done():
            report.recoveries_s.append(ready.result())
        else:
            report.kills_before_ready += 1
            ready.cancel()
            await asyncio.gather(ready, return_exceptions=True)
        if plan.graceful:
            await _stop(server, report)
        else:
            server.kill()
        report.kills += 1
        server.start()
    report.recoveries_s.append(await server.ready())


async def _stop(server: Server, report: Report) -> None:
    before = time.perf_counter()
    code = await asyncio.to_thread(server.terminate)
    report.stops_s.append(time.perf_counter() - before)
    if code != 0:
        report.problems.append(f"the server ended with code {code} after SIGTERM")


async def _drive(plan: Plan, client: RawClient, run: Started, storm_s: float, report: Report) -> None:
    """Starts a workflow at its moment of the storm, signals it, waits for its end. Every answer is noted."""
    chance = random.Random(f"{plan.seed}/{run.number}")
    await asyncio.sleep(chance.uniform(0.0, storm_s))
    request = start_request(DOMAIN, TASK_LIST, run.workflow_id, run.request_id, run.number)
    response = await client.persist(request, FOREVER_S)
    run.run_id = response.run_id
    await asyncio.sleep(chance.uniform(0.0, 1.5))
    signal = api.SignalWorkflowExecutionRequest(
        domain=DOMAIN,
        workflow_execution=api.WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
        signal_name=SIGNAL,
        signal_input=api.Payload(data=signal_of(run.number)),
        request_id=run.signal_request_id,
        identity="storm",
    )
    try:
        await client.persist(signal, FOREVER_S)
        await wait_closed(client, DOMAIN, run.workflow_id, run.run_id, FOREVER_S)
    except grpc.aio.AioRpcError as error:
        report.problems.append(f"{run.workflow_id}: its end cannot be awaited: {error.details()}")


async def _watch(plan: Plan, client: RawClient, runs: list[Started], over: asyncio.Event, report: Report) -> None:
    """Reads histories on the way and keeps what was shown."""
    chance = random.Random(f"{plan.seed}/watch")
    while not over.is_set():
        await asyncio.sleep(0.02)
        known = [run for run in runs if run.run_id]
        if not known:
            continue
        run = chance.choice(known)
        try:
            response = await client.call(history_request(DOMAIN, run.workflow_id, run.run_id), timeout=2.0)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                report.problems.append(f"{run.workflow_id}: an acknowledged run was not found")
            report.failed_calls.append(f"{error.code().name} {error.details()}")
            continue
        report.histories_shown += 1
        shown = [event.SerializeToString(deterministic=True) for event in response.history.events]
        if shown[: len(run.shown)] != run.shown[: len(shown)]:
            report.problems.append(f"{run.workflow_id}: a history was shown that is no continuation of an earlier one")
        if len(shown) > len(run.shown):
            run.shown = shown


async def check_run(client: RawClient, run: Started, report: Report) -> None:
    """Holds a workflow's final history against what was acknowledged."""

    def problem(text: str) -> None:
        report.problems.append(f"{run.workflow_id}: {text}")

    try:
        events = await read_history(client, DOMAIN, run.workflow_id, run.run_id)
    except grpc.aio.AioRpcError as error:
        problem(f"its history cannot be read: {error.details()}")
        return
    kinds = Counter(str(event.WhichOneof("attributes")).removesuffix("_event_attributes") for event in events)
    if [event.event_id for event in events] != list(range(1, len(events) + 1)):
        problem(f"event ids have gaps: {[event.event_id for event in events]}")
    if [event.SerializeToString(deterministic=True) for event in events[: len(run.shown)]] != run.shown:
        problem("the final history does not begin with what was shown")
    if kinds["workflow_execution_signaled"] != 1:
        problem(f"signalled {kinds['workflow_execution_signaled']} times in the history, acknowledged once")
    if kinds["workflow_execution_completed"] != 1:
        problem(f"did not complete once: {[(e.event_id, e.WhichOneof('attributes')) for e in events]}")
        return
    if kinds["activity_task_scheduled"] != 2 or kinds["activity_task_completed"] != 2 or kinds["timer_fired"] != 1:
        problem(f"not two activities and a timer: {dict(kinds)}")
    result = events[-1].workflow_execution_completed_event_attributes.result.data
    if result != result_of(run.number):
        problem(f"result {result!r}, expected {result_of(run.number)!r}")
    current = await client.persist(
        api.DescribeWorkflowExecutionRequest(
            domain=DOMAIN, workflow_execution=api.WorkflowExecution(workflow_id=run.workflow_id)
        )
    )
    if current.workflow_execution_info.workflow_execution.run_id != run.run_id:
        problem("the current run is not the acknowledged one")
    report.completed += 1


def check_notes(notes: Path, plan: Plan, report: Report) -> None:
    """At most one line an attempt; at least one attempt of each activity."""
    lines = [tuple(line.split()) for line in notes.read_text().splitlines()]
    report.activity_attempts = len(lines)
    report.activity_retries = sum(1 for line in lines if line[-1] != "0")
    for line, count in Counter(lines).items():
        if count > 1:
            report.problems.append(f"activity attempt {line} was begun {count} times")
    activities = {line[:-1] for line in lines}
    if len(activities) != 2 * plan.workflows:
        report.problems.append(f"{len(activities)} activities were begun, expected {2 * plan.workflows}")
