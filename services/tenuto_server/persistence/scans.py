"""Reads whole partitions of a store, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tenuto_server.persistence.interface import Store, Table


async def pages(store: Store, table: Table, partition: str, size: int) -> AsyncIterator[list[tuple[bytes, bytes]]]:
    """(key, value) of all rows, ascending by key, at most `size` at once. Raises StoreUnavailable."""
    after: bytes | None = None
    while True:
        rows = await store.scan(table, partition, after, size)
        yield rows
        if len(rows) < size:
            return
        after = rows[-1][0]
