"""Exceptions to the interface's Failure (a reason and details) and back, understood across the SDKs of the field.

The reason is what retry policies match on: our ApplicationError's type, else the exception's class name. Details are the
message as a JSON value followed by the further details, so that a Go worker reads them with Details(&message, ...). The
reasons that Cadence's Go client reserves (Generic, Panic, Timeout X, Canceled) are read as well as written.
"""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

from tenuto.converter import DataConverter
from tenuto.errors import (
    ActivityError,
    ActivityTimeoutError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    PayloadError,
    TimedOutError,
    TimeoutType,
    WorkflowExecutionError,
)
from tenuto_api import api

GENERIC = "cadenceInternal:Generic"
PANIC = "cadenceInternal:Panic"
CANCELED = "cadenceInternal:Canceled"
TIMEOUT_PREFIX = "cadenceInternal:Timeout "
TRACEBACK_CHARACTERS_MAX = 8000


def failure_of(error: BaseException, converter: DataConverter) -> api.Failure:
    """The failure to report for an exception. A failed activity or child that is let through keeps its own reason."""
    if isinstance(error, ActivityError | ChildWorkflowError | WorkflowExecutionError) and error.cause is not None:
        return failure_of(error.cause, converter)
    if isinstance(error, TimedOutError):
        return api.Failure(reason=TIMEOUT_PREFIX + error.timeout_type.value)
    if isinstance(error, CancelledError | asyncio.CancelledError):
        return api.Failure(reason=CANCELED)
    if isinstance(error, ApplicationError):
        failure = api.Failure(reason=error.type, details=_details(converter, error.message, error.details))
        if error.non_retryable:
            failure.options.failure_category = api.FAILURE_CATEGORY_FATAL
        return failure
    trace = "".join(traceback.format_exception(error))[-TRACEBACK_CHARACTERS_MAX:]
    return api.Failure(reason=type(error).__name__, details=_details(converter, str(error), ({"traceback": trace},)))


def _details(converter: DataConverter, message: str, details: Any) -> bytes:
    try:
        return converter.to_payload([message, *details])
    except PayloadError:
        return converter.to_payload([message, *(repr(detail) for detail in details)])


def error_of(failure: api.Failure, converter: DataConverter) -> FailureError:
    """The exception that a recorded failure stands for."""
    reason = failure.reason
    if reason.startswith(TIMEOUT_PREFIX):
        name = reason.removeprefix(TIMEOUT_PREFIX)
        return TimedOutError(TimeoutType(name) if name in TimeoutType.__members__ else TimeoutType.START_TO_CLOSE)
    if reason == CANCELED:
        return CancelledError(details=values_of(failure.details, converter))
    if reason in (GENERIC, PANIC):
        return ApplicationError(failure.details.decode(errors="replace"), type=reason)
    values = values_of(failure.details, converter)
    message = reason
    if values and isinstance(values[0], str):
        message, values = values[0], values[1:]
    fatal = failure.options.failure_category == api.FAILURE_CATEGORY_FATAL
    return ApplicationError(message, *values, type=reason, non_retryable=fatal)


def activity_error(
    activity_type: str, activity_id: str, failure: api.Failure, converter: DataConverter
) -> BaseException:
    """What workflow code gets for an activity that failed, timed out or gave up, all by its failure."""
    cause = error_of(failure, converter)
    if isinstance(cause, TimedOutError):
        return ActivityTimeoutError(activity_type, activity_id, cause)
    return ActivityError(activity_type, activity_id, cause)


def values_of(data: bytes, converter: DataConverter) -> list[Any]:
    """Details as plain values; what is no payload of this converter (another SDK's text) as one string."""
    if not data:
        return []
    try:
        return converter.from_payload(data, ())
    except PayloadError:
        return [data.decode(errors="replace")]
