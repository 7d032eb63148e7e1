"""One schedule in a world of seconds: its core, runs that close when they are told to, and a server that may be away."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from tenuto_api import api
from tenuto_server.rules.durations import SECOND
from tenuto_server.worker_host.schedules import core
from tenuto_server.worker_host.schedules.core import Core, Fire, Outcome, Run, State, Verdict
from tenuto_server.worker_host.schedules.times import rfc3339

# 2026-01-01T00:00:00Z
BEGIN_NS = 1_767_225_600 * SECOND
OVERLAPS = {
    "skip": core.SKIP_NEW,
    "buffer": core.BUFFER,
    "concurrent": core.CONCURRENT,
    "cancel": core.CANCEL_PREVIOUS,
    "terminate": core.TERMINATE_PREVIOUS,
}
CATCH_UPS = {"skip": core.CATCH_UP_SKIP, "one": core.CATCH_UP_ONE, "all": core.CATCH_UP_ALL}


def name_of(fire: Fire) -> str:
    """A run's name: its time of day, and its backfill."""
    time = rfc3339(fire.time_ns)[11:-1]
    return f"{time}/{fire.backfill_id}" if fire.backfill_id else time


@dataclass
class World:
    """`open` are the runs that are really open: the schedule may think so of more."""

    request: api.CreateScheduleRequest
    now_ns: int = BEGIN_NS
    failing: bool = False
    open: list[Run] = field(default_factory=list)
    handed_out: list[Fire] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    state: State = field(init=False)
    core: Core = field(init=False)

    def __post_init__(self) -> None:
        self.state = core.new_state(self.request, self.now_ns)
        self.core = Core(self.request, self.state)

    def say(self, text: str) -> None:
        """A line of what happened, with the seconds since the beginning."""
        self.lines.append(f"{(self.now_ns - BEGIN_NS) / SECOND:.10g}s: {text}")

    def step(self) -> bool:
        """What the workflow does when it has woken; whether there was anything to start."""
        fires = self.core.plan(self.now_ns)
        for fire in fires:
            self.handed_out.append(fire)
            self._try(fire)
        return bool(fires)

    def pass_time(self, seconds: float) -> None:
        """Time passes with the server there: it wakes when it wanted to."""
        until_ns = self.now_ns + round(seconds * SECOND)
        while True:
            while self.step():
                pass
            wake_ns = self.core.wake_ns(self.now_ns)
            # As in the workflow: a plan that did not get through goes on a second later.
            wake_ns = None if wake_ns is None else wake_ns if wake_ns > self.now_ns else self.now_ns + SECOND
            if wake_ns is None or wake_ns > until_ns:
                break
            self.now_ns = wake_ns
        self.now_ns = until_ns

    def away(self, seconds: float) -> None:
        """Time passes with no server, and then it is back."""
        self.core.wake_ns(self.now_ns)
        self.now_ns += round(seconds * SECOND)
        self.pass_time(0)

    def close(self, name: str, *, failed: bool, seen: bool) -> None:
        """A run closes; `seen`: the schedule is told."""
        run = next(run for run in self.open if run.workflow_id == name)
        self.open.remove(run)
        if seen:
            self.core.closed(run, self.now_ns, failed=failed)

    def continue_as_new(self) -> None:
        """The workflow begins another run with what the last one wrote down."""
        written = msgspec.json.encode(self.core.state)
        request = api.CreateScheduleRequest.FromString(self.core.request.SerializeToString())
        assert msgspec.json.decode(written, type=State) == self.core.state
        self.state = msgspec.json.decode(written, type=State)
        self.core = Core(request, self.state)

    def _try(self, fire: Fire) -> None:
        """As the activity does: looks at the runs thought to be open, and acts on what the policy says."""
        if self.failing:
            self.say(f"fail {name_of(fire)}")
            self.core.tried(fire, Outcome.FAILED)
            return
        limit = core.concurrency_limit(self.core.request.policies)
        for run in list(self.state.running):
            if core.verdict(fire.overlap, len(self.state.running), limit) is Verdict.START:
                break
            if run not in self.open:
                self.core.closed(run, self.now_ns, failed=False)
        decided = core.verdict(fire.overlap, len(self.state.running), limit)
        if decided is Verdict.SKIP:
            self.say(f"skip {name_of(fire)}")
            self.core.tried(fire, Outcome.SKIPPED)
            return
        if decided in (Verdict.CANCEL, Verdict.TERMINATE):
            for run in self.state.running:
                self.say(f"{decided.name.lower()} {run.workflow_id}")
                if decided is Verdict.TERMINATE:
                    self.open.remove(run)
        run = Run(name_of(fire), str(len(self.handed_out)))
        self.say(f"start {name_of(fire)}")
        self.open.append(run)
        self.core.tried(fire, Outcome.STARTED, run)
