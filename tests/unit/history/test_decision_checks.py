"""What a decision may not say: numbers that are no value of the interface's enumerations, names and times that are too long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from tenuto_api import api
from tenuto_server.history.engine import decisions
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.values import TOO_LONG

UNKNOWN: Any = 99


def activity() -> api.Decision:
    return api.Decision(
        schedule_activity_task_decision_attributes=api.ScheduleActivityTaskDecisionAttributes(
            activity_id="a",
            activity_type=api.ActivityType(name="pay"),
            task_list=api.TaskList(kind=api.TASK_LIST_KIND_NORMAL),
            schedule_to_close_timeout=Duration(seconds=5),
        )
    )


def child() -> api.Decision:
    return api.Decision(
        start_child_workflow_execution_decision_attributes=api.StartChildWorkflowExecutionDecisionAttributes(
            workflow_id="c",
            workflow_type=api.WorkflowType(name="greet"),
            parent_close_policy=api.PARENT_CLOSE_POLICY_ABANDON,
            workflow_id_reuse_policy=api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
            cron_overlap_policy=api.CRON_OVERLAP_POLICY_SKIPPED,
        )
    )


def again() -> api.Decision:
    return api.Decision(
        continue_as_new_workflow_execution_decision_attributes=api.ContinueAsNewWorkflowExecutionDecisionAttributes(
            workflow_type=api.WorkflowType(name="greet"), initiator=api.CONTINUE_AS_NEW_INITIATOR_DECIDER
        )
    )


def failing() -> api.Decision:
    return api.Decision(
        fail_workflow_execution_decision_attributes=api.FailWorkflowExecutionDecisionAttributes(
            failure=api.Failure(reason="r", options=api.FailureOptions(failure_category=api.FAILURE_CATEGORY_FATAL))
        )
    )


def timer() -> api.Decision:
    return api.Decision(
        start_timer_decision_attributes=api.StartTimerDecisionAttributes(timer_id="t", start_to_fire_timeout=Duration(seconds=1))
    )


BAD_TIMER = api.DECISION_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES
BAD_ACTIVITY = api.DECISION_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES
BAD_CHILD = api.DECISION_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES
BAD_AGAIN = api.DECISION_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES
BAD_FAIL = api.DECISION_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES


def fault(decision: api.Decision) -> decisions.Fault | None:
    return decisions.check(RunState("d", "w", "r"), [decision], "dom")


@pytest.mark.parametrize("make", [activity, child, again, failing, timer])
def test_values_of_the_interface_pass(make: Callable[[], api.Decision]) -> None:
    assert fault(make()) is None


@pytest.mark.parametrize(
    ("make", "field", "cause", "named"),
    [
        (activity, "task_list.kind", BAD_ACTIVITY, "TaskListKind"),
        (child, "task_list.kind", BAD_CHILD, "TaskListKind"),
        (child, "parent_close_policy", BAD_CHILD, "ParentClosePolicy"),
        (child, "workflow_id_reuse_policy", BAD_CHILD, "WorkflowIdReusePolicy"),
        (child, "cron_overlap_policy", BAD_CHILD, "CronOverlapPolicy"),
        (again, "initiator", BAD_AGAIN, "ContinueAsNewInitiator"),
        (again, "cron_overlap_policy", BAD_AGAIN, "CronOverlapPolicy"),
        (again, "failure.options.failure_category", BAD_AGAIN, "FailureCategory"),
        (failing, "failure.options.failure_category", BAD_FAIL, "FailureCategory"),
    ],
)
def test_other_numbers_do_not_get_into_a_history(
    make: Callable[[], api.Decision], field: str, cause: api.DecisionTaskFailedCause, named: str
) -> None:
    decision = make()
    holder: Any = getattr(decision, str(decision.WhichOneof("attributes")))
    *path, last = field.split(".")
    for name in path:
        holder = getattr(holder, name)
    setattr(holder, last, UNKNOWN)
    assert fault(decision) == decisions.Fault(cause, f"Unknown {named}: 99.")


def test_a_workflow_type_to_continue_as_is_no_longer_than_others() -> None:
    decision = again()
    decision.continue_as_new_workflow_execution_decision_attributes.workflow_type.name = "t" * 1001
    assert fault(decision) == decisions.Fault(BAD_AGAIN, "WorkflowType exceeds length limit.")


@pytest.mark.parametrize("seconds", [2**31, 9 * 10**18, -(2**62)])
@pytest.mark.parametrize(
    ("make", "field", "cause"),
    [
        (timer, "start_to_fire_timeout", BAD_TIMER),
        (activity, "schedule_to_start_timeout", BAD_ACTIVITY),
        (activity, "schedule_to_close_timeout", BAD_ACTIVITY),
        (activity, "start_to_close_timeout", BAD_ACTIVITY),
        (activity, "heartbeat_timeout", BAD_ACTIVITY),
        (child, "execution_start_to_close_timeout", BAD_CHILD),
        (child, "task_start_to_close_timeout", BAD_CHILD),
        (again, "execution_start_to_close_timeout", BAD_AGAIN),
        (again, "task_start_to_close_timeout", BAD_AGAIN),
        (again, "backoff_start_interval", BAD_AGAIN),
    ],
)
def test_times_that_the_state_could_not_hold_do_not_get_into_it(
    make: Callable[[], api.Decision], field: str, cause: api.DecisionTaskFailedCause, seconds: int
) -> None:
    decision = make()
    holder: Any = getattr(decision, str(decision.WhichOneof("attributes")))
    getattr(holder, field).seconds = seconds
    assert fault(decision) == decisions.Fault(cause, TOO_LONG)
