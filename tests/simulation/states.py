"""The engine states that living history processes hold, to compare live with recovered ones bit by bit."""

from __future__ import annotations

from typing import NamedTuple

from tenuto_server.history.engine.calls import owes
from tenuto_server.history.engine.state import decode, encode

from .cluster import Cluster


class Held(NamedTuple):
    """A run's state in some process's memory: how many steps it has taken, and its encoding."""

    version: int
    encoded: bytes


def held_states(cluster: Cluster) -> dict[str, Held]:
    """By run id, of all runs in memory of the shards that are being served."""
    found: dict[str, Held] = {}
    for process in cluster.of("history", up=True):
        if not process.ready:
            continue
        for shard in process.service.core.shards.values():
            for workflow in shard.workflows.values():
                for run_id, run in workflow.runs.items():
                    found[run_id] = Held(run.state.version, encode(run.state))
    return found


def state_differences(before: dict[str, Held], after: dict[str, Held]) -> list[str]:
    """A run that is where it was must be as it was; none may have fallen back."""
    problems = []
    for run_id, held in before.items():
        now = after.get(run_id)
        if now is None:
            continue
        if now.version < held.version:
            problems.append(f"run {run_id} has fallen back from step {held.version} to {now.version}")
        if now.version == held.version and now.encoded != held.encoded:
            problems.append(f"run {run_id} recovered otherwise than it was:\n{held.encoded!r}\nthen\n{now.encoded!r}")
    return problems


def owing(held: dict[str, Held]) -> list[str]:
    """When all is quiet no run may owe another workflow a call."""
    return [f"run {run_id} still owes calls: {state}" for run_id, one in held.items() if owes(state := decode(one.encoded))]
