"""The part of CQL that the store uses, read from the statements and table definitions themselves.

    parse_tables(text of a schema file) -> tables           parse(statement, tables) -> Insert | Delete | Select

What is not understood raises `Unsupported`: then this module has to learn it. Nothing here knows of replicas or time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\?)|(-?\d+\.\d+|-?\d+)|([A-Za-z_][A-Za-z_0-9.]*)|(<=|>=|!=|[(),=<>*;{}:\[\]+-]))")

# A value of a statement, once its parameters are known.
Term = Callable[[Sequence[Any]], Any]
Condition = tuple[tuple[str, ...], str, Term]


class Unsupported(Exception):
    """The model does not know this part of CQL."""


@dataclass(frozen=True)
class Table:
    """What a CREATE TABLE says. `reversed` are the clustering columns that stand in descending order."""

    name: str
    columns: tuple[str, ...]
    partition: tuple[str, ...]
    clustering: tuple[str, ...]
    static: frozenset[str] = frozenset()
    reversed: frozenset[str] = frozenset()

    @property
    def regular(self) -> tuple[str, ...]:
        """The columns that are not part of the key, by name."""
        return tuple(sorted(column for column in self.columns if column not in self.partition + self.clustering))

    @property
    def in_order(self) -> tuple[str, ...]:
        """All columns as Cassandra orders them in the answer of a transaction that was not applied."""
        statics = tuple(column for column in self.regular if column in self.static)
        return self.partition + self.clustering + statics + tuple(c for c in self.regular if c not in self.static)


@dataclass(frozen=True)
class Insert:
    """INSERT and UPDATE alike: cells of one row. `marks`: INSERT makes the row be there even without cells. `conditions` None:
    no transaction; `if_not_exists`/`if_exists` and conditions on cells are those of a lightweight transaction."""

    table: Table
    where: tuple[Condition, ...]
    cells: tuple[tuple[str, Term], ...]
    marks: bool
    timestamp: Term | None = None
    ttl: Term | None = None
    if_not_exists: bool = False
    if_exists: bool = False
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Delete:
    """DELETE of a partition, of rows that meet `where`, or (`columns`) of cells of one row."""

    table: Table
    where: tuple[Condition, ...]
    columns: tuple[str, ...] = ()
    timestamp: Term | None = None
    if_exists: bool = False
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Select:
    """`columns` are names; "count" and "writetime NAME" and "ttl NAME" are functions. `descending`: against the table's order."""

    table: Table
    columns: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    descending: bool = False
    limit: Term | None = None


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        at = 0
        text = text.rstrip().rstrip(";")
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise Unsupported(f"{text[at : at + 30]!r} of {text!r}")
            self.tokens.append(found.group().strip())
            at = found.end()
        self.at = 0
        self.parameters = 0

    def peek(self) -> str:
        return self.tokens[self.at].upper() if self.at < len(self.tokens) else ""

    def next(self) -> str:
        if self.at >= len(self.tokens):
            raise Unsupported(f"{self.text!r} ends early")
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, *words: str) -> bool:
        """Takes these tokens if they come next."""
        ahead = [token.upper() for token in self.tokens[self.at : self.at + len(words)]]
        if ahead != list(words):
            return False
        self.at += len(words)
        return True

    def need(self, *words: str) -> None:
        if not self.take(*words):
            raise Unsupported(f"{' '.join(words)} expected at {' '.join(self.tokens[self.at :])!r}")

    def name(self) -> str:
        return self.next().lower()

    def names(self) -> tuple[str, ...]:
        """(a, b, ...)"""
        self.need("(")
        found = [self.name()]
        while self.take(","):
            found.append(self.name())
        self.need(")")
        return tuple(found)

    def term(self) -> Term:
        """A value, a parameter, or several in parentheses."""
        if self.take("("):
            terms = [self.term()]
            while self.take(","):
                terms.append(self.term())
            self.need(")")
            return lambda parameters: tuple(term(parameters) for term in terms)
        token = self.next()
        if token == "?":
            number = self.parameters
            self.parameters += 1
            return lambda parameters: parameters[number]
        value = _literal(token)
        return lambda _parameters: value

    def relation(self) -> Condition:
        is_tuple = self.peek() == "("
        columns = self.names() if is_tuple else (self.name(),)
        operator = self.next().upper()
        if operator not in ("=", "<", ">", "<=", ">=", "IN", "!="):
            raise Unsupported(f"{operator} in {self.text!r}")
        term = self.term()
        if is_tuple and len(columns) == 1:
            return columns, operator, lambda parameters: term(parameters)[0]
        return columns, operator, term

    def relations(self) -> tuple[Condition, ...]:
        found = [self.relation()]
        while self.take("AND"):
            found.append(self.relation())
        return tuple(found)

    def done(self) -> None:
        if self.at < len(self.tokens):
            raise Unsupported(f"{' '.join(self.tokens[self.at :])!r} at the end of {self.text!r}")


