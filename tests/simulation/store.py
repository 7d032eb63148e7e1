"""One process's way to the shared store: traced, fenced off when the process dies, and with its calls under way going
on.

A call that has left a process is carried out whether or not the process lives to see the answer, so each runs in a task
that belongs to the store; what a dead process would still send is a problem of the run.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from tenuto_server.persistence.interface import Store, StoreUnavailable

from .loop import PROCESS, SimLoop
from .trace import Trace

TRACED = ("append", "seal", "create_log", "delete_log", "trim_log", "compare_and_set", "write", "announce", "withdraw")


class ProcessStore:
    """A `Store` that stands between one process and the cluster's. `alive` False: the process has died. `refuses`: the
    methods that do not reach the store for now, or "all". `goes_on`: calls are carried out whatever becomes of the process; else
    the store sees to that itself."""

    def __init__(
        self, store: Store, process: str, loop: SimLoop, trace: Trace, problems: list[str], *, goes_on: bool = True
    ) -> None:
        self._store = store
        self._process = process
        self._loop = loop
        self._trace = trace
        self._problems = problems
        self._goes_on = goes_on
        self._context = contextvars.copy_context()
        self._context.run(PROCESS.set, "store")
        self.alive = True
        self.refuses: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("_"):
            raise AttributeError(name)
        bound = functools.partial(self._call, name)
        self.__dict__[name] = bound
        return bound

    async def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        if not self.alive:
            self._problems.append(f"{self._process} called store.{name} after its death")
            raise StoreUnavailable("this process is dead")
        if self.refuses and (name in self.refuses or "all" in self.refuses):
            self._trace.note(f"store {self._process} {name} cut off")
            await asyncio.sleep(0.5)
            raise StoreUnavailable("this process is cut off from the store")
        if name in TRACED:
            self._trace.note(f"store {self._process} {name} {_first_words(arguments)}")
        if not self._goes_on:
            try:
                return await getattr(self._store, name)(*arguments, **named)
            except StoreUnavailable:
                self._trace.note(f"store {self._process} {name} failed")
                raise
        task = self._loop.create_task(getattr(self._store, name)(*arguments, **named), context=self._context)
        try:
            return await asyncio.shield(task)
        except StoreUnavailable:
            self._trace.note(f"store {self._process} {name} failed")
            raise
        finally:
            if not task.done():
                # Its outcome is nobody's any more; without this asyncio would complain of an exception that no one took.
                task.add_done_callback(_forget)


def _forget(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()


def _first_words(arguments: tuple[Any, ...]) -> str:
    return " ".join(str(argument) if isinstance(argument, str | int) else type(argument).__name__ for argument in arguments[:2])
