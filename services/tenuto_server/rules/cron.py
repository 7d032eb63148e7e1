"""Cron schedules: reading an expression, and when it fires next. Pure; times are nanoseconds since the epoch.

The grammar is that of robfig/cron v3's ParseStandard, which the official server uses:

    minute hour day-of-month month day-of-week      each a comma list of `*`, `?`, N, N-M, any of them with /step
    @yearly @annually @monthly @weekly @daily @midnight @hourly
    @every DURATION                                 a Go duration, "1h30m"; cut to whole seconds, at least one
    CRON_TZ=Zone or TZ=Zone in front of any of these, UTC where there is none

N/step means N to the field's end. Months and days of the week also go by their three-letter English names. A day matches if it
is among the days of the month and of the week; if neither field holds a star (`*` or `?`, not `*/2`) one of the two is enough.

A schedule fires at whole minutes at which the zone's wall clock reads as the fields say. So an hour that a daylight-saving
change leaves out does not fire, and one that it repeats fires twice. `@every` counts from the instant it is asked about,
without its part of a second. Where robfig takes what can only be a slip (`*-5`, a field of commas, a negative `@every`), this
reader refuses it.
"""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from google.protobuf.duration_pb2 import Duration

from tenuto_server.rules.durations import SECOND, is_valid, seconds

LENGTH_MAX = 1000
# What has not fired within so many calendar years never will, as far as the official server is concerned.
_YEARS_AHEAD = 5
# The last instant that the interface can tell, as a 64-bit count of nanoseconds.
_LAST_NS = 2**63 - 1

_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS = {name: number for number, name in enumerate("sun mon tue wed thu fri sat".split())}
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_GO_DURATION = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
_GO_DURATION_PART = re.compile(r"(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_NO_JITTER = Duration()
_UNIT_NS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}


class Schedule(Protocol):
    """When something is to happen, again and again."""

    def next(self, after_ns: int) -> int | None:
        """The first time strictly after an instant; None if there is none."""

    def next_from(self, anchor_ns: int, not_before_ns: int) -> int | None:
        """The first of the times that follow one another from `anchor_ns` on that is at `not_before_ns` or later."""


