"""What operators do to a whole server: look at a run and its raw history, have a shard given up."""

from __future__ import annotations

import asyncio
import json

import pytest

from tenuto_api import admin, api
from tenuto_server.errors import BadRequest, EntityNotExists, ServiceBusy
from tenuto_server.history import storing
from tenuto_server.persistence.interface import Row, Table, WriteBatch
from tests.integration.embedded.test_any_request import WORKFLOW_ID, World
from tests.unit.frontend.fakes import DOMAIN, run

ADMIN = "uber.cadence.admin.v1.AdminAPI"
EXECUTION = api.WorkflowExecution(workflow_id=WORKFLOW_ID)


async def describe(world: World) -> admin.DescribeWorkflowExecutionResponse:
    request = admin.DescribeWorkflowExecutionRequest(domain=DOMAIN, workflow_execution=EXECUTION)
    answer = await world.call(f"{ADMIN}/DescribeWorkflowExecution", request)
    return admin.DescribeWorkflowExecutionResponse.FromString(answer)


def test_a_run_s_state() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        described = await describe(world)
        state = json.loads(described.mutable_state_in_cache)
        assert state["ExecutionInfo"]["WorkflowID"] == WORKFLOW_ID
        assert state["ExecutionInfo"]["NextEventID"] == state["State"]["next_event_id"] > 5
        (activity,) = state["State"]["activities"].values()
        assert activity["activity_type"] == "Pay"
        assert described.history_addr == "history"
        assert json.loads(described.mutable_state_in_database)["ExecutionInfo"]["WorkflowID"] == WORKFLOW_ID
        nobody = admin.DescribeWorkflowExecutionRequest(
            domain=DOMAIN, workflow_execution=api.WorkflowExecution(workflow_id="nobody")
        )
        with pytest.raises(EntityNotExists):
            await world.call(f"{ADMIN}/DescribeWorkflowExecution", nobody)
        await world.server.stop()

    run(scenario())


def test_raw_history_page_by_page() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        whole = api.GetWorkflowExecutionHistoryResponse.FromString(
            await world.call(
                "WorkflowAPI/GetWorkflowExecutionHistory",
                api.GetWorkflowExecutionHistoryRequest(domain=DOMAIN, workflow_execution=EXECUTION),
            )
        )
        for start, end in ((None, None), (2, 5), (None, 4), (3, None), (900, None)):
            request = admin.GetWorkflowExecutionRawHistoryV2Request(domain=DOMAIN, workflow_execution=EXECUTION, page_size=2)
            if start is not None:
                request.start_event.event_id = start
            if end is not None:
                request.end_event.event_id = end
            seen: list[api.HistoryEvent] = []
            while True:
                page = admin.GetWorkflowExecutionRawHistoryV2Response.FromString(
                    await world.call(f"{ADMIN}/GetWorkflowExecutionRawHistoryV2", request)
                )
                for blob in page.history_batches:
                    assert blob.encoding_type == api.ENCODING_TYPE_PROTO3
                    events = api.History.FromString(blob.data).events
                    assert len(events) <= 2
                    seen += events
                assert page.version_history.items[0].event_id == len(whole.history.events)
                if not page.next_page_token:
                    break
                request.next_page_token = page.next_page_token
            assert seen == [one for one in whole.history.events if (start or 0) < one.event_id < (end or 1_000)]
        request = admin.GetWorkflowExecutionRawHistoryV2Request(
            domain=DOMAIN, workflow_execution=EXECUTION, next_page_token=b"\xff"
        )
        with pytest.raises(BadRequest, match="Invalid NextPageToken"):
            await world.call(f"{ADMIN}/GetWorkflowExecutionRawHistoryV2", request)
        await world.server.stop()

    run(scenario())


def test_a_shard_that_is_closed_is_taken_again_with_all_that_is_in_it() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        before = await describe(world)
        core = world.server._history.core
        epoch = core.shards[before.shard_id].epoch
        await world.call(f"{ADMIN}/CloseShard", admin.CloseShardRequest(shard_id=before.shard_id))
        after = await describe(world)
        assert after.mutable_state_in_cache == before.mutable_state_in_cache
        assert core.shards[before.shard_id].epoch > epoch
        host = admin.DescribeHistoryHostResponse.FromString(
            await world.call(f"{ADMIN}/DescribeHistoryHost", admin.DescribeHistoryHostRequest(shard_id=0))
        )
        assert list(host.shard_ids) == [0, 1, 2, 3]
        assert host.domain_cache.num_of_items_in_cache_by_name >= 1
        with pytest.raises(BadRequest, match="There is no shard 4"):
            await world.call(f"{ADMIN}/CloseShard", admin.CloseShardRequest(shard_id=4))
        await world.serves()
        await world.server.stop()

    run(scenario())


def test_refreshing_changes_no_run() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        before = await describe(world)
        request = admin.RefreshWorkflowTasksRequest(domain=DOMAIN, workflow_execution=EXECUTION)
        assert await world.call(f"{ADMIN}/RefreshWorkflowTasks", request) == b""
        assert (await describe(world)).mutable_state_in_cache == before.mutable_state_in_cache
        await world.server.stop()

    run(scenario())


