"""Offers of waiting tasks: to a matching process that is a fake of the network's interface."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.cluster.partitions import own_partition
from tenuto_server.cluster.router import StaticRouter
from tenuto_server.history.engine.tasks import Dispatch, TaskKind
from tenuto_server.history.offers import Offers, TaskKey
from tenuto_server.history.settings import HistorySettings
from tenuto_server.transport.network import InternalHandler, Listener
from tests.unit.history.virtual import run

ACCEPTED = internal.OFFER_OUTCOME_ACCEPTED
FULL = internal.OFFER_OUTCOME_FULL
NO_POLLER = internal.OFFER_OUTCOME_NO_POLLER
NO_STICKY_POLLER = internal.OFFER_OUTCOME_NO_STICKY_POLLER
RETRY_S = 0.05


class FakeNetwork:
    """Notes what is offered, and answers as `outcome` says. Calls fail while `is_down`, and wait while `gate` is closed."""

    is_remote = True

    def __init__(self) -> None:
        self.calls: list[tuple[float, str, internal.OfferTasksRequest]] = []
        self.outcome: Callable[[internal.TaskOffer], internal.OfferOutcome] = lambda offer: ACCEPTED
        self.is_down = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.lost: list[Callable[[str], None]] = []

    async def call(self, address: str, method: str, body: bytes, timeout_s: float | None = None) -> bytes:
        assert method == "OfferTasks" and timeout_s
        request = internal.OfferTasksRequest.FromString(body)
        self.calls.append((asyncio.get_running_loop().time(), address, request))
        await self.gate.wait()
        if self.is_down:
            raise errors.Unavailable("no such process")
        outcomes = [self.outcome(offer) for offer in request.offers]
        return internal.OfferTasksResponse(outcomes=outcomes).SerializeToString()

    def on_lost(self, callback: Callable[[str], None]) -> None:
        self.lost.append(callback)

    async def listen(self, address: str, handler: InternalHandler) -> Listener:
        raise AssertionError("offers listen to nobody")

    async def close(self) -> None:
        raise AssertionError("offers close nothing")

    def offered(self) -> list[tuple[str, int]]:
        """(address, schedule id) of all offers so far, in order."""
        return [(address, offer.task.schedule_id) for _, address, request in self.calls for offer in request.offers]

    def new(self) -> list[tuple[str, int]]:
        """Those since this was last asked."""
        offered = self.offered()
        self.calls.clear()
        return offered


class Harness:
    def __init__(self, matching: tuple[str, ...] = ("m1",), **settings: float) -> None:
        self.network = FakeNetwork()
        self.router = StaticRouter(4, ["h1"], matching)
        self.unstuck: list[TaskKey] = []
        chosen = HistorySettings(offer_retry=RETRY_S, **settings)  # type: ignore[arg-type]
        self.offers = Offers(
            self.network, self.router, "h1", chosen, self.unstuck.append, lambda *_: chosen.task_list_write_partitions
        )

    def add(self, number: int, at_ns: int = 0, task_list: str = "tl", sticky: bool = False) -> TaskKey:
        key = TaskKey("dom", "wf", "run", TaskKind.DECISION, number, 0)
        self.offers.add(key, Dispatch(TaskKind.DECISION, number, 0, task_list, sticky, at_ns or number, 0))
        return key


async def settle(seconds: float = 0.001) -> None:
    await asyncio.sleep(seconds)


def test_tasks_added_together_go_out_together_and_say_all_that_matching_needs() -> None:
    async def main() -> None:
        world = Harness()
        world.offers.add(
            TaskKey("dom", "wf", "run", TaskKind.ACTIVITY, 5, 2), Dispatch(TaskKind.ACTIVITY, 5, 2, "tl", False, 77, 99)
        )
        world.add(6, 78, "host", sticky=True)
        assert len(world.offers) == 2 and not world.network.calls
        await settle()
        ((_, address, request),) = world.network.calls
        assert (address, request.history_address) == ("m1", "h1")
        activity, decision = request.offers
        assert (activity.task.domain_id, activity.task.workflow_id, activity.task.run_id) == ("dom", "wf", "run")
        assert (activity.task.type, activity.task.schedule_id, activity.task.attempt) == (internal.TASK_TYPE_ACTIVITY, 5, 2)
        assert (activity.task_list, activity.kind, activity.scheduled_ns) == ("tl", api.TASK_LIST_KIND_NORMAL, 77)
        assert (decision.task.type, decision.task_list) == (internal.TASK_TYPE_DECISION, "host")
        assert (decision.kind, decision.scheduled_ns) == (api.TASK_LIST_KIND_STICKY, 78)
        # Accepted tasks are not offered again soon, nor when they are added again.
        world.add(6, 78, "host", sticky=True)
        await settle(10)
        assert len(world.network.calls) == 1
        world.offers.kill()

    run(main())


def test_a_full_list_is_tried_again_until_it_takes() -> None:
    async def main() -> None:
        world = Harness()
        world.network.outcome = lambda offer: FULL
        world.add(1)
        await settle(RETRY_S * 3.5)
        assert len(world.network.calls) == 4
        times = [at for at, _, _ in world.network.calls]
        assert all(later - earlier >= RETRY_S for earlier, later in itertools.pairwise(times))
        world.network.outcome = lambda offer: ACCEPTED
        await settle(1)
        assert len(world.network.calls) == 5
        world.offers.kill()

    run(main())


def test_one_full_list_holds_up_no_other() -> None:
    async def main() -> None:
        world = Harness()
        world.network.outcome = lambda offer: FULL if offer.task_list == "full" else ACCEPTED
        world.add(1, task_list="full")
        world.add(2, task_list="free")
        await settle()
        world.network.new()
        world.add(3, task_list="free")
        await settle()
        assert world.network.new() == [("m1", 3)]
        await settle(RETRY_S)
        assert world.network.new() == [("m1", 1)]
        world.offers.kill()

    run(main())


def test_only_so_many_are_on_offer_oldest_first_and_the_next_follow_as_they_start() -> None:
    async def main() -> None:
        world = Harness(offers_max=3)
        keys = {number: world.add(number, at_ns=100 - number) for number in (1, 2, 3, 4, 5)}
        await settle()
        assert world.network.new() == [("m1", 5), ("m1", 4), ("m1", 3)]
        world.offers.done(keys[4])
        await settle()
        assert world.network.new() == [("m1", 2)]
        # One that came later but is older goes before.
        keys[6] = world.add(6, at_ns=1)
        await settle()
        assert world.network.new() == []
        world.offers.done(keys[5])
        world.offers.done(keys[3])
        await settle()
        assert world.network.new() == [("m1", 6), ("m1", 1)]
        assert len(world.offers) == 3 and keys[1] in world.offers and keys[5] not in world.offers
        world.offers.kill()

    run(main())


def test_tasks_that_are_done_are_not_offered_any_more() -> None:
    async def main() -> None:
        world = Harness(offers_max=1)
        first, second = world.add(1), world.add(2)
        world.offers.done(first)
        await settle()
        assert world.network.new() == [("m1", 2)]
        world.network.outcome = lambda offer: FULL
        third = world.add(3)
        world.offers.done(second)
        await settle()
        assert world.network.new() == [("m1", 3)]
        world.offers.done(third)
        world.offers.done(third)
        await settle(1)
        assert world.network.new() == [] and len(world.offers) == 0
        world.offers.kill()

    run(main())


def test_a_lost_link_means_to_offer_again() -> None:
    async def main() -> None:
        world = Harness()
        one, _two = world.add(1), world.add(2)
        await settle()
        world.offers.done(one)
        world.network.new()
        world.network.lost[0]("elsewhere")
        await settle(1)
        assert world.network.new() == []
        world.network.lost[0]("m1")
        world.network.is_down = True
        await settle(RETRY_S * 2.5)
        assert world.network.new() == [("m1", 2)] * 2
        world.network.is_down = False
        await settle(RETRY_S * 2)
        assert world.network.new() == [("m1", 2)]
        await settle(1)
        assert world.network.new() == []
        world.offers.kill()

    run(main())


def test_a_change_of_the_ring_moves_what_is_on_offer() -> None:
    async def main() -> None:
        world = Harness(("m1", "m2"))
        lists = [f"tl-{number}" for number in range(20)]
        for number, name in enumerate(lists):
            world.add(number + 1, task_list=name)
        await settle()
        before = {number: address for address, number in world.network.new()}
        assert set(before.values()) == {"m1", "m2"}
        world.router.set_members(["h1"], ["m2"])
        await settle(1)
        moved = world.network.new()
        assert {number for _, number in moved} == {number for number, address in before.items() if address == "m1"}
        assert {address for address, _ in moved} == {"m2"}
        # Nobody is there: the tasks wait, and go out when somebody comes.
        world.router.set_members(["h1"], [])
        world.network.lost[0]("m2")
        await settle(1)
        assert world.network.new() == []
        world.router.set_members(["h1"], ["m3"])
        await settle(1)
        assert sorted(world.network.new()) == sorted(("m3", number) for number in before)
        world.offers.kill()

    run(main())


def test_a_ring_that_changes_while_an_offer_is_under_way() -> None:
    async def main() -> None:
        world = Harness()
        world.network.gate.clear()
        world.add(1)
        await settle()
        world.router.set_members(["h1"], ["m2"])
        world.network.gate.set()
        # The late refusal of the former owner takes nothing back from the new one.
        answers = iter([FULL, ACCEPTED, ACCEPTED])
        world.network.outcome = lambda offer: next(answers)
        await settle(1)
        assert world.network.new() == [("m1", 1), ("m2", 1)]
        world.offers.kill()

    run(main())


def test_nobody_polls_the_sticky_list() -> None:
    async def main() -> None:
        world = Harness()
        world.network.outcome = lambda offer: NO_STICKY_POLLER if offer.kind == api.TASK_LIST_KIND_STICKY else ACCEPTED
        key = world.add(1, task_list="host", sticky=True)
        await settle()
        assert world.unstuck == [key] and key not in world.offers
        world.network.new()
        # Its run puts it on the normal list.
        world.add(1)
        await settle()
        assert world.network.new() == [("m1", 1)]
        # A task that started meanwhile is nobody's concern.
        world.network.gate.clear()
        gone = world.add(2, task_list="host", sticky=True)
        await settle()
        world.offers.done(gone)
        world.network.gate.set()
        await settle()
        assert world.unstuck == [key]
        world.offers.kill()

    run(main())


def test_a_task_that_moves_to_another_list_waits_only_there() -> None:
    async def main() -> None:
        world = Harness()
        key = world.add(1, task_list="host", sticky=True)
        await settle()
        world.network.gate.clear()
        world.network.outcome = lambda offer: NO_STICKY_POLLER if offer.kind == api.TASK_LIST_KIND_STICKY else ACCEPTED
        # The worker is reset: the same decision goes to the normal list, while an offer of it to the sticky one is under way.
        assert world.add(1, task_list="tl") == key
        world.network.gate.set()
        await settle()
        assert key in world.offers and world.unstuck == []
        lists = [offer.task_list for _, _, request in world.network.calls for offer in request.offers]
        assert lists == ["host", "tl"]
        world.offers.kill()

    run(main())


def test_what_is_on_offer_for_long_is_offered_anew() -> None:
    async def main() -> None:
        world = Harness(offer_repeat=10.0)
        world.add(1)
        await settle()
        world.network.new()
        await settle(9)
        assert world.network.new() == []
        await settle(2)
        assert world.network.new() == [("m1", 1)]
        await settle(10)
        assert world.network.new() == [("m1", 1)]
        world.offers.kill()

    run(main())


def test_shards_given_up_and_a_kill_silence_it() -> None:
    async def main() -> None:
        world = Harness(offers_max=1)
        world.add(1)
        world.add(2)
        await settle()
        world.offers.forget(lambda key: key.schedule_id == 1)
        await settle()
        assert world.network.new() == [("m1", 1), ("m1", 2)]
        world.offers.clear()
        assert len(world.offers) == 0
        world.network.lost[0]("m1")
        await settle(1)
        assert world.network.new() == []
        world.network.outcome = lambda offer: FULL
        world.add(3)
        await settle()
        world.network.new()
        world.offers.kill()
        world.add(4)
        world.network.lost[0]("m1")
        world.router.set_members(["h1"], ["m2"])
        await settle(1)
        assert world.network.new() == [] and len(world.offers) == 0

    run(main())


def in_partitions() -> tuple[Harness, TaskKey]:
    """A task whose own partition, of four, is not the root."""
    world = Harness(task_list_write_partitions=4)
    workflow_id = next(name for name in (f"wf-{number}" for number in itertools.count()) if own_partition(name, 4) == 2)
    key = TaskKey("dom", workflow_id, "run", TaskKind.ACTIVITY, 5, 0)
    world.offers.add(key, Dispatch(TaskKind.ACTIVITY, 5, 0, "tl", False, 77, 0))
    return world, key


def places(world: Harness) -> list[tuple[str, bool]]:
    """The partitions that the task was offered to so far, and whether only if polled."""
    return [(offer.task_list, offer.only_if_polled) for _, _, request in world.network.calls for offer in request.offers]


def test_a_task_tries_its_own_partition_then_the_root() -> None:
    async def main() -> None:
        world, _ = in_partitions()
        world.network.outcome = lambda offer: NO_POLLER if offer.only_if_polled else ACCEPTED
        await settle()
        assert places(world) == [("/__cadence_sys/tl/2", True), ("tl", False)]
        await settle(10)
        assert len(world.network.calls) == 2
        world.offers.kill()

    run(main())


def test_a_task_waits_in_its_own_partition_when_the_root_is_full() -> None:
    async def main() -> None:
        world, _ = in_partitions()
        world.network.outcome = lambda offer: NO_POLLER if offer.only_if_polled else FULL if offer.task_list == "tl" else ACCEPTED
        await settle(10)
        assert places(world) == [("/__cadence_sys/tl/2", True), ("tl", False), ("/__cadence_sys/tl/2", False)]
        world.offers.kill()

    run(main())


def test_sticky_lists_have_no_partitions() -> None:
    async def main() -> None:
        world = Harness(task_list_write_partitions=4)
        for number in range(20):
            world.offers.add(
                TaskKey("dom", f"wf-{number}", "run", TaskKind.DECISION, 5, 0),
                Dispatch(TaskKind.DECISION, 5, 0, "host", True, 77, 0),
            )
        await settle()
        assert set(places(world)) == {("host", False)}
        world.offers.kill()

    run(main())


def test_matching_is_told_how_many_more_wait() -> None:
    async def main() -> None:
        world = Harness(offers_max=2)
        keys = [world.add(number) for number in (1, 2, 3, 4, 5)]
        await settle()
        assert [backlog.waiting for _, _, request in world.network.calls for backlog in request.backlogs] == [3]
        world.network.calls.clear()
        for key in keys[:3]:
            world.offers.done(key)
            await settle()
        assert [backlog.waiting for _, _, request in world.network.calls for backlog in request.backlogs] == [2, 1, 0]
        world.offers.kill()

    run(main())
