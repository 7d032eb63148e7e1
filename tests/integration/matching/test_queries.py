"""Queries in the matching service: they meet polls of decisions, and whoever asks is always told or free to ask again."""

import asyncio
from typing import Any

import pytest

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.matching.settings import MatchingSettings
from tenuto_server.transport.network import InternalCall, Listener
from tests.integration.matching.world import DOMAIN, MATCHING, World, run, settle

ROUTED = api.PollForDecisionTaskResponse(workflow_type=api.WorkflowType(name="greet")).SerializeToString()


class Asker:
    """A history process that asks queries, and says what it must of their run."""

    def __init__(self, world: World) -> None:
        self.network = world.network.endpoint()
        self.asked: list[internal.StartQueryRequest] = []
        self.refusals: list[errors.ServiceError] = []
        self.hang = False
        self.listener: Listener | None = None

    async def listen(self) -> "Asker":
        self.listener = await self.network.listen("h1", self.handle)
        return self

    async def handle(self, call: InternalCall) -> bytes:
        assert call.method == "StartQuery"
        self.asked.append(internal.StartQueryRequest.FromString(call.body))
        if self.hang:
            await asyncio.sleep(3600)
        if self.refusals:
            raise self.refusals.pop(0)
        return ROUTED

    def ask(self, name: str, timeout_s: float = 10.0, *, sticky: bool = False, task_list: str = "list") -> Any:
        """Asks, in a task of its own."""
        request = internal.QueryTaskRequest(
            history_address="h1",
            domain_id=DOMAIN,
            workflow_id="w",
            run_id="r",
            task_list=task_list,
            kind=api.TASK_LIST_KIND_STICKY if sticky else api.TASK_LIST_KIND_NORMAL,
            query=api.WorkflowQuery(query_type=name),
        )

        async def call() -> internal.QueryTaskResponse:
            answer = await self.network.call(MATCHING, "QueryTask", request.SerializeToString(), timeout_s)
            return internal.QueryTaskResponse.FromString(answer)

        return asyncio.create_task(call())


async def poll(world: World, timeout_s: float = 30.0, task_list: str = "list", sticky: bool = False) -> bytes:
    """One decision poll."""
    request = internal.PollTaskRequest(
        domain_id=DOMAIN,
        domain_name="shop",
        task_list=task_list,
        kind=api.TASK_LIST_KIND_STICKY if sticky else api.TASK_LIST_KIND_NORMAL,
        type=internal.TASK_TYPE_DECISION,
        identity="worker",
        request_id="poll",
    )
    return await world.frontend.call(MATCHING, "PollTask", request.SerializeToString(), timeout_s)


async def answer(world: World, task: bytes, text: str, domain_id: str = DOMAIN) -> None:
    """Answers the query task of a poll."""
    token = internal.QueryToken.FromString(api.PollForDecisionTaskResponse.FromString(task).task_token)
    assert (token.domain_id, token.task_list, token.matching_address) == (DOMAIN, "list", MATCHING)
    result = api.WorkflowQueryResult(result_type=api.QUERY_RESULT_TYPE_ANSWERED, answer=api.Payload(data=text.encode()))
    request = internal.AnswerQueryRequest(domain_id=domain_id, task_id=token.task_id, result=result)
    assert await world.frontend.call(MATCHING, "AnswerQuery", request.SerializeToString(), 5.0) == b""


def test_a_query_meets_a_poll_and_its_answer_comes_back() -> None:
    async def main(world: World) -> None:
        asker = await Asker(world).listen()
        asked = asker.ask("state")
        await asyncio.sleep(3)
        task = await poll(world)
        parsed = api.PollForDecisionTaskResponse.FromString(task)
        assert (parsed.query.query_type, parsed.workflow_type.name) == ("state", "greet")
        assert [(ask.workflow_id, ask.run_id, ask.task_list) for ask in asker.asked] == [("w", "r", "list")]
        await settle()
        assert not asked.done()
        with pytest.raises(errors.EntityNotExists):
            await answer(world, task, "for another domain", domain_id="other")
        await answer(world, task, "fine")
        assert (await asked).result.answer.data == b"fine"
        with pytest.raises(errors.EntityNotExists):
            await answer(world, task, "again")

    run(main)


