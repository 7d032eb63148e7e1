"""A run and a workflow as a shard holds them in memory: the state, the events beside it, and who waits for news."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Iterable

import msgspec

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.engine.records import Forked, Happened, Numbered, Record
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.engine.tasks import AlarmKind
from tenuto_server.history.offers import TaskKey
from tenuto_server.history.queries import BufferedQueries


class Run:
    """One run in memory.

    `frames` holds its events from id `first_id` on, each as an element of a History message; older ones are in the store.
    `stored_next_id` and the rows' maps say what the store has, so that a checkpoint writes only what is new.
    """

    __slots__ = (
        "_workflow", "alarms", "dirty_since", "end_watchers", "first_id", "frames", "is_deleted", "is_dirty", "is_stored",
        "last_seq", "listed_looks", "listed_version", "offered", "offered_decision", "own_version", "queries", "scheduled_seq",
        "shard", "state", "stored_next_id", "task_rows", "timer_rows", "watchers",
    )  # fmt: skip

    def __init__(self, shard: int, workflow: Workflow, state: RunState) -> None:
        self.shard = shard
        # The workflow holds its runs, not they it: what is forgotten goes at once. As a cycle of old objects it would stay until
        # the collector looks at all that there is, which with many runs coming and going is hundreds of megabytes later.
        self._workflow = weakref.ref(workflow)
        self.state = state
        self.frames: list[bytes] = []
        self.first_id = state.next_event_id
        self.alarms: dict[tuple[AlarmKind, str], int] | None = {}
        # The batch of the log that holds its newest turn, and that of the newest turn that scheduled a task.
        self.last_seq = 0
        self.scheduled_seq = 0
        # Tasks of the run that were given to `Offers` and may wait there still.
        self.offered: dict[TaskKey, None] = {}
        self.offered_decision: TaskKey | None = None
        # It moved since the last checkpoint.
        self.is_dirty = False
        # It is not there any more: whoever still holds it must let go.
        self.is_deleted = False
        # The batch of the log that made it so.
        self.dirty_since = 0
        self.stored_next_id = state.next_event_id
        # The store has had a snapshot of it.
        self.is_stored = False
        # The version of the state that lies under the run's own key; 0 while only the newest run's row ever held it.
        self.own_version = 0
        # Rows that may be in the store, by time and key: True where they surely are.
        self.timer_rows: dict[int, bool] = {}
        self.task_rows: dict[bytes, bool] = {}
        # How lists show it (see `storing.looks`), and the version of its state that was last compared with that.
        self.listed_looks: tuple[int, bytes, bool] | None = None
        self.listed_version = 0
        # Who waits for any news, and who only for the end. True: there was some.
        self.watchers: list[asyncio.Future[bool]] = []
        self.end_watchers: list[asyncio.Future[bool]] = []
        # Queries that wait for the pending decision; None where there are none, as nearly always.
        self.queries: BufferedQueries | None = None

    @property
    def workflow(self) -> Workflow:
        """The workflow that the run belongs to. Raises ShardOwnershipLost if it left memory, and the run with it."""
        workflow = self._workflow()
        if workflow is None:
            raise errors.ShardOwnershipLost("the run left memory")
        return workflow

    def take(self, records: Iterable[Record]) -> int:
        """Keeps the events among new records; returns their size in bytes."""
        size = 0
        for record in records:
            if isinstance(record, Happened | Numbered):
                self.frames.append(record.frame)
                size += len(record.frame)
            elif isinstance(record, Forked):
                # Its events up to here are in the store.
                self.first_id = self.stored_next_id = record.next_event_id
                size += len(record.state)
        return size

    def drop_stored_frames(self) -> None:
        """Forgets events that the store has."""
        drop = self.stored_next_id - self.first_id
        if drop > 0:
            del self.frames[:drop]
            self.first_id = self.stored_next_id

    def note_listed(self, version: int, looks: tuple[int, bytes, bool]) -> None:
        """Lists show the run as it was at this version of its state, or newer."""
        if version >= self.listed_version:
            self.listed_version, self.listed_looks = version, looks

    def notify(self) -> None:
        """Wakes those who wait for news of the run."""
        watchers, self.watchers = self.watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(True)

    def notify_end(self) -> None:
        """Wakes all who wait: there will be no more news of the run, or not here."""
        self.watchers += self.end_watchers
        self.end_watchers = []
        self.notify()

    @property
    def is_watched(self) -> bool:
        """Whether anybody waits for news of the run."""
        return bool(self.watchers or self.end_watchers)

    @property
    def is_closed(self) -> bool:
        """Whether the run has ended (perhaps in a step that is not durable yet)."""
        return self.state.close_status != 0


class Workflow:
    """All that is in memory of a workflow id: its newest run, and other runs that somebody asked for."""

    __slots__ = ("__weakref__", "current", "deleted", "domain_id", "runs", "settled", "workflow_id")

    def __init__(self, domain_id: str, workflow_id: str) -> None:
        self.domain_id = domain_id
        self.workflow_id = workflow_id
        self.current: Run | None = None
        self.runs: dict[str, Run] = {}
        # Runs that are deleted while the store may still show them, and how many it does not show any more.
        self.deleted: dict[str, Deletion] = {}
        self.settled = 0

    def held(self, run_id: str) -> Run | None:
        """A run that is in memory; the newest one for an empty run id."""
        run = self.runs.get(run_id) if run_id else self.current
        return None if run is None or run.is_deleted else run

    def add(self, run: Run, current: bool = True) -> None:
        """Takes a run in, as the newest if it is."""
        self.runs[run.state.run_id] = run
        if current:
            self.current = run


class Remains(msgspec.Struct, array_like=True):
    """What cannot be found by looking when a run's rows are removed: the key of a history row that may come up late, and the
    rows of timers and tasks."""

    stored_next_id: int
    timers: list[int] = []
    tasks: list[bytes] = []


class Deletion:
    """A run that is deleted, and whose rows are to be removed: see `deletion`. `seq` is the log's batch that says so (0: in a
    former owner's log), `number` goes into the removed rows' stamp. `is_current`: the row of the workflow's newest run may be
    this one's."""

    __slots__ = ("is_current", "number", "remains", "run_id", "seq", "workflow")

    def __init__(self, workflow: Workflow, run_id: str, seq: int, number: int, is_current: bool, remains: Remains) -> None:
        self.workflow = workflow
        self.run_id = run_id
        self.seq = seq
        self.number = number
        self.is_current = is_current
        self.remains = remains


# The statuses after which ALLOW_DUPLICATE_FAILED_ONLY lets the id be used again.
FAILED_STATUSES = frozenset(
    {
        api.WORKFLOW_EXECUTION_CLOSE_STATUS_FAILED,
        api.WORKFLOW_EXECUTION_CLOSE_STATUS_CANCELED,
        api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED,
        api.WORKFLOW_EXECUTION_CLOSE_STATUS_TIMED_OUT,
    }
)
