"""Judges of a cluster that a load ran on: what was acknowledged is there, once, and the store agrees with itself."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import grpc
import grpc.aio

from tenuto_api import api
from tests.chaos.load import Started
from tests.chaos.program import DOMAIN, child_id_of, result_of
from tests.e2e.raw import RawClient, read_history
from tests.e2e.server import COMMAND

_AT_ONCE = 8
_CHECK_SECONDS_MAX = 600.0


async def judge_runs(client: RawClient, runs: Sequence[Started]) -> list[str]:
    """Every workflow and its child closed once, with the right result, with every acknowledged signal, ids without gaps."""
    problems: list[str] = []
    room = asyncio.Semaphore(_AT_ONCE)

    async def judge(run: Started) -> None:
        async with room:
            problems.extend(await _judge_run(client, run))

    async with asyncio.TaskGroup() as group:
        for run in runs:
            group.create_task(judge(run))
    return problems


async def _judge_run(client: RawClient, run: Started) -> list[str]:
    if not run.run_id:
        # Never acknowledged, and the client gave up: the load told of it.
        return []
    try:
        events = await read_history(client, DOMAIN, run.workflow_id, run.run_id)
        child = await read_history(client, DOMAIN, child_id_of(run.workflow_id), "")
    except grpc.aio.AioRpcError as error:
        return [f"{run.workflow_id}: its history cannot be read: {error.code().name}: {error.details()}"]
    found = [*judge_history(events, result_of(run.number)), *judge_signals(events, run.signals)]
    found += [f"child: {problem}" for problem in judge_history(child, f"{run.number}-child")]
    return [f"{run.workflow_id}: {problem}" for problem in found]


def judge_history(events: Sequence[api.HistoryEvent], result: str) -> Iterator[str]:
    """Ids without gaps, one completion at the end with that result, and no activity left undone."""
    ids = [event.event_id for event in events]
    if ids != list(range(1, len(ids) + 1)):
        yield f"event ids have gaps: {ids}"
    kinds = Counter(str(event.WhichOneof("attributes")).removesuffix("_event_attributes") for event in events)
    last = events[-1] if events else api.HistoryEvent()
    if kinds["workflow_execution_completed"] != 1 or not last.HasField("workflow_execution_completed_event_attributes"):
        yield f"it did not complete once, at its end: {dict(kinds)}"
        return
    data = last.workflow_execution_completed_event_attributes.result.data
    if json.loads(data) != result:
        yield f"its result is {data!r}, not {result!r}"
    ended = kinds["activity_task_completed"]
    if kinds["activity_task_scheduled"] != ended:
        yield f"{kinds['activity_task_scheduled']} activities were scheduled and {ended} completed"


def judge_signals(events: Iterable[api.HistoryEvent], acknowledged: Sequence[str]) -> Iterator[str]:
    """Every acknowledged signal once, and no signal twice."""
    there = Counter(
        json.loads(event.workflow_execution_signaled_event_attributes.input.data)
        for event in events
        if event.HasField("workflow_execution_signaled_event_attributes")
    )
    for text in acknowledged:
        if not there[text]:
            yield f"the acknowledged signal {text} is missing"
    for text, times in there.items():
        if times > 1:
            yield f"signal {text} is there {times} times"


def judge_attempts(notes: Iterable[Path]) -> tuple[int, list[str]]:
    """How many attempts of activities workers noted; and each that was begun more than once."""
    attempts = Counter(line for path in notes if path.exists() for line in path.read_text(encoding="utf-8").splitlines())
    return attempts.total(), [f"attempt {line!r} was begun {times} times" for line, times in attempts.items() if times > 1]


async def judge_store(url: str, *, running: bool) -> list[str]:
    """What `tenuto-server check` finds, as a user runs it."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "check", "--store", url, "--running" if running else "--stopped", "--json",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(_CHECK_SECONDS_MAX):
        output, trouble = await process.communicate()
    try:
        report = json.loads(output)
    except ValueError:
        return [f"check ended with {process.returncode}: {trouble.decode()[-2000:]}"]
    found = [
        f"check of the {'running' if running else 'stopped'} cluster: {one}" for one in report["findings"] if not one["is_notice"]
    ]
    if bool(found) != (process.returncode == 1):
        found.append(f"check ended with {process.returncode}")
    return found
