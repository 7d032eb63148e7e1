"""What one seed stands for: the size of the cluster, the load, and how badly the world behaves. All of it drawn from
the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from .faulty_store import Faults
from .network import NetworkFaults
from .workload import Load


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run. `calm`: nothing fails and all workers behave, so nothing at all may time out.

    mishap_s: mean virtual seconds between two mishaps (crashes, stops, partitions, broken links); 0 is none.
    midway: everything crashes once more while runs are still open. victims: workflow ids whose runs are deleted.
    replicated: the store is the product's for Cassandra, on a model of replicas; "lwt" or "checked" is the form of its logs.
    schedules: how many; with any there is a worker-host.
    log_page_rows: how many rows of a log are read at once.
    idle_runs_max: how many workflows at rest a history process may keep in memory.
    mishaps: which kinds. skew_s: how far apart the processes' clocks may be. shuffle: see `loop`.
    """

    seed: str
    calm: bool
    frontends: int
    histories: int
    matchings: int
    shards: int
    static: bool
    load: Load
    network: NetworkFaults = field(default_factory=NetworkFaults)
    store: Faults = field(default_factory=Faults)
    storm_s: float = 30.0
    mishap_s: float = 0.0
    mishaps: tuple[str, ...] = ()
    rude: float = 0.0
    skew_s: float = 0.0
    shuffle: float = 0.0
    midway: bool = False
    victims: int = 0
    idle_runs_max: int = 10_000
    replicated: str = ""
    log_page_rows: int = 100
    schedules: int = 0


MISHAPS = (
    "unannounced",
    "cut off",
    "crash history",
    "crash history",
    "crash matching",
    "crash frontend",
    "stop",
    "partition",
    "one way",
    "break",
    "add",
)


def scenario_of(seed: str) -> Scenario:
    """The scenario of a seed: one in eight is calm, the others mix faults; one in ten is bigger."""
    chance = random.Random(f"scenario:{seed}")
    big = chance.random() < 0.1
    load = Load(
        workflows=chance.randint(6, 10) if big else chance.randint(1, 4),
        task_lists=chance.choice([1, 1, 2]),
        decision_workers=chance.choice([1, 2]),
        activity_workers=chance.choice([1, 2]),
        sticky=chance.choice([0.0, 0.5, 1.0]),
        meddling=chance.choice([0.3, 0.6, 1.0]),
        spread_s=chance.choice([0.5, 5.0, 15.0]),
    )
    scenario = Scenario(
        seed,
        calm=chance.random() < 0.125,
        frontends=chance.choice([1, 1, 2]),
        histories=chance.choice([1, 2, 2, 3]),
        matchings=chance.choice([1, 1, 2]),
        shards=chance.choice([1, 2, 4, 8]),
        static=chance.random() < 0.3,
        load=load,
        storm_s=1.0,
        shuffle=chance.choice([0.0, 0.0, 0.1, 0.5]),
        # Of its own chance: whatever else a seed stands for stays what it was.
        victims=random.Random(f"victims:{seed}").choice([0, 0, 0, 1, 2]),
        idle_runs_max=random.Random(f"idle:{seed}").choice([10_000, 10_000, 3, 0]),
        replicated=random.Random(f"replicated:{seed}").choice(["", "", "", "lwt", "checked", "checked"]),
        log_page_rows=random.Random(f"page:{seed}").choice([100, 100, 1, 3]),
        schedules=random.Random(f"schedules:{seed}").choice([0] * 22 + [1, 2]),
    )
    if scenario.calm:
        return replace(scenario, load=replace(load, polite=True))
    network, store = _faults(chance)
    kinds = tuple(sorted(chance.sample(MISHAPS, chance.randint(1, 4)))) if chance.random() < 0.8 else ()
    return replace(
        scenario,
        load=replace(load, think_s=chance.choice([0.05, 0.05, 1.5])),
        network=network,
        store=store,
        storm_s=chance.uniform(5.0, 40.0),
        mishap_s=chance.choice([2.0, 5.0, 10.0]) if kinds else 0.0,
        mishaps=kinds,
        rude=chance.choice([0.0, 0.1, 0.3]),
        skew_s=chance.choice([0.0, 0.0, 0.1, 2.0]),
        midway=chance.random() < 0.3,
    )


def _faults(chance: random.Random) -> tuple[NetworkFaults, Faults]:
    """Each kind of fault is off in most runs, so that some runs have few at once and reach far."""
    network = NetworkFaults(
        delay_s=chance.choice([0.001, 0.01, 0.1]),
        tail=chance.choice([0.0, 0.01, 0.05]),
        lose_request=chance.choice([0.0, 0.0, 0.01, 0.05]),
        lose_reply=chance.choice([0.0, 0.0, 0.01, 0.05]),
        double=chance.choice([0.0, 0.0, 0.05]),
        lone=chance.choice([0.0, 0.3, 1.0]),
        detect_s=chance.choice([0.2, 3.0, 6.0]),
    )
    store = Faults(
        delay_s=chance.choice([0.0005, 0.005, 0.05]),
        stall=chance.choice([0.0, 0.0, 0.005]),
        refused=chance.choice([0.0, 0.0, 0.02, 0.1]),
        lost_answer=chance.choice([0.0, 0.0, 0.02, 0.1]),
        late=chance.choice([0.0, 0.5, 1.0]),
        partial=chance.choice([0.0, 0.5]),
    )
    return network, store
