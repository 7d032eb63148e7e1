"""One attempt's heartbeats: the code beats as often as it likes, the server hears about every 80 % of the timeout."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from tenuto._rpc.connection import BaseConnection, WorkerRpc
from tenuto.errors import EntityNotExistsError, RpcError
from tenuto_api import api

logger = logging.getLogger("tenuto.worker")

FRACTION = 0.8
INTERVAL_SECONDS_MAX = 30.0
INTERVAL_SECONDS_MIN = 0.2


class Heartbeats:
    """Sends the latest details, never two calls at once. `on_cancel(reason)` is called when the activity shall stop."""

    def __init__(
        self, connection: BaseConnection, task_token: bytes, timeout: timedelta, on_cancel: Callable[[str], None]
    ) -> None:
        self._connection = connection
        self._token = task_token
        wanted = timeout.total_seconds() * FRACTION or INTERVAL_SECONDS_MAX
        self._interval = min(max(wanted, INTERVAL_SECONDS_MIN), INTERVAL_SECONDS_MAX)
        self._on_cancel = on_cancel
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._waiting: bytes | None = None
        self._under_way: bytes | None = None

    @property
    def unsent(self) -> bytes | None:
        """Details that the server may not have, None if it has all."""
        return self._waiting if self._waiting is not None else self._under_way

    def record(self, details: bytes) -> None:
        """A beat: sent at once if none was sent within the interval, else when that is over."""
        if self._stopped:
            return
        self._waiting = details
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while self.unsent is not None:
            details = self._under_way = self.unsent
            self._waiting = None
            request = api.RecordActivityTaskHeartbeatRequest(
                task_token=self._token, details=api.Payload(data=details), identity=self._connection.identity
            )
            try:
                response = await self._connection.call(WorkerRpc.heartbeat, request, self._interval)
                self._under_way = None
                if response.cancel_requested:
                    self._on_cancel("cancellation requested")
            except EntityNotExistsError as error:
                self._under_way = None
                self._on_cancel(f"the activity is no longer open: {error.message}")
            except RpcError as error:
                logger.warning("heartbeat failed: %s", error)
            await asyncio.sleep(self._interval)
        self._task = None

    def stop(self) -> None:
        """The attempt is over."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            self._task = None
