"""What Cadence users know from other SDKs, thin over asyncio: futures, channels, selectors, cancel scopes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

from tenuto._replay.api import current
from tenuto._replay.execution import Execution

T = TypeVar("T")


class Future(Generic[T]):
    """A value that is set later: await it, or give it to a Selector."""

    def __init__(self) -> None:
        self._future: asyncio.Future[T] = current().loop.create_future()

    def set(self, value: T) -> None:
        """Sets the value, once."""
        self._future.set_result(value)

    def set_error(self, error: BaseException) -> None:
        """Makes it fail, once."""
        self._future.set_exception(error)

    def is_ready(self) -> bool:
        """Whether it has a value or an error."""
        return self._future.done()

    def __await__(self) -> Any:
        return asyncio.shield(self._future).__await__()


class ChannelClosedError(Exception):
    """The channel is closed and holds nothing more."""


class Channel(Generic[T]):
    """A queue between tasks of one workflow. A sender waits while `size` values are held (0: until one is received)."""

    def __init__(self, size: int = 0) -> None:
        self._size = size
        self._values: deque[T] = deque()
        self._receivers: deque[asyncio.Future[None]] = deque()
        self._senders: deque[asyncio.Future[None]] = deque()
        self._closed = False

    async def send(self, value: T) -> None:
        """Gives a value; waits while the channel is full."""
        if self._closed:
            raise ChannelClosedError("send on a closed channel")
        self._values.append(value)
        _wake(self._receivers)
        if len(self._values) > self._size:
            taken: asyncio.Future[None] = current().loop.create_future()
            self._senders.append(taken)
            await taken

    async def receive(self) -> T:
        """Takes the oldest value; waits for one. Raises ChannelClosedError."""
        while not self.is_ready():
            waiting: asyncio.Future[None] = current().loop.create_future()
            self._receivers.append(waiting)
            await waiting
        return self.receive_nowait()

    def receive_nowait(self) -> T:
        """Takes the oldest value. Raises asyncio.QueueEmpty, or ChannelClosedError."""
        if not self._values:
            raise ChannelClosedError("channel is closed") if self._closed else asyncio.QueueEmpty
        value = self._values.popleft()
        _wake(self._senders)
        if self._values:
            _wake(self._receivers)
        return value

    def is_ready(self) -> bool:
        """Whether `receive` would not wait."""
        return bool(self._values) or self._closed

    def close(self) -> None:
        """No more values; receivers get what is held, then ChannelClosedError."""
        self._closed = True
        while self._receivers:
            _wake(self._receivers)

    def _wait_ready(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = current().loop.create_future()
        if self.is_ready():
            future.set_result(None)
        else:
            self._receivers.append(future)
        return future


class SignalChannel(Generic[T]):
    """The signals of one name that no handler takes, in the order they came. From `signal_channel`."""

    def __init__(self, run: Execution, name: str, value_type: Any) -> None:
        self._run = run
        self._box = run.signal_box(name)
        self._type = value_type

    async def receive(self) -> T:
        """The oldest signal's value; waits for one."""
        while not self._box.values:
            await self._wait_ready()
        return self.receive_nowait()

    def receive_nowait(self) -> T:
        """The oldest signal's value. Raises asyncio.QueueEmpty."""
        if not self._box.values:
            raise asyncio.QueueEmpty
        value: T = self._run.decode_result(self._box.values.popleft(), self._type)
        if self._box.values:
            _wake(self._box.receivers)
        return value

    def is_ready(self) -> bool:
        """Whether a signal waits."""
        return bool(self._box.values)

    def _wait_ready(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._run.loop.create_future()
        if self._box.values:
            future.set_result(None)
        else:
            self._box.receivers.append(future)
        return future


def signal_channel(name: str, value_type: Any = Any) -> SignalChannel[Any]:
    """The channel of a signal's name; each signal's single value is decoded to `value_type`."""
    return SignalChannel(current(), name, value_type)


def _wake(waiters: deque[asyncio.Future[None]]) -> None:
    while waiters:
        waiter = waiters.popleft()
        if not waiter.done():
            waiter.set_result(None)
            return


class Selector:
    """Waits for the first of several things and calls what was added with it, as Go's workflow.Selector.

    Several ready at once are served in the order in which they were added, one a `select`.
    """

    def __init__(self) -> None:
        self._futures: list[tuple[asyncio.Future[Any], Callable[[asyncio.Future[Any]], Any]]] = []
        self._channels: list[tuple[Channel[Any] | SignalChannel[Any], Callable[[Any], Any]]] = []

    def add_future(self, awaitable: Awaitable[Any], call: Callable[[asyncio.Future[Any]], Any]) -> Selector:
        """When it is done, calls `call(future)`, once. A coroutine is started as a task."""
        inner = awaitable._future if isinstance(awaitable, Future) else awaitable
        self._futures.append((asyncio.ensure_future(inner), call))
        return self

    def add_receive(self, channel: Channel[Any] | SignalChannel[Any], call: Callable[[Any], Any]) -> Selector:
        """When the channel holds a value, takes it and calls `call(value)`; again at each select."""
        self._channels.append((channel, call))
        return self

    def has_ready(self) -> bool:
        """Whether `select` would not wait."""
        return any(future.done() for future, _ in self._futures) or any(c.is_ready() for c, _ in self._channels)

    async def select(self) -> None:
        """Waits for one and serves it. Awaits what the callback returns, if that can be awaited."""
        while not self.has_ready():
            waits = [channel._wait_ready() for channel, _ in self._channels]
            try:
                await asyncio.wait([*(f for f, _ in self._futures), *waits], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        answer = self._serve()
        if isinstance(answer, Awaitable):
            await answer

    def _serve(self) -> Any:
        for index, (future, call) in enumerate(self._futures):
            if future.done():
                del self._futures[index]
                return call(future)
        for channel, receive in self._channels:
            if channel.is_ready():
                return receive(channel.receive_nowait())
        raise AssertionError("select woke for nothing")


class CancelScope:
    """A stretch of code that can be cancelled by itself, or (shield=True) is not cancelled from outside.

        async with CancelScope() as scope:      # scope.cancel() ends the block; what it awaits is cancelled
        async with CancelScope(shield=True) as scope:
            await scope.run(clean_up())         # goes on though the workflow is cancelled; then CancelledError is raised

    A block cannot keep a cancellation of its own task away: inside a shielded scope `run` awaits in a task of its own, and
    the cancellation that came meanwhile is raised when that is done.
    """

    def __init__(self, *, shield: bool = False) -> None:
        self.cancelled = False
        self._shield = shield
        self._task: asyncio.Task[Any] | None = None
        self._requests_before = 0
        self._task_cancelled = False
        self._inner: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> CancelScope:
        self._task = asyncio.current_task()
        self._requests_before = self._task.cancelling() if self._task is not None else 0
        return self

    def cancel(self) -> None:
        """Cancels what runs in the scope."""
        self.cancelled = True
        for task in sorted(self._inner, key=hash):
            task.cancel()
        if not self._inner and self._task is not None:
            self._task_cancelled = True
            self._task.cancel()

    async def run(self, awaitable: Awaitable[T]) -> T:
        """Awaits something in the scope; shielded from the outer task's cancellation if the scope is."""
        task: asyncio.Task[T] = asyncio.get_running_loop().create_task(_await(awaitable))
        self._inner.add(task)
        late: asyncio.CancelledError | None = None
        try:
            while not task.done():
                try:
                    await (asyncio.wait([task]) if self._shield else task)
                except asyncio.CancelledError as error:
                    if not self._shield:
                        raise
                    late = error
        finally:
            self._inner.discard(task)
        if late is not None:
            if not task.cancelled():
                task.exception()  # taken: the cancellation is what is told
            raise late
        return task.result()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        task, self._task = self._task, None
        if task is None or not self.cancelled:
            return False
        requests = task.uncancel() if self._task_cancelled else task.cancelling()
        from_outside = requests > self._requests_before  # someone cancelled the task too: that goes on
        return kind is not None and issubclass(kind, asyncio.CancelledError) and not from_outside


async def _await(awaitable: Awaitable[T]) -> T:
    return await awaitable


def shielded(awaitable: Awaitable[T]) -> Awaitable[T]:
    """Awaits something to its end even though the workflow is cancelled, then raises that cancellation."""
    return CancelScope(shield=True).run(awaitable)
