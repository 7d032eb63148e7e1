"""What a schedule does, as a state machine: `plan` says which starts are to be tried now, and it is told what happens.

    times up to the watermark are decided: started, skipped, missed, or waiting in the buffer
    times after it, and due            live: tried at once
                                       late, or of before the schedule was unpaused: the catch-up policy decides
    backfills                          walk through their own range with a cursor each

Late is what is due for longer than GRACE. Of late times the policy ONE starts the last and ALL each; what is older than the
catch-up window is missed. SKIP starts none, but for the one that was being waited for: a server that was away for a moment
does not cost a day's run. The others count as skipped.

A start is tried in an activity, which looks at the runs known to be open (`verdict` says what follows from that). With BUFFER
it is not tried before they have closed: it waits in the buffer, in order. Each time is handed out once, because the watermark
or cursor moves in the same step; that a start tried twice is one start follows from its request id.

`State` is all that a new run of the workflow needs, beside the request that made the schedule as it now is.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from tenuto_api import api
from tenuto_server.rules.durations import SECOND
from tenuto_server.worker_host.schedules.times import Times, duration_ns, nanoseconds, timestamp

# Later than this, a time after the one that was waited for is late.
GRACE_NS: Final = 2 * SECOND
# Starts handed out at once.
BATCH_MAX: Final = 10
BUFFER_MAX: Final = 1000
RUNNING_MAX: Final = 1000
BACKFILLS_MAX: Final = 10
BACKFILL_IDS_MAX: Final = 200
# Times of a backfill are counted up to here; more are started none the less.
BACKFILL_COUNT_MAX: Final = 10_000
# Times that one plan may put into the buffer while it catches up.
CATCH_UP_STEPS_MAX: Final = 1000
# The catch-up window of ONE and ALL where none is given.
WINDOW_DEFAULT_NS: Final = 365 * 24 * 3600 * SECOND
PAUSED_BY_FAILURE: Final = "cadence-scheduler"

SKIP_NEW = int(api.SCHEDULE_OVERLAP_POLICY_SKIP_NEW)
BUFFER = int(api.SCHEDULE_OVERLAP_POLICY_BUFFER)
CONCURRENT = int(api.SCHEDULE_OVERLAP_POLICY_CONCURRENT)
CANCEL_PREVIOUS = int(api.SCHEDULE_OVERLAP_POLICY_CANCEL_PREVIOUS)
TERMINATE_PREVIOUS = int(api.SCHEDULE_OVERLAP_POLICY_TERMINATE_PREVIOUS)
CATCH_UP_SKIP = int(api.SCHEDULE_CATCH_UP_POLICY_SKIP)
CATCH_UP_ONE = int(api.SCHEDULE_CATCH_UP_POLICY_ONE)
CATCH_UP_ALL = int(api.SCHEDULE_CATCH_UP_POLICY_ALL)


class Fire(msgspec.Struct, frozen=True, omit_defaults=True):
    """A start that is to be tried: its time, its overlap policy, and the backfill it belongs to (empty for none)."""

    time_ns: int
    overlap: int
    backfill_id: str = ""


class Run(msgspec.Struct, frozen=True):
    """A run that the schedule started and that is not known to have closed."""

    workflow_id: str
    run_id: str


class Backfill(msgspec.Struct, omit_defaults=True):
    """Times in a range to be started; those up to the cursor are handed out."""

    id: str
    start_ns: int
    end_ns: int
    cursor_ns: int
    overlap: int = 0
    completed: int = 0
    total: int = 0


class State(msgspec.Struct, omit_defaults=True):
    """See the module. 0 stands for "not yet" where a time is meant.

    armed_ns: the time that was waited for. resumed_ns: times up to here passed while the schedule was paused. catch_up_once: the
    policy for those, where unpausing gave one. candidate_ns: the latest late time so far, with the policy ONE.
    """

    created_ns: int
    updated_ns: int
    watermark_ns: int
    paused: bool = False
    pause_reason: str = ""
    paused_by: str = ""
    paused_ns: int = 0
    armed_ns: int = 0
    resumed_ns: int = 0
    catch_up_once: int = 0
    candidate_ns: int = 0
    last_run_ns: int = 0
    total: int = 0
    missed: int = 0
    skipped: int = 0
    buffer: list[Fire] = []
    running: list[Run] = []
    backfills: list[Backfill] = []
    backfill_ids: list[str] = []
    deleted: bool = False


class Outcome(enum.StrEnum):
    """How trying a start ended."""

    STARTED = "started"
    SKIPPED = "skipped"
    FAILED = "failed"


class Verdict(enum.Enum):
    """What a start does about the schedule's open runs."""

    START = enum.auto()
    SKIP = enum.auto()
    CANCEL = enum.auto()
    TERMINATE = enum.auto()


