"""A program of the foreign client `cadence-python-client`: it knows nothing of this project.

    python foreign_python.py ADDRESS DOMAIN

Registers the domain, serves a task list, plays the scenarios and prints what came of them as one JSON object.
"""

# The client is installed in an environment of its own only, so nothing of it has a type here.
# mypy: disable-error-code="import-not-found, untyped-decorator, misc, no-any-return"

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from cadence import Client, Registry, activity, workflow
from cadence.api.v1 import history_pb2, service_domain_pb2, service_workflow_pb2
from cadence.api.v1.common_pb2 import WorkflowExecution
from cadence.error import CadenceRpcError
from cadence.worker import Worker

TASK_LIST = "foreign"
MINUTE = timedelta(minutes=1)
registry = Registry()


@registry.activity(name="greet")
async def greet(name: str) -> str:
    return f"hello {name}"


@registry.activity(name="stubborn")
async def stubborn() -> int:
    attempt = int(activity.info().attempt)
    if attempt < 2:
        raise RuntimeError(f"not at attempt {attempt}")
    return attempt


@registry.workflow(name="greeting")
class Greeting:
    """An activity, a timer, a signal."""

    def __init__(self) -> None:
        self._approved_by = ""

    @workflow.signal(name="approve")
    def approve(self, who: str) -> None:
        self._approved_by = who

    @workflow.run
    async def run(self, name: str) -> str:
        text = await workflow.execute_activity(
            "greet", str, name, schedule_to_close_timeout=MINUTE, schedule_to_start_timeout=MINUTE,
            start_to_close_timeout=MINUTE, heartbeat_timeout=MINUTE,
        )  # fmt: skip
        await workflow.sleep(timedelta(seconds=1))
        await workflow.wait_condition(lambda: self._approved_by != "")
        return f"{text}, approved by {self._approved_by}"


@registry.workflow(name="retrying")
class Retrying:
    """An activity that succeeds at its third attempt."""

    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(
            "stubborn", int, start_to_close_timeout=MINUTE, schedule_to_close_timeout=MINUTE,
            retry_policy={
                "initial_interval": timedelta(seconds=1), "backoff_coefficient": 1.0, "maximum_attempts": 5,
            },
        )  # fmt: skip


@registry.workflow(name="failing")
class Failing:
    """Fails."""

    @workflow.run
    async def run(self) -> str:
        raise ValueError("as it was made to")


@registry.workflow(name="counting")
class Counting:
    """Continues as new down to nothing."""

    @workflow.run
    async def run(self, left: int) -> str:
        if left:
            workflow.continue_as_new(left - 1)
        return "counted"


async def main(address: str, domain: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with Client(domain=domain, target=address) as client:
        found["register twice"] = await register(client, domain)
        async with Worker(client, TASK_LIST, registry):
            found["greeting"] = await greeting(client)
            for name, arguments in (("retrying", ()), ("failing", ()), ("counting", (2,))):
                found[name] = outcome(await wait_closed(client, await start(client, name, *arguments)))
            found["errors"] = await errors(client)
    return found


async def register(client: Client, domain: str) -> str:
    request = service_domain_pb2.RegisterDomainRequest(name=domain)
    request.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
    await client.domain_stub.RegisterDomain(request)
    return await error_of(client.domain_stub.RegisterDomain(request))


async def start(client: Client, name: str, *arguments: Any, workflow_id: str = "") -> WorkflowExecution:
    return await client.start_workflow(
        name,
        *arguments,
        task_list=TASK_LIST,
        workflow_id=workflow_id or f"foreign-{name}",
        execution_start_to_close_timeout=MINUTE,
        task_start_to_close_timeout=timedelta(seconds=10),
    )


async def greeting(client: Client) -> dict[str, Any]:
    execution = await start(client, "greeting", "world")
    await client.signal_workflow(execution.workflow_id, execution.run_id, "approve", "Bob")
    closed = await wait_closed(client, execution)
    return {"run_id": execution.run_id, "outcome": outcome(closed)}


async def errors(client: Client) -> dict[str, str]:
    running = await start(client, "greeting", "nobody", workflow_id="foreign-running")
    found = {
        "start twice": await error_of(start(client, "greeting", "nobody", workflow_id="foreign-running")),
        "signal to nothing": await error_of(client.signal_workflow("no-such-workflow", "", "approve", "Bob")),
        "signal to a closed one": await error_of(client.signal_workflow("foreign-retrying", "", "approve", "Bob")),
        "bad start": await error_of(start(client, "", workflow_id="foreign-bad")),
    }
    await client.cancel_workflow(running.workflow_id, running.run_id)
    found["cancelled"] = outcome(await wait_closed(client, running))["kind"]
    return found


async def error_of(call: Awaitable[Any]) -> str:
    """The class and gRPC code of the error that a call ends with."""
    try:
        await call
    except CadenceRpcError as error:
        return f"{type(error).__name__} {error.code.name}"
    return "no error"


async def wait_closed(client: Client, execution: WorkflowExecution) -> history_pb2.HistoryEvent:
    request = service_workflow_pb2.GetWorkflowExecutionHistoryRequest(
        domain=client.domain,
        workflow_execution=execution,
        wait_for_new_event=True,
        history_event_filter_type=history_pb2.EVENT_FILTER_TYPE_CLOSE_EVENT,
    )
    async with asyncio.timeout(30):
        while True:
            response = await client.workflow_stub.GetWorkflowExecutionHistory(request, timeout=25)
            for event in response.history.events:
                attributes = event.workflow_execution_continued_as_new_event_attributes
                if not attributes.new_execution_run_id:
                    return event
                request.workflow_execution.run_id = attributes.new_execution_run_id
            request.next_page_token = b"" if response.history.events else response.next_page_token


def outcome(event: history_pb2.HistoryEvent) -> dict[str, Any]:
    kind = event.WhichOneof("attributes")
    attributes = getattr(event, kind)
    result: dict[str, Any] = {"kind": kind.removesuffix("_event_attributes")}
    if hasattr(attributes, "result"):
        result["result"] = json.loads(attributes.result.data or b"null")
    if hasattr(attributes, "failure"):
        result["reason"] = attributes.failure.reason
    return result


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
