"""Trace contexts that are carried, and spans: whose children they are, and when there are none."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable, Iterator

import pytest

from tenuto_server.telemetry import tracing
from tenuto_server.telemetry.tracing import Span, SpanKind

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = f"00-{TRACE_ID}-b7ad6b7169203331-01"
UNSAMPLED = f"00-{TRACE_ID}-b7ad6b7169203331-00"
START = "uber.cadence.api.v1.WorkflowAPI/StartWorkflowExecution"
SIGNAL = "uber.cadence.api.v1.WorkflowAPI/SignalWorkflowExecution"


@pytest.fixture
def spans() -> Iterator[list[Span]]:
    ended: list[Span] = []
    times = iter(range(1000, 10_000))
    tracing.setup(ended.append, 1.0, random.Random(1), lambda: next(times))
    yield ended
    tracing.off()


def in_own_context(test: Callable[[], None]) -> None:
    contextvars.copy_context().run(test)


def test_the_context_is_carried_as_it_is() -> None:
    def test() -> None:
        assert not tracing.state.on
        assert tracing.current_traceparent() == ""
        tracing.carry(UNSAMPLED)
        assert tracing.current_traceparent() == UNSAMPLED
        assert tracing.sampled() == ""
        tracing.carry(SAMPLED)
        assert tracing.sampled() == SAMPLED
        tracing.carry("")
        assert tracing.current_traceparent() == ""

    in_own_context(test)


def test_tasks_do_not_see_one_anothers_context() -> None:
    async def one(traceparent: str) -> str:
        tracing.carry(traceparent)
        await asyncio.sleep(0)
        return tracing.current_traceparent()

    async def both() -> tuple[str, str]:
        return await asyncio.gather(one("a"), one("b"))

    assert list(asyncio.run(both())) == ["a", "b"]


def test_a_call_is_below_its_callers_span_and_above_what_it_calls(spans: list[Span]) -> None:
    def test() -> None:
        tracing.carry(SAMPLED)
        span = tracing.serve(SIGNAL, {"traceparent": SAMPLED})
        assert span is not None
        assert tracing.current_traceparent() == span.traceparent == f"00-{TRACE_ID}-{span.span_id}-01"
        tracing.describe({tracing.DOMAIN: "d"})
        inner = tracing.begin("inner", tracing.sampled())
        tracing.end(inner, "broken")
        tracing.served(span, "NOT_FOUND")
        assert tracing.current_traceparent() == SAMPLED
        tracing.describe({tracing.DOMAIN: "of nobody"})
        assert spans == [inner, span]
        assert (inner.trace_id, inner.parent_id, inner.error) == (TRACE_ID, span.span_id, "broken")
        assert (span.trace_id, span.parent_id, span.kind, span.error) == (
            TRACE_ID, "b7ad6b7169203331", SpanKind.SERVER, "NOT_FOUND",
        )  # fmt: skip
        assert span.start_ns < inner.start_ns < inner.end_ns < span.end_ns
        assert span.attributes == {
            "rpc.system.name": "grpc", "rpc.method": SIGNAL, "rpc.response.status_code": "NOT_FOUND", tracing.DOMAIN: "d",
        }  # fmt: skip

    in_own_context(test)


def test_only_starts_begin_a_trace(spans: list[Span]) -> None:
    def test() -> None:
        assert tracing.serve(SIGNAL, {}) is None
        assert tracing.serve(SIGNAL, {"traceparent": "garbage"}) is None
        span = tracing.serve(START, {"traceparent": "garbage"})
        assert span is not None
        assert (len(span.trace_id), span.parent_id) == (32, "")
        tracing.served(span, "OK")
        assert spans[0].error == ""

    in_own_context(test)


def test_who_began_the_trace_decides(spans: list[Span]) -> None:
    def test() -> None:
        assert tracing.serve(START, {"traceparent": UNSAMPLED}) is None
        tracing.state.ratio = 0.0
        assert tracing.serve(START, {}) is None
        assert tracing.serve(START, {"traceparent": SAMPLED}) is not None

    in_own_context(test)


def test_the_ratio_is_kept(spans: list[Span]) -> None:
    def test() -> None:
        tracing.state.ratio = 0.1
        begun = [tracing.serve(START, {}) for _ in range(2000)]
        assert 150 < len([span for span in begun if span is not None]) < 250

    in_own_context(test)


def test_jaegers_form_is_understood(spans: list[Span]) -> None:
    def test() -> None:
        span = tracing.serve(START, {"uber-trace-id": "8448eb211c80319c:b7ad6b7169203331:0:1"})
        assert span is not None
        assert (span.trace_id, span.parent_id) == ("00000000000000008448eb211c80319c", "b7ad6b7169203331")

    in_own_context(test)
