"""The server as a process: it starts, stops, and refuses what it cannot do."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.benchmarks.process import memory_megabytes
from tests.e2e.server import ServerFailed, ServerProcess, acceptors, run_server
from tests.integration.transport.http_caller import call
from tests.ports import free_port

# Generous, for machines are noisy: `make bench` has the figures.
START_SECONDS_MAX = 15.0
STOP_SECONDS_MAX = 10.0
MEMORY_MEGABYTES_MAX = 200.0


@pytest.mark.parametrize("acceptor", acceptors())
def test_starts_and_stops(tmp_path: Path, acceptor: str) -> None:
    with ServerProcess(tmp_path, acceptor=acceptor) as server:
        assert asyncio.run(server.up()) < START_SECONDS_MAX
        assert memory_megabytes(server.pid) < MEMORY_MEGABYTES_MAX
        before = time.perf_counter()
        assert server.terminate() == 0, server.output()
        assert time.perf_counter() - before < STOP_SECONDS_MAX
        asyncio.run(server.up())
        assert server.terminate() == 0, server.output()


@pytest.mark.parametrize("acceptor", acceptors())
def test_calls_over_http_beside_every_acceptor(tmp_path: Path, acceptor: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    with ServerProcess(tmp_path, acceptor=acceptor, arguments=("--http-api", address)) as server:
        asyncio.run(server.up())
        reply = asyncio.run(call(address, "uber.cadence.api.v1.DomainAPI::DescribeDomain", {"name": "default"}))
        assert reply.json["domain"]["name"] == "default"
        assert server.terminate() == 0, server.output()
        assert "Traceback" not in server.output()


@pytest.mark.parametrize("acceptor", acceptors())
def test_two_servers_at_one_address(tmp_path: Path, acceptor: str) -> None:
    """The second says that it cannot have the address, and the first goes on."""
    folder = tmp_path / "second"
    folder.mkdir()
    with ServerProcess(tmp_path, acceptor=acceptor) as first, ServerProcess(folder, acceptor=acceptor) as second:
        asyncio.run(first.up())
        second.address = first.address
        second.start()
        assert second.wait() != 0
        output = second.output()
        assert first.address in output
        assert "Traceback" not in output, output
        asyncio.run(first.ready())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dev", "--no-such-option"], "No such option"),
        (["no-such-command"], "No such command"),
        (["dev", "--acceptor", "carrier-pigeon"], "carrier-pigeon"),
        (["dev", "--shards", "0"], "--shards"),
        (["dev", "--synchronous", "OFF"], "--synchronous"),
        (["dev", "--log-level", "LOUD"], "LOUD"),
        (["dev", "--db", ":memory:", "--acceptor", "grpc", "--http-api", "nonsense"], "nonsense"),
        (["dev", "--db", "{folder}/none/such/file.db"], "none/such"),
        *((["dev", "--acceptor", name, "--address", "nonsense"], "nonsense") for name in acceptors()),
        *((["dev", "--acceptor", name, "--address", "127.0.0.1:notaport"], "notaport") for name in acceptors()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_line_is_refused(tmp_path: Path, arguments: list[str], said: str) -> None:
    """Clearly: an exit code, a line that names what is wrong, no traceback."""
    arguments = [argument.format(folder=tmp_path) for argument in arguments]
    if arguments[0] == "dev" and "--db" not in arguments:
        arguments += ["--db", str(tmp_path / "tenuto.db")]
    if arguments[0] == "dev" and "--address" not in arguments:
        arguments += ["--address", f"127.0.0.1:{free_port()}"]
    done = run_server(*arguments)
    output = done.stdout + done.stderr
    assert done.returncode != 0, output
    assert said in output
    assert "Traceback" not in output, output


def test_a_server_that_ends_is_told_with_what_it_said(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, arguments=("--no-such-option",)) as server, pytest.raises(ServerFailed) as failure:
        asyncio.run(server.up())
    assert "No such option" in str(failure.value)
