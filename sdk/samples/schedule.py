"""A schedule: the server starts a workflow every few seconds, and catches up after a pause.

python sdk/samples/schedule.py worker      serves the workflow
python sdk/samples/schedule.py create      makes the schedule (and pause, unpause, show, delete)
"""

from __future__ import annotations

import argparse

from tenuto import workflow
from tenuto.client import CatchUpPolicy, Client, OverlapPolicy, ScheduleAction, SchedulePolicies
from tenuto.worker import Worker, run_event_loop, run_until_signal

TASK_LIST = "reports"
SCHEDULE_ID = "report"


@workflow.defn
async def report(kind: str) -> str:
    """What is started; its id ends with the time that it is for."""
    return f"{kind} report of {workflow.info().workflow_id.removeprefix('report-')}"


async def create(client: Client) -> None:
    """Every five seconds; after a pause all that was missed is made up for, one after the other."""
    await client.schedules.create(
        SCHEDULE_ID,
        "@every 5s",
        ScheduleAction(report, TASK_LIST, ["short"], execution_timeout=60),
        policies=SchedulePolicies(OverlapPolicy.BUFFER, CatchUpPolicy.ALL),
    )


async def main() -> None:
    """The commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["worker", "create", "pause", "unpause", "show", "delete"])
    parser.add_argument("--server", default="127.0.0.1:7833")
    given = parser.parse_args()
    async with await Client.connect(given.server) as client:
        if given.command == "worker":
            await run_until_signal(Worker(client, TASK_LIST, workflows=[report]))
        elif given.command == "create":
            await create(client)
        elif given.command == "pause":
            await client.schedules.pause(SCHEDULE_ID, "by hand")
        elif given.command == "unpause":
            await client.schedules.unpause(SCHEDULE_ID)
        elif given.command == "show":
            print(await client.schedules.describe(SCHEDULE_ID))
        else:
            await client.schedules.delete(SCHEDULE_ID)


if __name__ == "__main__":
    run_event_loop(main())
