"""A domain's setting for asynchronous requests, and what those requests need."""

from __future__ import annotations

import pytest

from tenuto_api import admin, api
from tenuto_server.errors import BadRequest, EntityNotExists
from tests.unit.frontend.fakes import DOMAIN, Bench, run, start_request

ADMIN = "uber.cadence.admin.v1.AdminAPI/"
WORKFLOW = "uber.cadence.api.v1.WorkflowAPI/"
START = WORKFLOW + "StartWorkflowExecutionAsync"
SIGNAL = WORKFLOW + "SignalWithStartWorkflowExecutionAsync"


async def configure(bench: Bench, configuration: api.AsyncWorkflowConfiguration | None, domain: str = DOMAIN) -> None:
    request = admin.UpdateDomainAsyncWorkflowConfiguratonRequest(domain=domain, configuration=configuration)
    await bench.call(ADMIN + "UpdateDomainAsyncWorkflowConfiguraton", request.SerializeToString())


async def configured(bench: Bench) -> admin.GetDomainAsyncWorkflowConfiguratonResponse:
    request = admin.GetDomainAsyncWorkflowConfiguratonRequest(domain=DOMAIN)
    body = await bench.call(ADMIN + "GetDomainAsyncWorkflowConfiguraton", request.SerializeToString())
    return admin.GetDomainAsyncWorkflowConfiguratonResponse.FromString(body)


def signal_request(request_id: str = "") -> api.SignalWithStartWorkflowExecutionAsyncRequest:
    start = start_request()
    start.request_id = request_id
    request = api.SignalWithStartWorkflowExecutionRequest(start_request=start, signal_name="go")
    return api.SignalWithStartWorkflowExecutionAsyncRequest(request=request)


def test_what_is_set_is_read_and_can_be_taken_away() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            queue = api.AsyncWorkflowConfiguration(enabled=True, predefined_queue_name="q", queue_type="kafka")
            queue.queue_config.data = b"{}"
            await configure(bench, queue)
            assert (await configured(bench)).configuration == queue
            described = await bench.call(
                "uber.cadence.api.v1.DomainAPI/DescribeDomain", api.DescribeDomainRequest(name=DOMAIN).SerializeToString()
            )
            assert api.DescribeDomainResponse.FromString(described).domain.async_workflow_config == queue
            await configure(bench, None)
            assert not (await configured(bench)).HasField("configuration")

    run(scenario())


def test_it_is_for_domains_that_exist() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            with pytest.raises(EntityNotExists):
                await configure(bench, None, "elsewhere")
            with pytest.raises(BadRequest):
                await configure(bench, None, "")

    run(scenario())


def test_a_domain_must_be_enabled() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            await configure(bench, api.AsyncWorkflowConfiguration(enabled=False))
            start = api.StartWorkflowExecutionAsyncRequest(request=start_request())
            for path, request in ((START, start), (SIGNAL, signal_request())):
                with pytest.raises(BadRequest, match="not enabled for asynchronous"):
                    await bench.call(path, request.SerializeToString())
            assert not bench.history.calls

    run(scenario())


def test_requests_are_checked_and_handed_on_in_their_synchronous_form() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bad = api.StartWorkflowExecutionAsyncRequest(request=start_request())
            bad.request.request_id = ""
            with pytest.raises(BadRequest, match="not a valid UUID"):
                await bench.call(START, bad.SerializeToString())
            good = api.StartWorkflowExecutionAsyncRequest(request=start_request())
            assert await bench.call(START, good.SerializeToString()) == b""
            assert await bench.call(SIGNAL, signal_request().SerializeToString()) == b""
            first, second = bench.history.requests()
            assert api.StartWorkflowExecutionRequest.FromString(first.request) == good.request
            # A signal without a request id gets one: it may be done more than once.
            assert api.SignalWithStartWorkflowExecutionRequest.FromString(second.request).start_request.request_id

    run(scenario())
