"""Both acceptors, each as a process of its own behind a real socket, seen by grpcio's client."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from tenuto_server.transport import pyvoy_acceptor
from tests.integration.transport.served import ERRORS, SERVICE, STOPPED

ROOT = Path(__file__).parents[3]
KINDS = [
    pytest.param("grpc", marks=pytest.mark.xdist_group("acceptor-grpc")),
    pytest.param(
        "pyvoy",
        marks=[
            pytest.mark.xdist_group("acceptor-pyvoy"),
            pytest.mark.skipif(not pyvoy_acceptor.available(), reason="pyvoy cannot run here"),
        ],
    ),
]
OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # No connection is shared with another channel to the same port: one that waits for its server may then find the
    # connection of another just as it ends, and rest instead of trying again.
    ("grpc.use_local_subchannel_pool", 1),
]
TIMEOUT_S = 20.0


def raw(channel: grpc.Channel, path: str) -> Any:
    """A method that takes and gives bytes."""
    return channel.unary_unary(path)  # type: ignore[call-arg]


class Server:
    """A served process and a client of it."""

    def __init__(self, kind: str, log: Path, **settings: Any) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = settings.pop("port", 0) or probe.getsockname()[1]
        self.port = port
        self.log = log
        environment = {**os.environ, STOPPED: str(log.with_suffix(".stopped"))}
        told = {"kind": kind, "address": f"127.0.0.1:{port}", "stop_grace_s": 1.0, **settings}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.transport.served", json.dumps(told)],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS)

    def ready(self) -> Server:
        try:
            grpc.channel_ready_future(self.channel).result(TIMEOUT_S)
        except grpc.FutureTimeoutError:
            raise AssertionError(self.log.read_text("utf-8")) from None
        return self

    def method(self, name: str) -> Any:
        return raw(self.channel, f"/{SERVICE}/{name}")

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = json.loads(self.method("Counts")(b"", timeout=TIMEOUT_S))
        return counts

    def until(self, condition: Callable[[dict[str, int]], bool]) -> dict[str, int]:
        """The counts, once `condition` holds of them."""
        end = time.monotonic() + TIMEOUT_S
        while not condition(counts := self.counts()):
            assert time.monotonic() < end, counts
            time.sleep(0.02)  # tidy: allow blocking-sleep: a test without an event loop asks a real process, within a bound
        return counts

    def close(self) -> None:
        self.channel.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT_S)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("acceptor") / "log"
    server = Server(request.param, log, receive_bytes_max=8 * 1024 * 1024, send_bytes_max=8 * 1024 * 1024)
    yield server.ready()
    server.close()


@pytest.fixture(params=KINDS)
def own_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(**settings: Any) -> Server:
        servers.append(Server(request.param, tmp_path / f"log{len(servers)}", **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def trailers(call: Any) -> dict[str, Any]:
    return {entry.key: entry.value for entry in call.trailing_metadata() or ()}


def name_on_the_wire(error: Any) -> str:
    """The message name at the end of the detail's type URL."""
    return str(error.detail_any().type_url).rpartition(".")[2]


def failure(call: Callable[[], Any]) -> Any:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


def test_the_answer_is_the_handlers_bytes(server: Server) -> None:
    body = bytes(range(256)) * 5
    answer, call = server.method("Echo").with_call(body, timeout=TIMEOUT_S)
    assert answer == body
    assert call.code() is grpc.StatusCode.OK
    assert not [key for key in trailers(call) if key.startswith(("rpc-", "grpc-"))]


def test_empty_messages(server: Server) -> None:
    assert server.method("Echo")(b"", timeout=TIMEOUT_S) == b""
    assert server.method("Empty")(b"x", timeout=TIMEOUT_S) == b""


def test_the_handler_sees_method_headers_deadline_and_trace(server: Server) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    metadata = (
        ("rpc-caller", "test"),
        ("rpc-service", "cadence-frontend"),
        ("cadence-client-feature-flags", '{"WorkflowExecutionAlreadyCompletedErrorEnabled":true}'),
        ("twice", "first"),
        ("twice", "second"),
        ("traceparent", traceparent),
        ("some-bin", b"\x00\xff"),
    )
    seen = json.loads(server.method("Describe")(b"", timeout=7, metadata=metadata))
    assert seen["method"] == f"{SERVICE}/Describe"
    assert 3 < seen["remaining"] < 7.5  # clients round it up
    assert seen["traceparent"] == traceparent
    assert "uvloop" in seen["loop"]
    expected = dict(metadata)
    del expected["some-bin"]
    assert {key: value for key, value in seen["headers"].items() if key in expected} == expected
    assert "some-bin" not in seen["headers"]


