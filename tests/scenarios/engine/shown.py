"""How events, records and tasks are written in scripts: one line each, every field that is set, times from the start."""

from __future__ import annotations

from typing import Any

import msgspec
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from tenuto_api import api
from tenuto_server.history.engine import reset_points
from tenuto_server.history.engine.calls import Call
from tenuto_server.history.engine.records import Buffered, Happened, Numbered, Record
from tenuto_server.history.engine.state import SECOND, ResetPoint
from tenuto_server.history.engine.tasks import Alarm, Dispatch, TaskKind
from tenuto_server.history.engine.turn import LOCAL_VERSION, to_ns
from tests.scenarios.engine.arrows import event_name
from tests.scenarios.engine.world import START_NS, Outcome

_TEXT_MAX = 70
# Said in fewer letters: these fields are in most events.
_SHORT = {
    "decision_task_completed_event_id": "completed",
    "scheduled_event_id": "scheduled",
    "started_event_id": "started",
    "start_to_close_timeout": "start_to_close",
    "schedule_to_close_timeout": "schedule_to_close",
    "schedule_to_start_timeout": "schedule_to_start",
    "heartbeat_timeout": "heartbeat",
    "execution_start_to_close_timeout": "execution",
    "task_start_to_close_timeout": "task",
    "workflow_type": "type",
    "activity_type": "type",
    "first_decision_task_backoff": "backoff",
}


def outcome_lines(outcome: Outcome) -> list[str]:
    """Records, then what follows from them."""
    lines = [record_line(record, outcome.at_ns) for record in outcome.records]
    lines += [dispatch_line(dispatch, outcome.at_ns) for dispatch in outcome.dispatches]
    lines += [call_line(call) for call in outcome.calls]
    return lines + [alarm_line(alarm) for alarm in outcome.alarms]


def record_line(record: Record, now: int) -> str:
    """One record. An event's time is shown only where it is not now."""
    if not isinstance(record, Happened | Buffered | Numbered):
        values = [f"{name}={internal_text(name, value)}" for name, value in msgspec.structs.asdict(record).items() if value]
        return " ".join(["internal", type(record).__name__, *values])
    event = record.event
    assert event.version == LOCAL_VERSION
    line = event_line(event, now)
    if isinstance(record, Buffered):
        line = "buffered " + line
    return line + " (from the buffer)" if isinstance(record, Numbered) else line


def event_line(event: api.HistoryEvent, now: int) -> str:
    """An event, without an id where it has none yet. Its time is shown only where it is not `now`."""
    words = [str(event.event_id)] if event.event_id else []
    words += [event_name(event), *_fields(getattr(event, event.WhichOneof("attributes") or ""))]
    if to_ns(event.event_time) != now:
        words.append(f"at={at(to_ns(event.event_time))}")
    return " ".join(words)


def dispatch_line(dispatch: Dispatch, now: int) -> str:
    """A task that waits for a poller."""
    words = ["dispatch", dispatch.kind.name.lower(), str(dispatch.schedule_id)]
    if dispatch.attempt:
        words += ["attempt", str(dispatch.attempt)]
    words += ["on", dispatch.task_list + (" (sticky)" if dispatch.sticky else "")]
    if dispatch.not_before_ns > now:
        words += ["from", at(dispatch.not_before_ns)]
    assert dispatch.kind in (TaskKind.DECISION, TaskKind.ACTIVITY)
    return " ".join(words)


def call_line(call: Call) -> str:
    """What is to be asked of another workflow."""
    initiated = f" {call.initiated_id}" if call.initiated_id else ""
    return f"call {call.kind.name.lower().replace('_', '-')}{initiated} to {call.domain}/{shorten(call.target)}"


def alarm_line(alarm: Alarm) -> str:
    """An alarm that was set."""
    key = f" {alarm.key}" if alarm.key else ""
    return f"alarm {alarm.kind.name.lower()}{key} at {at(alarm.at_ns)}"


def at(ns: int) -> str:
    """A time, in seconds from the start of the script."""
    return f"{(ns - START_NS) / SECOND:+g}s"


def shorten(text: str) -> str:
    """Text that is too long to show."""
    return text if len(text) <= _TEXT_MAX else f"{text[:10]}...({len(text)})"


def reset_point(point: ResetPoint) -> str:
    """A reset point."""
    expires = f" until {at(point.expires_ns)}" if point.expires_ns else ""
    return f"{point.checksum}={point.run_id}/{point.completed_id}{expires}{'' if point.is_resettable else ' (final)'}"


def internal_text(name: str, value: Any) -> str:
    if name == "state":
        return "..."
    if isinstance(value, bytes):
        message = api.Failure if name == "failure" else api.Payload
        return value_text(message.FromString(value))
    if name.endswith("_ns"):
        return at(value)
    return str(value)


def _fields(message: Message) -> list[str]:
    return [
        f"{_SHORT.get(descriptor.name, descriptor.name)}={_field(descriptor, value)}"
        for descriptor, value in message.ListFields()
    ]


def _field(descriptor: FieldDescriptor, value: Any) -> str:
    enum = descriptor.enum_type
    if enum is not None:
        name = enum.values_by_number[value].name
        prefix = "".join("_" + letter if letter.isupper() else letter for letter in enum.name)[1:]
        return str(name.removeprefix(prefix.upper() + "_"))
    return value_text(value)


def value_text(value: Any) -> str:
    if isinstance(value, Duration):
        return f"{value.seconds}s"
    if isinstance(value, Timestamp):
        return at(to_ns(value))
    if isinstance(value, api.Payload):
        return shorten(repr(value.data.decode()))
    if isinstance(value, api.WorkflowType | api.ActivityType):
        return shorten(value.name)
    if isinstance(value, api.TaskList):
        is_sticky = value.kind == api.TASK_LIST_KIND_STICKY
        return f"{value.name}(sticky of {value.base_name})" if is_sticky else shorten(value.name)
    if isinstance(value, api.Failure):
        return f"{value.reason}({shorten(value.details.decode())})" if value.details else value.reason
    if isinstance(value, api.Memo | api.Header | api.SearchAttributes):
        ((_, entries),) = value.ListFields() or (("", {}),)
        return "{" + ", ".join(f"{key}:{entries[key].data.decode()}" for key in sorted(entries)) + "}"
    if isinstance(value, api.ResetPoints):
        return "[" + " ".join(reset_point(point) for point in reset_points.from_wire(value)) + "]"
    if isinstance(value, Message):
        return "{" + " ".join(_fields(value)) + "}"
    if isinstance(value, str):
        return shorten(value) or "''"
    if isinstance(value, float):
        return f"{value:g}"
    return "[" + " ".join(value) + "]" if not isinstance(value, int | bytes) else str(value)
