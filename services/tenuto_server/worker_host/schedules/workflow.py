"""The workflow that a schedule is: `core` decides, this waits, asks activities to act, and takes the signals.

One run lives for some hundreds of starts, or until the schedule is changed, and then continues as new, with its state in the
input. Each open run that it started is watched by an activity, the oldest first where there are many.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn

import msgspec

from tenuto import workflow
from tenuto.errors import ActivityError
from tenuto.workflow import RetryPolicy
from tenuto_api import api
from tenuto_server.rules import schedules as names
from tenuto_server.rules.durations import SECOND
from tenuto_server.worker_host.schedules.activities import Report, ScheduleActivities, Watched, batch_of
from tenuto_server.worker_host.schedules.core import Core, Fire, Outcome, Run, State, new_state

FIRES_A_RUN: Final = 500
EVENTS_A_RUN: Final = 5000
WATCHES_AT_ONCE: Final = 100
# A run that could not be watched is looked at again after this.
WATCH_PAUSE: Final = timedelta(seconds=30)
# No wait is longer, so that a schedule never outlives its run's own timeout.
WAIT_MAX: Final = timedelta(days=30)
RUN_MAX: Final = timedelta(days=365)
_START_RETRY: Final = RetryPolicy(initial_interval=1, maximum_interval=30, expiration_interval=timedelta(hours=1))
_WATCH_RETRY: Final = RetryPolicy(initial_interval=1, maximum_interval=10, expiration_interval=timedelta(hours=1))
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


@workflow.defn(name=names.WORKFLOW_TYPE)
class SchedulerWorkflow:
    """One schedule. Its input is {"request": CreateScheduleRequest, "state": State, or none at the start}."""

    def __init__(self) -> None:
        self._core: Core | None = None
        self._inbox: list[Callable[[Core], None]] = []
        self._watched: set[Run] = set()
        self._due: list[Fire] = []
        self._changed = False
        self._fired = 0

    @workflow.run
    async def run(self, given: dict[str, Any]) -> None:
        """Runs until the schedule is deleted, or has come to its end."""
        request = names.from_json(api.CreateScheduleRequest, given["request"])
        state = msgspec.convert(given["state"], State) if "state" in given else new_state(request, _now_ns())
        core = self._core = Core(request, state)
        while True:
            self._take_signals(core)
            if core.state.deleted:
                return
            fires, self._due = self._due, []
            if not fires:
                self._show(core)
                if self._changed or self._is_long():
                    self._continue(core)
                fires = core.plan(_now_ns())
            if fires:
                await self._start(core, fires)
            elif core.is_over():
                return
            else:
                await self._wait(core)

    # ---- signals: taken by the main method, in order ----

    @workflow.signal(name=names.PAUSE)
    def pause(self, given: dict[str, Any]) -> None:
        """PauseScheduleRequest."""

        def pause(core: Core) -> None:
            request = names.from_json(api.PauseScheduleRequest, given)
            core.pause(request.reason, request.identity, _now_ns())

        self._inbox.append(pause)

    @workflow.signal(name=names.UNPAUSE)
    def unpause(self, given: dict[str, Any]) -> None:
        """UnpauseScheduleRequest."""

        def unpause(core: Core) -> None:
            core.unpause(names.from_json(api.UnpauseScheduleRequest, given).catch_up_policy, _now_ns())

        self._inbox.append(unpause)

    @workflow.signal(name=names.UPDATE)
    def update(self, given: dict[str, Any]) -> None:
        """UpdateScheduleRequest."""

        def change(core: Core) -> None:
            # What has come by the old times is started as it was meant: activities read this run's input.
            self._due += core.plan(_now_ns())
            core.update(names.from_json(api.UpdateScheduleRequest, given), _now_ns())
            self._changed = True

        self._inbox.append(change)

    @workflow.signal(name=names.BACKFILL)
    def backfill(self, given: dict[str, Any]) -> None:
        """BackfillScheduleRequest."""

        def begin(core: Core) -> None:
            request = names.from_json(api.BackfillScheduleRequest, given)
            if not core.backfill(request):
                workflow.logger.warning("backfill %s is passed over: seen before, or too many wait", request.backfill_id)

        self._inbox.append(begin)

    @workflow.signal(name=names.DELETE)
    def delete(self) -> None:
        """Nothing more is started; what runs, runs on."""

        def end(core: Core) -> None:
            core.state.deleted = True

        self._inbox.append(end)

    @workflow.query(name=names.DESCRIBE)
    def describe(self) -> dict[str, Any]:
        """DescribeScheduleResponse."""
        assert self._core is not None
        return names.to_json(self._core.description())

    # ---- steps of the main method ----

    def _take_signals(self, core: Core) -> None:
        for signal in self._inbox:
            try:
                signal(core)
            except (ValueError, TypeError) as error:
                # Anybody may signal a workflow: what cannot be read must not end the schedule.
                workflow.logger.error("a signal is passed over: %s", error)
        self._inbox.clear()

    def _show(self, core: Core) -> None:
        """Brings the search attributes up to date, by which lists show the schedule."""
        request = core.request
        wanted: dict[str, Any] = dict(names.listed(request.spec, request.action, paused=core.state.paused))
        for key, value in request.search_attributes.indexed_fields.items():
            wanted[key] = json.loads(value.data)
        shown = workflow.info().search_attributes
        # As text: NaN is not equal to itself.
        news = {key: value for key, value in wanted.items() if json.dumps(shown.get(key)) != json.dumps(value)}
        if news:
            workflow.upsert_search_attributes(news)

    def _is_long(self) -> bool:
        info = workflow.info()
        is_old = workflow.now() - info.start_time > RUN_MAX
        return is_old or self._fired >= FIRES_A_RUN or info.history_length >= EVENTS_A_RUN

    def _continue(self, core: Core) -> NoReturn:
        workflow.continue_as_new({"request": names.to_json(core.request), "state": msgspec.to_builtins(core.state)})

    async def _start(self, core: Core, fires: list[Fire]) -> None:
        self._fired += len(fires)
        batch = msgspec.to_builtins(batch_of(fires, core.state))
        try:
            answer = await workflow.execute_activity(
                ScheduleActivities.start, batch,
                start_to_close_timeout=10, retry_policy=_START_RETRY, result_type=dict[str, Any],
            )  # fmt: skip
        except ActivityError as error:
            workflow.logger.error("starts could not be made: %s", error)
            for fire in fires:
                core.tried(fire, Outcome.FAILED)
            return
        report = msgspec.convert(answer, Report)
        for closed in report.closed:
            core.closed(closed.run, _now_ns(), failed=closed.failed)
        for tried in report.tried:
            core.tried(tried.fire, tried.outcome, tried.run)
        self._watch(core)

    def _watch(self, core: Core) -> None:
        for run in core.state.running:
            if len(self._watched) >= WATCHES_AT_ONCE:
                return
            if run not in self._watched:
                self._watched.add(run)
                asyncio.get_running_loop().create_task(self._watch_one(run), name=f"watch {run.workflow_id}")

    async def _watch_one(self, run: Run) -> None:
        found = Watched(False)
        try:
            answer = await workflow.execute_activity(
                ScheduleActivities.watch, msgspec.to_builtins(run),
                start_to_close_timeout=timedelta(hours=1), heartbeat_timeout=60, retry_policy=_WATCH_RETRY,
                result_type=dict[str, Any],
            )  # fmt: skip
            found = msgspec.convert(answer, Watched)
        except ActivityError as error:
            workflow.logger.warning("workflow %s cannot be watched: %s", run.workflow_id, error)
        if not found.closed:
            await asyncio.sleep(WATCH_PAUSE.total_seconds())

        def end(core: Core) -> None:
            self._watched.discard(run)
            if found.closed:
                core.closed(run, _now_ns(), failed=found.failed)
            self._watch(core)

        self._inbox.append(end)

    async def _wait(self, core: Core) -> None:
        """Until a signal or the end of a run, or the next time."""
        self._watch(core)
        now_ns = _now_ns()
        wake_ns = core.wake_ns(now_ns)
        longest = WAIT_MAX
        if wake_ns is not None:
            # A plan that did not get through at once goes on in the next decision.
            longest = min(longest, timedelta(microseconds=max(wake_ns - now_ns, SECOND) // 1000))
        try:
            await workflow.wait_condition(lambda: bool(self._inbox), timeout=longest)
        except TimeoutError:
            return


def _now_ns() -> int:
    """The workflow's time."""
    return (workflow.now() - _EPOCH) // timedelta(microseconds=1) * 1000
