"""A client of the public interface as real ones are: it tries again, with the same request, while the outcome is
unknown."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from tenuto_api import api
from tenuto_server import errors
from tenuto_server.transport.network import Network

SERVICE_OF = {
    "PollForDecisionTask": "WorkerAPI",
    "PollForActivityTask": "WorkerAPI",
    "RecordActivityTaskHeartbeat": "WorkerAPI",
    "RegisterDomain": "DomainAPI",
    "DescribeDomain": "DomainAPI",
    **dict.fromkeys(
        [f"{what}Schedule" for what in ("Create", "Describe", "Update", "Delete", "Pause", "Unpause", "Backfill")],
        "ScheduleAPI",
    ),
    "ListOpenWorkflowExecutions": "VisibilityAPI",
    "ListClosedWorkflowExecutions": "VisibilityAPI",
}
TRANSIENT = (
    errors.Unavailable,
    errors.DeadlineExceeded,
    errors.ServiceBusy,
    errors.InternalService,
    errors.ShardOwnershipLost,
)

Response = TypeVar("Response", bound=Message)


class GaveUp(Exception):
    """Every attempt ended with an error that says nothing: whether the server acted is unknown."""


class Doubtful(Exception):
    """The server refused, but after an attempt whose outcome is unknown: perhaps it refused what it had already
    done."""

    def __init__(self, error: errors.ServiceError) -> None:
        super().__init__(error)
        self.error = error


def method_of(name: str) -> str:
    """The full method name of an RPC."""
    service = SERVICE_OF.get(name) or ("WorkerAPI" if name.startswith("Respond") else "WorkflowAPI")
    return f"uber.cadence.api.v1.{service}/{name}"


class Client:
    """Calls any of the frontends. `frontends` gives the public addresses to choose from at the moment.
    `renews_request_ids` is a mistake that tests plant: each further try has another request id."""

    renews_request_ids = False

    def __init__(self, network: Network, frontends: Callable[[], Sequence[str]], chance: random.Random) -> None:
        self._network = network
        self._frontends = frontends
        self.random = chance

    def new_id(self) -> str:
        """A random UUID, as clients make for a request."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    async def once(self, name: str, request: Message, response: type[Response], timeout_s: float = 10.0) -> Response:
        """One attempt at one frontend. Raises what the server answered."""
        frontends = self._frontends()
        if not frontends:
            raise errors.Unavailable("no frontend is known")
        address = self.random.choice(frontends)
        body = await self._network.call(address, method_of(name), request.SerializeToString(), timeout_s)
        return response.FromString(body)

    async def call(
        self, name: str, request: Message, response: type[Response], timeout_s: float = 10.0, patience_s: float = 30.0
    ) -> Response:
        """Tries until there is an answer. Raises `GaveUp` when `patience_s` is over, `Doubtful` for a refusal that
        followed an unknown outcome, and the server's own error otherwise."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + patience_s
        unknown = False
        while True:
            try:
                return await self.once(name, request, response, timeout_s)
            except TRANSIENT as error:
                unknown = True
                if loop.time() > give_up_at:
                    raise GaveUp(f"{name}: {error!r}") from error
            except errors.ServiceError as error:
                if unknown:
                    raise Doubtful(error) from error
                raise
            if self.renews_request_ids and hasattr(request, "request_id"):
                request.request_id = self.new_id()
            await asyncio.sleep(self.random.uniform(0.05, 0.5))


DOMAIN = "simulated"


def execution(workflow_id: str, run_id: str = "") -> api.WorkflowExecution:
    """Names a run; the current one where `run_id` is empty."""
    return api.WorkflowExecution(workflow_id=workflow_id, run_id=run_id)


async def whole_history(client: Client, workflow_id: str, run_id: str, page_size: int = 0) -> list[api.HistoryEvent]:
    """All events of a run, page by page."""
    request = api.GetWorkflowExecutionHistoryRequest(
        domain=DOMAIN, workflow_execution=execution(workflow_id, run_id), page_size=page_size
    )
    events: list[api.HistoryEvent] = []
    while True:
        answer = await client.call("GetWorkflowExecutionHistory", request, api.GetWorkflowExecutionHistoryResponse)
        events.extend(answer.history.events)
        if not answer.next_page_token:
            return events
        request.next_page_token = answer.next_page_token
