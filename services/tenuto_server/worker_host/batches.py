"""Batch operations: the system workflow that does one thing to every run that a query finds.

Started by the CLI and the web page in the domain cadence-batcher, with the parameters as one JSON object. A page of runs is one
activity: it is told where to go on and answers how far it came, and its heartbeats are the progress that `batch describe` shows.
Pages are small, a few seconds' work, so that a tune signal (other RPS or concurrency) counts soon. The heartbeats also say which
runs of the page are done: when a worker-host dies, the next attempt leaves them out. What is done twice nevertheless, between the
last heartbeat and the death, has the same request id and does no harm.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from tenuto import activity, workflow
from tenuto.client import Client, RetryPolicy, RpcMethod, WorkflowRpc
from tenuto.errors import (
    ApplicationError,
    BadRequestError,
    CancellationAlreadyRequestedError,
    EntityNotExistsError,
    RpcError,
)
from tenuto_api import api
from tenuto_server.worker_host import resets

logger = logging.getLogger(__name__)

DOMAIN: Final = "cadence-batcher"
TASK_LIST: Final = "cadence-sys-batcher-tasklist"
WORKFLOW_TYPE: Final = "cadence-sys-batch-workflow"
WORKFLOW_TYPE_TUNABLE: Final = "cadence-sys-batch-workflow-v2"
ACTIVITY_TYPE: Final = "cadence-sys-batch-activity"
TUNE: Final = "cadence-sys-batch-tune-signal"

RPS: Final = 50
CONCURRENCY: Final = 5
CONCURRENCY_MAX: Final = 100
PAGE_SIZE: Final = 1000
ATTEMPTS: Final = 50
HEARTBEAT_S: Final = 10.0
# Pages of one run of the workflow: then it continues as new.
PAGES_A_RUN: Final = 500
# A page is so many seconds' work at most.
PAGE_SECONDS: Final = 5
# Of one run's children, children's children and so on.
DESCENDANTS_MAX: Final = 10_000
_RETRY_PAUSE_S: Final = 0.2
_RETRY: Final = RetryPolicy(
    # That the worker-host is gone was seen late enough.
    initial_interval=1,
    backoff_coefficient=1.7,
    maximum_interval=300,
    expiration_interval=timedelta(days=7300),
    non_retryable_errors=["cadence-sys-batch-refused"],
)
_REFRESH_RPC: Final = RpcMethod("WorkflowAPI", api.RefreshWorkflowTasksRequest, api.RefreshWorkflowTasksResponse)
_COUNT_RPC: Final = RpcMethod("VisibilityAPI", api.CountWorkflowExecutionsRequest, api.CountWorkflowExecutionsResponse)
_SCAN_RPC: Final = RpcMethod("VisibilityAPI", api.ScanWorkflowExecutionsRequest, api.ScanWorkflowExecutionsResponse)
# The failure's reason of what no other try would change.
_REFUSED: Final = "cadence-sys-batch-refused"
_ONE_CLUSTER: Final = "replicate needs another cluster, and there is none"


class Children(msgspec.Struct, rename="pascal"):
    """Whether pending children are meant too; None: yes."""

    terminate_children: bool | None = None
    cancel_children: bool | None = None


class Signal(msgspec.Struct, rename="pascal"):
    """The signal of a batch: its input goes out as it is."""

    signal_name: str = ""
    input: str = ""


class Parameters(msgspec.Struct, rename="pascal"):
    """As the CLI writes them. 0 and empty are "the default"; the heartbeat timeout is in nanoseconds. `max_activity_retries`: how
    often a page is attempted, without end for 0."""

    domain_name: str = ""
    query: str = ""
    reason: str = ""
    batch_type: str = ""
    terminate_params: Children = msgspec.field(default_factory=Children)
    cancel_params: Children = msgspec.field(default_factory=Children)
    signal_params: Signal = msgspec.field(default_factory=Signal)
    reset_params: resets.Reset = msgspec.field(default_factory=resets.Reset)
    rps: int = msgspec.field(default=0, name="RPS")
    concurrency: int = 0
    page_size: int = 0
    attempts_on_retryable_error: int = 0
    activity_heart_beat_timeout: int = 0
    max_activity_retries: int = 0
    non_retryable_errors: list[str] | None = None


class Progress(msgspec.Struct, rename="pascal"):
    """How far a batch is, as `batch describe` reads it. `page_token` is base64, empty before the first page and after the
    last; RPS and concurrency are those in effect, as tuned; `began_at` is when the workflow began."""

    page_token: str = ""
    current_page: int = 0
    total_estimate: int = 0
    success_count: int = 0
    error_count: int = 0
    rps: int = msgspec.field(default=0, name="RPS")
    concurrency: int = 0
    began_at: datetime | None = None


class Beat(Progress, rename="pascal"):
    """What a heartbeat tells: the progress within a page, and the ids of the page's runs that are done or given up."""

    done: list[str] = msgspec.field(default_factory=list)


