"""Domains: their rows in the store, and the cache through which every service reads them.

A domain is two compare-and-set rows: in the space "domain" its name leads to the encoded `api.Domain`, in "domain_id"
its id leads to its name. The name's row decides: the id's is written first, and counts only if the name's row has that
id.

The cache answers from memory; it reads all domains again every few seconds, and one that it does not know when it is
asked for it. Such reads are limited: of one name or id there is one at a time and then none for a while, and of all
together only so many at once, so that a client with a wrong name costs the store next to nothing.
"""

from __future__ import annotations

import asyncio
import builtins
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from google.protobuf.message import DecodeError

from tenuto_api import api
from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import DomainAlreadyExists, EntityNotExists, ServiceBusy
from tenuto_server.persistence.interface import Store, StoreUnavailable, Versioned
from tenuto_server.persistence.rows import UnknownEncoding, pack, unpack

_log = logging.getLogger(__name__)

_BY_NAME: Final = "domain"
_BY_ID: Final = "domain_id"
_ENCODING: Final = 1
_UPDATE_ATTEMPTS_MAX: Final = 20
_STORE_ATTEMPTS_MAX: Final = 3
_REFRESH_PAGE: Final = 1000


@dataclass(slots=True, frozen=True)
class DomainRecord:
    """A domain as stored; `version` goes up by one with each change. `domain` is shared: do not change it, copy it."""

    domain: api.Domain
    version: int


def encode_domain(domain: api.Domain) -> bytes:
    """The value of a domain's row."""
    return pack(_ENCODING, domain.SerializeToString())


def decode_domain(row: Versioned) -> DomainRecord:
    """The domain in a row. Raises `UnknownEncoding`."""
    _, data = unpack(row.value, f"domain {row.key}", _ENCODING)
    try:
        return DomainRecord(api.Domain.FromString(bytes(data)), row.version)
    except DecodeError as error:
        raise UnknownEncoding(f"domain {row.key} cannot be decoded") from error


