"""Queries that wait for a run's decision task: what each turn of the run means for them."""

from __future__ import annotations

import asyncio

import pytest

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.history.engine.state import Decision, RunState
from tenuto_server.history.queries import RESULT_TOO_LARGE, BufferedQueries
from tests.unit.history.virtual import run

MANY = 1_000_000


def decision(schedule_id: int, request_id: str = "") -> Decision:
    return Decision(schedule_id, 0, 10, 1, 1, started_ns=1 if request_id else 0, request_id=request_id)


def state(pending: Decision | None) -> RunState:
    return RunState("d", "w", "r", next_event_id=5, decision=pending)


def answered(text: str) -> api.WorkflowQueryResult:
    return api.WorkflowQueryResult(result_type=api.QUERY_RESULT_TYPE_ANSWERED, answer=api.Payload(data=text.encode()))


def ask(name: str) -> api.WorkflowQuery:
    return api.WorkflowQuery(query_type=name)


def test_a_query_goes_with_one_decision_at_most() -> None:
    async def story() -> None:
        queries = BufferedQueries()
        early = queries.buffer("1", ask("early"), 10)
        first, second = decision(5, "poll-1"), decision(8, "poll-2")
        queries.follow(state(decision(5)))
        assert list(queries.attach(first, MANY)) == ["1"]
        queries.follow(state(first))
        later = queries.buffer("2", ask("later"), 10)
        # Asked for again, the same task carries the same and what came since.
        assert list(queries.attach(first, MANY)) == ["1", "2"]
        last = queries.buffer("3", ask("last"), 10)
        queries.answer(first, {"1": answered("a"), "3": answered("not asked"), "x": answered("unknown")}, MANY)
        queries.follow(state(decision(8)))
        assert await early == answered("a")
        assert await later is None
        assert not last.done()
        assert list(queries.attach(second, MANY)) == ["3"]
        # Another answer of the first changes nothing.
        queries.answer(first, {"3": answered("b")}, MANY)
        assert not last.done()
        queries.follow(state(None))
        assert await last is None

    run(story())


def test_a_heartbeat_keeps_its_queries() -> None:
    async def story() -> None:
        queries = BufferedQueries()
        outcome = queries.buffer("1", ask("q"), 10)
        first, second = decision(5, "poll-1"), decision(8, "poll-2")
        queries.attach(first, MANY)
        queries.detach(first)
        queries.follow(state(second))
        assert list(queries.attach(second, MANY)) == ["1"]
        queries.answer(second, {"1": answered("a")}, MANY)
        assert await outcome == answered("a")

    run(story())


def test_a_closed_or_lost_run_lets_all_go() -> None:
    async def story() -> None:
        queries = BufferedQueries()
        outcome = queries.buffer("1", ask("q"), 10)
        closed = state(decision(5))
        closed.close_status = 1
        queries.follow(closed)
        assert await outcome is None
        lost = queries.buffer("2", ask("q"), 10)
        queries.lose()
        with pytest.raises(errors.ShardOwnershipLost):
            await lost

    run(story())


def test_numbers_and_sizes_are_bounded() -> None:
    async def story() -> None:
        queries = BufferedQueries()
        large = api.WorkflowQuery(query_type="q", query_args=api.Payload(data=b"x" * 100))
        outcomes = [queries.buffer(str(number), large, 3) for number in range(3)]
        with pytest.raises(errors.InternalService, match="consistent query buffer is full"):
            queries.buffer("4", large, 3)
        first = decision(5, "poll")
        assert list(queries.attach(first, 250)) == ["0", "1"]
        queries.answer(first, {"0": answered("x" * 100), "1": answered("y")}, 100)
        assert (await outcomes[0]) == api.WorkflowQueryResult(
            result_type=api.QUERY_RESULT_TYPE_FAILED, error_message=RESULT_TOO_LARGE
        )
        assert await outcomes[1] == answered("y")
        assert not outcomes[2].done()
        queries.remove("2")
        queries.remove("2")
        assert outcomes[2].cancelled()
        assert len(queries) == 2
        await asyncio.sleep(0)

    run(story())
