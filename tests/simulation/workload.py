"""The client programs: they start, signal, cancel and terminate workflows, repeat themselves, and write down what they
are told.

`run_clients` drives a handful of workflow ids, each by a program of its own chance; `start_workers` sets the workers to
work.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import dataclass

from tenuto_api import api
from tenuto_server import errors

from .client import DOMAIN, Client, Doubtful, GaveUp, execution, whole_history
from .observed import Observed, Reset, Started, Terminated, Told
from .program import DECISION_TIMEOUT_S, EXECUTION_TIMEOUT_S, WORKFLOW_TYPE, kind_of, random_plan, seconds
from .workers import ActivityWorker, DecisionWorker, Manners

POLICIES = [
    api.WORKFLOW_ID_REUSE_POLICY_INVALID,
    api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    api.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    api.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
]
# One start in so many is of a cron workflow.
CRON = 0.15

POINTS = ("decision_task_started", "decision_task_completed", "decision_task_failed", "decision_task_timed_out")


@dataclass(frozen=True, slots=True)
class Load:
    """How much of what. `meddling`: how often clients signal, cancel, terminate and start again (0: only starts and the
    signals that programs wait for)."""

    workflows: int = 3
    task_lists: int = 1
    decision_workers: int = 2
    activity_workers: int = 2
    sticky: float = 0.5
    polite: bool = False
    children: bool = True
    meddling: float = 0.5
    spread_s: float = 10.0
    think_s: float = 0.05


def start_workers(
    group: asyncio.TaskGroup, load: Load, client: Client, observed: Observed, manners: Manners, crew: str = ""
) -> list[asyncio.Task[None]]:
    """Sets the workers of every task list to work. `crew` is part of their names."""
    tasks = []
    for number in range(load.task_lists):
        task_list = f"list-{number}"
        for worker in range(load.decision_workers):
            sticky, local = client.random.random() < load.sticky, client.random.random() < 0.5
            decider = DecisionWorker(
                f"decider{crew}-{number}-{worker}", client, observed, manners, task_list, sticky=sticky, local=local
            )
            tasks.append(group.create_task(decider.run(), name=f"decider{crew}-{number}-{worker}"))
        for worker in range(load.activity_workers):
            actor = ActivityWorker(f"actor{crew}-{number}-{worker}", client, observed, manners, task_list)
            tasks.append(group.create_task(actor.run(), name=f"actor{crew}-{number}-{worker}"))
    return tasks


async def run_clients(load: Load, client: Client, observed: Observed, seed: str) -> None:
    """Ends when every client program has."""
    async with asyncio.TaskGroup() as group:
        for number in range(load.workflows):
            program = _Program(f"wf-{number}", load, client, observed, f"{seed}/{number}")
            group.create_task(program.run(), name=f"client-{number}")
            resetter = _Resetter(f"wf-{number}", load, client, observed, f"{seed}/{number}")
            group.create_task(resetter.run(), name=f"resetter-{number}")


class _Program:
    """One client program, busy with one workflow id."""

    def __init__(self, workflow_id: str, load: Load, client: Client, observed: Observed, seed: str) -> None:
        self._workflow_id = workflow_id
        self._load = load
        self._client = client
        self._observed = observed
        self._seed = seed
        self._random = random.Random(f"client:{seed}")
        self._sent = 0
        self._run_ids: list[str] = []

    async def run(self) -> None:
        self._observed.workflow_ids[self._workflow_id] = None
        chance = self._random
        await asyncio.sleep(chance.uniform(0, self._load.spread_s))
        await self._start(api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
        acts = [
            self._signal,
            self._signal,
            self._signal,
            self._signal_twice,
            self._start_again,
            self._signal_with_start,
        ]
        acts += [self._cancel, self._terminate, self._start_twice]
        for _act in range(chance.randint(0, 6) if self._load.meddling else 0):
            await asyncio.sleep(chance.uniform(0, 5) * chance.random())
            if chance.random() < self._load.meddling:
                await chance.choice(acts)()

    # --- starting ----------------------------------------------------------------------------------------------------
    def _start_request(self, policy: api.WorkflowIdReusePolicy) -> api.StartWorkflowExecutionRequest:
        self._sent += 1
        task_list = f"list-{self._random.randrange(self._load.task_lists)}"
        plan = random_plan(f"{self._seed}/{self._sent}", task_list, polite=self._load.polite, children=self._load.children)
        request = api.StartWorkflowExecutionRequest(
            domain=DOMAIN,
            workflow_id=self._workflow_id,
            workflow_type=api.WorkflowType(name=WORKFLOW_TYPE),
            task_list=api.TaskList(name=task_list),
            input=api.Payload(data=plan.encode()),
            execution_start_to_close_timeout=seconds(EXECUTION_TIMEOUT_S),
            task_start_to_close_timeout=seconds(DECISION_TIMEOUT_S),
            identity="client",
            request_id=self._client.new_id(),
            workflow_id_reuse_policy=policy,
        )
        # Of its own chance: whatever else a seed stands for stays what it was.
        chance = random.Random(f"cron:{self._seed}/{self._sent}")
        if chance.random() < CRON:
            plan.ticks = chance.randint(2, 4)
            request.input.data = plan.encode()
            request.cron_schedule = chance.choice(["@every 1s", "@every 3s"])
            request.cron_overlap_policy = chance.choice(
                [api.CRON_OVERLAP_POLICY_SKIPPED, api.CRON_OVERLAP_POLICY_BUFFER_ONE]
            )
            if chance.random() < 0.3:
                request.jitter_start.seconds = 1
        return request

    async def _start(self, policy: api.WorkflowIdReusePolicy, request: api.StartWorkflowExecutionRequest | None = None) -> None:
        request = request or self._start_request(policy)
        try:
            answer = await self._client.call("StartWorkflowExecution", request, api.StartWorkflowExecutionResponse)
        except (GaveUp, Doubtful, errors.ServiceError):
            return
        self._started(answer.run_id, request.request_id)

    def _started(self, run_id: str, request_id: str) -> None:
        self._run_ids.append(run_id)
        self._observed.starts.append(Started(self._workflow_id, run_id, request_id))

    async def _start_again(self) -> None:
        await self._start(self._random.choice(POLICIES))

    async def _start_twice(self) -> None:
        """The same request from two sides at once."""
        request = self._start_request(self._random.choice(POLICIES))
        policy = request.workflow_id_reuse_policy
        await asyncio.gather(self._start(policy, request), self._start(policy, request))

    async def _signal_with_start(self) -> None:
        start = self._start_request(self._random.choice(POLICIES))
        logical = self._logical()
        request = api.SignalWithStartWorkflowExecutionRequest(
            start_request=start, signal_name="signal", signal_input=api.Payload(data=logical.encode())
        )
        try:
            answer = await self._client.call(
                "SignalWithStartWorkflowExecution", request, api.SignalWithStartWorkflowExecutionResponse
            )
        except (GaveUp, Doubtful, errors.ServiceError):
            return
        self._run_ids.append(answer.run_id)
        self._observed.signals.append(Told(self._workflow_id, answer.run_id, start.request_id, logical))

    # --- telling -----------------------------------------------------------------------------------------------------
    def _logical(self) -> str:
        self._sent += 1
        return f"{self._workflow_id}#{self._sent}"

    def _some_run(self) -> str:
        """The run to talk to: mostly the current one, else one this program was told of."""
        if self._run_ids and self._random.random() < 0.3:
            return self._random.choice(self._run_ids)
        return ""

    async def _signal(self, times: int = 1) -> None:
        logical = self._logical()
        request = api.SignalWorkflowExecutionRequest(
            domain=DOMAIN,
            workflow_execution=execution(self._workflow_id, self._some_run()),
            identity="client",
            request_id=self._client.new_id(),
            signal_name="signal",
            signal_input=api.Payload(data=logical.encode()),
        )

        async def once() -> None:
            try:
                await self._client.call("SignalWorkflowExecution", request, api.SignalWorkflowExecutionResponse)
            except (GaveUp, Doubtful, errors.ServiceError):
                return
            told = Told(self._workflow_id, request.workflow_execution.run_id, request.request_id, logical)
            self._observed.signals.append(told)

        await asyncio.gather(*[once() for _ in range(times)])

    async def _signal_twice(self) -> None:
        """The same request from two sides at once."""
        await self._signal(times=2)

    async def _cancel(self) -> None:
        request = api.RequestCancelWorkflowExecutionRequest(
            domain=DOMAIN,
            workflow_execution=execution(self._workflow_id, self._some_run()),
            identity="client",
            request_id=self._client.new_id(),
            cause="meddling",
        )
        try:
            await self._client.call("RequestCancelWorkflowExecution", request, api.RequestCancelWorkflowExecutionResponse)
        except (GaveUp, Doubtful, errors.ServiceError):
            return
        told = Told(self._workflow_id, request.workflow_execution.run_id, request.request_id)
        self._observed.cancels.append(told)

    async def _terminate(self) -> None:
        request = api.TerminateWorkflowExecutionRequest(
            domain=DOMAIN,
            workflow_execution=execution(self._workflow_id, self._some_run()),
            reason=self._logical(),
            identity="client",
        )
        try:
            await self._client.call("TerminateWorkflowExecution", request, api.TerminateWorkflowExecutionResponse)
        except (GaveUp, Doubtful, errors.ServiceError):
            return
        told = Terminated(self._workflow_id, request.workflow_execution.run_id, request.reason)
        self._observed.terminations.append(told)


class _Resetter:
    """A client that resets one workflow now and then. Its chance is its own, so that seeds without resets go as ever."""

    def __init__(self, workflow_id: str, load: Load, client: Client, observed: Observed, seed: str) -> None:
        self._workflow_id = workflow_id
        self._spread_s = load.spread_s
        self._client = client
        self._observed = observed
        self._random = random.Random(f"resetter:{seed}")
        self._times = self._random.choice([1, 2, 3]) if load.meddling and self._random.random() < 0.3 else 0

    async def run(self) -> None:
        for _time in range(self._times):
            await asyncio.sleep(self._random.uniform(0, self._spread_s + 10))
            try:
                await self._reset()
            except (GaveUp, Doubtful, errors.ServiceError):
                continue

    async def _reset(self) -> None:
        """Resets the current run, or another one that is known, to some decision of it."""
        run_id = await self._some_run()
        events = await whole_history(self._client, self._workflow_id, run_id)
        points = [event.event_id for event in events if kind_of(event) in POINTS]
        if not points:
            return
        request = api.ResetWorkflowExecutionRequest(
            domain=DOMAIN,
            workflow_execution=execution(self._workflow_id, run_id),
            reason="meddling",
            decision_finish_event_id=self._random.choice(points),
            request_id=str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            skip_signal_reapply=self._random.random() < 0.2,
        )
        reset = Reset(
            self._workflow_id,
            run_id,
            request.decision_finish_event_id,
            request.request_id,
            not request.skip_signal_reapply,
        )
        self._observed.resets.append(reset)
        answer = await self._client.call("ResetWorkflowExecution", request, api.ResetWorkflowExecutionResponse)
        reset.run_id = answer.run_id

    async def _some_run(self) -> str:
        known = [reset.run_id for reset in self._observed.resets if reset.workflow_id == self._workflow_id and reset.run_id]
        known += [start.run_id for start in self._observed.starts if start.workflow_id == self._workflow_id]
        if known and self._random.random() < 0.4:
            return self._random.choice(known)
        request = api.DescribeWorkflowExecutionRequest(domain=DOMAIN, workflow_execution=execution(self._workflow_id))
        described = await self._client.call("DescribeWorkflowExecution", request, api.DescribeWorkflowExecutionResponse)
        return described.workflow_execution_info.workflow_execution.run_id
