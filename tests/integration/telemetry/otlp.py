"""A receiver of traces by OTLP over real gRPC, and the spans it got, as a tree."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services
from opentelemetry.proto.trace.v1 import trace_pb2

# From one batch of spans to the next.
WAIT_S = 15.0


class Received:
    """One span as it came, with its attributes by name and the service that sent it."""

    def __init__(self, span: trace_pb2.Span, service: str, instance: str) -> None:
        self.span = span
        self.name = span.name
        self.service = service
        self.instance = instance
        self.trace_id = span.trace_id.hex()
        self.span_id = span.span_id.hex()
        self.parent_id = span.parent_span_id.hex()
        self.failed = span.status.code == trace_pb2.Status.STATUS_CODE_ERROR
        self.attributes: dict[str, Any] = {
            one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in span.attributes
        }
        self.links = [link.span_id.hex() for link in span.links]

    def __repr__(self) -> str:
        return f"{self.service}:{self.name} {self.span_id} < {self.parent_id}"


class Receiver(services.TraceServiceServicer):
    """Keeps all spans."""

    def __init__(self) -> None:
        self.spans: list[Received] = []
        self.address = ""
        self._news = asyncio.Event()

    async def Export(  # noqa: N802
        self, request: messages.ExportTraceServiceRequest, context: Any
    ) -> messages.ExportTraceServiceResponse:
        """OTLP's one call."""
        for group in request.resource_spans:
            names = {one.key: one.value.string_value for one in group.resource.attributes}
            for scope in group.scope_spans:
                service, instance = names.get("service.name", ""), names.get("service.instance.id", "")
                self.spans += [Received(span, service, instance) for span in scope.spans]
        self._news.set()
        return messages.ExportTraceServiceResponse()

    async def until(self, condition: Callable[[Trace], bool]) -> Trace:
        """The one trace there is, when the condition holds of it; AssertionError, with what came, where that takes too long."""
        while True:
            self._news.clear()
            trace = Trace(self.spans)
            if self.spans and condition(trace):
                return trace
            try:
                async with asyncio.timeout(WAIT_S):
                    await self._news.wait()
            except TimeoutError:
                raise AssertionError("\n".join(map(repr, trace.spans))) from None


class Trace:
    """Spans by id, parents before children."""

    def __init__(self, spans: Iterable[Received]) -> None:
        self.spans = sorted(spans, key=lambda one: one.span.start_time_unix_nano)
        self.by_id = {one.span_id: one for one in self.spans}

    @property
    def ids(self) -> set[str]:
        """The trace ids; there should be one."""
        return {one.trace_id for one in self.spans}

    def named(self, name: str) -> list[Received]:
        """The spans of that name, in order."""
        return [one for one in self.spans if one.name == name]

    def one(self, name: str) -> Received:
        """The only span of that name."""
        [found] = self.named(name)
        return found

    def parent(self, one: Received) -> str:
        """The name of a span's parent; empty where it is not here."""
        found = self.by_id.get(one.parent_id)
        return "" if found is None else found.name

    def line(self, one: Received) -> list[str]:
        """The names from a span up to the first one above it."""
        names = [one.name]
        while (above := self.by_id.get(one.parent_id)) is not None:
            names.append(above.name)
            one = above
        return names


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    server = grpc.aio.server()
    services.add_TraceServiceServicer_to_server(receiver, server)  # type: ignore[no-untyped-call]
    receiver.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield receiver
    finally:
        await server.stop(None)
