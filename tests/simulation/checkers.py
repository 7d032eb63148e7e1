"""What must hold of every run, whatever happened: each check takes what the world was told and what the cluster says at
rest.

A check returns problems as text; none means that it holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tenuto_api import api
from tenuto_server.rules.schedules import ID_PREFIX as SCHEDULERS

from . import families
from .observed import VICTIMS, Observed, Reset
from .picture import Picture, Run
from .program import CLOSING, attributes_of, kind_of

DECISION_ENDS = ("decision_task_completed", "decision_task_failed", "decision_task_timed_out")
ACTIVITY_ENDS = ("activity_task_completed", "activity_task_failed", "activity_task_timed_out", "activity_task_canceled")
CALM_DECISION_WAIT_S = 5.0


def check(observed: Observed, picture: Picture, *, calm: bool, skewed: bool) -> list[str]:
    """All checks of a cluster at rest. `calm`: nothing failed, so nothing may have timed out. `skewed`: the processes'
    clocks differ, so times tell nothing."""
    problems = list(picture.problems)
    for run in picture.runs.values():
        found = [
            *check_ids(run),
            *check_decisions(run),
            *check_references(run),
            *check_activities(run),
            *check_end(run),
        ]
        if not skewed:
            found += check_times(run)
        if calm:
            found += check_calm(run)
        if found:
            problems += [f"{run.name}: {problem}" for problem in found]
            problems.append(run.text())
    for one in (
        check_starts,
        check_signals,
        check_requests,
        check_acknowledged_decisions,
        check_deliveries,
        check_answers,
        check_resets,
    ):
        problems += one(observed, picture)
    if not skewed:
        problems += check_one_open(picture)
    problems += check_chains(picture)
    problems += check_crons(picture)
    problems += families.check(picture)
    problems += check_listed(picture)
    return problems


# --- one run's history -----------------------------------------------------------------------------------------------
def check_ids(run: Run) -> Iterator[str]:
    """Ids 1.. without gaps, Started first, one closing event and nothing after it."""
    ids = [event.event_id for event in run.events]
    if ids != list(range(1, len(ids) + 1)):
        yield f"event ids {ids}"
    if not run.events or kind_of(run.events[0]) != "workflow_execution_started":
        yield "it does not begin with its start"
    if len(run.of_kind("workflow_execution_started")) > 1:
        yield "it starts twice"
    closings = [event.event_id for event in run.events if kind_of(event) in CLOSING]
    if len(closings) > 1 or (closings and closings[0] != ids[-1]):
        yield f"closing events {closings} of {ids[-1]}"


def check_decisions(run: Run) -> Iterator[str]:
    """Scheduled, then Started or a schedule-to-start timeout, then Completed, Failed or TimedOut; one decision at a
    time."""
    scheduled = started = 0
    for event in run.events:
        kind, attributes, event_id = kind_of(event), attributes_of(event), event.event_id
        if kind == "decision_task_scheduled":
            if scheduled:
                yield f"decision {event_id} is scheduled while {scheduled} is open"
            scheduled, started = event_id, 0
        elif kind == "decision_task_started":
            if not scheduled or started or attributes.scheduled_event_id != scheduled:
                yield f"decision start {event_id} does not fit: scheduled {scheduled}, started {started}"
            started = event_id
        elif kind in DECISION_ENDS:
            unstarted = kind != "decision_task_completed" and not attributes.started_event_id and not started
            fits = attributes.scheduled_event_id == scheduled and (attributes.started_event_id == started or unstarted)
            if not scheduled or not fits or not (started or unstarted):
                yield f"decision end {event_id} does not fit: scheduled {scheduled}, started {started}"
            scheduled = started = 0


def check_references(run: Run) -> Iterator[str]:
    """Ids that events carry are of events before them, of the right kind."""
    kinds = {event.event_id: kind_of(event) for event in run.events}
    for event in run.events:
        kind, attributes = kind_of(event), attributes_of(event)
        for name, wanted in _references(kind):
            named = getattr(attributes, name, 0)
            if named and (named >= event.event_id or kinds.get(named) not in wanted):
                yield f"event {event.event_id} {kind} has {name} {named}, which is {kinds.get(named)}"
    timers = Counter(attributes_of(e).started_event_id for e in run.of_kind("timer_fired") + run.of_kind("timer_canceled"))
    for started, times in timers.items():
        if times > 1:
            yield f"timer {started} ended {times} times"


def _references(kind: str) -> list[tuple[str, tuple[str, ...]]]:
    found: list[tuple[str, tuple[str, ...]]] = families.references(kind)
    found += [("decision_task_completed_event_id", ("decision_task_completed",))]
    if kind.startswith("activity_task_"):
        found += [
            ("scheduled_event_id", ("activity_task_scheduled",)),
            ("started_event_id", ("activity_task_started",)),
        ]
        found += [("latest_cancel_requested_event_id", ("activity_task_cancel_requested",))]
    elif kind.startswith("timer_"):
        found += [("started_event_id", ("timer_started",))]
    return found


def check_activities(run: Run) -> Iterator[str]:
    """Each activity is started at most once in history and closed at most once, and closes after its start."""
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for event in run.events:
        kind = kind_of(event)
        if kind == "activity_task_started":
            scheduled = attributes_of(event).scheduled_event_id
            if scheduled in starts:
                yield f"activity {scheduled} is started at {starts[scheduled]} and {event.event_id}"
            starts[scheduled] = event.event_id
        elif kind in ACTIVITY_ENDS:
            attributes = attributes_of(event)
            scheduled = attributes.scheduled_event_id
            if scheduled in ends:
                yield f"activity {scheduled} ends at {ends[scheduled]} and {event.event_id}"
            ends[scheduled] = event.event_id
            if attributes.started_event_id != starts.get(scheduled, 0):
                yield f"activity end {event.event_id} names start {attributes.started_event_id}, not {starts.get(scheduled)}"


def check_end(run: Run) -> Iterator[str]:
    """It has closed, as its program or its clients wanted, and Describe says so."""
    if not run.closing:
        yield f"it has not finished; pending: {run.pending()}"
    if run.closing == "TIMED_OUT":
        yield "only its own timeout ended it"
    if run.closing == "FAILED" and attributes_of(run.events[-1]).failure.reason != "planned":
        yield "it failed unplanned"
    info = run.describe.workflow_execution_info
    status = api.WorkflowExecutionCloseStatus.Name(info.close_status).removeprefix("WORKFLOW_EXECUTION_CLOSE_STATUS_")
    if status != (run.closing or "INVALID"):
        yield f"it is described as {status}, but closed {run.closing or 'not at all'}"
    if info.history_length != len(run.events):
        yield f"it is described with {info.history_length} events and has {len(run.events)}"
    if run.closing and (run.describe.pending_activities or run.describe.HasField("pending_decision")):
        yield f"it is closed and has something pending:\n{run.describe}"


def check_times(run: Run) -> Iterator[str]:
    """Times never run back, but for events that waited in the buffer; and no timer fires before its time."""
    times = [
        event.event_time.ToNanoseconds()
        for event in run.events
        if kind_of(event).startswith("decision_task_") or kind_of(event) in CLOSING or made_by(event)
    ]
    if times != sorted(times):
        yield f"event times run back: {times}"
    started = {event.event_id: event for event in run.of_kind("timer_started")}
    for fired in run.of_kind("timer_fired"):
        start = started.get(attributes_of(fired).started_event_id)
        if start is None:
            continue
        waited_ns = fired.event_time.ToNanoseconds() - start.event_time.ToNanoseconds()
        if waited_ns < attributes_of(start).start_to_fire_timeout.ToNanoseconds() - 1_000_000_000:
            yield f"timer {start.event_id} fired after {waited_ns} ns"


def check_calm(run: Run) -> Iterator[str]:
    """Without faults nothing times out or fails, and decisions do not wait."""
    scheduled_ns: dict[int, int] = {}
    for event in run.events:
        kind, attributes = kind_of(event), attributes_of(event)
        if kind in ("decision_task_timed_out", "activity_task_timed_out") and not getattr(attributes, "base_run_id", ""):
            yield f"event {event.event_id} {kind} though nothing failed"
        if kind == "decision_task_failed" and attributes.cause not in (
            api.DECISION_TASK_FAILED_CAUSE_UNHANDLED_DECISION,
            api.DECISION_TASK_FAILED_CAUSE_FORCE_CLOSE_DECISION,
            api.DECISION_TASK_FAILED_CAUSE_RESET_WORKFLOW,
        ):
            yield f"event {event.event_id} {kind} though nothing failed"
        if kind == "decision_task_scheduled":
            scheduled_ns[event.event_id] = event.event_time.ToNanoseconds()
        if kind == "decision_task_started":
            now_ns = event.event_time.ToNanoseconds()
            waited_s = (now_ns - scheduled_ns.get(attributes.scheduled_event_id, now_ns)) / 1e9
            if waited_s > CALM_DECISION_WAIT_S:
                yield f"decision {event.event_id} waited {waited_s:.1f} s for a worker"


# --- what was acknowledged -------------------------------------------------------------------------------------------
def check_starts(observed: Observed, picture: Picture) -> Iterator[str]:
    """Each acknowledged start is a run that begins with that request; a request begins no two runs in a row: only the current
    run knows what it was begun by."""
    for start in observed.starts:
        run = picture.runs.get(start.run_id)
        if run is None or not run.events:
            yield f"the acknowledged start {start} is lost"
            continue
        began = run.started.request_id
        if began and began != start.request_id:
            yield f"{start} was acknowledged with a run begun by {began}"
    for workflow_id in {run.workflow_id: None for run in picture.runs.values()}:
        if workflow_id.startswith(VICTIMS):
            # A run that was deleted may have come between two that are left.
            continue
        runs = picture.of(workflow_id)
        for one, following in pairwise(runs):
            if one.forked_at or following.forked_at:
                # A fork begins with its base's request; and what it displaced is not known to it.
                continue
            if one.started.request_id and one.started.request_id == following.started.request_id:
                if any(_came_between(run, one, following) for run in runs):
                    continue
                yield f"request {one.started.request_id} of {workflow_id} began {one.run_id} and {following.run_id}"


def _came_between(fork: Run, one: Run, following: Run) -> bool:
    """Whether a fork may have been current after `one` and before `following`: it bears the time at which it was begun to be
    made, and takes its place when it is."""
    if not fork.forked_at:
        return False
    began_ns, ended_ns = fork.forked_at.event_time.ToNanoseconds(), fork.events[-1].event_time.ToNanoseconds()
    one_ns, following_ns = (run.events[0].event_time.ToNanoseconds() for run in (one, following))
    return began_ns <= following_ns and ended_ns >= one_ns


def check_one_open(picture: Picture) -> Iterator[str]:
    """A workflow id has one open run at most. (Forks are left out: they bear the time at which they were begun to be made.)"""
    for workflow_id in {run.workflow_id: None for run in picture.runs.values()}:
        runs = [run for run in picture.of(workflow_id) if not run.forked_at]
        for one, following in pairwise(runs):
            if not one.closing or one.events[-1].event_time.ToNanoseconds() > following.events[0].event_time.ToNanoseconds():
                yield f"{following.name} began while {one.name} was open"


def check_signals(observed: Observed, picture: Picture) -> Iterator[str]:
    """Each acknowledged signal is in the history, and none is twice in one run."""
    where: dict[str, list[str]] = {}
    for run in picture.runs.values():
        if run.workflow_id.startswith(SCHEDULERS):
            # Calls to a schedule have no request id: one that is tried again comes again.
            continue
        for event in run.of_kind("workflow_execution_signaled"):
            where.setdefault(attributes_of(event).input.data.decode(), []).append(run.run_id)
    for logical, runs in where.items():
        # What a workflow signals it signals again after a reset.
        may_repeat = bool(observed.resets) and logical.startswith("call ")
        twice = [run_id for run_id, times in Counter(runs).items() if times > 1 and not may_repeat]
        if twice:
            yield f"signal {logical} is several times in {twice}\n{picture.runs[twice[0]].text()}"
    for told in observed.signals:
        found = where.get(told.logical, [])
        if not found or (told.run_id and told.run_id not in found):
            yield f"the acknowledged signal {told} is lost; it is in {found}"


def check_requests(observed: Observed, picture: Picture) -> Iterator[str]:
    """Each acknowledged cancel request and termination is in the history."""
    requested = Counter(
        (run.workflow_id, attributes_of(event).request_id)
        for run in picture.runs.values()
        for event in run.of_kind("workflow_execution_cancel_requested")
    )
    for told in observed.cancels:
        if not requested[told.workflow_id, told.request_id]:
            yield f"the acknowledged cancel request {told} is lost"
    reasons = Counter(
        attributes_of(event).reason for run in picture.runs.values() for event in run.of_kind("workflow_execution_terminated")
    )
    for terminated in observed.terminations:
        if not reasons[terminated.reason]:
            yield f"the acknowledged termination {terminated} is lost"


def check_acknowledged_decisions(observed: Observed, picture: Picture) -> Iterator[str]:
    """Each acknowledged decision answer is in the history once, whole, made from the history as it stayed."""
    for decided in observed.decisions:
        run = picture.runs.get(decided.run_id)
        if run is None:
            yield f"the run of the acknowledged {decided} is lost"
            continue
        completed = [e for e in run.of_kind("decision_task_completed") if attributes_of(e).identity == decided.identity]
        failed = [e for e in run.of_kind("decision_task_failed") if attributes_of(e).identity == decided.identity]
        if not completed and decided.may_fail and (failed or decided.attempt > 0):
            continue
        if len(completed) != 1:
            yield f"the acknowledged {decided} is {len(completed)} times in the history\n{run.text()}"
            continue
        count = len({_carried_out(event) for event in run.events if made_by(event) == completed[0].event_id})
        if count != decided.decisions and not decided.may_fail:
            yield f"of {decided} {count} decisions were carried out\n{run.text()}"
        before = completed[0].event_id - 1
        seen = [event for event in decided.seen if event.event_id <= before - 2]
        if seen != run.events[: len(seen)] or attributes_of(completed[0]).started_event_id != decided.started_event_id:
            yield f"{decided} was made from another history than the one that stayed\n{run.text()}"


def made_by(event: api.HistoryEvent) -> int:
    """The completed decision that made an event; 0 for an event that none made."""
    if kind_of(event) in families.CALL_FAILURES:
        return 0
    return getattr(attributes_of(event), "decision_task_completed_event_id", 0)


def _carried_out(event: api.HistoryEvent) -> str:
    """Names the decision that made an event: that to cancel an activity which is not there any more makes two."""
    if kind_of(event) in ("activity_task_cancel_requested", "request_cancel_activity_task_failed"):
        return f"cancel {attributes_of(event).activity_id}"
    return str(event.event_id)


def check_deliveries(observed: Observed, picture: Picture) -> Iterator[str]:
    """Each activity attempt was handed out at most once."""
    handed = Counter((d.workflow_id, d.run_id, d.activity_id, d.attempt) for d in observed.deliveries)
    for attempt, times in handed.items():
        if times > 1:
            yield f"activity attempt {attempt} was handed out {times} times"


def check_answers(observed: Observed, picture: Picture) -> Iterator[str]:
    """At most one closing answer of an attempt is accepted, and an accepted completion is in the history."""
    accepted = Counter((a.run_id, a.activity_id, a.attempt) for a in observed.answers if a.attempt >= 0)
    for attempt, times in accepted.items():
        if times > 1:
            yield f"{times} answers of activity attempt {attempt} were accepted"
    for answer in observed.answers:
        if answer.outcome == "failed":
            continue
        run = picture.runs.get(answer.run_id)
        kind = f"activity_task_{answer.outcome}"
        found = [e for e in run.of_kind(kind) if attributes_of(e).identity == answer.identity] if run is not None else []
        if len(found) != 1:
            yield f"the acknowledged {answer} is {len(found)} times in the history\n{run.text() if run else ''}"


def check_resets(observed: Observed, picture: Picture) -> Iterator[str]:
    """A fork begins with the base's history, whole up to its point; each acknowledged reset is a fork, and has all signals that
    the base got after the point."""
    for run in picture.runs.values():
        point = run.forked_at
        base = None if point is None else picture.runs.get(attributes_of(point).base_run_id)
        if point is None:
            continue
        if base is None:
            yield f"{run.name} is a fork of a run that is lost"
        elif run.events[: point.event_id - 1] != base.events[: point.event_id - 1]:
            yield f"{run.name} does not begin as its base\n{base.text()}\nthen\n{run.text()}"
    for reset in observed.resets:
        if not reset.run_id:
            continue
        made, base = picture.runs.get(reset.run_id), picture.runs.get(reset.base_run_id)
        points = [event for event in made.events if getattr(attributes_of(event), "base_run_id", "")] if made else []
        if made is None or base is None or not any(_is_point(event, reset) for event in points):
            yield f"the acknowledged {reset} is lost\n{made.text() if made else ''}"
        elif reset.again:
            missing = _signals(base, reset.event_id) - _signals(made)
            if missing:
                yield f"signals {sorted(missing)} are lost in {reset}\n{base.text()}\nthen\n{made.text()}"


def _is_point(event: api.HistoryEvent, reset: Reset) -> bool:
    attributes = attributes_of(event)
    return (event.event_id, attributes.base_run_id, attributes.new_run_id, attributes.request_id) == (
        reset.event_id,
        reset.base_run_id,
        reset.run_id,
        reset.request_id,
    )


def _signals(run: Run, first_id: int = 1) -> set[str]:
    signaled = run.of_kind("workflow_execution_signaled")
    return {attributes_of(event).input.data.decode() for event in signaled if event.event_id >= first_id}


# --- runs among one another ------------------------------------------------------------------------------------------
def check_chains(picture: Picture) -> Iterator[str]:
    """A continued run and the one before name each other; a workflow id has at most one open run."""
    for run in picture.runs.values():
        started = run.started
        if run.closing == "CONTINUED_AS_NEW":
            following = picture.runs.get(attributes_of(run.events[-1]).new_execution_run_id)
            if following is None or following.started.continued_execution_run_id != run.run_id:
                yield f"{run.name} continues as a run that does not say so"
            elif following.started.first_execution_run_id != started.first_execution_run_id:
                yield f"{run.name} and the run it continues as have different first runs"
        if started.continued_execution_run_id and run.forked_at is None:
            before = picture.runs.get(started.continued_execution_run_id)
            if before is None or before.closing != "CONTINUED_AS_NEW":
                yield f"{run.name} continues a run that does not say so"
            elif attributes_of(before.events[-1]).new_execution_run_id != run.run_id:
                yield f"{run.name} continues a run that continues as another"
    opened = Counter(run.workflow_id for run in picture.runs.values() if not run.closing)
    for workflow_id, count in opened.items():
        if count > 1:
            yield f"{workflow_id} has {count} open runs"


def check_crons(picture: Picture) -> Iterator[str]:
    """A cron run follows one that ended, at a later time of the schedule, and is told of its result."""
    for run in picture.runs.values():
        before = picture.runs.get(run.started.continued_execution_run_id)
        if run.started.initiator != api.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE or before is None:
            continue
        ended = attributes_of(before.events[-1])
        for name in ("cron_schedule", "cron_overlap_policy", "first_scheduled_time", "input"):
            if getattr(run.started, name) != getattr(before.started, name):
                yield f"{run.name} and the cron run before have different {name}"
        if ended.initiator != run.started.initiator or ended.last_completion_result != run.started.last_completion_result:
            yield f"{run.name} begins otherwise than the run before says"
        ticks, ticks_before = (int(one.started.last_completion_result.data or b"0") for one in (run, before))
        if ticks != ticks_before + (not run.started.HasField("continued_failure")):
            yield f"{run.name} counts {ticks} runs, the one before {ticks_before}"
        if run.started.cron_overlap_policy == api.CRON_OVERLAP_POLICY_BUFFER_ONE:
            continue
        period_s = int(run.started.cron_schedule.removeprefix("@every ").removesuffix("s"))
        if _execution_s(run) - _execution_s(before) <= period_s - 1:
            yield f"{run.name} runs {_execution_s(run) - _execution_s(before):g} s after the one before, every {period_s} s"


def _execution_s(run: Run) -> float:
    start = run.events[0].event_time
    return start.seconds + start.nanos / 1e9 + run.started.first_decision_task_backoff.seconds


def check_listed(picture: Picture) -> Iterator[str]:
    """Visibility lists every run once, with the status that its history has."""
    listed = Counter(run_id for run_id, _status in picture.listed)
    statuses = dict(picture.listed)
    for run in picture.runs.values():
        if listed[run.run_id] != 1:
            yield f"{run.name} is listed {listed[run.run_id]} times"
            continue
        status = statuses[run.run_id]
        name = api.WorkflowExecutionCloseStatus.Name(status).removeprefix("WORKFLOW_EXECUTION_CLOSE_STATUS_")
        if name != (run.closing or "INVALID"):
            yield f"{run.name} is listed as {name} and is {run.closing or 'open'}"
