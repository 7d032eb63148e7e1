"""How many requests a second are let through: token buckets a class of RPC, for the process and for each domain."""

from __future__ import annotations

import enum

from tenuto_server.errors import ServiceBusy
from tenuto_server.frontend.settings import Rates

BUSY = "Too many outstanding requests to the cadence service"


class RateClass(enum.IntEnum):
    """Which buckets an RPC takes from (Cadence's classes)."""

    # Never limited: Health and the like.
    NONE = 0
    USER = 1
    # Polls.
    WORKER = 2
    # A worker's answers: they count in the worker's buckets but are never refused, as refusing them wastes work done.
    WORKER_ANSWER = 3
    VISIBILITY = 4
    DOMAIN_ADMIN = 5


class TokenBucket:
    """Fills at `rate` tokens a second up to one second's worth (at least one token, where there is a rate)."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._burst = max(rate, 1.0) if rate > 0 else 0.0
        self._tokens = self._burst
        self._at = now

    def take(self, now: float) -> bool:
        """Takes a token if there is one. `now` in seconds, never running back."""
        tokens = self._filled(now)
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True

    def charge(self, now: float) -> None:
        """Takes a token, there or not; the debt is at most one second's worth."""
        self._tokens = max(self._filled(now) - 1.0, -self._burst)

    def _filled(self, now: float) -> float:
        tokens = self._tokens + (now - self._at) * self._rate
        self._at = now
        return tokens if tokens < self._burst else self._burst


class Limiter:
    """The buckets of one frontend process. Raises `ServiceBusy` where one is empty."""

    __slots__ = ("_domain_rates", "_domains", "_domains_max", "_hosts")

    def __init__(self, rates: Rates, now: float) -> None:
        host = {
            RateClass.USER: rates.host_user,
            RateClass.WORKER: rates.host_worker,
            RateClass.VISIBILITY: rates.host_visibility,
            RateClass.DOMAIN_ADMIN: rates.host_domain_admin,
        }
        self._hosts = {rate_class: TokenBucket(rate, now) for rate_class, rate in host.items()}
        self._domain_rates = {
            RateClass.USER: rates.domain_user,
            RateClass.WORKER: rates.domain_worker,
            RateClass.VISIBILITY: rates.domain_visibility,
        }
        self._domains: dict[tuple[RateClass, str], TokenBucket] = {}
        self._domains_max = max(rates.domains_max, 1)

    def take_host(self, rate_class: RateClass, now: float) -> None:
        """Counts a request against the process, before anything is done for it."""
        if rate_class is RateClass.NONE:
            return
        if rate_class is RateClass.WORKER_ANSWER:
            self._hosts[RateClass.WORKER].charge(now)
        elif not self._hosts[rate_class].take(now):
            raise ServiceBusy(BUSY)

    def take_domain(self, rate_class: RateClass, domain_id: str, now: float) -> None:
        """Counts a request against a domain that exists."""
        if rate_class is RateClass.WORKER_ANSWER:
            self._bucket(RateClass.WORKER, domain_id, now).charge(now)
        elif rate_class in self._domain_rates and not self._bucket(rate_class, domain_id, now).take(now):
            raise ServiceBusy(BUSY)

    def _bucket(self, rate_class: RateClass, domain_id: str, now: float) -> TokenBucket:
        # Taken out and put back: the dict's order is then that of last use.
        key = (rate_class, domain_id)
        bucket = self._domains.pop(key, None)
        if bucket is None:
            if len(self._domains) >= self._domains_max:
                del self._domains[next(iter(self._domains))]
            bucket = TokenBucket(self._domain_rates[rate_class], now)
        self._domains[key] = bucket
        return bucket
