"""The metrics' form, read back by prometheus-client's own parser."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from tenuto_server.telemetry.measures import (
    Durations,
    Family,
    Histogram,
    Kind,
    Sample,
    counter,
    gauge,
    histogram,
    task_list_gauge,
)
from tenuto_server.telemetry.metrics import Metrics, MetricsUnavailable


def _samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def test_families_of_several_sources_are_one() -> None:
    size = Histogram((1.0, 2.0, 4.0))
    for value in (0.5, 1.0, 1.5, 4.0, 4.5, 100.0):
        size.observe(value)

    def tasks(name: str, value: float) -> Iterator[Family]:
        yield Family("tenuto_tasks", Kind.GAUGE, "Tasks.", ("list",), [Sample((name,), value)])

    metrics = Metrics()
    metrics.add(lambda: [counter("tenuto_appends_total", "Appends.", 7), gauge("tenuto_shards", "Shards.", 3)])
    metrics.add(lambda: tasks("a", 1))
    metrics.add(lambda: tasks('b"\n', 2))
    metrics.add(lambda: [histogram("tenuto_size", "Size.", size)])
    page = metrics.expose()
    assert page.content_type.startswith("text/plain; version=0.0.4")
    text = page.body.decode()
    assert text.count("# TYPE tenuto_tasks gauge") == 1
    found = _samples(text)
    assert found["tenuto_appends_total", ()] == 7
    assert found["tenuto_shards", ()] == 3
    assert found["tenuto_tasks", (("list", "a"),)] == 1
    assert found["tenuto_tasks", (("list", 'b"\n'),)] == 2
    buckets = {labels[0][1]: value for (name, labels), value in found.items() if name == "tenuto_size_bucket"}
    assert buckets == {"1.0": 2, "2.0": 3, "4.0": 4, "+Inf": 6}
    assert found["tenuto_size_count", ()] == 6
    assert found["tenuto_size_sum", ()] == pytest.approx(111.5)
    assert found["process_resident_memory_bytes", ()] > 1_000_000
    assert ("process_cpu_seconds_total", ()) in found


def test_openmetrics_where_it_is_asked_for() -> None:
    metrics = Metrics()
    metrics.add(lambda: [counter("tenuto_appends_total", "Appends.", 7)])
    page = metrics.expose("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert page.content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = parse_openmetrics(page.body.decode())  # type: ignore[no-untyped-call]
    [family] = [family for family in families if family.name == "tenuto_appends"]
    assert family.samples[0].value == 7


def test_durations_are_bounded() -> None:
    durations = Durations(keys_max=2)
    for number in range(5):
        durations.note(f"method-{number}", 0, 0.003)
    durations.note("method-0", 5, 70)
    family = durations.family("tenuto_calls_seconds", "Calls.", ("method", "code"))
    counts = {sample.labels: sample.value.count for sample in family.samples if isinstance(sample.value, Histogram)}
    assert counts == {("method-0", "OK"): 1, ("method-1", "OK"): 1, ("_OTHER", "OK"): 3, ("_OTHER", "NOT_FOUND"): 1}


def test_task_lists_are_bounded() -> None:
    values = [(("d", f"list-{number % 300}", "decision"), 1.0 + (number % 300 < 3)) for number in range(600)]
    family = task_list_gauge("tenuto_tasks", "Tasks.", values)
    found = {sample.labels: sample.value for sample in family.samples}
    assert len(found) == 201
    assert [found["d", f"list-{number}", "decision"] for number in range(4)] == [4, 4, 4, 2]
    assert found["_OTHER", "_OTHER", "_OTHER"] == 200


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client.exposition", None)
    with pytest.raises(MetricsUnavailable, match=r"tenuto-server\[telemetry\]"):
        Metrics().expose()
