"""Reading a run's events in pages: from memory, from the store, and across both, none larger than asked but for a lone event."""

from __future__ import annotations

import pytest

from tenuto_api import api
from tenuto_server.history import events
from tenuto_server.history.run import Run
from tenuto_server.history.storing import RunImage
from tenuto_server.persistence.interface import WriteBatch
from tenuto_server.persistence.memory import MemoryStore
from tests.unit.history.test_storing import EPOCH, _run_of, _script
from tests.unit.history.virtual import run as run_virtual
from tests.unit.history.virtual import runtime

EVENTS = 12


def _run() -> tuple[Run, list[bytes]]:
    """A run of twelve events, the sixth of them large, and their frames."""
    run = _run_of(
        _script(
            "start timeout=1000",
            "start-decision",
            "complete-decision\nmarker a\nmarker " + "b" * 900 + "\nmarker c",
            "signal d",
            "start-decision",
            "complete-decision\nmarker e",
        )
    )
    frames = list(run.frames)
    assert len(frames) == EVENTS == run.state.next_event_id - 1
    assert max(frames, key=len) is frames[5]
    return run, frames


async def _store_some(store: MemoryStore, run: Run, upto: int) -> None:
    """Leaves the events before `upto` to the store alone."""
    newest = run.frames[upto - 1 :]
    del run.frames[upto - 1 :]
    image = RunImage(run, 1, retention_s=86400)
    batch = WriteBatch()
    image.write_details(batch, EPOCH)
    await store.write(batch)
    image.settle()
    run.frames, run.first_id, run.stored_next_id = newest, upto, upto


@pytest.mark.parametrize("stored_until", [1, 5, 7, EVENTS + 1])
@pytest.mark.parametrize("bytes_max", [1, 100, 400, 1500, 1 << 20])
def test_pages_hold_what_fits(stored_until: int, bytes_max: int) -> None:
    run, frames = _run()

    async def story() -> None:
        store = MemoryStore(runtime())
        if stored_until > 1:
            await _store_some(store, run, stored_until)
        seen: list[bytes] = []
        while len(seen) < EVENTS:
            page = await events.read(store, run, 1 + len(seen), EVENTS + 1, bytes_max)
            size = sum(map(len, page))
            assert size <= bytes_max or len(page) == 1
            following = frames[len(seen) + len(page) :][:1]
            assert not following or size + len(following[0]) > bytes_max
            seen += page
        assert seen == frames
        assert await events.read(store, run, 1, EVENTS + 1) == frames
        history = api.History.FromString(b"".join(seen))
        assert [event.event_id for event in history.events] == list(range(1, EVENTS + 1))

    run_virtual(story())
