"""Conversions between the interface's values and the state's: durations in whole seconds, retry policies."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from tenuto_api import api
from tenuto_server.history.engine.state import RetryPolicy
from tenuto_server.rules.durations import SECONDS_MAX, is_valid, seconds

__all__ = ["SECONDS_MAX", "TOO_LONG", "duration", "is_valid", "retry_policy", "seconds"]

# Of a decision's duration that is none, or that makes a time which the state could not hold.
TOO_LONG = "A duration on decision is not valid, or longer than 32 bits of seconds hold."


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
