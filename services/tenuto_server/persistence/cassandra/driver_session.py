"""A session on cassandra-driver, DataStax's Python driver: it works wherever Python does, and costs more.

The driver runs an event loop of its own in a thread. Requests are sent from ours (`execute_async` only encodes and queues);
answers come in the driver's thread, are gathered in a list, and one wake-up of our loop takes all that have come by then.
Connecting and preparing block, and run in threads.

The driver's policies, as it is used here: token-aware and DC-aware; `FallthroughRetryPolicy`, for its default one sends any
request again to another node when a connection breaks, lightweight transactions too, which would then find their own doing and
say "not applied"; no speculative executions; TCP_NODELAY, which it leaves off.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import cassandra
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.connection import ConnectionException
from cassandra.policies import DCAwareRoundRobinPolicy, FallthroughRetryPolicy, TokenAwarePolicy
from cassandra.protocol import ErrorMessage, IsBootstrappingErrorMessage, OverloadedErrorMessage, ServerError
from cassandra.query import BatchStatement, BatchType, tuple_factory

from tenuto_server.persistence.cassandra.base_session import BaseSession, FailuresOf, Passing, qualified
from tenuto_server.persistence.cassandra.session import Bound, Mode, Page, Statement
from tenuto_server.persistence.cassandra.settings import CassandraSettings, Tls
from tenuto_server.persistence.interface import StoreUnavailable

_PASSING: Final = (
    cassandra.OperationTimedOut,
    cassandra.Unavailable,
    cassandra.Timeout,
    cassandra.CoordinationFailure,
    ConnectionException,
    IsBootstrappingErrorMessage,
    NoHostAvailable,
    OverloadedErrorMessage,
    ServerError,
)
# What the driver has to say about nodes that come and go is not for operators of this program.
logging.getLogger("cassandra").setLevel(logging.ERROR)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


_FAILURES: Final = FailuresOf(_PASSING, cassandra.InvalidRequest, _words)


class _Answers:
    """Answers on their way from the driver's thread to the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._is_coming = False

    def put(self, waiter: asyncio.Future[Any], answer: Any, error: BaseException | None) -> None:
        """Called by the driver's threads."""
        self._ready.append((waiter, answer, error))
        if not self._is_coming:
            self._is_coming = True
            try:
                self._loop.call_soon_threadsafe(self._hand_out)
            except RuntimeError:
                # The loop is closed: nobody waits any more.
                self._ready.clear()

    def _hand_out(self) -> None:
        # Before looking: whatever is put from now on comes with another call.
        self._is_coming = False
        ready = self._ready
        while ready:
            waiter, answer, error = ready.popleft()
            if waiter.done():
                continue
            if error is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(answer)


class DriverSession(BaseSession):
    """See the module."""

    def __init__(self, settings: CassandraSettings) -> None:
        super().__init__(settings)
        self._cluster: Any = None
        self._session: Any = None
        self._answers: _Answers | None = None
        self._level = getattr(cassandra.ConsistencyLevel, settings.consistency)
        self._serial = getattr(cassandra.ConsistencyLevel, settings.serial_consistency)

    async def _connect(self) -> None:
        self._answers = _Answers(asyncio.get_running_loop())
        try:
            await asyncio.to_thread(self._connect_now)
        except (*_PASSING, ErrorMessage, OSError) as error:
            await self._disconnect()
            hosts = ", ".join(self.settings.hosts)
            raise StoreUnavailable(f"cannot connect to Cassandra at {hosts}: {_words(error)}") from error

    def _connect_now(self) -> None:
        settings = self.settings
        profile = ExecutionProfile(
            load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(local_dc=settings.datacenter)),
            retry_policy=FallthroughRetryPolicy(),
            consistency_level=self._level,
            serial_consistency_level=self._serial,
            request_timeout=settings.request_timeout_s,
            row_factory=tuple_factory,
        )
        self._cluster = Cluster(
            contact_points=list(settings.hosts),
            port=settings.port,
            auth_provider=PlainTextAuthProvider(settings.user, settings.password) if settings.user else None,
            ssl_context=_tls_context(settings.tls) if settings.tls is not None else None,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            protocol_version=4,
            compression=False,
            connect_timeout=settings.connect_timeout_s,
            control_connection_timeout=settings.connect_timeout_s,
            sockopts=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        self._session = self._cluster.connect()

    async def _disconnect(self) -> None:
        cluster, self._cluster, self._session = self._cluster, None, None
        if cluster is not None:
            await asyncio.to_thread(cluster.shutdown)

    async def _ask(self, statement: Statement, parameters: Sequence[Any], size: int, state: bytes) -> Page:
        with _FAILURES:
            prepared = self._prepared.get(statement) or await self.prepare(statement)
            bound = prepared.bind(parameters)
            bound.fetch_size = size or None
            request, rows = await self._send(bound, state)
        return Page(list(rows) if rows else [], (request._paging_state or b"") if size else b"")

    async def _ask_batch(self, rows: Sequence[Bound]) -> None:
        batch = BatchStatement(batch_type=BatchType.UNLOGGED, consistency_level=self._level)
        with _FAILURES:
            for statement, parameters in rows:
                prepared = self._prepared.get(statement) or await self.prepare(statement)
                batch.add(prepared.bind(parameters))
            await self._send(batch)

    async def _change_schema(self, cql: str) -> None:
        try:
            await asyncio.to_thread(self._session.execute, cql, timeout=max(60.0, self.settings.request_timeout_s))
        except _PASSING as error:
            raise Passing(_words(error)) from error

    async def _send(self, request: Any, state: bytes = b"") -> tuple[Any, Any]:
        """The driver's future, and the rows."""
        answers = self._answers
        assert answers is not None
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        sent = self._session.execute_async(request, paging_state=state or None)
        sent.add_callbacks(
            callback=partial(_answered, answers, waiter), errback=partial(_failed, answers, waiter),
        )  # fmt: skip
        return sent, await waiter

    async def _prepare_now(self, statement: Statement) -> Any:
        prepared = await asyncio.to_thread(self._session.prepare, qualified(statement.cql, self.settings.keyspace))
        prepared.consistency_level = self._serial if statement.mode is Mode.SERIAL_READ else self._level
        if statement.mode is Mode.CONDITIONAL:
            prepared.serial_consistency_level = self._serial
        return prepared


def _answered(answers: _Answers, waiter: asyncio.Future[Any], rows: Any) -> None:
    answers.put(waiter, rows, None)


def _failed(answers: _Answers, waiter: asyncio.Future[Any], error: BaseException) -> None:
    answers.put(waiter, None, error)


def _tls_context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca)
    context.check_hostname = tls.check_host
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context