class Tuning(msgspec.Struct, rename="pascal"):
    """What a tune signal changes; 0 changes nothing."""

    rps: int = msgspec.field(default=0, name="RPS")
    concurrency: int = 0


def checked(given: Any) -> Parameters:
    """The parameters with defaults for what they leave out. Raises ValueError where they cannot be carried out."""
    try:
        wanted = msgspec.convert(given, Parameters)
    except msgspec.ValidationError as error:
        raise ValueError(f"the parameters of the batch cannot be read: {error}") from None
    if not (wanted.batch_type and wanted.reason and wanted.domain_name and wanted.query):
        raise ValueError("must provide required parameters: BatchType/Reason/DomainName/Query")
    if wanted.batch_type == "replicate":
        raise ValueError(_ONE_CLUSTER)
    if wanted.batch_type not in _ACTS:
        raise ValueError(f"not supported batch type: {wanted.batch_type[:100]}")
    if wanted.batch_type == "signal" and not wanted.signal_params.signal_name:
        raise ValueError("must provide signal name")
    if wanted.batch_type == "reset":
        resets.check(wanted.reset_params)
    wanted.rps = wanted.rps if wanted.rps > 0 else RPS
    wanted.concurrency = min(wanted.concurrency, CONCURRENCY_MAX) if wanted.concurrency > 0 else CONCURRENCY
    wanted.page_size = min(wanted.page_size, PAGE_SIZE) if wanted.page_size > 0 else PAGE_SIZE
    attempts = wanted.attempts_on_retryable_error
    wanted.attempts_on_retryable_error = attempts if attempts > 0 else ATTEMPTS
    return wanted


def retry_policy(wanted: Parameters) -> RetryPolicy:
    """How the activity of a page is retried."""
    return replace(_RETRY, maximum_attempts=max(0, wanted.max_activity_retries))


def tuned(wanted: Parameters, signal: Any) -> None:
    """Takes a tune signal in; one that cannot be read changes nothing."""
    try:
        tuning = msgspec.convert(signal, Tuning)
    except msgspec.ValidationError:
        return
    if tuning.rps > 0:
        wanted.rps = tuning.rps
    if tuning.concurrency > 0:
        wanted.concurrency = min(tuning.concurrency, CONCURRENCY_MAX)


# --- the workflow -------------------------------------------------------------------------------------------------------
async def _run_batch(given: dict[str, Any]) -> dict[str, Any]:
    """Page after page, to the end. The progress of a former run comes along with the parameters."""
    try:
        wanted = checked({key: value for key, value in given.items() if key != "Progress"})
    except ValueError as error:
        raise ApplicationError(str(error), type=_REFUSED) from None
    progress = msgspec.convert(given.get("Progress") or {}, Progress)
    if progress.began_at is None:
        progress.began_at = workflow.now()
    workflow.set_signal_handler(TUNE, lambda signal: tuned(wanted, signal))
    heartbeat_s = max(1.0, wanted.activity_heart_beat_timeout / 1e9) if wanted.activity_heart_beat_timeout > 0 else HEARTBEAT_S
    pages = 0
    while True:
        if pages == PAGES_A_RUN:
            workflow.continue_as_new({**msgspec.to_builtins(wanted), "Progress": msgspec.to_builtins(progress)})
        pages += 1
        came = await workflow.execute_activity(
            ACTIVITY_TYPE,
            msgspec.to_builtins(wanted),
            msgspec.to_builtins(progress),
            start_to_close_timeout=timedelta(days=1),
            schedule_to_start_timeout=timedelta(minutes=5),
            heartbeat_timeout=heartbeat_s,
            retry_policy=retry_policy(wanted),
            result_type=dict[str, Any],
        )
        progress = msgspec.convert(came, Progress)
        if not progress.page_token:
            done: dict[str, Any] = came
            return done


