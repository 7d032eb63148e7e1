"""The service itself: health, cluster, limits, starting, stopping and dying."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable

import pytest

from tenuto_api import admin, api
from tenuto_server.config.buckets import TokenBucket
from tenuto_server.config.live import LiveSettings
from tenuto_server.errors import NOT_FOUND, ClientVersionNotSupported, ServiceBusy, ServiceError, Unavailable
from tenuto_server.frontend.limiter import BUSY, Limiter, RateClass
from tenuto_server.frontend.settings import FrontendSettings, Rates
from tenuto_server.persistence.domains import Domains
from tenuto_server.persistence.interface import Member, StoreUnavailable
from tenuto_server.transport.network import InternalCall
from tests.unit.frontend.fakes import DOMAIN, Bench, make_domain, run, start_request, task_token

HEALTH = "MetaAPI/Health"
GRPC_HEALTH = "grpc.health.v1.Health/Check"
START = "WorkflowAPI/StartWorkflowExecution"


def history_request(token: bytes = b"") -> bytes:
    request = api.GetWorkflowExecutionHistoryRequest(domain=DOMAIN, wait_for_new_event=True, next_page_token=token)
    request.workflow_execution.workflow_id = "order-1"
    return request.SerializeToString()


def poll_request() -> bytes:
    request = api.PollForDecisionTaskRequest(domain=DOMAIN)
    request.task_list.name = "orders"
    return request.SerializeToString()


async def hang() -> bytes:
    return await asyncio.Future[bytes]()


def test_health() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            assert api.HealthResponse.FromString(await bench.call(HEALTH, b"")) == api.HealthResponse(ok=True, message="OK")
            assert await bench.call(GRPC_HEALTH, b"") == b"\x08\x01"
            name = b"uber.cadence.api.v1.WorkflowAPI"
            assert await bench.call(GRPC_HEALTH, b"\x0a" + bytes([len(name)]) + name) == b"\x08\x01"
            with pytest.raises(ServiceError) as unknown:
                await bench.call(GRPC_HEALTH, b"\x0a\x01x")
            assert unknown.value.status == NOT_FOUND
            await bench.frontend.stop()
            stopped = api.HealthResponse.FromString(await bench.call(HEALTH, b""))
            assert stopped == api.HealthResponse(ok=False, message="ShuttingDown")
            assert await bench.call(GRPC_HEALTH, b"") == b"\x08\x02"

    run(scenario())


def test_cluster() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            for role, address in (("history", "h:2"), ("history", "h:1"), ("matching", "m:1"), ("frontend", "f:1")):
                await bench.store.announce(Member(role, address, "1"), 10)
            versions = api.SupportedClientVersions(go_sdk="1.7.0", java_sdk="1.5.0")
            info = api.GetClusterInfoResponse.FromString(await bench.call("WorkflowAPI/GetClusterInfo", b""))
            assert info.supported_client_versions == versions
            cluster = admin.DescribeClusterResponse.FromString(
                await bench.call("uber.cadence.admin.v1.AdminAPI/DescribeCluster", b"")
            )
            assert cluster.supported_client_versions == versions
            membership = cluster.membership_info
            assert membership.current_host.identity == "frontend:1"
            rings = {ring.role: [host.identity for host in ring.members] for ring in membership.rings}
            assert rings == {
                "cadence-frontend": ["f:1", "frontend:1"],
                "cadence-history": ["h:1", "h:2", "history"],
                "cadence-matching": ["m:1", "matching"],
            }
            assert [ring.member_count for ring in membership.rings] == [2, 3, 2]
            assert sorted(membership.reachable_members) == sorted(itertools.chain(*rings.values()))
            (feature,) = cluster.persistence_info["visibilityStore"].features
            assert (feature.key, feature.enabled) == ("advancedVisibilityEnabled", True)
            assert cluster.persistence_info["historyStore"].backend == "sqlite"

    run(scenario())


# --- limits ----------------------------------------------------------------------------------------------------------
def test_a_bucket_fills_with_time() -> None:
    bucket = TokenBucket(2.0, 0.0)
    assert [bucket.take(2.0, 0.0) for _ in range(3)] == [True, True, False]
    assert not bucket.take(2.0, 0.4)
    assert bucket.take(2.0, 0.5)
    assert [bucket.take(2.0, 100.0) for _ in range(3)] == [True, True, False]


def test_a_slow_bucket_holds_one_and_an_empty_one_none() -> None:
    slow = TokenBucket(0.1, 0.0)
    assert [slow.take(0.1, 0.0), slow.take(0.1, 9.0), slow.take(0.1, 10.5)] == [True, False, True]
    none = TokenBucket(0.0, 0.0)
    assert not none.take(0.0, 1e9)


def test_debt_is_bounded() -> None:
    bucket = TokenBucket(2.0, 0.0)
    for _ in range(100):
        bucket.charge(2.0, 0.0)
    assert not bucket.take(2.0, 1.4)
    assert bucket.take(2.0, 1.6)


def test_a_changed_rate_counts_at_once() -> None:
    bucket = TokenBucket(1000.0, 0.0)
    assert [bucket.take(2.0, 0.0) for _ in range(3)] == [True, True, False]
    assert not bucket.take(0.0, 50.0)
    # Set to nothing and back to something: it is not left empty.
    assert bucket.take(1.0, 50.0)
    assert not bucket.take(1.0, 50.5)
    assert bucket.take(10.0, 51.5)


def _limiter(rates: Rates) -> Limiter:
    return Limiter(LiveSettings(FrontendSettings(rates=rates), "frontend"), 0.0)


def test_the_buckets_of_domains_are_bounded_and_the_unused_go_first() -> None:
    limiter = _limiter(Rates(domain_user=1, domains_max=2))
    a, b, c = (make_domain(name, name) for name in "abc")
    for domain in (a, b):
        limiter.take_domain(RateClass.USER, domain, 0.0)
    with pytest.raises(ServiceBusy):
        limiter.take_domain(RateClass.USER, a, 0.0)
    limiter.take_domain(RateClass.USER, c, 0.0)
    with pytest.raises(ServiceBusy):
        limiter.take_domain(RateClass.USER, a, 0.0)
    limiter.take_domain(RateClass.USER, b, 0.0)


def test_polls_of_one_task_list_do_not_use_up_another_s() -> None:
    limiter = _limiter(Rates(task_list_worker=1))
    domain = make_domain()
    limiter.take_task_list(domain, "a", 1, 0.0)
    limiter.take_task_list(domain, "a", 2, 0.0)
    limiter.take_task_list(domain, "b", 1, 0.0)
    with pytest.raises(ServiceBusy):
        limiter.take_task_list(domain, "a", 1, 0.5)


def test_callers_of_some_types_are_counted_but_never_refused() -> None:
    rates = Rates(host_user=2, domain_user=2, bypass_caller_types=("cli", "ui"))

    async def scenario() -> None:
        async with Bench(FrontendSettings(rates=rates)) as bench:
            body = start_request().SerializeToString()
            for _ in range(10):
                await bench.call(START, body, headers={"cadence-caller-type": "ui"})
            for headers in ({}, {"cadence-caller-type": "sdk"}):
                with pytest.raises(ServiceBusy, match=BUSY):
                    await bench.call(START, body, headers=headers)

    run(scenario())


@pytest.mark.parametrize("rates", [Rates(host_user=2), Rates(domain_user=2)])
def test_too_many_requests(rates: Rates) -> None:
    async def scenario() -> None:
        async with Bench(FrontendSettings(rates=rates)) as bench:
            body = start_request().SerializeToString()
            for _ in range(2):
                await bench.call(START, body)
            with pytest.raises(ServiceBusy, match=BUSY):
                await bench.call(START, body)
            assert len(bench.history.calls) == 2
            await bench.call("WorkerAPI/PollForDecisionTask", poll_request())
            await asyncio.sleep(0.6)
            await bench.call(START, body)

    run(scenario())


def test_answers_of_workers_count_but_are_never_refused() -> None:
    async def scenario() -> None:
        async with Bench(FrontendSettings(rates=Rates(host_worker=2, domain_worker=2))) as bench:
            answer = api.RespondDecisionTaskCompletedRequest(task_token=task_token()).SerializeToString()
            for _ in range(10):
                await bench.call("WorkerAPI/RespondDecisionTaskCompleted", answer)
            with pytest.raises(ServiceBusy):
                await bench.call("WorkerAPI/PollForDecisionTask", poll_request())

    run(scenario())


def test_calls_under_way_are_bounded() -> None:
    async def scenario() -> None:
        async with Bench(FrontendSettings(calls_max=2)) as bench:
            bench.matching.answer = lambda _: hang()
            async with asyncio.TaskGroup() as group:
                for _ in range(2):
                    group.create_task(bench.call("WorkerAPI/PollForDecisionTask", poll_request()))
                await asyncio.sleep(1)
                assert bench.frontend.calls == 2
                with pytest.raises(ServiceBusy, match=BUSY):
                    await bench.call(START, start_request().SerializeToString())
            assert bench.frontend.calls == 0
            await bench.call(START, start_request().SerializeToString())

    run(scenario())


# --- starting, stopping, dying ---------------------------------------------------------------------------------------
def test_before_the_start_and_after_the_stop() -> None:
    async def scenario() -> None:
        idle = Bench()
        assert api.HealthResponse.FromString(await idle.call(HEALTH, b"")) == api.HealthResponse(message="WarmingUp")
        assert await idle.call(GRPC_HEALTH, b"") == b"\x08\x02"
        with pytest.raises(Unavailable):
            await idle.call(START, start_request().SerializeToString())
        async with Bench() as bench:
            await bench.frontend.stop()
            with pytest.raises(Unavailable):
                await bench.call(START, start_request().SerializeToString())

    run(scenario())


def test_a_graceful_stop_answers_long_polls_at_once_and_waits_for_the_rest() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            ends: list[float] = []

            async def two_seconds() -> bytes:
                await asyncio.sleep(2)
                return b"done"

            bench.matching.answer = lambda _: hang()
            token = api.GetWorkflowExecutionHistoryResponse(next_page_token=b"made by history").SerializeToString()

            async def at_once() -> bytes:
                return token

            def history(call: InternalCall) -> Awaitable[bytes]:
                if "History" not in call.method:
                    return two_seconds()
                assert call.deadline is not None
                return at_once() if call.deadline - bench.runtime.monotonic() < 1 else hang()

            bench.history.answer = history

            async def timed(method: str, body: bytes) -> bytes:
                try:
                    return await bench.call(method, body, timeout_s=30)
                finally:
                    ends.append(bench.runtime.monotonic())

            poll = asyncio.ensure_future(timed("WorkerAPI/PollForDecisionTask", poll_request()))
            waiting = asyncio.ensure_future(timed("WorkflowAPI/GetWorkflowExecutionHistory", history_request(b"t")))
            anew = asyncio.ensure_future(timed("WorkflowAPI/GetWorkflowExecutionHistory", history_request()))
            started = asyncio.ensure_future(timed(START, start_request().SerializeToString()))
            await asyncio.sleep(1)
            await bench.frontend.stop()
            assert bench.runtime.monotonic() == pytest.approx(2.0, abs=0.01)
            assert await poll == b""
            nothing = api.GetWorkflowExecutionHistoryResponse.FromString(await waiting)
            assert nothing.HasField("history")
            assert nothing.next_page_token == b"t"
            # History is asked once more, for a token to go on from elsewhere.
            assert await anew == token
            assert await started == b"done"
            assert ends == [pytest.approx(1.0, abs=0.01)] * 3 + [pytest.approx(2.0, abs=0.01)]

    run(scenario())


def test_a_stop_does_not_wait_for_ever() -> None:
    async def scenario() -> None:
        async with Bench(FrontendSettings(drain_s=3)) as bench:
            bench.history.answer = lambda _: hang()
            stuck = asyncio.ensure_future(bench.call(START, start_request().SerializeToString(), timeout_s=60))
            await asyncio.sleep(1)
            await bench.frontend.stop()
            assert bench.runtime.monotonic() == pytest.approx(4.0, abs=0.01)
            stuck.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stuck

    run(scenario())


def test_a_stop_waits_for_an_owner_that_is_being_replaced() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            addresses = bench.router.history_addresses(), bench.router.matching_addresses()
            bench.router.set_members([], [])
            started = asyncio.ensure_future(bench.call(START, start_request().SerializeToString(), timeout_s=60))
            await asyncio.sleep(1)
            stop = asyncio.ensure_future(bench.frontend.stop())
            await asyncio.sleep(2)
            assert not stop.done()
            bench.router.set_members(*addresses)
            await started
            await stop
            assert bench.runtime.monotonic() < 4

    run(scenario())


def test_a_stop_ends_the_wait_for_an_owner() -> None:
    async def scenario() -> None:
        async with Bench(FrontendSettings(drain_s=4)) as bench:
            bench.router.set_members([], [])
            orphan = asyncio.ensure_future(bench.call(START, start_request().SerializeToString(), timeout_s=60))
            await asyncio.sleep(1)
            await bench.frontend.stop()
            assert 4 < bench.runtime.monotonic() < 5
            with pytest.raises(ServiceBusy):
                await orphan

    run(scenario())


def test_a_killed_frontend_answers_nothing() -> None:
    async def scenario() -> None:
        async with Bench() as bench:

            async def two_seconds() -> bytes:
                await asyncio.sleep(2)
                return b"done"

            bench.history.answer = lambda _: two_seconds()
            bench.matching.answer = lambda _: hang()
            started = asyncio.ensure_future(bench.call(START, start_request().SerializeToString()))
            poll = asyncio.ensure_future(bench.call("WorkerAPI/PollForDecisionTask", poll_request()))
            await asyncio.sleep(1)
            stop = asyncio.ensure_future(bench.frontend.stop())
            # Let the stop interrupt the poll, and die before the poll has noticed.
            await asyncio.sleep(0)
            bench.frontend.kill()
            await stop
            for call in (started, poll):
                with pytest.raises(Unavailable):
                    await call
            with pytest.raises(Unavailable):
                await bench.call(HEALTH, b"")

    run(scenario())


def test_a_store_that_does_not_answer_is_busy() -> None:
    async def scenario() -> None:
        async with Bench() as bench:

            async def down() -> list[Member]:
                raise StoreUnavailable("down")

            bench.store.members = down  # type: ignore[method-assign]
            with pytest.raises(ServiceBusy):
                await bench.call("uber.cadence.admin.v1.AdminAPI/DescribeCluster", b"")

    run(scenario())


def test_a_poll_that_meets_the_stop_on_its_way_does_not_wait() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bench.matching.answer = lambda _: hang()
            # The cache does not know the domain yet: the poll is still reading it when the frontend stops.
            await Domains(bench.store).register(make_domain("unread", "unread-id"))
            request = api.PollForDecisionTaskRequest(domain="unread", task_list=api.TaskList(name="orders"))
            body = request.SerializeToString()
            poll = asyncio.ensure_future(bench.call("WorkerAPI/PollForDecisionTask", body, timeout_s=60))
            await asyncio.sleep(0)
            assert bench.matching.calls == []
            await bench.frontend.stop()
            assert await poll == b""
            assert bench.runtime.monotonic() < 0.1

    run(scenario())


# --- versions of clients ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "version", "passes"),
    [
        ("uber-go", "1.7.0", True),
        ("uber-go", "1.7.1", False),
        ("uber-java", "1.5.0", True),
        ("uber-java", "1.6.0", False),
        ("cli", "2.0.0", False),
        ("uber-go", "nonsense", False),
        ("uber-go", "", True),
        ("", "9.9.9", True),
        ("someone", "9.9.9", True),
    ],
)
def test_clients_newer_than_the_server_are_refused_where_that_is_wanted(name: str, version: str, passes: bool) -> None:
    headers = {"cadence-client-name": name, "cadence-client-feature-version": version}

    async def scenario() -> None:
        body = start_request().SerializeToString()
        async with Bench() as bench:
            await bench.call(START, body, headers=headers)
        async with Bench(FrontendSettings(check_client_version=True)) as bench:
            await bench.call("WorkflowAPI/GetClusterInfo", b"", headers=headers)
            await bench.call("MetaAPI/Health", b"", headers=headers)
            if passes:
                await bench.call(START, body, headers=headers)
                return
            with pytest.raises(ClientVersionNotSupported) as refused:
                await bench.call(START, body, headers=headers)
            detail = refused.value.detail
            assert isinstance(detail, api.ClientVersionNotSupportedError)
            assert (detail.client_impl, detail.feature_version) == (name, version)
            assert not bench.history.calls

    run(scenario())
