"""The public interface over HTTP/1.1 with JSON, as Cadence serves it by an HTTP inbound of yarpc.

A call is a POST whose headers say what is meant: `Rpc-Procedure` (package.Service::Method), `Rpc-Encoding`, `Context-TTL-MS`, and
`Rpc-Service` and `Rpc-Caller`, which may be left out here as they may with gRPC. Headers that begin with `Rpc-Header-` are
the call's own, without that beginning. The body is the request message in protobuf's JSON form (or its bytes, where the
encoding is `proto`), and so is the answer's. An error has the HTTP status that yarpc gives its code, the code's name and the
detail's name in headers, and its text as the body; who sends `Rpc-Accepts-Both-Response-Error: true` gets the text in a header,
and in the body a google.rpc.Status with the detail.

It is one more acceptor of the same handler as gRPC's. The deadline is enforced here, since a caller over HTTP does not do it.
Unlike yarpc it refuses fields that the interface does not have: requests are written by hand, and a slip should be seen.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2  # type: ignore[import-untyped]

from tenuto_api.uber.cadence.admin.v1 import service_pb2 as admin_service
from tenuto_api.uber.cadence.api.v1 import (
    service_domain_pb2,
    service_meta_pb2,
    service_schedule_pb2,
    service_visibility_pb2,
    service_worker_pb2,
    service_workflow_pb2,
)
from tenuto_server import errors
from tenuto_server.telemetry import tracing
from tenuto_server.telemetry.measures import Family, gauge
from tenuto_server.transport.http1 import Answer, HttpServer, Limits, Request
from tenuto_server.transport.public import PublicCall, PublicHandler
from tenuto_server.transport.settings import HttpApiSettings

log = logging.getLogger(__name__)

SERVICE: Final = "cadence-frontend"
JSON, PROTO = "json", "proto"
_CONTENT_TYPES: Final = {JSON: "application/json", PROTO: "application/x-protobuf"}
_ERROR_TYPE: Final = "text/plain; charset=utf8"
_OWN_HEADER: Final = "rpc-header-"
# A call's own limits are far below; this keeps numbers within what a loop's clock can hold.
_TTL_MS_MAX: Final = 24 * 3600 * 1000
# Turning large messages into JSON and back takes so long that other calls would wait for it.
_INLINE_BYTES_MAX: Final = 64 * 1024
_TEXT_MAX: Final = 2000
# What error texts quote of what was sent.
_QUOTED_MAX: Final = 200

# Both alphabets, with or without padding, as protobuf's JSON form has it.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")

# gRPC status to yarpc's name of it, and its HTTP status.
_CODES: Final[Mapping[int, tuple[str, int]]] = {
    errors.CANCELLED: ("cancelled", 499),
    errors.INVALID_ARGUMENT: ("invalid-argument", 400),
    errors.DEADLINE_EXCEEDED: ("deadline-exceeded", 504),
    errors.NOT_FOUND: ("not-found", 404),
    errors.ALREADY_EXISTS: ("already-exists", 409),
    errors.PERMISSION_DENIED: ("permission-denied", 403),
    errors.RESOURCE_EXHAUSTED: ("resource-exhausted", 429),
    errors.FAILED_PRECONDITION: ("failed-precondition", 400),
    errors.ABORTED: ("aborted", 409),
    errors.UNIMPLEMENTED: ("unimplemented", 501),
    errors.INTERNAL: ("internal", 500),
    errors.UNAVAILABLE: ("unavailable", 503),
    errors.DATA_LOSS: ("data-loss", 500),
}
_UNKNOWN: Final = ("unknown", 500)


class Procedure(NamedTuple):
    """One call: its path in gRPC, and its messages."""

    path: str
    request: type[Message]
    response: type[Message]


_PUBLIC = (
    service_domain_pb2, service_workflow_pb2, service_worker_pb2, service_visibility_pb2, service_schedule_pb2, service_meta_pb2,
)  # fmt: skip


def _procedures(modules: Sequence[object]) -> dict[str, Procedure]:
    return {
        f"{service.full_name}::{method.name}": Procedure(
            f"{service.full_name}/{method.name}", GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        )
        for module in modules
        for service in module.DESCRIPTOR.services_by_name.values()  # type: ignore[attr-defined]
        for method in service.methods
    }


PROCEDURES: Final = _procedures(_PUBLIC)
ALL_PROCEDURES: Final = {**PROCEDURES, **_procedures((admin_service,))}


def unknown_procedures(names: Sequence[str]) -> list[str]:
    """Those of `names` that are no calls of the interface."""
    return [name for name in names if name not in ALL_PROCEDURES]


class HttpAcceptor:
    """Serves a handler over HTTP; `address` has the real port after the start."""

    def __init__(self, handler: PublicHandler, settings: HttpApiSettings) -> None:
        self._handler = handler
        self._settings = settings
        self.address = settings.address
        wanted = settings.procedures
        self._procedures = {name: ALL_PROCEDURES[name] for name in wanted if name in ALL_PROCEDURES} if wanted else PROCEDURES
        self._http = HttpServer(self._answer, self._limits)
        self._calls = 0
        # One at a time: Python runs no two of them at once anyway.
        self._converter = ThreadPoolExecutor(1, "http-json")

    async def start(self) -> None:
        """Listens. Raises OSError where the address cannot be had, ValueError where it is none."""
        self.address = await self._http.start(self._settings.address, reuse_port=self._settings.reuse_port)
        log.info("public interface over HTTP at http://%s", self.address)

    async def stop(self) -> None:
        """Takes no more calls, lets those under way end within the grace, then cancels them."""
        await self._http.stop(self._settings.stop_grace_s)
        self._converter.shutdown(wait=False, cancel_futures=True)

    def measures(self) -> Iterator[Family]:
        """What this door shows of itself."""
        yield gauge("tenuto_http_connections", "Connections to the HTTP interface.", len(self._http.connections))
        yield gauge("tenuto_http_calls", "Calls over HTTP under way.", self._calls)

    def _limits(self) -> Limits:
        settings = self._settings
        return Limits(
            connections_max=settings.connections_max,
            header_bytes_max=settings.header_bytes_max,
            body_bytes_max=settings.receive_bytes_max,
            request_s=settings.request_s,
            idle_s=settings.idle_s,
        )

    # --- a call -------------------------------------------------------------------------------------------------------
    async def _answer(self, request: Request) -> Answer:
        headers = dict(request.headers)
        own = len(_OWN_HEADER)
        headers.update([(name[own:], value) for name, value in request.headers if name.startswith(_OWN_HEADER)])
        self._calls += 1
        try:
            body = await self._call(request, headers)
        except errors.ServiceError as error:
            return _failed(error, headers)
        finally:
            self._calls -= 1
        return Answer(200, body, _CONTENT_TYPES[_encoding(headers)], _rpc_headers("success", headers))

    async def _call(self, request: Request, headers: Mapping[str, str]) -> bytes:
        """The answer's body; ServiceError for every other outcome."""
        procedure = self._find(request, headers)
        encoding, deadline = _encoding(headers), _deadline(headers)
        if self._calls > self._settings.calls_under_way_max:
            raise errors.ServiceBusy("too many calls under way")
        tracing.carry(headers.get("traceparent", ""))
        time_left = asyncio.timeout_at(deadline)
        try:
            async with time_left:
                body = request.body
                if encoding == JSON and body:
                    body = await self._convert(_from_json, body, procedure.request)
                answer = await self._handler(PublicCall(procedure.path, headers, deadline, body))
                if len(answer) > self._settings.send_bytes_max:
                    raise errors.ServiceError("response message is too large", status=errors.RESOURCE_EXHAUSTED)
                if encoding == JSON:
                    answer = await self._convert(_to_json, answer, procedure.response)
                return answer
        except errors.ServiceError:
            raise
        except asyncio.CancelledError:
            # The caller has gone and reads no answer, the server stops, or the handler awaited what was cancelled on its side.
            raise errors.Unavailable("the call was cancelled by the server") from None
        except Exception as error:
            if isinstance(error, TimeoutError) and time_left.expired():
                raise errors.DeadlineExceeded("the call's time (Context-TTL-MS) ran out before there was an answer") from None
            log.exception("handler of %s failed", procedure.path)
            raise errors.InternalService("internal error") from None

    def _find(self, request: Request, headers: Mapping[str, str]) -> Procedure:
        """What is called."""
        if request.method != "POST":
            raise errors.ServiceError(
                f"request method was {request.method[:_QUOTED_MAX]} but only POST is allowed", status=errors.NOT_FOUND
            )
        name, service = headers.get("rpc-procedure", ""), headers.get("rpc-service", SERVICE)
        if not name:
            raise errors.BadRequest("missing procedure: the header Rpc-Procedure names it, as package.Service::Method")
        if service != SERVICE:
            raise errors.Unimplemented(f'unrecognized service name "{service[:_QUOTED_MAX]}", available services: "{SERVICE}"')
        found = self._procedures.get(name)
        if found is None and name in ALL_PROCEDURES:
            raise errors.ServiceError(f'procedure "{name}" is not served over HTTP by this server', status=errors.NOT_FOUND)
        if found is None:
            raise errors.Unimplemented(f'unrecognized procedure "{name[:_QUOTED_MAX]}" for service "{SERVICE}"')
        return found

    async def _convert(self, convert: Callable[[bytes, type[Message]], bytes], body: bytes, kind: type[Message]) -> bytes:
        if len(body) <= _INLINE_BYTES_MAX:
            return convert(body, kind)
        return await asyncio.get_running_loop().run_in_executor(self._converter, convert, body, kind)


