"""What the acceptors of the public interface have in common to be told."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class AcceptorSettings:
    """How the public interface is served.

    kind: "grpc" (grpc.aio, always there), "pyvoy", or "auto": pyvoy where it is installed.
    address: "host:port"; port 0 takes any free one.
    receive_bytes_max: the largest request message; larger ones are answered RESOURCE_EXHAUSTED.
    send_bytes_max: the largest response message.
    calls_under_way_max: more calls at once than this (waiting polls among them) are answered RESOURCE_EXHAUSTED.
    reuse_port: lets several processes listen at the same port.
    stop_grace_s: how long a graceful stop waits for calls under way before it cancels them.
    """

    kind: str = "auto"
    address: str = "127.0.0.1:7833"
    receive_bytes_max: int = 64 * MEBIBYTE
    send_bytes_max: int = 64 * MEBIBYTE
    calls_under_way_max: int = 20_000
    reuse_port: bool = False
    stop_grace_s: float = 2.0
