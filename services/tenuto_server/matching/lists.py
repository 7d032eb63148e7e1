"""A task list in memory, and a poll of it that is being served."""

from __future__ import annotations

import asyncio

from tenuto_api import internal
from tenuto_server.cluster.partitions import split_name
from tenuto_server.matching.matcher import Matcher, Poll, Task

# Domain id, name, and internal.TaskType's number.
ListKey = tuple[str, str, int]


class TaskList:
    """A task list, or a partition of one, in memory. `timer` runs while polls wait for a task that may go out later.
    `backlogs` is how many tasks wait at history processes, by their addresses, beside those on offer. `has_scout`: one poll of
    the partition was passed on to the root at once. `domain_name` is known from the first poll on."""

    __slots__ = ("backlogs", "domain_name", "has_scout", "key", "matcher", "sticky", "timer")

    def __init__(self, key: ListKey, matcher: Matcher, sticky: bool) -> None:
        self.key = key
        self.matcher = matcher
        self.sticky = sticky
        self.domain_name = ""
        self.timer: asyncio.TimerHandle | None = None
        self.backlogs: dict[str, int] = {}
        self.has_scout = False

    @property
    def backlog(self) -> int:
        """Tasks that wait, here and at history."""
        return self.matcher.backlog + (sum(self.backlogs.values()) if self.backlogs else 0)


class Serving:
    """A `PollTask` call being served: until when it waits, and when its caller stops waiting (None: never)."""

    __slots__ = ("deadline", "poll", "request", "task_list", "until")

    def __init__(
        self,
        task_list: TaskList,
        poll: Poll,
        request: internal.PollTaskRequest,
        until: float,
        deadline: float | None,
    ) -> None:
        self.task_list = task_list
        self.poll = poll
        self.request = request
        self.until = until
        self.deadline = deadline

    def question(self, task: Task) -> bytes:
        """The StartTaskRequest for a task matched with this poll."""
        request = self.request
        question = internal.StartTaskRequest(
            request_id=request.request_id,
            identity=request.identity,
            task_list=split_name(request.task_list)[0],
            binary_checksum=request.binary_checksum,
            domain_name=request.domain_name,
        )
        question.task.MergeFromString(task.key)
        return question.SerializeToString()
