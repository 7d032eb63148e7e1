"""The network between services that share one process: a call is a direct await of the handler.

One room, many ends: `InProcessNetwork()` makes a room and one process's end in it, `endpoint()` gives another process
an end in the same room. Which end calls matters only for `on_lost` and `close`.

The handler runs in the caller's task, so a call costs no task, no queue and no copy, and a cancelled caller cancels the
handler by itself. Nearly all calls end long before their deadline, so one timer looks after all new ones of an end: those
that are still under way when it rings get timers of their own. A deadline and a closing listener have to interrupt that
task from outside without the caller seeing a cancellation: both cancel the task, and the call, on its way out, takes that
cancellation back and raises the error instead. `asyncio.timeout` does the same; its rule for nested scopes (whoever still
counts more cancellations than when it began lets the cancellation through) is kept here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from tenuto_server import errors
from tenuto_server.telemetry import tracing
from tenuto_server.transport.network import NEW_CALL_S, InternalCall, InternalHandler

log = logging.getLogger(__name__)

CLOSE_WAIT_S = 2.0


class InProcessListener:
    """An open door in the room."""

    __slots__ = ("_room", "address", "calls", "handler")

    def __init__(self, room: _Room, address: str, handler: InternalHandler) -> None:
        self._room = room
        self.address = address
        self.handler = handler
        self.calls: set[_Scope] = set()

    async def close(self) -> None:
        """Takes no more calls; those under way are cancelled and their callers told `Unavailable`.

        Returns when the handlers have ended, but for one that is closing its own listener, or after a while.
        """
        current = asyncio.current_task()
        ended = [scope.ended() for scope in self.calls if scope.task is not current]
        self.drop()
        if ended:
            await asyncio.wait(ended, timeout=CLOSE_WAIT_S)

    def drop(self) -> None:
        """As `close`, but at once: a crash of the listening process as others see it."""
        if self._room.listeners.get(self.address) is not self:
            return
        del self._room.listeners[self.address]
        for scope in list(self.calls):
            scope.interrupt(errors.Unavailable(f"{self.address} has closed"))
        self._room.lost(self.address)


class _Room:
    """What the ends share."""

    __slots__ = ("ends", "listeners", "port_next")

    def __init__(self) -> None:
        self.listeners: dict[str, InProcessListener] = {}
        self.ends: list[InProcessNetwork] = []
        self.port_next = 40_001

    def lost(self, address: str) -> None:
        for end in list(self.ends):
            end._lost(address)


class _Scope:
    """One call under way, in the caller's task: how it is interrupted from outside."""

    __slots__ = ("awaited", "cancelling", "deadline", "error", "task", "timer")

    def __init__(self, task: asyncio.Task[object], deadline: float | None) -> None:
        self.task = task
        self.cancelling = task.cancelling()
        self.deadline = deadline
        self.timer: asyncio.TimerHandle | None = None
        self.error: errors.ServiceError | None = None
        self.awaited: asyncio.Future[None] | None = None

    def ended(self) -> asyncio.Future[None]:
        """Done when the handler has ended."""
        if self.awaited is None:
            self.awaited = asyncio.get_running_loop().create_future()
        return self.awaited

    def end(self) -> None:
        if self.awaited is not None and not self.awaited.done():
            self.awaited.set_result(None)

    def interrupt(self, error: errors.ServiceError) -> None:
        if self.error is None:
            self.error = error
            self.task.cancel()

    def expire(self) -> None:
        self.interrupt(errors.DeadlineExceeded("deadline exceeded"))


