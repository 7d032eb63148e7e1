"""Records: what `decide` answers and `evolve` applies, and what the log holds.

A record is either a public history event or an internal fact that writes no event (an activity attempt under a retry policy
started, a heartbeat, the sticky binding, a transient decision). Events come in three kinds:

    Happened   has its id and takes effect now
    Buffered   takes effect now but has no id yet: a decision is started, and events get their ids when it closes
    Numbered   a formerly buffered event gets its id and goes to history; it took effect before

An event is encoded once, when it is decided. `frame` is it as an element of the interface's History message (field 1,
length-prefixed), so any concatenation of frames is a History.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from tenuto_api import api
from tenuto_server.errors import InvariantViolation

_EVENT_FIELD = b"\x0a"


def frame(data: bytes) -> bytes:
    """An encoded event as an element of a History message."""
    size = len(data)
    if size < 0x80:
        return _EVENT_FIELD + bytes((size,)) + data
    prefix = bytearray(_EVENT_FIELD)
    while size >= 0x80:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + data


def unframe(framed: bytes) -> bytes:
    """The encoded event within a frame."""
    at = 1
    while framed[at] & 0x80:
        at += 1
    return framed[at + 1 :]


class Happened:
    """An event with its id. `name` is its attributes' field."""

    __slots__ = ("event", "frame", "name")
    tag: ClassVar[int] = 1

    def __init__(self, event: api.HistoryEvent, framed: bytes) -> None:
        self.event = event
        self.frame = framed
        self.name: str = event.WhichOneof("attributes") or ""


class Buffered:
    """An event that waits for its id. `name` is its attributes' field."""

    __slots__ = ("data", "event", "name")
    tag: ClassVar[int] = 2

    def __init__(self, event: api.HistoryEvent, data: bytes) -> None:
        self.event = event
        self.data = data
        self.name: str = event.WhichOneof("attributes") or ""


class Numbered:
    """A buffered event that now has its id. `buffered` is it as it stood in the buffer."""

    __slots__ = ("buffered", "event", "frame")
    tag: ClassVar[int] = 3

    def __init__(self, event: api.HistoryEvent, framed: bytes, buffered: bytes) -> None:
        self.event = event
        self.frame = framed
        self.buffered = buffered


class DecisionScheduled(msgspec.Struct, array_like=True, tag=10):
    """A transient decision is scheduled: no event until it completes."""

    schedule_id: int
    attempt: int
    timeout_s: int
    scheduled_ns: int


class DecisionStarted(msgspec.Struct, array_like=True, tag=11):
    """A transient decision was taken by a poller."""

    request_id: str
    identity: str
    started_ns: int


class DecisionDropped(msgspec.Struct, array_like=True, tag=12):
    """A transient decision failed or timed out."""


class StickySet(msgspec.Struct, array_like=True, tag=13):
    """A worker keeps the run's state and polls this list for it."""

    task_list: str
    timeout_s: int


class StickyCleared(msgspec.Struct, array_like=True, tag=14):
    """No worker is known to keep the run's state."""


class DecisionMoved(msgspec.Struct, array_like=True, tag=15):
    """The pending decision left the sticky list for the normal one without an event: nobody polls the sticky list, or its worker
    was told to be forgotten (`reset`)."""

    reset: bool = False


class DecisionContinued(msgspec.Struct, array_like=True, tag=16):
    """The decision just scheduled goes on with one that only kept itself going: it counts from when that one's row began."""

    original_scheduled_ns: int


class AttemptStarted(msgspec.Struct, array_like=True, tag=20):
    """An attempt of an activity with a retry policy was taken by a poller."""

    schedule_id: int
    attempt: int
    request_id: str
    identity: str
    started_ns: int


class AttemptFailed(msgspec.Struct, array_like=True, tag=21):
    """An attempt failed and another follows at `next_ns`. `failure` is an encoded Failure."""

    schedule_id: int
    next_attempt: int
    next_ns: int
    failure: bytes
    identity: str
    heartbeat_details: bytes | None = None


class Heartbeat(msgspec.Struct, array_like=True, tag=22):
    """An activity told how far it is. `details` is an encoded Payload, None where it gave none."""

    schedule_id: int
    at_ns: int
    details: bytes | None


class CallSettled(msgspec.Struct, array_like=True, tag=40):
    """A closed run's call to another workflow is done, or wanted no more. `kind` is a CallKind."""

    kind: int
    initiated_id: int


class JitterKept(msgspec.Struct, array_like=True, tag=50):
    """A cron run's later starts are jittered too: the started event has no place for it."""

    jitter_s: int


class Traced(msgspec.Struct, array_like=True, tag=51):
    """The run belongs to the sampled trace of the call that started it, which its header does not name."""

    trace: str


class RequestsKept(msgspec.Struct, array_like=True, tag=52):
    """The run follows others of its chain, or is forked from one that does: the requests that these were made for, and the ids of
    the runs they made."""

    requests: dict[str, str]


class Forked(msgspec.Struct, array_like=True, tag=60):
    """The run begins as a fork of another run's history: all that came of it so far, as an encoded state. The events up to
    `next_event_id` are in the store already, as the fork's own."""

    base_run_id: str
    next_event_id: int
    state: bytes


Internal = (
    DecisionScheduled
    | DecisionStarted
    | DecisionDropped
    | StickySet
    | StickyCleared
    | DecisionMoved
    | DecisionContinued
    | AttemptStarted
    | AttemptFailed
    | Heartbeat
    | CallSettled
    | JitterKept
    | Traced
    | RequestsKept
    | Forked
)
Record = Happened | Buffered | Numbered | Internal


def to_wire(records: Sequence[Record]) -> list[Any]:
    """Records as plain values for the log's encoder."""
    wire: list[Any] = []
    for record in records:
        if isinstance(record, Happened):
            wire.append((1, record.frame))
        elif isinstance(record, Buffered):
            wire.append((2, record.data))
        elif isinstance(record, Numbered):
            wire.append((3, record.frame, record.buffered))
        else:
            wire.append(record)
    return wire


def from_wire(wire: Sequence[Sequence[Any]]) -> list[Record]:
    """Records from the log's plain values. Raises InvariantViolation for a kind this version does not know."""
    return [_one_from_wire(item) for item in wire]


def _one_from_wire(item: Sequence[Any]) -> Record:
    tag = item[0]
    if tag == Happened.tag:
        return Happened(api.HistoryEvent.FromString(unframe(item[1])), item[1])
    if tag == Buffered.tag:
        return Buffered(api.HistoryEvent.FromString(item[1]), item[1])
    if tag == Numbered.tag:
        return Numbered(api.HistoryEvent.FromString(unframe(item[1])), item[1], item[2])
    try:
        internal: Internal = msgspec.convert(item, Internal)
    except msgspec.ValidationError as error:
        raise InvariantViolation(f"unknown record in the log: {error}") from error
    return internal
