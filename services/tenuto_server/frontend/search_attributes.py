"""The rule for search attributes that a client sets when it starts a workflow, and how an operator adds keys."""

from __future__ import annotations

import re
from typing import Final

from tenuto_api import admin, api
from tenuto_server.errors import BadRequest
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.transport.public import PublicCall
from tenuto_server.visibility import attributes
from tenuto_server.visibility.attributes import AttributeLimits

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}")
# Words that a query reads as something else.
_WORDS: Final = frozenset(
    {"and", "asc", "between", "by", "desc", "false", "in", "like", "missing", "not", "or", "order", "true"}
)


async def check_search_attributes(frontend: FrontendContext, given: api.SearchAttributes, domain: str) -> None:
    """Registered keys that clients may set, values that are JSON of the key's type, within the domain's
    limits; else `BadRequest`."""
    settings = frontend.live.for_domain(domain)
    limits = AttributeLimits(
        settings.search_attributes_keys_max,
        settings.search_attributes_value_bytes_max,
        settings.search_attributes_bytes_max,
    )
    fault = attributes.fault(given, await frontend.search_attributes.types(given.indexed_fields), limits)
    if fault:
        raise BadRequest(fault)


async def add_search_attribute(frontend: FrontendContext, call: PublicCall) -> bytes:
    """AdminAPI/AddSearchAttribute: registers keys. Doing so again changes nothing; a key keeps its type."""
    request = parse(admin.AddSearchAttributeRequest, call.body)
    if not request.search_attribute:
        raise BadRequest("SearchAttributes are not set in the request.")
    for name, value_type in request.search_attribute.items():
        if name in attributes.SYSTEM:
            raise BadRequest(f"Key [{name}] is reserved by system")
        if not _NAME.fullmatch(name) or name.lower() in _WORDS:
            raise BadRequest(f"Key [{name[:100]}] is not a valid search attribute name")
        if value_type not in attributes.TYPES:
            raise BadRequest(f"Unknown IndexedValueType: {value_type}.")
    await frontend.search_attributes.add({name: int(kind) for name, kind in request.search_attribute.items()})
    return admin.AddSearchAttributeResponse().SerializeToString()
