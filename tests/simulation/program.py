"""The workflows that the simulation runs: a plan, made from a seed, and the decisions it asks for.

A plan is a list of phases, each a list of items that start together; a phase is over when all its items are closed, and
the plan ends by completing, failing or continuing as new. What to decide is a function of the whole history alone, so
any worker, at any time, twice or late, decides the same.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from google.protobuf.duration_pb2 import Duration

from tenuto_api import api

WORKFLOW_TYPE = "program"
ACTIVITY_TYPE = "step"
DECISION_TIMEOUT_S = 5
ACTIVITY_TIMEOUT_S = 8
HEARTBEAT_TIMEOUT_S = 3
EXECUTION_TIMEOUT_S = 7200

# Whom programs call; the last is never there.
TARGETS = ("wf-0", "wf-1", "wf-0/0/0.0", "nobody")
# A child that is left alone and that its parent's close policy is to end waits for that.
LEFT_S = 5000

CLOSING = {
    "workflow_execution_completed": "COMPLETED",
    "workflow_execution_failed": "FAILED",
    "workflow_execution_timed_out": "TIMED_OUT",
    "workflow_execution_canceled": "CANCELED",
    "workflow_execution_terminated": "TERMINATED",
    "workflow_execution_continued_as_new": "CONTINUED_AS_NEW",
}


def kind_of(event: api.HistoryEvent) -> str:
    """ "decision_task_started" and the like; empty for an event without attributes."""
    return (event.WhichOneof("attributes") or "").removesuffix("_event_attributes")


def attributes_of(event: api.HistoryEvent) -> Any:
    """The event's attributes message."""
    return getattr(event, event.WhichOneof("attributes") or "")


def seconds(value: float) -> Duration:
    """A Duration of so many seconds."""
    return Duration(seconds=int(value), nanos=round((value - int(value)) * 1e9))


@dataclass(slots=True)
class Item:
    """One thing a phase waits for. kind: activity, timer, marker, signals, child, signal-other or cancel-other. `cancel`: an
    activity or timer that is cancelled once another item of its phase has closed. `count`: how many signals; `after_s`: a
    timer's time, or when to stop waiting for signals; `policy`: the close policy of a child, `leave`: nobody waits for it;
    `target`: the workflow that is called; `shared`: its workflow id may be another parent's child's."""

    kind: str
    id: str
    cancel: bool = False
    retry: bool = False
    heartbeat: bool = False
    count: int = 0
    after_s: int = 1
    polite: bool = True
    policy: str = ""
    leave: bool = False
    target: str = ""
    shared: bool = False


@dataclass(slots=True)
class Plan:
    """`generation` counts from 0 to `generations` - 1 along a chain of continue-as-new; `seed` names the workflow's
    chance."""

    seed: str
    task_list: str
    phases: list[list[Item]] = field(default_factory=list)
    generation: int = 0
    generations: int = 1
    end: str = "complete"
    heed_cancel: bool = True
    # Of a cron workflow: how many runs are to come to their end.
    ticks: int = 0

    def encode(self) -> bytes:
        """As a workflow's input."""
        return json.dumps(asdict(self)).encode()

    @staticmethod
    def decode(data: bytes) -> Plan:
        """From a workflow's input."""
        fields = json.loads(data)
        fields["phases"] = [[Item(**item) for item in phase] for phase in fields["phases"]]
        return Plan(**fields)


def random_plan(seed: str, task_list: str, *, polite: bool, children: bool = True) -> Plan:
    """A plan of one to four phases. `polite`: its activities always answer well and in time."""
    chance = random.Random(f"plan:{seed}")
    plan = Plan(seed, task_list)
    plan.generations = chance.choice([1, 1, 1, 2, 3])
    plan.end = "complete" if chance.random() < 0.8 else "fail"
    plan.heed_cancel = chance.random() < 0.7
    kinds = ["activity"] * 5 + ["timer"] * 3 + ["marker", "signals"]
    kinds += ["child", "child", "signal-other", "signal-other", "cancel-other"] if children else []
    for phase in range(chance.randint(1, 4)):
        items = []
        for number in range(chance.choice([1, 1, 2, 3])):
            item = Item(chance.choice(kinds), f"{phase}.{number}")
            item.cancel = number > 0 and chance.random() < 0.3
            item.retry = chance.random() < 0.5
            item.heartbeat = chance.random() < 0.3
            item.count = chance.randint(1, 2)
            item.after_s = chance.choice([1, 1, 2, 5]) if item.kind == "timer" else chance.choice([5, 15])
            item.polite = polite or chance.random() < 0.6
            if children:
                item.policy = chance.choice(["", "TERMINATE", "REQUEST_CANCEL", "ABANDON"])
                item.leave = item.kind == "child" and chance.random() < 0.3
                item.target = chance.choice(TARGETS)
                item.shared = chance.random() < 0.2
            items.append(item)
        plan.phases.append(items)
    return plan


