"""Retry policies: whether one makes sense, and how long to wait before the next attempt. Pure.

    interval = initial * coefficient ^ attempt        attempt counts from 0, capped by the maximum interval

No further attempt where the attempts are used up, where the next one would begin after the expiration, or where the failure's
reason is one that the policy names as not retryable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from google.protobuf.duration_pb2 import Duration

from tenuto_api import api
from tenuto_server.rules.durations import SECOND, is_valid, seconds

# Failures that are the worker's own size limits are final whatever the policy says.
FINAL_REASONS = frozenset(
    {
        "COMPLETE_RESULT_EXCEEDS_LIMIT",
        "FAILURE_DETAILS_EXCEEDS_LIMIT",
        "CANCEL_DETAILS_EXCEEDS_LIMIT",
        "HEARTBEAT_EXCEEDS_LIMIT",
    }
)
# Before the name of the timeout.
TIMEOUT_REASON = "cadenceInternal:Timeout "
# Longer than any workflow may run: an interval that grew past it is an overflow.
_LONGEST_S = 100 * 365 * 24 * 3600


class Policy(Protocol):
    """What the formula asks of a checked policy. Intervals in whole seconds; 0 is "no bound" for all but the first two."""

    @property
    def initial_s(self) -> int:
        """The first interval."""

    @property
    def coefficient(self) -> float:
        """What each interval is longer by."""

    @property
    def maximum_s(self) -> int:
        """The longest interval."""

    @property
    def attempts(self) -> int:
        """How many attempts there are in all."""

    @property
    def non_retryable(self) -> Sequence[str]:
        """Reasons that are final."""


def fault(policy: api.RetryPolicy) -> str:
    """What is wrong with a retry policy, empty where nothing is: the initial interval is above 0, the coefficient at least 1,
    the maximum interval 0 or at least the initial one, and attempts or time come to an end. Texts are the official server's."""
    for name, duration in (
        ("InitialIntervalInSeconds", policy.initial_interval),
        ("MaximumIntervalInSeconds", policy.maximum_interval),
        ("ExpirationIntervalInSeconds", policy.expiration_interval),
    ):
        if not is_valid(duration):
            return f"{name} is not valid on retry policy."
    initial, maximum = seconds(policy.initial_interval), seconds(policy.maximum_interval)
    if initial <= 0:
        return "InitialIntervalInSeconds must be greater than 0 on retry policy."
    # Written so that NaN fails as well.
    if not policy.backoff_coefficient >= 1:
        return "BackoffCoefficient cannot be less than 1 on retry policy."
    if _is_negative(policy.maximum_interval):
        return "MaximumIntervalInSeconds cannot be less than 0 on retry policy."
    if 0 < maximum < initial:
        return "MaximumIntervalInSeconds cannot be less than InitialIntervalInSeconds on retry policy."
    if policy.maximum_attempts < 0:
        return "MaximumAttempts cannot be less than 0 on retry policy."
    if _is_negative(policy.expiration_interval):
        return "ExpirationIntervalInSeconds cannot be less than 0 on retry policy."
    if policy.maximum_attempts == 0 and seconds(policy.expiration_interval) == 0:
        return "MaximumAttempts and ExpirationIntervalInSeconds are both 0. At least one of them must be specified."
    return ""


def backoff_s(policy: Policy, attempt: int, now_ns: int, expiration_ns: int, reason: str) -> int | None:
    """Seconds until the next attempt after attempt number `attempt` failed for `reason`; None where there is none.

    `expiration_ns` is when the policy's expiration ends, 0 where it has none.
    """
    if reason in policy.non_retryable or reason in FINAL_REASONS:
        return None
    if policy.attempts > 0 and attempt >= policy.attempts - 1:
        return None
    interval_s = _interval_s(policy, attempt)
    if interval_s is None:
        return None
    if expiration_ns and now_ns + interval_s * SECOND > expiration_ns:
        return None
    return interval_s


def _interval_s(policy: Policy, attempt: int) -> int | None:
    try:
        interval = policy.initial_s * policy.coefficient**attempt
    except OverflowError:
        interval = float("inf")
    if policy.maximum_s and interval > policy.maximum_s:
        return policy.maximum_s
    if interval > _LONGEST_S:
        return None
    return int(interval)


def _is_negative(duration: Duration) -> bool:
    return duration.seconds < 0 or duration.nanos < 0
