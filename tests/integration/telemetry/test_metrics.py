"""What a whole server shows at /metrics: to prometheus-client's parser, to promtool, and to a real Prometheus that scrapes it."""

from __future__ import annotations

import asyncio
import subprocess
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from tenuto_server.embedded import EmbeddedServer, EmbeddedSettings
from tenuto_server.telemetry import logs
from tenuto_server.transport.grpc_acceptor import GrpcAcceptor
from tenuto_server.transport.settings import AcceptorSettings
from tests.integration.embedded.serving import Raw, complete
from tests.integration.telemetry.prometheus import binary, scraping

START = "uber.cadence.api.v1.WorkflowAPI/StartWorkflowExecution"
TIME_S = 60.0


@asynccontextmanager
async def _serving(folder: Path) -> AsyncIterator[tuple[Raw, str]]:
    """A server on a SQLite file whose services are joined by streams, a raw client, and where its metrics are."""
    settings = EmbeddedSettings(
        f"sqlite:///{folder}/t.db", network="streams", http_address="127.0.0.1:0", system_workers=False
    )
    server = EmbeddedServer(settings)
    await server.start()
    acceptor = GrpcAcceptor(server.handle, AcceptorSettings(address="127.0.0.1:0", stop_grace_s=0.1))
    await acceptor.start()
    raw = Raw(acceptor.address)
    assert server.ops is not None
    try:
        yield raw, server.ops.address
    finally:
        await raw.connection.close()
        await acceptor.stop()
        await server.stop()


def _page(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


async def _work(raw: Raw) -> None:
    """Three workflows end, one waits for a worker, and one call is refused."""
    for number in range(3):
        await raw.start(f"w-{number}")
        await raw.decide(await raw.poll(), complete())
    await raw.start("waiting")
    with pytest.raises(Exception, match="already"):
        await raw.start("waiting")


def test_what_a_server_shows(tmp_path: Path) -> None:
    async def test() -> None:
        async with asyncio.timeout(TIME_S), _serving(tmp_path) as (raw, address):
            await _work(raw)
            text = await asyncio.to_thread(_page, address)
            found = {
                (sample.name, *sorted(sample.labels.values())): sample.value
                for family in parse(text)
                for sample in family.samples
            }
            assert found["rpc_server_call_duration_seconds_count", "OK", "grpc", START] == 4
            assert found["rpc_server_call_duration_seconds_count", "ALREADY_EXISTS", "grpc", START] == 1
            assert found["tenuto_internal_call_duration_seconds_count", "OK", "StartTask", "history"] == 3
            assert found["tenuto_internal_call_duration_seconds_count", "OK", "PollTask", "matching"] == 3
            assert found["tenuto_history_shards_owned",] == 4
            assert found["tenuto_history_shards_acquired_total", "free"] == 4
            assert found["tenuto_history_cache_workflows",] == 4
            assert found["tenuto_history_tasks_waiting", "decision", "default", "tl"] == 1
            assert found["tenuto_task_list_backlog", "decision", "default", "tl"] == 1
            assert found["tenuto_matching_schedule_to_start_seconds_count", "decision"] == 3
            appends = found["tenuto_log_append_duration_seconds_count",]
            assert 7 <= appends <= found["tenuto_log_append_steps_sum",] + 1
            assert found["db_client_operation_duration_seconds_count", "OK", "append", "sqlite"] == appends
            assert found["tenuto_log_append_size_bytes_sum",] > 1000
            assert found["tenuto_link_calls_total",] > 10
            assert found["process_cpu_seconds_total",] > 0
            names = {name for name, *_ in found}
            assert {"tenuto_event_loop_lag_seconds_count", "tenuto_history_checkpoint_duration_seconds_count"} <= names
            checked = await asyncio.to_thread(
                subprocess.run, [binary("promtool"), "check", "metrics"], input=text, text=True, capture_output=True, timeout=60
            )
            assert (checked.returncode, checked.stderr) == (0, ""), checked.stderr

    asyncio.run(test())


def test_a_real_prometheus_scrapes_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with asyncio.timeout(TIME_S), _serving(tmp_path) as (raw, address), scraping(address, tmp_path) as prometheus:
            assert [value for _, value in await prometheus.until("up == 1")] == [1]
            await _work(raw)
            started = f'rpc_server_call_duration_seconds_count{{rpc_method="{START}",rpc_response_status_code="OK"}} == 4'
            [(labels, _)] = await prometheus.until(started)
            assert labels["job"] == "tenuto"
            assert labels["instance"] == address
            quantile = "histogram_quantile(0.5, tenuto_log_append_duration_seconds_bucket) > 0"
            [(_, seconds)] = await prometheus.until(quantile)
            assert seconds < 10
            [(backlog, _)] = await prometheus.until("sum by (task_list) (tenuto_task_list_backlog) == 1")
            assert backlog == {"task_list": "tl"}

    asyncio.run(test())


def test_warnings_are_counted() -> None:
    import io
    import logging

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.setup("info", "text", io.StringIO())
        log = logging.getLogger("tenuto.test")
        for _ in range(3):
            log.warning("careful")
        log.info("not counted")
        [family] = logs.measures()
        assert [(sample.labels, sample.value) for sample in family.samples] == [(("warning", "tenuto.test"), 3)]
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
