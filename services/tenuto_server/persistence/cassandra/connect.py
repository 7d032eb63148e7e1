"""Makes the session that the settings ask for."""

from __future__ import annotations

import importlib.util

from tenuto_server.persistence.cassandra.base_session import BaseSession
from tenuto_server.persistence.cassandra.settings import CassandraSettings


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
