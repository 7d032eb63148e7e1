"""Many tasks on one task list that nobody polls, and then their pollers: what is held, and whether each goes out once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from tenuto_api import api, internal
from tests.benchmarks.inside import IDENTITY, Inside
from tests.benchmarks.watching import Watch, at_once, gauge, peak_megabytes, say
from tests.e2e.cluster import Cluster
from tests.e2e.raw import RawClient

ACTIVITIES_S: Final = 24 * 3600
# Matching answers a second before the end of the caller's time.
POLL_S: Final = 3.0
# No task for so long, and some are missing: they are lost.
STALLED_S: Final = 150.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`activities`: the backlog is of activity tasks, else of first decision tasks."""

    count: int
    in_flight: int
    pollers: int
    activities: bool


@dataclass(slots=True)
class Figures:
    """What was found. Times in seconds, memory in megabytes."""

    count: int = 0
    fill_s: float = 0.0
    waiting: int = 0
    drain_s: float = 0.0
    lost: int = 0
    duplicates: int = 0
    left: int = 0
    history_empty_mb: float = 0.0
    history_full_mb: float = 0.0
    history_peak_mb: float = 0.0
    matching_empty_mb: float = 0.0
    matching_full_mb: float = 0.0
    matching_peak_mb: float = 0.0


class Backlog:
    """The measurement on a running cluster."""

    def __init__(self, cluster: Cluster, watch: Watch, url: str, shards: int, plan: Plan) -> None:
        self._cluster = cluster
        self._watch = watch
        self._url = url
        self._shards = shards
        self._plan = plan
        self._figures = Figures()
        self._delivered = bytearray(plan.count)
        self._started = self._taken = 0
        self._list = ""
        self._last = 0.0

    async def run(self) -> Figures:
        """Fills and drains."""
        figures, plan = self._figures, self._plan
        async with RawClient(self._cluster.address) as client:
            domain = (await client.call(api.DescribeDomainRequest(name="default"))).domain
        figures.history_empty_mb = self._watch.memory_mb("history")
        figures.matching_empty_mb = self._watch.memory_mb("matching")
        begun = time.perf_counter()
        await self._fill(domain)
        figures.fill_s, figures.count = time.perf_counter() - begun, plan.count
        await self._watch.quiet()
        figures.waiting = self._waiting()
        figures.history_full_mb = self._watch.memory_mb("history")
        figures.matching_full_mb = self._watch.memory_mb("matching")
        begun = time.perf_counter()
        async with Inside(self._url, self._shards, domain) as inside, self._watch.lines(self._drain_line):
            await self._drain(inside)
            figures.drain_s = self._last - begun
        await asyncio.sleep(2.0)
        figures.lost = self._delivered.count(0)
        figures.left = self._waiting()
        figures.history_peak_mb = peak_megabytes(self._cluster.nodes["history-0"])
        figures.matching_peak_mb = peak_megabytes(self._cluster.nodes["matching-0"])
        return figures

    def _waiting(self) -> int:
        """The list's tasks that wait for a poller, as history says."""
        return int(gauge(self._cluster.nodes["history-0"], "tenuto_history_tasks_waiting", f'"{self._list}"'))

    # --- filling ------------------------------------------------------------------------------------------------------
    async def _fill(self, domain: api.Domain) -> None:
        plan = self._plan
        begun = time.perf_counter()

        def line() -> str:
            return f"backlog: {self._started} of {plan.count}, {self._started / (time.perf_counter() - begun):.0f} a second"

        decide = self._decide if plan.activities else None
        async with Inside(self._url, self._shards, domain, decide) as inside, self._watch.lines(line):
            # Activities wait at the real matching process, whoever has the decisions.
            self._list = "backlog" if plan.activities else inside.own_list(own=False)
            decisions = inside.own_list() if plan.activities else self._list

            async def one(number: int) -> None:
                await inside.start(f"backlog-{number}", decisions, decided=plan.activities)
                self._started += 1

            await at_once(one, range(plan.count), plan.in_flight)
            say(line())

    def _decide(self, workflow_id: str) -> api.Decision:
        decision = api.Decision()
        activity = decision.schedule_activity_task_decision_attributes
        activity.activity_id = "one"
        activity.activity_type.name = "work"
        activity.task_list.name = "backlog"
        for timeout in (activity.schedule_to_close_timeout, activity.schedule_to_start_timeout, activity.start_to_close_timeout):
            timeout.seconds = ACTIVITIES_S
        return decision

    # --- draining -----------------------------------------------------------------------------------------------------
    def _drain_line(self) -> str:
        return f"drain: {self._taken} of {self._plan.count}"

    async def _drain(self, inside: Inside) -> None:
        self._last = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(self._plan.pollers):
                group.create_task(self._poll(inside))

    async def _poll(self, inside: Inside) -> None:
        """Takes tasks and answers them until all have come, or none came for long."""
        task_type = internal.TASK_TYPE_ACTIVITY if self._plan.activities else internal.TASK_TYPE_DECISION
        while self._taken < self._plan.count and time.perf_counter() - self._last < STALLED_S:
            answer = await inside.poll(self._list, task_type, POLL_S)
            if not answer:
                await asyncio.sleep(0.05)
                continue
            self._last = time.perf_counter()
            if self._plan.activities:
                task = api.PollForActivityTaskResponse.FromString(answer)
                self._note(task.workflow_execution.workflow_id)
                done = api.RespondActivityTaskCompletedRequest(task_token=task.task_token, identity=IDENTITY)
                await inside.call_history("RespondActivityTaskCompleted", task.workflow_execution.workflow_id, done)
            else:
                await self._complete(inside, api.PollForDecisionTaskResponse.FromString(answer))

    async def _complete(self, inside: Inside, task: api.PollForDecisionTaskResponse) -> None:
        workflow_id = task.workflow_execution.workflow_id
        self._note(workflow_id)
        decision = api.Decision()
        decision.complete_workflow_execution_decision_attributes.result.data = b"1\n"
        answer = api.RespondDecisionTaskCompletedRequest(
            task_token=task.task_token, decisions=[decision], identity=IDENTITY
        )
        await inside.call_history("RespondDecisionTaskCompleted", workflow_id, answer)

    def _note(self, workflow_id: str) -> None:
        number = int(workflow_id.rpartition("-")[2])
        if self._delivered[number]:
            self._figures.duplicates += 1
            self._delivered[number] = min(255, self._delivered[number] + 1)
        else:
            self._delivered[number] = 1
            self._taken += 1
