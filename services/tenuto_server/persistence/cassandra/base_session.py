"""What the sessions of both drivers have in common: a bound on what is under way, tries, and counts.

    execute / page / write_together
        |   counts the request, waits for its turn (StoreUnavailable where too many wait or the wait is too long)
        v
      _ask / _ask_batch          the driver's own: one try, which ends within the request's timeout
        |
        v   a failure that may pass: an idempotent request is made again, a little later; any other is StoreUnavailable
    the answer

No driver makes a request again by itself: only here it is known which may be.
"""

from __future__ import annotations

import asyncio
import logging
import re
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Final, TypeVar

from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import OK, UNAVAILABLE
from tenuto_server.persistence.cassandra.session import Bound, Page, Statement
from tenuto_server.persistence.cassandra.settings import CassandraSettings
from tenuto_server.persistence.interface import StoreUnavailable
from tenuto_server.telemetry.measures import Durations, Family, gauge

logger = logging.getLogger(__name__)

T = TypeVar("T")

_stopwatch: Final = Runtime().stopwatch
_TRIES_MAX: Final = 3
_PAUSE_S: Final = 0.05
# A table's name, where it is not qualified yet.
_TABLE: Final = re.compile(
    r"\b((?:FROM|INTO|UPDATE|TRUNCATE|ON|INDEX IF EXISTS|TABLE(?: IF (?:NOT )?EXISTS)?)\s+)(?!IF\b)(\w+)\b(?!\.)"
)

# A node may not know a table yet that another just made.
_NOT_YET: Final = re.compile(r"unconfigured table|(table|keyspace) \S+ does not exist", re.IGNORECASE)


class Passing(Exception):
    """A try failed in a way that another may not: no node answered in time, too few replicas did, or the like."""


class FailuresOf:
    """`with` it around what a driver does for one try: its failures that may pass become `Passing`. These are `passing`, and
    `refused` where that is for a table that may be there in a moment; `words` tells of one."""

    __slots__ = ("_passing", "_refused", "_words")

    def __init__(
        self, passing: tuple[type[Exception], ...], refused: type[Exception], words: Callable[[Exception], str]
    ) -> None:
        self._passing = passing
        self._refused = refused
        self._words = words

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, self._passing) or (isinstance(error, self._refused) and is_not_there_yet(error)):
            raise Passing(self._words(error)) from error


def qualified(cql: str, keyspace: str) -> str:
    """A statement whose tables are named with their keyspace: prepared statements must not depend on a connection's own. Key
    words are written in capitals and names in small letters, as everywhere here."""
    return _TABLE.sub(rf"\1{keyspace}.\2", cql)


def is_not_there_yet(error: Exception) -> bool:
    """Whether what a statement was refused for may be there in a moment: its table. (That tables are there is checked when a
    store is opened.)"""
    return _NOT_YET.search(str(error)) is not None


