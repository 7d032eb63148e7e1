"""A client of the public interface with nothing in it but gRPC and the messages: it depends on no code of ours beyond them.

It sends the headers that the official clients send, so it also works against the official server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tenuto_api import api
from tenuto_api.uber.cadence.api.v1 import (
    service_domain_pb2,
    service_meta_pb2,
    service_visibility_pb2,
    service_worker_pb2,
    service_workflow_pb2,
)

HEADERS = (("rpc-caller", "tenuto-tests"), ("rpc-service", "cadence-frontend"), ("rpc-encoding", "proto"))
CALL_SECONDS = 10.0
# Errors that say nothing about the outcome: the same request is sent again.
PASSING = frozenset({
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
})  # fmt: skip
OPTIONS: Sequence[tuple[str, Any]] = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 250),
    # A channel of its own for each client, also to the same address.
    ("grpc.use_local_subchannel_pool", 1),
)


def _methods() -> dict[str, tuple[str, type[Message]]]:
    """Request's full name -> method path and class of the response, for every RPC of the public interface."""
    found: dict[str, tuple[str, type[Message]]] = {}
    files = (service_domain_pb2, service_meta_pb2, service_visibility_pb2, service_worker_pb2, service_workflow_pb2)
    for file in files:
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                path = f"/{service.full_name}/{method.name}"
                found[method.input_type.full_name] = (path, GetMessageClass(method.output_type))
    return found


METHODS = _methods()


class RawClient:
    """Calls a server; which method is meant follows from the request's type."""

    def __init__(self, address: str, headers: Sequence[tuple[str, str]] = HEADERS) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self._headers = tuple(headers)
        self._calls: dict[str, Any] = {}

    async def call(self, request: Message, timeout: float = CALL_SECONDS) -> Any:
        """The response to `request`. Raises grpc.aio.AioRpcError."""
        name = request.DESCRIPTOR.full_name
        call = self._calls.get(name)
        if call is None:
            path, response = METHODS[name]
            call = self._calls[name] = self._channel.unary_unary(
                path, request_serializer=type(request).SerializeToString, response_deserializer=response.FromString
            )
        return await call(request, timeout=timeout, metadata=self._headers)

    async def persist(self, request: Message, patience: float = 60.0, timeout: float = CALL_SECONDS) -> Any:
        """The response to `request`, sent again while the outcome is unknown, for at most `patience` seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while True:
            try:
                return await self.call(request, timeout)
            except grpc.aio.AioRpcError as error:
                if error.code() not in PASSING or loop.time() > end:
                    raise
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Ends the connection."""
        await self._channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def history_request(domain: str, workflow_id: str, run_id: str) -> api.GetWorkflowExecutionHistoryRequest:
    """Asks for a run's history from its beginning."""
    return api.GetWorkflowExecutionHistoryRequest(
        domain=domain, workflow_execution=api.WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    )


async def read_history(
    client: RawClient, domain: str, workflow_id: str, run_id: str, patience: float = 60.0
) -> list[api.HistoryEvent]:
    """All events of a run, page by page."""
    request = history_request(domain, workflow_id, run_id)
    events: list[api.HistoryEvent] = []
    while True:
        response = await client.persist(request, patience)
        events.extend(response.history.events)
        if not response.next_page_token:
            return events
        request.next_page_token = response.next_page_token


async def wait_closed(
    client: RawClient, domain: str, workflow_id: str, run_id: str, patience: float = 60.0
) -> api.HistoryEvent:
    """The event that closed a run, awaited by long polls. Raises TimeoutError after `patience` seconds."""
    request = history_request(domain, workflow_id, run_id)
    request.wait_for_new_event = True
    request.history_event_filter_type = api.EVENT_FILTER_TYPE_CLOSE_EVENT
    async with asyncio.timeout(patience):
        while True:
            response = await client.persist(request, patience, timeout=25.0)
            if response.history.events:
                event: api.HistoryEvent = response.history.events[-1]
                return event
            if response.next_page_token:
                request.next_page_token = response.next_page_token
