"""The admin calls for settings, as the CLI makes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenuto_api import admin, api
from tenuto_server.errors import BadRequest, ServiceBusy
from tests.unit.frontend.fakes import DOMAIN, Bench, run, start_request

START = "WorkflowAPI/StartWorkflowExecution"
ADMIN = "uber.cadence.admin.v1.AdminAPI"


def blob(value: Any) -> api.DataBlob:
    return api.DataBlob(encoding_type=api.ENCODING_TYPE_JSON, data=json.dumps(value).encode())


def by_domain(name: str) -> admin.DynamicConfigFilter:
    return admin.DynamicConfigFilter(name="domainName", value=blob(name))


async def update(bench: Bench, name: str, *values: admin.DynamicConfigValue, kind: str = "") -> None:
    request_class = getattr(admin, f"Update{kind}DynamicConfigRequest")
    request = request_class(config_name=name, config_values=values)
    assert await bench.call(f"{ADMIN}/Update{kind}DynamicConfig", request.SerializeToString()) == b""


async def get(bench: Bench, name: str, *filters: admin.DynamicConfigFilter) -> Any:
    request = admin.GetDynamicConfigRequest(config_name=name, filters=filters)
    response = admin.GetDynamicConfigResponse.FromString(
        await bench.call(f"{ADMIN}/GetDynamicConfig", request.SerializeToString())
    )
    assert response.value.encoding_type == api.ENCODING_TYPE_JSON
    return json.loads(response.value.data)


@pytest.mark.parametrize("kind", ["", "Operational"])
def test_a_limit_that_is_changed_counts_for_the_next_request(kind: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            request = start_request()
            request.input.data = b"x" * 200
            body = request.SerializeToString()
            await bench.call(START, body)
            small = admin.DynamicConfigValue(value=blob(100), filters=[by_domain(DOMAIN)])
            await update(bench, "limit.blobSize.error", small, kind=kind)
            with pytest.raises(BadRequest, match="Blob data size exceeds limit"):
                await bench.call(START, body)
            assert await get(bench, "limit.blobSize.error") == 2 * 1024 * 1024
            assert await get(bench, "limit.blobSize.error", by_domain(DOMAIN)) == 100
            restore = admin.RestoreDynamicConfigRequest(config_name="limit.blobSize.error", filters=[by_domain(DOMAIN)])
            await bench.call(f"{ADMIN}/Restore{kind}DynamicConfig", restore.SerializeToString())
            await bench.call(START, body)

    run(scenario())


def test_rates_change_while_running() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            body = start_request().SerializeToString()
            await bench.call(START, body)
            none = admin.DynamicConfigValue(value=blob(0), filters=[by_domain(DOMAIN)])
            await update(bench, "frontend.domainrps", none)
            with pytest.raises(ServiceBusy):
                await bench.call(START, body)
            await update(bench, "frontend.domainrps", admin.DynamicConfigValue(value=blob(2)))
            await bench.call(START, body)

    run(scenario())


def test_what_was_set_is_listed() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            async def listed(name: str) -> admin.ListDynamicConfigResponse:
                body = admin.ListDynamicConfigRequest(config_name=name).SerializeToString()
                return admin.ListDynamicConfigResponse.FromString(await bench.call(f"{ADMIN}/ListDynamicConfig", body))

            assert not (await listed("")).entries
            values = [
                admin.DynamicConfigValue(value=blob("10s")),
                admin.DynamicConfigValue(value=blob("20s"), filters=[by_domain("a")]),
            ]
            await update(bench, "frontend.rps", admin.DynamicConfigValue(value=blob(77)))
            await update(bench, "matching.longPollExpirationInterval", *values)
            assert [entry.name for entry in (await listed("")).entries] == [
                "frontend.rps", "matching.longPollExpirationInterval",
            ]  # fmt: skip
            (entry,) = (await listed("matching.longPollExpirationInterval")).entries
            assert list(entry.values) == values

    run(scenario())


@pytest.mark.parametrize(
    ("method", "request_message", "text"),
    [
        ("GetDynamicConfig", admin.GetDynamicConfigRequest(), "ConfigName is not set on request."),
        ("GetDynamicConfig", admin.GetDynamicConfigRequest(config_name="x"), "there is no setting 'x'"),
        (
            "UpdateDynamicConfig",
            admin.UpdateDynamicConfigRequest(
                config_name="frontend.rps", config_values=[admin.DynamicConfigValue(value=api.DataBlob(data=b"{"))]
            ),
            "Value is not valid JSON.",
        ),
        (
            "UpdateDynamicConfig",
            admin.UpdateDynamicConfigRequest(
                config_name="frontend.rps",
                config_values=[
                    admin.DynamicConfigValue(value=api.DataBlob(encoding_type=api.ENCODING_TYPE_THRIFTRW, data=b"1"))
                ],
            ),
            "Value must be encoded as JSON.",
        ),
        (
            "UpdateDynamicConfig",
            admin.UpdateDynamicConfigRequest(
                config_name="frontend.rps", config_values=[admin.DynamicConfigValue(value=blob("many"))]
            ),
            "frontend.rps must be a float",
        ),
        ("RestoreDynamicConfig", admin.RestoreDynamicConfigRequest(config_name="x"), "there is no setting 'x'"),
        ("ListDynamicConfig", admin.ListDynamicConfigRequest(config_name="x"), "there is no setting 'x'"),
    ],
)
def test_what_is_refused(method: str, request_message: Any, text: str) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            with pytest.raises(BadRequest, match=text):
                await bench.call(f"{ADMIN}/{method}", request_message.SerializeToString())

    run(scenario())
