"""The HTTP interface over real sockets: what a call is on the wire, every error, every limit, callers that go away."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.rpc import status_pb2  # type: ignore[import-untyped]

from tenuto_api import api
from tenuto_server.transport.http_acceptor import HttpAcceptor
from tenuto_server.transport.public import PublicCall
from tenuto_server.transport.settings import HttpApiSettings
from tests.integration.transport.http_caller import SERVICE, Reply, Wire, call, request
from tests.integration.transport.served import ERRORS

START = "StartWorkflowExecution"
WAIT = "PollForDecisionTask"
ADMIN = "uber.cadence.admin.v1.AdminAPI::DescribeCluster"

# HTTP status and yarpc's name of the code, by the error.
STATUS: dict[str, tuple[int, str]] = {
    "BadRequest": (400, "invalid-argument"),
    "EntityNotExists": (404, "not-found"),
    "WorkflowAlreadyCompleted": (404, "not-found"),
    "WorkflowAlreadyStarted": (409, "already-exists"),
    "CancellationAlreadyRequested": (409, "already-exists"),
    "DomainAlreadyExists": (409, "already-exists"),
    "DomainNotActive": (400, "failed-precondition"),
    "ClientVersionNotSupported": (400, "failed-precondition"),
    "FeatureNotEnabled": (400, "failed-precondition"),
    "LimitExceeded": (429, "resource-exhausted"),
    "ServiceBusy": (429, "resource-exhausted"),
    "QueryFailed": (400, "invalid-argument"),
    "AccessDenied": (403, "permission-denied"),
    "InternalService": (500, "internal"),
    "Unimplemented": (501, "unimplemented"),
    "DeadlineExceeded": (504, "deadline-exceeded"),
    "Unavailable": (503, "unavailable"),
    "ShardOwnershipLost": (409, "aborted"),
    "unicode": (400, "invalid-argument"),
    "unicode detail": (404, "not-found"),
    "empty": (400, "invalid-argument"),
    "unknown status": (500, "unknown"),
}


class Served:
    """A handler that does what the workflow id says, and keeps what it saw."""

    def __init__(self) -> None:
        self.address = ""
        self.calls: list[PublicCall] = []
        self.waiting = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.released = asyncio.Event()
        self.connections: Callable[[], object] = lambda: 0

    async def handle(self, call: PublicCall) -> bytes:
        self.calls.append(call)
        if call.method.endswith("DescribeCluster"):
            return b""
        if call.method.endswith(WAIT):
            self.waiting.set()
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
            return b""
        wanted = api.StartWorkflowExecutionRequest.FromString(call.body)
        if wanted.workflow_id in ERRORS:
            raise ERRORS[wanted.workflow_id]
        if wanted.workflow_id == "crash":
            raise KeyError("a secret")
        if wanted.workflow_id == "own cancel":
            raise asyncio.CancelledError
        if wanted.workflow_id == "large":
            return api.StartWorkflowExecutionResponse(run_id="x" * 30_000_000).SerializeToString()
        return api.StartWorkflowExecutionResponse(run_id=f"run of {wanted.workflow_id[:50]}").SerializeToString()


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Served]:
    served = Served()
    door = HttpAcceptor(served.handle, HttpApiSettings("127.0.0.1:0", **{"stop_grace_s": 0.1, **settings}))
    await door.start()
    served.address = door.address
    served.connections = lambda: next(iter(door.measures())).samples[0].value
    try:
        yield served
    finally:
        await door.stop()
        assert not any(family.samples[0].value for family in door.measures())


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await story()

    asyncio.run(bounded())


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 what is waited for is within the server
        await asyncio.sleep(0.01)


def test_a_call() -> None:
    async def story() -> None:
        async with serving() as served:
            body = {"domain": "d", "workflowId": "w", "input": {"data": "IkN1cmwhIg=="}, "taskStartToCloseTimeout": "61s"}
            reply = await call(served.address, START, body, {"Rpc-Header-Cadence-Client-Name": "cli", "traceparent": "t"})
            assert reply.json == {"runId": "run of w"}
            assert reply.headers["rpc-service"] == "cadence-frontend"
            (seen,) = served.calls
            assert seen.method == f"{SERVICE}/{START}"
            wanted = api.StartWorkflowExecutionRequest.FromString(seen.body)
            assert (wanted.domain, wanted.input.data, wanted.task_start_to_close_timeout.seconds) == ("d", b'"Curl!"', 61)
            assert (seen.headers["cadence-client-name"], seen.headers["rpc-caller"]) == ("cli", "test")
            assert seen.deadline is not None
            assert 5 < seen.deadline - asyncio.get_running_loop().time() < 10
            # Either alphabet of base64, with padding and without.
            for text in ("-_8=", "+/8", "-_8"):
                await call(served.address, START, {"memo": {"fields": {"x": {"data": text}, "y": {}}}, "input": None})
                memo = api.StartWorkflowExecutionRequest.FromString(served.calls[-1].body).memo
                assert memo.fields["x"].data == b"\xfb\xff"
            # Names as they are in the interface's files do too; no body is an empty message; what gRPC does not need is not
            # needed.
            assert (await call(served.address, START, {"workflow_id": "x"})).json == {"runId": "run of x"}
            bare = dict.fromkeys(("Rpc-Caller", "Rpc-Service", "Rpc-Encoding", "Context-TTL-MS", "Content-Type"))
            reply = await call(served.address, START, None, bare, path="/any")
            assert reply.json == {"runId": "run of "}
            assert "rpc-service" not in reply.headers
            assert served.calls[-1].deadline is None

    run(story)


def test_the_encoding_proto() -> None:
    async def story() -> None:
        async with serving() as served:
            body = api.StartWorkflowExecutionRequest(workflow_id="w").SerializeToString()
            reply = await call(served.address, START, body, {"Rpc-Encoding": "proto"})
            assert (reply.status, reply.headers["content-type"]) == (200, "application/x-protobuf")
            assert api.StartWorkflowExecutionResponse.FromString(reply.body).run_id == "run of w"

    run(story)


@pytest.mark.parametrize("name", list(ERRORS))
def test_every_error(name: str) -> None:
    async def story() -> None:
        error, (status, code) = ERRORS[name], STATUS[name]
        async with serving() as served:
            reply = await call(served.address, START, {"workflowId": name})
            assert (reply.status, reply.text, reply.headers["rpc-status"]) == (status, error.message, "error")
            assert reply.headers["rpc-error-code"] == code
            assert reply.headers.get("rpc-application-error-name", "") == error.detail_name
            assert "rpc-error-message" not in reply.headers
            # With text and detail both.
            both: dict[str, str | None] = {"Rpc-Accepts-Both-Response-Error": "true"}
            reply = await call(served.address, START, {"workflowId": name}, both)
            assert (reply.status, reply.headers["rpc-both-response-error"]) == (status, "true")
            said = reply.headers["rpc-error-message"]
            assert said == error.message or name == "unicode"
            assert said.isprintable()
            if error.detail is None:
                assert reply.body == b""
                return
            detail = json.loads(reply.body)["details"][0]
            assert detail["@type"] == f"type.googleapis.com/{error.detail.DESCRIPTOR.full_name}"
            body = api.StartWorkflowExecutionRequest(workflow_id=name).SerializeToString()
            reply = await call(served.address, START, body, {**both, "Rpc-Encoding": "proto"})
            assert status_pb2.Status.FromString(reply.body).details[0] == error.detail_any()

    run(story)


def test_what_the_handler_should_not_do_says_nothing() -> None:
    async def story() -> None:
        async with serving() as served:
            reply = await call(served.address, START, {"workflowId": "crash"})
            assert (reply.status, reply.text) == (500, "internal error")
            assert (await call(served.address, START, {"workflowId": "own cancel"})).status == 503

    run(story)


_DEEP = b'{"memo":{"fields":' * 5000
BAD: dict[str, tuple[int, str, bytes, dict[str, str | None]]] = {
    "no JSON": (400, "invalid-argument", b"{", {}),
    "not UTF-8": (400, "invalid-argument", b'{"domain":"\xff"}', {}),
    "a list": (400, "invalid-argument", b"[1]", {}),
    "nothing": (400, "invalid-argument", b"null", {}),
    "deep": (400, "invalid-argument", _DEEP, {}),
    "too deep to count": (400, "invalid-argument", b"[" * 300_000, {}),
    "wrong type": (400, "invalid-argument", b'{"domain":5}', {}),
    "not a number": (400, "invalid-argument", b'{"workflowIdReusePolicy":NaN}', {}),
    "endless": (400, "invalid-argument", b'{"workflowIdReusePolicy":Infinity}', {}),
    "long number": (400, "invalid-argument", b'{"workflowIdReusePolicy":' + b"9" * 10_000 + b"}", {}),
    "no such field": (400, "invalid-argument", b'{"workflow":"w"}', {}),
    "no such value": (400, "invalid-argument", b'{"workflowIdReusePolicy":"WHATEVER"}', {}),
    "no base64": (400, "invalid-argument", b'{"input":{"data":"%"}}', {}),
    "plain text": (400, "invalid-argument", b'{"input":{"data":"hello world"}}', {}),
    "cut base64": (400, "invalid-argument", b'{"input":{"data":"aGVsbG8hI"}}', {}),
    "no base64 within": (400, "invalid-argument", b'{"memo":{"fields":{"x":{"data":"%"}}}}', {}),
    "no duration": (400, "invalid-argument", b'{"taskStartToCloseTimeout":"soon"}', {}),
    "twice": (400, "invalid-argument", b'{"domain":"a","domain":"b"}', {}),
    "half a character": (400, "invalid-argument", b'{"domain":"\\ud800"}', {}),
    "encoding": (400, "invalid-argument", b"{}", {"Rpc-Encoding": "thrift"}),
    "TTL": (400, "invalid-argument", b"{}", {"Context-TTL-MS": "soon"}),
    "TTL below zero": (400, "invalid-argument", b"{}", {"Context-TTL-MS": "-1"}),
    "no time": (504, "deadline-exceeded", b"{}", {"Context-TTL-MS": "0"}),
    "no procedure": (400, "invalid-argument", b"{}", {"Rpc-Procedure": None}),
    "procedure": (501, "unimplemented", b"{}", {"Rpc-Procedure": f"{SERVICE}::Nothing"}),
    "path as procedure": (501, "unimplemented", b"{}", {"Rpc-Procedure": f"{SERVICE}/{START}"}),
    "service": (501, "unimplemented", b"{}", {"Rpc-Service": "cadence-history"}),
    "admin": (404, "not-found", b"{}", {"Rpc-Procedure": ADMIN}),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_is_no_call_is_told_so(name: str) -> None:
    async def story() -> None:
        status, code, body, headers = BAD[name]
        async with serving() as served:
            reply = await call(served.address, START, body, headers)
            assert (reply.status, reply.headers["rpc-error-code"]) == (status, code)
            assert reply.text
            assert served.calls == []

    run(story)


def test_only_post() -> None:
    async def story() -> None:
        async with serving() as served:
            for method in ("GET", "PUT", "OPTIONS"):
                reply = await call(served.address, START, {}, method=method)
                assert (reply.status, reply.text) == (404, f"request method was {method} but only POST is allowed")
            assert served.calls == []

    run(story)


def test_the_procedures_that_are_named() -> None:
    async def story() -> None:
        async with serving(procedures=(f"{SERVICE}::{START}", ADMIN)) as served:
            assert (await call(served.address, START, {"workflowId": "w"})).status == 200
            assert (await call(served.address, ADMIN, {})).status == 200
            reply = await call(served.address, "SignalWorkflowExecution", {})
            assert (reply.status, reply.headers["rpc-error-code"]) == (404, "not-found")
            assert [seen.method.rpartition("/")[2] for seen in served.calls] == [START, "DescribeCluster"]

    run(story)


def test_calls_one_after_the_other_and_sent_ahead() -> None:
    async def story() -> None:
        async with serving() as served:
            wire = await Wire.open(served.address)
            for number in range(3):
                await wire.send(request(START, {"workflowId": f"{number}"}))
                assert (await wire.reply()).json == {"runId": f"run of {number}"}
            await wire.send(b"".join(request(START, {"workflowId": f"ahead {number}"}) for number in range(50)))
            for number in range(50):
                assert (await wire.reply()).json == {"runId": f"run of ahead {number}"}
            # In pieces, with the body in chunks.
            whole = request(START, b"", {"Content-Length": None, "Transfer-Encoding": "chunked"})
            for part in (whole[:20], whole[20:], b'11\r\n{"workflowId":"c"', b"\r\n1\r\n}\r\n", b"0\r\n\r\n"):
                await wire.send(part)
                await asyncio.sleep(0.01)
            assert (await wire.reply()).json == {"runId": "run of c"}
            # curl asks before it sends much.
            whole = request(START, {"workflowId": "e"}, {"Expect": "100-continue"})
            head, _, body = whole.partition(b"\r\n\r\n")
            await wire.send(head + b"\r\n\r\n")
            assert (await wire.reply()).status == 100
            await wire.send(body)
            assert (await wire.reply()).json == {"runId": "run of e"}
            wire.close()

    run(story)


def test_large_messages() -> None:
    async def story() -> None:
        async with serving() as served:
            wire = await Wire.open(served.address)
            await wire.send(request(START, {"workflowId": "x" * 1_000_000}))
            assert (await wire.reply()).json == {"runId": f"run of {'x' * 50}"}
            await wire.send(request(START, b'{"domain":"' + b"x" * 1_000_000))
            assert (await wire.reply()).status == 400
            wire.close()

    run(story)


def test_sizes_are_bounded() -> None:
    async def story() -> None:
        async with serving(receive_bytes_max=1000, header_bytes_max=2000) as served:
            reply = await call(served.address, START, {"domain": "x" * 1000})
            assert (reply.status, reply.headers["connection"]) == (413, "close")
            assert "the limit is 1000" in reply.text
            wire = await Wire.open(served.address)
            await wire.send(request(START, b"", {"Content-Length": None, "Transfer-Encoding": "chunked"}))
            await wire.send(b"400\r\n" + b" " * 0x400 + b"\r\n")
            assert (await wire.reply()).status == 413
            wire.close()
            # It is told even though it sends on.
            wire = await Wire.open(served.address)
            await wire.send(request(START, b"x" * 1_000_000))
            assert (await wire.reply()).status == 413
            wire.close()
            assert (await call(served.address, START, {}, {"X": "y" * 3000})).status == 431
            wire = await Wire.open(served.address)
            await wire.send(b"\x16\x03\x01\x00\xff\x01\r\n\r\n")
            assert (await wire.reply()).status == 400
            assert await wire.ended() == b""
            wire.close()
            assert served.calls == []
            assert (await call(served.address, START, {"domain": "x" * 900})).status == 200
        async with serving(send_bytes_max=5) as served:
            assert (await call(served.address, START, {})).status == 429

    run(story)


def test_times_and_connections_are_bounded() -> None:
    async def story() -> None:
        async with serving(idle_s=0.2, request_s=0.2, connections_max=2) as served:
            idle, slow = await Wire.open(served.address), await Wire.open(served.address)
            await slow.send(request(START, {"workflowId": "w"})[:-3])
            third = await Wire.open(served.address)
            assert await third.ended() == b""
            assert await slow.ended() == b""
            assert await idle.ended() == b""
            assert (await call(served.address, START, {})).status == 200
            for wire in (idle, slow, third):
                wire.close()
            assert len(served.calls) == 1

    run(story)


def test_an_answer_that_nobody_takes_is_dropped() -> None:
    async def story() -> None:
        async with serving(request_s=0.5) as served:
            wire = await Wire.open(served.address)
            wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await wire.send(request(START, {"workflowId": "large"}))
            await until(lambda: len(served.calls) == 1)
            assert served.connections() == 1
            await until(lambda: served.connections() == 0)
            wire.close()
            assert (await call(served.address, START, {})).status == 200

    run(story)


def test_calls_are_bounded() -> None:
    async def story() -> None:
        async with serving(calls_under_way_max=1) as served:
            wire = await Wire.open(served.address)
            await wire.send(request(f"uber.cadence.api.v1.WorkerAPI::{WAIT}", {}))
            await served.waiting.wait()
            reply = await call(served.address, START, {})
            assert (reply.status, reply.headers["rpc-application-error-name"]) == (429, "ServiceBusyError")
            served.released.set()
            assert (await wire.reply()).json == {}
            wire.close()
            assert (await call(served.address, START, {})).status == 200

    run(story)


def test_a_caller_that_goes_away_ends_its_call() -> None:
    async def story() -> None:
        async with serving() as served:
            wire = await Wire.open(served.address)
            await wire.send(request(f"uber.cadence.api.v1.WorkerAPI::{WAIT}", {}))
            await served.waiting.wait()
            wire.close()
            await served.cancelled.wait()
            # In the middle of a request nothing is called at all.
            wire = await Wire.open(served.address)
            await wire.send(request(START, {"workflowId": "w"})[:-3])
            wire.close()
            assert (await call(served.address, START, {})).status == 200
            assert len(served.calls) == 2

    run(story)


def test_a_call_ends_with_its_time() -> None:
    async def story() -> None:
        async with serving() as served:
            begun = time.monotonic()
            reply = await call(served.address, f"uber.cadence.api.v1.WorkerAPI::{WAIT}", {}, {"Context-TTL-MS": "0200"})
            assert (reply.status, reply.headers["rpc-error-code"]) == (504, "deadline-exceeded")
            assert 0.15 < time.monotonic() - begun < 5
            assert served.cancelled.is_set()
            forever: dict[str, str | None] = {"Context-TTL-MS": "9" * 1000}
            assert (await call(served.address, START, {}, forever)).status == 200

    run(story)


def test_a_graceful_stop() -> None:
    async def story() -> None:
        served = Served()
        door = HttpAcceptor(served.handle, HttpApiSettings("127.0.0.1:0", stop_grace_s=10))
        await door.start()
        idle, busy = await Wire.open(door.address), await Wire.open(door.address)
        await busy.send(request(f"uber.cadence.api.v1.WorkerAPI::{WAIT}", {}))
        await served.waiting.wait()
        stopping = asyncio.create_task(door.stop())
        assert await idle.ended() == b""
        with pytest.raises(OSError, match=r"refused|failed"):
            await Wire.open(door.address)
        served.released.set()
        reply = await busy.reply()
        assert (reply.json, reply.headers["connection"]) == ({}, "close")
        await stopping
        idle.close()
        busy.close()

    run(story)


def test_a_stop_cancels_what_does_not_end() -> None:
    async def story() -> None:
        replies: list[Reply] = []
        async with serving(stop_grace_s=0.05) as served:
            wire = await Wire.open(served.address)
            await wire.send(request(f"uber.cadence.api.v1.WorkerAPI::{WAIT}", {}))
            await served.waiting.wait()
        replies.append(await wire.reply())
        assert (replies[0].status, replies[0].headers["rpc-error-code"]) == (503, "unavailable")
        assert served.cancelled.is_set()
        wire.close()

    run(story)
