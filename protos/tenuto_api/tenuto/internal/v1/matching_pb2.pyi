from tenuto_api.tenuto.internal.v1 import history_pb2 as _history_pb2
from tenuto_api.uber.cadence.api.v1 import query_pb2 as _query_pb2
from tenuto_api.uber.cadence.api.v1 import tasklist_pb2 as _tasklist_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OfferOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OFFER_OUTCOME_INVALID: _ClassVar[OfferOutcome]
    OFFER_OUTCOME_ACCEPTED: _ClassVar[OfferOutcome]
    OFFER_OUTCOME_FULL: _ClassVar[OfferOutcome]
    OFFER_OUTCOME_NO_STICKY_POLLER: _ClassVar[OfferOutcome]
    OFFER_OUTCOME_NO_POLLER: _ClassVar[OfferOutcome]
OFFER_OUTCOME_INVALID: OfferOutcome
OFFER_OUTCOME_ACCEPTED: OfferOutcome
OFFER_OUTCOME_FULL: OfferOutcome
OFFER_OUTCOME_NO_STICKY_POLLER: OfferOutcome
OFFER_OUTCOME_NO_POLLER: OfferOutcome

class OfferTasksRequest(_message.Message):
    __slots__ = ("history_address", "offers", "backlogs")
    HISTORY_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    BACKLOGS_FIELD_NUMBER: _ClassVar[int]
    history_address: str
    offers: _containers.RepeatedCompositeFieldContainer[TaskOffer]
    backlogs: _containers.RepeatedCompositeFieldContainer[ListBacklog]
    def __init__(self, history_address: _Optional[str] = ..., offers: _Optional[_Iterable[_Union[TaskOffer, _Mapping]]] = ..., backlogs: _Optional[_Iterable[_Union[ListBacklog, _Mapping]]] = ...) -> None: ...

class ListBacklog(_message.Message):
    __slots__ = ("domain_id", "task_list", "type", "waiting")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_LIST_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    task_list: str
    type: _history_pb2.TaskType
    waiting: int
    def __init__(self, domain_id: _Optional[str] = ..., task_list: _Optional[str] = ..., type: _Optional[_Union[_history_pb2.TaskType, str]] = ..., waiting: _Optional[int] = ...) -> None: ...

class TaskOffer(_message.Message):
    __slots__ = ("task", "task_list", "kind", "scheduled_ns", "only_if_polled", "traceparent")
    TASK_FIELD_NUMBER: _ClassVar[int]
    TASK_LIST_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_NS_FIELD_NUMBER: _ClassVar[int]
    ONLY_IF_POLLED_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    task: _history_pb2.TaskRef
    task_list: str
    kind: _tasklist_pb2.TaskListKind
    scheduled_ns: int
    only_if_polled: bool
    traceparent: str
    def __init__(self, task: _Optional[_Union[_history_pb2.TaskRef, _Mapping]] = ..., task_list: _Optional[str] = ..., kind: _Optional[_Union[_tasklist_pb2.TaskListKind, str]] = ..., scheduled_ns: _Optional[int] = ..., only_if_polled: _Optional[bool] = ..., traceparent: _Optional[str] = ...) -> None: ...

class OfferTasksResponse(_message.Message):
    __slots__ = ("outcomes",)
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedScalarFieldContainer[OfferOutcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[OfferOutcome, str]]] = ...) -> None: ...

class PollTaskRequest(_message.Message):
    __slots__ = ("domain_id", "domain_name", "task_list", "kind", "type", "identity", "binary_checksum", "max_tasks_per_second", "request_id")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_NAME_FIELD_NUMBER: _ClassVar[int]
    TASK_LIST_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    BINARY_CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    MAX_TASKS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    domain_name: str
    task_list: str
    kind: _tasklist_pb2.TaskListKind
    type: _history_pb2.TaskType
    identity: str
    binary_checksum: str
    max_tasks_per_second: float
    request_id: str
    def __init__(self, domain_id: _Optional[str] = ..., domain_name: _Optional[str] = ..., task_list: _Optional[str] = ..., kind: _Optional[_Union[_tasklist_pb2.TaskListKind, str]] = ..., type: _Optional[_Union[_history_pb2.TaskType, str]] = ..., identity: _Optional[str] = ..., binary_checksum: _Optional[str] = ..., max_tasks_per_second: _Optional[float] = ..., request_id: _Optional[str] = ...) -> None: ...

class DescribeTaskListRequest(_message.Message):
    __slots__ = ("domain_id", "task_list", "type", "include_status")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_LIST_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_STATUS_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    task_list: str
    type: _history_pb2.TaskType
    include_status: bool
    def __init__(self, domain_id: _Optional[str] = ..., task_list: _Optional[str] = ..., type: _Optional[_Union[_history_pb2.TaskType, str]] = ..., include_status: _Optional[bool] = ...) -> None: ...

class ListTaskListsRequest(_message.Message):
    __slots__ = ("domain_id",)
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    def __init__(self, domain_id: _Optional[str] = ...) -> None: ...

class QueryTaskRequest(_message.Message):
    __slots__ = ("history_address", "domain_id", "workflow_id", "run_id", "task_list", "kind", "query")
    HISTORY_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_LIST_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    history_address: str
    domain_id: str
    workflow_id: str
    run_id: str
    task_list: str
    kind: _tasklist_pb2.TaskListKind
    query: _query_pb2.WorkflowQuery
    def __init__(self, history_address: _Optional[str] = ..., domain_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., task_list: _Optional[str] = ..., kind: _Optional[_Union[_tasklist_pb2.TaskListKind, str]] = ..., query: _Optional[_Union[_query_pb2.WorkflowQuery, _Mapping]] = ...) -> None: ...

class QueryTaskResponse(_message.Message):
    __slots__ = ("no_sticky_poller", "result")
    NO_STICKY_POLLER_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    no_sticky_poller: bool
    result: _query_pb2.WorkflowQueryResult
    def __init__(self, no_sticky_poller: _Optional[bool] = ..., result: _Optional[_Union[_query_pb2.WorkflowQueryResult, _Mapping]] = ...) -> None: ...

class AnswerQueryRequest(_message.Message):
    __slots__ = ("domain_id", "task_id", "result")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    task_id: str
    result: _query_pb2.WorkflowQueryResult
    def __init__(self, domain_id: _Optional[str] = ..., task_id: _Optional[str] = ..., result: _Optional[_Union[_query_pb2.WorkflowQueryResult, _Mapping]] = ...) -> None: ...

class QueryToken(_message.Message):
    __slots__ = ("domain_id", "task_list", "task_id", "matching_address")
    DOMAIN_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_LIST_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    MATCHING_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    domain_id: str
    task_list: str
    task_id: str
    matching_address: str
    def __init__(self, domain_id: _Optional[str] = ..., task_list: _Optional[str] = ..., task_id: _Optional[str] = ..., matching_address: _Optional[str] = ...) -> None: ...
