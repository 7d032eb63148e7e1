"""Trace contexts and spans on the request path.

A trace context is a W3C `traceparent` text. It travels in public metadata and in the envelopes between services, and is kept in
the state of a run, so that one trace follows the run through restarts and takeovers. Where tracing is off (the usual case) the
text is carried through as it came, and everything else costs a look at `state.on`.

A span here is a few plain values; only when it has ended is it handed to a sink (`export`), which gives it to OpenTelemetry.
Making spans by OpenTelemetry's own tracer costs ten times as much. Only sampled spans are made at all: whether a trace is sampled
is decided where it begins, by its first caller, or here by chance where a workflow is started without a context.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, Token

from tenuto_server.rules import traces

Value = str | int | float | bool
Attributes = dict[str, Value]

DOMAIN, WORKFLOW_ID, RUN_ID, SHARD = "tenuto.domain", "tenuto.workflow.id", "tenuto.run.id", "tenuto.shard.id"

# A trace begins here with these calls, if their caller brought none.
_ROOTS = frozenset(
    f"uber.cadence.api.v1.WorkflowAPI/{name}"
    for name in (
        "StartWorkflowExecution", "SignalWithStartWorkflowExecution", "StartWorkflowExecutionAsync",
        "SignalWithStartWorkflowExecutionAsync",
    )
)  # fmt: skip

_carried: ContextVar[str] = ContextVar("tenuto_traceparent", default="")
_served: ContextVar[Span | None] = ContextVar("tenuto_served", default=None)


class SpanKind(enum.IntEnum):
    """OpenTelemetry's kinds, by its numbers in the Python API."""

    INTERNAL = 0
    SERVER = 1
    CLIENT = 2
    PRODUCER = 3
    CONSUMER = 4


class Span:
    """A sampled span. Ids are hexadecimal text; `parent_id` is empty for the first span of a trace; `links` are the contexts of
    other spans. Times are nanoseconds since the epoch; `error` is empty where all went well."""

    __slots__ = (
        "attributes", "end_ns", "error", "kind", "links", "name", "parent_id", "span_id", "start_ns", "token", "trace_id",
    )  # fmt: skip

    def __init__(self, name: str, kind: SpanKind, trace_id: str, parent_id: str, span_id: str, start_ns: int) -> None:
        self.name = name
        self.kind = kind
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.span_id = span_id
        self.start_ns = start_ns
        self.end_ns = 0
        self.attributes: Attributes = {}
        self.links: Sequence[str] = ()
        self.error = ""
        self.token: Token[str] | None = None

    @property
    def traceparent(self) -> str:
        """The context of its children."""
        return f"00-{self.trace_id}-{self.span_id}-01"


class _State:
    """What `setup` has set: `on` is false where spans would go nowhere."""

    __slots__ = ("chance", "now", "on", "ratio", "sink")

    def __init__(self) -> None:
        self.on = False
        self.ratio = 0.0
        self.chance = random.Random(0)
        self.now: Callable[[], int] = lambda: 0
        self.sink: Callable[[Span], None] = lambda span: None


state = _State()


def setup(sink: Callable[[Span], None], ratio: float, chance: random.Random, now: Callable[[], int]) -> None:
    """From now on spans go to `sink`, which must not wait. Of the traces that begin here the share `ratio` is sampled."""
    state.sink, state.ratio, state.chance, state.now = sink, ratio, chance, now
    state.on = True


def off() -> None:
    """No more spans are made."""
    state.on = False


def current_traceparent() -> str:
    """The trace context to send along with a call made now; empty where there is none."""
    return _carried.get()


def carry(traceparent: str) -> None:
    """Makes `traceparent` the context of the calls that this task makes from now on.

    For acceptors and links, which give each call its own task.
    """
    if traceparent or _carried.get():
        _carried.set(traceparent)


def sampled() -> str:
    """The sampled context of the call that is served; empty where there is none."""
    carried = _carried.get()
    return traces.sampled(carried) if carried else ""


# --- spans, for callers that have seen that tracing is on ---------------------------------------------------------------
def begin(name: str, parent: str, kind: SpanKind = SpanKind.INTERNAL, start_ns: int = 0) -> Span:
    """A span below `parent`, a sampled context."""
    span_id = f"{state.chance.getrandbits(64) or 1:016x}"
    return Span(name, kind, parent[3:35], parent[36:52], span_id, start_ns or state.now())


def end(span: Span, error: str = "") -> None:
    """The span is over."""
    span.end_ns = max(span.start_ns, state.now())
    span.error = error
    state.sink(span)


def enter(span: Span) -> None:
    """Calls made from here on are below the span, until `leave`."""
    span.token = _carried.set(span.traceparent)


def leave(span: Span) -> None:
    """Calls are as before `enter`; in the same task."""
    if span.token is not None:
        _carried.reset(span.token)
        span.token = None


def serve(method: str, headers: Mapping[str, str]) -> Span | None:
    """The span of a public call that is served from here on, until `served`. None where its caller's trace is not sampled, or it
    has none and the call begins none: what untraced workers ask shows in the traces of the runs alone."""
    context = traces.of_metadata(headers)
    if context:
        parent = traces.sampled(context)
        if not parent:
            return None
        span = begin(method, parent, SpanKind.SERVER)
    elif method in _ROOTS and state.chance.random() < state.ratio:
        trace_id = f"{state.chance.getrandbits(128) or 1:032x}"
        span = Span(method, SpanKind.SERVER, trace_id, "", f"{state.chance.getrandbits(64) or 1:016x}", state.now())
    else:
        return None
    span.attributes = {"rpc.system.name": "grpc", "rpc.method": method}
    enter(span)
    _served.set(span)
    return span


def describe(attributes: Attributes) -> None:
    """Adds to the span of the public call that is being served, if it has one."""
    span = _served.get()
    if span is not None:
        span.attributes.update(attributes)


def served(span: Span, status: str) -> None:
    """The public call ends with this gRPC status, by name."""
    leave(span)
    _served.set(None)
    span.attributes["rpc.response.status_code"] = status
    end(span, "" if status == "OK" else status)
