"""Reading archives: the history of a run that is gone, and lists of closed runs."""

from __future__ import annotations

import json

from tenuto_api import api
from tenuto_server.archival import archive
from tenuto_server.archival.places import ArchiveUnavailable, Place
from tenuto_server.errors import BadRequest, EntityNotExists, ServiceBusy
from tenuto_server.frontend import validation, visibility
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.frontend.limiter import RateClass
from tenuto_server.persistence.rows import UnknownEncoding
from tenuto_server.transport.public import PublicCall

# Clients look for this text.
HISTORY_NOT_FOUND = "Requested workflow history not found, may have passed retention period."
_EVENTS_A_PAGE = 1000
_RUNS_A_PAGE = 1000


async def read_history(
    frontend: FrontendContext, domain: api.Domain, request: api.GetWorkflowExecutionHistoryRequest, gone: EntityNotExists
) -> bytes:
    """The answer for a run that history does not have: from the domain's archive, as the interface has it. Without a run id it
    is `gone`; where the domain never had an archive nobody knows whether the run ever was, and the answer is a BadRequest."""
    run_id, first = _position(request)
    if not run_id:
        raise gone
    if not domain.history_archival_uri:
        raise BadRequest(HISTORY_NOT_FOUND)
    if request.history_event_filter_type == api.EVENT_FILTER_TYPE_CLOSE_EVENT:
        first = 0
    size = request.page_size if 0 < request.page_size <= _EVENTS_A_PAGE else _EVENTS_A_PAGE
    workflow_id = request.workflow_execution.workflow_id
    place = _place(frontend, domain.history_archival_uri)
    try:
        page = await archive.read_history(place, domain.id, workflow_id, run_id, first, size)
    except ArchiveUnavailable as error:
        raise ServiceBusy(f"The archive could not be read: {error}") from None
    except UnknownEncoding as error:
        raise ServiceBusy(str(error)) from None
    except ValueError:
        raise BadRequest(validation.INVALID_PAGE_TOKEN) from None
    if page is None:
        raise EntityNotExists("requested workflow history does not exist")
    response = api.GetWorkflowExecutionHistoryResponse(archived=True)
    response.history.events.extend(page.events)
    response.history.SetInParent()
    if page.next_id:
        response.next_page_token = json.dumps({"archived": run_id, "next": page.next_id}).encode()
    return response.SerializeToString()


def is_archived(token: bytes) -> bool:
    """Whether a page token continues the reading of an archive."""
    return token.startswith(b'{"archived"')


def _position(request: api.GetWorkflowExecutionHistoryRequest) -> tuple[str, int]:
    """Which run, and from which event on. A reading that began before the run was gone goes on in the archive."""
    run_id = request.workflow_execution.run_id
    if not request.next_page_token:
        return run_id, 1
    try:
        token = json.loads(request.next_page_token)
        named, first = (token["archived"], token["next"]) if isinstance(token, dict) else token[:2]
        if not isinstance(named, str) or type(first) is not int or first < 1 or (run_id and named != run_id):
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BadRequest(validation.INVALID_PAGE_TOKEN) from None
    validation.check_run_id(named)
    return named, first


async def list_archived_workflow_executions(frontend: FrontendContext, call: PublicCall) -> bytes:
    """Closed runs in the domain's archive that a query finds, those that closed last first."""
    request = parse(api.ListArchivedWorkflowExecutionsRequest, call.body)
    if not request.domain:
        raise BadRequest(validation.DOMAIN_NOT_SET)
    domain = await frontend.domain(request.domain, RateClass.VISIBILITY)
    if not domain.visibility_archival_uri:
        raise BadRequest("Domain is not configured for visibility archival")
    asked = await visibility.query_of(frontend, request.query, domain)
    size = request.page_size if 0 < request.page_size <= _RUNS_A_PAGE else _RUNS_A_PAGE
    try:
        records, token = await archive.list_records(
            _place(frontend, domain.visibility_archival_uri), asked, size, request.next_page_token
        )
    except ArchiveUnavailable as error:
        raise ServiceBusy(f"The archive could not be read: {error}") from None
    except UnknownEncoding as error:
        raise ServiceBusy(str(error)) from None
    except ValueError:
        raise BadRequest(validation.INVALID_PAGE_TOKEN) from None
    response = api.ListArchivedWorkflowExecutionsResponse(next_page_token=token)
    for record in records:
        visibility.fill_info(response.executions.add(), record, domain.name)
    return response.SerializeToString()


def _place(frontend: FrontendContext, uri: str) -> Place:
    try:
        return frontend.places.at(uri)
    except (ArchiveUnavailable, ValueError) as error:
        raise BadRequest(str(error)) from None
