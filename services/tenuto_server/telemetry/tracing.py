"""Trace context and spans, by opentelemetry-api only.

The trace context travels as a W3C `traceparent` string: in public metadata, and in the envelopes between services.
Where no OpenTelemetry SDK is set up (the usual case in tests and in `dev`), the string is carried through unchanged, so
that traces of the processes around this one stay whole, and `span` hands out one shared object that does nothing.
Whether there is an SDK is looked up once, at first use; a process that sets one up later says so with `refresh()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

TRACEPARENT = "traceparent"

_carried: ContextVar[str] = ContextVar("tenuto_traceparent", default="")
_propagator = TraceContextTextMapPropagator()
_nothing: AbstractContextManager[object] = nullcontext()


class _State:
    """What the one look-up found: `tracer` is None where spans would go nowhere."""

    __slots__ = ("looked_up", "tracer")

    def __init__(self) -> None:
        self.looked_up = False
        self.tracer: trace.Tracer | None = None


_state = _State()


def refresh() -> None:
    """Looks the global tracer provider up again; call it after setting up an SDK."""
    provider = trace.get_tracer_provider()
    idle = isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider)
    _state.tracer = None if idle else provider.get_tracer("tenuto")
    _state.looked_up = True


def enabled() -> bool:
    """Whether spans go anywhere."""
    if not _state.looked_up:
        refresh()
    return _state.tracer is not None


def current_traceparent() -> str:
    """The trace context to send along with a call made now; empty where there is none."""
    if _state.tracer is None:
        return _carried.get()
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get(TRACEPARENT, "") or _carried.get()


def carry(traceparent: str) -> None:
    """Makes `traceparent` the context of the calls that this task makes from now on.

    For acceptors and links, which give each call its own task.
    """
    if traceparent or _carried.get():
        _carried.set(traceparent)


def span(
    name: str, attributes: Mapping[str, AttributeValue] | None = None, traceparent: str = ""
) -> AbstractContextManager[object]:
    """A span around a `with` block: a child of `traceparent` where given, else of the current span.

    Costs a look at one attribute where no SDK is set up.
    """
    if not _state.looked_up:
        refresh()
    tracer = _state.tracer
    if tracer is None:
        return _nothing
    parent = traceparent or ("" if trace.get_current_span().get_span_context().is_valid else _carried.get())
    context = _propagator.extract({TRACEPARENT: parent}) if parent else otel_context.get_current()
    return tracer.start_as_current_span(name, context=context, attributes=dict(attributes) if attributes else None)
