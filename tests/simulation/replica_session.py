"""A `Session` over the model of replicas: it reads the statements' own CQL and carries them out. What the store does with a real
driver, it does with this one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from tenuto_server.persistence import cassandra
from tenuto_server.persistence.cassandra import Bound, Mode, Page, Statement

from . import cells
from .cells import MARK, STATIC, Cell, Change, Partition
from .cql import Condition, Delete, Insert, Select, Table, Term, Unsupported, parse, parse_tables
from .replicas import QUORUM, Place, Replicas

SCHEMA = Path(cassandra.__file__).parent / "schema"


def tables_of(folder: Path = SCHEMA) -> dict[str, Table]:
    """All tables of the store's schema, by name."""
    tables: dict[str, Table] = {}
    for path in sorted(folder.glob("v*/*.cql")):
        tables.update(parse_tables(path.read_text()))
    return tables


class Keyspace:
    """The tables of a schema on replicas, and the statements that were read already."""

    def __init__(self, replicas: Replicas, tables: dict[str, Table]) -> None:
        self.replicas = replicas
        self.tables = tables
        self._parsed: dict[str, Insert | Delete | Select] = {}

    def parsed(self, statement: Statement) -> Insert | Delete | Select:
        """What a statement means."""
        found = self._parsed.get(statement.cql)
        if found is None:
            found = self._parsed[statement.cql] = parse(statement.cql, self.tables)
        return found


