"""The metrics of a process in Prometheus' form, made when somebody looks.

`Metrics` gathers what sources describe (see `measures`) and writes it by prometheus-client, which also adds the process's CPU,
memory and open files. Where that package is not installed everything is measured all the same and cannot be shown:
`expose` raises `MetricsUnavailable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from tenuto_server.telemetry.measures import Family, Histogram, Kind, Measuring, Sample, Source

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

INSTALL = "metrics need the package prometheus-client: pip install 'tenuto-server[telemetry]'"


class MetricsUnavailable(Exception):
    """The package that writes metrics is not installed."""


class Exposition(NamedTuple):
    """A page of metrics."""

    content_type: str
    body: bytes


class Metrics:
    """The metrics of one process: `add` what it measures, `expose` it."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self._registry: CollectorRegistry | None = None

    def add(self, source: Source) -> None:
        """`source()` is asked for its families with each look. Two sources may have a family in common: same kind and
        labels, other values of them."""
        self._sources.append(source)

    def add_parts(self, *parts: object) -> None:
        """Adds those of a process's parts that measure: some stores and networks have nothing to tell."""
        for part in parts:
            if isinstance(part, Measuring):
                self.add(part.measures)

    def families(self) -> list[Family]:
        """What there is now, one family a name."""
        merged: dict[str, Family] = {}
        for source in self._sources:
            for family in source():
                known = merged.get(family.name)
                if known is None:
                    merged[family.name] = family._replace(samples=list(family.samples))
                else:
                    known.samples.extend(family.samples)
        return list(merged.values())

    def expose(self, accept: str = "") -> Exposition:
        """A page in the form that the caller's Accept header prefers. Raises MetricsUnavailable."""
        try:
            from prometheus_client.exposition import choose_encoder
        except ImportError as error:
            raise MetricsUnavailable(INSTALL) from error
        encode, content_type = choose_encoder(accept)
        return Exposition(content_type, encode(self._made_registry()))

    def _made_registry(self) -> CollectorRegistry:
        if self._registry is None:
            from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

            registry = self._registry = CollectorRegistry(auto_describe=False)
            registry.register(_Collector(self))
            ProcessCollector(registry=registry)
            PlatformCollector(registry=registry)
            GCCollector(registry=registry)
        return self._registry


class _Collector:
    """What prometheus-client asks."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        for family in self._metrics.families():
            yield _metric(family)


def _metric(family: Family) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    if family.kind is Kind.HISTOGRAM:
        made = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for labels, value in family.samples:
            assert isinstance(value, Histogram)
            made.add_metric(labels, _cumulative(value), value.total)
        return made
    plain = (CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily)(
        family.name, family.help, labels=family.labels
    )
    for sample in family.samples:
        plain.add_metric(sample.labels, _number(sample))
    return plain


def _number(sample: Sample) -> float:
    assert not isinstance(sample.value, Histogram)
    return sample.value


def _cumulative(histogram: Histogram) -> list[tuple[str, float]]:
    buckets: list[tuple[str, float]] = []
    so_far = 0
    for bound, count in zip(histogram.bounds, histogram.counts, strict=False):
        so_far += count
        buckets.append((repr(bound), so_far))
    buckets.append(("+Inf", so_far + histogram.counts[-1]))
    return buckets
