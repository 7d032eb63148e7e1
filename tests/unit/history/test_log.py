"""The commit log over a store in memory: group commit, durability before anybody is told, sealing, a store that is away."""

from __future__ import annotations

import asyncio
import itertools
from typing import cast

import pytest

from tenuto_server import errors
from tenuto_server.errors import InvariantViolation
from tenuto_server.history.log import CommitLog, Step, decode_batch, encode_batch
from tenuto_server.history.measures import Measured
from tenuto_server.history.settings import HistorySettings
from tenuto_server.persistence.interface import StoreUnavailable
from tenuto_server.persistence.memory import MemoryStore
from tests.simulation.loop import SimLoop
from tests.unit.history.virtual import run, runtime


class SlowStore(MemoryStore):
    """Appends take a while, fail at first if asked to, and are noted with the loop's time at which they began."""

    def __init__(self) -> None:
        super().__init__(runtime())
        self.append_s = 1.0
        self.failures = 0
        # True: the append that "failed" is in the log all the same.
        self.fails_after_writing = False
        self.appended: list[tuple[int, float, bytes]] = []

    async def append(self, log_id: str, seq: int, body: bytes) -> None:
        self.appended.append((seq, asyncio.get_running_loop().time(), body))
        await asyncio.sleep(self.append_s)
        if self.failures:
            self.failures -= 1
            if self.fails_after_writing:
                await super().append(log_id, seq, body)
            raise StoreUnavailable("away")
        await super().append(log_id, seq, body)


def step(number: int, size: int = 0) -> Step:
    return Step(1, 1, "domain", "workflow", "run", number, [[2, b"x" * size]])


class Harness:
    """A log under test; `sealed` counts the calls of on_sealed. `busy` is the share of its time that the loop works."""

    def __init__(self, **settings: float) -> None:
        self.store = SlowStore()
        self.sealed = 0
        self.busy = 1.0
        self._cpu: tuple[float, float] = (0.0, 0.0)
        given = HistorySettings(**{"append_patience": 0.0, **settings})  # type: ignore[arg-type]
        self.log = CommitLog(self.store, "log", given, self._on_sealed, self._cpu_s, Measured(lambda: 0.0))

    def _cpu_s(self) -> float:
        at, used = self._cpu
        now = asyncio.get_running_loop().time()
        self._cpu = (now, used + (now - at) * self.busy)
        return self._cpu[1]

    def _on_sealed(self) -> None:
        self.sealed += 1

    async def stored(self) -> list[tuple[int, list[int]]]:
        """Sequence numbers in the store, each with the numbers of its steps."""
        rows = await self.store.read_log("log", 0, 1000)
        return [(row.seq, [step.version for step in decode_batch(row.body)]) for row in rows]


