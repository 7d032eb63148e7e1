"""Strong queries of one run that wait for its decision task: in memory only, no record of the run knows of them.

    (absent) --buffer--> waiting --a decision starts--> attached to it --answered by it--> (answered)
                            |                               |--it ends otherwise--> (released)
                            |--no decision is pending any more, the run closes--> (released)

A query goes with one decision at most. Whoever waits for a released query asks a worker directly: what was pending when the
query came has been decided by then, or will not be soon. A decision that only keeps itself going (a heartbeat) is not
over: its answers do not count, and its queries go with the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.engine.state import Decision, RunState

RESULT_TOO_LARGE = "query result size exceeds limit"
BUFFER_FULL = "consistent query buffer is full, cannot accept new consistent queries"


class _Query:
    """`decision` names the started decision that it went with, empty while it waits for one."""

    __slots__ = ("decision", "outcome", "query")

    def __init__(self, query: api.WorkflowQuery) -> None:
        self.query = query
        self.decision = ""
        self.outcome: asyncio.Future[api.WorkflowQueryResult | None] = asyncio.get_running_loop().create_future()


class BufferedQueries:
    """The queries of one run, by id."""

    __slots__ = ("_queries",)

    def __init__(self) -> None:
        self._queries: dict[str, _Query] = {}

    def __len__(self) -> int:
        return len(self._queries)

    def buffer(
        self, query_id: str, query: api.WorkflowQuery, queries_max: int
    ) -> asyncio.Future[api.WorkflowQueryResult | None]:
        """A query waits. The future holds its answer, or None where it was released; it fails where the run has left this
        process. Raises InternalService where there are too many."""
        if len(self._queries) >= queries_max:
            raise errors.InternalService(BUFFER_FULL)
        waiting = self._queries[query_id] = _Query(query)
        return waiting.outcome

    def remove(self, query_id: str) -> None:
        """Nobody waits for it any more."""
        waiting = self._queries.pop(query_id, None)
        if waiting is not None:
            waiting.outcome.cancel()

    def attach(self, decision: Decision, bytes_max: int) -> dict[str, api.WorkflowQuery]:
        """The queries that go with a started decision: also those that went with it before, if it is asked for again."""
        name, size = _name(decision), 0
        attached: dict[str, api.WorkflowQuery] = {}
        for query_id, waiting in self._queries.items():
            if waiting.outcome.done() or waiting.decision not in ("", name):
                continue
            size += waiting.query.ByteSize()
            if size > bytes_max:
                break
            waiting.decision = name
            attached[query_id] = waiting.query
        return attached

    def answer(self, decision: Decision, results: Mapping[str, api.WorkflowQueryResult], result_bytes_max: int) -> None:
        """What the worker made of the queries that went with its decision, which is being completed."""
        name = _name(decision)
        for query_id, waiting in self._queries.items():
            if waiting.decision != name or waiting.outcome.done() or query_id not in results:
                continue
            result = results[query_id]
            if result.ByteSize() > result_bytes_max:
                result = api.WorkflowQueryResult(
                    result_type=api.QUERY_RESULT_TYPE_FAILED, error_message=RESULT_TOO_LARGE
                )
            waiting.outcome.set_result(result)

    def detach(self, decision: Decision) -> None:
        """The decision was a heartbeat: its queries go with the next one."""
        name = _name(decision)
        for waiting in self._queries.values():
            if waiting.decision == name:
                waiting.decision = ""

    def follow(self, state: RunState) -> None:
        """After a turn: releases the queries that wait for nothing any more."""
        decision = state.decision if state.is_open else None
        started = _name(decision) if decision is not None and decision.started_ns else ""
        for waiting in self._queries.values():
            if not waiting.outcome.done() and (decision is None or waiting.decision not in ("", started)):
                waiting.outcome.set_result(None)

    def lose(self) -> None:
        """The run has left this process: whoever asked asks again, at its new owner."""
        for waiting in self._queries.values():
            if not waiting.outcome.done():
                waiting.outcome.set_exception(errors.ShardOwnershipLost("the shard belongs to another history process"))


def _name(decision: Decision) -> str:
    return f"{decision.schedule_id}.{decision.attempt}.{decision.request_id}"
