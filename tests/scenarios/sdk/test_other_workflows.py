"""Children and other workflows: starting, awaiting, signalling, cancelling."""

from __future__ import annotations

import asyncio

from tenuto import workflow
from tenuto.errors import ChildAlreadyStartedError, ChildWorkflowError, ExternalWorkflowError, TerminatedError
from tenuto.testing import ReplayHarness, replay_history
from tenuto.workflow import ParentClosePolicy
from tenuto_api import api
from tests.scenarios.sdk.histories import History, payload, summary


@workflow.defn
class Child:
    @workflow.run
    async def run(self, number: int) -> dict[str, int]:
        return {"double": number * 2}

    @workflow.signal
    def poke(self, how: str) -> None:
        """Nothing comes of it."""


@workflow.defn
async def parent() -> str:
    try:
        handle = await workflow.start_child(
            Child.run, 4, id="kid", execution_timeout=60, parent_close_policy=ParentClosePolicy.ABANDON
        )
    except ChildAlreadyStartedError as error:
        return f"{error.workflow_id} is there already"
    await handle.signal(Child.poke, "gently")
    try:
        return f"{handle.run_id} gave {await handle}"
    except ChildWorkflowError as error:
        return f"child failed: {error.cause!r} {isinstance(error.cause, TerminatedError)}"


def initiated(history: History, workflow_id: str = "kid", name: str = "Child") -> int:
    history.add(
        "start_child_workflow_execution_initiated", workflow_id=workflow_id, workflow_type=api.WorkflowType(name=name)
    )
    return history.last_id


def signalled(history: History) -> int:
    execution = api.WorkflowExecution(workflow_id="kid", run_id="kid-run")
    name = "signal_external_workflow_execution_initiated"
    history.add(name, workflow_execution=execution, signal_name="poke")
    return history.last_id


def started(history: History) -> tuple[ReplayHarness, int]:
    """A run of `parent` whose child has started and was signalled."""
    run = ReplayHarness(parent)
    decisions = run.feed(history.start().decide().take())
    assert summary(decisions) == ["child kid Child ['4']"]
    attributes = decisions[0].start_child_workflow_execution_decision_attributes
    assert attributes.execution_start_to_close_timeout.seconds == 60
    assert attributes.task_start_to_close_timeout.seconds == 10, "the parent's"
    assert attributes.parent_close_policy == api.PARENT_CLOSE_POLICY_ABANDON
    assert attributes.domain == "default"
    child = initiated(history.decided())
    execution = api.WorkflowExecution(workflow_id="kid", run_id="kid-run")
    history.add("child_workflow_execution_started", initiated_event_id=child, workflow_execution=execution).decide()
    assert summary(run.feed(history.take())) == ["signal kid poke"]
    signal = signalled(history.decided())
    history.add("external_workflow_execution_signaled", initiated_event_id=signal)
    return run, child


def test_a_child_is_started_signalled_and_awaited() -> None:
    history = History()
    run, child = started(history)
    history.add("child_workflow_execution_completed", initiated_event_id=child, result=payload({"double": 8})).decide()
    assert summary(run.feed(history.take())) == ["complete \"kid-run gave {'double': 8}\""]
    history.decided().add("workflow_execution_completed")
    replay_history(parent, history.events)


def test_a_terminated_child() -> None:
    history = History()
    run, child = started(history)
    history.add("child_workflow_execution_terminated", initiated_event_id=child).decide()
    assert "TerminatedError('terminated') True" in summary(run.feed(history.take()))[0]


def test_a_failed_child_tells_its_reason() -> None:
    history = History()
    run, child = started(history)
    failure = api.Failure(reason="KidError", details=b'"spilt"\n')
    history.add("child_workflow_execution_failed", initiated_event_id=child, failure=failure).decide()
    assert "ApplicationError('spilt')" in summary(run.feed(history.take()))[0]


def test_a_child_whose_id_is_taken() -> None:
    history = History().start().decide().decided()
    child = initiated(history)
    history.add("start_child_workflow_execution_failed", initiated_event_id=child).decide()
    assert summary(ReplayHarness(parent).feed(history.events)) == ['complete "kid is there already"']


@workflow.defn
async def cancels_child() -> str:
    handle = await workflow.start_child(Child.run, 1, cancellation=workflow.CancellationType.WAIT)
    handle.cancel()
    try:
        await handle
    except asyncio.CancelledError:
        return "child cancelled"
    return "?"