def test_without_a_timeout_there_is_no_deadline_and_no_trace(server: Server) -> None:
    seen = json.loads(server.method("Describe")(b""))
    assert seen["remaining"] is None
    assert seen["traceparent"] == ""


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_arrives_with_status_message_and_detail(server: Server, name: str) -> None:
    error = ERRORS[name]
    seen = failure(lambda: server.method("Fail")(name.encode(), timeout=TIMEOUT_S))
    expected = error.status if name != "unknown status" else 2
    assert seen.code().value[0] == expected
    assert seen.details() == error.message
    assert trailers(seen).get("grpc-status-details-bin", b"") == error.status_details()
    # Java clients tell the errors of one status apart by this name alone.
    assert trailers(seen).get("rpc-application-error-name", "") == ("" if error.detail is None else name_on_the_wire(error))
    if name == "BadRequest":
        assert "grpc-status-details-bin" not in trailers(seen)


def test_an_unexpected_exception_is_internal_without_its_text(server: Server) -> None:
    seen = failure(lambda: server.method("Crash")(b"", timeout=TIMEOUT_S))
    assert seen.code() is grpc.StatusCode.INTERNAL
    assert seen.details() == "internal error"
    assert "secret" not in str(trailers(seen))
    assert "secret" in server.log.read_text("utf-8")


def test_a_handler_cancelled_by_its_own_side_is_unavailable(server: Server) -> None:
    seen = failure(lambda: server.method("Cancelled")(b"", timeout=TIMEOUT_S))
    assert seen.code() is grpc.StatusCode.UNAVAILABLE


def test_unknown_methods_are_the_handlers_business(server: Server) -> None:
    for path in (f"/{SERVICE}/Nothing", "/grpc.health.v1.Health/Check"):
        seen = failure(partial(raw(server.channel, path), b"", timeout=TIMEOUT_S))
        assert seen.code() is grpc.StatusCode.UNIMPLEMENTED
        assert seen.details() == f"unknown method {path[1:]}"


@pytest.mark.parametrize("service", ["cadence-frontend", "something Else/1"])
def test_rpc_service_is_echoed_as_it_was_sent(server: Server, service: str) -> None:
    metadata = (("rpc-service", service),)
    _, call = server.method("Echo").with_call(b"", timeout=TIMEOUT_S, metadata=metadata)
    assert trailers(call)["rpc-service"] == service
    for method, body in (("Fail", b"EntityNotExists"), ("Fail", b"BadRequest"), ("Crash", b"")):
        seen = failure(partial(server.method(method), body, timeout=TIMEOUT_S, metadata=metadata))
        assert trailers(seen)["rpc-service"] == service
        assert "rpc-application-error" not in trailers(seen)


def test_without_rpc_service_nothing_is_echoed(server: Server) -> None:
    seen = failure(lambda: server.method("Fail")(b"EntityNotExists", timeout=TIMEOUT_S))
    assert "rpc-service" not in trailers(seen)


def test_large_messages(server: Server) -> None:
    body = os.urandom(4 * 1024 * 1024)
    assert server.method("Echo")(body, timeout=TIMEOUT_S) == body
    assert len(server.method("Big")(b"7000000", timeout=TIMEOUT_S)) == 7_000_000


def test_a_too_large_message_is_refused(server: Server) -> None:
    seen = failure(lambda: server.method("Echo")(b"x" * (8 * 1024 * 1024 + 1), timeout=TIMEOUT_S))
    assert seen.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    seen = failure(lambda: server.method("Big")(b"9000000", timeout=TIMEOUT_S))
    assert seen.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert server.method("Echo")(b"still here", timeout=TIMEOUT_S) == b"still here"


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_requests(server: Server, compression: grpc.Compression) -> None:
    body = b"compress me " * 10_000
    assert server.method("Echo")(body, timeout=TIMEOUT_S, compression=compression) == body


