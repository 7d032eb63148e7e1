"""For writing activities: the functions that do the work. They may take long, fail, be retried, and do any IO."""

from tenuto._worker.context import (
    ActivityInfo,
    NotInActivityError,
    complete_async,
    defn,
    heartbeat,
    heartbeat_details,
    in_activity,
    info,
    is_cancelled,
    logger,
)

__all__ = [
    "ActivityInfo",
    "NotInActivityError",
    "complete_async",
    "defn",
    "heartbeat",
    "heartbeat_details",
    "in_activity",
    "info",
    "is_cancelled",
    "logger",
]
