"""What every handler works with: the way to domains, to the owners of workflows and task lists, and back to the caller.

A request is parsed once, to check and route it; its bytes travel on as they are. A call to an owner that is gone, or
that has lost the shard, is made again at whoever is the owner then, within the caller's time, and says that it is repeated:
what was done already is not done again, and history answers as it would have the first time.
"""

from __future__ import annotations

import asyncio
import copy
import math
from contextlib import suppress
from types import TracebackType
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.archival.places import Places
from tenuto_server.cluster.router import Router
from tenuto_server.config.dynamic import DynamicConfig
from tenuto_server.config.live import LiveSettings
from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import BadRequest, ServiceBusy, ShardOwnershipLost, Unavailable
from tenuto_server.frontend import validation
from tenuto_server.frontend.limiter import Limiter, RateClass
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.frontend.validation import Limits
from tenuto_server.frontend.versions import FEATURE_VERSION_HEADER, NAME_HEADER, for_client
from tenuto_server.persistence.domains import DomainCache, Domains
from tenuto_server.persistence.interface import Store
from tenuto_server.persistence.search_attributes import SearchAttributes
from tenuto_server.telemetry import tracing
from tenuto_server.transport.network import Network
from tenuto_server.transport.public import PublicCall

M = TypeVar("M", bound=Message)

# A message's bytes after another's are the two merged: what says that a request was sent before.
_REPEATED = internal.WorkflowRequest(repeated=True).SerializeToString()

NO_OWNER = "The owner of this workflow could not be reached in time."
NO_MATCHING = "The owner of this task list could not be reached in time."


def parse(request_class: type[M], body: bytes) -> M:
    """The request message, or `BadRequest` where the bytes are none."""
    try:
        return request_class.FromString(body)
    except DecodeError:
        raise BadRequest(f"The request is not a valid {request_class.DESCRIPTOR.name}.") from None


def parse_token(token: bytes) -> internal.TaskToken:
    """What a task token holds; `BadRequest` for one that is missing or not ours."""
    parsed = parse_token_of(internal.TaskToken, token)
    if not (parsed.domain_id and parsed.workflow_id and parsed.run_id):
        raise BadRequest(validation.INVALID_TASK_TOKEN)
    return parsed


def parse_token_of(token_class: type[M], token: bytes) -> M:
    """A token of that message; `BadRequest` for one that is missing or cannot be read."""
    if not token:
        raise BadRequest(validation.TASK_TOKEN_NOT_SET)
    try:
        return token_class.FromString(token)
    except DecodeError:
        raise BadRequest(validation.INVALID_TASK_TOKEN) from None


class LongPoll:
    """A wait that a graceful stop ends: `with`, in the task that waits. TimeoutError then."""

    __slots__ = ("_cancelling", "_frontend", "_is_ended", "_task")

    def __init__(self, frontend: FrontendContext) -> None:
        self._frontend = frontend
        self._is_ended = False

    def __enter__(self) -> None:
        if self._frontend.stopping:
            raise TimeoutError
        task = asyncio.current_task(self._frontend.loop)
        assert task is not None
        self._task = task
        # As for asyncio's own timeouts: whoever still counts more cancellations than now lets a cancellation through.
        self._cancelling = task.cancelling()
        self._frontend.long_polls[self] = None

    def end(self) -> None:
        """The process stops: the wait is over."""
        if not self._is_ended:
            self._is_ended = True
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        del self._frontend.long_polls[self]
        if self._is_ended and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error


