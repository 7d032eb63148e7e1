"""What a store must be: a log that can be sealed, rows where the newest timestamp wins, rows changed by
compare-and-set, resting timers, a visibility index, and membership. Everything above knows only this.

All methods are coroutines and none blocks the event loop. Every method may raise `StoreUnavailable`: for reads and
`write` nothing is known to have happened and the call may be made again as it is (both are idempotent); for `append`
and `compare_and_set` the outcome is unknown, and their texts say how to go on. All other methods are idempotent too. A
caller that is cancelled while it waits knows no more than after `StoreUnavailable`.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

# Part of what a store is asked for, so it can be had from here.
from tenuto_server.visibility.records import VisibilityRecord as VisibilityRecord  # noqa: PLC0414
from tenuto_server.visibility.tree import Query


class StoreUnavailable(Exception):
    """The store did not answer in time or could not be reached."""


class TooCostly(Exception):
    """A query of the visibility index would read more than a store does for one call; a narrower one may be answered."""

    def __init__(self) -> None:
        super().__init__("the query looks at too many workflows: narrow it by workflow id, type or time")


class StoreVersionError(Exception):
    """What is stored was written by a newer version of this program, or by something else. Nothing was changed."""


class Sealed(Exception):
    """The log was sealed: its writer owns nothing any more. This append was not acknowledged; whether it is in the log
    is for whoever sealed it to say, and its writer must not act as if it were or as if it were not."""


class LogRow(NamedTuple):
    """One append: sequence numbers of a log run from 1 without gaps."""

    seq: int
    body: bytes


class Table(enum.Enum):
    """The kinds of newest-timestamp-wins rows."""

    RUNS = "runs"
    HISTORY = "history"
    TASKS = "tasks"


class Row(NamedTuple):
    """A row to write: `value` None deletes. `stamp` decides between two writes of the same row: the higher one stays,
    in whatever order they arrive; a delete wins over a value of the same stamp. Two different values of one stamp are
    the writer's mistake. Keys sort as bytes within a partition."""

    table: Table
    partition: str
    key: bytes
    value: bytes | None
    stamp: int


class HistoryDrop(NamedTuple):
    """Removes a whole partition of `Table.HISTORY`: every row in it with this stamp or a lower one, also one that arrives
    later."""

    partition: str
    stamp: int


class TimerRow(NamedTuple):
    """A resting timer: wakes `key` (opaque) of `shard` at `fire_ns`; these three name the row. `live` False removes it.
    `stamp` as in `Row`."""

    shard: int
    fire_ns: int
    key: bytes
    live: bool
    stamp: int


class VisibilityKey(NamedTuple):
    """Names a run to take out of the visibility index."""

    domain_id: str
    workflow_id: str
    run_id: str
    stamp: int


@dataclass(slots=True)
class VisibilityPage:
    """`next_token` is empty after the last page. A page that is full has one also where nothing follows, as on Cadence: then the
    next one is empty."""

    records: list[VisibilityRecord]
    next_token: bytes = b""


@dataclass(slots=True)
class WriteBatch:
    """Rows that go together. A store may split it: each row is idempotent and the whole is written again if in
    doubt."""

    rows: list[Row] = field(default_factory=list)
    timers: list[TimerRow] = field(default_factory=list)
    visibility: list[VisibilityRecord] = field(default_factory=list)
    visibility_deletes: list[VisibilityKey] = field(default_factory=list)
    history_drops: list[HistoryDrop] = field(default_factory=list)


class Versioned(NamedTuple):
    """A compare-and-set row: `version` goes up by one with each change, from 1."""

    key: str
    value: bytes
    version: int


class Member(NamedTuple):
    """A process in the membership table, named by all three. `role` is "history", "matching", "frontend" or
    "worker-host"; `incarnation` is new with each start, so a process that came back quickly is there twice until its
    former ttl ran out."""

    role: str
    address: str
    incarnation: str


