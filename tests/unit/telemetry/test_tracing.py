"""Trace context with and without an OpenTelemetry SDK (here a tracer provider of a few lines)."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.util._once import Once

from tenuto_server.telemetry import tracing

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C


class Tracer(trace.NoOpTracer):
    """Hands out spans with real ids and keeps what it was asked for."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Any, trace.SpanContext]] = []

    def start_as_current_span(self, name: str, context: Any = None, *args: Any, **kwargs: Any) -> Any:
        parent = trace.get_current_span(context).get_span_context()
        mine = trace.SpanContext(
            parent.trace_id or 1, 0xA0 + len(self.spans), False, trace.TraceFlags(trace.TraceFlags.SAMPLED)
        )
        self.spans.append((name, kwargs.get("attributes"), parent))
        return trace.use_span(trace.NonRecordingSpan(mine))


class Provider(trace.TracerProvider):
    def __init__(self) -> None:
        self.tracer = Tracer()

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return self.tracer


@pytest.fixture
def tracer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracer]:
    provider = Provider()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    tracing.refresh()
    yield provider.tracer
    monkeypatch.undo()
    tracing.refresh()


def in_own_context(test: Any) -> None:
    contextvars.copy_context().run(test)


def test_without_an_sdk_the_context_is_carried_as_it_is() -> None:
    def test() -> None:
        assert not tracing.enabled()
        assert tracing.current_traceparent() == ""
        tracing.carry(TRACEPARENT)
        assert tracing.current_traceparent() == TRACEPARENT
        tracing.carry("")
        assert tracing.current_traceparent() == ""

    in_own_context(test)


def test_without_an_sdk_a_span_is_one_shared_object() -> None:
    one = tracing.span("a", {"k": "v"}, TRACEPARENT)
    assert one is tracing.span("b")
    with one, one:
        pass


def test_tasks_do_not_see_one_anothers_context() -> None:
    async def one(traceparent: str) -> str:
        tracing.carry(traceparent)
        await asyncio.sleep(0)
        return tracing.current_traceparent()

    async def both() -> tuple[str, str]:
        return await asyncio.gather(one("a"), one("b"))

    assert list(asyncio.run(both())) == ["a", "b"]


def test_with_an_sdk_a_span_is_the_child_of_what_came_in_and_the_parent_of_what_goes_out(tracer: Tracer) -> None:
    def test() -> None:
        assert tracing.enabled()
        tracing.carry(TRACEPARENT)
        with tracing.span("call", {"method": "x"}, TRACEPARENT):
            assert tracing.current_traceparent() == f"00-{TRACE_ID:032x}-00000000000000a0-01"
            with tracing.span("inner"):
                assert tracing.current_traceparent() == f"00-{TRACE_ID:032x}-00000000000000a1-01"
        (call, attributes, parent), (inner, _, inner_parent) = tracer.spans
        assert (call, inner) == ("call", "inner")
        assert attributes == {"method": "x"}
        assert parent.trace_id == TRACE_ID
        assert parent.span_id == 0xB7AD6B7169203331
        assert inner_parent.span_id == 0xA0

    in_own_context(test)


def test_with_an_sdk_but_no_span_the_carried_context_goes_out(tracer: Tracer) -> None:
    def test() -> None:
        tracing.carry(TRACEPARENT)
        assert tracing.current_traceparent() == TRACEPARENT
        with tracing.span("in a task that only carries"):
            pass
        assert tracer.spans[0][2].trace_id == TRACE_ID

    in_own_context(test)


def test_a_malformed_context_starts_a_new_trace(tracer: Tracer) -> None:
    def test() -> None:
        with tracing.span("call", traceparent="garbage"):
            pass
        assert tracer.spans[0][2].trace_id == 0

    in_own_context(test)
