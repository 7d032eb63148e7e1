"""The threads of the SQLite store: one that writes, several that read. The event loop never touches a connection.

A call is a job: a function of `operations` with its arguments and a future of the loop. The writer takes every job that
waits and commits them in one transaction (group commit), each with its own outcome, then answers them all with one
hand-over to the loop, so that under load the cost of a commit and of waking the loop is shared. Each step of SQLite
gives the interpreter's lock away and takes it back, which waits for a busy loop; so a lone statement runs without BEGIN
and COMMIT around it.

A failure of SQLite itself (locked, disk full, I/O) fails the whole group as `StoreUnavailable`; a refusal (sealed, bad
values) is its job's alone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple

from tenuto_server.errors import ABORTED, INTERNAL, OK, UNAVAILABLE, InvariantViolation
from tenuto_server.persistence.interface import Sealed, StoreUnavailable, StoreVersionError
from tenuto_server.persistence.rows import UnknownEncoding
from tenuto_server.persistence.sqlite import operations
from tenuto_server.persistence.sqlite.sweeper import Sweeper
from tenuto_server.telemetry.measures import Durations

_GROUP_JOBS_MAX: Final = 512
_GROUP_BYTES_MAX: Final = 8 << 20

# Of several statements each: they need a transaction even when alone.
_MANY_STATEMENTS: Final = frozenset({operations.write, operations.create_log, Sweeper.trim_log, Sweeper.delete_log})
# What a job may do wrong by itself; the statement that failed has undone itself.
_OWN_ERRORS: Final = (
    Sealed, InvariantViolation, UnknownEncoding, ValueError, OverflowError, TypeError, sqlite3.DataError,
    sqlite3.InterfaceError, sqlite3.ProgrammingError,
)  # fmt: skip


class Job(NamedTuple):
    """One call on its way to a thread: `size` is how many bytes of values it carries, `begun` when it was made, by the
    stopwatch."""

    future: asyncio.Future[Any]
    run: Callable[..., Any]
    arguments: tuple[Any, ...]
    size: int
    begun: float


class Outcome(NamedTuple):
    """A finished job on its way back to the loop."""

    job: Job
    value: Any
    error: BaseException | None


class Threads:
    """Threads that share one queue of jobs. The constructor, `submit`, `start` and `stop` belong to the event loop. `durations`
    are noted there too."""

    def __init__(self, name: str, count: int, jobs_max: int, bytes_max: int, stopwatch: Callable[[], float]) -> None:
        self.durations = Durations()
        self._stopwatch = stopwatch
        self._name = name
        self._jobs_max = jobs_max
        self._bytes_max = bytes_max
        self._jobs_waiting = 0
        self._bytes_waiting = 0
        self._open = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run, args=(n,), name=f"{name}-{n}", daemon=True) for n in range(count)]
        self._started: list[asyncio.Future[None]] = []
        self._ended: list[asyncio.Future[None]] = []

    async def start(self) -> None:
        """Starts the threads; returns when each has its connection. Raises what connecting raises."""
        self._loop = asyncio.get_running_loop()
        self._started = [self._loop.create_future() for _ in self._threads]
        self._ended = [self._loop.create_future() for _ in self._threads]
        self._open = True
        for thread in self._threads:
            thread.start()
        await asyncio.gather(*self._started)

    async def stop(self) -> None:
        """Lets the threads do what waits, then ends them."""
        if self._open:
            self._open = False
            for _ in self._threads:
                self._queue.put(None)
        await asyncio.gather(*self._ended)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    @property
    def waiting(self) -> int:
        """Calls that are not answered yet."""
        return self._jobs_waiting

    def submit(self, run: Callable[..., Any], arguments: tuple[Any, ...], size: int = 0) -> asyncio.Future[Any]:
        """Has a thread call `run(connection, *arguments)`. Raises `StoreUnavailable` where too much waits already."""
        loop = self._loop
        if loop is None or not self._open:
            raise StoreUnavailable("the store is not open")
        if self._jobs_waiting >= self._jobs_max or self._bytes_waiting > self._bytes_max:
            raise StoreUnavailable(f"too many calls wait for the {self._name}: {self._jobs_waiting}")
        self._jobs_waiting += 1
        self._bytes_waiting += size
        future: asyncio.Future[Any] = loop.create_future()
        self._queue.put(Job(future, run, arguments, size, self._stopwatch()))
        return future

    # --- in the threads -----------------------------------------------------------------------------------------------
    def _connect(self) -> sqlite3.Connection:
        raise NotImplementedError

    def _work(self, connection: sqlite3.Connection) -> None:
        """Serves the queue until the loop says to end."""
        raise NotImplementedError

    def _run(self, number: int) -> None:
        started, ended = self._started[number], self._ended[number]
        try:
            connection = self._connect()
        except (StoreUnavailable, StoreVersionError) as error:
            self._call_loop(_settle, started, None, error)
            self._call_loop(_settle, ended, None, None)
            return
        try:
            self._call_loop(_settle, started, None, None)
            self._work(connection)
        finally:
            connection.close()
            self._call_loop(self._thread_ended, ended)

    @contextmanager
    def _answered(self, jobs: list[Job]) -> Iterator[None]:
        """Nobody waits for ever for a thread that fails in a way it should not."""
        try:
            yield
        except BaseException as error:
            failed = StoreUnavailable(f"the {self._name} failed: {error!r}")
            self._answer([Outcome(job, None, failed) for job in jobs])
            raise

    def _answer(self, outcomes: list[Outcome]) -> None:
        self._call_loop(self._deliver, outcomes)

    def _call_loop(self, function: Callable[..., None], *arguments: Any) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            # The loop is closed: there is nobody left to tell.
            if not self._loop.is_closed():
                raise

    # --- back in the loop ---------------------------------------------------------------------------------------------
    def _deliver(self, outcomes: list[Outcome]) -> None:
        self._jobs_waiting -= len(outcomes)
        now = self._stopwatch()
        for job, value, error in outcomes:
            self._bytes_waiting -= job.size
            self.durations.note(job.run.__name__, OK if error is None else _status(error), now - job.begun)
            _settle(job.future, value, error)

    def _thread_ended(self, ended: asyncio.Future[None]) -> None:
        """A thread that ended by itself (a bug) takes no more jobs: those that wait are told so."""
        _settle(ended, None, None)
        if self._open:
            self._open = False
            while not self._queue.empty():
                job = self._queue.get_nowait()
                if job is not None:
                    self._deliver([Outcome(job, None, StoreUnavailable(f"the {self._name} ended"))])


def _status(error: BaseException) -> int:
    return UNAVAILABLE if isinstance(error, StoreUnavailable) else ABORTED if isinstance(error, Sealed) else INTERNAL


def _settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    """Gives a future its outcome, unless whoever waited has gone."""
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


class Readers(Threads):
    """Threads with read-only connections; each takes one job at a time."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], count: int, jobs_max: int, stopwatch: Callable[[], float]
    ) -> None:
        super().__init__("SQLite reader", count, jobs_max, bytes_max=1, stopwatch=stopwatch)
        self._connector = connect

    def _connect(self) -> sqlite3.Connection:
        return self._connector()

    def _work(self, connection: sqlite3.Connection) -> None:
        while (job := self._queue.get()) is not None:
            with self._answered([job]):
                outcome = _alone(connection, job)
            self._answer([outcome])


