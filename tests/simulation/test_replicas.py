"""The model of replicas: without faults the commit log on it passes the conformance suite, in both its forms, and costs what it
should; and the model's own rules."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tenuto_server.persistence.cassandra import Mode, Statement
from tenuto_server.persistence.cassandra.log import CHUNK_BYTES, CassandraLogs, LogForm
from tenuto_server.persistence.interface import StoreUnavailable
from tests.conformance import test_log

from .cql import Unsupported, parse, parse_tables
from .loop import SimLoop, new_loop
from .replica_session import Keyspace, ReplicaSession, tables_of
from .replicas import Replicas

TABLES = parse_tables("""
CREATE TABLE IF NOT EXISTS t (
    p text, q int,
    k int, j text, -- a comment
    s int static, v blob, w map<text, frozen<list<int>>>,
    PRIMARY KEY ((p, q), k, j)
) WITH CLUSTERING ORDER BY (k DESC, j ASC) AND gc_grace_seconds = 1;
CREATE INDEX ON t (v);
""")


def conformance() -> list[Any]:
    """The suite's tests of the log, each with what it is parametrized by."""
    cases = []
    for name, test in inspect.getmembers(test_log, inspect.iscoroutinefunction):
        if name.startswith("test_"):
            several = (
                [{"enough": count} for count in (1, 10, 57, 200)] if "enough" in inspect.signature(test).parameters else [{}]
            )
            cases += [pytest.param(test, named, id="-".join([name, *map(str, named.values())])) for named in several]
    return cases


@pytest.mark.parametrize("delay_s", [0.0, 0.01])
@pytest.mark.parametrize("form", LogForm)
@pytest.mark.parametrize(("test", "named"), conformance())
def test_conformance(
    test: Callable[..., Coroutine[Any, Any, None]], named: dict[str, int], form: LogForm, delay_s: float
) -> None:
    loop = new_loop("conformance")
    replicas = Replicas(loop, random.Random(1))
    replicas.faults.delay_s, replicas.faults.timeout_s = delay_s, 1e6
    loop.run_until_complete(test(CassandraLogs(session_on(replicas), form), **named))
    loop.close()


def session_on(replicas: Replicas) -> ReplicaSession:
    return ReplicaSession(Keyspace(replicas, tables_of()))


class Rig:
    """A table of its own on replicas without faults."""

    def __init__(self) -> None:
        self.loop: SimLoop = new_loop("rig")
        self.replicas = Replicas(self.loop, random.Random(1))
        self.session = ReplicaSession(Keyspace(self.replicas, TABLES))

    def run(self, cql: str, *parameters: Any, mode: Mode = Mode.DATA) -> list[tuple[Any, ...]]:
        return self.loop.run_until_complete(self.session.execute(Statement(cql, cql, mode), parameters))


@pytest.mark.parametrize(
    ("form", "size", "requests"),
    [
        (LogForm.LWT, 10_000, {"log_row_if_free": 1}),
        (LogForm.CHECKED, 10_000, {"log_row": 1, "log_check": 1}),
        (LogForm.LWT, 3 * CHUNK_BYTES, {"log_row": 2, "log_row_if_free": 1}),
        (LogForm.CHECKED, 3 * CHUNK_BYTES, {"log_row": 3, "log_check": 1}),
    ],
)
def test_what_an_append_costs(form: LogForm, size: int, requests: dict[str, int]) -> None:
    loop = new_loop("cost")
    session = session_on(Replicas(loop, random.Random(1)))
    logs = CassandraLogs(session, form)
    loop.run_until_complete(logs.create_log("a"))
    session.requests.clear()
    loop.run_until_complete(logs.append("a", 1, bytes(size)))
    assert session.requests == requests


def test_the_newest_timestamp_wins_on_every_path() -> None:
    rig = Rig()
    rig.run("INSERT INTO t (p, q, k, j, v) VALUES ('a', 1, 1, 'x', ?) USING TIMESTAMP 5", b"new")
    rig.run("UPDATE t USING TIMESTAMP 4 SET v = ? WHERE p = 'a' AND q = 1 AND k = 1 AND j = 'x'", b"old")
    assert rig.run("SELECT v, writetime(v) FROM t WHERE p = 'a' AND q = 1") == [(b"new", 5)]
    rig.run("DELETE FROM t USING TIMESTAMP 4 WHERE p = 'a' AND q = 1")
    assert rig.run("SELECT v FROM t WHERE p = 'a' AND q = 1 AND k = 1 AND j = 'x'") == [(b"new",)]
    rig.run("DELETE FROM t USING TIMESTAMP 5 WHERE p = 'a' AND q = 1 AND k >= 1")
    assert rig.run("SELECT v FROM t WHERE p = 'a' AND q = 1") == []


