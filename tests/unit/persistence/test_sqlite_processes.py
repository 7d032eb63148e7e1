"""The SQLite store and other processes: killed in the middle of appends, and at work on the same file."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tenuto_server.persistence.interface import Sealed
from tenuto_server.persistence.sqlite import SqliteStore
from tests.unit.persistence.appender import body

ROOT = Path(__file__).parents[3]


def start(path: Path, first: int, lanes: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.unit.persistence.appender", str(path), str(first), str(lanes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)


def read_lines(process: subprocess.Popen[bytes], count: int) -> list[int]:
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(count)]
    assert all(lines), f"the process ended: {process.communicate()[1].decode()}"
    return [int(line) for line in lines]


def kill(process: subprocess.Popen[bytes]) -> list[int]:
    """Kills a process at once; what it had said before."""
    os.kill(process.pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=20)
    return [int(line) for line in said.splitlines(keepends=True) if line.endswith(b"\n")]


@pytest.mark.parametrize("lanes", [1, 16])
def test_what_was_acknowledged_before_a_kill_is_there(tmp_path: Path, lanes: int) -> None:
    path = tmp_path / "store.db"
    acknowledged: set[int] = set()
    for life in range(4):
        process = start(path, 1 + life * 1_000_000, lanes)
        acknowledged.update(read_lines(process, 20 + 30 * life))
        acknowledged.update(kill(process))

    async def check() -> None:
        store = SqliteStore(str(path))
        await store.open()
        for seq in acknowledged:
            (row,) = await store.read_log("log", seq - 1, 1)
            assert (row.seq, row.body) == (seq, body(seq))
        await store.close()

    asyncio.run(check())
    checked = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sqlite3; print(sqlite3.connect({str(path)!r}).execute('PRAGMA integrity_check').fetchall())",
        ],
        capture_output=True,
        check=True,
    )
    assert checked.stdout.strip() == b"[('ok',)]"


def test_two_processes_share_a_file_and_one_seals_the_others_log(tmp_path: Path) -> None:
    """This process works on the file while the other appends, then takes over from it: what was acknowledged is read,
    and nothing comes after."""
    path = tmp_path / "store.db"
    process = start(path, 1, 4)
    acknowledged = set(read_lines(process, 50))

    async def take_over() -> list[int]:
        store = SqliteStore(str(path))
        await store.open()
        for version in range(50):
            assert await store.compare_and_set("s", "k", b"%d" % version, version)
        await store.seal("log")
        _, errors = await asyncio.to_thread(process.communicate, timeout=20)
        assert Sealed.__name__.encode() in errors
        rows = [row.seq for row in await store.read_log("log", 0, 10_000_000)]
        await store.close()
        return rows

    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), True)
    rows = asyncio.run(take_over())
    unbroken = 0
    while unbroken + 1 in acknowledged:
        unbroken += 1
    assert rows[:unbroken] == list(range(1, unbroken + 1))
    assert unbroken >= 40


@pytest.mark.parametrize("attempt", range(3))
def test_many_may_open_a_new_file_at_the_same_time(tmp_path: Path, attempt: int) -> None:
    path = tmp_path / f"store {attempt}.db"

    async def main() -> None:
        stores = [SqliteStore(str(path)) for _ in range(8)]
        await asyncio.gather(*[store.open() for store in stores])
        won = await asyncio.gather(*[store.compare_and_set("s", "k", b"v", 0) for store in stores])
        assert won.count(True) == 1
        assert all([await store.get("s", "k") for store in stores])
        await asyncio.gather(*[store.close() for store in stores])

    asyncio.run(main())
