"""The supervisor with real child processes, which are small programs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tenuto_server.node.supervisor import ChildrenFail, Supervisor, SupervisorSettings

# Notes its life in a file, then waits for SIGTERM, which it notes too.
CHILD = """
import os, signal, sys
def note(word):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{word} {os.environ['NUMBER']}\\n")
def leave(*_):
    note("leave")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
note("life")
while True:
    signal.pause()
"""


def supervisor(notes: Path, code: str, count: int, settings: SupervisorSettings | None = None) -> Supervisor:
    return Supervisor(
        [sys.executable, "-c", code], [{"NUMBER": str(number), "NOTES": str(notes)} for number in range(count)], settings
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - other processes bring it about
            await asyncio.sleep(0.01)


def lines(notes: Path) -> Sequence[str]:
    return notes.read_text().splitlines() if notes.exists() else []


def test_one_that_dies_is_started_again_and_all_stop_together(tmp_path: Path) -> None:
    notes = tmp_path / "notes"

    async def run() -> None:
        watched = supervisor(notes, CHILD, 2, SupervisorSettings(first=0.01))
        running = asyncio.ensure_future(watched.run())
        await until(lambda: len(lines(notes)) == 2)
        os.kill(watched.pids[1], signal.SIGKILL)
        await until(lambda: len(lines(notes)) == 3)
        watched.stop()
        await running
        assert watched.pids == {}

    asyncio.run(run())
    assert sorted(lines(notes)) == ["leave 0", "leave 1", "life 0", "life 1", "life 1"]


def test_one_that_dies_young_again_and_again_ends_all(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    code = "import os, sys\nif os.environ['NUMBER'] == '1': sys.exit(3)\n" + CHILD
    settings = SupervisorSettings(young_deaths_max=3, first=0.01)
    with pytest.raises(ChildrenFail, match="process 1 has died 3 times in a row, the last time with exit code 3"):
        asyncio.run(supervisor(notes, code, 2, settings).run())
    # Process 0 may have been told to stop before it could note anything.
    assert set(lines(notes)) <= {"life 0", "leave 0"}


def test_one_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    deaf = CHILD.replace("sys.exit(0)", "return")

    async def run() -> None:
        watched = supervisor(notes, deaf, 1, SupervisorSettings(grace=0.2))
        running = asyncio.ensure_future(watched.run())
        await until(lambda: lines(notes) == ["life 0"])
        watched.stop()
        await running

    asyncio.run(run())
    assert lines(notes) == ["life 0", "leave 0"]