class Writer(Threads):
    """The thread that writes. `groups` counts the transactions that it committed for jobs."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        sweeper: Sweeper,
        jobs_max: int,
        bytes_max: int,
        stopwatch: Callable[[], float],
    ) -> None:
        super().__init__("SQLite writer", 1, jobs_max, bytes_max, stopwatch)
        self._connector = connect
        self._sweeper = sweeper
        self.groups = 0

    def _connect(self) -> sqlite3.Connection:
        connection = self._connector()
        self._sweeper.recover(connection)
        return connection

    def _work(self, connection: sqlite3.Connection) -> None:
        going_on = True
        while going_on:
            group, going_on = self._gather()
            with self._answered(group):
                sweeps = self._sweeper.pending and going_on
                if len(group) == 1 and not sweeps and _plain(group[0]) not in _MANY_STATEMENTS:
                    outcomes = [_alone(connection, group[0])]
                elif group or sweeps:
                    outcomes = self._together(connection, group, sweeps)
                else:
                    continue
            if group:
                self.groups += 1
                self._sweeper.count_group()
                self._answer(outcomes)

    def _gather(self) -> tuple[list[Job], bool]:
        """All jobs that wait, up to the limits of a group, after waiting for one unless there is something to sweep;
        and whether to go on after them."""
        group: list[Job] = []
        size = 0
        wait = not self._sweeper.pending
        while len(group) < _GROUP_JOBS_MAX and size < _GROUP_BYTES_MAX:
            try:
                job = self._queue.get(block=wait)
            except Empty:
                break
            if job is None:
                return group, False
            wait = False
            group.append(job)
            size += job.size
        return group, True

    def _together(self, connection: sqlite3.Connection, group: list[Job], sweeps: bool) -> list[Outcome]:
        """Runs jobs, and one slice of the sweeper's work, in one transaction."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._one_of_many(connection, job) for job in group]
            if sweeps:
                self._sweeper.step(connection)
            connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._sweeper.pause()
            return [Outcome(job, None, StoreUnavailable(f"SQLite: {error}")) for job in group]
        return outcomes

    def _one_of_many(self, connection: sqlite3.Connection, job: Job) -> Outcome:
        divisible = _plain(job) in _MANY_STATEMENTS
        if divisible:
            connection.execute("SAVEPOINT job")
        try:
            value = job.run(connection, *job.arguments)
        except _OWN_ERRORS as error:
            if divisible:
                connection.execute("ROLLBACK TO job")
                connection.execute("RELEASE job")
            return Outcome(job, None, error)
        if divisible:
            connection.execute("RELEASE job")
        return Outcome(job, value, None)


def _plain(job: Job) -> Callable[..., Any]:
    """The function of a job, without the object it is bound to."""
    function: Callable[..., Any] = getattr(job.run, "__func__", job.run)
    return function


def _alone(connection: sqlite3.Connection, job: Job) -> Outcome:
    """Runs a job outside any transaction: its one statement is a transaction by itself."""
    try:
        return Outcome(job, job.run(connection, *job.arguments), None)
    except _OWN_ERRORS as error:
        return Outcome(job, None, error)
    except sqlite3.DatabaseError as error:
        return Outcome(job, None, StoreUnavailable(f"SQLite: {error}"))
