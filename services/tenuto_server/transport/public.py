"""The public interface as plain handlers: what an acceptor (grpc.aio or pyvoy) hands on and takes back.

An acceptor makes a `PublicCall` of what arrives and awaits `handler(call)`. The handler returns the response message's
bytes or raises a `ServiceError`, which the acceptor puts on the wire by `tenuto_server.errors`. When the caller goes
away the acceptor cancels the task that awaits the handler. Any other exception is logged by the acceptor and answered
as INTERNAL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class PublicCall:
    """One unary call of the public interface.

    method: "uber.cadence.api.v1.WorkflowAPI/StartWorkflowExecution", without a leading slash.
    headers: metadata by lower-case name; for a repeated key the last value.
    deadline: when the caller stops waiting, in the event loop's time (seconds); None where it gave no timeout.
    body: the request message's bytes.
    """

    method: str
    headers: Mapping[str, str]
    deadline: float | None
    body: bytes


PublicHandler = Callable[[PublicCall], Awaitable[bytes]]
