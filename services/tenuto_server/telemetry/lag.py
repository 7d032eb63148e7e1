"""How late the event loop is: a timer notes now and then how long after its time it ran.

All that a process does waits that long too, so this is the first number to look at when a process is slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from tenuto_server.telemetry.measures import Family, Histogram, histogram

INTERVAL_S: Final = 0.2


class LoopLag:
    """Measures the running event loop between `start` and `stop`."""

    def __init__(self) -> None:
        self._late = Histogram()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins to measure the running loop."""
        self._plan(asyncio.get_running_loop())

    def stop(self) -> None:
        """Measures no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def measures(self) -> Iterator[Family]:
        """What was seen so far."""
        yield histogram("tenuto_event_loop_lag_seconds", "How late the event loop runs its timers.", self._late)

    def _plan(self, loop: asyncio.AbstractEventLoop) -> None:
        at = loop.time() + INTERVAL_S
        self._timer = loop.call_at(at, self._ring, loop, at)

    def _ring(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        self._late.observe(max(0.0, loop.time() - at))
        self._plan(loop)
