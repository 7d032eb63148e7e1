"""The typed tree of a visibility query: what a store has to answer, without any text to parse.

A tree holds no negation but in its leaves, and there it means "not the leaf", so a negated leaf holds for a run that has
no value at all. Values are in the indexed form of the key's type (see `attributes`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Final

import msgspec

from tenuto_api import api
from tenuto_server.visibility.attributes import SYSTEM, Scalar


class Op(enum.StrEnum):
    """What a leaf asks of a key. `IN`: one of the values; `BETWEEN`: both ends included; `LIKE`: one pattern, in which
    `*` is any text, `?` any character and a character in brackets itself; `PRESENT`: any value at all."""

    IN = "in"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    BETWEEN = "between"
    LIKE = "like"
    PRESENT = "present"


class Field(msgspec.Struct, frozen=True, array_like=True):
    """A key: `type` is the interface's IndexedValueType number."""

    name: str
    type: int

    @property
    def is_system(self) -> bool:
        """Whether it is a key of the server's own."""
        return self.name in SYSTEM


class Leaf(msgspec.Struct, frozen=True, array_like=True, tag="="):
    """One condition on one key."""

    field: Field
    op: Op
    values: tuple[Scalar, ...] = ()
    negated: bool = False


class AllOf(msgspec.Struct, frozen=True, array_like=True, tag="&"):
    """All hold."""

    parts: tuple[Node, ...]


class AnyOf(msgspec.Struct, frozen=True, array_like=True, tag="|"):
    """At least one holds."""

    parts: tuple[Node, ...]


Node = Leaf | AllOf | AnyOf


class Order(msgspec.Struct, frozen=True, array_like=True):
    """By the key's value (of several the least, or the greatest when descending), runs without one last in either
    direction; runs of the same value by run id in the same direction."""

    field: Field
    descending: bool = True


class Query(msgspec.Struct, frozen=True, array_like=True):
    """The runs of a domain for which `where` holds (all where it is None), in an order."""

    domain_id: str
    where: Node | None
    order: Order


def system(name: str) -> Field:
    """One of the server's own keys."""
    return Field(name, SYSTEM[name])


BY_START: Final = Order(system("StartTime"))
BY_CLOSE: Final = Order(system("CloseTime"))
# For large results: no run moves in it.
BY_RUN: Final = Order(system("RunID"), descending=False)


def everything(domain_id: str) -> Query:
    """All runs of a domain, in the order of their run ids."""
    return Query(domain_id, None, BY_RUN)


def conjuncts(where: Node | None) -> Iterator[Node]:
    """What must hold at the same time, at the top: a store that has an index for one of these may filter the rest."""
    if isinstance(where, AllOf):
        for part in where.parts:
            yield from conjuncts(part)
    elif where is not None:
        yield where


def needs_value(where: Node | None, field: Field) -> bool:
    """Whether nothing without a value of this key can be found."""
    return any(isinstance(part, Leaf) and part.field == field and not part.negated for part in conjuncts(where))


def open_or_closed(
    domain_id: str,
    is_open: bool,
    earliest_ns: int,
    latest_ns: int,
    *,
    workflow_id: str = "",
    run_id: str = "",
    workflow_type: str = "",
    close_status: int = 0,
) -> Query:
    """An open or closed list as the interface asks for it, newest first. Both ends of the time range are inclusive; for
    closed lists the range is over close time, for open ones over start time. Empty text and 0 are "any"; `close_status`
    is the interface's number."""
    order = BY_START if is_open else BY_CLOSE
    parts = [Leaf(order.field, Op.BETWEEN, (earliest_ns, latest_ns))]
    if is_open:
        parts.append(Leaf(system("CloseTime"), Op.PRESENT, negated=True))
    for name, text in (("WorkflowID", workflow_id), ("RunID", run_id), ("WorkflowType", workflow_type)):
        if text:
            parts.append(Leaf(system(name), Op.IN, (text,)))
    if close_status:
        parts.append(Leaf(system("CloseStatus"), Op.IN, (close_status_number(close_status),)))
    return Query(domain_id, AllOf(tuple(parts)), order)


def close_status_number(status: int) -> int:
    """A close status as queries number it, from 0, of the interface's number."""
    return status - api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED


def execution_status_number(status: int) -> int:
    """An execution status as queries number it, from 0, of the interface's number."""
    return status - api.WORKFLOW_EXECUTION_STATUS_PENDING
