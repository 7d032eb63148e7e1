"""Task lists as workers see them: the two long polls."""

from __future__ import annotations

import math

from tenuto_api import api, internal
from tenuto_server.cluster.partitions import partition_name
from tenuto_server.errors import BadRequest, DeadlineExceeded
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.transport.public import PublicCall

# The answer to a poll that got no task: an empty message.
NO_TASK = b""


async def poll_for_decision_task(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Waits for a decision task on a normal or sticky task list."""
    request = parse(api.PollForDecisionTaskRequest, call.body)
    domain, poll, deadline = await _checked(frontend, call, request, internal.TASK_TYPE_DECISION)
    checksum = request.binary_checksum
    if checksum and checksum in domain.bad_binaries.binaries:
        raise BadRequest(f"binary {checksum} already marked as bad deployment")
    poll.binary_checksum = checksum
    return await _poll(frontend, poll, deadline)


async def poll_for_activity_task(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Waits for an activity task; the poller may ask for a dispatch rate of its task list."""
    request = parse(api.PollForActivityTaskRequest, call.body)
    rate = request.task_list_metadata.max_tasks_per_second.value
    if not (math.isfinite(rate) and rate >= 0):
        raise BadRequest("A valid MaxTasksPerSecond is not set on request.")
    _, poll, deadline = await _checked(frontend, call, request, internal.TASK_TYPE_ACTIVITY)
    poll.max_tasks_per_second = rate
    return await _poll(frontend, poll, deadline)


async def _checked(
    frontend: FrontendContext,
    call: PublicCall,
    request: api.PollForDecisionTaskRequest | api.PollForActivityTaskRequest,
    task_type: internal.TaskType,
) -> tuple[api.Domain, internal.PollTaskRequest, float]:
    """The domain, the poll as matching is asked it, and until when it may be held, in the event loop's time."""
    limits, task_list = frontend.limits_for(request.domain), request.task_list
    now = frontend.now()
    if call.deadline is not None and call.deadline - now < frontend.settings.poll_s_min:
        raise BadRequest("Context timeout is too short.")
    validation.check_length(request.identity, "Identity", limits)
    validation.check_task_list(task_list, limits, sticky_allowed=True)
    domain = await frontend.domain(request.domain, RateClass.WORKER, task_list.name, task_type)
    settings = frontend.live.for_task_list(request.domain, task_list.name, task_type)
    deadline = now + settings.poll_s_max
    if call.deadline is not None:
        deadline = min(deadline, call.deadline - settings.poll_margin_s)
    poll = internal.PollTaskRequest(
        domain_id=domain.id,
        domain_name=domain.name,
        task_list=task_list.name,
        kind=task_list.kind or api.TASK_LIST_KIND_NORMAL,
        type=task_type,
        identity=request.identity,
        request_id=frontend.runtime.new_id(),
    )
    return domain, poll, deadline


async def _poll(frontend: FrontendContext, poll: internal.PollTaskRequest, deadline: float) -> bytes:
    """No task in time is an empty answer, never an error: an error would make the worker back off. So is a wait that
    ends because this process stops. The request id stays the same however often the poll has to be made. Of a list with
    partitions it goes to one by chance."""
    partitions = frontend.live.for_task_list(poll.domain_name, poll.task_list, poll.type).task_list_read_partitions
    if partitions > 1 and poll.kind != api.TASK_LIST_KIND_STICKY:
        poll.task_list = partition_name(poll.task_list, frontend.runtime.random.randrange(partitions))
        poll.max_tasks_per_second /= partitions
    try:
        with frontend.long_poll():
            return await frontend.call_matching(
                poll.domain_id, poll.task_list, poll.type, "PollTask", poll.SerializeToString(), deadline
            )
    except (TimeoutError, DeadlineExceeded):
        return NO_TASK
