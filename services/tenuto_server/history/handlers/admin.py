"""What operators ask: a run's state and raw history, what this process owns, to give a shard up."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
from google.protobuf.message import DecodeError

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history import events, storing
from tenuto_server.history.core import Core
from tenuto_server.history.engine.records import unframe
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.run import Run
from tenuto_server.persistence.interface import Table
from tenuto_server.persistence.rows import UnknownEncoding
from tenuto_server.transport.network import InternalCall


async def describe_run(core: Core, call: InternalCall) -> bytes:
    """AdminDescribeRun."""
    request = internal.AdminDescribeRunRequest.FromString(call.body)
    run = await core.run(request.domain_id, request.workflow_id, request.run_id)
    in_memory = shown(run.state)
    stored = await _stored_state(core, run)
    return internal.AdminDescribeRunResponse(
        shard_id=run.shard,
        address=core.address,
        in_memory=in_memory,
        in_store="" if stored is None else shown(stored),
        run_id=run.state.run_id,
    ).SerializeToString()


async def _stored_state(core: Core, run: Run) -> RunState | None:
    """The run as the last checkpoint left it. A run that lost its place as the newest is under another key."""
    state = run.state
    partition = storing.workflow_partition(state.domain_id, state.workflow_id)
    for value in await core.store.read(Table.RUNS, partition, [storing.run_key(state.run_id), storing.CURRENT_KEY]):
        if value is not None:
            stored, _ = storing.read_run(value)
            if stored.run_id == state.run_id:
                return stored
    return None


def shown(state: RunState) -> str:
    """A run's state as JSON: what Cadence's tools look for under its names, and all there is under ours."""
    info = {
        "DomainID": state.domain_id,
        "WorkflowID": state.workflow_id,
        "RunID": state.run_id,
        "FirstExecutionRunID": state.first_run_id,
        "WorkflowTypeName": state.workflow_type,
        "TaskList": state.task_list,
        "NextEventID": state.next_event_id,
        "CloseStatus": state.close_status,
        "StickyTaskList": state.sticky_task_list,
        "Attempt": state.attempt,
    }
    return json.dumps({"ExecutionInfo": info, "State": _plain(state)}, default=repr)


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value


async def check_run(core: Core, call: InternalCall) -> bytes:
    """AdminCheckRun: reads the run's history from its first event to its last."""
    request = internal.AdminDescribeRunRequest.FromString(call.body)
    run = await core.run(request.domain_id, request.workflow_id, request.run_id)
    await core.durable(run)
    problem = ""
    try:
        await _read_whole(core, run)
    except (errors.InvariantViolation, UnknownEncoding, DecodeError) as error:
        # Expected here, of a damaged run: nothing in memory is wrong because of it.
        problem = str(error)
    return internal.AdminCheckRunResponse(run_id=run.state.run_id, problem=problem).SerializeToString()


async def _read_whole(core: Core, run: Run) -> None:
    first, until = 1, run.state.next_event_id
    while first < until:
        page = min(until, first + core.settings.history_page_max)
        frames = await events.read(core.store, run, first, page, core.settings.history_page_bytes_max)
        for event_id, framed in enumerate(frames, first):
            found = api.HistoryEvent.FromString(unframe(framed)).event_id
            if found != event_id:
                raise errors.InvariantViolation(f"history of run {run.state.run_id} has event {found} in place of {event_id}")
        first += len(frames)


async def raw_history(core: Core, call: InternalCall) -> bytes:
    """AdminRawHistory: a page from `first_event_id` on, only of what is durable."""
    request = internal.AdminRawHistoryRequest.FromString(call.body)
    run = await core.run(request.domain_id, request.workflow_id, request.run_id)
    await core.durable(run)
    end = run.state.next_event_id
    first = max(1, request.first_event_id)
    until = min(request.until_event_id or end, end)
    frames: list[bytes] = []
    if first < until:
        size = min(request.page_size if request.page_size > 0 else core.settings.history_page_max, core.settings.history_page_max)
        bytes_max = core.settings.history_page_bytes_max
        frames = await events.read(core.store, run, first, min(until, first + size), bytes_max)
    return internal.AdminRawHistoryResponse(
        run_id=run.state.run_id, history=b"".join(frames), next_event_id=first + len(frames), end_event_id=end
    ).SerializeToString()


async def describe_host(core: Core, call: InternalCall) -> bytes:
    """AdminDescribeHost."""
    internal.AdminDescribeHostRequest.FromString(call.body)
    by_id, by_name = core.domains.sizes()
    return internal.AdminDescribeHostResponse(
        shard_ids=sorted(shard.id for shard in core.shards.values() if shard.is_open),
        domains_by_id=by_id,
        domains_by_name=by_name,
        status="started" if core.log is not None else "starting",
        address=core.address,
    ).SerializeToString()


async def close_shard(core: Core, call: InternalCall) -> bytes:
    """AdminCloseShard: answers when the shard was given up."""
    request = internal.AdminCloseShardRequest.FromString(call.body)
    shard = core.shards.get(request.shard_id)
    if shard is None or not shard.is_open:
        raise errors.ShardOwnershipLost("the shard belongs to another history process")
    await core.close_shard(request.shard_id)
    return b""
