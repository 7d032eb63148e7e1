"""What one run may come to, as an operator set it. It comes in with the command, like time: a turn carries it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes. The defaults are Cadence's."""

    # One payload in a decision; a larger one fails the workflow.
    blob_bytes_max: int = 2 * 1024 * 1024
    # The history of a run: a decision completed beyond either fails the workflow.
    history_bytes_max: int = 200 * 1024 * 1024
    history_events_max: int = 204_800
    signals_max: int = 10_000
    # Events that may wait while a decision is made; with more the decision fails, and the worker is shown them.
    buffered_events_max: int = 100
    # Activities pending at once; one more fails the workflow. 0: any number.
    pending_activities_max: int = 0
    # A decision that failed so often ends the workflow. 0: never.
    decision_attempts_max: int = 0
    # How long a closed run is kept, 0 where that is not known.
    retention_s: int = 0


DEFAULT = Limits()
