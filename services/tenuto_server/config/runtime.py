"""What a service takes from the world beside store and network: the clock, randomness and ids.

Everything that reads time or chance does it through a `Runtime`, so that the simulation can put its own in place.
Waiting is asyncio's (`asyncio.sleep`, loop timers): the simulation runs on an event loop whose time is virtual.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
_VARIANTS = "89ab"
_POOL_BYTES = 2048


class PooledRandom(random.SystemRandom):
    """The operating system's randomness, fetched in larger pieces: each fetch is a system call. For one thread."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = b""
        self._used = 0
        _pools.add(self)

    def getrandbits(self, k: int) -> int:
        """A number of `k` bits."""
        if k <= 0:
            return super().getrandbits(k)
        size = (k + 7) // 8
        if size > _POOL_BYTES:
            return super().getrandbits(k)
        at = self._used
        if at + size > len(self._pool):
            self._pool, at = os.urandom(_POOL_BYTES), 0
        self._used = at + size
        return int.from_bytes(self._pool[at : at + size], "big") >> (size * 8 - k)

    def forget(self) -> None:
        """Drops what was fetched and is not used yet."""
        self._pool = b""


_pools: weakref.WeakSet[PooledRandom] = weakref.WeakSet()


def _forget_pools() -> None:
    for pool in list(_pools):
        pool.forget()


# A forked child would draw what its parent draws.
os.register_at_fork(after_in_child=_forget_pools)


@dataclass(slots=True)
class Runtime:
    """`now()` is the wall clock in nanoseconds since the epoch; it may jump. `random` is this process's own. `cpu_s()` is the
    CPU time that the calling thread has used, in seconds: how busy the event loop is. `stopwatch()` is a fine clock in seconds
    for durations that are only shown (uvloop's own time has milliseconds): nothing may be decided by it."""

    now: Callable[[], int] = time.time_ns
    random: random.Random = field(default_factory=PooledRandom)
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
