"""Trace contexts as text: W3C's `traceparent`, and where users of Cadence put one.

A context is kept and handed on only where it is sampled: an unsampled trace leaves no spans, so nothing needs to know of it.
Sources: W3C Trace Context (https://www.w3.org/TR/trace-context/), and Jaeger's propagation format
(https://www.jaegertracing.io/docs/1.76/client-libraries/), which Cadence's Go and Java clients write by OpenTracing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol

TRACEPARENT: Final = "traceparent"
JAEGER: Final = "uber-trace-id"

_W3C: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_JAEGER: Final = re.compile(r"([0-9a-fA-F]{1,32}):([0-9a-fA-F]{1,16}):[0-9a-fA-F]{0,16}:([0-9a-fA-F]{1,2})")
_LENGTH: Final = 55
_SAMPLED: Final = 1


class HasData(Protocol):
    """A header's value: api.Payload."""

    @property
    def data(self) -> bytes:
        """The value's bytes."""


def is_valid(traceparent: str) -> bool:
    """Whether the text is a W3C trace context, sampled or not."""
    return _W3C.fullmatch(traceparent) is not None


def sampled(traceparent: str) -> str:
    """The context in the form of version 00 if it is valid and sampled, else an empty text."""
    if not traceparent or not is_valid(traceparent) or not int(traceparent[53:55], 16) & _SAMPLED:
        return ""
    return f"00{traceparent[2:53]}01"


def from_jaeger(text: str) -> str:
    """Jaeger's `trace:span:parent:flags`, in hexadecimal, as a traceparent; empty where it is none."""
    # Some write it as in a URL.
    found = _JAEGER.fullmatch(text.replace("%3A", ":"))
    if found is None:
        return ""
    trace, span, flags = found.groups()
    traceparent = f"00-{trace.lower():0>32}-{span.lower():0>16}-{int(flags, 16) & _SAMPLED:02x}"
    return traceparent if is_valid(traceparent) else ""


def of_metadata(headers: Mapping[str, str]) -> str:
    """The valid context, sampled or not, in a call's metadata; empty where there is none."""
    text = headers.get(TRACEPARENT, "")
    if text and is_valid(text):
        return text[:_LENGTH]
    jaeger = headers.get(JAEGER, "")
    return from_jaeger(jaeger) if jaeger else ""


def of_header(fields: Mapping[str, HasData]) -> str:
    """The sampled context in the header of a run or an activity; empty where there is none."""
    for key in (TRACEPARENT, JAEGER):
        if key in fields:
            text = fields[key].data.decode("latin-1")
            return sampled(text if key == TRACEPARENT else from_jaeger(text))
    return ""
