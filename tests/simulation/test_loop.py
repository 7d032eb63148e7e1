"""The virtual-time loop: time jumps, nothing waits, every run of a seed is the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from .loop import PROCESS, Runaway, SimLoop, Stuck, new_loop


def run(coroutine: Coroutine[Any, Any, Any], **options: Any) -> Any:
    loop = new_loop("test", **options)
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


def test_time_jumps_to_the_next_timer() -> None:
    async def main() -> list[tuple[str, int]]:
        loop = asyncio.get_running_loop()
        woken: list[tuple[str, int]] = []

        async def sleeper(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            woken.append((name, round(loop.time())))

        async with asyncio.TaskGroup() as group:
            group.create_task(sleeper("year", 365 * 86400))
            group.create_task(sleeper("day", 86400))
        return woken

    began = time.monotonic()
    assert run(main(), time_max_s=1e9) == [("day", 86400), ("year", 365 * 86400)]
    assert time.monotonic() - began < 5


def test_asyncio_works_on_it() -> None:
    async def main() -> str:
        queue: asyncio.Queue[int] = asyncio.Queue(1)
        event = asyncio.Event()

        async def producer() -> None:
            for number in range(3):
                await queue.put(number)
            event.set()

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await event.wait()
        task = asyncio.create_task(producer())
        got = [await queue.get() for _ in range(3)]
        await event.wait()
        await task
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(10), 1)
        cancelled = asyncio.create_task(asyncio.sleep(1))
        await asyncio.sleep(0)
        cancelled.cancel()
        results = await asyncio.gather(cancelled, asyncio.sleep(1, "slept"), return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        return f"{got} {results[1]}"

    assert run(main()) == "[0, 1, 2] slept"


def test_a_deadlock_is_found() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        run(main())


def test_a_run_that_never_ends_is_found() -> None:
    async def spin() -> None:
        for _ in range(10_000):
            await asyncio.sleep(0)

    async def tick() -> None:
        for _ in range(10_000):
            await asyncio.sleep(1)

    with pytest.raises(Runaway):
        run(spin(), steps_max=1000)
    with pytest.raises(Runaway):
        run(tick(), time_max_s=100)


def test_threads_and_sockets_are_refused() -> None:
    async def main() -> None:
        with pytest.raises(NotImplementedError):
            await asyncio.to_thread(print)
        with pytest.raises(NotImplementedError):
            await asyncio.open_connection("localhost", 1)

    run(main())


async def race(count: int = 20) -> list[int]:
    order: list[int] = []

    async def racer(number: int) -> None:
        await asyncio.sleep(0)
        order.append(number)

    await asyncio.gather(*[racer(number) for number in range(count)])
    return order


def test_without_shuffle_order_is_asyncios() -> None:
    assert run(race()) == list(range(20))


def test_shuffle_permutes_and_repeats_itself() -> None:
    first, second = run(race(), shuffle=0.5), run(race(), shuffle=0.5)
    assert first == second != list(range(20))
    assert sorted(first) == list(range(20))
    other = new_loop("another", shuffle=0.5)
    assert other.run_until_complete(race()) != first
    other.close()


def test_sets_of_tasks_have_one_order() -> None:
    async def main() -> list[str]:
        tasks = {asyncio.create_task(asyncio.sleep(1), name=f"n{number}") for number in range(100)}
        ballast = [object() for _ in range(1000)]
        names = [task.get_name() for task in tasks]
        done, _pending = await asyncio.wait(tasks)
        assert ballast
        return names + [task.get_name() for task in done]

    assert run(main()) == run(main())


def test_tasks_inherit_their_process() -> None:
    async def main() -> tuple[list[str], list[str]]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop)

        async def inner() -> None:
            await asyncio.create_task(asyncio.sleep(5), name="grandchild")

        async def outer() -> None:
            PROCESS.set("history-0.1")
            await asyncio.create_task(inner(), name="child")

        parent = asyncio.create_task(outer(), name="parent")
        await asyncio.sleep(1)
        during = [task.get_name() for task in loop.tasks("history-0.1")]
        await asyncio.sleep(10)
        assert parent.done()
        return during, [task.get_name() for task in loop.tasks("history-0.1")]

    assert run(main()) == (["child", "grandchild"], [])


def test_what_asyncio_would_log_is_kept() -> None:
    async def fail() -> None:
        raise ValueError("lost")

    async def main() -> None:
        task = asyncio.create_task(fail())
        await asyncio.sleep(1)
        del task

    loop = new_loop("test")
    loop.run_until_complete(main())
    loop.close()
    assert len(loop.problems) == 1 and "lost" in loop.problems[0]
