"""Runs local activities beside the decision that asked for them, with their retries, and feeds how they ended to the replayer.

A decision waits for its local activities for 80 % of its time. What has not ended by then goes on here while the worker answers
with what there is and asks for the next decision at once; what ends later belongs to the turn of that one. If the replayer
is dropped meanwhile (another worker takes the run over, or the cache is full) its activities are cancelled, and run again from
their first attempt wherever the run goes on.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import deque
from dataclasses import replace

from tenuto._failures import TIMEOUT_PREFIX, failure_of
from tenuto._replay.local import LocalActivity, LocalOutcome, whole_micros
from tenuto._replay.replayer import Replayer
from tenuto._types import SECOND_NS, RetryPolicy, to_seconds
from tenuto._worker.activities import ActivityRunner
from tenuto.converter import DataConverter
from tenuto.errors import TimedOutError, TimeoutType
from tenuto_api import api

logger = logging.getLogger("tenuto.worker")

# Of the decision's timeout: then it is kept going by a heartbeat.
FRACTION = 0.8
_EXPIRED = TIMEOUT_PREFIX + TimeoutType.SCHEDULE_TO_CLOSE.value


class LocalActivityRunner:
    """See the module. `count` attempts run at once."""

    def __init__(self, activities: ActivityRunner, converter: DataConverter, count: int) -> None:
        self._activities = activities
        self._converter = converter
        self._slots = asyncio.Semaphore(count)
        self._runs: weakref.WeakKeyDictionary[Replayer, _Run] = weakref.WeakKeyDictionary()

    async def serve(self, replayer: Replayer, begun: float) -> bool:
        """Runs what the live turn asks for, and what is under way, and tells the replayer of each end. `begun` is when the
        decision task came, in the loop's time. True if some have not ended when the decision's time is over."""
        run = self._runs.get(replayer)
        if run is None:
            run = self._runs[replayer] = _Run(replayer, self)
        turn_ns = replayer.now_ns
        loop = asyncio.get_running_loop()
        until = begun + replayer.info.task_timeout.total_seconds() * FRACTION
        while replayer.local_activities and not replayer.closed:
            run.start_pending()
            outcome = await run.next(until)
            if outcome is None:
                return True
            moment = turn_ns + int((loop.time() - begun) * SECOND_NS)
            replayer.resolve(replace(outcome, replay_ns=whole_micros(max(moment, replayer.now_ns))))
        return False

    async def run(self, activity: LocalActivity, replayer: Replayer) -> LocalOutcome:
        """All attempts that run without a durable timer between them."""
        loop = asyncio.get_running_loop()
        left = activity.seconds_left(replayer.now_ns)
        deadline = None if left is None else loop.time() + left
        longest_s = replayer.info.task_timeout.total_seconds()
        attempt = activity.attempt
        while True:
            async with self._slots:
                result, failure = await self._attempt(activity, attempt, replayer, deadline)
            outcome = LocalOutcome(activity.activity_id, activity.activity_type, attempt, 0, result, failure)
            wait_s = None if failure is None else _backoff_s(activity, attempt, failure, replayer.now_ns, loop.time(), deadline)
            if wait_s is None:
                return outcome
            if wait_s > longest_s:
                return replace(outcome, backoff_ns=int(wait_s * SECOND_NS))
            await asyncio.sleep(wait_s)
            attempt += 1

    async def _attempt(
        self, activity: LocalActivity, attempt: int, replayer: Replayer, deadline: float | None
    ) -> tuple[bytes, api.Failure | None]:
        left = None if deadline is None else deadline - asyncio.get_running_loop().time()
        one, kind = activity.start_to_close_s, TimeoutType.START_TO_CLOSE
        if left is not None and (one is None or left < one):
            one, kind = left, TimeoutType.SCHEDULE_TO_CLOSE
        try:
            if one is not None and one <= 0:
                raise TimedOutError(kind)
            return await self._activities.run_local(_task(activity, attempt, replayer, one), kind), None
        except Exception as error:
            logger.info("local activity %s failed (attempt %d)", activity.activity_type, attempt, exc_info=error)
            return b"", failure_of(error, self._converter)


class _Run:
    """The local activities of one replayer that run here, and those that ended and were not told to it yet."""

    def __init__(self, replayer: Replayer, runner: LocalActivityRunner) -> None:
        self._activities = replayer.local_activities
        self._runner = runner
        # Not held: it is the key under which this is kept.
        self._replayer = weakref.ref(replayer)
        self._tasks: dict[str, asyncio.Task[LocalOutcome]] = {}
        self._ended: deque[LocalOutcome] = deque()
        self._news = asyncio.Event()
        self._activities.on_gone = self._gone

    def start_pending(self) -> None:
        """Starts what is not under way."""
        replayer = self._replayer()
        assert replayer is not None
        for activity in self._activities.pending():
            if activity.activity_id not in self._tasks:
                task = self._tasks[activity.activity_id] = asyncio.create_task(self._runner.run(activity, replayer))
                task.add_done_callback(self._done)

    async def next(self, until: float) -> LocalOutcome | None:
        """The next end; None where there is none until then, in the loop's time."""
        while not self._ended:
            self._news.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._news.wait()
            except TimeoutError:
                return None
        outcome = self._ended.popleft()
        self._tasks.pop(outcome.activity_id, None)
        return outcome

    def _done(self, task: asyncio.Task[LocalOutcome]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            logger.error("a local activity broke the worker's own code", exc_info=error)
            return
        outcome = task.result()
        if outcome.activity_id in self._tasks:
            self._ended.append(outcome)
            self._news.set()

    def _gone(self, activity_id: str) -> None:
        """The code does not want it any more, or the replayer is dropped."""
        task = self._tasks.pop(activity_id, None)
        if task is not None:
            task.cancel()
        self._ended = deque(outcome for outcome in self._ended if outcome.activity_id != activity_id)
        self._news.set()


def _backoff_s(
    activity: LocalActivity, attempt: int, failure: api.Failure, now_ns: int, now: float, deadline: float | None
) -> float | None:
    """How long to wait before the next attempt; None where there is none."""
    policy = activity.retry
    if policy is None or failure.reason == _EXPIRED or _is_final(policy, failure):
        return None
    if policy.maximum_attempts and attempt + 1 >= policy.maximum_attempts:
        return None
    wait_s = to_seconds(policy.initial_interval) * policy.backoff_coefficient ** min(attempt, 1000)
    if policy.maximum_interval is not None:
        wait_s = min(wait_s, to_seconds(policy.maximum_interval))
    if policy.expiration_interval is not None:
        over_ns = activity.scheduled_ns + int(to_seconds(policy.expiration_interval) * SECOND_NS)
        if now_ns + int(wait_s * SECOND_NS) >= over_ns:
            return None
    if deadline is not None and now + wait_s >= deadline:
        return None
    return wait_s


def _is_final(policy: RetryPolicy, failure: api.Failure) -> bool:
    names = {error if isinstance(error, str) else error.__name__ for error in policy.non_retryable_errors}
    return failure.reason in names or failure.options.failure_category == api.FAILURE_CATEGORY_FATAL


def _task(
    activity: LocalActivity, attempt: int, replayer: Replayer, seconds: float | None
) -> api.PollForActivityTaskResponse:
    """The attempt as an activity task, which is what the code finds in `activity.info()`. It has no token."""
    info = replayer.info
    task = api.PollForActivityTaskResponse(
        workflow_execution=api.WorkflowExecution(workflow_id=info.workflow_id, run_id=info.run_id),
        workflow_type=api.WorkflowType(name=info.workflow_type),
        workflow_domain=info.domain,
        activity_id=activity.activity_id,
        activity_type=api.ActivityType(name=activity.activity_type),
        input=api.Payload(data=activity.input),
        attempt=attempt,
    )
    task.scheduled_time.FromNanoseconds(activity.scheduled_ns)
    task.started_time.FromNanoseconds(replayer.now_ns)
    for key, data in activity.header.items():
        task.header.fields[key].data = data
    if seconds is not None:
        task.start_to_close_timeout.FromNanoseconds(max(1, int(seconds * SECOND_NS)))
    return task
