"""Both drivers behind the seam, through a proxy that can fall silent or hang up: nothing is sent twice that must not be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tenuto_server.persistence.cassandra import Mode, Session, Statement
from tenuto_server.persistence.cassandra.base_session import BaseSession
from tenuto_server.persistence.cassandra.connect import new_session
from tenuto_server.persistence.cassandra.session import Bound
from tenuto_server.persistence.interface import StoreUnavailable
from tests.cassandra import keyspaces
from tests.cassandra.provision import Cassandra

pytestmark = [pytest.mark.cassandra, pytest.mark.parametrize("driver", ["acsylla", "cassandra-driver"])]

GET = Statement("test-get", "SELECT value FROM runs WHERE place = ? AND key = ? AND version = 0 AND part = 0")
PUT = Statement("test-put", "INSERT INTO runs (place, key, version, part, value) VALUES (?, ?, 0, 0, ?)")
PUT_ONCE = Statement(
    "test-put-once", "INSERT INTO cas_rows (space, part, key, value, version) VALUES ('s', 0, ?, ?, 1) IF NOT EXISTS",
    Mode.CONDITIONAL, idempotent=False,
)  # fmt: skip
SEEN = Statement("test-seen", "SELECT value FROM cas_rows WHERE space = 's' AND part = 0 AND key = ?", Mode.SERIAL_READ)
SCAN = Statement("test-scan", "SELECT key FROM runs WHERE place = ?")
WRONG = Statement("test-wrong", "SELECT nothing FROM runs WHERE place = ?")


class Proxy:
    """Between a driver and Cassandra. `answers` False keeps what Cassandra says; `hang_up` breaks all connections."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._to = host, port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(self._host, self._to)
        self._writers |= {writer, there_writer}
        for source, sink, waits in ((reader, there_writer, False), (there_reader, writer, True)):
            pump = asyncio.create_task(self._pump(source, sink, waits))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, waits: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                if waits:
                    await self.may_answer.wait()
                sink.write(data)
                await sink.drain()
        sink.close()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.hang_up()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)


Test = Callable[[Session, Proxy], Awaitable[None]]


def run(cassandra: Cassandra, driver: str, test: Test, query: str = "") -> None:
    keyspace = keyspaces.shared(cassandra, "sessions")

    @contextlib.asynccontextmanager
    async def bench() -> AsyncIterator[tuple[BaseSession, Proxy]]:
        proxy = Proxy(cassandra.hosts[0], cassandra.port)
        await proxy.start()
        through = Cassandra(("127.0.0.1",), proxy.port, "proxy")
        session = new_session(keyspaces.settings_of(through, keyspace, f"driver={driver}{query}"))
        await session.open()
        try:
            yield session, proxy
        finally:
            proxy.may_answer.set()
            await works_again(session)
            await keyspaces.empty(session)
            await session.close()
            await proxy.stop()

    async def check() -> None:
        async with bench() as (session, proxy):
            await test(session, proxy)

    asyncio.run(check())


async def works_again(session: Session) -> None:
    """Waits until the driver has connections again, half a minute at most."""
    async with asyncio.timeout(30):
        while True:
            try:
                await session.execute(GET, ("p", b"k"))
                return
            except StoreUnavailable:
                await asyncio.sleep(0.1)


def test_writing_reading_and_paging(cassandra: Cassandra, driver: str) -> None:
    async def check(session: Session, _: Proxy) -> None:
        await session.execute(PUT, ("p", b"\0", b""))
        assert await session.execute(GET, ("p", b"\0")) == [(b"",)]
        assert await session.execute(GET, ("p", b"none")) == []
        await session.write_together([Bound(PUT, ("q", b"%02d" % n, b"v")) for n in range(25)])
        pages, state = [], b""
        while True:
            page = await session.page(SCAN, ("q",), 10, state)
            pages.append([key for (key,) in page.rows])
            state = page.next_state
            if not state:
                break
        assert [len(page) for page in pages if page] == [10, 10, 5]
        assert [key for page in pages for key in page] == [b"%02d" % n for n in range(25)]
        assert session.requests["test-put+"] == 1

    run(cassandra, driver, check)


