"""What a rate in the settings means: a bucket of tokens that fills with time. Pure."""

from __future__ import annotations

# A rate that limits nothing.
UNLIMITED = float(2**31 - 1)


class TokenBucket:
    """Fills at a rate of tokens a second up to one second's worth (at least one token, where there is a rate)."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._burst = max(rate, 1.0) if rate > 0 else 0.0
        self._tokens = self._burst
        self._at = now

    def take(self, rate: float, now: float) -> bool:
        """Takes a token if there is one. `now` in seconds, never running back."""
        tokens = self._filled(rate, now)
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True

    def charge(self, rate: float, now: float) -> None:
        """Takes a token, there or not; the debt is at most one second's worth."""
        self._tokens = max(self._filled(rate, now) - 1.0, -self._burst)

    def _filled(self, rate: float, now: float) -> float:
        tokens = self._tokens + (now - self._at) * self._rate
        self._at = now
        if rate != self._rate:
            # A new rate begins with what the former left, and where that let nothing through, with a full bucket.
            tokens = max(rate, 1.0) if self._rate <= 0 else tokens
            self._rate = rate
            self._burst = max(rate, 1.0) if rate > 0 else 0.0
        return tokens if tokens < self._burst else self._burst
