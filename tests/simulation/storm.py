"""The mishaps of a run: processes crash, stop, come back and join, the network parts and heals, at moments a seed
decides."""

from __future__ import annotations

import asyncio
import random

from .cluster import Cluster, Process


async def storm(cluster: Cluster) -> None:
    """Rages for the scenario's `storm_s`, then ends whatever it began. Crashed processes may still be down after it."""
    scenario = cluster.scenario
    chance = random.Random(f"storm:{scenario.seed}")
    end = cluster.loop.time() + scenario.storm_s
    hosts = random.Random(f"storm of hosts:{scenario.seed}")
    stops: list[asyncio.Task[None]] = []
    while scenario.mishap_s and (pause_s := chance.expovariate(1 / scenario.mishap_s)) < end - cluster.loop.time():
        await asyncio.sleep(pause_s)
        kind = chance.choice(scenario.mishaps)
        if scenario.schedules and hosts.random() < 0.2:
            _crash(cluster, hosts, "worker-host")
        if kind.startswith("crash "):
            _crash(cluster, chance, kind.removeprefix("crash "))
        elif kind == "stop":
            ready = [process for process in cluster.processes.values() if process.ready]
            if ready:
                stops.append(asyncio.create_task(_stop(cluster, chance.choice(ready), chance.uniform(0, 5))))
        elif kind == "add" and not scenario.static:
            role = chance.choice(["history", "matching"])
            if len(cluster.of(role)) < 5:
                cluster.add(role)
        elif kind == "break":
            cluster.network.break_random_link()
        elif kind in ("unannounced", "cut off"):
            _cut_off(cluster, chance, ("announce",) if kind == "unannounced" else ("all",))
        elif kind in ("partition", "one way"):
            first, second = chance.sample(sorted(cluster.processes), 2)
            cluster.network.partition(first, second, one_way=kind == "one way")
            cluster.loop.call_later(chance.uniform(0.5, 15), cluster.network.reunite, first, second)
    await asyncio.sleep(max(0.0, end - cluster.loop.time()))
    if stops:
        await asyncio.wait(stops)


def _crash(cluster: Cluster, chance: random.Random, role: str) -> None:
    up = cluster.of(role, up=True)
    if not up:
        return
    process = chance.choice(up)
    cluster.crash(process)
    back_s = chance.choice([0.0, chance.uniform(0, 2), chance.uniform(0, 20)])
    cluster.loop.call_later(back_s, _come_back, cluster, process, process.life)


def _cut_off(cluster: Cluster, chance: random.Random, methods: tuple[str, ...]) -> None:
    """A living history process cannot announce itself, or reach the store at all, long enough for others to take
    over."""
    up = [process for process in cluster.of("history", up=True) if process.store is not None]
    if not up:
        return
    process = chance.choice(up)
    store = process.store
    assert store is not None
    cluster.trace.note(f"cut off {process.incarnation} {methods}")
    store.refuses = methods

    def again() -> None:
        store.refuses = ()

    cluster.loop.call_later(chance.uniform(1, 25), again)


def _come_back(cluster: Cluster, process: Process, life: int) -> None:
    if not process.up and process.life == life:
        cluster.start(process)


async def _stop(cluster: Cluster, process: Process, back_s: float) -> None:
    await cluster.stop(process)
    life = process.life
    await asyncio.sleep(back_s)
    _come_back(cluster, process, life)
