"""A model of Cassandra's replicas: every partition on all of them, writes and reads by quorum, lightweight transactions, and
what can go wrong between a coordinator and the replicas.

A write goes to each replica by itself: it is applied soon, late, or never, and the coordinator answers when a quorum has it, or
gives up after a while without knowing (and what is on its way goes on). A read asks a quorum, each replica at its own moment, and
puts together what they have; with `read_repair` the replicas that it asked have it all before it answers.

Transactions of a partition happen one after the other, each at one moment at which it reads a quorum and, if its condition holds,
changes one. One that fails halfway stays in progress: decided, perhaps on a replica already, or undecided. The next transaction
or serial read of the partition settles it first; undecided ones may turn out either way, once.

All chance comes from the `random.Random` that it is given, all time from the event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from tenuto_server.persistence.interface import StoreUnavailable

from .cells import Change, Partition, merged

QUORUM = 2
REPLICAS = 3

Place = tuple[str, tuple[Any, ...]]


@dataclass(slots=True)
class ReplicaFaults:
    """Chances (0 to 1) and times in seconds.

    delay_s: mean time of one way between a coordinator and a replica.
    stall, stall_s: chance of a way that takes up to `stall_s`.
    refused: of a request that nothing is done for.
    missed: of a write, for each replica, that it does not get there.
    late, late_s: that what was missed gets there after all, up to `late_s` later.
    lost_answer: of a request that is done, and told as failed.
    half: of a transaction whose condition holds, that it is left in progress.
    down_s: mean time between two moments at which one replica cannot be reached for up to `down_max_s`; 0 is never.
    timeout_s: after which a coordinator gives up.
    skew_s: how far the clocks of coordinators may be apart.
    """

    delay_s: float = 0.0
    stall: float = 0.0
    stall_s: float = 5.0
    refused: float = 0.0
    missed: float = 0.0
    late: float = 0.0
    late_s: float = 30.0
    lost_answer: float = 0.0
    half: float = 0.0
    down_s: float = 0.0
    down_max_s: float = 10.0
    timeout_s: float = 2.0
    skew_s: float = 0.0


class Progress(NamedTuple):
    """A transaction that was left in progress."""

    change: Change
    is_decided: bool


class Replicas:
    """The replicas of one keyspace, and what coordinators do with them. `faults` may be changed at any time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chance: random.Random, *, read_repair: bool = True) -> None:
        self.faults = ReplicaFaults()
        self.read_repair = read_repair
        self._loop = loop
        self._chance = chance
        self._context = contextvars.copy_context()
        self._held: list[dict[Place, Partition]] = [{} for _ in range(REPLICAS)]
        self._progress: dict[Place, Progress] = {}
        self._ballots: dict[Place, int] = {}
        self._up_again = [0.0] * REPLICAS
        self._next_fall = 0.0
        self._late: dict[int, asyncio.TimerHandle] = {}
        self._late_number = 0

    def heal(self) -> None:
        """No more faults, all replicas up; what is late still comes."""
        self.faults = ReplicaFaults()
        self._up_again = [0.0] * REPLICAS

    def kill(self) -> None:
        """What is late never comes."""
        for handle in self._late.values():
            handle.cancel()
        self._late.clear()

    def now_us(self) -> int:
        """The time by the clock of some coordinator, microseconds since the epoch."""
        skew_s = self._chance.uniform(-1, 1) * self.faults.skew_s
        return 1_700_000_000_000_000 + int((self._loop.time() + skew_s) * 1e6)

    def places(self, table: str) -> list[tuple[Any, ...]]:
        """The keys of all partitions of a table, in order of being made."""
        found: dict[tuple[Any, ...], None] = {}
        for held in self._held:
            found.update((key, None) for name, key in held if name == table)
        return list(found)

    # --- chance -------------------------------------------------------------------------------------------------------
    def _happens(self, chance: float) -> bool:
        return chance > 0.0 and self._chance.random() < chance

    def _way(self) -> float:
        if self._happens(self.faults.stall):
            return self._chance.uniform(0.0, self.faults.stall_s)
        return self._chance.expovariate(1.0 / self.faults.delay_s) if self.faults.delay_s else 0.0

    def _up(self) -> list[int]:
        """The replicas that can be reached now; every now and then one falls."""
        now = self._loop.time()
        if self.faults.down_s and now >= self._next_fall:
            if self._next_fall:
                number = self._chance.randrange(REPLICAS)
                self._up_again[number] = now + self._chance.uniform(0.0, self.faults.down_max_s)
            self._next_fall = now + self._chance.expovariate(1.0 / self.faults.down_s)
        return [number for number in range(REPLICAS) if self._up_again[number] <= now]

    def _later(self, wait_s: float, action: Callable[[], None]) -> None:
        """Happens whatever becomes of whoever asked for it."""
        if wait_s <= 0.0:
            action()
            return
        number = self._late_number = self._late_number + 1

        def act() -> None:
            del self._late[number]
            action()

        self._late[number] = self._loop.call_later(wait_s, act, context=self._context)

    async def _outcome(self, wait_s: float | None) -> None:
        """Waits for an answer that comes after `wait_s`, or never."""
        if wait_s is None or wait_s > self.faults.timeout_s:
            await asyncio.sleep(self.faults.timeout_s)
            raise StoreUnavailable("the coordinator gave up: nobody knows what was done")
        if wait_s > 0.0:
            await asyncio.sleep(wait_s)
        if self._happens(self.faults.lost_answer):
            raise StoreUnavailable("done, but the answer is lost")

    def _refuse(self) -> None:
        if self._happens(self.faults.refused):
            raise StoreUnavailable("refused")

    # --- writing ------------------------------------------------------------------------------------------------------
    def _partition(self, number: int, place: Place) -> Partition:
        return self._held[number].setdefault(place, Partition())

    def _apply(self, number: int, place: Place, change: Change) -> None:
        self._partition(number, place).apply(change)

    async def write(self, changes: Iterable[tuple[Place, Change]]) -> None:
        """Makes changes of one or several partitions, each by itself. Raises StoreUnavailable."""
        self._refuse()
        waits = [self._send(place, change) for place, change in changes]
        await self._outcome(None if None in waits else max((wait for wait in waits if wait is not None), default=0.0))

    def _send(self, place: Place, change: Change) -> float | None:
        """Sends a change to every replica; when a quorum will have said that it has it."""
        up = self._up()
        acknowledged: list[float] = []
        to_coordinator = self._way()
        for number in range(REPLICAS):
            wait_s = to_coordinator + self._way()
            if number not in up or self._happens(self.faults.missed):
                if not self._happens(self.faults.late):
                    continue
                wait_s += self._chance.uniform(0.0, self.faults.late_s)
            else:
                acknowledged.append(wait_s + self._way())
            self._later(wait_s, partial(self._apply, number, place, change))
        return sorted(acknowledged)[QUORUM - 1] if len(acknowledged) >= QUORUM else None

    # --- reading ------------------------------------------------------------------------------------------------------
    async def read(self, place: Place, asked_count: int = QUORUM) -> Partition:
        """What a quorum of replicas has of a partition, or as many as are to be asked. Raises StoreUnavailable."""
        self._refuse()
        up = self._up()
        if len(up) < asked_count:
            await self._outcome(None)
        asked = self._chance.sample(up, asked_count)
        whole = Partition()
        heard = 0.0
        for number in asked:
            wait_s = self._way()
            self._later(wait_s, lambda number=number: whole.merge(self._partition(number, place)))  # type: ignore[misc]
            heard = max(heard, wait_s + self._way())
        await self._outcome(heard)
        if self.read_repair:
            await self._repair(place, whole, asked)
        return whole

    async def _repair(self, place: Place, whole: Partition, asked: Sequence[int]) -> None:
        behind = [number for number in asked if self._lacks(number, place, whole)]
        if not behind:
            return
        if self._happens(self.faults.missed):
            await self._outcome(None)
        wait_s = self._way()
        for number in behind:
            self._later(wait_s, partial(self._merge, number, place, whole))
        await self._outcome(wait_s + self._way())

    def _merge(self, number: int, place: Place, whole: Partition) -> None:
        self._partition(number, place).merge(whole)

    def _lacks(self, number: int, place: Place, whole: Partition) -> bool:
        held = self._held[number].get(place)
        if held is None:
            return bool(whole.cells or whole.deletions)
        return whole.cells != held.cells or whole.deletions != held.deletions

    # --- transactions -------------------------------------------------------------------------------------------------
    async def read_serial(self, place: Place) -> Partition:
        """What a quorum has, after settling what was in progress. Raises StoreUnavailable."""
        return await self._at_one_moment(lambda: self._settled(place))

    async def transact(self, place: Place, decide: Callable[[Partition, int], tuple[Change | None, Any]]) -> Any:
        """Lets `decide` look at the partition, with the timestamp for its change; makes the change if it answers one, and returns
        the rest of its answer. Raises StoreUnavailable, and then it may have been done, or be done yet."""

        def act() -> Any:
            whole = self._settled(place)
            ballot = self._ballots[place] = max(self.now_us(), self._ballots.get(place, 0) + 1)
            change, answer = decide(whole, ballot)
            if change is None:
                return answer
            if self._happens(self.faults.half):
                self._leave(place, change)
                raise StoreUnavailable("left in progress")
            self._commit(place, change)
            return answer

        return await self._at_one_moment(act)

    def _at_one_moment(self, act: Callable[[], Any]) -> Coroutine[Any, Any, Any]:
        """Does it when the request arrives, whatever becomes of whoever asked."""
        self._refuse()
        answer: asyncio.Future[Any] = self._loop.create_future()

        def arrived() -> None:
            try:
                result = act()
            except StoreUnavailable as error:
                if not answer.done():
                    answer.set_exception(error)
                    answer.exception()
                return
            if not answer.done():
                answer.set_result(result)

        self._later(self._way() + self._way(), arrived)
        return self._answered(answer)

    async def _answered(self, answer: asyncio.Future[Any]) -> Any:
        try:
            async with asyncio.timeout(self.faults.timeout_s):
                result = await answer
        except TimeoutError as error:
            raise StoreUnavailable("the coordinator gave up: nobody knows what was done") from error
        await self._outcome(self._way())
        return result

    def _settled(self, place: Place) -> Partition:
        """A quorum's view once nothing is in progress. Raises StoreUnavailable."""
        up = self._up()
        if len(up) < QUORUM:
            raise StoreUnavailable("no quorum")
        progress = self._progress.pop(place, None)
        if progress is not None and (progress.is_decided or self._happens(0.5)):
            self._commit(place, progress.change)
        return merged([self._partition(number, place) for number in self._chance.sample(up, QUORUM)])

    def _commit(self, place: Place, change: Change) -> None:
        """Has a quorum make the change at once, the others perhaps later."""
        up = self._up()
        now = self._chance.sample(up, QUORUM)
        for number in range(REPLICAS):
            if number in now:
                self._apply(number, place, change)
            elif number in up and not self._happens(self.faults.missed):
                self._later(self._way(), partial(self._apply, number, place, change))
            elif self._happens(self.faults.late):
                self._later(self._chance.uniform(0.0, self.faults.late_s), partial(self._apply, number, place, change))

    def _leave(self, place: Place, change: Change) -> None:
        is_decided = self._happens(0.5)
        if is_decided:
            for number in self._chance.sample(range(REPLICAS), self._chance.randrange(QUORUM)):
                self._apply(number, place, change)
        self._progress[place] = Progress(change, is_decided)
