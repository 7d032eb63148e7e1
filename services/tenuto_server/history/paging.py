"""The page token of history reads: which run, and where to go on."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import NamedTuple

from tenuto_server import errors


class PageToken(NamedTuple):
    """`next_id` is the first event not yet answered. Pages run up to `until` (exclusive); a long poll goes on beyond it
    while `is_polling`. `extra` are encoded events that end the last page: those of a transient decision."""

    run_id: str
    next_id: int
    until: int
    is_polling: bool
    extra: Sequence[bytes] = ()


def encode(token: PageToken) -> bytes:
    """The token as opaque bytes."""
    extra = [base64.b64encode(frame).decode() for frame in token.extra]
    return json.dumps([token.run_id, token.next_id, token.until, token.is_polling, extra]).encode()


def decode(data: bytes) -> PageToken:
    """The token that was sent out. Raises BadRequest for anything else."""
    try:
        run_id, next_id, until, is_polling, extra = json.loads(data)
        frames = [base64.b64decode(frame, validate=True) for frame in extra]
        if not (isinstance(run_id, str) and type(next_id) is int and type(until) is int and 0 < next_id <= until):
            raise ValueError("values out of range")
    except (ValueError, TypeError, RecursionError) as error:
        raise errors.BadRequest("Invalid NextPageToken.") from error
    return PageToken(run_id, next_id, until, bool(is_polling), frames)