def test_a_deleted_run_is_gone_from_everywhere() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        request = admin.DeleteWorkflowRequest(domain=DOMAIN, workflow_execution=EXECUTION)
        answer = admin.DeleteWorkflowResponse.FromString(await world.call(f"{ADMIN}/DeleteWorkflow", request))
        assert (answer.history_deleted, answer.executions_deleted, answer.visibility_deleted) == (True, True, True)
        for rpc in ("DescribeWorkflowExecution", "GetWorkflowExecutionHistory"):
            read = getattr(api, f"{rpc}Request")(domain=DOMAIN, workflow_execution=EXECUTION)
            with pytest.raises(EntityNotExists):
                await world.call(f"WorkflowAPI/{rpc}", read)
        with pytest.raises(EntityNotExists):
            await world.call(f"{ADMIN}/DeleteWorkflow", request)
        # Checkpoints may write rows down later than this.
        await asyncio.sleep(5)
        count = api.CountWorkflowExecutionsRequest(domain=DOMAIN)
        counted = api.CountWorkflowExecutionsResponse.FromString(
            await world.call("VisibilityAPI/CountWorkflowExecutions", count)
        )
        assert counted.count == 0
        await world.call("DomainAPI/DeprecateDomain", api.DeprecateDomainRequest(name=DOMAIN))
        await world.call("DomainAPI/DeleteDomain", api.DeleteDomainRequest(name=DOMAIN))
        with pytest.raises(EntityNotExists):
            await world.call("DomainAPI/DescribeDomain", api.DescribeDomainRequest(name=DOMAIN))
        await world.server.stop()

    run(scenario())


def test_one_workflow_id_takes_so_many_requests_from_outside() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        value = api.DataBlob(encoding_type=api.ENCODING_TYPE_JSON, data=b"2")
        of_domain = admin.DynamicConfigFilter(
            name="domainName", value=api.DataBlob(encoding_type=api.ENCODING_TYPE_JSON, data=json.dumps(DOMAIN).encode())
        )
        update = admin.UpdateDynamicConfigRequest(
            config_name="history.workflowIDExternalRPS",
            config_values=[admin.DynamicConfigValue(value=value, filters=[of_domain])],
        )
        await world.call(f"{ADMIN}/UpdateDynamicConfig", update)
        signal = api.SignalWorkflowExecutionRequest(domain=DOMAIN, workflow_execution=EXECUTION, signal_name="s")
        for _ in range(2):
            await world.call("WorkflowAPI/SignalWorkflowExecution", signal)
        describe_it = api.DescribeWorkflowExecutionRequest(domain=DOMAIN, workflow_execution=EXECUTION)
        for rpc, request in (("SignalWorkflowExecution", signal), ("DescribeWorkflowExecution", describe_it)):
            with pytest.raises(ServiceBusy, match="Too many requests for the workflow ID") as busy:
                await world.call(f"WorkflowAPI/{rpc}", request)
            assert isinstance(busy.value.detail, api.ServiceBusyError)
            assert busy.value.detail.reason == "external-workflow-id-rate-limit"
        await world.serves()
        await asyncio.sleep(1)
        await world.call("WorkflowAPI/SignalWorkflowExecution", signal)
        await world.server.stop()

    run(scenario())


async def history_host(world: World, workflow_id: str) -> admin.DescribeHistoryHostResponse:
    named = api.WorkflowExecution(workflow_id=workflow_id)
    answer = await world.call(f"{ADMIN}/DescribeHistoryHost", admin.DescribeHistoryHostRequest(workflow_execution=named))
    return admin.DescribeHistoryHostResponse.FromString(answer)


def test_a_workflow_s_host_is_found_without_its_domain() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        described = await describe(world)
        host = await history_host(world, WORKFLOW_ID)
        assert host.address == described.history_addr and described.shard_id in host.shard_ids
        with pytest.raises(EntityNotExists):
            await history_host(world, "nobody")
        with pytest.raises(BadRequest):
            await history_host(world, "")
        await world.server.stop()

    run(scenario())


async def maintain(world: World) -> bool:
    request = admin.MaintainCorruptWorkflowRequest(domain=DOMAIN, workflow_execution=EXECUTION)
    answer = admin.MaintainCorruptWorkflowResponse.FromString(await world.call(f"{ADMIN}/MaintainCorruptWorkflow", request))
    assert answer.history_deleted == answer.executions_deleted == answer.visibility_deleted
    return answer.history_deleted


def test_a_run_whose_history_is_damaged_is_deleted_and_a_sound_one_stays() -> None:
    async def scenario() -> None:
        world = World()
        await world.start()
        assert not await maintain(world)
        terminate = api.TerminateWorkflowExecutionRequest(domain=DOMAIN, workflow_execution=EXECUTION)
        await world.call("WorkflowAPI/TerminateWorkflowExecution", terminate)
        history = world.server._history
        await history._checkpointer.checkpoint()
        assert not await maintain(world)
        (shard,) = [one for one in history.core.shards.values() if one.workflows]
        (workflow,) = shard.workflows.values()
        assert workflow.current is not None
        partition = storing.history_partition(workflow.current.state)
        ((key, _), *_) = await world.server.store.scan(Table.HISTORY, partition, None, 1)
        gone = Row(Table.HISTORY, partition, key, None, storing.stamp(shard.epoch, history.core.next_picture()))
        await world.server.store.write(WriteBatch(rows=[gone]))
        assert await maintain(world)
        with pytest.raises(EntityNotExists):
            await describe(world)
        await world.server.stop()

    run(scenario())
