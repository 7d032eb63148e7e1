"""The network between simulated processes: every message may be late, lost, doubled or cut off, as a seed decides.

A process reaches others through its `SimPort`, which is a `transport.network.Network`. A link from a process to an
address opens with the first call. What can happen to a call:

    delay           request and reply take their time, so calls overtake one another;
    loss            of the request (the handler never runs) or of the reply (it ran, and the caller cannot know): the
    caller
                    gets Unavailable after a while. Mostly the whole link breaks with it, as a stream does;
    doubling        the request arrives twice; the second answer goes nowhere;
    a broken link   all calls on it end in Unavailable at the caller and are cancelled at the callee, and `on_lost`
    fires; a partition     nothing passes one way or both ways between two processes until it heals; a crash         the
    callee's handlers are gone; callers learn it soon (the machine's kernel answers) and lose the link.

The client programs of the workload use the same network: a frontend's public door is a listener like any other.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable
from dataclasses import dataclass

from tenuto_server import errors
from tenuto_server.persistence.interface import Sealed, StoreUnavailable
from tenuto_server.transport.network import InternalCall, InternalHandler

from .loop import PROCESS, SimLoop
from .trace import Trace


@dataclass(slots=True)
class NetworkFaults:
    """Chances per call (0 to 1) and times in seconds.

    tail: the chance that a message takes up to `tail_s` instead of up to `delay_s`. lone: the share of losses that
    break only the one call and not its link. detect_s: the longest time until a loss is noticed.
    """

    delay_s: float = 0.002
    tail: float = 0.0
    tail_s: float = 2.0
    lose_request: float = 0.0
    lose_reply: float = 0.0
    double: float = 0.0
    lone: float = 0.3
    detect_s: float = 3.0


class _Call:
    """One call under way, as the caller sees it; `handlers` are its tasks at the callee (two when doubled)."""

    __slots__ = ("answer", "handlers", "link", "method")

    def __init__(self, link: _Link, method: str, answer: asyncio.Future[bytes]) -> None:
        self.link = link
        self.method = method
        self.answer = answer
        self.handlers: list[asyncio.Task[bytes]] = []

    def fail(self, error: errors.ServiceError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def cancel_handlers(self) -> None:
        for handler in self.handlers:
            handler.cancel()


class _Link:
    """An open link from a port to an address. `broken` at once when it breaks; either end notices later."""

    __slots__ = ("address", "broken", "calls", "port", "reached")

    def __init__(self, port: SimPort, address: str) -> None:
        self.port = port
        self.address = address
        self.calls: dict[_Call, None] = {}
        self.broken = False
        self.reached = False


class SimListener:
    """An open door: a `transport.network.Listener`."""

    def __init__(self, network: SimNetwork, port: SimPort, address: str, handler: InternalHandler) -> None:
        self._network = network
        self.port = port
        self.address = address
        self.handler = handler
        self.context = contextvars.copy_context()
        self.context.run(PROCESS.set, port.process)
        self.handlers: dict[asyncio.Task[bytes], None] = {}

    async def close(self) -> None:
        """Takes no more calls; those under way are cancelled and their callers told `Unavailable`."""
        self._network.drop_listener(self)
        await asyncio.gather(*self.handlers, return_exceptions=True)


class SimPort:
    """One process's end of the network: a `transport.network.Network`. Dead for ever after `SimNetwork.crash`."""

    is_remote = True

    def __init__(self, network: SimNetwork, process: str) -> None:
        self._network = network
        self.process = process
        self.alive = True
        self.links: dict[str, _Link] = {}
        self.lost_callbacks: list[Callable[[str], None]] = []

    async def listen(self, address: str, handler: InternalHandler) -> SimListener:
        """Opens the door at `address`."""
        return self._network.open_listener(self, address, handler)

    async def call(self, address: str, method: str, body: bytes, timeout_s: float | None = None) -> bytes:
        """Calls the process at `address`, with whatever happens on the way."""
        return await self._network.call(self, address, method, body, timeout_s)

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """`callback(address)` runs when an open link to `address` has broken and this side notices."""
        self.lost_callbacks.append(callback)

    async def close(self) -> None:
        """Breaks this port's links without telling itself."""
        self._network.close_port(self)


