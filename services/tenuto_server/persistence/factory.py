"""Which store a URL names. The only module that imports a concrete store, and only the one that is asked for.

memory://                               in this process, gone with it
sqlite://:memory:                       the same, in SQLite
sqlite:///relative/path.db              a file; with four slashes an absolute path
sqlite:///path.db?synchronous=NORMAL    commits that a loss of power may undo (the default is FULL)
cassandra://host1,host2:9042/keyspace?consistency=LOCAL_QUORUM&...
                                        a cluster of Apache Cassandra; all options are in docs/OPERATIONS.md
"""

from __future__ import annotations

from typing import Final, Protocol
from urllib.parse import parse_qs, unquote

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.interface import Store

_KNOWN: Final = "memory://, sqlite:// and cassandra://"


class SchemaTool(Protocol):
    """Makes and upgrades the tables of a store that does not do so by itself. All may raise StoreUnavailable and
    StoreVersionError."""

    @property
    def keyspace(self) -> str:
        """Where the tables are."""

    @property
    def newest(self) -> int:
        """The version that this program works with."""

    async def version(self) -> int:
        """The version that is there, 0 for none."""

    async def create(self) -> int:
        """Makes everything; returns the version that was there before."""

    async def upgrade(self) -> int:
        """Brings what is there up to date; returns the version that was there before."""


def open_store(url: str, runtime: Runtime) -> Store:
    """The store that `url` names, not yet opened. Raises ValueError for a URL that names none."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"{url!r} is not the URL of a store: it has no scheme; known are {_KNOWN}")
    location, _, query = rest.partition("?")
    options = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    if scheme == "memory":
        return _memory(url, location, options, runtime)
    if scheme == "sqlite":
        return _sqlite(url, location, options, runtime)
    if scheme == "cassandra":
        return _cassandra(location, query, runtime)
    raise ValueError(f"no store is named by {url!r}: known are {_KNOWN}")


def schema_tool(url: str, runtime: Runtime) -> SchemaTool:
    """The tool for the tables of the store that `url` names. Raises ValueError for a URL of another kind of store."""
    location, _, rest = url.removeprefix("cassandra://").partition("?")
    if not url.startswith("cassandra://"):
        raise ValueError(f"{url!r}: only the tables of cassandra:// are made by a command, other stores make theirs themselves")
    from tenuto_server.persistence.cassandra.administration import SchemaTool as CassandraSchemaTool
    from tenuto_server.persistence.cassandra.settings import parse

    return CassandraSchemaTool(parse(location, rest), runtime)


def _memory(url: str, location: str, options: dict[str, str], runtime: Runtime) -> Store:
    from tenuto_server.persistence.memory import MemoryStore

    if location or options:
        raise ValueError(f"{url!r}: memory:// takes nothing more")
    return MemoryStore(runtime)


def _sqlite(url: str, location: str, options: dict[str, str], runtime: Runtime) -> Store:
    from tenuto_server.persistence.sqlite import SqliteStore

    synchronous = options.pop("synchronous", "FULL").upper()
    if options:
        raise ValueError(f"{url!r}: sqlite:// knows no option {', '.join(sorted(options))}")
    path = unquote(location) if location == ":memory:" else unquote(location.removeprefix("/"))
    if not path or (location != ":memory:" and not location.startswith("/")):
        raise ValueError(f"{url!r} names no file: sqlite:///relative.db, sqlite:////absolute.db or sqlite://:memory:")
    if synchronous == "FULL":
        return SqliteStore(path, "FULL", runtime)
    if synchronous == "NORMAL":
        return SqliteStore(path, "NORMAL", runtime)
    raise ValueError(f"{url!r}: synchronous is FULL or NORMAL")


def _cassandra(location: str, query: str, runtime: Runtime) -> Store:
    from tenuto_server.persistence.cassandra.connect import new_store
    from tenuto_server.persistence.cassandra.settings import parse

    return new_store(parse(location, query), runtime)
