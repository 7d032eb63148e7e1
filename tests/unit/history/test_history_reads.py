"""Reading a run's history on a real history process: what is shown, and what tokens name, is durable."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from tenuto_api import api
from tenuto_server.config.runtime import Runtime
from tenuto_server.history import events, storing
from tenuto_server.history.run import Run
from tenuto_server.persistence.interface import Row, StoreUnavailable, Table, WriteBatch
from tenuto_server.persistence.memory import MemoryStore
from tenuto_server.persistence.rows import int_key, join_ids, pack
from tests.unit.history.process import World, story


@pytest.mark.parametrize("close_filter", [True, False], ids=["close event", "all events"])
def test_a_long_poll_s_token_names_nothing_that_a_successor_may_not_know(close_filter: bool) -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        request = api.GetWorkflowExecutionHistoryRequest(
            workflow_execution=api.WorkflowExecution(workflow_id="w", run_id=run_id), wait_for_new_event=True
        )
        if close_filter:
            request.history_event_filter_type = api.EVENT_FILTER_TYPE_CLOSE_EVENT
        else:
            # The first page shows what there is; the poll proper begins with its token.
            answer = await w.call("GetWorkflowExecutionHistory", "w", request.SerializeToString())
            request.next_page_token = api.GetWorkflowExecutionHistoryResponse.FromString(answer).next_page_token
        append = w.store.append
        polling = asyncio.ensure_future(w.call("GetWorkflowExecutionHistory", "w", request.SerializeToString()))
        await asyncio.sleep(1)

        async def fails(log_id: str, seq: int, body: bytes) -> None:
            raise StoreUnavailable("down")

        w.store.append = fails  # type: ignore[method-assign]
        signal = api.SignalWorkflowExecutionRequest(
            workflow_execution=api.WorkflowExecution(workflow_id="w"), signal_name="lost", request_id="r"
        )
        lost = asyncio.ensure_future(w.call("SignalWorkflowExecution", "w", signal.SerializeToString()))
        await asyncio.sleep(60)
        # The process dies with the signal, which was never acknowledged.
        w.store.append = append  # type: ignore[method-assign]
        assert not lost.done()
        if close_filter:
            request.next_page_token = api.GetWorkflowExecutionHistoryResponse.FromString(await polling).next_page_token
        await w.crash()
        await asyncio.gather(lost, polling, return_exceptions=True)
        following = asyncio.ensure_future(w.call("GetWorkflowExecutionHistory", "w", request.SerializeToString()))
        await asyncio.sleep(1)
        await w.terminate()
        answer = await following
        assert api.GetWorkflowExecutionHistoryResponse.FromString(answer).history.events

    story(told)


@pytest.mark.parametrize("size", [0, -1])
def test_a_page_size_that_is_none_is_the_whole_page(size: int) -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        request = api.GetWorkflowExecutionHistoryRequest(
            workflow_execution=api.WorkflowExecution(workflow_id="w", run_id=run_id), page_size=size
        )
        answer = await w.call("GetWorkflowExecutionHistory", "w", request.SerializeToString())
        page = api.GetWorkflowExecutionHistoryResponse.FromString(answer)
        assert [event.event_id for event in page.history.events] == [1, 2]
        assert not page.next_page_token

    story(told)


def test_a_page_may_begin_within_any_batch() -> None:
    async def told(w: World) -> None:
        store = MemoryStore(Runtime())
        run = cast(Run, SimpleNamespace(state=SimpleNamespace(domain_id="d", workflow_id="w", run_id="r"), is_deleted=False))
        frames = [api.History(events=[api.HistoryEvent(event_id=number)]).SerializeToString() for number in range(1, 101)]
        partition = join_ids("d", "w", "r")
        rows = [
            Row(Table.HISTORY, partition, int_key(first), pack(storing.VERSION, frames[first - 1] + frames[first]), 1)
            for first in range(1, 101, 2)
        ]
        await store.write(WriteBatch(rows=rows))
        assert await asyncio.wait_for(events._read_stored(store, run, 90, 101, 10_000), 5) == frames[89:]

    story(told)
