"""Runs the scripts beside this file against the core of schedules.

A script is a sequence of blocks: commands, a line "----", what they gave. `REWRITE=1 pytest ...` writes what they give now into
the scripts, so that a change of behaviour is a diff to read. The world begins at midnight.

    schedule CRON [overlap= catch-up= window= start= end= jitter= buffer= concurrency= id=] [paused] [pause-on-failure]
                                    a new schedule, now; in cron a _ stands for a space, times are seconds
    pass SECONDS                    time passes, and the schedule does what it has to
    away SECONDS                    time passes without any server, which then is back
    close RUN [failed] [unseen]     a run closes; unseen: the schedule has not been told yet
    pause [REASON], unpause [catch-up=]
    update [cron= start= end= overlap= catch-up= window= buffer= concurrency= type=]
    backfill FROM TO ID [overlap=]  seconds since the beginning
    failing yes|no                  whether starts are refused
    continue                        the workflow continues as new
    show                            the description
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tenuto_api import api
from tenuto_server.rules.durations import SECOND
from tenuto_server.worker_host.schedules.times import rfc3339, timestamp
from tests.scenarios.playing import check, play
from tests.scenarios.schedules.world import BEGIN_NS, CATCH_UPS, OVERLAPS, World

SCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))
Named = dict[str, str]


def at(seconds: str) -> int:
    return BEGIN_NS + round(float(seconds) * SECOND)


def fill_spec(spec: api.ScheduleSpec, cron: str, named: Named) -> None:
    spec.cron_expression = cron.replace("_", " ")
    if "start" in named:
        spec.start_time.CopyFrom(timestamp(at(named["start"])))
    if "end" in named:
        spec.end_time.CopyFrom(timestamp(at(named["end"])))
    if "jitter" in named:
        spec.jitter.seconds = int(named["jitter"])


def fill_policies(policies: api.SchedulePolicies, named: Named) -> None:
    policies.overlap_policy = OVERLAPS.get(named.get("overlap", ""), 0)  # type: ignore[assignment]
    policies.catch_up_policy = CATCH_UPS.get(named.get("catch-up", ""), 0)  # type: ignore[assignment]
    policies.catch_up_window.seconds = int(named.get("window", 0))
    policies.buffer_limit = int(named.get("buffer", 0))
    policies.concurrency_limit = int(named.get("concurrency", 0))


class Script:
    """One world, driven by lines of text."""

    def __init__(self) -> None:
        self.world = World(self.new_request("@hourly", {}))
        self.commands: dict[str, Callable[[list[str], Named], None]] = {
            "schedule": self.schedule,
            "pass": lambda words, _: self.world.pass_time(float(words[0])),
            "away": lambda words, _: self.world.away(float(words[0])),
            "close": self.close,
            "pause": self.pause,
            "unpause": self.unpause,
            "update": self.update,
            "backfill": self.backfill,
            "failing": lambda words, _: setattr(self.world, "failing", words[0] == "yes"),
            "continue": lambda _words, _: self.world.continue_as_new(),
            "show": self.show,
        }

    def do(self, line: str) -> list[str]:
        """What one command gives."""
        name, *words = line.split()
        named = dict(word.split("=", 1) for word in words if "=" in word and not word.startswith("TZ="))
        self.world.lines.clear()
        self.commands[name]([word for word in words if word.split("=")[0] not in named], named)
        return list(self.world.lines)

    def new_request(self, cron: str, named: Named) -> api.CreateScheduleRequest:
        request = api.CreateScheduleRequest(schedule_id=named.get("id", "s"))
        fill_spec(request.spec, cron, named)
        fill_policies(request.policies, named)
        request.action.start_workflow.workflow_type.name = "greet"
        return request

    def schedule(self, words: list[str], named: Named) -> None:
        request = self.new_request(words[0], named)
        request.state.paused = "paused" in words
        request.policies.pause_on_failure = "pause-on-failure" in words
        self.world = World(request)

    def close(self, words: list[str], _named: Named) -> None:
        self.world.close(words[0], failed="failed" in words, seen="unseen" not in words)
        self.world.pass_time(0)

    def pause(self, words: list[str], _named: Named) -> None:
        self.world.core.pause(" ".join(words), "me", self.world.now_ns)

    def unpause(self, _words: list[str], named: Named) -> None:
        self.world.core.unpause(CATCH_UPS.get(named.get("catch-up", ""), 0), self.world.now_ns)
        self.world.pass_time(0)

    def update(self, _words: list[str], named: Named) -> None:
        request = api.UpdateScheduleRequest()
        if "cron" in named:
            fill_spec(request.spec, named["cron"], named)
        if named.keys() & {"overlap", "catch-up", "window", "buffer", "concurrency"}:
            fill_policies(request.policies, named)
        if "type" in named:
            request.action.start_workflow.workflow_type.name = named["type"]
        try:
            self.world.core.update(request, self.world.now_ns)
        except ValueError as error:
            self.world.say(f"refused: {error}")
        self.world.pass_time(0)

    def backfill(self, words: list[str], named: Named) -> None:
        request = api.BackfillScheduleRequest(backfill_id=words[2])
        request.start_time.CopyFrom(timestamp(at(words[0])))
        request.end_time.CopyFrom(timestamp(at(words[1])))
        request.overlap_policy = OVERLAPS.get(named.get("overlap", ""), 0)  # type: ignore[assignment]
        if not self.world.core.backfill(request):
            self.world.say("passed over")
        self.world.pass_time(0)

    def show(self, _words: list[str], _named: Named) -> None:
        found = self.world.core.description()
        info, say = found.info, self.world.say
        counts = f"total {info.total_runs}, missed {info.missed_runs}, skipped {info.skipped_runs}"
        say(f"{counts}, buffered {info.buffered_fire_count}, running {info.running_workflow_count}")
        last = rfc3339(info.last_run_time.ToNanoseconds()) if info.HasField("last_run_time") else "none"
        following = rfc3339(info.next_run_time.ToNanoseconds()) if info.HasField("next_run_time") else "none"
        say(f"last {last}, next {following}")
        if found.state.paused:
            pause = found.state.pause_info
            say(f"paused by {pause.paused_by!r}: {pause.reason!r}")
        for one in info.ongoing_backfills:
            say(f"backfill {one.backfill_id}: {one.runs_completed} of {one.runs_total}")
        if self.world.core.is_over():
            say("over")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    check(path, play(path.read_text(), Script().do))


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 5