class FrontendContext:
    """One frontend process's means, shared by its handlers. `long_polls` are the waits that a graceful stop ends
    early."""

    __slots__ = (
        "address",
        "domains",
        "dynamic",
        "limiter",
        "live",
        "long_polls",
        "loop",
        "network",
        "places",
        "registry",
        "router",
        "runtime",
        "search_attributes",
        "serving",
        "stopping",
        "stops_at",
        "store",
    )

    def __init__(
        self,
        *,
        store: Store,
        network: Network,
        router: Router,
        runtime: Runtime,
        domains: DomainCache,
        registry: Domains,
        settings: FrontendSettings | LiveSettings[FrontendSettings],
        dynamic: DynamicConfig | None = None,
        address: str,
    ) -> None:
        self.store = store
        self.places = Places()
        self.network = network
        self.router = router
        self.runtime = runtime
        self.domains = domains
        self.registry = registry
        self.live = LiveSettings.of(settings, "frontend")
        # What operators read and change settings by: at least this service's own.
        self.dynamic = dynamic or DynamicConfig([self.live], store)
        self.search_attributes = SearchAttributes(store, runtime)
        self.address = address
        self.loop = asyncio.get_running_loop()
        self.limiter = Limiter(self.live, self.loop.time())
        self.long_polls: dict[LongPoll, None] = {}
        # Between start and stop; and from the stop on.
        self.serving = False
        self.stopping = False
        # Until when calls that wait for an owner may go on, in the event loop's time: a stop waits so long for them.
        self.stops_at = math.inf

    @property
    def settings(self) -> FrontendSettings:
        """What is in force now; they change while the process runs."""
        return self.live.current

    @property
    def limits(self) -> Limits:
        """The limits where no domain is known."""
        return self.live.current.limits

    def limits_for(self, domain: str) -> Limits:
        """The limits in force for a domain, by its name."""
        return self.live.for_domain(domain).limits

    def bypassing(self) -> FrontendContext:
        """The same, for callers that are counted but never refused for their number."""
        other = copy.copy(self)
        other.limiter = self.limiter.bypassing()
        return other

    def now(self) -> float:
        """The event loop's time: that of deadlines, in seconds."""
        return self.loop.time()

    def long_poll(self) -> LongPoll:
        """The scope of a wait that a graceful stop ends. What came in just before the stop does not wait at all."""
        return LongPoll(self)

    # --- domains ------------------------------------------------------------------------------------------------------
    async def domain(self, name: str, rate_class: RateClass, task_list: str = "", task_type: int = 0) -> api.Domain:
        """The domain that a request names, its request counted against the domain's rate; a poll's also against that of
        its task list (`task_type`: the number of internal.TaskType)."""
        if not name:
            raise BadRequest(validation.DOMAIN_NOT_SET)
        validation.check_length(name, "Domain", self.limits)
        domain = await self.domains.by_name(name)
        self.limiter.take_domain(rate_class, domain, self.loop.time())
        if task_list:
            self.limiter.take_task_list(domain, task_list, task_type, self.loop.time())
        return domain

    async def domain_by_id(self, domain_id: str, rate_class: RateClass) -> api.Domain:
        """The domain that a task token names, counted as above."""
        domain = self.domains.cached_by_id(domain_id)
        if domain is None:
            domain = await self.domains.by_id(domain_id)
        self.limiter.take_domain(rate_class, domain, self.loop.time())
        return domain

    # --- owners -------------------------------------------------------------------------------------------------------
    async def call_history(
        self, call: PublicCall, rpc: str, domain_id: str, workflow_id: str, body: bytes, deadline: float | None = None
    ) -> bytes:
        """Hands a public request to the owner of its workflow's shard. `rpc` is the public RPC's name, `deadline` until
        when (the caller's own where None). Errors come back as this client can read them."""
        headers = call.headers
        if tracing.state.on:
            self._describe(domain_id, workflow_id)
        request = first = internal.WorkflowRequest(
            domain_id=domain_id,
            workflow_id=workflow_id,
            request=body,
            client_name=headers.get(NAME_HEADER, ""),
            client_feature_version=headers.get(FEATURE_VERSION_HEADER, ""),
        ).SerializeToString()
        if deadline is None:
            deadline = self.deadline(call)
        shard = self.router.shard_of(domain_id, workflow_id)
        backoff = 0.0
        while True:
            try:
                return await self.network.call(self.router.history_address(shard), rpc, request, self.left(deadline))
            except (Unavailable, ShardOwnershipLost):
                self.router.doubt()
                backoff = await self.pause(backoff, deadline, NO_OWNER)
                request = first + _REPEATED
            except errors.WorkflowAlreadyCompleted as error:
                raise for_client(error, headers) from None

    def _describe(self, domain_id: str, workflow_id: str) -> None:
        """Tells the call's span what it is about."""
        domain = self.domains.cached_by_id(domain_id)
        tracing.describe({tracing.DOMAIN: domain_id if domain is None else domain.name, tracing.WORKFLOW_ID: workflow_id})

    async def call_matching(
        self, domain_id: str, task_list: str, task_type: int, method: str, body: bytes, deadline: float
    ) -> bytes:
        """Asks the owner of a task list. `task_type` is internal.TaskType's number."""
        backoff = 0.0
        while True:
            try:
                return await self.network.call(
                    self.router.matching_address(domain_id, task_list, task_type), method, body, self.left(deadline)
                )
            except (Unavailable, ShardOwnershipLost):
                self.router.doubt()
                backoff = await self.pause(backoff, deadline, NO_MATCHING)

    async def call_address(self, address: str, method: str, body: bytes, deadline: float) -> bytes:
        """Asks one process of the cluster, again while it cannot be reached."""
        backoff = 0.0
        while True:
            try:
                return await self.network.call(address, method, body, self.left(deadline))
            except Unavailable:
                backoff = await self.pause(backoff, deadline, NO_MATCHING)

    async def flush_visibility(self) -> None:
        """Has all history processes write down what lists should show. Within `visibility_flush_s_max`: a list is better a
        little behind than late."""
        addresses = self.router.history_addresses()
        try:
            async with asyncio.timeout(self.settings.visibility_flush_s_max):
                if len(addresses) == 1:
                    await self._flush_at(addresses[0])
                else:
                    await asyncio.gather(*[self._flush_at(address) for address in addresses])
        except TimeoutError:
            return

    async def _flush_at(self, address: str) -> None:
        # One that has gone, or cannot write now, has nothing to add: its successor is asked as well.
        with suppress(errors.ServiceError):
            await self.network.call(address, "FlushVisibility", b"", self.settings.visibility_flush_s_max)

    def deadline(self, call: PublicCall) -> float:
        """Until when a call that is no poll may take, in the event loop's time."""
        now = self.loop.time()
        if call.deadline is None:
            return now + self.settings.timeout_s_default
        return min(call.deadline, now + self.settings.timeout_s_max)

    def left(self, deadline: float) -> float:
        """How much of the caller's time is left, in seconds. Raises `DeadlineExceeded` where none is."""
        left = deadline - self.loop.time()
        if left <= 0:
            raise errors.DeadlineExceeded("The caller's time has run out.")
        return left

    async def pause(self, backoff: float, deadline: float, refusal: str) -> float:
        """Waits before the next try and returns how long it was meant to be; half of it is chance, so that callers
        that lost the same owner do not come back together. `ServiceBusy` where the caller's time would run out, or ours."""
        settings = self.settings
        backoff = min(backoff * 2, settings.retry_s_max) if backoff else settings.retry_s_first
        pause = backoff * (0.5 + self.runtime.random.random() / 2)
        if self.loop.time() + pause >= min(deadline, self.stops_at):
            raise ServiceBusy(refusal)
        await asyncio.sleep(pause)
        return backoff
