"""The admin calls for shards, hosts and isolation groups, and what the rest is answered."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message

from tenuto_api import admin, api, internal
from tenuto_server.errors import BadRequest, EntityNotExists
from tests.unit.frontend.fakes import DOMAIN, Bench, run

DRAINED, HEALTHY = api.ISOLATION_GROUP_STATE_DRAINED, api.ISOLATION_GROUP_STATE_HEALTHY


async def ask(bench: Bench, rpc: str, request: Message) -> Any:
    answer = await bench.call(f"uber.cadence.admin.v1.AdminAPI/{rpc}", request.SerializeToString())
    return getattr(admin, f"{rpc}Response").FromString(answer)


def groups(**states: api.IsolationGroupState) -> api.IsolationGroupConfiguration:
    parts = [api.IsolationGroupPartition(name=name, state=state) for name, state in states.items()]
    return api.IsolationGroupConfiguration(isolation_groups=parts)


def test_shards_and_their_owners_page_by_page() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            seen: dict[int, str] = {}
            for page in range(4):
                request = admin.DescribeShardDistributionRequest(page_size=6, page_id=page)
                answer = await ask(bench, "DescribeShardDistribution", request)
                assert answer.number_of_shards == 16
                seen.update(answer.shards)
            assert seen == dict.fromkeys(range(16), "history")
            with pytest.raises(BadRequest):
                await ask(bench, "DescribeShardDistribution", admin.DescribeShardDistributionRequest(page_id=-1))

    run(scenario())


def test_a_host_is_named_by_its_address_or_by_a_shard() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            host = internal.AdminDescribeHostResponse(shard_ids=[1, 2], domains_by_id=3, status="started", address="history")
            bench.history.answer = lambda _: host.SerializeToString()
            for named in ({"host_address": "history"}, {"shard_id": 0}):
                answer = await ask(bench, "DescribeHistoryHost", admin.DescribeHistoryHostRequest(**named))
                assert (answer.number_of_shards, list(answer.shard_ids), answer.address) == (2, [1, 2], "history")
            for wrong, error in (
                ({"host_address": "elsewhere"}, EntityNotExists),
                ({"shard_id": 16}, BadRequest),
                ({"shard_id": -1}, BadRequest),
                ({}, BadRequest),
            ):
                with pytest.raises(error):
                    await ask(bench, "DescribeHistoryHost", admin.DescribeHistoryHostRequest(**wrong))

    run(scenario())


def test_isolation_groups_are_kept_for_the_cluster_and_by_domain() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            nothing = admin.GetGlobalIsolationGroupsRequest()
            assert not (await ask(bench, "GetGlobalIsolationGroups", nothing)).isolation_groups.isolation_groups
            for wanted in (groups(a=DRAINED, b=HEALTHY), groups(a=HEALTHY), groups()):
                update = admin.UpdateGlobalIsolationGroupsRequest(isolation_groups=wanted)
                await ask(bench, "UpdateGlobalIsolationGroups", update)
                assert (await ask(bench, "GetGlobalIsolationGroups", nothing)).isolation_groups == wanted
            mine = groups(z=DRAINED)
            by_domain = admin.UpdateDomainIsolationGroupsRequest(domain=DOMAIN, isolation_groups=mine)
            await ask(bench, "UpdateDomainIsolationGroups", by_domain)
            got = await ask(bench, "GetDomainIsolationGroups", admin.GetDomainIsolationGroupsRequest(domain=DOMAIN))
            assert got.isolation_groups == mine
            assert (await bench.domains.by_name(DOMAIN)).isolation_groups == mine

    run(scenario())


@pytest.mark.parametrize(
    "wrong", [None, groups(**{"": DRAINED}), groups(a=api.ISOLATION_GROUP_STATE_INVALID), groups(**{"x" * 1001: DRAINED})]
)
def test_wrong_isolation_groups_are_refused(wrong: api.IsolationGroupConfiguration | None) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            for request in (
                admin.UpdateGlobalIsolationGroupsRequest(isolation_groups=wrong),
                admin.UpdateDomainIsolationGroupsRequest(domain=DOMAIN, isolation_groups=wrong),
            ):
                rpc = request.DESCRIPTOR.name.removesuffix("Request")
                with pytest.raises(BadRequest):
                    await ask(bench, rpc, request)

    run(scenario())


@pytest.mark.parametrize(
    ("rpc", "text"),
    [
        ("GetReplicationMessages", "this is one cluster"),
        ("MergeDLQMessages", "this is one cluster"),
        ("GetCrossClusterTasks", "this is one cluster"),
        ("RemoveTask", "keeps no task queues"),
    ],
)
def test_what_needs_other_clusters_or_queues_is_refused_clearly(rpc: str, text: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            with pytest.raises(BadRequest, match=text):
                await ask(bench, rpc, getattr(admin, f"{rpc}Request")())

    run(scenario())
