"""The thin seam between the store and a driver of Cassandra: statements, and a session that runs them.

Everything of the store is written against `Session`, so the same code runs on cassandra-driver, on acsylla, and in the
simulation on a model of replicas and quorums. A statement is a constant with a name; parameters are bound in order, as
Python's own types (str, int, bytes, bool, float, list, set, dict, None). A session prepares a statement at first use, routes by
its token, bounds what is under way, and turns every failure that may pass into `StoreUnavailable`; it makes a request again by
itself only where the statement is `idempotent`.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


class Mode(enum.Enum):
    """At which consistency a statement runs; which of Cassandra's levels these are is the session's setting."""

    # QUORUM or LOCAL_QUORUM (or ONE where there is one replica).
    DATA = "data"
    # A lightweight transaction: Paxos at SERIAL or LOCAL_SERIAL, its commit at the level of DATA.
    CONDITIONAL = "conditional"
    # A read that sees every lightweight transaction that was answered, and settles one that was not.
    SERIAL_READ = "serial-read"


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One CQL statement with `?` for its parameters. Tables are named without a keyspace: the session has one. `idempotent`
    means that to run it twice is as to run it once: false for most lightweight transactions. `partition` holds
    the numbers of the parameters that make the partition key, for drivers that cannot find that out themselves."""

    name: str
    cql: str
    mode: Mode = Mode.DATA
    idempotent: bool = True
    partition: tuple[int, ...] = (0,)


class Bound(NamedTuple):
    """A statement with its parameters."""

    statement: Statement
    parameters: Sequence[Any]


class Page(NamedTuple):
    """Rows as tuples in the order of the selected columns. `next_state` is what gets the next page, empty after the last."""

    rows: list[tuple[Any, ...]]
    next_state: bytes = b""


class Session(Protocol):
    """A connection to one keyspace of a cluster. No method blocks the event loop; all may raise `StoreUnavailable`, after which
    nobody knows whether a write happened. Anything else that goes wrong (a statement that Cassandra refuses) is
    a mistake of this program and raised as the driver raises it. `requests` counts what was sent, by the statements' names."""

    requests: Counter[str]

    async def open(self) -> None:
        """Connects. Raises StoreUnavailable where no node answers."""

    async def close(self) -> None:
        """Waits for what is under way (up to its timeout), then disconnects."""

    async def execute(self, statement: Statement, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of the answer, which must be few: what may be many is read by `page` or has a LIMIT. Of a lightweight
        transaction the first column of the first row is whether it was applied."""

    async def page(self, statement: Statement, parameters: Sequence[Any], size: int, state: bytes = b"") -> Page:
        """One page of the answer, beginning at `state`, of at most `size` rows (Cassandra may give fewer)."""

    async def write_together(self, rows: Sequence[Bound]) -> None:
        """Several idempotent writes in one unlogged batch: all of one partition, or few and small. Not atomic where partitions
        differ."""

    async def run_ddl(self, cql: str) -> None:
        """A statement that changes the schema, as it is; returns when the nodes agree on the schema."""
