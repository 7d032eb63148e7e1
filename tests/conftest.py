"""What holds for every test: property tests draw the same examples each time, a slow machine fails none of them, a real
Cassandra is there for who asks, and no run hangs for ever."""

from __future__ import annotations

import faulthandler
import os
import sys

import pytest
from hypothesis import HealthCheck, settings

from tests.cassandra.fixture import cassandra, end

# What pytest finds here holds for all tests.
__all__ = ["cassandra", "pytest_unconfigure"]

# The interpreter's end, when all tests are over: what a test left open is collected then. One of several processes also waits
# here for the others, with their last tests.
END_S = float(os.environ.get("TENUTO_TESTS_END_S", "900"))

settings.register_profile(
    "tenuto",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tenuto")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Ends the run's Cassandra, and then the run: pytest bounds each test (`faulthandler_timeout`), not what comes after the
    last."""
    end()
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback_later(END_S, exit=True, file=sys.__stderr__)