@workflow.defn(name=WORKFLOW_TYPE)
class BatchWorkflow:
    """A batch as the CLI starts it."""

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """Answers the progress at the end."""
        return await _run_batch(given)


@workflow.defn(name=WORKFLOW_TYPE_TUNABLE)
class TunableBatchWorkflow:
    """The same under its second name."""

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """Answers the progress at the end."""
        return await _run_batch(given)


# --- the activity -------------------------------------------------------------------------------------------------------
Act = Callable[[Client, Parameters, api.WorkflowExecution, str], Awaitable[object]]


async def _terminate(client: Client, wanted: Parameters, run: api.WorkflowExecution, _request_id: str) -> object:
    request = api.TerminateWorkflowExecutionRequest(
        domain=wanted.domain_name, workflow_execution=run, reason=wanted.reason, identity=WORKFLOW_TYPE
    )
    return await client.connection.call(WorkflowRpc.terminate, request)


async def _cancel(client: Client, wanted: Parameters, run: api.WorkflowExecution, request_id: str) -> object:
    request = api.RequestCancelWorkflowExecutionRequest(
        domain=wanted.domain_name,
        workflow_execution=run,
        identity=WORKFLOW_TYPE,
        request_id=request_id,
        cause=wanted.reason,
    )
    return await client.connection.call(WorkflowRpc.cancel, request)


async def _signal(client: Client, wanted: Parameters, run: api.WorkflowExecution, request_id: str) -> object:
    request = api.SignalWorkflowExecutionRequest(
        domain=wanted.domain_name,
        workflow_execution=run,
        identity=WORKFLOW_TYPE,
        request_id=request_id,
        signal_name=wanted.signal_params.signal_name,
        signal_input=api.Payload(data=wanted.signal_params.input.encode()),
    )
    return await client.connection.call(WorkflowRpc.signal, request)


async def _refresh(client: Client, wanted: Parameters, run: api.WorkflowExecution, _request_id: str) -> object:
    request = api.RefreshWorkflowTasksRequest(domain=wanted.domain_name, workflow_execution=run)
    return await client.connection.call(_REFRESH_RPC, request)


async def _reset(client: Client, wanted: Parameters, run: api.WorkflowExecution, request_id: str) -> object:
    how = wanted.reset_params
    if how.skip_base_not_current is not False:
        asked = api.WorkflowExecution(workflow_id=run.workflow_id)
        describe = api.DescribeWorkflowExecutionRequest(domain=wanted.domain_name, workflow_execution=asked)
        current = await client.connection.call(WorkflowRpc.describe, describe)
        if current.workflow_execution_info.workflow_execution.run_id != run.run_id:
            return None
    base, event_id = await resets.point(client.connection, wanted.domain_name, run, how)
    request = api.ResetWorkflowExecutionRequest(
        domain=wanted.domain_name,
        workflow_execution=base,
        reason=wanted.reason,
        decision_finish_event_id=event_id,
        request_id=request_id,
        skip_signal_reapply=how.skip_signal_reapply,
    )
    return await client.connection.call(WorkflowRpc.reset, request)


_ACTS: Final[dict[str, Act]] = {
    "terminate": _terminate,
    "cancel": _cancel,
    "signal": _signal,
    "refresh": _refresh,
    "reset": _reset,
}


