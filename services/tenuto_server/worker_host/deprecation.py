"""Domain deprecation: the system workflow that winds a domain up.

Started by the CLI in the domain cadence-system. The domain's archival is disabled and the domain deprecated, so that nothing
starts in it any more; then a batch, a child workflow on this same task list, terminates what is open. A run may continue as new
while the batch passes by, hence the look afterwards, and further rounds. Each step is idempotent: a domain that was half wound
up, or wholly, is wound up again without harm.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import msgspec

from tenuto import activity, workflow
from tenuto.client import Client, RetryPolicy, RpcMethod
from tenuto.errors import ApplicationError, EntityNotExistsError
from tenuto_api import api
from tenuto_server.worker_host import batches

DOMAIN: Final = "cadence-system"
TASK_LIST: Final = "domain-deprecation-tasklist"
WORKFLOW_TYPE: Final = "domain-deprecation-workflow"
REASON: Final = "domain is deprecated"
OPEN: Final = "CloseTime = missing"
ROUNDS: Final = 3

_UNKNOWN: Final = "domain does not exist"
_REFUSED: Final = "domain-deprecation-refused"
_STILL_OPEN: Final = "domain-deprecation-incomplete"
_STEP_TIMEOUT: Final = timedelta(minutes=5)
_BATCH_TIMEOUT: Final = timedelta(days=30)
# The last two are what an RpcError of the name is reported as.
_RETRY: Final = RetryPolicy(
    initial_interval=10,
    backoff_coefficient=1.7,
    maximum_interval=300,
    expiration_interval=timedelta(days=1),
    non_retryable_errors=[_UNKNOWN, "AccessDeniedError", "BadRequestError"],
)
_COUNT_RPC: Final = RpcMethod("VisibilityAPI", api.CountWorkflowExecutionsRequest, api.CountWorkflowExecutionsResponse)
_DESCRIBE_RPC: Final = RpcMethod("DomainAPI", api.DescribeDomainRequest, api.DescribeDomainResponse)
_UPDATE_RPC: Final = RpcMethod("DomainAPI", api.UpdateDomainRequest, api.UpdateDomainResponse)
_DEPRECATE_RPC: Final = RpcMethod("DomainAPI", api.DeprecateDomainRequest, api.DeprecateDomainResponse)


class Parameters(msgspec.Struct):
    """As the CLI writes them."""

    domain_name: str = ""
    security_token: str = ""


def checked(given: Any) -> Parameters:
    """The parameters. Raises ValueError where they cannot be carried out."""
    try:
        wanted = msgspec.convert(given, Parameters)
    except msgspec.ValidationError as error:
        raise ValueError(f"the parameters of the deprecation cannot be read: {error}") from None
    if not wanted.domain_name:
        raise ValueError("must provide the domain's name: domain_name")
    if wanted.domain_name == DOMAIN:
        # It would terminate itself half-way.
        raise ValueError(f"{DOMAIN} is where domains are deprecated, and stays")
    return wanted


@workflow.defn(name=WORKFLOW_TYPE)
class DomainDeprecationWorkflow:
    """One domain's deprecation. Its input is {"domain_name", "security_token"}; it has no result."""

    @workflow.run
    async def run(self, given: dict[str, Any]) -> None:
        """Returns when no run of the domain is open. Fails where the domain is unknown, or runs remain after all rounds."""
        try:
            wanted = checked(given)
        except ValueError as error:
            raise ApplicationError(str(error), type=_REFUSED) from None
        await _step("disableArchival", wanted)
        await _step("deprecateDomain", wanted)
        for turn in range(1, ROUNDS + 1):
            await _terminate_open(wanted.domain_name, turn)
            if not await _step("checkOpenWorkflows", wanted):
                return
        raise ApplicationError(f"failed to terminate all workflows after {ROUNDS} attempts", type=_STILL_OPEN)


async def _step(name: str, wanted: Parameters) -> bool:
    found: bool | None = await workflow.execute_activity(
        name,
        msgspec.to_builtins(wanted),
        start_to_close_timeout=_STEP_TIMEOUT,
        schedule_to_start_timeout=_STEP_TIMEOUT,
        heartbeat_timeout=_STEP_TIMEOUT,
        retry_policy=_RETRY,
        result_type=bool | None,
    )
    return bool(found)


async def _terminate_open(domain: str, turn: int) -> None:
    batch = batches.Parameters(
        domain_name=domain,
        query=OPEN,
        reason=REASON,
        batch_type="terminate",
        terminate_params=batches.Children(terminate_children=True),
    )
    await workflow.execute_child(
        batches.BatchWorkflow,
        msgspec.to_builtins(batch),
        id=f"domain-deprecation-batch-{domain}-{workflow.uuid4()}-{turn}",
        execution_timeout=_BATCH_TIMEOUT,
        task_timeout=_STEP_TIMEOUT,
        result_type=dict[str, Any],
    )


class DeprecationActivities:
    """The steps, in whatever domain."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="disableArchival")
    async def disable_archival(self, given: dict[str, Any]) -> None:
        """Of histories and of visibility records."""
        wanted = msgspec.convert(given, Parameters)
        disabled = api.ARCHIVAL_STATUS_DISABLED
        try:
            request = api.DescribeDomainRequest(name=wanted.domain_name)
            described = await self._client.connection.call(_DESCRIBE_RPC, request)
        except EntityNotExistsError as error:
            raise ApplicationError(str(error), type=_UNKNOWN, non_retryable=True) from None
        if described.domain.history_archival_status == described.domain.visibility_archival_status == disabled:
            return
        update = api.UpdateDomainRequest(
            security_token=wanted.security_token,
            name=wanted.domain_name,
            history_archival_status=disabled,
            visibility_archival_status=disabled,
        )
        update.update_mask.paths.extend(["history_archival_status", "visibility_archival_status"])
        await self._client.connection.call(_UPDATE_RPC, update)

    @activity.defn(name="deprecateDomain")
    async def deprecate_domain(self, given: dict[str, Any]) -> None:
        """From now on nothing starts in it."""
        wanted = msgspec.convert(given, Parameters)
        request = api.DeprecateDomainRequest(security_token=wanted.security_token, name=wanted.domain_name)
        await self._client.connection.call(_DEPRECATE_RPC, request)

    @activity.defn(name="checkOpenWorkflows")
    async def check_open_workflows(self, given: dict[str, Any]) -> bool:
        """Whether a run is open yet."""
        wanted = msgspec.convert(given, Parameters)
        request = api.CountWorkflowExecutionsRequest(domain=wanted.domain_name, query=OPEN)
        return (await self._client.connection.call(_COUNT_RPC, request)).count > 0
