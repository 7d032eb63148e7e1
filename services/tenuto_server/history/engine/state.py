"""The mutable state of one run: everything the next step needs to know, and nothing that can be read off its history.

Only `evolve` (see `turn`) changes it. It is stored as a snapshot (`encode`/`decode`), so fields may only ever be added at the
end, with a default. Times are nanoseconds since the epoch, durations named `_s` whole seconds, event ids start at 1 and 0 is
"none".
"""

from __future__ import annotations

import enum

import msgspec

from tenuto_server.errors import InvariantViolation

ENCODING_VERSION = 1
SECOND = 1_000_000_000


class RetryPolicy(msgspec.Struct, array_like=True, frozen=True):
    """How often and how long to try again; 0 is "no bound" for all but the first two."""

    initial_s: int
    coefficient: float
    maximum_s: int = 0
    attempts: int = 0
    expiration_s: int = 0
    non_retryable: tuple[str, ...] = ()


class Activity(msgspec.Struct, array_like=True):
    """A scheduled, not yet closed activity. `attempt` counts from 0; `started_ns` is 0 while the attempt is not started.

    `started_id` is the started event's id where that is written and numbered already; with a retry policy it is written
    only when the activity closes.
    """

    schedule_id: int
    activity_id: str
    activity_type: str
    task_list: str
    scheduled_ns: int
    schedule_to_start_s: int
    schedule_to_close_s: int
    start_to_close_s: int
    heartbeat_s: int
    retry: RetryPolicy | None = None
    expiration_ns: int = 0
    attempt: int = 0
    # When this attempt may go out: the schedule time, or later by the retry's back-off.
    attempt_scheduled_ns: int = 0
    started_id: int = 0
    started_ns: int = 0
    started_request_id: str = ""
    started_identity: str = ""
    cancel_requested_id: int = 0
    # The last sign of life: a start or a heartbeat, also of a former attempt.
    heartbeat_ns: int = 0
    heartbeat_details: bytes | None = None
    last_failure: bytes = b""
    last_identity: str = ""
    # The sampled trace context in its header: whatever its worker's and our spans are below.
    trace: str = ""


class Timer(msgspec.Struct, array_like=True, frozen=True):
    """A started user timer."""

    timer_id: str
    started_id: int
    fire_ns: int


class Decision(msgspec.Struct, array_like=True):
    """The pending decision task. `transient` ones (attempt > 0) have no events in the history until they complete."""

    schedule_id: int
    attempt: int
    timeout_s: int
    scheduled_ns: int
    original_scheduled_ns: int
    started_id: int = 0
    started_ns: int = 0
    request_id: str = ""
    identity: str = ""
    # On the sticky list; if nobody takes it there in time it goes to the normal one.
    sticky: bool = False
    # Until when it might have waited on the sticky list, had that not lost its pollers.
    sticky_until_ns: int = 0
    # It left the sticky list because somebody had that forgotten: should it time out then, that counts as a failure.
    sticky_reset: bool = False


class CallKind(enum.IntEnum):
    """What a run may have to ask of another workflow (see `calls`)."""

    START_CHILD = 1
    SIGNAL = 2
    CANCEL = 3
    TELL_PARENT = 4
    CLOSE_CHILD = 5


class Child(msgspec.Struct, array_like=True):
    """A child that was initiated and has not ended. `run_id` is its first run, empty until that is known to have started;
    `started_id` is 0 while the started event waits for its id. `close_policy` is a ParentClosePolicy."""

    initiated_id: int
    domain: str
    workflow_id: str
    workflow_type: str
    close_policy: int
    run_id: str = ""
    started_id: int = 0


class External(msgspec.Struct, array_like=True, frozen=True):
    """A signal or cancel request on its way to another workflow."""

    initiated_id: int
    kind: CallKind
    domain: str
    workflow_id: str


class ResetPoint(msgspec.Struct, array_like=True, frozen=True):
    """Where the first decision of a worker's binary completed: what to reset to if the binary turns out bad.

    `run_id` may be an earlier run of the chain; its history is kept until `expires_ns` (0: while the run is open).
    """

    checksum: str
    run_id: str
    completed_id: int
    created_ns: int
    expires_ns: int = 0
    is_resettable: bool = True


