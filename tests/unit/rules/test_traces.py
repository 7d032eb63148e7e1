"""Trace contexts as text: W3C's and Jaeger's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto_api import api
from tenuto_server.rules import traces

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SAMPLED, SAMPLED),
        (f"00-{TRACE}-{SPAN}-ff", SAMPLED),
        (f"cc-{TRACE}-{SPAN}-01-what-comes-later", SAMPLED),
        (f"00-{TRACE}-{SPAN}-00", ""),
        (f"00-{TRACE}-{SPAN}-02", ""),
        (f"ff-{TRACE}-{SPAN}-01", ""),
        (f"00-{'0' * 32}-{SPAN}-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE.upper()}-{SPAN}-01", ""),
        (f"00-{TRACE}-{SPAN}", ""),
        ("", ""),
        ("garbage", ""),
    ],
)
def test_sampled(text: str, expected: str) -> None:
    assert traces.sampled(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{TRACE}:{SPAN}:0:1", SAMPLED),
        (f"{TRACE}:{SPAN}:0:3", SAMPLED),
        (f"{TRACE}:{SPAN}:0:0", f"00-{TRACE}-{SPAN}-00"),
        (f"{TRACE}%3A{SPAN}%3A0%3A1", SAMPLED),
        ("ABC:12:34:1", f"00-{'abc':0>32}-{'12':0>16}-01"),
        ("0:12:0:1", ""),
        ("abc:12:1", ""),
        ("x:12:0:1", ""),
    ],
)
def test_from_jaeger(text: str, expected: str) -> None:
    assert traces.from_jaeger(text) == expected


def test_metadata_and_headers() -> None:
    jaeger = f"{TRACE}:{SPAN}:0:1"
    assert traces.of_metadata({}) == ""
    assert traces.of_metadata({"traceparent": "x", "uber-trace-id": jaeger}) == SAMPLED
    assert traces.of_metadata({"traceparent": f"00-{TRACE}-{SPAN}-00"}) == f"00-{TRACE}-{SPAN}-00"
    header = api.Header()
    assert traces.of_header(header.fields) == ""
    header.fields["uber-trace-id"].data = jaeger.encode()
    assert traces.of_header(header.fields) == SAMPLED
    header.fields["traceparent"].data = f"00-{TRACE}-{SPAN}-00".encode()
    assert traces.of_header(header.fields) == ""
    header.fields["traceparent"].data = b"\xff\xfe"
    assert traces.of_header(header.fields) == ""


@given(st.text(max_size=80))
def test_nothing_else_passes(text: str) -> None:
    for made in (traces.sampled(text), traces.from_jaeger(text)):
        assert made == "" or traces.is_valid(made)