def _literal(token: str) -> Any:
    upper = token.upper()
    if upper in ("TRUE", "FALSE"):
        return upper == "TRUE"
    if upper == "NULL":
        return None
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    try:
        return float(token) if "." in token else int(token)
    except ValueError as error:
        raise Unsupported(f"the value {token!r}") from error


def parse(text: str, tables: dict[str, Table]) -> Insert | Delete | Select:
    """One statement that reads or changes rows."""
    reader = _Reader(text)
    kinds: dict[str, Callable[[_Reader, dict[str, Table]], Insert | Delete | Select]] = {
        "INSERT": _insert,
        "UPDATE": _update,
        "DELETE": _delete,
        "SELECT": _select,
    }
    kind = kinds.get(reader.next().upper())
    if kind is None:
        raise Unsupported(text)
    parsed = kind(reader, tables)
    reader.done()
    return parsed


@dataclass
class _Using:
    timestamp: Term | None = None
    ttl: Term | None = None

    def read(self, reader: _Reader) -> None:
        if not reader.take("USING"):
            return
        while True:
            if reader.take("TIMESTAMP"):
                self.timestamp = reader.term()
            else:
                reader.need("TTL")
                self.ttl = reader.term()
            if not reader.take("AND"):
                return


@dataclass
class _If:
    not_exists: bool = False
    exists: bool = False
    conditions: tuple[Condition, ...] = field(default_factory=tuple)

    def read(self, reader: _Reader) -> None:
        if not reader.take("IF"):
            return
        if reader.take("NOT", "EXISTS"):
            self.not_exists = True
        elif reader.take("EXISTS"):
            self.exists = True
        else:
            self.conditions = reader.relations()


def _insert(reader: _Reader, tables: dict[str, Table]) -> Insert:
    reader.need("INTO")
    table = tables[reader.name()]
    columns = reader.names()
    reader.need("VALUES")
    reader.need("(")
    terms = [reader.term()]
    while reader.take(","):
        terms.append(reader.term())
    reader.need(")")
    condition, using = _If(), _Using()
    condition.read(reader)
    using.read(reader)
    key = table.partition + table.clustering
    given = dict(zip(columns, terms, strict=True))
    where = tuple(((column,), "=", given[column]) for column in key if column in given)
    cells = tuple((column, term) for column, term in given.items() if column not in key)
    return Insert(table, where, cells, True, using.timestamp, using.ttl, if_not_exists=condition.not_exists)


def _update(reader: _Reader, tables: dict[str, Table]) -> Insert:
    table = tables[reader.name()]
    using, condition = _Using(), _If()
    using.read(reader)
    reader.need("SET")
    cells = [_assignment(reader)]
    while reader.take(","):
        cells.append(_assignment(reader))
    reader.need("WHERE")
    where = reader.relations()
    condition.read(reader)
    return Insert(
        table,
        where,
        tuple(cells),
        False,
        using.timestamp,
        using.ttl,
        if_exists=condition.exists,
        conditions=condition.conditions,
    )


