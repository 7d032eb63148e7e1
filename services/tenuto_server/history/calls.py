"""Makes the calls that runs owe other workflows (see `engine.calls`), each until its outcome is definite, and records that.

A call goes to the process that owns the other workflow's shard, over the network, also where that is this process itself. Calls
of one run to one workflow are a lane: they are made in order, one at a time, and the first holds up the others while it is
tried again. A run has a bounded number of lanes under way, and so has the process; runs take turns.

Nothing here is durable: what is owed is in the runs' states, and is added again by whoever loads them.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history import events, spans
from tenuto_server.history.engine import calls, child, external
from tenuto_server.history.engine.calls import Call
from tenuto_server.history.engine.records import unframe
from tenuto_server.history.engine.state import CallKind
from tenuto_server.history.engine.turn import Turn
from tenuto_server.history.run import Run
from tenuto_server.persistence.interface import StoreUnavailable
from tenuto_server.telemetry import tracing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenuto_server.history.core import Core

logger = logging.getLogger(__name__)

IDENTITY = "history-service"

Record = Callable[[Turn], None]
_LaneKey = tuple[str, str]


class _Lane:
    """Calls to one workflow, the first of them next or under way."""

    __slots__ = ("failures", "key", "waiting")

    def __init__(self, key: _LaneKey) -> None:
        self.key = key
        self.waiting: deque[Call] = deque()
        self.failures = 0


class _Source:
    """A run that owes calls. `ready` are lanes whose first call may be made; `queued`: it waits for its turn."""

    __slots__ = ("is_gone", "known", "lanes", "queued", "ready", "run", "under_way")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.known: set[Call] = set()
        self.lanes: dict[_LaneKey, _Lane] = {}
        self.ready: deque[_Lane] = deque()
        self.under_way = 0
        self.queued = False
        self.is_gone = False


class Calls:
    """All calls of one history process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._sources: dict[Run, _Source] = {}
        self._queue: deque[_Source] = deque()
        self._under_way = 0
        # (when, number, source, lane) of lanes that wait for another try.
        self._retries: list[tuple[float, int, _Source, _Lane]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    def __len__(self) -> int:
        return sum(len(source.known) for source in self._sources.values())

    def add(self, run: Run, due: Iterable[Call]) -> None:
        """The run owes these calls. Adding one again changes nothing."""
        if self._stopped:
            return
        source = self._sources.get(run)
        for call in due:
            if source is None:
                source = self._sources[run] = _Source(run)
            if call in source.known:
                continue
            source.known.add(call)
            key = (call.domain, call.target)
            lane = source.lanes.get(key)
            if lane is None:
                lane = source.lanes[key] = _Lane(key)
                source.ready.append(lane)
            lane.waiting.append(call)
        if source is not None:
            self._enqueue(source)
            self._pump()

    def forget(self, run: Run) -> None:
        """The run is somebody else's now. What is under way ends without effect."""
        source = self._sources.pop(run, None)
        if source is not None:
            source.is_gone = True
            source.ready.clear()

    def kill(self) -> None:
        """Stops at once."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        self._sources.clear()
        self._queue.clear()
        self._retries.clear()

    # --- turns -----------------------------------------------------------------------------------------------------------
    def _enqueue(self, source: _Source) -> None:
        if source.ready and not source.queued and source.under_way < self._core.settings.calls_per_run_max:
            source.queued = True
            self._queue.append(source)

    def _pump(self) -> None:
        """Makes calls, one of each run in turn, as many as may be under way."""
        while self._queue and self._under_way < self._core.settings.calls_max and not self._stopped:
            source = self._queue.popleft()
            source.queued = False
            if not source.ready:
                continue
            lane = source.ready.popleft()
            source.under_way += 1
            self._under_way += 1
            self._enqueue(source)
            task = asyncio.get_running_loop().create_task(self._make(source, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _make(self, source: _Source, lane: _Lane) -> None:
        """Makes the first call of a lane, and sees to it that the lane goes on."""
        call = lane.waiting[0]
        trace = source.run.state.trace
        # The task inherited the context of whatever was being done when it began.
        tracing.carry(trace)
        if tracing.state.on:
            spans.begin(f"call.{call.kind.name.lower()}", trace)
        try:
            if lane.failures:
                # Its owner may have changed meanwhile, and the next one been told something else.
                await self._core.confirm()
            is_done = await self._perform(source.run, call)
        except (errors.ServiceError, StoreUnavailable) as error:
            extra = self._core.about(source.run.state)
            logger.info("call %s of run %s is made again: %s", call, source.run.state.run_id, error, extra=extra)
            is_done = False
        except errors.InvariantViolation as violation:
            self._core.abandon(str(violation))
            is_done = False
        except Exception:
            logger.exception("call %s of run %s", call, source.run.state.run_id, extra=self._core.about(source.run.state))
            is_done = False
        source.under_way -= 1
        self._under_way -= 1
        if not source.is_gone and not self._stopped:
            if is_done:
                self._done(source, lane, call)
            else:
                self._again_later(source, lane)
            self._enqueue(source)
        self._pump()

    def _done(self, source: _Source, lane: _Lane, call: Call) -> None:
        lane.waiting.popleft()
        lane.failures = 0
        source.known.discard(call)
        if lane.waiting:
            source.ready.append(lane)
            return
        del source.lanes[lane.key]
        if not source.lanes:
            del self._sources[source.run]

    def _again_later(self, source: _Source, lane: _Lane) -> None:
        """Ever later, and half of it chance, so that lanes that met the same failure do not come back together."""
        core = self._core
        pause = min(core.settings.call_retry_max, core.settings.call_retry_first * 2 ** min(lane.failures, 20))
        lane.failures += 1
        at = core.runtime.monotonic() + pause * (0.5 + core.runtime.random.random() / 2)
        self._count += 1
        heapq.heappush(self._retries, (at, self._count, source, lane))
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._retries:
            self._timer = asyncio.get_running_loop().call_at(self._retries[0][0], self._retry)

    def _retry(self) -> None:
        self._timer = None
        now = self._core.runtime.monotonic()
        while self._retries and self._retries[0][0] <= now:
            _, _, source, lane = heapq.heappop(self._retries)
            if not source.is_gone:
                source.ready.append(lane)
                self._enqueue(source)
        self._arm()
        self._pump()

    # --- one call --------------------------------------------------------------------------------------------------------
    async def _perform(self, run: Run, call: Call) -> bool:
        """Makes a call and records its outcome. False, or an error, where that is not known or cannot be recorded."""
        core = self._core
        await core.durable(run)
        core.require(run)
        if not calls.is_due(run.state, call):
            return True
        record = await self._ask(run, call)
        core.require(run)
        if core.log is None:
            return False
        with core.step(run) as turn:
            record(turn)
        return True

    async def _ask(self, run: Run, call: Call) -> Record:
        """Asks the other workflow; returns what records the outcome."""
        match call.kind:
            case CallKind.START_CHILD:
                return await self._start_child(run, call)
            case CallKind.SIGNAL | CallKind.CANCEL:
                return await self._steer(run, call)
            case CallKind.CLOSE_CHILD:
                await self._close_child(run, call)
            case CallKind.TELL_PARENT:
                await self._tell_parent(run)
        return lambda turn: calls.settled(turn, call)

    async def _start_child(self, run: Run, call: Call) -> Record:
        initiated = await self._event(run, call.initiated_id)
        wanted = initiated.start_child_workflow_execution_initiated_event_attributes
        state = run.state
        run_id = child.run_id_of(state.run_id, call.initiated_id)
        request = internal.StartChildRequest(
            domain_id=state.domain_id,
            workflow_id=call.target,
            run_id=run_id,
            request=child.start_request(wanted, run_id).SerializeToString(),
            parent=api.ParentExecutionInfo(
                domain_id=state.domain_id,
                domain_name=wanted.domain,
                workflow_execution=_execution(run),
                initiated_id=call.initiated_id,
            ),
        )
        try:
            await self._send("StartChild", state.domain_id, call.target, request)
        except errors.WorkflowAlreadyStarted:
            return lambda turn: child.start_failed(turn, initiated)
        except errors.BadRequest as error:
            # The decision was checked before it was written down: the rules changed since, or the two disagree.
            extra = self._core.about(state)
            logger.warning("child %s of run %s cannot start: %s", call.target, state.run_id, error, extra=extra)
            return lambda turn: child.start_failed(turn, initiated)
        return lambda turn: child.started(turn, initiated, run_id)

    async def _steer(self, run: Run, call: Call) -> Record:
        core, state = self._core, run.state
        initiated = await self._event(run, call.initiated_id)
        try:
            domain = await core.domains.by_name(call.domain)
            if (domain.id, call.target) == (state.domain_id, state.workflow_id):
                # As Cadence has it: no workflow calls itself, whichever run is meant.
                return lambda turn: external.failed(turn, initiated, has_completed=False)
            method, request = _external_request(run, call, initiated, domain.id)
            await self._send(method, domain.id, call.target, request)
        except errors.CancellationAlreadyRequested:
            pass
        except (errors.WorkflowAlreadyCompleted, errors.LimitExceeded):
            return lambda turn: external.failed(turn, initiated, has_completed=True)
        except (errors.EntityNotExists, errors.BadRequest):
            return lambda turn: external.failed(turn, initiated, has_completed=False)
        return lambda turn: external.delivered(turn, initiated)

    async def _close_child(self, run: Run, call: Call) -> None:
        state = run.state
        left = state.children[call.initiated_id]
        request = internal.CloseChildRequest(
            domain_id=state.domain_id,
            workflow_id=call.target,
            first_run_id=left.run_id,
            policy=child.POLICIES.get(left.close_policy),
            request_id=f"{state.run_id}/{call.initiated_id}",
        )
        with contextlib.suppress(errors.EntityNotExists):
            await self._send("CloseChild", state.domain_id, call.target, request)

    async def _tell_parent(self, run: Run) -> None:
        state = run.state
        parent = api.ParentExecutionInfo.FromString(state.parent)
        request = internal.ChildClosedRequest(
            domain_id=parent.domain_id,
            workflow_id=parent.workflow_execution.workflow_id,
            run_id=parent.workflow_execution.run_id,
            initiated_id=parent.initiated_id,
            child=_execution(run),
            first_run_id=state.first_run_id,
            closing=await self._event(run, state.next_event_id - 1),
        )
        with contextlib.suppress(errors.EntityNotExists):
            await self._send("ChildClosed", request.domain_id, request.workflow_id, request)

    async def _event(self, run: Run, event_id: int) -> api.HistoryEvent:
        (framed,) = await events.read(self._core.store, run, event_id, event_id + 1)
        return api.HistoryEvent.FromString(unframe(framed))

    async def _send(self, method: str, domain_id: str, workflow_id: str, request: Message) -> None:
        core = self._core
        address = core.router.history_address(core.router.shard_of(domain_id, workflow_id))
        await core.network.call(address, method, request.SerializeToString(), core.settings.call_timeout)


def _execution(run: Run) -> api.WorkflowExecution:
    return api.WorkflowExecution(workflow_id=run.state.workflow_id, run_id=run.state.run_id)


def _external_request(
    run: Run, call: Call, initiated: api.HistoryEvent, domain_id: str
) -> tuple[str, internal.ExternalRequest]:
    """The method and the request that carries a signal or a cancel request."""
    request_id = f"{run.state.run_id}/{call.initiated_id}"
    source = api.ExternalExecutionInfo(workflow_execution=_execution(run), initiated_id=call.initiated_id)
    request = internal.ExternalRequest(domain_id=domain_id, workflow_id=call.target, source=source)
    if call.kind is CallKind.CANCEL:
        cancel = initiated.request_cancel_external_workflow_execution_initiated_event_attributes
        request.child_workflow_only = cancel.child_workflow_only
        request.request = api.RequestCancelWorkflowExecutionRequest(
            domain=cancel.domain,
            workflow_execution=cancel.workflow_execution,
            identity=IDENTITY,
            request_id=request_id,
        ).SerializeToString()
        return "CancelExternal", request
    signal = initiated.signal_external_workflow_execution_initiated_event_attributes
    request.child_workflow_only = signal.child_workflow_only
    request.request = api.SignalWorkflowExecutionRequest(
        domain=signal.domain,
        workflow_execution=signal.workflow_execution,
        signal_name=signal.signal_name,
        signal_input=signal.input if signal.HasField("input") else None,
        identity=IDENTITY,
        request_id=request_id,
    ).SerializeToString()
    return "SignalExternal", request
