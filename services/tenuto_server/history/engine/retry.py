"""The back-off formula of activity and workflow retries.

    interval = initial * coefficient ^ attempt        attempt counts from 0, capped by the maximum interval

No further attempt where the attempts are used up, where the next one would begin after the expiration, or where the failure's
reason is one that the policy names as not retryable.
"""

from __future__ import annotations

from tenuto_server.history.engine.state import SECOND, RetryPolicy

# Failures that are the worker's own size limits are final whatever the policy says.
FINAL_REASONS = frozenset(
    {
        "COMPLETE_RESULT_EXCEEDS_LIMIT",
        "FAILURE_DETAILS_EXCEEDS_LIMIT",
        "CANCEL_DETAILS_EXCEEDS_LIMIT",
        "HEARTBEAT_EXCEEDS_LIMIT",
    }
)
TIMEOUT_REASON = "cadenceInternal:Timeout "
# Longer than any workflow may run: an interval that grew past it is an overflow.
_LONGEST_S = 100 * 365 * 24 * 3600


def backoff_s(policy: RetryPolicy, attempt: int, now_ns: int, expiration_ns: int, reason: str) -> int | None:
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


def _interval_s(policy: RetryPolicy, attempt: int) -> int | None:
    try:
        interval = policy.initial_s * policy.coefficient**attempt
    except OverflowError:
        interval = float("inf")
    if policy.maximum_s and interval > policy.maximum_s:
        return policy.maximum_s
    if interval > _LONGEST_S:
        return None
    return int(interval)
