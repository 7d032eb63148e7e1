"""Runs that are deleted while the storm rages, and the checker that they stay deleted and nothing else goes.

Each program is busy with one workflow id of its own: it starts runs, signals and terminates them, has some deleted, open or
closed, newest or former, by asking whichever history process owns the shard, and begins anew. It keeps what it was told.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history import storing
from tenuto_server.persistence.interface import Table
from tenuto_server.persistence.memory import MemoryStore
from tenuto_server.persistence.rows import join_ids
from tenuto_server.transport.network import Network

from .client import DOMAIN, TRANSIENT, Client, Doubtful, GaveUp, execution
from .cluster import Cluster
from .observed import VICTIMS, Observed, Started
from .picture import Picture
from .program import seconds

# Nobody polls it: what happens to these runs is only what their program does.
TASK_LIST = "nobody"
TIMEOUT_S = 3600
PATIENCE_S = 60.0
LATE_S = 10.0


@dataclass(slots=True)
class Graves:
    """What the programs were told. `deleted`: the deletion was acknowledged; `doubtful`: it was asked for, and nobody knows.
    Both by run id, with the workflow id."""

    deleted: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)
    domain_id: str = ""


class Deleter:
    """Asks the owner of a run's shard to delete it, as retention does: again until there is an answer."""

    def __init__(self, network: Network, cluster: Cluster, graves: Graves) -> None:
        self._network = network
        self._cluster = cluster
        self._graves = graves

    async def delete(self, workflow_id: str, run_id: str, *, force: bool) -> bool:
        """Whether the run is gone, or may be: False only if it was refused as open."""
        graves, loop = self._graves, asyncio.get_running_loop()
        request = internal.DeleteRunRequest(domain_id=graves.domain_id, workflow_id=workflow_id, run_id=run_id, force=force)
        graves.doubtful[run_id] = workflow_id
        ends = loop.time() + PATIENCE_S
        while loop.time() < ends:
            for process in self._cluster.of("history"):
                try:
                    await self._network.call(process.address, "DeleteRun", request.SerializeToString(), 5.0)
                except TRANSIENT:
                    continue
                except errors.BadRequest:
                    # Open, and not by force.
                    del graves.doubtful[run_id]
                    return False
                del graves.doubtful[run_id]
                graves.deleted[run_id] = workflow_id
                return True
            await asyncio.sleep(0.3)
        return True


