"""What happened in a run, as lines (where asked for) and as one hash that two runs of a seed must share.

Bodies enter the hash by their length only: protobuf promises no order of map entries.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable


class Trace:
    """`note` is called at each thing worth knowing; `keep` False keeps only the hash."""

    def __init__(self, time: Callable[[], float], *, keep: bool = False) -> None:
        self._time = time
        self._keep = keep
        self.lines: list[str] = []
        self.hash = 0

    def note(self, line: str) -> None:
        """Adds one line, with the virtual time before it."""
        stamped = f"{self._time():.6f} {line}"
        self.hash = zlib.crc32(stamped.encode(), self.hash)
        if self._keep:
            self.lines.append(stamped)

    def note_unhashed(self, line: str) -> None:
        """Adds one line that may differ between runs, such as one with an object's address in it."""
        if self._keep:
            self.lines.append(f"{self._time():.6f} {line}")
