"""The back-off formula and the checks of a retry policy, case by case."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from tenuto_api import api
from tenuto_server.history.engine.state import SECOND, RetryPolicy
from tenuto_server.history.engine.values import duration, retry_policy, seconds
from tenuto_server.rules import retry
from tenuto_server.rules.retry import backoff_s

NOW = 1000 * SECOND


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        # Attempt 0, 1, 2 ... failed: seconds to the next, None where there is none.
        (RetryPolicy(1, 2.0, attempts=5), [1, 2, 4, 8, None]),
        (RetryPolicy(3, 1.0, attempts=3), [3, 3, None]),
        (RetryPolicy(1, 2.0, maximum_s=3, attempts=5), [1, 2, 3, 3, None]),
        (RetryPolicy(5, 2.0, maximum_s=5, attempts=3), [5, 5, None]),
        # Fractions are cut, after the power.
        (RetryPolicy(1, 1.5, attempts=6), [1, 1, 2, 3, 5, None]),
        # One attempt in all: never again. No bound on attempts: for ever, as the expiration allows.
        (RetryPolicy(1, 2.0, attempts=1), [None]),
        (RetryPolicy(1, 2.0, expiration_s=100), [1, 2, 4, 8, 16, 32, 64]),
    ],
)
def test_the_formula(policy: RetryPolicy, waits: list[int | None]) -> None:
    assert [backoff_s(policy, attempt, NOW, 0, "Bad") for attempt in range(len(waits))] == waits


@pytest.mark.parametrize(
    ("expiration_ns", "wait"), [(0, 8), (NOW + 8 * SECOND, 8), (NOW + 8 * SECOND - 1, None), (NOW - 1, None)]
)
def test_the_next_attempt_begins_within_the_expiration(expiration_ns: int, wait: int | None) -> None:
    assert backoff_s(RetryPolicy(1, 2.0, attempts=9), 3, NOW, expiration_ns, "Bad") == wait


@pytest.mark.parametrize(
    ("reason", "is_final"),
    [
        ("Bad", False),
        ("Fatal", True),
        # The match is exact.
        ("fatal", False),
        ("Fatal ", False),
        ("cadenceInternal:Timeout HEARTBEAT", True),
        ("cadenceInternal:Timeout START_TO_CLOSE", False),
        ("COMPLETE_RESULT_EXCEEDS_LIMIT", True),
        ("FAILURE_DETAILS_EXCEEDS_LIMIT", True),
        ("CANCEL_DETAILS_EXCEEDS_LIMIT", True),
        ("HEARTBEAT_EXCEEDS_LIMIT", True),
    ],
)
def test_reasons_that_are_final(reason: str, is_final: bool) -> None:
    policy = RetryPolicy(1, 2.0, attempts=9, non_retryable=("Fatal", "cadenceInternal:Timeout HEARTBEAT"))
    assert backoff_s(policy, 0, NOW, 0, reason) == (None if is_final else 1)


def test_an_interval_that_overflows_is_the_longest_or_none() -> None:
    for attempt in (100, 10_000, 2**31 - 2):
        assert backoff_s(RetryPolicy(1, 10.0, maximum_s=60, expiration_s=9), attempt, NOW, 0, "Bad") == 60
        assert backoff_s(RetryPolicy(1, 10.0, expiration_s=9), attempt, NOW, 0, "Bad") is None


def _policy(
    initial: float = 1, coefficient: float = 2, maximum: int = 0, attempts: int = 3, expiration: int = 0
) -> api.RetryPolicy:
    return api.RetryPolicy(
        initial_interval=Duration(seconds=int(initial), nanos=int(initial % 1 * SECOND)),
        backoff_coefficient=coefficient,
        maximum_interval=duration(maximum),
        maximum_attempts=attempts,
        expiration_interval=duration(expiration),
        non_retryable_error_reasons=["Fatal"],
    )


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        (_policy(), ""),
        (_policy(initial=0.5), ""),
        (_policy(coefficient=1, maximum=1), ""),
        (_policy(attempts=0, expiration=5), ""),
        (_policy(initial=0), "InitialInterval"),
        (_policy(initial=-1), "InitialInterval"),
        (_policy(coefficient=0.99), "BackoffCoefficient"),
        (_policy(coefficient=float("nan")), "BackoffCoefficient"),
        (_policy(maximum=-1), "MaximumInterval"),
        (_policy(initial=5, maximum=4), "MaximumInterval"),
        (_policy(attempts=-1), "MaximumAttempts"),
        (_policy(expiration=-1), "ExpirationInterval"),
        (_policy(attempts=0), "At least one of them must be specified"),
    ],
)
def test_a_policy_that_makes_no_sense_is_named(policy: api.RetryPolicy, word: str) -> None:
    fault = retry.fault(policy)
    assert (word in fault) if word else not fault


def test_a_policy_is_taken_over_whole() -> None:
    wanted = _policy(initial=2.5, coefficient=1.5, maximum=9, attempts=4, expiration=60)
    assert retry_policy(wanted) == RetryPolicy(2, 1.5, 9, 4, 60, ("Fatal",))


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (Duration(), 0),
        (Duration(seconds=7), 7),
        (Duration(seconds=7, nanos=999_999_999), 7),
        (Duration(nanos=1), 1),
        (Duration(seconds=-1), -1),
        (Duration(nanos=-1), 0),
    ],
)
def test_whole_seconds(value: Duration, whole: int) -> None:
    assert seconds(value) == whole
