"""The times of one schedule: cron within start and end, and the jitter of each. Pure; nanoseconds since the epoch.

A time is what the expression says, and names the run that belongs to it. It is *due* a little later where there is jitter: by a
part of the jitter that follows from the schedule's id and the time alone, and never beyond the next time, so that times stay
in order.
"""

from __future__ import annotations

import hashlib

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tenuto_api import api
from tenuto_server.rules import cron
from tenuto_server.rules.durations import SECOND

# Steps through a calendar that one call may take.
STEPS_MAX = 5000


class Times:
    """See the module. Raises ValueError for an expression that cannot be read."""

    def __init__(self, schedule_id: str, spec: api.ScheduleSpec) -> None:
        self._id = schedule_id
        self._schedule = cron.parse(spec.cron_expression)
        self._start_ns = nanoseconds(spec.start_time)
        self._end_ns = nanoseconds(spec.end_time)
        self.jitter_ns = spec.jitter.seconds * SECOND + spec.jitter.nanos

    def after(self, at_ns: int) -> int | None:
        """The first time after an instant; None where none is to come."""
        if at_ns < self._start_ns:
            # A delay counts from the start; a calendar's time may be the start itself.
            at_ns = self.anchor(self._start_ns)
        found = self._schedule.next(at_ns)
        return None if found is None or (self._end_ns and found > self._end_ns) else found

    def due_ns(self, time_ns: int) -> int:
        """When the start that belongs to a time is to happen."""
        if not self.jitter_ns:
            return time_ns
        following = self._schedule.next(time_ns)
        span_ns = self.jitter_ns if following is None else min(self.jitter_ns, following - time_ns)
        digest = hashlib.sha256(f"{self._id}|{time_ns}".encode()).digest()
        return time_ns + int.from_bytes(digest[:8]) % span_ns

    def pass_over(self, after_ns: int, until_ns: int) -> tuple[int, int, bool]:
        """Counts the times after one instant and not after another. Returns how many, the last of them (the first instant
        where there is none), and whether that is all: a calendar takes no more than STEPS_MAX at once."""
        first = self.after(after_ns)
        if first is None or first > until_ns:
            return 0, after_ns, True
        if isinstance(self._schedule, cron.Every):
            last_allowed = min(until_ns, self._end_ns or until_ns)
            more = (last_allowed - first) // self._schedule.delay_ns
            return 1 + more, first + more * self._schedule.delay_ns, True
        count, last = 1, first
        while count < STEPS_MAX:
            following = self.after(last)
            if following is None or following > until_ns:
                return count, last, True
            count, last = count + 1, following
        return count, last, False


    def anchor(self, start_ns: int) -> int:
        """The instant after which a range that begins at `start_ns` is walked through."""
        return start_ns if isinstance(self._schedule, cron.Every) else start_ns - 1

    def late_until(self, after_ns: int, limit_ns: int) -> int:
        """Up to where the times after an instant are due before or at a limit: the limit itself, or just before the last
        time, where that has jitter enough to be due later. Others cannot: none is due after the next one."""
        last = self._last_before(after_ns, limit_ns) if self.jitter_ns else None
        return limit_ns if last is None or self.due_ns(last) <= limit_ns else last - 1

    def _last_before(self, after_ns: int, limit_ns: int) -> int | None:
        """The last time not after a limit, if it is no older than the jitter."""
        if isinstance(self._schedule, cron.Every):
            count, last, _ = self.pass_over(after_ns, limit_ns)
            return last if count else None
        back_ns = 60 * SECOND
        while True:
            back_ns = min(back_ns, self.jitter_ns)
            first = self.after(max(after_ns, limit_ns - back_ns))
            if first is not None and first <= limit_ns:
                return self.pass_over(first - 1, limit_ns)[1]
            if back_ns == self.jitter_ns or limit_ns - back_ns <= after_ns:
                return None
            back_ns *= 2


def nanoseconds(timestamp: Timestamp) -> int:
    """A timestamp; 0 where it is not set."""
    return timestamp.seconds * SECOND + timestamp.nanos


def timestamp(at_ns: int) -> Timestamp:
    """The other way round."""
    return Timestamp(seconds=at_ns // SECOND, nanos=at_ns % SECOND)


def duration_ns(duration: Duration) -> int:
    """A duration; 0 where it is not set."""
    return duration.seconds * SECOND + duration.nanos


def rfc3339(at_ns: int) -> str:
    """An instant as text, in UTC; with a fraction only where there is one."""
    text: str = timestamp(at_ns).ToJsonString()
    return text
