"""Durations of the interface as Cadence counts them: in whole seconds of 32 bits. Pure."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

SECOND = 1_000_000_000
SECONDS_MAX = 2**31 - 1


def seconds(duration: Duration) -> int:
    """Whole seconds of a duration, cut as Cadence cuts; what is more than nothing but less than a second counts as one."""
    if duration.seconds == 0 and duration.nanos > 0:
        return 1
    return duration.seconds


def is_valid(duration: Duration) -> bool:
    """Whether it is a duration at all, and 32 bits hold it."""
    whole, nanos = duration.seconds, duration.nanos
    return abs(whole) <= SECONDS_MAX and abs(nanos) < SECOND and whole * nanos >= 0