def test_a_child_is_cancelled_and_its_own_id_made_of_the_run() -> None:
    history = History().start().decide()
    run = ReplayHarness(cancels_child, run_id="this-run")
    assert summary(run.feed(history.take())) == ["child this-run_1 Child ['1']"]
    child = initiated(history.decided(), "this-run_1")
    history.add("child_workflow_execution_started", initiated_event_id=child).decide()
    decisions = run.feed(history.take())
    assert summary(decisions) == ["cancel external this-run_1"]
    assert decisions[0].request_cancel_external_workflow_execution_decision_attributes.child_workflow_only
    execution = api.WorkflowExecution(workflow_id="this-run_1")
    history.decided()
    history.add("request_cancel_external_workflow_execution_initiated", workflow_execution=execution)
    history.add("external_workflow_execution_cancel_requested", initiated_event_id=history.last_id)
    history.add("child_workflow_execution_canceled", initiated_event_id=child).decide()
    assert summary(run.feed(history.take())) == ['complete "child cancelled"']
    reset = ReplayHarness(cancels_child, run_id="another-run")
    assert summary(reset.feed(history.events)) == ['complete "child cancelled"'], "a reset run has another id"


@workflow.defn
async def calls_others() -> str:
    try:
        await workflow.signal_external("them", "hello", 1)
    except ExternalWorkflowError as error:
        return str(error)
    await workflow.cancel_external("them")
    return "done"


def test_signalling_and_cancelling_others() -> None:
    history = History().start().decide()
    run = ReplayHarness(calls_others)
    assert summary(run.feed(history.take())) == ["signal them hello"]
    them = api.WorkflowExecution(workflow_id="them")
    history.decided()
    history.add("signal_external_workflow_execution_initiated", workflow_execution=them, signal_name="hello")
    history.add("external_workflow_execution_signaled", initiated_event_id=history.last_id).decide()
    assert summary(run.feed(history.take())) == ["cancel external them"]
    history.decided().add("request_cancel_external_workflow_execution_initiated", workflow_execution=them)
    history.add("external_workflow_execution_cancel_requested", initiated_event_id=history.last_id).decide()
    assert summary(run.feed(history.take())) == ['complete "done"']


def test_signalling_a_workflow_that_is_not_there() -> None:
    history = History().start().decide().decided()
    them = api.WorkflowExecution(workflow_id="them")
    history.add("signal_external_workflow_execution_initiated", workflow_execution=them, signal_name="hello")
    cause = api.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION
    history.add("signal_external_workflow_execution_failed", initiated_event_id=history.last_id, cause=cause).decide()
    assert summary(ReplayHarness(calls_others).feed(history.events)) == [
        'complete "signal hello: workflow them is unknown"'
    ]


# ---- channels, selectors, futures -----------------------------------------------------------------------------------


@workflow.defn
async def channels() -> list[str]:
    log: list[str] = []
    channel: workflow.Channel[str] = workflow.Channel()
    ready: workflow.Future[int] = workflow.Future()

    async def producer() -> None:
        for name in ("a", "b"):
            await channel.send(name)
            log.append(f"sent {name}")
        channel.close()
        ready.set(7)

    task = asyncio.create_task(producer())
    try:
        while True:
            log.append(f"got {await channel.receive()}")
    except workflow.ChannelClosedError:
        log.append(f"closed, {await ready}")
    await task
    return log


def test_channels_hand_over_one_by_one() -> None:
    decisions = ReplayHarness(channels).feed(History().start().decide().events)
    assert summary(decisions) == ['complete ["got a","sent a","got b","sent b","closed, 7"]']


@workflow.defn
async def selects() -> list[str]:
    log: list[str] = []
    commands = workflow.signal_channel("command", str)
    timer = asyncio.ensure_future(asyncio.sleep(10))
    selector = workflow.Selector()
    selector.add_receive(commands, lambda value: log.append(f"command {value}"))
    selector.add_future(timer, lambda _: log.append("timer"))
    while "timer" not in log:
        await selector.select()
    return log


def test_a_selector_serves_signals_until_the_timer_fires() -> None:
    history = History().start().signal("command", "zero").decide()
    run = ReplayHarness(selects)
    assert summary(run.feed(history.take())) == ["timer 1 10s"]
    history.decided().timer("1", 10).signal("command", "one").signal("command", "two").decide()
    assert summary(run.feed(history.take())) == []
    history.decided().at(10).fired("1").signal("command", "late").decide()
    lines = summary(run.feed(history.take()))
    assert lines == ['complete ["command zero","command one","command two","timer"]']
    history.decided().add("workflow_execution_completed")
    replay_history(selects, history.events)


@workflow.defn
async def handlers_set_late() -> list[str]:
    log: list[str] = []
    workflow.set_query_handler("log", lambda: log)
    await asyncio.sleep(1)
    workflow.set_signal_handler("note", log.append)
    await workflow.wait_condition(lambda: len(log) == 2)
    return log


def test_signals_wait_for_a_handler_that_is_set_later() -> None:
    history = History().start().signal("note", "early").decide()
    run = ReplayHarness(handlers_set_late)
    run.feed(history.take())
    history.decided().timer("1").fired("1").decide()
    assert summary(run.feed(history.take())) == []
    assert run.query("log").answer.data == b'["early"]\n'
    history.decided().signal("note", "late").decide()
    assert summary(run.feed(history.take())) == ['complete ["early","late"]']
