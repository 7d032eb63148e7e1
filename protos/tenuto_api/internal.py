"""Every message, enum and value of the interfaces between services. Generated: do not edit."""

from tenuto_api.tenuto.internal.v1.admin_pb2 import (
    AdminCheckRunResponse as AdminCheckRunResponse,
    AdminCloseShardRequest as AdminCloseShardRequest,
    AdminDescribeHostRequest as AdminDescribeHostRequest,
    AdminDescribeHostResponse as AdminDescribeHostResponse,
    AdminDescribeRunRequest as AdminDescribeRunRequest,
    AdminDescribeRunResponse as AdminDescribeRunResponse,
    AdminRawHistoryRequest as AdminRawHistoryRequest,
    AdminRawHistoryResponse as AdminRawHistoryResponse,
)
from tenuto_api.tenuto.internal.v1.calls_pb2 import (
    ChildClosedRequest as ChildClosedRequest,
    CloseChildRequest as CloseChildRequest,
    ExternalRequest as ExternalRequest,
    StartChildRequest as StartChildRequest,
)
from tenuto_api.tenuto.internal.v1.history_pb2 import (
    DeleteRunRequest as DeleteRunRequest,
    DeleteRunResponse as DeleteRunResponse,
    StartQueryRequest as StartQueryRequest,
    StartTaskRequest as StartTaskRequest,
    TASK_TYPE_ACTIVITY as TASK_TYPE_ACTIVITY,
    TASK_TYPE_DECISION as TASK_TYPE_DECISION,
    TASK_TYPE_INVALID as TASK_TYPE_INVALID,
    TaskRef as TaskRef,
    TaskToken as TaskToken,
    TaskType as TaskType,
    WorkflowRequest as WorkflowRequest,
)
from tenuto_api.tenuto.internal.v1.matching_pb2 import (
    AnswerQueryRequest as AnswerQueryRequest,
    DescribeTaskListRequest as DescribeTaskListRequest,
    ListBacklog as ListBacklog,
    ListTaskListsRequest as ListTaskListsRequest,
    OFFER_OUTCOME_ACCEPTED as OFFER_OUTCOME_ACCEPTED,
    OFFER_OUTCOME_FULL as OFFER_OUTCOME_FULL,
    OFFER_OUTCOME_INVALID as OFFER_OUTCOME_INVALID,
    OFFER_OUTCOME_NO_POLLER as OFFER_OUTCOME_NO_POLLER,
    OFFER_OUTCOME_NO_STICKY_POLLER as OFFER_OUTCOME_NO_STICKY_POLLER,
    OfferOutcome as OfferOutcome,
    OfferTasksRequest as OfferTasksRequest,
    OfferTasksResponse as OfferTasksResponse,
    PollTaskRequest as PollTaskRequest,
    QueryTaskRequest as QueryTaskRequest,
    QueryTaskResponse as QueryTaskResponse,
    QueryToken as QueryToken,
    TaskOffer as TaskOffer,
)
from tenuto_api.tenuto.internal.v1.transport_pb2 import (
    Call as Call,
    Frame as Frame,
    Reply as Reply,
)
