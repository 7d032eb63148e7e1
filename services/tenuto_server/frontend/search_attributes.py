"""The search attributes there are, by name and type, and the rules for those that a client sets. Pure."""

from __future__ import annotations

import json
from datetime import datetime

from tenuto_api import api
from tenuto_server.errors import BadRequest

ATTRIBUTES_MAX = 100
VALUE_BYTES_MAX = 2 * 1024
TOTAL_BYTES_MAX = 40 * 1024

_STRING = api.INDEXED_VALUE_TYPE_STRING
_KEYWORD = api.INDEXED_VALUE_TYPE_KEYWORD
_INT = api.INDEXED_VALUE_TYPE_INT
_DOUBLE = api.INDEXED_VALUE_TYPE_DOUBLE
_BOOL = api.INDEXED_VALUE_TYPE_BOOL
_DATETIME = api.INDEXED_VALUE_TYPE_DATETIME

# Kept by the server: clients may search by them but not set them.
SYSTEM = {
    "DomainID": _KEYWORD,
    "WorkflowID": _KEYWORD,
    "RunID": _KEYWORD,
    "WorkflowType": _KEYWORD,
    "StartTime": _INT,
    "ExecutionTime": _INT,
    "CloseTime": _INT,
    "CloseStatus": _INT,
    "HistoryLength": _INT,
    "TaskList": _KEYWORD,
    "IsCron": _BOOL,
    "NumClusters": _INT,
    "UpdateTime": _INT,
    "CronSchedule": _KEYWORD,
    "ExecutionStatus": _INT,
    "ScheduledExecutionTime": _INT,
    "ClusterAttributeScope": _KEYWORD,
    "ClusterAttributeName": _KEYWORD,
}
CUSTOM = {
    "CustomStringField": _STRING,
    "CustomKeywordField": _KEYWORD,
    "CustomIntField": _INT,
    "CustomBoolField": _BOOL,
    "CustomDoubleField": _DOUBLE,
    "CustomDatetimeField": _DATETIME,
    "CadenceChangeVersion": _KEYWORD,
    "BinaryChecksums": _KEYWORD,
    "CustomDomain": _KEYWORD,
    "Operator": _KEYWORD,
    "CadenceScheduleID": _KEYWORD,
    "CadenceScheduleTime": _DATETIME,
    "CadenceScheduleIsBackfill": _BOOL,
    "CadenceScheduleState": _KEYWORD,
    "CadenceScheduleCron": _KEYWORD,
    "CadenceScheduleWorkflowType": _KEYWORD,
    "CadenceScheduleBackfillID": _KEYWORD,
}


def check_search_attributes(attributes: api.SearchAttributes) -> None:
    """Known keys that clients may set, values that are JSON of the key's type, within the limits; else `BadRequest`."""
    fields = attributes.indexed_fields
    if len(fields) > ATTRIBUTES_MAX:
        raise BadRequest(f"number of keys {len(fields)} exceed limit")
    total = 0
    for key, payload in fields.items():
        if key in SYSTEM:
            raise BadRequest(f"{key[:100]} is read-only Cadence reserved attribute")
        value_type = CUSTOM.get(key)
        if value_type is None:
            raise BadRequest(f"{key[:100]} is not a valid search attribute key")
        if len(payload.data) > VALUE_BYTES_MAX:
            raise BadRequest(f"size limit exceed for key {key}")
        if not _valid(payload.data, value_type):
            raise BadRequest(f"{key} does not hold a valid value of its type")
        total += len(key) + len(payload.data)
    if total > TOTAL_BYTES_MAX:
        raise BadRequest(f"total size {total} exceed limit")


def _valid(data: bytes, value_type: int) -> bool:
    """A value or, for attributes that hold several, a list of them."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return False
    values = value if isinstance(value, list) else [value]
    return all(_is_of_type(item, value_type) for item in values)


def _is_of_type(value: object, value_type: int) -> bool:
    if value_type in (_STRING, _KEYWORD):
        return isinstance(value, str)
    if value_type == _BOOL:
        return isinstance(value, bool)
    if value_type == _INT:
        return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    if value_type == _DOUBLE:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and _is_rfc3339(value)


def _is_rfc3339(text: str) -> bool:
    """Go writes nanoseconds, which Python's reader refuses: the fraction is judged apart."""
    head, dot, rest = text.partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        if not 1 <= digits <= 9:
            return False
        text = head + rest[digits:]
    try:
        return "T" in text and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
