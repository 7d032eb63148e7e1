"""Where requests go, what happens when their owner is gone, and what clients are told: retries, deadlines, errors."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest

from tenuto_api import api, internal
from tenuto_server.errors import (
    ALREADY_COMPLETED,
    BadRequest,
    CancellationAlreadyRequested,
    DeadlineExceeded,
    EntityNotExists,
    InternalService,
    LimitExceeded,
    ServiceBusy,
    ServiceError,
    ShardOwnershipLost,
    Unavailable,
    Unimplemented,
    WorkflowAlreadyCompleted,
    WorkflowAlreadyStarted,
)
from tenuto_server.frontend.context import NO_MATCHING, NO_OWNER
from tenuto_server.frontend.methods import INTERFACE, METHODS
from tenuto_server.transport.network import InternalCall
from tests.unit.frontend.fakes import DOMAIN, DOMAIN_ID, RUN_ID, Bench, Recorder, run, start_request, task_token

START = "WorkflowAPI/StartWorkflowExecution"
STARTED = api.StartWorkflowExecutionResponse(run_id=RUN_ID).SerializeToString()


def poll_request() -> bytes:
    request = api.PollForActivityTaskRequest(domain=DOMAIN)
    request.task_list.name = "orders"
    return request.SerializeToString()


def signal_request(request_id: str = "") -> api.SignalWorkflowExecutionRequest:
    request = api.SignalWorkflowExecutionRequest(domain=DOMAIN, signal_name="s", request_id=request_id)
    request.workflow_execution.workflow_id = "order-1"
    return request


# --- owners ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lost", [ShardOwnershipLost("moved"), Unavailable("broken")])
def test_a_lost_owner_then_a_new_one(lost: ServiceError) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            successor = Recorder()
            successor.answer = lambda _: STARTED
            await bench.network.listen("successor", successor.handle)

            def lose(_: InternalCall) -> bytes:
                bench.router.set_members(["successor"], ["matching"])
                raise lost

            bench.history.answer = lose
            body = start_request().SerializeToString()
            assert await bench.call(START, body) == STARTED
            assert len(bench.history.calls) == 1
            # The same bytes, so the same request id: done once, however often it is asked.
            assert [request.request for request in successor.requests()] == [body]

    run(scenario())


def test_an_owner_that_comes_back() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bench.router.set_members([], ["matching"])
            asyncio.get_running_loop().call_later(3.0, bench.router.set_members, ["history"], ["matching"])
            bench.history.answer = lambda _: STARTED
            assert await bench.call(START, start_request().SerializeToString(), timeout_s=10) == STARTED
            assert len(bench.history.calls) == 1
            assert 3.0 <= bench.runtime.monotonic() <= 3.0 + bench.settings.retry_s_max

    run(scenario())


@pytest.mark.parametrize(("timeout_s", "ends_s"), [(1.0, 1.0), (None, 10.0), (10_000.0, 120.0)])
def test_the_time_runs_out_without_an_owner(timeout_s: float | None, ends_s: float) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bench.router.set_members([], ["matching"])
            with pytest.raises(ServiceBusy) as busy:
                await bench.call(START, start_request().SerializeToString(), timeout_s=timeout_s)
            assert busy.value.message == NO_OWNER
            assert ends_s - bench.settings.retry_s_max <= bench.runtime.monotonic() <= ends_s

    run(scenario())


def test_tries_grow_apart() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            times: list[float] = []

            def lose(_: InternalCall) -> bytes:
                times.append(bench.runtime.monotonic())
                raise ShardOwnershipLost("moved")

            bench.history.answer = lose
            with pytest.raises(ServiceBusy):
                await bench.call(START, start_request().SerializeToString(), timeout_s=10)
            gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
            assert 0.01 <= gaps[0] <= 0.021
            assert all(0.19 <= gap <= 0.41 for gap in gaps[5:])
            assert 25 <= len(times) <= 60

    run(scenario())


def test_a_slow_owner_is_a_deadline() -> None:
    async def scenario() -> None:
        async with Bench() as bench:

            async def hang() -> bytes:
                return await asyncio.Future[bytes]()

            bench.history.answer = lambda _: hang()
            with pytest.raises(DeadlineExceeded):
                await bench.call(START, start_request().SerializeToString(), timeout_s=2)
            assert bench.runtime.monotonic() == pytest.approx(2.0, abs=0.01)

    run(scenario())


def test_no_time_left_asks_nobody() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            with pytest.raises(DeadlineExceeded):
                await bench.call(START, start_request().SerializeToString(), timeout_s=0)
            assert bench.history.calls == []

    run(scenario())


def test_requests_without_id_get_one_and_keep_it() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            failures = iter([Unavailable("broken"), None])

            def answer(_: InternalCall) -> bytes:
                failure = next(failures)
                if failure is not None:
                    raise failure
                return b""

            bench.history.answer = answer
            await bench.call("WorkflowAPI/SignalWorkflowExecution", signal_request().SerializeToString())
            first, second = (
                api.SignalWorkflowExecutionRequest.FromString(request.request) for request in bench.history.requests()
            )
            assert len(first.request_id) == 36
            assert first == second
            first.request_id = ""
            assert first == signal_request()

    run(scenario())


def test_a_given_request_id_stays() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            body = signal_request("mine").SerializeToString()
            await bench.call("WorkflowAPI/SignalWorkflowExecution", body)
            assert bench.history.requests()[0].request == body

    run(scenario())


def test_cancel_and_signal_with_start_get_ids_too() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            cancel = api.RequestCancelWorkflowExecutionRequest(domain=DOMAIN)
            cancel.workflow_execution.workflow_id = "order-1"
            await bench.call("WorkflowAPI/RequestCancelWorkflowExecution", cancel.SerializeToString())
            sent = api.RequestCancelWorkflowExecutionRequest.FromString(bench.history.requests()[0].request)
            assert len(sent.request_id) == 36
            both = api.SignalWithStartWorkflowExecutionRequest(start_request=start_request(), signal_name="s")
            both.start_request.request_id = ""
            await bench.call("WorkflowAPI/SignalWithStartWorkflowExecution", both.SerializeToString())
            carried = api.SignalWithStartWorkflowExecutionRequest.FromString(bench.history.requests()[1].request)
            assert len(carried.start_request.request_id) == 36

    run(scenario())


# --- polls -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("timeout_s", "waits_s"), [(2.5, 2.0), (30.0, 29.5), (150.0, 60.0), (None, 60.0)])
def test_a_poll_lasts_less_than_its_caller(timeout_s: float | None, waits_s: float) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            left: list[float] = []

            def answer(call: InternalCall) -> bytes:
                assert call.deadline is not None
                left.append(call.deadline - bench.runtime.monotonic())
                return b""

            bench.matching.answer = answer
            assert await bench.call("WorkerAPI/PollForActivityTask", poll_request(), timeout_s=timeout_s) == b""
            assert left == [pytest.approx(waits_s, abs=0.01)]

    run(scenario())


def test_a_poll_with_too_little_time_is_refused() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            with pytest.raises(BadRequest, match=r"Context timeout is too short\."):
                await bench.call("WorkerAPI/PollForActivityTask", poll_request(), timeout_s=1.9)
            assert bench.matching.calls == []

    run(scenario())


def test_a_poll_finds_the_new_owner_with_the_same_request_id() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            successor = Recorder()
            successor.answer = lambda _: b"task"
            await bench.network.listen("successor", successor.handle)

            def lose(_: InternalCall) -> bytes:
                bench.router.set_members(["history"], ["successor"])
                raise Unavailable("broken")

            bench.matching.answer = lose
            assert await bench.call("WorkerAPI/PollForActivityTask", poll_request(), timeout_s=30) == b"task"
            assert successor.calls[0].body == bench.matching.calls[0].body

    run(scenario())


def test_a_poll_without_any_matching_says_so() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bench.router.set_members(["history"], [])
            with pytest.raises(ServiceBusy, match=NO_MATCHING):
                await bench.call("WorkerAPI/PollForActivityTask", poll_request(), timeout_s=5)
            assert bench.runtime.monotonic() <= 4.5

    run(scenario())


def test_a_poll_that_matching_holds_too_long_is_empty_not_an_error() -> None:
    async def scenario() -> None:
        async with Bench() as bench:

            async def hang() -> bytes:
                return await asyncio.Future[bytes]()

            bench.matching.answer = lambda _: hang()
            assert await bench.call("WorkerAPI/PollForActivityTask", poll_request(), timeout_s=5) == b""
            assert bench.runtime.monotonic() == pytest.approx(4.5, abs=0.01)

    run(scenario())


def test_a_caller_that_goes_takes_its_poll_along() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            gone = asyncio.Event()

            async def hang() -> bytes:
                try:
                    return await asyncio.Future[bytes]()
                finally:
                    gone.set()

            bench.matching.answer = lambda _: hang()
            caller = asyncio.ensure_future(bench.call("WorkerAPI/PollForActivityTask", poll_request()))
            await asyncio.sleep(1)
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            assert gone.is_set()
            assert bench.frontend.calls == 0

    run(scenario())


def test_a_bad_binary_gets_no_tasks() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await bench.change_domain(lambda domain: domain.bad_binaries.binaries["bad"].SetInParent())
            request = api.PollForDecisionTaskRequest(domain=DOMAIN, binary_checksum="bad")
            request.task_list.name = "orders"
            with pytest.raises(BadRequest, match="binary bad already marked as bad deployment"):
                await bench.call("WorkerAPI/PollForDecisionTask", request.SerializeToString())
            request.binary_checksum = "good"
            await bench.call("WorkerAPI/PollForDecisionTask", request.SerializeToString())

    run(scenario())


def test_an_activity_poller_may_ask_for_a_rate() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = api.PollForActivityTaskRequest.FromString(poll_request())
            request.task_list_metadata.max_tasks_per_second.value = 2.5
            await bench.call("WorkerAPI/PollForActivityTask", request.SerializeToString())
            assert internal.PollTaskRequest.FromString(bench.matching.calls[0].body).max_tasks_per_second == 2.5
            for rate in (float("nan"), float("inf"), -1.0):
                request.task_list_metadata.max_tasks_per_second.value = rate
                with pytest.raises(BadRequest, match="MaxTasksPerSecond"):
                    await bench.call("WorkerAPI/PollForActivityTask", request.SerializeToString())

    run(scenario())


# --- waiting for history ---------------------------------------------------------------------------------------------
def history_request(token: bytes) -> bytes:
    request = api.GetWorkflowExecutionHistoryRequest(domain=DOMAIN, wait_for_new_event=True, next_page_token=token)
    request.workflow_execution.workflow_id = "order-1"
    return request.SerializeToString()


@pytest.mark.parametrize(("timeout_s", "waits_s"), [(1.0, 0.9), (25.0, 24.5), (150.0, 60.0), (None, 60.0)])
def test_a_wait_for_events_lasts_less_than_its_caller(timeout_s: float | None, waits_s: float) -> None:
    async def scenario() -> None:
        async with Bench() as bench:

            async def hang() -> bytes:
                return await asyncio.Future[bytes]()

            bench.history.answer = lambda _: hang()
            method = "WorkflowAPI/GetWorkflowExecutionHistory"
            nothing = await bench.call(method, history_request(b"token"), timeout_s=timeout_s)
            assert bench.runtime.monotonic() == pytest.approx(waits_s, abs=0.01)
            response = api.GetWorkflowExecutionHistoryResponse.FromString(nothing)
            assert response.HasField("history")
            assert (len(response.history.events), response.next_page_token) == (0, b"token")
            with pytest.raises(ServiceBusy):
                await bench.call(method, history_request(b""), timeout_s=timeout_s)

    run(scenario())


# --- errors ----------------------------------------------------------------------------------------------------------
GO = {"cadence-client-name": "uber-go", "cadence-client-feature-version": "1.7.0"}
ON = json.dumps({"WorkflowExecutionAlreadyCompletedErrorEnabled": True})
OFF = json.dumps({"WorkflowExecutionAlreadyCompletedErrorEnabled": False})


@pytest.mark.parametrize(
    ("headers", "typed"),
    [
        ({}, False),
        (GO, False),
        ({**GO, "cadence-client-feature-flags": ON}, True),
        ({**GO, "cadence-client-feature-flags": '{"workflowExecutionAlreadyCompletedErrorEnabled":true}'}, True),
        ({**GO, "cadence-client-feature-flags": OFF}, False),
        ({**GO, "cadence-client-feature-flags": "{"}, False),
        ({**GO, "cadence-client-feature-flags": "[]"}, False),
        ({**GO, "cadence-client-feature-flags": '{"WorkflowExecutionAlreadyCompletedErrorEnabled":1}'}, False),
        ({**GO, "cadence-client-feature-flags": "[" * 100_000}, False),
        ({**GO, "cadence-client-feature-flags": ON, "cadence-client-feature-version": "1.6.9"}, False),
        ({**GO, "cadence-client-feature-flags": ON, "cadence-client-feature-version": "1.10.0"}, True),
        ({**GO, "cadence-client-feature-flags": ON, "cadence-client-feature-version": "2.0.0-rc.1"}, True),
        ({**GO, "cadence-client-feature-flags": ON, "cadence-client-feature-version": "new"}, False),
        ({**GO, "cadence-client-feature-flags": ON, "cadence-client-name": "cli"}, True),
        ({**GO, "cadence-client-feature-flags": ON, "cadence-client-name": "mine"}, False),
        (
            {
                "cadence-client-feature-flags": ON,
                "cadence-client-name": "uber-java",
                "cadence-client-feature-version": "1.4.0",
            },
            True,
        ),
    ],
)
def test_already_completed_is_told_as_the_client_can_read_it(headers: dict[str, str], typed: bool) -> None:
    async def scenario() -> None:
        async with Bench() as bench:

            def closed(_: InternalCall) -> bytes:
                raise WorkflowAlreadyCompleted

            bench.history.answer = closed
            body = signal_request().SerializeToString()
            with pytest.raises(ServiceError) as error:
                await bench.call("WorkflowAPI/SignalWorkflowExecution", body, headers=headers)
            expected = WorkflowAlreadyCompleted() if typed else EntityNotExists(ALREADY_COMPLETED)
            assert error.value == expected

    run(scenario())


def test_already_completed_after_a_retry_is_downgraded_too() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            failures: list[ServiceError] = [ShardOwnershipLost("moved"), WorkflowAlreadyCompleted()]

            def fail(_: InternalCall) -> bytes:
                raise failures.pop(0)

            bench.history.answer = fail
            with pytest.raises(EntityNotExists, match=ALREADY_COMPLETED):
                await bench.call("WorkflowAPI/SignalWorkflowExecution", signal_request().SerializeToString())

    run(scenario())


@pytest.mark.parametrize(
    "error",
    [
        BadRequest("no"),
        EntityNotExists("Workflow execution not found."),
        WorkflowAlreadyStarted("Workflow execution is already running.", "request", RUN_ID),
        CancellationAlreadyRequested("again"),
        LimitExceeded("signals"),
        ServiceBusy("busy"),
        InternalService("broken"),
    ],
)
def test_other_errors_of_history_pass_as_they_are(error: ServiceError) -> None:
    async def scenario() -> None:
        async with Bench() as bench:

            def fail(_: InternalCall) -> bytes:
                raise error

            bench.history.answer = fail
            with pytest.raises(type(error)) as raised:
                await bench.call(START, start_request().SerializeToString())
            assert raised.value == error
            assert len(bench.history.calls) == 1

    run(scenario())


@pytest.mark.parametrize(
    ("domain", "error"),
    [
        ("", BadRequest("Domain not set on request.")),
        ("nowhere", EntityNotExists("Domain nowhere does not exist.")),
        ("x" * 1001, BadRequest("Domain length exceeds limit.")),
    ],
)
def test_domains_that_cannot_be_served(domain: str, error: ServiceError) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = start_request()
            request.domain = domain
            with pytest.raises(ServiceError) as raised:
                await bench.call(START, request.SerializeToString())
            assert raised.value == error
            assert bench.history.calls == []

    run(scenario())


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (b"", BadRequest("Task token not set on request.")),
        (b"\xff", BadRequest("Invalid TaskToken.")),
        (internal.TaskToken(domain_id=DOMAIN_ID).SerializeToString(), BadRequest("Invalid TaskToken.")),
        (
            internal.TaskToken(domain_id="other", workflow_id="w", run_id=RUN_ID).SerializeToString(),
            EntityNotExists("Domain other does not exist."),
        ),
    ],
)
def test_tokens_that_are_not_ours(token: bytes, error: ServiceError) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = api.RespondActivityTaskCompletedRequest(task_token=token)
            with pytest.raises(ServiceError) as raised:
                await bench.call("WorkerAPI/RespondActivityTaskCompleted", request.SerializeToString())
            assert raised.value == error

    run(scenario())


def test_every_method_of_the_interface_has_an_answer() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            for path in sorted(INTERFACE - METHODS.keys()):
                with pytest.raises(ServiceError) as raised:
                    await bench.call(path, b"")
                # Not UNIMPLEMENTED, which clients retry until their deadline.
                assert raised.value.message.startswith(f"{path.rpartition('/')[2]} is not supported")
                assert (type(raised.value), raised.value.detail) == (BadRequest, None)
            with pytest.raises(Unimplemented, match=r"unknown method a\.b/C"):
                await bench.call("a.b/C", b"")
            for path in METHODS:
                with pytest.raises(BadRequest, match="The request is not a valid"):
                    await bench.call(path, b"\xff\xff\xff")
            assert bench.history.calls == bench.matching.calls == []

    run(scenario())


def test_the_task_token_names_the_shard() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            body = api.RespondActivityTaskCompletedRequest(task_token=task_token()).SerializeToString()
            await bench.call("WorkerAPI/RespondActivityTaskCompleted", body)
            sent = bench.history.requests()[0]
            assert (sent.domain_id, sent.workflow_id, sent.request) == (DOMAIN_ID, "order-1", body)

    run(scenario())
