"""The client: starts workflows and finds them again, completes activities from outside, manages domains, lists runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, cast, overload

from tenuto._replay.definition import workflow_name, workflow_result_type
from tenuto._rpc import tracing
from tenuto._rpc.activities import ActivityCompletion
from tenuto._rpc.backoff import Backoff
from tenuto._rpc.connection import BaseConnection, Connection, DomainRpc, VisibilityRpc, WorkflowRpc, new_request_id
from tenuto._rpc.handle import WorkflowHandle, signal_name
from tenuto._rpc.options import StartKeywords, StartOptions
from tenuto._rpc.schedules import Schedules
from tenuto._types import duration, to_timestamp
from tenuto.converter import DataConverter, default_converter, json_bytes
from tenuto.errors import DomainAlreadyExistsError, EntityNotExistsError
from tenuto_api import api

if TYPE_CHECKING:
    import grpc

T = TypeVar("T")

DEFAULT_TARGET = "127.0.0.1:7833"
LIST_PAGE = 1000


class Client:
    """A domain on a server. `async with await Client.connect() as client`, or `close()` it.

    Calls are retried on passing errors within their deadline, with the same request id. They raise `RpcError`s.
    """

    def __init__(self, connection: BaseConnection, *, domain: str, converter: DataConverter = default_converter) -> None:
        self.connection = connection
        self.domain = domain
        self.converter = converter
        self.backoff = Backoff()

    @classmethod
    async def connect(
        cls,
        target: str = DEFAULT_TARGET,
        *,
        domain: str = "default",
        identity: str = "",
        converter: DataConverter = default_converter,
        headers: Mapping[str, str] | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        options: Sequence[tuple[str, Any]] = (),
    ) -> Client:
        """A client of the server at host:port. Connects when first used; `credentials` turn TLS on."""
        connection = Connection(target, identity=identity, headers=headers, credentials=credentials, options=options)
        return cls(connection, domain=domain, converter=converter)

    async def close(self) -> None:
        """Ends the connection."""
        await self.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def payload(self, values: Sequence[Any]) -> api.Payload:
        """Values as a payload message."""
        return api.Payload(data=self.converter.to_payload(values))

    def decode(self, data: bytes, result_type: Any) -> Any:
        """The single value of a payload; None for an empty one."""
        if not data:
            return b"" if result_type is bytes else None
        values = self.converter.from_payload(data, (result_type,))
        return values[0] if values else None

    # ---- workflows ----

    @overload
    async def start_workflow(
        self, workflow: Callable[..., Awaitable[T]], *args: Any, **options: Unpack[StartKeywords]
    ) -> WorkflowHandle[T]: ...
    @overload
    async def start_workflow(
        self, workflow: str | type, *args: Any, **options: Unpack[StartKeywords]
    ) -> WorkflowHandle[Any]: ...
    async def start_workflow(
        self, workflow: Any, *args: Any, **options: Unpack[StartKeywords]
    ) -> WorkflowHandle[Any]:
        """Starts a workflow (class, run method, function, or type name) and returns its handle.

        Options: id and task_list (both needed); execution_timeout (the whole run, by default a year), task_timeout (one
        decision, by default 10 s), id_reuse_policy, retry_policy, cron_schedule, cron_overlap_policy, memo, search_attributes,
        delay_start, jitter_start, first_run_at, request_id (a UUID: starting again with the same one gives the same run),
        result_type. Raises WorkflowAlreadyStartedError.
        """
        given = StartOptions(**options)
        with self._starting(workflow, given):
            request = self._start_request(workflow, args, given)
            response = await self.connection.call(WorkflowRpc.start, request)
        result_type = given.result_type or workflow_result_type(workflow)
        return WorkflowHandle(self, given.id, response.run_id, result_type, first_run_id=response.run_id)

    @overload
    async def execute_workflow(
        self, workflow: Callable[..., Awaitable[T]], *args: Any, **options: Unpack[StartKeywords]
    ) -> T: ...
    @overload
    async def execute_workflow(self, workflow: str | type, *args: Any, **options: Unpack[StartKeywords]) -> Any: ...
    async def execute_workflow(self, workflow: Any, *args: Any, **options: Unpack[StartKeywords]) -> Any:
        """Starts a workflow and waits for its result. Options as in `start_workflow`."""
        return await (await self.start_workflow(workflow, *args, **options)).result()

    async def signal_with_start(
        self,
        workflow: Any,
        *args: Any,
        signal: str | Callable[..., Any],
        signal_args: Sequence[Any] = (),
        **options: Unpack[StartKeywords],
    ) -> WorkflowHandle[Any]:
        """Signals a workflow, and starts it first if it does not run, in one step. Options as in `start_workflow`."""
        given = StartOptions(**options)
        with self._starting(workflow, given):
            request = self._signal_with_start_request(workflow, args, signal, signal_args, given)
            response = await self.connection.call(WorkflowRpc.signal_with_start, request)
        result_type = given.result_type or workflow_result_type(workflow)
        return WorkflowHandle(self, given.id, response.run_id, result_type)

    async def start_workflow_async(
        self, workflow: Any, *args: Any, **options: Unpack[StartKeywords]
    ) -> WorkflowHandle[Any]:
        """Has the server start a workflow when it gets to it: returns when the request is durable, with a handle of the
        workflow id. Whether the start is then refused (the id is in use) is not told. Options as in `start_workflow`; the
        domain must be enabled for it."""
        given = StartOptions(**options)
        with self._starting(workflow, given):
            request = api.StartWorkflowExecutionAsyncRequest(request=self._start_request(workflow, args, given))
            await self.connection.call(WorkflowRpc.start_async, request)
        return WorkflowHandle(self, given.id, "", given.result_type or workflow_result_type(workflow))

    async def signal_with_start_async(
        self,
        workflow: Any,
        *args: Any,
        signal: str | Callable[..., Any],
        signal_args: Sequence[Any] = (),
        **options: Unpack[StartKeywords],
    ) -> WorkflowHandle[Any]:
        """`signal_with_start`, done when the server gets to it, as `start_workflow_async`."""
        given = StartOptions(**options)
        with self._starting(workflow, given):
            request = api.SignalWithStartWorkflowExecutionAsyncRequest(
                request=self._signal_with_start_request(workflow, args, signal, signal_args, given)
            )
            await self.connection.call(WorkflowRpc.signal_with_start_async, request)
        return WorkflowHandle(self, given.id, "", given.result_type or workflow_result_type(workflow))

    def _starting(self, workflow: Any, options: StartOptions) -> AbstractContextManager[None]:
        return tracing.client_span(f"StartWorkflow:{workflow_name(workflow)}", self.domain, options.id)

    def _signal_with_start_request(
        self,
        workflow: Any,
        args: Sequence[Any],
        signal: str | Callable[..., Any],
        signal_args: Sequence[Any],
        options: StartOptions,
    ) -> api.SignalWithStartWorkflowExecutionRequest:
        return api.SignalWithStartWorkflowExecutionRequest(
            start_request=self._start_request(workflow, args, options),
            signal_name=signal_name(signal),
            signal_input=self.payload(signal_args),
        )

    def _start_request(
        self, workflow: Any, args: Sequence[Any], options: StartOptions
    ) -> api.StartWorkflowExecutionRequest:
        request = api.StartWorkflowExecutionRequest(
            domain=self.domain,
            workflow_id=options.id,
            workflow_type=api.WorkflowType(name=workflow_name(workflow)),
            task_list=api.TaskList(name=options.task_list),
            execution_start_to_close_timeout=duration(options.execution_timeout),
            task_start_to_close_timeout=duration(options.task_timeout),
            identity=self.connection.identity,
            request_id=options.request_id or new_request_id(),
            workflow_id_reuse_policy=options.id_reuse_policy.proto(),
            cron_schedule=options.cron_schedule,
        )
        if options.cron_overlap_policy is not None:
            request.cron_overlap_policy = options.cron_overlap_policy.proto()
        if args:
            request.input.data = self.converter.to_payload(args)
        if options.retry_policy is not None:
            request.retry_policy.CopyFrom(options.retry_policy.proto())
        for key, value in (options.memo or {}).items():
            request.memo.fields[key].CopyFrom(self.payload([value]))
        for key, value in (options.search_attributes or {}).items():
            request.search_attributes.indexed_fields[key].data = json_bytes(value)
        if options.delay_start is not None:
            request.delay_start.CopyFrom(duration(options.delay_start))
        if options.jitter_start is not None:
            request.jitter_start.CopyFrom(duration(options.jitter_start))
        if options.first_run_at is not None:
            request.first_run_at.CopyFrom(to_timestamp(options.first_run_at))
        tracing.keep(request.header)
        return request

    @overload
    def get_workflow_handle(
        self, workflow_id: str, *, run_id: str = "", workflow: Callable[..., Awaitable[T]]
    ) -> WorkflowHandle[T]: ...
    @overload
    def get_workflow_handle(
        self, workflow_id: str, *, run_id: str = "", workflow: Any = None, result_type: Any = None
    ) -> WorkflowHandle[Any]: ...
    def get_workflow_handle(
        self, workflow_id: str, *, run_id: str = "", workflow: Any = None, result_type: Any = None
    ) -> WorkflowHandle[Any]:
        """The handle of a workflow started elsewhere; `workflow` or `result_type` gives its result's type. No call."""
        expected = result_type or (workflow_result_type(workflow) if workflow is not None else Any)
        return WorkflowHandle(self, workflow_id, run_id, expected)

    async def reset_workflow(
        self, workflow_id: str, *, run_id: str = "", event_id: int, reason: str = "", reapply_signals: bool = True
    ) -> WorkflowHandle[Any]:
        """Forks a new run from an earlier decision: everything from `event_id` on is undone, later signals are kept."""
        request = api.ResetWorkflowExecutionRequest(
            domain=self.domain,
            workflow_execution=api.WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            reason=reason,
            decision_finish_event_id=event_id,
            request_id=new_request_id(),
            skip_signal_reapply=not reapply_signals,
        )
        response = await self.connection.call(WorkflowRpc.reset, request)
        return WorkflowHandle(self, workflow_id, response.run_id, Any)

    # ---- schedules ----

    @property
    def schedules(self) -> Schedules:
        """The domain's schedules."""
        return Schedules(self)

    # ---- activities completed from outside ----

    def activity_by_token(self, task_token: bytes) -> ActivityCompletion:
        """An activity that left with `activity.complete_async()`, by its `activity.info().task_token`."""
        return ActivityCompletion(self, task_token=task_token)

    def activity_by_id(self, workflow_id: str, activity_id: str, *, run_id: str = "") -> ActivityCompletion:
        """The same by the ids of workflow and activity."""
        execution = api.WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        return ActivityCompletion(self, execution=execution, activity_id=activity_id)

    # ---- domains ----

    async def register_domain(
        self,
        name: str = "",
        *,
        retention: timedelta = timedelta(days=1),
        description: str = "",
        owner_email: str = "",
        data: Mapping[str, str] | None = None,
    ) -> None:
        """Makes a domain (by default the client's own). Raises DomainAlreadyExistsError."""
        request = api.RegisterDomainRequest(
            name=name or self.domain,
            description=description,
            owner_email=owner_email,
            workflow_execution_retention_period=duration(retention),
            data=dict(data or {}),
        )
        await self.connection.call(DomainRpc.register, request)

    async def ensure_domain(self, *, retention: timedelta = timedelta(days=1)) -> None:
        """Registers the client's own domain unless it exists. For development."""
        try:
            await self.describe_domain()
        except EntityNotExistsError:
            with suppress(DomainAlreadyExistsError):  # someone else was quicker
                await self.register_domain(retention=retention)

    async def describe_domain(self, name: str = "") -> api.Domain:
        """A domain (by default the client's own) as the interface tells it. Raises EntityNotExistsError."""
        response = await self.connection.call(DomainRpc.describe, api.DescribeDomainRequest(name=name or self.domain))
        return response.domain

    async def list_domains(self, *, page_size: int = LIST_PAGE) -> AsyncIterator[api.Domain]:
        """All domains of the server."""
        request = api.ListDomainsRequest(page_size=page_size)
        while True:
            response = await self.connection.call(DomainRpc.list, request)
            for domain in response.domains:
                yield domain
            if not response.next_page_token:
                return
            request.next_page_token = response.next_page_token

    # ---- visibility ----

    async def list_workflows(
        self,
        query: str | None = None,
        *,
        closed: bool = False,
        workflow_id: str = "",
        workflow_type: str = "",
        earliest: datetime | None = None,
        latest: datetime | None = None,
        page_size: int = LIST_PAGE,
    ) -> AsyncIterator[api.WorkflowExecutionInfo]:
        """Runs of the domain: those that a query (SQL's where, in the server's terms) finds, or else the open or closed ones.

        The filters by id or type and by start time go with open and closed lists only. Queries are in the latest start's
        order unless they say `ORDER BY`.
        """
        method: Any
        request: Any
        if query is not None:
            method = VisibilityRpc.list
            request = api.ListWorkflowExecutionsRequest(domain=self.domain, page_size=page_size, query=query)
        else:
            method = VisibilityRpc.list_closed if closed else VisibilityRpc.list_open
            request = self._filtered(closed, workflow_id, workflow_type, earliest, latest, page_size)
        async for run in self._pages(method, request):
            yield run

    async def scan_workflows(self, query: str = "", *, page_size: int = LIST_PAGE) -> AsyncIterator[api.WorkflowExecutionInfo]:
        """All runs of the domain that a query finds, in no order: for large results."""
        request = api.ScanWorkflowExecutionsRequest(domain=self.domain, page_size=page_size, query=query)
        async for run in self._pages(VisibilityRpc.scan, request):
            yield run

    async def _pages(self, method: Any, request: Any) -> AsyncIterator[api.WorkflowExecutionInfo]:
        while True:
            response = cast(api.ListWorkflowExecutionsResponse, await self.connection.call(method, request))
            for run in response.executions:
                yield run
            if not response.next_page_token:
                return
            request.next_page_token = response.next_page_token

    def _filtered(
        self, closed: bool, workflow_id: str, workflow_type: str, earliest: datetime | None, latest: datetime | None, page: int
    ) -> api.ListOpenWorkflowExecutionsRequest | api.ListClosedWorkflowExecutionsRequest:
        kind = api.ListClosedWorkflowExecutionsRequest if closed else api.ListOpenWorkflowExecutionsRequest
        request = kind(domain=self.domain, page_size=page)
        request.start_time_filter.earliest_time.CopyFrom(to_timestamp(earliest or datetime.fromtimestamp(0, UTC)))
        request.start_time_filter.latest_time.CopyFrom(to_timestamp(latest or datetime.now(UTC) + timedelta(days=1)))
        if workflow_id:
            request.execution_filter.workflow_id = workflow_id
        elif workflow_type:
            request.type_filter.name = workflow_type
        return request

    async def count_workflows(self, query: str = "") -> int:
        """How many runs of the domain a query finds."""
        request = api.CountWorkflowExecutionsRequest(domain=self.domain, query=query)
        return (await self.connection.call(VisibilityRpc.count, request)).count
