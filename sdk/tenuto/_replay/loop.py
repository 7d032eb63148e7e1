"""The deterministic event loop that runs workflow code.

It has no selector and no clock. Callbacks run first in, first out; time stands still while they run and moves only when
history says so; a timer is a durable timer. `run_until_idle` runs until nothing is ready: then the workflow waits for
something durable, and the decision is complete. The outer loop of the worker calls it as an ordinary function.

Sets of tasks and futures are iterated inside asyncio (TaskGroup, asyncio.wait), so their hashes must not be addresses:
tasks and futures made here hash to a number counted from the run's start, which makes their order in sets repeatable.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from asyncio import events, tasks
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, NoReturn, Protocol, TypeVar

from tenuto._types import SECOND_NS, whole_seconds
from tenuto.errors import ForbiddenInWorkflowError, WorkflowStuckError

T = TypeVar("T")

# Callbacks in one decision. Code that passes this without waiting for anything durable would never stop.
STEPS_MAX = 1_000_000
TASKS_SWEEP_MIN = 64


class LoopHost(Protocol):
    """What the loop needs from the run that it belongs to."""

    def start_timer(self, handle: DurableTimer, seconds: int) -> None:
        """Starts a durable timer that will call `fire` on the handle."""

    def cancel_timer(self, handle: DurableTimer) -> None:
        """The handle was cancelled before it fired."""

    def unhandled(self, context: dict[str, Any]) -> None:
        """asyncio's call_exception_handler: an exception nobody took."""


class WorkflowFuture(asyncio.Future[T]):
    """A future whose hash is its number in the run."""

    def __init__(self, loop: WorkflowLoop) -> None:
        self._number = loop.next_number()
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._number


