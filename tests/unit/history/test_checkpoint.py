"""Checkpoints of a real history process over a store in memory: what happens while one is written is not lost by it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Awaitable, Callable

from tenuto_server.history.engine.state import RunState
from tenuto_server.persistence.interface import WriteBatch
from tests.unit.history.process import World, story


def meanwhile(w: World, happens: Callable[[], Awaitable[None]]) -> None:
    """Lets something happen while the next write is under way."""
    write = w.store.write

    async def first(batch: WriteBatch) -> None:
        w.store.write = write  # type: ignore[method-assign]
        await happens()
        await write(batch)

    w.store.write = first  # type: ignore[method-assign]


def test_a_run_that_was_spared_is_written_before_the_one_that_takes_its_place() -> None:
    """Its step is young when the checkpoint begins; while that removes the rows of another run, its workflow goes on with a new
    run, whose row takes the place of the one that the spared run was in."""

    async def told(w: World) -> None:
        gone = await w.start("gone")
        await w.terminate("gone")
        former, newest = await w.start(), ""
        await w.written()
        await w.checkpoint()
        await w.signal()
        await w.delete(gone, "gone")

        async def goes_on() -> None:
            nonlocal newest
            await w.terminate()
            newest = await w.start()

        meanwhile(w, goes_on)
        await w.checkpoint()
        assert newest
        await w.crash()
        assert await w.events(former) == 4
        assert await w.current() == newest

    story(told)


def test_a_young_run_is_found_in_the_log_after_its_successor_was_begun() -> None:
    """As above, but the store has never had the spared run."""

    async def told(w: World) -> None:
        gone = await w.start("gone")
        await w.terminate("gone")
        await w.written()
        await w.checkpoint()
        former, newest = await w.start(), ""
        await w.delete(gone, "gone")

        async def goes_on() -> None:
            nonlocal newest
            await w.terminate()
            newest = await w.start()

        meanwhile(w, goes_on)
        await w.checkpoint()
        await w.crash()
        assert await w.events(former) == 3
        assert await w.current() == newest

    story(told)


def test_a_run_at_rest_leaves_memory_without_the_collector() -> None:
    """The collector looks at old objects so seldom that cycles of them would pile up."""

    async def told(w: World) -> None:
        await w.start()
        await w.written()
        (shard,) = w.service.core.shards.values()
        held = [weakref.ref(workflow) for workflow in shard.workflows.values()]
        # Nothing but the shard holds the runs, and nothing is left of them.
        assert len(held) == 1 and held[0]() is not None
        gc.disable()
        try:
            w.service._checkpointer._evict_some(shard, 1)
            assert not shard.workflows
            assert held[0]() is None
        finally:
            gc.enable()
        await w.signal()
        assert await w.events(await w.current()) == 3

    story(told)


def poison(w: World, workflow_id: str = "w") -> RunState:
    """Gives the newest run a value that no snapshot can hold."""
    (workflow,) = [one for one in w.service.core.shards[0].workflows.values() if one.workflow_id == workflow_id]
    assert workflow.current is not None
    workflow.current.state.start_ns = 1 << 70
    return workflow.current.state


def test_a_run_that_cannot_be_written_costs_only_itself() -> None:
    async def told(w: World) -> None:
        ill, well = await w.start("ill"), await w.start("well")
        poison(w, "ill")
        await w.checkpoint()
        await w.terminate("well")
        await w.written()
        assert w.service.core.measured.checkpoint_set_aside >= 1
        # The log alone has the one, the store the other.
        await w.crash()
        assert (await w.events(ill, "ill"), await w.events(well, "well")) == (2, 3)
        await w.signal("ill")
        await w.written()
        assert not w.service.core.shards[0].dirty

    story(told)


def test_the_newest_run_waits_with_a_former_one_that_cannot_be_written() -> None:
    """Its row would take the place of the former one's, from which the log leads on."""

    async def told(w: World) -> None:
        former = await w.start()
        await w.written()
        state = poison(w)
        await w.terminate()
        newest = await w.start()
        state.start_ns = 1 << 70
        await w.written()
        await w.crash()
        assert await w.events(former) == 3
        assert await w.current() == newest

    story(told)


def test_a_process_with_a_run_that_cannot_be_written_stops_and_another_goes_on() -> None:
    async def told(w: World) -> None:
        ill = await w.start("ill")
        await w.start("well")
        poison(w, "ill")
        await w.service.stop()
        await w.crash()
        await w.signal("ill")
        assert await w.events(ill, "ill") == 3

    story(told)