def test_order_limits_and_ranges() -> None:
    rig = Rig()
    for k in (1, 2, 3):
        for j in ("x", "y"):
            rig.run("INSERT INTO t (p, q, k, j, v) VALUES (?, ?, ?, ?, ?)", "a", 1, k, j, b"")
    rig.run("UPDATE t SET s = 7 WHERE p = 'a' AND q = 1")
    assert rig.run("SELECT k, j FROM t WHERE p = 'a' AND q = 1 LIMIT ?", 3) == [(3, "x"), (3, "y"), (2, "x")]
    assert rig.run("SELECT k, j FROM t WHERE p = 'a' AND q = 1 AND k < 3 ORDER BY k ASC LIMIT 3") == [
        (1, "y"),
        (1, "x"),
        (2, "y"),
    ]
    assert rig.run("SELECT k, s FROM t WHERE p = 'a' AND q = 1 AND (k, j) IN ?", [(1, "x"), (9, "x")]) == [(1, 7)]
    assert rig.run("SELECT COUNT(*) FROM t WHERE p = 'a' AND q IN (1, 2)") == [(6,)]


def test_rows_with_a_time_to_live_go_when_it_is_over() -> None:
    rig = Rig()
    rig.run("INSERT INTO t (p, q, k, j) VALUES ('a', 1, 1, 'x') USING TTL ?", 10)
    assert rig.run("SELECT k FROM t WHERE p = 'a' AND q = 1") == [(1,)]
    rig.loop._time += 11
    assert rig.run("SELECT k FROM t WHERE p = 'a' AND q = 1") == []


def test_transactions_answer_with_what_is_there() -> None:
    rig = Rig()
    insert = "INSERT INTO t (p, q, k, j, v) VALUES ('a', 1, 1, 'x', ?) IF NOT EXISTS"
    assert rig.run(insert, b"1", mode=Mode.CONDITIONAL) == [(True,)]
    assert rig.run(insert, b"2", mode=Mode.CONDITIONAL) == [(False, "a", 1, 1, "x", None, b"1", None)]
    update = "UPDATE t SET v = ? WHERE p = 'a' AND q = 1 AND k = 1 AND j = 'x' IF v = ?"
    assert rig.run(update, b"3", b"2", mode=Mode.CONDITIONAL) == [(False, b"1")]
    assert rig.run(update, b"3", b"1", mode=Mode.CONDITIONAL) == [(True,)]
    assert rig.run("SELECT v FROM t WHERE p = 'a' AND q = 1", mode=Mode.SERIAL_READ) == [(b"3",)]


def test_what_a_transaction_left_in_progress_is_settled_once() -> None:
    """Whoever looks at the partition serially decides it, and it stays decided."""
    outcomes = set()
    for seed in range(40):
        rig = Rig()
        rig.replicas._chance = random.Random(seed)
        rig.replicas.faults.half = 1.0
        with pytest.raises(StoreUnavailable):
            rig.run("INSERT INTO t (p, q, k, j, v) VALUES ('a', 1, 1, 'x', ?) IF NOT EXISTS", b"1", mode=Mode.CONDITIONAL)
        rig.replicas.faults.half = 0.0
        read = "SELECT v FROM t WHERE p = 'a' AND q = 1"
        found = rig.run(read, mode=Mode.SERIAL_READ)
        outcomes.add(len(found))
        for _ in range(10):
            assert rig.run(read) == rig.run(read, mode=Mode.SERIAL_READ) == found
    assert outcomes == {0, 1}


def test_quorums_overlap_and_less_does_not() -> None:
    """A write that one replica misses is read by every quorum, and not by every single replica."""
    misses = {1: 0, 2: 0}
    for seed in range(40):
        rig = Rig()
        rig.replicas._chance = random.Random(seed)
        rig.replicas._up_again[seed % 3] = 1.0
        rig.run("INSERT INTO t (p, q, k, j) VALUES ('a', 1, 1, 'x')")
        rig.replicas._up_again[seed % 3] = 0.0
        for asked in misses:
            rig.replicas.read_repair = False
            found = rig.loop.run_until_complete(rig.replicas.read(("t", ("a", 1)), asked))
            misses[asked] += not found.cells
    assert misses[1] > 0
    assert misses[2] == 0


@pytest.mark.parametrize("text", ["TRUNCATE t", "SELECT now() FROM t", "DELETE FROM t WHERE p = 'a' AND q = 1 GROUP BY k"])
def test_what_is_not_understood_is_said(text: str) -> None:
    with pytest.raises(Unsupported):
        parse(text, TABLES)
