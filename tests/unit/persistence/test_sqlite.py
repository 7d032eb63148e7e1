"""What the SQLite store promises beyond the interface: group commit, a free event loop, index scans, clear errors."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tenuto_api import api
from tenuto_server.config.runtime import SECOND, Runtime
from tenuto_server.errors import InvariantViolation
from tenuto_server.persistence.interface import (
    Row,
    Sealed,
    StoreUnavailable,
    StoreVersionError,
    Table,
    TimerRow,
    WriteBatch,
)
from tenuto_server.persistence.rows import encode_visibility
from tenuto_server.persistence.sqlite import SqliteStore, batching, operations, schema, statements, visibility_sql, workers
from tenuto_server.visibility import attributes
from tenuto_server.visibility.query import parse as parse_query
from tenuto_server.visibility.tree import everything, open_or_closed
from tests.conformance.test_visibility import record


def run(path: Path | str, body: Callable[[SqliteStore], Awaitable[None]], runtime: Runtime | None = None) -> None:
    """Runs a coroutine with a store open."""

    async def main() -> None:
        store = SqliteStore(str(path), runtime=runtime)
        await store.open()
        try:
            async with asyncio.timeout(60):
                await body(store)
        finally:
            await store.close()

    asyncio.run(main())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store ?#%.db"


def test_what_was_written_is_there_after_opening_again(path: Path) -> None:
    async def write(store: SqliteStore) -> None:
        await store.create_log("log")
        await store.append("log", 1, b"row")
        await store.write(WriteBatch(rows=[Row(Table.RUNS, "p", b"k", b"v", 1)]))
        assert await store.compare_and_set("s", "k", b"v", 0)

    async def read(store: SqliteStore) -> None:
        assert [row.body for row in await store.read_log("log", 0, 10)] == [b"row"]
        assert await store.read(Table.RUNS, "p", [b"k"]) == [b"v"]
        assert (await store.list_rows("s", "", 10))[0].value == b"v"

    run(path, write)
    run(path, read)
    assert path.exists()


def test_appends_made_at_the_same_time_share_transactions(path: Path) -> None:
    async def body(store: SqliteStore) -> None:
        await store.create_log("log")
        before = store.groups
        await asyncio.gather(*[store.append("log", seq, b"row") for seq in range(1, 501)])
        assert store.groups - before <= 50
        assert len(await store.read_log("log", 0, 1000)) == 500

    run(path, body)


def test_each_call_of_a_group_has_its_own_outcome(path: Path) -> None:
    """One refusal, one bad value and one good write share a transaction; the bad write leaves nothing behind."""

    async def body(store: SqliteStore) -> None:
        await store.create_log("log")
        await store.create_log("sealed")
        await store.seal("sealed")
        hold, held = threading.Event(), threading.Event()

        def block(_: sqlite3.Connection) -> None:
            held.set()
            hold.wait(10)

        # While the writer is held up, the rest gathers to one group.
        blocked = store._writer.submit(block, ())
        await asyncio.to_thread(held.wait, 10)
        before = store.groups
        bad = [Row(Table.RUNS, "p", b"half", b"v", 1), Row(Table.TASKS, "p", b"bad", b"v", 1 << 70)]
        waiting = asyncio.gather(
            store.append("log", 1, b"row"),
            store.append("sealed", 1, b"row"),
            store.write(WriteBatch(rows=bad)),
            store.write(WriteBatch(rows=[Row(Table.RUNS, "p", b"good", b"v", 1)])),
            store.compare_and_set("s", "k", b"v", 3),
            return_exceptions=True,
        )
        await asyncio.sleep(0)
        hold.set()
        await blocked
        appended, sealed, failed, written, swapped = await waiting
        assert (appended, written, swapped) == (None, None, False)
        assert isinstance(sealed, Sealed)
        assert isinstance(failed, OverflowError)
        assert store.groups - before == 2
        assert await store.scan(Table.RUNS, "p", None, 10) == [(b"good", b"v")]
        assert len(await store.read_log("log", 0, 10)) == 1

    run(path, body)


def test_another_row_of_the_same_number_is_a_broken_invariant(path: Path) -> None:
    async def body(store: SqliteStore) -> None:
        await store.create_log("log")
        await store.append("log", 1, b"row")
        with pytest.raises(InvariantViolation):
            await store.append("log", 1, b"another")

    run(path, body)


def test_the_event_loop_is_free_while_much_is_written(path: Path) -> None:
    """Much less than the time of the writes passes between two turns of the loop. The bounds are wide: other processes
    use the machine too."""

    async def body(store: SqliteStore) -> None:
        loop = asyncio.get_running_loop()
        value = bytes(100_000)
        started = loop.time()
        writing = asyncio.gather(
            *[
                store.write(WriteBatch(rows=[Row(Table.HISTORY, f"p{n}", b"k%d" % m, value, 1) for m in range(20)]))
                for n in range(30)
            ]
        )
        longest = 0.0
        turns = 0
        last = loop.time()
        while not writing.done():
            await asyncio.sleep(0.001)
            longest = max(longest, loop.time() - last)
            last = loop.time()
            turns += 1
        await writing
        took = loop.time() - started
        assert turns >= 5
        assert longest < max(0.25, took / 2), f"the loop stood still for {longest:.3f} of {took:.3f} seconds"

    run(path, body)


def test_more_waiting_calls_than_allowed_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenuto_server.persistence.sqlite.store._WRITES_WAITING_MAX", 10)

    async def body(store: SqliteStore) -> None:
        await store.create_log("log")
        outcomes = await asyncio.gather(*[store.append("log", seq, b"row") for seq in range(1, 21)], return_exceptions=True)
        assert outcomes[:10] == [None] * 10
        assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes[10:])
        await store.append("log", 11, b"row")

    run(path, body)


def test_a_caller_that_goes_away_does_no_harm(path: Path) -> None:
    async def body(store: SqliteStore) -> None:
        await store.create_log("log")
        task = asyncio.create_task(store.append("log", 1, b"row"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await store.append("log", 1, b"row")
        assert len(await store.read_log("log", 0, 10)) == 1

    run(path, body)


def test_a_closed_store_says_so_and_leaves_no_thread(path: Path) -> None:
    async def main() -> None:
        before = threading.active_count()
        store = SqliteStore(str(path))
        await store.open()
        assert threading.active_count() > before
        writing = asyncio.ensure_future(store.compare_and_set("s", "k", b"v", 0))
        await asyncio.sleep(0)
        await store.close()
        assert await writing, "closing waits for what is under way"
        assert threading.active_count() == before
        with pytest.raises(StoreUnavailable):
            await store.get("s", "k")
        await store.close()

    asyncio.run(main())


# --- errors -----------------------------------------------------------------------------------------------------------
def test_a_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    async def nothing(_: SqliteStore) -> None: ...

    run(path, nothing)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match="version 99"):
        run(path, nothing)
    assert path.read_bytes() == before


def test_a_file_of_another_program_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()

    async def nothing(_: SqliteStore) -> None: ...

    with pytest.raises(StoreVersionError, match="not a store"):
        run(path, nothing)


def test_what_is_no_sqlite_file_or_cannot_be_opened_is_unavailable(path: Path) -> None:
    async def nothing(_: SqliteStore) -> None: ...

    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        run(path, nothing)
    with pytest.raises(StoreUnavailable, match="cannot open"):
        run(path / "no such folder" / "x.db", nothing)


def test_a_locked_file_is_unavailable_until_the_lock_goes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_BUSY_TIMEOUT_S", 0.05)

    async def body(store: SqliteStore) -> None:
        await store.create_log("log")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.append("log", 1, b"row")
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.write(WriteBatch(rows=[Row(Table.RUNS, "p", b"k", b"v", 1)]))
        assert await store.list_logs() == ["log"], "readers do not wait for writers"
        other.execute("ROLLBACK")
        other.close()
        await store.append("log", 1, b"row")

    run(path, body)


def test_a_full_disk_is_unavailable_and_undoes_the_whole_group(path: Path) -> None:
    async def body(store: SqliteStore) -> None:
        def shrink(connection: sqlite3.Connection) -> None:
            (pages,) = connection.execute("PRAGMA page_count").fetchall()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 20}").fetchall()

        def grow(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA max_page_count = 1000000").fetchall()

        await store._writer.submit(shrink, ())
        big = WriteBatch(rows=[Row(Table.RUNS, "p", b"%d" % n, bytes(4096), 1) for n in range(100)])
        with pytest.raises(StoreUnavailable, match="full"):
            await store.write(big)
        assert await store.scan(Table.RUNS, "p", None, 1) == []
        await store._writer.submit(grow, ())
        await store.write(big)
        assert len(await store.scan(Table.RUNS, "p", None, 1000)) == 100

    run(path, body)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_ever_when_a_thread_breaks(path: Path) -> None:
    async def body(store: SqliteStore) -> None:
        def broken(_: sqlite3.Connection) -> None:
            raise KeyError("a bug")

        with pytest.raises(StoreUnavailable, match="a bug"):
            await store._writer.submit(broken, ())
        # Whether this one comes before or after the thread's end is known to the store, it is refused either way.
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(store.compare_and_set("s", "k", b"v", 5), 5)

    run(path, body)


# --- sweeping ---------------------------------------------------------------------------------------------------------
async def rows_on_file(store: SqliteStore) -> int:
    def count(connection: sqlite3.Connection) -> int:
        rows: list[tuple[int]] = connection.execute("SELECT count(*) FROM log_rows").fetchall()
        return rows[0][0]

    found: int = await store._writer.submit(count, ())
    return found


async def swept(store: SqliteStore, left: int) -> None:
    """Waits until only so many log rows are on file, ten seconds at most."""
    for _ in range(2000):
        if await rows_on_file(store) == left:
            return
        await asyncio.sleep(0.005)
    pytest.fail(f"{await rows_on_file(store)} rows are left")


def test_trimmed_and_deleted_rows_leave_the_file(path: Path) -> None:
    async def body(store: SqliteStore) -> None:
        await store.create_log("a")
        await store.create_log("b")
        for log_id in ("a", "b"):
            await asyncio.gather(*[store.append(log_id, seq, bytes(3000)) for seq in range(1, 301)])
        await store.trim_log("a", 250)
        await swept(store, 350)
        await store.delete_log("b")
        await swept(store, 50)
        assert [row.seq for row in await store.read_log("a", 0, 1000)] == list(range(251, 301))

    run(path, body)


def test_a_killed_sweep_goes_on_at_the_next_start(path: Path) -> None:
    async def write(store: SqliteStore) -> None:
        await store.create_log("a")
        await store.create_log("b")
        for log_id in ("a", "b"):
            await asyncio.gather(*[store.append(log_id, seq, b"row") for seq in range(1, 201)])

    async def sweep(store: SqliteStore) -> None:
        await swept(store, 100)

    run(path, write)
    with sqlite3.connect(path) as connection:  # as after a kill -9 between the note and the first slice
        connection.execute(statements.TRIM, (100, "a"))
        connection.execute(statements.BURY_LOG, ("b",))
        connection.execute(statements.DELETE_LOG, ("b",))
    connection.close()
    run(path, sweep)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM dead_logs").fetchall() == [(0,)]
    connection.close()


def test_deletions_are_forgotten_after_a_day(path: Path) -> None:
    now = [time.time_ns()]
    runtime = Runtime(now=lambda: now[0])

    async def delete(store: SqliteStore) -> None:
        await store.write(WriteBatch(rows=[Row(Table.RUNS, "p", b"%d" % n, None, 1) for n in range(600)]))

    async def count(store: SqliteStore) -> None:
        def dead(connection: sqlite3.Connection) -> int:
            rows: list[tuple[int]] = connection.execute("SELECT count(*) FROM dead").fetchall()
            return rows[0][0]

        for _ in range(1000):
            if await store._writer.submit(dead, ()) == expected:
                return
        pytest.fail(f"it is not {expected} that are remembered")

    run(path, delete, runtime)
    now[0] += 86_000 * SECOND
    expected = 600
    run(path, count, runtime)
    now[0] += 1000 * SECOND
    expected = 0
    run(path, count, runtime)


def test_a_file_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    """Its visibility rows had the same records under fewer columns."""
    attributes_of_7 = api.SearchAttributes(indexed_fields={"CustomIntField": api.Payload(data=b"7")}).SerializeToString()
    records = [record(f"r{n:04}", n, search_attributes=attributes_of_7 if n == 7 else b"") for n in range(1500)]
    connection = schema.connect_writer(str(path), "NORMAL")
    connection.execute("DROP TABLE visibility")
    connection.execute("DROP TABLE visibility_attributes")
    connection.execute(
        "CREATE TABLE visibility (domain_id TEXT NOT NULL, run_id TEXT NOT NULL, closed INTEGER NOT NULL, "
        "time_ns INTEGER NOT NULL, workflow_id TEXT NOT NULL, workflow_type TEXT NOT NULL, "
        "close_status INTEGER NOT NULL, body BLOB NOT NULL, stamp INTEGER NOT NULL, UNIQUE (domain_id, run_id))"
    )
    for name, column in (("time", ""), ("type", "workflow_type, "), ("workflow", "workflow_id, "), ("status", "close_status, ")):
        connection.execute(f"CREATE INDEX visibility_by_{name} ON visibility (domain_id, closed, {column}time_ns, run_id)")
    connection.executemany(
        "INSERT INTO visibility VALUES (?, ?, 0, ?, ?, ?, 0, ?, 1)",
        [("domain", one.run_id, one.start_ns, one.workflow_id, "Order", encode_visibility(one)) for one in records],
    )
    connection.execute("UPDATE meta SET value = '1' WHERE name = 'schema_version'")
    connection.close()

    async def check(store: SqliteStore) -> None:
        page = await store.list_visibility(everything("domain"), 10_000, b"")
        assert page.records == records
        found = await store.list_visibility(parse_query("CustomIntField = 7", attributes.DEFAULT, "domain"), 10, b"")
        assert found.records == [records[7]]

    run(path, check)
    run(path, check)


# --- plans ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def connection(path: Path) -> sqlite3.Connection:
    return schema.connect_writer(str(path), "NORMAL")


def plan(connection: sqlite3.Connection, statement: str) -> str:
    values = [0] * statement.count("?") if "?1" not in statement else [0] * 3
    return "; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall())


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("", "visibility_by_start (domain_id=?"),
        ("CloseTime = missing", "visibility_open (domain_id=?"),
        ("CloseTime = missing AND WorkflowType = 'T'", "visibility_open_by_type (domain_id=? AND workflow_type=?"),
        ("WorkflowType = 'T'", "visibility_by_type (domain_id=? AND workflow_type=?"),
        ("WorkflowID = 'w'", "visibility_by_workflow (domain_id=? AND workflow_id=?"),
        ("StartTime > 5", "visibility_by_start (domain_id=? AND "),
        ("CloseTime > 5 ORDER BY CloseTime DESC", "visibility_by_close (domain_id=? AND "),
        ("CloseTime > 5 AND WorkflowType = 'T' ORDER BY CloseTime DESC", "visibility_by_type_and_close (domain_id=? AND "),
        (
            "CloseTime > 5 AND CloseStatus = 1 ORDER BY CloseTime DESC",
            "visibility_by_status (domain_id=? AND close_status=?",
        ),
    ],
)
def test_visibility_lists_are_index_scans_in_order(connection: sqlite3.Connection, where: str, index: str) -> None:
    """A page must not sort the whole list, and must begin at its place."""
    query = parse_query(where, attributes.DEFAULT, "d")
    found = plan(connection, visibility_sql.page(query, (7, "r"), 10)[0])
    connection.close()
    assert index in found
    assert "SCAN" not in found
    assert "TEMP B-TREE" not in found


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("RunID = 'r'", "visibility USING INDEX sqlite_autoindex_visibility_1 (domain_id=? AND run_id=?)"),
        ("CustomKeywordField = 'k'", "visibility_by_attribute (domain_id=? AND name=? AND type=? AND value=?)"),
        ("CustomIntField > 5", "visibility_by_attribute (domain_id=? AND name=? AND type=? AND value>?)"),
        ("CustomKeywordField != 'k'", "held USING PRIMARY KEY (id=? AND name=? AND type=? AND value=?)"),
        ("WorkflowID IN ('a', 'b') ORDER BY CloseTime", "visibility_by_workflow (domain_id=? AND workflow_id=?)"),
    ],
)
def test_visibility_queries_search_by_index(connection: sqlite3.Connection, where: str, index: str) -> None:
    query = parse_query(where, attributes.DEFAULT, "d")
    found = plan(connection, visibility_sql.page(query, None, 10)[0])
    counted = plan(connection, visibility_sql.count(query)[0])
    connection.close()
    assert index in found
    assert index in counted or index.replace("INDEX", "COVERING INDEX") in counted


def test_other_queries_use_their_keys(connection: sqlite3.Connection) -> None:
    queries = {
        statements.APPEND: "logs USING INDEX",
        statements.READ_LOG: "log_rows USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        statements.SWEEP_LOG: "log_rows USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        statements.SCAN[Table.TASKS, True, True]: "(partition=? AND key>? AND key<?)",
        statements.READ[Table.RUNS, 8]: "(partition=? AND key=?)",
        statements.SCAN_TIMERS: "USING PRIMARY KEY (shard=? AND (fire_ns,key)>(?,?) AND fire_ns<?)",
        statements.SCAN_TIMERS_FROM_START: "USING PRIMARY KEY (shard=? AND fire_ns<?)",
        statements.LIST_ROWS: "USING PRIMARY KEY (space=? AND key>?)",
        visibility_sql.count(everything("d"))[0]: "USING COVERING INDEX",
        statements.PURGE_DEAD: "dead_by_time (dead_ns<?)",
        statements.put_rows(Table.RUNS, 4): "dead USING PRIMARY KEY (kind=? AND partition=? AND key=?)",
        statements.remove_rows(Table.RUNS, 4): "held USING INDEX sqlite_autoindex_runs_1 (partition=? AND key=?)",
        statements.remove_timers(4): "held USING PRIMARY KEY (shard=? AND fire_ns=? AND key=?)",
        visibility_sql.remove(4): "held USING INDEX sqlite_autoindex_visibility_1 (domain_id=? AND run_id=?)",
    }
    plans = {statement: plan(connection, statement) for statement in queries}
    connection.close()
    for statement, part in queries.items():
        assert part in plans[statement], f"{statement}\n{plans[statement]}"
        assert "TEMP B-TREE" not in plans[statement], statement


def test_a_delete_in_the_middle_of_a_batch_is_found_by_name(connection: sqlite3.Connection) -> None:
    """All sizes of statement: every row of a batch that takes several statements is dealt with."""
    total = sum(batching.BATCH_COUNTS) + 2
    operations.write(connection, WriteBatch(timers=[TimerRow(1, n, b"k", True, 1) for n in range(total)]), 0)
    operations.write(connection, WriteBatch(timers=[TimerRow(1, n, b"k", n == 50, 2) for n in range(total)]), 0)
    left = operations.scan_timers(connection, 1, 10**6, None, 10**6)
    connection.close()
    assert left == [TimerRow(1, 50, b"k", True, 2)]


def test_the_store_in_memory_is_each_objects_own() -> None:
    async def one(store: SqliteStore) -> None:
        assert await store.compare_and_set("s", "k", b"v", 0)
        assert (await store.list_visibility(open_or_closed("d", True, 0, 1), 1, b"")).records == []

    for _ in range(2):
        run(schema.MEMORY, one)


def test_threads_that_never_started_refuse_work() -> None:
    threads = workers.Readers(lambda: schema.connect_reader("nowhere"), 1, 10, lambda: 0.0)
    with pytest.raises(StoreUnavailable):
        threads.submit(operations.list_logs, ())
