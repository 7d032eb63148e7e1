"""The pure core of history: `decide`, `evolve`, `tasks_for`. No IO, no clock, no randomness, no logging.

Read `turn` for how a command becomes records, `state` for what they change, `tasks` for what follows from it; then one module a
feature: `start`, `decision_task`, `decisions`, `activity`, `timer`, `outside` (signals, cancel requests), `close`.
"""

from tenuto_server.history.engine import (
    activity,
    close,
    decision_task,
    decisions,
    outside,
    start,
    tasks,
    timer,
)

__all__ = ["activity", "close", "decision_task", "decisions", "outside", "start", "tasks", "timer"]