def _assignment(reader: _Reader) -> tuple[str, Term]:
    column = reader.name()
    reader.need("=")
    return column, reader.term()


def _delete(reader: _Reader, tables: dict[str, Table]) -> Delete:
    columns: list[str] = []
    while reader.peek() != "FROM":
        columns.append(reader.name())
        reader.take(",")
    reader.need("FROM")
    table = tables[reader.name()]
    using, condition = _Using(), _If()
    using.read(reader)
    reader.need("WHERE")
    where = reader.relations()
    condition.read(reader)
    return Delete(table, where, tuple(columns), using.timestamp, condition.exists, condition.conditions)


def _select(reader: _Reader, tables: dict[str, Table]) -> Select:
    columns = [_selected(reader)]
    while reader.take(","):
        columns.append(_selected(reader))
    reader.need("FROM")
    table = tables[reader.name()]
    where = reader.relations() if reader.take("WHERE") else ()
    descending = False
    if reader.take("ORDER", "BY"):
        ordered = False
        while not ordered:
            column = reader.name()
            downwards = reader.take("DESC") or (reader.take("ASC") and False)
            if column == table.clustering[0]:
                descending = downwards is not (column in table.reversed)
            ordered = not reader.take(",")
    limit = reader.term() if reader.take("LIMIT") else None
    reader.take("ALLOW", "FILTERING")
    if columns == ["*"]:
        columns = list(table.in_order)
    return Select(table, tuple(columns), where, descending, limit)


def _selected(reader: _Reader) -> str:
    if reader.take("*"):
        return "*"
    name = reader.name()
    if not reader.take("("):
        return name
    argument = reader.next().lower()
    reader.need(")")
    if name == "count":
        return "count"
    if name in ("writetime", "ttl"):
        return f"{name} {argument}"
    raise Unsupported(f"the function {name}")


def parse_tables(text: str) -> dict[str, Table]:
    """The tables that a file of CREATE statements makes, by name; what else is in it makes no difference here."""
    tables: dict[str, Table] = {}
    without_comments = re.sub(r"--[^\n]*|//[^\n]*", "", text)
    for statement in without_comments.split(";"):
        if re.match(r"\s*CREATE\s+TABLE", statement, re.IGNORECASE):
            table = _table(statement.strip())
            tables[table.name] = table
    return tables


def _table(text: str) -> Table:
    head, _, options = text.partition("WITH")
    found = re.match(r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)\s*\((.*)\)\s*$", head, re.IGNORECASE | re.DOTALL)
    if found is None:
        raise Unsupported(text)
    columns: list[str] = []
    static: set[str] = set()
    partition: tuple[str, ...] = ()
    clustering: tuple[str, ...] = ()
    for part in _split(found.group(2)):
        key = re.match(r"PRIMARY\s+KEY\s*\((.*)\)$", part, re.IGNORECASE | re.DOTALL)
        if key is not None:
            first, *others = _split(key.group(1))
            partition = tuple(word.strip().lower() for word in first.strip("()").split(","))
            clustering = tuple(word.strip().lower() for word in others)
            continue
        words = part.split()
        columns.append(words[0].lower())
        upper = [word.upper() for word in words]
        if "STATIC" in upper:
            static.add(words[0].lower())
        if "PRIMARY" in upper:
            partition = (words[0].lower(),)
    ordering = re.search(r"CLUSTERING\s+ORDER\s+BY\s*\(([^)]*)\)", options, re.IGNORECASE)
    downwards = (
        {part.split()[0].lower() for part in ordering.group(1).split(",") if "DESC" in part.upper()} if ordering else set()
    )
    return Table(found.group(1).lower(), tuple(columns), partition, clustering, frozenset(static), frozenset(downwards))


def _split(text: str) -> list[str]:
    """Parts between commas that stand in no parentheses or angle brackets."""
    parts, depth, begin = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign in "(<") - (sign in ")>")
        if sign == "," and depth == 0:
            parts.append(text[begin:at].strip())
            begin = at + 1
    return [*parts, text[begin:].strip()]
