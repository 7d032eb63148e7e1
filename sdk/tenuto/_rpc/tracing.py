"""Trace context: taken from the caller's current span, sent with each call, and kept in a run's header for its activities.

By opentelemetry-api only: where no OpenTelemetry SDK is set up, and no context was handed in, it costs one look-up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context, propagate, trace

from tenuto_api import api

# The W3C names; a run's header carries the values as plain text.
KEYS = ("traceparent", "tracestate")


def current() -> dict[str, str]:
    """The headers of the current span's context; empty where there is none."""
    if not trace.get_current_span().get_span_context().is_valid:
        return {}
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def keep(header: api.Header) -> None:
    """Writes the current context to the header of a run that is about to start."""
    for key, value in current().items():
        if key in KEYS:
            header.fields[key].data = value.encode()


@contextmanager
def resumed(fields: Mapping[str, api.Payload]) -> Iterator[None]:
    """Makes the context in a run's or activity's header the current one; tasks made meanwhile inherit it."""
    carrier = {key: fields[key].data.decode(errors="replace") for key in KEYS if key in fields}
    if not carrier:
        yield
        return
    token = context.attach(propagate.extract(carrier))
    try:
        yield
    finally:
        context.detach(token)
