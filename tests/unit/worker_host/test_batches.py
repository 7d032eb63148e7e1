"""Batches: what their parameters mean, and how tuning changes them."""

from __future__ import annotations

import pytest

from tenuto_server.worker_host import batches

GOOD = {"DomainName": "d", "Query": "q", "Reason": "r", "BatchType": "terminate"}


def test_what_is_left_out_has_the_defaults_of_the_interface() -> None:
    wanted = batches.checked(GOOD)
    assert (wanted.rps, wanted.concurrency, wanted.page_size, wanted.attempts_on_retryable_error) == (50, 5, 1000, 50)
    given = {**GOOD, "RPS": 7, "Concurrency": 1000, "PageSize": 9999, "TerminateParams": {"TerminateChildren": False}}
    wanted = batches.checked(given)
    assert (wanted.rps, wanted.concurrency, wanted.page_size) == (7, batches.CONCURRENCY_MAX, batches.PAGE_SIZE)
    assert wanted.terminate_params.terminate_children is False


@pytest.mark.parametrize(
    "change",
    [
        {"Query": ""}, {"DomainName": ""}, {"Reason": ""}, {"BatchType": ""}, {"BatchType": "reset"}, {"BatchType": "signal"},
        {"BatchType": "reset", "ResetParams": {"ResetType": "Sometime"}}, {"BatchType": "restart"},
        {"BatchType": "replicate"}, {"RPS": "x"},
    ],
)  # fmt: skip
def test_what_cannot_be_carried_out_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must provide|not supported|cannot be read|another cluster"):
        batches.checked({**GOOD, **change})


@pytest.mark.parametrize(("given", "attempts"), [(0, 0), (7, 7), (-1, 0)])
def test_a_page_is_attempted_as_often_as_asked_for(given: int, attempts: int) -> None:
    policy = batches.retry_policy(batches.Parameters(max_activity_retries=given))
    assert policy.maximum_attempts == attempts and policy.expiration_interval


def test_a_tune_signal_changes_what_it_names() -> None:
    wanted = batches.checked(GOOD)
    batches.tuned(wanted, {"RPS": 250})
    assert (wanted.rps, wanted.concurrency) == (250, 5)
    batches.tuned(wanted, {"RPS": 0, "Concurrency": 9})
    assert (wanted.rps, wanted.concurrency) == (250, 9)
    batches.tuned(wanted, "nonsense")
    assert (wanted.rps, wanted.concurrency) == (250, 9)
