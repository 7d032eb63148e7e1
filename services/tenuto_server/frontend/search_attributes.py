"""The rule for search attributes that a client sets when it starts a workflow."""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.errors import BadRequest
from tenuto_server.visibility import attributes


def check_search_attributes(given: api.SearchAttributes) -> None:
    """Known keys that clients may set, values that are JSON of the key's type, within the limits; else `BadRequest`."""
    fault = attributes.fault(given, attributes.DEFAULT, attributes.AttributeLimits())
    if fault:
        raise BadRequest(fault)
