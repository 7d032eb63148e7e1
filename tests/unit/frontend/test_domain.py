"""Domains: what is registered, what an update changes and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenuto_api import api
from tenuto_server.errors import BadRequest, DomainAlreadyExists, EntityNotExists
from tenuto_server.frontend.domain_rules import DAY_SECONDS
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.persistence.interface import VisibilityKey, WriteBatch
from tests.unit.frontend.fakes import DOMAIN, START_NS, Bench, make_domain, run, start_request
from tests.unit.frontend.test_visibility import record


def register_request(name: str = "new", days: int = 3) -> api.RegisterDomainRequest:
    request = api.RegisterDomainRequest(name=name, description="d", owner_email="o@x", data={"k": "v"})
    request.workflow_execution_retention_period.seconds = days * DAY_SECONDS
    return request


@pytest.mark.parametrize(("is_global", "version"), [(False, -24), (True, 1)])
def test_a_registered_domain_is_whole(is_global: bool, version: int) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = register_request()
            request.is_global_domain = is_global
            request.workflow_execution_retention_period.seconds += 5
            assert await bench.call("DomainAPI/RegisterDomain", request.SerializeToString()) == b""
            described = api.DescribeDomainResponse.FromString(
                await bench.call("DomainAPI/DescribeDomain", api.DescribeDomainRequest(name="new").SerializeToString())
            )
            domain = described.domain
            assert len(domain.id) == 36
            expected = api.Domain(
                id=domain.id,
                name="new",
                status=api.DOMAIN_STATUS_REGISTERED,
                description="d",
                owner_email="o@x",
                data={"k": "v"},
                history_archival_status=api.ARCHIVAL_STATUS_DISABLED,
                visibility_archival_status=api.ARCHIVAL_STATUS_DISABLED,
                active_cluster_name="cluster0",
                clusters=[api.ClusterReplicationConfiguration(cluster_name="cluster0")],
                failover_version=version,
                is_global_domain=is_global,
                bad_binaries=api.BadBinaries(),
            )
            expected.workflow_execution_retention_period.seconds = 3 * DAY_SECONDS
            assert domain == expected
            by_id = api.DescribeDomainRequest(id=domain.id).SerializeToString()
            assert await bench.call("DomainAPI/DescribeDomain", by_id) == described.SerializeToString()

    run(scenario())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda r: r.ClearField("name"), "Domain not set on request."),
        (lambda r: setattr(r, "name", "a b"), "Domain name can only include alphanumeric and dash characters."),
        (lambda r: setattr(r, "name", "a\n"), "Domain name can only include alphanumeric and dash characters."),
        (lambda r: setattr(r, "name", "x" * 1001), "Domain length exceeds limit."),
        (
            lambda r: r.ClearField("workflow_execution_retention_period"),
            "A valid retention period is not set on request.",
        ),
        (
            lambda r: setattr(r.workflow_execution_retention_period, "seconds", DAY_SECONDS - 1),
            "A valid retention period is not set on request.",
        ),
        (
            lambda r: setattr(r.workflow_execution_retention_period, "seconds", 31 * DAY_SECONDS),
            "RetentionDays is invalid.",
        ),
        (lambda r: setattr(r, "active_cluster_name", "other"), "Invalid cluster name: other"),
        (lambda r: r.clusters.add(cluster_name="other"), "Invalid cluster name: other"),
        (lambda r: r.data.update({"k": "v" * 70_000}), "Domain data exceeds limit."),
        (lambda r: setattr(r, "description", "d" * 70_000), "Domain description exceeds limit."),
    ],
)
def test_registering_is_refused(change: Callable[[api.RegisterDomainRequest], object], text: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = register_request()
            change(request)
            with pytest.raises(BadRequest) as refused:
                await bench.call("DomainAPI/RegisterDomain", request.SerializeToString())
            assert refused.value.message == text

    run(scenario())


def test_names_are_unique() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            with pytest.raises(DomainAlreadyExists):
                await bench.call("DomainAPI/RegisterDomain", register_request(DOMAIN).SerializeToString())

    run(scenario())


def test_describing_needs_a_name_that_is_there() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            with pytest.raises(BadRequest, match=r"Domain not set on request\."):
                await bench.call("DomainAPI/DescribeDomain", b"")
            missing = api.DescribeDomainRequest(name="nowhere").SerializeToString()
            with pytest.raises(EntityNotExists, match=r"Domain nowhere does not exist\."):
                await bench.call("DomainAPI/DescribeDomain", missing)

    run(scenario())


def test_listing_goes_page_by_page() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.registry.delete(DOMAIN)
            for number in range(5):
                await bench.registry.register(make_domain(f"d{number}", f"id-{number}"))
            seen: list[list[str]] = []
            request = api.ListDomainsRequest(page_size=2)
            while True:
                answer = await bench.call("DomainAPI/ListDomains", request.SerializeToString())
                page = api.ListDomainsResponse.FromString(answer)
                seen.append([domain.name for domain in page.domains])
                if not page.next_page_token:
                    break
                request.next_page_token = page.next_page_token
            assert seen == [["d0", "d1"], ["d2", "d3"], ["d4"]]
            request.next_page_token = b"\xff"
            with pytest.raises(BadRequest, match=r"Invalid NextPageToken\."):
                await bench.call("DomainAPI/ListDomains", request.SerializeToString())

    run(scenario())


def make_old(domain: api.Domain) -> None:
    domain.description, domain.owner_email = "old", "old@x"
    domain.data["a"] = "1"
    domain.workflow_execution_retention_period.seconds = DAY_SECONDS


async def update(bench: Bench, *paths: str, masked: bool = True, **changes: Any) -> api.Domain:
    request = api.UpdateDomainRequest(name=DOMAIN, **changes)
    if masked:
        request.update_mask.paths.extend(paths)
        request.update_mask.SetInParent()
    answer = await bench.call("DomainAPI/UpdateDomain", request.SerializeToString())
    updated = api.UpdateDomainResponse.FromString(answer).domain
    assert updated == await bench.domains.by_name(DOMAIN)
    return updated


def test_only_what_the_mask_names_changes() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.change_domain(make_old)
            before = await bench.domains.by_name(DOMAIN)
            given: dict[str, Any] = {
                "description": "new",
                "owner_email": "",
                "data": {"b": "2"},
                "workflow_execution_retention_period": {"seconds": 7 * DAY_SECONDS},
            }
            expected = api.Domain()
            expected.CopyFrom(before)
            assert await update(bench, **given) == expected
            expected.description = "new"
            assert await update(bench, "description", **given) == expected
            expected.data["b"] = "2"
            assert await update(bench, "data", "status", **given) == expected
            expected.workflow_execution_retention_period.seconds = 7 * DAY_SECONDS
            assert await update(bench, "workflow_execution_retention_period", **given) == expected
            expected.owner_email = ""
            assert await update(bench, "owner_email", **given) == expected
            assert before.description == "old"

    run(scenario())


def test_without_a_mask_every_field_counts() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.change_domain(make_old)
            before = await bench.domains.by_name(DOMAIN)
            expected = api.Domain()
            expected.CopyFrom(before)
            expected.description, expected.owner_email = "new", ""
            assert await update(bench, masked=False, description="new") == expected

    run(scenario())


def test_bad_binaries_are_added_and_taken_out() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bad = api.BadBinaries()
            bad.binaries["sum1"].reason = "broken"
            updated = await update(bench, "bad_binaries", bad_binaries=bad)
            assert updated.bad_binaries.binaries["sum1"].created_time.ToNanoseconds() == START_NS
            more = api.BadBinaries()
            more.binaries["sum2"].operator = "me"
            assert sorted((await update(bench, "bad_binaries", bad_binaries=more)).bad_binaries.binaries) == [
                "sum1",
                "sum2",
            ]
            updated = await update(bench, "delete_bad_binary", delete_bad_binary="sum1")
            assert list(updated.bad_binaries.binaries) == ["sum2"]
            with pytest.raises(BadRequest, match="Bad binary checksum sum1 doesn't exists"):
                await update(bench, "delete_bad_binary", delete_bad_binary="sum1")
            many = api.BadBinaries()
            for number in range(10):
                many.binaries[f"n{number}"].reason = "broken"
            with pytest.raises(BadRequest, match="at most"):
                await update(bench, "bad_binaries", bad_binaries=many)

    run(scenario())


@pytest.mark.parametrize(
    ("path", "changes", "text"),
    [
        ("active_cluster_name", {"active_cluster_name": "other"}, "Invalid cluster name: other"),
        ("clusters", {"clusters": [api.ClusterReplicationConfiguration(cluster_name="x")]}, "Invalid cluster name: x"),
        ("failover_timeout", {"failover_timeout": {"seconds": 5}}, "Cannot start graceful failover"),
        (
            "workflow_execution_retention_period",
            {"workflow_execution_retention_period": {"seconds": 5}},
            "A valid retention period",
        ),
        ("history_archival_status", {"history_archival_status": 7}, "Unknown ArchivalStatus: 7"),
        ("visibility_archival_status", {"visibility_archival_status": 7}, "Unknown ArchivalStatus: 7"),
    ],
)
def test_an_update_is_refused_only_where_the_mask_names_it(path: str, changes: dict[str, Any], text: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            before = (await bench.domains.by_name(DOMAIN)).SerializeToString()
            with pytest.raises(BadRequest, match=text):
                await update(bench, path, **changes)
            assert (await update(bench, "description", **changes)).SerializeToString() == before

    run(scenario())


def test_deprecating() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = api.DeprecateDomainRequest(name=DOMAIN).SerializeToString()
            assert await bench.call("DomainAPI/DeprecateDomain", request) == b""
            expected = make_domain()
            expected.status = api.DOMAIN_STATUS_DEPRECATED
            assert await bench.domains.by_name(DOMAIN) == expected
            for method in ("DeprecateDomain", "UpdateDomain"):
                with pytest.raises(BadRequest, match=r"Domain not set on request\."):
                    await bench.call(f"DomainAPI/{method}", b"")
            missing = api.DeprecateDomainRequest(name="nowhere").SerializeToString()
            with pytest.raises(EntityNotExists):
                await bench.call("DomainAPI/DeprecateDomain", missing)

    run(scenario())


# --- archival --------------------------------------------------------------------------------------------------------
ENABLED, DISABLED = api.ARCHIVAL_STATUS_ENABLED, api.ARCHIVAL_STATUS_DISABLED


def archival(domain: api.Domain) -> tuple[int, str, int, str]:
    return (
        domain.history_archival_status, domain.history_archival_uri,
        domain.visibility_archival_status, domain.visibility_archival_uri,
    )  # fmt: skip


def test_archival_is_a_uri_that_never_changes_and_a_status_that_may() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            fields = ("history_archival_status", "history_archival_uri", "visibility_archival_status")
            with pytest.raises(BadRequest, match="Invalid to enable archival without specifying a uri"):
                await update(bench, *fields, history_archival_status=ENABLED)
            with pytest.raises(BadRequest, match="Archival URI is not valid"):
                await update(bench, *fields, history_archival_uri="nowhere")
            updated = await update(bench, *fields, history_archival_status=ENABLED, history_archival_uri="file:///a")
            assert archival(updated)[:2] == (ENABLED, "file:///a")
            assert archival(await update(bench, *fields, history_archival_uri="file:///a"))[:2] == (ENABLED, "file:///a")
            with pytest.raises(BadRequest, match="Cannot update existing archival URI"):
                await update(bench, *fields, history_archival_uri="file:///b")
            assert archival(await update(bench, *fields, history_archival_status=DISABLED))[:2] == (DISABLED, "file:///a")
            assert archival(await update(bench, *fields, history_archival_status=ENABLED))[:2] == (ENABLED, "file:///a")
            assert archival(await update(bench, masked=False))[:2] == (ENABLED, "file:///a")

    run(scenario())


def test_a_domain_may_archive_where_the_server_says() -> None:
    settings = FrontendSettings(history_archival_uri="file:///h", visibility_archival_uri="file:///v")

    async def scenario() -> None:
        async with Bench(settings) as bench:
            request = register_request()
            request.history_archival_status = ENABLED
            request.visibility_archival_status = ENABLED
            request.visibility_archival_uri = "file:///mine"
            await bench.call("DomainAPI/RegisterDomain", request.SerializeToString())
            assert archival(await bench.domains.by_name("new")) == (ENABLED, "file:///h", ENABLED, "file:///mine")
            assert archival(await update(bench, "history_archival_status", history_archival_status=ENABLED))[:2] == (
                ENABLED, "file:///h",
            )  # fmt: skip

    run(scenario())


# --- what needs a second cluster --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("is_global", "changes", "text"),
    [
        (False, {"domain_active_cluster_name": "cluster0"}, "Local domains cannot perform failovers"),
        (True, {"domain_active_cluster_name": "other"}, "Invalid cluster name: other"),
        (True, {"domain_active_cluster_name": "cluster0"}, "there was no change detected"),
        (True, {}, "A failover names the cluster"),
        (True, {"domain_active_cluster_name": "cluster0", "failover_timeout": {"seconds": 1}}, "graceful failover"),
    ],
)
def test_failing_over_is_refused(is_global: bool, changes: dict[str, Any], text: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.change_domain(lambda domain: setattr(domain, "is_global_domain", is_global))
            request = api.FailoverDomainRequest(domain_name=DOMAIN, **changes)
            with pytest.raises(BadRequest, match=text):
                await bench.call("DomainAPI/FailoverDomain", request.SerializeToString())

    run(scenario())


def test_there_were_no_failovers() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = api.ListFailoverHistoryRequest()
            with pytest.raises(BadRequest, match="DomainID is not set on request"):
                await bench.call("DomainAPI/ListFailoverHistory", request.SerializeToString())
            request.filters.domain_id = "nothing"
            with pytest.raises(EntityNotExists):
                await bench.call("DomainAPI/ListFailoverHistory", request.SerializeToString())
            request.filters.domain_id = (await bench.domains.by_name(DOMAIN)).id
            answer = await bench.call("DomainAPI/ListFailoverHistory", request.SerializeToString())
            assert api.ListFailoverHistoryResponse.FromString(answer) == api.ListFailoverHistoryResponse()

    run(scenario())


# --- the end of a domain ----------------------------------------------------------------------------------------------
def test_a_deprecated_domain_takes_no_starts_and_no_signals() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.change_domain(lambda domain: setattr(domain, "status", api.DOMAIN_STATUS_DEPRECATED))
            signal = api.SignalWorkflowExecutionRequest(
                domain=DOMAIN, workflow_execution=api.WorkflowExecution(workflow_id="w"), signal_name="s"
            )
            both = api.SignalWithStartWorkflowExecutionRequest(start_request=start_request(), signal_name="s")
            for rpc, request in (
                ("StartWorkflowExecution", start_request()),
                ("SignalWorkflowExecution", signal),
                ("SignalWithStartWorkflowExecution", both),
            ):
                with pytest.raises(BadRequest, match="domain deprecated"):
                    await bench.call(f"WorkflowAPI/{rpc}", request.SerializeToString())
            terminate = api.TerminateWorkflowExecutionRequest(
                domain=DOMAIN, workflow_execution=api.WorkflowExecution(workflow_id="w")
            )
            assert await bench.call("WorkflowAPI/TerminateWorkflowExecution", terminate.SerializeToString()) == b""

    run(scenario())


def test_deleting_needs_a_deprecated_domain_without_runs() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = api.DeleteDomainRequest(name=DOMAIN).SerializeToString()
            with pytest.raises(BadRequest, match="not in a deprecated state"):
                await bench.call("DomainAPI/DeleteDomain", request)
            await bench.change_domain(lambda domain: setattr(domain, "status", api.DOMAIN_STATUS_DEPRECATED))
            domain_id = (await bench.domains.by_name(DOMAIN)).id
            await bench.store.write(WriteBatch(visibility=[record(1, domain_id=domain_id, workflow_id="w", run_id="r")]))
            with pytest.raises(BadRequest, match="still have workflow execution history"):
                await bench.call("DomainAPI/DeleteDomain", request)
            await bench.store.write(WriteBatch(visibility_deletes=[VisibilityKey(domain_id, "w", "r", 2)]))
            assert await bench.call("DomainAPI/DeleteDomain", request) == b""
            for method in ("DeleteDomain", "DescribeDomain"):
                with pytest.raises(EntityNotExists):
                    await bench.call(f"DomainAPI/{method}", api.DescribeDomainRequest(name=DOMAIN).SerializeToString())
            await bench.call("DomainAPI/RegisterDomain", register_request(DOMAIN).SerializeToString())

    run(scenario())