class BatchActivities:
    """What batches do; `client` is one of the batches' own domain."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name=ACTIVITY_TYPE)
    async def page(self, given: dict[str, Any], so_far: dict[str, Any]) -> dict[str, Any]:
        """One page of runs; answers the progress after it."""
        wanted = msgspec.convert(given, Parameters)
        beat = _resumed(so_far)
        beat.rps, beat.concurrency = wanted.rps, wanted.concurrency
        if not beat.current_page and not beat.done:
            count = api.CountWorkflowExecutionsRequest(domain=wanted.domain_name, query=wanted.query)
            try:
                beat.total_estimate = (await self._client.connection.call(_COUNT_RPC, count)).count
            except BadRequestError as error:
                raise ApplicationError(str(error), type=_REFUSED, non_retryable=True) from None
        activity.heartbeat(msgspec.to_builtins(beat))
        listed = await self._client.connection.call(
            _SCAN_RPC,
            api.ScanWorkflowExecutionsRequest(
                domain=wanted.domain_name,
                query=wanted.query,
                page_size=max(1, min(wanted.page_size, wanted.rps * PAGE_SECONDS)),
                next_page_token=base64.b64decode(beat.page_token),
            ),
        )
        done = set(beat.done)
        runs = [
            info.workflow_execution
            for info in listed.executions
            if info.workflow_execution.run_id not in done and not _is_its_own(wanted, beat, info)
        ]
        await _Page(self._client, wanted, beat).work(runs)
        beat.current_page += 1
        beat.page_token = base64.b64encode(listed.next_page_token).decode()
        beat.done = []
        progress: dict[str, Any] = msgspec.to_builtins(msgspec.convert(beat, Progress, from_attributes=True))
        return progress


def _resumed(so_far: dict[str, Any]) -> Beat:
    """Where to go on: within the page, if an attempt before this one told how far it came."""
    told = activity.heartbeat_details(dict[str, Any])
    return msgspec.convert(told[0] if told else so_far, Beat)


def _is_its_own(wanted: Parameters, progress: Progress, info: api.WorkflowExecutionInfo) -> bool:
    """Whether a run came of this batch's resets, or began while it works: it must not reset what it has reset."""
    if wanted.batch_type != "reset" or progress.began_at is None:
        return False
    return info.start_time.ToDatetime(UTC) > progress.began_at


class _Page:
    """The runs of one page: some at a time, no more requests a second than asked for."""

    def __init__(self, client: Client, wanted: Parameters, progress: Beat) -> None:
        self._client = client
        self._wanted = wanted
        self._progress = progress
        self._act = _ACTS[wanted.batch_type]
        self._next = 0.0

    async def work(self, runs: Sequence[api.WorkflowExecution]) -> None:
        """Returns when each run is done, or given up."""
        turns = asyncio.Semaphore(self._wanted.concurrency)

        async def one(run: api.WorkflowExecution) -> None:
            async with turns:
                if await self._with_children(run):
                    self._progress.success_count += 1
                else:
                    self._progress.error_count += 1
                self._progress.done.append(run.run_id)
                activity.heartbeat(msgspec.to_builtins(self._progress))

        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(one(run))

    async def _with_children(self, run: api.WorkflowExecution) -> bool:
        """A run, and the runs below it where these are meant too."""
        waiting, seen = [run], 1
        while waiting:
            one = waiting.pop()
            children: list[api.WorkflowExecution] = []
            if self._takes_children():
                children = await self._children(one)
            if not await self._tried(one):
                return False
            seen += len(children)
            if seen <= DESCENDANTS_MAX:
                waiting += children
        return True

    def _takes_children(self) -> bool:
        wanted = self._wanted
        if wanted.batch_type == "terminate":
            return wanted.terminate_params.terminate_children is not False
        return wanted.batch_type == "cancel" and wanted.cancel_params.cancel_children is not False

    async def _children(self, run: api.WorkflowExecution) -> list[api.WorkflowExecution]:
        request = api.DescribeWorkflowExecutionRequest(domain=self._wanted.domain_name, workflow_execution=run)
        try:
            described = await self._client.connection.call(WorkflowRpc.describe, request)
        except RpcError:
            return []
        return [
            child.workflow_execution
            for child in described.pending_children
            if child.domain in ("", self._wanted.domain_name) and child.workflow_execution.run_id
        ]

    async def _tried(self, run: api.WorkflowExecution) -> bool:
        """Acts on a run until it worked or was tried often enough; one that is gone or has closed counts as done."""
        wanted = self._wanted
        # The same in every try and every attempt of the activity.
        request_id = f"{activity.info().workflow_id}/{run.run_id}"
        for _attempt in range(wanted.attempts_on_retryable_error):
            await self._take_turn()
            try:
                await self._act(self._client, wanted, run, request_id)
                return True
            except (EntityNotExistsError, CancellationAlreadyRequestedError):
                return True
            except BadRequestError as error:
                logger.info("batch: run %s is refused: %s", run.run_id, error)
                return False
            except RpcError as error:
                logger.info("batch: run %s: %s", run.run_id, error)
                if str(error) in (wanted.non_retryable_errors or ()):
                    return False
            await asyncio.sleep(_RETRY_PAUSE_S)
        return False

    async def _take_turn(self) -> None:
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now) + 1 / self._wanted.rps
        if self._next > now:
            await asyncio.sleep(self._next - now)
