"""Local activities: run by the deciding worker itself, without a task of the server; only their outcomes are recorded.

    pending --outcome recorded--> resolved | waiting for a durable timer --> pending again, as a new one with the next attempt
            --cancelled, or the workflow ends--> gone, without a record

An outcome is a marker named "LocalActivity" in the form of the Go client: a JSON object that names the activity, its result or
error, the attempt, the workflow's time from then on, and how long to wait before the next attempt where the worker leaves
that wait to a durable timer. Within a turn the outcomes come after its events, one by one, and the code runs after each: live in
the order in which the activities end, in replay in the order of the markers.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tenuto._types import SECOND_NS, RetryPolicy
from tenuto.errors import PayloadError
from tenuto_api import api

if TYPE_CHECKING:
    from tenuto._replay.handles import LocalActivityHandle

MARKER = "LocalActivity"


@dataclass(slots=True, eq=False)
class LocalActivity:
    """What the worker must know to run one. Times in seconds; `expires_ns` is the workflow's time at which it must have ended,
    all attempts together, None for none."""

    activity_id: str
    activity_type: str
    input: bytes
    header: Mapping[str, bytes]
    attempt: int
    start_to_close_s: float | None
    scheduled_ns: int
    expires_ns: int | None
    retry: RetryPolicy | None
    handle: LocalActivityHandle[Any]

    def seconds_left(self, now_ns: int) -> float | None:
        """How long there is for all attempts from the workflow's time `now_ns` on; None for ever."""
        return None if self.expires_ns is None else (self.expires_ns - now_ns) / SECOND_NS


@dataclass(frozen=True, slots=True)
class LocalOutcome:
    """How a local activity ended: a result, or a failure. With `backoff_ns` another attempt follows after that time."""

    activity_id: str
    activity_type: str
    attempt: int
    replay_ns: int
    result: bytes = b""
    failure: api.Failure | None = None
    backoff_ns: int = 0

    def details(self) -> bytes:
        """The marker's details. Go leaves out what is empty, and writes times with a fraction as short as may be."""
        fields: dict[str, Any] = {"activityId": self.activity_id, "activityType": self.activity_type}
        if self.failure is not None:
            fields["errReason"] = self.failure.reason
            _put(fields, "errJson", self.failure.details)
        else:
            _put(fields, "resultJson", self.result)
        fields["replayTime"] = _text_of(self.replay_ns)
        if self.attempt:
            fields["attempt"] = self.attempt
        if self.backoff_ns:
            fields["backoff"] = self.backoff_ns
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    @classmethod
    def of(cls, details: bytes) -> LocalOutcome:
        """From a marker. Raises PayloadError."""
        try:
            fields = json.loads(details)
            reason = fields.get("errReason", "")
            failure = api.Failure(reason=reason, details=_get(fields, "errJson")) if reason else None
            return cls(
                activity_id=str(fields.get("activityId", "")),
                activity_type=str(fields.get("activityType", "")),
                attempt=int(fields.get("attempt", 0)),
                replay_ns=_ns_of(str(fields["replayTime"])),
                result=_get(fields, "resultJson"),
                failure=failure,
                backoff_ns=int(fields.get("backoff", 0)),
            )
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise PayloadError(f"marker {MARKER} cannot be read: {error}") from error


def whole_micros(ns: int) -> int:
    """The time as it can be written and read back."""
    return ns // 1000 * 1000


def _put(fields: dict[str, Any], name: str, data: bytes) -> None:
    """Payloads are text, so that people can read them; what is none goes into a field that other clients pass over."""
    if not data:
        return
    try:
        fields[name] = data.decode()
    except UnicodeDecodeError:
        fields[name + "Base64"] = base64.b64encode(data).decode()


def _get(fields: Mapping[str, Any], name: str) -> bytes:
    encoded = fields.get(name + "Base64")
    return base64.b64decode(encoded, validate=True) if encoded else str(fields.get(name, "")).encode()


def _text_of(ns: int) -> str:
    """RFC 3339, as Go writes times into JSON."""
    moment = datetime.fromtimestamp(ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{ns % SECOND_NS:09d}".rstrip("0").rstrip(".")
    return f"{moment}{fraction}Z"


def _ns_of(text: str) -> int:
    moment, point, rest = text.partition(".")
    if not point:
        return int(datetime.fromisoformat(text).timestamp()) * SECOND_NS
    digits = len(rest) - len(rest.lstrip("0123456789"))
    zone = rest[digits:]
    return int(datetime.fromisoformat(moment + zone).timestamp()) * SECOND_NS + int(rest[:digits].ljust(9, "0")[:9])


class LocalActivities:
    """The local activities of one run that have not ended, and the workflow's side of their end."""

    def __init__(self) -> None:
        self._pending: dict[str, LocalActivity] = {}
        # Told of one that is no longer wanted; set by the worker that runs them.
        self.on_gone: Callable[[str], None] = lambda activity_id: None

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, activity: LocalActivity) -> None:
        """The code asked for one."""
        self._pending[activity.activity_id] = activity

    def pending(self) -> list[LocalActivity]:
        """Those that have not ended, in the order in which the code asked for them."""
        return list(self._pending.values())

    def take(self, activity_id: str) -> LocalActivity | None:
        """One has ended."""
        return self._pending.pop(activity_id, None)

    def drop(self, activity_id: str) -> None:
        """The code does not want one any more."""
        if self._pending.pop(activity_id, None) is not None:
            self.on_gone(activity_id)

    def clear(self) -> None:
        """The run ends, or leaves memory."""
        for activity_id in list(self._pending):
            self.drop(activity_id)
