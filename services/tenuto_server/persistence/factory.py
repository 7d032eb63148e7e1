"""Which store a URL names. The only module that imports a concrete store, and only the one that is asked for.

memory://                               in this process, gone with it
sqlite://:memory:                       the same, in SQLite
sqlite:///relative/path.db              a file; with four slashes an absolute path
sqlite:///path.db?synchronous=NORMAL    commits that a loss of power may undo (the default is FULL)
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.interface import Store


def open_store(url: str, runtime: Runtime) -> Store:
    """The store that `url` names, not yet opened. Raises ValueError for a URL that names none."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"{url!r} is not the URL of a store: it has no scheme; known are memory:// and sqlite://")
    location, _, query = rest.partition("?")
    options = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    if scheme == "memory":
        return _memory(url, location, options, runtime)
    if scheme == "sqlite":
        return _sqlite(url, location, options, runtime)
    raise ValueError(f"no store is named by {url!r}: known are memory:// and sqlite://")


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
