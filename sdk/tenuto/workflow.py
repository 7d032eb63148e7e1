"""For writing workflows: ordinary asyncio code that survives crashes, because it is replayed from its recorded history.

Inside a workflow asyncio works as always (create_task, gather, wait, TaskGroup, timeout, Event, Queue, Lock); asyncio.sleep
and timeouts are durable timers of whole seconds. What the code does must depend on nothing but its arguments, signals and
results: take the time from `now()`, chance from `random()`, and do everything else in activities.
"""

from tenuto._replay.api import (
    DEFAULT_VERSION,
    as_completed,
    cancel_external,
    continue_as_new,
    execute_activity,
    execute_child,
    get_version,
    in_workflow,
    info,
    is_replaying,
    last_completion_result,
    logger,
    mutable_side_effect,
    now,
    random,
    set_query_handler,
    set_signal_handler,
    side_effect,
    signal_external,
    sleep,
    start_activity,
    start_child,
    upsert_search_attributes,
    uuid4,
    wait_condition,
)
from tenuto._replay.constructs import (
    CancelScope,
    Channel,
    ChannelClosedError,
    Future,
    Selector,
    SignalChannel,
    shielded,
    signal_channel,
)
from tenuto._replay.definition import defn, query, run, signal
from tenuto._replay.execution import ContinueAsNew
from tenuto._replay.handles import ActivityHandle, ChildWorkflowHandle
from tenuto._replay.info import ParentInfo, WorkflowInfo
from tenuto._types import CancellationType, IdReusePolicy, ParentClosePolicy, RetryPolicy

__all__ = [
    "DEFAULT_VERSION",
    "ActivityHandle",
    "CancelScope",
    "CancellationType",
    "Channel",
    "ChannelClosedError",
    "ChildWorkflowHandle",
    "ContinueAsNew",
    "Future",
    "IdReusePolicy",
    "ParentClosePolicy",
    "ParentInfo",
    "RetryPolicy",
    "Selector",
    "SignalChannel",
    "WorkflowInfo",
    "as_completed",
    "cancel_external",
    "continue_as_new",
    "defn",
    "execute_activity",
    "execute_child",
    "get_version",
    "in_workflow",
    "info",
    "is_replaying",
    "last_completion_result",
    "logger",
    "mutable_side_effect",
    "now",
    "query",
    "random",
    "run",
    "set_query_handler",
    "set_signal_handler",
    "shielded",
    "side_effect",
    "signal",
    "signal_channel",
    "signal_external",
    "sleep",
    "start_activity",
    "start_child",
    "upsert_search_attributes",
    "uuid4",
    "wait_condition",
]
