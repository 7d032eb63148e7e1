"""How long to wait before trying again: exponential, capped, with full jitter so that clients do not march in step."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds: uniformly from half of initial * 2**attempt up to all of it, never above `maximum`."""

    initial: float = 0.05
    maximum: float = 5.0

    def delay(self, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """The delay before try `attempt + 1`, where `attempt` counts failures from 0."""
        whole: float = min(self.maximum, self.initial * 2 ** min(attempt, 30))
        return whole * (0.5 + 0.5 * chance())
