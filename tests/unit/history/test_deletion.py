"""Deleting runs on a real history process over a store in memory: what goes, what stays, and that nothing comes back."""

from __future__ import annotations

import pytest

from tenuto_server import errors
from tenuto_server.persistence.interface import StoreUnavailable, WriteBatch
from tests.unit.history.process import World, story


def test_a_deleted_run_is_gone_at_once_and_its_rows_soon_after() -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        await w.terminate()
        await w.written()
        assert w.remains(run_id) and await w.listed() == {run_id}
        assert await w.delete(run_id)
        assert not await w.is_there(run_id) and not await w.is_there()
        await w.checkpoint()
        assert w.remains(run_id) == [] and await w.listed() == set()
        assert not await w.is_there(run_id)

    story(told)


def test_a_deletion_may_be_asked_for_again() -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        await w.terminate()
        await w.written()
        assert await w.delete(run_id)
        assert await w.delete(run_id)
        await w.checkpoint()
        assert not await w.delete(run_id)
        assert not await w.delete("never was")
        await w.checkpoint()
        assert await w.listed() == set()

    story(told)


def test_an_open_run_is_deleted_by_force_only() -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        await w.written()
        with pytest.raises(errors.BadRequest):
            await w.delete(run_id)
        assert await w.is_there(run_id)
        assert await w.delete(run_id, force=True)
        await w.checkpoint()
        assert w.remains(run_id) == [] and not await w.is_there()

    story(told)


def test_a_deletion_names_a_run() -> None:
    async def told(w: World) -> None:
        with pytest.raises(errors.BadRequest):
            await w.delete("")

    story(told)


def test_a_run_that_the_store_lacks_is_deleted_a_little_later() -> None:
    async def told(w: World) -> None:
        run_id = await w.start()
        await w.terminate()
        with pytest.raises(errors.Unavailable):
            await w.delete(run_id)
        await w.checkpoint()
        assert await w.delete(run_id)

    story(told)


def test_the_workflow_id_is_free_after_its_newest_run_was_deleted() -> None:
    async def told(w: World) -> None:
        first = await w.start()
        await w.terminate()
        await w.written()
        await w.delete(first)
        second = await w.start()
        await w.checkpoint()
        assert await w.is_there(second) and await w.is_there()
        await w.crash()
        assert await w.is_there(second) and not await w.is_there(first)
        assert w.remains(first) == [] and await w.listed() == {second}

    story(told)


def test_of_two_runs_either_may_go_and_the_other_stays() -> None:
    async def told(w: World) -> None:
        former, newest = await w.start("a"), ""
        await w.terminate("a")
        newest = await w.start("a")
        await w.terminate("a")
        other = await w.start("b")
        await w.terminate("b")
        newest_b = await w.start("b")
        await w.written()
        assert await w.delete(former, "a")
        assert await w.delete(newest_b, "b", force=True)
        await w.written()
        await w.crash()
        assert await w.is_there(newest, "a") and await w.is_there("", "a") and not await w.is_there(former, "a")
        assert await w.is_there(other, "b") and not await w.is_there("", "b")
        assert await w.listed() == {newest, other}

    story(told)


@pytest.mark.parametrize("moments", range(6))
def test_a_crash_while_the_rows_are_removed_brings_nothing_back(moments: int) -> None:
    """The process dies after so many writes to the store."""

    async def told(w: World) -> None:
        former = await w.start()
        await w.terminate()
        newest = await w.start()
        await w.terminate()
        kept = await w.start("kept")
        await w.written()
        deaths = Dying(w, moments)
        try:
            await w.delete(newest)
            again = await w.start()
            await w.delete(former)
            await w.checkpoint()
            await w.checkpoint()
        except (Died, errors.ServiceError):
            again = ""
        deaths.over()
        await w.crash()
        for run_id in (former, newest):
            assert await w.delete(run_id) in (True, False)
        await w.crash()
        for run_id in (former, newest):
            assert w.remains(run_id) == [] and not await w.is_there(run_id)
        assert await w.is_there(kept, "kept")
        assert await w.listed() == {kept, again} - {""} or not again
        if again:
            assert await w.is_there(again)

    story(told)


class Died(Exception):
    """The process is dead: nothing of it reaches the store."""


class Dying:
    """Writes of a world's store go through that often, then no more."""

    def __init__(self, w: World, left: int) -> None:
        self._world = w
        self._left = left
        self._write = w.store.write
        w.store.write = self.write  # type: ignore[method-assign]

    async def write(self, batch: object) -> None:
        self._left -= 1
        if self._left < 0:
            raise Died
        await self._write(batch)  # type: ignore[arg-type]

    def over(self) -> None:
        self._world.store.write = self._write  # type: ignore[method-assign]


def test_a_crash_amid_the_removal_leaves_the_run_that_was_the_newest_then() -> None:
    """The row of the newest run is the only one that it has, while a newer one and its own row are still to be written."""

    async def told(w: World) -> None:
        first = await w.start()
        await w.terminate()
        second = await w.start()
        await w.written()
        assert await w.delete(first)
        await w.terminate()
        third = await w.start()
        write = w.store.write

        async def only_removals(batch: WriteBatch) -> None:
            if any(row.value is not None for row in batch.rows):
                raise StoreUnavailable("planted")
            await write(batch)

        w.service.kill()
        w.store.write = only_removals  # type: ignore[method-assign]
        w.service = w._new()
        await w.service.start()
        with pytest.raises(StoreUnavailable):
            await w.written()
        w.store.write = write  # type: ignore[method-assign]
        await w.crash()
        assert [await w.is_there(run_id) for run_id in (first, second, third)] == [False, True, True]

    story(told)
