"""Payloads as the Go client writes them, and typed values out of them."""

from __future__ import annotations

import enum
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Optional, TypedDict

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.converter import JsonConverter
from tenuto.errors import PayloadError

converter = JsonConverter()


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Inner:
    when: datetime
    wait: timedelta
    raw: bytes = b""


@dataclass
class Outer:
    name: str
    inner: Inner | None = None
    items: list[Inner] = field(default_factory=list)
    by_id: dict[int, Color] = field(default_factory=dict)
    pair: tuple[int, str] = (0, "")
    level: Level = Level.LOW
    parent: Optional["Outer"] = None  # noqa: UP045, UP037  the old spelling is read too


class Point(NamedTuple):
    x: int
    y: float


class Options(TypedDict, total=False):
    color: Color
    size: int


class Model(pydantic.BaseModel):
    id: uuid.UUID
    amount: Decimal


def test_values_are_json_each_followed_by_a_newline() -> None:
    assert converter.to_payload([1, "a b", None, {"k": [True]}, "é"]) == '1\n"a b"\nnull\n{"k":[true]}\n"é"\n'.encode()
    assert converter.to_payload([]) == b""
    assert converter.from_payload(b"", ()) == []


@pytest.mark.parametrize("data", [b'1\n"x"\n', b'1 "x"', b'  1\t"x"\r\n\n', b'1"x"'])
def test_any_whitespace_between_values_is_read(data: bytes) -> None:
    assert converter.from_payload(data, (int, str)) == [1, "x"]


def test_a_single_bytes_argument_is_the_payload_itself_as_in_go() -> None:
    assert converter.to_payload([b"\x00\xff"]) == b"\x00\xff"
    assert converter.from_payload(b"\x00\xff", (bytes,)) == [b"\x00\xff"]
    assert converter.to_payload([b"ab", 1]) == b'"YWI="\n1\n'
    assert converter.from_payload(b'"YWI="\n1\n', (bytes, int)) == [b"ab", 1]


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Outer, Outer("a", Inner(datetime(2024, 1, 2, 3, 4, 5, 678901, UTC), timedelta(seconds=1.5), b"\x01"))),
        (Outer, Outer("a", None, [Inner(datetime(2024, 1, 2, tzinfo=UTC), timedelta(0))], {7: Color.RED}, (3, "x"), Level.HIGH)),
        (Outer, Outer("a", parent=Outer("b"))),
        (list[Color], [Color.RED, Color.BLUE]),
        (dict[str, list[date]], {"a": [date(2024, 2, 29)]}),
        (set[int], {1, 2}),
        (frozenset[str], frozenset({"a"})),
        (tuple[int, ...], (1, 2, 3)),
        (uuid.UUID, uuid.UUID(int=7)),
        (Decimal, Decimal("1.10")),
        (Point, Point(1, 2.0)),
        (float, 2.0),
        (int | str, "x"),
        (Outer | None, None),
        (Color | int, Color.BLUE),
        (Literal["a", "b"], "a"),
        (Model, Model(id=uuid.UUID(int=7), amount=Decimal("1.5"))),
        (list[Model], [Model(id=uuid.UUID(int=7), amount=Decimal("1.5"))]),
        (Any, {"free": ["form", 1, None]}),
        (Options, {"color": Color.RED, "size": 2}),
    ],
)
def test_values_come_back_as_their_types(hint: Any, value: Any) -> None:
    data = converter.to_payload([value])
    decoded = converter.from_payload(data, (hint,))[0]
    assert decoded == value
    assert type(decoded) is type(value)


def test_timedelta_is_nanoseconds_as_in_go() -> None:
    assert converter.to_payload([timedelta(seconds=1.5)]) == b"1500000000\n"


def test_unknown_fields_are_ignored_and_missing_ones_have_their_defaults() -> None:
    assert converter.from_payload(b'{"name":"x","new":1}', (Outer,)) == [Outer("x")]


def test_values_beyond_the_types_come_as_they_are() -> None:
    assert converter.from_payload(b'1\n{"a":2}\n', (int,)) == [1, {"a": 2}]


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"{", Any),
        (b"\xff\xfe", Any),
        (b'{"wrong":1}', Outer),
        (b'"x"', Outer),
        (b'"green"', Color),
        (b'"x"', float),
        (b"5", list[Inner]),
    ],
)
def test_what_does_not_fit_is_one_kind_of_error(data: bytes, hint: Any) -> None:
    with pytest.raises(PayloadError):
        converter.from_payload(data, (hint,))


def test_what_cannot_be_written_is_one_kind_of_error() -> None:
    with pytest.raises(PayloadError, match="object"):
        converter.to_payload([object()])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=50)
@given(st.lists(json_values, max_size=4))
def test_json_values_survive(values: list[Any]) -> None:
    assert converter.from_payload(converter.to_payload(values), ()) == values
