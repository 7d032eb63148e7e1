"""Reading a former owner's log while that owner, who does not know that it is sealed, goes on trimming it."""

from __future__ import annotations

import asyncio

import pytest

from tenuto_server.config.runtime import Runtime
from tenuto_server.history.log import Step, encode_batch
from tenuto_server.history.recovery import LogGone, LogReader
from tenuto_server.persistence.interface import LogRow
from tenuto_server.persistence.memory import MemoryStore

LOG = "log"


class Trimmed(MemoryStore):
    """A log of ten rows that is trimmed when so many pages of it have been read."""

    def __init__(self, after_pages: int, through: int) -> None:
        super().__init__(Runtime())
        self.pages_left = after_pages
        self.through = through

    async def filled(self) -> Trimmed:
        await self.create_log(LOG)
        for seq in range(1, 11):
            await self.append(LOG, seq, encode_batch([Step(0, 1, "domain", "workflow", "run", seq, [])]))
        await self.seal(LOG)
        return self

    async def read_log(self, log_id: str, after_seq: int, limit: int) -> list[LogRow]:
        rows = await super().read_log(log_id, after_seq, limit)
        self.pages_left -= 1
        if self.pages_left == 0:
            await self.trim_log(LOG, self.through)
        return rows


@pytest.mark.parametrize("page_rows", [1, 2, 3, 100])
@pytest.mark.parametrize("after_pages", [1, 2, 4])
@pytest.mark.parametrize("through", [2, 7, 10])
def test_what_is_trimmed_meanwhile_is_no_end(page_rows: int, after_pages: int, through: int) -> None:
    async def read() -> tuple[int, list[int]]:
        reader = LogReader(await Trimmed(after_pages, through).filled(), page_rows)
        end = await reader.end_of(LOG)
        return end, [step.version for step in await reader.steps(LOG, end, 0)]

    end, versions = asyncio.run(read())
    assert end == 10
    # The end of it, whole: what stands before may have been trimmed.
    assert versions == list(range(11 - len(versions), 11))
    assert len(versions) >= 10 - through


def test_less_than_the_note_says_is_not_enough() -> None:
    async def read() -> None:
        reader = LogReader(await Trimmed(0, 0).filled(), 3)
        assert len(await reader.steps(LOG, 4, 0)) == 4
        await reader.steps(LOG, 11, 0)

    with pytest.raises(LogGone):
        asyncio.run(read())
