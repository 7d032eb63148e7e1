"""How a diagnosis is named: known to the frontend, which starts it, and to the worker-host, which makes it."""

from __future__ import annotations

from typing import Final

DOMAIN: Final = "cadence-system"
TASK_LIST: Final = "diagnostics-wf-tasklist"
WORKFLOW_TYPE: Final = "diagnostics-starter-workflow"
QUERY: Final = "query-diagnostics-report"
EXECUTION_TIMEOUT_S: Final = 86_400
DECISION_TIMEOUT_S: Final = 300


def workflow_id(domain: str, run_id: str) -> str:
    """Of the diagnosis of a run."""
    return f"{domain}-{run_id}"
