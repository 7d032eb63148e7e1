"""The matcher against a plain model of it, driven by random inputs: nothing is lost, nothing given out twice, order
holds."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenuto_server.errors import InvariantViolation
from tenuto_server.matching.matcher import Matcher, Offered, Poll, Room
from tenuto_server.matching.settings import MatchingSettings

LIMITS = MatchingSettings(buffer_max=4, polls_max=3, give_ups_max=2, rest_s=1.0, rest_max_s=2.0)
KEYS = [b"a", b"b", b"c", b"d", b"e", b"f", b"g"]
ADDRESSES = ["h1", "h2"]


@dataclass
class ModelTask:
    """What the model knows of an accepted task. `ready` is when it may go out; `holder` the poll that has it."""

    scheduled: int
    arrived: int
    address: str
    ready: float = 0.0
    holder: Poll | None = None
    again: bool = False
    give_ups: int = 0


class MatcherAgainstModel(RuleBasedStateMachine):
    """The rate is out of the way here; see the tests below."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.room = Room(5)
        self.matcher = Matcher(0.0, LIMITS, self.room)
        self.count = 0
        self.tasks: dict[bytes, ModelTask] = {}
        self.waiting: dict[Poll, int] = {}
        self.served: dict[Poll, int] = {}

    def in_line(self) -> dict[bytes, ModelTask]:
        return {key: task for key, task in self.tasks.items() if task.holder is None}

    def held_by(self, poll: Poll) -> tuple[bytes, ModelTask] | None:
        return next(((key, task) for key, task in self.tasks.items() if task.holder is poll), None)

    def take_pairs(self) -> None:
        while (match := self.matcher.match(self.now)) is not None:
            ready = {key: task for key, task in self.in_line().items() if task.ready <= self.now}
            first = min(ready, key=lambda key: (ready[key].scheduled, ready[key].arrived))
            assert match.task.key == first
            assert match.task.address == ready[first].address
            assert match.poll is min(self.waiting, key=lambda poll: self.waiting[poll])
            assert match.poll.task is match.task
            ready[first].holder = match.poll
            ready[first].again = False
            self.served[match.poll] = self.waiting.pop(match.poll)

    def a_served_poll(self, data: Any, *, holding: bool) -> Poll:
        polls = [poll for poll in self.served if (self.held_by(poll) is not None) is holding]
        poll: Poll = data.draw(st.sampled_from(polls))
        return poll

    def some_hold(self) -> bool:
        return any(self.held_by(poll) for poll in self.served)

    @rule(key=st.sampled_from(KEYS), scheduled=st.integers(0, 3), address=st.sampled_from(ADDRESSES))
    def offer(self, key: bytes, scheduled: int, address: str) -> None:
        outcome = self.matcher.offer(key, scheduled, address)
        known = self.tasks.get(key)
        if known is not None:
            assert outcome is Offered.ACCEPTED
            known.address, known.give_ups = address, 0
            known.again = known.holder is not None
            known.ready = self.now
        elif len(self.in_line()) >= LIMITS.buffer_max or len(self.tasks) >= 5:
            assert outcome is Offered.FULL
        else:
            assert outcome is Offered.ACCEPTED
            self.count += 1
            self.tasks[key] = ModelTask(scheduled, self.count, address, self.now)
        self.take_pairs()

    @rule()
    def add_poll(self) -> None:
        self.count += 1
        poll = self.matcher.add_poll(f"worker-{self.count}", self.now)
        assert (poll is None) is (len(self.waiting) + len(self.served) >= LIMITS.polls_max)
        if poll is not None:
            self.waiting[poll] = self.count
        self.take_pairs()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), gone=st.booleans())
    def leave_the_line(self, data: Any, gone: bool) -> None:
        poll = data.draw(st.sampled_from(list(self.waiting)))
        self.matcher.remove_poll(poll, self.now, caller_gone=gone)
        del self.waiting[poll]
        self.take_pairs()

    @precondition(lambda self: self.served)
    @rule(data=st.data())
    def leave_while_served(self, data: Any) -> None:
        poll = data.draw(st.sampled_from(list(self.served)))
        self.matcher.remove_poll(poll, self.now, caller_gone=True)
        del self.served[poll]
        held = self.held_by(poll)
        if held is not None:
            self.back_in_line(*held, unknown=False)
        self.take_pairs()

    @precondition(lambda self: self.some_hold())
    @rule(data=st.data(), started=st.booleans())
    def finish(self, data: Any, started: bool) -> None:
        poll = self.a_served_poll(data, holding=True)
        self.matcher.finish(poll, self.now, started=started)
        held = self.held_by(poll)
        assert held is not None
        key, task = held
        if task.again and not started:
            task.holder, task.again, task.ready = None, False, self.now
        else:
            del self.tasks[key]
        self.take_pairs()

    @precondition(lambda self: self.some_hold())
    @rule(data=st.data(), unknown=st.booleans())
    def put_back(self, data: Any, unknown: bool) -> None:
        poll = self.a_served_poll(data, holding=True)
        kept = self.matcher.put_back(poll, self.now, unknown=unknown)
        held = self.held_by(poll)
        assert held is not None
        assert kept is self.back_in_line(*held, unknown=unknown)
        self.take_pairs()

    def back_in_line(self, key: bytes, task: ModelTask, unknown: bool) -> bool:
        task.holder, again, task.again = None, task.again, False
        if again:
            task.ready = self.now
            return True
        if unknown:
            task.give_ups += 1
        if task.give_ups > LIMITS.give_ups_max:
            del self.tasks[key]
            return False
        task.ready = self.now + (min(2.0 ** (task.give_ups - 1), 2.0) if unknown else 0.0)
        return True

    @precondition(lambda self: any(not self.held_by(poll) for poll in self.served))
    @rule(data=st.data())
    def rejoin(self, data: Any) -> None:
        poll = self.a_served_poll(data, holding=False)
        self.matcher.rejoin(poll, self.now)
        self.waiting[poll] = self.served.pop(poll)
        self.take_pairs()

    @rule(address=st.sampled_from(ADDRESSES))
    def rest_address(self, address: str) -> None:
        there = [task for task in self.in_line().values() if task.address == address and task.ready <= self.now]
        rested = self.matcher.rest_address(address, self.now)
        for task in there:
            task.ready = self.now + LIMITS.rest_s
        assert rested == len(there)
        self.take_pairs()

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.take_pairs()

    @invariant()
    def nobody_waits_in_vain(self) -> None:
        ready = [task for task in self.in_line().values() if task.ready <= self.now]
        assert not (ready and self.waiting)

    @invariant()
    def the_next_look_is_when_the_first_has_rested(self) -> None:
        at = self.matcher.retry_at(self.now)
        resting = [task.ready for task in self.in_line().values() if task.ready > self.now]
        assert (at is not None) is bool(resting and self.waiting)
        # It may be early, for a rest that an offer ended; not late.
        assert at is None or self.now < at <= min(resting)

    @invariant()
    def what_is_seen_agrees(self) -> None:
        assert self.room.tasks == len(self.tasks) <= self.room.tasks_max
        assert self.matcher.backlog == len(self.in_line()) <= LIMITS.buffer_max + LIMITS.polls_max
        assert self.matcher.line() == sorted(self.waiting, key=lambda poll: self.waiting[poll])
        assert self.matcher.waiting_polls == len(self.waiting)
        assert self.matcher.is_empty is not bool(self.tasks or self.waiting or self.served)


