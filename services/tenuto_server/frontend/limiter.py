"""How many requests a second are let through: token buckets a class of RPC, for the process, for each domain, and for
polls of each task list. The rates are read with each request, so they may change."""

from __future__ import annotations

import enum

from tenuto_api import api
from tenuto_server.config.buckets import UNLIMITED, TokenBucket
from tenuto_server.config.live import LiveSettings
from tenuto_server.errors import ServiceBusy
from tenuto_server.frontend.settings import FrontendSettings, Rates

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
    # Requests that are queued to be done later.
    ASYNC = 6


def _host_rate(rates: Rates, rate_class: RateClass) -> float:
    if rate_class is RateClass.USER:
        return rates.host_user
    if rate_class is RateClass.WORKER:
        return rates.host_worker
    if rate_class is RateClass.VISIBILITY:
        return rates.host_visibility
    return rates.host_async if rate_class is RateClass.ASYNC else rates.host_domain_admin


def _domain_rate(rates: Rates, rate_class: RateClass) -> float:
    if rate_class is RateClass.USER:
        return rates.domain_user
    if rate_class is RateClass.WORKER:
        return rates.domain_worker
    if rate_class is RateClass.VISIBILITY:
        return rates.domain_visibility
    # Of the calls that manage domains there is a limit for the process alone.
    return rates.domain_async if rate_class is RateClass.ASYNC else UNLIMITED


class Limiter:
    """The buckets of one frontend process. Raises `ServiceBusy` where one is empty."""

    __slots__ = ("_buckets", "_hosts", "_live", "_refuses")

    def __init__(self, live: LiveSettings[FrontendSettings], now: float) -> None:
        self._live = live
        rates = live.current.rates
        self._hosts = {rate_class: TokenBucket(_host_rate(rates, rate_class), now) for rate_class in RateClass}
        # Bucket by (class, domain id, task list, task type).
        self._buckets: dict[tuple[RateClass, str, str, int], TokenBucket] = {}
        self._refuses = True

    def bypassing(self) -> Limiter:
        """The same buckets, for callers that count but are never refused."""
        other = Limiter(self._live, 0.0)
        other._hosts, other._buckets, other._refuses = self._hosts, self._buckets, False
        return other

    def take_host(self, rate_class: RateClass, now: float) -> None:
        """Counts a request against the process, before anything is done for it."""
        if rate_class is RateClass.NONE:
            return
        answers = rate_class is RateClass.WORKER_ANSWER
        if answers:
            rate_class = RateClass.WORKER
        rate = _host_rate(self._live.current.rates, rate_class)
        if rate < UNLIMITED:
            self._take(self._hosts[rate_class], rate, now, answers)

    def take_domain(self, rate_class: RateClass, domain: api.Domain, now: float) -> None:
        """Counts a request against a domain that exists."""
        answers = rate_class is RateClass.WORKER_ANSWER
        if answers:
            rate_class = RateClass.WORKER
        rate = _domain_rate(self._live.for_domain(domain.name).rates, rate_class)
        if rate < UNLIMITED:
            self._take(self._bucket((rate_class, domain.id, "", 0), rate, now), rate, now, answers)

    def take_task_list(self, domain: api.Domain, task_list: str, task_type: int, now: float) -> None:
        """Counts a poll against its task list."""
        rate = self._live.for_task_list(domain.name, task_list, task_type).rates.task_list_worker
        if rate < UNLIMITED:
            bucket = self._bucket((RateClass.WORKER, domain.id, task_list, task_type), rate, now)
            self._take(bucket, rate, now, False)

    def _take(self, bucket: TokenBucket, rate: float, now: float, only_counted: bool) -> None:
        if only_counted or not self._refuses:
            bucket.charge(rate, now)
        elif not bucket.take(rate, now):
            raise ServiceBusy(BUSY)

    def _bucket(self, key: tuple[RateClass, str, str, int], rate: float, now: float) -> TokenBucket:
        # Taken out and put back: the dict's order is then that of last use.
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            if len(self._buckets) >= self._live.current.rates.domains_max:
                del self._buckets[next(iter(self._buckets))]
            bucket = TokenBucket(rate, now)
        self._buckets[key] = bucket
        return bucket