def verdict(overlap: int, open_runs: int, limit: int) -> Verdict:
    """The overlap policy's word on a start that meets so many open runs. `limit` is that of CONCURRENT."""
    if open_runs == 0 or overlap == BUFFER:
        return Verdict.START
    if overlap == CONCURRENT:
        return Verdict.START if open_runs < limit else Verdict.SKIP
    if overlap == CANCEL_PREVIOUS:
        return Verdict.CANCEL
    return Verdict.TERMINATE if overlap == TERMINATE_PREVIOUS else Verdict.SKIP


def concurrency_limit(policies: api.SchedulePolicies) -> int:
    """How many runs may be open with CONCURRENT."""
    return min(policies.concurrency_limit, RUNNING_MAX) if policies.concurrency_limit > 0 else RUNNING_MAX


class Core:
    """One schedule. `request` is its making as it would read now; it is changed by updates."""

    def __init__(self, request: api.CreateScheduleRequest, state: State) -> None:
        self.request = request
        self.state = state
        self.times = Times(request.schedule_id, request.spec)
        self._set_window()

    # ---- what is to be done -----------------------------------------------------------------------------------------

    def plan(self, now_ns: int) -> list[Fire]:
        """The starts to try now, at most BATCH_MAX, in order; they count as handed out."""
        fires: list[Fire] = []
        if not self.state.paused:
            self._drain(fires)
            self._regular(now_ns, fires)
            self._backfill(fires)
        return fires

    def wake_ns(self, now_ns: int) -> int | None:
        """When `plan` should be asked again, if nothing else happens before; None: not at all. The time it waits for is
        live when it comes."""
        state = self.state
        if state.paused:
            state.armed_ns = 0
            return None
        if self._can_backfill() or (state.buffer and not state.running):
            return now_ns
        following = self.times.after(state.watermark_ns)
        if following is None:
            return None
        if following > max(now_ns - GRACE_NS, state.resumed_ns):
            state.armed_ns = following
        return max(now_ns, self.times.due_ns(following))

    def is_over(self) -> bool:
        """Whether nothing will ever be started any more."""
        state = self.state
        if state.deleted:
            return True
        waits = state.paused or state.buffer or state.backfills or state.candidate_ns
        return not waits and self.times.after(state.watermark_ns) is None

    def _drain(self, fires: list[Fire]) -> None:
        if self.state.buffer and not self.state.running:
            fires.append(self.state.buffer.pop(0))

    def _regular(self, now_ns: int, fires: list[Fire]) -> None:
        state = self.state
        following = self.times.after(state.watermark_ns)
        if following is not None and following == state.armed_ns and self._policy() not in (CATCH_UP_ONE, CATCH_UP_ALL):
            due_ns = self.times.due_ns(following)
            if due_ns > now_ns:
                return
            if now_ns - due_ns > GRACE_NS and not self._in_window(following, now_ns):
                state.missed += 1
            else:
                self._admit(following, fires)
            state.watermark_ns = following
        if not self._catch_up(now_ns, fires):
            return
        while len(fires) < BATCH_MAX:
            following = self.times.after(state.watermark_ns)
            if following is None or self.times.due_ns(following) > now_ns:
                return
            self._admit(following, fires)
            state.watermark_ns = following

    def _catch_up(self, now_ns: int, fires: list[Fire]) -> bool:
        """Decides on late times; whether it is done with them."""
        state, policies = self.state, self.request.policies
        until_ns = max(state.resumed_ns, self.times.late_until(state.watermark_ns, now_ns - GRACE_NS))
        policy = self._policy()
        if policy in (CATCH_UP_ONE, CATCH_UP_ALL):
            window_ns = duration_ns(policies.catch_up_window)
            if window_ns > 0:
                count, last_ns, done = self.times.pass_over(state.watermark_ns, min(until_ns, now_ns - window_ns - 1))
                state.missed += count
                state.watermark_ns = last_ns
                if not done:
                    return False
        if policy == CATCH_UP_ALL:
            for _ in range(CATCH_UP_STEPS_MAX):
                following = self.times.after(state.watermark_ns)
                if following is None or following > until_ns:
                    break
                if len(fires) >= BATCH_MAX:
                    return False
                self._admit(following, fires)
                state.watermark_ns = following
            else:
                return False
        else:
            count, last_ns, done = self.times.pass_over(state.watermark_ns, until_ns)
            state.watermark_ns = last_ns
            if policy == CATCH_UP_ONE and count:
                state.skipped += count - (not state.candidate_ns)
                state.candidate_ns = last_ns
            else:
                state.skipped += count
            if not done:
                return False
        if state.candidate_ns:
            if len(fires) >= BATCH_MAX:
                return False
            self._admit(state.candidate_ns, fires)
            state.candidate_ns = 0
        state.catch_up_once = 0
        return True

    def _policy(self) -> int:
        return self.state.catch_up_once or self.request.policies.catch_up_policy

    def _in_window(self, time_ns: int, now_ns: int) -> bool:
        window_ns = duration_ns(self.request.policies.catch_up_window)
        return window_ns <= 0 or now_ns - time_ns <= window_ns

    def _backfill(self, fires: list[Fire]) -> None:
        state = self.state
        while len(fires) < BATCH_MAX and self._can_backfill():
            head = state.backfills[0]
            following = self.times.after(head.cursor_ns)
            if following is None or following > head.end_ns:
                state.backfills.pop(0)
                continue
            overlap = head.overlap or self.request.policies.overlap_policy or SKIP_NEW
            if overlap == BUFFER and fires:
                return  # one after the other: the range itself is the buffer
            head.cursor_ns = following
            head.completed += 1
            fires.append(Fire(following, overlap, head.id))

    def _can_backfill(self) -> bool:
        """Whether a backfill may go on: one that buffers waits until nothing runs."""
        state = self.state
        if not state.backfills:
            return False
        overlap = state.backfills[0].overlap or self.request.policies.overlap_policy
        return overlap != BUFFER or not (state.buffer or state.running)

    def _admit(self, time_ns: int, fires: list[Fire]) -> None:
        """A time has come: it is tried now, or waits in the buffer."""
        state, policies = self.state, self.request.policies
        fire = Fire(time_ns, policies.overlap_policy or SKIP_NEW)
        if fire.overlap == BUFFER and (state.running or state.buffer or fires):
            limit = min(policies.buffer_limit, BUFFER_MAX) if policies.buffer_limit > 0 else BUFFER_MAX
            if len(state.buffer) < limit:
                state.buffer.append(fire)
            else:
                state.skipped += 1
        else:
            fires.append(fire)

    # ---- what has happened ------------------------------------------------------------------------------------------

    def tried(self, fire: Fire, outcome: Outcome, run: Run | None = None) -> None:
        """A start that was handed out has been tried; `run` is what it started."""
        state = self.state
        if outcome is Outcome.SKIPPED:
            state.skipped += 1
        elif outcome is Outcome.FAILED or run is None:
            state.missed += 1
        else:
            state.total += 1
            state.last_run_ns = max(state.last_run_ns, fire.time_ns)
            if run not in state.running:
                state.running.append(run)

    def closed(self, run: Run, now_ns: int, *, failed: bool) -> None:
        """A run is not open any more; `failed` if by failure or timeout."""
        state = self.state
        if run not in state.running:
            return
        state.running.remove(run)
        if failed and self.request.policies.pause_on_failure:
            self.pause(f"workflow {run.workflow_id} did not complete", PAUSED_BY_FAILURE, now_ns)

    def pause(self, reason: str, by: str, now_ns: int) -> None:
        """Nothing starts from now on; no effect on a paused schedule."""
        state = self.state
        if not state.paused:
            state.paused, state.pause_reason, state.paused_by, state.paused_ns = True, reason, by, now_ns

    def unpause(self, catch_up_policy: int, now_ns: int) -> None:
        """Starts again; `catch_up_policy` (0: the schedule's own) decides on the times that have passed meanwhile."""
        state = self.state
        if state.paused:
            state.paused, state.pause_reason, state.paused_by, state.paused_ns = False, "", "", 0
            state.resumed_ns, state.armed_ns = now_ns, 0
            state.catch_up_once = catch_up_policy

    def update(self, request: api.UpdateScheduleRequest, now_ns: int) -> None:
        """Replaces the parts that are set. Raises ValueError, and changes nothing, for times that cannot be read."""
        mine, state = self.request, self.state
        if request.HasField("spec"):
            self.times = Times(mine.schedule_id, request.spec)
            mine.spec.CopyFrom(request.spec)
            state.backfills.clear()
            state.armed_ns = state.candidate_ns = 0
            if not state.paused:
                state.watermark_ns = max(state.watermark_ns, now_ns)
        if request.HasField("action"):
            mine.action.CopyFrom(request.action)
        if request.HasField("policies"):
            self._set_policies(request.policies)
        if request.HasField("search_attributes"):
            mine.search_attributes.CopyFrom(request.search_attributes)
        state.updated_ns = now_ns

    def _set_policies(self, policies: api.SchedulePolicies) -> None:
        mine, state = self.request.policies, self.state
        window = type(mine.catch_up_window)()
        window.CopyFrom(mine.catch_up_window)
        mine.CopyFrom(policies)
        if duration_ns(mine.catch_up_window) <= 0:
            mine.catch_up_window.CopyFrom(window)
        self._set_window()
        if mine.overlap_policy != BUFFER and state.buffer:
            state.skipped += len(state.buffer)
            state.buffer.clear()

    def _set_window(self) -> None:
        policies = self.request.policies
        if policies.catch_up_policy > CATCH_UP_SKIP and duration_ns(policies.catch_up_window) <= 0:
            policies.catch_up_window.seconds = WINDOW_DEFAULT_NS // SECOND

    def backfill(self, request: api.BackfillScheduleRequest) -> bool:
        """Starts a backfill; False where its id was seen before or too many wait."""
        state = self.state
        start_ns, end_ns = nanoseconds(request.start_time), nanoseconds(request.end_time)
        if request.backfill_id in state.backfill_ids or len(state.backfills) >= BACKFILLS_MAX or end_ns <= start_ns:
            return False
        cursor_ns = self.times.anchor(start_ns)
        total, _, _ = self.times.pass_over(cursor_ns, end_ns)
        total = min(total, BACKFILL_COUNT_MAX)
        state.backfills.append(Backfill(request.backfill_id, start_ns, end_ns, cursor_ns, request.overlap_policy, 0, total))
        state.backfill_ids = [*state.backfill_ids[1 - BACKFILL_IDS_MAX :], request.backfill_id]
        return True

    # ---- what there is to see ---------------------------------------------------------------------------------------

    def description(self) -> api.DescribeScheduleResponse:
        """All there is to know."""
        state, request = self.state, self.request
        response = api.DescribeScheduleResponse(
            spec=request.spec,
            action=request.action,
            policies=request.policies,
            state=api.ScheduleState(paused=state.paused),
            info=api.ScheduleInfo(
                total_runs=state.total,
                missed_runs=state.missed,
                skipped_runs=state.skipped,
                buffered_fire_count=len(state.buffer),
                running_workflow_count=len(state.running),
                create_time=timestamp(state.created_ns),
                last_update_time=timestamp(state.updated_ns),
            ),
        )
        info = response.info
        for one in state.backfills:
            ongoing = info.ongoing_backfills.add(backfill_id=one.id, runs_completed=one.completed, runs_total=one.total)
            ongoing.start_time.CopyFrom(timestamp(one.start_ns))
            ongoing.end_time.CopyFrom(timestamp(one.end_ns))
        if state.paused:
            pause = response.state.pause_info
            pause.reason, pause.paused_by = state.pause_reason, state.paused_by
            pause.paused_at.CopyFrom(timestamp(state.paused_ns))
        if state.last_run_ns:
            info.last_run_time.CopyFrom(timestamp(state.last_run_ns))
        following = None if state.paused else self.times.after(state.watermark_ns)
        if following is not None:
            info.next_run_time.CopyFrom(timestamp(following))
        if request.HasField("memo"):
            response.memo.CopyFrom(request.memo)
        if request.HasField("search_attributes"):
            response.search_attributes.CopyFrom(request.search_attributes)
        return response


def new_state(request: api.CreateScheduleRequest, now_ns: int) -> State:
    """The state of a schedule that is made now."""
    state = State(created_ns=now_ns, updated_ns=now_ns, watermark_ns=now_ns)
    if request.state.paused:
        pause = request.state.pause_info
        state.paused, state.pause_reason, state.paused_by, state.paused_ns = True, pause.reason, pause.paused_by, now_ns
    return state
