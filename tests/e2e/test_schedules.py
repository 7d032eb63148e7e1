"""A schedule whose server is killed again and again: each time is started, and once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tenuto import workflow
from tenuto.client import CatchUpPolicy, Client, OverlapPolicy, ScheduleAction, SchedulePolicies
from tenuto.errors import RpcError
from tenuto.worker import Worker
from tests.e2e.server import ServerProcess, acceptors

KILLS = 3
PATIENCE_SECONDS = 120.0


@workflow.defn
async def tick() -> None:
    """What is started."""


async def ticks(client: Client) -> list[str]:
    """The ids of all runs that have been started. No id has two runs."""
    runs: dict[str, str] = {}
    for closed in (False, True):
        async for run in client.list_workflows(closed=closed, workflow_type="tick"):
            execution = run.workflow_execution
            assert runs.setdefault(execution.workflow_id, execution.run_id) == execution.run_id
    return sorted(runs)


def whole(seen: list[str]) -> bool:
    """Whether the times that runs are named by follow one another, a second apart."""
    times = [datetime.fromisoformat(name.removeprefix("t-")) for name in seen]
    return all(later - before == timedelta(seconds=1) for before, later in pairwise(times))


@pytest.mark.parametrize("acceptor", acceptors())
def test_no_time_is_lost_or_doubled_when_the_server_is_killed(tmp_path: Path, acceptor: str) -> None:
    async def story(server: ServerProcess) -> list[str]:
        await server.up()
        async with asyncio.timeout(PATIENCE_SECONDS), await Client.connect(server.address) as client:
            policies = SchedulePolicies(OverlapPolicy.CONCURRENT, CatchUpPolicy.ALL)
            await client.schedules.create("t", "@every 1s", ScheduleAction(tick, "ticks"), policies=policies)
            async with Worker(client, "ticks", workflows=[tick]):
                seen: list[str] = []
                for kill in range(KILLS + 1):
                    enough = len(seen) + 3
                    # Lists know of a run a little later, and not in order: what is missing may still come.
                    while len(seen) < enough or not whole(seen):
                        await asyncio.sleep(0.1)
                        try:
                            seen = await ticks(client)
                        except RpcError:
                            continue
                    if kill < KILLS:
                        server.kill()
                        await server.up()
            return seen

    with ServerProcess(tmp_path, acceptor=acceptor) as server:
        seen = asyncio.run(story(server))
    assert len(seen) >= 3 * (KILLS + 1)
