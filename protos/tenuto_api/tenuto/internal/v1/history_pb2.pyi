from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TaskType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_TYPE_INVALID: _ClassVar[TaskType]
    TASK_TYPE_DECISION: _ClassVar[TaskType]
    TASK_TYPE_ACTIVITY: _ClassVar[TaskType]
TASK_TYPE_INVALID: TaskType
TASK_TYPE_DECISION: TaskType
TASK_TYPE_ACTIVITY: TaskType

class WorkflowRequest(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "request", "client_name", "client_feature_version", "repeated")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    CLIENT_NAME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FEATURE_VERSION_FIELD_NUMBER: _ClassVar[int]
    REPEATED_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    request: bytes
    client_name: str
    client_feature_version: str
    repeated: bool
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., request: _Optional[bytes] = ..., client_name: _Optional[str] = ..., client_feature_version: _Optional[str] = ..., repeated: _Optional[bool] = ...) -> None: ...

class TaskRef(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "run_id", "type", "schedule_id", "attempt")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    run_id: str
    type: TaskType
    schedule_id: int
    attempt: int
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., type: _Optional[_Union[TaskType, str]] = ..., schedule_id: _Optional[int] = ..., attempt: _Optional[int] = ...) -> None: ...

class StartTaskRequest(_message.Message):
    __slots__ = ("task", "request_id", "identity", "task_list", "binary_checksum", "domain_name")
    TASK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    TASK_LIST_FIELD_NUMBER: _ClassVar[int]
    BINARY_CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_NAME_FIELD_NUMBER: _ClassVar[int]
    task: TaskRef
    request_id: str
    identity: str
    task_list: str
    binary_checksum: str
    domain_name: str
    def __init__(self, task: _Optional[_Union[TaskRef, _Mapping]] = ..., request_id: _Optional[str] = ..., identity: _Optional[str] = ..., task_list: _Optional[str] = ..., binary_checksum: _Optional[str] = ..., domain_name: _Optional[str] = ...) -> None: ...

class DeleteRunRequest(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "run_id", "force")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    run_id: str
    force: bool
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., force: _Optional[bool] = ...) -> None: ...

class DeleteRunResponse(_message.Message):
    __slots__ = ("deleted",)
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    def __init__(self, deleted: _Optional[bool] = ...) -> None: ...

class StartQueryRequest(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "run_id", "task_list", "query_bytes")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_LIST_FIELD_NUMBER: _ClassVar[int]
    QUERY_BYTES_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    run_id: str
    task_list: str
    query_bytes: int
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., task_list: _Optional[str] = ..., query_bytes: _Optional[int] = ...) -> None: ...

class TaskToken(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "run_id", "schedule_id", "attempt", "started_request_id", "activity_id")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    STARTED_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_ID_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    run_id: str
    schedule_id: int
    attempt: int
    started_request_id: str
    activity_id: str
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., schedule_id: _Optional[int] = ..., attempt: _Optional[int] = ..., started_request_id: _Optional[str] = ..., activity_id: _Optional[str] = ...) -> None: ...
