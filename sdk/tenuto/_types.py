"""Options that client, workflows and worker share: retry policies, policies as enums, durations as the interface wants them."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tenuto_api import api

# Whatever takes a length of time takes a timedelta or a number of seconds.
Seconds = timedelta | float

SECOND_NS = 1_000_000_000
# Loop times are floats of seconds since the epoch, whose last place is worth 0.24 us; below this a remainder is noise.
ROUNDING_S = 1e-5


def whole_seconds(value: Seconds) -> int:
    """The length in whole seconds, rounded up: the interface counts in seconds and cuts fractions off."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    return max(1, math.ceil(seconds - ROUNDING_S)) if seconds > 0 else 0


def to_seconds(value: Seconds) -> float:
    """The length in seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def duration(value: Seconds) -> Duration:
    """The length as a protobuf Duration of whole seconds (rounded up)."""
    return Duration(seconds=whole_seconds(value))


def to_timedelta(value: Duration) -> timedelta:
    """A protobuf Duration as timedelta."""
    return timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)


def to_timestamp(value: datetime) -> Timestamp:
    """A datetime (naive means UTC) as protobuf Timestamp."""
    result = Timestamp()
    result.FromDatetime(value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None))
    return result


def to_datetime(value: Timestamp) -> datetime:
    """A protobuf Timestamp as datetime in UTC."""
    return value.ToDatetime(tzinfo=UTC)


class IdReusePolicy(enum.IntEnum):
    """What a start does when the workflow id was used before; a running workflow refuses a start except for the last."""

    ALLOW_DUPLICATE_FAILED_ONLY = api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
    ALLOW_DUPLICATE = api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    REJECT_DUPLICATE = api.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    TERMINATE_IF_RUNNING = api.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING

    def proto(self) -> api.WorkflowIdReusePolicy:
        """The interface's enum value."""
        return self.value


class CronOverlapPolicy(enum.IntEnum):
    """What a cron schedule does when a run took longer than until the next time: those times are skipped, or one run begins at
    once in their place."""

    SKIPPED = api.CRON_OVERLAP_POLICY_SKIPPED
    BUFFER_ONE = api.CRON_OVERLAP_POLICY_BUFFER_ONE

    def proto(self) -> api.CronOverlapPolicy:
        """The interface's enum value."""
        return self.value


class ParentClosePolicy(enum.IntEnum):
    """What becomes of a child when its parent closes."""

    ABANDON = api.PARENT_CLOSE_POLICY_ABANDON
    REQUEST_CANCEL = api.PARENT_CLOSE_POLICY_REQUEST_CANCEL
    TERMINATE = api.PARENT_CLOSE_POLICY_TERMINATE

    def proto(self) -> api.ParentClosePolicy:
        """The interface's enum value."""
        return self.value


class CancellationType(enum.Enum):
    """What cancelling the await of an activity or child workflow does.

    TRY_CANCEL asks the other side to stop and raises CancelledError at once; WAIT asks and waits for how it really ends;
    ABANDON raises at once without asking.
    """

    TRY_CANCEL = "try_cancel"
    WAIT = "wait"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How the server retries: interval = initial * coefficient ** attempt, capped by `maximum_interval`.

    Either `maximum_attempts` (counting the first) or `expiration_interval` must bound it. `non_retryable_errors` are
    failure reasons, or exception classes whose names are the reasons.
    """

    initial_interval: Seconds = 1.0
    backoff_coefficient: float = 2.0
    maximum_interval: Seconds | None = None
    maximum_attempts: int = 0
    expiration_interval: Seconds | None = None
    non_retryable_errors: Sequence[str | type[BaseException]] = ()

    def proto(self) -> api.RetryPolicy:
        """The interface's message."""
        message = api.RetryPolicy(
            initial_interval=duration(self.initial_interval),
            backoff_coefficient=self.backoff_coefficient,
            maximum_attempts=self.maximum_attempts,
            non_retryable_error_reasons=[
                reason if isinstance(reason, str) else reason.__name__ for reason in self.non_retryable_errors
            ],
        )
        if self.maximum_interval is not None:
            message.maximum_interval.CopyFrom(duration(self.maximum_interval))
        if self.expiration_interval is not None:
            message.expiration_interval.CopyFrom(duration(self.expiration_interval))
        elif self.maximum_attempts == 0:
            raise ValueError("a RetryPolicy needs maximum_attempts or expiration_interval")
        return message
