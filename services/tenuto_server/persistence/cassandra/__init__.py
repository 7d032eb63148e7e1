"""The store on Apache Cassandra: `session` is the seam to a driver, everything else stands on it."""

from tenuto_server.persistence.cassandra.log import CassandraLogs, LogForm
from tenuto_server.persistence.cassandra.session import Bound, Mode, Page, Session, Statement
from tenuto_server.persistence.cassandra.store import CassandraStore
from tenuto_server.persistence.cassandra.visibility import VisibilityIndex

__all__ = [
    "Bound",
    "CassandraLogs",
    "CassandraStore",
    "LogForm",
    "Mode",
    "Page",
    "Session",
    "Statement",
    "VisibilityIndex",
]
