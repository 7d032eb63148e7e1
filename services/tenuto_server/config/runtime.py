"""What a service takes from the world beside store and network: the clock, randomness and ids.

Everything that reads time or chance does it through a `Runtime`, so that the simulation can put its own in place.
Waiting is asyncio's (`asyncio.sleep`, loop timers): the simulation runs on an event loop whose time is virtual.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
_VARIANTS = "89ab"


@dataclass(slots=True)
class Runtime:
    """`now()` is the wall clock in nanoseconds since the epoch; it may jump. `random` is this process's own. `cpu_s()` is the
    CPU time that the calling thread has used, in seconds: how busy the event loop is. `stopwatch()` is a fine clock in seconds
    for durations that are only shown (uvloop's own time has milliseconds): nothing may be decided by it."""

    now: Callable[[], int] = time.time_ns
    random: random.Random = field(default_factory=random.SystemRandom)
    cpu_s: Callable[[], float] = time.thread_time
    stopwatch: Callable[[], float] = time.perf_counter

    def monotonic(self) -> float:
        """Seconds that never run back, the clock of deadlines: the running event loop's time."""
        return asyncio.get_running_loop().time()

    def new_id(self) -> str:
        """A random UUID (version 4) as text."""
        digits = f"{self.random.getrandbits(128):032x}"
        # Version 4, variant 1 (RFC 9562); without uuid.UUID, which costs more than all the rest.
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANTS[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"
