"""The span of a task's wait for a poller: from its schedule until history has started it for one."""

from __future__ import annotations

from tenuto_api import internal
from tenuto_server.cluster.partitions import split_name
from tenuto_server.matching.lists import Serving
from tenuto_server.matching.matcher import Task
from tenuto_server.telemetry import tracing
from tenuto_server.telemetry.tracing import Span, SpanKind


def waited(serving: Serving, task: Task) -> Span:
    """The span of a task that a poll has taken; calls from here on are below it, until it is left."""
    _, name, number = serving.task_list.key
    kind = "decision" if number == internal.TASK_TYPE_DECISION else "activity"
    span = tracing.begin(f"matching.{kind}", task.trace, SpanKind.INTERNAL, task.scheduled_ns)
    ref = internal.TaskRef.FromString(task.key)
    span.attributes = {
        tracing.DOMAIN: serving.task_list.domain_name,
        tracing.WORKFLOW_ID: ref.workflow_id,
        tracing.RUN_ID: ref.run_id,
        "tenuto.task_list": split_name(name)[0],
        "tenuto.poller": serving.poll.identity,
    }
    tracing.enter(span)
    return span
