"""The table of the public interface: method path to handler and rate class, and what to say of the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tenuto_api.uber.cadence.admin.v1 import service_pb2 as admin_service
from tenuto_api.uber.cadence.api.v1 import (
    service_domain_pb2,
    service_meta_pb2,
    service_schedule_pb2,
    service_visibility_pb2,
    service_worker_pb2,
    service_workflow_pb2,
)
from tenuto_server.errors import BadRequest, ServiceError, Unimplemented
from tenuto_server.frontend import (
    admin,
    admin_settings,
    archived,
    async_config,
    diagnose,
    domain,
    history_reads,
    isolation_groups,
    meta,
    polls,
    queries,
    renewing,
    responds,
    running,
    schedules,
    search_attributes,
    start,
    task_lists,
    visibility,
)
from tenuto_server.frontend.context import FrontendContext
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.transport.public import PublicCall

Handler = Callable[[FrontendContext, PublicCall], Awaitable[bytes]]


class Method(NamedTuple):
    """One RPC."""

    handler: Handler
    rate_class: RateClass


_WORKFLOW: dict[str, Method] = {
    "StartWorkflowExecution": Method(start.start_workflow_execution, RateClass.USER),
    "SignalWithStartWorkflowExecution": Method(start.signal_with_start_workflow_execution, RateClass.USER),
    "StartWorkflowExecutionAsync": Method(start.start_workflow_execution_async, RateClass.ASYNC),
    "SignalWithStartWorkflowExecutionAsync": Method(start.signal_with_start_workflow_execution_async, RateClass.ASYNC),
    "SignalWorkflowExecution": Method(running.signal_workflow_execution, RateClass.USER),
    "RequestCancelWorkflowExecution": Method(running.request_cancel_workflow_execution, RateClass.USER),
    "TerminateWorkflowExecution": Method(running.terminate_workflow_execution, RateClass.USER),
    "ResetWorkflowExecution": Method(renewing.reset_workflow_execution, RateClass.USER),
    "RestartWorkflowExecution": Method(renewing.restart_workflow_execution, RateClass.USER),
    "RefreshWorkflowTasks": Method(renewing.refresh_workflow_tasks, RateClass.USER),
    "DiagnoseWorkflowExecution": Method(diagnose.diagnose_workflow_execution, RateClass.USER),
    "GetWorkflowExecutionHistory": Method(history_reads.get_workflow_execution_history, RateClass.USER),
    "DescribeWorkflowExecution": Method(history_reads.describe_workflow_execution, RateClass.USER),
    "QueryWorkflow": Method(queries.query_workflow, RateClass.USER),
    "DescribeTaskList": Method(task_lists.describe_task_list, RateClass.USER),
    "GetTaskListsByDomain": Method(task_lists.get_task_lists_by_domain, RateClass.USER),
    "ListTaskListPartitions": Method(task_lists.list_task_list_partitions, RateClass.USER),
    "GetClusterInfo": Method(meta.get_cluster_info, RateClass.NONE),
}
_ANSWER = RateClass.WORKER_ANSWER
_WORKER: dict[str, Method] = {
    "PollForDecisionTask": Method(polls.poll_for_decision_task, RateClass.WORKER),
    "PollForActivityTask": Method(polls.poll_for_activity_task, RateClass.WORKER),
    "RespondDecisionTaskCompleted": Method(responds.respond_decision_task_completed, _ANSWER),
    "RespondDecisionTaskFailed": Method(responds.respond_decision_task_failed, _ANSWER),
    **{rpc: Method(handler, _ANSWER) for rpc, handler in responds.HANDLERS.items()},
    "RespondQueryTaskCompleted": Method(queries.respond_query_task_completed, _ANSWER),
    "ResetStickyTaskList": Method(running.reset_sticky_task_list, _ANSWER),
}
_DOMAIN: dict[str, Method] = {
    "RegisterDomain": Method(domain.register_domain, RateClass.DOMAIN_ADMIN),
    "DescribeDomain": Method(domain.describe_domain, RateClass.DOMAIN_ADMIN),
    "ListDomains": Method(domain.list_domains, RateClass.DOMAIN_ADMIN),
    "UpdateDomain": Method(domain.update_domain, RateClass.DOMAIN_ADMIN),
    "FailoverDomain": Method(domain.failover_domain, RateClass.DOMAIN_ADMIN),
    "DeprecateDomain": Method(domain.deprecate_domain, RateClass.DOMAIN_ADMIN),
    "DeleteDomain": Method(domain.delete_domain, RateClass.DOMAIN_ADMIN),
    "ListFailoverHistory": Method(domain.list_failover_history, RateClass.DOMAIN_ADMIN),
}
_VISIBILITY: dict[str, Method] = {
    "ListOpenWorkflowExecutions": Method(visibility.list_open_workflow_executions, RateClass.VISIBILITY),
    "ListClosedWorkflowExecutions": Method(visibility.list_closed_workflow_executions, RateClass.VISIBILITY),
    "ListArchivedWorkflowExecutions": Method(archived.list_archived_workflow_executions, RateClass.VISIBILITY),
    "ListWorkflowExecutions": Method(visibility.list_workflow_executions, RateClass.VISIBILITY),
    "ScanWorkflowExecutions": Method(visibility.scan_workflow_executions, RateClass.VISIBILITY),
    "CountWorkflowExecutions": Method(visibility.count_workflow_executions, RateClass.VISIBILITY),
    "GetSearchAttributes": Method(visibility.get_search_attributes, RateClass.NONE),
}
_SCHEDULE: dict[str, Method] = {
    "CreateSchedule": Method(schedules.create_schedule, RateClass.USER),
    "DescribeSchedule": Method(schedules.describe_schedule, RateClass.USER),
    "ListSchedules": Method(schedules.list_schedules, RateClass.USER),
    "UpdateSchedule": Method(schedules.update_schedule, RateClass.USER),
    "DeleteSchedule": Method(schedules.delete_schedule, RateClass.USER),
    "PauseSchedule": Method(schedules.pause_schedule, RateClass.USER),
    "UnpauseSchedule": Method(schedules.unpause_schedule, RateClass.USER),
    "BackfillSchedule": Method(schedules.backfill_schedule, RateClass.USER),
}

_ADMIN: dict[str, Method] = {
    "DescribeCluster": Method(meta.describe_cluster, RateClass.DOMAIN_ADMIN),
    "DescribeWorkflowExecution": Method(admin.describe_workflow_execution, RateClass.DOMAIN_ADMIN),
    "GetWorkflowExecutionRawHistoryV2": Method(admin.get_workflow_execution_raw_history_v2, RateClass.DOMAIN_ADMIN),
    "RefreshWorkflowTasks": Method(admin.refresh_workflow_tasks, RateClass.DOMAIN_ADMIN),
    "DeleteWorkflow": Method(admin.delete_workflow, RateClass.DOMAIN_ADMIN),
    "MaintainCorruptWorkflow": Method(admin.maintain_corrupt_workflow, RateClass.DOMAIN_ADMIN),
    "UpdateTaskListPartitionConfig": Method(task_lists.update_task_list_partition_config, RateClass.DOMAIN_ADMIN),
    "DescribeHistoryHost": Method(admin.describe_history_host, RateClass.DOMAIN_ADMIN),
    "DescribeShardDistribution": Method(admin.describe_shard_distribution, RateClass.DOMAIN_ADMIN),
    "CloseShard": Method(admin.close_shard, RateClass.DOMAIN_ADMIN),
    "AddSearchAttribute": Method(search_attributes.add_search_attribute, RateClass.DOMAIN_ADMIN),
    "GetGlobalIsolationGroups": Method(isolation_groups.get_global_isolation_groups, RateClass.DOMAIN_ADMIN),
    "UpdateGlobalIsolationGroups": Method(isolation_groups.update_global_isolation_groups, RateClass.DOMAIN_ADMIN),
    "GetDomainIsolationGroups": Method(isolation_groups.get_domain_isolation_groups, RateClass.DOMAIN_ADMIN),
    "UpdateDomainIsolationGroups": Method(isolation_groups.update_domain_isolation_groups, RateClass.DOMAIN_ADMIN),
    "GetDynamicConfig": Method(admin_settings.get_dynamic_config, RateClass.DOMAIN_ADMIN),
    "UpdateDynamicConfig": Method(admin_settings.update_dynamic_config, RateClass.DOMAIN_ADMIN),
    "RestoreDynamicConfig": Method(admin_settings.restore_dynamic_config, RateClass.DOMAIN_ADMIN),
    "ListDynamicConfig": Method(admin_settings.list_dynamic_config, RateClass.DOMAIN_ADMIN),
    # Messages of the same fields: the same handlers.
    "GetOperationalDynamicConfig": Method(admin_settings.get_dynamic_config, RateClass.DOMAIN_ADMIN),
    "UpdateOperationalDynamicConfig": Method(admin_settings.update_dynamic_config, RateClass.DOMAIN_ADMIN),
    "RestoreOperationalDynamicConfig": Method(admin_settings.restore_dynamic_config, RateClass.DOMAIN_ADMIN),
    "ListOperationalDynamicConfig": Method(admin_settings.list_dynamic_config, RateClass.DOMAIN_ADMIN),
    "GetDomainAsyncWorkflowConfiguraton": Method(
        async_config.get_domain_async_workflow_configuraton, RateClass.DOMAIN_ADMIN
    ),
    "UpdateDomainAsyncWorkflowConfiguraton": Method(
        async_config.update_domain_async_workflow_configuraton, RateClass.DOMAIN_ADMIN
    ),
}

METHODS: dict[str, Method] = {
    "uber.cadence.api.v1.MetaAPI/Health": Method(meta.health, RateClass.NONE),
    "grpc.health.v1.Health/Check": Method(meta.grpc_health_check, RateClass.NONE),
    **{f"uber.cadence.admin.v1.AdminAPI/{name}": method for name, method in _ADMIN.items()},
    **{f"uber.cadence.api.v1.WorkflowAPI/{name}": method for name, method in _WORKFLOW.items()},
    **{f"uber.cadence.api.v1.WorkerAPI/{name}": method for name, method in _WORKER.items()},
    **{f"uber.cadence.api.v1.DomainAPI/{name}": method for name, method in _DOMAIN.items()},
    **{f"uber.cadence.api.v1.VisibilityAPI/{name}": method for name, method in _VISIBILITY.items()},
    **{f"uber.cadence.api.v1.ScheduleAPI/{name}": method for name, method in _SCHEDULE.items()},
}

# Every method of the interface, here or not.
INTERFACE = frozenset(
    f"{service.full_name}/{method.name}"
    for module in (
        service_domain_pb2,
        service_workflow_pb2,
        service_worker_pb2,
        service_visibility_pb2,
        service_schedule_pb2,
        service_meta_pb2,
        admin_service,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
)


# What operators ask of a server with several clusters, or with queues in its store. Here there is one cluster, and a run's
# tasks are part of its state.
_OF_CLUSTERS = frozenset(
    (
        "GetReplicationMessages", "GetDLQReplicationMessages", "GetDomainReplicationMessages", "ReapplyEvents",
        "CountDLQMessages", "ReadDLQMessages", "PurgeDLQMessages", "MergeDLQMessages", "ResendReplicationTasks",
        "GetCrossClusterTasks", "RespondCrossClusterTasksCompleted",
    )
)  # fmt: skip
_OF_QUEUES = frozenset(("RemoveTask", "ResetQueue", "DescribeQueue"))


def unimplemented(path: str) -> ServiceError:
    """What a caller of a method without handler is told.

    A method of the interface is refused as a bad request: Cadence clients retry UNIMPLEMENTED, as every status that they
    do not know, until their deadline.
    """
    if path in INTERFACE:
        service, _, name = path.rpartition("/")
        if service.endswith("AdminAPI") and name in _OF_CLUSTERS:
            return BadRequest(f"{name} is not supported: this is one cluster, and nothing is replicated.")
        if service.endswith("AdminAPI") and name in _OF_QUEUES:
            return BadRequest(f"{name} is not supported: this server keeps no task queues, a run's tasks are part of its state.")
        return BadRequest(f"{path.rpartition('/')[2]} is not supported by this server.")
    return Unimplemented(f"unknown method {path[:200]}")
