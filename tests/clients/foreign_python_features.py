"""A second program of `cadence-python-client`: what needs more than one run, or more than starting and signalling.

    python foreign_python_features.py ADDRESS DOMAIN

Children, queries, cron, heartbeats, side effects, versions, search attributes, external signals, schedules. Prints a JSON object.
"""

# The client is installed in an environment of its own only, so nothing of it has a type here.
# mypy: disable-error-code="import-not-found, untyped-decorator, misc, no-any-return"

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from cadence import Client, Registry, activity, workflow
from cadence.api.v1 import schedule_pb2, service_workflow_pb2
from cadence.api.v1.common_pb2 import WorkflowExecution, WorkflowType
from cadence.api.v1.tasklist_pb2 import TaskList
from cadence.error import CadenceRpcError, QueryFailedError
from cadence.worker import Worker
from foreign_python import MINUTE, TASK_LIST, outcome, register, start, wait_closed

registry = Registry()
ticks: list[int] = []
TIMEOUTS = {"schedule_to_close_timeout": MINUTE, "start_to_close_timeout": MINUTE, "schedule_to_start_timeout": MINUTE}
RETRY = {"initial_interval": timedelta(seconds=1), "backoff_coefficient": 1.0, "maximum_attempts": 3}


@registry.activity(name="remember")
async def remember() -> int:
    """Beats and fails; its next attempt finds what it beat."""
    details = activity.heartbeat_details(int)
    # Without details this client says 0.
    if not details or not details[0]:
        activity.heartbeat(41)
        await asyncio.sleep(0.5)
        raise RuntimeError("the first attempt")
    return int(details[0])


@registry.workflow(name="child")
class Child:
    """Answers, or fails."""

    @workflow.run
    async def run(self, kind: str) -> str:
        if kind == "fail":
            raise ValueError("the child says no")
        return f"child was told {kind}"


@registry.workflow(name="parent")
class Parent:
    """Runs a child and tells what came of it."""

    @workflow.run
    async def run(self, kind: str) -> str:
        try:
            return await workflow.execute_child_workflow(
                "child", str, kind, task_list=TASK_LIST, execution_start_to_close_timeout=MINUTE,
                task_start_to_close_timeout=timedelta(seconds=10),
            )  # fmt: skip
        except Exception as error:
            return f"child failed: {type(error).__name__}"


@registry.workflow(name="words")
class Words:
    """Gathers words by signal, shows them by query."""

    def __init__(self) -> None:
        self._words: list[str] = []

    @workflow.signal(name="add")
    def add(self, word: str) -> None:
        self._words.append(word)

    @workflow.query(name="words")
    def words(self) -> str:
        return ",".join(self._words)

    @workflow.run
    async def run(self, wanted: int) -> str:
        await workflow.wait_condition(lambda: len(self._words) >= wanted)
        return ",".join(self._words)


@registry.workflow(name="signaller")
class Signaller:
    """Signals another workflow."""

    @workflow.run
    async def run(self, workflow_id: str) -> str:
        await workflow.signal_external_workflow(workflow_id, "add", "from another")
        return "signalled"


@registry.workflow(name="remembering")
class Remembering:
    """An activity whose heartbeat outlives its attempt."""

    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(
            "remember", int, heartbeat_timeout=timedelta(seconds=10), retry_policy=RETRY, **TIMEOUTS
        )


@registry.workflow(name="deciding")
class Deciding:
    """Side effects, a version and search attributes, before and after a timer."""

    @workflow.run
    async def run(self) -> str:
        once = workflow.side_effect(lambda: len(ticks) + 7, int)
        version = workflow.get_version("a change", -1, 3)
        workflow.upsert_search_attributes({"CustomKeywordField": "python-keyword"})
        await workflow.sleep(timedelta(seconds=1))
        return f"{once} {version} {workflow.get_version('a change', -1, 3)}"


@registry.workflow(name="tick")
class Tick:
    """One run of a cron or of a schedule."""

    @workflow.run
    async def run(self) -> int:
        ticks.append(1)
        return len(ticks)


