"""Search attributes: which there are, of what type, what values they take, and what of a value is indexed.

A value travels as JSON. What the index compares is its form of the key's type: KEYWORD texts as they are; STRING texts
as their words (lower case, one space around each), so that a phrase is found wherever it stands; INT and DATETIME as
64-bit integers (a time in nanoseconds since the epoch), BOOL as 0 and 1, DOUBLE as a finite float or 64-bit integer. An
attribute may hold a list: it then has several values, and a condition holds if it holds for one of them.

A store indexes a value in the forms of all types that it fits (`entries`), for which of them the key is of is not its
business; a query says which one it means.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from tenuto_api import api

Scalar = str | int | float

_SECOND: Final = 1_000_000_000
_INT64_MIN: Final = -(1 << 63)
_INT64_MAX: Final = (1 << 63) - 1

STRING: Final = int(api.INDEXED_VALUE_TYPE_STRING)
KEYWORD: Final = int(api.INDEXED_VALUE_TYPE_KEYWORD)
INT: Final = int(api.INDEXED_VALUE_TYPE_INT)
DOUBLE: Final = int(api.INDEXED_VALUE_TYPE_DOUBLE)
BOOL: Final = int(api.INDEXED_VALUE_TYPE_BOOL)
DATETIME: Final = int(api.INDEXED_VALUE_TYPE_DATETIME)
TYPES: Final = frozenset({STRING, KEYWORD, INT, DOUBLE, BOOL, DATETIME})

# Kept by the server: clients may search by them but not set them.
SYSTEM: Final[dict[str, int]] = {
    "DomainID": KEYWORD,
    "WorkflowID": KEYWORD,
    "RunID": KEYWORD,
    "WorkflowType": KEYWORD,
    "StartTime": INT,
    "ExecutionTime": INT,
    "CloseTime": INT,
    "CloseStatus": INT,
    "HistoryLength": INT,
    "TaskList": KEYWORD,
    "IsCron": BOOL,
    "NumClusters": INT,
    "UpdateTime": INT,
    "CronSchedule": KEYWORD,
    "ExecutionStatus": INT,
    "ScheduledExecutionTime": INT,
    "ClusterAttributeScope": KEYWORD,
    "ClusterAttributeName": KEYWORD,
}
# What a new cluster has; an operator adds more.
DEFAULT: Final[dict[str, int]] = {
    "CustomStringField": STRING,
    "CustomKeywordField": KEYWORD,
    "CustomIntField": INT,
    "CustomBoolField": BOOL,
    "CustomDoubleField": DOUBLE,
    "CustomDatetimeField": DATETIME,
    "CadenceChangeVersion": KEYWORD,
    "BinaryChecksums": KEYWORD,
    "CustomDomain": KEYWORD,
    "Operator": KEYWORD,
    "CadenceScheduleID": KEYWORD,
    "CadenceScheduleTime": DATETIME,
    "CadenceScheduleIsBackfill": BOOL,
    "CadenceScheduleState": KEYWORD,
    "CadenceScheduleCron": KEYWORD,
    "CadenceScheduleWorkflowType": KEYWORD,
    "CadenceScheduleBackfillID": KEYWORD,
}


@dataclass(frozen=True, slots=True)
class AttributeLimits:
    """What one run may carry. Sizes in bytes."""

    keys_max: int = 100
    value_bytes_max: int = 2 * 1024
    total_bytes_max: int = 40 * 1024


class AttributeRules(NamedTuple):
    """The custom keys with their types, and what one run may carry."""

    types: Mapping[str, int] = DEFAULT
    limits: AttributeLimits = AttributeLimits()


def fault(attributes: api.SearchAttributes, types: Mapping[str, int], limits: AttributeLimits) -> str:
    """What is wrong with search attributes that a client or a decision sets, "" where nothing is. `types` are the custom
    keys."""
    fields = attributes.indexed_fields
    if len(fields) > limits.keys_max:
        return f"number of keys {len(fields)} exceed limit"
    total = 0
    for key, payload in fields.items():
        if key in SYSTEM:
            return f"{key[:100]} is read-only Cadence reserved attribute"
        value_type = types.get(key)
        if value_type is None:
            return f"{key[:100]} is not a valid search attribute key"
        if len(payload.data) > limits.value_bytes_max:
            return f"size limit exceed for key {key}"
        try:
            indexed(payload.data, value_type)
        except ValueError:
            return f"{key} does not hold a valid value of its type"
        total += len(key) + len(payload.data)
    return f"total size {total} exceed limit" if total > limits.total_bytes_max else ""


def indexed(data: bytes, value_type: int) -> tuple[Scalar, ...]:
    """The values that the index compares, ascending and each once; none for JSON's null. Raises ValueError for bytes that
    are not JSON of the type."""
    return _all_indexed(_values(data), value_type)


def _values(data: bytes) -> list[object]:
    try:
        value = json.loads(data, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _all_indexed(values: list[object], value_type: int) -> tuple[Scalar, ...]:
    return tuple(sorted({_indexed(item, value_type) for item in values}))


def indexed_or_none(data: bytes, value_type: int) -> tuple[Scalar, ...]:
    """As `indexed`, where nobody checked: what is not of the type is not indexed."""
    try:
        return indexed(data, value_type)
    except ValueError:
        return ()


def read(search_attributes: bytes) -> api.SearchAttributes:
    """The attributes of a record; none where the bytes are not a message: a list goes without them rather than fail."""
    try:
        return api.SearchAttributes.FromString(search_attributes)
    except DecodeError:
        return api.SearchAttributes()


def entries(search_attributes: bytes) -> list[tuple[str, int, Scalar]]:
    """What a store indexes of a record's attributes (the bytes of SearchAttributes): key, type and value in every type
    that the value fits. Integers are not said to be DOUBLE as well: a query for DOUBLE means both."""
    found: list[tuple[str, int, Scalar]] = []
    for key, payload in read(search_attributes).indexed_fields.items():
        try:
            values = _values(payload.data)
        except ValueError:
            continue
        for value_type in _candidates(values):
            try:
                found += [(key, value_type, value) for value in _all_indexed(values, value_type)]
            except ValueError:
                continue
            if value_type == INT:
                break
    return found


def _candidates(values: list[object]) -> tuple[int, ...]:
    """The types that a list of values may be of, by its first."""
    if not values:
        return ()
    if isinstance(values[0], str):
        return (STRING, KEYWORD, DATETIME)
    return (BOOL,) if isinstance(values[0], bool) else (INT, DOUBLE)


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is not a number")


def _indexed(value: object, value_type: int) -> Scalar:
    if value_type in (STRING, KEYWORD):
        if not isinstance(value, str):
            raise ValueError("not a text")
        value.encode()  # Raises UnicodeEncodeError, a ValueError, for half a surrogate pair: no store can hold it.
        return words(value) if value_type == STRING else value
    if value_type == BOOL:
        if not isinstance(value, bool):
            raise ValueError("not true or false")
        return int(value)
    if value_type == DATETIME:
        if not isinstance(value, str):
            raise ValueError("not a time")
        return nanoseconds(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")
    return _number(value, value_type)


def _number(value: int | float, value_type: int) -> Scalar:
    if isinstance(value, int) and _INT64_MIN <= value <= _INT64_MAX:
        return value
    if value_type == INT:
        raise ValueError("not a 64-bit integer")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("too large") from None
    if not math.isfinite(number):
        raise ValueError("too large")
    return number


_WORD: Final = re.compile(r"\w+")


def words(text: str) -> str:
    """The words of a text in lower case with one space around each: " one two ". A phrase's form is part of the form of
    every text that it stands in."""
    found = _WORD.findall(text.casefold())
    return f" {' '.join(found)} " if found else ""


_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def is_date(text: str) -> bool:
    """Whether it is a date alone, "2026-11-23", which queries of custom keys take for its first moment, UTC."""
    return _DATE.fullmatch(text) is not None


def nanoseconds(text: str) -> int:
    """RFC 3339 text in nanoseconds since the epoch. Raises ValueError for other text and for times beyond 64 bits."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 time")
    year, month, day, hour, minute, second, fraction, sign, offset_h, offset_m = match.groups()
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    offset_s = 0
    if sign:
        if int(offset_h) > 23 or int(offset_m) > 59:
            raise ValueError("not an RFC 3339 time")
        offset_s = (int(offset_h) * 3600 + int(offset_m) * 60) * (-1 if sign == "-" else 1)
    since = moment - _EPOCH
    total = (since.days * 86_400 + since.seconds - offset_s) * _SECOND + int((fraction or "0").ljust(9, "0"))
    if not _INT64_MIN <= total <= _INT64_MAX:
        raise ValueError("beyond 64 bits")
    return total
