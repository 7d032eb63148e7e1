"""The host of the system's own workers: where it serves, over the server's own handler, and within its limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tenuto import activity, workflow
from tenuto.client import Client
from tenuto.errors import UnavailableError
from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.worker_host.direct import DirectConnection
from tenuto_server.worker_host.system import EVERY, SystemContext, SystemHost, SystemSettings, SystemWorker

TIME_S = 20.0


class Places:
    """An activity with the client of the domain it is served in."""

    def __init__(self, context: SystemContext) -> None:
        self._client = context.client

    @activity.defn(name="where")
    async def where(self) -> str:
        return (await self._client.describe_domain()).name


@workflow.defn(name="asks-where")
async def asks_where() -> str:
    return await workflow.execute_activity("where", start_to_close_timeout=10, result_type=str)


def places(context: SystemContext) -> Sequence[Any]:
    return [Places(context).where]


def worker(domain: str, **more: Any) -> SystemWorker:
    return SystemWorker(name=f"w{domain}", task_list="sys", domain=domain, workflows=[asks_where], activities=places, **more)


@asynccontextmanager
async def serving(*workers: SystemWorker, domains_max: int = 10) -> AsyncIterator[tuple[DirectConnection, SystemHost]]:
    server = EmbeddedServer(EmbeddedSettings("memory://", system_workers=False))
    await server.start()
    connection = DirectConnection(server.handle)
    host = SystemHost(connection, workers, SystemSettings(refresh=0.05, domains_max=domains_max))
    await host.start()
    try:
        yield connection, host
    finally:
        await host.stop()
        await server.stop()


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(TIME_S):
            await story()

    asyncio.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  what is waited for gives no sign of itself
        await asyncio.sleep(0.01)


def test_a_worker_of_every_domain_serves_also_those_that_come_later() -> None:
    async def story() -> None:
        async with serving(worker(EVERY)) as (connection, _):
            for name in ("default", "second"):
                client = Client(connection, domain=name)
                await client.ensure_domain()
                assert await client.execute_workflow(asks_where, id="w", task_list="sys") == name

    run(story)


def test_a_worker_of_one_domain_makes_it_and_begins_there_once() -> None:
    begun = []
    failures = [UnavailableError("away", 14), UnavailableError("still", 14)]

    async def begin(context: SystemContext) -> None:
        if failures:
            raise failures.pop()
        begun.append(context.client.domain)

    async def story() -> None:
        async with serving(worker("cadence-own", begin=begin)) as (connection, host):
            await until(lambda: bool(begun))
            client = Client(connection, domain="cadence-own")
            assert await client.execute_workflow(asks_where, id="w", task_list="sys") == "cadence-own"
            assert host.serving() == {("wcadence-own", "cadence-own")}
        assert begun == ["cadence-own"]

    run(story)


def test_no_more_domains_are_served_than_may_be() -> None:
    async def story() -> None:
        async with serving(worker(EVERY), domains_max=2) as (connection, host):
            for name in ("a", "b", "c"):
                await Client(connection, domain=name).ensure_domain()
            await until(lambda: len(host.serving()) == 2)
            await asyncio.sleep(0.2)
            assert len(host.serving()) == 2

    run(story)
