"""Queries as clients and workers see them on the wire, over both networks between the services."""

from __future__ import annotations

import asyncio

import pytest

from tenuto._rpc.connection import WorkerRpc, WorkflowRpc
from tenuto.errors import BadRequestError, EntityNotExistsError, QueryFailedError, RpcError
from tenuto_api import api, internal
from tests.integration.embedded.serving import NETWORKS, Raw, complete, raw, result, run

networks = pytest.mark.parametrize("network", NETWORKS)
NOT_YET = "workflow must handle at least one decision task before it can be queried"


async def decided(worker: Raw, *, sticky: str = "", sticky_s: int = 5) -> api.WorkflowExecution:
    """A workflow whose first decision is done."""
    execution = await worker.start()
    await worker.decide(await worker.poll(), sticky=sticky, sticky_s=sticky_s)
    return execution


@networks
def test_a_worker_of_the_normal_list_gets_the_query_with_the_whole_history(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await decided(worker)
            asked = asyncio.create_task(worker.query(api.WorkflowExecution(workflow_id="w")))
            task = await worker.poll()
            assert task.HasField("query")
            assert task.query.query_type == "state"
            assert (task.started_event_id, task.attempt, task.previous_started_event_id.value) == (0, 0, 3)
            assert task.HasField("previous_started_event_id")
            assert task.workflow_execution == execution
            assert task.workflow_type.name == "greet"
            assert [event.event_id for event in task.history.events] == [1, 2, 3, 4]
            assert not task.queries
            await worker.answer(task, b"fine")
            response = await asked
            assert response.query_result.data == b"fine"
            assert not response.HasField("query_rejected")
            with pytest.raises(EntityNotExistsError):
                await worker.answer(task, b"again")

    run(story)


@networks
def test_a_poll_that_waits_gets_the_query_at_once_and_a_failure_passes_through(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await decided(worker)
            polling = asyncio.create_task(worker.poll())
            await asyncio.sleep(0.05)
            asked = asyncio.create_task(worker.query(execution, "what"))
            await worker.answer(await polling, error="unknown queryType what. KnownQueryTypes=[a b]")
            with pytest.raises(QueryFailedError, match=r"^unknown queryType what\. KnownQueryTypes=\[a b\]$"):
                await asked

    run(story)


@networks
def test_the_sticky_worker_gets_it_without_history(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await decided(worker, sticky="host")
            polling = asyncio.create_task(worker.poll("host", sticky=True))
            await asyncio.sleep(0.05)
            asked = asyncio.create_task(worker.query(execution))
            task = await polling
            assert task.HasField("history")
            assert not task.history.events
            assert task.previous_started_event_id.value == 3
            await worker.answer(task, b"kept")
            assert (await asked).query_result.data == b"kept"

    run(story)


@networks
def test_without_a_live_sticky_worker_any_other_answers_at_once(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await decided(worker, sticky="host", sticky_s=20)
            asked = asyncio.create_task(worker.query(execution, timeout_s=5.0))
            task = await worker.poll()
            assert len(task.history.events) == 4
            await worker.answer(task, b"new")
            assert (await asked).query_result.data == b"new"

    run(story)


@networks
def test_a_sticky_worker_that_is_too_slow_loses_the_query_and_the_run(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await decided(worker, sticky="host", sticky_s=1)
            polling = asyncio.create_task(worker.poll("host", sticky=True))
            await asyncio.sleep(0.05)
            asked = asyncio.create_task(worker.query(execution))
            slow = await polling
            task = await worker.poll()
            assert len(task.history.events) == 4
            with pytest.raises(EntityNotExistsError):
                await worker.answer(slow, b"late")
            await worker.answer(task, b"new")
            assert (await asked).query_result.data == b"new"
            # Its next decision is for anybody.
            await worker.signal(execution)
            assert (await worker.poll()).started_event_id == 7

    run(story)


@networks
def test_a_closed_run_can_be_asked_or_the_question_refused(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await worker.start()
            await worker.decide(await worker.poll(), complete(), sticky="host")
            for strong in (False, True):
                asked = asyncio.create_task(worker.query(execution, strong=strong))
                task = await worker.poll()
                assert task.history.events[-1].HasField("workflow_execution_completed_event_attributes")
                await worker.answer(task, b"done")
                assert (await asked).query_result.data == b"done"
            refused = await worker.query(execution, reject=api.QUERY_REJECT_CONDITION_NOT_OPEN)
            assert refused.query_rejected.close_status == api.WORKFLOW_EXECUTION_CLOSE_STATUS_COMPLETED
            assert not refused.HasField("query_result")
            asked = asyncio.create_task(worker.query(execution, reject=api.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY))
            await worker.answer(await worker.poll(), b"clean")
            assert (await asked).query_result.data == b"clean"
            other = await worker.start("other")
            await worker.terminate(other)
            refused = await worker.query(other, reject=api.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY)
            assert refused.query_rejected.close_status == api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED
            with pytest.raises(QueryFailedError, match=NOT_YET):
                await worker.query(other)

    run(story)


@networks
def test_a_query_waits_for_the_first_decision(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await worker.start()
            with pytest.raises(QueryFailedError, match=f"^{NOT_YET}$"):
                await worker.query(execution, timeout_s=1.3)
            asked = asyncio.create_task(worker.query(execution))
            task = await worker.poll()
            assert not task.HasField("query")
            await worker.decide(task)
            await worker.answer(await worker.poll(), b"there")
            assert (await asked).query_result.data == b"there"

    run(story)


@networks
def test_a_strong_query_goes_with_the_pending_decision(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await decided(worker, sticky="host")
            await worker.signal(execution)
            asked = [asyncio.create_task(worker.query(execution, name, strong=True)) for name in ("a", "b", "c")]
            await asyncio.sleep(0.2)
            task = await worker.poll()
            assert not task.HasField("query")
            assert sorted(query.query_type for query in task.queries.values()) == ["a", "b", "c"]
            results = {query_id: result(query.query_type.encode()) for query_id, query in task.queries.items()}
            results = {key: result(error="no") if task.queries[key].query_type == "b" else results[key] for key in results}
            await worker.decide(task, query_results=results)
            assert (await asked[0]).query_result.data == b"a"
            assert (await asked[2]).query_result.data == b"c"
            with pytest.raises(QueryFailedError, match=r"^no$"):
                await asked[1]

    run(story)


@networks
def test_a_strong_query_without_pending_decision_is_a_direct_one(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await decided(worker)
            asked = asyncio.create_task(worker.query(execution, strong=True))
            await worker.answer(await worker.poll(), b"now")
            assert (await asked).query_result.data == b"now"

    run(story)


@networks
@pytest.mark.parametrize("end", ["unanswered", "failed", "timed out", "started before", "closed"])
def test_a_strong_query_is_asked_directly_when_its_decision_ends_without_it(network: str, end: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await worker.start(task_s=1)
            await worker.decide(await worker.poll())
            await worker.signal(execution)
            if end == "started before":
                task = await worker.poll()
                asked = asyncio.create_task(worker.query(execution, strong=True))
                await asyncio.sleep(0.2)
            else:
                asked = asyncio.create_task(worker.query(execution, strong=True))
                await asyncio.sleep(0.2)
                task = await worker.poll()
                assert len(task.queries) == 1
            if end == "failed":
                await worker.fail(task)
            elif end == "closed":
                await worker.terminate(execution)
            elif end != "timed out":
                await worker.decide(task)
            task = await worker.poll()
            if not task.HasField("query"):
                # The next attempt: the query goes with one decision only.
                assert not task.queries
                task = await worker.poll()
            await worker.answer(task, b"directly")
            assert (await asked).query_result.data == b"directly"

    run(story)


@networks
def test_a_heartbeat_does_not_answer_a_strong_query(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await decided(worker)
            await worker.signal(execution)
            asked = asyncio.create_task(worker.query(execution, strong=True))
            await asyncio.sleep(0.2)
            task = await worker.poll()
            (query_id,) = task.queries
            response = await worker.decide(
                task,
                force_create_new_decision_task=True,
                return_new_decision_task=True,
                query_results={query_id: result(b"half")},
            )
            following = response.decision_task
            assert list(following.queries) == [query_id]
            await worker.decide(following, query_results={query_id: result(b"whole")})
            assert (await asked).query_result.data == b"whole"

    run(story)


@networks
def test_a_query_whose_caller_has_gone_takes_no_poll(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await decided(worker)
            with pytest.raises(RpcError):
                await worker.query(execution, timeout_s=0.5)
            asked = asyncio.create_task(worker.query(execution, "second"))
            asked_too = asyncio.create_task(worker.query(execution, "third"))
            await asyncio.sleep(0.2)
            asked_too.cancel()
            await asyncio.sleep(0.2)
            task = await worker.poll()
            assert task.query.query_type == "second"
            await worker.signal(execution)
            decision = await worker.poll()
            assert not decision.HasField("query")
            await worker.answer(task, b"2")
            assert (await asked).query_result.data == b"2"

    run(story)


@networks
def test_what_cannot_be_asked_or_answered_is_refused(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            with pytest.raises(EntityNotExistsError):
                await worker.query(api.WorkflowExecution(workflow_id="unknown"))
            execution = await worker.start()
            for request in (
                api.QueryWorkflowRequest(domain="default", workflow_execution=execution),
                api.QueryWorkflowRequest(domain="default", workflow_execution=execution, query=api.WorkflowQuery()),
                api.QueryWorkflowRequest(domain="default", query=api.WorkflowQuery(query_type="q")),
            ):
                with pytest.raises(BadRequestError):
                    await worker.connection.call_once(WorkflowRpc.query, request)
            decision = await worker.poll()
            foreign = internal.QueryToken(domain_id="d", task_list="tl", task_id="t", matching_address="127.0.0.1:1")
            for token in (b"", b"\xff", decision.task_token):
                answer = api.RespondQueryTaskCompletedRequest(task_token=token, result=result(b"x"))
                with pytest.raises(BadRequestError):
                    await worker.connection.call_once(WorkerRpc.query_answered, answer)
            answer = api.RespondQueryTaskCompletedRequest(task_token=foreign.SerializeToString(), result=result(b"x"))
            with pytest.raises(EntityNotExistsError):
                await worker.connection.call_once(WorkerRpc.query_answered, answer)

    run(story)


@networks
def test_an_answer_over_the_limit_is_a_failure(network: str) -> None:
    async def story() -> None:
        async with raw(network) as worker:
            execution = await decided(worker)
            asked = asyncio.create_task(worker.query(execution))
            await worker.answer(await worker.poll(), b"x" * (2 * 1024 * 1024 + 1))
            with pytest.raises(QueryFailedError, match="Blob data size exceeds limit"):
                await asked
            asked = asyncio.create_task(worker.query(execution))
            await worker.answer(await worker.poll(), error="y" * 100_000)
            with pytest.raises(QueryFailedError, match=r"^y{2000}$"):
                await asked

    run(story)
