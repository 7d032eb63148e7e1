"""What workflow code can ask for, each as a command: activities, timers, children, calls to other workflows, markers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tenuto._failures import activity_error
from tenuto._replay import history
from tenuto._replay.commands import CHANGE_VERSION_KEY, VERSION_MARKER, Command, CommandLog, Markers, code_line
from tenuto._replay.definition import activity_name, workflow_name
from tenuto._replay.handles import ActivityHandle, ChildWorkflowHandle, ExternalCall, LocalActivityHandle
from tenuto._replay.history import Identity, NamedEvent
from tenuto._replay.info import WorkflowInfo
from tenuto._replay.local import MARKER as LOCAL_MARKER
from tenuto._replay.local import LocalActivities, LocalActivity, LocalOutcome
from tenuto._replay.loop import DurableTimer, WorkflowLoop
from tenuto._replay.options import ActivityOptions, ChildOptions, LocalActivityOptions, RunOptions
from tenuto._types import SECOND_NS, duration, to_seconds
from tenuto.converter import DataConverter, default_converter, json_bytes
from tenuto.errors import (
    ForbiddenInWorkflowError,
    NonDeterminismError,
    NotInWorkflowError,
    UnsupportedVersionError,
    WorkflowCodeError,
)
from tenuto_api import api

DEFAULT_VERSION = -1  # of code that ran before a change had a version at all


RunAttributes = (
    api.StartChildWorkflowExecutionDecisionAttributes | api.ContinueAsNewWorkflowExecutionDecisionAttributes
)


class Requests:
    """The asking half of a run; `Execution` adds its life. Ids count from 1 in each run, so replaying gives the same."""

    def __init__(self, converter: DataConverter) -> None:
        self.converter = converter
        self.loop = WorkflowLoop(self)  # type: ignore[abstract]  # what it forbids is defined by name
        self.log = CommandLog()
        self.markers = Markers()
        self.replaying = True
        self.read_only = False
        self.discarded = False
        self.fatal: WorkflowCodeError | None = None
        self.activities: dict[int, ActivityHandle[Any]] = {}
        self.local_activities = LocalActivities()
        self.timers: dict[str, DurableTimer] = {}
        self.children: dict[int, ChildWorkflowHandle[Any]] = {}
        self.external_calls: dict[int, ExternalCall] = {}
        self.change_versions: dict[str, int] = {}
        self._timer_commands: dict[str, Command] = {}
        self._mutable: dict[str, bytes] = {}
        self._mutable_calls: dict[str, int] = {}
        self._side_effects = 0
        self._ids = 0
        self._info: WorkflowInfo | None = None

    @property
    def info(self) -> WorkflowInfo:
        """The run's info, known since its first event."""
        if self._info is None:
            raise NotInWorkflowError("the workflow has not started")
        return self._info

    def next_id(self) -> str:
        """The next id for an activity, timer or child."""
        self._ids += 1
        return str(self._ids)

    def payload(self, values: Sequence[Any]) -> api.Payload:
        """Values as a payload message."""
        return api.Payload(data=self.converter.to_payload(values))

    def decode_result(self, data: bytes, result_type: Any) -> Any:
        """The single value of a result payload; None for an empty one. Raises PayloadError."""
        if not data:
            return b"" if result_type is bytes else None
        values = self.converter.from_payload(data, (result_type,))
        return values[0] if values else None

    def add(
        self, identity: Identity, decision: api.Decision, on_confirmed: Callable[[NamedEvent], None] | None = None
    ) -> Command | None:
        """A new command. None where the run was dropped and its code is only being unwound."""
        if self.discarded:
            return None
        if self.read_only:
            raise ForbiddenInWorkflowError(f"a query must not change the workflow, but asked for {identity}")
        command = Command(identity, decision, on_confirmed)
        self.log.add(command)
        return command

    def fail_turn(self, error: WorkflowCodeError) -> WorkflowCodeError:
        """Remembers an error of the code, so that the turn fails even if the code catches it. Returns it, to be raised."""
        if self.fatal is None:
            self.fatal = error
        return error

    # ---- activities ----

    def schedule_activity(
        self, activity: Any, args: Sequence[Any], result_type: Any, options: ActivityOptions
    ) -> ActivityHandle[Any]:
        """Asks for an activity."""
        name = activity_name(activity)
        activity_id = options.activity_id or self.next_id()
        handle = ActivityHandle[Any](self, activity_id, name, result_type, options.cancellation)
        decision = api.Decision()
        attributes = decision.schedule_activity_task_decision_attributes
        attributes.activity_id = activity_id
        attributes.activity_type.name = name
        attributes.task_list.name = options.task_list or self.info.task_list
        attributes.input.data = self.converter.to_payload(args)
        self._set_activity_timeouts(attributes, options)
        if options.retry_policy is not None:
            attributes.retry_policy.CopyFrom(options.retry_policy.proto())
        self.pass_header(attributes)

        def scheduled(event: NamedEvent) -> None:
            self.activities[event[1].event_id] = handle

        handle.command = self.add(Identity(history.ACTIVITY, activity_id, name), decision, scheduled)
        return handle

    def _set_activity_timeouts(
        self, attributes: api.ScheduleActivityTaskDecisionAttributes, options: ActivityOptions
    ) -> None:
        """The server wants schedule-to-close, or both others: waiting for a worker is bounded by the workflow's timeout."""
        close, start, run = (
            options.schedule_to_close_timeout, options.schedule_to_start_timeout, options.start_to_close_timeout
        )  # fmt: skip
        if close is None and run is None:
            raise ValueError("an activity needs start_to_close_timeout or schedule_to_close_timeout")
        if close is not None:
            attributes.schedule_to_close_timeout.CopyFrom(duration(close))
        if start is not None:
            attributes.schedule_to_start_timeout.CopyFrom(duration(start))
        elif close is None:
            attributes.schedule_to_start_timeout.CopyFrom(duration(self.info.execution_timeout))
        if run is not None:
            attributes.start_to_close_timeout.CopyFrom(duration(run))
        if options.heartbeat_timeout is not None:
            attributes.heartbeat_timeout.CopyFrom(duration(options.heartbeat_timeout))

    def request_cancel_activity(self, handle: ActivityHandle[Any]) -> None:
        """Asks the server to cancel a scheduled activity."""
        decision = api.Decision()
        decision.request_cancel_activity_task_decision_attributes.activity_id = handle.activity_id
        self.add(Identity(history.CANCEL_ACTIVITY, handle.activity_id), decision)

    # ---- local activities ----

    def start_local_activity(
        self, activity: Any, args: Sequence[Any], result_type: Any, options: LocalActivityOptions
    ) -> LocalActivityHandle[Any]:
        """Asks the worker to run an activity itself."""
        name = activity_name(activity)
        handle = LocalActivityHandle[Any](self, name, result_type)
        close, run = options.schedule_to_close_timeout, options.start_to_close_timeout
        if close is None and run is None:
            raise ValueError("a local activity needs start_to_close_timeout or schedule_to_close_timeout")
        if options.retry_policy is not None:
            options.retry_policy.proto()  # refuses one without an end
        now = self.loop.now_ns
        expires = None if close is None else now + int(to_seconds(close) * SECOND_NS)
        self._add_local(LocalActivity(
            "", name, self.converter.to_payload(args), self.info.header, 0, None if run is None else to_seconds(run),
            now, expires, options.retry_policy, handle,
        ))  # fmt: skip
        return handle

    def _add_local(self, activity: LocalActivity) -> None:
        if self.discarded:
            return
        if self.read_only:
            raise ForbiddenInWorkflowError(f"a query must not run activity {activity.activity_type}")
        activity.activity_id = activity.handle.activity_id = self.next_id()
        self.local_activities.add(activity)

    def cancel_local_activity(self, handle: LocalActivityHandle[Any]) -> None:
        """The code does not wait for it any more."""
        self.local_activities.drop(handle.activity_id)

    def local_ended(self, outcome: LocalOutcome) -> None:
        """A local activity ended, now or in the history: records that, and tells the code."""
        activity = self.local_activities.take(outcome.activity_id)
        if activity is None or activity.activity_type != outcome.activity_type:
            asked = "no such activity" if activity is None else f"local activity {activity.activity_type}"
            raise self.fail_turn(NonDeterminismError(
                event_id=0, recorded=f"local activity {outcome.activity_type} (id {outcome.activity_id})", produced=asked,
                where=code_line(),
            ))  # fmt: skip
        self.loop.now_ns = max(self.loop.now_ns, outcome.replay_ns)
        self._record_marker(LOCAL_MARKER, outcome.details())
        handle = activity.handle
        if outcome.failure is None:
            handle.resolve(outcome.result)
        elif outcome.backoff_ns:
            activity.attempt = outcome.attempt + 1
            handle.activity_id = ""
            timer = self.loop.call_later(outcome.backoff_ns / SECOND_NS, self._add_local, activity)
            handle.add_done_callback(lambda _: timer.cancel())
        else:
            handle.reject(activity_error(handle.activity_type, outcome.activity_id, outcome.failure, self.converter))

    # ---- timers (the loop's host) ----

    def start_timer(self, handle: DurableTimer, seconds: int) -> None:
        """See LoopHost."""
        handle.timer_id = self.next_id()
        decision = api.Decision()
        attributes = decision.start_timer_decision_attributes
        attributes.timer_id = handle.timer_id
        attributes.start_to_fire_timeout.seconds = seconds
        command = self.add(Identity(history.TIMER, handle.timer_id), decision)
        if command is not None:
            self.timers[handle.timer_id] = handle
            self._timer_commands[handle.timer_id] = command

    def cancel_timer(self, handle: DurableTimer) -> None:
        """See LoopHost. A timer whose start has not left yet is as if it had never been."""
        if self.timers.pop(handle.timer_id, None) is None:
            return
        command = self._timer_commands.pop(handle.timer_id)
        if not command.sent:
            command.withdrawn = True
            return
        decision = api.Decision()
        decision.cancel_timer_decision_attributes.timer_id = handle.timer_id
        self.add(Identity(history.CANCEL_TIMER, handle.timer_id), decision)

    def timer_fired(self, timer_id: str) -> None:
        """History says that a timer fired; one that the code cancelled meanwhile is ignored."""
        handle = self.timers.pop(timer_id, None)
        if handle is not None:
            del self._timer_commands[timer_id]
            self.loop.fire(handle)

    # ---- other workflows ----

    def start_child(
        self, workflow: Any, args: Sequence[Any], result_type: Any, options: ChildOptions
    ) -> ChildWorkflowHandle[Any]:
        """Asks for a child workflow."""
        name = workflow_name(workflow)
        workflow_id = options.id or f"{self.info.run_id}_{self.next_id()}"
        handle = ChildWorkflowHandle[Any](self, workflow_id, name, result_type, options.cancellation)
        decision = api.Decision()
        attributes = decision.start_child_workflow_execution_decision_attributes
        attributes.domain = options.domain or self.info.domain
        attributes.workflow_id = workflow_id
        attributes.workflow_type.name = name
        attributes.task_list.name = options.task_list or self.info.task_list
        attributes.input.data = self.converter.to_payload(args)
        self.set_timeouts(attributes, options)
        if options.id_reuse_policy is not None:
            attributes.workflow_id_reuse_policy = options.id_reuse_policy.proto()
        attributes.parent_close_policy = options.parent_close_policy.proto()
        if options.retry_policy is not None:
            attributes.retry_policy.CopyFrom(options.retry_policy.proto())
        attributes.cron_schedule = options.cron_schedule
        for key, value in (options.memo or {}).items():
            attributes.memo.fields[key].CopyFrom(self.payload([value]))
        for key, value in (options.search_attributes or {}).items():
            attributes.search_attributes.indexed_fields[key].data = json_bytes(value)
        self.pass_header(attributes)

        def initiated(event: NamedEvent) -> None:
            handle.workflow_id = history.attributes(event).workflow_id
            self.children[event[1].event_id] = handle

        # An id made here holds the run's id, which is another one after a reset: what history says then counts.
        identity = Identity(history.CHILD, options.id or history.ANY_KEY, name)
        handle.command = self.add(identity, decision, initiated)
        return handle

    def pass_header(self, attributes: RunAttributes | api.ScheduleActivityTaskDecisionAttributes) -> None:
        """What the run begins inherits its header: trace context and the like."""
        for key, data in self.info.header.items():
            attributes.header.fields[key].data = data

    def set_timeouts(self, attributes: RunAttributes, options: RunOptions) -> None:
        """The timeouts of another run: as given, else this run's own."""
        timeout, task_timeout = options.execution_timeout, options.task_timeout
        whole = self.info.execution_timeout if timeout is None else timeout
        attributes.execution_start_to_close_timeout.CopyFrom(duration(whole))
        task = self.info.task_timeout if task_timeout is None else task_timeout
        attributes.task_start_to_close_timeout.CopyFrom(duration(task))

    def signal_external(
        self, domain: str, workflow_id: str, run_id: str, signal: Any, args: Sequence[Any], *, child_only: bool
    ) -> ExternalCall:
        """Asks for a signal to another workflow."""
        name = signal if isinstance(signal, str) else str(getattr(signal, "__tenuto_signal__", signal.__name__))
        call = ExternalCall(self, workflow_id, f"signal {name}")
        decision = api.Decision()
        attributes = decision.signal_external_workflow_execution_decision_attributes
        attributes.domain = domain or self.info.domain
        attributes.workflow_execution.workflow_id = workflow_id
        attributes.workflow_execution.run_id = run_id
        attributes.signal_name = name
        attributes.input.data = self.converter.to_payload(args)
        attributes.child_workflow_only = child_only
        call.command = self.add(Identity(history.SIGNAL, workflow_id, name), decision, self._calling(call))
        return call

    def request_cancel_external(self, domain: str, workflow_id: str, run_id: str, *, child_only: bool) -> ExternalCall:
        """Asks for another workflow's cancellation."""
        call = ExternalCall(self, workflow_id, "cancel request")
        decision = api.Decision()
        attributes = decision.request_cancel_external_workflow_execution_decision_attributes
        attributes.domain = domain or self.info.domain
        attributes.workflow_execution.workflow_id = workflow_id
        attributes.workflow_execution.run_id = run_id
        attributes.child_workflow_only = child_only
        call.command = self.add(Identity(history.CANCEL_EXTERNAL, workflow_id), decision, self._calling(call))
        return call

    def _calling(self, call: ExternalCall) -> Callable[[NamedEvent], None]:
        def initiated(event: NamedEvent) -> None:
            self.external_calls[event[1].event_id] = call

        return initiated

    # ---- markers ----

    def _record_marker(self, name: str, details: bytes) -> None:
        decision = api.Decision()
        decision.record_marker_decision_attributes.marker_name = name
        decision.record_marker_decision_attributes.details.data = details
        self.add(Identity(history.MARKER, name=name), decision)

    def side_effect(self, function: Callable[[], Any], result_type: Any) -> Any:
        """Calls a function once in the run's life and records its result; replaying returns what was recorded."""
        self._side_effects += 1
        number = self._side_effects
        recorded = self.markers.side_effects.get(number)
        if recorded is None:
            if self.replaying:
                raise self.fail_turn(NonDeterminismError(
                    event_id=0, recorded="no such side effect", produced=f"side effect {number}", where=code_line()
                ))  # fmt: skip
            recorded = self.converter.to_payload([function()])
        self._record_marker("SideEffect", default_converter.to_payload([number, recorded]))
        return self.decode_result(recorded, result_type)

    def mutable_side_effect(
        self, key: str, function: Callable[[], Any], result_type: Any, equals: Callable[[Any, Any], bool]
    ) -> Any:
        """As a side effect, but called each time; a marker is written only when the value is new.

        The marker carries the number of the call beside what the Go client writes, which tells several in one turn apart.
        """
        call = self._mutable_calls[key] = self._mutable_calls.get(key, 0) + 1
        current = self._mutable.get(key)
        if self.replaying:
            found = [data for number, data in self.markers.mutable.get(key, ()) if number in (None, call)]
            new = found[-1] if found else None
            if new is None and current is None:
                raise self.fail_turn(NonDeterminismError(
                    event_id=0, recorded="no such value", produced=f"mutable side effect {key}", where=code_line()
                ))  # fmt: skip
        else:
            value = function()
            same = current is not None and equals(self.decode_result(current, result_type), value)
            new = None if same else self.converter.to_payload([value])
        if new is not None:
            self._mutable[key] = current = new
            text = new.decode(errors="surrogateescape")
            self._record_marker("MutableSideEffect", default_converter.to_payload([key, text, call]))
        return self.decode_result(current or b"", result_type)

    def get_version(self, change_id: str, minimum: int, maximum: int) -> int:
        """The version of a change that this run follows: decided at the first call, and recorded."""
        version = self.change_versions.get(change_id)
        if version is None:
            version = self._decide_version(change_id, maximum)
        if not minimum <= version <= maximum:
            raise self.fail_turn(UnsupportedVersionError(
                f"change {change_id!r}: this run follows version {version}, the code supports {minimum} to {maximum}"
            ))  # fmt: skip
        return version

    def _decide_version(self, change_id: str, maximum: int) -> int:
        recorded = self.markers.versions.get(change_id)
        first = DEFAULT_VERSION if self.replaying else maximum
        version = first if recorded is None else recorded
        write = change_id in self.markers.versions_of_turn or (recorded is None and version != DEFAULT_VERSION)
        known = [f"{name}-{number}" for name, number in self.change_versions.items() if number != DEFAULT_VERSION]
        if write:
            self._record_marker(VERSION_MARKER, default_converter.to_payload([change_id, version]))
            self.upsert_search_attributes({CHANGE_VERSION_KEY: [f"{change_id}-{version}", *known]})
        self.change_versions[change_id] = version
        return version

    def upsert_search_attributes(self, values: Mapping[str, Any]) -> None:
        """Sets search attributes of the run."""
        decision = api.Decision()
        attributes = decision.upsert_workflow_search_attributes_decision_attributes
        for key, value in values.items():
            attributes.search_attributes.indexed_fields[key].data = json_bytes(value)
        if self.add(Identity(history.UPSERT), decision) is not None:
            self.info.search_attributes.update(values)

    def unhandled(self, context: dict[str, Any]) -> None:
        """See LoopHost."""
        raise NotImplementedError
