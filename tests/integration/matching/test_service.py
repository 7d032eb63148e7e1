"""The matching service among histories and frontends: offers meet polls, and nothing that can go wrong loses a task."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.matching.settings import MatchingSettings
from tenuto_server.transport.network import InternalCall
from tests.integration.matching.world import ACTIVITY, DOMAIN, MATCHING, START_NS, World, run, settle


def refuse(error: errors.ServiceError) -> Callable[[internal.StartTaskRequest], Awaitable[bytes]]:
    async def behaviour(_request: internal.StartTaskRequest) -> bytes:
        raise error

    return behaviour


async def hang(_request: internal.StartTaskRequest) -> bytes:
    await asyncio.sleep(3600)
    return b"too late"


def test_an_offer_meets_a_waiting_poll() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        poll = world.polling("alice")
        await asyncio.sleep(5)
        assert await history.offer(7) == ["ACCEPTED"]
        assert await poll == "task 7 for alice"
        [asked] = history.asked
        assert (asked.request_id, asked.identity, asked.task_list) == ("poll-1", "alice", "list")
        assert (asked.binary_checksum, asked.domain_name) == ("abc", "shop")
        assert (asked.task.schedule_id, asked.task.domain_id, asked.task.type) == (7, DOMAIN, ACTIVITY)

    run(main)


def test_polls_meet_offers_that_wait_oldest_first() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        assert await history.offer(3, 1, 2) == ["ACCEPTED"] * 3
        assert await world.backlog() == 3
        assert [await world.poll() for _ in range(3)] == [f"task {task} for worker" for task in (1, 2, 3)]
        assert await world.backlog() == 0

    run(main)


def test_lists_of_other_names_and_types_are_other_lists() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        await history.offer(1, task_list="other")
        assert await world.poll(timeout_s=5.0) == ""
        assert await world.poll(task_list="other") == "task 1 for worker"

    run(main)


@pytest.mark.parametrize(("timeout_s", "waits_s"), [(None, 60.0), (150.0, 60.0), (30.0, 29.0), (2.0, 1.0)])
def test_a_poll_ends_empty_a_second_before_its_deadline(timeout_s: float | None, waits_s: float) -> None:
    async def main(world: World) -> None:
        began = world.loop.time()
        assert await world.poll(timeout_s=timeout_s) == ""
        assert world.loop.time() - began == pytest.approx(waits_s, abs=0.01)

    run(main)


def test_a_poll_without_time_to_wait_takes_nothing() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        await history.offer(1)
        assert await world.poll(timeout_s=0.9) == ""
        assert history.asked == []

    run(main)


def test_a_poll_whose_caller_goes_takes_nothing() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        gone, other = world.polling("gone"), world.polling("other")
        await settle()
        gone.cancel()
        await settle()
        await history.offer(1)
        assert await other == "task 1 for other"
        assert [asked.identity for asked in history.asked] == ["other"]

    run(main)


def test_a_caller_that_goes_in_the_moment_of_the_match_leaves_the_task_to_another() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        gone = world.polling("gone")
        await settle()
        await history.offer(1)
        gone.cancel()
        await settle()
        assert gone.cancelled()
        assert await world.poll("other") == "task 1 for other"
        assert [asked.identity for asked in history.asked] == ["other"]

    run(main)


def test_a_caller_that_goes_while_history_is_asked_leaves_the_task_to_another() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        history.behaviours = [hang]
        gone = world.polling("gone")
        await settle()
        await history.offer(1)
        await settle()
        assert [asked.identity for asked in history.asked] == ["gone"]
        other = world.polling("other")
        gone.cancel()
        assert await other == "task 1 for other"

    run(main)


@pytest.mark.parametrize(
    "error", [errors.EntityNotExists("gone"), errors.WorkflowAlreadyCompleted(), errors.ShardOwnershipLost("moved")]
)
def test_a_task_that_history_does_not_have_is_dropped_and_the_poll_keeps_its_place(error: errors.ServiceError) -> None:
    async def main(world: World) -> None:
        history = await world.history()
        history.behaviours = [refuse(error)]
        first, second = world.polling("first"), world.polling("second")
        await settle()
        await history.offer(1)
        await settle()
        assert await world.backlog() == 0
        await history.offer(2)
        assert await first == "task 2 for first"
        second.cancel()
        await settle()

    run(main)


def test_many_stale_tasks_do_not_use_up_the_poll() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        history.gone = set(range(100))
        await history.offer(*range(101))
        assert await world.poll() == "task 100 for worker"

    run(main)


def test_an_unknown_outcome_is_asked_again_with_the_same_request_id() -> None:
    async def main(world: World) -> None:
        history = await world.history()

        async def starts_but_the_answer_is_lost(request: internal.StartTaskRequest) -> bytes:
            history.start(request)
            raise errors.Unavailable("the link broke")

        history.behaviours = [starts_but_the_answer_is_lost, hang]
        await history.offer(1)
        assert await world.poll() == "task 1 for worker"
        assert [asked.request_id for asked in history.asked] == ["poll-1"] * 3

    run(main)


def test_a_history_that_does_not_answer_costs_a_poll_only_so_long() -> None:
    async def main(world: World) -> None:
        dead, alive = await world.history("h1"), await world.history("h2")
        dead.behaviours = [hang] * 100
        await dead.offer(1)
        poll = world.polling(timeout_s=60.0)
        await settle()
        await alive.offer(2)
        assert await poll == "task 2 for worker"
        attempts = world.settings.start_attempts_max
        assert len(dead.asked) == attempts
        assert world.loop.time() < attempts * world.settings.start_timeout_s + 1.0
        assert await world.backlog() == 1
        dead.behaviours.clear()
        assert await world.poll("again") == "task 1 for again"

    run(main)


def test_one_task_of_a_history_that_hangs_is_enough_to_know() -> None:
    async def main(world: World) -> None:
        dead, alive = await world.history("h1"), await world.history("h2")
        dead.behaviours = [hang] * 100
        await dead.offer(1, 2, 3)
        await alive.offer(4)
        assert await world.poll(timeout_s=60.0) == "task 4 for worker"
        assert {asked.task.schedule_id for asked in dead.asked} == {1}

    run(main)


def test_an_answer_comes_before_the_callers_deadline_even_if_history_hangs() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        history.behaviours = [hang] * 10
        poll = world.polling(timeout_s=10.0)
        await asyncio.sleep(8.9)
        await history.offer(1)
        assert await poll == ""
        assert world.loop.time() < 10.0
        assert await world.backlog() == 1

    run(main)


def test_a_new_owner_that_offers_again_is_asked_instead_of_the_old_one() -> None:
    async def main(world: World) -> None:
        old, new = await world.history("h1"), await world.history("h2")
        old.behaviours = [refuse(errors.Unavailable("closing"))]
        poll = world.polling()
        await settle()
        await old.offer(1)
        await settle()
        await new.offer(1)
        assert await poll == "task 1 for worker"
        assert (len(old.asked), len(new.asked)) == (1, 1)

    run(main)


def test_tasks_of_a_dead_history_hold_nobody_up_and_go_out_when_another_offers_them() -> None:
    async def main(world: World) -> None:
        dying, other = await world.history("h1"), await world.history("h2")
        await dying.offer(1)
        assert await world.poll() == "task 1 for worker"
        await dying.offer(2, 4)
        await other.offer(3)
        world.network.crash("h1")
        await settle()
        assert await world.poll() == "task 3 for worker"
        assert world.loop.time() < 0.1
        poll = world.polling(timeout_s=60.0)
        await asyncio.sleep(12)
        assert await other.offer(2) == ["ACCEPTED"]
        assert await poll == "task 2 for worker"
        assert world.loop.time() == pytest.approx(12.0, abs=0.1)

    run(main)


def test_tasks_of_a_history_whose_link_only_hiccuped_go_out_without_another_offer() -> None:
    async def main(world: World) -> None:
        history = await world.history("h1")
        await history.offer(1)
        assert await world.poll() == "task 1 for worker"
        await history.offer(2, 3)
        world.network.crash("h1")
        await settle()
        await history.listen()
        assert await world.poll() == "task 2 for worker"
        assert await world.poll() == "task 3 for worker"
        assert world.loop.time() < 1.0

    run(main)


def test_what_nobody_will_ever_start_is_dropped_in_the_end() -> None:
    async def main(world: World) -> None:
        history = await world.history("h1")
        await history.offer(1)
        world.network.crash("h1")
        polls = 0
        while await world.backlog():
            assert await world.poll(timeout_s=None) == ""
            polls += 1
        assert 240 < world.loop.time() < 360
        assert polls < 7

    run(main)


def test_a_bug_in_history_hurts_its_task_only() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        history.behaviours = [refuse(errors.InternalService("internal error"))]
        poll = world.polling()
        await settle()
        await history.offer(1, 2)
        assert await poll == "task 2 for worker"
        assert await world.poll() == "task 1 for worker"

    run(main)


def test_there_is_room_for_so_many_tasks_in_all_lists_together() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        assert await history.offer(1, task_list="one") == ["ACCEPTED"]
        assert await history.offer(2, 3, task_list="other") == ["ACCEPTED", "FULL"]
        assert await world.poll(task_list="one") == "task 1 for worker"
        assert await history.offer(3, task_list="other") == ["ACCEPTED"]

    run(main, MatchingSettings(tasks_max=2))


def test_a_full_buffer_refuses_and_has_room_again_when_polled() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        assert await history.offer(1, 2, 3) == ["ACCEPTED", "ACCEPTED", "FULL"]
        assert await history.offer(1) == ["ACCEPTED"]
        assert await world.poll() == "task 1 for worker"
        assert await history.offer(3) == ["ACCEPTED"]

    run(main, MatchingSettings(buffer_max=2))


def test_too_many_polls_are_refused_as_busy() -> None:
    async def main(world: World) -> None:
        polls = [world.polling(timeout_s=5.0), world.polling(timeout_s=5.0)]
        await settle()
        with pytest.raises(errors.ServiceBusy):
            await world.poll()
        assert await asyncio.gather(*polls) == ["", ""]

    run(main, MatchingSettings(polls_max=2))


def test_too_many_lists_are_refused_until_the_unused_are_unloaded() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        await history.offer(1, task_list="full")
        assert await world.poll(task_list="empty", timeout_s=2.0) == ""
        assert await history.offer(2, task_list="another") == ["FULL"]
        with pytest.raises(errors.ServiceBusy):
            await world.poll(task_list="another")
        await asyncio.sleep(11)
        assert await history.offer(2, task_list="another") == ["ACCEPTED"]
        assert await history.offer(3, task_list="one more") == ["FULL"]

    run(main, MatchingSettings(lists_max=2))


def test_a_sticky_list_takes_offers_only_while_it_is_polled() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        assert await history.offer(1, task_list="host:1", sticky=True) == ["NO_STICKY_POLLER"]
        poll = world.polling(task_list="host:1", sticky=True)
        await asyncio.sleep(20)
        assert await history.offer(1, task_list="host:1", sticky=True) == ["ACCEPTED"]
        assert await poll == "task 1 for worker"
        await asyncio.sleep(9)
        assert await history.offer(2, task_list="host:1", sticky=True) == ["ACCEPTED"]
        await asyncio.sleep(2)
        assert await history.offer(3, task_list="host:1", sticky=True) == ["NO_STICKY_POLLER"]

    run(main)


def test_dispatch_keeps_to_the_rate_that_pollers_ask_for() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        await history.offer(*range(10))
        times = []
        for _ in range(10):
            assert await world.poll(rate=2.0)
            times.append(world.loop.time())
        assert times == pytest.approx([max(0, number - 1) / 2 for number in range(10)], abs=0.01)

    run(main)


def test_a_task_that_rests_does_not_hold_up_those_that_wait_for_the_rate() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        history.behaviours = [refuse(errors.Unavailable("busy"))]
        polls = [world.polling(rate=1.0), world.polling(rate=1.0)]
        await settle()
        await history.offer(1)
        await settle()
        await history.offer(2, 3)
        assert await asyncio.gather(*polls) == ["task 2 for worker", "task 3 for worker"]
        assert world.loop.time() == pytest.approx(1.0, abs=0.01)
        assert await world.poll(rate=1.0) == "task 1 for worker"
        assert world.loop.time() == pytest.approx(10.0, abs=0.01)

    run(main, MatchingSettings(start_attempts_max=1, rest_s=10.0))


def test_a_task_offered_again_that_a_poll_had_no_time_for_goes_to_the_next() -> None:
    async def main(world: World) -> None:
        history = await world.history()

        async def refuses_late(_request: internal.StartTaskRequest) -> bytes:
            await asyncio.sleep(0.5)
            raise errors.ShardOwnershipLost("moved")

        history.behaviours = [refuses_late]
        early, late = world.polling("early", timeout_s=10.0), world.polling("late", timeout_s=40.0)
        await asyncio.sleep(8.8)
        await history.offer(1)
        await settle()
        await history.offer(1)
        assert await early == ""
        assert await late == "task 1 for late"
        assert world.loop.time() == pytest.approx(9.3, abs=0.01)

    run(main)


def test_a_list_is_described() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        await asyncio.sleep(100)
        alice = world.polling("alice", rate=5.0)
        await asyncio.sleep(1)
        bob = world.polling("bob", timeout_s=5.0)
        await settle()
        described = await world.describe()
        assert [(poller.identity, poller.rate_per_second) for poller in described.pollers] == [
            ("bob", 100_000.0),
            ("alice", 5.0),
        ]
        ages = [START_NS + 101e9 - poller.last_access_time.ToNanoseconds() for poller in described.pollers]
        assert ages == pytest.approx([0, 1e9], abs=1e7)
        assert described.task_list == api.TaskList(name="list", kind=api.TASK_LIST_KIND_NORMAL)
        assert described.task_list_status.rate_per_second == 5.0
        assert described.task_list_status.empty
        assert await bob == ""
        assert await alice == ""
        await history.offer(1, 2)
        assert (await world.describe()).task_list_status.backlog_count_hint == 2
        assert not (await world.describe(status=False)).HasField("task_list_status")
        await asyncio.sleep(301)
        assert not (await world.describe()).pollers

    run(main)


def test_a_list_that_is_not_in_memory_is_described_without_loading_it() -> None:
    async def main(world: World) -> None:
        described = await world.describe("unknown")
        assert not described.pollers
        assert described.task_list_status == api.TaskListStatus(rate_per_second=100_000.0, empty=True)
        assert world.service._lists == {}

    run(main)


def test_lists_that_are_not_used_are_unloaded_but_not_those_that_hold_tasks() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        assert await world.poll(timeout_s=2.0) == ""
        assert await world.poll(task_list="host:1", sticky=True, timeout_s=2.0) == ""
        assert await history.offer(1, task_list="host:1", sticky=True) == ["ACCEPTED"]
        assert await history.offer(2, task_list="held") == ["ACCEPTED"]
        await asyncio.sleep(280)
        assert {name for _, name, _ in world.service._lists} == {"list", "host:1", "held"}
        await asyncio.sleep(60)
        assert {name for _, name, _ in world.service._lists} == {"held"}
        assert await world.poll(task_list="held") == "task 2 for worker"

    run(main)


def test_a_list_that_moved_sends_its_polls_away_and_keeps_its_tasks_a_while() -> None:
    async def main(world: World) -> None:
        history = await world.history()
        poll = world.polling()
        await settle()
        world.router.set_members(["h1"], ["matching-2"])
        assert await poll == ""
        assert world.loop.time() < 0.1
        assert await world.poll() == ""
        assert world.loop.time() == pytest.approx(world.settings.strayed_wait_s, abs=0.1)
        assert await history.offer(1) == ["ACCEPTED"]
        assert await world.poll() == "task 1 for worker"
        await history.offer(2)
        await asyncio.sleep(400)
        assert world.service._lists == {}

    run(main)


def test_a_graceful_stop_lets_started_tasks_go_out_and_sends_the_others_away() -> None:
    async def main(world: World) -> None:
        history = await world.history()

        async def slow(request: internal.StartTaskRequest) -> bytes:
            await asyncio.sleep(2)
            return history.start(request)

        history.behaviours = [slow]
        served, waiting = world.polling("served"), world.polling("waiting")
        await settle()
        await history.offer(1)
        await settle()
        stopping = asyncio.create_task(world.service.stop())
        assert await waiting == ""
        await settle()
        assert not stopping.done()
        assert world.loop.time() < 0.1
        with pytest.raises(errors.Unavailable):
            await history.offer(2)
        assert await served == "task 1 for served"
        await stopping
        assert world.loop.time() < 2.1

    run(main)


def test_a_killed_service_leaves_nothing_waiting() -> None:
    async def main(world: World) -> None:
        poll = world.polling()
        await settle()
        world.service.kill()
        with pytest.raises(errors.Unavailable):
            await poll
        with pytest.raises(errors.Unavailable):
            await world.poll()

    run(main)


@pytest.mark.parametrize(
    ("method", "body", "error"),
    [
        ("Sing", b"", errors.Unimplemented),
        ("PollTask", internal.PollTaskRequest(domain_id=DOMAIN, type=ACTIVITY).SerializeToString(), errors.BadRequest),
        ("PollTask", internal.PollTaskRequest(task_list="list").SerializeToString(), errors.BadRequest),
    ],
)
def test_what_makes_no_sense_is_refused(method: str, body: bytes, error: type[errors.ServiceError]) -> None:
    async def main(world: World) -> None:
        with pytest.raises(error):
            await world.service.handle(InternalCall(method, body))
        with pytest.raises(error):
            await world.frontend.call(MATCHING, method, body)

    run(main)
