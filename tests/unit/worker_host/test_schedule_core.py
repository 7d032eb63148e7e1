"""Any story told to a schedule: each time is handed out once at most, in order, and none is lost without being counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto_api import api
from tenuto_server.rules.durations import SECOND
from tenuto_server.worker_host.schedules import core
from tenuto_server.worker_host.schedules.times import Times
from tests.scenarios.schedules.world import BEGIN_NS, CATCH_UPS, OVERLAPS, World

CRONS = ("@every 1s", "@every 7s", "@every 1m", "* * * * *", "*/5 * * * *", "CRON_TZ=Europe/Berlin 0 */2 * * *")


@st.composite
def requests(draw: st.DrawFn) -> api.CreateScheduleRequest:
    request = api.CreateScheduleRequest(schedule_id="s")
    spec, policies = request.spec, request.policies
    spec.cron_expression = draw(st.sampled_from(CRONS))
    spec.jitter.seconds = draw(st.sampled_from((0, 0, 3, 100)))
    if draw(st.booleans()):
        spec.start_time.seconds = BEGIN_NS // SECOND + draw(st.integers(0, 500))
    if draw(st.booleans()):
        spec.end_time.seconds = BEGIN_NS // SECOND + draw(st.integers(501, 5000))
    policies.overlap_policy = draw(st.sampled_from(list(OVERLAPS.values())))  # type: ignore[assignment]
    policies.catch_up_policy = draw(st.sampled_from(list(CATCH_UPS.values())))  # type: ignore[assignment]
    policies.catch_up_window.seconds = draw(st.sampled_from((0, 10, 1000)))
    policies.pause_on_failure = draw(st.booleans())
    policies.buffer_limit = draw(st.sampled_from((0, 3)))
    policies.concurrency_limit = draw(st.sampled_from((0, 3)))
    request.state.paused = draw(st.booleans())
    return request


DURATIONS = st.floats(0, 400).map(lambda seconds: round(seconds, 3))
STEPS = st.one_of(
    st.tuples(st.just("pass"), DURATIONS),
    st.tuples(st.just("away"), DURATIONS),
    st.tuples(st.just("close"), st.integers(0, 5), st.booleans(), st.booleans()),
    st.tuples(st.just("pause")),
    st.tuples(st.just("unpause"), st.sampled_from([0, *CATCH_UPS.values()])),
    st.tuples(st.just("failing"), st.booleans()),
    st.tuples(st.just("continue")),
)


def do(world: World, step: tuple[Any, ...]) -> None:
    match step:
        case ("pass", seconds):
            world.pass_time(seconds)
        case ("away", seconds):
            world.away(seconds)
        case ("close", number, failed, seen) if world.open:
            world.close(world.open[number % len(world.open)].workflow_id, failed=failed, seen=seen)
        case ("pause",):
            world.core.pause("", "", world.now_ns)
        case ("unpause", policy):
            world.core.unpause(policy, world.now_ns)
        case ("failing", failing):
            world.failing = failing
        case ("continue",):
            world.continue_as_new()
        case _:
            pass


def count(times: Times, after_ns: int, until_ns: int) -> int:
    """How many times there are, counted one by one."""
    found, at = 0, times.after(after_ns)
    while at is not None and at <= until_ns:
        found, at = found + 1, times.after(at)
    return found


@settings(max_examples=100, deadline=None)
@given(requests(), st.lists(STEPS, max_size=25))
def test_each_time_is_handed_out_once_in_order_and_counted(
    request: api.CreateScheduleRequest, steps: list[tuple[Any, ...]]
) -> None:
    world = World(request)
    times = Times("s", request.spec)
    for step in steps:
        do(world, step)
        state = world.core.state
        handed = [fire.time_ns for fire in world.handed_out]
        assert handed == sorted(set(handed))
        assert all(times.after(at - 1) == at or request.spec.cron_expression.startswith("@every") for at in handed)
        assert all(times.due_ns(at) <= world.now_ns for at in handed)
        decided = state.total + state.missed + state.skipped + len(state.buffer) + bool(state.candidate_ns)
        assert decided == count(times, BEGIN_NS, state.watermark_ns)
        assert len(state.buffer) <= (request.policies.buffer_limit or core.BUFFER_MAX)
        if request.policies.overlap_policy == core.CONCURRENT and request.policies.concurrency_limit:
            assert len(world.open) <= request.policies.concurrency_limit
        if request.policies.overlap_policy in (core.SKIP_NEW, core.BUFFER, core.TERMINATE_PREVIOUS):
            assert len(world.open) <= 1


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(CRONS), st.integers(0, 20_000), st.integers(0, 20_000), st.sampled_from((0, 5, 3000)), st.integers(0, 10**6)
)
def test_passing_over_is_counting_one_by_one(cron: str, begin: int, length: int, jitter: int, end: int) -> None:
    spec = api.ScheduleSpec(cron_expression=cron)
    spec.jitter.seconds = jitter
    spec.end_time.seconds = BEGIN_NS // SECOND + end
    times = Times("s", spec)
    after_ns, until_ns = BEGIN_NS + begin * SECOND, BEGIN_NS + (begin + length) * SECOND
    passed, last_ns, done = times.pass_over(after_ns, until_ns)
    assert passed == count(times, after_ns, last_ns)
    if done:
        assert passed == count(times, after_ns, until_ns)
    horizon_ns = times.late_until(after_ns, until_ns)
    following = times.after(max(after_ns, horizon_ns))
    while following is not None and following <= until_ns:
        assert times.due_ns(following) > until_ns
        following = times.after(following)
    if passed and done and last_ns <= horizon_ns:
        assert times.due_ns(last_ns) <= until_ns


@pytest.mark.parametrize(
    ("overlap", "open_runs", "expected"),
    [
        ("skip", 0, "START"), ("skip", 1, "SKIP"), ("buffer", 1, "START"), ("concurrent", 2, "START"),
        ("concurrent", 3, "SKIP"), ("cancel", 1, "CANCEL"), ("cancel", 0, "START"), ("terminate", 2, "TERMINATE"),
    ],
)  # fmt: skip
def test_what_a_start_does_about_open_runs(overlap: str, open_runs: int, expected: str) -> None:
    assert core.verdict(OVERLAPS[overlap], open_runs, 3).name == expected


def test_no_more_runs_than_the_server_allows() -> None:
    assert core.concurrency_limit(api.SchedulePolicies()) == core.RUNNING_MAX
    assert core.concurrency_limit(api.SchedulePolicies(concurrency_limit=5000)) == core.RUNNING_MAX
    assert core.concurrency_limit(api.SchedulePolicies(concurrency_limit=7)) == 7
