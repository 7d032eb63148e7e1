"""A store in one SQLite file, for one machine: no server, nothing to install."""

from tenuto_server.persistence.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
