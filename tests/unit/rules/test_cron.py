"""Cron expressions: against answers of the reference, robfig/cron v3.0.1, and against a search minute by minute."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from tenuto_server.rules import cron
from tenuto_server.rules.durations import SECOND

MINUTE = 60 * SECOND
# Expression, instant, and what ParseStandard and four calls of Next said, "error" and "never" where they said so.
REFERENCE: list[tuple[str, str, list[str]]] = [
    tuple(json.loads(line)) for line in (Path(__file__).parent / "robfig.jsonl").read_text().splitlines()
]


def ns(text: str) -> int:
    whole, fraction = re.fullmatch(r"(.*?)(?:\.(\d+))?Z", text).groups()  # type: ignore[union-attr]
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * SECOND + int((fraction or "0").ljust(9, "0"))


def test_the_reference_agrees() -> None:
    wrong: list[Any] = []
    for text, at, said in REFERENCE:
        found: list[int | str] = []
        try:
            schedule = cron.parse(text)
        except ValueError:
            found.append("error")
        else:
            after: int | None = ns(at)
            while len(found) < len(said) and after is not None:
                after = schedule.next(after)
                found.append("never" if after is None else after)
        if found != [word if word in ("error", "never") else ns(word) for word in said]:
            wrong.append((text, at, said, found))
    assert not wrong
    assert len(REFERENCE) > 300


# What robfig takes, or dies of, and this reader refuses.
SLIPS = ["*-5 * * * *", "0 0 , * *", "@every -1h", "@every 0s", "٣ * * * *", "TZ=../../etc/passwd * * * * *", "*" * 1001]


@pytest.mark.parametrize("text", SLIPS)
def test_slips_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        cron.parse(text)


@pytest.mark.parametrize("text", ["0 0 31 2 *", "0 0 30 2 ?", "0 0 31 4,6,9,11 *"])
def test_a_day_that_never_comes(text: str) -> None:
    assert cron.parse(text).next(0) is None
    assert "impossible date" in cron.fault(text, Duration())


def test_the_end_of_time_is_never() -> None:
    assert cron.parse("* * * * *").next(2**63 - 1) is None
    assert cron.parse("@every 1h").next(2**63 - 1) is None
    assert cron.parse("@every 1s").next_from(0, 2**63 - 1) is None


@pytest.mark.parametrize(
    ("text", "jitter", "word"),
    [
        ("", Duration(seconds=5), ""),
        ("", Duration(seconds=-1), "(negative)"),
        ("", Duration(nanos=-1), "(negative)"),
        ("* * * * *", Duration(seconds=60), ""),
        ("* * * * *", Duration(seconds=61), "larger than cron duration"),
        ("@every 5s", Duration(seconds=5), ""),
        ("@every 5s", Duration(seconds=6), "larger than cron duration"),
        ("0 9 * * *", Duration(seconds=86400), ""),
        ("0 9 * * *", Duration(seconds=86401), "larger than cron duration"),
        ("0 0 29 2 *", Duration(), ""),
        ("* * * *", Duration(), 'failed to parse: "* * * *", err: expected exactly 5 fields, found 4'),
    ],
)
def test_what_is_wrong_is_said(text: str, jitter: Duration, word: str) -> None:
    fault = cron.fault(text, jitter)
    assert (word in fault) if word else not fault


# --- a search minute by minute ----------------------------------------------------------------------------------------


def _field(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int], bool]]:
    """A field's text, values and whether it is a star, put together from the definition."""
    value = st.integers(low, high)
    parts = st.one_of(
        st.sampled_from("*?").map(lambda star: (star, range(low, high + 1), True)),
        value.map(lambda n: (str(n), range(n, n + 1), False)),
        st.tuples(value, value).map(sorted).map(lambda ab: (f"{ab[0]}-{ab[1]}", range(ab[0], ab[1] + 1), False)),
        st.tuples(value, st.integers(2, 30)).map(lambda ns: (f"{ns[0]}/{ns[1]}", range(ns[0], high + 1, ns[1]), False)),
        st.integers(2, 30).map(lambda n: (f"*/{n}", range(low, high + 1, n), False)),
    )
    return st.lists(parts, min_size=1, max_size=3).map(
        lambda many: (
            ",".join(text for text, _, _ in many),
            frozenset(n for _, values, _ in many for n in values),
            any(star for _, _, star in many),
        )
    )


FIELDS = st.tuples(_field(0, 59), _field(0, 23), _field(1, 31), _field(1, 12), _field(0, 6))
ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"])
INSTANTS = st.integers(ns("2024-01-01T00:00:00Z"), ns("2027-01-01T00:00:00Z"))


@given(FIELDS, ZONES, INSTANTS)
def test_nothing_fires_between(fields: Any, zone: str, after_ns: int) -> None:
    """The next time matches the wall clock, and no minute before it does (within the three days that are searched)."""
    schedule = cron.parse(f"TZ={zone} " + " ".join(text for text, _, _ in fields))
    minute, hour, day, month, weekday = fields

    def matches(at_ns: int) -> bool:
        local = datetime.fromtimestamp(at_ns // SECOND, UTC).astimezone(ZoneInfo(zone))
        by_month, by_week = local.day in day[1], (local.weekday() + 1) % 7 in weekday[1]
        day_fits = (by_month and by_week) if day[2] or weekday[2] else (by_month or by_week)
        return local.minute in minute[1] and local.hour in hour[1] and local.month in month[1] and day_fits

    found_ns = schedule.next(after_ns)
    assert found_ns is None or (found_ns > after_ns and found_ns % MINUTE == 0 and matches(found_ns))
    end_ns = after_ns + int(timedelta(days=3).total_seconds()) * SECOND
    first_ns = next((at for at in range(after_ns // MINUTE * MINUTE + MINUTE, end_ns, MINUTE) if matches(at)), None)
    if first_ns is not None or (found_ns is not None and found_ns < end_ns):
        assert found_ns == first_ns


@given(
    st.sampled_from(["* * * * *", "*/7 3-9 * * *", "@every 90s", "@every 1h", "0 0 1,15 * *", "TZ=America/New_York 30 1 * * 0"]),
    INSTANTS,
    st.integers(0, 20_000_000_000_000),
)
def test_next_from_walks_without_walking(text: str, anchor_ns: int, ahead_ns: int) -> None:
    schedule = cron.parse(text)
    found = schedule.next(anchor_ns)
    while found is not None and found < anchor_ns + ahead_ns:
        found = schedule.next(found)
    assert schedule.next_from(anchor_ns, anchor_ns + ahead_ns) == found


@pytest.mark.parametrize(
    ("text", "executed", "now", "buffer_one", "wait_s"),
    [
        # Before the next time: what is left of the wait, rounded up.
        ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:00:20Z", False, 40),
        ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:00:20.25Z", True, 40),
        # On the dot: now.
        ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", False, 0),
        # Later: the next one to come, or with a buffer now.
        ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:05:10Z", False, 50),
        ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:05:10Z", True, 0),
        ("@every 60s", "2026-01-01T00:00:05Z", "2026-01-01T00:05:10Z", False, 55),
        ("@every 60s", "2026-01-01T00:00:05Z", "2026-01-01T00:05:10Z", True, 0),
        # A year of missed minutes costs no more than one.
        ("@every 1s", "2020-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", False, 1),
        ("0 0 31 2 *", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", False, None),
    ],
)
def test_backoff(text: str, executed: str, now: str, buffer_one: bool, wait_s: int | None) -> None:
    assert cron.backoff_s(cron.parse(text), ns(executed), ns(now), buffer_one=buffer_one) == wait_s
