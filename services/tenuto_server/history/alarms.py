"""The alarm queue: which run to look after next. Pure; time comes in.

One heap holds (time, run, what). What a run has set is kept with the run, so that a closed or forgotten run's alarms are gone at
once; their heap entries are passed over when they come up, and swept when they are the majority. Setting an alarm later than
the one set for the same thing changes nothing: the earlier one rings, finds nothing due, and is set anew.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Protocol

from tenuto_server.history.engine.tasks import Alarm, AlarmKind

_SWEEP_MIN = 1024


class Alarmed(Protocol):
    """Something with alarms: `alarms` belongs to the queue, and an owner that is forgotten has None."""

    alarms: dict[tuple[AlarmKind, str], int] | None


class AlarmQueue:
    """The alarms of all runs in memory."""

    __slots__ = ("_count", "_heap", "_live")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Alarmed, AlarmKind, str]] = []
        self._count = 0
        self._live = 0

    def __len__(self) -> int:
        return self._live

    def set(self, owner: Alarmed, alarms: Iterable[Alarm]) -> bool:
        """Sets alarms of an owner. True if one of them is now the first of all."""
        pending = owner.alarms
        if pending is None:
            return False
        first = False
        for alarm in alarms:
            what = (alarm.kind, alarm.key)
            known = pending.get(what)
            if known is not None and known <= alarm.at_ns:
                continue
            if known is None:
                self._live += 1
            pending[what] = alarm.at_ns
            self._count += 1
            entry = (alarm.at_ns, self._count, owner, alarm.kind, alarm.key)
            heapq.heappush(self._heap, entry)
            first |= self._heap[0] is entry
        self._sweep_if_due()
        return first

    def forget(self, owner: Alarmed) -> None:
        """The owner needs no looking after any more: its alarms are off, and stay off."""
        if owner.alarms is not None:
            self._live -= len(owner.alarms)
            owner.alarms = None
            self._sweep_if_due()

    def next_ns(self) -> int | None:
        """When the next alarm rings; None where none is set."""
        while self._heap:
            at_ns, _, owner, kind, key = self._heap[0]
            if owner.alarms is not None and owner.alarms.get((kind, key)) == at_ns:
                return at_ns
            heapq.heappop(self._heap)
        return None

    def pop_due(self, now: int, limit: int) -> list[tuple[Alarmed, AlarmKind, str]]:
        """Takes at most `limit` alarms that ring by now, in order of time."""
        due: list[tuple[Alarmed, AlarmKind, str]] = []
        while len(due) < limit:
            at_ns = self.next_ns()
            if at_ns is None or at_ns > now:
                break
            _, _, owner, kind, key = heapq.heappop(self._heap)
            assert owner.alarms is not None
            del owner.alarms[kind, key]
            self._live -= 1
            due.append((owner, kind, key))
        return due

    def _sweep_if_due(self) -> None:
        """Entries that do not count hold their runs in memory."""
        if len(self._heap) <= 2 * self._live + _SWEEP_MIN:
            return
        self._heap = [
            entry
            for entry in self._heap
            if entry[2].alarms is not None and entry[2].alarms.get((entry[3], entry[4])) == entry[0]
        ]
        heapq.heapify(self._heap)
