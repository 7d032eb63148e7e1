"""How many requests a second from outside one workflow id takes, so that a client gone wild does not keep a shard busy."""

from __future__ import annotations

from tenuto_server.config.buckets import TokenBucket
from tenuto_server.errors import ServiceBusy

TOO_MANY = "Too many requests for the workflow ID"
REASON = "external-workflow-id-rate-limit"


class WorkflowRates:
    """A bucket for each workflow id that was asked for lately."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    def take(self, domain_id: str, workflow_id: str, rate: float, buckets_max: int, now: float) -> None:
        """Counts a request at `rate` a second, `now` in seconds. Raises ServiceBusy."""
        # Taken out and put back: the dict's order is then that of last use.
        key = (domain_id, workflow_id)
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            while len(self._buckets) >= buckets_max:
                del self._buckets[next(iter(self._buckets))]
            bucket = TokenBucket(rate, now)
        self._buckets[key] = bucket
        if not bucket.take(rate, now):
            raise ServiceBusy(TOO_MANY, REASON)
