"""What one replica holds of a partition, and how what several hold is put together: cells, of which the newest timestamp wins,
and deletions, which cover cells up to theirs.

A row is there if it was inserted (the cell named `MARK`) or has a cell with a value. Both kinds of fact are only ever added to,
so any order of the same writes, and any merge of replicas that have some of them, comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# The cell that an INSERT leaves beside the row's own.
MARK = ""
# The clustering key under which static cells stand.
STATIC: tuple[Any, ...] = (None, "static")

Key = tuple[Any, ...]


class Cell(NamedTuple):
    """`value` None is a tombstone. `expires` is the time at which it becomes one, None where it does not."""

    timestamp: int
    value: Any
    expires: float | None = None


class Bound(NamedTuple):
    """One bound of the rows that a deletion covers: a column's number among the clustering columns."""

    column: int
    operator: str
    value: Any


# Rows that meet all bounds; no bounds at all: the whole partition, static cells too.
Cover = tuple[Bound, ...]


@dataclass(slots=True)
class Change:
    """What one write does to one partition."""

    cells: dict[tuple[Key, str], Cell] = field(default_factory=dict)
    deletions: dict[Cover, int] = field(default_factory=dict)

    def add(self, other: Change) -> None:
        """Makes one write of two."""
        for place, cell in other.cells.items():
            held = self.cells.get(place)
            if held is None or _wins(cell, held):
                self.cells[place] = cell
        for cover, timestamp in other.deletions.items():
            self.deletions[cover] = max(timestamp, self.deletions.get(cover, timestamp))


@dataclass(slots=True)
class Partition:
    """All that a replica has of a partition."""

    cells: dict[Key, dict[str, Cell]] = field(default_factory=dict)
    deletions: dict[Cover, int] = field(default_factory=dict)

    def apply(self, change: Change) -> None:
        """Takes a write in."""
        for (key, column), cell in change.cells.items():
            self._put(key, column, cell)
        for cover, timestamp in change.deletions.items():
            self.deletions[cover] = max(timestamp, self.deletions.get(cover, timestamp))

    def merge(self, other: Partition) -> None:
        """Takes in all that another replica has."""
        for key, cells in other.cells.items():
            for column, cell in cells.items():
                self._put(key, column, cell)
        for cover, timestamp in other.deletions.items():
            self.deletions[cover] = max(timestamp, self.deletions.get(cover, timestamp))

    def _put(self, key: Key, column: str, cell: Cell) -> None:
        cells = self.cells.setdefault(key, {})
        held = cells.get(column)
        if held is None or _wins(cell, held):
            cells[column] = cell

    def rows(self, now: float) -> Iterator[tuple[Key, dict[str, Cell]]]:
        """The rows that are there, ascending by clustering key, each with its living cells; static cells are in all."""
        deletions = list(self.deletions.items())
        static = self._living(STATIC, deletions, now)
        for key in sorted(key for key in self.cells if key != STATIC):
            living = self._living(key, deletions, now)
            if living:
                yield key, {**static, **living}

    def static(self, now: float) -> dict[str, Cell]:
        """The static cells that live."""
        return self._living(STATIC, list(self.deletions.items()), now)

    def _living(self, key: Key, deletions: list[tuple[Cover, int]], now: float) -> dict[str, Cell]:
        deleted = max((timestamp for cover, timestamp in deletions if covers(cover, key)), default=None)
        return {
            column: cell
            for column, cell in self.cells.get(key, {}).items()
            if cell.value is not None
            and (deleted is None or cell.timestamp > deleted)
            and (cell.expires is None or cell.expires > now)
        }


def _wins(new: Cell, held: Cell) -> bool:
    """Whether a cell replaces another: by timestamp; of one timestamp a tombstone, then what expires, then the greater."""
    if new.timestamp != held.timestamp:
        return new.timestamp > held.timestamp
    if (new.value is None) != (held.value is None):
        return new.value is None
    if (new.expires is None) != (held.expires is None):
        return new.expires is not None
    return (new.expires or 0.0, repr(new.value)) > (held.expires or 0.0, repr(held.value))


def covers(cover: Cover, key: Key) -> bool:
    """Whether a row is among those that a deletion names."""
    if key == STATIC:
        return not cover
    return all(compare(key[bound.column], bound.operator, bound.value) for bound in cover)


def compare(left: Any, operator: str, right: Any) -> bool:
    """One comparison of a WHERE or an IF; nothing compares with null but by "=" and "!="."""
    if operator == "=":
        return bool(left == right)
    if operator == "!=":
        return bool(left != right)
    if operator == "IN":
        return left in right
    if left is None or right is None:
        return False
    if operator == "<":
        return bool(left < right)
    if operator == ">":
        return bool(left > right)
    return bool(left <= right) if operator == "<=" else bool(left >= right)


def merged(partitions: Iterable[Partition]) -> Partition:
    """What several replicas hold together."""
    whole = Partition()
    for partition in partitions:
        whole.merge(partition)
    return whole
