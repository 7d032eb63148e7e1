"""The pytest fixture `cassandra`: one real Cassandra for all processes of a run of the tests, started when first asked for."""

from __future__ import annotations

import os

import pytest

from tests.cassandra import keeper
from tests.cassandra.provision import Cassandra, shared, stop_shared


def run_owner() -> str:
    """The first process of this run of pytest: the parent, in a worker of pytest-xdist."""
    return keeper.identity(os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid())


@pytest.fixture(scope="session")
def cassandra() -> Cassandra:
    """Contact points of a real Cassandra 5. All tests of a run share it: take a keyspace of your own, with a name that no other
    test has, and drop it."""
    return shared(run_owner())


def end() -> None:
    """Ends the run's Cassandra with the run."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        stop_shared(run_owner())
