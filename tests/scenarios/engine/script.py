"""Scripts for the engine: a command with its input, `----`, what it gave; see README.md in the folder above.

    # text                    a comment, kept as it is
    COMMAND WORD ... NAME=VALUE ...
      INPUT LINE              (complete-decision: one decision a line)
    ----
    what it gave

Words are split as a shell does, so values may be quoted. `x~1001` is "x" 1001 times over. Nothing is ever evaluated: a command
or name that is not known is an error of the script.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.engine import activity, calls, child, close, decision_task, decisions, external, outside, start, tasks
from tenuto_server.history.engine.limits import Limits
from tenuto_server.history.engine.state import SECOND, Activity, CallKind, Decision
from tenuto_server.history.engine.turn import Turn
from tests.scenarios.engine import requests, shown
from tests.scenarios.engine.arrows import Arrows
from tests.scenarios.engine.requests import Words
from tests.scenarios.engine.world import DOMAIN, RETENTION_S, Outcome, RunInMemory, World

# As in the default settings.
HEARTBEATS_S = 1800

SEPARATOR = "----"


@dataclass
class Block:
    """One command of a script. `head` are the comments and blank lines before it."""

    head: list[str]
    command: str
    given: list[str]
    expected: list[str]
    line: int


def parse(text: str) -> tuple[list[Block], list[str]]:
    """The blocks of a script, and the comments after the last one."""
    blocks: list[Block] = []
    head: list[str] = []
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        if not line.strip() or line.startswith("#"):
            head.append(line)
            number += 1
            continue
        assert not line.startswith(" "), f"line {number + 1}: input without a command"
        block = Block(head, line, [], [], number + 1)
        head = []
        number += 1
        while number < len(lines) and lines[number].startswith(" "):
            block.given.append(lines[number])
            number += 1
        if number < len(lines) and lines[number] == SEPARATOR:
            number += 1
            while number < len(lines) and lines[number].strip():
                block.expected.append(lines[number])
                number += 1
        blocks.append(block)
    return blocks, head


def written(blocks: list[Block], tail: list[str]) -> str:
    """The text of a script."""
    lines: list[str] = []
    for number, block in enumerate(blocks):
        if number and not (block.head and not block.head[0].strip()):
            lines.append("")
        lines += [*block.head, block.command, *block.given]
        if block.expected:
            lines += [SEPARATOR, *block.expected]
    text = "\n".join([*lines, *tail]) + "\n"
    assert [block.command for block in parse(text)[0]] == [block.command for block in blocks], "a command was lost"
    return text


def play(text: str, arrows: Arrows | None = None) -> str:
    """The script with what its commands give now."""
    blocks, tail = parse(text)
    script = Script()
    for block in blocks:
        try:
            block.expected = script.do(block.command, block.given)
        except (AssertionError, errors.InvariantViolation) as error:
            raise AssertionError(f"line {block.line}, {block.command}: {error}") from error
    script.end()
    if arrows is not None:
        arrows.drawn.update(script.arrows.drawn)
    return written(blocks, tail)


class Script:
    """One world, driven by lines of text; `start` makes a new one. Commands act on the newest run, or the one that `use`
    named."""

    def __init__(self) -> None:
        self.arrows = Arrows()
        self.world = World()
        self.limits = self.world.limits
        self.run: RunInMemory | None = None
        self._commands: dict[str, Callable[[Words, list[str]], list[Outcome]]] = {
            "start": self.start,
            "start-with-signal": self.start_with_signal,
            "signal": self.signal,
            "cancel": self.cancel,
            "terminate": self.terminate,
            "reset": self.reset,
            "start-decision": self.start_decision,
            "complete-decision": self.complete_decision,
            "fail-decision": self.fail_decision,
            "unstick": self.unstick,
            "start-activity": self.start_activity,
            "complete-activity": self.complete_activity,
            "fail-activity": self.fail_activity,
            "cancel-activity": self.cancel_activity,
            "heartbeat": self.heartbeat,
            "child-started": self.child_started,
            "child-not-started": self.child_not_started,
            "child-closed": self.child_closed,
            "delivered": self.delivered,
            "undelivered": self.undelivered,
            "settled": self.settled,
            "advance": self.advance,
            "ring-late": self.ring_late,
        }

    def do(self, command: str, given: list[str]) -> list[str]:
        """What one command gives: records and tasks, or the error it is refused with."""
        words = Words(shlex.split(command))
        name = words.take()
        if name in ("show", "use", "poll", "limit"):
            lines = {"show": self.show, "use": self.use, "poll": self.poll, "limit": self.limit}[name](words)
            words.end()
            return lines
        if name.startswith("start-with") or name == "start":
            self.end()
            self.world = World()
            self.world.limits = self.limits
        known = set(self.world.runs)
        try:
            outcomes = self._commands[name](words, given)
        except errors.ServiceError as error:
            words.end()
            return [f"{type(error).__name__}: {error.message}"]
        words.end()
        return self._lines(outcomes, known) or ["nothing"]

    def end(self) -> None:
        """After the last command of a world: every run's whole log once more."""
        for run in self.world.runs.values():
            self.world.check_history(run)
        self.arrows.drawn.update(self.world.arrows.drawn)

    def _lines(self, outcomes: list[Outcome], known: set[str]) -> list[str]:
        lines: list[str] = []
        for outcome in outcomes:
            run_id = outcome.run.state.run_id
            if run_id not in known:
                self.run = outcome.run
            if run_id not in known and known:
                lines.append(f"{run_id} begins:")
            elif outcome.rang is not None:
                kind, key = outcome.rang
                lines.append(f"{shown.at(outcome.at_ns)} rings {kind.name.lower()}{' ' + key if key else ''}:")
            else:
                lines += shown.outcome_lines(outcome)
                continue
            lines += ["  " + line for line in shown.outcome_lines(outcome)]
        return lines

    def _current(self) -> RunInMemory:
        assert self.run is not None, "no run was started"
        return self.run

    def _new_run_id(self) -> str:
        return f"run-{len(self.world.runs) + 1}"

    # --- clients -----------------------------------------------------------------------------------------------------
    def start(self, words: Words, _given: list[str]) -> list[Outcome]:
        jitter_s, parent = words.seconds("jitter"), requests.parent(words)
        request = requests.start(words, self.world.now)
        return self.world.command(
            self.world.new_run(), lambda turn: start.start(turn, request, jitter_s, parent=parent)
        )

    def start_with_signal(self, words: Words, _given: list[str]) -> list[Outcome]:
        name = words.take()
        request = requests.start(words, self.world.now)

        def signaled(turn: Turn) -> None:
            outside.add_signal(turn, name, None, request.identity, request.request_id)

        return self.world.command(self.world.new_run(), lambda turn: start.start(turn, request, first=signaled))

    def signal(self, words: Words, _given: list[str]) -> list[Outcome]:
        name, request_id, payload = words.take(), words.text("id"), words.payload("input")
        times, run = words.number("times", 1), self._current()
        # Thousands of signals are checked once, with the last of them.
        self.world.fold_all = False
        for _ in range(times - 1):
            self.world.command(run, lambda turn: outside.signal(turn, name, payload, "client", request_id))
        self.world.fold_all = True
        return self.world.command(run, lambda turn: outside.signal(turn, name, payload, "client", request_id))

    def cancel(self, words: Words, _given: list[str]) -> list[Outcome]:
        request = api.RequestCancelWorkflowExecutionRequest(
            identity="client", request_id=words.text("id"), cause=words.text("cause")
        )
        return self.world.command(self._current(), lambda turn: outside.request_cancel(turn, request))

    def terminate(self, words: Words, _given: list[str]) -> list[Outcome]:
        reason, details = words.text("reason"), words.payload("details")
        return self.world.command(self._current(), lambda turn: close.terminate(turn, reason, details, "client"))

    def reset(self, words: Words, _given: list[str]) -> list[Outcome]:
        base = self.world.runs[words.text("run")] if words.has("run") else self._current()
        event_id = int(words.take())
        reason, request_id = words.text("reason") or "again", words.text("id") or self.world.new_id("reset")
        return self.world.fork(base, event_id, reason, request_id, again=not words.flag("skip"))

    # --- decision workers --------------------------------------------------------------------------------------------
    def start_decision(self, words: Words, _given: list[str]) -> list[Outcome]:
        run = self._current()
        pending = run.state.decision
        schedule_id = words.number("schedule", pending.schedule_id if pending else 0)
        attempt = words.number("attempt", pending.attempt if pending else 0)
        request_id = words.text("id") or self.world.new_id("poll")
        outcomes = self.world.command(
            run, lambda turn: decision_task.start(turn, schedule_id, attempt, request_id, "worker")
        )
        run.offered.pop((tasks.TaskKind.DECISION, schedule_id, attempt), None)
        return outcomes

    def complete_decision(self, words: Words, given: list[str]) -> list[Outcome]:
        run = self._current()
        request = requests.decisions(words, given)
        inline = words.flag("inline")
        limit_ns = words.number("heartbeats", HEARTBEATS_S) * SECOND
        new_run_id, poll_id = self._new_run_id(), self.world.new_id("poll") if inline else ""
        decision = self._started_decision(run, words)

        def act(turn: Turn) -> None:
            if decision_task.is_heartbeat(request) and decision_task.stop_heartbeats(turn, decision, limit_ns):
                return
            decisions.complete(turn, decision, request, DOMAIN, new_run_id)
            if inline:
                decision_task.start_inline(turn, poll_id, "worker")

        return self.world.command(run, act)

    def fail_decision(self, words: Words, _given: list[str]) -> list[Outcome]:
        run = self._current()
        name = words.text("cause") or "WORKFLOW_WORKER_UNHANDLED_FAILURE"
        cause: Any = api.DecisionTaskFailedCause.Value("DECISION_TASK_FAILED_CAUSE_" + name)
        details = words.text("details")
        decision = self._started_decision(run, words)

        def act(turn: Turn) -> None:
            failure = api.Failure(details=details.encode()) if details else None
            decision_task.fail(turn, decision, cause, "worker", failure)
            decision_task.schedule(turn)

        return self.world.command(run, act)

    def unstick(self, words: Words, _given: list[str]) -> list[Outcome]:
        run = self._current()
        pending = run.state.decision
        schedule_id = words.number("schedule", pending.schedule_id if pending else 0)
        reset = bool(words.number("reset", 0))
        return self.world.command(run, lambda turn: decision_task.unstick(turn, schedule_id, reset=reset))

    def _started_decision(self, run: RunInMemory, words: Words) -> Decision:
        pending = run.state.decision
        schedule_id = words.number("schedule", pending.schedule_id if pending else 0)
        attempt = words.number("attempt", pending.attempt if pending else 0)
        request_id = words.text("token") or (pending.request_id if pending else "")
        if not run.state.is_open:
            raise errors.WorkflowAlreadyCompleted
        return decision_task.started(run.state, schedule_id, attempt, request_id)

    # --- activity workers --------------------------------------------------------------------------------------------
    def start_activity(self, words: Words, _given: list[str]) -> list[Outcome]:
        run = self._current()
        pending = run.state.activity_by_id(words.take())
        schedule_id = words.number("schedule", pending.schedule_id if pending else 0)
        attempt = words.number("attempt", pending.attempt if pending else 0)
        request_id, identity = words.text("id") or self.world.new_id("poll"), words.text("by") or "worker"
        outcomes = self.world.command(
            run, lambda turn: activity.start(turn, schedule_id, attempt, request_id, identity)
        )
        run.offered.pop((tasks.TaskKind.ACTIVITY, schedule_id, attempt), None)
        return outcomes

    def complete_activity(self, words: Words, _given: list[str]) -> list[Outcome]:
        result = words.payload("result")
        run, pending = self._started_activity(words)
        return self.world.command(run, lambda turn: activity.complete(turn, pending, result, "worker"))

    def fail_activity(self, words: Words, _given: list[str]) -> list[Outcome]:
        failure = api.Failure(reason=words.last(), details=words.text("details").encode())
        progress = words.payload("progress")
        run, pending = self._started_activity(words)
        return self.world.command(run, lambda turn: activity.fail(turn, pending, failure, "worker", progress))

    def cancel_activity(self, words: Words, _given: list[str]) -> list[Outcome]:
        details = words.payload("details")
        run, pending = self._started_activity(words)
        return self.world.command(run, lambda turn: activity.cancel(turn, pending, details, "worker"))

    def heartbeat(self, words: Words, _given: list[str]) -> list[Outcome]:
        details = words.payload("details")
        run, pending = self._started_activity(words)
        return self.world.command(run, lambda turn: activity.heartbeat(turn, pending, details))

    def _started_activity(self, words: Words) -> tuple[RunInMemory, Activity]:
        """The activity by its id, or by its token where `token=`, `schedule=` or `attempt=` is given."""
        run = self._current()
        activity_id, token = words.take(), words.text("token")
        pending = run.state.activity_by_id(activity_id)
        schedule_id = words.number("schedule", pending.schedule_id if pending else 0)
        attempt = words.number("attempt", pending.attempt if pending else 0)
        if not run.state.is_open:
            raise errors.WorkflowAlreadyCompleted
        if token:
            return run, activity.started(run.state, schedule_id, attempt, token)
        return run, activity.started_by_id(run.state, activity_id)

    # --- other workflows ---------------------------------------------------------------------------------------------
    def child_started(self, words: Words, _given: list[str]) -> list[Outcome]:
        run, initiated = self._initiated(words)
        run_id = child.run_id_of(run.state.run_id, initiated.event_id)
        return self.world.command(run, lambda turn: child.started(turn, initiated, run_id))

    def child_not_started(self, words: Words, _given: list[str]) -> list[Outcome]:
        run, initiated = self._initiated(words)
        return self.world.command(run, lambda turn: child.start_failed(turn, initiated))

    def child_closed(self, words: Words, _given: list[str]) -> list[Outcome]:
        run, initiated = self._initiated(words)
        how, first_run_id = words.take(), words.text("first") or child.run_id_of(run.state.run_id, initiated.event_id)
        wanted = initiated.start_child_workflow_execution_initiated_event_attributes
        execution = api.WorkflowExecution(workflow_id=wanted.workflow_id, run_id=words.text("run") or first_run_id)
        told = child.Closed(
            initiated.event_id, execution, first_run_id, requests.closing_event(how, words.text("value"))
        )
        return self.world.command(run, lambda turn: child.closed(turn, told, initiated))

    def delivered(self, words: Words, _given: list[str]) -> list[Outcome]:
        run, initiated = self._initiated(words)
        return self.world.command(run, lambda turn: external.delivered(turn, initiated))

    def undelivered(self, words: Words, _given: list[str]) -> list[Outcome]:
        run, initiated = self._initiated(words)
        has_completed = words.flag("completed")
        return self.world.command(run, lambda turn: external.failed(turn, initiated, has_completed))

    def settled(self, words: Words, _given: list[str]) -> list[Outcome]:
        """A close policy was applied, or the parent was told."""
        run, kind = self._current(), CallKind[words.take().upper().replace("-", "_")]
        initiated_id = 0 if kind is CallKind.TELL_PARENT else int(words.take())
        call = calls.Call(kind, initiated_id, "", "")
        return self.world.command(run, lambda turn: calls.settled(turn, call))

    def _initiated(self, words: Words) -> tuple[RunInMemory, api.HistoryEvent]:
        run = self._current()
        return run, run.event(int(words.take()))

    # --- time --------------------------------------------------------------------------------------------------------
    def advance(self, words: Words, _given: list[str]) -> list[Outcome]:
        """Time moves on by so much; alarms ring at their times."""
        return self.world.advance(self.world.now + words.nanoseconds(), self._new_run_id)

    def ring_late(self, words: Words, _given: list[str]) -> list[Outcome]:
        """Time moves on while nobody looks (the process was away): alarms ring at its end."""
        self.world.now += words.nanoseconds()
        return self.world.advance(self.world.now, self._new_run_id)

    def limit(self, words: Words) -> list[str]:
        """Limits from now on; without words the usual ones."""
        known = {name.replace("_", "-"): name for name in Limits.__dataclass_fields__}
        given = {name: words.number(word, 0) for word, name in known.items() if words.has(word)}
        self.limits = self.world.limits = Limits(**{"retention_s": RETENTION_S, **given})
        return []

    # --- looking -----------------------------------------------------------------------------------------------------
    def use(self, words: Words) -> list[str]:
        self.run = self.world.runs[words.take()]
        return []

    def poll(self, _words: Words) -> list[str]:
        """The events of a transient decision, as its worker is shown them."""
        state = self._current().state
        assert state.decision is not None
        first = f"previous started {state.previous_started_id}, attempt {state.decision.attempt}"
        if not state.decision.attempt:
            return [first]
        events = decision_task.transient_events(state, state.decision)
        return [first, *(shown.event_line(event, self.world.now) for event in events)]

    def show(self, _words: Words) -> list[str]:
        """The state: what is pending."""
        state = self._current().state
        status = "open" if state.is_open else f"closed {state.close_status}"
        lines = [f"{state.run_id} {status}, next event {state.next_event_id}, now {shown.at(self.world.now)}"]
        sticky = f"{state.sticky_task_list}/{state.sticky_timeout_s}s" if state.sticky_task_list else ""
        for name, value in (
            ("sticky", sticky),
            ("decision attempt", state.decision_attempt),
            ("signals", state.signal_count),
            ("cancel requested by", state.cancel_request_id),
            ("next run", state.next_run_id),
            ("workflow attempt", state.attempt),
            ("made for", state.start_request_id if state.reset_ns else ""),
            ("comes of", " ".join(f"{run_id}/{request}" for request, run_id in state.earlier_requests.items())),
            ("reset points", " ".join(shown.reset_point(point) for point in state.reset_points)),
        ):
            if value:
                lines.append(f"{name}: {value}")
        if state.is_open:
            lines.append(f"times out at {shown.at(start.execution_deadline_ns(state))}")
        if state.search_attributes:
            lines.append(f"search: {shown.value_text(api.SearchAttributes.FromString(state.search_attributes))}")
        for pending in (
            [state.decision] if state.decision else [], state.activities.values(), state.timers.values(),
            state.children.values(), state.externals.values(),
        ):  # fmt: skip
            lines += [f"{type(one).__name__.lower()} {_fields(one)}" for one in pending]
        lines += [f"buffered {shown.event_line(_event(data), self.world.now)}" for data in state.buffered]
        return lines


def _event(data: bytes) -> api.HistoryEvent:
    return api.HistoryEvent.FromString(data)


def _fields(struct: object) -> str:
    """Fields of a state's struct that are set, times from the start of the script."""
    assert isinstance(struct, msgspec.Struct)
    words = []
    for name, value in msgspec.structs.asdict(struct).items():
        if not value:
            continue
        if name.endswith("_ns"):
            words.append(f"{name.removesuffix('_ns')}={shown.at(value)}")
        elif isinstance(value, bytes):
            words.append(f"{name}={shown.internal_text(name, value)}")
        elif isinstance(value, msgspec.Struct):
            words.append(f"{name}({_fields(value)})")
        else:
            words.append(f"{name}={value}")
    return " ".join(words)
