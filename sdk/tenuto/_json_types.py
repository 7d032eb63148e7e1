"""Typed JSON: builds, once for each type, the function that turns a parsed JSON value into a value of that type."""

from __future__ import annotations

import base64
import collections.abc
import dataclasses
import enum
import functools
import sys
import types
import typing
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tenuto.errors import PayloadError

Decoder = Callable[[Any], Any]
NANOSECONDS_A_MICROSECOND = 1000


def _same(value: Any) -> Any:
    return value


def encode_special(value: Any) -> Any:
    """json's `default` hook: one level of what JSON itself does not know. Raises TypeError for the rest.

    timedelta is an int of nanoseconds, as Go writes time.Duration; bytes are base64 text, as Go writes []byte.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        text = (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).isoformat()
        return text.replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return (value // timedelta(microseconds=1)) * NANOSECONDS_A_MICROSECOND
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, uuid.UUID | Decimal):
        return str(value)
    if isinstance(value, set | frozenset | collections.abc.ValuesView | collections.abc.KeysView):
        return list(value)
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json")
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


@functools.lru_cache(maxsize=4096)
def _cached_decoder(hint: Any) -> Decoder:
    return _build(hint)


def decoder_for(hint: Any) -> Decoder:
    """The function from parsed JSON to a value of type `hint`; values of unknown types pass as they are."""
    try:
        return _cached_decoder(hint)
    except TypeError:  # an unhashable hint, as in Annotated[x, []]
        return _build(hint)


def _build(hint: Any) -> Decoder:
    simple = _SIMPLE.get(hint) if isinstance(hint, type) else None
    if simple is not None:
        return simple
    origin = typing.get_origin(hint)
    if origin is not None:
        return _build_generic(hint, origin, typing.get_args(hint))
    if hint is None or hint is type(None):
        return _same
    if isinstance(hint, typing.TypeVar) or not isinstance(hint, type):
        return _build(hint.__supertype__) if isinstance(hint, typing.NewType) else _same
    if issubclass(hint, enum.Enum):
        return hint
    if dataclasses.is_dataclass(hint):
        return _build_dataclass(hint)
    if hasattr(hint, "model_validate"):  # a pydantic model
        return typing.cast(Decoder, hint.model_validate)
    if issubclass(hint, tuple) and hasattr(hint, "_fields"):
        return _build_named_tuple(hint)
    if typing.is_typeddict(hint):
        return _build_typed_dict(hint)
    return _same


def _build_generic(hint: Any, origin: Any, arguments: tuple[Any, ...]) -> Decoder:
    if origin is typing.Annotated or origin in (typing.Final, typing.ClassVar, typing.Required, typing.NotRequired):
        return decoder_for(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return _build_union(arguments)
    if origin is tuple:
        return _build_tuple(arguments)
    if isinstance(origin, type) and issubclass(origin, collections.abc.Mapping):
        return _build_mapping(arguments)
    if isinstance(origin, type) and issubclass(origin, collections.abc.Collection):
        container: Callable[[list[Any]], Any] = origin if origin in (set, frozenset, collections.deque) else list
        item = decoder_for(arguments[0]) if arguments else _same
        if item is _same:
            return _same if container is list else container
        return lambda values: container([item(value) for value in values])
    if isinstance(origin, type) and dataclasses.is_dataclass(origin):
        return _build_dataclass(origin)
    if isinstance(origin, type) and hasattr(hint, "model_validate"):
        return typing.cast(Decoder, hint.model_validate)
    return _same


def _build_union(arguments: tuple[Any, ...]) -> Decoder:
    options = [decoder_for(option) for option in arguments if option is not type(None)]
    if len(options) == 1:
        only = options[0]
        return lambda value: None if value is None else only(value)
    plain = [option for option in arguments if option in (str, int, float, bool)]
    others = [decoder_for(option) for option in arguments if option is not type(None) and option not in plain]

    def decode(value: Any) -> Any:
        if value is None or type(value) in plain:
            return value
        problem: Exception | None = None
        for option in [*others, *(decoder_for(hint) for hint in plain)]:
            try:
                return option(value)
            except (TypeError, ValueError, KeyError, PayloadError) as error:
                problem = error
        raise PayloadError(f"{value!r} fits none of {arguments}: {problem}")

    return decode


def _build_tuple(arguments: tuple[Any, ...]) -> Decoder:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        each = decoder_for(arguments[0])
        return lambda values: tuple(each(value) for value in values)
    items = [decoder_for(argument) for argument in arguments]
    return lambda values: tuple(item(value) for item, value in zip(items, values, strict=True))


def _build_mapping(arguments: tuple[Any, ...]) -> Decoder:
    if len(arguments) != 2:
        return _same
    key, item = _key_decoder(arguments[0]), decoder_for(arguments[1])
    if key is _same and item is _same:
        return _same
    return lambda values: {key(name): item(value) for name, value in values.items()}


def _key_decoder(hint: Any) -> Decoder:
    """JSON's keys are text: numbers are read from it."""
    return hint if hint in (int, float) else decoder_for(hint)


def hints_of(cls: type) -> dict[str, Any]:
    """The resolved annotations of a class; names that cannot be resolved here count as Any."""
    try:
        return typing.get_type_hints(cls)
    except NameError:
        module = vars(sys.modules.get(cls.__module__, types))
        return {name: module.get(text, Any) if isinstance(text, str) else text for name, text in cls.__annotations__.items()}


def _build_dataclass(cls: type) -> Decoder:
    """Decodes an object to a dataclass. Unknown names are ignored, so that an older reader takes a newer writer's value."""
    fields: dict[str, Decoder] = {}

    def decode(value: Any) -> Any:
        if not isinstance(value, dict):
            raise PayloadError(f"{cls.__name__} expected, found {value!r}")
        if not fields:  # filled at first use, because a dataclass may hold itself
            hints = hints_of(cls)
            fields.update({f.name: decoder_for(hints.get(f.name, Any)) for f in dataclasses.fields(cls) if f.init})
        try:
            return cls(**{name: fields[name](item) for name, item in value.items() if name in fields})
        except TypeError as error:
            raise PayloadError(f"{value!r} does not fit {cls.__name__}: {error}") from error

    return decode


def _build_named_tuple(cls: Any) -> Decoder:
    hints = hints_of(cls)
    items = [decoder_for(hints.get(name, Any)) for name in cls._fields]
    return lambda values: cls(*(item(value) for item, value in zip(items, values, strict=False)))


def _build_typed_dict(cls: type) -> Decoder:
    items = {name: decoder_for(hint) for name, hint in hints_of(cls).items()}
    return lambda values: {name: items.get(name, _same)(value) for name, value in values.items()}


def _decode_float(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise PayloadError(f"a number expected, found {value!r}")


def _decode_timedelta(value: Any) -> timedelta:
    return timedelta(microseconds=value / NANOSECONDS_A_MICROSECOND)


_SIMPLE: dict[Any, Decoder] = {
    str: _same,
    int: _same,
    bool: _same,
    float: _decode_float,
    object: _same,
    list: _same,
    dict: _same,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    bytes: base64.b64decode,
    bytearray: lambda value: bytearray(base64.b64decode(value)),
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    timedelta: _decode_timedelta,
    uuid.UUID: uuid.UUID,
    Decimal: Decimal,
}
