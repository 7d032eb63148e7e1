"""The router: one owner a shard and a task list, told of changes, clear where nobody is there."""

import pytest

from tenuto_server import errors
from tenuto_server.cluster.ring import Ring
from tenuto_server.cluster.router import Router, StaticRouter
from tenuto_server.cluster.sharding import shard_of

HISTORY = ["h1:7934", "h2:7934", "h3:7934"]
MATCHING = ["m1:7935", "m2:7935"]


def test_shards_follow_the_history_ring() -> None:
    router = StaticRouter(64, HISTORY, MATCHING)
    assert [router.history_address(shard) for shard in range(64)] == Ring(HISTORY).assign(64)
    assert router.shard_of("domain", "workflow") == shard_of("domain", "workflow", 64)


def test_task_lists_of_other_domains_and_types_are_other_lists() -> None:
    router = StaticRouter(4, HISTORY, [f"m{number}" for number in range(200)])
    names = [(domain, "list", task_type) for domain in ("a", "b", "c") for task_type in (1, 2)]
    addresses = {router.matching_address(*name) for name in names}
    assert len(addresses) > 1
    assert addresses <= set(router.matching_addresses())
    assert [router.matching_address(*name) for name in names] == [router.matching_address(*name) for name in names]


def test_without_members_there_is_no_address() -> None:
    router = Router(4)
    with pytest.raises(errors.Unavailable):
        router.history_address(0)
    with pytest.raises(errors.Unavailable):
        router.matching_address("domain", "list", 1)


def test_a_change_is_told_once_and_when_it_is_in_force() -> None:
    router = StaticRouter(16, HISTORY, MATCHING)
    seen: list[tuple[str, ...]] = []
    router.on_change(lambda: seen.append(router.history_addresses()))
    router.set_members(reversed(HISTORY), MATCHING)
    assert seen == []
    router.set_members(HISTORY[:1], MATCHING)
    assert seen == [("h1:7934",)]
    assert {router.history_address(shard) for shard in range(16)} == {"h1:7934"}


def test_a_task_list_that_was_asked_for_moves_with_the_ring() -> None:
    router = StaticRouter(4, HISTORY, ["m1"])
    assert router.matching_address("domain", "list", 1) == "m1"
    router.set_members(HISTORY, ["m2"])
    assert router.matching_address("domain", "list", 1) == "m2"
    router.set_members(HISTORY, [])
    with pytest.raises(errors.Unavailable):
        router.matching_address("domain", "list", 1)


@pytest.mark.parametrize("shard_count", [0, -1, 1_000_000])
def test_the_number_of_shards_has_limits(shard_count: int) -> None:
    with pytest.raises(ValueError, match="shard_count"):
        Router(shard_count)
