"""The samples do what they show."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tenuto import errors
from tenuto.client import Client
from tenuto.worker import Worker
from tests.unit.sdk.fake_server import FakeServer

SAMPLES = Path(__file__).parents[3] / "sdk" / "samples"
SECONDS_MAX = 10


def load(name: str) -> ModuleType:
    """A sample as a module, imported by its file."""
    spec = importlib.util.spec_from_file_location(f"sample_{name}", SAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


async def until(condition: Any) -> None:
    while not condition():  # noqa: ASYNC110  what is waited for happens behind sockets
        await asyncio.sleep(0.005)


def test_hello() -> None:
    hello = load("hello")

    async def body() -> None:
        async with asyncio.timeout(SECONDS_MAX), FakeServer() as server, await Client.connect(server.target) as client:
            await client.ensure_domain()
            async with Worker(client, hello.TASK_LIST, workflows=[hello.HelloWorkflow], activities=[hello.greet]):
                greeting = await client.execute_workflow(hello.HelloWorkflow, "you", id="h", task_list=hello.TASK_LIST)
                assert greeting == "Hello, you!"

    asyncio.run(body())


def test_an_order_is_approved_charged_at_the_second_attempt_and_shipped() -> None:
    order = load("order")

    async def body() -> None:
        async with asyncio.timeout(SECONDS_MAX), FakeServer() as server, await Client.connect(server.target) as client:  # noqa: SIM117
            async with Worker(client, order.TASK_LIST, workflows=order.WORKFLOWS, activities=order.ACTIVITIES):
                wanted = order.Order("7", "Ann", {"tea": 1}, 100)
                handle = await client.start_workflow(order.OrderWorkflow.run, wanted, id="o", task_list=order.TASK_LIST)
                await handle.signal(order.OrderWorkflow.approve, "Bob")
                await until(lambda: len(server.of("RespondActivityTaskCompleted")) == 2 and server.run_of("o").timers)
                assert len(server.of("RespondActivityTaskFailed")) == 1
                assert await handle.query(order.OrderWorkflow.current_status) == "packing"
                server.fire_timers("o")
                assert await handle.result() == order.Receipt("7", "payment-7", "track-7")

    asyncio.run(body())


def test_a_cancelled_order_puts_its_stock_back() -> None:
    order = load("order")

    async def body() -> None:
        async with asyncio.timeout(SECONDS_MAX), FakeServer() as server, await Client.connect(server.target) as client:
            async with Worker(client, order.TASK_LIST, workflows=order.WORKFLOWS, activities=order.ACTIVITIES):
                wanted = order.Order("7", "Ann", {"tea": 1}, 100)
                handle = await client.start_workflow(order.OrderWorkflow.run, wanted, id="o", task_list=order.TASK_LIST)
                await until(lambda: server.run_of("o").timers)
                await handle.cancel("changed my mind")
                with pytest.raises(errors.WorkflowCancelledError):
                    await handle.result()
            polled = [request.task_token for request in server.of("RespondActivityTaskCompleted")]
            assert len(polled) == 2, "reserved and released"

    asyncio.run(body())
