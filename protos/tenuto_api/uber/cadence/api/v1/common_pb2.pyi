import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FailureCategory(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAILURE_CATEGORY_INVALID: _ClassVar[FailureCategory]
    FAILURE_CATEGORY_POLL: _ClassVar[FailureCategory]
    FAILURE_CATEGORY_STANDARD: _ClassVar[FailureCategory]
    FAILURE_CATEGORY_FATAL: _ClassVar[FailureCategory]

class EncodingType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCODING_TYPE_INVALID: _ClassVar[EncodingType]
    ENCODING_TYPE_THRIFTRW: _ClassVar[EncodingType]
    ENCODING_TYPE_JSON: _ClassVar[EncodingType]
    ENCODING_TYPE_PROTO3: _ClassVar[EncodingType]

class IsolationGroupState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ISOLATION_GROUP_STATE_INVALID: _ClassVar[IsolationGroupState]
    ISOLATION_GROUP_STATE_HEALTHY: _ClassVar[IsolationGroupState]
    ISOLATION_GROUP_STATE_DRAINED: _ClassVar[IsolationGroupState]

class FailoverType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAILOVER_TYPE_INVALID: _ClassVar[FailoverType]
    FAILOVER_TYPE_FORCE: _ClassVar[FailoverType]
    FAILOVER_TYPE_GRACEFUL: _ClassVar[FailoverType]
FAILURE_CATEGORY_INVALID: FailureCategory
FAILURE_CATEGORY_POLL: FailureCategory
FAILURE_CATEGORY_STANDARD: FailureCategory
FAILURE_CATEGORY_FATAL: FailureCategory
ENCODING_TYPE_INVALID: EncodingType
ENCODING_TYPE_THRIFTRW: EncodingType
ENCODING_TYPE_JSON: EncodingType
ENCODING_TYPE_PROTO3: EncodingType
ISOLATION_GROUP_STATE_INVALID: IsolationGroupState
ISOLATION_GROUP_STATE_HEALTHY: IsolationGroupState
ISOLATION_GROUP_STATE_DRAINED: IsolationGroupState
FAILOVER_TYPE_INVALID: FailoverType
FAILOVER_TYPE_FORCE: FailoverType
FAILOVER_TYPE_GRACEFUL: FailoverType

class WorkflowExecution(_message.Message):
    __slots__ = ("workflow_id", "run_id")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    run_id: str
    def __init__(self, workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ...) -> None: ...

class WorkflowType(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ActivityType(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class Payload(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("reason", "details", "options")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    reason: str
    details: bytes
    options: FailureOptions
    def __init__(self, reason: _Optional[str] = ..., details: _Optional[bytes] = ..., options: _Optional[_Union[FailureOptions, _Mapping]] = ...) -> None: ...

class FailureOptions(_message.Message):
    __slots__ = ("failure_category", "next_retry_interval")
    FAILURE_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    NEXT_RETRY_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    failure_category: FailureCategory
    next_retry_interval: _duration_pb2.Duration
    def __init__(self, failure_category: _Optional[_Union[FailureCategory, str]] = ..., next_retry_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Memo(_message.Message):
    __slots__ = ("fields",)
    class FieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Payload
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Payload, _Mapping]] = ...) -> None: ...
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.MessageMap[str, Payload]
    def __init__(self, fields: _Optional[_Mapping[str, Payload]] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("fields",)
    class FieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Payload
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Payload, _Mapping]] = ...) -> None: ...
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.MessageMap[str, Payload]
    def __init__(self, fields: _Optional[_Mapping[str, Payload]] = ...) -> None: ...

class SearchAttributes(_message.Message):
    __slots__ = ("indexed_fields",)
    class IndexedFieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Payload
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Payload, _Mapping]] = ...) -> None: ...
    INDEXED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    indexed_fields: _containers.MessageMap[str, Payload]
    def __init__(self, indexed_fields: _Optional[_Mapping[str, Payload]] = ...) -> None: ...

