"""For starting workflows and talking to them."""

from tenuto._rpc.activities import ActivityCompletion
from tenuto._rpc.client import Client
from tenuto._rpc.connection import Connection
from tenuto._rpc.handle import WorkflowHandle
from tenuto._types import IdReusePolicy, RetryPolicy

__all__ = ["ActivityCompletion", "Client", "Connection", "IdReusePolicy", "RetryPolicy", "WorkflowHandle"]
