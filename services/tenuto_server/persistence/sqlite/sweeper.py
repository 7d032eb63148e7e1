"""Removing what nobody reads any more, a slice at a time, so that appends never wait for a long deletion.

Trimming or deleting a log only notes it; the rows go here, in the writer's thread. What is noted is in the file, so a
new process goes on where a killed one stopped. Remembered deletions (see `statements`) are forgotten after a day: a
write that comes up later than that would win against them.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Final

from tenuto_server.config.runtime import SECOND
from tenuto_server.persistence.sqlite import statements

_LOG_SLICE: Final = 32
_DEAD_SLICE: Final = 256
_DEAD_KEPT_NS: Final = 86_400 * SECOND
# Deletions and members are looked through once for so many slices of work that the writer could have done.
_PURGE_EVERY_GROUPS: Final = 4096


class Sweeper:
    """What is left to remove. All methods but the constructor belong to the writer's thread."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._logs: deque[tuple[int, int]] = deque()  # log number, last sequence number to remove
        self._purging = True
        self._groups = 0
        self._paused = False

    @property
    def pending(self) -> bool:
        """Whether there is anything to do now."""
        return not self._paused and (self._purging or bool(self._logs))

    def recover(self, connection: sqlite3.Connection) -> None:
        """Finds what an earlier process left to remove."""
        self._logs.extend(connection.execute(statements.TRIMMED_LOGS).fetchall())
        self._logs.extend((num, statements.SEQ_MAX) for (num,) in connection.execute(statements.DEAD_LOGS).fetchall())

    def pause(self) -> None:
        """The file cannot be written now: nothing to do until it was."""
        self._paused = True

    def count_group(self) -> None:
        """One more transaction was done for calls."""
        self._paused = False
        self._groups += 1
        if self._groups >= _PURGE_EVERY_GROUPS:
            self._groups = 0
            self._purging = True

    def trim_log(self, connection: sqlite3.Connection, log_id: str, through_seq: int) -> None:
        """See `Store.trim_log`."""
        if connection.execute(statements.TRIM, (min(through_seq, statements.SEQ_MAX), log_id)).rowcount == 1:
            num, _, trimmed = connection.execute(statements.LOG_STATE, (log_id,)).fetchall()[0]
            self._logs.append((num, trimmed))

    def delete_log(self, connection: sqlite3.Connection, log_id: str) -> None:
        """See `Store.delete_log`."""
        state = connection.execute(statements.LOG_STATE, (log_id,)).fetchall()
        if state:
            connection.execute(statements.BURY_LOG, (log_id,))
            connection.execute(statements.DELETE_LOG, (log_id,))
            self._logs.append((state[0][0], statements.SEQ_MAX))

    def step(self, connection: sqlite3.Connection) -> None:
        """Removes one slice."""
        if self._purging:
            dead_before_ns = self._now() - _DEAD_KEPT_NS
            removed = connection.execute(statements.PURGE_DEAD, (dead_before_ns, _DEAD_SLICE)).rowcount
            if removed < _DEAD_SLICE:
                connection.execute(statements.PURGE_MEMBERS, (dead_before_ns,))
                self._purging = False
            return
        num, through = self._logs[0]
        first = num << statements.SEQ_BITS
        if connection.execute(statements.SWEEP_LOG, (first, first | through, _LOG_SLICE)).rowcount < _LOG_SLICE:
            if through == statements.SEQ_MAX:
                connection.execute(statements.FORGET_DEAD_LOG, (num,))
            self._logs.popleft()
