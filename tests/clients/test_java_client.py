"""The official Java client, unmodified from Maven Central, against a real server: workflows of many kinds at the same time.

Left out is what this client cannot do over gRPC itself: cancel requests to other workflows (it leaves their domain null), and
queries that fail (it asks again for a minute).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.java_program import java_command, missing_tools
from tests.e2e.server import ServerProcess, acceptors

SECONDS_MAX = 240.0
COMPLETED = "WorkflowExecutionAlreadyCompletedError: NOT_FOUND: Workflow execution already completed."

EXPECTED: dict[str, Any] = {
    "greeting": "hello Java",
    "stubborn": "attempt 2",
    "beating": "details 41",
    "giving up": "IllegalStateException: not at attempt 1",
    "timing out": "START_TO_CLOSE",
    "child": "child of java-child",
    "failing child": "IllegalArgumentException: the child says no",
    "parent close policy": "left its child, which was terminated",
    "external signal": "signalled from another",
    "signals and queries": "one,two then one,two,three and closed one,two,three",
    "signal with start": "true a,b",
    "cron": "ticked",
    "continuing": "continued",
    "cancelled": "CancellationException: ",
    "cancelled activity": "CancellationException: ",
    "cancelled scope": "timer cancelled",
    "failing": "WorkflowFailureException < IllegalStateException: as it was made to",
    "locals": "local 4",
    "effects": "1 5 5 3 3",
    "sticky steps": "12 steps, replayed",
    "reuse": ["DuplicateWorkflowException", "DuplicateWorkflowException", "hello Java"],
    "search": "1 open, 1 closed",
    "reset": "kept in another run, status 0",
    "no such workflow": "WorkflowNotFoundException",
}


def play(address: str) -> dict[str, Any]:
    """Runs the foreign program against a server; what it printed."""
    command = [*java_command(), address.rpartition(":")[2], "java-domain"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(bool(missing_tools()), reason=f"not on this machine: {', '.join(missing_tools())}")
@pytest.mark.parametrize("acceptor", acceptors())
def test_workflows_and_errors(tmp_path: Path, acceptor: str) -> None:
    with ServerProcess(tmp_path, acceptor=acceptor, arguments=("--log-level", "WARNING")) as server:
        asyncio.run(server.up())
        found = play(server.address)
    ended, again = found.pop("terminated")
    assert "enough" in ended
    assert again == COMPLETED
    found["no such workflow"] = found["no such workflow"].partition(":")[0]
    assert found == EXPECTED
