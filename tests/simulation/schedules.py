"""A client that makes a schedule, changes its mind about it, and in the end deletes it; and what must have come of it.

The client notes when each call was sent and when it was acknowledged, so that what it says of a due time is certain: a time
after an acknowledged deletion has no run, a time between an acknowledged pause and the next call that could end it neither
(unless the schedule makes up for what it missed), and no time has two.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.rules import schedules as names

from .client import DOMAIN, Client, Doubtful, GaveUp
from .picture import Picture, Run
from .program import DECISION_TIMEOUT_S, EXECUTION_TIMEOUT_S, WORKFLOW_TYPE, random_plan, seconds
from .scenario import Scenario

SECOND = 1_000_000_000
GOES_ON_S = 90.0
SETTLE_S = 15.0
# An attempt to start runs may go on for so long beside the next one: then two may be open that should not.
CALM_S = 15.0
TIMES_WATCHED = 2
LATE_S = 3.0
# One that ends by itself does so when it has come this often.
TIMES_TO_END = 4
PERIODS_S = (5, 10, 20)
OVERLAPS = (
    api.SCHEDULE_OVERLAP_POLICY_SKIP_NEW,
    api.SCHEDULE_OVERLAP_POLICY_BUFFER,
    api.SCHEDULE_OVERLAP_POLICY_CONCURRENT,
    api.SCHEDULE_OVERLAP_POLICY_CANCEL_PREVIOUS,
    api.SCHEDULE_OVERLAP_POLICY_TERMINATE_PREVIOUS,
)
MAY_CATCH_UP_ALL = OVERLAPS[1:]
CATCH_UPS = (
    api.SCHEDULE_CATCH_UP_POLICY_SKIP,
    api.SCHEDULE_CATCH_UP_POLICY_ONE,
    api.SCHEDULE_CATCH_UP_POLICY_ALL,
)
ONE_BY_ONE = (
    api.SCHEDULE_OVERLAP_POLICY_SKIP_NEW,
    api.SCHEDULE_OVERLAP_POLICY_BUFFER,
    api.SCHEDULE_OVERLAP_POLICY_TERMINATE_PREVIOUS,
)


class Scheduler:
    """One schedule and its client. `now` is true time, in nanoseconds."""

    def __init__(self, number: int, client: Client, now: Callable[[], int], scenario: Scenario) -> None:
        self.schedule_id = f"schedule-{number}"
        self._client = client
        self._now = now
        self._scenario = scenario
        self._random = random.Random(f"schedule:{scenario.seed}/{number}")
        self._begin_ns = 0
        self._period_s = self._random.choice(PERIODS_S)
        self._ends = self._random.random() < 0.2
        self._pauses_itself = self._random.random() < 0.3
        self._end_ns = 0
        self._calm_ns = 0
        # (after, before): no time strictly between has a run of its own.
        self._quiet: list[tuple[int, int]] = []
        self._paused_ns = 0
        self._deleted_ns = 0
        self._overlap = self._random.choice(OVERLAPS)
        self._catch_up = self._random.choice(CATCH_UPS if self._overlap in MAY_CATCH_UP_ALL else CATCH_UPS[:-1])
        self._told: int | None = None
        self._problems: list[str] = []

    async def run(self) -> None:
        """Makes the schedule, and meddles with it while the storm lasts."""
        chance = self._random
        await asyncio.sleep(chance.uniform(0, 3))
        self._begin_ns = self._now()
        await self._call("Create", self._wanted())
        for _act in range(chance.randint(0, 3)):
            await asyncio.sleep(chance.uniform(1, 10))
            await chance.choice([self._pause, self._unpause, self._backfill, self._update])()

    async def finish(self) -> None:
        """Without faults an active schedule goes on; then it is deleted, and nothing comes after."""
        if not await self._is_there():
            return
        await asyncio.sleep(CALM_S)
        self._calm_ns = self._now()
        await self._unpause()
        if not self._ends:
            await self._goes_on()
            await asyncio.sleep(TIMES_WATCHED * self._period_s)
        if self._random.random() < 0.5:
            await self._count()
        if await self._call("Delete", api.DeleteScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id)):
            self._deleted_ns = self._now()
        # Longer than a period: what is wrongly started shows.
        await asyncio.sleep(self._period_s + 5)

    async def _is_there(self) -> bool:
        """What came of the creation is not known: its message may have been lost, or doubled and then refused. One that is there
        may still wait for its first decision, which a worker took with it."""
        while True:
            try:
                await self._ask()
            except errors.EntityNotExists:
                return False
            except (GaveUp, Doubtful, errors.ServiceError):
                await asyncio.sleep(LATE_S)
                continue
            return True

    async def _goes_on(self) -> None:
        before = await self._total()
        end_ns = self._now() + int(GOES_ON_S * SECOND)
        while await self._total() == before:
            if self._now() > end_ns:
                self._problems.append(f"{self.schedule_id} does not go on: {before} runs and skips after {GOES_ON_S:g} s")
                break
            await asyncio.sleep(self._period_s)
            if self._pauses_itself:
                # A run of the storm may have run out of time since.
                await self._unpause()

    async def _count(self) -> None:
        """How many runs the schedule says it began, when it is paused and nothing waits."""
        await self._pause()
        if not self._paused_ns:
            return
        await asyncio.sleep(SETTLE_S)
        answer = await self._describe()
        if answer is not None and not answer.info.buffered_fire_count and not answer.info.ongoing_backfills:
            self._told = answer.info.total_runs

    def check(self, picture: Picture) -> Iterator[str]:
        """What the runs of the schedule must be like."""
        yield from self._problems
        began = Counter[tuple[int, str]]()
        skew_ns = int(2 * self._scenario.skew_s * SECOND) + SECOND
        catches_up = self._catch_up != api.SCHEDULE_CATCH_UP_POLICY_SKIP
        for run in picture.runs.values():
            found = self._named(run)
            if found is None or run.started.continued_execution_run_id or run.forked_at is not None:
                continue
            time_ns, backfill_id = found
            began[time_ns, backfill_id] += 1
            if backfill_id:
                continue
            if time_ns > run.events[0].event_time.ToNanoseconds() + skew_ns:
                yield f"{run.name} began before its time"
            if time_ns < self._begin_ns - skew_ns:
                yield f"{run.name} is of a time before its schedule was made"
            if self._deleted_ns and time_ns > self._deleted_ns + skew_ns:
                yield f"{run.name} is of a time after its schedule was deleted"
            if self._end_ns and time_ns > self._end_ns:
                yield f"{run.name} is of a time after its schedule's end"
            if not catches_up and any(after + skew_ns < time_ns < before - skew_ns for after, before in self._quiet):
                yield f"{run.name} is of a time at which its schedule was paused"
        for (time_ns, backfill_id), times in began.items():
            if times > 1:
                yield f"{self.schedule_id} began {times} runs for the time {time_ns} {backfill_id}"
        if self._told is not None and self._told != began.total():
            yield f"{self.schedule_id} says that it began {self._told} runs, and there are {began.total()}"
        if self._overlap in ONE_BY_ONE:
            yield from self._check_overlaps(picture, skew_ns)

    def _check_overlaps(self, picture: Picture, skew_ns: int) -> Iterator[str]:
        """By most policies a run begins when the one before, and whatever that continued as, has ended.

        Not in a storm: there two attempts of the activity that starts them may be under way, the first of them given up.
        """
        spans: dict[tuple[int, str], tuple[int, int]] = {}
        for run in picture.runs.values():
            if (named := self._named(run)) is not None:
                first, last = (run.events[at].event_time.ToNanoseconds() for at in (0, -1))
                former = spans.get(named, (first, last))
                spans[named] = min(first, former[0]), max(last, former[1])
        ordered = sorted((span, named) for named, span in spans.items())
        for (before, one), (after, following) in pairwise(ordered):
            is_calm = self._scenario.calm or (self._calm_ns and before[0] > self._calm_ns + skew_ns)
            if is_calm and after[0] + skew_ns < before[1]:
                yield f"{self.schedule_id}: the run of {following} began while that of {one} was open"

    def _named(self, run: Run) -> tuple[int, str] | None:
        """The time and the backfill that a run belongs to; None for a run of others."""
        fields = run.started.search_attributes.indexed_fields
        if names.KEY_ID not in fields or json.loads(fields[names.KEY_ID].data) != self.schedule_id:
            return None
        at = Timestamp()
        at.FromJsonString(json.loads(fields[names.KEY_TIME].data))
        backfill = fields[names.KEY_BACKFILL_ID].data if names.KEY_BACKFILL_ID in fields else b'""'
        return at.ToNanoseconds(), json.loads(backfill)

    # --- calls -------------------------------------------------------------------------------------------------------
    def _wanted(self) -> api.CreateScheduleRequest:
        plan = random_plan(f"{self._scenario.seed}/{self.schedule_id}", "list-0", polite=True, children=False)
        request = api.CreateScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id)
        request.spec.cron_expression = f"@every {self._period_s}s"
        request.policies.overlap_policy = self._overlap
        request.policies.catch_up_policy = self._catch_up
        request.policies.pause_on_failure = self._pauses_itself
        if self._ends:
            self._end_ns = self._begin_ns + TIMES_TO_END * self._period_s * SECOND
            request.spec.end_time.FromNanoseconds(self._end_ns)
        start = request.action.start_workflow
        start.workflow_type.name = WORKFLOW_TYPE
        start.task_list.name = "list-0"
        for phase in plan.phases:
            # Nobody signals these.
            phase[:] = [item for item in phase if item.kind != "signals"]
        start.input.data = plan.encode()
        start.execution_start_to_close_timeout.CopyFrom(seconds(EXECUTION_TIMEOUT_S))
        start.task_start_to_close_timeout.CopyFrom(seconds(DECISION_TIMEOUT_S))
        return request

    async def _call(self, what: str, request: Message) -> bool:
        """Whether the call has surely been carried out."""
        name = f"{what}Schedule"
        try:
            await self._client.call(name, request, getattr(api, f"{name}Response"))
        except (Doubtful, GaveUp, errors.ServiceError):
            return False
        return True

    async def _pause(self) -> None:
        request = api.PauseScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id, reason="meddling")
        # A call is acknowledged when the signal is in the history; it counts from when the scheduler has taken it.
        if not await self._call("Pause", request) or (answer := await self._describe()) is None:
            return
        if answer.state.paused:
            self._paused_ns = self._paused_ns or self._now()
        elif self._calm_ns:
            self._problems.append(f"{self.schedule_id} is not paused, though that was acknowledged")

    async def _unpause(self) -> None:
        """It may have been paused by itself, so it is told in any case."""
        if self._paused_ns:
            self._quiet.append((self._paused_ns, self._now()))
            self._paused_ns = 0
        await self._call("Unpause", api.UnpauseScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id))
        # A doubled message may come later than the next call otherwise.
        await asyncio.sleep(LATE_S)

    async def _backfill(self) -> None:
        request = api.BackfillScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id, backfill_id=self._client.new_id())
        request.start_time.FromNanoseconds(self._begin_ns - 60 * SECOND)
        request.end_time.FromNanoseconds(self._begin_ns - (60 - 2 * self._period_s) * SECOND)
        await self._call("Backfill", request)

    async def _update(self) -> None:
        self._period_s = self._random.choice(PERIODS_S)
        request = api.UpdateScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id)
        request.spec.cron_expression = f"@every {self._period_s}s"
        if self._ends:
            request.spec.end_time.FromNanoseconds(self._end_ns)
        await self._call("Update", request)

    async def _total(self) -> int:
        """How many times the schedule has acted or passed over, as it says itself; -1 where it cannot be asked."""
        answer = await self._describe()
        return -1 if answer is None else int(answer.info.total_runs + answer.info.skipped_runs)

    async def _describe(self) -> api.DescribeScheduleResponse | None:
        """None where it cannot be asked, or is not."""
        try:
            return await self._ask()
        except (GaveUp, Doubtful, errors.ServiceError):
            return None

    async def _ask(self) -> api.DescribeScheduleResponse:
        request = api.DescribeScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id)
        return await self._client.call("DescribeSchedule", request, api.DescribeScheduleResponse)
