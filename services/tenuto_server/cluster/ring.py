"""A consistent-hash ring with virtual nodes: who owns a key, and how a fixed number of shards is dealt out. Pure.

Theory of operation. Every member stands at `virtual_nodes` points of a circle of 2**64 positions; a key belongs to the
first point at or after its own position. A member that joins takes only what lies before its points, about 1/n of all
keys, and one that leaves gives only what it had. Positions are BLAKE2b digests, so every process, version and machine
sees the same ring; the order in which members are given does not matter.

Points leave arcs of uneven length: with 128 a member, some get half as much again as others. `lookup` (task lists, of
which there are many, small and unequal) lives with that. `assign` (shards, which are few and alike) evens it out in two
passes:

    cap    shards are placed in the order of their numbers, each at the first member on its walk that is not yet full
           (consistent hashing with bounded loads: Mirrokni, Thorup, Zadimoghaddam, 2016);
    floor  members that still have too few take shards, again in the order of numbers, from members above the mean, each
           shard going to the first such member on its walk.

Both bounds are 10 % of the mean, or the nearest whole number of shards where 10 % is less than one shard.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache

VIRTUAL_NODES_DEFAULT = 128
VIRTUAL_NODES_MAX = 4096
_UNEVENNESS_PERCENT = 10


def position(key: str) -> int:
    """Where a key stands on the circle: 0 <= position < 2**64, the same for ever and everywhere."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


@lru_cache(maxsize=1024)
def _points(member: str, virtual_nodes: int) -> tuple[int, ...]:
    return tuple(position(f"{member}#{number}") for number in range(virtual_nodes))


class Ring:
    """An immutable ring. `members` are names (addresses), in any order, doubles counted once."""

    __slots__ = ("_owners", "_positions", "members")

    def __init__(self, members: Iterable[str], virtual_nodes: int = VIRTUAL_NODES_DEFAULT) -> None:
        if not 1 <= virtual_nodes <= VIRTUAL_NODES_MAX:
            raise ValueError(f"virtual_nodes must be 1 to {VIRTUAL_NODES_MAX}, not {virtual_nodes}")
        self.members: tuple[str, ...] = tuple(sorted(set(members)))
        # Two members at one position (as good as never) are told apart by name.
        points = sorted((at, member) for member in self.members for at in _points(member, virtual_nodes))
        self._positions = [at for at, _ in points]
        self._owners = [member for _, member in points]

    def lookup(self, key: str) -> str:
        """The member that owns `key`. Raises LookupError on a ring without members."""
        if not self._owners:
            raise LookupError("the ring has no members")
        return self._owners[self._first_point(key)]

    def assign(self, shard_count: int) -> list[str]:
        """The owner of each shard, by shard number, evened out. Raises LookupError on a ring without members."""
        if not self._owners:
            raise LookupError("the ring has no members")
        starts = [self._first_point(f"shard-{shard}") for shard in range(shard_count)]
        load = dict.fromkeys(self.members, 0)
        assigned = self._place(starts, load)
        self._level(starts, load, assigned)
        return assigned

    def _first_point(self, key: str) -> int:
        return bisect_left(self._positions, position(key)) % len(self._owners)

    def _place(self, starts: list[int], load: dict[str, int]) -> list[str]:
        """The first pass: nobody gets more than the cap. Room for all: cap * members >= shards."""
        shards, members, owners = len(starts), len(self.members), self._owners
        cap = max(shards * (100 + _UNEVENNESS_PERCENT) // (100 * members), -(-shards // members))
        assigned = []
        for point in starts:
            while load[owners[point]] >= cap:
                point = (point + 1) % len(owners)
            load[owners[point]] += 1
            assigned.append(owners[point])
        return assigned

    def _level(self, starts: list[int], load: dict[str, int], assigned: list[str]) -> None:
        """The second pass, in place: nobody has less than the floor. Whoever is short, another is above the mean."""
        shards, members, owners = len(starts), len(self.members), self._owners
        floor = min(-(-shards * (100 - _UNEVENNESS_PERCENT) // (100 * members)), shards // members)
        short = {member for member in self.members if load[member] < floor}
        for shard, point in enumerate(starts):
            if not short:
                return
            giver = assigned[shard]
            if load[giver] * members <= shards:
                continue
            while owners[point] not in short:
                point = (point + 1) % len(owners)
            taker = owners[point]
            load[giver] -= 1
            load[taker] += 1
            assigned[shard] = taker
            if load[taker] >= floor:
                short.discard(taker)
