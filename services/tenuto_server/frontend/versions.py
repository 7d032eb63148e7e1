"""What a client says of itself in its headers, and what it may be sent because of that. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tenuto_server.errors import ClientVersionNotSupported, ServiceError, WorkflowAlreadyCompleted

NAME_HEADER = "cadence-client-name"
FEATURE_VERSION_HEADER = "cadence-client-feature-version"
FEATURE_FLAGS_HEADER = "cadence-client-feature-flags"

CALLER_TYPE_HEADER = "cadence-caller-type"

GO_SUPPORTED = "1.7.0"
JAVA_SUPPORTED = "1.5.0"
CLI_SUPPORTED = "1.7.0"

_COMPLETED_FLAG = "workflowexecutionalreadycompletederrorenabled"
# The feature version from which a client knows WorkflowExecutionAlreadyCompletedError, by the client's name.
_COMPLETED_SINCE = {"uber-go": (1, 7, 0), "cli": (1, 7, 0), "uber-java": (1, 4, 0)}


# The newest feature version that this server knows, by the client's name.
_SUPPORTED = {"uber-go": GO_SUPPORTED, "uber-java": JAVA_SUPPORTED, "cli": CLI_SUPPORTED}
# Calls that any client may make.
UNCHECKED = frozenset(
    (
        "uber.cadence.api.v1.MetaAPI/Health",
        "uber.cadence.api.v1.WorkflowAPI/GetClusterInfo",
        "grpc.health.v1.Health/Check",
    )
)


def check_version(headers: Mapping[str, str]) -> None:
    """Raises `ClientVersionNotSupported` for a known client that is newer than this server. A client without name or
    version, or with a name that is not known, passes; a version that cannot be read does not."""
    name, text = headers.get(NAME_HEADER, ""), headers.get(FEATURE_VERSION_HEADER, "")
    supported = _SUPPORTED.get(name)
    if supported is None or not text:
        return
    version, newest = parse_version(text), parse_version(supported)
    assert newest is not None
    if version is None or version > newest:
        raise ClientVersionNotSupported("Client version is not supported.", text[:100], name, f"<={supported}")


def for_client(error: ServiceError, headers: Mapping[str, str]) -> ServiceError:
    """The error as this client can read it: "already completed" is sent to those only that asked for it by feature
    flag and are new enough, all others get EntityNotExists with the text that Java clients look for."""
    if isinstance(error, WorkflowAlreadyCompleted) and not _knows_already_completed(headers):
        return error.downgraded()
    return error


def _knows_already_completed(headers: Mapping[str, str]) -> bool:
    since = _COMPLETED_SINCE.get(headers.get(NAME_HEADER, ""))
    if since is None:
        return False
    version = parse_version(headers.get(FEATURE_VERSION_HEADER, ""))
    return version is not None and version >= since and _flag(headers.get(FEATURE_FLAGS_HEADER, ""), _COMPLETED_FLAG)


def parse_version(text: str) -> tuple[int, int, int] | None:
    """(major, minor, patch) of "1.7.0"; None where the text is not such a version. What follows "-" or "+" is
    dropped."""
    parts = text.partition("+")[0].partition("-")[0].split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        return None
    major, minor, patch = (int(part) for part in parts)
    return major, minor, patch


def _flag(flags: str, name: str) -> bool:
    """A flag of the JSON object in the header; the case of its name does not matter (as for Go's reader), and a header
    that cannot be read sets nothing."""
    if not flags:
        return False
    try:
        parsed = json.loads(flags)
    except (ValueError, RecursionError):
        return False
    return isinstance(parsed, dict) and any(key.lower() == name and value is True for key, value in parsed.items())
