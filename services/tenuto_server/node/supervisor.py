"""Several processes of one service on one machine: starts them, starts those anew that die, and passes on the word to stop.

A process that dies is started again after a wait that doubles while it dies young; one that dies young too often cannot be helped
by that, and then all are stopped and the supervisor fails, so that whoever watches it knows.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

logger = logging.getLogger(__name__)

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class ChildrenFail(Exception):
    """A process died again and again; the text says which."""


@dataclass(frozen=True, slots=True)
class SupervisorSettings:
    """Times in seconds. A process that lived shorter than `young` died young; after `young_deaths_max` of these in a row all end.
    first, longest: the wait before it is started again. grace: how long processes may take to stop before they are killed."""

    young: float = 10.0
    young_deaths_max: int = 5
    first: float = 0.5
    longest: float = 10.0
    grace: float = 60.0


class Supervisor:
    """Keeps `commands` running, each with its own `environments` on top of this process's."""

    def __init__(
        self, command: Sequence[str], environments: Sequence[Mapping[str, str]], settings: SupervisorSettings | None = None
    ) -> None:
        self._command = command
        self._environments = environments
        self._settings = settings or SupervisorSettings()
        self._children: dict[int, asyncio.subprocess.Process] = {}
        self._stop = asyncio.Event()

    @property
    def pids(self) -> dict[int, int]:
        """The processes' ids by number (from 0), of those that run."""
        return {index: child.pid for index, child in self._children.items()}

    def stop(self) -> None:
        """Tells all to stop; `run` returns when they have."""
        self._stop.set()

    async def run(self) -> None:
        """Until `stop` is called, SIGTERM or SIGINT comes, or (ChildrenFail) a process cannot be kept alive."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._stop.set)
        keepers = [loop.create_task(self._keep(index)) for index in range(len(self._environments))]
        stopped = loop.create_task(self._stop.wait())
        try:
            await asyncio.wait([*keepers, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stop.set()
            stopped.cancel()
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
            await self._end_all()
            outcomes = await asyncio.gather(*keepers, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _keep(self, index: int) -> None:
        settings, loop = self._settings, asyncio.get_running_loop()
        deaths, wait = 0, settings.first
        while not self._stop.is_set():
            began = loop.time()
            child = await asyncio.create_subprocess_exec(
                *self._command, env={**os.environ, **self._environments[index]}, stdin=asyncio.subprocess.DEVNULL
            )
            self._children[index] = child
            # The word to stop may have come while it was being made.
            if self._stop.is_set():
                _tell(child, signal.SIGTERM)
            code = await child.wait()
            del self._children[index]
            if self._stop.is_set():
                return
            young = loop.time() - began < settings.young
            deaths, wait = (deaths + 1, min(wait * 2, settings.longest)) if young else (1, settings.first)
            logger.error("process %d (pid %d) has ended with %d", index, child.pid, code)
            if young and deaths >= settings.young_deaths_max:
                raise ChildrenFail(f"process {index} has died {deaths} times in a row, the last time with exit code {code}")
            try:
                async with asyncio.timeout(wait):
                    await self._stop.wait()
            except TimeoutError:
                continue

    async def _end_all(self) -> None:
        children = list(self._children.values())
        for child in children:
            _tell(child, signal.SIGTERM)
        waits = [asyncio.ensure_future(child.wait()) for child in children]
        if not waits:
            return
        _, late = await asyncio.wait(waits, timeout=self._settings.grace)
        if late:
            logger.error("%d processes did not stop in %g s and are killed", len(late), self._settings.grace)
            for child in children:
                _tell(child, signal.SIGKILL)
            await asyncio.wait(late)


def _tell(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if child.returncode is None:
        try:
            child.send_signal(number)
        except ProcessLookupError:
            return


def own_command(*arguments: str) -> list[str]:
    """The command that runs this program with other arguments."""
    return [sys.executable, "-m", "tenuto_server", *arguments]
