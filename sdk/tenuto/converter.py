"""Values to payloads and back: JSON values each followed by a newline, as Cadence's Go client writes them.

Several arguments make one payload. Any whitespace between the values is read. As in Go, one bytes argument alone is its
own payload. A team's own encoding is any object with the two methods of `DataConverter`; one that is no subclass of JSON is fine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from tenuto._json_types import decoder_for, encode_special
from tenuto.errors import PayloadError

__all__ = ["DataConverter", "JsonConverter", "default_converter"]

_WHITESPACE = " \t\r\n"


class DataConverter(Protocol):
    """Turns arguments and results into payload bytes and back. Must give the same bytes for the same values."""

    def to_payload(self, values: Sequence[Any]) -> bytes:
        """The payload of these values; raises PayloadError where one cannot be written."""

    def from_payload(self, data: bytes, types: Sequence[Any]) -> list[Any]:
        """The values of a payload, as many as it holds; value i as `types[i]` where given. Raises PayloadError."""


class JsonConverter:
    """The default converter."""

    def __init__(self) -> None:
        self._encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=encode_special)
        self._decoder = json.JSONDecoder()

    def to_payload(self, values: Sequence[Any]) -> bytes:
        """See `DataConverter`."""
        if len(values) == 1 and isinstance(values[0], bytes):
            return values[0]
        try:
            return "".join([self._encoder.encode(value) + "\n" for value in values]).encode()
        except (TypeError, ValueError) as error:
            raise PayloadError(str(error)) from error

    def from_payload(self, data: bytes, types: Sequence[Any]) -> list[Any]:
        """See `DataConverter`."""
        if len(types) == 1 and types[0] is bytes:
            return [data]
        try:
            text = data.decode()
            values: list[Any] = []
            position, end = 0, len(text)
            while True:
                while position < end and text[position] in _WHITESPACE:
                    position += 1
                if position == end:
                    return values
                value, position = self._decoder.raw_decode(text, position)
                values.append(decoder_for(types[len(values)])(value) if len(values) < len(types) else value)
        except PayloadError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PayloadError(f"payload {data[:100]!r} does not fit {list(types)}: {error}") from error


def json_bytes(value: Any) -> bytes:
    """One value as bare JSON without a newline: search attributes travel so."""
    return json.dumps(value, separators=(",", ":"), default=encode_special).encode()


default_converter: DataConverter = JsonConverter()
