"""Domains in the store and in the cache, on virtual time and over stores that fail."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from tenuto_api import api
from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import DomainAlreadyExists, EntityNotExists, ServiceBusy
from tenuto_server.persistence.domains import DomainCache, DomainCacheSettings, Domains
from tenuto_server.persistence.interface import StoreUnavailable, Versioned
from tenuto_server.persistence.memory import MemoryStore
from tenuto_server.persistence.rows import UnknownEncoding, pack
from tests.simulation.faulty_store import Faults, FaultyStore
from tests.simulation.loop import new_loop

SETTINGS = DomainCacheSettings(
    refresh_interval_s=5.0, miss_interval_s=0.5, domains_max=4, misses_remembered_max=10, misses_at_once_max=2,
    misses_waiting_max=20,
)  # fmt: skip


class CountingStore(MemoryStore):
    """Counts reads of single rows, which take a virtual second each where `slow`."""

    def __init__(self) -> None:
        super().__init__(Runtime())
        self.gets = 0
        self.at_once = 0
        self.at_once_most = 0
        self.slow = False
        self.down = False

    async def get(self, space: str, key: str) -> Versioned | None:
        self.gets += 1
        self.at_once += 1
        self.at_once_most = max(self.at_once, self.at_once_most)
        try:
            if self.slow:
                await asyncio.sleep(1.0)
            if self.down:
                raise StoreUnavailable("down")
            return await super().get(space, key)
        finally:
            self.at_once -= 1

    async def list_rows(self, space: str, after: str, limit: int) -> list[Versioned]:
        if self.down:
            raise StoreUnavailable("down")
        return await super().list_rows(space, after, limit)


def domain(name: str, **fields: object) -> api.Domain:
    made = api.Domain(id=f"id of {name}", name=name, status=api.DOMAIN_STATUS_REGISTERED)
    made.MergeFrom(api.Domain(**fields))  # type: ignore[arg-type]
    return made


def on_virtual_time(body: Awaitable[None]) -> None:
    loop = new_loop("domains")
    try:
        loop.run_until_complete(body)
    finally:
        loop.close()


def described(text: str) -> Callable[[api.Domain], api.Domain]:
    def change(found: api.Domain) -> api.Domain:
        found.description = text
        return found

    return change


# --- in the store -----------------------------------------------------------------------------------------------------
def test_a_domain_is_registered_once() -> None:
    async def body() -> None:
        domains = Domains(MemoryStore(Runtime()))
        assert await domains.get("d") is None
        await domains.register(domain("d", description="first"))
        found = await domains.get("d")
        assert found is not None
        assert (found.domain.description, found.version) == ("first", 1)
        assert await domains.get_by_id("id of d") == found
        with pytest.raises(DomainAlreadyExists):
            await domains.register(domain("d"))
        other = domain("e")
        other.id = "id of d"
        with pytest.raises(DomainAlreadyExists):
            await domains.register(other)
        assert await domains.get("e") is None

    asyncio.run(body())


def test_of_two_registrations_at_once_one_succeeds_and_the_other_leaves_nothing() -> None:
    async def body() -> None:
        store = FaultyStore(MemoryStore(Runtime()), random.Random(1), Faults(delay_s=0.1))
        rivals = [Domains(store) for _ in range(5)]
        made = [domain("d", description=str(n)) for n in range(5)]
        for n, one in enumerate(made):
            one.id = f"id {n}"
        outcomes = await asyncio.gather(
            *[rival.register(one) for rival, one in zip(rivals, made, strict=True)], return_exceptions=True
        )
        assert outcomes.count(None) == 1
        winner = outcomes.index(None)
        assert sum(isinstance(outcome, DomainAlreadyExists) for outcome in outcomes) == 4
        for n in range(5):
            found = await rivals[0].get_by_id(f"id {n}")
            assert (found is not None) == (n == winner)
        assert [row.key for row in await store.list_rows("domain_id", "", 10)] == [f"id {winner}"]

    on_virtual_time(body())


def test_an_id_that_a_broken_off_registration_left_behind_leads_nowhere() -> None:
    async def body() -> None:
        store = MemoryStore(Runtime())
        domains = Domains(store)
        await domains.register(domain("d"))
        await store.compare_and_set("domain_id", "left behind", pack(1, b"d"), 0)
        await store.compare_and_set("domain_id", "of nothing", pack(1, b"e"), 0)
        assert await domains.get_by_id("left behind") is None
        assert await domains.get_by_id("of nothing") is None

    asyncio.run(body())


def test_updates_at_the_same_time_all_count() -> None:
    async def body() -> None:
        store = FaultyStore(MemoryStore(Runtime()), random.Random(1), Faults(delay_s=0.1))
        domains = Domains(store)
        await domains.register(domain("d"))

        def change(found: api.Domain) -> api.Domain:
            found.description += "x"
            return found

        await asyncio.gather(*[domains.update("d", change) for _ in range(5)])
        found = await domains.get("d")
        assert found is not None
        assert (found.domain.description, found.version) == ("xxxxx", 6)

    on_virtual_time(body())


def test_an_answer_that_was_lost_is_found_out() -> None:
    """The store says nothing of half of what it does, yet register and update know."""

    async def body() -> None:
        store = FaultyStore(MemoryStore(Runtime()), random.Random(4))
        domains = Domains(store)
        told = 0
        for n in range(40):
            store.faults = Faults(lost_answer=0.3)
            try:
                await domains.register(domain(f"d{n}"))
                await domains.update(f"d{n}", described("changed"))
                told += 1
            except StoreUnavailable:
                continue
            store.heal()
            found = await domains.get(f"d{n}")
            assert found is not None
            assert (found.domain.description, found.version) == ("changed", 2)
        assert told > 5

    on_virtual_time(body())


def test_update_of_nothing_and_of_names() -> None:
    async def body() -> None:
        domains = Domains(MemoryStore(Runtime()))
        with pytest.raises(EntityNotExists, match=r"Domain d does not exist\."):
            await domains.update("d", described("x"))
        await domains.register(domain("d"))

        def rename(found: api.Domain) -> api.Domain:
            found.name = "e"
            return found

        with pytest.raises(ValueError, match="never change"):
            await domains.update("d", rename)
        assert (await domains.deprecate("d")).status == api.DOMAIN_STATUS_DEPRECATED

    asyncio.run(body())


def test_domains_are_listed_and_deleted() -> None:
    async def body() -> None:
        domains = Domains(MemoryStore(Runtime()))
        for name in ("c", "a", "b"):
            await domains.register(domain(name))
        assert [one.name for one in await domains.list("", 2)] == ["a", "b"]
        assert [one.name for one in await domains.list("b", 2)] == ["c"]
        await domains.delete("b")
        assert [one.name for one in await domains.list("", 10)] == ["a", "c"]
        assert await domains.get_by_id("id of b") is None
        with pytest.raises(EntityNotExists):
            await domains.delete("b")
        await domains.register(domain("b"))

    asyncio.run(body())


def test_a_row_of_a_newer_version_is_a_clear_error() -> None:
    async def body() -> None:
        store = MemoryStore(Runtime())
        await store.compare_and_set("domain", "d", b"\x63newer", 0)
        with pytest.raises(UnknownEncoding, match="domain d is in encoding 99"):
            await Domains(store).get("d")

    asyncio.run(body())


# --- in the cache -----------------------------------------------------------------------------------------------------
def test_the_cache_knows_all_domains_after_its_start() -> None:
    async def body() -> None:
        store = CountingStore()
        for name in ("a", "b"):
            await Domains(store).register(domain(name))
        cache = DomainCache(store, Runtime(), SETTINGS)
        await cache.start()
        store.gets = 0
        assert (await cache.by_name("a")).id == "id of a"
        assert (await cache.by_id("id of b")).name == "b"
        assert cache.cached_by_id("id of a") is cache.cached_by_name("a")
        assert cache.cached_by_id("nothing") is None
        assert store.gets == 0
        await cache.stop()

    on_virtual_time(body())


def test_a_new_domain_is_found_when_asked_for_and_a_change_within_seconds() -> None:
    async def body() -> None:
        store = CountingStore()
        elsewhere = Domains(store)
        cache = DomainCache(store, Runtime(), SETTINGS)
        await cache.start()
        await elsewhere.register(domain("a"))
        await elsewhere.register(domain("b"))
        assert (await cache.by_name("a")).name == "a"
        assert (await cache.by_id("id of b")).name == "b"
        await elsewhere.update("a", described("changed"))
        await elsewhere.delete("b")
        assert (await cache.by_name("a")).description == ""
        await asyncio.sleep(6.0)
        assert (await cache.by_name("a")).description == "changed"
        with pytest.raises(EntityNotExists, match=r"Domain b does not exist\."):
            await cache.by_name("b")
        with pytest.raises(EntityNotExists):
            await cache.by_id("id of b")
        await cache.stop()

    on_virtual_time(body())


def test_changes_through_the_caches_own_registry_are_seen_at_once() -> None:
    async def body() -> None:
        cache = DomainCache(CountingStore(), Runtime(), SETTINGS)
        await cache.start()
        with pytest.raises(EntityNotExists):
            await cache.by_name("a")
        await cache.registry.register(domain("a"))
        assert (await cache.by_name("a")).description == ""
        await cache.registry.update("a", described("changed"))
        assert (await cache.by_id("id of a")).description == "changed"
        await cache.registry.delete("a")
        assert cache.cached_by_name("a") is None
        assert cache.cached_by_id("id of a") is None
        cache.kill()

    on_virtual_time(body())


def test_an_unknown_name_is_read_once_in_a_while_however_often_it_is_asked_for() -> None:
    async def body() -> None:
        store = CountingStore()
        store.slow = True
        cache = DomainCache(store, Runtime(), SETTINGS)
        outcomes = await asyncio.gather(*[cache.by_name("x") for _ in range(100)], return_exceptions=True)
        assert all(isinstance(outcome, EntityNotExists) for outcome in outcomes)
        assert store.gets == 1
        for _ in range(100):
            with pytest.raises(EntityNotExists):
                await cache.by_name("x")
        assert store.gets == 1
        await Domains(store).register(domain("x"))
        assert (await cache.by_name("x")).name == "x"

    on_virtual_time(body())


def test_a_flood_of_unknown_names_is_bounded() -> None:
    async def body() -> None:
        store = CountingStore()
        store.slow = True
        cache = DomainCache(store, Runtime(), SETTINGS)
        outcomes = await asyncio.gather(*[cache.by_name(f"x{n}") for n in range(100)], return_exceptions=True)
        assert sum(isinstance(outcome, EntityNotExists) for outcome in outcomes) == SETTINGS.misses_waiting_max
        assert sum(isinstance(outcome, ServiceBusy) for outcome in outcomes) == 80
        assert store.at_once_most == SETTINGS.misses_at_once_max
        assert len(cache._missed) == SETTINGS.misses_remembered_max

    on_virtual_time(body())


def test_a_cache_keeps_to_its_size_and_still_finds_all() -> None:
    async def body() -> None:
        store = CountingStore()
        names = [f"d{n}" for n in range(10)]
        for name in names:
            await Domains(store).register(domain(name))
        cache = DomainCache(store, Runtime(), SETTINGS)
        await cache.start()
        for name in names * 2:
            assert (await cache.by_id(f"id of {name}")).name == name
            assert len(cache._by_name) == len(cache._by_id) <= SETTINGS.domains_max
        await cache.stop()

    on_virtual_time(body())


def test_while_the_store_is_down_what_is_known_is_answered() -> None:
    async def body() -> None:
        store = CountingStore()
        await Domains(store).register(domain("a"))
        cache = DomainCache(store, Runtime(), SETTINGS)
        await cache.start()
        store.down = True
        await asyncio.sleep(60.0)
        assert (await cache.by_name("a")).name == "a"
        with pytest.raises(StoreUnavailable):
            await cache.by_name("b")
        store.down = False
        with pytest.raises(EntityNotExists):
            await cache.by_name("b")
        await cache.stop()

    on_virtual_time(body())


def test_one_caller_that_goes_away_does_not_end_the_read_for_others() -> None:
    async def body() -> None:
        store = CountingStore()
        await Domains(store).register(domain("a"))
        store.slow = True
        cache = DomainCache(store, Runtime(), SETTINGS)
        first, second = (asyncio.ensure_future(cache.by_name("a")) for _ in range(2))
        await asyncio.sleep(0.5)
        first.cancel()
        assert (await second).name == "a"
        waiting = asyncio.ensure_future(cache.by_name("b"))
        await asyncio.sleep(0.5)
        cache.kill()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    on_virtual_time(body())
