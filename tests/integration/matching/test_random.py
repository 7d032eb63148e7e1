"""Random histories and pollers on one matching service: whatever goes wrong, every task is started, and goes out at most once."""

import asyncio
import random

import pytest

from tenuto_api import internal
from tenuto_server import errors
from tenuto_server.matching.settings import MatchingSettings
from tests.integration.matching.world import History, World, run

TASKS = 150
SETTINGS = MatchingSettings(buffer_max=20, polls_max=8)


class Storm:
    """Two histories that share the truth about which tasks were started, and offer again as real ones do: when refused,
    and when their link to matching breaks (here: when they restart)."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.histories: list[History] = []
        self.got: list[str] = []

    async def start(self) -> None:
        for address in ("h1", "h2"):
            history = await self.world.history(address)
            self.histories.append(history)
            history.started = self.histories[0].started
            history.behaviours = [self.trouble] * 40

    async def trouble(self, request: internal.StartTaskRequest) -> bytes:
        """What may happen to a question: an answer, an answer that is lost, silence, a refusal."""
        history = self.histories[0]
        chance = self.random.random()
        await asyncio.sleep(self.random.choice([0.0, 0.001, 0.2]))
        if chance < 0.15:
            raise errors.Unavailable("the question was lost")
        if chance < 0.3:
            history.start(request)
            raise errors.Unavailable("the answer was lost")
        if chance < 0.35:
            await asyncio.sleep(3600)
        if chance < 0.4:
            raise errors.InternalService("internal error")
        return history.start(request)

    def left(self) -> list[int]:
        """Tasks that history has not started."""
        started = {internal.TaskRef.FromString(key).schedule_id for key in self.histories[0].started}
        return [task for task in range(TASKS) if task not in started]

    async def offering(self) -> None:
        refused = set(range(TASKS))
        while refused:
            batch = sorted(refused)[: self.random.randint(1, 30)]
            history = self.random.choice(self.histories)
            outcomes = await history.offer(*batch)
            refused -= {task for task, outcome in zip(batch, outcomes, strict=True) if outcome == "ACCEPTED"}
            await asyncio.sleep(self.random.choice([0.0, 0.01, 0.5]))

    async def breaking(self) -> None:
        """Links break and come back; the histories do not notice."""
        for _ in range(5):
            await asyncio.sleep(self.random.uniform(0.1, 3.0))
            history = self.random.choice(self.histories)
            self.world.network.crash(history.address)
            await asyncio.sleep(self.random.choice([0.0, 0.3, 4.0]))
            await history.listen()

    async def polling(self, identity: str) -> None:
        """Polls until all is started; some callers go away."""
        while self.left():
            poll = self.world.polling(identity, timeout_s=self.random.choice([3.0, 10.0, 90.0]))
            if self.random.random() < 0.2:
                await asyncio.sleep(self.random.choice([0.0, 0.001, 0.1]))
                poll.cancel()
            try:
                task = await poll
            except asyncio.CancelledError:
                continue
            if task:
                self.got.append(task.split(" for ", maxsplit=1)[0])


@pytest.mark.parametrize("seed", range(1, 13))
def test_nothing_is_lost_or_given_out_twice(seed: int) -> None:
    async def main(world: World) -> None:
        storm = Storm(world, seed)
        await storm.start()
        workers = [asyncio.create_task(storm.polling(f"worker-{number}")) for number in range(6)]
        await asyncio.gather(storm.offering(), storm.breaking())
        async with asyncio.timeout(600):
            await asyncio.gather(*workers)
        assert storm.left() == []
        assert len(storm.got) == len(set(storm.got))
        # The others went to callers that had gone: theirs to time out.
        assert len(storm.got) > TASKS / 2
        assert world.service._polls == 0

    run(main, SETTINGS, seed)
