"""The trace context of runs and activities: where it comes from, and what it is handed on to."""

from __future__ import annotations

import msgspec
import pytest

from tenuto_api import api
from tenuto_server.history.engine import decision_task, decisions, start, state, tasks
from tenuto_server.history.engine.records import Traced, from_wire, to_wire
from tenuto_server.history.engine.state import SECOND, RunState
from tenuto_server.history.engine.turn import Turn, replay

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
NOW = 1_000 * SECOND


def _started(header: str = "", called: str = "") -> Turn:
    request = api.StartWorkflowExecutionRequest(
        workflow_id="w", workflow_type=api.WorkflowType(name="t"), task_list=api.TaskList(name="tl"), request_id="r"
    )
    request.execution_start_to_close_timeout.seconds = 100
    request.task_start_to_close_timeout.seconds = 10
    if header:
        request.header.fields["traceparent"].data = header.encode()
    turn = Turn(RunState("d", "w", "run"), NOW)
    start.start(turn, request)
    start.trace(turn, called)
    return turn


@pytest.mark.parametrize(
    ("header", "called", "expected"),
    [("", "", ""), ("", TRACE, TRACE), (TRACE, "", TRACE), (TRACE, OTHER, TRACE), (TRACE[:-1] + "0", "", ""), ("x", "", "")],
)
def test_a_run_has_its_headers_trace_or_its_callers(header: str, called: str, expected: str) -> None:
    turn = _started(header, called)
    assert turn.state.trace == expected
    # Only what no event tells has a record of its own.
    assert any(isinstance(record, Traced) for record in turn.records) == bool(called and not header)
    replayed = RunState("d", "w", "run")
    replay(replayed, 1, from_wire(msgspec.msgpack.decode(msgspec.msgpack.encode(to_wire(turn.records)))))
    assert replayed.trace == expected
    assert state.decode(state.encode(replayed)).trace == expected
    [dispatch] = tasks.tasks_for(turn.state, turn.records).dispatches
    assert dispatch.trace == expected


def _decided(run: RunState, *made: api.Decision) -> Turn:
    turn = Turn(run, NOW)
    pending = run.decision
    assert pending is not None
    decision_task.start(turn, pending.schedule_id, pending.attempt, "poll", "worker")
    request = api.RespondDecisionTaskCompletedRequest(decisions=made, identity="worker")
    decisions.complete(turn, pending, request, "domain", "next-run", None)
    return turn


@pytest.mark.parametrize(("header", "expected"), [(OTHER, OTHER), ("", TRACE)])
def test_an_activity_has_its_headers_trace_or_its_runs(header: str, expected: str) -> None:
    wanted = api.Decision()
    attributes = wanted.schedule_activity_task_decision_attributes
    attributes.activity_id = "a"
    attributes.activity_type.name = "act"
    attributes.task_list.name = "tl"
    attributes.schedule_to_close_timeout.seconds = 10
    if header:
        attributes.header.fields["traceparent"].data = header.encode()
    turn = _decided(_started("", TRACE).state, wanted)
    [dispatch] = tasks.tasks_for(turn.state, turn.records).dispatches
    assert dispatch.trace == expected


def test_the_next_run_is_of_the_same_trace() -> None:
    wanted = api.Decision()
    wanted.continue_as_new_workflow_execution_decision_attributes.workflow_type.name = "t"
    turn = _decided(_started("", TRACE).state, wanted)
    assert turn.successor is not None
    assert turn.successor.state.trace == TRACE
