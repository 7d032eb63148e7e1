"""The storm's workflow and its worker process, in raw messages and with the SDK.

    python -m tests.e2e.program --address ... --notes FILE [--worker sdk]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from tenuto_api import api
from tests.e2e.raw import RawClient
from tests.e2e.worker import RawWorker

SIGNAL = "go"
FIRST, SECOND, TIMER = "first", "second", "pause"
TASK_SECONDS = 2
ATTEMPTS_MAX = 1000
WORKFLOW_SECONDS = 600


def start_request(
    domain: str, task_list: str, workflow_id: str, request_id: str, number: int
) -> api.StartWorkflowExecutionRequest:
    """Starts workflow number `number`; short task timeouts, so that what a kill took away is soon tried again."""
    request = api.StartWorkflowExecutionRequest(
        domain=domain,
        workflow_id=workflow_id,
        workflow_type=api.WorkflowType(name="storm"),
        task_list=api.TaskList(name=task_list),
        input=api.Payload(data=_json(number)),
        request_id=request_id,
        identity="storm",
    )
    request.execution_start_to_close_timeout.seconds = WORKFLOW_SECONDS
    request.task_start_to_close_timeout.seconds = TASK_SECONDS
    return request


def result_of(number: int) -> bytes:
    """What workflow `number` must return."""
    return _json(f"{number}-first signal-{number} {number}-second")


def signal_of(number: int) -> bytes:
    """What workflow `number` is signalled."""
    return _json(f"signal-{number}")


def _json(value: object) -> bytes:
    """A payload as the SDK writes it."""
    return json.dumps(value).encode() + b"\n"


class StormProgram:
    """An activity beside a timer; when both are done and the signal is there, a second activity; then the end."""

    def __init__(self) -> None:
        self._number = b""
        self._list = ""
        self._signal = b""
        self._scheduled: dict[int, str] = {}
        self._results: dict[str, bytes] = {}
        self._timer_started = self._timer_fired = False

    def feed(self, event: api.HistoryEvent) -> None:
        match event.WhichOneof("attributes"):
            case "workflow_execution_started_event_attributes":
                started = event.workflow_execution_started_event_attributes
                self._number, self._list = started.input.data, started.task_list.name
            case "workflow_execution_signaled_event_attributes":
                self._signal = event.workflow_execution_signaled_event_attributes.input.data
            case "activity_task_scheduled_event_attributes":
                self._scheduled[event.event_id] = event.activity_task_scheduled_event_attributes.activity_id
            case "activity_task_completed_event_attributes":
                completed = event.activity_task_completed_event_attributes
                self._results[self._scheduled[completed.scheduled_event_id]] = completed.result.data
            case "timer_started_event_attributes":
                self._timer_started = True
            case "timer_fired_event_attributes":
                self._timer_fired = True
            case _:
                pass

    def decide(self) -> list[api.Decision]:
        if not self._scheduled:
            return [self._activity(FIRST), self._timer()]
        if FIRST not in self._results or not self._timer_fired or not self._signal:
            return []
        if SECOND not in self._scheduled.values():
            return [self._activity(SECOND)]
        if SECOND not in self._results:
            return []
        decision = api.Decision()
        parts = [json.loads(data) for data in (self._results[FIRST], self._signal, self._results[SECOND])]
        decision.complete_workflow_execution_decision_attributes.result.data = _json(" ".join(parts))
        return [decision]

    def _activity(self, name: str) -> api.Decision:
        decision = api.Decision()
        attributes = decision.schedule_activity_task_decision_attributes
        attributes.activity_id = name
        attributes.activity_type.name = name
        attributes.task_list.name = self._list
        attributes.input.data = self._number
        attributes.schedule_to_close_timeout.seconds = WORKFLOW_SECONDS
        attributes.schedule_to_start_timeout.seconds = WORKFLOW_SECONDS
        attributes.start_to_close_timeout.seconds = TASK_SECONDS
        attributes.retry_policy.initial_interval.seconds = 1
        attributes.retry_policy.backoff_coefficient = 1.0
        attributes.retry_policy.maximum_attempts = ATTEMPTS_MAX
        return decision

    def _timer(self) -> api.Decision:
        decision = api.Decision()
        decision.start_timer_decision_attributes.timer_id = TIMER
        decision.start_timer_decision_attributes.start_to_fire_timeout.seconds = 1 + int(self._number) % 2
        return decision


class Notes:
    """The worker's own record of what it began: one line and one write an attempt, before anything else is done."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def begun(self, workflow_id: str, run_id: str, activity_id: str, attempt: int) -> None:
        """Notes that an attempt begins."""
        os.write(self._descriptor, f"{workflow_id} {run_id} {activity_id} {attempt}\n".encode())


async def work(number: int, name: str) -> str:
    """What both activities do, in both workers."""
    await asyncio.sleep(number % 10 / 50)
    return f"{number}-{name}"


async def serve_raw(address: str, domain: str, task_list: str, notes: Notes) -> None:
    """Runs the worker of raw messages until it is killed."""

    async def activity(task: api.PollForActivityTaskResponse) -> bytes:
        execution = task.workflow_execution
        notes.begun(execution.workflow_id, execution.run_id, task.activity_id, task.attempt)
        return _json(await work(int(task.input.data), task.activity_type.name))

    async with RawClient(address) as client:
        RawWorker(client, domain, task_list, StormProgram, activity).start()
        await asyncio.Event().wait()


def main(arguments: list[str]) -> None:
    """The worker process."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.program", description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--domain", required=True)
    parser.add_argument("--task-list", required=True)
    parser.add_argument("--notes", required=True, type=Path)
    parser.add_argument("--worker", choices=("raw", "sdk"), default="raw")
    options = parser.parse_args(arguments)
    serve = serve_raw
    if options.worker == "sdk":
        from tests.e2e.sdk_program import serve_sdk

        serve = serve_sdk
    asyncio.run(serve(options.address, options.domain, options.task_list, Notes(options.notes)))


if __name__ == "__main__":
    main(sys.argv[1:])
