"""Trace contexts and spans, by OpenTelemetry where the program uses it.

A call's context goes out in its metadata and, where it starts a workflow, in the run's header; workers make their spans below the
one in a run's or an activity's header. This module never imports OpenTelemetry first: nobody who has not can have a span.
Without it a context is handed on as it came, from a header to the worker's own calls.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Protocol

from tenuto_api import api

if TYPE_CHECKING:
    from opentelemetry import trace as otel

# What headers hold of a context, as plain text: W3C's names, and those of propagators that programs may have set up instead.
TRACEPARENT: Final = "traceparent"
KEYS: Final = (TRACEPARENT, "tracestate", "uber-trace-id", "b3")
DOMAIN, WORKFLOW_ID, RUN_ID = "tenuto.domain", "tenuto.workflow.id", "tenuto.run.id"
_SPAN: Final = slice(3, 35)

_NONE: Final[dict[str, str]] = {}
_carried: ContextVar[dict[str, str]] = ContextVar("tenuto_trace", default=_NONE)
# The tracer, and the provider that it is of.
_tracer: list[tuple[Any, Any]] = []


class _HasData(Protocol):
    """A header's value: api.Payload."""

    @property
    def data(self) -> bytes: ...


def current() -> dict[str, str]:
    """The context to send along with a call, by its metadata's keys; empty where there is none."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None or not trace.get_current_span().get_span_context().is_valid:
        return _carried.get()
    from opentelemetry import propagate

    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def trace_id() -> str:
    """The current trace's id in hexadecimal, for log lines; empty where there is none."""
    return current().get(TRACEPARENT, "")[_SPAN]


def keep(header: api.Header) -> None:
    """Writes the current context to the header of a run that is about to start."""
    for key, value in current().items():
        if key in KEYS:
            header.fields[key].data = value.encode()


@contextmanager
def client_span(name: str, domain: str, workflow_id: str) -> Iterator[None]:
    """A client's call, below the caller's span."""
    tracer = _get_tracer()
    if tracer is None:
        yield
        return
    from opentelemetry.trace import SpanKind

    with tracer.start_as_current_span(
        name, kind=SpanKind.CLIENT, attributes={DOMAIN: domain, WORKFLOW_ID: workflow_id}
    ):
        yield


@contextmanager
def worker_span(
    name: str, fields: Mapping[str, _HasData], attributes: Mapping[str, Any], start_ns: int | None = None
) -> Iterator[None]:
    """A worker's work on what has this header, below the context in it; tasks made meanwhile inherit it. Without a context in the
    header there is no span: a worker begins no trace."""
    carrier = {key: fields[key].data.decode(errors="replace") for key in KEYS if key in fields}
    if not carrier:
        yield
        return
    if "opentelemetry.trace" not in sys.modules:
        token = _carried.set(carrier)
        try:
            yield
        finally:
            _carried.reset(token)
        return
    from opentelemetry import context, propagate
    from opentelemetry.trace import SpanKind

    above, tracer = propagate.extract(carrier), _get_tracer()
    if tracer is not None:
        with tracer.start_as_current_span(
            name, context=above, kind=SpanKind.CONSUMER, attributes=attributes, start_time=start_ns
        ):
            yield
        return
    attached = context.attach(above)
    try:
        yield
    finally:
        context.detach(attached)


def failed(error: BaseException) -> None:
    """The current span's work failed, and whoever wanted it is told."""
    if _get_tracer() is None:
        return
    from opentelemetry.trace import Status, StatusCode, get_current_span

    span = get_current_span()
    span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))


def pass_on(decisions: Iterable[api.Decision]) -> None:
    """What these decisions begin for others, activities and children, is below the current span if that is this worker's."""
    if _get_tracer() is None:
        return
    context = current()
    for decision in decisions if context else ():
        if decision.HasField("schedule_activity_task_decision_attributes"):
            header = decision.schedule_activity_task_decision_attributes.header
        elif decision.HasField("start_child_workflow_execution_decision_attributes"):
            header = decision.start_child_workflow_execution_decision_attributes.header
        else:
            continue
        # Where a run's header has none there is no trace.
        if any(key in header.fields for key in KEYS):
            keep(header)


def is_on() -> bool:
    """Whether the program has set up a tracer."""
    return _get_tracer() is not None


def _get_tracer() -> otel.Tracer | None:
    """The program's tracer; None where it has set up none."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    provider = trace.get_tracer_provider()
    if _tracer and _tracer[0][0] is provider:
        found: otel.Tracer | None = _tracer[0][1]
        return found
    idle = isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider)
    made = None if idle else provider.get_tracer("tenuto")
    if not idle:
        _tracer[:] = [(provider, made)]
    return made