class WorkflowTask(asyncio.Task[T]):
    """A task whose hash is its number in the run."""

    def __init__(
        self,
        coroutine: Generator[Any, None, T] | Coroutine[Any, Any, T],
        loop: WorkflowLoop,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> None:
        self._number = loop.next_number()
        super().__init__(coroutine, loop=loop, name=name or f"task-{self._number}", context=context)

    def __hash__(self) -> int:
        return self._number


class DurableTimer(asyncio.TimerHandle):
    """A timer handle backed by a durable timer of `timer_id`."""

    __slots__ = ("fired", "timer_id")

    def __init__(
        self, when: float, callback: Callable[..., Any], args: Any, loop: WorkflowLoop, context: contextvars.Context | None
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self.timer_id = ""
        self.fired = False


class WorkflowLoop(asyncio.AbstractEventLoop):
    """See the module. `host` is the run; `now_ns` is the workflow's time."""

    def __init__(self, host: LoopHost) -> None:
        self.host = host
        self.now_ns = 0
        self.conditions: list[tuple[Callable[[], bool], WorkflowFuture[None]]] = []
        self._ready: deque[asyncio.Handle] = deque()
        self._tasks: list[WorkflowTask[Any]] = []
        self._sweep_at = TASKS_SWEEP_MIN
        self._numbers = 0
        self._context = contextvars.Context()

    # ---- running ----

    def enter(self, function: Callable[[], T]) -> T:
        """Calls a function as code of this loop, in the run's own context, then gives the thread back to the outer loop.

        The outer loop's running task is set aside meanwhile (asyncio documents these hooks for event loop authors), and
        so are the hooks by which the outer loop would adopt the workflow's async generators.
        """
        outer = events._get_running_loop()
        task = asyncio.current_task(outer) if outer is not None else None
        hooks = sys.get_asyncgen_hooks()
        if outer is not None and task is not None:
            tasks._leave_task(outer, task)
        events._set_running_loop(self)
        sys.set_asyncgen_hooks(firstiter=None, finalizer=None)
        try:
            return self._context.run(function)
        finally:
            sys.set_asyncgen_hooks(*hooks)
            events._set_running_loop(outer)
            if outer is not None and task is not None:
                tasks._enter_task(outer, task)

    def run_until_idle(self) -> None:
        """Runs all that is ready, and what becomes ready by it. Call inside `enter`."""
        ready = self._ready
        steps = 0
        while True:
            while ready:
                handle = ready.popleft()
                if not handle.cancelled():
                    handle._run()
                    steps += 1
                    if steps > STEPS_MAX:
                        raise WorkflowStuckError(f"more than {STEPS_MAX} steps without waiting for anything durable")
            if not self._wake_condition():
                break
        if len(self._tasks) > self._sweep_at:
            self.sweep()
            self._sweep_at = max(TASKS_SWEEP_MIN, 2 * len(self._tasks))

    def sweep(self) -> None:
        """Lets go of tasks that are done."""
        self._tasks = self.live_tasks()

    def _wake_condition(self) -> bool:
        """Wakes the first waiter whose condition holds; one at a time, because it may change what the next one sees."""
        for index, (predicate, future) in enumerate(self.conditions):
            if future.done():
                del self.conditions[index]
                return True
            try:
                holds = predicate()
            except Exception as error:
                del self.conditions[index]
                future.set_exception(error)
                return True
            if holds:
                del self.conditions[index]
                future.set_result(None)
                return True
        return False

    def fire(self, timer: DurableTimer) -> None:
        """The durable timer behind a handle has fired."""
        timer.fired = True
        self._ready.append(timer)

    def live_tasks(self) -> list[WorkflowTask[Any]]:
        """Tasks that are not done, oldest first."""
        return [task for task in self._tasks if not task.done()]

    def next_number(self) -> int:
        """The next number of the run's tasks and futures."""
        self._numbers += 1
        return self._numbers

    def discard(self) -> None:
        """Ends all tasks at their await, so that nothing of a dropped run is left to the garbage collector's timing."""
        pending = self.live_tasks()
        self._ready.clear()
        self.conditions.clear()
        for task in pending:
            coroutine = task.get_coro()
            try:
                coroutine.close()
            except BaseException as error:
                self.host.unhandled({"message": "while dropping a workflow from the cache", "exception": error})
        self._tasks.clear()
        self._ready.clear()

    # ---- what asyncio calls ----

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        timer = DurableTimer(self.time() + delay, callback, args, self, context)
        seconds = whole_seconds(delay)
        if seconds <= 0:
            self.fire(timer)
        else:
            self.host.start_timer(timer, seconds)
        return timer

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_later(when - self.time(), callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if isinstance(handle, DurableTimer) and not handle.fired:
            self.host.cancel_timer(handle)

    def time(self) -> float:
        """The workflow's time in seconds since the epoch: when the server started the current decision."""
        return self.now_ns / SECOND_NS

    def create_future(self) -> WorkflowFuture[Any]:
        return WorkflowFuture(self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
        **_options: Any,
    ) -> WorkflowTask[T]:
        task = WorkflowTask(coro, self, name, context)
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # runs are dropped from memory while they wait
        self._tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.host.unhandled(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.host.unhandled(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        return False


def _forbid(name: str) -> Callable[..., NoReturn]:
    def refuse(self: WorkflowLoop, *args: Any, **kwargs: Any) -> NoReturn:
        raise ForbiddenInWorkflowError(
            f"{name} has no place in workflow code, which must run the same way each time it is replayed: use an activity"
        )

    return refuse


for _name in (
    "add_reader", "add_signal_handler", "add_writer", "call_soon_threadsafe", "connect_accepted_socket", "connect_read_pipe",
    "connect_write_pipe", "create_connection", "create_datagram_endpoint", "create_server", "create_unix_connection",
    "create_unix_server", "getaddrinfo", "getnameinfo", "remove_reader", "remove_signal_handler", "remove_writer",
    "run_forever", "run_in_executor", "run_until_complete", "sendfile", "set_default_executor", "set_exception_handler",
    "set_task_factory", "sock_accept", "sock_connect", "sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into",
    "sock_sendall", "sock_sendfile", "sock_sendto", "start_tls", "stop", "subprocess_exec", "subprocess_shell",
):  # fmt: skip
    setattr(WorkflowLoop, _name, _forbid(_name))
