"""The SQL of the visibility index: its tables, and queries made of typed trees.

A run is one row: a column for each of the server's own keys, and the whole record as a value. Search attributes are rows
of a side table, one a key, type and value, so a run without any costs nothing there; triggers take them away with their
run's row or its former state, and they are written anew with it.

No text of a query gets into a statement: names are looked up here or bound, values are bound.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from tenuto_server.persistence.sqlite.batching import values
from tenuto_server.visibility.attributes import DOUBLE, INT, Scalar
from tenuto_server.visibility.paging import Position
from tenuto_server.visibility.tree import AllOf, Field, Leaf, Node, Op, Query, conjuncts, needs_value

_COLUMNS: Final = (
    "domain_id, run_id, workflow_id, workflow_type, task_list, cron_schedule, is_cron, start_ns, execution_ns, close_ns, "
    "close_status, execution_status, history_length, update_ns, expires_ns, has_attributes, body, stamp"
)
_COLUMN_COUNT: Final = _COLUMNS.count(",") + 1

VISIBILITY_TABLES: Final = (
    (
        "CREATE TABLE visibility (id INTEGER PRIMARY KEY, domain_id TEXT NOT NULL, run_id TEXT NOT NULL, "
        "workflow_id TEXT NOT NULL, workflow_type TEXT NOT NULL, task_list TEXT NOT NULL, cron_schedule TEXT, "
        "is_cron INTEGER NOT NULL, start_ns INTEGER NOT NULL, execution_ns INTEGER NOT NULL, close_ns INTEGER, "
        "close_status INTEGER, execution_status INTEGER NOT NULL, history_length INTEGER NOT NULL, "
        "update_ns INTEGER NOT NULL, expires_ns INTEGER, has_attributes INTEGER NOT NULL, body BLOB NOT NULL, "
        "stamp INTEGER NOT NULL, UNIQUE (domain_id, run_id))"
    ),
    # Open and closed runs by start, and by type; those of one workflow id are few.
    "CREATE INDEX visibility_by_start ON visibility (domain_id, start_ns, run_id)",
    "CREATE INDEX visibility_by_type ON visibility (domain_id, workflow_type, start_ns, run_id)",
    "CREATE INDEX visibility_by_workflow ON visibility (domain_id, workflow_id, start_ns, run_id)",
    # Closed runs by close: the open ones are not in them.
    "CREATE INDEX visibility_by_close ON visibility (domain_id, close_ns, run_id) WHERE close_ns IS NOT NULL",
    (
        "CREATE INDEX visibility_by_type_and_close ON visibility (domain_id, workflow_type, close_ns, run_id) "
        "WHERE close_ns IS NOT NULL"
    ),
    (
        "CREATE INDEX visibility_by_status ON visibility (domain_id, close_status, close_ns, run_id) "
        "WHERE close_status IS NOT NULL"
    ),
    # Open runs, which may be few among many.
    "CREATE INDEX visibility_open ON visibility (domain_id, start_ns, run_id) WHERE close_ns IS NULL",
    "CREATE INDEX visibility_open_by_type ON visibility (domain_id, workflow_type, start_ns, run_id) WHERE close_ns IS NULL",
    # Runs whose retention has an end, by that.
    "CREATE INDEX visibility_by_expiry ON visibility (domain_id, expires_ns, run_id) WHERE expires_ns IS NOT NULL",
    (
        "CREATE TABLE visibility_attributes (id INTEGER NOT NULL, name TEXT NOT NULL, type INTEGER NOT NULL, "
        "value NOT NULL, domain_id TEXT NOT NULL, PRIMARY KEY (id, name, type, value)) WITHOUT ROWID"
    ),
    "CREATE INDEX visibility_by_attribute ON visibility_attributes (domain_id, name, type, value, id)",
    (
        "CREATE TRIGGER visibility_changed AFTER UPDATE ON visibility WHEN old.has_attributes BEGIN "
        "DELETE FROM visibility_attributes WHERE id = old.id; END"
    ),
    (
        "CREATE TRIGGER visibility_removed AFTER DELETE ON visibility WHEN old.has_attributes BEGIN "
        "DELETE FROM visibility_attributes WHERE id = old.id; END"
    ),
)


# --- writing ----------------------------------------------------------------------------------------------------------
@cache
def put(count: int) -> str:
    """Takes the columns in their order, and the run id as bytes."""
    updates = ", ".join([f"{column} = excluded.{column}" for column in _COLUMNS.split(", ")[2:]])
    return (
        f"WITH new ({_COLUMNS}, dead_key) AS (VALUES {values(_COLUMN_COUNT + 1, count)}) "
        f"INSERT INTO visibility ({_COLUMNS}) SELECT {_COLUMNS} FROM new WHERE NOT EXISTS "
        "(SELECT 1 FROM dead WHERE dead.kind = 'visibility' AND dead.partition = new.domain_id "
        "AND dead.key = new.dead_key AND dead.stamp >= new.stamp) "
        f"ON CONFLICT (domain_id, run_id) DO UPDATE SET {updates} WHERE excluded.stamp > visibility.stamp"
    )


@cache
def put_attributes(count: int) -> str:
    """Takes domain, run id, stamp, key, type, value. Only the attributes of the record that is there are kept."""
    return (
        f"WITH new (domain_id, run_id, stamp, name, type, value) AS (VALUES {values(6, count)}) "
        "INSERT OR IGNORE INTO visibility_attributes (id, name, type, value, domain_id) "
        "SELECT held.id, new.name, new.type, new.value, new.domain_id FROM new CROSS JOIN visibility AS held "
        "ON held.domain_id = new.domain_id AND held.run_id = new.run_id AND held.stamp = new.stamp"
    )


@cache
def remove(count: int) -> str:
    """Takes domain, run id, stamp."""
    return (
        f"WITH gone (domain_id, run_id, stamp) AS (VALUES {values(3, count)}) "
        "DELETE FROM visibility WHERE id IN (SELECT held.id FROM gone CROSS JOIN visibility AS held "
        "ON held.domain_id = gone.domain_id AND held.run_id = gone.run_id AND held.stamp <= gone.stamp)"
    )


LIST_EXPIRED: Final = (
    "SELECT body FROM visibility WHERE domain_id = ? AND expires_ns IS NOT NULL AND (expires_ns, run_id) > (?, ?) "
    "AND expires_ns <= ? ORDER BY expires_ns, run_id LIMIT ?"
)


# --- reading ----------------------------------------------------------------------------------------------------------
# Keys that no run has a value for are not here.
_COLUMN_OF: Final = {
    "DomainID": "domain_id",
    "WorkflowID": "workflow_id",
    "RunID": "run_id",
    "WorkflowType": "workflow_type",
    "StartTime": "start_ns",
    "ExecutionTime": "execution_ns",
    "ScheduledExecutionTime": "execution_ns",
    "CloseTime": "close_ns",
    "CloseStatus": "close_status",
    "HistoryLength": "history_length",
    "TaskList": "task_list",
    "IsCron": "is_cron",
    "CronSchedule": "cron_schedule",
    "UpdateTime": "update_ns",
    "ExecutionStatus": "execution_status",
}
_NULLABLE: Final = frozenset({"close_ns", "close_status", "cron_schedule", "NULL"})

Statement = tuple[str, list[Scalar]]


def page(query: Query, position: Position | None, limit: int) -> Statement:
    """Rows of (body, sort value, run id) after a position, in order."""
    where, bound = _where(query)
    order = query.order
    descending = order.descending
    sort, sort_bound = _sort(query)
    direction, behind = ("DESC", "<") if descending else ("ASC", ">")
    may_miss = (not order.field.is_system or sort.lstrip("+") in _NULLABLE) and not (
        order.field.is_system and needs_value(query.where, order.field)
    )
    after: list[Scalar] = []
    if position is not None:
        condition, after = _behind(position, "sort" if sort_bound else sort, behind, may_miss)
        where += f" AND {condition}"
    nulls = " NULLS LAST" if may_miss else ""
    by = "run_id" if sort == "run_id" else f"{sort if not sort_bound else 'sort'}"
    ties = "" if sort == "run_id" else f", run_id {direction}"
    text = f"SELECT body, {sort} AS sort, run_id FROM visibility WHERE {where} ORDER BY {by} {direction}{nulls}{ties} LIMIT ?"
    return text, [*sort_bound, *bound, *after, limit]


def count(query: Query) -> Statement:
    """One row with the number of runs."""
    where, bound = _where(query)
    return f"SELECT count(*) FROM visibility WHERE {where}", bound


def _behind(position: Position, sort: str, behind: str, may_miss: bool) -> Statement:
    value, run_id = position
    if value is None:
        return (f"({sort} IS NULL AND run_id {behind} ?)", [run_id]) if may_miss else ("0", [])
    if sort == "run_id":
        return f"run_id {behind} ?", [run_id]
    follows = f"({sort}, run_id) {behind} (?, ?)"
    return (f"({follows} OR {sort} IS NULL)" if may_miss else follows), [value, run_id]


def _sort(query: Query) -> Statement:
    order = query.order
    if order.field.is_system:
        column = _COLUMN_OF.get(order.field.name, "NULL")
        # The sign keeps SQLite from walking the order's index where a few ids are looked for.
        return (f"+{column}" if column != "run_id" and _is_few(query) else column), []
    best = "max" if order.descending else "min"
    text, bound = _attribute(order.field)
    return f"(SELECT {best}(held.value) FROM visibility_attributes AS held WHERE held.id = visibility.id AND {text})", bound


def _is_few(query: Query) -> bool:
    return any(
        isinstance(part, Leaf)
        and part.op is Op.IN
        and not part.negated
        and (part.field.name == "RunID" or (part.field.name == "WorkflowID" and len(part.values) > 1))
        for part in conjuncts(query.where)
    )


def _where(query: Query) -> Statement:
    if query.where is None:
        return "domain_id = ?", [query.domain_id]
    text, bound = _node(query.where, query.domain_id)
    return f"domain_id = ? AND {text}", [query.domain_id, *bound]


def _node(node: Node, domain_id: str) -> Statement:
    if isinstance(node, Leaf):
        if node.field.is_system:
            return _system(node)
        return _custom(node, domain_id)
    texts: list[str] = []
    bound: list[Scalar] = []
    for part in node.parts:
        text, more = _node(part, domain_id)
        texts.append(text)
        bound += more
    return f"({(' AND ' if isinstance(node, AllOf) else ' OR ').join(texts)})", bound


def _system(leaf: Leaf) -> Statement:
    column = _COLUMN_OF.get(leaf.field.name, "NULL")
    if leaf.op is Op.PRESENT:
        return f"{column} IS {'' if leaf.negated else 'NOT '}NULL", []
    text, bound = _condition(column, leaf)
    return (f"({text}) IS NOT TRUE" if leaf.negated else text), bound


def _custom(leaf: Leaf, domain_id: str) -> Statement:
    """The positive form is a set of ids, which may lead the search; the negated one is asked of each run."""
    name, bound = _attribute(leaf.field)
    condition, more = _condition("held.value", leaf)
    if leaf.negated:
        return (
            f"NOT EXISTS (SELECT 1 FROM visibility_attributes AS held WHERE held.id = visibility.id AND {name} AND {condition})"
        ), [*bound, *more]
    return (f"id IN (SELECT held.id FROM visibility_attributes AS held WHERE held.domain_id = ? AND {name} AND {condition})"), [
        domain_id,
        *bound,
        *more,
    ]


def _attribute(field: Field) -> Statement:
    if field.type == DOUBLE:
        return "held.name = ? AND held.type IN (?, ?)", [field.name, INT, DOUBLE]
    return "held.name = ? AND held.type = ?", [field.name, field.type]


def _condition(operand: str, leaf: Leaf) -> Statement:
    """The positive form."""
    bound = list(leaf.values)
    match leaf.op:
        case Op.PRESENT:
            return "1", []
        case Op.IN if len(bound) == 1:
            return f"{operand} = ?", bound
        case Op.IN:
            return f"{operand} IN ({', '.join('?' * len(bound))})", bound
        case Op.BETWEEN:
            return f"{operand} BETWEEN ? AND ?", bound
        case Op.LIKE:
            return f"{operand} GLOB ?", bound
        case _:
            return f"{operand} {leaf.op.value} ?", bound
