"""What the frontend and the scheduler workflow agree on: names, and how requests travel in its input and signals. Pure.

A schedule is a workflow "cadence-scheduler:ID" in its user's domain. Its input, its signals and its description are JSON that
a person can read in the workflow's history: messages of the interface in the standard JSON form of protobuf.
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from tenuto_api import api

M = TypeVar("M", bound=Message)

WORKFLOW_TYPE: Final = "cadence-scheduler"
TASK_LIST: Final = "cadence-scheduler"
ID_PREFIX: Final = "cadence-scheduler:"

PAUSE: Final = "scheduler-pause"
UNPAUSE: Final = "scheduler-unpause"
UPDATE: Final = "scheduler-update"
BACKFILL: Final = "scheduler-backfill"
DELETE: Final = "scheduler-delete"
DESCRIBE: Final = "scheduler-describe"

RESERVED_KEYS: Final = "CadenceSchedule"
# Search attributes of the runs that a schedule starts.
KEY_ID: Final = "CadenceScheduleID"
KEY_TIME: Final = "CadenceScheduleTime"
KEY_IS_BACKFILL: Final = "CadenceScheduleIsBackfill"
KEY_BACKFILL_ID: Final = "CadenceScheduleBackfillID"
# Search attributes of the scheduler workflow itself: what lists show.
KEY_STATE: Final = "CadenceScheduleState"
KEY_CRON: Final = "CadenceScheduleCron"
KEY_WORKFLOW_TYPE: Final = "CadenceScheduleWorkflowType"
ACTIVE: Final = "active"
PAUSED: Final = "paused"


def workflow_id(schedule_id: str) -> str:
    """The id of a schedule's workflow."""
    return ID_PREFIX + schedule_id


def to_json(message: Message) -> dict[str, Any]:
    """A message as a JSON object."""
    found: dict[str, Any] = json_format.MessageToDict(message)
    return found


def from_json(kind: type[M], value: dict[str, Any]) -> M:
    """The message of a JSON object; what a newer version wrote into it and this one does not know is passed over. Raises
    ValueError."""
    try:
        return json_format.ParseDict(value, kind(), ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise ValueError(str(error)) from error


def payload(value: Message | dict[str, Any]) -> bytes:
    """The bytes of a payload that holds one JSON object."""
    return json.dumps(to_json(value) if isinstance(value, Message) else value, separators=(",", ":")).encode() + b"\n"


def listed(spec: api.ScheduleSpec, action: api.ScheduleAction, *, paused: bool) -> dict[str, str]:
    """The search attributes by which a schedule is shown in lists."""
    return {
        KEY_STATE: PAUSED if paused else ACTIVE,
        KEY_CRON: spec.cron_expression,
        KEY_WORKFLOW_TYPE: action.start_workflow.workflow_type.name,
    }