class _Seen:
    """What a history says about the items of a plan, by item id."""

    def __init__(self, events: Iterable[api.HistoryEvent]) -> None:
        self.plan: Plan | None = None
        self.run_id = ""
        self.cron = False
        # How many cron runs before this one completed.
        self.ticks = 0
        self.begun: dict[str, None] = {}
        self.closed: dict[str, str] = {}
        self.cancelled: dict[str, None] = {}
        self.signals = 0
        self.cancel_requested = False
        self._activities: dict[int, str] = {}
        self._timers: dict[int, str] = {}
        self._children: dict[int, str] = {}
        self._calls: dict[int, str] = {}
        for event in events:
            self._take(event)

    def _take(self, event: api.HistoryEvent) -> None:
        kind, attributes = kind_of(event), attributes_of(event)
        if kind == "workflow_execution_started":
            self.plan = Plan.decode(attributes.input.data)
            self.run_id = attributes.original_execution_run_id
            self.cron = bool(attributes.cron_schedule)
            self.ticks = int(attributes.last_completion_result.data or b"0") if self.cron else 0
        elif kind == "workflow_execution_signaled":
            self.signals += 1
        elif kind == "workflow_execution_cancel_requested":
            self.cancel_requested = True
        elif kind == "marker_recorded":
            self.begun[attributes.marker_name] = None
            self.closed[attributes.marker_name] = "recorded"
        elif kind.startswith("timer_"):
            self._take_timer(kind, event.event_id, attributes)
        elif "external_workflow" in kind:
            self._take_call(kind, event.event_id, attributes)
        elif "child_workflow" in kind:
            self._take_child(kind, event.event_id, attributes)
        elif kind.startswith("activity_task_"):
            self._take_activity(kind, event.event_id, attributes)

    def _take_timer(self, kind: str, event_id: int, attributes: Any) -> None:
        if kind == "timer_started":
            self.begun[attributes.timer_id] = None
        else:
            self.closed[attributes.timer_id] = kind

    def _take_activity(self, kind: str, event_id: int, attributes: Any) -> None:
        if kind == "activity_task_scheduled":
            self._activities[event_id] = attributes.activity_id
            self.begun[attributes.activity_id] = None
        elif kind == "activity_task_cancel_requested":
            self.cancelled[attributes.activity_id] = None
        elif kind != "activity_task_started":
            self.closed[self._activities[attributes.scheduled_event_id]] = kind

    def _take_child(self, kind: str, event_id: int, attributes: Any) -> None:
        if kind == "start_child_workflow_execution_initiated":
            self._children[event_id] = item = attributes.workflow_id.rpartition("/")[2]
            self.begun[item] = None
        elif kind != "child_workflow_execution_started":
            self.closed[self._children[attributes.initiated_event_id]] = kind


    def _take_call(self, kind: str, event_id: int, attributes: Any) -> None:
        if kind.endswith("_initiated"):
            self._calls[event_id] = item = attributes.control.decode()
            self.begun[item] = None
        else:
            self.closed[self._calls[attributes.initiated_event_id]] = kind


