"""Who may use a workflow id again: every reuse policy against every end of the run before, for both ways to start."""

from __future__ import annotations

import itertools

import pytest

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.engine import close
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.turn import Turn
from tenuto_server.history.handlers import starts
from tenuto_server.history.run import Run, Workflow
from tests.unit.history.test_async_starts import STARTED, World, signal_request, start_request
from tests.unit.history.virtual import run

FAILED_ONLY = api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
ALLOW = api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
REJECT = api.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
TERMINATE = api.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING
POLICIES = [api.WORKFLOW_ID_REUSE_POLICY_INVALID, FAILED_ONLY, ALLOW, REJECT, TERMINATE]
OPEN = api.WORKFLOW_EXECUTION_CLOSE_STATUS_INVALID
COMPLETED = api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED
FAILURES = [
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED,
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_CANCELED,
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED,
    api.WORKFLOW_EXECUTION_CLOSE_STATUS_TIMED_OUT,
]


def is_admitted(policy: int, status: int) -> bool:
    """The rule, as its documentation has it."""
    if status == OPEN:
        return policy == TERMINATE
    if policy in (ALLOW, TERMINATE):
        return True
    return policy != REJECT and status in FAILURES


@pytest.mark.parametrize(("policy", "status"), list(itertools.product(POLICIES, [OPEN, COMPLETED, *FAILURES])))
def test_every_policy_and_every_end(
    policy: api.WorkflowIdReusePolicy, status: api.WorkflowExecutionCloseStatus
) -> None:
    state = RunState("dom", "wf", "run-1", next_event_id=2, start_request_id="first", close_status=status)
    current = Run(0, Workflow("dom", "wf"), state)
    request = start_request("wf", "second")
    request.workflow_id_reuse_policy = policy
    if is_admitted(policy, status):
        starts.admit(current, request)
        return
    with pytest.raises(errors.WorkflowAlreadyStarted) as refused:
        starts.admit(current, request)
    assert isinstance(refused.value.detail, api.WorkflowExecutionAlreadyStartedError)
    assert (refused.value.detail.run_id, refused.value.detail.start_request_id) == ("run-1", "first")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("before", ["none", "running", "terminated"])
def test_signal_with_start(policy: api.WorkflowIdReusePolicy, before: str) -> None:
    """It signals a running run whatever the policy, but for TERMINATE_IF_RUNNING; else the policy decides on a new one."""

    async def story() -> None:
        world = World()
        await world.start()
        first = ""
        if before != "none":
            answer = await world.call("StartWorkflowExecution", "wf", start_request("wf", "first"))
            first = api.StartWorkflowExecutionResponse.FromString(answer).run_id
        if before == "terminated":
            ending = api.TerminateWorkflowExecutionRequest(workflow_execution=api.WorkflowExecution(workflow_id="wf"))
            await world.call("TerminateWorkflowExecution", "wf", ending)
        request = signal_request("wf", "second")
        request.start_request.workflow_id_reuse_policy = policy
        if before == "terminated" and policy == REJECT:
            with pytest.raises(errors.WorkflowAlreadyStarted):
                await world.call("SignalWithStartWorkflowExecution", "wf", request)
            world.history.kill()
            return
        run_ids = set()
        # Twice: the same request is one signal to one run.
        for _ in range(2):
            answer = await world.call("SignalWithStartWorkflowExecution", "wf", request)
            run_ids.add(api.SignalWithStartWorkflowExecutionResponse.FromString(answer).run_id)
        signaled_only = before == "running" and policy != TERMINATE
        assert (run_ids == {first}) == signaled_only
        assert len(run_ids) == 1
        signaled = "workflow_execution_signaled"
        assert await world.events("wf") == ([*STARTED, signaled] if signaled_only else [STARTED[0], signaled, STARTED[1]])
        world.history.kill()

    run(story())


def test_a_signal_is_known_again_after_the_run_has_closed() -> None:
    async def story() -> None:
        world = World()
        await world.start()
        await world.call("StartWorkflowExecution", "wf", start_request("wf", "first"))
        execution = api.WorkflowExecution(workflow_id="wf")
        signal = api.SignalWorkflowExecutionRequest(workflow_execution=execution, signal_name="go", request_id="s1")
        await world.call("SignalWorkflowExecution", "wf", signal)
        await world.call("TerminateWorkflowExecution", "wf", api.TerminateWorkflowExecutionRequest(workflow_execution=execution))
        assert await world.call("SignalWorkflowExecution", "wf", signal) == b""
        signal.request_id = "s2"
        with pytest.raises(errors.WorkflowAlreadyCompleted):
            await world.call("SignalWorkflowExecution", "wf", signal)
        assert (await world.events("wf")).count("workflow_execution_signaled") == 1
        world.history.kill()

    run(story())


def test_terminate_if_running_ends_one_run_and_begins_the_next_in_one_commit() -> None:
    async def story() -> None:
        world = World()
        await world.start()
        await world.call("StartWorkflowExecution", "wf", start_request("wf", "first"))
        assert world.history.core.log is not None
        appends = world.history.core.log.appends
        request = start_request("wf", "second")
        request.workflow_id_reuse_policy = TERMINATE
        await world.call("StartWorkflowExecution", "wf", request)
        assert world.history.core.log.appends == appends + 1
        assert await world.events("wf") == STARTED
        world.history.kill()

    run(story())


def test_a_chain_hands_on_the_newest_of_the_requests_that_it_comes_of() -> None:
    earlier = {f"request-{number}": f"run-{number}" for number in range(close.REQUESTS_KEPT_MAX)}
    state = RunState(
        "dom", "wf", "newest", next_event_id=4, start_request_id="reset", requested_run_id="newest", earlier_requests=earlier
    )
    turn = Turn(state, 0)
    close.continue_as_new(turn, 3, api.ContinueAsNewWorkflowExecutionDecisionAttributes(), "next")
    assert turn.successor is not None
    begun = turn.successor.state
    assert (begun.made_for("next"), begun.made_for("reset")) == ("next", "newest")
    assert begun.earlier_requests == {**dict(list(earlier.items())[1:]), "reset": "newest"}
