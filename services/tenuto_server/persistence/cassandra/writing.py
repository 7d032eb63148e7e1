"""Puts the writes of a batch into requests: rows of one partition go together, and small ones of different partitions too,
within what Cassandra takes without a warning.

A request with the rows of one partition is one mutation to Cassandra, however many rows it has. One with several partitions is a
coordinator's work: it warns above 5 KB (`batch_size_warn_threshold`) and above ten partitions
(`unlogged_batch_across_partitions_warn_threshold`). All of it is idempotent, and nothing needs to be atomic.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from tenuto_server.persistence.cassandra.session import Bound, Session

# Of one partition: so that no request is large beside Cassandra's 16 MiB a mutation.
_PARTITION_BYTES_MAX: Final = 512 << 10
_PARTITION_ROWS_MAX: Final = 200
# Of several partitions: below Cassandra's warnings.
_MIXED_BYTES_MAX: Final = 4 << 10
_MIXED_PARTITIONS_MAX: Final = 10
# What a row costs beside its values.
_ROW_BYTES: Final = 64


class Write(NamedTuple):
    """An idempotent write: `partition` names its partition among all tables, `size` is about the bytes of its parameters."""

    bound: Bound
    partition: Hashable
    size: int


def plan(writes: Iterable[Write]) -> list[list[Bound]]:
    """Which writes go together in one request."""
    by_partition: dict[Hashable, list[Write]] = {}
    for write in writes:
        by_partition.setdefault(write.partition, []).append(write)
    requests: list[list[Bound]] = []
    mixed: list[Bound] = []
    mixed_bytes = mixed_partitions = 0
    for group in by_partition.values():
        size = sum([write.size + _ROW_BYTES for write in group])
        if size > _MIXED_BYTES_MAX:
            requests += _split(group)
            continue
        if mixed and (mixed_bytes + size > _MIXED_BYTES_MAX or mixed_partitions == _MIXED_PARTITIONS_MAX):
            requests.append(mixed)
            mixed, mixed_bytes, mixed_partitions = [], 0, 0
        mixed += [write.bound for write in group]
        mixed_bytes += size
        mixed_partitions += 1
    if mixed:
        requests.append(mixed)
    return requests


def _split(group: Sequence[Write]) -> Iterable[list[Bound]]:
    """The rows of one partition, in requests of a bounded size."""
    request: list[Bound] = []
    size = 0
    for write in group:
        if request and (size + write.size > _PARTITION_BYTES_MAX or len(request) == _PARTITION_ROWS_MAX):
            yield request
            request, size = [], 0
        request.append(write.bound)
        size += write.size + _ROW_BYTES
    yield request


async def carry_out(session: Session, writes: Iterable[Write]) -> None:
    """Makes all writes. Raises what the first that failed raised, when all have ended."""
    await together([session.write_together(request) for request in plan(writes)])


async def together(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Waits for all, then raises the first failure: nothing goes on behind the caller's back."""
    if len(works) <= 1:
        for work in works:
            await work
        return
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if outcome is not None:
            raise outcome
