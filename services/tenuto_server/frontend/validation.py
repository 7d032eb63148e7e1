"""The rules a request must keep, whatever the state of its workflow: names, ids, sizes, timeouts, policies. Pure, but
for a line in the log where a blob is large.

Each `check_*` raises `BadRequest` with the first rule broken. Texts are the official server's where clients may know
them. Durations count in whole seconds, what is beyond the second is cut, as on the official server.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter

from google.protobuf.duration_pb2 import Duration
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.timestamp_pb2 import Timestamp

from tenuto_api import api
from tenuto_server.cluster.partitions import RESERVED_PREFIX
from tenuto_server.config.live import BY_DOMAIN, setting
from tenuto_server.config.runtime import SECOND
from tenuto_server.errors import BadRequest
from tenuto_server.rules import cron, retry
from tenuto_server.rules.durations import is_valid

logger = logging.getLogger(__name__)

DOMAIN_NOT_SET = "Domain not set on request."
TASK_TOKEN_NOT_SET = "Task token not set on request."
INVALID_TASK_TOKEN = "Invalid TaskToken."
INVALID_PAGE_TOKEN = "Invalid NextPageToken."
BLOB_TOO_LARGE = "Blob data size exceeds limit."
DOMAIN_DEPRECATED = "domain deprecated"

_DAY_SECONDS = 86_400
# The last whole second of which the nanoseconds since the epoch are a 64-bit number.
_TIMESTAMP_SECONDS_MAX = (2**63 - 1) // SECOND - 1
# The forms of a UUID that the official server reads.
_UUID = re.compile(
    r"(?:[uU][rR][nN]:[uU][uU][iI][dD]:)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|\{[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}"
    r"|[0-9a-fA-F]{32}"
)
_DOMAIN_NAME = re.compile(r"[A-Za-z0-9-]+")


_NAME_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes of UTF-8; a blob's limit holds for input and memo together."""

    id_bytes_max: int = _NAME_BYTES
    domain_name_bytes_max: int = setting(_NAME_BYTES, "limit.domainNameLength", filters=BY_DOMAIN)
    identity_bytes_max: int = setting(_NAME_BYTES, "limit.identityLength", filters=BY_DOMAIN)
    workflow_id_bytes_max: int = setting(_NAME_BYTES, "limit.workflowIDLength", filters=BY_DOMAIN)
    workflow_type_bytes_max: int = setting(_NAME_BYTES, "limit.workflowTypeLength", filters=BY_DOMAIN)
    signal_name_bytes_max: int = setting(_NAME_BYTES, "limit.signalNameLength", filters=BY_DOMAIN)
    request_id_bytes_max: int = setting(_NAME_BYTES, "limit.requestIDLength", filters=BY_DOMAIN)
    task_list_bytes_max: int = setting(_NAME_BYTES, "limit.taskListNameLength", filters=BY_DOMAIN)
    activity_id_bytes_max: int = setting(_NAME_BYTES, "limit.activityIDLength", filters=BY_DOMAIN)
    blob_bytes_max: int = setting(2 * 1024 * 1024, "limit.blobSize.error", filters=BY_DOMAIN)
    blob_bytes_warn: int = setting(256 * 1024, "limit.blobSize.warn", filters=BY_DOMAIN)
    retention_days_min: int = setting(1, "system.minRetentionDays", least=1)
    retention_days_max: int = setting(30, "system.maxRetentionDays", least=1)
    bad_binaries_max: int = setting(10, "frontend.maxBadBinaries", filters=BY_DOMAIN)
    domain_data_bytes_max: int = 64 * 1024


# Which limit holds for a field, by the field's name in errors.
_length_limits: dict[str, Callable[[Limits], int]] = {
    "Domain": attrgetter("domain_name_bytes_max"),
    "Identity": attrgetter("identity_bytes_max"),
    "WorkflowID": attrgetter("workflow_id_bytes_max"),
    "WorkflowType": attrgetter("workflow_type_bytes_max"),
    "SignalName": attrgetter("signal_name_bytes_max"),
    "RequestID": attrgetter("request_id_bytes_max"),
    "TaskList": attrgetter("task_list_bytes_max"),
    "ActivityID": attrgetter("activity_id_bytes_max"),
}
_any_length: Callable[[Limits], int] = attrgetter("id_bytes_max")


