"""The pure core of history: `decide`, `evolve`, `tasks_for`. No IO, no clock, no randomness, no logging.

Read `turn` for how a command becomes records, `state` for what they change, `tasks` for what follows from it; then one module a
feature: `start`, `decision_task`, `decisions`, `activity`, `timer`, `outside` (signals, cancel requests), `child`, `external`
(signals and cancel requests to other workflows), `close`. `calls` says what a run is to ask of other workflows.
"""

from tenuto_server.history.engine import (
    activity,
    calls,
    child,
    close,
    decision_task,
    decisions,
    external,
    outside,
    start,
    tasks,
    timer,
)

__all__ = [
    "activity",
    "calls",
    "child",
    "close",
    "decision_task",
    "decisions",
    "external",
    "outside",
    "start",
    "tasks",
    "timer",
]
