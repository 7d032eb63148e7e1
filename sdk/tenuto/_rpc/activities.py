"""Completing an activity from outside its worker, by task token or by the ids of workflow and activity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tenuto._failures import failure_of
from tenuto._rpc.connection import WorkerRpc
from tenuto_api import api

if TYPE_CHECKING:
    from tenuto._rpc.client import Client


class ActivityCompletion:
    """One activity under way. Each call raises EntityNotExistsError when it is not open any more."""

    def __init__(
        self,
        client: Client,
        *,
        task_token: bytes = b"",
        execution: api.WorkflowExecution | None = None,
        activity_id: str = "",
    ) -> None:
        self._connection = client.connection
        self._converter = client.converter
        self._token = task_token
        self._ids: dict[str, Any] = {
            "domain": client.domain,
            "workflow_execution": execution,
            "activity_id": activity_id,
            "identity": client.connection.identity,
        }

    def _payload(self, values: tuple[Any, ...]) -> api.Payload:
        return api.Payload(data=self._converter.to_payload(values)) if values else api.Payload()

    async def complete(self, result: Any = None) -> None:
        """The activity's result."""
        payload = self._payload((result,))
        if self._token:
            request = api.RespondActivityTaskCompletedRequest(
                task_token=self._token, result=payload, identity=self._connection.identity
            )
            await self._connection.call(WorkerRpc.completed, request)
        else:
            by_id = api.RespondActivityTaskCompletedByIDRequest(**self._ids, result=payload)
            await self._connection.call(WorkerRpc.completed_by_id, by_id)

    async def fail(self, error: BaseException) -> None:
        """The attempt failed; the retry policy decides what follows."""
        failure = failure_of(error, self._converter)
        if self._token:
            request = api.RespondActivityTaskFailedRequest(
                task_token=self._token, failure=failure, identity=self._connection.identity
            )
            await self._connection.call(WorkerRpc.failed, request)
        else:
            by_id = api.RespondActivityTaskFailedByIDRequest(**self._ids, failure=failure)
            await self._connection.call(WorkerRpc.failed_by_id, by_id)

    async def cancelled(self, *details: Any) -> None:
        """The activity stopped because it was asked to."""
        if self._token:
            request = api.RespondActivityTaskCanceledRequest(
                task_token=self._token, details=self._payload(details), identity=self._connection.identity
            )
            await self._connection.call(WorkerRpc.canceled, request)
        else:
            by_id = api.RespondActivityTaskCanceledByIDRequest(**self._ids, details=self._payload(details))
            await self._connection.call(WorkerRpc.canceled_by_id, by_id)

    async def heartbeat(self, *details: Any) -> bool:
        """A sign of life; True when the activity is asked to stop."""
        if self._token:
            request = api.RecordActivityTaskHeartbeatRequest(
                task_token=self._token, details=self._payload(details), identity=self._connection.identity
            )
            return (await self._connection.call(WorkerRpc.heartbeat, request)).cancel_requested
        by_id = api.RecordActivityTaskHeartbeatByIDRequest(**self._ids, details=self._payload(details))
        return (await self._connection.call(WorkerRpc.heartbeat_by_id, by_id)).cancel_requested