def decide(events: Sequence[api.HistoryEvent], workflow_id: str) -> list[api.Decision]:
    """The decisions for a history that ends with a started decision task. Raises AssertionError for one without a
    start."""
    seen = _Seen(events)
    plan = seen.plan
    assert plan is not None, "a history without its first event"
    if seen.cancel_requested and plan.heed_cancel:
        return [api.Decision(cancel_workflow_execution_decision_attributes=api.CancelWorkflowExecutionDecisionAttributes())]
    for phase in plan.phases:
        open_items = [item for item in phase if not _closed(item, seen)]
        if not open_items:
            continue
        some_closed = len(open_items) < len(phase)
        decisions = [decision for item in open_items for decision in _decide_item(item, seen, plan, workflow_id, some_closed)]
        # A marker closes as it is recorded and a timer as it is cancelled, and nothing wakes the workflow for that: what
        # follows is decided along with it.
        closing = [event for decision in decisions if (event := _closes_at_once(decision)) is not None]
        if len(closing) < len(open_items):
            return decisions
        return decisions + decide([*events, *closing], workflow_id)
    return [_cron_ending(plan, seen) if seen.cron else _ending(plan)]


def _closes_at_once(decision: api.Decision) -> api.HistoryEvent | None:
    """The event by which a decision closes its item, where it does."""
    if decision.HasField("record_marker_decision_attributes"):
        name = decision.record_marker_decision_attributes.marker_name
        marker = api.MarkerRecordedEventAttributes(marker_name=name)
        return api.HistoryEvent(marker_recorded_event_attributes=marker)
    if decision.HasField("cancel_timer_decision_attributes"):
        timer = api.TimerCanceledEventAttributes(timer_id=decision.cancel_timer_decision_attributes.timer_id)
        return api.HistoryEvent(timer_canceled_event_attributes=timer)
    child = decision.start_child_workflow_execution_decision_attributes
    if child.control == b"leave":
        initiated = api.StartChildWorkflowExecutionInitiatedEventAttributes(workflow_id=child.workflow_id)
        return api.HistoryEvent(start_child_workflow_execution_initiated_event_attributes=initiated)
    return None


def _closed(item: Item, seen: _Seen) -> bool:
    if item.leave:
        return item.id in seen.begun
    if item.kind == "signals":
        return seen.signals >= item.count or item.id in seen.closed
    return item.id in seen.closed


def _decide_item(item: Item, seen: _Seen, plan: Plan, workflow_id: str, some_closed: bool) -> list[api.Decision]:
    if item.id not in seen.begun:
        return [_begin(item, plan, workflow_id, seen.run_id)]
    if not (item.cancel and some_closed and item.id not in seen.cancelled):
        return []
    if item.kind == "activity":
        cancel = api.RequestCancelActivityTaskDecisionAttributes(activity_id=item.id)
        return [api.Decision(request_cancel_activity_task_decision_attributes=cancel)]
    if item.kind == "timer":
        return [api.Decision(cancel_timer_decision_attributes=api.CancelTimerDecisionAttributes(timer_id=item.id))]
    return []


def _begin(item: Item, plan: Plan, workflow_id: str, run_id: str) -> api.Decision:
    if item.kind == "activity":
        return api.Decision(schedule_activity_task_decision_attributes=_activity(item, plan))
    if item.kind == "marker":
        return api.Decision(record_marker_decision_attributes=api.RecordMarkerDecisionAttributes(marker_name=item.id))
    if item.kind == "child":
        return api.Decision(start_child_workflow_execution_decision_attributes=_child(item, plan, workflow_id))
    if item.kind.endswith("-other"):
        return _call(item, run_id)
    timer = api.StartTimerDecisionAttributes(timer_id=item.id, start_to_fire_timeout=seconds(item.after_s))
    return api.Decision(start_timer_decision_attributes=timer)


def _activity(item: Item, plan: Plan) -> api.ScheduleActivityTaskDecisionAttributes:
    attributes = api.ScheduleActivityTaskDecisionAttributes(
        activity_id=item.id,
        activity_type=api.ActivityType(name=ACTIVITY_TYPE),
        task_list=api.TaskList(name=plan.task_list),
        input=api.Payload(data=json.dumps([plan.seed, plan.generation, item.polite, item.heartbeat]).encode()),
        schedule_to_start_timeout=seconds(600),
        schedule_to_close_timeout=seconds(600),
        start_to_close_timeout=seconds(ACTIVITY_TIMEOUT_S),
    )
    if item.heartbeat:
        attributes.heartbeat_timeout.CopyFrom(seconds(HEARTBEAT_TIMEOUT_S))
    if item.retry:
        attributes.retry_policy.initial_interval.CopyFrom(seconds(1))
        attributes.retry_policy.backoff_coefficient = 2.0
        attributes.retry_policy.maximum_interval.CopyFrom(seconds(4))
        attributes.retry_policy.maximum_attempts = 4
        attributes.retry_policy.non_retryable_error_reasons.append("fatal")
    return attributes


