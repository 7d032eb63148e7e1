"""A session on acsylla: asyncio on DataStax's C++ driver, whose own threads do the work beside the interpreter.

The driver's policies, as it is used here: token-aware and DC-aware; retry policy "fallthrough" and no statement marked as
idempotent, so that it sends none twice but where a node said that it does not know the prepared statement; no speculative
executions; TCP_NODELAY on (its default).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import acsylla
from acsylla import errors as failures

from tenuto_server.persistence.cassandra.base_session import BaseSession, FailuresOf, Passing, qualified
from tenuto_server.persistence.cassandra.session import Bound, Mode, Page, Statement
from tenuto_server.persistence.cassandra.settings import CassandraSettings, Tls
from tenuto_server.persistence.interface import StoreUnavailable

_PASSING: Final = (
    failures.CassExceptionConnectionError,
    failures.CassErrorLibNoHostsAvailable,
    failures.CassErrorLibNoStreams,
    failures.CassErrorLibRequestQueueFull,
    failures.CassErrorLibRequestTimedOut,
    failures.CassErrorLibUnableToConnect,
    failures.CassErrorLibWriteError,
    failures.CassErrorServerIsBootstrapping,
    failures.CassErrorServerOverloaded,
    failures.CassErrorServerReadFailure,
    failures.CassErrorServerReadTimeout,
    failures.CassErrorServerServerError,
    failures.CassErrorServerUnavailable,
    failures.CassErrorServerWriteFailure,
    failures.CassErrorServerWriteTimeout,
    failures.CassErrorSslClosed,
)
# The driver is made for ScyllaDB too, and takes it for an error where a node is not one of its.
logging.getLogger("acsylla").addFilter(lambda record: "SHARD-AWARENESS" not in record.getMessage())


def _words(error: Exception) -> str:
    return f"{type(error).__name__.removeprefix('CassError')}: {error}"


_FAILURES: Final = FailuresOf(_PASSING, failures.CassErrorServerInvalidQuery, _words)


class AcsyllaSession(BaseSession):
    """See the module."""

    def __init__(self, settings: CassandraSettings) -> None:
        super().__init__(settings)
        self._session: Any = None
        self._level = getattr(acsylla.Consistency, settings.consistency)
        self._serial = getattr(acsylla.Consistency, settings.serial_consistency)

    async def _connect(self) -> None:
        settings = self.settings
        cluster = acsylla.create_cluster(
            list(settings.hosts),
            port=settings.port,
            username=settings.user or None,
            password=settings.password or None,
            connect_timeout=settings.connect_timeout_s,
            request_timeout=settings.request_timeout_s,
            consistency=self._level,
            serial_consistency=self._serial,
            protocol_version=4,
            load_balance_dc_aware=settings.datacenter or None,
            retry_policy="fallthrough",
            # A request leaves at once: to wait for others to share a write with costs a timer and 0.2 ms each.
            coalesce_delay_us=0,
            log_level="error",
            **(_tls_options(settings.tls) if settings.tls is not None else {}),
        )
        try:
            self._session = await cluster.create_session()
        except (failures.CassException, OSError) as error:
            raise StoreUnavailable(f"cannot connect to Cassandra at {', '.join(settings.hosts)}: {error}") from error

    async def _disconnect(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, statement: Statement, parameters: Sequence[Any], size: int, state: bytes) -> Page:
        with _FAILURES:
            prepared = self._prepared.get(statement) or await self.prepare(statement)
            if size:
                bound = prepared.bind(list(parameters), page_size=size, page_state=state or None)
            else:
                bound = prepared.bind(list(parameters))
            result = await self._session.execute(bound)
        rows = [row.as_tuple() for row in result] if result.column_count() else []
        return Page(rows, result.page_state() if size and result.has_more_pages() else b"")

    async def _ask_batch(self, rows: Sequence[Bound]) -> None:
        batch = acsylla.create_batch_unlogged()
        batch.set_consistency(self._level)
        with _FAILURES:
            for statement, parameters in rows:
                prepared = self._prepared.get(statement) or await self.prepare(statement)
                batch.add_statement(prepared.bind(list(parameters)))
            await self._session.execute_batch(batch)

    async def _change_schema(self, cql: str) -> None:
        try:
            await self._session.execute(acsylla.create_statement(cql, timeout=max(60.0, self.settings.request_timeout_s)))
        except _PASSING as error:
            raise Passing(_words(error)) from error

    async def _prepare_now(self, statement: Statement) -> Any:
        is_read = statement.mode is Mode.SERIAL_READ
        return await self._session.create_prepared(
            qualified(statement.cql, self.settings.keyspace),
            consistency=self._serial if is_read else self._level,
            serial_consistency=self._serial if statement.mode is Mode.CONDITIONAL else None,
        )


def _tls_options(tls: Tls) -> dict[str, Any]:
    """The driver takes the certificates themselves."""
    options: dict[str, Any] = {
        "ssl_enabled": True,
        "ssl_verify_flags": acsylla.SSLVerifyFlags.PEER_IDENTITY if tls.check_host else acsylla.SSLVerifyFlags.PEER_CERT,
    }
    for option, path in (("ssl_trusted_cert", tls.ca), ("ssl_cert", tls.cert), ("ssl_private_key", tls.key)):
        if path:
            with open(path, encoding="ascii") as file:
                options[option] = file.read()
    return options
