"""What can be set of the matching service, and its limits."""

from __future__ import annotations

from dataclasses import dataclass

from tenuto_server.config.live import BY_TASK_LIST, setting


@dataclass(frozen=True, slots=True)
class MatchingSettings:
    """Times in seconds, rates a second, sizes in pieces. The defaults that clients can see are Cadence's.

    buffer_max: offers held for one task list; more are refused and stay with history.
    tasks_max: tasks held for all lists together; further offers are refused too.
    polls_max: polls of one task list that wait or are being served at once; more are refused as busy.
    queries_max: queries of one task list that wait for a poller at once; more are refused as busy.
    pollers_max: pollers of one task list remembered for DescribeTaskList, the latest.
    lists_max: task lists in memory at once, empty ones included until they are unloaded.
    dispatch_rate: tasks a second of a task list whose pollers ask for no rate of their own.
    rate_hold_s: how long the lowest rate asked for stays in force when later polls ask for a higher one or none.
    pass_on_after_s: a poll of a partition waits there this long before it is passed on to the root, if another is there
        already.
    poll_wait_s: the longest wait of a poll; it also ends `deadline_margin_s` before the call's deadline.
    strayed_wait_s: the longest wait of a poll for a list that, by this process's ring, belongs to another.
    start_timeout_s, start_attempts_max, start_retry_s: asking history to start a task: how long one try may take, how
        many there are while the outcome is unknown, and the pause before the second (doubled before each further one).
    rest_s, rest_max_s, give_ups_max: a task whose start stays unknown rests before it goes out again, twice as long
        each
        time up to the most; after so many times (with these settings four to five minutes) it is dropped.
    sticky_window_s: a sticky list without a poll for this long takes no offers.
    poller_window_s: pollers seen within this time are described.
    unload_after_s, sweep_interval_s: a list without polls for this long is unloaded (if nothing is held), looked for
        this often.
    drain_s: how long a graceful stop waits for tasks that are being started.
    """

    buffer_max: int = setting(1_000, filters=BY_TASK_LIST, least=1)
    tasks_max: int = 500_000
    polls_max: int = setting(10_000, filters=BY_TASK_LIST, least=1)
    queries_max: int = setting(1_000, filters=BY_TASK_LIST, least=1)
    pollers_max: int = setting(1_000, filters=BY_TASK_LIST, least=1)
    lists_max: int = 50_000
    dispatch_rate: float = setting(100_000.0, filters=BY_TASK_LIST)
    rate_hold_s: float = setting(60.0, filters=BY_TASK_LIST, seconds=True)
    pass_on_after_s: float = setting(1.0, seconds=True)
    poll_wait_s: float = setting(60.0, "matching.longPollExpirationInterval", filters=BY_TASK_LIST, seconds=True)
    deadline_margin_s: float = setting(1.0, seconds=True)
    strayed_wait_s: float = setting(2.0, seconds=True)
    start_timeout_s: float = setting(5.0, seconds=True)
    start_attempts_max: int = 4
    start_retry_s: float = setting(0.1, seconds=True)
    rest_s: float = setting(0.5, filters=BY_TASK_LIST, seconds=True)
    rest_max_s: float = setting(10.0, filters=BY_TASK_LIST, seconds=True)
    give_ups_max: int = setting(30, filters=BY_TASK_LIST)
    sticky_window_s: float = setting(10.0, seconds=True)
    poller_window_s: float = setting(300.0, seconds=True)
    unload_after_s: float = setting(300.0, "matching.maxTasklistIdleTime", seconds=True)
    sweep_interval_s: float = setting(30.0, "matching.idleTasklistCheckInterval", seconds=True)
    drain_s: float = setting(5.0, "matching.shutdownDrainDuration", seconds=True)

    def __post_init__(self) -> None:
        names = ("buffer_max", "tasks_max", "polls_max", "queries_max", "pollers_max", "lists_max", "start_attempts_max")
        for name in names:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        for name in ("dispatch_rate", "poll_wait_s", "start_timeout_s", "unload_after_s", "sweep_interval_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be over 0")