class InProcessNetwork:
    """One process's end of the room; implements `Network`."""

    is_remote = False
    __slots__ = ("_callbacks", "_calls", "_closed", "_links", "_loop", "_new", "_new_timer", "_room")

    def __init__(self, room: _Room | None = None) -> None:
        self._room = _Room() if room is None else room
        self._callbacks: list[Callable[[str], None]] = []
        # Calls under way: those begun a moment ago, and the others.
        self._new: dict[_Scope, None] = {}
        self._calls: dict[_Scope, None] = {}
        self._new_timer: asyncio.TimerHandle | None = None
        self._links: set[str] = set()
        self._closed = False
        # Asking for the running loop is a system call in some Pythons; a network serves one loop all its life.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._room.ends.append(self)

    def endpoint(self) -> InProcessNetwork:
        """The end of another process in the same room."""
        return InProcessNetwork(self._room)

    async def listen(self, address: str, handler: InternalHandler) -> InProcessListener:
        """Serves `handler` at `address`; an address that ends in ":0" gets a number of its own."""
        room = self._room
        if address.endswith(":0"):
            address = f"{address[:-1]}{room.port_next}"
            room.port_next += 1
        if address in room.listeners:
            raise OSError(f"{address} is in use")
        listener = InProcessListener(room, address, handler)
        room.listeners[address] = listener
        return listener

    async def call(self, address: str, method: str, body: bytes, timeout_s: float | None = None) -> bytes:
        """Awaits the handler of `address` in the caller's own task."""
        listener = None if self._closed else self._room.listeners.get(address)
        if listener is None:
            raise errors.Unavailable(f"nobody listens at {address}")
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a call must be made from a task")
        self._links.add(address)
        deadline: float | None = None
        if timeout_s is not None:
            if timeout_s <= 0:
                raise errors.DeadlineExceeded("deadline exceeded")
            deadline = loop.time() + timeout_s
        scope = _Scope(task, deadline)
        if timeout_s is not None and timeout_s <= NEW_CALL_S:
            self._keep(scope, loop)
        else:
            self._new[scope] = None
            if self._new_timer is None:
                self._new_timer = loop.call_later(NEW_CALL_S, self._keep_new)
        calls = listener.calls
        calls.add(scope)
        try:
            answer = await listener.handler(InternalCall(method, body, deadline, tracing.current_traceparent()))
        except asyncio.CancelledError:
            error, scope.error = scope.error, None
            if error is not None and task.uncancel() <= scope.cancelling:
                raise error from None
            if error is None and task.cancelling() == scope.cancelling:
                # Nobody cancelled this task: the handler awaited something that was cancelled on its side.
                raise errors.Unavailable("the call was cancelled by the other side") from None
            raise
        except errors.ServiceError:
            raise
        except Exception:
            log.exception("handler of %s failed", method)
            raise errors.InternalService("internal error") from None
        finally:
            calls.discard(scope)
            if scope in self._new:
                del self._new[scope]
            else:
                self._calls.pop(scope, None)
                if scope.timer is not None:
                    scope.timer.cancel()
            if scope.awaited is not None:
                scope.end()
            if scope.error is not None:
                await _take_back(task)
        if scope.error is not None:
            raise scope.error
        return answer

    def _keep_new(self) -> None:
        """Gives the calls that were new, and are under way still, timers of their own."""
        new, self._new = self._new, {}
        self._new_timer = None
        loop = self._loop
        assert loop is not None
        for scope in new:
            self._keep(scope, loop)

    def _keep(self, scope: _Scope, loop: asyncio.AbstractEventLoop) -> None:
        self._calls[scope] = None
        if scope.deadline is not None:
            scope.timer = loop.call_at(scope.deadline, scope.expire)

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """`callback(address)` runs, from the event loop, whenever an address that this end has called closes."""
        self._callbacks.append(callback)

    async def close(self) -> None:
        """Calls from this end, under way and later, get `Unavailable`; its listeners stay."""
        self.drop()

    def drop(self) -> None:
        """As `close`, but at once."""
        if self._closed:
            return
        self._closed = True
        self._room.ends.remove(self)
        if self._new_timer is not None:
            self._new_timer.cancel()
        for scope in [*self._calls, *self._new]:
            scope.interrupt(errors.Unavailable("the network was closed"))
        self._links.clear()

    def crash(self, address: str) -> None:
        """Closes whatever listens at `address`, as if its process had died."""
        listener = self._room.listeners.get(address)
        if listener is not None:
            listener.drop()

    def _lost(self, address: str) -> None:
        if address not in self._links:
            return
        self._links.discard(address)
        loop = asyncio.get_running_loop()
        for callback in self._callbacks:
            loop.call_soon(callback, address)


async def _take_back(task: asyncio.Task[object]) -> None:
    """Takes back a cancellation that came while the handler was already on its way out, with its own result."""
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        if task.uncancel() > 0:
            raise
    else:
        task.uncancel()
