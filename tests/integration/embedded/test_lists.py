"""Lists on a server as it runs: they show what was acknowledged before, whatever checkpoints have written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from tenuto._rpc.connection import WorkerRpc
from tenuto.client import Client
from tenuto.errors import BadRequestError
from tenuto_api import admin, api
from tenuto_server.embedded import EmbeddedSettings
from tests.integration.embedded.hosted_workflows import Quadruple
from tests.integration.embedded.test_embedded import run, serving

FAILED = "decision_task_failed_event_attributes"
BAD_SEARCH_ATTRIBUTES = api.DECISION_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES


async def listed(client: Client, query: str) -> list[str]:
    return [one.workflow_execution.workflow_id async for one in client.list_workflows(query)]


@pytest.mark.parametrize("network", ["in-process", "streams"])
def test_lists_show_at_once_what_happened(tmp_path: Path, network: str) -> None:
    store = f"sqlite:///{tmp_path / 'tenuto.db'}"

    async def story() -> None:
        async with serving(EmbeddedSettings(store, network=network)) as address, await Client.connect(address) as client:
            for number in range(10):
                name = f"w{number}"
                handle = await client.start_workflow(Quadruple.run, 1, id=name, task_list="nobody")
                assert name in await listed(client, "CloseTime = missing")
                assert await client.count_workflows("") == number + 1
                assert [one.workflow_execution.workflow_id async for one in client.list_workflows(workflow_id=name)] == [name]
                if number % 2:
                    await handle.terminate()
                    assert await listed(client, f"WorkflowID = '{name}' and CloseStatus = 'TERMINATED'") == [name]
                    closed = client.list_workflows(closed=True, workflow_id=name)
                    assert [one.close_status async for one in closed] == [api.WORKFLOW_EXECUTION_CLOSE_STATUS_TERMINATED]
            assert await listed(client, "CloseTime = missing order by WorkflowID") == ["w0", "w2", "w4", "w6", "w8"]
            scanned = client.scan_workflows("HistoryLength >= 0", page_size=3)
            assert sorted([one.workflow_execution.workflow_id async for one in scanned]) == [f"w{number}" for number in range(10)]

    run(story)


def test_many_who_list_while_others_start(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'tenuto.db'}"

    async def story() -> None:
        async with serving(EmbeddedSettings(store)) as address, await Client.connect(address) as client:

            async def one(number: int) -> None:
                await client.start_workflow(Quadruple.run, 1, id=f"w{number}", task_list="nobody")
                assert await client.count_workflows(f"WorkflowID = 'w{number}'") == 1

            await asyncio.gather(*[one(number) for number in range(50)])
            assert await client.count_workflows() == 50

    run(story)


async def add_key(address: str, name: str, value_type: api.IndexedValueType) -> None:
    request = admin.AddSearchAttributeRequest(search_attribute={name: value_type})
    async with grpc.aio.insecure_channel(address) as channel:
        call: Any = channel.unary_unary("/uber.cadence.admin.v1.AdminAPI/AddSearchAttribute")  # type: ignore[call-arg]
        await call(request.SerializeToString(), timeout=10, metadata=(("rpc-caller", "t"), ("rpc-service", "cadence-frontend")))


async def upsert(client: Client, task_list: str, **values: bytes) -> None:
    """Takes the decision task that waits there and answers it with one decision."""
    request = api.PollForDecisionTaskRequest(domain=client.domain, task_list=api.TaskList(name=task_list), identity="t")
    task = await client.connection.call(WorkerRpc.poll_decision, request, 15)
    assert task.task_token
    decided = api.RespondDecisionTaskCompletedRequest(task_token=task.task_token, identity="t")
    wanted = decided.decisions.add().upsert_workflow_search_attributes_decision_attributes
    for key, data in values.items():
        wanted.search_attributes.indexed_fields[key].data = data
    await client.connection.call(WorkerRpc.decided, decided)


def test_search_attributes_are_set_changed_and_found(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'tenuto.db'}"

    async def story() -> None:
        async with serving(EmbeddedSettings(store)) as address, await Client.connect(address) as client:
            await client.start_workflow(
                Quadruple.run, 1, id="w", task_list="mine", search_attributes={"CustomIntField": 5, "CustomKeywordField": "a"}
            )
            assert await listed(client, "CustomIntField = 5 and CustomKeywordField = 'a'") == ["w"]
            with pytest.raises(BadRequestError, match='invalid search attribute "Colour"'):
                await listed(client, "Colour = 'red'")
            with pytest.raises(BadRequestError, match="Colour is not a valid search attribute key"):
                await client.start_workflow(Quadruple.run, 1, id="v", search_attributes={"Colour": "red"}, task_list="nobody")

            await add_key(address, "Colour", api.INDEXED_VALUE_TYPE_KEYWORD)
            await client.start_workflow(Quadruple.run, 1, id="v", search_attributes={"Colour": "red"}, task_list="nobody")
            assert await listed(client, "Colour = 'red'") == ["v"]

            await upsert(client, "mine", CustomKeywordField=b'"b"', Colour=b'["red","green"]', CadenceChangeVersion=b'["x-1"]')
            assert await listed(client, "CustomIntField = 5 and CustomKeywordField = 'b'") == ["w"], "an upsert merges"
            assert await listed(client, "CustomKeywordField = 'a'") == []
            assert await listed(client, "Colour = 'green' and CadenceChangeVersion = 'x-1'") == ["w"]
            assert sorted(await listed(client, "Colour = 'red'")) == ["v", "w"]
        async with serving(EmbeddedSettings(store)) as address, await Client.connect(address) as client:
            assert await listed(client, "Colour = 'green'") == ["w"], "keys and values last"
            await client.get_workflow_handle("w").signal("look")
            await upsert(client, "mine", Shade=b'"dark"')
            failed = [event async for event in client.get_workflow_handle("w").history() if event.HasField(FAILED)]
            assert [one.decision_task_failed_event_attributes.cause for one in failed] == [BAD_SEARCH_ATTRIBUTES]
            assert await listed(client, "Colour = 'green'") == ["w"]

    run(story)