def check_length(text: str, what: str, limits: Limits) -> None:
    """`what` is the field as the error names it."""
    limit = _length_limits.get(what, _any_length)(limits)
    if len(text) > limit or (len(text) * 4 > limit and len(text.encode()) > limit):
        raise BadRequest(f"{what} length exceeds limit.")


@cache
def _numbers(enum: EnumTypeWrapper) -> frozenset[int]:
    return frozenset(enum.values())


def check_enum(value: int, enum: EnumTypeWrapper, what: str) -> None:
    """A number out of the interface, once stored, would break clients that read it back."""
    if value not in _numbers(enum):
        raise BadRequest(f"Unknown {what}: {value}.")


def whole_seconds(duration: Duration, refusal: str) -> int:
    """The duration cut to seconds; `refusal` is the text for one that is no valid Duration or longer than 32 bits
    hold."""
    seconds, nanos = duration.seconds, duration.nanos
    if not is_valid(duration):
        raise BadRequest(refusal)
    # Cutting must not make a negative duration a zero one.
    return -1 if seconds == 0 and nanos < 0 else seconds


def check_execution(execution: api.WorkflowExecution, is_set: bool, limits: Limits) -> None:
    """A workflow id is needed; a run id may be empty (the current run) and is a UUID otherwise."""
    if not is_set:
        raise BadRequest("Execution is not set on request.")
    if not execution.workflow_id:
        raise BadRequest("WorkflowId is not set on request.")
    check_length(execution.workflow_id, "WorkflowID", limits)
    check_run_id(execution.run_id)


def check_run_id(run_id: str) -> None:
    """Empty or a UUID."""
    if run_id and not _UUID.fullmatch(run_id):
        raise BadRequest("Invalid RunId.")


def check_task_list(
    task_list: api.TaskList, limits: Limits, *, sticky_allowed: bool, partition_allowed: bool = False
) -> None:
    """A name is needed, outside the reserved space; sticky lists can be polled, but no workflow can start on one. Partitions,
    which have names in that space, can be looked at."""
    name = task_list.name
    if not name:
        raise BadRequest("TaskList is not set on request.")
    check_length(name, "TaskList", limits)
    if name.startswith(RESERVED_PREFIX) and not partition_allowed:
        raise BadRequest(f"TaskList name must not start with the reserved prefix {RESERVED_PREFIX}.")
    kind = task_list.kind
    if kind:
        check_enum(kind, api.TaskListKind, "TaskListKind")
        if kind == api.TASK_LIST_KIND_STICKY and not sticky_allowed:
            raise BadRequest("A sticky TaskList cannot be used to start a workflow.")


def check_start(request: api.StartWorkflowExecutionRequest, body_bytes: int, limits: Limits) -> None:
    """StartWorkflowExecution. `body_bytes`: the request's size, so that only large ones are looked at for blobs."""
    if not request.workflow_id:
        raise BadRequest("WorkflowId is not set on request.")
    if not _UUID.fullmatch(request.request_id):
        raise BadRequest(f'requestId "{request.request_id[:100]}" is not a valid UUID')
    _check_start_fields(request, limits)
    if body_bytes > min(limits.blob_bytes_warn, limits.blob_bytes_max):
        check_blob(len(request.input.data) + memo_bytes(request.memo), limits, request.domain, request.workflow_id)


def check_signal_with_start(request: api.SignalWithStartWorkflowExecutionRequest, body_bytes: int, limits: Limits) -> None:
    """SignalWithStartWorkflowExecution: its request id may be empty."""
    start = request.start_request
    if not start.workflow_id:
        raise BadRequest("WorkflowId is not set on request.")
    check_signal_name(request.signal_name, limits)
    check_length(start.request_id, "RequestID", limits)
    _check_start_fields(start, limits)
    if body_bytes > min(limits.blob_bytes_warn, limits.blob_bytes_max):
        check_blob(len(request.signal_input.data), limits, start.domain, start.workflow_id)
        check_blob(len(start.input.data) + memo_bytes(start.memo), limits, start.domain, start.workflow_id)


def check_signal_name(name: str, limits: Limits) -> None:
    """A signal needs a name."""
    if not name:
        raise BadRequest("SignalName is not set on request.")
    check_length(name, "SignalName", limits)


