"""A frontend with small stand-ins for its neighbours: a domain registry in a dict, and history and matching processes
that answer by script behind the in-process network."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from tenuto_api import api, internal
from tenuto_server.cluster.router import StaticRouter
from tenuto_server.config.dynamic import DynamicConfig
from tenuto_server.config.live import LiveSettings
from tenuto_server.config.runtime import SECOND, Runtime
from tenuto_server.frontend.service import FrontendService
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.history.settings import HistorySettings
from tenuto_server.persistence.domains import DomainCache
from tenuto_server.persistence.memory import MemoryStore
from tenuto_server.transport.inprocess import InProcessNetwork
from tenuto_server.transport.network import InternalCall
from tenuto_server.transport.public import PublicCall

T = TypeVar("T")

DOMAIN = "orders"
DOMAIN_ID = "11111111-1111-4111-8111-111111111111"
RUN_ID = "22222222-2222-4222-8222-222222222222"
REQUEST_ID = "33333333-3333-4333-8333-333333333333"
START_NS = 1_700_000_000 * SECOND


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: the time that it should have waited is over at once."""

    def __init__(self) -> None:
        super().__init__()
        self.time_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("nothing is ready and no timer is set")
        self.time_s += max(timeout, 0.0)
        return []


class _JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while something is ready and jumps to the next timer when nothing is."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.time_s


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a test on virtual time, which begins at 0."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(coroutine)


def make_domain(name: str = DOMAIN, domain_id: str = DOMAIN_ID) -> api.Domain:
    """A registered local domain."""
    domain = api.Domain(id=domain_id, name=name, status=api.DOMAIN_STATUS_REGISTERED, failover_version=-24)
    domain.bad_binaries.SetInParent()
    domain.async_workflow_config.enabled = True
    return domain


class Recorder:
    """A history or matching process: keeps what it is asked and answers by `answer` (default: empty bytes)."""

    def __init__(self) -> None:
        self.calls: list[InternalCall] = []
        self.answer: Callable[[InternalCall], Awaitable[bytes] | bytes] = lambda _: b""

    async def handle(self, call: InternalCall) -> bytes:
        self.calls.append(call)
        answer = self.answer(call)
        return answer if isinstance(answer, bytes) else await answer

    def requests(self) -> list[internal.WorkflowRequest]:
        """What a history process was asked."""
        return [internal.WorkflowRequest.FromString(call.body) for call in self.calls]


class Bench:
    """A started frontend with one history process at "history" and one matching process at "matching"."""

    def __init__(self, settings: FrontendSettings | None = None) -> None:
        self.network = InProcessNetwork()
        self.router = StaticRouter(16, ["history"], ["matching"])
        self.history = Recorder()
        self.matching = Recorder()
        self.now_ns = START_NS
        self.runtime = Runtime(now=lambda: self.now_ns, random=random.Random(7))
        self.store = MemoryStore(self.runtime)
        self.domains = DomainCache(self.store, self.runtime)
        self.registry = self.domains.registry
        self.settings = settings or FrontendSettings()
        live = LiveSettings.of(self.settings, "frontend")
        self.frontend = FrontendService(
            store=self.store,
            network=self.network.endpoint(),
            router=self.router,
            runtime=self.runtime,
            domains=self.domains,
            domain_registry=self.registry,
            settings=live,
            dynamic=DynamicConfig([live, LiveSettings.of(HistorySettings(), "history")], self.store),
            address="frontend:1",
        )

    async def __aenter__(self) -> Bench:
        self.history_listener = await self.network.listen("history", self.history.handle)
        self.matching_listener = await self.network.listen("matching", self.matching.handle)
        await self.registry.register(make_domain())
        await self.frontend.start()
        return self

    async def change_domain(self, change: Callable[[api.Domain], object]) -> None:
        """Changes the domain behind the frontend's back."""

        def changed(domain: api.Domain) -> api.Domain:
            change(domain)
            return domain

        await self.registry.update(DOMAIN, changed)

    async def __aexit__(self, *_: object) -> None:
        self.frontend.kill()
        self.domains.kill()
        await self.network.close()

    async def call(
        self,
        method: str,
        body: bytes,
        *,
        timeout_s: float | None = 10.0,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """One public call. `method` as "WorkflowAPI/StartWorkflowExecution", of uber.cadence.api.v1 if it has no
        dot."""
        path = method if "." in method else f"uber.cadence.api.v1.{method}"
        deadline = None if timeout_s is None else self.runtime.monotonic() + timeout_s
        return await self.frontend.handle(PublicCall(path, headers or {}, deadline, body))


def start_request() -> api.StartWorkflowExecutionRequest:
    """A request that keeps all rules."""
    request = api.StartWorkflowExecutionRequest(
        domain=DOMAIN,
        workflow_id="order-1",
        workflow_type=api.WorkflowType(name="Order"),
        task_list=api.TaskList(name="orders"),
        request_id=REQUEST_ID,
        identity="test",
    )
    request.execution_start_to_close_timeout.seconds = 60
    request.task_start_to_close_timeout.seconds = 10
    return request


def task_token() -> bytes:
    """A token as history makes them."""
    return internal.TaskToken(
        domain_id=DOMAIN_ID, workflow_id="order-1", run_id=RUN_ID, schedule_id=2, started_request_id="poll"
    ).SerializeToString()


def query_token() -> bytes:
    """The token of a query task as matching makes them."""
    return internal.QueryToken(
        domain_id=DOMAIN_ID, task_list="orders", task_id="query-1", matching_address="matching"
    ).SerializeToString()
