"""The Cassandra node of a benchmark: compiled well, as one that serves for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cassandra.node import Node, NodeSettings
from tests.ports import free_port


@contextmanager
def started(folder: Path, heap_mib: int, *, synced: bool) -> Iterator[Node]:
    """A node that answers, while the block lasts. `synced` has it sync its commit log at each write; its default is by time."""
    node = Node(
        NodeSettings(folder, port=free_port(), storage_port=free_port(), heap_mib=heap_mib, durable=synced, short_lived=False)
    )
    try:
        node.start()
        node.wait_ready()
        yield node
    finally:
        node.remove()
