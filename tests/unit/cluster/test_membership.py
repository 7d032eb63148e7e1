"""Membership on a store in memory and virtual time: joining, leaving, dying, and a store that is away."""

import asyncio
import random
from collections.abc import Coroutine

import pytest

from tenuto_server.cluster.membership import Membership, MembershipSettings
from tenuto_server.cluster.router import MembershipRouter
from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.interface import Member, StoreUnavailable
from tenuto_server.persistence.memory import MemoryStore
from tests.simulation.loop import new_loop

SETTINGS = MembershipSettings(ttl_s=10.0, announce_interval_s=2.0, read_interval_s=1.0)
H1, H2 = Member("history", "h1", "one"), Member("history", "h2", "two")
M1 = Member("matching", "m1", "three")


class FlakyStore(MemoryStore):
    """A store in memory that can be away, and whose announcements can be held up."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self.away = False
        self.slow_s = 0.0
        self.reads = 0

    async def announce(self, member: Member, ttl_s: float) -> None:
        self._check()
        await asyncio.sleep(self.slow_s)
        await super().announce(member, ttl_s)

    async def withdraw(self, member: Member) -> None:
        self._check()
        await super().withdraw(member)

    async def members(self) -> list[Member]:
        self._check()
        self.reads += 1
        return await super().members()

    def _check(self) -> None:
        if self.away:
            raise StoreUnavailable("away")


def run(main: Coroutine[object, object, None]) -> None:
    loop = new_loop("membership")
    try:
        loop.run_until_complete(main)
        assert loop.problems == []
    finally:
        loop.close()


def cluster(*members: Member | None) -> tuple[FlakyStore, list[Membership]]:
    runtime = Runtime(random=random.Random(1))
    store = FlakyStore(runtime)
    return store, [Membership(store, runtime, member, SETTINGS) for member in members]


def addresses(membership: Membership, role: str = "history") -> list[str]:
    return [member.address for member in membership.members(role)]


def test_everyone_sees_who_joins_and_who_leaves() -> None:
    async def main() -> None:
        _, (one, two, three) = cluster(H1, H2, M1)
        changes: list[list[str]] = []
        one.on_change(lambda: changes.append(addresses(one)))
        await one.start()
        assert addresses(one) == ["h1"]
        await two.start()
        await three.start()
        assert addresses(three) == ["h1", "h2"]
        await asyncio.sleep(1.1)
        assert addresses(one) == ["h1", "h2"]
        assert addresses(one, "matching") == ["m1"]
        await two.stop()
        await asyncio.sleep(1.1)
        assert addresses(one) == ["h1"]
        assert changes == [["h1"], ["h1", "h2"], ["h1"]]
        await one.stop()
        await three.stop()

    run(main())


def test_the_dead_are_gone_when_their_row_runs_out_and_the_living_stay() -> None:
    async def main() -> None:
        _, (one, two) = cluster(H1, H2)
        await one.start()
        await two.start()
        await asyncio.sleep(100)
        assert addresses(one) == ["h1", "h2"]
        two.kill()
        await asyncio.sleep(SETTINGS.ttl_s - SETTINGS.announce_interval_s - 0.1)
        assert addresses(one) == ["h1", "h2"]
        await asyncio.sleep(SETTINGS.announce_interval_s + SETTINGS.read_interval_s + 0.2)
        assert addresses(one) == ["h1"]
        await one.stop()

    run(main())


def test_while_the_store_is_away_the_last_picture_stands() -> None:
    async def main() -> None:
        store, (one, two) = cluster(H1, None)
        await one.start()
        await two.start()
        store.away = True
        await asyncio.sleep(60)
        assert addresses(one) == addresses(two) == ["h1"]
        store.away = False
        await asyncio.sleep(3)
        assert addresses(one) == addresses(two) == ["h1"]
        await one.stop()
        await two.stop()

    run(main())


def test_an_announcement_under_way_does_not_bring_back_who_has_left() -> None:
    async def main() -> None:
        store, (one,) = cluster(H1)
        await one.start()
        store.slow_s = 1.0
        await asyncio.sleep(2.5)
        await one.withdraw()
        assert await store.members() == []
        await asyncio.sleep(5)
        assert await store.members() == []
        assert addresses(one) == []
        await one.stop()

    run(main())


def test_leaving_survives_a_store_that_is_away() -> None:
    async def main() -> None:
        store, (one,) = cluster(H1)
        await one.start()
        store.away = True
        await one.stop()
        store.away = False
        assert await store.members() == [H1]

    run(main())


def test_a_process_that_never_saw_the_table_does_not_start() -> None:
    async def main() -> None:
        store, (one,) = cluster(H1)
        store.away = True
        with pytest.raises(StoreUnavailable):
            await one.start()

    run(main())


def test_a_restarted_process_counts_once() -> None:
    async def main() -> None:
        _, (old, new) = cluster(H1, Member("history", "h1", "later"))
        await old.start()
        old.kill()
        await new.start()
        assert addresses(new) == ["h1"]
        await new.stop()

    run(main())


def test_a_router_follows_the_table() -> None:
    async def main() -> None:
        _, (one, two, three) = cluster(H1, H2, M1)
        await one.start()
        router = MembershipRouter(one, 16)
        assert router.history_addresses() == ("h1",)
        await two.start()
        await three.start()
        await asyncio.sleep(1.1)
        assert {router.history_address(shard) for shard in range(16)} == {"h1", "h2"}
        assert router.matching_address("domain", "list", 1) == "m1"
        for membership in (two, three, one):
            await membership.stop()

    run(main())


@pytest.mark.parametrize(
    "wrong", [{"announce_interval_s": 10.0}, {"announce_interval_s": 0}, {"read_interval_s": 0}, {"jitter": 1.0}]
)
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        MembershipSettings(**wrong)


def test_whoever_misses_an_owner_has_the_table_read_at_once_but_not_all_the_time() -> None:
    async def main() -> None:
        store, (one, two) = cluster(H1, H2)
        router = MembershipRouter(one, 4)
        await one.start()
        await asyncio.sleep(0.5)
        await two.start()
        router.doubt()
        await asyncio.sleep(0.01)
        assert addresses(one) == ["h1", "h2"]
        reads = store.reads
        for _ in range(50):
            router.doubt()
            await asyncio.sleep(0.01)
        assert 4 <= store.reads - reads <= 6
        for membership in (one, two):
            await membership.stop()

    run(main())
