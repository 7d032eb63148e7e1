"""For starting workflows and talking to them."""

from tenuto._rpc.activities import ActivityCompletion
from tenuto._rpc.client import Client
from tenuto._rpc.connection import BaseConnection, Connection
from tenuto._rpc.connection import Method as RpcMethod
from tenuto._rpc.handle import WorkflowHandle
from tenuto._rpc.status import typed as rpc_error
from tenuto._types import CronOverlapPolicy, IdReusePolicy, RetryPolicy

__all__ = [
    "ActivityCompletion",
    "BaseConnection",
    "Client",
    "Connection",
    "CronOverlapPolicy",
    "IdReusePolicy",
    "RetryPolicy",
    "RpcMethod",
    "WorkflowHandle",
    "rpc_error",
]