class ReplicaSession:
    """One process's `Session`. `before` is told of every request that leaves the process; what it raises, the caller gets. `one`
    names statements that read a single replica: a mistake to plant."""

    def __init__(
        self,
        keyspace: Keyspace,
        before: Callable[[Statement, Sequence[Any]], None] | None = None,
        one: frozenset[str] = frozenset(),
    ) -> None:
        self.requests: Counter[str] = Counter()
        self._keyspace = keyspace
        self._replicas = keyspace.replicas
        self._before = before
        self._one = one
        self._pages: dict[bytes, tuple[Any, ...]] = {}

    async def open(self) -> None:
        """See `Session.open`."""

    async def close(self) -> None:
        """See `Session.close`."""

    async def run_ddl(self, cql: str) -> None:
        """See `Session.run_ddl`."""
        self._keyspace.tables.update(parse_tables(cql + ";"))

    async def execute(self, statement: Statement, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See `Session.execute`."""
        self._count(statement, parameters)
        parsed = self._keyspace.parsed(statement)
        if isinstance(parsed, Select):
            rows = await self._select(parsed, parameters, statement)
            return [row for _, row in _limited(parsed, parameters, rows)]
        if statement.mode is Mode.CONDITIONAL:
            return await self._transact(parsed, parameters)
        await self._replicas.write(_changes(parsed, parameters, self._timestamp(parsed, parameters), self._now()))
        return []

    async def page(self, statement: Statement, parameters: Sequence[Any], size: int, state: bytes = b"") -> Page:
        """See `Session.page`."""
        self._count(statement, parameters)
        parsed = self._keyspace.parsed(statement)
        assert isinstance(parsed, Select)
        rows = _limited(parsed, parameters, await self._select(parsed, parameters, statement))
        if state:
            last = self._pages[state]
            places = [place for place, _ in rows]
            # A row that went away meanwhile leaves the place that it had.
            rows = rows[places.index(last) + 1 :] if last in places else [row for row in rows if row[0] > last]
        if len(rows) <= size:
            return Page([row for _, row in rows])
        token = str(len(self._pages) + 1).encode()
        self._pages[token] = rows[size - 1][0]
        return Page([row for _, row in rows[:size]], token)

    async def write_together(self, rows: Sequence[Bound]) -> None:
        """See `Session.write_together`."""
        self.requests["batch"] += 1
        by_place: dict[Place, Change] = {}
        for statement, parameters in rows:
            if self._before is not None:
                self._before(statement, parameters)
            parsed = self._keyspace.parsed(statement)
            assert not isinstance(parsed, Select)
            timestamp = self._timestamp(parsed, parameters)
            for place, change in _changes(parsed, parameters, timestamp, self._now()):
                whole = by_place.setdefault(place, Change())
                whole.add(change)
        await self._replicas.write(by_place.items())

    def _count(self, statement: Statement, parameters: Sequence[Any]) -> None:
        self.requests[statement.name] += 1
        if self._before is not None:
            self._before(statement, parameters)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _timestamp(self, parsed: Insert | Delete, parameters: Sequence[Any]) -> int:
        return self._replicas.now_us() if parsed.timestamp is None else parsed.timestamp(parameters)

    # --- reading ------------------------------------------------------------------------------------------------------
    async def _select(
        self, select: Select, parameters: Sequence[Any], statement: Statement
    ) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
        """All rows, each with its place in the order."""
        table = select.table
        relations = _bound(select.where, parameters)
        keys = _partition_keys(table, relations)
        if keys is None:
            keys = self._replicas.places(table.name)
        found: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
        asked = 1 if statement.name in self._one else QUORUM
        for key in keys:
            place = (table.name, key)
            if statement.mode is Mode.SERIAL_READ:
                partition = await self._replicas.read_serial(place)
            else:
                partition = await self._replicas.read(place, asked)
            for clustering, living in _ordered(table, partition, self._now(), select.descending):
                row = _row(table, key, clustering, living)
                if all(_holds(row, relation) for relation in relations):
                    columns = tuple([_column(row, living, column, self._now()) for column in select.columns])
                    found.append(((*key, *clustering), columns))
        if select.columns == ("count",):
            return [((), (len(found),))]
        return found

    # --- transactions -------------------------------------------------------------------------------------------------
    async def _transact(self, parsed: Insert | Delete, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        table = parsed.table
        relations = _bound(parsed.where, parameters)
        keys = _partition_keys(table, relations)
        if keys is None or len(keys) != 1:
            raise Unsupported(f"a transaction of several partitions of {table.name}")
        clustering = tuple(value for column in table.clustering for columns, _, value in relations if columns == (column,))
        conditions = _bound(parsed.conditions, parameters)

        def decide(partition: Partition, ballot: int) -> tuple[Change | None, list[tuple[Any, ...]]]:
            now = self._now()
            living = dict(partition.rows(now)).get(clustering)
            row = _row(table, keys[0], clustering, living or partition.static(now))
            if isinstance(parsed, Insert) and parsed.if_not_exists:
                if living is not None:
                    return None, [(False, *[row.get(column) for column in table.in_order])]
            elif parsed.if_exists:
                if living is None:
                    return None, [(False,)]
            elif not all(_holds(row, condition) for condition in conditions):
                held = [row.get(columns[0]) for columns, _, _ in conditions] if living is not None else []
                return None, [(False, *held)]
            ((_, change),) = _changes(parsed, parameters, ballot, now)
            return change, [(True,)]

        answer: list[tuple[Any, ...]] = await self._replicas.transact((table.name, keys[0]), decide)
        return answer


Relation = tuple[tuple[str, ...], str, Any]


def _bound(conditions: Sequence[Condition], parameters: Sequence[Any]) -> list[Relation]:
    return [(columns, operator, term(parameters)) for columns, operator, term in conditions]


def _partition_keys(table: Table, relations: Sequence[Relation]) -> list[tuple[Any, ...]] | None:
    """The partitions that a WHERE names; None where it names none."""
    choices: list[list[Any]] = []
    for column in table.partition:
        for columns, operator, value in relations:
            if columns == (column,) and operator in ("=", "IN"):
                choices.append([value] if operator == "=" else list(dict.fromkeys(value)))
                break
        else:
            return None
    return list(product(*choices))


def _holds(row: dict[str, Any], relation: Relation) -> bool:
    columns, operator, value = relation
    if len(columns) == 1:
        return cells.compare(row.get(columns[0]), operator, value)
    return cells.compare(tuple(row.get(column) for column in columns), operator, value)


def _ordered(table: Table, partition: Partition, now: float, descending: bool) -> list[tuple[tuple[Any, ...], dict[str, Cell]]]:
    rows = list(partition.rows(now))
    for number in reversed(range(len(table.clustering))):
        if table.clustering[number] in table.reversed:
            rows.sort(key=lambda row: row[0][number], reverse=True)
        elif table.reversed:
            rows.sort(key=lambda row: row[0][number])
    return rows[::-1] if descending else rows


def _row(table: Table, key: tuple[Any, ...], clustering: tuple[Any, ...], living: dict[str, Cell]) -> dict[str, Any]:
    row = {column: cell.value for column, cell in living.items()}
    row.update(zip(table.partition, key, strict=True))
    row.update(zip(table.clustering, clustering, strict=False))
    return row


def _column(row: dict[str, Any], living: dict[str, Cell], column: str, now: float) -> Any:
    function, _, name = column.rpartition(" ")
    if not function:
        return row.get(column)
    cell = living.get(name)
    if cell is None:
        return None
    if function == "writetime":
        return cell.timestamp
    return None if cell.expires is None else int(cell.expires - now)


def _limited(select: Select, parameters: Sequence[Any], rows: list[Any]) -> list[Any]:
    return rows if select.limit is None else rows[: select.limit(parameters)]


# --- writing ----------------------------------------------------------------------------------------------------------
def _changes(parsed: Insert | Delete, parameters: Sequence[Any], timestamp: int, now: float) -> list[tuple[Place, Change]]:
    """What a statement changes, partition by partition."""
    table = parsed.table
    relations = _bound(parsed.where, parameters)
    keys = _partition_keys(table, relations)
    if keys is None:
        raise Unsupported(f"a write to all partitions of {table.name}")
    within = [relation for relation in relations if relation[0][0] not in table.partition]
    changes = []
    for key in keys:
        if isinstance(parsed, Insert):
            change = _insertion(parsed, parameters, within, timestamp, now)
        else:
            change = _deletion(parsed, within, timestamp)
        changes.append(((table.name, key), change))
    return changes


def _insertion(insert: Insert, parameters: Sequence[Any], within: Sequence[Relation], timestamp: int, now: float) -> Change:
    table = insert.table
    given = {columns[0]: value for columns, _, value in within}
    ttl_s = insert.ttl(parameters) if insert.ttl is not None else 0
    expires = now + ttl_s if ttl_s else None
    change = Change()
    is_row = all(column in given for column in table.clustering)
    clustering = tuple(given[column] for column in table.clustering) if is_row else STATIC
    for column, term in insert.cells:
        key = STATIC if column in table.static else clustering
        if key is STATIC and column not in table.static:
            raise Unsupported(f"{column} of {table.name} without its whole key")
        value = term(parameters)
        change.cells[key, column] = Cell(timestamp, value, None if value is None else expires)
    if insert.marks and is_row:
        change.cells[clustering, MARK] = Cell(timestamp, True, expires)
    return change


def _deletion(delete: Delete, within: Sequence[Relation], timestamp: int) -> Change:
    table = delete.table
    change = Change()
    choices: list[list[cells.Bound]] = []
    for columns, operator, value in within:
        if len(columns) != 1:
            raise Unsupported(f"a deletion by {columns}")
        number = table.clustering.index(columns[0])
        if operator == "IN":
            choices.append([cells.Bound(number, "=", one) for one in value])
        else:
            choices.append([cells.Bound(number, operator, value)])
    for cover in product(*choices):
        if not delete.columns:
            change.deletions[cover] = timestamp
            continue
        clustering = tuple(bound.value for bound in cover)
        for column in delete.columns:
            change.cells[STATIC if column in table.static else clustering, column] = Cell(timestamp, None)
    return change


__all__ = ["Keyspace", "ReplicaSession", "Term", "tables_of"]