def test_a_compressed_message_is_too_large_by_its_real_size(server: Server) -> None:
    body = b"\0" * (8 * 1024 * 1024 + 1)
    seen = failure(lambda: server.method("Echo")(body, timeout=TIMEOUT_S, compression=grpc.Compression.Gzip))
    assert seen.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_cancelled_call_cancels_the_handler(server: Server) -> None:
    before = server.counts()["cancelled"]
    call = server.method("Hold").future(b"", timeout=TIMEOUT_S)
    server.until(lambda counts: counts["waiting"] == 1)
    call.cancel()
    server.until(lambda counts: counts == {"waiting": 0, "cancelled": before + 1})


def test_a_call_past_its_deadline_cancels_the_handler(server: Server) -> None:
    before = server.counts()["cancelled"]
    seen = failure(lambda: server.method("Hold")(b"", timeout=0.3))
    assert seen.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    server.until(lambda counts: counts == {"waiting": 0, "cancelled": before + 1})


def test_many_long_polls_wait_at_once(server: Server) -> None:
    hold = server.method("Hold")
    calls = [hold.future(b"%d" % number, timeout=TIMEOUT_S) for number in range(200)]
    server.until(lambda counts: counts["waiting"] == 200)
    assert server.method("Echo")(b"meanwhile", timeout=TIMEOUT_S) == b"meanwhile"
    server.method("Release")(b"", timeout=TIMEOUT_S)
    assert [call.result() for call in calls] == [b"%d" % number for number in range(200)]


def test_more_calls_than_allowed_are_refused_at_once(own_server: Callable[..., Server]) -> None:
    server = own_server(calls_under_way_max=2).ready()
    hold = server.method("Hold")
    other = grpc.insecure_channel(f"127.0.0.1:{server.port}", options=[("grpc.use_local_subchannel_pool", 1)])
    with other:
        calls = [hold.future(b"", timeout=TIMEOUT_S), hold.future(b"", timeout=TIMEOUT_S)]
        seen = None
        end = time.monotonic() + TIMEOUT_S
        # Until both of them have arrived, another may still get in; then it may be one of them that is refused.
        while seen is None and time.monotonic() < end:
            try:
                raw(other, f"/{SERVICE}/Echo")(b"", timeout=TIMEOUT_S)
            except grpc.RpcError as error:
                seen = error
            seen = next((call.exception() for call in calls if call.done()), seen)
        assert isinstance(seen, grpc.Call)
        assert seen.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        for call in calls:
            call.cancel()


def test_sigterm_lets_calls_end_and_stops_in_good_order(own_server: Callable[..., Server]) -> None:
    server = own_server().ready()
    short = server.method("Sleep").future(b"0.4", timeout=TIMEOUT_S)
    held = server.method("Hold").future(b"", timeout=TIMEOUT_S)
    server.until(lambda counts: counts["waiting"] == 2)
    server.process.send_signal(signal.SIGTERM)
    assert short.result() == b"slept"
    assert failure(held.result).code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    assert server.process.wait(TIMEOUT_S) == 0
    assert server.log.with_suffix(".stopped").read_text("utf-8") == "stopped"


def test_kill_leaves_nothing_behind(own_server: Callable[..., Server]) -> None:
    server = own_server().ready()
    server.process.kill()
    server.process.wait(TIMEOUT_S)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)


def test_a_taken_port_is_an_error(own_server: Callable[..., Server]) -> None:
    first = own_server().ready()
    second = own_server(port=first.port)
    assert second.process.wait(TIMEOUT_S) != 0


def test_several_processes_share_a_port_where_asked(own_server: Callable[..., Server]) -> None:
    first = own_server(reuse_port=True).ready()
    second = own_server(reuse_port=True, port=first.port)
    first.process.kill()
    first.process.wait(TIMEOUT_S)
    assert second.ready().method("Echo")(b"x", timeout=TIMEOUT_S, wait_for_ready=True) == b"x"


def test_a_server_that_cannot_start_says_so(own_server: Callable[..., Server]) -> None:
    server = own_server(factory="fail")
    assert server.process.wait(TIMEOUT_S) != 0
    assert "no such store" in server.log.read_text("utf-8")
