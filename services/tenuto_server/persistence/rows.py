"""How stored values and keys are made of bytes: an encoding version in front of every value, keys that sort as what
they name.

Every value that is stored begins with one byte, the version of its encoding; a reader that does not know the version
says so (`UnknownEncoding`) instead of misreading. Ids come from users and may hold any character, so joining them
escapes."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Final

import msgspec

from tenuto_server.visibility.records import VisibilityRecord

INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1

_INT_KEY: Final = struct.Struct(">Q")


class UnknownEncoding(Exception):
    """A stored value is in an encoding that this version of the program does not know, or in none."""


def pack(version: int, data: bytes) -> bytes:
    """The value to store: `version` (1 to 255) as one byte, then `data`."""
    if not 1 <= version <= 255:
        raise ValueError(f"an encoding version is between 1 and 255, not {version}")
    return bytes((version,)) + data


def unpack(value: bytes, what: str = "stored value", newest: int = 255) -> tuple[int, memoryview]:
    """The version and the data of a stored value, without copying. `what` names it in the error, `newest` is the newest
    version that the caller reads. Raises `UnknownEncoding`."""
    if not value or value[0] == 0:
        raise UnknownEncoding(f"{what} carries no encoding version")
    version = value[0]
    if version > newest:
        raise UnknownEncoding(f"{what} is in encoding {version}, and this program knows up to {newest}: a newer one wrote it")
    return version, memoryview(value)[1:]


def int_key(number: int) -> bytes:
    """A 64-bit signed integer as eight bytes that sort as the numbers do."""
    return _INT_KEY.pack(number - INT64_MIN)


def int_of_key(key: bytes, offset: int = 0) -> int:
    """The number whose `int_key` stands at `offset`."""
    number: int = _INT_KEY.unpack_from(key, offset)[0]
    return number + INT64_MIN


def join_ids(*ids: str) -> str:
    """Ids joined by "/" into one text, for partitions and compare-and-set keys; different ids never give the same
    text."""
    return "/".join([_escape_id(one) for one in ids])


def split_ids(joined: str) -> list[str]:
    """The ids that `join_ids` joined."""
    return [_unescape_id(one) for one in joined.split("/")]


def _escape_id(one: str) -> str:
    if "%" in one:
        one = one.replace("%", "%25")
    if "/" in one:
        one = one.replace("/", "%2F")
    if "\0" in one:
        one = one.replace("\0", "%00")
    return one


def _unescape_id(one: str) -> str:
    if "%" not in one:
        return one
    return one.replace("%00", "\0").replace("%2F", "/").replace("%25", "%")


# A part of a joined key ends in END; a NUL within it is written as NUL_WITHIN. As END sorts before anything that can
# follow within a part, joined keys sort as their tuples of parts.
_END: Final = b"\x00\x01"
_NUL_WITHIN: Final = b"\x00\xff"


def join_key(parts: Iterable[bytes]) -> bytes:
    """Parts joined into one key; keys sort as the tuples of their parts, and a tuple's key begins with its prefixes'
    keys."""
    return b"".join([part.replace(b"\x00", _NUL_WITHIN) + _END for part in parts])


def split_key(key: bytes) -> list[bytes]:
    """The parts that `join_key` joined. Raises ValueError for a key that it did not make."""
    if not key:
        return []
    if not key.endswith(_END):
        raise ValueError("not a joined key")
    return [part.replace(_NUL_WITHIN, b"\x00") for part in key[: -len(_END)].split(_END)]


# --- visibility -------------------------------------------------------------------------------------------------------
_VISIBILITY_ENCODING: Final = 1
_visibility_fields = attrgetter(*(field.name for field in fields(VisibilityRecord)))
_encode = msgspec.msgpack.Encoder().encode
_decode_fields = msgspec.msgpack.Decoder(
    tuple[str, str, str, str, str, int, int, int, int, int, bool, str, bytes, bytes, str, str, int, int, int]
).decode


def encode_visibility(record: VisibilityRecord) -> bytes:
    """The whole record as a value to store."""
    return pack(_VISIBILITY_ENCODING, _encode(_visibility_fields(record)))


def decode_visibility(value: bytes) -> VisibilityRecord:
    """The record that `encode_visibility` wrote. Raises `UnknownEncoding`."""
    _, data = unpack(value, "visibility record", _VISIBILITY_ENCODING)
    return VisibilityRecord(*_decode_fields(data))