def _child(item: Item, plan: Plan, workflow_id: str) -> api.StartChildWorkflowExecutionDecisionAttributes:
    child = random_plan(f"{plan.seed}/{plan.generation}/{item.id}", plan.task_list, polite=item.polite, children=False)
    child.generations = min(child.generations, 2)
    is_last = plan.generation + 1 == plan.generations and not plan.ticks
    if item.leave and is_last and item.policy != "ABANDON":
        child.phases.append([Item("timer", "left", after_s=LEFT_S)])
        child.heed_cancel = True
    policy: Any = api.ParentClosePolicy.Value(f"PARENT_CLOSE_POLICY_{item.policy or 'INVALID'}")
    return api.StartChildWorkflowExecutionDecisionAttributes(
        workflow_id=f"shared/{item.id}" if item.shared else f"{workflow_id}/{plan.generation}/{item.id}",
        workflow_type=api.WorkflowType(name=WORKFLOW_TYPE),
        task_list=api.TaskList(name=plan.task_list),
        input=api.Payload(data=child.encode()),
        execution_start_to_close_timeout=seconds(EXECUTION_TIMEOUT_S),
        task_start_to_close_timeout=seconds(DECISION_TIMEOUT_S),
        workflow_id_reuse_policy=api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
        parent_close_policy=policy,
        control=b"leave" if item.leave else b"",
    )


def _cron_ending(plan: Plan, seen: _Seen) -> api.Decision:
    """Counts the runs that completed; some fail first. Cancels itself at the last, for nothing else ends a schedule."""
    if plan.ticks <= seen.ticks + 1:
        return api.Decision(cancel_workflow_execution_decision_attributes=api.CancelWorkflowExecutionDecisionAttributes())
    if random.Random(f"tick:{seen.run_id}").random() < 0.3:
        failed = api.FailWorkflowExecutionDecisionAttributes(failure=api.Failure(reason="planned"))
        return api.Decision(fail_workflow_execution_decision_attributes=failed)
    completed = api.CompleteWorkflowExecutionDecisionAttributes(result=api.Payload(data=str(seen.ticks + 1).encode()))
    return api.Decision(complete_workflow_execution_decision_attributes=completed)


def _call(item: Item, run_id: str) -> api.Decision:
    target = api.WorkflowExecution(workflow_id=item.target)
    if item.kind == "cancel-other":
        cancel = api.RequestCancelExternalWorkflowExecutionDecisionAttributes(
            workflow_execution=target, control=item.id.encode()
        )
        return api.Decision(request_cancel_external_workflow_execution_decision_attributes=cancel)
    logical = f"call {run_id} {item.id}"
    signal = api.SignalExternalWorkflowExecutionDecisionAttributes(
        workflow_execution=target,
        signal_name="signal",
        input=api.Payload(data=logical.encode()),
        control=item.id.encode(),
    )
    return api.Decision(signal_external_workflow_execution_decision_attributes=signal)


def _ending(plan: Plan) -> api.Decision:
    if plan.generation + 1 < plan.generations:
        following = Plan.decode(plan.encode())
        following.generation += 1
        again = api.ContinueAsNewWorkflowExecutionDecisionAttributes(input=api.Payload(data=following.encode()))
        return api.Decision(continue_as_new_workflow_execution_decision_attributes=again)
    if plan.end == "fail":
        failure = api.Failure(reason="planned")
        failed = api.FailWorkflowExecutionDecisionAttributes(failure=failure)
        return api.Decision(fail_workflow_execution_decision_attributes=failed)
    completed = api.CompleteWorkflowExecutionDecisionAttributes(result=api.Payload(data=plan.seed.encode()))
    return api.Decision(complete_workflow_execution_decision_attributes=completed)
