"""The small parts: failures, error mapping, backoff, cache, durations, definitions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2  # type: ignore[import-untyped,unused-ignore]

import tenuto
from tenuto import activity, client, errors, testing, worker, workflow
from tenuto._failures import error_of, failure_of
from tenuto._replay.definition import activity_name, definition_of
from tenuto._rpc.backoff import Backoff
from tenuto._rpc.status import retryable, typed
from tenuto._types import RetryPolicy, duration, to_timestamp, whole_seconds
from tenuto._worker.cache import StickyCache
from tenuto.converter import default_converter
from tenuto_api import api

# ---- failures


@pytest.mark.parametrize(
    "error",
    [
        errors.ApplicationError("m", 1, {"a": 2}, type="T"),
        errors.ApplicationError("m", type="T", non_retryable=True),
        errors.TimedOutError(errors.TimeoutType.HEARTBEAT),
        errors.CancelledError(),
    ],
)
def test_failures_there_and_back(error: errors.FailureError) -> None:
    again = error_of(failure_of(error, default_converter), default_converter)
    assert type(again) is type(error)
    fields = ("message", "type", "details", "non_retryable", "timeout_type")
    assert [getattr(again, name, None) for name in fields] == [getattr(error, name, None) for name in fields]


def test_reasons_of_the_go_client_are_understood() -> None:
    generic = error_of(api.Failure(reason="cadenceInternal:Generic", details=b"plain text"), default_converter)
    assert isinstance(generic, errors.ApplicationError)
    assert (generic.type, generic.message) == ("cadenceInternal:Generic", "plain text")
    timeout = error_of(api.Failure(reason="cadenceInternal:Timeout SCHEDULE_TO_CLOSE"), default_converter)
    assert isinstance(timeout, errors.TimedOutError)
    assert timeout.timeout_type is errors.TimeoutType.SCHEDULE_TO_CLOSE
    assert isinstance(error_of(api.Failure(reason="cadenceInternal:Canceled"), default_converter), errors.CancelledError)
    custom = error_of(api.Failure(reason="my-reason", details=b'{"a":1}\n'), default_converter)
    assert isinstance(custom, errors.ApplicationError)
    assert (custom.type, custom.message, list(custom.details)) == ("my-reason", "my-reason", [{"a": 1}])
    foreign = error_of(api.Failure(reason="java.lang.X", details=b"{not json"), default_converter)
    assert isinstance(foreign, errors.ApplicationError)
    assert foreign.message == "{not json"


def test_causes_are_told_for_wrapped_errors() -> None:
    timeout = errors.ActivityTimeoutError("a", "1", errors.TimedOutError(errors.TimeoutType.START_TO_CLOSE))
    assert failure_of(timeout, default_converter).reason == "cadenceInternal:Timeout START_TO_CLOSE"
    assert failure_of(asyncio.CancelledError(), default_converter).reason == "cadenceInternal:Canceled"


# ---- errors of calls


def status_of(code: int, message: str, detail: Message | None) -> errors.RpcError:
    details = b""
    if detail is not None:
        packed = any_pb2.Any()
        packed.Pack(detail)
        details = status_pb2.Status(code=code, message=message, details=[packed]).SerializeToString()
    return typed(code, message, details)


@pytest.mark.parametrize(
    ("code", "detail", "kind", "again"),
    [
        (3, None, errors.BadRequestError, False),
        (3, api.QueryFailedError(), errors.QueryFailedError, False),
        (5, None, errors.EntityNotExistsError, False),
        (5, api.EntityNotExistsError(), errors.EntityNotExistsError, False),
        (5, api.WorkflowExecutionAlreadyCompletedError(), errors.WorkflowAlreadyCompletedError, False),
        (6, api.WorkflowExecutionAlreadyStartedError(run_id="r"), errors.WorkflowAlreadyStartedError, False),
        (6, api.CancellationAlreadyRequestedError(), errors.CancellationAlreadyRequestedError, False),
        (6, api.DomainAlreadyExistsError(), errors.DomainAlreadyExistsError, False),
        (7, None, errors.AccessDeniedError, False),
        (8, api.LimitExceededError(), errors.LimitExceededError, False),
        (8, api.ServiceBusyError(), errors.ServiceBusyError, True),
        (8, None, errors.ServiceBusyError, True),
        (9, api.DomainNotActiveError(), errors.DomainNotActiveError, False),
        (9, api.FeatureNotEnabledError(), errors.FeatureNotEnabledError, False),
        (10, None, errors.RpcError, True),
        (13, None, errors.InternalServiceError, True),
        (14, None, errors.UnavailableError, True),
        (2, None, errors.RpcError, False),
    ],
)
def test_the_detail_decides_then_the_status(code: int, detail: Any, kind: type, again: bool) -> None:
    error = status_of(code, "text", detail)
    assert type(error) is kind
    assert (error.message, error.status) == ("text", code)
    assert retryable(error) is again


def test_the_old_form_of_already_completed_is_known_by_its_text() -> None:
    error = status_of(5, "Workflow execution already completed.", api.EntityNotExistsError())
    assert type(error) is errors.WorkflowAlreadyCompletedError


# ---- small things


def test_backoff_grows_to_its_cap_and_has_jitter() -> None:
    backoff = Backoff(initial=1, maximum=10)
    assert [backoff.delay(n, lambda: 1.0) for n in range(6)] == [1, 2, 4, 8, 10, 10]
    assert [backoff.delay(n, lambda: 0.0) for n in range(3)] == [0.5, 1, 2]
    assert backoff.delay(10_000) <= 10


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(0, 0), (-1, 0), (0.001, 1), (1, 1), (1.2, 2), (5.0000001, 5), (timedelta(minutes=1), 60), (timedelta(milliseconds=1), 1)],
)
def test_durations_are_whole_seconds_rounded_up(given: Any, seconds: int) -> None:
    assert whole_seconds(given) == seconds
    assert duration(given).seconds == seconds


def test_timestamps_take_any_zone_and_naive_ones_are_utc() -> None:
    moment = datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert to_timestamp(moment.astimezone(timezone(timedelta(hours=2)))) == to_timestamp(moment)
    assert to_timestamp(moment.replace(tzinfo=None)) == to_timestamp(moment)


def test_a_retry_policy_must_end() -> None:
    with pytest.raises(ValueError, match="maximum_attempts or expiration_interval"):
        RetryPolicy().proto()
    assert RetryPolicy(expiration_interval=60).proto().expiration_interval.seconds == 60


class FakeReplayer:
    def __init__(self) -> None:
        self.discarded = False

    def discard(self) -> None:
        self.discarded = True


def test_the_cache_drops_the_least_recently_used() -> None:
    cache = StickyCache(2)
    replayers: list[Any] = [FakeReplayer() for _ in range(3)]
    cache.put("a", replayers[0])
    cache.put("b", replayers[1])
    assert cache.get("a") is replayers[0]
    cache.put("c", replayers[2])
    assert [replayer.discarded for replayer in replayers] == [False, True, False]
    assert cache.get("b") is None
    cache.drop("a")
    cache.clear()
    assert all(replayer.discarded for replayer in replayers)
    assert len(cache) == 0


# ---- definitions


def test_definitions_say_what_is_wrong_with_them() -> None:
    with pytest.raises(TypeError, match="exactly one method marked"):

        @workflow.defn
        class NoRun:
            pass

    with pytest.raises(TypeError, match="must be async"):

        @workflow.run
        def run(self: Any) -> None:
            pass

    with pytest.raises(TypeError, match="plain function"):

        @workflow.query
        async def ask(self: Any) -> None:
            pass

    with pytest.raises(TypeError, match="is no workflow"):
        definition_of(test_definitions_say_what_is_wrong_with_them)


def test_names_signatures_and_inheritance() -> None:
    class Base:
        @workflow.signal(name="other")
        def sig(self, a: int, b: str) -> None:
            pass

        @workflow.query
        def ask(self) -> int:
            return 1

    @workflow.defn(name="Named")
    class Real(Base):
        @workflow.run
        async def run(self, a: int) -> str:
            return str(a)

    definition = definition_of(Real.run)
    assert definition is definition_of(Real)
    assert (definition.name, definition.signature.parameters, definition.signature.returns) == ("Named", (int,), str)
    assert definition.signals["other"].parameters == (int, str)
    assert list(definition.queries) == ["ask"]

    class Sub(Real):
        pass

    with pytest.raises(TypeError, match="not decorated"):
        definition_of(Sub)

    @activity.defn(name="act")
    def function() -> None:
        pass

    assert activity_name(function) == "act"
    assert activity_name("free") == "free"


@pytest.mark.parametrize("module", [tenuto, activity, client, testing, worker, workflow])
def test_public_namespaces_export_what_they_say(module: Any) -> None:
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert missing == []
    assert list(module.__all__) == sorted(module.__all__, key=lambda name: (name.upper() != name, name.islower(), name))
