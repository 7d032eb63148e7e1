"""One run as the visibility index holds it."""

from __future__ import annotations

from dataclasses import dataclass

from tenuto_api import api


@dataclass(slots=True)
class VisibilityRecord:
    """One run in the visibility index, named by domain and run id (run ids are unique); the newest `stamp` wins as a
    whole. Times in nanoseconds since the epoch.

    close_ns is 0 and close_status 0 while the run is open; close_status is the interface's enum number. `memo` and
    `search_attributes` are the protobuf bytes of Memo and SearchAttributes. `expires_ns` is when retention ends (0:
    never).
    """

    domain_id: str
    workflow_id: str
    run_id: str
    workflow_type: str
    task_list: str
    start_ns: int
    execution_ns: int
    close_ns: int
    close_status: int
    history_length: int
    is_cron: bool
    cron_schedule: str
    memo: bytes
    search_attributes: bytes
    parent_workflow_id: str
    parent_run_id: str
    update_ns: int
    expires_ns: int
    stamp: int


# By the number of a close status, COMPLETED to TIMED_OUT. Others count as INVALID: no number that is not in the interface
# is ever shown.
_EXECUTION_STATUS: dict[int, api.WorkflowExecutionStatus] = {
    int(close): status
    for close, status in (
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED, api.WORKFLOW_EXECUTION_STATUS_COMPLETED),
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED, api.WORKFLOW_EXECUTION_STATUS_FAILED),
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_CANCELED, api.WORKFLOW_EXECUTION_STATUS_CANCELED),
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED, api.WORKFLOW_EXECUTION_STATUS_TERMINATED),
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_CONTINUED_AS_NEW, api.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW),
        (api.WORKFLOW_EXECUTION_CLOSE_STATUS_TIMED_OUT, api.WORKFLOW_EXECUTION_STATUS_TIMED_OUT),
    )
}


def execution_status(record: VisibilityRecord) -> api.WorkflowExecutionStatus:
    """Pending until its first decision was due, then started, then how it closed. Nothing but the first decision's
    schedule moves a run past the time it was put off to."""
    if record.close_ns:
        return _EXECUTION_STATUS.get(record.close_status, api.WORKFLOW_EXECUTION_STATUS_INVALID)
    if record.execution_ns > max(record.start_ns, record.update_ns):
        return api.WORKFLOW_EXECUTION_STATUS_PENDING
    return api.WORKFLOW_EXECUTION_STATUS_STARTED
