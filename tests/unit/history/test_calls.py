"""The maker of calls between workflows: order, bounds, turns and tries again, against a history process that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history.calls import Calls
from tenuto_server.history.core import Core
from tenuto_server.history.engine import start
from tenuto_server.history.engine.calls import due
from tenuto_server.history.engine.decision_task import complete, schedule_if_none
from tenuto_server.history.engine.decision_task import start as start_decision
from tenuto_server.history.engine.external import initiate_signal
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.turn import Turn
from tenuto_server.history.run import Run, Workflow
from tenuto_server.history.settings import HistorySettings
from tests.unit.history import virtual

Answer = Callable[[str, bytes], Awaitable[bytes]]


@dataclass
class Made:
    """What the network saw: (source run, target, signal), in the order of arrival; how many were under way at once."""

    arrived: list[tuple[str, str, str]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0


class _Step:
    def __init__(self, run: Run) -> None:
        self._turn = Turn(run.state, 0)

    def __enter__(self) -> Turn:
        return self._turn

    def __exit__(self, *_: object) -> None:
        """Nothing is committed: the state has it."""


class Owner:
    """A core as far as calls need one. `answer` is what the other side does."""

    def __init__(self, settings: HistorySettings, answer: Answer | None = None) -> None:
        self.made = Made()
        self.settings = settings
        self.runtime = virtual.runtime()
        self.router = SimpleNamespace(shard_of=lambda *_: 0, history_address=lambda _: "there")
        self.network = self
        self.domains = self
        self.store = None
        self.log = object()
        self.abandoned: list[str] = []
        self.is_ours = True
        # Its log was sealed, and it does not know yet.
        self.is_sealed = False
        self.confirms = 0
        self._answer = answer

    def about(self, state: RunState) -> dict[str, str]:
        return {"workflow_id": state.workflow_id}

    def abandon(self, reason: str) -> None:
        self.abandoned.append(reason)

    async def durable(self, run: Run) -> None:
        """All is."""

    async def confirm(self) -> None:
        self.confirms += 1
        if self.is_sealed:
            raise errors.ShardOwnershipLost("not ours")

    def require(self, run: Run) -> None:
        if not self.is_ours:
            raise errors.ShardOwnershipLost("not ours")

    def step(self, run: Run) -> _Step:
        return _Step(run)

    async def by_name(self, name: str) -> api.Domain:
        return api.Domain(id="d", name=name)

    async def call(self, address: str, method: str, body: bytes, timeout_s: float) -> bytes:
        request = internal.ExternalRequest.FromString(body)
        signal = api.SignalWorkflowExecutionRequest.FromString(request.request)
        self.made.arrived.append(
            (request.source.workflow_execution.run_id, request.workflow_id, signal.signal_name)
        )
        self.made.under_way += 1
        self.made.most = max(self.made.most, self.made.under_way)
        try:
            if self._answer is not None:
                return await self._answer(signal.signal_name, body)
            await asyncio.sleep(1)
            return b""
        finally:
            self.made.under_way -= 1


def signalling(run_id: str, signals: list[tuple[str, str]]) -> Run:
    """A run that is to send these signals, (workflow, name)."""
    turn = Turn(RunState("d", "source", run_id), 0)
    request = api.StartWorkflowExecutionRequest(workflow_id="source", request_id="r")
    request.execution_start_to_close_timeout.seconds = request.task_start_to_close_timeout.seconds = 10
    start.start(turn, request)
    decision = turn.state.decision
    assert decision is not None
    start_decision(turn, decision.schedule_id, 0, "poll", "worker")
    completed_id = complete(turn, decision, api.RespondDecisionTaskCompletedRequest())
    for target, name in signals:
        wanted = api.SignalExternalWorkflowExecutionDecisionAttributes(
            workflow_execution=api.WorkflowExecution(workflow_id=target), signal_name=name
        )
        initiate_signal(turn, completed_id, wanted, "dom")
    schedule_if_none(turn)
    run = Run(0, Workflow("d", "source"), turn.state)
    run.first_id = 1
    run.take(turn.records)
    return run


def make(owner: Owner) -> Calls:
    return Calls(cast(Core, cast(Any, owner)))


async def done(calls: Calls) -> None:
    """Waits, in virtual time, until no call is left."""
    while len(calls):  # noqa: ASYNC110  virtual time
        await asyncio.sleep(0.1)


def test_calls_to_one_workflow_are_made_in_order_and_one_at_a_time() -> None:
    async def story() -> None:
        owner = Owner(HistorySettings())
        run = signalling("run", [("a", "1"), ("b", "2"), ("a", "3"), ("a", "4")])
        calls = make(owner)
        calls.add(run, due(run.state))
        calls.add(run, due(run.state))
        await done(calls)
        assert [name for _, target, name in owner.made.arrived if target == "a"] == ["1", "3", "4"]
        assert len(owner.made.arrived) == 4
        assert owner.made.most == 2
        assert not run.state.externals

    virtual.run(story())


def test_a_run_with_many_calls_does_not_keep_others_waiting() -> None:
    async def story() -> None:
        owner = Owner(HistorySettings(calls_max=4, calls_per_run_max=3))
        many = signalling("many", [(f"w{number}", "s") for number in range(40)])
        few = signalling("few", [("a", "s"), ("b", "s")])
        calls = make(owner)
        calls.add(many, due(many.state))
        calls.add(few, due(few.state))
        await done(calls)
        assert owner.made.most == 4
        first = [run_id for run_id, _, _ in owner.made.arrived[:6]]
        assert first.count("few") == 2
        assert len(owner.made.arrived) == 42

    virtual.run(story())


def test_a_former_owner_does_not_ask_again() -> None:
    """It may not know yet that it is none: what it would be told may no longer be what the run's owner was told."""

    async def story() -> None:
        tries: list[str] = []

        async def answer(name: str, body: bytes) -> bytes:
            tries.append(name)
            owner.is_sealed = True
            raise errors.Unavailable("nobody there")

        owner = Owner(HistorySettings(call_retry_first=0.1, call_retry_max=2.0), answer)
        run = signalling("run", [("a", "1")])
        calls = make(owner)
        calls.add(run, due(run.state))
        await asyncio.sleep(10)
        assert len(tries) == 1 and owner.confirms > 1 and len(calls) == 1

    virtual.run(story())


