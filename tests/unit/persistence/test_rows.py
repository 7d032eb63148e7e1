"""Encodings of values and keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto_server.persistence.rows import (
    INT64_MAX,
    INT64_MIN,
    UnknownEncoding,
    int_key,
    int_of_key,
    join_ids,
    join_key,
    pack,
    split_ids,
    split_key,
    unpack,
)

int64s = st.integers(INT64_MIN, INT64_MAX)
ids = st.text(alphabet=st.one_of(st.sampled_from("/%\x000125F"), st.characters(exclude_categories=["Cs"])), max_size=20)
parts = st.lists(st.binary(max_size=6) | st.lists(st.sampled_from([0, 1, 255]), max_size=5).map(bytes), max_size=4)


def test_a_value_comes_back_with_its_version() -> None:
    version, data = unpack(pack(3, b"data"))
    assert (version, bytes(data)) == (3, b"data")
    assert bytes(unpack(pack(1, b""))[1]) == b""


def test_an_unknown_version_is_named() -> None:
    with pytest.raises(UnknownEncoding, match="run 7 is in encoding 3, and this program knows up to 2"):
        unpack(pack(3, b"data"), "run 7", 2)
    for value in (b"", b"\x00data"):
        with pytest.raises(UnknownEncoding, match="no encoding version"):
            unpack(value)


@pytest.mark.parametrize("version", [0, -1, 256])
def test_versions_fit_a_byte_and_are_not_zero(version: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 255"):
        pack(version, b"")


@given(a=int64s, b=int64s)
def test_numbers_sort_as_keys(a: int, b: int) -> None:
    assert (int_key(a) < int_key(b)) == (a < b)
    assert int_of_key(b"xx" + int_key(a), 2) == a


@given(a=st.lists(ids, min_size=1, max_size=4), b=st.lists(ids, min_size=1, max_size=4))
def test_joined_ids_come_back_and_never_collide(a: list[str], b: list[str]) -> None:
    assert split_ids(join_ids(*a)) == a
    assert (join_ids(*a) == join_ids(*b)) == (a == b)
    assert "\0" not in join_ids(*a)


def test_usual_ids_stay_readable() -> None:
    assert join_ids("domain", "order-1") == "domain/order-1"
    assert len(join_ids("/" * 1000)) == 3000


@given(a=parts, b=parts)
def test_joined_keys_come_back_and_sort_as_their_parts(a: list[bytes], b: list[bytes]) -> None:
    assert split_key(join_key(a)) == a
    assert (join_key(a) < join_key(b)) == (a < b)
    assert join_key(a + b).startswith(join_key(a))


@pytest.mark.parametrize("key", [b"x", b"x\x00", b"\x00\x01x"])
def test_a_foreign_key_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="not a joined key"):
        split_key(key)
