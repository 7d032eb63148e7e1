"""What a running history process is made of, and its one way to change a run: `commit` a turn.

A turn's records are in memory the moment they are decided, and in the open batch of the log; the tasks that follow from them are
derived there and then. Timers are set at once (ringing early does no harm), and where matching is another process tasks are
offered at once, so that a poller is found while the batch is on its way; but none is started (`scheduled`), nobody else asked
for anything and no watcher woken before the batch is durable. Whoever answers a caller waits for that with `durable`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.cluster.router import Router
from tenuto_server.config.buckets import UNLIMITED
from tenuto_server.config.live import LiveSettings
from tenuto_server.config.runtime import Runtime
from tenuto_server.history import spans, storing
from tenuto_server.history.alarms import AlarmQueue
from tenuto_server.history.async_starts import AsyncStarts
from tenuto_server.history.calls import Calls
from tenuto_server.history.engine import decision_task, tasks
from tenuto_server.history.engine.limits import Limits
from tenuto_server.history.engine.records import to_wire
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.tasks import AlarmKind, Dispatch, TaskKind, Tasks
from tenuto_server.history.engine.turn import Turn
from tenuto_server.history.log import CommitLog, Step
from tenuto_server.history.measures import Measured
from tenuto_server.history.offers import Offers, TaskKey
from tenuto_server.history.run import Run, Workflow
from tenuto_server.history.settings import HistorySettings
from tenuto_server.history.shard import Shard
from tenuto_server.history.workflow_rates import WorkflowRates
from tenuto_server.persistence.domains import DomainCache
from tenuto_server.persistence.interface import Store
from tenuto_server.persistence.search_attributes import SearchAttributes
from tenuto_server.telemetry import logs, tracing
from tenuto_server.transport.network import Network
from tenuto_server.visibility.attributes import AttributeLimits, AttributeRules

# What a step costs in the log beside its events.
_STEP_BYTES = 256
_ALARMS_AT_ONCE = 200
_LIMITS_KEPT = 1000


class Core:
    """The parts of one history process, shared by its handlers and its background work."""

    def __init__(
        self,
        *,
        store: Store,
        network: Network,
        router: Router,
        runtime: Runtime,
        domains: DomainCache,
        settings: HistorySettings | LiveSettings[HistorySettings],
        address: str,
    ) -> None:
        self.store = store
        self.network = network
        self.router = router
        self.runtime = runtime
        self.domains = domains
        self.live = LiveSettings.of(settings, "history")
        self.search_attributes = SearchAttributes(store, runtime)
        self.address = address
        self.measured = Measured(runtime.stopwatch)
        self.shards: dict[int, Shard] = {}
        self.alarms = AlarmQueue()
        self._workflow_rates = WorkflowRates()
        self.offers = Offers(network, router, address, self.live, self._no_sticky_poller, self._write_partitions)
        # Within one process a poller is found at once: to let the start wait then costs more than it saves.
        self.offers_early = network.is_remote
        self.calls = Calls(self)
        self.log: CommitLog | None = None
        # Counts all pictures of runs, and deletions: what makes a later write of a row win.
        self.pictures = 0
        self.async_starts = AsyncStarts(self)
        # By domain id, with the settings and the domain that they were made of.
        self._limits: dict[str, tuple[HistorySettings, api.Domain | None, Limits]] = {}
        # Set by the service: drops everything and starts anew, after a broken invariant.
        self.abandon: Callable[[str], None] = lambda reason: None
        # Set by the service: gives a shard up, as when the ring changes; it is taken again by whoever should have it.
        self.close_shard: Callable[[int], Awaitable[None]] = _no_shards
        # Set by the service: returns when what is durable shows in lists.
        self.flush_visibility: Callable[[], Awaitable[None]] = _nothing_to_flush
        # Told of a run that leaves memory and is to be looked after later: (time, shard, timer key).
        self.on_rest: Callable[[int, int, bytes], None] = lambda at_ns, shard_id, key: None
        self._alarm_timer: asyncio.TimerHandle | None = None
        self._alarm_timer_ns = 0
        # The alarm that is looked after now, for its spans' names.
        self._ringing = ""

    @property
    def settings(self) -> HistorySettings:
        """What is in force now; they change while the process runs."""
        return self.live.current

    def settings_for(self, domain_id: str) -> HistorySettings:
        """What is in force now for a domain."""
        domain = self.domains.cached_by_id(domain_id)
        return self.live.current if domain is None else self.live.for_domain(domain.name)

    def count_request(self, domain_id: str, workflow_id: str) -> None:
        """Counts a request from outside against its workflow id. Raises ServiceBusy."""
        settings = self.settings_for(domain_id)
        rate = settings.workflow_id_external_rps
        if rate < UNLIMITED:
            now = self.runtime.monotonic()
            self._workflow_rates.take(domain_id, workflow_id, rate, settings.workflow_id_rates_max, now)

    # --- finding -------------------------------------------------------------------------------------------------------
    def shard(self, domain_id: str, workflow_id: str) -> Shard:
        """The shard of a workflow. Raises ShardOwnershipLost if it is not this process's."""
        shard = self.shards.get(self.router.shard_of(domain_id, workflow_id))
        if shard is None or not shard.is_open or self.log is None:
            # Somebody thinks that it is ours: by the members of this moment it may be.
            self.router.doubt()
            raise errors.ShardOwnershipLost("the shard belongs to another history process")
        if self.log.is_busy:
            raise errors.ServiceBusy("Too many outstanding requests to the cadence service", "commit-log")
        return shard

    async def run(self, domain_id: str, workflow_id: str, run_id: str) -> Run:
        """A run of this process. Raises EntityNotExists, ShardOwnershipLost."""
        shard = self.shard(domain_id, workflow_id)
        workflow = shard.workflows.get((domain_id, workflow_id))
        run = None if workflow is None else workflow.held(run_id)
        if run is None:
            run = await shard.run(domain_id, workflow_id, run_id)
            self.require(run)
        return run

    async def attribute_rules(self, domain_id: str, names: set[str]) -> AttributeRules:
        """The rules for search attributes; keys of these names are looked for if they are not known here."""
        settings = self.settings_for(domain_id)
        limits = AttributeLimits(
            settings.search_attributes_keys_max,
            settings.search_attributes_value_bytes_max,
            settings.search_attributes_bytes_max,
        )
        return AttributeRules(await self.search_attributes.types(names), limits)

    def require(self, run: Run) -> None:
        """After a wait: raises ShardOwnershipLost if the run's shard was given up meanwhile, EntityNotExists if the run was
        deleted."""
        if run.is_deleted:
            raise _deleted(run)
        shard = self.shards.get(run.shard)
        held = None if shard is None else shard.workflows.get((run.state.domain_id, run.state.workflow_id))
        if shard is None or not shard.is_open or held is not run.workflow:
            raise errors.ShardOwnershipLost("the shard belongs to another history process")

    # --- changing ------------------------------------------------------------------------------------------------------
    def next_picture(self) -> int:
        """The number of a picture that is taken now."""
        self.pictures += 1
        return self.pictures

    def turn(self, state: RunState) -> Turn:
        """A turn now, under the limits that hold for the run."""
        return Turn(state, self.runtime.now(), self.limits(state.domain_id))

    def limits(self, domain_id: str) -> Limits:
        """What a run of that domain may come to, by the settings of the moment."""
        domain = self.domains.cached_by_id(domain_id)
        settings = self.live.current if domain is None else self.live.for_domain(domain.name)
        known = self._limits.get(domain_id)
        if known is None or known[0] is not settings or known[1] is not domain:
            if len(self._limits) >= _LIMITS_KEPT:
                self._limits.clear()
            known = self._limits[domain_id] = (settings, domain, _limits(settings, domain))
        return known[2]

    def step(self, run: Run) -> RunStep:
        """`with core.step(run) as turn:` a turn on a run, now, committed at the end of the block."""
        return RunStep(self, run)

    def begin(self, shard: Shard, workflow: Workflow, turn: Turn) -> Run:
        """Takes a new run in, whose first turn this is, as its workflow's newest; commit it next."""
        former = workflow.current
        run = Run(shard.id, workflow, turn.state)
        run.first_id = run.stored_next_id = 1
        workflow.add(run)
        shard.workflows[workflow.domain_id, workflow.workflow_id] = workflow
        if former is not None:
            # It is no longer its workflow's newest: the store must have it under its own key.
            shard.mark_dirty(former)
        return run

    def commit(self, *turns: tuple[Run, Turn]) -> None:
        """Puts turns of runs of one shard, and their successors', into one batch of the log: all become durable or none.
        Sets up what follows from them."""
        assert self.log is not None
        moved = [(run, turn) for run, turn in turns if turn.records]
        if not moved:
            return
        if moved[0][0].is_deleted:
            raise _deleted(moved[0][0])
        shard = self.shards[moved[0][0].shard]
        for run, turn in moved:
            if turn.successor is not None:
                moved.append((self.begin(shard, run.workflow, turn.successor), turn.successor))
        size = sum(run.take(turn.records) + _STEP_BYTES for run, turn in moved)
        seq = self.log.add([_log_step(shard, run, turn) for run, turn in moved], size)
        for run, turn in moved:
            run.last_seq = seq
            shard.mark_dirty(run)
            self._follow(run, turn)
        if tracing.state.on:
            self.log.trace(seq, spans.of_turns(self, moved, self._ringing))

    def span_attributes(self, run: Run) -> tracing.Attributes:
        """What spans say of a run."""
        state = run.state
        domain = self.domains.cached_by_id(state.domain_id)
        return {
            tracing.DOMAIN: state.domain_id if domain is None else domain.name,
            tracing.WORKFLOW_ID: state.workflow_id,
            tracing.RUN_ID: state.run_id,
            tracing.SHARD: run.shard,
        }

    def about(self, state: RunState) -> dict[str, str]:
        """What log lines say of a run, as `extra`."""
        domain = self.domains.cached_by_id(state.domain_id)
        return logs.about(state.domain_id if domain is None else domain.name, state.workflow_id, state.run_id, state.trace)

    def _follow(self, run: Run, turn: Turn) -> None:
        """Sets alarms at once, and all else when the turn is durable."""
        assert self.log is not None
        derived = tasks.tasks_for(run.state, turn.records)
        if run.offered:
            self._withdraw_closed(run, turn)
        if run.is_closed:
            self.alarms.forget(run)
        else:
            if derived.alarms and self.alarms.set(run, derived.alarms):
                self.set_alarm_timer()
            if derived.dispatches:
                run.scheduled_seq = run.last_seq
                if self.offers_early:
                    self.offer(run, derived.dispatches)
        if run.queries is not None:
            run.queries.follow(run.state)
        is_urgent = bool(derived.dispatches or derived.calls or run.is_closed or run.watchers)
        self.log.after(run.last_seq, lambda: self._durable(run, derived), is_urgent=is_urgent)

    async def durable(self, run: Run) -> None:
        """Waits until all that has happened to the run is durable."""
        await self._open_log().wait(run.last_seq)

    async def scheduled(self, run: Run) -> None:
        """Waits until all tasks of the run are durable. Raises as `require`."""
        await self._open_log().wait(run.scheduled_seq)
        self.require(run)

    async def confirm(self) -> None:
        """Before an answer that no step of ours backs: returns when it is sure that it was not made from the memory of a former
        owner. Raises ShardOwnershipLost."""
        log = self._open_log()
        await log.wait(log.confirm())

    def _open_log(self) -> CommitLog:
        """The log. Raises ShardOwnershipLost where there is none."""
        if self.log is None:
            raise errors.ShardOwnershipLost("the commit log is closed")
        return self.log

    async def news(self, run: Run, until: float, *, of_end: bool = False) -> bool:
        """Waits for a turn of the run (with `of_end`: for the one that ends it), and that all that has happened to it is
        durable. False if there was none until then, in the event loop's time."""
        loop = asyncio.get_running_loop()
        watcher: asyncio.Future[bool] = loop.create_future()
        (run.end_watchers if of_end else run.watchers).append(watcher)
        timer = loop.call_at(until, _no_news, watcher)
        try:
            if not await watcher:
                return False
        finally:
            timer.cancel()
            for watchers in (run.watchers, run.end_watchers):
                if watcher in watchers:
                    watchers.remove(watcher)
        self.require(run)
        await self.durable(run)
        return True

    def _durable(self, run: Run, derived: Tasks) -> None:
        if run.is_closed or run.is_deleted:
            self.withdraw(run)
        elif derived.dispatches and not self.offers_early:
            self.offer(run, derived.dispatches)
        if derived.calls and not run.is_deleted:
            self.calls.add(run, derived.calls)
        if run.is_closed and run.end_watchers:
            run.notify_end()
        elif run.watchers:
            run.notify()

    def offer(self, run: Run, dispatches: list[Dispatch]) -> None:
        """Offers tasks whose time has come; later ones have an alarm that offers them."""
        now = self.runtime.now()
        for dispatch in dispatches:
            if dispatch.not_before_ns > now:
                continue
            key = task_key(run, dispatch)
            if dispatch.kind is TaskKind.DECISION:
                if run.offered_decision is not None and run.offered_decision != key:
                    self.offers.done(run.offered_decision)
                run.offered_decision = key
            else:
                run.offered[key] = None
            self.offers.add(key, dispatch)

    def taken(self, run: Run, key: TaskKey) -> None:
        """A task started, or does not wait any more."""
        run.offered.pop(key, None)
        self.offers.done(key)

    def _withdraw_closed(self, run: Run, turn: Turn) -> None:
        """Activities that ended before anybody took them wait no more."""
        ended = [tasks.ended_activity(record) for record in turn.records]
        for schedule_id in filter(None, ended):
            for key in [key for key in run.offered if key.schedule_id == schedule_id]:
                self.taken(run, key)

    def withdraw(self, run: Run) -> None:
        """None of the run's tasks waits any more."""
        for key in run.offered:
            self.offers.done(key)
        run.offered.clear()
        if run.offered_decision is not None:
            self.offers.done(run.offered_decision)

    # --- waking --------------------------------------------------------------------------------------------------------
    def loaded(self, run: Run) -> None:
        """A run came from the store: sets up what its state implies."""
        derived = tasks.all_tasks(run.state)
        if derived.calls:
            self.calls.add(run, derived.calls)
        if run.is_closed:
            self.alarms.forget(run)
            return
        self.offer(run, derived.dispatches)
        if self.alarms.set(run, derived.alarms):
            self.set_alarm_timer()

    def refresh(self, run: Run) -> None:
        """Derives anew what the run's state implies: whatever was set or on offer for it is withdrawn first."""
        self.calls.forget(run)
        if not run.is_closed:
            self.withdraw(run)
            run.offered_decision = None
            self.alarms.forget(run)
            run.alarms = {}
        self.loaded(run)

    def set_alarm_timer(self) -> None:
        """Arms the loop's timer for the first alarm."""
        at_ns = self.alarms.next_ns()
        if at_ns is None or (self._alarm_timer is not None and self._alarm_timer_ns <= at_ns):
            return
        if self._alarm_timer is not None:
            self._alarm_timer.cancel()
        self._alarm_timer_ns = at_ns
        delay_s = max(0, at_ns - self.runtime.now()) / 1e9
        # The loop's clock and the wall clock drift: no single wait is longer than a minute.
        self._alarm_timer = asyncio.get_running_loop().call_later(min(delay_s, 60.0), self._ring)

    def _ring(self) -> None:
        self._alarm_timer = None
        for owner, kind, key in self.alarms.pop_due(self.runtime.now(), _ALARMS_AT_ONCE):
            assert isinstance(owner, Run)
            self._ring_one(owner, kind, key)
        self.set_alarm_timer()

    def _ring_one(self, run: Run, kind: AlarmKind, key: str) -> None:
        shard = self.shards.get(run.shard)
        if shard is None or not shard.is_open or self.log is None:
            return
        self._ringing = f"alarm.{kind.name.lower()}"
        try:
            with self.step(run) as turn:
                tasks.ring(turn, kind, key, self.runtime.new_id())
        except errors.InvariantViolation as violation:
            self.abandon(str(violation))
            return
        finally:
            self._ringing = ""
        if kind is AlarmKind.RETRY:
            self.offer(run, tasks.all_tasks(run.state).dispatches)
        again = tasks.alarm(run.state, kind, key)
        if again is not None and again.at_ns > turn.now:
            self.alarms.set(run, [again])

    def _write_partitions(self, domain_id: str, task_list: str, kind: TaskKind) -> int:
        domain = self.domains.cached_by_id(domain_id)
        settings = self.live.for_task_list("" if domain is None else domain.name, task_list, kind)
        return settings.task_list_write_partitions

    def _no_sticky_poller(self, key: TaskKey) -> None:
        shard = self.shards.get(self.router.shard_of(key.domain_id, key.workflow_id))
        if shard is None or not shard.is_open or self.log is None:
            return
        workflow = shard.workflows.get((key.domain_id, key.workflow_id))
        run = None if workflow is None else workflow.runs.get(key.run_id)
        if run is None or not run.state.is_open:
            return
        with self.step(run) as turn:
            decision_task.unstick(turn, key.schedule_id)

    # --- ending --------------------------------------------------------------------------------------------------------
    def drop(self, shard: Shard) -> None:
        """Forgets a shard at once: what it held is somebody else's now."""
        shard.is_open = False
        self.shards.pop(shard.id, None)
        for run in shard.runs():
            self.alarms.forget(run)
            self.calls.forget(run)
            run.notify_end()
            if run.queries is not None:
                run.queries.lose()
        shard.workflows.clear()
        shard.dirty.clear()
        shard.deletions.clear()
        self.async_starts.drop(shard.id)
        self.offers.forget(lambda key: self.router.shard_of(key.domain_id, key.workflow_id) == shard.id)

    def rest(self, run: Run) -> None:
        """A run leaves memory, clean: from now on its timer row stands for its alarms."""
        self.alarms.forget(run)
        for fire_ns in run.timer_rows:
            self.on_rest(fire_ns, run.shard, storing.timer_key(run.state))

    def kill(self) -> None:
        """Stops at once."""
        if self._alarm_timer is not None:
            self._alarm_timer.cancel()
        self.async_starts.kill()
        self.offers.kill()
        self.calls.kill()


