"""What the outside world was told: every acknowledgement the workload got, for the checkers to hold the histories
against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tenuto_api import api

# Workflow ids whose runs are deleted while the storm rages begin so.
VICTIMS: Final = "victim-"


@dataclass(frozen=True, slots=True)
class Started:
    """A start (or signal-with-start) was acknowledged with `run_id`."""

    workflow_id: str
    run_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Told:
    """A signal or cancel request was acknowledged; `run_id` empty: it went to the run that was current. `logical` is
    what the sender means to have sent once: the signal's input."""

    workflow_id: str
    run_id: str
    request_id: str
    logical: str = ""


@dataclass(slots=True)
class Reset:
    """A reset was asked for; `run_id` is what it was acknowledged with, empty while it was not. `again`: later signals are to
    be signaled again."""

    workflow_id: str
    base_run_id: str
    event_id: int
    request_id: str
    again: bool
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Terminated:
    """A termination was acknowledged; `reason` is its own."""

    workflow_id: str
    run_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision worker's answer was acknowledged. `identity` is the answer's own; `seen` the history it was made from.
    `decisions` says how many it held. `may_fail`: the server may have turned it into a failed decision, of which an
    attempt above 0 leaves no event."""

    workflow_id: str
    run_id: str
    identity: str
    started_event_id: int
    attempt: int
    may_fail: bool
    decisions: int
    seen: tuple[api.HistoryEvent, ...] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Delivered:
    """An activity worker was handed an attempt, by the poll of this name."""

    workflow_id: str
    run_id: str
    activity_id: str
    attempt: int
    poll: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An activity worker's closing answer was acknowledged. outcome: completed, failed or canceled."""

    workflow_id: str
    run_id: str
    activity_id: str
    attempt: int
    identity: str
    outcome: str


@dataclass(slots=True)
class Observed:
    """All of a run's acknowledgements, and every workflow id that was ever asked for."""

    workflow_ids: dict[str, None] = field(default_factory=dict)
    starts: list[Started] = field(default_factory=list)
    signals: list[Told] = field(default_factory=list)
    cancels: list[Told] = field(default_factory=list)
    terminations: list[Terminated] = field(default_factory=list)
    resets: list[Reset] = field(default_factory=list)
    decisions: list[Decided] = field(default_factory=list)
    deliveries: list[Delivered] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)

    def summary(self) -> str:
        """The counts, for people."""
        return (
            f"{len(self.workflow_ids)} workflows, {len(self.starts)} starts, {len(self.signals)} signals, "
            f"{len(self.cancels)} cancels, {len(self.terminations)} terminations, "
            f"{len([reset for reset in self.resets if reset.run_id])} resets, {len(self.decisions)} decisions, "
            f"{len(self.deliveries)} activities, {len(self.answers)} answers"
        )
