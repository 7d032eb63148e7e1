"""One run of a workflow in memory: its code, started and fed with signals, asked queries, and closed when its code ends.

    new --Started event--> running --main task done--> closing --close command sent--> closed
A cancel request cancels the main task; what the code makes of the CancelledError decides how the run closes. Exceptions
that leave the code fail the workflow, except `WorkflowCodeError`: that fails the decision task, and the run lives on.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenuto._failures import failure_of
from tenuto._replay import history
from tenuto._replay.commands import CHANGE_VERSION_KEY, Command
from tenuto._replay.definition import Handler, WorkflowDefinition, workflow_name
from tenuto._replay.history import Identity
from tenuto._replay.info import WorkflowInfo
from tenuto._replay.loop import WorkflowTask
from tenuto._replay.requests import Requests
from tenuto._types import RetryPolicy, Seconds, duration
from tenuto.converter import DataConverter, json_bytes
from tenuto.errors import PayloadError, WorkflowCodeError
from tenuto_api import api

logger = logging.getLogger("tenuto.workflow")

STACK_TRACE = "__stack_trace"
QUERY_TYPES = "__query_types"
# Signals that no handler or channel has asked for yet; the server allows a run 10,000 signals in all.
SIGNALS_WAITING_MAX = 10_000


class ContinueAsNew(BaseException):
    """Leaves workflow code to continue as a new run. No Exception, so that `except Exception` does not hold it up."""

    def __init__(self, args: Sequence[Any], options: ContinueOptions) -> None:
        super().__init__("continue as new")
        self.arguments = args
        self.options = options


@dataclass(frozen=True, slots=True)
class ContinueOptions:
    """What the next run has otherwise than this one. See `tenuto.workflow.continue_as_new`."""

    workflow: Any = None
    task_list: str | None = None
    execution_timeout: Seconds | None = None
    task_timeout: Seconds | None = None
    backoff: Seconds | None = None
    retry_policy: RetryPolicy | None = None
    cron_schedule: str = ""
    memo: Mapping[str, Any] | None = None
    search_attributes: Mapping[str, Any] | None = None


@dataclass(slots=True)
class SignalBox:
    """Signals of one name that wait to be received, and the receivers that wait for them."""

    values: deque[bytes] = field(default_factory=deque)
    receivers: deque[asyncio.Future[None]] = field(default_factory=deque)


class Execution(Requests):
    """See the module."""

    def __init__(self, definition: WorkflowDefinition, converter: DataConverter) -> None:
        super().__init__(converter)
        self.definition = definition
        self.instance: Any = None
        self.main: WorkflowTask[Any] | None = None
        self.closed = False
        self._random: random.Random | None = None
        self.signal_boxes: dict[str, SignalBox] = {}
        self._signal_handlers: dict[str, Handler] = dict(definition.signals)
        self._query_handlers: dict[str, Handler] = dict(definition.queries)
        self._dynamic: set[str] = set()  # names of handlers set while running: they are not methods of the instance
        self._arguments: list[Any] = []
        self._begin_failure: Exception | None = None
        self._signal_failure: BaseException | None = None

    @property
    def random(self) -> random.Random:
        """The run's randomness. Seeded by the original run id, which a reset keeps: its replay draws the same numbers."""
        if self._random is None:
            self._random = random.Random(self.info.original_run_id)
        return self._random

    # ---- life ----

    def begin(self, info: WorkflowInfo, payload: bytes) -> None:
        """The run's first event: makes the instance. The code starts when the turn's other events are in too."""
        self._info = info
        types = self.definition.signature.parameters
        try:
            if payload or types[:1] == (bytes,):
                self._arguments = self.converter.from_payload(payload, types)
            if self.definition.cls is not None:
                self.instance = self.definition.cls()
        except Exception as error:
            self._begin_failure = error

    def start_main(self) -> None:
        """Starts the code, behind the signal handlers of the first turn: a signal that came with the start is seen first.

        Arguments that do not fit, or an instance that cannot be made, fail the run as an exception of its code would.
        """
        if self.main is None and self._info is not None:
            bound = (self.instance, *self._arguments) if self.definition.cls is not None else tuple(self._arguments)
            try:
                coroutine = self.definition.run(*bound) if self._begin_failure is None else _raising(self._begin_failure)
            except TypeError as error:
                coroutine = _raising(error)
            self.main = self.loop.create_task(coroutine, name="main")
            if self.info.cancel_requested:  # behind the task's first step: code that has not begun could not clean up
                self.loop.call_soon(self._cancel_main)

    def request_cancel(self) -> None:
        """Someone asked for the run's cancellation."""
        self.info.cancel_requested = True
        self._cancel_main()

    def _cancel_main(self) -> None:
        if self.main is not None:
            self.main.cancel("workflow cancellation requested")

    def close_if_done(self) -> None:
        """Adds the closing command if the code has ended."""
        if self.fatal is not None:
            raise self.fatal
        if self.closed or self.main is None:
            return
        if self._signal_failure is not None:
            self._close_with(self._signal_failure)
        elif self.main.cancelled():
            self._close_with(asyncio.CancelledError())
        elif self.main.done():
            error = self.main.exception()
            if error is None:
                self._complete(self.main.result())
            else:
                self._close_with(error)

    def _complete(self, result: Any) -> None:
        decision = api.Decision()
        attributes = decision.complete_workflow_execution_decision_attributes
        try:
            attributes.result.data = self.converter.to_payload([result]) if result is not None else b""
        except PayloadError as error:
            self._close_with(error)
            return
        self._close(Identity(history.COMPLETE), decision)

    def _close_with(self, error: BaseException) -> None:
        error = _what_counts(error)
        if isinstance(error, WorkflowCodeError):
            raise error
        decision = api.Decision()
        if isinstance(error, ContinueAsNew):
            self._continue(decision, error)
            self._close(Identity(history.CONTINUE), decision)
        elif isinstance(error, asyncio.CancelledError):
            decision.cancel_workflow_execution_decision_attributes.SetInParent()
            self._close(Identity(history.CANCEL), decision)
        else:
            if not self.replaying:
                logger.info("workflow %s fails", self.info.workflow_id, exc_info=error)
            failure = failure_of(error, self.converter)
            decision.fail_workflow_execution_decision_attributes.failure.CopyFrom(failure)
            self._close(Identity(history.FAIL), decision)

    def _close(self, identity: Identity, decision: api.Decision) -> None:
        self.log.add(Command(identity, decision))
        self.closed = True
        self.local_activities.clear()

    def _continue(self, decision: api.Decision, request: ContinueAsNew) -> None:
        options, info = request.options, self.info
        attributes = decision.continue_as_new_workflow_execution_decision_attributes
        attributes.workflow_type.name = workflow_name(options.workflow) if options.workflow else info.workflow_type
        attributes.task_list.name = options.task_list or info.task_list
        attributes.input.data = self.converter.to_payload(request.arguments)
        self.set_timeouts(attributes, options)
        attributes.initiator = api.CONTINUE_AS_NEW_INITIATOR_DECIDER
        attributes.cron_schedule = options.cron_schedule or info.cron_schedule
        if options.backoff is not None:
            attributes.backoff_start_interval.CopyFrom(duration(options.backoff))
        policy = options.retry_policy.proto() if options.retry_policy is not None else info.retry_policy
        if policy is not None:
            attributes.retry_policy.CopyFrom(policy)
        memo = {key: self.converter.to_payload([value]) for key, value in (options.memo or {}).items()}
        for key, data in (info.memo_payloads if options.memo is None else memo).items():
            attributes.memo.fields[key].data = data
        search = info.search_attributes if options.search_attributes is None else options.search_attributes
        for key, value in search.items():
            if key != CHANGE_VERSION_KEY:  # the next run decides its versions itself
                attributes.search_attributes.indexed_fields[key].data = json_bytes(value)
        self.pass_header(attributes)

    def discard(self) -> None:
        """Drops the run from memory: its code is unwound without effect."""
        self.loop.sweep()  # so that failures of its tasks that nobody took are told
        self.discarded = True
        self.replaying = True
        self.loop.enter(self.loop.discard)
        self.activities.clear()
        self.local_activities.clear()
        self.children.clear()
        self.external_calls.clear()
        self.timers.clear()

    def unhandled(self, context: dict[str, Any]) -> None:
        """See LoopHost: an exception that nobody took is logged, once, when it happens for the first time."""
        if not self.replaying and not self.discarded:
            workflow_id = self._info.workflow_id if self._info is not None else ""
            message = context.get("message", "unhandled exception")
            logger.error("workflow %s: %s", workflow_id, message, exc_info=context.get("exception"))

    # ---- signals ----

    def signalled(self, name: str, payload: bytes) -> None:
        """A signal came: its handler is called in the order of history, or it waits in the channel of its name."""
        handler = self._signal_handlers.get(name)
        if handler is not None:
            self.loop.call_soon(self._handle_signal, name, handler, payload)
            return
        box = self.signal_box(name)
        if len(box.values) >= SIGNALS_WAITING_MAX:
            logger.error("workflow %s: too many signals %r wait to be received; one is dropped", self.info.workflow_id, name)
            return
        box.values.append(payload)
        while box.receivers:
            receiver = box.receivers.popleft()
            if not receiver.done():
                receiver.set_result(None)
                break

    def signal_box(self, name: str) -> SignalBox:
        """The waiting signals of one name."""
        return self.signal_boxes.setdefault(name, SignalBox())

    def _handle_signal(self, name: str, handler: Handler, payload: bytes) -> None:
        try:
            args = self.converter.from_payload(payload, handler.parameters) if payload else []
        except PayloadError as error:
            if not self.replaying:
                logger.error("workflow %s: signal %r is dropped: %s", self.info.workflow_id, name, error)
            return
        bound = args if f"s:{name}" in self._dynamic else [self.instance, *args]
        try:
            inspect.signature(handler.function).bind(*bound)
        except TypeError as error:  # the sender's mistake
            if not self.replaying:
                logger.error("workflow %s: signal %r is dropped: %s", self.info.workflow_id, name, error)
            return
        try:
            answer = handler.function(*bound)
        except Exception as error:
            self._signal_failed(error)
            return
        if inspect.isawaitable(answer):
            self.loop.create_task(self._await_signal(answer), name=f"signal {name}")

    async def _await_signal(self, answer: Awaitable[Any]) -> None:
        try:
            await answer
        except Exception as error:
            self._signal_failed(error)

    def _signal_failed(self, error: Exception) -> None:
        """A handler that fails, fails the workflow: the signal must not be lost silently."""
        if isinstance(error, WorkflowCodeError):
            self.fail_turn(error)
        elif self._signal_failure is None:
            self._signal_failure = error

    def set_signal_handler(self, name: str, function: Callable[..., Any]) -> None:
        """Handles a signal from now on, beginning with those that wait."""
        handler = Handler.of(function)
        self._signal_handlers[name] = handler
        self._dynamic.add(f"s:{name}")
        for payload in self.signal_boxes.pop(name, SignalBox()).values:
            self.loop.call_soon(self._handle_signal, name, handler, payload)

    # ---- queries ----

    def set_query_handler(self, name: str, function: Callable[..., Any]) -> None:
        """Answers a query from now on."""
        self._query_handlers[name] = Handler.of(function)
        self._dynamic.add(f"q:{name}")

    def query(self, query: api.WorkflowQuery) -> api.WorkflowQueryResult:
        """Answers a query from the state as it is; a handler's exception is a failed query. Changes nothing."""
        self.read_only = True
        try:
            value = self.loop.enter(lambda: self._answer(query))
            data = self.converter.to_payload([value])
        except Exception as error:  # whatever a handler raises is the asker's answer
            return api.WorkflowQueryResult(result_type=api.QUERY_RESULT_TYPE_FAILED, error_message=_text(error))
        finally:
            self.read_only = False
        return api.WorkflowQueryResult(result_type=api.QUERY_RESULT_TYPE_ANSWERED, answer=api.Payload(data=data))

    def _answer(self, query: api.WorkflowQuery) -> Any:
        name = query.query_type
        if name == STACK_TRACE:
            return self.stack_trace()
        if name == QUERY_TYPES:
            return self.query_types()
        handler = self._query_handlers.get(name)
        if handler is None:
            raise KeyError(f"unknown queryType {name}. KnownQueryTypes=[{' '.join(self.query_types())}]")
        data = query.query_args.data
        args = self.converter.from_payload(data, handler.parameters) if data else []
        answer = handler.function(*(args if f"q:{name}" in self._dynamic else [self.instance, *args]))
        if inspect.iscoroutine(answer):
            answer.close()
            raise TypeError(f"query handler {name} must be a plain function")
        return answer

    def query_types(self) -> list[str]:
        """The queries that the run answers."""
        return sorted([QUERY_TYPES, STACK_TRACE, *self._query_handlers])

    def stack_trace(self) -> str:
        """Where each of the run's tasks waits."""
        parts = []
        for task in self.loop.live_tasks():
            frames = [f"    {f.f_code.co_filename}:{f.f_lineno} in {f.f_code.co_name}" for f in _frames(task)]
            parts.append("\n".join([f"task {task.get_name()} waits at", *frames]))
        return "\n\n".join(parts) or "no task is waiting"

    def where(self) -> str:
        """The line of workflow code at which the main task waits."""
        frames = _frames(self.main) if self.main is not None and not self.main.done() else []
        if not frames:
            return "the workflow code has ended" if self.main is not None else "before the workflow code has started"
        own = [f for f in frames if not f.f_globals.get("__name__", "").startswith(("tenuto.", "asyncio"))] or frames
        return f"{own[-1].f_code.co_filename}:{own[-1].f_lineno} in {own[-1].f_code.co_name}"


def _frames(task: asyncio.Task[Any]) -> list[Any]:
    """The frames of a waiting task from the outermost to where it waits, through the coroutines it awaits."""
    frames = []
    coroutine: Any = task.get_coro()
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is None:
            break
        frames.append(frame)
        coroutine = getattr(coroutine, "cr_await", None)
    return frames


def _text(error: Exception) -> str:
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error) or type(error).__name__


def _what_counts(error: BaseException) -> BaseException:
    """What a TaskGroup's group of exceptions says: its only member, or a mistake of the code among them, else itself."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    members = [_what_counts(member) for member in error.exceptions]
    mistakes = [member for member in members if isinstance(member, WorkflowCodeError)]
    return mistakes[0] if mistakes else members[0] if len(members) == 1 else error


async def _raising(error: Exception) -> Any:
    raise error
