"""DiagnoseWorkflowExecution: starts the workflow that reads another one's history and says what is wrong with it."""

from __future__ import annotations

import json

from tenuto_api import api
from tenuto_server.errors import BadRequest, WorkflowAlreadyStarted
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.rules import diagnostics
from tenuto_server.transport.public import PublicCall


async def diagnose_workflow_execution(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Answers the diagnosis' own execution, whose result will be the findings; the one that is under way, if one is."""
    request = parse(api.DiagnoseWorkflowExecutionRequest, call.body)
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    execution = request.workflow_execution
    limits = frontend.limits_for(request.domain)
    validation.check_execution(execution, request.HasField("workflow_execution"), limits)
    validation.check_length(request.identity, "Identity", limits)
    domain = await frontend.domain(request.domain, RateClass.USER)
    describe = api.DescribeWorkflowExecutionRequest(domain=request.domain, workflow_execution=execution)
    body = await frontend.call_history(
        call, "DescribeWorkflowExecution", domain.id, execution.workflow_id, describe.SerializeToString()
    )
    described = api.DescribeWorkflowExecutionResponse.FromString(body)
    run = described.workflow_execution_info.workflow_execution
    system = await frontend.domain(diagnostics.DOMAIN, RateClass.USER)
    workflow_id = diagnostics.workflow_id(request.domain, run.run_id)
    start = api.StartWorkflowExecutionRequest(
        domain=diagnostics.DOMAIN,
        workflow_id=workflow_id,
        workflow_type=api.WorkflowType(name=diagnostics.WORKFLOW_TYPE),
        task_list=api.TaskList(name=diagnostics.TASK_LIST),
        request_id=frontend.runtime.new_id(),
        identity=request.identity,
        workflow_id_reuse_policy=api.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    )
    start.execution_start_to_close_timeout.seconds = diagnostics.EXECUTION_TIMEOUT_S
    start.task_start_to_close_timeout.seconds = diagnostics.DECISION_TIMEOUT_S
    given = {
        "Domain": request.domain,
        "Identity": request.identity,
        "WorkflowID": run.workflow_id,
        "RunID": run.run_id,
    }
    start.input.data = json.dumps(given).encode()
    response = api.DiagnoseWorkflowExecutionResponse(domain=diagnostics.DOMAIN)
    response.diagnostic_workflow_execution.workflow_id = workflow_id
    try:
        body = await frontend.call_history(
            call, "StartWorkflowExecution", system.id, workflow_id, start.SerializeToString()
        )
        run_id = api.StartWorkflowExecutionResponse.FromString(body).run_id
    except WorkflowAlreadyStarted as error:
        detail = error.detail
        run_id = detail.run_id if isinstance(detail, api.WorkflowExecutionAlreadyStartedError) else ""
    response.diagnostic_workflow_execution.run_id = run_id
    return response.SerializeToString()