class Victims:
    """The program of one workflow id."""

    def __init__(self, number: int, client: Client, deleter: Deleter, observed: Observed, graves: Graves, seed: str) -> None:
        self._workflow_id = f"{VICTIMS}{number}"
        self._client = client
        self._deleter = deleter
        self._observed = observed
        self._graves = graves
        self._random = random.Random(f"victim:{seed}/{number}")
        self._runs: dict[str, Started] = {}

    async def run(self, until: float) -> None:
        """Goes on until that time."""
        loop, chance = asyncio.get_running_loop(), self._random
        while loop.time() < until:
            await asyncio.sleep(chance.uniform(0, 2) * chance.random())
            await chance.choice([self._start, self._start, self._signal, self._terminate, self._delete, self._delete])()

    async def finish(self) -> None:
        """When the storm is over: no run stays open, and the runs that were not deleted must be there."""
        # A start that the network doubled may come so late that its run is deleted: then it begins another.
        await asyncio.sleep(LATE_S)
        await self._terminate()
        self._observed.workflow_ids[self._workflow_id] = None
        self._observed.starts += self._runs.values()

    async def _start(self) -> None:
        request = api.StartWorkflowExecutionRequest(
            domain=DOMAIN,
            workflow_id=self._workflow_id,
            workflow_type=api.WorkflowType(name="victim"),
            task_list=api.TaskList(name=TASK_LIST),
            execution_start_to_close_timeout=seconds(TIMEOUT_S),
            task_start_to_close_timeout=seconds(10),
            request_id=self._client.new_id(),
            workflow_id_reuse_policy=self._random.choice(
                [api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, api.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING]
            ),
        )
        try:
            answer = await self._client.call("StartWorkflowExecution", request, api.StartWorkflowExecutionResponse)
        except (GaveUp, Doubtful, errors.ServiceError):
            return
        if answer.run_id not in self._graves.doubtful and answer.run_id not in self._graves.deleted:
            self._runs[answer.run_id] = Started(self._workflow_id, answer.run_id, request.request_id)

    async def _signal(self) -> None:
        request = api.SignalWorkflowExecutionRequest(
            domain=DOMAIN,
            workflow_execution=execution(self._workflow_id),
            request_id=self._client.new_id(),
            signal_name="signal",
            signal_input=api.Payload(data=self._random.randbytes(self._random.choice([10, 5000])).hex().encode()),
        )
        try:
            await self._client.call("SignalWorkflowExecution", request, api.SignalWorkflowExecutionResponse)
        except (GaveUp, Doubtful, errors.ServiceError):
            return

    async def _terminate(self) -> None:
        request = api.TerminateWorkflowExecutionRequest(
            domain=DOMAIN, workflow_execution=execution(self._workflow_id), reason=self._client.new_id()
        )
        try:
            await self._client.call("TerminateWorkflowExecution", request, api.TerminateWorkflowExecutionResponse)
        except (GaveUp, Doubtful, errors.ServiceError):
            return

    async def _delete(self) -> None:
        if not self._runs:
            return
        known = list(self._runs)
        run_id = self._random.choice([self._random.choice(known), known[-1]])
        if await self._deleter.delete(self._workflow_id, run_id, force=self._random.random() < 0.3):
            del self._runs[run_id]


def check_deleted(graves: Graves, picture: Picture, memory: MemoryStore) -> Iterator[str]:
    """A run whose deletion was acknowledged is not there: not by its name, not in a list, not in a row."""
    listed = {run_id for run_id, _ in picture.listed}
    for run_id, workflow_id in graves.deleted.items():
        if run_id in picture.runs:
            yield f"the deleted run {workflow_id} {run_id} is there:\n{picture.runs[run_id].text()}"
        if run_id in listed:
            yield f"the deleted run {workflow_id} {run_id} is listed"
        for text in rows_of(memory, graves.domain_id, workflow_id, run_id):
            yield f"the deleted run {workflow_id} {run_id} has left {text}"


def rows_of(memory: MemoryStore, domain_id: str, workflow_id: str, run_id: str) -> Iterator[str]:
    """What the store holds of a run."""
    name = join_ids(domain_id, workflow_id, run_id)
    for (table, partition), held in memory._partitions.items():
        for key in held.keys:
            value = held.cells[key][1] or b""
            if table is Table.HISTORY and partition == name:
                yield f"history row {key!r}"
            elif table is Table.RUNS and partition == join_ids(domain_id, workflow_id):
                if storing.read_run(value)[0].run_id == run_id:
                    yield f"snapshot {key!r}"
            elif table is Table.TASKS and run_id in storing.read_task(value)[0]:
                yield f"task {key!r}"
    for shard, timers in memory._timers.items():
        for fire_ns, timer in timers.order:
            if timer == name.encode():
                yield f"timer {fire_ns} of shard {shard}"


async def check_newest(client: Client, graves: Graves) -> list[str]:
    """A deleted run is never its workflow's newest."""
    problems = []
    for workflow_id in dict.fromkeys(graves.deleted.values()):
        request = api.DescribeWorkflowExecutionRequest(domain=DOMAIN, workflow_execution=execution(workflow_id))
        try:
            answer = await client.call("DescribeWorkflowExecution", request, api.DescribeWorkflowExecutionResponse)
        except errors.EntityNotExists:
            continue
        run_id = answer.workflow_execution_info.workflow_execution.run_id
        if run_id in graves.deleted:
            problems.append(f"the newest run of {workflow_id} is the deleted {run_id}")
    return problems
