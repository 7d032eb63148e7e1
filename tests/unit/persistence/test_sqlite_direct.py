"""Reads that the event loop does itself: when it does them, and when it leaves them to a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tenuto_server.persistence.interface import Row, Table, WriteBatch
from tenuto_server.persistence.sqlite import direct, operations, schema
from tenuto_server.persistence.sqlite.direct import DirectReads
from tenuto_server.telemetry.measures import Durations


class Clock:
    """Goes on by `step` with each look at it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.step = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class Fixture:
    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.writer = schema.connect_writer(str(path), "NORMAL")
        self.durations = Durations()
        self.reads = DirectReads(partial(schema.connect_reader, str(path)), self.clock, self.durations)
        self.write(b"1")

    def write(self, value: bytes) -> None:
        stamp = int(value)
        operations.write(self.writer, WriteBatch(rows=[Row(Table.RUNS, "p", b"k", value, stamp)]), 0)

    def read(self) -> list[bytes | None] | None:
        return self.reads.read(Table.RUNS, "p", [b"k", b"none"])


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Fixture]:
    fixture = Fixture(tmp_path / "direct.db")
    yield fixture
    fixture.reads.close()
    fixture.writer.close()


def test_a_read_sees_what_was_committed_before(held: Fixture) -> None:
    assert held.read() == [b"1", None]
    held.write(b"2")
    assert held.read() == [b"2", None]


def test_many_keys_are_left_to_a_thread(held: Fixture) -> None:
    keys = [b"k"] * (direct.KEYS_MAX + 1)
    assert held.reads.read(Table.RUNS, "p", keys) is None
    assert held.reads.read(Table.RUNS, "p", keys[1:]) == [b"1"] * direct.KEYS_MAX


def test_one_read_of_many_in_a_row_is_left_to_a_thread(held: Fixture) -> None:
    left = [number for number in range(3 * direct.IN_A_ROW_MAX + 3) if held.read() is None]
    assert left == [direct.IN_A_ROW_MAX, 2 * direct.IN_A_ROW_MAX + 1, 3 * direct.IN_A_ROW_MAX + 2]


def test_after_a_slow_read_threads_read_for_a_while(held: Fixture) -> None:
    held.clock.step = direct.SLOW_S * 2
    assert held.read() == [b"1", None]
    held.clock.step = 0.0
    assert held.read() is None
    held.clock.now += direct.PAUSE_S - 0.5
    assert held.read() is None
    held.clock.now += 0.5
    assert held.read() == [b"1", None]


def test_a_locked_file_is_not_waited_for(held: Fixture, tmp_path: Path) -> None:
    assert held.read() == [b"1", None]
    held.reads.close()
    held.writer.close()
    holder = sqlite3.connect(tmp_path / "direct.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN IMMEDIATE")
    # Its connection is made while the file can be read, as when another process takes the lock later.
    connect = partial(sqlite3.connect, tmp_path / "direct.db", isolation_level=None)
    held.reads = DirectReads(connect, held.clock, held.durations)
    assert held.read() is None
    holder.execute("ROLLBACK")
    holder.close()
    assert held.read() is None
    held.clock.now += direct.PAUSE_S
    assert held.read() == [b"1", None]