def test_many_at_once(cassandra: Cassandra, driver: str) -> None:
    async def check(session: Session, _: Proxy) -> None:
        await asyncio.gather(*[session.execute(PUT, (f"p{n}", b"k", b"%d" % n)) for n in range(500)])
        found = await asyncio.gather(*[session.execute(GET, (f"p{n}", b"k")) for n in range(500)])
        assert [row[0][0] for row in found] == [b"%d" % n for n in range(500)]

    run(cassandra, driver, check, "&in_flight_max=50")


def test_a_transaction_tells_whether_it_was_applied(cassandra: Cassandra, driver: str) -> None:
    async def check(session: Session, _: Proxy) -> None:
        answers = await asyncio.gather(*[session.execute(PUT_ONCE, ("k", b"%d" % n)) for n in range(8)])
        assert [answer[0][0] for answer in answers].count(True) == 1
        winner = next(n for n, answer in enumerate(answers) if answer[0][0])
        assert await session.execute(SEEN, ("k",)) == [(b"%d" % winner,)]

    run(cassandra, driver, check)


def test_a_mistake_is_raised_as_it_is(cassandra: Cassandra, driver: str) -> None:
    async def check(session: Session, _: Proxy) -> None:
        with pytest.raises(Exception, match="nothing") as error:
            await session.execute(WRONG, ("p",))
        assert not isinstance(error.value, StoreUnavailable)
        assert session.requests["test-wrong"] == 1

    run(cassandra, driver, check)


def test_silence_is_told_in_time_and_what_is_not_idempotent_is_sent_once(cassandra: Cassandra, driver: str) -> None:
    async def check(session: Session, proxy: Proxy) -> None:
        await session.execute(PUT_ONCE, ("first", b"v"))
        await session.execute(GET, ("p", b"k"))
        proxy.may_answer.clear()
        with pytest.raises(StoreUnavailable):
            await session.execute(PUT_ONCE, ("second", b"v"))
        assert session.requests["test-put-once"] == 2
        proxy.may_answer.set()
        await works_again(session)
        assert await session.execute(SEEN, ("second",)) == [(b"v",)], "it was applied: only nobody was told"

    run(cassandra, driver, check, "&request_timeout=1")


def test_a_broken_connection_while_a_transaction_is_under_way(cassandra: Cassandra, driver: str) -> None:
    """A driver that sent it once more would find it done already, and say that it was not applied."""

    async def check(session: Session, proxy: Proxy) -> None:
        await session.execute(PUT_ONCE, ("first", b"v"))
        proxy.may_answer.clear()
        asking = asyncio.create_task(session.execute(PUT_ONCE, ("second", b"v")))
        await applied(cassandra, "second")
        proxy.hang_up()
        with pytest.raises(StoreUnavailable):
            await asking
        proxy.may_answer.set()
        await works_again(session)
        assert session.requests["test-put-once"] == 2

    async def applied(cassandra: Cassandra, key: str) -> None:
        direct = new_session(keyspaces.settings_of(cassandra, keyspaces.shared(cassandra, "sessions"), f"driver={driver}"))
        await direct.open()
        async with asyncio.timeout(10):
            while True:
                if await direct.execute(SEEN, (key,)):
                    break
                await asyncio.sleep(0.01)
        await direct.close()

    run(cassandra, driver, check)


def test_a_caller_that_goes_away_harms_nobody(cassandra: Cassandra, driver: str) -> None:
    async def check(session: Session, proxy: Proxy) -> None:
        await session.execute(GET, ("p", b"k"))
        proxy.may_answer.clear()
        gone = [asyncio.create_task(session.execute(PUT, (f"p{n}", b"k", b"v"))) for n in range(20)]
        stays = asyncio.create_task(session.execute(GET, ("p", b"k")))
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        proxy.may_answer.set()
        assert await stays == []
        assert await session.execute(GET, ("p", b"k")) == []

    run(cassandra, driver, check, "&in_flight_max=21")
