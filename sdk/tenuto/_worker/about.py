"""What log lines about a run say beside their text."""

from __future__ import annotations

from tenuto._rpc import tracing
from tenuto_api import api


def about(execution: api.WorkflowExecution, domain: str) -> dict[str, str]:
    """As `extra` of a log line: domain, workflow and run id, and the trace id where there is one."""
    fields = {"domain": domain, "workflow_id": execution.workflow_id, "run_id": execution.run_id}
    trace_id = tracing.trace_id()
    if trace_id:
        fields["trace_id"] = trace_id
    return fields
