"""Runs a test's coroutine on the virtual-time loop, and sees to it that nothing went wrong unnoticed."""

from __future__ import annotations

import random
from collections.abc import Coroutine
from typing import Any

from tenuto_server.config.runtime import Runtime
from tests.simulation.loop import new_loop


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Time jumps where nothing is ready. Fails for exceptions that nobody took."""
    loop = new_loop("history")
    try:
        loop.run_until_complete(coroutine)
    finally:
        loop.close()
    assert not loop.problems


def runtime() -> Runtime:
    """A clock that stands still and a seeded chance."""
    return Runtime(now=lambda: 0, random=random.Random("history"))