TestMatcherAgainstModel = MatcherAgainstModel.TestCase
TestMatcherAgainstModel.settings = hypothesis_settings(max_examples=150, stateful_step_count=60, deadline=None)


@pytest.mark.parametrize("rate", [0.5, 1.0, 3.0, 1000.0])
def test_no_more_go_out_than_the_rate_allows(rate: float) -> None:
    """Whoever looks again when told to gives out, after the first second's worth, just the rate, and never stalls."""
    matcher = Matcher(0.0, MatchingSettings(), Room(1_000))
    tasks = 20 if rate < 10 else 900
    for number in range(tasks):
        matcher.offer(str(number).encode(), number, "h1")
    now, times = 1e6, []
    for _ in range(tasks):
        poll = matcher.add_poll("worker", now, rate)
        assert poll is not None
        while matcher.match(now) is None:
            at = matcher.retry_at(now)
            assert at is not None
            assert at > now
            now = at
        times.append(now)
    burst = max(1, int(rate))
    for number, at in enumerate(times):
        earliest = 1e6 + max(0, number + 1 - burst) / rate
        assert earliest - 0.001 <= at <= earliest + 0.005


def test_heaps_do_not_grow_with_what_has_gone() -> None:
    matcher = Matcher(0.0, replace(LIMITS, buffer_max=10), Room(1_000))
    for number in range(5_000):
        poll = matcher.add_poll("worker", 0.0)
        assert poll is not None
        matcher.remove_poll(poll, 0.0)
        matcher.offer(b"again", number, "h1")
        matcher.rest_address("h1", 0.0)
        assert len(matcher._line) < 200
        assert len(matcher._buffer) + len(matcher._resting) < 200


def test_a_rest_that_an_offer_ended_does_not_end_the_next() -> None:
    matcher = Matcher(0.0, LIMITS, Room(10))
    matcher.offer(b"a", 0, "h1")
    assert matcher.rest_address("h1", 0.0) == 1
    matcher.offer(b"a", 0, "h2")
    half = LIMITS.rest_s / 2
    assert matcher.rest_address("h2", half) == 1
    matcher.add_poll("worker", half)
    # When the first rest would have been over, the second goes on.
    assert matcher.match(LIMITS.rest_s) is None
    assert matcher.match(half + LIMITS.rest_s) is not None


def test_a_discarded_list_gives_its_room_back() -> None:
    room = Room(10)
    matcher = Matcher(0.0, LIMITS, room)
    for key in KEYS[:4]:
        matcher.offer(key, 0, "h1" if key in KEYS[:2] else "h2")
    matcher.rest_address("h1", 0.0)
    assert room.tasks == 4
    matcher.discard()
    assert (room.tasks, matcher.backlog, matcher.is_empty) == (0, 0, True)


def test_a_poll_is_over_once() -> None:
    matcher = Matcher(0.0, LIMITS, Room(10))
    poll = matcher.add_poll("worker", 0.0)
    assert poll is not None
    matcher.remove_poll(poll, 0.0)
    with pytest.raises(InvariantViolation):
        matcher.remove_poll(poll, 0.0)


@pytest.mark.parametrize("rate", [float("nan"), -1.0, 0.0])
def test_a_rate_that_is_none_sets_none(rate: float) -> None:
    matcher = Matcher(0.0, LIMITS, Room(10))
    assert matcher.add_poll("worker", 0.0, rate) is not None
    assert matcher.rate == LIMITS.dispatch_rate
    assert matcher.pollers(0.0, 1.0)["worker"].rate == 0.0
