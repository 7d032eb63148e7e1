"""The sticky cache: replayers of open runs by run id, the least recently used dropped first."""

from __future__ import annotations

from collections import OrderedDict

from tenuto._replay.replayer import Replayer


class StickyCache:
    """Holds at most `size` replayers; with size 0 it holds none. What leaves the cache is discarded."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._runs: OrderedDict[str, Replayer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._runs)

    def get(self, run_id: str) -> Replayer | None:
        """The replayer of a run, which now counts as used."""
        found = self._runs.get(run_id)
        if found is not None:
            self._runs.move_to_end(run_id)
        return found

    def take(self, run_id: str) -> Replayer | None:
        """The replayer of a run, which leaves the cache while it is worked on."""
        return self._runs.pop(run_id, None)

    def put(self, run_id: str, replayer: Replayer) -> None:
        """Keeps a replayer, and drops the oldest where there are too many."""
        before = self._runs.pop(run_id, None)
        if before is not None and before is not replayer:
            before.discard()
        self._runs[run_id] = replayer
        while len(self._runs) > self._size:
            _, oldest = self._runs.popitem(last=False)
            oldest.discard()

    def drop(self, run_id: str) -> None:
        """Forgets a run."""
        found = self._runs.pop(run_id, None)
        if found is not None:
            found.discard()

    def clear(self) -> None:
        """Forgets all."""
        while self._runs:
            self._runs.popitem()[1].discard()
