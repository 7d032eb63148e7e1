"""The commit log alone, on failing replicas: one writer, who may fall silent and come back, and several who take over from it.
Thousands of seeds in the time that the whole cluster needs for a few.

    python -m tests.simulation.log_storm --seeds 2000 [--first 1]

The writer appends as a history process does (one at a time, or several), makes again what it does not know the outcome of, trims
what it likes to, and goes on until it is told that its log is sealed. Takers seal the log and read it with the product's own
reader; each writes a note how far the log counts for its shard, as the shard's row would hold it, unless there is one. In the end
the log is deleted, while the writer may not have noticed anything yet.

What must hold, whatever the faults:
- all that was ever acknowledged, also after the log was deleted, is in what every taker reads, or is trimmed;
- every taker reads the same, as far as it has not been trimmed; nobody reads less than a note says;
- acknowledgements come in order, bodies are what was written, and when the faults are over everybody comes to an end.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import msgspec

from tenuto_server.history.log import Step, decode_batch, encode_batch
from tenuto_server.history.recovery import LogGone, LogReader
from tenuto_server.persistence.cassandra import CassandraLogs, LogForm
from tenuto_server.persistence.cassandra import log as product
from tenuto_server.persistence.interface import Sealed, StoreUnavailable

from .loop import Runaway, Stuck, new_loop
from .replica_session import Keyspace, ReplicaSession, tables_of
from .replicas import ReplicaFaults, Replicas

LOG = "writer/1"
SHARDS = 3
RETRY_S = 0.05
# Appends after the faults are over and all have taken over: those that count already may be acknowledged once more.
TOLD_WITHIN = 200
TABLES = tables_of()

MakeLogs = Callable[[ReplicaSession, LogForm], CassandraLogs]


@dataclass(frozen=True)
class Plan:
    """What a seed stands for. `at_once`: appends in flight; `pauses`: when the writer falls silent, and for how long."""

    seed: str
    form: LogForm
    faults: ReplicaFaults
    read_repair: bool
    at_once: int
    appends: int
    gap_s: float
    pauses: tuple[tuple[int, float], ...]
    takers: tuple[float, ...]
    trims: float
    large: float
    page_rows: int
    segment_rows: int
    is_deleted: bool
    shuffle: float
    storm_s: float


def plan_of(seed: str) -> Plan:
    """The plan of a seed."""
    chance = random.Random(f"log:{seed}")
    appends = chance.choice([3, 12, 40])
    at_once = chance.choice([1, 1, 4, 8])
    gap_s = chance.choice([0.0, 0.02, 0.5])
    faults = ReplicaFaults(
        delay_s=chance.choice([0.001, 0.02, 0.2]),
        stall=chance.choice([0.0, 0.02, 0.2]),
        refused=chance.choice([0.0, 0.0, 0.1]),
        missed=chance.choice([0.0, 0.1, 0.4]),
        late=chance.choice([0.0, 0.5, 1.0]),
        late_s=chance.choice([0.5, 10.0]),
        lost_answer=chance.choice([0.0, 0.1, 0.3]),
        half=chance.choice([0.0, 0.2]),
        down_s=chance.choice([0.0, 2.0]),
        down_max_s=chance.choice([1.0, 5.0]),
        timeout_s=chance.choice([0.3, 2.0]),
        skew_s=chance.choice([0.0, 5.0]),
    )
    # About as long as the appends take; longer than that faults only make the same things happen again.
    length_s = max(1.0, appends * max(gap_s, 8 * faults.delay_s))
    return Plan(
        seed=seed,
        form=chance.choice(list(LogForm)),
        faults=faults,
        read_repair=chance.random() < 0.5,
        at_once=at_once,
        appends=appends,
        gap_s=gap_s,
        pauses=tuple((chance.randint(1, appends), chance.uniform(0.0, 2 * length_s)) for _ in range(chance.choice([0, 1, 2]))),
        takers=tuple(chance.uniform(0.2, 2.0) * length_s for _ in range(chance.choice([1, 2, 3]))),
        trims=chance.choice([0.0, 0.1, 0.5]),
        large=chance.choice([0.0, 0.3]),
        page_rows=chance.choice([1, 3, 100]),
        segment_rows=chance.choice([2, 5, 64]),
        is_deleted=chance.random() < 0.5,
        # Appends must begin in their order.
        shuffle=0.3 if at_once == 1 and chance.random() < 0.5 else 0.0,
        storm_s=2 * length_s + 5.0,
    )


@dataclass
class LogRun:
    """One run and what it finds. `one` names statements that a planted mistake reads at ONE."""

    plan: Plan
    make_logs: MakeLogs
    one: frozenset[str] = frozenset()
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop = new_loop(self.plan.seed, shuffle=self.plan.shuffle, steps_max=200_000)
        self.chance = random.Random(f"storm:{self.plan.seed}")
        self.replicas = Replicas(self.loop, random.Random(f"replicas:{self.plan.seed}"), read_repair=self.plan.read_repair)
        self.keyspace = Keyspace(self.replicas, TABLES)
        self.bodies: dict[int, bytes] = {}
        self.acknowledged: list[int] = []
        # The writer knows that its log is sealed.
        self.is_told = False
        # By shard: how far the log counts, and by taker what it read.
        self.notes: dict[int, int] = {}
        self.read: dict[str, tuple[int, dict[int, Step]]] = {}

    def logs(self, form: LogForm) -> CassandraLogs:
        """The log as one process sees it."""
        return self.make_logs(ReplicaSession(self.keyspace, one=self.one), form)

    def run(self) -> list[str]:
        """What is wrong."""
        try:
            with patch.object(product, "SEGMENT_ROWS", self.plan.segment_rows), patch.object(product, "CHUNK_BYTES", 200):
                self.loop.run_until_complete(self._run())
        except (Stuck, Runaway) as error:
            self.problems.append(f"{type(error).__name__}: {error}"[:500])
        except msgspec.ValidationError as error:
            self.problems.append(f"what was read is no batch: {error}")
        finally:
            self.problems += self.loop.problems
            self.loop.close()
        return self.problems

    async def _run(self) -> None:
        writer = self.logs(self.plan.form)
        await self._certainly(lambda: writer.create_log(LOG))
        self.replicas.faults = self.plan.faults
        self.loop.call_later(self.plan.storm_s, self.replicas.heal)
        writing = asyncio.create_task(self._write(writer))
        taking = [asyncio.create_task(self._take_over(f"taker {n}", at_s)) for n, at_s in enumerate(self.plan.takers)]
        await asyncio.wait(taking)
        if self.plan.is_deleted:
            await self._delete()
        await asyncio.wait([writing])
        self.replicas.heal()
        for task in (writing, *taking):
            error = task.exception()
            if error is not None:
                self.problems.append(f"what was read is wrong, or it broke: {error!r}")
        if not self.plan.is_deleted:
            # Whatever is late has come when the last ones look.
            await asyncio.sleep(60.0)
            await self._take_over("the last", 0.0)
        self._check()

    # --- the writer ---------------------------------------------------------------------------------------------------
    async def _write(self, logs: CassandraLogs) -> None:
        """Appends, `at_once` under way, until it is told that the log is sealed."""
        trimming = asyncio.create_task(self._trim(logs))
        room = asyncio.Semaphore(self.plan.at_once)
        under_way: list[asyncio.Task[None]] = []
        seq = 0
        left = TOLD_WITHIN
        while not self.is_told and left:
            seq += 1
            left -= self.loop.time() > self.plan.storm_s and len(self.read) == SHARDS * len(self.plan.takers)
            await room.acquire()
            for at, pause_s in self.plan.pauses:
                if at == seq:
                    await asyncio.sleep(pause_s)
            under_way.append(asyncio.create_task(self._append(logs, seq, room)))
            await asyncio.sleep(self.plan.gap_s if seq < self.plan.appends else 1.0)
        if not self.is_told:
            self.problems.append("the writer is never told that its log is sealed")
        trimming.cancel()
        await asyncio.wait([trimming, *under_way])
        for task in under_way:
            if task.exception() is not None:
                self.problems.append(f"the writer broke: {task.exception()!r}")

    async def _append(self, logs: CassandraLogs, seq: int, room: asyncio.Semaphore) -> None:
        body = self._body(seq)
        while not self.is_told:
            try:
                await logs.append(LOG, seq, body)
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)
            except Sealed:
                self.is_told = True
            else:
                self._acknowledge(seq)
                break
        room.release()

    def _acknowledge(self, seq: int) -> None:
        if self.acknowledged and seq < self.acknowledged[-1]:
            self.problems.append(f"append {seq} was acknowledged after {self.acknowledged[-1]}")
        self.acknowledged.append(seq)

    def _body(self, seq: int) -> bytes:
        """A batch with a step for each shard; some are too large for one chunk."""
        filling = "x" * self.chance.randint(100, 900) if self.chance.random() < self.plan.large else ""
        steps = [Step(shard, 1, "domain", f"{seq}", filling, seq, []) for shard in range(SHARDS)]
        return self.bodies.setdefault(seq, encode_batch(steps))

    async def _trim(self, logs: CassandraLogs) -> None:
        while self.plan.trims:
            await asyncio.sleep(self.chance.expovariate(self.plan.trims))
            through = self.chance.randint(0, self._unbroken())
            try:
                await logs.trim_log(LOG, through)
            except StoreUnavailable:
                continue

    def _unbroken(self) -> int:
        through = 0
        while through + 1 in self.bodies and through + 1 in self.acknowledged:
            through += 1
        return through

    # --- takers -------------------------------------------------------------------------------------------------------
    async def _take_over(self, name: str, at_s: float) -> None:
        await asyncio.sleep(at_s)
        # The setting of a process is for the logs that it makes, not for those of others.
        logs: Any = self.logs(self.chance.choice(list(LogForm)))
        reader = LogReader(logs, self.plan.page_rows)
        await self._certainly(lambda: logs.seal(LOG))
        end = await self._certainly(lambda: reader.end_of(LOG))
        for shard in range(SHARDS):
            through = self.notes.setdefault(shard, end)
            try:
                steps = await reader.steps(LOG, through, shard)
            except LogGone as error:
                self.problems.append(f"{name} read less than the note says: {error}")
                return
            self.read[f"{name}, shard {shard}"] = (end, {step.version: step for step in steps})

    async def _delete(self) -> None:
        logs = self.logs(self.plan.form)
        await self._certainly(lambda: logs.delete_log(LOG))
        if LOG in await self._certainly(logs.list_logs):
            self.problems.append("a deleted log is listed")

    async def _certainly(self, call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        while True:
            try:
                return await call()
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)

    # --- the findings -------------------------------------------------------------------------------------------------
    def _check(self) -> None:
        for name, (end, steps) in self.read.items():
            missed = [seq for seq in self.acknowledged if seq > end]
            if missed:
                self.problems.append(f"{name} read up to {end}, and missed what was acknowledged: {missed}")
            for seq, step in steps.items():
                if encode_batch([step]) not in [encode_batch([one]) for one in decode_batch(self.bodies[seq])]:
                    self.problems.append(f"{name} read another row {seq} than was written")
            numbers = sorted(steps)
            if numbers and numbers != list(range(numbers[0], numbers[-1] + 1)):
                self.problems.append(f"{name} read {numbers}")
        ends = {end for end, _ in self.read.values()}
        if len(ends) > 1:
            self.problems.append(
                f"takers do not agree where the log ends: { {name: end for name, (end, _) in self.read.items()} }"
            )


def run_seed(
    seed: int,
    make_logs: MakeLogs = CassandraLogs,
    one: frozenset[str] = frozenset(),
    change: Callable[[Plan], Plan] = lambda plan: plan,
) -> list[str]:
    """What is wrong with one seed, its plan changed as asked."""
    return LogRun(change(plan_of(str(seed))), make_logs, one).run()


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.log_storm", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    arguments = parser.parse_args()
    failed = 0
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        problems = run_seed(seed)
        failed += bool(problems)
        for problem in problems[:5]:
            print(f"seed {seed}: {problem}")
    print(f"{arguments.seeds} seeds, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
