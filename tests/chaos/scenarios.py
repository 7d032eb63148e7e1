"""The scenarios by their names, and the stores that they run on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cassandra.node import Node as CassandraNode
from tests.cassandra.node import NodeSettings, ring
from tests.cassandra.provision import Cassandra
from tests.chaos.faults import (
    Fault,
    blind,
    kill,
    kill_at_random,
    pause_cassandra,
    restart_cassandra,
    rolling_restart,
    together,
    zombie,
)
from tests.chaos.scenario import Plan
from tests.ports import free_port

SMALL = {"history": 2, "matching": 1, "frontend": 1, "worker-host": 1}
# Whatever ends, another one of its kind serves.
DOUBLE = {"history": 2, "matching": 2, "frontend": 2, "worker-host": 1}
EACH = ("history-0", "matching-0", "frontend-0", "history-1", "worker-host-0")
# By how many nodes of its own Cassandra must have.
CASSANDRA_NODES = {"cassandra": 1, "three-nodes": 3}
NAMES = ("kills", "random", "zombie", "blind", "rolling", "cassandra", "three-nodes")


def plan_of(name: str, rounds: int = 1, seed: int = 1) -> Plan:
    """The scenario of that name, its faults `rounds` times over."""
    faults: dict[str, tuple[Fault, ...]] = {
        "kills": tuple(kill(victim) for victim in EACH),
        "random": (kill_at_random(6),),
        "zombie": (zombie("history-0"), zombie("history-1"), together(zombie("history-0"), kill("matching-0"))),
        "blind": (blind("history-0"),),
        "rolling": (rolling_restart(),),
        "cassandra": (restart_cassandra(killed=True), pause_cassandra(), restart_cassandra(killed=False)),
        "three-nodes": (
            restart_cassandra(killed=True, which=2, down_s=(5.0, 8.0)),
            restart_cassandra(killed=True, which=0, down_s=(5.0, 8.0)),
            together(pause_cassandra(4.0, which=1), kill("history-0")),
        ),
    }
    counts = DOUBLE if name in ("rolling", "three-nodes") else SMALL
    return Plan(
        name=name,
        faults=faults[name] * rounds,
        counts=counts,
        worker_kills=0 if name == "rolling" else rounds,
        no_failures=name == "rolling",
        seed=seed,
    )


@contextmanager
def own_cassandra(folder: Path, count: int) -> Iterator[list[CassandraNode]]:
    """Nodes of a Cassandra of one's own, up; what it acknowledged survives a kill."""
    if count == 1:
        nodes = [CassandraNode(NodeSettings(folder / "node1", port=free_port(), storage_port=free_port(), durable=True))]
    else:
        nodes = ring(folder, count)
    try:
        for node in nodes:
            node.start()
            node.wait_ready()
        yield nodes
    finally:
        for node in nodes:
            node.remove()


def keyspace_url(where: Cassandra | list[CassandraNode]) -> str:
    """An empty keyspace of a Cassandra, as a store's URL; made when it is opened."""
    if isinstance(where, Cassandra):
        points, replication = where.contact_points, 1
    else:
        first, *others = [node.settings for node in where]
        points = ",".join([f"{first.address}:{first.port}", *(other.address for other in others)])
        replication = len(where)
    return f"cassandra://{points}/chaos_{uuid.uuid4().hex[:12]}?create=true&replication={replication}"
