"""The search attributes that are registered in the cluster, held in one compare-and-set row, and what a process knows of them.

Reading is lazy, by whoever asks, and rare: what is known counts for a moment, and a key that is not known is looked for sooner.
So a key that was added is seen by every process within seconds, and whoever uses it first sees it at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import BadRequest, ServiceBusy
from tenuto_server.persistence.interface import Store, StoreUnavailable, Versioned
from tenuto_server.persistence.rows import pack, unpack
from tenuto_server.visibility.attributes import DEFAULT

_SPACE: Final = "cluster"
_KEY: Final = "search_attributes"
_ENCODING: Final = 1
_KEYS_MAX: Final = 1000
_ATTEMPTS_MAX: Final = 8
# What is known counts this long; a key that is not known is looked for again after the second.
_FRESH_S: Final = 2.0
_MISS_S: Final = 0.2

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, int]).decode


class SearchAttributes:
    """The custom keys with their types (IndexedValueType numbers). The mappings that it gives out do not change."""

    def __init__(self, store: Store, runtime: Runtime) -> None:
        self._store = store
        self._runtime = runtime
        self._types: Mapping[str, int] = DEFAULT
        self._read_at: float | None = None
        self._reading = False

    async def types(self, names: Collection[str] = ()) -> Mapping[str, int]:
        """All custom keys; `names` are looked for if they are not known. Raises StoreUnavailable while nothing was ever
        read."""
        age_s = None if self._read_at is None else self._runtime.monotonic() - self._read_at
        known = age_s is not None and age_s < _FRESH_S
        if known and age_s is not None and age_s >= _MISS_S:
            known = all(name in self._types for name in names)
        if not known and (self._read_at is None or not self._reading):
            await self._refresh()
        return self._types

    async def add(self, new: Mapping[str, int]) -> None:
        """Registers keys. Those that are there with the same type stay. Raises BadRequest for one of another type or too
        many, ServiceBusy where others change them all the time."""
        for _ in range(_ATTEMPTS_MAX):
            row = await self._store.get(_SPACE, _KEY)
            held = _added(row)
            known = {**DEFAULT, **held}
            for name, value_type in new.items():
                if known.get(name, value_type) != value_type:
                    raise BadRequest(f"Key [{name[:100]}] is already whitelisted as a different type")
            missing = {name: value_type for name, value_type in new.items() if name not in known}
            if len(held) + len(missing) > _KEYS_MAX:
                raise BadRequest(f"There may be {_KEYS_MAX} search attributes at most.")
            if not missing or await self._set({**held, **missing}, row):
                self._keep({**known, **missing})
                return
        raise ServiceBusy("Search attributes are being changed by others.")

    async def _set(self, added: Mapping[str, int], former: Versioned | None) -> bool:
        """False where the row changed meanwhile or nobody knows: then it is read again."""
        try:
            return await self._store.compare_and_set(
                _SPACE, _KEY, pack(_ENCODING, _encode(added)), 0 if former is None else former.version
            )
        except StoreUnavailable:
            return False

    async def _refresh(self) -> None:
        self._reading = True
        try:
            self._keep({**DEFAULT, **_added(await self._store.peek(_SPACE, _KEY))})
        except StoreUnavailable:
            if self._read_at is None:
                raise
        finally:
            self._reading = False

    def _keep(self, types: Mapping[str, int]) -> None:
        self._types = types
        self._read_at = self._runtime.monotonic()


def _added(row: Versioned | None) -> dict[str, int]:
    if row is None:
        return {}
    _, data = unpack(row.value, "search attributes", _ENCODING)
    return _decode(data)
