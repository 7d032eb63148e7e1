"""Auto reset points: where each of the newest worker binaries first completed a decision of a workflow.

If a binary is marked bad, that is where its work on the workflow can be undone. Points are made by the completed event itself,
so that any fold of the history has them; they are handed on along continue-as-new, with the time at which the history that they
point into may be gone.
"""

from __future__ import annotations

import json
from collections.abc import Container

from tenuto_api import api
from tenuto_server.history.engine.state import SECOND, ResetPoint, RunState

# A fixed number, for what a history folds to may not depend on a setting.
POINTS_MAX = 20
SEARCH_ATTRIBUTE = "BinaryChecksums"


def add(state: RunState, checksum: str, completed: api.HistoryEvent) -> None:
    """Notes the binary of a completed decision, unless it is known; the oldest makes room."""
    if any(point.checksum == checksum for point in state.reset_points):
        return
    at = completed.event_time
    point = ResetPoint(checksum, state.run_id, completed.event_id, at.seconds * SECOND + at.nanos, 0, is_resettable(state))
    state.reset_points = [*state.reset_points, point][-POINTS_MAX:]
    attributes = api.SearchAttributes.FromString(state.search_attributes)
    checksums = [point.checksum for point in state.reset_points]
    attributes.indexed_fields[SEARCH_ATTRIBUTE].data = json.dumps(checksums, separators=(",", ":")).encode()
    state.search_attributes = attributes.SerializeToString(deterministic=True)


def is_resettable(state: RunState) -> bool:
    """Whether a run can be forked as it stands, and nothing be done twice: it waits for no other workflow."""
    return not state.children and not state.externals


def first_bad(state: RunState, bad: Container[str], now: int) -> ResetPoint | None:
    """The earliest point of a binary that is bad by now, where the run can still be reset to it."""
    for point in state.reset_points:
        if point.checksum in bad and point.is_resettable and (not point.expires_ns or now < point.expires_ns):
            return point
    return None


def handed_on(state: RunState, expires_ns: int) -> api.ResetPoints:
    """The points as a successor's start carries them: those of this run end with its history, at `expires_ns`."""
    points = to_wire(state.reset_points)
    for point in points.points:
        if point.run_id == state.run_id and expires_ns:
            point.expiring_time.seconds, point.expiring_time.nanos = divmod(expires_ns, SECOND)
    return points


def to_wire(points: list[ResetPoint]) -> api.ResetPoints:
    """The interface's form."""
    wire = api.ResetPoints()
    for point in points:
        info = wire.points.add(
            binary_checksum=point.checksum,
            run_id=point.run_id,
            first_decision_completed_id=point.completed_id,
            resettable=point.is_resettable,
        )
        info.created_time.seconds, info.created_time.nanos = divmod(point.created_ns, SECOND)
        if point.expires_ns:
            info.expiring_time.seconds, info.expiring_time.nanos = divmod(point.expires_ns, SECOND)
    return wire


def from_wire(wire: api.ResetPoints) -> list[ResetPoint]:
    """The state's form."""
    return [
        ResetPoint(
            checksum=point.binary_checksum,
            run_id=point.run_id,
            completed_id=point.first_decision_completed_id,
            created_ns=point.created_time.seconds * SECOND + point.created_time.nanos,
            expires_ns=point.expiring_time.seconds * SECOND + point.expiring_time.nanos,
            is_resettable=point.resettable,
        )
        for point in wire.points
    ]
