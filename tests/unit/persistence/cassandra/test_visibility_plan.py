"""Keys, terms and plans: whatever a query finds is among its candidates, and common queries have few."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto_server.persistence.cassandra import visibility_rows as rows
from tenuto_server.persistence.cassandra.visibility_plan import Plan, plan
from tenuto_server.persistence.cassandra.visibility_rows import Axis, key, unit, unit_of_key
from tenuto_server.persistence.interface import VisibilityKey
from tenuto_server.visibility import evaluate
from tenuto_server.visibility.attributes import DEFAULT
from tenuto_server.visibility.query import parse
from tenuto_server.visibility.records import VisibilityRecord
from tenuto_server.visibility.tree import BY_CLOSE, BY_RUN, BY_START, Order, Query, open_or_closed
from tests.conformance.test_queries import attributes, fields, nodes, records
from tests.conformance.test_visibility import record

DOMAIN = "domain"


def asked(text: str) -> Plan:
    return plan(parse(text, DEFAULT, DOMAIN))


def is_candidate(way: Plan, run: VisibilityRecord) -> bool:
    if run.domain_id != DOMAIN or way.is_empty:
        return False
    if way.run_ids is not None:
        return run.run_id in way.run_ids
    _, _, _, _, _, _, start_key, state_key, _, terms, _ = rows.put(run).bound.parameters
    if way.axis is not None:
        column = start_key if way.axis is Axis.START else state_key
        if not key(DOMAIN, way.axis, way.first_ns) <= column <= key(DOMAIN, way.axis, way.last_ns):
            return False
    return any(all(term in terms for term in wanted) for wanted in way.alternatives)


@settings(max_examples=100, deadline=None)
@given(held=records(), where=st.none() | nodes, order=st.builds(Order, fields, st.booleans()))
def test_what_a_query_finds_is_a_candidate(held: list[VisibilityRecord], where: object, order: Order) -> None:
    query = Query(DOMAIN, where, order)  # type: ignore[arg-type]
    way = plan(query)
    for run in held:
        # By close, the open ones are asked for in another way.
        is_listed = way.axis is not Axis.CLOSED or not way.by_axis or run.close_ns
        if is_listed and evaluate.matches(query, run):
            assert is_candidate(way, run), (query, way)


def test_open_and_closed_lists_are_searched_on_an_axis_of_their_own_within_their_times() -> None:
    way = plan(open_or_closed(DOMAIN, True, 5, 9, workflow_type="T"))
    assert (way.axis, way.first_ns, way.last_ns, way.by_axis) == (Axis.OPEN, 5, 9, True)
    assert way.alternatives == ((rows.term(DOMAIN, "t", "T"),),)
    way = plan(open_or_closed(DOMAIN, False, 5, 9, workflow_id="w", close_status=2))
    assert (way.axis, way.first_ns, way.last_ns, way.by_axis) == (Axis.CLOSED, 5, 9, True)
    assert way.alternatives == ((rows.term(DOMAIN, "w", "w"), rows.term(DOMAIN, "s", "2")),)


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("", Axis.START),
        ("CloseTime = missing", Axis.OPEN),
        ("ExecutionStatus in ('PENDING', 'STARTED')", Axis.OPEN),
        ("ExecutionStatus in (-1, 0)", Axis.START),
        ("CloseTime = missing or WorkflowType = 'a'", Axis.START),
        ("CloseTime > 3 order by HistoryLength", Axis.CLOSED),
        ("CloseTime != 3 order by HistoryLength", None),
        ("StartTime > 3 order by HistoryLength", Axis.START),
        ("order by HistoryLength", None),
        ("order by CloseTime desc", Axis.CLOSED),
    ],
)
def test_the_axis_of_a_query(text: str, axis: Axis | None) -> None:
    assert asked(text).axis is axis


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("WorkflowID in ('a', 'b', 'a')", 2),
        ("CustomKeywordField = 'a'", 2),
        ("CustomIntField > 4", 1),
        ("CustomStringField = 'some words'", 1),
        ("CloseStatus in ('FAILED', 'TIMED_OUT')", 2),
        (f"WorkflowID in ({', '.join(map(repr, map(str, range(50))))})", 1),
    ],
)
def test_the_terms_of_a_query(text: str, count: int) -> None:
    way = asked(text)
    assert len(way.alternatives) == count
    assert all(way.alternatives) == (count != 1 or "Custom" in text)


@pytest.mark.parametrize(
    "text", ["CloseStatus = 'COMPLETED'", "WorkflowType != 'a'", "CustomKeywordField = missing", "IsCron = true"]
)
def test_what_most_runs_have_or_lack_is_no_term(text: str) -> None:
    assert asked(text).alternatives == ((),)


def test_terms_that_find_least_come_first() -> None:
    way = asked("WorkflowType = 't' and CloseStatus = 'FAILED' and WorkflowID = 'w'")
    assert way.alternatives == ((rows.term(DOMAIN, "w", "w"), rows.term(DOMAIN, "s", "2")),)


def test_contradicting_times_find_nothing() -> None:
    assert asked("StartTime > 5 and StartTime < 3").is_empty
    assert not asked("StartTime >= 3 and StartTime <= 3").is_empty


# --- keys and terms ---------------------------------------------------------------------------------------------------
@given(st.text(max_size=5), st.text(max_size=5))
def test_buckets_ascend_with_run_ids(one: str, other: str) -> None:
    if one <= other:
        assert rows.bucket_of(one) <= rows.bucket_of(other)
    assert 0 <= rows.bucket_of(one) < rows.BUCKETS


def test_random_run_ids_fall_in_all_buckets_alike() -> None:
    assert [rows.bucket_of(f"{n:02x}000000-0000") for n in range(256)] == list(range(256))


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-(1 << 63), (1 << 63) - 1))
def test_keys_ascend_with_times_and_fit_a_bigint(one: int, other: int) -> None:
    first, second = sorted((one, other))
    assert 0 < key(DOMAIN, Axis.START, first) <= key(DOMAIN, Axis.START, second) < 1 << 63
    assert unit_of_key(key(DOMAIN, Axis.START, one)) == unit(one)


def test_domains_and_axes_have_keys_of_their_own() -> None:
    slots = {key(domain, axis, 0) for domain in ("a", "b", "") for axis in Axis}
    assert len(slots) == 12
    assert 0 not in slots


def test_a_term_is_never_long_and_tells_its_parts_apart() -> None:
    assert len(rows.term(DOMAIN, "w", "\U0001f600" * 4000)) < 60
    assert rows.term(DOMAIN, "w", "x" * 4000) != rows.term(DOMAIN, "w", "x" * 4001)
    assert rows.term(DOMAIN, "k", "a", "b") != rows.term(DOMAIN, "k", "ab", "")
    assert rows.term(DOMAIN, "w", "a") != rows.term("other", "w", "a")


def test_numbers_that_are_equal_are_one_term() -> None:
    one = rows.terms_of(record("r", search_attributes=attributes(CustomDoubleField=2)))
    other = rows.terms_of(record("r", search_attributes=attributes(CustomDoubleField=2.0)))
    assert one == other


def test_a_long_list_is_one_term_and_still_found() -> None:
    run = record("r", search_attributes=attributes(CustomIntField=list(range(500))))
    assert len(rows.terms_of(run)) == 4
    assert is_candidate(asked("CustomIntField = 77"), run)


def test_a_completed_run_has_two_terms_and_one_that_failed_three() -> None:
    closed = record("r", close_ns=5, close_status=1)
    assert len(rows.terms_of(closed)) == 2
    assert len(rows.terms_of(replace(closed, close_status=2))) == 3


def test_a_large_memo_stands_beside_the_body() -> None:
    memo = bytes(rows.MEMO_INLINE_BYTES_MAX + 1)
    _, _, _, body, beside, size, *_ = rows.put(record("r", memo=memo)).bound.parameters
    assert (beside, size) == (memo, len(memo))
    assert len(body) < 500
    _, _, _, body, beside, size, *_ = rows.put(record("r", memo=memo[1:])).bound.parameters
    assert (beside, size) == (b"", 0)
    assert len(body) > len(memo) - 1


def test_put_and_remove_write_the_same_row() -> None:
    put, remove = rows.put(record("r", stamp=7)), rows.remove(VisibilityKey(DOMAIN, "w", "r", 7))
    assert put.partition == remove.partition
    assert put.bound.parameters[:3] == remove.bound.parameters[1:]
    assert put.bound.parameters[-1] == remove.bound.parameters[0] == 7


def test_orders_with_an_axis() -> None:
    assert plan(Query(DOMAIN, None, BY_START)).by_axis
    assert plan(Query(DOMAIN, None, BY_CLOSE)).by_axis
    assert not plan(Query(DOMAIN, None, BY_RUN)).by_axis
    assert not plan(Query(DOMAIN, None, BY_RUN)).is_search
