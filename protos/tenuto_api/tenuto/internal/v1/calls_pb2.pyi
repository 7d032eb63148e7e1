from tenuto_api.uber.cadence.api.v1 import common_pb2 as _common_pb2
from tenuto_api.uber.cadence.api.v1 import history_pb2 as _history_pb2
from tenuto_api.uber.cadence.api.v1 import workflow_pb2 as _workflow_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StartChildRequest(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "run_id", "request", "parent")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    run_id: str
    request: bytes
    parent: _workflow_pb2.ParentExecutionInfo
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., request: _Optional[bytes] = ..., parent: _Optional[_Union[_workflow_pb2.ParentExecutionInfo, _Mapping]] = ...) -> None: ...

class ExternalRequest(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "request", "source", "child_workflow_only")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CHILD_WORKFLOW_ONLY_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    request: bytes
    source: _workflow_pb2.ExternalExecutionInfo
    child_workflow_only: bool
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., request: _Optional[bytes] = ..., source: _Optional[_Union[_workflow_pb2.ExternalExecutionInfo, _Mapping]] = ..., child_workflow_only: _Optional[bool] = ...) -> None: ...

class CloseChildRequest(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "first_run_id", "policy", "request_id")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_RUN_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    first_run_id: str
    policy: _workflow_pb2.ParentClosePolicy
    request_id: str
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., first_run_id: _Optional[str] = ..., policy: _Optional[_Union[_workflow_pb2.ParentClosePolicy, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class ChildClosedRequest(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "run_id", "initiated_id", "child", "first_run_id", "closing")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    INITIATED_ID_FIELD_NUMBER: _ClassVar[int]
    CHILD_FIELD_NUMBER: _ClassVar[int]
    FIRST_RUN_ID_FIELD_NUMBER: _ClassVar[int]
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    run_id: str
    initiated_id: int
    child: _common_pb2.WorkflowExecution
    first_run_id: str
    closing: _history_pb2.HistoryEvent
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., initiated_id: _Optional[int] = ..., child: _Optional[_Union[_common_pb2.WorkflowExecution, _Mapping]] = ..., first_run_id: _Optional[str] = ..., closing: _Optional[_Union[_history_pb2.HistoryEvent, _Mapping]] = ...) -> None: ...
