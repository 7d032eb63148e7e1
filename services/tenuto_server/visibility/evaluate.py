"""What a query means, said in Python: whether a record is found and where it stands in the order. Stores without an
index for a part of a query filter by this, and all are tested against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from tenuto_server.visibility import attributes
from tenuto_server.visibility.attributes import Scalar
from tenuto_server.visibility.records import VisibilityRecord, execution_status
from tenuto_server.visibility.tree import (
    AllOf,
    Field,
    Leaf,
    Node,
    Op,
    Order,
    Query,
    close_status_number,
    execution_status_number,
)

_SYSTEM: Final[dict[str, Callable[[VisibilityRecord], Scalar | None]]] = {
    "DomainID": lambda run: run.domain_id,
    "WorkflowID": lambda run: run.workflow_id,
    "RunID": lambda run: run.run_id,
    "WorkflowType": lambda run: run.workflow_type,
    "StartTime": lambda run: run.start_ns,
    "ExecutionTime": lambda run: run.execution_ns,
    "ScheduledExecutionTime": lambda run: run.execution_ns,
    "CloseTime": lambda run: run.close_ns or None,
    "CloseStatus": lambda run: close_status_number(run.close_status) if run.close_ns else None,
    "HistoryLength": lambda run: run.history_length,
    "TaskList": lambda run: run.task_list,
    "IsCron": lambda run: int(run.is_cron),
    "CronSchedule": lambda run: run.cron_schedule or None,
    "UpdateTime": lambda run: run.update_ns,
    "ExecutionStatus": lambda run: execution_status_number(execution_status(run)),
}


def values_of(record: VisibilityRecord, field: Field) -> tuple[Scalar, ...]:
    """The indexed values that a run has for a key, ascending; none where it has no value."""
    read = _SYSTEM.get(field.name)
    if read is not None:
        value = read(record)
        return () if value is None else (value,)
    if field.is_system or not record.search_attributes:
        return ()
    held = attributes.read(record.search_attributes).indexed_fields
    return attributes.indexed_or_none(held[field.name].data, field.type) if field.name in held else ()


def matches(query: Query, record: VisibilityRecord) -> bool:
    """Whether the query finds the record."""
    return record.domain_id == query.domain_id and (query.where is None or _holds(query.where, record))


def _holds(node: Node, record: VisibilityRecord) -> bool:
    if isinstance(node, Leaf):
        return _leaf_holds(node, values_of(record, node.field)) is not node.negated
    if isinstance(node, AllOf):
        return all(_holds(part, record) for part in node.parts)
    return any(_holds(part, record) for part in node.parts)


_COMPARE: Final[dict[Op, Callable[[Scalar, tuple[Scalar, ...]], bool]]] = {
    Op.IN: lambda value, asked: value in asked,
    Op.LT: lambda value, asked: value < asked[0],  # type: ignore[operator]
    Op.LE: lambda value, asked: value <= asked[0],  # type: ignore[operator]
    Op.GT: lambda value, asked: value > asked[0],  # type: ignore[operator]
    Op.GE: lambda value, asked: value >= asked[0],  # type: ignore[operator]
    Op.BETWEEN: lambda value, asked: asked[0] <= value <= asked[1],  # type: ignore[operator]
    Op.LIKE: lambda value, asked: like(str(value), str(asked[0])),
    Op.PRESENT: lambda value, asked: True,
}


def _leaf_holds(leaf: Leaf, values: Iterable[Scalar]) -> bool:
    """Whether the positive form of the condition holds for one of the values."""
    compare = _COMPARE[leaf.op]
    return any(compare(value, leaf.values) for value in values)


def like(text: str, pattern: str) -> bool:
    """Whether a pattern of `Op.LIKE` covers the whole text. In time of the product of their lengths at most."""
    parts = _pattern_parts(pattern)
    at = part = 0
    star, star_at = -1, 0
    while at < len(text):
        if part < len(parts) and parts[part] == "*":
            star, star_at = part, at
            part += 1
        elif part < len(parts) and (parts[part] == "?" or parts[part][-1] == text[at]):
            at, part = at + 1, part + 1
        elif star >= 0:
            star_at += 1
            at, part = star_at, star + 1
        else:
            return False
    return all(one == "*" for one in parts[part:])


def _pattern_parts(pattern: str) -> list[str]:
    """`*` and `?` for themselves, any other character as "=" and itself."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        if pattern[at] == "[":
            parts.append("=" + pattern[at + 1])
            at += 3
        else:
            parts.append(pattern[at] if pattern[at] in "*?" else "=" + pattern[at])
            at += 1
    return parts


def sort_value(record: VisibilityRecord, order: Order) -> Scalar | None:
    """What a run is ordered by; None where it has no value."""
    values = values_of(record, order.field)
    if not values:
        return None
    return values[-1] if order.descending else values[0]


def in_order(records: Iterable[VisibilityRecord], order: Order) -> list[tuple[Scalar | None, VisibilityRecord]]:
    """Records with their sort values, as a query lists them."""
    keyed = [(sort_value(record, order), record) for record in records]
    present = [(value, record.run_id, record) for value, record in keyed if value is not None]
    absent = [(record.run_id, record) for value, record in keyed if value is None]
    present.sort(key=lambda one: one[:2], reverse=order.descending)
    absent.sort(key=lambda one: one[0], reverse=order.descending)
    return [(value, record) for value, _, record in present] + [(None, record) for _, record in absent]


def is_after(value: Scalar | None, run_id: str, position: tuple[Scalar | None, str], order: Order) -> bool:
    """Whether a run stands behind a position (sort value and run id of another) in the order."""
    mark, mark_id = position
    if value is None or mark is None:
        return _follows(run_id, mark_id, order.descending) if value is mark else value is None
    if value == mark:
        return _follows(run_id, mark_id, order.descending)
    return value < mark if order.descending else value > mark  # type: ignore[operator]


def _follows(run_id: str, other: str, descending: bool) -> bool:
    return run_id < other if descending else run_id > other