def _check_start_fields(request: api.StartWorkflowExecutionRequest, limits: Limits) -> None:
    workflow_type = request.workflow_type.name
    if not workflow_type:
        raise BadRequest("WorkflowType is not set on request.")
    check_length(request.workflow_id, "WorkflowID", limits)
    check_length(workflow_type, "WorkflowType", limits)
    check_length(request.identity, "Identity", limits)
    if request.HasField("retry_policy"):
        check_retry_policy(request.retry_policy)
    check_task_list(request.task_list, limits, sticky_allowed=False)
    refusal = "A valid ExecutionStartToCloseTimeoutSeconds is not set on request."
    if whole_seconds(request.execution_start_to_close_timeout, refusal) <= 0:
        raise BadRequest(refusal)
    refusal = "A valid TaskStartToCloseTimeoutSeconds is not set on request."
    if whole_seconds(request.task_start_to_close_timeout, refusal) <= 0:
        raise BadRequest(refusal)
    check_enum(request.workflow_id_reuse_policy, api.WorkflowIdReusePolicy, "WorkflowIdReusePolicy")
    _check_first_run(request)


def _check_first_run(request: api.StartWorkflowExecutionRequest) -> None:
    """What says when the first decision is made: delay, jitter, a fixed time, cron."""
    if request.HasField("delay_start"):
        refusal = "A valid DelayStartSeconds is not set on request."
        if whole_seconds(request.delay_start, refusal) < 0:
            raise BadRequest(refusal)
    if request.HasField("first_run_at"):
        check_timestamp(request.first_run_at, "A valid FirstRunAt is not set on request.")
    if request.cron_overlap_policy:
        check_enum(request.cron_overlap_policy, api.CronOverlapPolicy, "CronOverlapPolicy")
    if request.cron_schedule or request.HasField("jitter_start"):
        fault = cron.fault(request.cron_schedule, request.jitter_start)
        if fault:
            raise BadRequest(fault)


def check_retry_policy(policy: api.RetryPolicy) -> None:
    """Raises where the policy makes no sense."""
    fault = retry.fault(policy)
    if fault:
        raise BadRequest(fault)


def check_blob(size: int, limits: Limits, domain: str, workflow_id: str, run_id: str = "") -> None:
    """`size` in bytes; the names say in the log whose blob is large."""
    warn_of_blob(size, limits, domain, workflow_id, run_id)
    if size > limits.blob_bytes_max:
        raise BadRequest(BLOB_TOO_LARGE)


def warn_of_blob(size: int, limits: Limits, domain: str, workflow_id: str, run_id: str = "") -> None:
    """Large blobs make every read of the history slow: their owners are told before they are refused."""
    if size > limits.blob_bytes_warn:
        logger.warning("large blob: %d bytes, domain %s, workflow %s, run %s", size, domain, workflow_id, run_id or "newest")


def memo_bytes(memo: api.Memo) -> int:
    """What a memo counts for: its keys and values."""
    return sum(len(key.encode()) + len(payload.data) for key, payload in memo.fields.items())


def check_timestamp(timestamp: Timestamp, refusal: str) -> None:
    """From the epoch up to what 64-bit nanoseconds hold: clients cannot read others."""
    if not (0 <= timestamp.seconds <= _TIMESTAMP_SECONDS_MAX and 0 <= timestamp.nanos < SECOND):
        raise BadRequest(refusal)


def check_failure(failure: api.Failure) -> None:
    """A failure's options: its category is kept in history."""
    if failure.HasField("options"):
        check_enum(failure.options.failure_category, api.FailureCategory, "FailureCategory")
        refusal = "A valid NextRetryInterval is not set on request."
        if whole_seconds(failure.options.next_retry_interval, refusal) < 0:
            raise BadRequest(refusal)


def check_not_deprecated(domain: api.Domain) -> None:
    """A deprecated domain takes no new runs and no signals."""
    if domain.status != api.DOMAIN_STATUS_REGISTERED:
        raise BadRequest(DOMAIN_DEPRECATED)


def check_domain_name(name: str, limits: Limits) -> None:
    """The name of a domain to register: letters, digits and dashes."""
    if not name:
        raise BadRequest(DOMAIN_NOT_SET)
    check_length(name, "Domain", limits)
    if not _DOMAIN_NAME.fullmatch(name):
        raise BadRequest("Domain name can only include alphanumeric and dash characters.")


def check_retention(duration: Duration, limits: Limits) -> None:
    """Retention counts in whole days."""
    days = whole_seconds(duration, "RetentionDays is invalid.") // _DAY_SECONDS
    if days > limits.retention_days_max:
        raise BadRequest("RetentionDays is invalid.")
    if days < limits.retention_days_min:
        raise BadRequest("A valid retention period is not set on request.")
