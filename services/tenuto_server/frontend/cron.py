"""Whether a cron expression can be read: five fields, descriptors, "@every", a time zone in front. Pure.

The grammar is that of robfig/cron's ParseStandard, which the official server uses: minute, hour, day of month, month,
day of week; each a comma list of `*`, `?`, a value or range, each with an optional `/step`; months and days also by
their three-letter English names; `CRON_TZ=Zone` or `TZ=Zone` in front.
"""

from __future__ import annotations

import re
import zoneinfo

_LENGTH_MAX = 1000
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
# Name, lowest and highest value, names of values.
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_DESCRIPTORS = frozenset(("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"))
_GO_DURATION = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+")
_GO_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
# A Go duration is 64-bit nanoseconds.
_DURATION_SECONDS_MAX = 2**63 / 1e9


def check(expression: str) -> None:
    """Raises `ValueError` with what is wrong."""
    if len(expression) > _LENGTH_MAX:
        raise ValueError("expression too long")
    if expression.startswith(("CRON_TZ=", "TZ=")):
        zone, _, expression = expression.partition("=")[2].partition(" ")
        _check_zone(zone)
        expression = expression.strip()
    if expression.startswith("@"):
        _check_descriptor(expression)
        return
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}")
    for text, (name, low, high, names) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            try:
                _check_part(part.lower(), low, high, names)
            except ValueError as error:
                raise ValueError(f"{name} {part!r}: {error}") from None


def _check_zone(zone: str) -> None:
    # As in Go, the empty name is UTC and "Local" the machine's own.
    if zone in ("", "UTC", "Local"):
        return
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone {zone[:100]!r}") from None


def _check_descriptor(expression: str) -> None:
    if expression in _DESCRIPTORS:
        return
    if not expression.startswith("@every "):
        raise ValueError(f"unrecognized descriptor {expression[:100]!r}")
    duration = expression.removeprefix("@every ")
    if not _GO_DURATION.fullmatch(duration):
        raise ValueError(f"failed to parse duration {duration[:100]!r}")
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _GO_DURATION_PART.findall(duration))
    if duration.startswith("-") or not 0 < seconds < _DURATION_SECONDS_MAX:
        raise ValueError(f"duration {duration[:100]!r} is not positive or too long")


def _check_part(part: str, low: int, high: int, names: dict[str, int]) -> None:
    span, slash, step = part.partition("/")
    if slash and (not _is_number(step) or int(step) == 0):
        raise ValueError("step must be a positive number")
    if span in ("*", "?"):
        return
    first_text, dash, last_text = span.partition("-")
    first = _value(first_text, names)
    last = _value(last_text, names) if dash else first
    if first < low or last > high:
        raise ValueError(f"out of the range {low} to {high}")
    if first > last:
        raise ValueError("range ends before it begins")


def _value(text: str, names: dict[str, int]) -> int:
    named = names.get(text)
    if named is not None:
        return named
    if not _is_number(text):
        raise ValueError(f"{text!r} is not a number")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9
