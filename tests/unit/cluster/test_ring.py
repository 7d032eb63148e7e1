"""The ring: balance, small moves, determinism."""

from collections import Counter

import pytest

from tenuto_server.cluster.ring import Ring, position
from tenuto_server.cluster.sharding import shard_of

SHARDS = 16_384


def addresses(count: int) -> list[str]:
    return [f"10.0.{number // 250}.{number % 250}:7934" for number in range(count)]


def moved(before: list[str], after: list[str]) -> float:
    """The share of the shards that changed hands."""
    return sum(old != new for old, new in zip(before, after, strict=True)) / len(before)


@pytest.mark.parametrize(
    ("members", "virtual_nodes"),
    [(3, 128), (4, 128), (7, 128), (10, 128), (30, 128), (100, 128), (300, 128), (3, 512), (100, 512)],
)
def test_assigned_shards_are_within_ten_percent_of_the_mean(members: int, virtual_nodes: int) -> None:
    load = Counter(Ring(addresses(members), virtual_nodes).assign(SHARDS))
    mean = SHARDS / members
    assert len(load) == members
    assert max(load.values()) <= 1.1 * mean
    assert min(load.values()) >= 0.9 * mean


@pytest.mark.parametrize(("members", "shards"), [(3, 16), (3, 4), (5, 4), (7, 7), (10, 64), (300, 64)])
def test_few_shards_are_spread_as_evenly_as_whole_numbers_allow(members: int, shards: int) -> None:
    load = Counter(Ring(addresses(members)).assign(shards))
    assert max(load.values()) <= -(-shards // members)
    assert min(load[address] for address in addresses(members)) >= shards // members


@pytest.mark.parametrize("members", [3, 10, 50])
def test_a_new_member_takes_its_share_and_little_else_moves(members: int) -> None:
    before, after = Ring(addresses(members)).assign(SHARDS), Ring(addresses(members + 1)).assign(SHARDS)
    share = 1 / (members + 1)
    assert 0.9 * share <= moved(before, after) <= 1.5 * share


@pytest.mark.parametrize("members", [1, 3, 10, 50])
def test_lookup_moves_keys_only_to_the_new_member(members: int) -> None:
    old, new = Ring(addresses(members)), Ring(addresses(members + 1))
    joined = addresses(members + 1)[-1]
    keys = [f"list-{number}" for number in range(4_000)]
    changed = [key for key in keys if old.lookup(key) != new.lookup(key)]
    assert {new.lookup(key) for key in changed} == {joined}
    assert 0.6 / (members + 1) <= len(changed) / len(keys) <= 1.5 / (members + 1)


def test_the_order_and_doubling_of_members_do_not_matter() -> None:
    given = addresses(9)
    one, other = Ring(given), Ring([*reversed(given), given[0]])
    assert one.members == other.members
    assert one.assign(1_000) == other.assign(1_000)
    assert [one.lookup(str(key)) for key in range(500)] == [other.lookup(str(key)) for key in range(500)]


def test_everyone_at_every_time_sees_the_same_ring() -> None:
    """Golden values: a change here splits a cluster during a rolling restart."""
    ring = Ring(["a:1", "b:1", "c:1"])
    assert position("a:1#0") == 4676991338103543020
    assert "".join(address[0] for address in ring.assign(16)) == "cbbacabbbabcaacc"
    assert "".join(ring.lookup(f"list-{number}")[0] for number in range(8)) == "aaacbbac"


def test_a_ring_of_one_owns_all_and_a_ring_of_none_nothing() -> None:
    assert Ring(["a"]).assign(4) == ["a"] * 4
    empty = Ring([])
    with pytest.raises(LookupError):
        empty.lookup("key")
    with pytest.raises(LookupError):
        empty.assign(4)


@pytest.mark.parametrize("virtual_nodes", [0, -1, 1_000_000])
def test_the_number_of_virtual_nodes_has_limits(virtual_nodes: int) -> None:
    with pytest.raises(ValueError, match="virtual_nodes"):
        Ring(["a"], virtual_nodes)


def test_shards_of_workflows_are_fixed_for_ever() -> None:
    """Golden values: were they to change, no stored workflow would be found again."""
    domain = "5b9a9c3a-0000-4000-8000-000000000001"
    workflows = ["order-1", "order-2", "", "größer", "日本", "x" * 1000]
    assert [shard_of(domain, workflow, 16) for workflow in workflows] == [13, 7, 10, 7, 12, 4]
    assert [shard_of(domain, workflow, 16_384) for workflow in workflows] == [6397, 11271, 11226, 14679, 6156, 9364]


def test_shards_of_workflows_are_spread_evenly() -> None:
    load = Counter(shard_of("domain", f"order-{number}", 64) for number in range(64_000))
    assert len(load) == 64
    assert min(load.values()) > 800
    assert max(load.values()) < 1_200
