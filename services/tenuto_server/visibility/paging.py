"""Page tokens of lists: the place of a page's last run in the order, bound to the query.

As the place is a value and not a count, a run that does not change is on exactly one page, whatever comes and goes
meanwhile. A token of another query is refused, for its place would mean nothing.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import msgspec

from tenuto_server.visibility.attributes import BOOL, DATETIME, DOUBLE, INT, KEYWORD, STRING, Scalar
from tenuto_server.visibility.tree import Query

_VERSION: Final = 1
_DIGEST_BYTES: Final = 12
_INT64: Final = 1 << 63
# A page ends where its records reach this size: the gRPC libraries of clients take messages of 4 MiB unless told
# otherwise.
PAGE_BYTES_MAX: Final = 3 * 1024 * 1024

Position = tuple[Scalar | None, str]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, bytes, str | int | float | None, str]).decode


def digest(query: Query) -> bytes:
    """What tells one query from another."""
    return blake2b(_encode(query), digest_size=_DIGEST_BYTES).digest()


def encode_token(query: Query, value: Scalar | None, run_id: str) -> bytes:
    """The token of the page after this run."""
    return _encode((_VERSION, digest(query), value, run_id))


def decode_token(query: Query, token: bytes) -> Position | None:
    """Where the page begins, None for an empty token: at the beginning. Raises ValueError for a token that is not one of
    this query."""
    if not token:
        return None
    try:
        version, bound_to, value, run_id = _decode(token)
    except msgspec.MsgspecError as error:
        raise ValueError("not a page token of this list") from error
    if version != _VERSION or bound_to != digest(query) or not _fits(value, query.order.field.type):
        raise ValueError("not a page token of this list")
    return value, run_id


def _fits(value: Scalar | None, value_type: int) -> bool:
    if value is None:
        return True
    if isinstance(value, float):
        return value_type == DOUBLE
    if isinstance(value, int):
        return value_type in (INT, BOOL, DATETIME, DOUBLE) and -_INT64 <= value < _INT64
    return value_type in (STRING, KEYWORD)
