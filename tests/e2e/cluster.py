"""A cluster of real processes on one store, each service by its own command: started, awaited, stopped in good order, killed."""

from __future__ import annotations

import asyncio
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
import grpc.aio

from tenuto_api import api
from tests.e2e.child import Child
from tests.e2e.raw import RawClient
from tests.e2e.server import COMMAND, PROBE_SECONDS, ServerFailed, can_connect
from tests.ports import free_port

ROLES = ("history", "matching", "frontend", "worker-host")
# Several processes start at once here, each with its imports.
READY_SECONDS = 90.0


class Node(Child):
    """One process of a service, through all its lives."""

    def __init__(self, role: str, name: str, settings: Mapping[str, object], folder: Path) -> None:
        super().__init__(name, folder / f"{name}.log")
        self.role = role
        self.lives = 0
        self.settings = dict(settings)

    @property
    def http(self) -> str:
        """Where it serves its probes and metrics."""
        return str(self.settings["http"])

    def start(self) -> None:
        """Starts a process; returns at once."""
        assignments = [f"--set={key}={json.dumps(value)}" for key, value in self.settings.items()]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TENUTO_")}
        self.run([*COMMAND, self.role, *assignments], environment)
        self.lives += 1

    def check(self) -> None:
        """Raises ServerFailed where the process has ended by itself."""
        if self.code is not None:
            raise ServerFailed(f"{self.name} ended with code {self.code}:\n{self.output()}")


class Cluster:
    """The services on the store of `url`, each `counts` times. `address` is the first frontend's."""

    def __init__(
        self,
        folder: Path,
        url: str,
        counts: Mapping[str, int] | None = None,
        *,
        acceptor: str = "grpc",
        shards: int = 8,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """`settings`: more of them, for all processes."""
        counts = counts or {"history": 2, "matching": 1, "frontend": 1, "worker-host": 1}
        self.addresses = [f"127.0.0.1:{free_port()}" for _ in range(counts.get("frontend", 0))]
        common: dict[str, object] = {
            "store": url, "shards": shards, "domain": "default", "public.acceptor": acceptor,
            "worker_host.frontend": self.addresses[0] if self.addresses else "127.0.0.1:1", **(settings or {}),
        }  # fmt: skip
        # Several processes of a node serve their probes at ports in a row.
        ports = int(str(common.get("processes", 1)))
        self.nodes: dict[str, Node] = {}
        for role in ROLES:
            for number in range(counts.get(role, 0)):
                own = {**common, "http": f"127.0.0.1:{free_port(count=ports)}"}
                if role == "frontend":
                    own["public.address"] = self.addresses[number]
                name = f"{role}-{number}"
                self.nodes[name] = Node(role, name, own, folder)

    @property
    def address(self) -> str:
        """The first frontend's public address."""
        return self.addresses[0]

    def of(self, role: str) -> list[Node]:
        """The processes of a service."""
        return [node for node in self.nodes.values() if node.role == role]

    def start(self, names: Sequence[str] = ()) -> None:
        """Starts those that are named, or all that are not up; returns at once."""
        for node in self.nodes.values():
            if (not names or node.name in names) and not node.is_up:
                node.start()

    async def ready(self, timeout: float = READY_SECONDS) -> float:
        """Waits until all that run say that they are ready, and every frontend answers a request that needs history. Returns the
        seconds it took; raises ServerFailed."""
        began = time.perf_counter()
        for node in self.nodes.values():
            while node.is_up and (await asyncio.to_thread(get, node.http, "/readyz"))[0] != 200:
                await self._wait(began + timeout)
        for address in self.addresses:
            await self._answers(address, began + timeout)
        return time.perf_counter() - began

    async def up(self, timeout: float = READY_SECONDS) -> float:
        """Starts all and waits until they answer."""
        self.start()
        return await self.ready(timeout)

    async def _answers(self, address: str, end: float) -> None:
        while not can_connect(address):
            await self._wait(end)
        request = api.DescribeWorkflowExecutionRequest(
            domain="default", workflow_execution=api.WorkflowExecution(workflow_id="nobody")
        )
        async with RawClient(address) as client:
            while True:
                try:
                    await client.call(request, timeout=2.0)
                except grpc.aio.AioRpcError as error:
                    if error.code() is grpc.StatusCode.NOT_FOUND:
                        return
                await self._wait(end)

    async def _wait(self, end: float) -> None:
        for node in self.nodes.values():
            node.check()
        if time.perf_counter() > end:
            raise ServerFailed("the cluster does not answer:\n" + self.output())
        await asyncio.sleep(PROBE_SECONDS)

    def output(self) -> str:
        """The end of what each process has printed."""
        return "\n".join(f"== {node.name}\n{node.output()}" for node in self.nodes.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in self.nodes.values():
            node.kill()


class Falling:
    """A cluster as the storm's server: each time it ends one process, the next of `victims`, and starts it again."""

    def __init__(self, cluster: Cluster, victims: Sequence[str]) -> None:
        self.cluster = cluster
        self.address = cluster.address
        self._victims: Iterator[str] = iter(victims)
        self._victim: Node | None = None

    def start(self) -> None:
        """Starts what is down."""
        self.cluster.start()

    async def ready(self) -> float:
        """Waits until it answers."""
        return await self.cluster.ready()

    async def up(self) -> float:
        """Starts all and waits until they answer. Returns 0: when one process ends the rest serves on, and there is no wait for
        the storm to reckon with."""
        await self.cluster.up()
        return 0.0

    def kill(self) -> None:
        """Kills the next victim."""
        self.cluster.nodes[next(self._victims)].kill()

    def terminate(self) -> int:
        """Stops the next victim in good order. Returns its exit code."""
        return self.cluster.nodes[next(self._victims)].terminate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cluster.__exit__(kind, error, trace)


def get(address: str, path: str, timeout: float = 5.0) -> tuple[int, str]:
    """Status and text of an HTTP answer; status 0 where there is none."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)
