"""Spans of turns on runs, and of the appends that make them durable.

A turn belongs to its run's trace. It is below the call that caused it where that belongs to the same trace, else below the run's
own context, with a link to the caller's. It ends when it is durable. One append carries turns of many runs: its span is below
the first turn's and has links to the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, NamedTuple

from tenuto_server.rules import traces
from tenuto_server.telemetry import tracing
from tenuto_server.telemetry.tracing import Span

if TYPE_CHECKING:
    from tenuto_server.history.core import Core
    from tenuto_server.history.engine.turn import Turn
    from tenuto_server.history.run import Run


class _Cause(NamedTuple):
    """What a task is at. Tasks and timers that begin meanwhile inherit the note, but it is not theirs."""

    task: asyncio.Task[Any] | None
    name: str
    parent: str
    start_ns: int


_NOTHING = _Cause(None, "", "", 0)
_cause: ContextVar[_Cause] = ContextVar("tenuto_history_cause", default=_NOTHING)


def begin(name: str, traceparent: str) -> Token[_Cause]:
    """The current task is at this call or work, until `end`."""
    parent = traces.sampled(traceparent)
    return _cause.set(_Cause(asyncio.current_task(), name, parent, tracing.state.now()))


def end(token: Token[_Cause]) -> None:
    """It is at what it was at before."""
    _cause.reset(token)


def of_turns(core: Core, moved: Sequence[tuple[Run, Turn]], alarm: str) -> list[Span]:
    """The spans of turns that are committed now: of those that belong to a sampled trace. `alarm` names the one that rings, if
    that is the cause."""
    cause = _cause.get()
    if cause.task is None or alarm or cause.task is not _current_task():
        cause = _Cause(None, alarm or "turn", "", 0)
    spans: list[Span] = []
    for run, _ in moved:
        state = run.state
        parent = cause.parent
        is_known = parent[3:35] == state.trace[3:35]
        below = parent if is_known or not state.trace else state.trace
        if not below:
            continue
        span = tracing.begin(f"history.{cause.name}", below, start_ns=cause.start_ns)
        if parent and below is not parent:
            span.links = (parent,)
        span.attributes = core.span_attributes(run)
        spans.append(span)
    return spans


def appended(turns: Sequence[Span], begun_ns: int, steps: int, size: int) -> None:
    """An append that carried these turns, among others perhaps, is durable."""
    span = tracing.begin("history.log.append", turns[0].traceparent, start_ns=begun_ns)
    span.links = [turn.traceparent for turn in turns[1:]]
    span.attributes = {"tenuto.log.steps": steps, "tenuto.log.size": size}
    tracing.end(span)
    for turn in turns:
        tracing.end(turn)


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
