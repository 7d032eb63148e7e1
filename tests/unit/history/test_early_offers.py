"""Tasks are offered while their schedule is on its way to the log, and start only when it is durable."""

from __future__ import annotations

import asyncio

import pytest

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.persistence.domains import Domains
from tenuto_server.transport.network import InternalCall
from tests.unit.history.process import DOMAIN_ID, World, story


class Matching:
    """Notes what it is offered, and holds all of it."""

    def __init__(self) -> None:
        self.offers: list[internal.TaskOffer] = []

    async def handle(self, call: InternalCall) -> bytes:
        request = internal.OfferTasksRequest.FromString(call.body)
        self.offers += request.offers
        accepted = [internal.OFFER_OUTCOME_ACCEPTED for _ in request.offers]
        return internal.OfferTasksResponse(outcomes=accepted).SerializeToString()


class Gate:
    """Stands before a world's store: while it is shut no append comes through."""

    def __init__(self, w: World) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._append = w.store.append
        w.store.append = self._wait  # type: ignore[method-assign]

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def _wait(self, log_id: str, seq: int, body: bytes) -> None:
        await self._open.wait()
        await self._append(log_id, seq, body)


async def matching_of(w: World) -> Matching:
    """What answers at the address of matching."""
    w.service.core.offers_early = True
    matching = Matching()
    await w.network.endpoint().listen("matching", matching.handle)
    return matching


async def take(w: World, task: internal.TaskRef, task_list: str = "l") -> bytes:
    """A poller of that list takes a task."""
    request = internal.StartTaskRequest(task=task, request_id="poll", task_list=task_list, domain_name="domain")
    return await w.service.handle(InternalCall("StartTask", request.SerializeToString(), None))


def test_a_poller_is_found_while_the_schedule_is_on_its_way_and_waits_for_it() -> None:
    async def told(w: World) -> None:
        matching, gate, loop = await matching_of(w), Gate(w), asyncio.get_running_loop()
        gate.shut()
        starting = loop.create_task(w.start())
        await asyncio.sleep(1)
        (offer,) = matching.offers
        taking = loop.create_task(take(w, offer.task))
        await asyncio.sleep(1)
        assert not starting.done() and not taking.done()
        gate.open()
        taken = api.PollForDecisionTaskResponse.FromString(await taking)
        assert taken.workflow_execution.run_id == await starting
        assert [event.event_id for event in taken.history.events] == [1, 2, 3]

    story(told)


def test_what_never_becomes_durable_never_starts() -> None:
    async def told(w: World) -> None:
        matching, gate, loop = await matching_of(w), Gate(w), asyncio.get_running_loop()
        gate.shut()
        starting = loop.create_task(w.start())
        await asyncio.sleep(1)
        taking = loop.create_task(take(w, matching.offers[0].task))
        await asyncio.sleep(1)
        log = w.service.core.log
        assert log is not None
        await w.store.seal(log.log_id)
        gate.open()
        for asked in (starting, taking):
            with pytest.raises(errors.ShardOwnershipLost):
                await asked

    story(told)


def test_a_poller_of_another_list_does_not_get_an_activity_that_has_the_number_of_one_that_was_lost() -> None:
    async def told(w: World) -> None:
        await Domains(w.store).register(api.Domain(id=DOMAIN_ID, name="domain"))
        matching = await matching_of(w)
        await w.start()
        await asyncio.sleep(1)
        decision = api.Decision()
        attributes = decision.schedule_activity_task_decision_attributes
        attributes.activity_id, attributes.activity_type.name, attributes.task_list.name = "a", "t", "mine"
        attributes.schedule_to_close_timeout.seconds = 100
        started = api.PollForDecisionTaskResponse.FromString(await take(w, matching.offers[0].task))
        request = api.RespondDecisionTaskCompletedRequest(task_token=started.task_token, decisions=[decision])
        await w.call("RespondDecisionTaskCompleted", "w", request.SerializeToString())
        await asyncio.sleep(1)
        offer = matching.offers[-1]
        assert (offer.task_list, offer.task.domain_id) == ("mine", DOMAIN_ID)
        with pytest.raises(errors.EntityNotExists):
            await take(w, offer.task, "another")
        assert len(w.service.core.offers) == 1
        taken = api.PollForActivityTaskResponse.FromString(await take(w, offer.task, "mine"))
        assert taken.activity_id == "a"

    story(told)
