"""`cadence-python-client`, unmodified from PyPI, against a real server: workflows of many kinds, and errors as it knows them."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tenuto_api import api
from tests.clients.environment import client_python
from tests.e2e.raw import RawClient, read_history
from tests.e2e.server import ServerProcess, acceptors

PROGRAM = Path(__file__).with_name("foreign_python.py")
FEATURES = Path(__file__).with_name("foreign_python_features.py")
DOMAIN = "foreign-domain"
SECONDS_MAX = 90.0


def play(address: str, program: Path = PROGRAM) -> dict[str, Any]:
    """Runs a foreign program against a server; what it printed."""
    command = [str(client_python()), str(program), address, DOMAIN]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def history_of(address: str, workflow_id: str, run_id: str = "") -> list[api.HistoryEvent]:
    async with RawClient(address) as client:
        return await read_history(client, DOMAIN, workflow_id, run_id)


def names(events: list[api.HistoryEvent]) -> list[str]:
    return [str(event.WhichOneof("attributes")).removesuffix("_event_attributes") for event in events]


@pytest.mark.parametrize("acceptor", acceptors())
def test_workflows_and_errors(tmp_path: Path, acceptor: str) -> None:
    with ServerProcess(tmp_path, acceptor=acceptor, arguments=("--log-level", "WARNING")) as server:
        asyncio.run(server.up())
        found = play(server.address)
        greeting = asyncio.run(history_of(server.address, "foreign-greeting", found["greeting"]["run_id"]))
        retrying = asyncio.run(history_of(server.address, "foreign-retrying"))
        cancelled = asyncio.run(history_of(server.address, "foreign-running"))

    assert found["greeting"]["outcome"] == {
        "kind": "workflow_execution_completed",
        "result": "hello world, approved by Bob",
    }
    assert found["retrying"] == {"kind": "workflow_execution_completed", "result": 2}
    assert found["failing"] == {"kind": "workflow_execution_failed", "reason": "ValueError"}
    assert found["counting"] == {"kind": "workflow_execution_completed", "result": "counted"}
    assert found["register twice"] == "DomainAlreadyExistsError ALREADY_EXISTS"
    assert found["errors"] == {
        "start twice": "WorkflowExecutionAlreadyStartedError ALREADY_EXISTS",
        "signal to nothing": "EntityNotExistsError NOT_FOUND",
        "signal to a closed one": "EntityNotExistsError NOT_FOUND",
        "bad start": "CadenceRpcError INVALID_ARGUMENT",
        "cancelled": "workflow_execution_canceled",
    }
    check_greeting(greeting)
    assert_retried(retrying)
    assert names(cancelled).count("workflow_execution_cancel_requested") == 1


def check_greeting(events: list[api.HistoryEvent]) -> None:
    """The history of the greeting: ids in order, each step there, in an order that makes sense."""
    kinds = names(events)
    assert [event.event_id for event in events] == list(range(1, len(events) + 1))
    assert kinds[:2] == ["workflow_execution_started", "decision_task_scheduled"]
    assert kinds[-1] == "workflow_execution_completed"
    for kind in (
        "activity_task_scheduled", "activity_task_started", "activity_task_completed", "timer_started", "timer_fired",
        "workflow_execution_signaled",
    ):  # fmt: skip
        assert kinds.count(kind) == 1, kinds
    assert kinds.index("activity_task_completed") < kinds.index("timer_started") < kinds.index("timer_fired")
    scheduled = events[kinds.index("activity_task_scheduled")]
    completed = events[kinds.index("activity_task_completed")].activity_task_completed_event_attributes
    assert completed.scheduled_event_id == scheduled.event_id
    assert completed.result.data == b'"hello world"'
    started, fired = (events[kinds.index(kind)].event_time for kind in ("timer_started", "timer_fired"))
    assert fired.ToNanoseconds() - started.ToNanoseconds() >= 10**9


def assert_retried(events: list[api.HistoryEvent]) -> None:
    """The attempts before the last leave one started event, which tells the last attempt and the failure before it."""
    kinds = names(events)
    assert kinds.count("activity_task_started") == kinds.count("activity_task_completed") == 1
    started = events[kinds.index("activity_task_started")].activity_task_started_event_attributes
    assert started.attempt == 2
    assert started.last_failure.reason == "RuntimeError"


@pytest.mark.parametrize("acceptor", acceptors())
def test_features(tmp_path: Path, acceptor: str) -> None:
    with ServerProcess(tmp_path, acceptor=acceptor, arguments=("--log-level", "WARNING")) as server:
        asyncio.run(server.up())
        found = play(server.address, FEATURES)
        deciding = asyncio.run(history_of(server.address, "foreign-deciding"))

    completed = "workflow_execution_completed"
    assert found == {
        "parent": {"kind": completed, "result": "child was told answer"},
        "failing child": {"kind": completed, "result": "child failed: ChildWorkflowExecutionFailed"},
        "remembering": {"kind": completed, "result": 41},
        "deciding": {"kind": completed, "result": "7 3 3"},
        "queries": ["", "one", "QueryFailedError", "one,two"],
        "external signal": ["signalled", "from another"],
        "cron": "ticked",
        "schedule": {"listed": ["foreign-schedule"], "runs": True, "reason": "enough", "then": "EntityNotExistsError"},
    }
    assert names(deciding).count("marker_recorded") == 2
    assert "upsert_workflow_search_attributes" in names(deciding)
