"""Queries on their way: who asked, what goes out to the worker that took one, and its answer back to the asker.

A query is nowhere but here, in memory. Its asker is a history process whose `QueryTask` call waits; if that call ends, by
its deadline or because history or the caller behind it has gone, the query is forgotten, also where a worker is at work on
it: that worker's answer finds nobody. The token of a query task names this very process, so the answer comes here whoever
owns the task list by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.matching.matcher import Query

NOT_FOUND = "query task not found, or already expired"


class Asking:
    """One query and the future of its answer, an encoded QueryTaskResponse."""

    __slots__ = ("answer", "request", "task_id")

    def __init__(self, request: internal.QueryTaskRequest, task_id: str) -> None:
        self.request = request
        self.task_id = task_id
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def fail(self, error: errors.ServiceError) -> None:
        """Tells the asker that this went wrong."""
        if not self.answer.done():
            self.answer.set_exception(error)

    def start_request(self, task_list: str) -> bytes:
        """What history is asked when a poller of `task_list` took the query."""
        request = self.request
        return internal.StartQueryRequest(
            domain_id=request.domain_id,
            workflow_id=request.workflow_id,
            run_id=request.run_id,
            task_list=task_list,
            query_bytes=request.query.ByteSize(),
        ).SerializeToString()

    def poll_response(self, started: bytes, address: str) -> bytes:
        """The poll response: what history said, and the token and query joined to it."""
        request = self.request
        token = internal.QueryToken(
            domain_id=request.domain_id, task_list=request.task_list, task_id=self.task_id, matching_address=address
        )
        task = api.PollForDecisionTaskResponse(task_token=token.SerializeToString(), query=request.query)
        # Set even if it were empty: its presence makes this a query task.
        task.query.SetInParent()
        return started + task.SerializeToString()


class Askings:
    """All queries of one matching process whose askers wait."""

    __slots__ = ("_askings", "_new_id")

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._askings: dict[str, Asking] = {}
        self._new_id = new_id

    def __len__(self) -> int:
        return len(self._askings)

    def add(self, request: internal.QueryTaskRequest) -> Asking:
        """A new query."""
        asking = Asking(request, self._new_id())
        self._askings[asking.task_id] = asking
        return asking

    def remove(self, asking: Asking) -> None:
        """Its asker waits no more."""
        self._askings.pop(asking.task_id, None)
        if not asking.answer.cancel() and not asking.answer.cancelled():
            # Nobody may have taken it: then nobody is to be told.
            asking.answer.exception()

    def answer(self, request: internal.AnswerQueryRequest) -> None:
        """A worker's answer. Raises EntityNotExists where nobody waits for it."""
        asking = self._askings.get(request.task_id)
        if asking is None or asking.answer.done() or asking.request.domain_id != request.domain_id:
            raise errors.EntityNotExists(NOT_FOUND)
        asking.answer.set_result(internal.QueryTaskResponse(result=request.result).SerializeToString())

    def fail_all(self, error: errors.ServiceError) -> None:
        """This process stops."""
        for asking in self._askings.values():
            asking.fail(error)


def fail(queries: list[Query], error: errors.ServiceError) -> None:
    """Tells the askers of these queries."""
    for query in queries:
        query.asker.fail(error)