# --- headers ----------------------------------------------------------------------------------------------------------
def _encoding(headers: Mapping[str, str]) -> str:
    encoding = headers.get("rpc-encoding", JSON)
    if encoding not in _CONTENT_TYPES:
        raise errors.BadRequest(f'expected encoding "{JSON}" or "{PROTO}" but got "{encoding[:_QUOTED_MAX]}"')
    return encoding


def _deadline(headers: Mapping[str, str]) -> float | None:
    """Until when the caller waits, in the loop's time; None where it does not say."""
    text = headers.get("context-ttl-ms")
    if text is None:
        return None
    if not text.isdecimal() or not text.isascii():
        raise errors.BadRequest(f'invalid Context-TTL-MS "{text[:_QUOTED_MAX]}": it is a number of milliseconds')
    # Leading zeros and endless digits are not worth an int() of any length.
    digits = text.lstrip("0")
    if not digits:
        raise errors.DeadlineExceeded("Context-TTL-MS is 0: there is no time for an answer")
    milliseconds = min(int(digits[:20]), _TTL_MS_MAX)
    return asyncio.get_running_loop().time() + milliseconds / 1000


def _rpc_headers(status: str, headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    """Those of every answer; the service is echoed as it was sent."""
    service = headers.get("rpc-service")
    said = ((b"rpc-status", status.encode("ascii")),)
    return said if service is None else (*said, (b"rpc-service", service.encode("latin-1")))


def _header_value(text: str) -> bytes:
    """A text as a header's value: in UTF-8, in one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_TEXT_MAX]).split()).encode()


def _failed(error: errors.ServiceError, headers: Mapping[str, str]) -> Answer:
    code, status = _CODES.get(error.status, _UNKNOWN)
    more: list[tuple[bytes, bytes]] = [(b"rpc-error-code", code.encode("ascii"))]
    if error.detail is not None:
        more.append((b"rpc-application-error-name", error.detail_name.encode("ascii")))
    if headers.get("rpc-accepts-both-response-error") != "true":
        body, content_type = f"{error.message}\n".encode(), _ERROR_TYPE
    else:
        more += [(b"rpc-both-response-error", b"true"), (b"rpc-error-message", _header_value(error.message))]
        encoding = PROTO if headers.get("rpc-encoding") == PROTO else JSON
        body, content_type = error.status_details(), _CONTENT_TYPES[encoding]
        if body and encoding == JSON:
            body = _to_json(body, status_pb2.Status)
    return Answer(status, body, content_type, (*_rpc_headers("error", headers), *more))


# --- messages ---------------------------------------------------------------------------------------------------------
def _from_json(body: bytes, kind: type[Message]) -> bytes:
    """The message's bytes; BadRequest where the text is no such message."""
    try:
        values = json.loads(body, object_pairs_hook=_once_each, parse_constant=_no_number)
        message = json_format.ParseDict(values, kind())
        _check_base64(values, cast("Descriptor", kind.DESCRIPTOR))
        return message.SerializeToString()
    except Exception as error:  # noqa: BLE001 what the parser stumbles over, in whatever way, is what the client wrote
        text = f"{error}"[:_TEXT_MAX] or type(error).__name__
        raise errors.BadRequest(f"failed to decode the request body as JSON of {kind.DESCRIPTOR.name}: {text}") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name is there twice")
    return values


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _check_base64(values: Mapping[str, Any], kind: Descriptor) -> None:
    """Raises ValueError where a field of bytes is not in base64: protobuf's reader skips what does not belong there, and a
    payload written as plain text would become another one. `values` are of this kind for all else."""
    for name, value in values.items():
        field = kind.fields_by_camelcase_name.get(name) or kind.fields_by_name.get(name)
        if field is None or value is None:
            continue
        found = value if isinstance(value, list) else (value,)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            field, found = field.message_type.fields_by_name["value"], tuple(value.values())
        if field.type == FieldDescriptor.TYPE_BYTES:
            for text in found:
                if not _BASE64.fullmatch(text) or len(text.rstrip("=")) % 4 == 1:
                    raise ValueError(f"{name} is not base64")
        elif field.message_type is not None:
            for inner in found:
                if isinstance(inner, dict):
                    _check_base64(inner, field.message_type)


def _to_json(body: bytes, kind: type[Message]) -> bytes:
    message = kind.FromString(body)
    try:
        values = json_format.MessageToDict(message)
    except Exception as error:  # noqa: BLE001 values that some client could send in bytes, such as a time in the year 100000
        raise errors.BadRequest(f'the response has no JSON form ({error}); ask with "Rpc-Encoding: {PROTO}"') from None
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
