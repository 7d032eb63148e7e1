"""How a query is answered from the indexes: pure, from the tree alone.

What must hold at the same time (`tree.conjuncts`) gives a range of time on an axis, terms, or the run ids themselves. A run that
the query finds is among the candidates; that a candidate is found must still be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tenuto_server.persistence.cassandra import visibility_rows as rows
from tenuto_server.persistence.cassandra.visibility_rows import Axis
from tenuto_server.persistence.rows import INT64_MAX, INT64_MIN
from tenuto_server.visibility.attributes import Scalar
from tenuto_server.visibility.tree import Leaf, Node, Op, Query, conjuncts, needs_value, system

# A list of more values than these is no search, each being one of its own.
ALTERNATIVES_MAX: Final = 12
# Storage-attached indexes intersect two conditions unless they are told otherwise, and ask the rest of each row.
_TERMS_MAX: Final = 2

_CLOSE: Final = system("CloseTime")
_START: Final = system("StartTime")
# Statuses of closed runs as ExecutionStatus numbers them begin with COMPLETED's, at 2; as the interface does, at 1.
_CLOSED_FROM: Final = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """Candidates are the runs with these ids if `run_ids` is not None; else those with a time of `axis` within first_ns and
    last_ns (both included; of no axis where that is None) and all the terms of one of the `alternatives`. `by_axis`: the query's
    order is the axis's."""

    run_ids: tuple[str, ...] | None
    axis: Axis | None
    first_ns: int
    last_ns: int
    alternatives: tuple[tuple[str, ...], ...]
    by_axis: bool

    @property
    def is_search(self) -> bool:
        """Whether an index tells anything at all."""
        return self.axis is not None or all(self.alternatives)

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be found."""
        return self.first_ns > self.last_ns


def plan(query: Query) -> Plan:
    """The way to a query's candidates."""
    leaves = [part for part in conjuncts(query.where) if isinstance(part, Leaf) and not part.negated]
    alternatives = _alternatives(query.domain_id, leaves)
    run_ids = _run_ids(leaves)
    is_open, is_closed = _must_be_open(query.where), needs_value(query.where, _CLOSE)
    axis: Axis | None = None
    by_axis = False
    if query.order.field == _CLOSE:
        # The open ones, if asked for, come last, by their ids.
        axis, by_axis = Axis.CLOSED, True
    elif query.order.field == _START:
        axis, by_axis = (Axis.OPEN if is_open else Axis.START), True
    elif is_open:
        axis = Axis.OPEN
    elif is_closed:
        axis = Axis.CLOSED
    elif any(leaf.field == _START for leaf in leaves):
        axis = Axis.START
    first_ns, last_ns = _range(leaves, _CLOSE if axis is Axis.CLOSED else _START) if axis is not None else (INT64_MIN, INT64_MAX)
    return Plan(run_ids, axis, first_ns, last_ns, alternatives, by_axis)


def _must_be_open(where: Node | None) -> bool:
    return any(
        isinstance(part, Leaf)
        and (
            (part.op is Op.PRESENT and part.negated and part.field.name in ("CloseTime", "CloseStatus"))
            or (
                part.op is Op.IN
                and not part.negated
                and part.field.name == "ExecutionStatus"
                and all(isinstance(value, int) and 0 <= value < _CLOSED_FROM for value in part.values)
            )
        )
        for part in conjuncts(where)
    )


def _run_ids(leaves: list[Leaf]) -> tuple[str, ...] | None:
    found: set[str] | None = None
    for leaf in leaves:
        if leaf.op is Op.IN and leaf.field.name == "RunID":
            asked = {str(value) for value in leaf.values}
            found = asked if found is None else found & asked
    return None if found is None else tuple(sorted(found))


def _range(leaves: list[Leaf], field: object) -> tuple[int, int]:
    """What conditions on a time leave of it."""
    first, last = INT64_MIN, INT64_MAX
    for leaf in leaves:
        if leaf.field != field:
            continue
        values = [int(value) for value in leaf.values if not isinstance(value, str)]
        if not values:
            continue
        if leaf.op in (Op.IN, Op.BETWEEN, Op.GE, Op.GT):
            first = max(first, values[0] if leaf.op is not Op.IN else min(values))
        if leaf.op in (Op.IN, Op.BETWEEN, Op.LE, Op.LT):
            last = min(last, values[-1] if leaf.op is not Op.IN else max(values))
    return first, last


def _alternatives(domain_id: str, leaves: list[Leaf]) -> tuple[tuple[str, ...], ...]:
    """The terms of conditions, those that find least first: one condition may be a list of values, of which each is
    searched for."""
    choices = [terms for leaf in sorted(leaves, key=_rank) if (terms := _terms(domain_id, leaf))]
    found: list[tuple[str, ...]] = [()]
    for terms in choices:
        if max(map(len, found)) < _TERMS_MAX and len(found) * len(terms) <= ALTERNATIVES_MAX:
            # A term that is wanted twice is once in the search.
            found = [tuple(dict.fromkeys((*held, one))) for held in found for one in terms]
    return tuple(dict.fromkeys(found))


_RANKS: Final = {"WorkflowID": 0, "CloseStatus": 2, "ExecutionStatus": 2, "WorkflowType": 3}


def _rank(leaf: Leaf) -> int:
    if leaf.field.is_system:
        return _RANKS.get(leaf.field.name, 9)
    return 1 if leaf.op is Op.IN else 4


def _terms(domain_id: str, leaf: Leaf) -> list[str]:
    """Of which terms a run has one for which the condition holds; none where there is no telling."""
    name = leaf.field.name
    if not leaf.field.is_system:
        found: list[str] = []
        if leaf.op is Op.IN:
            found = rows.terms_for(domain_id, name, leaf.field.type, leaf.values)
        return found or [rows.term(domain_id, "p", name)]
    if leaf.op is not Op.IN:
        return []
    if name in ("WorkflowID", "WorkflowType"):
        kind = "w" if name == "WorkflowID" else "t"
        return [rows.term(domain_id, kind, str(value)) for value in dict.fromkeys(leaf.values)]
    if name in ("CloseStatus", "ExecutionStatus"):
        return _status_terms(domain_id, leaf.values, 0 if name == "CloseStatus" else _CLOSED_FROM)
    return []


def _status_terms(domain_id: str, values: tuple[Scalar, ...], completed: int) -> list[str]:
    numbers = [int(value) - completed + rows.COMPLETED for value in values]
    if any(number <= rows.COMPLETED for number in numbers):
        return []
    return [rows.term(domain_id, "s", str(number)) for number in dict.fromkeys(numbers)]
