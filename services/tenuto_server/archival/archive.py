"""What an archive holds of a run, and how it is read.

    history/DOMAIN/RUN/0000000001      events from that id on, as bytes of a History message, a page of them
    history/DOMAIN/RUN/head            written last: whose history it is and where its pages begin
    visibility/DOMAIN/DAY/TIME_RUN     the record that lists showed, by the day and time of the close

Writing is idempotent: what was written before is written again, the same. Parts of names are escaped (`places.name_of`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from tenuto_api import api
from tenuto_server.archival.places import Place, name_of
from tenuto_server.persistence.rows import decode_visibility, encode_visibility, pack, unpack
from tenuto_server.visibility import evaluate
from tenuto_server.visibility.records import VisibilityRecord
from tenuto_server.visibility.tree import Query

VERSION: Final = 1
_SECOND: Final = 1_000_000_000
# Records that one page of a list looks at, at most: then it ends early, with a token.
SEARCHED_MAX: Final = 2000


class Head(msgspec.Struct, array_like=True):
    """`firsts`: the first event id of each page. `end`: the id after the last event."""

    workflow_id: str
    firsts: list[int]
    end: int


class HistoryPage(NamedTuple):
    """`next_id` is 0 after the last page."""

    events: list[api.HistoryEvent]
    next_id: int


async def write_history(
    place: Place, record: VisibilityRecord, pages: AsyncIterator[tuple[int, bytes, int]]
) -> None:
    """Archives a history: `pages` are (first event id, bytes of a History message, number of events), in order."""
    head = Head(record.workflow_id, [], 1)
    async for first, data, count in pages:
        await place.put(_history(record.domain_id, record.run_id, f"{first:010}"), pack(VERSION, data))
        head.firsts.append(first)
        head.end = first + count
    await place.put(_history(record.domain_id, record.run_id, "head"), pack(VERSION, msgspec.msgpack.encode(head)))


async def read_history(
    place: Place, domain_id: str, workflow_id: str, run_id: str, first: int, limit: int
) -> HistoryPage | None:
    """At most `limit` events from id `first` on (0: the last one), None where there is no such history. Raises ValueError for
    an id out of range."""
    value = await place.get(_history(domain_id, run_id, "head"))
    if value is None:
        return None
    _, data = unpack(value, "head of an archived history", VERSION)
    head = msgspec.msgpack.decode(data, type=Head)
    if head.workflow_id != workflow_id:
        return None
    first = first or head.end - 1
    if not 1 <= first < head.end:
        raise ValueError("no such event")
    begins = max(begin for begin in head.firsts if begin <= first)
    stored = await place.get(_history(domain_id, run_id, f"{begins:010}"))
    if stored is None:
        return None
    _, data = unpack(stored, "page of an archived history", VERSION)
    events = list(api.History.FromString(bytes(data)).events)[first - begins :][:limit]
    after = first + len(events)
    return HistoryPage(events, after if after < head.end else 0)


def _history(domain_id: str, run_id: str, part: str) -> str:
    return name_of(("history", domain_id, run_id, part))


async def write_record(place: Place, record: VisibilityRecord) -> None:
    """Archives a closed run's visibility record."""
    name = name_of(("visibility", record.domain_id, _day(record.close_ns), f"{record.close_ns:020}_{record.run_id}"))
    await place.put(name, encode_visibility(record))


def _day(ns: int) -> str:
    return datetime.fromtimestamp(ns // _SECOND, UTC).strftime("%Y-%m-%d")


async def list_records(place: Place, query: Query, limit: int, token: bytes) -> tuple[list[VisibilityRecord], bytes]:
    """A page of the runs that a query finds, those that closed last first whatever order it asks for, and the next page's token.
    Raises ValueError for a token that is none."""
    before = _place_of(token)
    root = name_of(("visibility", query.domain_id))
    found: list[VisibilityRecord] = []
    searched = 0
    for day in reversed(await place.names(root)):
        if before and day > before[0]:
            continue
        for name in reversed(await place.names(f"{root}/{day}")):
            if before and (day, name) >= before:
                continue
            value = await place.get(f"{root}/{day}/{name}")
            searched += 1
            if value is not None:
                record = decode_visibility(value)
                if evaluate.matches(query, record):
                    found.append(record)
            if len(found) >= limit or searched >= SEARCHED_MAX:
                return found, f"{day}/{name}".encode()
    return found, b""


def _place_of(token: bytes) -> tuple[str, str] | None:
    if not token:
        return None
    day, separator, name = token.decode().partition("/")
    if not separator or not name:
        raise ValueError("not a page token of this list")
    return day, name
