"""Faults as small actors: each does its harm to a world, and waits until the world serves again.

A fault takes the world and returns when what it ended is up again; several make a scenario, one after the other or at the same
time (`together`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tests.cassandra.node import Node as CassandraNode
from tests.e2e.cluster import Cluster, Node, get
from tests.e2e.server import ServerFailed

READY_SECONDS = 120.0
# Longer than a silent process stays in the membership table, by the settings' defaults: see tenuto_server.node.settings.
PAST_LEASE_SECONDS = 10.0


@dataclass(slots=True)
class World:
    """What faults act upon. `cassandra` is empty where the store is another one, or not ours to harm."""

    cluster: Cluster
    cassandra: list[CassandraNode]
    chance: random.Random
    done: list[str] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)

    async def pause(self, least_s: float, most_s: float) -> None:
        """Lets the world go on for a while."""
        await asyncio.sleep(self.chance.uniform(least_s, most_s))

    async def up(self, node: Node) -> None:
        """Starts a process again and waits until it says that it is ready."""
        node.start()
        await self.ready(node)

    async def ready(self, node: Node) -> None:
        """Waits until it says that it is ready. Raises ServerFailed."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while (await asyncio.to_thread(get, node.http, "/readyz"))[0] != 200:
            node.check()
            if loop.time() - begun > READY_SECONDS:
                raise ServerFailed(f"{node.name} is not ready:\n{node.output()}")
            await asyncio.sleep(0.1)
        self.recoveries_s.append(loop.time() - begun)


Fault = Callable[[World], Awaitable[None]]


def kill(name: str, down_s: tuple[float, float] = (0.0, 1.0)) -> Fault:
    """kill -9 of a process, which is started again."""

    async def fault(world: World) -> None:
        node = world.cluster.nodes[name]
        world.done.append(f"kill {name}")
        node.kill()
        await world.pause(*down_s)
        await world.up(node)

    return fault


def kill_at_random(times: int, between_s: tuple[float, float] = (0.5, 3.0)) -> Fault:
    """kill -9 of any process, again and again; sometimes before it is ready."""

    async def fault(world: World) -> None:
        for _ in range(times):
            node = world.chance.choice(list(world.cluster.nodes.values()))
            world.done.append(f"kill {node.name}")
            node.kill()
            await world.pause(0.0, 1.0)
            node.start()
            if world.chance.random() < 0.7:
                await world.ready(node)
            await world.pause(*between_s)
        for node in world.cluster.nodes.values():
            await world.ready(node)

    return fault


def zombie(name: str, seconds: float = PAST_LEASE_SECONDS) -> Fault:
    """A process stands still until the others have its shards, then goes on as if nothing had been."""

    async def fault(world: World) -> None:
        node = world.cluster.nodes[name]
        world.done.append(f"stop {name} for {seconds:g} s")
        node.pause()
        try:
            await asyncio.sleep(seconds)
        finally:
            node.resume()
        await world.ready(node)

    return fault


def rolling_restart(roles: Sequence[str] = ("matching", "history", "frontend", "worker-host")) -> Fault:
    """Every process is stopped in good order and started again, one after the other."""

    async def fault(world: World) -> None:
        for role in roles:
            for node in world.cluster.of(role):
                world.done.append(f"restart {node.name}")
                code = await asyncio.to_thread(node.terminate)
                if code != 0:
                    raise ServerFailed(f"{node.name} ended with code {code} after SIGTERM:\n{node.output()}")
                await world.up(node)

    return fault


def blind(name: str, seconds: float = 20.0) -> Fault:
    """A history process that never reads who else is there believes that all shards are its own; the others know better."""

    async def fault(world: World) -> None:
        node = world.cluster.nodes[name]
        world.done.append(f"{name} sees nobody else for {seconds:g} s")
        node.kill()
        # It reads the table once, at its start: until then everybody else must be gone from it.
        others = [other for other in world.cluster.of(node.role) if other is not node]
        for other in others:
            other.pause()
        try:
            await asyncio.sleep(PAST_LEASE_SECONDS)
            node.settings["membership.read"] = 3600.0
            node.start()
            await world.ready(node)
        finally:
            for other in others:
                other.resume()
        await asyncio.sleep(seconds)
        node.kill()
        del node.settings["membership.read"]
        await world.up(node)

    return fault


def restart_cassandra(*, killed: bool, which: int = 0, down_s: tuple[float, float] = (1.0, 3.0)) -> Fault:
    """A node of Cassandra ends, in good order or not, and comes back."""

    async def fault(world: World) -> None:
        node = world.cassandra[which]
        world.done.append(f"{'kill' if killed else 'stop'} Cassandra {which}")
        await asyncio.to_thread(node.kill if killed else node.stop)
        await world.pause(*down_s)
        await asyncio.to_thread(node.start)
        await asyncio.to_thread(node.wait_ready)
        for process in world.cluster.nodes.values():
            await world.ready(process)

    return fault


def pause_cassandra(seconds: float = 5.0, which: int = 0) -> Fault:
    """A node of Cassandra stands still for a while: outcomes are unknown, and some come late."""

    async def fault(world: World) -> None:
        world.done.append(f"stop Cassandra {which} for {seconds:g} s")
        world.cassandra[which].pause()
        try:
            await asyncio.sleep(seconds)
        finally:
            world.cassandra[which].resume()

    return fault


def together(*faults: Fault) -> Fault:
    """Several at the same time."""

    async def fault(world: World) -> None:
        async with asyncio.TaskGroup() as group:
            for one in faults:
                group.create_task(_awaited(one, world))

    return fault


async def _awaited(fault: Fault, world: World) -> None:
    await fault(world)
