"""Poll loops: long polls for tasks, never without a free slot to run one, with backoff when polling fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from tenuto._rpc.backoff import Backoff
from tenuto.errors import DeadlineExceededError, RpcError

logger = logging.getLogger("tenuto.worker")

Task = TypeVar("Task")


class Pollers(Generic[Task]):
    """`count` poll loops over one kind of task list, sharing `slots`; each task runs as an asyncio task of its own.

    `poll()` returns None for an empty poll. `run(task)` must not raise.
    """

    def __init__(
        self,
        name: str,
        count: int,
        slots: asyncio.Semaphore,
        poll: Callable[[], Awaitable[Task | None]],
        run: Callable[[Task], Coroutine[Any, Any, None]],
    ) -> None:
        self._name = name
        self._count = count
        self._slots = slots
        self._poll = poll
        self._run = run
        self._backoff = Backoff(initial=0.1, maximum=10.0)
        self._failing = False  # said once for all loops
        self._loops: list[asyncio.Task[None]] = []
        self._working: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begins polling."""
        loop = asyncio.get_running_loop()
        self._loops = [loop.create_task(self._poll_on(), name=f"tenuto {self._name} poller") for _ in range(self._count)]

    async def stop_polling(self) -> None:
        """Ends the polls; tasks under way go on."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops.clear()

    async def drain(self, timeout: float) -> bool:
        """Waits for tasks under way, at most `timeout` seconds; whether all are done."""
        if self._working:
            await asyncio.wait(list(self._working), timeout=timeout)
        return not self._working

    async def kill(self) -> None:
        """Cancels tasks under way."""
        for task in list(self._working):
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def reserve(self) -> bool:
        """A slot for a task that did not come by a poll, for `run_reserved` or `release`; False where there is none at once."""
        if not self._loops or self._slots.locked():
            return False
        return await self._slots.acquire()

    def release(self) -> None:
        """Gives a reserved slot back."""
        self._slots.release()

    def run_reserved(self, task: Task) -> None:
        """Runs a task in a reserved slot."""
        self._start(task)

    async def _poll_on(self) -> None:
        failures = 0
        while True:
            await self._slots.acquire()
            try:
                task = await self._poll()
            except RpcError as error:
                self._slots.release()
                if isinstance(error, DeadlineExceededError):
                    await asyncio.sleep(self._backoff.delay(0))
                    continue
                if not self._failing:
                    self._failing = True
                    logger.warning("polling for %s tasks failed, trying on: %s", self._name, error)
                await asyncio.sleep(self._backoff.delay(failures))
                failures += 1
                continue
            except BaseException:
                self._slots.release()
                raise
            failures = 0
            if self._failing:
                self._failing = False
                logger.info("polling for %s tasks works again", self._name)
            if task is None:
                self._slots.release()
                continue
            self._start(task)

    def _start(self, task: Task) -> None:
        work = asyncio.get_running_loop().create_task(self._run(task))
        self._working.add(work)
        work.add_done_callback(self._done)

    def _done(self, work: asyncio.Task[None]) -> None:
        self._working.discard(work)
        self._slots.release()
        if not work.cancelled() and work.exception() is not None:
            logger.error("a %s task broke the worker's own code", self._name, exc_info=work.exception())
