"""The query language: what texts mean, and which are refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto_server.errors import BadRequest
from tenuto_server.visibility.attributes import DEFAULT, INT
from tenuto_server.visibility.query import QueryLimits, parse
from tenuto_server.visibility.tree import BY_START, AllOf, AnyOf, Field, Leaf, Node, Op, Query, system

CUSTOM = {**DEFAULT, "My-Key": INT}


def read(text: str) -> Query:
    return parse(text, CUSTOM, "domain")


def leaf(name: str, op: Op, *values: str | int | float, negated: bool = False) -> Leaf:
    field = Field(name, CUSTOM[name]) if name in CUSTOM else system(name)
    return Leaf(field, op, values, negated)


GOOD: list[tuple[str, Node | None]] = [
    ("", None),
    ("  \n ", None),
    ("WorkflowID = 'a'", leaf("WorkflowID", Op.IN, "a")),
    ('WorkflowID = "a"', leaf("WorkflowID", Op.IN, "a")),
    ("`WorkflowID`='it''s'", leaf("WorkflowID", Op.IN, "it's")),
    (r"WorkflowID='it\'s \\'", leaf("WorkflowID", Op.IN, "it's \\")),
    ("WorkflowID = 'and or not'", leaf("WorkflowID", Op.IN, "and or not")),
    ("WorkflowID = 17", leaf("WorkflowID", Op.IN, "17")),
    ("WorkflowID != 'a'", leaf("WorkflowID", Op.IN, "a", negated=True)),
    ("WorkflowID <> 'a'", leaf("WorkflowID", Op.IN, "a", negated=True)),
    ("WorkflowID >= 'a'", leaf("WorkflowID", Op.GE, "a")),
    ("HistoryLength < 5", leaf("HistoryLength", Op.LT, 5)),
    ("HistoryLength <= '5'", leaf("HistoryLength", Op.LE, 5)),
    ("HistoryLength > -5", leaf("HistoryLength", Op.GT, -5)),
    ("WorkflowType in ('b', 'a', 'b')", leaf("WorkflowType", Op.IN, "a", "b")),
    ("WorkflowType NOT IN ('a')", leaf("WorkflowType", Op.IN, "a", negated=True)),
    ("StartTime between 1 and 2", leaf("StartTime", Op.BETWEEN, 1, 2)),
    ("StartTime not between 1 and 2", leaf("StartTime", Op.BETWEEN, 1, 2, negated=True)),
    ("StartTime > '1970-01-01T00:00:01Z'", leaf("StartTime", Op.GT, 10**9)),
    ("StartTime > '1970-01-01T01:00:00.000000001+01:00'", leaf("StartTime", Op.GT, 1)),
    ("StartTime > 1970-01-01T00:00:01Z", leaf("StartTime", Op.GT, 10**9)),
    ("StartTime > '1577836800000000000'", leaf("StartTime", Op.GT, 1577836800000000000)),
    ("CloseTime = missing", leaf("CloseTime", Op.PRESENT, negated=True)),
    ("CloseTime != MISSING", leaf("CloseTime", Op.PRESENT)),
    ("CustomIntField = missing", leaf("CustomIntField", Op.PRESENT, negated=True)),
    ("CustomKeywordField = 'missing'", leaf("CustomKeywordField", Op.IN, "missing")),
    ("CloseStatus = 0", leaf("CloseStatus", Op.IN, 0)),
    ("CloseStatus = 'completed'", leaf("CloseStatus", Op.IN, 0)),
    ("CloseStatus = FAILED", leaf("CloseStatus", Op.IN, 1)),
    ("CloseStatus IN ('Canceled', 3, CONTINUED_AS_NEW, \"TimedOut\")", leaf("CloseStatus", Op.IN, 2, 3, 4, 5)),
    ("ExecutionStatus = 'PENDING'", leaf("ExecutionStatus", Op.IN, 0)),
    ("ExecutionStatus != 'TIMED_OUT'", leaf("ExecutionStatus", Op.IN, 7, negated=True)),
    ("IsCron = true", leaf("IsCron", Op.IN, 1)),
    ("CustomBoolField = 'False'", leaf("CustomBoolField", Op.IN, 0)),
    ("CustomDoubleField >= -1.5e3", leaf("CustomDoubleField", Op.GE, -1500.0)),
    ("CustomDoubleField = 5", leaf("CustomDoubleField", Op.IN, 5.0)),
    ("CustomDatetimeField < '1970-01-02'", leaf("CustomDatetimeField", Op.LT, 86_400 * 10**9)),
    ("CustomDatetimeField < '1970-01-01T00:00:00.5Z'", leaf("CustomDatetimeField", Op.LT, 500_000_000)),
    ("Attr.CustomKeywordField = 'x'", leaf("CustomKeywordField", Op.IN, "x")),
    ("`Attr.CustomKeywordField` = 'x'", leaf("CustomKeywordField", Op.IN, "x")),
    ("`My-Key` = 1", leaf("My-Key", Op.IN, 1)),
    ("CustomKeywordField like 'a%b_c'", leaf("CustomKeywordField", Op.LIKE, "a*b?c")),
    (r"CustomKeywordField like '100\%*[x]?'", leaf("CustomKeywordField", Op.LIKE, "100%[*][[]x][?]")),
    ("CustomStringField = 'Hello, World!'", leaf("CustomStringField", Op.LIKE, "* hello world *")),
    ("CustomStringField != 'Hello'", leaf("CustomStringField", Op.LIKE, "* hello *", negated=True)),
    ("CustomStringField = ''", leaf("CustomStringField", Op.IN, "")),
    ("CustomStringField like 'Hello'", leaf("CustomStringField", Op.LIKE, "* hello *")),
    ("CustomStringField like '%ell%'", leaf("CustomStringField", Op.LIKE, "*ell*")),
    ("CustomStringField like 'hel%'", leaf("CustomStringField", Op.LIKE, "* hel*")),
    ("CustomStringField like '%'", leaf("CustomStringField", Op.LIKE, "*")),
    (
        "WorkflowID = 'a' AND HistoryLength > 1 OR IsCron = true",
        AnyOf(
            (
                AllOf((leaf("WorkflowID", Op.IN, "a"), leaf("HistoryLength", Op.GT, 1))),
                leaf("IsCron", Op.IN, 1),
            )
        ),
    ),
    (
        "(WorkflowID = 'a' or WorkflowID = 'b') and ((IsCron = true))",
        AllOf(
            (
                AnyOf((leaf("WorkflowID", Op.IN, "a"), leaf("WorkflowID", Op.IN, "b"))),
                leaf("IsCron", Op.IN, 1),
            )
        ),
    ),
    (
        "StartTime between 1 and 2 and HistoryLength=3",
        AllOf((leaf("StartTime", Op.BETWEEN, 1, 2), leaf("HistoryLength", Op.IN, 3))),
    ),
]


@pytest.mark.parametrize(("text", "where"), GOOD)
def test_good_queries(text: str, where: Node | None) -> None:
    assert read(text) == Query("domain", where, BY_START)


@pytest.mark.parametrize(
    ("text", "name", "descending"),
    [
        ("order by StartTime", "StartTime", False),
        ("ORDER BY StartTime ASC", "StartTime", False),
        ("WorkflowID = 'a' Order By CloseTime Desc", "CloseTime", True),
        ("order by `Attr.CustomIntField` desc", "CustomIntField", True),
    ],
)
def test_orders(text: str, name: str, descending: bool) -> None:
    order = read(text).order
    assert (order.field.name, order.descending) == (name, descending)


@pytest.mark.parametrize(
    "text",
    [
        "WorkflowID", "WorkflowID =", "= 'a'", "'a' = WorkflowID", "WorkflowID = 'a", "WorkflowID == 'a'", "not WorkflowID = 'a'",
        "WorkflowID = 'a' and not (IsCron = true)", "WorkflowID = 'a' and", "or", "(WorkflowID = 'a'", "WorkflowID = 'a')",
        "WorkflowID is null", "WorkflowID in ()", "WorkflowID in 'a'", "StartTime between 1", "WorkflowID like 5",
        "HistoryLength + 1 > 2", "lower(WorkflowID) = 'a'", "WorkflowID = 'a'; drop table visibility", "WorkflowID = 'a' limit 5",
        "WorkflowID = 'a' group by WorkflowID", "order by", "order by StartTime, RunID", "order StartTime", "*", "select 1",
        "WorkflowID = 'a' -- x", "WorkflowID = 'a\0'", "((((", "HistoryLength = 0x10", "HistoryLength = 5x",
        "(" * 600 + "IsCron = true" + ")" * 600,
    ],
)  # fmt: skip
def test_what_is_no_query(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(text)
    assert refused.value.message == "Invalid query."


@pytest.mark.parametrize(
    "name", ["Nothing", "workflowid", "startTime", "WORKFLOWTYPE", "attr.CustomIntField", "Attr.WorkflowID", "Attr"]
)
def test_unknown_keys(name: str) -> None:
    for text in (f"{name} = 1", f"WorkflowID = 'a' and {name} = missing", f"order by {name}"):
        with pytest.raises(BadRequest) as refused:
            read(text)
        assert refused.value.message == f'invalid search attribute "{name.removeprefix("Attr.")}"'


@pytest.mark.parametrize(
    "text",
    [
        "WorkflowID = a", "WorkflowID > missing", "WorkflowID in (missing)", "HistoryLength = 'a'", "HistoryLength = 1.5",
        "HistoryLength = true", "HistoryLength = 9223372036854775808", f"HistoryLength = {'9' * 5000}", "StartTime = 'yesterday'",
        "StartTime > '2020-01-01'", "StartTime > '2020-13-01T00:00:00Z'", "StartTime > '9999-01-01T00:00:00Z'",
        "CloseStatus = 'DONE'", "CloseStatus = RUNNING", "IsCron = 2", "IsCron = maybe", "CustomDoubleField = 'nan'",
        "CustomDoubleField = 1e999", "CustomDoubleField = 'x'", "CustomDatetimeField = 'T'", "CustomDatetimeField = '1970-13-01'",
        "CustomIntField = '--5'",
        "HistoryLength like '5'", "StartTime like '2020%'", f"WorkflowID like '{'%a' * 30}'",
    ],
)  # fmt: skip
def test_values_that_do_not_fit_their_keys(text: str) -> None:
    with pytest.raises(BadRequest):
        read(text)


def test_limits() -> None:
    limits = QueryLimits(text_max=200, conditions_max=3, values_max=4, depth_max=3)

    def refused(text: str) -> bool:
        try:
            parse(text, CUSTOM, "domain", limits)
        except BadRequest:
            return True
        return False

    assert not refused("IsCron = true or IsCron = true or IsCron = true")
    assert refused("IsCron = true or IsCron = true or IsCron = true or IsCron = true")
    assert not refused("HistoryLength in (1, 2, 3, 4)")
    assert refused("HistoryLength in (1, 2, 3, 4, 5)")
    assert not refused("IsCron = true or (IsCron = true and IsCron = true)")
    assert refused("IsCron = true or (IsCron = true and (IsCron = true or IsCron = true))")
    assert refused(" or ".join(["IsCron = true"] * 20))
    assert refused("WorkflowID = '" + "x" * 200 + "'")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["WorkflowID", "StartTime", "CustomIntField", "CustomStringField", "nothing", "=", "!=", "<", "in", "not", "between",
             "like", "and", "or", "order by", "desc", "(", ")", ",", "'a'", "'%'", "''", '"', "'", "\\", "`", "5", "-1.5",
             "missing", "true", "2020-01-01T00:00:00Z", ";", "--", "/*", "\u00e9", "Attr."]
        )
        | st.text(max_size=3),
        max_size=12,
    )
)  # fmt: skip
def test_any_text_is_a_query_or_refused(parts: list[str]) -> None:
    try:
        query = read(" ".join(parts))
    except BadRequest:
        return
    assert query.domain_id == "domain"
