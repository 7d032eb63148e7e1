"""Sends spans by OTLP, through opentelemetry-sdk's batching in a thread of its own: the event loop never waits for it.

What the queue cannot hold is dropped. The process's tracer provider is set too, so that workers hosted in this process, and what
their users traced with OpenTelemetry, go the same way.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

from tenuto_server.config.runtime import Runtime
from tenuto_server.telemetry import tracing
from tenuto_server.telemetry.tracing import Span

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_KINDS: Final = {int(kind.value): kind for kind in trace.SpanKind}
_STOP_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """Whether and where traces go.

    endpoint: an OTLP receiver over gRPC, as "http://jaeger:4317" (https:// for TLS); empty for none.
    ratio: of the traces that begin here, the share that is sampled; those that callers have begun are, if they say so.
    service: the name under which the process shows.
    instance: what tells it from others of that name.
    queue_max: spans that wait to be sent; more are dropped.
    batch_max, delay_s: so many are sent together, at the latest after this long.
    timeout_s: how long the receiver may take.
    """

    endpoint: str = ""
    ratio: float = 0.01
    service: str = "tenuto"
    instance: str = ""
    queue_max: int = 16_384
    batch_max: int = 512
    delay_s: float = 1.0
    timeout_s: float = 5.0


class Exporting:
    """Spans go out from `start` until `stop`."""

    def __init__(self, settings: TracingSettings, runtime: Runtime) -> None:
        if not 0 <= settings.ratio <= 1:
            raise ValueError(f"a sampling ratio is between 0 and 1, not {settings.ratio}")
        self._settings = settings
        self._runtime = runtime
        self._provider: TracerProvider | None = None
        self._exporter: OTLPSpanExporter | None = None

    def start(self) -> None:
        """Turns tracing on in this process."""
        settings = self._settings
        names = {"service.name": settings.service, "service.instance.id": settings.instance or self._runtime.new_id()}
        resource = Resource.create(names)
        self._exporter = OTLPSpanExporter(
            endpoint=settings.endpoint, insecure=not settings.endpoint.startswith("https://"), timeout=settings.timeout_s
        )
        processor = BatchSpanProcessor(
            self._exporter,
            max_queue_size=settings.queue_max,
            max_export_batch_size=settings.batch_max,
            schedule_delay_millis=settings.delay_s * 1000,
        )
        sampler = ParentBasedTraceIdRatio(settings.ratio)
        self._provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            trace.set_tracer_provider(self._provider)
        scope = InstrumentationScope("tenuto-server")
        tracing.setup(
            lambda span: processor.on_end(_readable(span, resource, scope)),
            settings.ratio,
            self._runtime.random,
            self._runtime.now,
        )

    async def stop(self) -> None:
        """Turns tracing off and sends what waits, within a few seconds."""
        tracing.off()
        if self._provider is None or self._exporter is None:
            return
        flushed = asyncio.get_running_loop().run_in_executor(None, self._provider.shutdown)
        await asyncio.wait([flushed], timeout=_STOP_S)
        if not flushed.done():
            # It tries on for a receiver that has gone: no longer.
            self._exporter.shutdown(timeout_millis=0)


def _readable(span: Span, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    """The span as OpenTelemetry has it."""
    trace_id = int(span.trace_id, 16)
    parent = SpanContext(trace_id, int(span.parent_id, 16), True, _SAMPLED) if span.parent_id else None
    return ReadableSpan(
        name=span.name,
        context=SpanContext(trace_id, int(span.span_id, 16), False, _SAMPLED),
        parent=parent,
        resource=resource,
        attributes=span.attributes,
        links=[Link(_context(text)) for text in span.links],
        kind=_KINDS[int(span.kind)],
        status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
        start_time=span.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=scope,
    )


def _context(traceparent: str) -> SpanContext:
    return SpanContext(int(traceparent[3:35], 16), int(traceparent[36:52], 16), True, _SAMPLED)
