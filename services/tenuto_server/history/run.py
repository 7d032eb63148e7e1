"""A run and a workflow as a shard holds them in memory: the state, the events beside it, and who waits for news."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tenuto_api import api
from tenuto_server.history.engine.records import Happened, Numbered, Record
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.tasks import AlarmKind
from tenuto_server.history.offers import TaskKey


class Run:
    """One run in memory.

    `frames` holds its events from id `first_id` on, each as an element of a History message; older ones are in the store.
    `stored_next_id` and the rows' maps say what the store has, so that a checkpoint writes only what is new.
    """

    __slots__ = (
        "alarms", "dirty_since", "first_id", "frames", "is_dirty", "last_seq", "offered", "offered_decision", "shard", "state",
        "stored_next_id", "task_rows", "timer_rows", "watchers", "workflow",
    )  # fmt: skip

    def __init__(self, shard: int, workflow: Workflow, state: RunState) -> None:
        self.shard = shard
        self.workflow = workflow
        self.state = state
        self.frames: list[bytes] = []
        self.first_id = state.next_event_id
        self.alarms: dict[tuple[AlarmKind, str], int] | None = {}
        self.last_seq = 0
        # Tasks of the run that were given to `Offers` and may wait there still.
        self.offered: dict[TaskKey, None] = {}
        self.offered_decision: TaskKey | None = None
        # It moved since the last checkpoint.
        self.is_dirty = False
        # The batch of the log that made it so.
        self.dirty_since = 0
        self.stored_next_id = state.next_event_id
        # Rows that may be in the store, by time and key: True where they surely are.
        self.timer_rows: dict[int, bool] = {}
        self.task_rows: dict[bytes, bool] = {}
        self.watchers: list[asyncio.Future[None]] = []

    def take(self, records: Iterable[Record]) -> int:
        """Keeps the events among new records; returns their size in bytes."""
        size = 0
        for record in records:
            if isinstance(record, Happened | Numbered):
                self.frames.append(record.frame)
                size += len(record.frame)
        return size

    def drop_stored_frames(self) -> None:
        """Forgets events that the store has."""
        drop = self.stored_next_id - self.first_id
        if drop > 0:
            del self.frames[:drop]
            self.first_id = self.stored_next_id

    def notify(self) -> None:
        """Wakes those who wait for news of the run."""
        watchers, self.watchers = self.watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    @property
    def is_closed(self) -> bool:
        """Whether the run has ended (perhaps in a step that is not durable yet)."""
        return self.state.close_status != 0


class Workflow:
    """All that is in memory of a workflow id: its newest run, and other runs that somebody asked for."""

    __slots__ = ("current", "domain_id", "runs", "workflow_id")

    def __init__(self, domain_id: str, workflow_id: str) -> None:
        self.domain_id = domain_id
        self.workflow_id = workflow_id
        self.current: Run | None = None
        self.runs: dict[str, Run] = {}

    def add(self, run: Run, current: bool = True) -> None:
        """Takes a run in, as the newest if it is."""
        self.runs[run.state.run_id] = run
        if current:
            self.current = run


# The statuses after which ALLOW_DUPLICATE_FAILED_ONLY lets the id be used again.
FAILED_STATUSES = frozenset(
    {
        api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED,
        api.WORKFLOW_EXECUTION_CLOSE_STATUS_CANCELED,
        api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED,
        api.WORKFLOW_EXECUTION_CLOSE_STATUS_TIMED_OUT,
    }
)
