"""The rules of requests, one row a rule: what is changed in a good request, and the text it is refused with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tenuto_api import api
from tenuto_server.errors import INVALID_ARGUMENT, BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.validation import Limits
from tests.unit.frontend.fakes import start_request

LIMITS = Limits()
Start = api.StartWorkflowExecutionRequest


def _set(path: str, value: object) -> Callable[[Start], None]:
    """Sets a dotted field."""

    def change(request: Start) -> None:
        *parents, name = path.split(".")
        target: object = request
        for parent in parents:
            target = getattr(target, parent)
        setattr(target, name, value)

    return change


def _clear(field: str) -> Callable[[Start], None]:
    return lambda request: request.ClearField(field)


def _retry(**changes: object) -> Callable[[Start], None]:
    """A good retry policy with some of it changed; intervals in seconds."""

    def change(request: Start) -> None:
        policy = request.retry_policy
        values: dict[str, object] = {
            "initial_interval": 1,
            "backoff_coefficient": 2.0,
            "maximum_attempts": 3,
            **changes,
        }
        for name, value in values.items():
            if name.endswith("_interval"):
                getattr(policy, name).seconds = value
            else:
                setattr(policy, name, value)

    return change


EXECUTION = "A valid ExecutionStartToCloseTimeoutSeconds is not set on request."
TASK = "A valid TaskStartToCloseTimeoutSeconds is not set on request."
DELAY = "A valid DelayStartSeconds is not set on request."
REFUSED: list[tuple[str, Callable[[Start], None], str]] = [
    ("no workflow id", _clear("workflow_id"), "WorkflowId is not set on request."),
    ("long workflow id", _set("workflow_id", "x" * 1001), "WorkflowID length exceeds limit."),
    ("workflow id long in bytes", _set("workflow_id", "é" * 501), "WorkflowID length exceeds limit."),
    ("no request id", _clear("request_id"), 'requestId "" is not a valid UUID'),
    ("request id no UUID", _set("request_id", "abc"), 'requestId "abc" is not a valid UUID'),
    ("no type", _clear("workflow_type"), "WorkflowType is not set on request."),
    ("empty type", _set("workflow_type.name", ""), "WorkflowType is not set on request."),
    ("long type", _set("workflow_type.name", "x" * 1001), "WorkflowType length exceeds limit."),
    ("long identity", _set("identity", "x" * 1001), "Identity length exceeds limit."),
    ("no task list", _clear("task_list"), "TaskList is not set on request."),
    ("long task list", _set("task_list.name", "x" * 1001), "TaskList length exceeds limit."),
    (
        "reserved task list",
        _set("task_list.name", "/__cadence_sys/orders/1"),
        "TaskList name must not start with the reserved prefix /__cadence_sys/.",
    ),
    (
        "sticky task list",
        _set("task_list.kind", api.TASK_LIST_KIND_STICKY),
        "A sticky TaskList cannot be used to start a workflow.",
    ),
    ("task list kind out of the interface", _set("task_list.kind", 77), "Unknown TaskListKind: 77."),
    ("negative task list kind", _set("task_list.kind", -1), "Unknown TaskListKind: -1."),
    ("no execution timeout", _clear("execution_start_to_close_timeout"), EXECUTION),
    ("zero execution timeout", _set("execution_start_to_close_timeout.seconds", 0), EXECUTION),
    ("negative execution timeout", _set("execution_start_to_close_timeout.seconds", -5), EXECUTION),
    ("execution timeout over 32 bits", _set("execution_start_to_close_timeout.seconds", 2**31), EXECUTION),
    ("execution timeout no duration", _set("execution_start_to_close_timeout.nanos", -1), EXECUTION),
    ("no task timeout", _clear("task_start_to_close_timeout"), TASK),
    ("negative delay", _set("delay_start.seconds", -1), DELAY),
    ("a negative part of a second of delay", _set("delay_start.nanos", -1), DELAY),
    (
        "negative jitter",
        _set("jitter_start.seconds", -1),
        "A valid JitterStartSeconds is not set on request (negative).",
    ),
    ("first run before the epoch", _set("first_run_at.seconds", -1), "A valid FirstRunAt is not set on request."),
    ("first run too late", _set("first_run_at.seconds", 2**40), "A valid FirstRunAt is not set on request."),
    ("reuse policy out of the interface", _set("workflow_id_reuse_policy", 9), "Unknown WorkflowIdReusePolicy: 9."),
    ("overlap policy out of the interface", _set("cron_overlap_policy", 9), "Unknown CronOverlapPolicy: 9."),
    (
        "cron that cannot be read",
        _set("cron_schedule", "* * *"),
        'Invalid CronSchedule, failed to parse: "* * *", err: expected exactly 5 fields, found 3',
    ),
    (
        "cron that never fires",
        _set("cron_schedule", "0 0 31 2 *"),
        'Invalid CronSchedule, no next firing time found, maybe impossible date: "0 0 31 2 *"',
    ),
    (
        "no initial interval",
        _retry(initial_interval=0),
        "InitialIntervalInSeconds must be greater than 0 on retry policy.",
    ),
    ("coefficient", _retry(backoff_coefficient=0.9), "BackoffCoefficient cannot be less than 1 on retry policy."),
    (
        "coefficient not a number",
        _retry(backoff_coefficient=float("nan")),
        "BackoffCoefficient cannot be less than 1 on retry policy.",
    ),
    (
        "negative maximum interval",
        _retry(maximum_interval=-1),
        "MaximumIntervalInSeconds cannot be less than 0 on retry policy.",
    ),
    (
        "maximum interval below the first",
        _retry(initial_interval=5, maximum_interval=4),
        "MaximumIntervalInSeconds cannot be less than InitialIntervalInSeconds on retry policy.",
    ),
    ("negative attempts", _retry(maximum_attempts=-1), "MaximumAttempts cannot be less than 0 on retry policy."),
    (
        "negative expiration",
        _retry(expiration_interval=-1),
        "ExpirationIntervalInSeconds cannot be less than 0 on retry policy.",
    ),
    (
        "retries without end",
        _retry(maximum_attempts=0),
        "MaximumAttempts and ExpirationIntervalInSeconds are both 0. At least one of them must be specified.",
    ),
]


@pytest.mark.parametrize(("change", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_start_is_refused(change: Callable[[Start], None], text: str) -> None:
    request = start_request()
    change(request)
    with pytest.raises(BadRequest) as refused:
        validation.check_start(request, request.ByteSize(), LIMITS)
    assert refused.value.message == text
    assert refused.value.status == INVALID_ARGUMENT
    assert refused.value.detail is None


ACCEPTED: list[tuple[str, Callable[[Start], None]]] = [
    ("as it is", lambda _: None),
    ("1000 characters", _set("workflow_id", "x" * 1000)),
    ("request id in braces", _set("request_id", "{33333333-3333-4333-8333-333333333333}")),
    ("request id without dashes", _set("request_id", "33333333333343338333333333333333")),
    ("request id as a URN", _set("request_id", "urn:uuid:33333333-3333-4333-8333-333333333333")),
    ("ephemeral task list", _set("task_list.kind", api.TASK_LIST_KIND_EPHEMERAL)),
    ("timeout with a part of a second", _set("execution_start_to_close_timeout.nanos", 5)),
    ("longest timeout", _set("execution_start_to_close_timeout.seconds", 2**31 - 1)),
    ("delay", _set("delay_start.seconds", 3)),
    ("jitter", _set("jitter_start.seconds", 3)),
    ("first run", _set("first_run_at.seconds", 2_000_000_000)),
    ("cron", _set("cron_schedule", "0 12 * * mon-fri")),
    ("retries by attempts", _retry()),
    ("retries by time", _retry(maximum_attempts=0, expiration_interval=60, maximum_interval=10)),
]


@pytest.mark.parametrize("change", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_start_is_accepted(change: Callable[[Start], None]) -> None:
    request = start_request()
    change(request)
    validation.check_start(request, request.ByteSize(), LIMITS)


def test_half_a_second_counts_as_none() -> None:
    request = start_request()
    request.task_start_to_close_timeout.seconds = 0
    request.task_start_to_close_timeout.nanos = 900_000_000
    with pytest.raises(BadRequest, match="TaskStartToClose"):
        validation.check_start(request, request.ByteSize(), LIMITS)


@pytest.mark.parametrize(("extra_bytes", "refused"), [(0, False), (1, True)])
def test_input_and_memo_count_together(extra_bytes: int, refused: bool) -> None:
    request = start_request()
    memo = b"m" * 1000
    request.memo.fields["key"].data = memo
    request.input.data = b"i" * (LIMITS.blob_bytes_max - len(memo) - len("key") + extra_bytes)
    if refused:
        with pytest.raises(BadRequest, match=r"Blob data size exceeds limit\."):
            validation.check_start(request, request.ByteSize(), LIMITS)
    else:
        validation.check_start(request, request.ByteSize(), LIMITS)


def test_signal_with_start_has_the_rules_of_both() -> None:
    request = api.SignalWithStartWorkflowExecutionRequest(start_request=start_request(), signal_name="s")
    request.start_request.request_id = ""
    validation.check_signal_with_start(request, request.ByteSize(), LIMITS)
    request.signal_input.data = bytes(LIMITS.blob_bytes_max + 1)
    with pytest.raises(BadRequest, match="Blob data size"):
        validation.check_signal_with_start(request, request.ByteSize(), LIMITS)
    request.signal_name = ""
    with pytest.raises(BadRequest, match="SignalName is not set"):
        validation.check_signal_with_start(request, request.ByteSize(), LIMITS)
