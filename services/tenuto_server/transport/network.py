"""The network between services: one interface, over batched gRPC streams or within one process.

A process listens at an address with one handler; others reach it by `call`. A call's outcome is the handler's bytes,
the `ServiceError` it raised (the same class, status, message and detail on both sides), or `Unavailable` where the
other side could not be reached or the link broke meanwhile (then nobody knows whether it acted). Cancelling the task
that awaits a call cancels the handler's task at the other side. Where `timeout_s` runs out the caller gets
`DeadlineExceeded` and the handler is cancelled. Order between calls is not promised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class InternalCall:
    """A call as its handler sees it: `deadline` in the event loop's time (seconds) or None; `traceparent` may be ""."""

    method: str
    body: bytes
    deadline: float | None = None
    traceparent: str = ""


# A call under way for longer than this gets a timer for its deadline; the others share one.
NEW_CALL_S = 0.1

InternalHandler = Callable[[InternalCall], Awaitable[bytes]]


class Listener(Protocol):
    """A process's open door."""

    address: str

    async def close(self) -> None:
        """Takes no more calls; those under way are cancelled and their callers told `Unavailable`."""


class Network(Protocol):
    """How a process reaches others and is reached. `is_remote`: its calls leave the process, and take their time."""

    is_remote: bool

    async def listen(self, address: str, handler: InternalHandler) -> Listener:
        """Serves `handler` at `address`. For sockets "host:0" takes any free port: see the listener's address."""

    async def call(self, address: str, method: str, body: bytes, timeout_s: float | None = None) -> bytes:
        """Calls the process at `address`; opens the link where there is none."""

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """`callback(address)` runs whenever an open link from this process to that address breaks."""

    async def close(self) -> None:
        """Closes all links this process opened; callers under way get `Unavailable`."""
