"""A client of the services' own interface: it plays a frontend towards history and matching, and a matching process of its own.

The public interface costs a Python client and a frontend several milliseconds of CPU a workflow; with a million workflows that
would be hours spent on neither of the services that are looked at. What is left out is only that: history and matching get the
same calls over the same streams, and do all their work.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from google.protobuf.message import Message

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.cluster.membership import Membership, MembershipSettings
from tenuto_server.cluster.router import MembershipRouter
from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.factory import open_store
from tenuto_server.persistence.interface import Member
from tenuto_server.transport.network import InternalCall, Listener
from tenuto_server.transport.stream import StreamNetwork
from tests.benchmarks.watching import until

IDENTITY: Final = "inside"
CALL_S: Final = 10.0
PATIENCE_S: Final = 60.0
RETRY_S: Final = 0.05
MEMBERS_S: Final = 30.0
# Until every process has seen who came: they read the table every second.
SEEN_S: Final = 2.0
# Decision tasks that are answered at once.
ANSWERS_MAX: Final = 2_000
_PASSING: Final = (errors.Unavailable, errors.ShardOwnershipLost, errors.ServiceBusy, errors.DeadlineExceeded)

# What to decide for a workflow id.
Decide = Callable[[str], api.Decision]


class Inside:
    """In the cluster on the store of `url` while the block lasts. With `decide` it is a matching process too, and answers the
    first decision task of each workflow on the list `own_list()`."""

    def __init__(self, url: str, shards: int, domain: api.Domain, decide: Decide | None = None) -> None:
        self.domain = domain
        self._runtime = Runtime()
        self._store = open_store(url, self._runtime)
        self._network = StreamNetwork()
        self._shards = shards
        self._decide = decide
        self._listener: Listener | None = None
        self._membership: Membership | None = None
        self._router: MembershipRouter
        self._address = ""
        self._answering: dict[str, asyncio.Task[None]] = {}
        self._lists = self._runtime.new_id()
        # Who waits until a workflow's first decision is made.
        self._decided: dict[str, asyncio.Future[None]] = {}

    async def __aenter__(self) -> Self:
        await self._store.open()
        member: Member | None = None
        if self._decide is not None:
            self._listener = await self._network.listen("127.0.0.1:0", self._take)
            self._address = self._listener.address
            member = Member("matching", self._address, self._runtime.new_id())
        self._membership = Membership(self._store, self._runtime, member, MembershipSettings(ttl_s=6.0))
        await self._membership.start()
        self._router = MembershipRouter(self._membership, self._shards)
        await until(lambda: bool(self._router.history_addresses() and self._router.matching_addresses()), MEMBERS_S)
        if member is not None:
            await asyncio.sleep(SEEN_S)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._membership is not None:
            await self._membership.withdraw()
            await self._membership.stop()
        for task in list(self._answering.values()):
            task.cancel()
        await asyncio.gather(*self._answering.values(), return_exceptions=True)
        if self._listener is not None:
            await self._listener.close()
        await self._network.close()
        await self._store.close()

    def own_list(self, *, own: bool = True) -> str:
        """A task list whose decisions the ring gives to this process; with `own` False, to another. It is nobody else's: tasks
        that wait on a list for pollers that do not come would take up the room for offers."""
        for number in itertools.count():
            name = f"inside-{self._lists}-{number}"
            address = self._router.matching_address(self.domain.id, name, internal.TASK_TYPE_DECISION)
            if (address == self._address) is own:
                return name
        raise AssertionError("not reached")

    def shard_of(self, workflow_id: str) -> int:
        """The shard of a workflow."""
        return self._router.shard_of(self.domain.id, workflow_id)

    # --- as a frontend ------------------------------------------------------------------------------------------------
    async def start(self, workflow_id: str, task_list: str, *, decided: bool = False) -> None:
        """Starts a workflow; with `decided` returns when its first decision is made."""
        request = api.StartWorkflowExecutionRequest(
            domain=self.domain.name,
            workflow_id=workflow_id,
            workflow_type=api.WorkflowType(name="sleeper"),
            task_list=api.TaskList(name=task_list),
            request_id=workflow_id,
            identity=IDENTITY,
        )
        request.execution_start_to_close_timeout.seconds = 60 * 24 * 3600
        request.task_start_to_close_timeout.seconds = 600
        future: asyncio.Future[None] | None = None
        if decided:
            future = self._decided[workflow_id] = asyncio.get_running_loop().create_future()
        try:
            await self.call_history("StartWorkflowExecution", workflow_id, request)
            if future is not None:
                # An offer that got lost is made again after a minute.
                await asyncio.wait_for(future, 2 * PATIENCE_S)
        finally:
            self._decided.pop(workflow_id, None)

    async def call_history(self, rpc: str, workflow_id: str, request: Message) -> bytes:
        """A public request, as a frontend hands it on; again while its outcome is unknown."""
        envelope = internal.WorkflowRequest(
            domain_id=self.domain.id, workflow_id=workflow_id, request=request.SerializeToString()
        )
        shard = self.shard_of(workflow_id)
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                address = self._router.history_address(shard)
                return await self._network.call(address, rpc, envelope.SerializeToString(), CALL_S)
            except _PASSING:
                if asyncio.get_running_loop().time() > end:
                    raise
            envelope.repeated = True
            await asyncio.sleep(RETRY_S)

    async def poll(self, task_list: str, task_type: internal.TaskType, wait_s: float) -> bytes:
        """A public poll's answer; empty where there was no task in time."""
        poll = internal.PollTaskRequest(
            domain_id=self.domain.id, domain_name=self.domain.name, task_list=task_list, kind=api.TASK_LIST_KIND_NORMAL,
            type=task_type, identity=IDENTITY, request_id=self._runtime.new_id(),
        ).SerializeToString()  # fmt: skip
        try:
            address = self._router.matching_address(self.domain.id, task_list, task_type)
            return await self._network.call(address, "PollTask", poll, wait_s)
        except (*_PASSING, TimeoutError):
            return b""

    # --- as a matching process ----------------------------------------------------------------------------------------
    async def _take(self, call: InternalCall) -> bytes:
        if call.method != "OfferTasks":
            raise errors.Unimplemented(f"no method {call.method}")
        request = internal.OfferTasksRequest.FromString(call.body)
        outcomes = [self._offered(offer, request.history_address) for offer in request.offers]
        return internal.OfferTasksResponse(outcomes=outcomes).SerializeToString()

    def _offered(self, offer: internal.TaskOffer, address: str) -> internal.OfferOutcome:
        ref = offer.task
        if ref.type != internal.TASK_TYPE_DECISION or len(self._answering) >= ANSWERS_MAX:
            return internal.OFFER_OUTCOME_FULL
        # What others started waits for pollers that do not come.
        if ref.workflow_id in self._decided and ref.workflow_id not in self._answering:
            task = asyncio.get_running_loop().create_task(self._answer(ref, offer.task_list, address))
            self._answering[ref.workflow_id] = task
        return internal.OFFER_OUTCOME_ACCEPTED

    async def _answer(self, ref: internal.TaskRef, task_list: str, address: str) -> None:
        """Starts a decision task and answers it. What fails is offered again."""
        assert self._decide is not None
        start = internal.StartTaskRequest(
            task=ref, request_id=self._runtime.new_id(), identity=IDENTITY, task_list=task_list, domain_name=self.domain.name
        )
        try:
            answer = await self._network.call(address, "StartTask", start.SerializeToString(), CALL_S)
            token = api.PollForDecisionTaskResponse.FromString(answer).task_token
            request = api.RespondDecisionTaskCompletedRequest(
                task_token=token, decisions=[self._decide(ref.workflow_id)], identity=IDENTITY
            )
            await self.call_history("RespondDecisionTaskCompleted", ref.workflow_id, request)
        except errors.ServiceError:
            return
        finally:
            del self._answering[ref.workflow_id]
        waiting = self._decided.get(ref.workflow_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