def test_a_call_is_made_until_its_outcome_is_definite() -> None:
    async def story() -> None:
        tries: list[float] = []

        async def answer(name: str, body: bytes) -> bytes:
            tries.append(asyncio.get_running_loop().time())
            if len(tries) <= 8:
                raise errors.Unavailable("nobody there")
            raise errors.WorkflowAlreadyCompleted

        owner = Owner(HistorySettings(call_retry_first=0.1, call_retry_max=2.0), answer)
        run = signalling("run", [("a", "1")])
        calls = make(owner)
        calls.add(run, due(run.state))
        await done(calls)
        gaps = [after - before for before, after in pairwise(tries)]
        assert (len(tries), owner.confirms) == (9, 8)
        assert gaps[0] <= 0.1
        assert 1.0 <= gaps[-1] <= 2.0
        assert not run.state.externals

    virtual.run(story())


def test_what_is_somebody_elses_is_not_recorded() -> None:
    async def story() -> None:
        owner = Owner(HistorySettings())
        run = signalling("run", [("a", "1")])
        calls = make(owner)
        calls.add(run, due(run.state))
        await asyncio.sleep(0.5)
        owner.is_ours = False
        calls.forget(run)
        await asyncio.sleep(100)
        assert list(run.state.externals)
        assert len(owner.made.arrived) == 1
        assert not len(calls)
        # Ours again: it is made again.
        owner.is_ours = True
        calls.add(run, due(run.state))
        await done(calls)
        assert not run.state.externals

    virtual.run(story())


def test_a_kill_stops_at_once() -> None:
    async def story() -> None:
        owner = Owner(HistorySettings())
        run = signalling("run", [("a", "1"), ("a", "2")])
        calls = make(owner)
        calls.add(run, due(run.state))
        await asyncio.sleep(0.5)
        calls.kill()
        calls.add(run, due(run.state))
        await asyncio.sleep(100)
        assert len(owner.made.arrived) == 1
        assert len(run.state.externals) == 2

    virtual.run(story())


def test_a_broken_invariant_abandons_the_memory() -> None:
    async def story() -> None:
        async def answer(name: str, body: bytes) -> bytes:
            run.state.children.clear()
            raise errors.InvariantViolation("broken")

        owner = Owner(HistorySettings(), answer)
        run = signalling("run", [("a", "1")])
        calls = make(owner)
        calls.add(run, due(run.state))
        await asyncio.sleep(0.01)
        assert owner.abandoned == ["broken"]
        calls.kill()

    virtual.run(story())
