"""The store on Apache Cassandra: `session` is the seam to a driver, everything else stands on it."""

from tenuto_server.persistence.cassandra.session import Bound, Mode, Page, Session, Statement

__all__ = ["Bound", "Mode", "Page", "Session", "Statement"]
