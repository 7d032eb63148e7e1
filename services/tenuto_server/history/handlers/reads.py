"""Reading runs: their history, page by page or by long poll, and Describe. Only what is durable is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.history import events, paging, views
from tenuto_server.history.core import Core
from tenuto_server.history.engine.records import frame
from tenuto_server.history.paging import PageToken
from tenuto_server.history.run import Run
from tenuto_server.transport.network import InternalCall

# A long poll answers this long before its caller stops waiting.
_MARGIN_S = 1.0


async def describe(core: Core, call: InternalCall) -> bytes:
    """DescribeWorkflowExecution."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    core.count_request(envelope.domain_id, envelope.workflow_id)
    request = api.DescribeWorkflowExecutionRequest.FromString(envelope.request)
    named = request.workflow_execution
    run = await core.run(envelope.domain_id, named.workflow_id, named.run_id)
    response = views.describe(run)
    await core.durable(run)
    return response.SerializeToString()


async def flush_visibility(core: Core, call: InternalCall) -> bytes:
    """FlushVisibility: answers when what was acknowledged before the call can be seen in lists."""
    await core.flush_visibility()
    return b""


async def get_history(core: Core, call: InternalCall) -> bytes:
    """GetWorkflowExecutionHistory."""
    envelope = internal.WorkflowRequest.FromString(call.body)
    request = api.GetWorkflowExecutionHistoryRequest.FromString(envelope.request)
    named = request.workflow_execution
    token = paging.decode(request.next_page_token) if request.next_page_token else None
    if token is not None and named.run_id and named.run_id != token.run_id:
        raise errors.BadRequest("Invalid NextPageToken.")
    run = await core.run(envelope.domain_id, named.workflow_id, token.run_id if token else named.run_id)
    if token is not None and token.next_id > run.state.next_event_id:
        raise errors.BadRequest("Invalid NextPageToken.")
    if request.history_event_filter_type == api.EVENT_FILTER_TYPE_CLOSE_EVENT:
        return await _close_event(core, call, run, request.wait_for_new_event)
    return await _all_events(core, call, run, request, token)


async def _close_event(core: Core, call: InternalCall, run: Run, wait: bool) -> bytes:
    """Only the last event, once there will be no other."""
    upto = run.state.next_event_id
    if wait:
        await _wait(core, call, run, lambda: run.is_closed, of_end=True)
    is_closed, last = run.is_closed, run.state.next_event_id - 1
    # What is shown, and what a token names: a successor of ours would not know what is not. Not before the wait, for nothing that
    # happens meanwhile should go to the log sooner for our sake.
    await core.durable(run)
    if is_closed:
        return _response(await events.read(core.store, run, last, last + 1), None)
    return _response([], PageToken(run.state.run_id, upto, upto, True) if wait else None)


async def _all_events(
    core: Core, call: InternalCall, run: Run, request: api.GetWorkflowExecutionHistoryRequest, token: PageToken | None
) -> bytes:
    first = token.next_id if token else 1
    if token is None or (token.is_polling and request.wait_for_new_event and first >= token.until):
        if request.wait_for_new_event:
            await _wait(core, call, run, lambda: run.is_closed or run.state.next_event_id > first)
        until = run.state.next_event_id
        extra: Sequence[bytes] = ()
    else:
        until, extra = min(token.until, run.state.next_event_id), token.extra
    was_open = not run.is_closed
    # All that is shown, and that the next token names.
    await core.durable(run)
    most = core.settings.history_page_max
    size = min(request.page_size, most) if request.page_size > 0 else most
    page_bytes = core.settings.history_page_bytes_max
    frames = await events.read(core.store, run, first, min(until, first + size), page_bytes)
    page_until = first + len(frames)
    polling = request.wait_for_new_event and (was_open or until < run.state.next_event_id)
    if page_until < until or polling:
        return _response(frames, PageToken(run.state.run_id, page_until, until, polling, extra))
    return _response([*frames, *extra], None)


async def _wait(
    core: Core, call: InternalCall, run: Run, is_news: Callable[[], bool], *, of_end: bool = False
) -> None:
    """Waits until there is news, or the poll's time is over."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + core.settings.history_poll
    if call.deadline is not None:
        ends = min(ends, call.deadline - _MARGIN_S)
    while not is_news() and await core.news(run, ends, of_end=of_end):
        pass


def _response(frames: list[bytes], token: PageToken | None) -> bytes:
    """The response's bytes: field 1 is the history, present even when empty; field 3 the token."""
    history = frame(b"".join(frames))
    if token is None:
        return history
    return history + b"\x1a" + frame(paging.encode(token))[1:]
