"""The frontend behind the real gRPC acceptor, on a real socket: what a client gets on the wire, errors above all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import status_pb2  # type: ignore[import-untyped]

from tenuto_api import api
from tenuto_server.errors import ServiceError, WorkflowAlreadyCompleted
from tenuto_server.transport.grpc_acceptor import GrpcAcceptor
from tenuto_server.transport.network import InternalCall
from tenuto_server.transport.settings import AcceptorSettings
from tests.unit.frontend.fakes import DOMAIN, RUN_ID, Bench, start_request

HEADERS = (("rpc-service", "cadence-frontend"), ("rpc-caller", "test"), ("rpc-encoding", "proto"))


class Client:
    """Raw calls: the trailers and the status are what is looked at."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def call(
        self, method: str, body: bytes, *, timeout_s: float | None = 10.0, headers: Sequence[tuple[str, str]] = ()
    ) -> bytes:
        path = method if "." in method else f"uber.cadence.api.v1.{method}"
        invoke = self._channel.unary_unary(f"/{path}", None, None)
        answer: bytes = await invoke(body, timeout=timeout_s, metadata=(*HEADERS, *headers))
        return answer

    async def fails(self, method: str, body: bytes, **how: Any) -> tuple[grpc.StatusCode, str, str]:
        """(status, text, the detail's type name or "")."""
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await self.call(method, body, **how)
        error = raised.value
        received: Any = error.trailing_metadata()
        trailers = dict(received)
        assert trailers["rpc-service"] == "cadence-frontend"
        packed = trailers.get("grpc-status-details-bin", b"")
        assert isinstance(packed, bytes)
        status = status_pb2.Status.FromString(packed)
        name = ""
        if status.details:
            assert (status.code, status.message) == (error.code().value[0], error.details())
            name = status.details[0].type_url.removeprefix("type.googleapis.com/uber.cadence.api.v1.")
        return error.code(), error.details() or "", name


async def serving(scenario: Coroutine[Any, Any, None], bench: Bench, ready: asyncio.Future[Client]) -> None:
    acceptor = GrpcAcceptor(bench.frontend.handle, AcceptorSettings(kind="grpc", address="127.0.0.1:0"))
    await acceptor.start()
    async with grpc.aio.insecure_channel(acceptor.address) as channel:
        ready.set_result(Client(channel))
        await scenario
    await acceptor.stop()


def test_what_a_client_gets() -> None:
    async def main() -> None:
        async with Bench() as bench:
            ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()

            async def scenario() -> None:
                client = await ready
                bench.history.answer = lambda _: api.StartWorkflowExecutionResponse(run_id=RUN_ID).SerializeToString()
                answer = await client.call("WorkflowAPI/StartWorkflowExecution", start_request().SerializeToString())
                assert api.StartWorkflowExecutionResponse.FromString(answer).run_id == RUN_ID

                missing = api.DescribeDomainRequest(name="nowhere").SerializeToString()
                assert await client.fails("DomainAPI/DescribeDomain", missing) == (
                    grpc.StatusCode.NOT_FOUND,
                    "Domain nowhere does not exist.",
                    "EntityNotExistsError",
                )
                assert await client.fails("DomainAPI/DescribeDomain", b"") == (
                    grpc.StatusCode.INVALID_ARGUMENT,
                    "Domain not set on request.",
                    "",
                )
                assert await client.fails("WorkflowAPI/QueryWorkflow", b"") == (
                    grpc.StatusCode.INVALID_ARGUMENT,
                    "Domain not set on request.",
                    "",
                )

                poll = api.PollForDecisionTaskRequest(domain=DOMAIN)
                poll.task_list.name = "orders"
                assert await client.call("WorkerAPI/PollForDecisionTask", poll.SerializeToString()) == b""
                too_short = await client.fails("WorkerAPI/PollForDecisionTask", poll.SerializeToString(), timeout_s=1.5)
                assert too_short == (grpc.StatusCode.INVALID_ARGUMENT, "Context timeout is too short.", "")
                assert await client.call("WorkerAPI/PollForDecisionTask", poll.SerializeToString(), timeout_s=None) == b""

            await serving(scenario(), bench, ready)

    asyncio.run(main())


def test_already_completed_by_feature_flag() -> None:
    async def main() -> None:
        async with Bench() as bench:
            ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()

            def closed(_: InternalCall) -> bytes:
                error: ServiceError = WorkflowAlreadyCompleted()
                raise error

            async def scenario() -> None:
                client = await ready
                bench.history.answer = closed
                terminate = api.TerminateWorkflowExecutionRequest(domain=DOMAIN)
                terminate.workflow_execution.workflow_id = "order-1"
                body, text = terminate.SerializeToString(), "Workflow execution already completed."
                assert await client.fails("WorkflowAPI/TerminateWorkflowExecution", body) == (
                    grpc.StatusCode.NOT_FOUND,
                    text,
                    "EntityNotExistsError",
                )
                flags = '{"WorkflowExecutionAlreadyCompletedErrorEnabled":true}'
                go = [
                    ("cadence-client-name", "uber-go"),
                    ("cadence-client-feature-version", "1.7.0"),
                    ("cadence-client-feature-flags", flags),
                ]
                assert await client.fails("WorkflowAPI/TerminateWorkflowExecution", body, headers=go) == (
                    grpc.StatusCode.NOT_FOUND,
                    text,
                    "WorkflowExecutionAlreadyCompletedError",
                )

            await serving(scenario(), bench, ready)

    asyncio.run(main())


def test_a_client_that_goes_takes_its_poll_along() -> None:
    async def main() -> None:
        async with Bench() as bench:
            ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
            polling, gone = asyncio.Event(), asyncio.Event()

            async def hang() -> bytes:
                polling.set()
                try:
                    return await asyncio.Future[bytes]()
                finally:
                    gone.set()

            async def scenario() -> None:
                client = await ready
                bench.matching.answer = lambda _: hang()
                poll = api.PollForDecisionTaskRequest(domain=DOMAIN)
                poll.task_list.name = "orders"
                call = asyncio.ensure_future(client.call("WorkerAPI/PollForDecisionTask", poll.SerializeToString(), timeout_s=60))
                async with asyncio.timeout(10):
                    await polling.wait()
                    call.cancel()
                    await gone.wait()
                assert bench.frontend.calls == 0

            await serving(scenario(), bench, ready)

    asyncio.run(main())