def _no_news(watcher: asyncio.Future[bool]) -> None:
    if not watcher.done():
        watcher.set_result(False)


async def _no_shards(shard_id: int) -> None:
    raise errors.ShardOwnershipLost(f"shard {shard_id} belongs to another history process")


class RunStep:
    """A turn as a block: committed at its end. An error before the first record leaves the run as it was; one after it
    means that the state in memory cannot be trusted, and becomes an InvariantViolation."""

    __slots__ = ("_core", "_run", "_turn")

    def __init__(self, core: Core, run: Run) -> None:
        self._core = core
        self._run = run
        self._turn = core.turn(run.state)

    def __enter__(self) -> Turn:
        return self._turn

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self._core.commit((self._run, self._turn))
        elif self._turn.records and not isinstance(error, errors.InvariantViolation):
            raise errors.InvariantViolation(f"a step of run {self._run.state.run_id} failed midway: {error!r}") from error


def _limits(settings: HistorySettings, domain: api.Domain | None) -> Limits:
    return Limits(
        blob_bytes_max=settings.blob_bytes_max,
        history_bytes_max=settings.history_size_max,
        history_events_max=settings.history_count_max,
        signals_max=settings.signals_max,
        buffered_events_max=settings.buffered_events_max,
        pending_activities_max=settings.pending_activities_max if settings.enforce_pending_activities else 0,
        decision_attempts_max=settings.decision_attempts_max if settings.enforce_decision_attempts else 0,
        retention_s=0 if domain is None else domain.workflow_execution_retention_period.seconds,
    )


async def _nothing_to_flush() -> None:
    """Until the service is put together."""


def _log_step(shard: Shard, run: Run, turn: Turn) -> Step:
    state = run.state
    state.version += 1
    records = to_wire(turn.records)
    return Step(run.shard, shard.epoch, state.domain_id, state.workflow_id, state.run_id, state.version, records)


def _deleted(run: Run) -> errors.EntityNotExists:
    state = run.state
    return errors.EntityNotExists(f"Workflow execution not found.  WorkflowId: {state.workflow_id}, RunId: {state.run_id}")


def task_key(run: Run, dispatch: Dispatch) -> TaskKey:
    """The name of a task of the run."""
    state = run.state
    return TaskKey(
        state.domain_id, state.workflow_id, state.run_id, dispatch.kind, dispatch.schedule_id, dispatch.attempt
    )
