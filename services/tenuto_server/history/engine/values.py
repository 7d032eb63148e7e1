"""Conversions between the interface's values and the state's: durations in whole seconds, retry policies."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from tenuto_api import api
from tenuto_server.history.engine.state import RetryPolicy


def seconds(duration: Duration) -> int:
    """Whole seconds of a duration, cut as Cadence cuts; what is more than nothing but less than a second counts as one."""
    if duration.seconds == 0 and duration.nanos > 0:
        return 1
    return duration.seconds


def duration(whole_seconds: int) -> Duration:
    """A protobuf duration."""
    return Duration(seconds=whole_seconds)


def retry_policy(policy: api.RetryPolicy) -> RetryPolicy:
    """The state's form of a retry policy that has been checked."""
    return RetryPolicy(
        initial_s=seconds(policy.initial_interval),
        coefficient=policy.backoff_coefficient,
        maximum_s=seconds(policy.maximum_interval),
        attempts=policy.maximum_attempts,
        expiration_s=seconds(policy.expiration_interval),
        non_retryable=tuple(policy.non_retryable_error_reasons),
    )


def retry_policy_fault(policy: api.RetryPolicy) -> str:
    """What is wrong with a retry policy, empty where nothing is. The rules are Cadence's."""
    if seconds(policy.initial_interval) <= 0:
        return "InitialIntervalInSeconds must be greater than 0 on retry policy."
    if not policy.backoff_coefficient >= 1:
        return "BackoffCoefficient cannot be less than 1 on retry policy."
    maximum = seconds(policy.maximum_interval)
    if maximum < 0:
        return "MaximumIntervalInSeconds cannot be less than 0 on retry policy."
    if 0 < maximum < seconds(policy.initial_interval):
        return "MaximumIntervalInSeconds cannot be less than InitialIntervalInSeconds on retry policy."
    if policy.maximum_attempts < 0:
        return "MaximumAttempts cannot be less than 0 on retry policy."
    expiration = seconds(policy.expiration_interval)
    if expiration < 0:
        return "ExpirationIntervalInSeconds cannot be less than 0 on retry policy."
    if policy.maximum_attempts == 0 and expiration == 0:
        return "MaximumAttempts and ExpirationIntervalInSeconds are both 0. At least one of them must be specified."
    return ""
