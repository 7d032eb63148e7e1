"""Lists of runs: filters, times, pages, and what a run looks like in them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from tenuto_api import admin, api
from tenuto_server.config.runtime import SECOND
from tenuto_server.errors import BadRequest, EntityNotExists
from tenuto_server.persistence.interface import VisibilityRecord, WriteBatch
from tenuto_server.persistence.search_attributes import SearchAttributes
from tenuto_server.transport.network import InternalCall
from tests.unit.frontend.fakes import DOMAIN, DOMAIN_ID, START_NS, Bench, run, start_request

RUN = "44444444-4444-4444-8444-44444444444"
OPEN, CLOSED = "VisibilityAPI/ListOpenWorkflowExecutions", "VisibilityAPI/ListClosedWorkflowExecutions"


def record(number: int, **changes: Any) -> VisibilityRecord:
    """Run number 0 to 9; started so many seconds after START_NS."""
    plain = VisibilityRecord(
        domain_id=DOMAIN_ID,
        workflow_id=f"w{number}",
        run_id=f"{RUN}{number}",
        workflow_type="Order",
        task_list="orders",
        start_ns=START_NS + number * SECOND,
        execution_ns=START_NS + number * SECOND,
        close_ns=0,
        close_status=0,
        history_length=5,
        is_cron=False,
        cron_schedule="",
        memo=b"",
        search_attributes=b"",
        parent_workflow_id="",
        parent_run_id="",
        update_ns=0,
        expires_ns=0,
        stamp=1,
    )
    return dataclasses.replace(plain, **changes)


def list_open(**changes: Any) -> api.ListOpenWorkflowExecutionsRequest:
    request = api.ListOpenWorkflowExecutionsRequest(domain=DOMAIN, **changes)
    request.start_time_filter.earliest_time.seconds = START_NS // SECOND - 1
    request.start_time_filter.latest_time.seconds = START_NS // SECOND + 100
    return request


def list_closed(**changes: Any) -> api.ListClosedWorkflowExecutionsRequest:
    request = api.ListClosedWorkflowExecutionsRequest(domain=DOMAIN, **changes)
    request.start_time_filter.CopyFrom(list_open().start_time_filter)
    return request


async def names_of(bench: Bench, method: str, request: Any) -> list[str]:
    answer = await bench.call(method, request.SerializeToString())
    response = api.ListOpenWorkflowExecutionsResponse.FromString(answer)
    return [info.workflow_execution.workflow_id for info in response.executions]


def test_an_open_run_in_a_list() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.store.write(WriteBatch(visibility=[record(1)]))
            bench.now_ns = START_NS + 5 * SECOND
            answer = await bench.call(OPEN, list_open().SerializeToString())
            (info,) = api.ListOpenWorkflowExecutionsResponse.FromString(answer).executions
            assert not info.HasField("close_time")
            assert not info.HasField("parent_execution_info")
            assert not info.HasField("update_time")
            assert info.close_status == api.WORKFLOW_EXECUTION_CLOSE_STATUS_INVALID
            assert info.execution_status == api.WORKFLOW_EXECUTION_STATUS_STARTED
            assert info.start_time.ToNanoseconds() == START_NS + SECOND
            assert info.execution_time.ToNanoseconds() == START_NS + SECOND
            assert info.scheduled_execution_time == info.execution_time
            assert (info.type.name, info.task_list, info.history_length) == ("Order", "orders", 5)
            assert info.task_list_info == api.TaskList(name="orders", kind=api.TASK_LIST_KIND_NORMAL)

    run(scenario())


def test_a_run_that_waits_for_its_first_decision_is_pending() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.store.write(WriteBatch(visibility=[record(1, execution_ns=START_NS + 50 * SECOND)]))
            answer = await bench.call(OPEN, list_open().SerializeToString())
            (info,) = api.ListOpenWorkflowExecutionsResponse.FromString(answer).executions
            assert info.execution_status == api.WORKFLOW_EXECUTION_STATUS_PENDING

    run(scenario())


@pytest.mark.parametrize(
    ("close_status", "execution_status"),
    [
        ("COMPLETED", "COMPLETED"),
        ("FAILED", "FAILED"),
        ("CANCELED", "CANCELED"),
        ("TERMINATED", "TERMINATED"),
        ("CONTINUED_AS_NEW", "CONTINUED_AS_NEW"),
        ("TIMED_OUT", "TIMED_OUT"),
    ],
)
def test_a_closed_run_in_a_list(close_status: str, execution_status: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            memo, attributes = api.Memo(), api.SearchAttributes()
            memo.fields["m"].data = b"1"
            attributes.indexed_fields["CustomIntField"].data = b"2"
            number = api.WorkflowExecutionCloseStatus.Value(f"WORKFLOW_EXECUTION_CLOSE_STATUS_{close_status}")
            closed = record(
                1,
                close_ns=START_NS + 9 * SECOND,
                close_status=number,
                is_cron=True,
                cron_schedule="@daily",
                memo=memo.SerializeToString(),
                search_attributes=attributes.SerializeToString(),
                parent_workflow_id="p",
                parent_run_id="pr",
                update_ns=START_NS + 8 * SECOND,
            )
            await bench.store.write(WriteBatch(visibility=[closed]))
            answer = await bench.call(CLOSED, list_closed().SerializeToString())
            (info,) = api.ListClosedWorkflowExecutionsResponse.FromString(answer).executions
            assert info.close_status == number
            assert api.WorkflowExecutionStatus.Name(info.execution_status).endswith(f"_STATUS_{execution_status}")
            assert info.close_time.ToNanoseconds() == START_NS + 9 * SECOND
            assert info.update_time.ToNanoseconds() == START_NS + 8 * SECOND
            assert (info.memo, info.search_attributes) == (memo, attributes)
            assert (info.is_cron, info.cron_schedule) == (True, "@daily")
            assert info.parent_execution_info == api.ParentExecutionInfo(
                domain_id=DOMAIN_ID,
                domain_name=DOMAIN,
                workflow_execution=api.WorkflowExecution(workflow_id="p", run_id="pr"),
            )

    run(scenario())


def test_filters_and_pages() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            records = [record(number) for number in range(5)]
            records.append(record(5, workflow_type="Other"))
            for number, status in ((6, api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED), (7, 1)):
                records.append(record(number, close_ns=START_NS + number * SECOND, close_status=status))
            await bench.store.write(WriteBatch(visibility=records))
            assert await names_of(bench, OPEN, list_open()) == ["w5", "w4", "w3", "w2", "w1", "w0"]
            assert await names_of(bench, CLOSED, list_closed()) == ["w7", "w6"]
            by_type = list_open(type_filter=api.WorkflowTypeFilter(name="Other"))
            assert await names_of(bench, OPEN, by_type) == ["w5"]
            by_id = list_open(execution_filter=api.WorkflowExecutionFilter(workflow_id="w3"))
            assert await names_of(bench, OPEN, by_id) == ["w3"]
            by_run = list_open(execution_filter=api.WorkflowExecutionFilter(run_id=f"{RUN}2"))
            assert await names_of(bench, OPEN, by_run) == ["w2"]
            failed = list_closed(status_filter=api.StatusFilter(status=api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED))
            assert await names_of(bench, CLOSED, failed) == ["w6"]
            assert await names_of(bench, CLOSED, list_closed(status_filter=api.StatusFilter())) == ["w7", "w6"]

            seen: list[str] = []
            request = list_open(page_size=4)
            for _ in range(3):
                answer = await bench.call(OPEN, request.SerializeToString())
                page = api.ListOpenWorkflowExecutionsResponse.FromString(answer)
                seen.extend(info.workflow_execution.workflow_id for info in page.executions)
                request.next_page_token = page.next_page_token
                if not page.next_page_token:
                    break
            assert seen == ["w5", "w4", "w3", "w2", "w1", "w0"]

    run(scenario())


def test_the_time_range_counts_and_may_be_without_end() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.store.write(WriteBatch(visibility=[record(number) for number in range(5)]))
            request = list_open()
            request.start_time_filter.earliest_time.FromNanoseconds(START_NS + SECOND)
            request.start_time_filter.latest_time.FromNanoseconds(START_NS + 3 * SECOND)
            assert await names_of(bench, OPEN, request) == ["w3", "w2", "w1"]
            request.start_time_filter.earliest_time.seconds = -(2**40)
            request.start_time_filter.latest_time.seconds = 2**50
            assert len(await names_of(bench, OPEN, request)) == 5

    run(scenario())


Open = api.ListOpenWorkflowExecutionsRequest


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda r: r.ClearField("domain"), "Domain not set on request."),
        (lambda r: r.ClearField("start_time_filter"), "StartTimeFilter is required"),
        (
            lambda r: r.start_time_filter.ClearField("earliest_time"),
            "EarliestTime in StartTimeFilter is required",
        ),
        (lambda r: r.start_time_filter.ClearField("latest_time"), "LatestTime in StartTimeFilter is required"),
        (
            lambda r: r.start_time_filter.latest_time.FromSeconds(5),
            "EarliestTime in StartTimeFilter should not be larger than LatestTime",
        ),
        (lambda r: setattr(r, "next_page_token", b"nonsense"), "Invalid NextPageToken."),
        (lambda r: setattr(r.execution_filter, "run_id", "x"), "Invalid RunId."),
        (lambda r: setattr(r.type_filter, "name", "x" * 1001), "WorkflowType length exceeds limit."),
    ],
)
def test_listing_is_refused(change: Callable[[Open], object], text: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = list_open()
            change(request)
            with pytest.raises(BadRequest) as refused:
                await bench.call(OPEN, request.SerializeToString())
            assert refused.value.message == text
            closed = api.ListClosedWorkflowExecutionsRequest.FromString(request.SerializeToString())
            with pytest.raises(BadRequest) as refused:
                await bench.call(CLOSED, closed.SerializeToString())
            assert refused.value.message == text

    run(scenario())


def test_an_unknown_status_and_an_unknown_domain() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = list_closed()
            request.status_filter.MergeFromString(b"\x08\x63")
            with pytest.raises(BadRequest, match=r"Unknown WorkflowExecutionCloseStatus: 99\."):
                await bench.call(CLOSED, request.SerializeToString())
            elsewhere = list_open()
            elsewhere.domain = "nowhere"
            with pytest.raises(EntityNotExists):
                await bench.call(OPEN, elsewhere.SerializeToString())

    run(scenario())


def test_search_attributes_have_types() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            answer = await bench.call("VisibilityAPI/GetSearchAttributes", b"")
            keys = api.GetSearchAttributesResponse.FromString(answer).keys
            assert keys["CustomKeywordField"] == api.INDEXED_VALUE_TYPE_KEYWORD
            assert keys["StartTime"] == api.INDEXED_VALUE_TYPE_INT
            assert all(api.INDEXED_VALUE_TYPE_STRING <= kind <= api.INDEXED_VALUE_TYPE_DATETIME for kind in keys.values())
            assert len(keys) == 35

    run(scenario())


# --- queries ----------------------------------------------------------------------------------------------------------
LIST, SCAN, COUNT = (f"VisibilityAPI/{name}WorkflowExecutions" for name in ("List", "Scan", "Count"))


def some_records() -> list[VisibilityRecord]:
    attributes = api.SearchAttributes()
    attributes.indexed_fields["CustomIntField"].data = b"7"
    return [
        record(0),
        record(1, workflow_type="Other", search_attributes=attributes.SerializeToString()),
        record(2, close_ns=START_NS + 9 * SECOND, close_status=api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED),
        record(3, close_ns=START_NS + 8 * SECOND, close_status=api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED),
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["w3", "w2", "w1", "w0"]),
        ("CloseTime = missing", ["w1", "w0"]),
        ("CloseStatus = 'completed'", ["w2"]),
        ("CloseStatus = 1", ["w3"]),
        ("WorkflowType = 'Order' and CloseTime = missing", ["w0"]),
        ("CustomIntField = 7", ["w1"]),
        (f"StartTime >= {START_NS + 2 * SECOND} order by CloseTime desc", ["w2", "w3"]),
        ("ExecutionStatus = 'STARTED'", ["w1", "w0"]),
    ],
)
def test_lists_scans_and_counts_by_query(query: str, names: list[str]) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.store.write(WriteBatch(visibility=some_records()))
            listed = await names_of(bench, LIST, api.ListWorkflowExecutionsRequest(domain=DOMAIN, query=query))
            assert listed == names
            scanned = await names_of(bench, SCAN, api.ScanWorkflowExecutionsRequest(domain=DOMAIN, query=query))
            assert sorted(scanned) == sorted(names)
            request = api.CountWorkflowExecutionsRequest(domain=DOMAIN, query=query)
            answer = await bench.call(COUNT, request.SerializeToString())
            assert api.CountWorkflowExecutionsResponse.FromString(answer).count == len(names)

    run(scenario())


@pytest.mark.parametrize("method", [LIST, SCAN])
def test_pages_of_a_query(method: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.store.write(WriteBatch(visibility=some_records()))
            request = api.ListWorkflowExecutionsRequest(domain=DOMAIN, page_size=3, query="HistoryLength = 5")
            first = api.ListWorkflowExecutionsResponse.FromString(await bench.call(method, request.SerializeToString()))
            assert len(first.executions) == 3
            request.next_page_token = first.next_page_token
            second = api.ListWorkflowExecutionsResponse.FromString(await bench.call(method, request.SerializeToString()))
            assert not second.next_page_token
            seen = {info.workflow_execution.workflow_id for info in (*first.executions, *second.executions)}
            assert seen == {"w0", "w1", "w2", "w3"}
            request.query = "HistoryLength > 4"
            with pytest.raises(BadRequest) as refused:
                await bench.call(method, request.SerializeToString())
            assert refused.value.message == "Invalid NextPageToken."

    run(scenario())


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"domain": ""}, "Domain not set on request."),
        ({"query": "nonsense"}, "Invalid query."),
        ({"query": "Nothing = 1"}, 'invalid search attribute "Nothing"'),
        ({"page_size": 10_001}, "Pagesize is larger than allowed 10000"),
        ({"next_page_token": b"x"}, "Invalid NextPageToken."),
    ],
)
def test_a_query_is_refused(changes: dict[str, Any], text: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            for method in (LIST, SCAN):
                request = api.ListWorkflowExecutionsRequest(**{"domain": DOMAIN, **changes})
                with pytest.raises(BadRequest) as refused:
                    await bench.call(method, request.SerializeToString())
                assert refused.value.message == text

    run(scenario())


# --- search attributes ------------------------------------------------------------------------------------------------
ADD = "uber.cadence.admin.v1.AdminAPI/AddSearchAttribute"
START, SIGNAL_WITH_START = "WorkflowAPI/StartWorkflowExecution", "WorkflowAPI/SignalWithStartWorkflowExecution"


def with_attributes(**values: bytes) -> api.StartWorkflowExecutionRequest:
    request = start_request()
    for key, data in values.items():
        request.search_attributes.indexed_fields[key].data = data
    return request


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"Unknown": b'"x"'}, "Unknown is not a valid search attribute key"),
        ({"WorkflowID": b'"x"'}, "WorkflowID is read-only Cadence reserved attribute"),
        ({"CustomIntField": b'"x"'}, "CustomIntField does not hold a valid value of its type"),
        ({"CustomStringField": b'"' + b"x" * 2048 + b'"'}, "size limit exceed for key CustomStringField"),
    ],
)
def test_starts_with_bad_search_attributes_are_refused(values: dict[str, bytes], text: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            with pytest.raises(BadRequest) as refused:
                await bench.call(START, with_attributes(**values).SerializeToString())
            assert refused.value.message == text
            both = api.SignalWithStartWorkflowExecutionRequest(start_request=with_attributes(**values), signal_name="s")
            with pytest.raises(BadRequest) as refused:
                await bench.call(SIGNAL_WITH_START, both.SerializeToString())
            assert refused.value.message == text
            assert not bench.history.calls

    run(scenario())


def test_a_key_that_another_process_added_is_seen() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            good = with_attributes(CustomIntField=b"-5", CadenceChangeVersion=b'["a-1","b-2"]')
            await bench.call(START, good.SerializeToString())
            await SearchAttributes(bench.store, bench.runtime).add({"Colour": api.INDEXED_VALUE_TYPE_KEYWORD})
            await asyncio.sleep(0.3)
            await bench.call(START, with_attributes(Colour=b'"red"').SerializeToString())
            answer = await bench.call("VisibilityAPI/GetSearchAttributes", b"")
            assert api.GetSearchAttributesResponse.FromString(answer).keys["Colour"] == api.INDEXED_VALUE_TYPE_KEYWORD

    run(scenario())


def test_adding_keys() -> None:
    async def add(bench: Bench, **keys: Any) -> None:
        await bench.call(ADD, admin.AddSearchAttributeRequest(search_attribute=keys).SerializeToString())

    async def scenario() -> None:
        async with Bench() as bench:
            for _ in range(2):
                await add(bench, Colour=api.INDEXED_VALUE_TYPE_KEYWORD, CustomIntField=api.INDEXED_VALUE_TYPE_INT)
            refusals: list[tuple[dict[str, int], str]] = [
                ({}, "SearchAttributes are not set in the request."),
                ({"Colour": 3}, "Key [Colour] is already whitelisted as a different type"),
                ({"CustomIntField": 5}, "Key [CustomIntField] is already whitelisted as a different type"),
                ({"StartTime": 3}, "Key [StartTime] is reserved by system"),
                ({"missing": 3}, "Key [missing] is not a valid search attribute name"),
                ({"a.b": 3}, "Key [a.b] is not a valid search attribute name"),
                ({"Other": 0}, "Unknown IndexedValueType: 0."),
                ({"Other": 77}, "Unknown IndexedValueType: 77."),
            ]
            for keys, text in refusals:
                with pytest.raises(BadRequest) as refused:
                    await add(bench, **keys)
                assert refused.value.message == text
            answer = await bench.call("VisibilityAPI/GetSearchAttributes", b"")
            assert len(api.GetSearchAttributesResponse.FromString(answer).keys) == 36

    run(scenario())


def test_lists_have_history_write_down_what_it_holds_and_do_not_wait_for_the_silent() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = api.ListWorkflowExecutionsRequest(domain=DOMAIN).SerializeToString()

            async def write(call: InternalCall) -> bytes:
                assert call.method == "FlushVisibility"
                await bench.store.write(WriteBatch(visibility=[record(1)]))
                return b""

            bench.history.answer = write
            page = api.ListWorkflowExecutionsResponse.FromString(await bench.call(LIST, request))
            assert [info.workflow_execution.workflow_id for info in page.executions] == ["w1"]

            async def silent(call: InternalCall) -> bytes:
                await asyncio.sleep(60)
                return b""

            bench.history.answer = silent
            before = bench.runtime.monotonic()
            page = api.ListWorkflowExecutionsResponse.FromString(await bench.call(LIST, request))
            assert len(page.executions) == 1
            assert bench.runtime.monotonic() - before <= 1.1

    run(scenario())
