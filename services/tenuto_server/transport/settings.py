"""What the acceptors of the public interface have in common to be told, and the streams between services."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
# What the envelopes of a frame may need beside their bodies, generously.
_ENVELOPE_BYTES = 64 * 1024


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


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Limits of a process's links.

    links_max: links of others to this process; a further one is closed at once.
    calls_under_way_max: calls of one link at once; one more is answered ServiceBusy.
    message_bytes_max: the largest body, either way.
    frame_bytes: a frame is closed when its bodies reach this size (a single larger body makes a frame of its own).
    connect_timeout_s: how long opening a link may take.
    keepalive_s, keepalive_timeout_s: a silent peer is pinged, and given up on when it does not answer.
    connect_retry_s: after a refused connection, calls to that address fail at once for this long.
    close_wait_s: how long `close` waits for cancelled handlers to end, and for the other side to take what is said last.
    """

    links_max: int = 10_000
    calls_under_way_max: int = 20_000
    message_bytes_max: int = 64 * MEBIBYTE
    frame_bytes: int = MEBIBYTE
    connect_timeout_s: float = 5.0
    keepalive_s: float = 2.0
    keepalive_timeout_s: float = 3.0
    connect_retry_s: float = 0.1
    close_wait_s: float = 2.0

    @property
    def frame_bytes_max(self) -> int:
        """What a frame can come to: one of almost `frame_bytes` takes one more body, and its envelopes."""
        return self.message_bytes_max + self.frame_bytes + _ENVELOPE_BYTES
