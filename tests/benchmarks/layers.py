"""Where a server's time goes, by layer: `python -m tests.benchmarks.layers FILE`, on what `py-spy record -f raw` wrote.

A sample belongs to the innermost layer that its stack names. What runs in C has no frames of its own: gRPC's core and the event
loop appear as the loop's run, SQLite and protobuf as their callers.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.benchmarks.report import table

# Part of a file's path -> its layer; the first that matches counts.
LAYERS = (
    ("tenuto_server/persistence/sqlite", "store: SQLite and its threads"),
    ("tenuto_server/persistence", "store: domains and rows"),
    ("tenuto_server/history/engine", "history: engine"),
    ("tenuto_server/history", "history: log, shards, handlers"),
    ("tenuto_server/matching", "matching"),
    ("tenuto_server/frontend", "frontend"),
    ("tenuto_server/transport/inprocess", "in-process network"),
    ("tenuto_server/cluster", "in-process network"),
    ("tenuto_server/transport/grpc_acceptor", "acceptor"),
    ("tenuto_server/transport/asgi_acceptor", "acceptor"),
    ("tenuto_server/telemetry", "telemetry"),
    ("tenuto_server/config", "clock and ids"),
)
LOOP = "gRPC and event loop"
FRAME_PATH = re.compile(r"\((.*):\d+\)$")


def layer_of(stack: str) -> str:
    """The layer of one stack: frames from the outermost to the innermost, "name (path:line)", joined by semicolons."""
    for frame in reversed(stack.split(";")):
        path = FRAME_PATH.search(frame)
        for part, layer in LAYERS:
            if path and part in path[1]:
                return layer
    return LOOP


def shares(lines: Iterable[str]) -> list[tuple[str, float]]:
    """Layer and its share of all samples, the largest first; a line is a stack and its number of samples."""
    samples: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rstrip().rpartition(" ")
        samples[layer_of(stack)] += int(count)
    total = samples.total()
    return [(layer, count / total) for layer, count in samples.most_common()]


def main(arguments: list[str]) -> None:
    """Prints the shares."""
    (path,) = arguments
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    print(table([("layer", "share"), *((layer, f"{share:.1%}") for layer, share in shares(lines))]))


if __name__ == "__main__":
    main(sys.argv[1:])
