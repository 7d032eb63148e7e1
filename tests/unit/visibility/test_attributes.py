"""Values of search attributes, and the rules for setting them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto_api import api
from tenuto_server.visibility import attributes
from tenuto_server.visibility.attributes import BOOL, DATETIME, DEFAULT, DOUBLE, INT, KEYWORD, STRING, AttributeLimits


@pytest.mark.parametrize(
    ("data", "value_type", "values"),
    [
        (b'"a"', KEYWORD, ("a",)),
        (b'["b","a","b"]', KEYWORD, ("a", "b")),
        (b"[]", KEYWORD, ()),
        (b"null", INT, ()),
        (b'"Hello, W\xc3\xb6rld!  x-1"', STRING, (" hello wörld x 1 ",)),
        (b'"..."', STRING, ("",)),
        (b"[3,1,2]", INT, (1, 2, 3)),
        (b"true", BOOL, (1,)),
        (b"1.5", DOUBLE, (1.5,)),
        (b"5", DOUBLE, (5,)),
        (b"1" + b"0" * 30, DOUBLE, (1e30,)),
        (b'"1970-01-01T00:00:01.5Z"', DATETIME, (1_500_000_000,)),
    ],
)
def test_what_is_indexed(data: bytes, value_type: int, values: tuple[object, ...]) -> None:
    assert attributes.indexed(data, value_type) == values


@pytest.mark.parametrize(
    ("data", "value_type"),
    [
        (b"", KEYWORD), (b"x", KEYWORD), (b"1", KEYWORD), (b'"\\ud800"', KEYWORD), (b'"\xff"', KEYWORD), (b'["a",1]', KEYWORD),
        (b'{"a":1}', KEYWORD), (b'[["a"]]', KEYWORD), (b"[" * 100_000, KEYWORD), (b"true", INT), (b"1.0", INT), (b"1" * 20, INT),
        (b"NaN", DOUBLE), (b"Infinity", DOUBLE), (b"1e999", DOUBLE), (b"1" + b"0" * 400, DOUBLE), (b"1", BOOL),
        (b'"true"', BOOL), (b"5", DATETIME), (b'"2020-01-01"', DATETIME), (b'"2020-01-01T00:00:00"', DATETIME),
        (b'"2020-02-30T00:00:00Z"', DATETIME), (b'"1600-01-01T00:00:00Z"', DATETIME), (b'"2020-01-01T00:00:00+24:00"', DATETIME),
    ],
)  # fmt: skip
def test_what_is_not_of_its_type(data: bytes, value_type: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        attributes.indexed(data, value_type)
    assert attributes.indexed_or_none(data, value_type) == ()


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_times_are_read_exactly(moment: datetime) -> None:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    expected = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    assert attributes.nanoseconds(moment.isoformat(timespec="microseconds")) == expected


def given_attributes(**values: bytes) -> api.SearchAttributes:
    return api.SearchAttributes(indexed_fields={key: api.Payload(data=data) for key, data in values.items()})


def test_the_rules_for_setting_attributes() -> None:
    limits = AttributeLimits(keys_max=2, value_bytes_max=10, total_bytes_max=60)

    def fault(**values: bytes) -> str:
        return attributes.fault(given_attributes(**values), DEFAULT, limits)

    assert fault() == ""
    assert fault(CustomIntField=b"1", CustomKeywordField=b'"x"') == ""
    assert fault(CustomIntField=b"1", CustomKeywordField=b'"x"', CustomBoolField=b"true") == "number of keys 3 exceed limit"
    assert fault(Nothing=b"1") == "Nothing is not a valid search attribute key"
    assert fault(StartTime=b"1") == "StartTime is read-only Cadence reserved attribute"
    assert fault(CustomIntField=b'"x"') == "CustomIntField does not hold a valid value of its type"
    assert fault(CustomIntField=b"1" * 11) == "size limit exceed for key CustomIntField"
    assert fault(CustomKeywordField=b'"12345678"', CadenceScheduleWorkflowType=b'"1234567"') == "total size 64 exceed limit"


json_values = st.one_of(
    st.text(max_size=4), st.integers(), st.floats(), st.booleans(), st.none(), st.just("2020-01-01T00:00:00Z")
)


@given(
    data=st.one_of(
        st.binary(max_size=20), st.one_of(json_values, st.lists(json_values, max_size=3)).map(lambda v: repr(v).encode())
    )
)
def test_entries_are_what_each_type_indexes(data: bytes) -> None:
    """What a store puts in its index is what an evaluation of the record finds, whatever type a query says the key has."""
    found = attributes.entries(given_attributes(k=data).SerializeToString())
    for value_type in attributes.TYPES:
        kinds = {INT, DOUBLE} if value_type == DOUBLE else {value_type}
        listed = {value for _, kind, value in found if kind in kinds}
        assert listed == set(attributes.indexed_or_none(data, value_type))
