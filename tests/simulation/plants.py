"""Mistakes to plant in a simulated cluster, each from outside: proofs that the checkers would find them in the product.

A plant is made anew for each run, for it keeps state. None touches product code: they stand between a process and its
store, in front of a service's handler, or in the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history.log import DELETED, decode_batch, encode_batch
from tenuto_server.persistence.interface import LogRow, Row, Sealed, Store, Table, WriteBatch
from tenuto_server.rules.schedules import KEY_TIME
from tenuto_server.transport.network import InternalCall, InternalHandler

from .cluster import Hooks


class _Wrapped:
    """A store that differs from another in a method or two."""

    def __init__(self, store: Store, life: str) -> None:
        self.store = store
        self.life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def answers_before_durable() -> Hooks:
    """An append returns at once and is written a little later, unless the process dies first."""
    dead: dict[str, None] = {}
    under_way: dict[asyncio.Task[None], None] = {}

    class Early(_Wrapped):
        async def append(self, log_id: str, seq: int, body: bytes) -> None:
            writing = asyncio.get_running_loop().create_task(self._write(log_id, seq, body))
            under_way[writing] = None
            writing.add_done_callback(under_way.pop)

        async def _write(self, log_id: str, seq: int, body: bytes) -> None:
            await asyncio.sleep(0.3)
            try:
                if self.life not in dead:
                    await self.store.append(log_id, seq, body)
            except Sealed:
                return

    return Hooks(store=lambda store, life: _as_store(Early(store, life)), crashed=lambda life: dead.update({life: None}))


def appends_to_sealed_logs() -> Hooks:
    """A writer whose log was sealed is told that its appends succeeded."""

    class Zombie(_Wrapped):
        async def append(self, log_id: str, seq: int, body: bytes) -> None:
            try:
                await self.store.append(log_id, seq, body)
            except Sealed:
                return

    return Hooks(store=lambda store, life: _as_store(Zombie(store, life)))


def loses_the_last_row() -> Hooks:
    """Whoever reads a log misses its newest row."""

    class Short(_Wrapped):
        async def read_log(self, log_id: str, after_seq: int, limit: int) -> list[LogRow]:
            rows = await self.store.read_log(log_id, after_seq, limit)
            return rows if len(rows) == limit else rows[:-1]

    return Hooks(store=lambda store, life: _as_store(Short(store, life)))


def forgets_rows(table: Table) -> Hooks:
    """One row in eight of a table is never written."""
    count = 0

    class Leaky(_Wrapped):
        async def write(self, batch: WriteBatch) -> None:
            def keeps(row: Row) -> bool:
                nonlocal count
                count += row.table is table
                return row.table is not table or count % 8 != 0

            await self.store.write(replace(batch, rows=[row for row in batch.rows if keeps(row)]))

    return Hooks(store=lambda store, life: _as_store(Leaky(store, life)))


def forgets_visibility() -> Hooks:
    """One visibility record in five is never written."""
    count = 0

    class Blind(_Wrapped):
        async def write(self, batch: WriteBatch) -> None:
            nonlocal count
            kept = []
            for record in batch.visibility:
                count += 1
                if count % 5:
                    kept.append(record)
            await self.store.write(replace(batch, visibility=kept))

    return Hooks(store=lambda store, life: _as_store(Blind(store, life)))


def keeps_deleted_snapshots() -> Hooks:
    """The snapshots of deleted runs stay where they are."""

    class Keeping(_Wrapped):
        async def write(self, batch: WriteBatch) -> None:
            kept = [row for row in batch.rows if row.table is not Table.RUNS or row.value is not None]
            await self.store.write(replace(batch, rows=kept))

    return Hooks(store=lambda store, life: _as_store(Keeping(store, life)))


def replays_the_deleted() -> Hooks:
    """Whoever replays a log does not see that runs were deleted."""

    class Forgiving(_Wrapped):
        async def read_log(self, log_id: str, after_seq: int, limit: int) -> list[LogRow]:
            rows = await self.store.read_log(log_id, after_seq, limit)
            return [LogRow(seq, encode_batch([s for s in decode_batch(body) if s.version != DELETED])) for seq, body in rows]

    return Hooks(store=lambda store, life: _as_store(Forgiving(store, life)))


def _as_store(wrapped: _Wrapped) -> Store:
    store: Any = wrapped
    return store


def _before(role: str, around: Callable[[InternalHandler, InternalCall], Awaitable[bytes]]) -> Hooks:
    """Hooks that put `around` in front of every handler of a role."""

    def wrap(handler: InternalHandler, process: str) -> InternalHandler:
        if not process.startswith(role):
            return handler

        async def handle(call: InternalCall) -> bytes:
            return await around(handler, call)

        return handle

    return Hooks(handler=wrap)


def hands_out_twice() -> Hooks:
    """Matching gives an activity that it gave to one poll to the next poll of the list as well."""
    given: dict[str, bytes] = {}

    async def around(handler: InternalHandler, call: InternalCall) -> bytes:
        if call.method != "PollTask":
            return await handler(call)
        request = internal.PollTaskRequest.FromString(call.body)
        if request.type != internal.TASK_TYPE_ACTIVITY:
            return await handler(call)
        if request.task_list in given:
            return given.pop(request.task_list)
        answer = await handler(call)
        if answer:
            given[request.task_list] = answer
        return answer

    return _before("matching", around)


def starts_twice() -> Hooks:
    """History answers whoever asks to start an activity that it has started, as if it had not. So that somebody asks, every
    offer comes to matching a second time, late, as an offer may."""
    started: dict[bytes, bytes] = {}
    late: dict[asyncio.Task[None], None] = {}

    async def start(handler: InternalHandler, call: InternalCall) -> bytes:
        if call.method != "StartTask":
            return await handler(call)
        request = internal.StartTaskRequest.FromString(call.body)
        name = request.task.SerializeToString()
        try:
            answer = await handler(call)
        except errors.EntityNotExists:
            if request.task.type == internal.TASK_TYPE_ACTIVITY and name in started:
                return started[name]
            raise
        started[name] = answer
        return answer

    async def offer(handler: InternalHandler, call: InternalCall) -> bytes:
        if call.method == "OfferTasks":
            again = asyncio.get_running_loop().create_task(offer_late(handler, call))
            late[again] = None
            again.add_done_callback(late.pop)
        return await handler(call)

    async def offer_late(handler: InternalHandler, call: InternalCall) -> None:
        await asyncio.sleep(0.5)
        with contextlib.suppress(errors.ServiceError):
            await handler(call)

    def wrap(handler: InternalHandler, process: str) -> InternalHandler:
        around = {"history": start, "matching": offer}.get(process.partition("-")[0])
        return handler if around is None else functools.partial(around, handler)

    return Hooks(handler=wrap)


def loses_offers() -> Hooks:
    """Matching accepts one offer in three and forgets it."""
    count = 0

    async def around(handler: InternalHandler, call: InternalCall) -> bytes:
        nonlocal count
        if call.method != "OfferTasks":
            return await handler(call)
        count += 1
        if count % 3:
            return await handler(call)
        offers = internal.OfferTasksRequest.FromString(call.body).offers
        return internal.OfferTasksResponse(outcomes=[internal.OFFER_OUTCOME_ACCEPTED] * len(offers)).SerializeToString()

    return _before("matching", around)


def loses_signals() -> Hooks:
    """History acknowledges one signal in four without looking at it."""
    count = 0

    async def around(handler: InternalHandler, call: InternalCall) -> bytes:
        nonlocal count
        if call.method == "SignalWorkflowExecution":
            count += 1
            if count % 4 == 0:
                return b""
        return await handler(call)

    return _before("history", around)


def loses_signals_named(name: str) -> Hooks:
    """History acknowledges every signal of one name without looking at it."""

    async def around(handler: InternalHandler, call: InternalCall) -> bytes:
        if call.method == "SignalWorkflowExecution":
            request = internal.WorkflowRequest.FromString(call.body).request
            if api.SignalWorkflowExecutionRequest.FromString(request).signal_name == name:
                return b""
        return await handler(call)

    return _before("history", around)


def starts_scheduled_again() -> Hooks:
    """When a run of a schedule is started, history begins the run of the time before once more, with another request."""
    before: list[internal.WorkflowRequest] = []

    async def around(handler: InternalHandler, call: InternalCall) -> bytes:
        answer = await handler(call)
        if call.method != "StartWorkflowExecution":
            return answer
        envelope = internal.WorkflowRequest.FromString(call.body)
        start = api.StartWorkflowExecutionRequest.FromString(envelope.request)
        if KEY_TIME in start.search_attributes.indexed_fields:
            with contextlib.suppress(errors.ServiceError):
                if before:
                    again = before.pop().SerializeToString()
                    await handler(InternalCall(call.method, again, call.deadline))
            start.request_id += "-again"
            envelope.request = start.SerializeToString()
            before.append(envelope)
        return answer

    return _before("history", around)


def loses_calls(method: str, every: int) -> Hooks:
    """History acknowledges one in so many calls between workflows without looking at them, from when it first got them on."""
    told: dict[bytes, bool] = {}

    async def around(handler: InternalHandler, call: InternalCall) -> bytes:
        if call.method == method and told.setdefault(call.body, len(told) % every == every - 1):
            return b""
        return await handler(call)

    return _before("history", around)


def renews_request_ids() -> Hooks:
    """Clients try again with a new request id."""
    return Hooks(renew_request_ids=True)
