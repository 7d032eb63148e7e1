"""What a history process counts of itself, and how it describes that with what its parts know anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tenuto_server.history.engine.tasks import TaskKind
from tenuto_server.telemetry.measures import (
    BYTES,
    COUNTS,
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

if TYPE_CHECKING:
    from tenuto_server.history.core import Core


class Measured:
    """The numbers that the process's parts add to. `stopwatch` gives seconds of a fine clock."""

    __slots__ = (
        "append_retries", "append_s", "batch_bytes", "batch_steps", "calls", "checkpoint_failures", "checkpoint_s",
        "checkpoint_set_aside", "evicted", "logs_lost", "shards_claimed", "shards_freed", "shards_taken_over", "stopwatch",
    )  # fmt: skip

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self.stopwatch = stopwatch
        # By method and gRPC status.
        self.calls = Durations()
        self.append_s = Histogram()
        self.batch_steps = Histogram(COUNTS)
        self.batch_bytes = Histogram(BYTES)
        self.append_retries = 0
        self.logs_lost = 0
        self.shards_claimed = 0
        self.shards_taken_over = 0
        self.shards_freed = 0
        self.checkpoint_s = Histogram()
        self.checkpoint_failures = 0
        self.checkpoint_set_aside = 0
        self.evicted = 0


def measures(core: Core) -> Iterator[Family]:
    """All that a history process shows."""
    own = core.measured
    yield own.calls.calls("history")
    yield from _log(core, own)
    yield from _shards(core, own)
    yield histogram("tenuto_history_checkpoint_duration_seconds", "Checkpoints of all shards.", own.checkpoint_s)
    yield counter("tenuto_history_checkpoint_failures_total", "Checkpoints that failed.", own.checkpoint_failures)
    yield counter(
        "tenuto_history_checkpoint_runs_set_aside_total", "Runs that a checkpoint could not write.", own.checkpoint_set_aside
    )
    yield counter("tenuto_history_cache_evictions_total", "Workflows that left memory.", own.evicted)
    yield gauge("tenuto_history_alarms", "Times at which a run in memory is looked after.", len(core.alarms))
    yield gauge("tenuto_history_calls_pending", "Calls to other workflows that are owed.", len(core.calls))
    yield task_list_gauge("tenuto_history_tasks_waiting", "Tasks that wait for a poller.", _waiting(core))


def _log(core: Core, own: Measured) -> Iterator[Family]:
    waiting = 0 if core.log is None else core.log.steps_waiting
    yield histogram("tenuto_log_append_duration_seconds", "Appends to the commit log.", own.append_s)
    yield histogram("tenuto_log_append_steps", "Steps of workflows an append.", own.batch_steps)
    yield histogram("tenuto_log_append_size_bytes", "Size of an append.", own.batch_bytes)
    yield counter("tenuto_log_append_retries_total", "Appends made again for an unknown outcome.", own.append_retries)
    yield counter("tenuto_logs_lost_total", "Logs of this process that another sealed.", own.logs_lost)
    yield gauge("tenuto_log_steps_waiting", "Steps that are not durable yet.", waiting)


def _shards(core: Core, own: Measured) -> Iterator[Family]:
    shards = list(core.shards.values())
    yield gauge("tenuto_history_shards_owned", "Shards that this process serves.", len(shards))
    taken = [Sample(("free",), own.shards_claimed), Sample(("takeover",), own.shards_taken_over)]
    yield Family(
        "tenuto_history_shards_acquired_total", Kind.COUNTER, "Shards taken: free ones, or from a silent owner.", ("how",), taken
    )
    yield counter("tenuto_history_shards_released_total", "Shards handed over in good order.", own.shards_freed)
    held = sum(len(shard.workflows) for shard in shards)
    yield gauge("tenuto_history_cache_workflows", "Workflows in memory.", held)
    dirty = sum(len(shard.dirty) for shard in shards)
    yield gauge("tenuto_history_runs_dirty", "Runs that moved since they were last written down.", dirty)


def _waiting(core: Core) -> Iterator[tuple[tuple[str, str, str], float]]:
    for domain_id, name, kind, sticky, waiting in core.offers.waiting():
        domain = core.domains.cached_by_id(domain_id)
        type_name = "decision" if kind is TaskKind.DECISION else "activity"
        # Each sticky list is one worker's, under a name of chance.
        yield (domain_id if domain is None else domain.name, "_sticky" if sticky else name, type_name), waiting