class Domains:
    """Reads and changes domains in the store. Every method may raise `StoreUnavailable`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: list[Callable[[str, DomainRecord | None], None]] = []

    def on_change(self, listener: Callable[[str, DomainRecord | None], None]) -> None:
        """`listener(name, record)` runs for each change made through this object; None: deleted."""
        self._listeners.append(listener)

    async def get(self, name: str) -> DomainRecord | None:
        """The domain of this name."""
        row = await self._store.get(_BY_NAME, name)
        return decode_domain(row) if row is not None else None

    async def get_by_id(self, domain_id: str) -> DomainRecord | None:
        """The domain of this id."""
        row = await self._store.get(_BY_ID, domain_id)
        if row is None:
            return None
        _, name = unpack(row.value, f"domain id {domain_id}", _ENCODING)
        record = await self.get(str(name, "utf-8"))
        return record if record is not None and record.domain.id == domain_id else None

    async def register(self, domain: api.Domain) -> None:
        """Adds a domain under its name and id. Raises `DomainAlreadyExists`."""
        new = api.Domain()
        new.CopyFrom(domain)
        if not (new.id and new.name):
            raise ValueError("a domain is registered with both an id and a name")
        already = DomainAlreadyExists(f"Domain {new.name} already exists.")
        if await self._store.get(_BY_NAME, new.name) is not None:
            raise already
        if not await self._set(_BY_ID, new.id, pack(_ENCODING, new.name.encode()), 0):
            raise DomainAlreadyExists(f"A domain with the id {new.id} already exists.")
        if not await self._set(_BY_NAME, new.name, encode_domain(new), 0):
            await self._set(_BY_ID, new.id, None, 1)
            raise already
        self._tell(new.name, DomainRecord(new, 1))

    async def update(self, name: str, change: Callable[[api.Domain], api.Domain]) -> api.Domain:
        """Replaces a domain by `change(its copy)`, which runs again if another change came between; what it raises is
        passed on. Name and id stay. Raises `EntityNotExists`, and `ServiceBusy` if others always came first."""
        for _ in range(_UPDATE_ATTEMPTS_MAX):
            held = await self.get(name)
            if held is None:
                raise _no_domain(name)
            copy = api.Domain()
            copy.CopyFrom(held.domain)
            new = change(copy)
            if (new.id, new.name) != (held.domain.id, held.domain.name):
                raise ValueError("a domain's id and name never change")
            if await self._set(_BY_NAME, name, encode_domain(new), held.version):
                self._tell(name, DomainRecord(new, held.version + 1))
                return new
        raise ServiceBusy(f"Domain {name} is being changed by others.")

    async def deprecate(self, name: str) -> api.Domain:
        """Marks a domain deprecated. Raises `EntityNotExists`."""

        def change(domain: api.Domain) -> api.Domain:
            domain.status = api.DOMAIN_STATUS_DEPRECATED
            return domain

        return await self.update(name, change)

    async def delete(self, name: str) -> None:
        """Removes a domain. Raises `EntityNotExists`, and `ServiceBusy` if it changed meanwhile."""
        held = await self.get(name)
        if held is None:
            raise _no_domain(name)
        if not await self._set(_BY_NAME, name, None, held.version):
            raise ServiceBusy(f"Domain {name} is being changed by others.")
        await self._set(_BY_ID, held.domain.id, None, 1)
        self._tell(name, None)

    async def list(self, after: str, limit: int) -> list[api.Domain]:
        """Domains ascending by name, those with names > `after` only ("" for all)."""
        return [record.domain for record in await self.records(after, limit)]

    async def records(self, after: str, limit: int) -> builtins.list[DomainRecord]:
        """As `list`, with versions."""
        return [decode_domain(row) for row in await self._store.list_rows(_BY_NAME, after, limit)]

    async def _set(self, space: str, key: str, value: bytes | None, expected_version: int) -> bool:
        """`compare_and_set` that finds out what happened when the store did not say."""
        for attempt in range(_STORE_ATTEMPTS_MAX):
            try:
                return await self._store.compare_and_set(space, key, value, expected_version)
            except StoreUnavailable:
                if attempt == _STORE_ATTEMPTS_MAX - 1:
                    raise
            held = await self._store.get(space, key)
            version = held.version if held is not None else 0
            if version != expected_version:
                return (held.value if held is not None else None) == value
        raise AssertionError("the last attempt returns or raises")

    def _tell(self, name: str, record: DomainRecord | None) -> None:
        for listener in self._listeners:
            listener(name, record)


def _no_domain(name: str) -> EntityNotExists:
    return EntityNotExists(f"Domain {name} does not exist.")


@dataclass(slots=True, frozen=True)
class DomainCacheSettings:
    """`misses_at_once_max` bounds the reads for unknown names and ids, `misses_waiting_max` how many callers wait for
    their turn; an unknown name or id is not read again for `miss_interval_s`."""

    refresh_interval_s: float = 5.0
    miss_interval_s: float = 0.5
    domains_max: int = 10_000
    misses_remembered_max: int = 10_000
    misses_at_once_max: int = 8
    misses_waiting_max: int = 1_000


class DomainCache:
    """Domains by name and by id, at most a few seconds old. The messages it gives out are shared: do not change them.
    Changes made through its `registry` are seen here at once."""

    def __init__(self, store: Store, runtime: Runtime, settings: DomainCacheSettings | None = None) -> None:
        self.registry = Domains(store)
        self._runtime = runtime
        self._settings = settings or DomainCacheSettings()
        self._by_name: OrderedDict[str, DomainRecord] = OrderedDict()
        self._by_id: dict[str, DomainRecord] = {}
        self._missed: OrderedDict[tuple[str, str], float] = OrderedDict()  # (space, key) -> when it may be read again
        self._reading: dict[tuple[str, str], asyncio.Task[DomainRecord | None]] = {}
        self._turns = asyncio.Semaphore(self._settings.misses_at_once_max)
        self._refresher: asyncio.Task[None] | None = None
        self.registry.on_change(self._changed)

    async def start(self) -> None:
        """Reads all domains, as far as the store answers, and keeps reading them until `stop`."""
        await self._refresh_quietly()
        self._refresher = asyncio.get_running_loop().create_task(self._keep_fresh())

    async def stop(self) -> None:
        """Ends all reading."""
        tasks = [task for task in (self._refresher, *self._reading.values()) if task is not None]
        self.kill()
        await asyncio.gather(*tasks, return_exceptions=True)

    def kill(self) -> None:
        """Ends all reading at once; callers that wait are cancelled."""
        for task in self._reading.values():
            task.cancel()
        if self._refresher is not None:
            self._refresher.cancel()
            self._refresher = None

    async def by_name(self, name: str) -> api.Domain:
        """The domain of this name. Raises `EntityNotExists`; `StoreUnavailable` where it is not known and cannot be
        read."""
        record = self._by_name.get(name) or await self._miss(_BY_NAME, name)
        if record is None:
            raise _no_domain(name)
        return record.domain

    async def by_id(self, domain_id: str) -> api.Domain:
        """The domain of this id. Raises as `by_name`."""
        record = self._by_id.get(domain_id) or await self._miss(_BY_ID, domain_id)
        if record is None:
            raise _no_domain(domain_id)
        return record.domain

    def cached_by_name(self, name: str) -> api.Domain | None:
        """The domain of this name, if it is known here."""
        record = self._by_name.get(name)
        return record.domain if record is not None else None

    def cached_by_id(self, domain_id: str) -> api.Domain | None:
        """The domain of this id, if it is known here."""
        record = self._by_id.get(domain_id)
        return record.domain if record is not None else None

    def sizes(self) -> tuple[int, int]:
        """How many domains are known here, by id and by name."""
        return len(self._by_id), len(self._by_name)

    async def refresh(self) -> None:
        """Reads all domains now."""
        seen: set[str] = set()
        after = ""
        while True:
            records = await self.registry.records(after, _REFRESH_PAGE)
            for record in records:
                after = record.domain.name
                seen.add(after)
                if after in self._by_name or len(self._by_name) < self._settings.domains_max:
                    self._keep(record)
            if len(records) < _REFRESH_PAGE:
                break
        for name in [name for name in self._by_name if name not in seen]:
            # It may have been registered behind the page that was being read: the name's own row decides.
            found = await self.registry.get(name)
            if found is None:
                self._drop(name)
            else:
                self._keep(found)

    # --- reading ------------------------------------------------------------------------------------------------------
    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(self._settings.refresh_interval_s)
            await self._refresh_quietly()

    async def _refresh_quietly(self) -> None:
        try:
            await self.refresh()
        except (StoreUnavailable, UnknownEncoding) as error:
            _log.warning("domains could not be read; those known are kept: %s", error)

    async def _miss(self, space: str, key: str) -> DomainRecord | None:
        """Reads one domain that is not known here, or says None if it was looked for a moment ago."""
        asked = (space, key)
        reading = self._reading.get(asked)
        if reading is None:
            if self._missed.get(asked, 0.0) > self._runtime.monotonic():
                return None
            if len(self._reading) >= self._settings.misses_waiting_max:
                raise ServiceBusy("Too many requests name unknown domains.")
            reading = asyncio.get_running_loop().create_task(self._read(space, key))
            self._reading[asked] = reading
            reading.add_done_callback(partial(self._read_done, asked))
        # Shielded: one caller that goes away does not end the read for the others.
        return await asyncio.shield(reading)

    def _read_done(self, asked: tuple[str, str], reading: asyncio.Task[DomainRecord | None]) -> None:
        del self._reading[asked]
        # All who asked may have gone; asyncio complains of an error that nobody took.
        if not reading.cancelled():
            reading.exception()

    async def _read(self, space: str, key: str) -> DomainRecord | None:
        async with self._turns:
            found = await (self.registry.get(key) if space == _BY_NAME else self.registry.get_by_id(key))
        if found is not None:
            self._keep(found)
            return found
        self._missed[space, key] = self._runtime.monotonic() + self._settings.miss_interval_s
        self._missed.move_to_end((space, key))
        if len(self._missed) > self._settings.misses_remembered_max:
            self._missed.popitem(last=False)
        return None

    # --- what is known ------------------------------------------------------------------------------------------------
    def _changed(self, name: str, record: DomainRecord | None) -> None:
        if record is None:
            self._drop(name)
        else:
            self._keep(record)

    def _keep(self, record: DomainRecord) -> None:
        """Takes a record in unless a newer one of the same domain is known."""
        name, domain_id = record.domain.name, record.domain.id
        held = self._by_name.get(name)
        if held is not None and held.domain.id == domain_id and held.version >= record.version:
            return
        self._drop(name)
        self._by_name[name] = record
        self._by_id[domain_id] = record
        self._missed.pop((_BY_NAME, name), None)
        self._missed.pop((_BY_ID, domain_id), None)
        if len(self._by_name) > self._settings.domains_max:
            self._drop(next(iter(self._by_name)))

    def _drop(self, name: str) -> None:
        held = self._by_name.pop(name, None)
        if held is not None:
            self._by_id.pop(held.domain.id, None)
