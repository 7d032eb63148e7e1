"""The forms of log lines."""

from __future__ import annotations

import contextvars
import io
import json
import logging
from collections.abc import Iterator

import pytest

from tenuto_server.telemetry import logs, tracing

log = logging.getLogger("tenuto.test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_json_lines() -> None:
    stream = io.StringIO()
    logs.setup("info", "json", stream)
    log.debug("not this")
    log.info("started %d", 3, extra={"domain": "größe", "shard": 7})
    try:
        raise ValueError("boom")
    except ValueError:
        log.exception("failed")
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info", "logger": "tenuto.test", "message": "started 3", "domain": "größe", "shard": 7,
    }  # fmt: skip
    assert second["level"] == "error"
    assert "ValueError: boom" in second["exception"]


def test_text_lines() -> None:
    stream = io.StringIO()
    logs.setup("WARNING", "text", stream)
    log.info("not this")
    log.warning('two "words"\nand a line', extra={"run": "r-1", "empty": ""})
    [line] = stream.getvalue().splitlines()
    assert line.startswith("time=")
    assert line.endswith('level=warning logger=tenuto.test message="two \\"words\\"\\nand a line" run=r-1 empty=""')


def test_the_trace_is_in_the_line() -> None:
    def test() -> None:
        stream = io.StringIO()
        logs.setup("info", "json", stream)
        tracing.carry("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        log.info("x")
        assert json.loads(stream.getvalue())["trace_id"] == "0af7651916cd43dd8448eb211c80319c"

    contextvars.copy_context().run(test)


def test_setting_up_again_replaces_and_unknown_names_are_errors() -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.setup("info", "text", first)
    logs.setup("info", "text", second)
    log.info("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1
    with pytest.raises(ValueError, match="form"):
        logs.setup("info", "xml")
    with pytest.raises(ValueError, match="level"):
        logs.setup("loud", "text")


def test_a_line_about_a_run_names_it_and_its_own_trace() -> None:
    def test() -> None:
        stream = io.StringIO()
        logs.setup("info", "json", stream)
        tracing.carry("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        log.info("x", extra=logs.about("d", "w", "r", "00-" + "1" * 32 + "-b7ad6b7169203331-01"))
        log.info("y", extra=logs.about("d", "w"))
        first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert (first["domain"], first["workflow_id"], first["run_id"], first["trace_id"]) == ("d", "w", "r", "1" * 32)
        assert (second["trace_id"], "run_id" in second) == ("0af7651916cd43dd8448eb211c80319c", False)

    contextvars.copy_context().run(test)
