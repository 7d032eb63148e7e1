"""How many shards a cluster has, as its store says: fixed for ever by the process that came first."""

from __future__ import annotations

from typing import Final

from tenuto_server.persistence.interface import Store

_SPACE: Final = "cluster"
_KEY: Final = "shards"


async def stored_shards(store: Store) -> int:
    """The number of shards, 0 where none is fixed yet."""
    found = await store.get(_SPACE, _KEY)
    return 0 if found is None else int(found.value)


async def settle_shards(store: Store, wanted: int) -> int:
    """The number of shards; `wanted` is fixed as that where none is yet."""
    found = await stored_shards(store)
    if not found and await store.compare_and_set(_SPACE, _KEY, str(wanted).encode(), 0):
        return wanted
    return found or await stored_shards(store) or wanted
