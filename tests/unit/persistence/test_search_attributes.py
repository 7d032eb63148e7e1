"""The registry of search attributes: shared by processes, bounded, patient with the store."""

from __future__ import annotations

import asyncio

import pytest

from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import BadRequest
from tenuto_server.persistence.interface import StoreUnavailable, Versioned
from tenuto_server.persistence.memory import MemoryStore
from tenuto_server.persistence.search_attributes import SearchAttributes
from tenuto_server.visibility.attributes import DEFAULT, INT, KEYWORD
from tests.unit.frontend.fakes import run


class ShakyStore(MemoryStore):
    """Counts what is read; `fails` makes reading fail; the next `unknown` changes are made, but nobody is told."""

    def __init__(self) -> None:
        super().__init__(Runtime())
        self.reads = 0
        self.fails = False
        self.unknown = 0

    async def get(self, space: str, key: str) -> Versioned | None:
        self.reads += 1
        if self.fails:
            raise StoreUnavailable("planted")
        return await super().get(space, key)

    async def compare_and_set(self, space: str, key: str, value: bytes | None, expected_version: int) -> bool:
        done = await super().compare_and_set(space, key, value, expected_version)
        if self.unknown:
            self.unknown -= 1
            raise StoreUnavailable("planted")
        return done


def test_processes_see_one_anothers_keys_within_seconds_and_named_ones_sooner() -> None:
    async def story() -> None:
        store = ShakyStore()
        one, other = SearchAttributes(store, Runtime()), SearchAttributes(store, Runtime())
        assert await other.types() == DEFAULT
        await one.add({"Colour": KEYWORD})
        assert (await one.types())["Colour"] == KEYWORD
        assert "Colour" not in await other.types()
        await asyncio.sleep(0.25)
        assert "Colour" not in await other.types()
        assert "Colour" in await other.types(["Colour"])
        await one.add({"Size": INT})
        await asyncio.sleep(2.1)
        assert "Size" in await other.types()

    run(story())


def test_unknown_keys_cost_few_reads() -> None:
    async def story() -> None:
        store = ShakyStore()
        registry = SearchAttributes(store, Runtime())
        for _ in range(1000):
            await registry.types(["Nothing"])
            await asyncio.sleep(0.001)
        assert store.reads <= 7

    run(story())


def test_keys_added_at_the_same_time_are_all_there() -> None:
    async def story() -> None:
        store = ShakyStore()
        store.unknown = 2
        await asyncio.gather(*[SearchAttributes(store, Runtime()).add({f"Key{n}": INT}) for n in range(6)])
        types = await SearchAttributes(store, Runtime()).types()
        assert [f"Key{n}" for n in range(6) if f"Key{n}" in types] == [f"Key{n}" for n in range(6)]

    run(story())


def test_a_type_stays_and_there_is_an_end() -> None:
    async def story() -> None:
        registry = SearchAttributes(ShakyStore(), Runtime())
        await registry.add({"Colour": KEYWORD, "CustomIntField": INT})
        await registry.add({"Colour": KEYWORD})
        for changed in ({"Colour": INT}, {"CustomIntField": KEYWORD}):
            with pytest.raises(BadRequest, match="different type"):
                await registry.add(changed)
        with pytest.raises(BadRequest, match="at most"):
            await registry.add({f"Key{n}": INT for n in range(1000)})
        assert set(await registry.types()) == {*DEFAULT, "Colour"}

    run(story())


def test_what_is_known_counts_while_the_store_is_silent() -> None:
    async def story() -> None:
        store = ShakyStore()
        registry = SearchAttributes(store, Runtime())
        store.fails = True
        with pytest.raises(StoreUnavailable):
            await registry.types()
        store.fails = False
        await registry.add({"Colour": KEYWORD})
        store.fails = True
        await asyncio.sleep(5)
        assert "Colour" in await registry.types(["Other"])

    run(story())
