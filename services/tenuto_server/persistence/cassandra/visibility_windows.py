"""Which stretch of time to search next, so that a page is found in few searches: pure.

A list in the order of time is read in windows from its beginning. A window that holds more than the limit tells by a sample of
what it holds where the right one ends; one that was read whole tells how wide the next may be. If nothing is known, or a window
was empty, all the rest is tried at once: where there is little, that is the whole answer; where there is much, its sample
finds the beginning, whatever gaps there are. Three searches find the first page of millions; a width that was
right is remembered for the next request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Windows grow at most so much at once, since what was sparse may become dense.
_GROWTH_MAX: Final = 8.0
_MARGIN: Final = 1.3
# Samples that misled, one after the other.
_OVERFLOWS_MAX: Final = 6


@dataclass(slots=True)
class Windows:
    """Goes over the units from `first` to `last`, both included, from the end if `descending`. `width` is that of the window to
    try, None for all the rest. A window holds at most `limit` rows."""

    first: int
    last: int
    descending: bool
    limit: int
    width: int | None = None
    _overflows: int = 0

    @property
    def is_done(self) -> bool:
        """Whether all was read."""
        return self.first > self.last

    def window(self) -> tuple[int, int]:
        """The window to read now."""
        rest = self.last - self.first + 1
        width = rest if self.width is None else min(self.width, rest)
        if self.descending:
            return self.last - width + 1, self.last
        return self.first, self.first + width - 1

    def overflowed(self, sample: Sequence[tuple[int, float]], wanted: float) -> None:
        """The window, of more than one unit, holds more than the limit. `sample`: units of rows in it, and of how many each is
        one. `wanted`: how many rows the page needs."""
        low, high = self.window()
        wanted = min(wanted * _MARGIN, self.limit * 0.7)
        units = sorted(sample, reverse=self.descending)
        above = 0.0
        end = low if self.descending else high
        for unit, weight in units:
            above += weight
            if above >= wanted:
                end = unit
                break
        whole = high - low + 1
        width = high - end + 1 if self.descending else end - low + 1
        if width >= whole and units:
            # All that was seen is at the far end: what lies before it is looked at alone.
            width = high - units[0][0] if self.descending else units[0][0] - low
        self._overflows += 1
        if not 0 < width < whole or self._overflows > _OVERFLOWS_MAX:
            # Ends at one unit, whatever a sample says.
            width = max(1, whole // 2)
        self.width = width

    def was_read(self, examined: int, wanted: float) -> None:
        """The window was read whole and held `examined` rows. `wanted`: how many more the page needs."""
        low, high = self.window()
        self._overflows = 0
        if self.descending:
            self.last = low - 1
        else:
            self.first = high + 1
        if examined == 0:
            self.width = None
            return
        ratio = min(wanted * _MARGIN, self.limit * 0.7) / examined
        self.width = max(1, int((high - low + 1) * min(_GROWTH_MAX, ratio)))