class SimNetwork:
    """All ports and doors. `faults` may be changed at any time; `partitions` holds (from process, to process)."""

    def __init__(self, loop: SimLoop, seed: str, trace: Trace) -> None:
        self.faults = NetworkFaults()
        self.partitions: dict[tuple[str, str], None] = {}
        self.problems: list[str] = []
        self._loop = loop
        self._random = random.Random(f"network:{seed}")
        self._trace = trace
        self._listeners: dict[str, SimListener] = {}
        self._ports: dict[str, SimPort] = {}

    # --- processes ---------------------------------------------------------------------------------------------------
    def port(self, process: str) -> SimPort:
        """A port for a process that starts; the process's former port must be dead."""
        port = SimPort(self, process)
        self._ports[process] = port
        return port

    def crash(self, process: str) -> None:
        """The process dies now: doors shut, its handlers and calls are gone, the others notice soon."""
        port = self._ports.pop(process, None)
        if port is None:
            return
        port.alive = False
        for listener in [found for found in self._listeners.values() if found.port is port]:
            self.drop_listener(listener)
        self.close_port(port)

    def open_listener(self, port: SimPort, address: str, handler: InternalHandler) -> SimListener:
        """See `SimPort.listen`."""
        if address in self._listeners:
            raise OSError(f"{address} is in use")
        listener = SimListener(self, port, address, handler)
        self._listeners[address] = listener
        return listener

    def drop_listener(self, listener: SimListener) -> None:
        """Shuts a door at once: its handlers are cancelled, links to it break."""
        if self._listeners.get(listener.address) is not listener:
            return
        del self._listeners[listener.address]
        for handler in list(listener.handlers):
            handler.cancel()
        for port in list(self._ports.values()):
            link = port.links.get(listener.address)
            if link is not None:
                self.break_link(link, notice_s=0.2)

    def close_port(self, port: SimPort) -> None:
        """All links of the port end: its calls fail at once, the callees notice soon."""
        for link in list(port.links.values()):
            link.broken = True
            for call in list(link.calls):
                call.fail(errors.Unavailable("the network was closed"))
                self._later(0.2, call.cancel_handlers)
        port.links.clear()

    # --- partitions --------------------------------------------------------------------------------------------------
    def partition(self, first: str, second: str, *, one_way: bool = False) -> None:
        """Nothing passes from `first` to `second` any more, nor back unless `one_way`; open links break in a while."""
        self._trace.note(f"net partition {first} {second} one_way={one_way}")
        self.partitions[first, second] = None
        if not one_way:
            self.partitions[second, first] = None
        for port in list(self._ports.values()):
            for link in list(port.links.values()):
                listener = self._listeners.get(link.address)
                ends = {port.process, listener.port.process} if listener is not None else set()
                if ends == {first, second}:
                    self._later(self.faults.detect_s, self.break_link, link)

    def reunite(self, first: str, second: str) -> None:
        """Ends what `partition` began between the two."""
        self.partitions.pop((first, second), None)
        self.partitions.pop((second, first), None)

    def heal(self) -> None:
        """No more partitions and no more faults from now on."""
        self.partitions.clear()
        self.faults = NetworkFaults()

    def break_random_link(self) -> None:
        """One of the open links breaks."""
        links = [link for port in self._ports.values() for link in port.links.values()]
        if links:
            self.break_link(self._random.choice(links))

    def break_link(self, link: _Link, notice_s: float | None = None) -> None:
        """New calls go over a new link; those on this one fail when either end notices (within `notice_s`)."""
        if link.broken:
            return
        link.broken = True
        if link.port.links.get(link.address) is link:
            del link.port.links[link.address]
        notice_s = self.faults.detect_s if notice_s is None else notice_s
        self._trace.note(f"net broken {link.port.process}->{link.address}")
        calls = list(link.calls)
        for call in calls:
            self._later(notice_s, call.cancel_handlers)
        self._later(notice_s, self._notice_broken, link)

    def _notice_broken(self, link: _Link) -> None:
        for call in list(link.calls):
            call.fail(errors.Unavailable(f"the link to {link.address} broke"))
        if link.port.alive and link.reached:
            for callback in link.port.lost_callbacks:
                callback(link.address)

    # --- calls -------------------------------------------------------------------------------------------------------
    async def call(self, port: SimPort, address: str, method: str, body: bytes, timeout_s: float | None) -> bytes:
        """See `SimPort.call`."""
        if not port.alive:
            raise errors.Unavailable("this process is dead")
        if timeout_s is not None and timeout_s <= 0:
            raise errors.DeadlineExceeded("deadline exceeded")
        link = port.links.get(address)
        if link is None:
            link = port.links[address] = _Link(port, address)
        call = _Call(link, method, self._loop.create_future())
        link.calls[call] = None
        deadline, timer = None, None
        if timeout_s is not None:
            deadline = self._loop.time() + timeout_s
            timer = self._loop.call_at(deadline, call.fail, errors.DeadlineExceeded("deadline exceeded"))
        self._send(call, body, deadline)
        try:
            return await call.answer
        except (asyncio.CancelledError, errors.DeadlineExceeded):
            self._later(self.faults.delay_s, call.cancel_handlers)
            raise
        finally:
            link.calls.pop(call, None)
            if timer is not None:
                timer.cancel()

    def _send(self, call: _Call, body: bytes, deadline: float | None) -> None:
        faults, chance = self.faults, self._random.random
        if chance() < faults.lose_request:
            self._lose(call, "request")
            return
        self._later_message(self._arrive, call, body, deadline, True)
        if chance() < faults.double:
            self._later_message(self._arrive, call, body, deadline, False)

    def _arrive(self, call: _Call, body: bytes, deadline: float | None, first: bool) -> None:
        """The request reaches the callee's machine. `first` False is the doubled one, whose answer goes nowhere."""
        link = call.link
        if not link.port.alive or link.broken or (call.answer.done() and first):
            return
        listener = self._listeners.get(link.address)
        source = link.port.process
        if listener is None:
            self._trace.note(f"net refused {source}->{link.address} {call.method}")
            self._later(0.05, call.fail, errors.Unavailable(f"nobody listens at {link.address}"))
            return
        if (source, listener.port.process) in self.partitions:
            self._lose(call, "request")
            return
        link.reached = True
        self._trace.note(f"net {source}->{link.address} {call.method} {len(body)}{'' if first else ' doubled'}")
        request = InternalCall(call.method, body, deadline)
        handler = listener.context.run(self._start_handler, listener, request)
        listener.handlers[handler] = None
        call.handlers.append(handler)
        handler.add_done_callback(lambda done: self._handled(call, listener, done, first), context=listener.context)

    def _start_handler(self, listener: SimListener, request: InternalCall) -> asyncio.Task[bytes]:
        async def run() -> bytes:
            return await listener.handler(request)

        return self._loop.create_task(run(), name=f"handler of {request.method}")

    def _handled(self, call: _Call, listener: SimListener, handler: asyncio.Task[bytes], first: bool) -> None:
        listener.handlers.pop(handler, None)
        result, error = self._outcome(call, handler)
        if not first:
            return
        if call.link.broken:
            return
        if self._random.random() < self.faults.lose_reply or ((listener.port.process, call.link.port.process) in self.partitions):
            self._lose(call, "reply")
            return
        self._later_message(self._reply, call, result, error)

    def _outcome(self, call: _Call, handler: asyncio.Task[bytes]) -> tuple[bytes, errors.ServiceError | None]:
        if handler.cancelled():
            return b"", errors.Unavailable("the handler was cancelled")
        error = handler.exception()
        if error is None:
            return handler.result(), None
        if isinstance(error, errors.ServiceError):
            return b"", errors.from_wire(error.status, error.message, error.detail_any())
        if not isinstance(error, StoreUnavailable | Sealed):
            self.problems.append(f"{call.method} at {call.link.address} raised {error!r}")
        return b"", errors.InternalService("internal error")

    def _reply(self, call: _Call, result: bytes, error: errors.ServiceError | None) -> None:
        if call.answer.done() or call.link.broken or not call.link.port.alive:
            return
        outcome = str(len(result)) if error is None else f"{type(error).__name__} {error.message}"
        self._trace.note(f"net {call.link.port.process}<-{call.link.address} {call.method} {outcome}")
        if error is not None:
            call.answer.set_exception(error)
        else:
            call.answer.set_result(result)

    def _lose(self, call: _Call, what: str) -> None:
        self._trace.note(f"net lost {what} {call.link.port.process}->{call.link.address} {call.method}")
        if self._random.random() < self.faults.lone:
            self._later(self.faults.detect_s, call.fail, errors.Unavailable(f"the {what} was lost"))
        else:
            self.break_link(call.link)

    def _later(self, within_s: float, callback: Callable[..., object], *args: object) -> None:
        self._loop.call_later(self._random.uniform(0, within_s), callback, *args)

    def _later_message(self, callback: Callable[..., object], *args: object) -> None:
        faults = self.faults
        late = faults.tail and self._random.random() < faults.tail
        self._later(faults.tail_s if late else faults.delay_s, callback, *args)
