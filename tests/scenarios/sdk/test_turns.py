"""Workflow code against hand-made histories: events in, decisions out, live and replayed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tenuto import workflow
from tenuto.errors import ActivityError, ActivityTimeoutError, ApplicationError, ForbiddenInWorkflowError, NonDeterminismError
from tenuto.testing import ReplayHarness, replay_history
from tenuto.workflow import CancellationType, RetryPolicy
from tenuto_api import api
from tests.scenarios.sdk.histories import START_SECONDS, History, summary


@dataclass
class Order:
    item: str
    amount: int = 1


@dataclass
class Receipt:
    text: str


async def charge(order: Order) -> Receipt:
    raise AssertionError("activities are not run here")


def ship(name: str) -> str:
    raise AssertionError("activities are not run here")


@workflow.defn
class Sequence:
    @workflow.run
    async def run(self, order: Order) -> Receipt:
        receipt = await workflow.execute_activity(charge, order, start_to_close_timeout=timedelta(seconds=10))
        assert isinstance(receipt, Receipt)
        await asyncio.sleep(3600)
        text = await workflow.execute_activity(ship, receipt.text, schedule_to_close_timeout=30)
        return Receipt(text)


def test_activities_and_timer_in_a_row_live_and_replayed() -> None:
    history = History().start({"item": "tea", "amount": 2}).decide()
    run = ReplayHarness(Sequence)
    first = run.feed(history.take())
    assert summary(first) == ['activity 1 charge [\'{"item":"tea","amount":2}\']']
    attributes = first[0].schedule_activity_task_decision_attributes
    assert attributes.start_to_close_timeout.seconds == 10
    assert attributes.schedule_to_start_timeout.seconds == 3600, "bounded by the workflow's own timeout"
    assert attributes.task_list.name == "list"
    history.decided().scheduled("1", "charge").activity_done("1", {"text": "paid"}).decide()
    assert summary(run.feed(history.take())) == ["timer 2 3600s"]
    history.decided().timer("2", 3600).at(3600).fired("2").decide()
    assert summary(run.feed(history.take())) == ["activity 3 ship ['\"paid\"']"]
    history.decided().scheduled("3", "ship").activity_done("3", "sent").decide()
    assert summary(run.feed(history.take())) == ['complete {"text":"sent"}']
    assert run.closed
    history.decided().add("workflow_execution_completed")
    replay_history(Sequence, history.events)


def test_replaying_all_but_the_last_turn_gives_the_same_last_decisions() -> None:
    history = History().start({"item": "tea"}).decide().decided().scheduled("1", "charge")
    history.activity_done("1", {"text": "paid"}).decide().decided().timer("2", 3600).at(3600).fired("2").decide()
    assert summary(ReplayHarness(Sequence).feed(history.events)) == ["activity 3 ship ['\"paid\"']"]


def test_failed_and_timed_out_decisions_are_as_if_they_had_not_been() -> None:
    history = History().start({"item": "tea"}).decide().decision_failed().decide().decision_timed_out().decide()
    run = ReplayHarness(Sequence)
    assert summary(run.feed(history.take()))[0].startswith("activity 1 charge")
    history.decided().scheduled("1", "charge").activity_done("1", {"text": "paid"}).decide()
    assert summary(run.feed(history.take())) == ["timer 2 3600s"]
    replay_history(Sequence, history.events)


@workflow.defn
class Approval:
    def __init__(self) -> None:
        self.log: list[str] = []

    @workflow.run
    async def run(self, wanted: int) -> list[str]:
        self.log.append("run")
        await workflow.wait_condition(lambda: len(self.log) > wanted)
        return self.log

    @workflow.signal
    def approve(self, who: str) -> None:
        self.log.append(who)

    @workflow.signal(name="later")
    async def approve_later(self, who: str) -> None:
        await asyncio.sleep(1)
        self.log.append(who)

    @workflow.query
    def approvals(self, prefix: str = "") -> list[str]:
        return [prefix + who for who in self.log]


def test_signals_that_came_with_the_start_are_handled_before_the_code_runs() -> None:
    history = History().start(2).signal("approve", "ann").decide()
    run = ReplayHarness(Approval)
    assert summary(run.feed(history.take())) == []
    history.decided().signal("approve", "bob").decide()
    assert summary(run.feed(history.take())) == ['complete ["ann","run","bob"]']


def test_signals_are_handled_in_the_order_of_history() -> None:
    history = History().start(3).decide()
    run = ReplayHarness(Approval)
    run.feed(history.take())
    history.decided().signal("approve", "a").signal("later", "b").signal("approve", "c").decide()
    assert summary(run.feed(history.take())) == ["timer 1 1s"]
    history.decided().timer("1").at(1).fired("1").decide()
    assert summary(run.feed(history.take())) == ['complete ["run","a","c","b"]']
    history.decided().add("workflow_execution_completed")
    replay_history(Approval, history.events)


def test_a_signal_whose_payload_does_not_fit_is_dropped() -> None:
    history = History().start(1).decide()
    run = ReplayHarness(Approval)
    run.feed(history.take())
    history.decided().add("workflow_execution_signaled", signal_name="approve", input=api.Payload(data=b"{")).decide()
    assert summary(run.feed(history.take())) == []


def test_queries_answer_from_state_and_change_nothing() -> None:
    history = History().start(5).signal("approve", "ann").decide()
    run = ReplayHarness(Approval)
    run.feed(history.take())
    answer = run.query("approvals", "x-")
    assert answer.result_type == api.QUERY_RESULT_TYPE_ANSWERED
    assert answer.answer.data == b'["x-ann","x-run"]\n'
    failed = run.query("nope")
    assert failed.result_type == api.QUERY_RESULT_TYPE_FAILED
    assert failed.error_message == "unknown queryType nope. KnownQueryTypes=[__query_types __stack_trace approvals]"
    assert run.query("__query_types").answer.data == b'["__query_types","__stack_trace","approvals"]\n'
    assert b"in run" in run.query("__stack_trace").answer.data


@workflow.defn
class Meddler:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(10)

    @workflow.query
    def start_something(self) -> str:
        workflow.start_activity("x", start_to_close_timeout=1)
        return "no"


def test_a_query_that_asks_for_a_command_fails() -> None:
    history = History().start().decide()
    run = ReplayHarness(Meddler)
    run.feed(history.take())
    assert "must not change the workflow" in run.query("start_something").error_message
    history.decided().timer("1", 10).at(10).fired("1").decide()
    assert summary(run.feed(history.take())) == ["complete "]


@workflow.defn
async def retrying(name: str) -> str:
    policy = RetryPolicy(maximum_attempts=3, non_retryable_errors=[KeyError, "Fatal"])
    try:
        return await workflow.execute_activity("risky", name, start_to_close_timeout=5, retry_policy=policy)
    except ActivityTimeoutError as error:
        return f"late ({error.timeout_type.name}) after {error.last_heartbeat_details}"
    except ActivityError as error:
        cause = error.cause
        if not isinstance(cause, ApplicationError) or cause.type == "Fatal":
            raise
        return f"{error.activity_type}: {cause.type} {cause.message} {list(cause.details)}"


def test_activity_failures_carry_type_message_and_details() -> None:
    history = History().start("x").decide()
    run = ReplayHarness(retrying)
    decision = run.feed(history.take())[0].schedule_activity_task_decision_attributes
    assert decision.retry_policy.maximum_attempts == 3
    assert list(decision.retry_policy.non_retryable_error_reasons) == ["KeyError", "Fatal"]
    history.decided().scheduled("1", "risky").activity_failed("1", "Oops", "boom", 7).decide()
    assert summary(run.feed(history.take())) == ['complete "risky: Oops boom [7]"']


def test_an_activity_failure_let_through_keeps_its_reason() -> None:
    history = History().start("x").decide().decided().scheduled("1", "risky").activity_failed("1", "Fatal", "no").decide()
    decisions = ReplayHarness(retrying).feed(history.events)
    assert summary(decisions) == ["fail Fatal"]
    assert decisions[0].fail_workflow_execution_decision_attributes.failure.details == b'"no"\n'


def test_activity_timeouts_carry_type_and_last_details() -> None:
    history = History().start("x").decide().decided().scheduled("1", "risky")
    history.add("activity_task_started", scheduled_event_id=5)
    history.add(
        "activity_task_timed_out",
        scheduled_event_id=5,
        timeout_type=api.TIMEOUT_TYPE_HEARTBEAT,
        details=api.Payload(data=b"3\n"),
    ).decide()
    assert summary(ReplayHarness(retrying).feed(history.events)) == ['complete "late (HEARTBEAT) after [3]"']


@workflow.defn
async def fails(kind: str) -> None:
    if kind == "application":
        raise ApplicationError("bad", {"a": 1}, type="Bad", non_retryable=True)
    raise ValueError("worse")


def test_exceptions_fail_the_workflow_with_their_class_name_as_reason() -> None:
    decisions = ReplayHarness(fails).feed(History().start("x").decide().events)
    failure = decisions[0].fail_workflow_execution_decision_attributes.failure
    assert failure.reason == "ValueError"
    assert failure.details.startswith(b'"worse"\n{"traceback":')
    decisions = ReplayHarness(fails).feed(History().start("application").decide().events)
    failure = decisions[0].fail_workflow_execution_decision_attributes.failure
    assert (failure.reason, failure.details) == ("Bad", b'"bad"\n{"a":1}\n')
    assert failure.options.failure_category == api.FAILURE_CATEGORY_FATAL


@workflow.defn
async def fails_in_group(kind: str) -> None:
    async def fail(error: BaseException) -> None:
        raise error

    async with asyncio.TaskGroup() as group:
        group.create_task(fail(ApplicationError("one", type="One")))
        if kind == "two":
            group.create_task(fail(ValueError("two")))
        if kind == "mistake":
            group.create_task(asyncio.to_thread(print))


def test_a_task_groups_only_failure_is_the_workflows() -> None:
    assert summary(ReplayHarness(fails_in_group).feed(History().start("one").decide().events)) == ["fail One"]
    assert summary(ReplayHarness(fails_in_group).feed(History().start("two").decide().events)) == ["fail ExceptionGroup"]
    with pytest.raises(ForbiddenInWorkflowError):
        ReplayHarness(fails_in_group).feed(History().start("mistake").decide().events)


@workflow.defn
async def two_args(a: int, b: int) -> int:
    return a + b


def test_arguments_that_do_not_fit_fail_the_workflow() -> None:
    assert summary(ReplayHarness(two_args).feed(History().start(1).decide().events)) == ["fail TypeError"]


@workflow.defn
async def looks_at_time() -> list[str]:
    seen = [workflow.now().isoformat()]
    await workflow.sleep(timedelta(seconds=2.5))
    seen.append(workflow.now().isoformat())
    return seen


def test_time_is_that_of_the_decisions_start() -> None:
    history = History().start().at(1).decide()
    run = ReplayHarness(looks_at_time)
    assert summary(run.feed(history.take())) == ["timer 1 3s"], "timers are whole seconds, rounded up"
    history.decided().timer("1", 3).at(4).fired("1").at(5).decide()
    expected = [datetime.fromtimestamp(START_SECONDS + s, UTC).isoformat() for s in (1, 5)]
    assert summary(run.feed(history.take()))[0] == f'complete ["{expected[0]}","{expected[1]}"]'


@workflow.defn
async def draws() -> list[str]:
    return [str(workflow.uuid4()), str(workflow.random().random())]


def test_randomness_is_the_same_when_replayed_and_after_a_reset() -> None:
    history = History().start().decide()
    first = summary(ReplayHarness(draws).feed(history.events))
    assert summary(ReplayHarness(draws, run_id="00000000-0000-4000-8000-000000000001").feed(history.events)) == first


@workflow.defn
async def chain(count: int) -> int:
    if count < 3:
        workflow.continue_as_new(count + 1)
    return count


def test_continue_as_new() -> None:
    decisions = ReplayHarness(chain).feed(History().start(1).decide().events)
    assert summary(decisions) == ["continue Workflow ['2']"]
    attributes = decisions[0].continue_as_new_workflow_execution_decision_attributes
    assert attributes.initiator == api.CONTINUE_AS_NEW_INITIATOR_DECIDER
    assert attributes.execution_start_to_close_timeout.seconds == 3600
    assert attributes.task_list.name == "list"
    assert summary(ReplayHarness(chain).feed(History().start(3).decide().events)) == ["complete 3"]


def test_continuing_carries_memo_header_and_search_attributes_along() -> None:
    history = History().start(
        1,
        memo=api.Memo(fields={"note": api.Payload(data=b"not json")}),
        header=api.Header(fields={"traceparent": api.Payload(data=b"00-1")}),
        search_attributes=api.SearchAttributes(
            indexed_fields={"Key": api.Payload(data=b'"v"'), "CadenceChangeVersion": api.Payload(data=b'["a-1"]')}
        ),
    )
    decision = ReplayHarness(chain).feed(history.decide().events)[0]
    attributes = decision.continue_as_new_workflow_execution_decision_attributes
    assert attributes.memo.fields["note"].data == b"not json"
    assert attributes.header.fields["traceparent"].data == b"00-1"
    assert dict(attributes.search_attributes.indexed_fields) == {"Key": api.Payload(data=b'"v"')}


@workflow.defn
async def knows_itself() -> list[object]:
    about = workflow.info()
    parent = about.parent.workflow_id if about.parent is not None else None
    return [about.workflow_id, about.attempt, parent, dict(about.memo), workflow.last_completion_result(int)]


def test_info_of_a_run() -> None:
    execution = api.WorkflowExecution(workflow_id="dad", run_id="r")
    history = History().start(
        attempt=2,
        parent_execution_info=api.ParentExecutionInfo(domain_name="d", workflow_execution=execution),
        memo=api.Memo(fields={"k": api.Payload(data=b"5\n")}),
        last_completion_result=api.Payload(data=b"41\n"),
    )
    decisions = ReplayHarness(knows_itself, workflow_id="me").feed(history.decide().events)
    assert summary(decisions) == ['complete ["me",2,"dad",{"k":5},41]']


def test_a_piece_that_does_not_follow_is_refused() -> None:
    history = History().start({"item": "tea"}).decide()
    run = ReplayHarness(Sequence)
    run.feed(history.take())
    history.decided().scheduled("1", "charge")
    history.take()
    history.activity_done("1", {"text": "x"}).decide()
    with pytest.raises(Exception, match="do not follow"):
        run.feed(history.take())


@workflow.defn
async def waits_for_cancelled_activity() -> str:
    try:
        return await workflow.execute_activity("slow", start_to_close_timeout=9, cancellation=CancellationType.WAIT)
    except asyncio.CancelledError:
        return "cancelled there"


def test_cancelling_with_wait_lets_the_activity_say_how_it_ended() -> None:
    history = History().start().decide()
    run = ReplayHarness(waits_for_cancelled_activity)
    run.feed(history.take())
    history.decided().scheduled("1", "slow").cancel_requested().decide()
    assert summary(run.feed(history.take())) == ["cancel activity 1"]
    history.decided().add("activity_task_cancel_requested", activity_id="1")
    history.add("activity_task_canceled", scheduled_event_id=5).decide()
    assert summary(run.feed(history.take())) == ['complete "cancelled there"']
    replay_history(waits_for_cancelled_activity, history.events)


def test_non_determinism_names_event_line_and_both_sides() -> None:
    history = History().start({"item": "tea"}).decide().decided().timer("1", 5).fired("1").decide()
    with pytest.raises(NonDeterminismError) as caught:
        ReplayHarness(Sequence).feed(history.events)
    error = caught.value
    assert error.event_id == 5
    assert "StartTimer" in error.recorded
    assert error.produced == "ScheduleActivityTask(charge, id 1)"
    assert "test_turns.py:" in error.where
    assert error.where.endswith("in run")
