"""A domain's setting for asynchronous requests, as administrators see it. The RPCs' spelling is the interface's own."""

from __future__ import annotations

from tenuto_api import admin, api
from tenuto_server.errors import BadRequest
from tenuto_server.frontend import validation
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.transport.public import PublicCall


async def get_domain_async_workflow_configuraton(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Without a configuration where the domain has none."""
    request = parse(admin.GetDomainAsyncWorkflowConfiguratonRequest, call.body)
    _check_name(frontend, request.domain)
    domain = await frontend.domains.by_name(request.domain)
    response = admin.GetDomainAsyncWorkflowConfiguratonResponse()
    if domain.HasField("async_workflow_config"):
        response.configuration.CopyFrom(domain.async_workflow_config)
    return response.SerializeToString()


async def update_domain_async_workflow_configuraton(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Replaces the setting; a request without one takes it away. The queue is the history service's own, whatever queue the
    configuration names: only `enabled` decides."""
    request = parse(admin.UpdateDomainAsyncWorkflowConfiguratonRequest, call.body)
    _check_name(frontend, request.domain)
    configuration = request.configuration
    limits = frontend.limits
    validation.check_length(configuration.predefined_queue_name, "PredefinedQueueName", limits)
    validation.check_length(configuration.queue_type, "QueueType", limits)
    if configuration.ByteSize() > limits.domain_data_bytes_max:
        raise BadRequest("The configuration is too large.")
    if configuration.HasField("queue_config"):
        validation.check_enum(configuration.queue_config.encoding_type, api.EncodingType, "EncodingType")

    def change(domain: api.Domain) -> api.Domain:
        domain.ClearField("async_workflow_config")
        if request.HasField("configuration"):
            domain.async_workflow_config.CopyFrom(configuration)
        return domain

    await frontend.registry.update(request.domain, change)
    return b""


def _check_name(frontend: FrontendContext, name: str) -> None:
    if not name:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    validation.check_length(name, "Domain", frontend.limits)