class RunState(msgspec.Struct, array_like=True):
    """One run. A run that nothing has happened to yet has `next_event_id` 1."""

    domain_id: str
    workflow_id: str
    run_id: str
    # Steps applied, one for each entry in the log: what replay compares.
    version: int = 0
    next_event_id: int = 1
    last_event_ns: int = 0

    workflow_type: str = ""
    task_list: str = ""
    execution_timeout_s: int = 0
    task_timeout_s: int = 0
    start_ns: int = 0
    backoff_s: int = 0
    start_request_id: str = ""
    first_run_id: str = ""
    continued_run_id: str = ""
    attempt: int = 0
    retry: RetryPolicy | None = None
    expiration_ns: int = 0
    cron_schedule: str = ""
    memo: bytes = b""
    search_attributes: bytes = b""
    parent: bytes = b""
    # The started event's attributes, kept only where a retry or cron run may need them again.
    restart_from: bytes = b""

    decision: Decision | None = None
    # What the next decision's attempt will be: goes up with failures, back to 0 with progress.
    decision_attempt: int = 0
    # The started event of the last completed decision: sticky workers know the history up to it.
    previous_started_id: int = 0
    sticky_task_list: str = ""
    sticky_timeout_s: int = 0

    activities: dict[int, Activity] = {}
    activity_ids: dict[str, int] = {}
    timers: dict[str, Timer] = {}
    # Events that happened while a decision was started: they get their ids when it closes.
    buffered: list[bytes] = []
    signal_count: int = 0
    signal_request_ids: dict[str, bool] = {}
    cancel_requested: bool = False
    cancel_request_id: str = ""
    # A WorkflowExecutionCloseStatus; 0 while the run is open.
    close_status: int = 0
    close_ns: int = 0
    next_run_id: str = ""
    history_bytes: int = 0
    # By initiated id. A run that has closed keeps here what it still owes: see `calls`.
    children: dict[int, Child] = {}
    externals: dict[int, External] = {}
    owes_parent: bool = False
    # When the first run of the chain was to have its first decision.
    first_scheduled_ns: int = 0
    # A cron run: its successors begin up to so many seconds late.
    jitter_s: int = 0
    # A CronOverlapPolicy.
    cron_overlap: int = 0
    # When the run was reset: its time counts from there. 0 where it began as others do.
    reset_ns: int = 0
    # The first completed decision of each of the newest worker binaries, oldest first.
    reset_points: list[ResetPoint] = []
    # Of a fork and of a run that follows others of its chain: the requests that made those it comes from, and the ids of the
    # runs they made, oldest first.
    earlier_requests: dict[str, str] = {}
    # The run that `start_request_id` made: this one, once its history says so.
    requested_run_id: str = ""
    # The sampled trace context that the run belongs to: from its header, or from the call that started it.
    trace: str = ""

    @property
    def begun_ns(self) -> int:
        """When the run began: for a fork its reset, though its first event is older."""
        return self.reset_ns or self.start_ns

    @property
    def is_open(self) -> bool:
        """Whether anything may still happen to the run."""
        return self.close_status == 0 and self.next_event_id > 1

    def made_for(self, request_id: str) -> str:
        """The run that this request to start or reset made: this one, or one that it comes from, as a fork or in a chain. Empty
        if none."""
        return self.run_id if request_id == self.start_request_id else self.earlier_requests.get(request_id, "")

    @property
    def has_decided(self) -> bool:
        """Whether a decision was ever completed or is pending: until then a delayed start stays delayed."""
        return self.decision is not None or self.previous_started_id > 0

    def activity_by_id(self, activity_id: str) -> Activity | None:
        """The pending activity of that id."""
        schedule_id = self.activity_ids.get(activity_id)
        return None if schedule_id is None else self.activities[schedule_id]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(RunState)


def encode(state: RunState) -> bytes:
    """The snapshot of a state, its encoding's version first."""
    return bytes([ENCODING_VERSION]) + _encoder.encode(state)


def decode(snapshot: bytes) -> RunState:
    """The state of a snapshot. Raises InvariantViolation for an encoding this version does not know."""
    if not snapshot or snapshot[0] != ENCODING_VERSION:
        raise InvariantViolation(f"run snapshot has encoding version {snapshot[:1].hex() or 'none'}, known is 1")
    return _decoder.decode(snapshot[1:])
