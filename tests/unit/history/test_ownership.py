"""What a history process does with the rows of its shards when it comes and goes."""

from __future__ import annotations

from tenuto_server.history.ownership import SPACE, ShardRow, encode_row, read_row, shard_key
from tests.unit.history.process import DOMAIN_ID, World, story


def test_a_stop_frees_a_shard_whose_claim_came_through_unnoticed() -> None:
    async def told(w: World) -> None:
        core = w.service.core
        assert core.log is not None
        row, version = await read_row(w.store, 0)
        assert row.log_id == core.log.log_id
        # As after a claim that was cancelled on its way: the row is ours, with a former owner's log, and we do not know it.
        claimed = ShardRow(row.epoch, row.owner, row.log_id, [("former", 7)])
        assert await w.store.compare_and_set(SPACE, shard_key(0), encode_row(claimed), version)
        core.drop(core.shards[0])
        await w.service.stop()
        assert (await read_row(w.store, 0))[0] == ShardRow(epoch=row.epoch, prior=[("former", 7)])
        assert await w.store.list_logs() == []
        w.service = w._new()
        await w.service.start()
        assert (await read_row(w.store, 0))[0].epoch == row.epoch + 1

    story(told)


def test_a_stop_leaves_its_log_to_whoever_took_a_shard_over_meanwhile() -> None:
    """And does not know of it, for nothing was appended since. The other one has the log still to read."""

    async def told(w: World) -> None:
        run_id = await w.start()
        core = w.service.core
        assert core.log is not None
        former = core.log
        row, version = await read_row(w.store, 0)
        await w.store.seal(former.log_id)
        taken = ShardRow(row.epoch + 1, "another", "another/1", [(former.log_id, former.committed_seq)])
        assert await w.store.compare_and_set(SPACE, shard_key(0), encode_row(taken), version)
        await w.service.stop()
        assert (await read_row(w.store, 0))[0] == taken
        assert await w.store.list_logs() == [former.log_id]
        # The other one crashes; the shard can be served all the same.
        await w.store.create_log("another/1")
        w.service = w._new()
        await w.service.start()
        assert await w.is_there(run_id)
        await w.checkpoint()
        await w.service._ownership.delete_unused_logs()
        log = w.service.core.log
        assert log is not None
        assert await w.store.list_logs() == [log.log_id]

    story(told)


def test_a_process_whose_idle_log_was_sealed_claims_nothing_for_it() -> None:
    async def told(w: World) -> None:
        core = w.service.core
        assert core.log is not None
        former = core.log
        row, version = await read_row(w.store, 0)
        core.drop(core.shards[0])
        await w.store.seal(former.log_id)
        await w.store.delete_log(former.log_id)
        await w.store.compare_and_set(SPACE, shard_key(0), encode_row(ShardRow(epoch=row.epoch)), version)
        await w.service._ownership.settle()
        assert (await read_row(w.store, 0))[0].log_id != former.log_id
        assert core.log is not former

    story(told)


def test_what_is_read_of_a_shard_that_is_given_up_wakes_nobody() -> None:
    """Its alarms would ring for the run as it was then, if the process gets the shard back."""

    async def told(w: World) -> None:
        await w.start()
        await w.written()
        core = w.service.core
        shard = core.shards[0]
        shard.forget(shard.workflows[DOMAIN_ID, "w"])
        alarms = len(core.alarms)
        shard.is_open = False
        run = await shard.run(DOMAIN_ID, "w", "")
        assert run.state.is_open
        assert len(core.alarms) == alarms and not run.alarms
        shard.is_open = True
        again = await core.run(DOMAIN_ID, "w", "")
        assert again is not run
        assert again.alarms

    story(told)
