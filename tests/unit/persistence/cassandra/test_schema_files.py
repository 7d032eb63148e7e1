"""The .cql files: whatever they say can be said again, and buckets of keys follow one another as keys do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenuto_server.persistence.cassandra import schema
from tenuto_server.persistence.cassandra.queues import BUCKET_MAX, BUCKET_MIN, bucket_of_key
from tenuto_server.persistence.cassandra.rows import place_of
from tenuto_server.persistence.rows import int_key


def test_every_statement_may_be_made_again() -> None:
    for version in range(1, schema.SCHEMA_VERSION + 1):
        found = schema.statements(version)
        assert found
        for statement in found:
            assert " IF NOT EXISTS " in statement or " IF EXISTS " in statement, statement


def test_splitting_leaves_comments_out() -> None:
    assert schema.split("-- one; two\nCREATE a\n  (b); -- more\n\nCREATE c;\n") == ["CREATE a (b)", "CREATE c"]


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_buckets_follow_one_another_as_keys_do(one: bytes, other: bytes) -> None:
    low, high = sorted([one, other])
    assert BUCKET_MIN <= bucket_of_key(low) <= bucket_of_key(high) <= BUCKET_MAX


def test_a_bucket_is_about_a_minute_of_time() -> None:
    minute = 1 << 36
    at = 1_800_000_000_000_000_000 // minute * minute
    assert bucket_of_key(int_key(at) + b"x") == bucket_of_key(int_key(at + minute - 1)) == bucket_of_key(int_key(at + minute)) - 1


@given(st.text(max_size=3), st.text(max_size=3))
def test_places_are_as_different_as_partitions_and_never_empty(one: str, other: str) -> None:
    assert place_of(one)
    assert (place_of(one) == place_of(other)) == (one == other)
