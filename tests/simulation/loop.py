"""An asyncio event loop on virtual time: nothing waits, every run of a seed is the same run.

Time stands still while callbacks are ready (each costs one virtual microsecond) and jumps to the next timer when none
is. There are no sockets, threads or executors: asking for one raises. Ready callbacks run first in, first out, as
asyncio promises; with `shuffle` above 0 each pick is, with that probability, any of the ready ones instead, which
explores interleavings that a real loop only shows under odd timing.

What would differ between two runs of the same seed is taken away: tasks and futures hash by a serial number (asyncio
and services keep them in sets, whose order would otherwise follow memory addresses), and time starts at 0.

Every task knows the simulated process it belongs to (`PROCESS`, inherited through contexts), so that a crash can prove
that nothing of the process goes on.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import inspect
import random
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar, TypeVarTuple

STEP_S = 1e-6

PROCESS: contextvars.ContextVar[str] = contextvars.ContextVar("simulated_process", default="")

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Stuck(AssertionError):
    """Nothing is ready, no timer is set, and what was waited for has not come."""


class Runaway(AssertionError):
    """The run took more steps or more virtual time than it may."""


def new_loop(seed: str, *, shuffle: float = 0.0, steps_max: int = 250_000, time_max_s: float = 1e6) -> SimLoop:
    """A loop for one run."""
    # asyncio calls the base abstract, but a loop need not offer what it does not have.
    return SimLoop(seed, shuffle, steps_max, time_max_s)  # type: ignore[abstract]


class SimFuture(asyncio.Future[Any]):
    """A future whose hash is the same in every run."""

    def __init__(self, loop: SimLoop) -> None:
        self._serial = loop.next_serial()
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._serial


class SimTask(asyncio.Task[Any]):
    """A task whose hash is the same in every run, and which knows its process."""

    def __init__(self, coroutine: Any, loop: SimLoop, name: str | None, context: contextvars.Context | None) -> None:
        self._serial = loop.next_serial()
        self.process = PROCESS.get() if context is None else context.get(PROCESS, "")
        super().__init__(coroutine, loop=loop, name=name or f"task-{self._serial}", context=context)

    def __hash__(self) -> int:
        return self._serial

    def what(self) -> str:
        """Its name, what it runs and where that waits."""
        where = [f"{frame.f_code.co_qualname}:{frame.f_lineno}" for frame in self.get_stack()]
        return f"{self.get_name()} {getattr(self.get_coro(), '__qualname__', '')} {' '.join(where)}"


class SimLoop(asyncio.AbstractEventLoop):
    """See the module. `steps_max` and `time_max_s` end a run that would never end. `problems` gathers what asyncio
    would have logged: exceptions nobody took, tasks destroyed while pending."""

    def __init__(self, seed: str, shuffle: float, steps_max: int, time_max_s: float) -> None:
        self.problems: list[str] = []
        self.steps = 0
        self.shuffle = shuffle
        self.time_max_s = time_max_s
        self._steps_max = steps_max
        self._random = random.Random(f"loop:{seed}")
        self._time = 0.0
        self._serial = 0
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._running = False
        self._stopping = False
        self._closed = False

    def next_serial(self) -> int:
        """A number never given before in this run."""
        self._serial += 1
        return self._serial

    # --- scheduling --------------------------------------------------------------------------------------------------
    def time(self) -> float:
        return self._time

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        self._check_open()
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._time + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        self._check_open()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, self.next_serial(), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """asyncio tells us; a cancelled timer is dropped when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        return SimFuture(self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        self._check_open()
        return SimTask(coro, self, name, context)

    # --- running -----------------------------------------------------------------------------------------------------
    def run_until_complete(self, future: Any) -> Any:
        self._check_open()
        task = asyncio.ensure_future(future, loop=self)
        task.add_done_callback(lambda _done: self.stop())
        try:
            self.run_forever()
        except BaseException:
            task.cancel()
            raise
        return task.result()

    def run_forever(self) -> None:
        self._check_open()
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("a loop is running already")
        self._running, self._stopping = True, False
        asyncio._set_running_loop(self)
        try:
            while not self._stopping:
                self._step()
        finally:
            self._running = False
            asyncio._set_running_loop(None)

    def _step(self) -> None:
        """Runs one callback, after moving time on if none was ready."""
        if not self._ready:
            self._jump()
        self._wake_due()
        if not self._ready:
            return
        handle = self._pick()
        if handle.cancelled():
            return
        self.steps += 1
        if self.steps > self._steps_max:
            raise Runaway(f"more than {self._steps_max} steps; next is {handle!r}")
        self._time += STEP_S
        handle._run()

    def _jump(self) -> None:
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if not timers:
            raise Stuck(f"nothing can ever run again; waiting: {self.waiting()}")
        self._time = max(self._time, timers[0][0])
        if self._time > self.time_max_s:
            raise Runaway(f"more than {self.time_max_s} virtual seconds; waiting: {self.waiting()}")

    def _wake_due(self) -> None:
        timers = self._timers
        while timers and timers[0][0] <= self._time:
            handle = heapq.heappop(timers)[2]
            if not handle.cancelled():
                self._ready.append(handle)

    def _pick(self) -> asyncio.Handle:
        ready = self._ready
        if len(ready) > 1 and self.shuffle and self._random.random() < self.shuffle:
            index = self._random.randrange(len(ready))
            handle = ready[index]
            del ready[index]
            return handle
        return ready.popleft()

    def waiting(self) -> list[str]:
        """The names of all unfinished tasks, in the order they were made."""
        return [f"{task.process}:{task.get_name()}" for task in self.tasks()]

    def tasks(self, process: str | None = None) -> list[SimTask]:
        """Unfinished tasks, of one process where given, in the order they were made."""
        found = [task for task in asyncio.all_tasks(self) if isinstance(task, SimTask)]
        return sorted((task for task in found if process is None or task.process == process), key=hash)

    def stop(self) -> None:
        self._stopping = True

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Cancels what is left and lets it end; then the loop takes nothing more."""
        if self._closed:
            return
        for _round in range(100):
            left = self.tasks()
            if not left:
                break
            for task in left:
                task.cancel()
            for _ in range(len(self._ready) + 10_000):
                if not self._ready:
                    break
                asyncio._set_running_loop(self)
                try:
                    self._ready.popleft()._run()
                finally:
                    asyncio._set_running_loop(None)
        for task in self.tasks():
            # Tasks that were made while others ended, and never ran.
            coroutine = task.get_coro()
            if inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                coroutine.close()
        self._ready.clear()
        self._timers.clear()
        self._closed = True

    # --- what asyncio asks of a loop ---------------------------------------------------------------------------------
    def get_debug(self) -> bool:
        return False

    def set_debug(self, enabled: bool) -> None:
        """Debug mode would read the real clock: not offered."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        subject = context.get("task") or context.get("future") or context.get("handle")
        self.problems.append(f"{context.get('message')}: {error!r} in {subject!r}"[:2000])

    async def shutdown_asyncgens(self) -> None:
        """There is nothing to shut down."""

    async def shutdown_default_executor(self) -> None:
        """There is no executor."""

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the loop is closed")
