"""`tenuto-server dev` as a child process: started on a free port, awaited, stopped in good order or killed."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
import grpc.aio

from tenuto_api import api
from tenuto_server.transport import pyvoy_acceptor
from tests.e2e.child import Child
from tests.e2e.raw import RawClient
from tests.ports import free_port

READY_SECONDS = 30.0
PROBE_SECONDS = 0.01
COMMAND = (sys.executable, "-m", "tenuto_server")


class ServerFailed(Exception):
    """The server ended, or did not answer in time; the message has what it printed."""


class ServerProcess(Child):
    """One server on one SQLite file and one port, through all its lives."""

    def __init__(self, folder: Path, *, acceptor: str = "grpc", arguments: Sequence[str] = ()) -> None:
        super().__init__("the server", folder / f"server-{acceptor}.log")
        self.address = f"127.0.0.1:{free_port()}"
        self.acceptor = acceptor
        self.database = folder / "tenuto.db"
        self._arguments = arguments
        self.started_at = 0.0

    def start(self) -> None:
        """Starts a process; returns at once."""
        assert self._process is None, "still running"
        command = [
            *COMMAND, "dev",
            "--db", str(self.database),
            "--address", self.address,
            "--acceptor", self.acceptor,
            *self._arguments,
        ]  # fmt: skip
        self.started_at = time.perf_counter()
        self.run(command)

    async def ready(self, timeout: float = READY_SECONDS) -> float:
        """Waits until an RPC is answered. Returns the seconds since the process was started; raises ServerFailed."""
        end = time.perf_counter() + timeout
        while not can_connect(self.address):
            self._check(end)
            await asyncio.sleep(PROBE_SECONDS)
        async with RawClient(self.address) as client:
            while True:
                try:
                    await client.call(api.HealthRequest(), timeout=2.0)
                    return time.perf_counter() - self.started_at
                except grpc.aio.AioRpcError:
                    self._check(end)
                    await asyncio.sleep(PROBE_SECONDS)

    async def up(self, timeout: float = READY_SECONDS) -> float:
        """Starts a process and waits until it answers. Returns how many seconds that took."""
        self.start()
        return await self.ready(timeout)

    def _check(self, end: float) -> None:
        if self.code is not None:
            raise ServerFailed(f"the server ended with code {self.code}:\n{self.output()}")
        if time.perf_counter() > end:
            raise ServerFailed(f"the server does not answer:\n{self.output()}")


def acceptors() -> list[str]:
    """The acceptors that can be used here."""
    return ["grpc", "pyvoy"] if pyvoy_acceptor.available() else ["grpc"]


def can_connect(address: str) -> bool:
    """Whether anything listens at "host:port"."""
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, int(port))) == 0


def run_server(*arguments: str, timeout: float = READY_SECONDS) -> subprocess.CompletedProcess[str]:
    """Runs `tenuto-server` to its end, for command lines that it is to refuse."""
    environment = {**os.environ, "COLUMNS": "200"}
    command = [*COMMAND, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
