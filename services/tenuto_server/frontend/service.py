"""The frontend: takes public calls from an acceptor, checks and limits them, and hands them to their owners.

It owns nothing and starts no tasks: each call runs in the task of the acceptor that brought it, so any number of
frontends may run behind any balancer, and one that dies takes nothing with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tenuto_server.cluster.router import Router
from tenuto_server.config.dynamic import DynamicConfig
from tenuto_server.config.live import LiveSettings
from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import INTERNAL, OK, BadRequest, ServiceBusy, Unavailable
from tenuto_server.frontend.context import FrontendContext
from tenuto_server.frontend.limiter import BUSY, RateClass
from tenuto_server.frontend.methods import METHODS, unimplemented
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.frontend.versions import CALLER_TYPE_HEADER, UNCHECKED, check_version
from tenuto_server.persistence.domains import DomainCache, Domains
from tenuto_server.persistence.interface import Store, StoreUnavailable, TooCostly
from tenuto_server.telemetry import tracing
from tenuto_server.telemetry.measures import OTHER, Durations, Family, gauge, status_name, status_of
from tenuto_server.transport.network import Network
from tenuto_server.transport.public import PublicCall

STOPPING = "The frontend is shutting down."
GONE = "The frontend has gone."
# Of the time that a stop waits, this much is for calls that wait for an owner; the rest is for their answers.
_DRAIN_SHARE = 0.9


class FrontendService:
    """One frontend process. `handle` is the acceptor's handler; make the service within a running event loop."""

    def __init__(
        self,
        *,
        store: Store,
        network: Network,
        router: Router,
        runtime: Runtime,
        domains: DomainCache,
        domain_registry: Domains | None = None,
        settings: FrontendSettings | LiveSettings[FrontendSettings],
        dynamic: DynamicConfig | None = None,
        address: str,
    ) -> None:
        """`domain_registry` is the cache's own where it is left out: then this process sees its own changes at once,
        otherwise with the cache's next reading. `dynamic`: how operators change settings; where it is left out they can
        change the frontend's alone."""
        self._context = FrontendContext(
            store=store,
            network=network,
            router=router,
            runtime=runtime,
            domains=domains,
            registry=domain_registry or domains.registry,
            settings=settings,
            dynamic=dynamic,
            address=address,
        )
        # For callers that are not to be refused for their number.
        self._bypassing = self._context.bypassing()
        self._calls = 0
        self._stopwatch = runtime.stopwatch
        # By method and gRPC status.
        self._requests = Durations()
        self._open = False
        self._dead = False
        # Set by the last call that ends once `stop` waits.
        self._idle = asyncio.Event()

    @property
    def calls(self) -> int:
        """How many calls are under way."""
        return self._calls

    async def start(self) -> None:
        """Takes calls from now on."""
        self._open = self._context.serving = self._bypassing.serving = True

    async def stop(self) -> None:
        """Takes no more calls but for health, answers the long polls at once, and waits for the other calls, at most
        `drain_s`. The acceptor ends what is left."""
        self._open = False
        drain_s = self._context.settings.drain_s
        # What waits for an owner that is being restarted too is answered a little before it would be cut off.
        self._end_long_polls(self._context.now() + drain_s * _DRAIN_SHARE)
        if self._calls:
            self._idle.clear()
            try:
                async with asyncio.timeout(drain_s):
                    await self._idle.wait()
            except TimeoutError:
                self._dead = True

    def kill(self) -> None:
        """A crash: nothing under way is answered any more."""
        self._open = False
        self._dead = True
        self._end_long_polls(self._context.now())

    def _end_long_polls(self, stops_at: float) -> None:
        context = self._context
        for one in (context, self._bypassing):
            one.serving, one.stopping, one.stops_at = False, True, stops_at
        for poll in list(context.long_polls):
            poll.end()

    async def handle(self, call: PublicCall) -> bytes:
        """The response message's bytes, or a `ServiceError` of the interface."""
        begun, name, status = self._stopwatch(), OTHER, INTERNAL
        span = tracing.serve(call.method, call.headers) if tracing.state.on else None
        try:
            method = METHODS.get(call.method)
            if method is None:
                raise unimplemented(call.method)
            name = call.method
            context = self._admit(method.rate_class, call)
            self._calls += 1
            try:
                response = await method.handler(context, call)
            except TooCostly as error:
                raise BadRequest(f"{error}") from None
            except StoreUnavailable:
                raise ServiceBusy("The store could not be reached in time.") from None
            finally:
                self._calls -= 1
                if not self._open and not self._calls:
                    self._idle.set()
            if self._dead:
                raise Unavailable(GONE)
            status = OK
        except BaseException as error:
            status = status_of(error)
            raise
        finally:
            self._requests.note(name, status, self._stopwatch() - begun)
            if span is not None:
                tracing.served(span, status_name(status))
        return response

    def _admit(self, rate_class: RateClass, call: PublicCall) -> FrontendContext:
        """With what a call is served. Raises a ServiceError where it is not to be."""
        settings = self._context.settings
        bypass = settings.rates.bypass_caller_types
        context = self._bypassing if bypass and call.headers.get(CALLER_TYPE_HEADER) in bypass else self._context
        if not self._open and (self._dead or rate_class is not RateClass.NONE):
            raise Unavailable(GONE if self._dead else STOPPING)
        if self._calls >= settings.calls_max:
            raise ServiceBusy(BUSY)
        context.limiter.take_host(rate_class, context.now())
        if settings.check_client_version and call.method not in UNCHECKED:
            check_version(call.headers)
        return context

    def measures(self) -> Iterator[Family]:
        """What this process shows of itself."""
        labels = ("rpc_system_name", "rpc_method", "rpc_response_status_code")
        yield self._requests.family("rpc_server_call_duration_seconds", "Calls of the public interface.", labels, ("grpc",))
        yield gauge("tenuto_frontend_calls", "Calls of the public interface under way.", self._calls)
        polls = len(self._context.long_polls)
        yield gauge("tenuto_frontend_long_polls", "Polls and other long waits among them.", polls)
