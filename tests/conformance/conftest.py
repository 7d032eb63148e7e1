"""The stores that the suite runs over, and what its tests share.

A store is added by a factory in `FACTORIES`: given an empty folder, a store that is not open yet. A test that takes
`store` is a coroutine; it runs in an event loop of its own with that store open.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.factory import open_store
from tenuto_server.persistence.interface import Store

StoreFactory = Callable[[Path], Store]

FACTORIES: dict[str, StoreFactory] = {
    "memory": lambda _: open_store("memory://", Runtime()),
    "sqlite-memory": lambda _: open_store("sqlite://:memory:", Runtime()),
    "sqlite-file": lambda folder: open_store(f"sqlite:///{folder}/store.db", Runtime()),
}


@pytest.fixture(params=sorted(FACTORIES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind; `pytest_pyfunc_call` opens and closes it."""
    return FACTORIES[request.param](tmp_path)


@pytest.fixture(params=sorted(FACTORIES), scope="session")
def new_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Store]:
    """Makes as many empty stores of each kind as a test wants, not opened."""
    factory = FACTORIES[request.param]
    return lambda: factory(tmp_path_factory.mktemp("store"))


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
