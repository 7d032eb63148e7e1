"""The alarm queue behaves as a naive model does: a dict of alarms, the earliest found by looking at all."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tenuto_server.history.alarms import AlarmQueue
from tenuto_server.history.engine.tasks import Alarm, AlarmKind

KINDS = st.sampled_from([AlarmKind.DECISION, AlarmKind.TIMER, AlarmKind.ACTIVITY])
KEYS = st.sampled_from(["", "a"])
TIMES = st.integers(1, 40)
OWNERS = st.integers(0, 3)


@dataclass(eq=False)
class Owner:
    alarms: dict[tuple[AlarmKind, str], int] | None = field(default_factory=dict)


class QueueMachine(RuleBasedStateMachine):
    """`model` holds (owner's number, kind, key) -> time."""

    @initialize()
    def begin(self) -> None:
        self.queue = AlarmQueue()
        self.owners = [Owner() for _ in range(4)]
        self.forgotten: set[int] = set()
        self.model: dict[tuple[int, AlarmKind, str], int] = {}
        self.now = 0

    @rule(number=OWNERS, kind=KINDS, key=KEYS, at_ns=TIMES)
    def set(self, number: int, kind: AlarmKind, key: str, at_ns: int) -> None:
        first = min(self.model.values(), default=None)
        is_first = self.queue.set(self.owners[number], [Alarm(at_ns, kind, key)])
        if number in self.forgotten:
            assert not is_first
            return
        known = self.model.get((number, kind, key))
        if known is None or at_ns < known:
            self.model[number, kind, key] = at_ns
        if first is None or at_ns < first:
            assert is_first, "nobody was told of the new first alarm"

    @rule(number=OWNERS)
    def forget(self, number: int) -> None:
        self.queue.forget(self.owners[number])
        self.forgotten.add(number)
        self.model = {what: at_ns for what, at_ns in self.model.items() if what[0] != number}

    @rule(step=st.integers(0, 10), limit=st.integers(1, 4))
    def ring(self, step: int, limit: int) -> None:
        self.now += step
        due = self.queue.pop_due(self.now, limit)
        expected = sorted(at_ns for at_ns in self.model.values() if at_ns <= self.now)[:limit]
        rung = [self.model.pop((self.owners.index(owner), kind, key)) for owner, kind, key in due]  # type: ignore[arg-type]
        assert rung == expected

    @rule(number=OWNERS, rounds=st.integers(300, 700))
    def move_much(self, number: int, rounds: int) -> None:
        """Alarms set ever earlier leave entries behind: the sweep must lose nothing."""
        for at_ns in range(rounds + 50, 51, -1):
            self.queue.set(self.owners[number], [Alarm(at_ns, AlarmKind.RETRY, "x")])
            if number not in self.forgotten:
                what = (number, AlarmKind.RETRY, "x")
                self.model[what] = min(at_ns, self.model.get(what, at_ns))

    @invariant()
    def agrees(self) -> None:
        assert self.queue.next_ns() == min(self.model.values(), default=None)
        assert len(self.queue) == len(self.model)


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=50, stateful_step_count=25)


def test_forgotten_owners_do_not_stay_in_memory() -> None:
    """Their entries are passed over when they come up, but that may be in a month."""
    queue = AlarmQueue()
    owners = [Owner() for _ in range(5000)]
    for owner in owners:
        queue.set(owner, [Alarm(10**18, AlarmKind.TIMER, "")])
    held = [weakref.ref(owner) for owner in owners]
    while owners:
        queue.forget(owners.pop())
    del owner
    assert len(queue) == 0
    assert sum(ref() is not None for ref in held) <= 1024
