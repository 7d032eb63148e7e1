"""The client's side of schedules: what each call sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from tenuto import workflow
from tenuto.client import (
    BaseConnection,
    CatchUpPolicy,
    Client,
    OverlapPolicy,
    RetryPolicy,
    RpcMethod,
    ScheduleAction,
    SchedulePolicies,
    Schedules,
    ScheduleSpec,
)
from tenuto_api import api


class Recorder(BaseConnection):
    """Keeps what is sent, and answers with what is in `answers`, else an empty message."""

    def __init__(self) -> None:
        super().__init__("me")
        self.sent: list[Any] = []
        self.answers: list[Any] = []

    async def call_once(self, method: RpcMethod[Any, Any], request: Any, timeout: float = 10.0) -> Any:
        assert method.path == f"/uber.cadence.api.v1.ScheduleAPI/{method.name}"
        kept = type(request)()
        kept.CopyFrom(request)
        self.sent.append(kept)
        return self.answers.pop(0) if self.answers else method.response()


@workflow.defn(name="nightly-report")
async def report(day: str, pages: int) -> None:
    """What is started."""


def sent(call: Callable[[Schedules], Coroutine[Any, Any, Any]]) -> Any:
    """The one request that a call sends."""
    recorder = Recorder()
    asyncio.run(call(Client(recorder, domain="d").schedules))
    (request,) = recorder.sent
    return request


def test_create_says_all_of_it() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    spec = ScheduleSpec("0 2 * * *", begin, begin + timedelta(days=1), timedelta(minutes=5))
    action = ScheduleAction(
        report, "reports", ["monday", 2], id_prefix="r", execution_timeout=60, task_timeout=5,
        retry_policy=RetryPolicy(maximum_attempts=3), memo={"why": 1}, search_attributes={"CustomIntField": 7},
    )  # fmt: skip
    policies = SchedulePolicies(OverlapPolicy.BUFFER, CatchUpPolicy.ALL, timedelta(hours=1), True, 5, 6)
    request = sent(
        lambda schedules: schedules.create(
            "s", spec, action, policies=policies, memo={"m": "x"}, search_attributes={"CustomKeywordField": "k"},
            paused=True, pause_reason="not yet",
        )
    )  # fmt: skip
    assert (request.domain, request.schedule_id) == ("d", "s")
    assert request.spec.cron_expression == "0 2 * * *"
    assert (request.spec.start_time.ToDatetime(tzinfo=UTC), request.spec.jitter.seconds) == (begin, 300)
    assert request.spec.end_time.ToDatetime(tzinfo=UTC) == begin + timedelta(days=1)
    start = request.action.start_workflow
    assert (start.workflow_type.name, start.task_list.name, start.workflow_id_prefix) == ("nightly-report", "reports", "r")
    assert start.input.data == b'"monday"\n2\n'
    assert (start.execution_start_to_close_timeout.seconds, start.task_start_to_close_timeout.seconds) == (60, 5)
    assert start.retry_policy.maximum_attempts == 3 and start.memo.fields["why"].data == b"1\n"
    assert start.search_attributes.indexed_fields["CustomIntField"].data == b"7"
    assert request.policies == api.SchedulePolicies(
        overlap_policy=api.SCHEDULE_OVERLAP_POLICY_BUFFER,
        catch_up_policy=api.SCHEDULE_CATCH_UP_POLICY_ALL,
        catch_up_window=timedelta(hours=1),
        pause_on_failure=True,
        buffer_limit=5,
        concurrency_limit=6,
    )
    assert request.memo.fields["m"].data == b'"x"\n'
    assert request.search_attributes.indexed_fields["CustomKeywordField"].data == b'"k"'
    assert request.state.paused and request.state.pause_info == api.SchedulePauseInfo(reason="not yet", paused_by="me")


def test_an_update_sends_only_what_is_given() -> None:
    request = sent(lambda schedules: schedules.update("s", spec="@daily"))
    assert request == api.UpdateScheduleRequest(
        domain="d", schedule_id="s", spec=api.ScheduleSpec(cron_expression="@daily")
    )
    request = sent(lambda schedules: schedules.update("s", policies=SchedulePolicies()))
    assert request.HasField("policies") and not request.HasField("spec") and not request.HasField("action")


def test_the_other_calls() -> None:
    named = {"domain": "d", "schedule_id": "s"}
    assert sent(lambda schedules: schedules.pause("s", "lunch")) == api.PauseScheduleRequest(
        **named, reason="lunch", identity="me"
    )
    assert sent(lambda schedules: schedules.unpause("s", catch_up=CatchUpPolicy.ONE)) == api.UnpauseScheduleRequest(
        **named, catch_up_policy=api.SCHEDULE_CATCH_UP_POLICY_ONE
    )
    assert sent(lambda schedules: schedules.delete("s")) == api.DeleteScheduleRequest(**named)
    assert sent(lambda schedules: schedules.describe("s")) == api.DescribeScheduleRequest(**named)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    request = sent(
        lambda schedules: schedules.backfill("s", begin, begin, backfill_id="b", overlap=OverlapPolicy.CONCURRENT)
    )
    assert (request.backfill_id, request.overlap_policy) == ("b", api.SCHEDULE_OVERLAP_POLICY_CONCURRENT)
    assert request.start_time.ToDatetime(tzinfo=UTC) == begin


def test_lists_go_through_all_pages() -> None:
    recorder = Recorder()
    recorder.answers = [
        api.ListSchedulesResponse(schedules=[api.ScheduleListEntry(schedule_id="a")], next_page_token=b"t"),
        api.ListSchedulesResponse(schedules=[api.ScheduleListEntry(schedule_id="b")]),
    ]

    async def all_of_them() -> list[str]:
        return [entry.schedule_id async for entry in Client(recorder, domain="d").schedules.list(page_size=1)]

    assert asyncio.run(all_of_them()) == ["a", "b"]
    assert [request.next_page_token for request in recorder.sent] == [b"", b"t"]
