"""What workflow code awaits: activities, child workflows and calls to other workflows, as futures of the workflow's loop.

Each is a future whose `cancel()` also asks the other side to stop, so that plain asyncio cancellation (of the awaiting
task, of a TaskGroup, by asyncio.timeout) does the right thing.

    activity:  command open -> sent -> scheduled (event id known) -> completed | failed | timed out | canceled
    child:     command open -> sent -> initiated -> started -> completed | failed | canceled | timed out | terminated
                                                 -> start failed
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

from tenuto._replay.commands import Command
from tenuto._replay.loop import WorkflowFuture
from tenuto._types import CancellationType
from tenuto.errors import PayloadError

if TYPE_CHECKING:
    from tenuto._replay.requests import Requests

T = TypeVar("T")


class DurableFuture(WorkflowFuture[T]):
    """The future of something that a command asked for."""

    def __init__(self, execution: Requests, result_type: Any, cancellation: CancellationType) -> None:
        super().__init__(execution.loop)
        self._execution = execution
        self._result_type = result_type
        self._cancellation = cancellation
        self._cancel_requested = False
        self.command: Command | None = None

    def cancel(self, msg: Any | None = None) -> bool:
        """Asks the other side to stop, as `CancellationType` says; a command that has not left yet is withdrawn."""
        if self.done():
            return False
        command = self.command
        if command is not None and not command.sent:
            command.withdrawn = True
            return super().cancel(msg)
        if self._cancellation is not CancellationType.ABANDON and not self._cancel_requested:
            self._cancel_requested = True
            self._request_cancel()
        if self._cancellation is CancellationType.WAIT:
            return True
        return super().cancel(msg)

    def _request_cancel(self) -> None:
        raise NotImplementedError

    def resolve(self, data: bytes) -> None:
        """The result has come, as payload."""
        if self.done():
            return
        try:
            self.set_result(self._execution.decode_result(data, self._result_type))
        except PayloadError as error:
            self.set_exception(error)

    def reject(self, error: BaseException) -> None:
        """It failed."""
        if not self.done():
            self.set_exception(error)

    def cancelled_there(self) -> None:
        """The other side says that it was cancelled."""
        if not self.done():
            super().cancel()


class ActivityHandle(DurableFuture[T]):
    """A scheduled activity: await it for its result; `cancel()` asks it to stop."""

    def __init__(
        self, execution: Requests, activity_id: str, activity_type: str, result_type: Any, cancellation: CancellationType
    ) -> None:
        super().__init__(execution, result_type, cancellation)
        self.activity_id = activity_id
        self.activity_type = activity_type

    def _request_cancel(self) -> None:
        self._execution.request_cancel_activity(self)


class LocalActivityHandle(DurableFuture[T]):
    """A local activity: await it for its result; `cancel()` stops it, and leaves no trace in the history."""

    def __init__(self, execution: Requests, activity_type: str, result_type: Any) -> None:
        super().__init__(execution, result_type, CancellationType.TRY_CANCEL)
        self.activity_id = ""  # of the attempts under way; none while the next one waits for its time
        self.activity_type = activity_type

    def _request_cancel(self) -> None:
        self._execution.cancel_local_activity(self)


class ChildWorkflowHandle(DurableFuture[T]):
    """A child workflow: await it for its result; `started` is done when the server has started it."""

    def __init__(
        self, execution: Requests, workflow_id: str, workflow_type: str, result_type: Any, cancellation: CancellationType
    ) -> None:
        super().__init__(execution, result_type, cancellation)
        self.workflow_id = workflow_id
        self.workflow_type = workflow_type
        self.run_id = ""
        self.started: WorkflowFuture[None] = WorkflowFuture(execution.loop)

    def _request_cancel(self) -> None:
        self._execution.request_cancel_external("", self.workflow_id, "", child_only=True)

    def cancel(self, msg: Any | None = None) -> bool:
        accepted = super().cancel(msg)
        if accepted and self.done() and not self.started.done():
            self.started.cancel(msg)
        return accepted

    def signal(self, signal: Any, *args: Any) -> Awaitable[None]:
        """Signals the child; await the answer to know that it was delivered. Raises ExternalWorkflowError."""
        return self._execution.signal_external("", self.workflow_id, "", signal, args, child_only=True)

    def reject(self, error: BaseException) -> None:
        """It did not start, or did not complete."""
        if not self.started.done():
            self.started.set_exception(error)
            super().cancelled_there()  # the error is told once, to whoever waits for the start
        else:
            super().reject(error)


class ExternalCall(DurableFuture[None]):
    """A signal or cancel request on its way to another workflow; it cannot be called back once sent."""

    def __init__(self, execution: Requests, workflow_id: str, what: str) -> None:
        super().__init__(execution, None, CancellationType.ABANDON)
        self.workflow_id = workflow_id
        self.what = what

    def _request_cancel(self) -> None:
        """Nothing to ask for."""
