"""Task lists in partitions: tasks and polls that do not meet in one meet at the root."""

import asyncio

from tenuto_api import api, internal
from tenuto_server.cluster.partitions import partition_name
from tests.integration.matching.world import ACTIVITY, DOMAIN, MATCHING, START_NS, History, World, run

PART = partition_name("list", 2)


async def offer_if_polled(history: History, task: int) -> str:
    ref = internal.TaskRef(domain_id=DOMAIN, workflow_id="w", run_id="r", type=ACTIVITY, schedule_id=task)
    request = internal.OfferTasksRequest(history_address=history.address)
    request.offers.add(task=ref, task_list=PART, scheduled_ns=START_NS + task, only_if_polled=True)
    answer = await history.network.call(MATCHING, "OfferTasks", request.SerializeToString(), 5.0)
    [outcome] = internal.OfferTasksResponse.FromString(answer).outcomes
    return internal.OfferOutcome.Name(outcome).removeprefix("OFFER_OUTCOME_")


async def tell(history: History, waiting: int, task_type: internal.TaskType = ACTIVITY) -> None:
    request = internal.OfferTasksRequest(history_address=history.address)
    request.backlogs.add(domain_id=DOMAIN, task_list="list", type=task_type, waiting=waiting)
    await history.network.call(MATCHING, "OfferTasks", request.SerializeToString(), 5.0)


def test_a_poll_that_finds_nothing_is_passed_on_to_the_root() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        poll = world.polling("alice", task_list=PART)
        await asyncio.sleep(1)
        assert await history.offer(7) == ["ACCEPTED"]
        assert await poll == "task 7 for alice"
        assert [asked.task_list for asked in history.asked] == ["list"]

    run(main)


def test_a_task_meets_a_poll_in_its_own_partition() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        passed_on, stays = world.polling("alice", task_list=PART), world.polling("bob", task_list=PART)
        await asyncio.sleep(0.5)
        assert await offer_if_polled(history, 7) == "ACCEPTED"
        assert await stays == "task 7 for bob"
        assert [asked.task_list for asked in history.asked] == ["list"]
        await history.offer(8)
        assert await passed_on == "task 8 for alice"

    run(main)


def test_a_second_poll_is_passed_on_after_a_while() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        polls = [world.polling(name, task_list=PART) for name in ("alice", "bob")]
        await asyncio.sleep(world.settings.pass_on_after_s + 0.5)
        await history.offer(7, 8)
        assert sorted(await asyncio.gather(*polls)) == ["task 7 for alice", "task 8 for bob"]

    run(main)


def test_a_task_stays_in_a_partition_only_with_a_poll() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        assert await offer_if_polled(history, 7) == "NO_POLLER"
        assert await history.offer(7, task_list=PART) == ["ACCEPTED"]
        assert await world.poll(task_list=PART) == "task 7 for worker"

    run(main)


def test_a_passed_on_poll_ends_empty_in_time() -> None:
    async def main(world: World) -> None:
        begun = world.loop.time()
        assert await world.poll(task_list=PART, timeout_s=10.0) == ""
        assert 8.0 <= world.loop.time() - begun <= 10.0

    run(main)


def test_a_passed_on_poll_whose_caller_goes_takes_nothing() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        poll = world.polling("gone", task_list=PART)
        await asyncio.sleep(1)
        poll.cancel()
        await asyncio.wait([poll])
        await history.offer(7)
        assert await world.poll("alice") == "task 7 for alice"

    run(main)


def test_the_backlog_counts_what_history_keeps() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        await history.offer(1, 2)
        await tell(history, 500)
        assert await world.backlog() == 502
        await tell(history, 0)
        assert await world.backlog() == 2

    run(main)


def test_a_decision_poll_is_told_of_the_backlog() -> None:
    async def main(world: World) -> None:
        history = await world.history()

        async def answer(_request: internal.StartTaskRequest) -> bytes:
            return api.PollForDecisionTaskResponse(task_token=b"token").SerializeToString()

        history.behaviours.append(answer)
        decision = internal.TASK_TYPE_DECISION
        await tell(history, 41, decision)
        offer = internal.OfferTasksRequest(history_address=history.address)
        ref = internal.TaskRef(domain_id=DOMAIN, workflow_id="w", run_id="r", type=decision, schedule_id=2)
        offer.offers.add(task=ref, task_list="list", scheduled_ns=START_NS)
        await history.network.call(MATCHING, "OfferTasks", offer.SerializeToString(), 5.0)
        poll = internal.PollTaskRequest(domain_id=DOMAIN, task_list="list", type=decision, identity="w", request_id="p")
        body = await world.frontend.call(MATCHING, "PollTask", poll.SerializeToString(), 10.0)
        response = api.PollForDecisionTaskResponse.FromString(body)
        assert (response.task_token, response.backlog_count_hint) == (b"token", 41)

    run(main)


def test_the_lists_of_a_domain() -> None:
    async def main(world: World) -> None:
        await world.poll("alice", timeout_s=2.0)
        await world.poll("bob", timeout_s=2.0, task_list=PART)
        await world.poll("carol", timeout_s=2.0, task_list="sticky", sticky=True)
        body = internal.ListTaskListsRequest(domain_id=DOMAIN).SerializeToString()
        answer = await world.frontend.call(MATCHING, "ListTaskLists", body, 5.0)
        found = api.GetTaskListsByDomainResponse.FromString(answer)
        assert list(found.activity_task_list_map) == ["list"]
        assert not found.decision_task_list_map
        assert sorted(poller.identity for poller in found.activity_task_list_map["list"].pollers) == ["alice", "bob"]

    run(main)
