"""The network between services over batched gRPC streams (protos/tenuto/internal/v1/transport.proto).

    stream      the network: the links of a process, by address
    link        the caller's side of one stream: calls under way, deadlines, cancels
    exchange    the callee's side, and who listens
    connection  one end of a stream on a socket: when what is written, and whether the other side lives
    http2       gRPC and HTTP/2, without IO

One bidirectional stream a (process, address) pair, on a connection of its own. A message costs far more than the work in it, so
a frame carries everything that gathered in a turn of the event loop, or while the socket took the last one: at low load a call
leaves at once, under load many share a frame.

A handler never outlives its caller's interest by more than the time it takes to notice a dead peer, which pings hold to a few
seconds. A stream that ends for any reason fails its calls with `Unavailable`; the next call opens a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from tenuto_server import errors
from tenuto_server.telemetry.measures import Family, counter, gauge
from tenuto_server.transport.exchange import StreamListener
from tenuto_server.transport.link import Link
from tenuto_server.transport.network import InternalHandler
from tenuto_server.transport.settings import StreamSettings


class StreamNetwork:
    """The network over gRPC streams; implements `Network`. Its calls must all come from one event loop."""

    is_remote = True

    def __init__(self, settings: StreamSettings | None = None) -> None:
        self._settings = StreamSettings() if settings is None else settings
        self._links: dict[str, Link] = {}
        self._refused_until: dict[str, float] = {}
        self._callbacks: list[Callable[[str], None]] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._calls = 0
        self._links_lost = 0

    async def listen(self, address: str, handler: InternalHandler) -> StreamListener:
        """Serves `handler` at `address` ("host:port"; port 0 takes any free one)."""
        listener = StreamListener(address, handler, self._settings)
        await listener.start()
        return listener

    async def call(self, address: str, method: str, body: bytes, timeout_s: float | None = None) -> bytes:
        """Calls the process at `address`; opens the link where there is none."""
        if timeout_s is not None and timeout_s <= 0:
            raise errors.DeadlineExceeded("deadline exceeded")
        self._calls += 1
        link = self._links.get(address)
        if link is None:
            link = self._open(address)
        return await link.call(method, body, timeout_s)

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """`callback(address)` runs whenever an open link to that address breaks."""
        self._callbacks.append(callback)

    def measures(self) -> Iterator[Family]:
        """What the links of this process show of themselves."""
        yield gauge("tenuto_links", "Links to other processes.", len(self._links))
        under_way = sum(link.calls_under_way for link in self._links.values())
        yield gauge("tenuto_link_calls", "Calls to other processes under way.", under_way)
        yield counter("tenuto_link_calls_total", "Calls to other processes.", self._calls)
        yield counter("tenuto_links_lost_total", "Links that broke.", self._links_lost)

    def frames_sent(self, address: str) -> int:
        """How many frames the open link to `address` has sent; 0 where there is none."""
        link = self._links.get(address)
        return 0 if link is None else link.frames_sent

    async def close(self) -> None:
        """Closes all links this process opened; callers under way get `Unavailable`."""
        self._closed = True
        for link in list(self._links.values()):
            link.end("the network was closed")
        while self._closing:
            await asyncio.wait(self._closing)

    def _open(self, address: str) -> Link:
        if self._closed:
            raise errors.Unavailable("the network was closed")
        retry_at = self._refused_until.get(address)
        if retry_at is not None:
            if asyncio.get_running_loop().time() < retry_at:
                raise errors.Unavailable(f"{address} refused a moment ago")
            del self._refused_until[address]
        link = self._links[address] = Link(address, self._settings, self._ended)
        return link

    def _ended(self, link: Link) -> None:
        del self._links[link.address]
        loop = asyncio.get_running_loop()
        task = loop.create_task(link.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        if self._closed:
            # A link that is closed here is not lost.
            return
        if link.is_open:
            self._links_lost += 1
            for callback in self._callbacks:
                loop.call_soon(callback, link.address)
        else:
            self._refused_until[link.address] = loop.time() + self._settings.connect_retry_s