@dataclass(frozen=True, slots=True)
class Every:
    """A fixed delay: what `@every` says."""

    delay_ns: int

    def next(self, after_ns: int) -> int | None:
        """One delay later, on the second."""
        return _within(after_ns - after_ns % SECOND + self.delay_ns)

    def next_from(self, anchor_ns: int, not_before_ns: int) -> int | None:
        """As the protocol says; without walking through the times between."""
        first_ns = anchor_ns - anchor_ns % SECOND + self.delay_ns
        missed = max(0, -((first_ns - not_before_ns) // self.delay_ns))
        return _within(first_ns + missed * self.delay_ns)


@dataclass(frozen=True, slots=True)
class _Field:
    """The values a field allows; `has_star` if it restricts nothing by itself."""

    values: frozenset[int]
    has_star: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the five fields say, in a time zone."""

    minute: _Field
    hour: _Field
    day: _Field
    month: _Field
    weekday: _Field
    zone: tzinfo

    def next(self, after_ns: int) -> int | None:
        """Walks from the next whole minute on, by months, days, hours, minutes of the wall clock."""
        at = datetime.fromtimestamp(-(-(after_ns // SECOND + 1) // 60) * 60, UTC)
        local = at.astimezone(self.zone)
        last_year = local.year + _YEARS_AHEAD
        while local.year <= last_year:
            if local.month not in self.month.values:
                year, month = (local.year, local.month + 1) if local.month < 12 else (local.year + 1, 1)
                at = datetime(year, month, 1, tzinfo=self.zone).astimezone(UTC)
            elif not self._day_matches(local):
                tomorrow = local.date() + timedelta(days=1)
                at = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=self.zone).astimezone(UTC)
            elif local.hour not in self.hour.values:
                at += timedelta(minutes=60 - local.minute)
            elif local.minute not in self.minute.values:
                at += timedelta(minutes=1)
            else:
                return _within(int(at.timestamp()) * SECOND)
            local = at.astimezone(self.zone)
        return None

    def next_from(self, anchor_ns: int, not_before_ns: int) -> int | None:
        """As the protocol says: these times do not depend on where one begins to count."""
        return self.next(max(anchor_ns, not_before_ns - 1))

    def _day_matches(self, local: datetime) -> bool:
        by_month = local.day in self.day.values
        by_week = local.isoweekday() % 7 in self.weekday.values
        if self.day.has_star or self.weekday.has_star:
            return by_month and by_week
        return by_month or by_week


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Schedule:
    """Reads an expression. Raises `ValueError` with what is wrong."""
    if len(text) > LENGTH_MAX:
        raise ValueError("expression too long")
    zone: tzinfo = UTC
    if text.startswith(("CRON_TZ=", "TZ=")):
        name, space, text = text.partition("=")[2].partition(" ")
        if not space:
            raise ValueError("a time zone without a schedule")
        zone = _zone(name)
        text = text.strip()
    if text.startswith(_EVERY):
        return Every(_go_duration_ns(text.removeprefix(_EVERY)))
    if text.startswith("@"):
        if text not in _DESCRIPTORS:
            raise ValueError(f"unrecognized descriptor {text[:100]!r}")
        text = _DESCRIPTORS[text]
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}")
    return Calendar(
        _field(fields[0], "minute", 0, 59),
        _field(fields[1], "hour", 0, 23),
        _field(fields[2], "day of month", 1, 31),
        _field(fields[3], "month", 1, 12, _MONTHS),
        _field(fields[4], "day of week", 0, 6, _DAYS),
        zone,
    )


def fault(text: str, jitter: Duration = _NO_JITTER) -> str:
    """What is wrong with a cron schedule and the jitter of its runs, empty where nothing is, also where both are unset.

    A schedule must fire some day, and its jitter may not be longer than its period. Texts are the official server's.
    """
    if not is_valid(jitter) or jitter.seconds < 0 or jitter.nanos < 0:
        return "A valid JitterStartSeconds is not set on request (negative)."
    if not text:
        return ""
    try:
        schedule = parse(text)
    except ValueError as error:
        return f'Invalid CronSchedule, failed to parse: "{text[:100]}", err: {error}'
    first_ns = schedule.next(0)
    if first_ns is None:
        return f'Invalid CronSchedule, no next firing time found, maybe impossible date: "{text}"'
    second_ns = schedule.next(first_ns)
    period_ns = first_ns if second_ns is None else max(first_ns, second_ns - first_ns)
    if seconds(jitter) * SECOND > period_ns:
        return "A valid JitterStartSeconds is not set on request (larger than cron duration)."
    return ""


def backoff_s(schedule: Schedule, execution_ns: int, now_ns: int, *, buffer_one: bool) -> int | None:
    """Whole seconds from now until the run after one that began to execute at `execution_ns`; None if there is none.

    Times that were missed while that run went on are skipped, or with `buffer_one` made up for by one run at once.
    """
    due_ns = schedule.next(execution_ns)
    if due_ns is not None and due_ns < now_ns:
        if buffer_one:
            return 0
        due_ns = schedule.next_from(execution_ns, now_ns)
    return None if due_ns is None else -((now_ns - due_ns) // SECOND)


def _within(at_ns: int) -> int | None:
    return at_ns if at_ns <= _LAST_NS else None


def _zone(name: str) -> tzinfo:
    # As in Go the empty name is UTC, and "Local" is the time that is asked about, which is UTC here.
    if name in ("", "UTC", "Local"):
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name[:100]!r}") from None


def _go_duration_ns(text: str) -> int:
    """Nanoseconds of a positive Go duration, cut to whole seconds and at least one."""
    if not _GO_DURATION.fullmatch(text):
        raise ValueError(f"failed to parse duration {text[:100]!r}")
    total_ns = 0
    for whole, fraction, unit in _GO_DURATION_PART.findall(text):
        scale = _UNIT_NS[unit]
        total_ns += int(whole or "0") * scale + int(fraction or "0") * scale // 10 ** len(fraction)
    if text.startswith("-") or not 0 < total_ns <= _LAST_NS:
        raise ValueError(f"duration {text[:100]!r} is not positive or too long")
    return max(SECOND, total_ns - total_ns % SECOND)


def _field(text: str, name: str, low: int, high: int, names: Mapping[str, int] | None = None) -> _Field:
    values: set[int] = set()
    has_star = False
    for part in filter(None, text.split(",")):
        try:
            found, star = _part(part.lower(), low, high, names or {})
        except ValueError as error:
            raise ValueError(f"{name} {part[:100]!r}: {error}") from None
        values.update(found)
        has_star |= star
    if not values:
        raise ValueError(f"{name} is empty")
    return _Field(frozenset(values), has_star)


def _part(part: str, low: int, high: int, names: Mapping[str, int]) -> tuple[range, bool]:
    """The values of one range, and whether it is a star."""
    span, slash, step_text = part.partition("/")
    step = _number(step_text) if slash else 1
    if step == 0:
        raise ValueError("the step of a range must be a positive number")
    if span in ("*", "?"):
        return range(low, high + 1, step), step == 1
    first_text, dash, last_text = span.partition("-")
    first = _value(first_text, names)
    last = _value(last_text, names) if dash else high if slash else first
    if first < low or last > high:
        raise ValueError(f"out of the range {low} to {high}")
    if first > last:
        raise ValueError("the range ends before it begins")
    return range(first, last + 1, step), False


def _value(text: str, names: Mapping[str, int]) -> int:
    named = names.get(text)
    return _number(text) if named is None else named


def _number(text: str) -> int:
    # More digits than any field needs; Go refuses what overflows 64 bits.
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(f"{text!r} is not a number")
    return int(text)