class DataBlob(_message.Message):
    __slots__ = ("encoding_type", "data")
    ENCODING_TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    encoding_type: EncodingType
    data: bytes
    def __init__(self, encoding_type: _Optional[_Union[EncodingType, str]] = ..., data: _Optional[bytes] = ...) -> None: ...

class WorkerVersionInfo(_message.Message):
    __slots__ = ("impl", "feature_version")
    IMPL_FIELD_NUMBER: _ClassVar[int]
    FEATURE_VERSION_FIELD_NUMBER: _ClassVar[int]
    impl: str
    feature_version: str
    def __init__(self, impl: _Optional[str] = ..., feature_version: _Optional[str] = ...) -> None: ...

class SupportedClientVersions(_message.Message):
    __slots__ = ("go_sdk", "java_sdk")
    GO_SDK_FIELD_NUMBER: _ClassVar[int]
    JAVA_SDK_FIELD_NUMBER: _ClassVar[int]
    go_sdk: str
    java_sdk: str
    def __init__(self, go_sdk: _Optional[str] = ..., java_sdk: _Optional[str] = ...) -> None: ...

class RetryPolicy(_message.Message):
    __slots__ = ("initial_interval", "backoff_coefficient", "maximum_interval", "maximum_attempts", "non_retryable_error_reasons", "expiration_interval")
    INITIAL_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    BACKOFF_COEFFICIENT_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    NON_RETRYABLE_ERROR_REASONS_FIELD_NUMBER: _ClassVar[int]
    EXPIRATION_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    initial_interval: _duration_pb2.Duration
    backoff_coefficient: float
    maximum_interval: _duration_pb2.Duration
    maximum_attempts: int
    non_retryable_error_reasons: _containers.RepeatedScalarFieldContainer[str]
    expiration_interval: _duration_pb2.Duration
    def __init__(self, initial_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., backoff_coefficient: _Optional[float] = ..., maximum_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., maximum_attempts: _Optional[int] = ..., non_retryable_error_reasons: _Optional[_Iterable[str]] = ..., expiration_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class IsolationGroupPartition(_message.Message):
    __slots__ = ("name", "state")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: IsolationGroupState
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[IsolationGroupState, str]] = ...) -> None: ...

class IsolationGroupConfiguration(_message.Message):
    __slots__ = ("isolation_groups",)
    ISOLATION_GROUPS_FIELD_NUMBER: _ClassVar[int]
    isolation_groups: _containers.RepeatedCompositeFieldContainer[IsolationGroupPartition]
    def __init__(self, isolation_groups: _Optional[_Iterable[_Union[IsolationGroupPartition, _Mapping]]] = ...) -> None: ...

class AsyncWorkflowConfiguration(_message.Message):
    __slots__ = ("enabled", "predefined_queue_name", "queue_type", "queue_config")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    PREDEFINED_QUEUE_NAME_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TYPE_FIELD_NUMBER: _ClassVar[int]
    QUEUE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    predefined_queue_name: str
    queue_type: str
    queue_config: DataBlob
    def __init__(self, enabled: _Optional[bool] = ..., predefined_queue_name: _Optional[str] = ..., queue_type: _Optional[str] = ..., queue_config: _Optional[_Union[DataBlob, _Mapping]] = ...) -> None: ...

class ActiveClusterSelectionPolicy(_message.Message):
    __slots__ = ("cluster_attribute",)
    CLUSTER_ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    cluster_attribute: ClusterAttribute
    def __init__(self, cluster_attribute: _Optional[_Union[ClusterAttribute, _Mapping]] = ...) -> None: ...

class ClusterAttribute(_message.Message):
    __slots__ = ("scope", "name")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    scope: str
    name: str
    def __init__(self, scope: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class PaginationOptions(_message.Message):
    __slots__ = ("page_size", "next_page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    next_page_token: bytes
    def __init__(self, page_size: _Optional[int] = ..., next_page_token: _Optional[bytes] = ...) -> None: ...
