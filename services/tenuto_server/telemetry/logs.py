"""Structured logs on stderr, by the standard library alone: one JSON object or one line of key=value a record.

What a record carries beside its text is given as `extra=`; the trace of the call in whose task it is logged is added.
"""

from __future__ import annotations

import datetime
import json
import logging
import sys
from typing import Any, TextIO

from tenuto_server.telemetry import tracing

FORMS = ("json", "text")
# What every record has; anything beside these came in by `extra`.
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_TRACE_ID = slice(3, 35)


def setup(level: str = "info", form: str = "text", stream: TextIO | None = None) -> None:
    """Sends all logs of the process to `stream` (stderr) in `form`, replacing what was set up before.

    ValueError where the level or the form is not known.
    """
    if form not in FORMS:
        raise ValueError(f"unknown log form {form!r}; there are {', '.join(FORMS)}")
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"unknown log level {level!r}")
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_fields(self, record), default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """A record as one line of key=value; values with spaces or quotes are in JSON's quotes."""

    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_plain(value)}" for key, value in _fields(self, record).items())


def _fields(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, Any]:
    when = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    fields: dict[str, Any] = {
        "time": when.isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    traceparent = tracing.current_traceparent()
    if traceparent:
        fields["trace_id"] = traceparent[_TRACE_ID]
    fields.update((key, value) for key, value in record.__dict__.items() if key not in _OWN)
    if record.exc_info:
        fields["exception"] = formatter.formatException(record.exc_info)
    return fields


def _plain(value: object) -> str:
    text = str(value)
    if text and text.isprintable() and not any(sign in text for sign in ' "='):
        return text
    return json.dumps(text, ensure_ascii=False)
