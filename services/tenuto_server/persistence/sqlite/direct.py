"""Reads of a row or two by key, done by the event loop itself: the one exception to its never touching a connection.

A look-up by key in pages that are in memory takes some 10 microseconds; handing it to a thread and back takes over 100 of CPU,
for two threads are woken and each takes the interpreter's lock from the other. Every start of a workflow asks so whether the
id is known.

The loop may not wait for a disk, though. So a read that took long says that the pages are not in memory: for a while all reads
go to the threads again. So does each that cannot be done at once (another process recovers the file), and one of many, so that
a caller who reads much in a row does not keep the loop to itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from tenuto_server.persistence.interface import Table
from tenuto_server.persistence.sqlite import operations
from tenuto_server.telemetry.measures import Durations

KEYS_MAX: Final = 4
IN_A_ROW_MAX: Final = 32
SLOW_S: Final = 0.005
PAUSE_S: Final = 1.0
_OK: Final = 0


class DirectReads:
    """Belongs to the thread that makes it. `connect` gives a read-only connection, `stopwatch` is a clock in seconds that never
    runs back; how long reads took is noted in `durations`."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], stopwatch: Callable[[], float], durations: Durations
    ) -> None:
        self._connection = connect()
        # What another process holds is not waited for here.
        self._connection.execute("PRAGMA busy_timeout = 0").fetchall()
        self._stopwatch = stopwatch
        self._durations = durations
        self._in_a_row = 0
        self._paused_until = 0.0

    def close(self) -> None:
        """Lets the connection go."""
        self._connection.close()

    def read(self, table: Table, partition: str, keys: Sequence[bytes]) -> list[bytes | None] | None:
        """As `operations.read`; None where a thread is to do it."""
        begun = self._stopwatch()
        self._in_a_row += 1
        if len(keys) > KEYS_MAX or self._in_a_row > IN_A_ROW_MAX or begun < self._paused_until:
            self._in_a_row = 0
            return None
        try:
            found = operations.read(self._connection, table, partition, keys)
        except sqlite3.DatabaseError:
            self._paused_until = begun + PAUSE_S
            return None
        ended = self._stopwatch()
        self._durations.note("read", _OK, ended - begun)
        if ended - begun > SLOW_S:
            self._paused_until = ended + PAUSE_S
        return found
