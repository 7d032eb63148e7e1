"""Records on the wire: frames are elements of the interface's own History message."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto_api import api
from tenuto_server.errors import InvariantViolation
from tenuto_server.history import storing
from tenuto_server.history.engine import records
from tenuto_server.history.engine.records import (
    AttemptFailed,
    AttemptStarted,
    Buffered,
    CallSettled,
    DecisionContinued,
    DecisionDropped,
    DecisionMoved,
    DecisionScheduled,
    DecisionStarted,
    Forked,
    Happened,
    Heartbeat,
    JitterKept,
    Numbered,
    Record,
    RequestsKept,
    StickyCleared,
    StickySet,
    Traced,
)


def _event(event_id: int, size: int = 0) -> api.HistoryEvent:
    attributes = api.MarkerRecordedEventAttributes(marker_name="m", details=api.Payload(data=b"x" * size))
    return api.HistoryEvent(event_id=event_id, marker_recorded_event_attributes=attributes)


# Around the sizes where a length prefix grows by a byte.
SIZES = st.one_of(st.integers(0, 300), st.sampled_from([16_200, 16_300, 16_383, 16_384, 16_400, 70_000]))


@given(st.lists(SIZES, max_size=8))
def test_frames_joined_are_a_history(sizes: list[int]) -> None:
    events = [_event(number + 1, size) for number, size in enumerate(sizes)]
    frames = [records.frame(event.SerializeToString()) for event in events]
    joined = b"".join(frames)
    assert joined == api.History(events=events).SerializeToString()
    assert list(storing.split_frames(joined)) == frames
    assert list(storing.split_frames(memoryview(joined))) == frames
    assert [records.unframe(frame) for frame in frames] == [event.SerializeToString() for event in events]


@pytest.mark.parametrize("size", [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFF, 0x200000])
def test_a_frame_at_each_length_of_its_prefix(size: int) -> None:
    data = bytes(size)
    assert records.unframe(records.frame(data)) == data
    assert list(storing.split_frames(records.frame(data) * 2)) == [records.frame(data)] * 2


def test_what_is_no_history_is_not_split() -> None:
    with pytest.raises(InvariantViolation):
        list(storing.split_frames(records.frame(b"abc") + b"\x12\x01a"))


ALL: list[Record] = [
    Happened(_event(3), records.frame(_event(3).SerializeToString())),
    Buffered(_event(0), _event(0).SerializeToString()),
    Numbered(_event(4), records.frame(_event(4).SerializeToString()), _event(0).SerializeToString()),
    DecisionScheduled(7, 1, 10, 123),
    DecisionStarted("poll", "worker", 124),
    DecisionDropped(),
    StickySet("host", 5),
    StickyCleared(),
    DecisionMoved(),
    DecisionContinued(1_700_000_000_000_000_000),
    AttemptStarted(5, 2, "poll", "worker", 125),
    AttemptFailed(5, 3, 126, b"failure", "worker"),
    AttemptFailed(5, 3, 126, b"failure", "worker", b""),
    Forked("base", 4, b"\x01state"),
    Heartbeat(5, 127, None),
    Heartbeat(5, 127, b"details"),
    CallSettled(5, 7),
    JitterKept(30),
    Traced("00-1"),
    RequestsKept({"request": "run"}),
]


def _same(one: Record, other: Record) -> bool:
    if isinstance(one, Happened | Buffered | Numbered):
        return type(one) is type(other) and all(getattr(one, name) == getattr(other, name) for name in one.__slots__)
    return one == other


def test_all_kinds_of_record_read_back_as_they_were() -> None:
    wire = msgspec.msgpack.decode(msgspec.msgpack.encode(records.to_wire(ALL)))
    back = records.from_wire(wire)
    assert len(back) == len(ALL)
    for one, other in zip(ALL, back, strict=True):
        assert _same(one, other), one


def test_all_kinds_of_record_are_tried_above() -> None:
    internal = {type(record) for record in ALL if isinstance(record, msgspec.Struct)}
    assert internal == set(records.Internal.__args__)


@pytest.mark.parametrize("wire", [[[99, 1]], [[10]], [[11, 5, "x", 1]]])
def test_an_unknown_record_is_a_broken_log(wire: list[list[object]]) -> None:
    with pytest.raises(InvariantViolation):
        records.from_wire(wire)
