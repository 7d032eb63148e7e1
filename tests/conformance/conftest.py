"""The stores that the suite runs over, and what its tests share.

A store is added by a factory in `FACTORIES`: given an empty folder, a store that is not open yet. A test that takes
`store` is a coroutine; it runs in an event loop of its own with that store open.

A store on Cassandra is of two halves, the driver and the form of the log. The whole suite runs over what a user gets who asks
for nothing, the tests of rows over the other driver too, those of the log over all combinations (`OTHERS`). The stores of a
combination use one keyspace one after the other: each empties the tables that it wrote to when it is closed.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.cassandra import CassandraStore, LogForm
from tenuto_server.persistence.cassandra.base_session import BaseSession
from tenuto_server.persistence.cassandra.connect import new_session
from tenuto_server.persistence.factory import open_store
from tenuto_server.persistence.interface import Store
from tests.cassandra import keyspaces
from tests.cassandra.provision import Cassandra

StoreFactory = Callable[[Path], Store]

CASSANDRA = "cassandra"
# What else is asked for in the URL, and the modules that are run with it.
OTHERS = {
    "cassandra-acsylla-checked": ("driver=acsylla&append=checked", ("test_log",)),
    "cassandra-driver-lwt": ("driver=cassandra-driver&append=lwt", ("test_log", "test_cas", "test_rows")),
    "cassandra-driver-checked": ("driver=cassandra-driver&append=checked", ("test_log",)),
}
# A store on Cassandra takes a second to make and to empty.
EXAMPLES_ON_CASSANDRA = 6

FACTORIES: dict[str, StoreFactory] = {
    "memory": lambda _: open_store("memory://", Runtime()),
    "sqlite-memory": lambda _: open_store("sqlite://:memory:", Runtime()),
    "sqlite-file": lambda folder: open_store(f"sqlite:///{folder}/store.db", Runtime()),
}


class EmptiedStore(CassandraStore):
    """A store on Cassandra that leaves its tables as it found them."""

    def __init__(self, session: BaseSession, form: LogForm) -> None:
        super().__init__(session, Runtime(), form)
        self._used = session

    async def close(self) -> None:
        """As the store's, after all that was written has been removed."""
        await keyspaces.empty(self._used)
        await super().close()


def on_cassandra(cassandra: Cassandra, name: str) -> Store:
    """An empty store; one at a time may be open of a name."""
    query, _ = OTHERS.get(name, ("", ()))
    settings = keyspaces.settings_of(cassandra, keyspaces.shared(cassandra, name.replace("-", "_")), query)
    return EmptiedStore(new_session(settings), LogForm(settings.append))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every store for every test, the other combinations of Cassandra for some."""
    for fixture in ("store", "new_store"):
        if fixture in metafunc.fixturenames:
            module = metafunc.module.__name__.rpartition(".")[2]
            others = [name for name, (_, modules) in OTHERS.items() if module in modules and fixture == "store"]
            kinds = [*sorted(FACTORIES), *(pytest.param(name, marks=_marks(name)) for name in (CASSANDRA, *others))]
            metafunc.parametrize(fixture, kinds, indirect=True)


def _marks(name: str) -> list[pytest.MarkDecorator]:
    # Of one group: each process that runs some would have to make a keyspace.
    return [pytest.mark.cassandra, pytest.mark.xdist_group(name)]


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind; `pytest_pyfunc_call` opens and closes it."""
    if request.param in FACTORIES:
        return FACTORIES[request.param](tmp_path)
    return on_cassandra(request.getfixturevalue("cassandra"), request.param)


class NewStore:
    """Makes as many empty stores of a kind as a test wants, not opened."""

    def __init__(self, make: Callable[[], Store], examples_max: int) -> None:
        self._make = make
        self._examples_max = examples_max
        self._examples: Counter[str] = Counter()

    def __call__(self) -> Store:
        """One more."""
        return self._make()

    def enough(self, test: str) -> bool:
        """Whether a property test has tried as many examples as such a store is worth: to be asked at the start of each."""
        self._examples[test] += 1
        return self._examples[test] > self._examples_max


@pytest.fixture(scope="session")
def new_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewStore:
    """Empty stores of each kind."""
    if request.param in FACTORIES:
        factory = FACTORIES[request.param]
        return NewStore(lambda: factory(tmp_path_factory.mktemp("store")), 1_000_000)
    cassandra = request.getfixturevalue("cassandra")
    # Makes the keyspace now: stores are made within event loops.
    on_cassandra(cassandra, request.param)
    return NewStore(lambda: on_cassandra(cassandra, request.param), EXAMPLES_ON_CASSANDRA)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine, with its store open."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}

    async def run() -> None:
        opened: Store = arguments["store"]
        await opened.open()
        try:
            async with asyncio.timeout(60):
                await pyfuncitem.obj(**arguments)
        finally:
            await opened.close()

    asyncio.run(run())
    return True
