"""Makes the session, and the store, that the settings ask for."""

from __future__ import annotations

import importlib.util

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.cassandra import schema
from tenuto_server.persistence.cassandra.base_session import BaseSession
from tenuto_server.persistence.cassandra.log import LogForm
from tenuto_server.persistence.cassandra.settings import CassandraSettings
from tenuto_server.persistence.cassandra.store import CassandraStore


def new_session(settings: CassandraSettings) -> BaseSession:
    """A session that is not open yet. Raises ValueError where the driver is not installed."""
    driver = settings.driver
    if driver == "auto":
        driver = "acsylla" if importlib.util.find_spec("acsylla") is not None else "cassandra-driver"
    module, extra = ("acsylla", "acsylla") if driver == "acsylla" else ("cassandra", "cassandra")
    if importlib.util.find_spec(module) is None:
        raise ValueError(f"{driver} is not installed: pip install 'tenuto-server[{extra}]'")
    if driver == "acsylla":
        from tenuto_server.persistence.cassandra.acsylla_session import AcsyllaSession

        return AcsyllaSession(settings)
    from tenuto_server.persistence.cassandra.driver_session import DriverSession

    return DriverSession(settings)


def new_store(settings: CassandraSettings, runtime: Runtime) -> CassandraStore:
    """A store that is not open yet. Opening it makes the tables only if the settings say so; else they must be there. Raises
    ValueError where the driver is not installed."""
    session = new_session(settings)

    async def prepare() -> None:
        if settings.create:
            await schema.create(session, settings, runtime)
        else:
            await schema.check(session, settings)

    return CassandraStore(session, runtime, LogForm(settings.append), prepare)
