"""What holds for every test: property tests draw the same examples each time, a slow machine fails none of them, and
a real Cassandra is there for who asks."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.cassandra.fixture import cassandra, pytest_unconfigure

# What pytest finds here holds for all tests.
__all__ = ["cassandra", "pytest_unconfigure"]

settings.register_profile(
    "tenuto",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tenuto")
