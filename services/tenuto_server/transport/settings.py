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


@dataclass(frozen=True, slots=True)
class HttpApiSettings:
    """How the calls of the public interface are served over HTTP (see `http_acceptor`).

    address: "host:port"; port 0 takes any free one.
    procedures: the calls that may be made, as "uber.cadence.api.v1.WorkflowAPI::StartWorkflowExecution"; none named: all of the
        public services. Those of the AdminAPI must be named.
    receive_bytes_max, send_bytes_max: of a request's and a response's message, as with gRPC.
    calls_under_way_max: further calls are answered RESOURCE_EXHAUSTED; connections_max: further ones are closed.
    header_bytes_max: of a request.
    request_s: within this time a request must have arrived as a whole, and its answer been taken.
    idle_s: how long a connection is kept for another request.
    reuse_port, stop_grace_s: as with gRPC.
    """

    address: str
    procedures: tuple[str, ...] = ()
    receive_bytes_max: int = 64 * MEBIBYTE
    send_bytes_max: int = 64 * MEBIBYTE
    calls_under_way_max: int = 5_000
    connections_max: int = 5_000
    header_bytes_max: int = 32 * 1024
    request_s: float = 30.0
    idle_s: float = 75.0
    reuse_port: bool = False
    stop_grace_s: float = 2.0
