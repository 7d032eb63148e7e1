"""A store in memory with exactly the semantics of the interface, for tests and the deterministic simulation.

Nothing here waits, reads a real clock or draws chance: a call is done when it returns, and calls happen in the order
they are made. Several simulated processes share one `MemoryStore` as real ones share a cluster's store, so `open` and
`close` leave the contents alone. What is deleted leaves its stamp behind, for a late write with a lower stamp must
lose. Values are copied in and out where they could be changed by whoever holds them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import InvariantViolation
from tenuto_server.persistence.interface import (
    HistoryDrop,
    LogRow,
    Member,
    Row,
    Sealed,
    Table,
    TimerRow,
    Versioned,
    VisibilityKey,
    VisibilityPage,
    VisibilityRecord,
    WriteBatch,
)
from tenuto_server.persistence.rows import decode_visibility, encode_visibility
from tenuto_server.visibility import evaluate, paging
from tenuto_server.visibility.tree import Query


@dataclass(slots=True)
class _Log:
    rows: dict[int, bytes] = field(default_factory=dict)
    sealed: bool = False
    trimmed: int = 0


@dataclass(slots=True)
class _Partition:
    """`cells` keeps the stamps of deleted rows; `keys` are those with a value, sorted. `dropped` is the stamp up to which the
    whole partition is removed."""

    cells: dict[bytes, tuple[int, bytes | None]] = field(default_factory=dict)
    keys: list[bytes] = field(default_factory=list)
    dropped: int | None = None


@dataclass(slots=True)
class _Timers:
    """As `_Partition`: `cells` by (fire_ns, key) with the stamp and whether it lives; `order` are the living,
    sorted."""

    cells: dict[tuple[int, bytes], tuple[int, bool]] = field(default_factory=dict)
    order: list[tuple[int, bytes]] = field(default_factory=list)


def _loses(held: tuple[int, object] | None, held_is_deleted: bool, stamp: int, deletes: bool) -> bool:
    """Whether a write with `stamp` is older than what is held; of one stamp a delete wins."""
    if held is None or stamp > held[0]:
        return False
    return stamp < held[0] or held_is_deleted or not deletes


class MemoryStore:
    """A `Store` in memory. Membership expires by the event loop's time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._logs: dict[str, _Log] = {}
        self._partitions: dict[tuple[Table, str], _Partition] = {}
        self._timers: dict[int, _Timers] = {}
        # By domain and run id: the stamp and the encoded record (None: deleted).
        self._visibility: dict[str, dict[str, tuple[int, bytes | None]]] = {}
        self._spaces: dict[str, dict[str, Versioned]] = {}
        self._members: dict[Member, float] = {}

    async def open(self) -> None:
        """Nothing to do: the store is there as long as the object."""

    async def close(self) -> None:
        """Nothing to do: other simulated processes may go on with the store."""

    # --- the log ------------------------------------------------------------------------------------------------------
    async def create_log(self, log_id: str) -> None:
        """See `Store.create_log`."""
        if self._logs.setdefault(log_id, _Log()).sealed:
            raise Sealed(log_id)

    async def append(self, log_id: str, seq: int, body: bytes) -> None:
        """See `Store.append`."""
        log = self._logs.get(log_id)
        if log is None or log.sealed:
            raise Sealed(log_id)
        if seq <= log.trimmed:
            return
        body = bytes(body)
        if log.rows.setdefault(seq, body) != body:
            raise InvariantViolation(f"log {log_id} has another row {seq}")

    def surface(self, log_id: str, seq: int, body: bytes) -> None:
        """For simulations: an append that nobody was told of comes up late, whether the log is sealed or not, as a
        replica that was away may bring one. A row that is there stays."""
        log = self._logs.get(log_id)
        if log is not None and seq > log.trimmed:
            log.rows.setdefault(seq, body)

    async def seal(self, log_id: str) -> None:
        """See `Store.seal`."""
        log = self._logs.get(log_id)
        if log is not None:
            log.sealed = True

    async def log_sealed(self, log_id: str) -> bool:
        """See `Store.log_sealed`."""
        log = self._logs.get(log_id)
        return log is None or log.sealed

    async def read_log(self, log_id: str, after_seq: int, limit: int) -> list[LogRow]:
        """See `Store.read_log`."""
        log = self._logs.get(log_id)
        found: list[LogRow] = []
        if log is None:
            return found
        seq = max(after_seq, log.trimmed) + 1
        while len(found) < limit and (body := log.rows.get(seq)) is not None:
            found.append(LogRow(seq, body))
            seq += 1
        return found

    async def trim_log(self, log_id: str, through_seq: int) -> None:
        """See `Store.trim_log`."""
        log = self._logs.get(log_id)
        if log is None or through_seq <= log.trimmed:
            return
        for seq in [seq for seq in log.rows if seq <= through_seq]:
            del log.rows[seq]
        log.trimmed = through_seq

    async def log_trimmed(self, log_id: str) -> int:
        """See `Store.log_trimmed`."""
        log = self._logs.get(log_id)
        return log.trimmed if log is not None else 0

    async def delete_log(self, log_id: str) -> None:
        """See `Store.delete_log`."""
        self._logs.pop(log_id, None)

    async def list_logs(self) -> list[str]:
        """See `Store.list_logs`."""
        return list(self._logs)

    # --- newest-timestamp-wins rows, timers, visibility ---------------------------------------------------------------
    async def write(self, batch: WriteBatch) -> None:
        """See `Store.write`."""
        self.write_now(batch)

    def write_now(self, batch: WriteBatch) -> None:
        """As `write`, where nobody waits for it."""
        for row in batch.rows:
            self._write_row(row)
        for drop in batch.history_drops:
            self._drop_history(drop)
        for timer in batch.timers:
            self._write_timer(timer)
        for record in batch.visibility:
            self._write_visibility(record)
        for name in batch.visibility_deletes:
            self._delete_visibility(name)

    def _write_row(self, row: Row) -> None:
        partition = self._partitions.setdefault((row.table, row.partition), _Partition())
        if partition.dropped is not None and row.stamp <= partition.dropped:
            return
        held = partition.cells.get(row.key)
        was_there = held is not None and held[1] is not None
        if _loses(held, not was_there, row.stamp, row.value is None):
            return
        partition.cells[row.key] = (row.stamp, None if row.value is None else bytes(row.value))
        if row.value is None:
            if was_there:
                del partition.keys[bisect_left(partition.keys, row.key)]
        elif not was_there:
            insort(partition.keys, row.key)

    def _drop_history(self, drop: HistoryDrop) -> None:
        partition = self._partitions.setdefault((Table.HISTORY, drop.partition), _Partition())
        if partition.dropped is not None and drop.stamp <= partition.dropped:
            return
        partition.dropped = drop.stamp
        partition.cells = {key: cell for key, cell in partition.cells.items() if cell[0] > drop.stamp}
        partition.keys = [key for key in partition.keys if key in partition.cells]

    def _write_timer(self, timer: TimerRow) -> None:
        timers = self._timers.setdefault(timer.shard, _Timers())
        name = (timer.fire_ns, timer.key)
        held = timers.cells.get(name)
        was_live = held is not None and held[1]
        if _loses(held, not was_live, timer.stamp, not timer.live):
            return
        timers.cells[name] = (timer.stamp, timer.live)
        if was_live and not timer.live:
            del timers.order[bisect_left(timers.order, name)]
        elif timer.live and not was_live:
            insort(timers.order, name)

    def _write_visibility(self, record: VisibilityRecord) -> None:
        domain = self._visibility.setdefault(record.domain_id, {})
        held = domain.get(record.run_id)
        if not _loses(held, held is not None and held[1] is None, record.stamp, False):
            domain[record.run_id] = (record.stamp, encode_visibility(record))

    def _delete_visibility(self, name: VisibilityKey) -> None:
        domain = self._visibility.setdefault(name.domain_id, {})
        held = domain.get(name.run_id)
        if not _loses(held, held is not None and held[1] is None, name.stamp, True):
            domain[name.run_id] = (name.stamp, None)

    async def read(self, table: Table, partition: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Store.read`."""
        held = self._partitions.get((table, partition))
        if held is None:
            return [None] * len(keys)
        return [held.cells.get(key, (0, None))[1] for key in keys]

    async def scan(
        self, table: Table, partition: str, after: bytes | None, limit: int, until: bytes | None = None
    ) -> list[tuple[bytes, bytes]]:
        """See `Store.scan`."""
        held = self._partitions.get((table, partition))
        if held is None or limit <= 0:
            return []
        first = 0 if after is None else bisect_right(held.keys, after)
        end = len(held.keys) if until is None else bisect_left(held.keys, until)
        found: list[tuple[bytes, bytes]] = []
        for key in held.keys[first : min(end, first + limit)]:
            value = held.cells[key][1]
            assert value is not None
            found.append((key, value))
        return found

    async def list_partitions(self, table: Table, token: bytes, limit: int) -> tuple[list[str], bytes]:
        """See `Store.list_partitions`."""
        after = token.decode()
        held = (name for (kind, name), partition in self._partitions.items() if kind is table and partition.keys)
        names = sorted(name for name in held if not token or name > after)[:limit]
        return names, names[-1].encode() if len(names) == limit else b""

    async def scan_timers(self, shard: int, until_ns: int, after: tuple[int, bytes] | None, limit: int) -> list[TimerRow]:
        """See `Store.scan_timers`."""
        timers = self._timers.get(shard)
        if timers is None or limit <= 0:
            return []
        first = 0 if after is None else bisect_right(timers.order, after)
        end = bisect_right(timers.order, until_ns, key=itemgetter(0))
        return [
            TimerRow(shard, fire_ns, key, True, timers.cells[fire_ns, key][0])
            for fire_ns, key in timers.order[first : min(end, first + limit)]
        ]

    async def list_visibility(self, query: Query, page_size: int, token: bytes) -> VisibilityPage:
        """See `Store.list_visibility`."""
        position = paging.decode_token(query, token)
        page = VisibilityPage([])
        if page_size <= 0:
            return page
        size = 0
        for value, record in evaluate.in_order(self._found(query), query.order):
            if position is not None and not evaluate.is_after(value, record.run_id, position, query.order):
                continue
            page.records.append(record)
            size += len(encode_visibility(record))
            if len(page.records) >= page_size or size >= paging.PAGE_BYTES_MAX:
                page.next_token = paging.encode_token(query, value, record.run_id)
                break
        return page

    async def list_expired(
        self, domain_id: str, until_ns: int, after: tuple[int, str] | None, limit: int
    ) -> list[VisibilityRecord]:
        """See `Store.list_expired`."""
        held = self._visibility.get(domain_id, {})
        records = [decode_visibility(value) for _, value in held.values() if value is not None]
        due = {(one.expires_ns, one.run_id): one for one in records if 0 < one.expires_ns <= until_ns}
        return [due[place] for place in sorted(due) if after is None or place > after][: max(limit, 0)]

    async def count_visibility(self, query: Query) -> int:
        """See `Store.count_visibility`."""
        return len(self._found(query))

    def _found(self, query: Query) -> list[VisibilityRecord]:
        held = self._visibility.get(query.domain_id, {})
        records = [decode_visibility(value) for _, value in held.values() if value is not None]
        return [record for record in records if evaluate.matches(query, record)]

    # --- compare-and-set rows -----------------------------------------------------------------------------------------
    async def get(self, space: str, key: str) -> Versioned | None:
        """See `Store.get`."""
        return self._spaces.get(space, {}).get(key)

    async def peek(self, space: str, key: str) -> Versioned | None:
        """See `Store.peek`."""
        return await self.get(space, key)

    async def compare_and_set(self, space: str, key: str, value: bytes | None, expected_version: int) -> bool:
        """See `Store.compare_and_set`."""
        rows = self._spaces.setdefault(space, {})
        held = rows.get(key)
        if expected_version != (held.version if held is not None else 0):
            return False
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = Versioned(key, bytes(value), expected_version + 1)
        return True

    async def list_rows(self, space: str, after: str, limit: int) -> list[Versioned]:
        """See `Store.list_rows`."""
        rows = self._spaces.get(space, {})
        return [rows[key] for key in sorted(key for key in rows if key > after)[: max(limit, 0)]]

    # --- membership ---------------------------------------------------------------------------------------------------
    async def announce(self, member: Member, ttl_s: float) -> None:
        """See `Store.announce`."""
        self._members[member] = self._runtime.monotonic() + ttl_s

    async def withdraw(self, member: Member) -> None:
        """See `Store.withdraw`."""
        self._members.pop(member, None)

    async def members(self) -> list[Member]:
        """See `Store.members`."""
        now = self._runtime.monotonic()
        self._members = {member: end for member, end in self._members.items() if end > now}
        return sorted(self._members)
