"""What services measure with: plain numbers of their own, read only when somebody looks.

Counting costs the request path an addition, observing a value a search in a short list; nothing here knows how the numbers are
shown. An object that measures has `measures()`, which describes its numbers as families at the moment it is called. Names
follow OpenTelemetry's conventions in Prometheus' form: units are in the name, counters end in `_total`.
"""

from __future__ import annotations

import asyncio
import enum
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from tenuto_server.errors import CANCELLED, INTERNAL, ServiceError

# Seconds, as OpenTelemetry recommends for calls, with finer steps below and a last one for long polls.
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
COUNTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0)
BYTES = (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0)


class Kind(enum.Enum):
    """How a family's numbers behave."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Histogram:
    """Values counted by size: `counts[n]` are those of at most `bounds[n]` and above the bound before; the last one those above
    all bounds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Counts one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)


class Sample(NamedTuple):
    """One number, or one histogram, with the values of its family's labels."""

    labels: tuple[str, ...]
    value: float | Histogram


class Family(NamedTuple):
    """Samples of one name. `help` says in a line what is counted."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    samples: list[Sample]


Source = Callable[[], Iterable[Family]]


@runtime_checkable
class Measuring(Protocol):
    """What can describe its numbers."""

    def measures(self) -> Iterator[Family]:
        """What there is now."""


def counter(name: str, help: str, value: float) -> Family:
    """A counter without labels."""
    return Family(name, Kind.COUNTER, help, (), [Sample((), value)])


def gauge(name: str, help: str, value: float) -> Family:
    """A gauge without labels."""
    return Family(name, Kind.GAUGE, help, (), [Sample((), value)])


def histogram(name: str, help: str, value: Histogram) -> Family:
    """A histogram without labels."""
    return Family(name, Kind.HISTOGRAM, help, (), [Sample((), value)])


# gRPC's own names for its status codes, by number.
STATUS_NAMES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL",
    "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
OTHER = "_OTHER"


def status_of(error: BaseException) -> int:
    """The gRPC status that a call which ends with this counts under."""
    if isinstance(error, ServiceError):
        return error.status
    return CANCELLED if isinstance(error, asyncio.CancelledError) else INTERNAL


class Durations:
    """Histograms of durations in seconds, by a name and an outcome (a gRPC status): `note` is for the request path. There are at
    most `keys_max` of them; what comes after counts under the name "_OTHER"."""

    __slots__ = ("_by_key", "_keys_max")

    def __init__(self, keys_max: int = 1000) -> None:
        self._by_key: dict[tuple[str, int], Histogram] = {}
        self._keys_max = keys_max

    def note(self, name: str, status: int, seconds: float) -> None:
        """Counts one."""
        found = self._by_key.get((name, status))
        if found is None:
            found = self._new(name, status)
        found.counts[bisect_left(SECONDS, seconds)] += 1
        found.total += seconds

    def _new(self, name: str, status: int) -> Histogram:
        key = (name, status) if len(self._by_key) < self._keys_max else (OTHER, status)
        return self._by_key.setdefault(key, Histogram())

    def family(self, name: str, help: str, labels: tuple[str, ...], first: tuple[str, ...] = ()) -> Family:
        """All of them; `labels` are the names of what is in `first`, of the name and of the status."""
        samples = [Sample((*first, key, status_name(status)), found) for (key, status), found in self._by_key.items()]
        return Family(name, Kind.HISTOGRAM, help, labels, samples)

    def calls(self, service: str) -> Family:
        """All of them as the calls between services that `service` answered."""
        return self.family(
            "tenuto_internal_call_duration_seconds",
            "Calls between services, by the service that answers.",
            ("service", "rpc_method", "rpc_response_status_code"),
            (service,),
        )


def status_name(status: int) -> str:
    """The name of a gRPC status."""
    return STATUS_NAMES[status] if 0 <= status < len(STATUS_NAMES) else str(status)


# Task lists that are shown by name, in each family; the rest is one sum.
TASK_LISTS_SHOWN = 200


def task_list_gauge(name: str, help: str, values: Iterable[tuple[tuple[str, str, str], float]]) -> Family:
    """A gauge by domain, task list and type of task: values of the same labels are added up, the largest are shown, and the rest
    is one sum, so that users who make many task lists make no metrics without end."""
    sums: dict[tuple[str, ...], float] = {}
    for labels, value in values:
        sums[labels] = sums.get(labels, 0.0) + value
    if len(sums) > TASK_LISTS_SHOWN:
        order = sorted(sums, key=lambda labels: -sums[labels])
        rest = sum(sums[labels] for labels in order[TASK_LISTS_SHOWN:])
        sums = {labels: sums[labels] for labels in order[:TASK_LISTS_SHOWN]}
        sums[OTHER, OTHER, OTHER] = rest
    samples = [Sample(labels, value) for labels, value in sums.items()]
    return Family(name, Kind.GAUGE, help, ("domain", "task_list", "type"), samples)
