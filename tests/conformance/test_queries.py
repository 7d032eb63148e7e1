"""Queries: every store finds, orders, counts and pages as the evaluation in Python says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto_api import api
from tenuto_server.persistence.interface import Store, VisibilityKey, WriteBatch
from tenuto_server.visibility import evaluate
from tenuto_server.visibility.attributes import BOOL, DATETIME, DEFAULT, DOUBLE, INT, STRING, SYSTEM
from tenuto_server.visibility.paging import PAGE_BYTES_MAX
from tenuto_server.visibility.query import parse
from tenuto_server.visibility.records import VisibilityRecord
from tenuto_server.visibility.tree import AllOf, AnyOf, Field, Leaf, Node, Op, Order, Query, everything
from tests.conformance.conftest import NewStore
from tests.conformance.test_visibility import put, record

few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def attributes(**values: Any) -> bytes:
    fields = {key: api.Payload(data=json.dumps(value).encode()) for key, value in values.items()}
    return api.SearchAttributes(indexed_fields=fields).SerializeToString(deterministic=True)


async def pages(store: Store, query: Query, page_size: int = 100) -> list[str]:
    found: list[str] = []
    token = b""
    while True:
        page = await store.list_visibility(query, page_size, token)
        found += [one.run_id for one in page.records]
        token = page.next_token
        if not token:
            return found


async def listed(store: Store, text: str, page_size: int = 100) -> list[str]:
    return await pages(store, parse(text, DEFAULT, "domain"), page_size)


async def test_an_attribute_follows_its_run(store: Store) -> None:
    one = record("r", search_attributes=attributes(CustomKeywordField="a", CustomIntField=[1, 5]))
    await put(store, one)
    assert await listed(store, "CustomKeywordField = 'a' and CustomIntField = 5") == ["r"]
    assert await listed(store, "CustomIntField > 1 and CustomIntField < 5") == ["r"], "each condition has its own value"
    assert await listed(store, "CustomIntField between 2 and 4") == []
    assert await listed(store, "CustomIntField != 5") == []
    changed = replace(one, search_attributes=attributes(CustomKeywordField="b"), stamp=2)
    await put(store, changed)
    assert await listed(store, "CustomKeywordField = 'a'") == []
    assert await listed(store, "CustomKeywordField = 'b' and CustomIntField = missing") == ["r"]
    await put(store, one)
    assert await listed(store, "CustomKeywordField = 'a'") == [], "a late write of the former state loses"
    assert await listed(store, "CustomKeywordField = 'b'") == ["r"]
    await store.write(WriteBatch(visibility_deletes=[VisibilityKey("domain", "w", "r", 3)]))
    assert await listed(store, "CustomKeywordField = 'b'") == []
    await put(store, replace(changed, stamp=3))
    assert await listed(store, "CustomKeywordField = 'b'") == [], "a late write loses to the deletion"
    await put(store, replace(one, stamp=4))
    assert await listed(store, "CustomKeywordField = 'a'") == ["r"]


async def test_texts_are_found_by_their_words(store: Store) -> None:
    await put(store, record("r", search_attributes=attributes(CustomStringField="The quick, brown Fox", Operator="A_b%")))
    for text in ("quick brown", "THE", "fox"):
        assert await listed(store, f"CustomStringField = '{text}'") == ["r"], text
    for text in ("quick fox", "qui", "brow", ""):
        assert await listed(store, f"CustomStringField = '{text}'") == [], text
    assert await listed(store, "CustomStringField like '%row%'") == ["r"]
    assert await listed(store, "CustomStringField like 'quick%fox'") == ["r"]
    assert await listed(store, "Operator = 'a_b%'") == []
    assert await listed(store, r"Operator like 'A\_b\%'") == ["r"]
    assert await listed(store, "Operator like 'a%'") == []
    assert await listed(store, "Operator like '_%_'") == ["r"]


async def test_runs_without_a_value_come_last_either_way(store: Store) -> None:
    await put(
        store, *[record(f"r{n}", search_attributes=attributes(CustomIntField=n)) for n in range(3)], record("x"), record("y")
    )
    await put(store, record("m", search_attributes=attributes(CustomIntField=[-1, 9])))
    for page_size in (1, 2, 100):
        assert await listed(store, "order by CustomIntField", page_size) == ["m", "r0", "r1", "r2", "x", "y"]
        assert await listed(store, "order by CustomIntField desc", page_size) == ["m", "r2", "r1", "r0", "y", "x"]


async def test_a_token_belongs_to_its_query(store: Store) -> None:
    await put(store, *[record(f"r{n}", n) for n in range(3)])
    asked = parse("HistoryLength = 2", DEFAULT, "domain")
    token = (await store.list_visibility(asked, 1, b"")).next_token
    assert token
    for other in ("", "HistoryLength = 3", "HistoryLength = 2 order by StartTime", "HistoryLength = 2 order by CustomIntField"):
        with pytest.raises(ValueError, match="token"):
            await store.list_visibility(parse(other, DEFAULT, "domain"), 1, token)
    with pytest.raises(ValueError, match="token"):
        await store.list_visibility(parse("HistoryLength = 2", DEFAULT, "other"), 1, token)


async def test_large_records_make_short_pages(store: Store) -> None:
    await put(
        store,
        *[record(f"r{n}", n, memo=bytes(PAGE_BYTES_MAX // 2)) for n in range(5)],
        record("huge", 9, memo=bytes(PAGE_BYTES_MAX)),
    )
    page = await store.list_visibility(everything("domain"), 100, b"")
    assert [one.run_id for one in page.records] == ["huge"]
    assert await pages(store, everything("domain")) == ["huge", "r0", "r1", "r2", "r3", "r4"]


# --- random trees against the evaluation ------------------------------------------------------------------------------
texts = st.sampled_from(["", "a", "b", "A b", "b, A", "a*", "a%", "é", "\U0001f600", "z\n", "2020-01-01T00:00:00Z"])
numbers = st.sampled_from([-(2**63), -1, 0, 1, 2, 3, 100, 2**53 + 1, 2**63 - 1])
floats = st.sampled_from([-1.5, 0.0, 1.0, 2.0**53, 1e300])
VALUES = {
    INT: numbers,
    BOOL: st.integers(0, 1),
    DATETIME: st.sampled_from([0, 1_577_836_800_000_000_000]),
    DOUBLE: floats | numbers,
}
json_values = st.one_of(
    texts, numbers, floats, st.booleans(), st.none(), st.lists(texts, max_size=2), st.lists(numbers, max_size=3)
)
fields = st.sampled_from([Field(name, kind) for name, kind in {**SYSTEM, **dict(list(DEFAULT.items())[:7])}.items()])


@st.composite
def records(draw: st.DrawFn) -> list[VisibilityRecord]:
    made = []
    for number in range(draw(st.integers(0, 8))):
        close_ns = draw(st.sampled_from([0, 0, 3, 4]))
        given = draw(st.dictionaries(st.sampled_from(list(DEFAULT)[:7]), json_values, max_size=4))
        made.append(
            record(
                f"r{number}", draw(st.integers(0, 3)), workflow_id=draw(texts), workflow_type=draw(texts), task_list=draw(texts),
                close_ns=close_ns, close_status=draw(st.integers(1, 6)) if close_ns else 0, execution_ns=draw(st.integers(0, 5)),
                history_length=draw(st.integers(0, 3)), is_cron=draw(st.booleans()),
                cron_schedule=draw(st.sampled_from(["", "@daily"])),
                update_ns=draw(st.integers(0, 3)), search_attributes=attributes(**given) if given else b"",
                domain_id=draw(st.sampled_from(["domain", "domain", "domain", "other"])),
            )
        )  # fmt: skip
    return made


def value_for(field: Field) -> st.SearchStrategy[Any]:
    if field.name in ("StartTime", "CloseTime", "ExecutionTime", "UpdateTime", "HistoryLength", "CloseStatus", "ExecutionStatus"):
        return st.integers(-1, 6)
    if field.type == STRING:
        return st.sampled_from(["", " a ", " a b ", " b "])
    return VALUES.get(field.type, texts)


@st.composite
def leaves(draw: st.DrawFn) -> Leaf:
    field = draw(fields)
    is_text = field.type not in VALUES
    op = draw(st.sampled_from([op for op in Op if is_text or op is not Op.LIKE]))
    value = value_for(field)
    negated = False
    if op in (Op.IN, Op.BETWEEN, Op.LIKE, Op.PRESENT):
        negated = draw(st.booleans())
    if op is Op.PRESENT:
        return Leaf(field, op, (), negated)
    if op is Op.LIKE:
        return Leaf(field, op, (draw(st.sampled_from(["*", "", "a", "*a*", "?", "a[*]", "*?", " a *", "* b *"])),), negated)
    count = {Op.IN: draw(st.integers(1, 3)), Op.BETWEEN: 2}.get(op, 1)
    return Leaf(field, op, tuple([draw(value) for _ in range(count)]), negated)


nodes: st.SearchStrategy[Node] = st.recursive(
    leaves(),
    lambda inner: (
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


@few
@given(
    held=records(),
    queries=st.lists(
        st.builds(Query, st.just("domain"), st.none() | nodes, st.builds(Order, fields, st.booleans())), min_size=1, max_size=5
    ),
    page_size=st.integers(1, 4),
)
def test_a_store_answers_as_the_evaluation(
    new_store: NewStore, held: list[VisibilityRecord], queries: list[Query], page_size: int
) -> None:
    if new_store.enough("test_a_store_answers_as_the_evaluation"):
        return
    async def check() -> None:
        store = new_store()
        await store.open()
        try:
            await put(store, *held)
            for query in queries:
                found = [one for one in held if evaluate.matches(query, one)]
                expected = [one.run_id for _, one in evaluate.in_order(found, query.order)]
                assert await pages(store, query, page_size) == expected, query
                assert await store.count_visibility(query) == len(expected)
        finally:
            await store.close()

    asyncio.run(check())
