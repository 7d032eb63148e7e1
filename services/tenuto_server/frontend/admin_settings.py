"""Settings as operators see them: read, set, taken back, listed, while the cluster runs.

Values and filters travel as JSON. What is set stands in the store over the settings file, and every process takes it
over within a second or two. The "operational" calls are the same over the same settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tenuto_api import admin, api
from tenuto_server.errors import BadRequest
from tenuto_server.frontend.context import FrontendContext, parse
from tenuto_server.transport.public import PublicCall

_VALUE_BYTES_MAX = 64 * 1024


async def get_dynamic_config(frontend: FrontendContext, call: PublicCall) -> bytes:
    """GetDynamicConfig: the value in force under the filters given."""
    request = parse(admin.GetDynamicConfigRequest, call.body)
    filters = dict(_filters(request.filters))
    try:
        value = frontend.dynamic.get(_name(request.config_name), filters)
    except ValueError as error:
        raise BadRequest(_told(error)) from None
    return admin.GetDynamicConfigResponse(value=_blob(value)).SerializeToString()


async def update_dynamic_config(frontend: FrontendContext, call: PublicCall) -> bytes:
    """UpdateDynamicConfig: replaces all values of a name; none: as if never set."""
    request = parse(admin.UpdateDynamicConfigRequest, call.body)
    values = [(_json(one.value, "Value"), _filters(one.filters)) for one in request.config_values]
    try:
        await frontend.dynamic.update(_name(request.config_name), values)
    except ValueError as error:
        raise BadRequest(_told(error)) from None
    return b""


async def restore_dynamic_config(frontend: FrontendContext, call: PublicCall) -> bytes:
    """RestoreDynamicConfig: takes back the value set under exactly these filters; without filters the general one."""
    request = parse(admin.RestoreDynamicConfigRequest, call.body)
    try:
        await frontend.dynamic.restore(_name(request.config_name), _filters(request.filters))
    except ValueError as error:
        raise BadRequest(_told(error)) from None
    return b""


async def list_dynamic_config(frontend: FrontendContext, call: PublicCall) -> bytes:
    """ListDynamicConfig: what operators have set, of one name or (where none is given) of all."""
    request = parse(admin.ListDynamicConfigRequest, call.body)
    try:
        stored = await frontend.dynamic.stored(request.config_name)
    except ValueError as error:
        raise BadRequest(_told(error)) from None
    response = admin.ListDynamicConfigResponse()
    for name, values in sorted(stored.items()):
        entry = response.entries.add(name=name)
        for value, filters in values:
            shown = entry.values.add(value=_blob(value))
            for filter_name, wanted in filters:
                shown.filters.add(name=filter_name, value=_blob(wanted))
    return response.SerializeToString()


def _name(name: str) -> str:
    if not name:
        raise BadRequest("ConfigName is not set on request.")
    return name


def _filters(filters: Iterable[admin.DynamicConfigFilter]) -> list[tuple[str, Any]]:
    return [(one.name, _json(one.value, "Filter value")) for one in filters]


def _json(blob: api.DataBlob, what: str) -> Any:
    if blob.encoding_type not in (api.ENCODING_TYPE_JSON, api.ENCODING_TYPE_INVALID):
        raise BadRequest(f"{what} must be encoded as JSON.")
    if len(blob.data) > _VALUE_BYTES_MAX:
        raise BadRequest(f"{what} is larger than {_VALUE_BYTES_MAX} bytes.")
    try:
        return json.loads(blob.data)
    except (ValueError, RecursionError):
        raise BadRequest(f"{what} is not valid JSON.") from None


def _blob(value: Any) -> api.DataBlob:
    return api.DataBlob(encoding_type=api.ENCODING_TYPE_JSON, data=json.dumps(value).encode())


def _told(error: ValueError) -> str:
    return f"Invalid DynamicConfig: {str(error)[:500]}."