async def ticks(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_steps_while_an_append_is_in_flight_go_into_the_next_batch() -> None:
    async def main() -> None:
        world = Harness()
        log = world.log
        await log.start()
        assert log.last_seq == 0
        assert log.add([step(1)], 1) == 1
        assert log.add([step(2)], 1) == 1
        await ticks()
        # The first batch is on its way.
        assert [log.add([step(3), step(4)], 1), log.add([step(5)], 1)] == [2, 2]
        assert (log.last_seq, log.committed_seq) == (2, 0)
        await log.wait(2)
        assert (log.committed_seq, log.appends, log.steps_committed) == (2, 2, 5)
        assert await world.stored() == [(1, [1, 2]), (2, [3, 4, 5])]
        log.kill()

    run(main())


def test_waiters_and_actions_come_only_after_durability_actions_first() -> None:
    async def main() -> None:
        world = Harness()
        log = world.log
        told: list[tuple[str, list[tuple[int, list[int]]]]] = []

        async def wait(seq: int) -> None:
            await log.wait(seq)
            told.append((f"waiter {seq}", await world.stored()))

        def act(seq: int) -> None:
            told.append((f"action {seq}", []))
            assert log.committed_seq == seq

        await log.start()
        seq = log.add([step(1)], 1)
        log.after(seq, lambda: act(1))
        log.after(seq, lambda: act(1))
        waiter = asyncio.ensure_future(wait(seq))
        await ticks()
        second = log.add([step(2)], 1)
        log.after(second, lambda: act(2))
        # What is in flight may be waited for as well.
        late = asyncio.ensure_future(wait(1))
        await asyncio.sleep(0.9)
        assert not told
        await asyncio.gather(waiter, late, wait(second))
        names = [name for name, _ in told]
        assert names == ["action 1", "action 1", "waiter 1", "waiter 1", "action 2", "waiter 2"]
        assert told[2][1] == [(1, [1])] and told[5][1] == [(1, [1]), (2, [2])]
        # For what is durable nobody waits.
        log.after(1, lambda: told.append(("at once", [])))
        assert told[-1][0] == "at once"
        await log.wait(2)
        log.kill()

    run(main())


def test_a_batch_is_closed_at_its_size_and_appends_stay_in_order() -> None:
    async def main() -> None:
        world = Harness(batch_bytes_max=100)
        log = world.log
        await log.start()
        assert [log.add([step(number)], 60) for number in range(1, 5)] == [1, 2, 3, 4]
        # One step may be larger than a batch.
        assert log.add([step(5)], 1000) == 5
        await log.wait(5)
        assert [seq for seq, _, _ in world.store.appended] == [1, 2, 3, 4, 5]
        assert await world.stored() == [(number, [number]) for number in range(1, 6)]
        log.kill()

    run(main())


def test_what_nobody_waits_for_lies_until_somebody_waits_or_for_a_while() -> None:
    async def main() -> None:
        world = Harness(append_patience=0.5)
        world.store.append_s = 0.0
        log = world.log
        loop = asyncio.get_running_loop()
        await log.start()
        told: list[str] = []

        begun = loop.time()
        log.after(log.add([step(1)], 1), lambda: told.append("started"), is_urgent=False)
        await asyncio.sleep(0.3)
        assert (log.appends, log.steps_waiting, told) == (0, 1, [])
        log.after(log.add([step(2)], 1), lambda: told.append("completed"))
        await ticks()
        assert (log.appends, told) == (1, ["started", "completed"])

        # Nothing takes this one along; the time counts from when it was put there.
        begun = loop.time()
        await asyncio.sleep(0.1)
        alone = asyncio.Event()
        log.after(log.add([step(3)], 1), alone.set, is_urgent=False)
        await alone.wait()
        assert loop.time() - begun == pytest.approx(0.6, abs=0.01)

        # Who waits for it, does not wait for that.
        begun = loop.time()
        await log.wait(log.add([step(4)], 1))
        # Neither does the end.
        log.add([step(5)], 1)
        await log.close()
        assert loop.time() == pytest.approx(begun, abs=0.01)
        assert await world.stored() == [(1, [1, 2]), (2, [3]), (3, [4]), (4, [5])]

    run(main())


def test_what_nobody_waits_for_goes_along_with_what_fills_while_an_append_is_in_flight() -> None:
    async def main() -> None:
        world = Harness(append_patience=5.0)
        log = world.log
        loop = asyncio.get_running_loop()
        await log.start()
        begun = loop.time()
        first = loop.create_task(log.wait(log.add([step(1)], 1)))
        await ticks()
        log.add([step(2)], 1)
        await first
        # It is alone in the next batch, and lies.
        await asyncio.sleep(3.0)
        assert (log.appends, log.steps_waiting) == (1, 1)
        await log.wait(log.last_seq)
        assert loop.time() - begun == pytest.approx(5.0, abs=0.01)
        log.kill()

    run(main())


def test_nothing_is_waited_for_when_it_is_quiet() -> None:
    async def main() -> None:
        world = Harness(append_gap_max=5.0)
        log, loop = world.log, asyncio.get_running_loop()
        await log.start()
        for number in range(1, 30):
            began = loop.time()
            await log.wait(log.add([step(number)], 1))
            assert loop.time() - began < world.store.append_s + 0.001
        log.kill()

    run(main())


def test_nothing_is_waited_for_while_the_loop_has_time_to_spare() -> None:
    async def main() -> None:
        world = Harness(append_gap_max=5.0)
        world.busy = 0.5
        log, loop = world.log, asyncio.get_running_loop()
        await log.start()
        for _ in range(30):
            began = loop.time()
            await log.wait(log.add([step(number) for number in range(4)], 1))
            assert loop.time() - began < world.store.append_s + 0.001
        log.kill()

    run(main())


@pytest.mark.parametrize(("steps", "append_s", "gap_s"), [(20, 0.01, 0.02), (7, 0.01, 0.01), (4, 0.01, 0.0), (20, 1.0, 0.05)])
def test_in_a_throng_the_gap_goes_with_the_time_of_an_append(steps: int, append_s: float, gap_s: float) -> None:
    async def main() -> None:
        world = Harness(append_gap_max=0.05)
        world.busy = 0.5
        world.store.append_s = append_s
        await world.log.start()
        for _ in range(60):
            await world.log.wait(world.log.add([step(number) for number in range(steps)], 1))
        begun = [at for _, at, _ in world.store.appended]
        assert begun[1] - begun[0] == pytest.approx(append_s, abs=0.001)
        assert begun[-1] - begun[-2] == pytest.approx(append_s + gap_s, abs=0.001)
        world.log.kill()

    run(main())


def test_there_is_a_gap_where_what_is_ready_waits_for_its_turn() -> None:
    async def main() -> None:
        world = Harness(append_gap_max=5.0)
        world.busy = 0.5
        world.store.append_s = 0.001
        log, loop = world.log, cast("SimLoop", asyncio.get_running_loop())

        def hold_up() -> None:
            # As another process on the machine does: the thread computes half of the time, and each turn of the loop is long.
            loop._time += 0.01
            held_up[0] = loop.call_soon(hold_up)

        held_up = [loop.call_soon(hold_up)]
        await log.start()
        for _ in range(30):
            await log.wait(log.add([step(number) for number in range(20)], 1))
        begun = [at for _, at, _ in world.store.appended]
        assert begun[1] - begun[0] < 2
        assert begun[-1] - begun[-2] == pytest.approx(5.0, abs=0.1)
        held_up[0].cancel()
        log.kill()

    run(main())


def test_the_gap_grows_with_the_load_up_to_its_setting() -> None:
    async def main() -> None:
        world = Harness(append_gap_max=5.0)
        log = world.log
        world.store.append_s = 0.001
        await log.start()
        for _ in range(40):
            seq = log.add([step(number) for number in range(20)], 1)
            await log.wait(seq)
        begun = [at for _, at, _ in world.store.appended]
        gaps = [later - earlier for earlier, later in itertools.pairwise(begun)]
        # The averages of steps a batch and of the busy time come near twenty and all by degrees: then the gap is at its longest.
        assert gaps[0] < 1 < gaps[8]
        assert gaps == sorted(gaps) or all(gap == pytest.approx(5.0, abs=0.01) for gap in gaps[12:])
        assert gaps[-1] == pytest.approx(5.0, abs=0.01)
        # It is quiet again: the gap is gone by degrees.
        for _ in range(20):
            await log.wait(log.add([step(1)], 1))
        began = asyncio.get_running_loop().time()
        await log.wait(log.add([step(1)], 1))
        assert asyncio.get_running_loop().time() - began < 0.01
        log.kill()

    run(main())


@pytest.mark.parametrize("was_written", [False, True])
def test_an_append_with_an_unknown_outcome_is_made_again_with_the_same_bytes(was_written: bool) -> None:
    async def main() -> None:
        world = Harness(append_retry=0.5)
        log, store = world.log, world.store
        store.failures, store.fails_after_writing = 3, was_written
        await log.start()
        first = log.add([step(1)], 1)
        await ticks()
        second = log.add([step(2)], 1)
        await log.wait(second)
        assert [seq for seq, _, _ in store.appended] == [1, 1, 1, 1, 2]
        assert len({body for seq, _, body in store.appended if seq == first}) == 1
        pauses = [at for seq, at, _ in store.appended if seq == first]
        assert [round(later - earlier, 3) for earlier, later in itertools.pairwise(pauses)] == [1.5] * 3
        assert await world.stored() == [(1, [1]), (2, [2])]
        log.kill()

    run(main())


def test_a_sealed_log_fails_all_who_wait_and_tells_once() -> None:
    async def main() -> None:
        world = Harness(batch_bytes_max=10)
        log = world.log
        await log.start()
        await log.wait(log.add([step(1)], 9))
        acted: list[int] = []
        seqs = []
        for number in range(2, 6):
            seqs.append(log.add([step(number)], 9))
            log.after(seqs[-1], lambda: acted.append(1))
            await ticks()
        assert seqs == [2, 3, 4, 5]
        waiters = [asyncio.ensure_future(log.wait(seq)) for seq in seqs]
        await ticks()
        await world.store.seal("log")
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [errors.ShardOwnershipLost] * 4
        assert world.sealed == 1 and not acted
        with pytest.raises(errors.ShardOwnershipLost):
            log.add([step(6)], 1)
        with pytest.raises(errors.ShardOwnershipLost):
            await log.wait(5)
        # What was durable before is so for ever.
        await log.wait(1)
        assert await world.stored() == [(1, [1])]
        log.kill()

    run(main())


def test_close_commits_what_waits_and_kill_does_not() -> None:
    async def main() -> None:
        world = Harness()
        await world.log.start()
        world.log.add([step(1)], 1)
        await world.log.close()
        assert await world.stored() == [(1, [1])]
        with pytest.raises(errors.ShardOwnershipLost):
            world.log.add([step(2)], 1)

        world = Harness()
        await world.log.start()
        waiter = asyncio.ensure_future(world.log.wait(world.log.add([step(1)], 1)))
        await ticks()
        world.log.kill()
        with pytest.raises(errors.ShardOwnershipLost):
            await waiter
        assert world.sealed == 0

    run(main())


def test_a_waiter_that_gave_up_disturbs_nobody() -> None:
    async def main() -> None:
        world = Harness()
        await world.log.start()
        seq = world.log.add([step(1)], 1)
        impatient, patient = asyncio.ensure_future(world.log.wait(seq)), asyncio.ensure_future(world.log.wait(seq))
        await ticks()
        impatient.cancel()
        await patient
        assert impatient.cancelled()
        world.log.kill()

    run(main())


def test_a_log_that_is_behind_says_that_it_is_busy() -> None:
    async def main() -> None:
        world = Harness(pending_steps_max=10)
        world.store.append_s = 1000
        log = world.log
        await log.start()
        log.add([step(1)], 1)
        await ticks()
        log.add([step(number) for number in range(10)], 1)
        assert not log.is_busy
        log.add([step(11)], 1)
        assert log.is_busy
        log.kill()

    run(main())


def test_batches_read_back_and_other_encodings_are_refused() -> None:
    steps = [step(1, 5), step(2)]
    body = encode_batch(steps)
    assert decode_batch(body) == steps
    for broken in (b"", b"\x00" + body[1:], b"\x02" + body[1:]):
        with pytest.raises(InvariantViolation):
            decode_batch(broken)