class Store(Protocol):
    """One store, shared by all processes of a cluster."""

    async def open(self) -> None:
        """Connects and creates the schema where the store can do so itself."""

    async def close(self) -> None:
        """Waits for what is under way, then lets go. A closed store may not be used."""

    # --- the log ------------------------------------------------------------------------------------------------------
    async def create_log(self, log_id: str) -> None:
        """Makes an empty, unsealed log. `log_id` is not empty, and must be new for ever; making again a log that is not
        sealed changes nothing, so the call may be repeated after `StoreUnavailable`. Raises `Sealed` if the log was sealed
        meanwhile."""

    async def append(self, log_id: str, seq: int, body: bytes) -> None:
        """Returns only if no one who sealed the log can have missed this row; raises `Sealed` if the log is sealed or
        not there. After `StoreUnavailable` call again with the same seq and body until it returns or raises `Sealed`. A
        second append of a seq that is there with the same body is a success."""

    async def seal(self, log_id: str) -> None:
        """After this returns no append to the log succeeds, and `read_log` shows all that ever did. Idempotent."""

    async def log_sealed(self, log_id: str) -> bool:
        """Whether `seal` has begun on the log, or it is not there: then its writer owns nothing any more. True for ever after a
        `seal` that returned."""

    async def read_log(self, log_id: str, after_seq: int, limit: int) -> list[LogRow]:
        """Rows with seq > after_seq, ascending, without gaps, at most `limit`; those trimmed away are not there. The
        first is the one after `after_seq` or after what was trimmed; the rows end before the first that is missing."""

    async def trim_log(self, log_id: str, through_seq: int) -> None:
        """Rows up to and including `through_seq` are not needed any more. Remembered: see `log_trimmed`."""

    async def log_trimmed(self, log_id: str) -> int:
        """The highest `through_seq` given to `trim_log`, 0 at first."""

    async def delete_log(self, log_id: str) -> None:
        """Removes log, rows and seal. Idempotent. Appending to a deleted log raises `Sealed`."""

    async def list_logs(self) -> list[str]:
        """The ids of all logs that are not deleted, in no order."""

    # --- newest-timestamp-wins rows, timers, visibility ---------------------------------------------------------------
    async def write(self, batch: WriteBatch) -> None:
        """Makes all of the batch durable."""

    async def read(self, table: Table, partition: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values by key, in the order asked, None where there is none."""

    async def scan(
        self, table: Table, partition: str, after: bytes | None, limit: int, until: bytes | None = None
    ) -> list[tuple[bytes, bytes]]:
        """(key, value) ascending by key: keys > after (all where None) and < until (no bound where None)."""

    async def list_partitions(self, table: Table, token: bytes, limit: int) -> tuple[list[str], bytes]:
        """One page of the partitions of RUNS or HISTORY, in an order of the store's own, at most `limit` (1 or more), and the
        token of the next page: empty after the last. `token` is empty for the first page. For whoever looks at everything: a
        partition that comes or goes meanwhile may be missing or there, and one whose rows were all deleted may be there for a
        while; one that is there all the time is on exactly one page."""

    async def scan_timers(self, shard: int, until_ns: int, after: tuple[int, bytes] | None, limit: int) -> list[TimerRow]:
        """Live timers with fire_ns <= until_ns, ascending by (fire_ns, key), those after `after` only."""

    async def list_visibility(self, query: Query, page_size: int, token: bytes) -> VisibilityPage:
        """One page of the runs that a query finds, in its order; shorter than `page_size`, even empty, where records are large or
        few of those looked at are found: only an empty token means the end. May raise TooCostly.
        Raises ValueError for a token that is not one of this query's own. A run that does not change while pages are read
        is on exactly one of them. What finds, orders and follows is `visibility.evaluate`'s meaning; a store that has no
        index for a part of a query (see `visibility.tree.conjuncts`) filters by it."""

    async def list_expired(
        self, domain_id: str, until_ns: int, after: tuple[int, str] | None, limit: int
    ) -> list[VisibilityRecord]:
        """Runs of a domain with 0 < expires_ns <= until_ns, ascending by (expires_ns, run_id), those after `after` only. A run
        that was written or deleted a moment ago may be missing or there still, but not for long."""

    async def count_visibility(self, query: Query) -> int:
        """How many runs a query finds. May raise TooCostly."""

    # --- compare-and-set rows -----------------------------------------------------------------------------------------
    async def get(self, space: str, key: str) -> Versioned | None:
        """The newest state of the row: sees every compare_and_set that returned before, and settles one whose outcome is
        unknown."""

    async def peek(self, space: str, key: str) -> Versioned | None:
        """For those who look again and again: as `get`, at less cost, but a compare_and_set whose outcome is unknown may come to
        light only later."""

    async def compare_and_set(self, space: str, key: str, value: bytes | None, expected_version: int) -> bool:
        """Changes the row if its version is `expected_version` (0: the row is not there); value None deletes it. False
        if it is not. After `StoreUnavailable` read the row to learn what happened."""

    async def list_rows(self, space: str, after: str, limit: int) -> list[Versioned]:
        """Rows of a space ascending by key, keys > after ("" for all)."""

    # --- membership ---------------------------------------------------------------------------------------------------
    async def announce(self, member: Member, ttl_s: float) -> None:
        """Keeps the member in the table for `ttl_s` seconds from now, by the store's clock."""

    async def withdraw(self, member: Member) -> None:
        """Takes the member out at once."""

    async def members(self) -> list[Member]:
        """All members whose time has not run out, in a stable order."""
