"""All services in one process, on real sockets: joined either way, hosting a user's module, started again on the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenuto.client import Client
from tenuto.errors import RpcError
from tenuto_server.cluster.shards import settle_shards
from tenuto_server.config.runtime import Runtime
from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.persistence.factory import open_store
from tests.integration.embedded.hosted_workflows import Quadruple
from tests.integration.embedded.serving import run, serving

__all__ = ["run", "serving"]

HOSTED = "tests.integration.embedded.hosted_workflows:numbers"


@pytest.mark.parametrize("network", ["in-process", "streams"])
def test_a_hosted_workflow_runs(tmp_path: Path, network: str) -> None:
    store = f"sqlite:///{tmp_path / 'tenuto.db'}"

    async def story() -> None:
        async with serving(EmbeddedSettings(store, network=network)) as address:
            host = EmbeddedServer(EmbeddedSettings("memory://", hosted=(HOSTED,), address=address))
            await host.start()
            try:
                async with await Client.connect(address) as client:
                    result = await client.execute_workflow(Quadruple.run, 21, id="q", task_list="numbers")
                    assert result == 84
            finally:
                await host.stop()

    run(story)


def test_what_was_started_is_there_after_a_restart(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'tenuto.db'}"

    async def story() -> None:
        async with serving(EmbeddedSettings(store)) as address, await Client.connect(address) as client:
            handle = await client.start_workflow(Quadruple.run, 1, id="q", task_list="nobody")
            run_id = handle.run_id
        async with serving(EmbeddedSettings(store, network="streams")) as address, await Client.connect(address) as client:
            info = (await client.get_workflow_handle("q").describe()).workflow_execution_info
            assert info.workflow_execution.run_id == run_id
            assert not info.HasField("close_time")

    run(story)


def test_a_store_keeps_its_number_of_shards() -> None:
    async def story() -> None:
        store = open_store("memory://", Runtime())
        await store.open()
        assert await settle_shards(store, 4) == 4
        assert await settle_shards(store, 16) == 4

    run(story)


def test_no_domain_is_registered_if_none_is_wanted() -> None:
    async def story() -> None:
        async with serving(EmbeddedSettings("memory://", domain="")) as address, await Client.connect(address) as client:
            with pytest.raises(RpcError):
                await client.describe_domain("default")

    run(story)


@pytest.mark.parametrize("named", ["tests.integration.embedded.hosted_workflows", "tests:list"])
def test_a_module_that_cannot_be_hosted_is_refused(named: str) -> None:
    with pytest.raises(ValueError, match=r"module:task-list|defines neither"):
        EmbeddedServer(EmbeddedSettings("memory://", hosted=(named,)))


def test_settings_of_a_file_are_in_force_and_a_bad_file_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"

    async def story() -> None:
        file.write_text("frontend.rps: [1")
        with pytest.raises(ValueError, match="not YAML"):
            await EmbeddedServer(EmbeddedSettings("memory://", settings_file=str(file))).start()
        file.write_text("limit.domainNameLength: 3\nhistory.longPollExpirationInterval: 1500ms\nmatching.polls_max: 7\n")
        server = EmbeddedServer(EmbeddedSettings("memory://", settings_file=str(file)))
        await server.start()
        frontend, history, matching = server.live
        assert frontend.current.limits.domain_name_bytes_max == 3
        assert history.current.history_poll == 1.5
        assert matching.current.polls_max == 7
        await server.stop()

    run(story)
