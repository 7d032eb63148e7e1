"""The start that belongs to a time of a schedule."""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.worker_host.schedules.activities import LOOKED_AT_MAX, batch_of, start_request
from tenuto_server.worker_host.schedules.core import CONCURRENT, SKIP_NEW, Fire, Run, State
from tests.scenarios.schedules.world import BEGIN_NS

FIRE = Fire(BEGIN_NS, SKIP_NEW)


def schedule() -> api.CreateScheduleRequest:
    request = api.CreateScheduleRequest(domain="d", schedule_id="nightly")
    start = request.action.start_workflow
    start.workflow_type.name, start.task_list.name = "Report", "reports"
    start.input.data = b"1\n"
    start.execution_start_to_close_timeout.seconds = 60
    start.retry_policy.maximum_attempts = 3
    start.memo.fields["why"].data = b"2"
    start.search_attributes.indexed_fields["CustomIntField"].data = b"7"
    return request


def test_it_is_what_the_action_says() -> None:
    request = start_request("d", schedule(), FIRE, 1)
    start = schedule().action.start_workflow
    assert (request.domain, request.workflow_id) == ("d", "nightly-2026-01-01T00:00:00Z")
    assert request.workflow_type == start.workflow_type and request.task_list == start.task_list
    assert request.input == start.input and request.memo == start.memo and request.retry_policy == start.retry_policy
    assert request.execution_start_to_close_timeout.seconds == 60
    assert request.task_start_to_close_timeout.seconds == 10
    assert request.workflow_id_reuse_policy == api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    assert {key: value.data for key, value in request.search_attributes.indexed_fields.items()} == {
        "CustomIntField": b"7",
        "CadenceScheduleID": b'"nightly"',
        "CadenceScheduleTime": b'"2026-01-01T00:00:00Z"',
        "CadenceScheduleIsBackfill": b"false",
    }


def test_its_id_may_have_a_prefix_of_its_own() -> None:
    request = schedule()
    request.action.start_workflow.workflow_id_prefix = "report"
    assert start_request("d", request, FIRE, 1).workflow_id == "report-2026-01-01T00:00:00Z"


def test_made_again_it_is_the_same_and_another_is_another() -> None:
    assert start_request("d", schedule(), FIRE, 1) == start_request("d", schedule(), FIRE, 1)
    ids = {
        start_request(domain, schedule(), fire, created_ns).request_id
        for domain in ("d", "e")
        for fire in (FIRE, Fire(BEGIN_NS + 10**9, SKIP_NEW), Fire(BEGIN_NS, SKIP_NEW, "b1"), Fire(BEGIN_NS, SKIP_NEW, "b2"))
        for created_ns in (1, 2)
    }
    assert len(ids) == 16


def test_a_backfill_says_so() -> None:
    keys = start_request("d", schedule(), Fire(BEGIN_NS, SKIP_NEW, "b1"), 1).search_attributes.indexed_fields
    assert keys["CadenceScheduleIsBackfill"].data == b"true"
    assert keys["CadenceScheduleBackfillID"].data == b'"b1"'


def test_a_batch_names_no_more_open_runs_than_it_needs() -> None:
    state = State(1, 1, 1, running=[Run(str(number), "") for number in range(100)])
    counted = batch_of([Fire(1, CONCURRENT)], state)
    assert (len(counted.running), counted.others) == (LOOKED_AT_MAX, 100 - LOOKED_AT_MAX)
    all_of_them = batch_of([Fire(1, CONCURRENT), Fire(2, SKIP_NEW)], state)
    assert (len(all_of_them.running), all_of_them.others) == (100, 0)