def test_a_query_ends_with_its_time_or_its_asker() -> None:
    async def main(world: World) -> None:
        asker = await Asker(world).listen()
        late, cancelled, taken = asker.ask("late", 2.0), asker.ask("cancelled"), asker.ask("taken", 5.0)
        await settle()
        cancelled.cancel()
        with pytest.raises(errors.DeadlineExceeded):
            await late
        task = await poll(world)
        assert api.PollForDecisionTaskResponse.FromString(task).query.query_type == "taken"
        with pytest.raises(errors.DeadlineExceeded):
            await taken
        with pytest.raises(errors.EntityNotExists):
            await answer(world, task, "too late")
        assert await poll(world, 3.0) == b""

    run(main)


def test_a_sticky_list_that_nobody_polls_takes_no_query() -> None:
    async def main(world: World) -> None:
        asker = await Asker(world).listen()
        assert (await asker.ask("state", sticky=True)).no_sticky_poller
        polling = asyncio.create_task(poll(world, sticky=True))
        await settle()
        asked = asker.ask("state", sticky=True)
        await answer(world, await polling, "here")
        assert (await asked).result.answer.data == b"here"
        await asyncio.sleep(60)
        assert (await asker.ask("state", sticky=True)).no_sticky_poller

    run(main)


def test_a_poll_that_goes_before_history_answered_leaves_the_query_to_the_next() -> None:
    async def main(world: World) -> None:
        asker = await Asker(world).listen()
        asker.hang = True
        first = asyncio.create_task(poll(world))
        await settle()
        asked = asker.ask("state")
        await asyncio.sleep(1)
        asker.hang = False
        first.cancel()
        await answer(world, await poll(world), "second")
        assert (await asked).result.answer.data == b"second"
        assert len(asker.asked) == 2

    run(main)


def test_what_history_refuses_ends_the_query_and_the_poll_goes_on() -> None:
    async def main(world: World) -> None:
        asker = await Asker(world).listen()
        asker.refusals = [errors.EntityNotExists("no such run"), errors.ShardOwnershipLost("moved")]
        polling = asyncio.create_task(poll(world))
        await settle()
        with pytest.raises(errors.EntityNotExists, match="no such run"):
            await asker.ask("state")
        with pytest.raises(errors.ShardOwnershipLost):
            await asker.ask("state")
        asked = asker.ask("state")
        await answer(world, await polling, "third")
        assert (await asked).result.answer.data == b"third"

    run(main)


def test_an_asker_that_goes_while_history_is_asked_frees_the_poll() -> None:
    async def main(world: World) -> None:
        asker = await Asker(world).listen()
        asker.hang = True
        polling = asyncio.create_task(poll(world))
        await settle()
        gone = asker.ask("gone")
        await asyncio.sleep(1)
        gone.cancel()
        asker.hang = False
        asked = asker.ask("stays")
        # The poll first hears, by the time limit, that nobody wants the answer any more.
        task = await polling
        assert api.PollForDecisionTaskResponse.FromString(task).query.query_type == "stays"
        await answer(world, task, "yes")
        assert (await asked).result.answer.data == b"yes"

    run(main)


def test_there_are_never_too_many() -> None:
    async def main(world: World) -> None:
        asker = await Asker(world).listen()
        waiting = [asker.ask("a"), asker.ask("b")]
        await settle()
        with pytest.raises(errors.ServiceBusy):
            await asker.ask("c")
        for asked in waiting:
            asked.cancel()
        await settle()
        asked = asker.ask("d")
        await answer(world, await poll(world), "d")
        assert (await asked).result.answer.data == b"d"

    run(main, MatchingSettings(queries_max=2))


@pytest.mark.parametrize("event", ["moved", "stopped", "killed"])
def test_who_waits_is_told_when_the_list_goes_elsewhere(event: str) -> None:
    async def main(world: World) -> None:
        asker = await Asker(world).listen()
        asked = [asker.ask(name, 60.0) for name in ("taken", "waiting")]
        await settle()
        task = await poll(world)
        if event == "moved":
            world.router.set_members(["h1"], ["matching-2"])
            # What a worker has already is answered here all the same.
            await answer(world, task, "taken")
            assert (await asked[0]).result.answer.data == b"taken"
            with pytest.raises(errors.Unavailable):
                await asker.ask("new")
        elif event == "stopped":
            await world.service.stop()
        else:
            world.service.kill()
        for one in asked[1 if event == "moved" else 0 :]:
            with pytest.raises(errors.Unavailable):
                await one

    run(main)
