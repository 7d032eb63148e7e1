"""The workflows of the load, and the worker process that serves them.

    python -m tests.chaos.program --address ... --task-list ... --notes FILE

A workflow runs an activity beside a timer and a child (which runs an activity itself), waits for its signals, runs a second
activity and returns what all of them gave. Task timeouts are short, so that what a fault took away is soon tried again.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from tenuto import activity, workflow
from tenuto.client import Client
from tenuto.worker import Worker
from tests.e2e.program import ATTEMPTS_MAX, TASK_SECONDS, WORKFLOW_SECONDS, Notes, work

DOMAIN = "default"
WORKFLOW, CHILD, ACTIVITY, SIGNAL = "chaos", "chaos-child", "chaos-activity", "go"
SIGNALS = 2


def child_id_of(workflow_id: str) -> str:
    """The id of a workflow's child."""
    return f"{workflow_id}-child"


def signal_of(number: int, which: int) -> str:
    """What workflow `number` is signalled, 0 <= which < SIGNALS."""
    return f"signal-{number}-{which}"


def result_of(number: int) -> str:
    """What workflow `number` must return."""
    signals = [signal_of(number, which) for which in range(SIGNALS)]
    return " ".join([f"{number}-first", f"{number}-child", *signals, f"{number}-second"])


async def _activity(name: str, number: int) -> str:
    result: str = await workflow.execute_activity(
        ACTIVITY, number, name,
        activity_id=name,
        start_to_close_timeout=TASK_SECONDS,
        schedule_to_start_timeout=WORKFLOW_SECONDS,
        schedule_to_close_timeout=WORKFLOW_SECONDS,
        retry_policy=workflow.RetryPolicy(initial_interval=1, backoff_coefficient=1.0, maximum_attempts=ATTEMPTS_MAX),
        result_type=str,
    )  # fmt: skip
    return result


@workflow.defn(name=CHILD)
class ChaosChild:
    """One activity."""

    @workflow.run
    async def run(self, number: int) -> str:
        """What the activity gave."""
        return await _activity("child", number)


@workflow.defn(name=WORKFLOW)
class Chaos:
    """See the module."""

    def __init__(self) -> None:
        self._signals: set[str] = set()

    @workflow.signal(name=SIGNAL)
    def go(self, text: str) -> None:
        """One of the signals it waits for."""
        self._signals.add(text)

    @workflow.run
    async def run(self, number: int) -> str:
        """See `result_of`."""
        child = workflow.execute_child(
            ChaosChild.run, number,
            id=child_id_of(workflow.info().workflow_id), execution_timeout=WORKFLOW_SECONDS, task_timeout=TASK_SECONDS,
        )  # fmt: skip
        first, _, given = await asyncio.gather(_activity("first", number), workflow.sleep(1 + number % 2), child)
        await workflow.wait_condition(lambda: len(self._signals) == SIGNALS)
        second = await _activity("second", number)
        return " ".join([first, given, *sorted(self._signals), second])


async def serve(address: str, task_list: str, notes: Notes) -> None:
    """Runs the worker until it is killed."""

    @activity.defn(name=ACTIVITY)
    async def attempt(number: int, name: str) -> str:
        info = activity.info()
        notes.begun(info.workflow_id, info.run_id, info.activity_id, info.attempt)
        return await work(number, name)

    async with await Client.connect(address, domain=DOMAIN) as client:
        await Worker(client, task_list, workflows=[Chaos, ChaosChild], activities=[attempt]).run()


def main(arguments: list[str]) -> None:
    """The worker process."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.program", description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--task-list", required=True)
    parser.add_argument("--notes", required=True, type=Path)
    options = parser.parse_args(arguments)
    asyncio.run(serve(options.address, options.task_list, Notes(options.notes)))


if __name__ == "__main__":
    main(sys.argv[1:])
