from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class AdminDescribeRunRequest(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "run_id")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    run_id: str
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ...) -> None: ...

class AdminDescribeRunResponse(_message.Message):
    __slots__ = ("shard_id", "address", "in_memory", "in_store", "run_id")
    SHARD_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    IN_MEMORY_FIELD_NUMBER: _ClassVar[int]
    IN_STORE_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    shard_id: int
    address: str
    in_memory: str
    in_store: str
    run_id: str
    def __init__(self, shard_id: _Optional[int] = ..., address: _Optional[str] = ..., in_memory: _Optional[str] = ..., in_store: _Optional[str] = ..., run_id: _Optional[str] = ...) -> None: ...

class AdminRawHistoryRequest(_message.Message):
    __slots__ = ("domain_id", "workflow_id", "run_id", "first_event_id", "until_event_id", "page_size")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    UNTIL_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    workflow_id: str
    run_id: str
    first_event_id: int
    until_event_id: int
    page_size: int
    def __init__(self, domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., first_event_id: _Optional[int] = ..., until_event_id: _Optional[int] = ..., page_size: _Optional[int] = ...) -> None: ...

class AdminRawHistoryResponse(_message.Message):
    __slots__ = ("run_id", "history", "next_event_id", "end_event_id")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    NEXT_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    END_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    history: bytes
    next_event_id: int
    end_event_id: int
    def __init__(self, run_id: _Optional[str] = ..., history: _Optional[bytes] = ..., next_event_id: _Optional[int] = ..., end_event_id: _Optional[int] = ...) -> None: ...

class AdminDescribeHostRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AdminDescribeHostResponse(_message.Message):
    __slots__ = ("shard_ids", "domains_by_id", "domains_by_name", "status", "address")
    SHARD_IDS_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_BY_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_BY_NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    shard_ids: _containers.RepeatedScalarFieldContainer[int]
    domains_by_id: int
    domains_by_name: int
    status: str
    address: str
    def __init__(self, shard_ids: _Optional[_Iterable[int]] = ..., domains_by_id: _Optional[int] = ..., domains_by_name: _Optional[int] = ..., status: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...

class AdminCheckRunResponse(_message.Message):
    __slots__ = ("run_id", "problem")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    problem: str
    def __init__(self, run_id: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...

class AdminCloseShardRequest(_message.Message):
    __slots__ = ("shard_id",)
    SHARD_ID_FIELD_NUMBER: _ClassVar[int]
    shard_id: int
    def __init__(self, shard_id: _Optional[int] = ...) -> None: ...
