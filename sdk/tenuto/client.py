"""For starting workflows and talking to them."""

from tenuto._rpc.activities import ActivityCompletion
from tenuto._rpc.client import Client
from tenuto._rpc.connection import BaseConnection, Connection, WorkflowRpc
from tenuto._rpc.connection import Method as RpcMethod
from tenuto._rpc.handle import WorkflowHandle
from tenuto._rpc.schedules import (
    CatchUpPolicy,
    OverlapPolicy,
    ScheduleAction,
    SchedulePolicies,
    Schedules,
    ScheduleSpec,
)
from tenuto._rpc.status import typed as rpc_error
from tenuto._types import CronOverlapPolicy, IdReusePolicy, RetryPolicy

__all__ = [
    "ActivityCompletion",
    "BaseConnection",
    "CatchUpPolicy",
    "Client",
    "Connection",
    "CronOverlapPolicy",
    "IdReusePolicy",
    "OverlapPolicy",
    "RetryPolicy",
    "RpcMethod",
    "ScheduleAction",
    "SchedulePolicies",
    "ScheduleSpec",
    "Schedules",
    "WorkflowHandle",
    "WorkflowRpc",
    "rpc_error",
]
