"""What history answers: one module a family of calls. `TABLE` maps the method of an internal call to its handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tenuto_server.history import async_starts
from tenuto_server.history.core import Core
from tenuto_server.history.handlers import (
    activities,
    admin,
    calls,
    decision_tasks,
    queries,
    reads,
    removal,
    renewing,
    starts,
    steering,
)
from tenuto_server.transport.network import InternalCall

Handler = Callable[[Core, InternalCall], Awaitable[bytes]]

TABLE: dict[str, Handler] = {
    "AdminDescribeRun": admin.describe_run,
    "AdminCheckRun": admin.check_run,
    "AdminRawHistory": admin.raw_history,
    "AdminDescribeHost": admin.describe_host,
    "AdminCloseShard": admin.close_shard,
    "StartWorkflowExecution": starts.start,
    "SignalWithStartWorkflowExecution": starts.signal_with_start,
    "StartWorkflowExecutionAsync": async_starts.accept_start,
    "SignalWithStartWorkflowExecutionAsync": async_starts.accept_signal_with_start,
    "SignalWorkflowExecution": steering.signal,
    "RequestCancelWorkflowExecution": steering.request_cancel,
    "TerminateWorkflowExecution": steering.terminate,
    "ResetStickyTaskList": steering.reset_sticky,
    "DeleteRun": removal.delete_run,
    "ResetWorkflowExecution": renewing.reset,
    "RefreshWorkflowTasks": renewing.refresh,
    "GetWorkflowExecutionHistory": reads.get_history,
    "DescribeWorkflowExecution": reads.describe,
    "FlushVisibility": reads.flush_visibility,
    "QueryWorkflow": queries.query,
    "StartQuery": queries.start_query,
    "StartTask": decision_tasks.start_task,
    "RespondDecisionTaskCompleted": decision_tasks.completed,
    "RespondDecisionTaskFailed": decision_tasks.failed,
    "StartChild": calls.start_child,
    "SignalExternal": calls.signal_external,
    "CancelExternal": calls.cancel_external,
    "CloseChild": calls.close_child,
    "ChildClosed": calls.child_closed,
    **activities.HANDLERS,
}
