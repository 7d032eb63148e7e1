"""Membership on Cassandra: rows with a time to live, in one partition that all read."""

from __future__ import annotations

import math
from typing import Final

from tenuto_server.persistence.cassandra.session import Session, Statement
from tenuto_server.persistence.interface import Member

_ANNOUNCE: Final = Statement(
    "members-announce",
    "INSERT INTO members (everyone, role, address, incarnation) VALUES (0, ?, ?, ?) USING TTL ?",
    partition=(),
)
_WITHDRAW: Final = Statement(
    "members-withdraw",
    "DELETE FROM members WHERE everyone = 0 AND role = ? AND address = ? AND incarnation = ?",
    partition=(),
)
_LIST: Final = Statement("members-list", "SELECT role, address, incarnation FROM members WHERE everyone = 0", partition=())


async def announce(session: Session, member: Member, ttl_s: float) -> None:
    """See `Store.announce`. Cassandra counts in whole seconds: a fraction is one more."""
    await session.execute(_ANNOUNCE, (*member, max(1, math.ceil(ttl_s))))


async def withdraw(session: Session, member: Member) -> None:
    """See `Store.withdraw`."""
    await session.execute(_WITHDRAW, tuple(member))


async def members(session: Session) -> list[Member]:
    """See `Store.members`. In the order of their names."""
    return [Member(*row) for row in await session.execute(_LIST)]