async def main(address: str, domain: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with Client(domain=domain, target=address) as client:
        await register(client, domain)
        async with Worker(client, TASK_LIST, registry):
            for name, arguments in (("parent", ("answer",)), ("remembering", ()), ("deciding", ())):
                found[name] = outcome(await wait_closed(client, await start(client, name, *arguments)))
            failing = await start(client, "parent", "fail", workflow_id="foreign-failing-child")
            found["failing child"] = outcome(await wait_closed(client, failing))
            found["queries"] = await queries(client)
            found["external signal"] = await external_signal(client)
            found["cron"] = await cron(client)
            found["schedule"] = await schedule(client)
    return found


async def eventually(look: Callable[[], Awaitable[Any]], enough: Callable[[Any], bool]) -> Any:
    found = None
    for _ in range(300):
        found = await look()
        if enough(found):
            return found
        await asyncio.sleep(0.1)
    raise TimeoutError(f"still {found!r}")


async def queries(client: Client) -> list[str]:
    """A query of an open workflow, one that no handler knows, and one of the closed workflow."""
    execution = await start(client, "words", 2)

    async def words() -> str:
        return await client.query_workflow(execution.workflow_id, execution.run_id, "words", result_type=str)

    found = [await words()]
    await client.signal_workflow(execution.workflow_id, execution.run_id, "add", "one")
    found.append(await eventually(words, lambda text: text != ""))
    try:
        await client.query_workflow(execution.workflow_id, execution.run_id, "nothing")
    except QueryFailedError as error:
        found.append(type(error).__name__)
    await client.signal_workflow(execution.workflow_id, execution.run_id, "add", "two")
    await wait_closed(client, execution)
    found.append(await words())
    return found


async def external_signal(client: Client) -> list[Any]:
    waiting = await start(client, "words", 1, workflow_id="foreign-signalled")
    signaller = await start(client, "signaller", "foreign-signalled")
    return [outcome(await wait_closed(client, execution))["result"] for execution in (signaller, waiting)]


async def cron(client: Client) -> str:
    """A cron workflow runs again and again until it is terminated."""
    before = len(ticks)
    execution = await client.start_workflow(
        "tick", task_list=TASK_LIST, workflow_id="foreign-cron", execution_start_to_close_timeout=MINUTE,
        task_start_to_close_timeout=timedelta(seconds=10), cron_schedule="@every 1s",
    )  # fmt: skip
    await eventually(ticks_now, lambda now: now >= before + 3)
    request = service_workflow_pb2.TerminateWorkflowExecutionRequest(
        domain=client.domain, workflow_execution=WorkflowExecution(workflow_id=execution.workflow_id)
    )
    await client.workflow_stub.TerminateWorkflowExecution(request)
    return "ticked"


async def ticks_now() -> int:
    return len(ticks)


async def schedule(client: Client) -> dict[str, Any]:
    """A schedule fires, is listed, paused, described, deleted."""
    before = len(ticks)
    action = schedule_pb2.ScheduleAction()
    action.start_workflow.workflow_type.CopyFrom(WorkflowType(name="tick"))
    action.start_workflow.task_list.CopyFrom(TaskList(name=TASK_LIST))
    action.start_workflow.execution_start_to_close_timeout.FromTimedelta(MINUTE)
    action.start_workflow.task_start_to_close_timeout.FromTimedelta(timedelta(seconds=10))
    spec = schedule_pb2.ScheduleSpec(cron_expression="@every 1s")
    await client.create_schedule("foreign-schedule", spec=spec, action=action)
    await eventually(ticks_now, lambda now: now >= before + 2)
    listed = await eventually(lambda: listed_schedules(client), bool)
    await client.pause_schedule("foreign-schedule", reason="enough")
    paused = await eventually(lambda: client.describe_schedule("foreign-schedule"), lambda now: now.state.paused)
    await client.delete_schedule("foreign-schedule")
    gone = await eventually(lambda: described_error(client), bool)
    return {"listed": listed, "runs": paused.info.total_runs >= 2, "reason": paused.state.pause_info.reason, "then": gone}


async def listed_schedules(client: Client) -> list[str]:
    return [entry.schedule_id async for entry in client.list_schedules()]


async def described_error(client: Client) -> str:
    try:
        await client.describe_schedule("foreign-schedule")
    except CadenceRpcError as error:
        return type(error).__name__
    return ""


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
