"""Page tokens read back as they were, and anything else is a bad request."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto_server import errors
from tenuto_server.history import paging
from tenuto_server.history.paging import PageToken


@given(st.text(), st.integers(1, 2**40), st.integers(0, 2**40), st.booleans(), st.lists(st.binary(), max_size=3))
def test_a_token_reads_back(run_id: str, next_id: int, more: int, is_polling: bool, extra: list[bytes]) -> None:
    token = PageToken(run_id, next_id, next_id + more, is_polling, extra)
    assert paging.decode(paging.encode(token)) == token


@given(st.binary())
def test_bytes_of_somebody_else_are_a_bad_request(data: bytes) -> None:
    with pytest.raises(errors.BadRequest, match="Invalid NextPageToken"):
        paging.decode(data)


@pytest.mark.parametrize(
    "values",
    [
        ["run", 1, 2, False],
        ["run", 1, 2, False, [], 0],
        [7, 1, 2, False, []],
        ["run", "1", 2, False, []],
        ["run", 1.0, 2, False, []],
        ["run", True, 2, False, []],
        ["run", 0, 2, False, []],
        ["run", -1, 2, False, []],
        ["run", 3, 2, False, []],
        ["run", 1, 2, False, None],
        ["run", 1, 2, False, ["not base64!"]],
        ["run", 1, 2, False, [5]],
        {"run": 1},
        None,
        5,
    ],
)
def test_a_token_that_was_tampered_with_is_a_bad_request(values: object) -> None:
    with pytest.raises(errors.BadRequest):
        paging.decode(json.dumps(values).encode())
