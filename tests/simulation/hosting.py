"""The worker-host of a simulated cluster: the product's system workers on the SDK, whose calls are the simulated network's."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from tenuto.client import BaseConnection, RpcMethod, rpc_error
from tenuto.errors import DeadlineExceededError
from tenuto_server.errors import ServiceError
from tenuto_server.worker_host.system import SystemHost, SystemSettings, registered

from .network import SimPort

Req = TypeVar("Req", bound=Message)
Resp = TypeVar("Resp", bound=Message)

# Domains are looked for once in so many seconds; there is one.
REFRESH_S = 2.0
CALL_S = 10.0


class SimConnection(BaseConnection):
    """Calls any of the frontends, as a load balancer would have it."""

    def __init__(self, port: SimPort, frontends: Callable[[], Sequence[str]], identity: str, chance: random.Random) -> None:
        super().__init__(identity)
        self._port = port
        self._frontends = frontends
        self._random = chance

    def new_name(self) -> str:
        return f"{self.identity}:{uuid.UUID(int=self._random.getrandbits(128), version=4)}"

    async def call_once(self, method: RpcMethod[Req, Resp], request: Req, timeout: float = CALL_S) -> Resp:
        """Calls once. Raises RpcError."""
        if timeout <= 0:
            raise DeadlineExceededError(f"{method.name}: no time left", 4)
        address = self._random.choice(self._frontends())
        try:
            async with asyncio.timeout(timeout):
                body = await self._port.call(address, method.path.removeprefix("/"), request.SerializeToString(), timeout)
        except ServiceError as error:
            raise rpc_error(error.status, error.message, error.status_details()) from None
        except TimeoutError:
            raise DeadlineExceededError(f"{method.name}: no answer in time", 4) from None
        return method.response.FromString(body)


def host_of(port: SimPort, frontends: Callable[[], Sequence[str]], incarnation: str, seed: str) -> SystemHost:
    """One life of a worker-host. It serves schedules alone: nothing else is asked for, and each list polled costs time."""
    connection = SimConnection(port, frontends, incarnation, random.Random(f"host:{seed}:{incarnation}"))
    workers = [worker for worker in registered() if worker.name == "schedules"]
    return SystemHost(connection, workers, SystemSettings(refresh=REFRESH_S))
