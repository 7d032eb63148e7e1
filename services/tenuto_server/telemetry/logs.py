"""Structured logs on stderr, by the standard library alone: one JSON object or one line of key=value a record.

What a record carries beside its text is given as `extra=`; the trace of the call in whose task it is logged is added.
"""

from __future__ import annotations

import datetime
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from tenuto_server.telemetry import tracing
from tenuto_server.telemetry.measures import Family, Kind, Sample

FORMS = ("json", "text")
# What every record has; anything beside these came in by `extra`.
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_TRACE_ID = slice(3, 35)
_LOGGERS_MAX = 200


def setup(level: str = "info", form: str = "text", stream: TextIO | None = None) -> None:
    """Sends all logs of the process to `stream` (stderr) in `form`, replacing what was set up before.

    ValueError where the level or the form is not known.
    """
    if form not in FORMS:
        raise ValueError(f"unknown log form {form!r}; there are {', '.join(FORMS)}")
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"unknown log level {level!r}")
    handler = _Counting(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)


class _Counting(logging.StreamHandler[TextIO]):
    """Writes records, and counts them by level and logger."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.counts: dict[tuple[str, str], int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            key = (record.levelname.lower(), record.name)
            if key in self.counts or len(self.counts) < _LOGGERS_MAX:
                self.counts[key] = self.counts.get(key, 0) + 1
        super().emit(record)


def measures() -> Iterator[Family]:
    """How many warnings and errors were logged since `setup`."""
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, _Counting)]
    samples = [Sample(key, count) for handler in handlers for key, count in handler.counts.items()]
    yield Family("tenuto_log_lines_total", Kind.COUNTER, "Log lines of level warning and above.", ("level", "logger"), samples)


def about(domain: str, workflow_id: str, run_id: str = "", traceparent: str = "") -> dict[str, str]:
    """What a line about a workflow, or one of its runs, says beside its text: give it as `extra`."""
    fields = {"domain": domain, "workflow_id": workflow_id}
    if run_id:
        fields["run_id"] = run_id
    if traceparent:
        fields["trace_id"] = traceparent[_TRACE_ID]
    return fields


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