class BaseSession(ABC):
    """A `Session` but for the driver. `requests` counts the tries by statement; of a batch, under its first statement's name with
    "+" after it."""

    def __init__(self, settings: CassandraSettings) -> None:
        self.settings = settings
        self.requests: Counter[str] = Counter()
        self.durations = Durations()
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle = asyncio.Event()
        self._is_open = False
        # What each driver makes of a statement.
        self._prepared: dict[Statement, Any] = {}
        self._preparing: dict[Statement, asyncio.Task[Any]] = {}

    # --- what a driver adds -------------------------------------------------------------------------------------------
    @abstractmethod
    async def _connect(self) -> None:
        """Connects. Raises StoreUnavailable."""

    @abstractmethod
    async def _disconnect(self) -> None:
        """Lets go of all connections."""

    @abstractmethod
    async def _prepare_now(self, statement: Statement) -> Any:
        """What the driver makes of a statement."""

    @abstractmethod
    async def _ask(self, statement: Statement, parameters: Sequence[Any], size: int, state: bytes) -> Page:
        """One try; `size` 0 asks for all rows at once. Raises Passing."""

    @abstractmethod
    async def _ask_batch(self, rows: Sequence[Bound]) -> None:
        """One try. Raises Passing."""

    @abstractmethod
    async def _change_schema(self, cql: str) -> None:
        """One try, which ends when the nodes agree. Raises Passing."""

    def measures(self) -> Iterator[Family]:
        """What this session shows of itself."""
        labels, text = ("db_system_name", "db_operation_name", "outcome"), "Requests to the store, each try."
        yield self.durations.family("db_client_operation_duration_seconds", text, labels, ("cassandra",))
        yield gauge("tenuto_store_requests_waiting", "Requests to the store that wait for their turn.", len(self._waiting))
        yield gauge("tenuto_store_requests_under_way", "Requests to the store that are not answered yet.", self._under_way)

    # --- the session --------------------------------------------------------------------------------------------------
    async def open(self) -> None:
        """See `Session.open`."""
        await self._connect()
        self._is_open = True

    async def close(self) -> None:
        """See `Session.close`."""
        if not self._is_open:
            return
        self._is_open = False
        while self._waiting:
            self._refuse(self._waiting.popleft(), "the session was closed")
        if self._under_way:
            self._idle.clear()
            try:
                async with asyncio.timeout(self.settings.request_timeout_s):
                    await self._idle.wait()
            except TimeoutError:
                logger.warning("%d requests to Cassandra were still under way when the store was closed", self._under_way)
        for task in self._preparing.values():
            task.cancel()
        await self._disconnect()

    async def prepare(self, statement: Statement) -> Any:
        """A statement as the driver wants it: prepared once, however many ask for it, and a caller that goes away takes it from
        nobody. For the driver's own session."""
        task = self._preparing.get(statement)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._prepare_now(statement))
            self._preparing[statement] = task
            task.add_done_callback(lambda done: self._keep(statement, done))
        return await asyncio.shield(task)

    def _keep(self, statement: Statement, done: asyncio.Task[Any]) -> None:
        del self._preparing[statement]
        if not done.cancelled() and done.exception() is None:
            self._prepared[statement] = done.result()

    @property
    def statements(self) -> list[Statement]:
        """All statements that were made so far."""
        return list(self._prepared)

    async def execute(self, statement: Statement, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See `Session.execute`."""
        page = await self._run(statement.name, statement.idempotent, lambda: self._ask(statement, parameters, 0, b""))
        return page.rows

    async def page(self, statement: Statement, parameters: Sequence[Any], size: int, state: bytes = b"") -> Page:
        """See `Session.page`."""
        return await self._run(statement.name, statement.idempotent, lambda: self._ask(statement, parameters, size, state))

    async def write_together(self, rows: Sequence[Bound]) -> None:
        """See `Session.write_together`."""
        if len(rows) == 1:
            await self.execute(*rows[0])
        elif rows:
            await self._run(rows[0].statement.name + "+", True, lambda: self._ask_batch(rows))

    async def run_ddl(self, cql: str) -> None:
        """See `Session.run_ddl`. Such statements say IF NOT EXISTS or IF EXISTS, so they may be made again."""
        await self._run("ddl", True, lambda: self._change_schema(qualified(cql, self.settings.keyspace)))

    async def _run(self, name: str, idempotent: bool, ask: Callable[[], Awaitable[T]]) -> T:
        if self._under_way >= self.settings.in_flight_max or self._waiting:
            await self._turn()
        elif not self._is_open:
            raise StoreUnavailable("the session is not open")
        else:
            self._under_way += 1
        try:
            for tries in range(1, _TRIES_MAX + 1):
                self.requests[name] += 1
                begun = _stopwatch()
                try:
                    answer = await ask()
                    self.durations.note(name, OK, _stopwatch() - begun)
                    return answer
                except Passing as failure:
                    self.durations.note(name, UNAVAILABLE, _stopwatch() - begun)
                    if not idempotent or tries == _TRIES_MAX or not self._is_open:
                        raise StoreUnavailable(f"{name}: {failure}") from failure
                await asyncio.sleep(_PAUSE_S * tries)
            raise AssertionError("the last try returns or raises")
        finally:
            self._done()

    async def _turn(self) -> None:
        """Returns when the request may go, which then counts as under way."""
        if len(self._waiting) >= self.settings.waiting_max:
            raise StoreUnavailable("too many requests wait for Cassandra")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self.settings.request_timeout_s):
                await turn
        except (TimeoutError, asyncio.CancelledError) as end:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                # The turn came in the same moment: it is somebody else's now.
                self._done()
            if isinstance(end, TimeoutError):
                raise StoreUnavailable("the request waited too long for its turn") from None
            raise

    def _done(self) -> None:
        """A request has ended: the next takes its place."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()

    def _refuse(self, turn: asyncio.Future[None], why: str) -> None:
        if not turn.done():
            turn.set_exception(StoreUnavailable(why))
