"""A client that makes a schedule, changes its mind about it, and in the end deletes it; and what must have come of it.

The client notes when each call was sent and when it was acknowledged, so that what it says of a due time is certain: a time
after an acknowledged deletion has no run, a time between an acknowledged pause and the next call that could end it neither.
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
OVERLAPS = (
    api.SCHEDULE_OVERLAP_POLICY_SKIP_NEW,
    api.SCHEDULE_OVERLAP_POLICY_BUFFER,
    api.SCHEDULE_OVERLAP_POLICY_CONCURRENT,
    api.SCHEDULE_OVERLAP_POLICY_CANCEL_PREVIOUS,
    api.SCHEDULE_OVERLAP_POLICY_TERMINATE_PREVIOUS,
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
        self._created = False
        self._begin_ns = 0
        self._period_s = self._random.choice([5, 10, 20])
        # (after, before): no time strictly between has a run of its own.
        self._quiet: list[tuple[int, int]] = []
        self._paused_ns = 0
        self._deleted_ns = 0
        self._overlap = api.SCHEDULE_OVERLAP_POLICY_INVALID
        self._told: int | None = None
        self._problems: list[str] = []

    async def run(self) -> None:
        """Makes the schedule, and meddles with it while the storm lasts."""
        chance = self._random
        await asyncio.sleep(chance.uniform(0, 3))
        self._begin_ns = self._now()
        self._created = await self._call("Create", self._wanted(), may_be_refused=True)
        for _act in range(chance.randint(0, 3)):
            await asyncio.sleep(chance.uniform(1, 10))
            await chance.choice([self._pause, self._unpause, self._backfill])()

    async def finish(self) -> None:
        """Without faults an active schedule goes on; then it is deleted, and nothing comes after."""
        if not self._created:
            return
        await self._unpause()
        before = await self._total()
        end_ns = self._now() + int(GOES_ON_S * SECOND)
        while await self._total() == before:
            if self._now() > end_ns:
                self._problems.append(f"{self.schedule_id} does not go on: {before} runs and skips after {GOES_ON_S:g} s")
                break
            await asyncio.sleep(self._period_s)
        await self._count()
        if await self._call("Delete", api.DeleteScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id)):
            self._deleted_ns = self._now()
        # Longer than a period: what is wrongly started shows.
        await asyncio.sleep(self._period_s + 5)

    async def _count(self) -> None:
        """How many runs the schedule says it began, when it is paused and nothing waits."""
        request = api.DescribeScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id)
        await self._pause()
        if not self._paused_ns:
            return
        await asyncio.sleep(SETTLE_S)
        answer = await self._client.call("DescribeSchedule", request, api.DescribeScheduleResponse)
        if not answer.state.paused:
            self._problems.append(f"{self.schedule_id} is not paused, though that was acknowledged")
        elif not answer.info.buffered_fire_count and not answer.info.ongoing_backfills:
            self._told = answer.info.total_runs

    def check(self, picture: Picture) -> Iterator[str]:
        """What the runs of the schedule must be like."""
        yield from self._problems
        began = Counter[tuple[int, str]]()
        skew_ns = int(2 * self._scenario.skew_s * SECOND) + SECOND
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
            if any(after + skew_ns < time_ns < before - skew_ns for after, before in self._quiet):
                yield f"{run.name} is of a time at which its schedule was paused"
        for (time_ns, backfill_id), times in began.items():
            if times > 1:
                yield f"{self.schedule_id} began {times} runs for the time {time_ns} {backfill_id}"
        if self._told is not None and self._told != began.total():
            yield f"{self.schedule_id} says that it began {self._told} runs, and there are {began.total()}"
        if self._overlap in ONE_BY_ONE:
            yield from self._check_overlaps(picture, skew_ns)

    def _check_overlaps(self, picture: Picture, skew_ns: int) -> Iterator[str]:
        """By most policies a run begins when the one before, and whatever that continued as, has ended."""
        spans: dict[str, tuple[int, int]] = {}
        for run in picture.runs.values():
            if self._named(run) is not None:
                first, last = (run.events[at].event_time.ToNanoseconds() for at in (0, -1))
                former = spans.get(run.workflow_id, (first, last))
                spans[run.workflow_id] = min(first, former[0]), max(last, former[1])
        ordered = sorted((span, workflow_id) for workflow_id, span in spans.items())
        for (before, one), (after, following) in pairwise(ordered):
            if after[0] + skew_ns < before[1]:
                yield f"{following} began while {one} was open"

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
        chance = self._random
        plan = random_plan(f"{self._scenario.seed}/{self.schedule_id}", "list-0", polite=True, children=False)
        request = api.CreateScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id)
        request.spec.cron_expression = f"@every {self._period_s}s"
        request.policies.overlap_policy = self._overlap = chance.choice(OVERLAPS)
        # What was missed is not made up for: so that a pause is a time without runs.
        request.policies.catch_up_policy = api.SCHEDULE_CATCH_UP_POLICY_SKIP
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

    async def _call(self, what: str, request: Message, *, may_be_refused: bool = False) -> bool:
        """Whether the call has surely been carried out. A creation that is refused after a doubtful try was its own."""
        name = f"{what}Schedule"
        try:
            await self._client.call(name, request, getattr(api, f"{name}Response"))
        except Doubtful:
            return may_be_refused
        except (GaveUp, errors.ServiceError):
            return False
        return True

    async def _pause(self) -> None:
        if await self._call("Pause", api.PauseScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id, reason="meddling")):
            self._paused_ns = self._paused_ns or self._now()

    async def _unpause(self) -> None:
        if self._paused_ns:
            self._quiet.append((self._paused_ns, self._now()))
            self._paused_ns = 0
        await self._call("Unpause", api.UnpauseScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id))

    async def _backfill(self) -> None:
        request = api.BackfillScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id, backfill_id=self._client.new_id())
        request.start_time.FromNanoseconds(self._begin_ns - 60 * SECOND)
        request.end_time.FromNanoseconds(self._begin_ns - (60 - 2 * self._period_s) * SECOND)
        await self._call("Backfill", request)

    async def _total(self) -> int:
        """How many times the schedule has acted or passed over, as it says itself; -1 where it cannot be asked."""
        request = api.DescribeScheduleRequest(domain=DOMAIN, schedule_id=self.schedule_id)
        try:
            answer = await self._client.call("DescribeSchedule", request, api.DescribeScheduleResponse)
        except (GaveUp, Doubtful, errors.ServiceError):
            return -1
        return int(answer.info.total_runs + answer.info.skipped_runs)
