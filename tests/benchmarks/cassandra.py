"""The Cassandra node of a benchmark: compiled well, as one that serves for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cassandra.node import Node, NodeSettings
from tests.ports import free_port


@contextmanager
def started(folder: Path, heap_mib: int, *, synced: bool, paxos: str = "v1") -> Iterator[Node]:
    """A node that answers, while the block lasts. `synced` has it sync its commit log at each write; its default is by time."""
    ports = free_port(), free_port()
    node = Node(NodeSettings(folder, "127.0.0.1", *ports, heap_mib=heap_mib, durable=synced, short_lived=False, paxos=paxos))
    try:
        node.start()
        node.wait_ready()
        yield node
    finally:
        node.remove()
