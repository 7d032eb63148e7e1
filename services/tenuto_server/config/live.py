"""Settings that change while a process runs: typed dataclasses with overrides put over their defaults. Pure.

A service declares its settings as a frozen dataclass, each field by `setting` where it has a name that operators of
Cadence know (its dynamic-config key) or may differ by domain or task list; a field declared plainly is named
"service.field". Several fields, also of several services, may have one name: they are set together.

An `Override` gives one name a value under filters (domainName, taskListName, taskType); where several hold, the one
with the most filters wins, among equals the last. `LiveSettings` holds what comes of them: `current` without filters,
`for_domain` and `for_task_list` with. Readers ask at the time of use, so a change is theirs with the next question;
`prepare` checks a whole set of overrides and `adopt` puts it in force, so that a bad one changes nothing.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

DOMAIN: Final = "domainName"
TASK_LIST: Final = "taskListName"
# For operators as Cadence counts: 0 decision, 1 activity. The internal interface counts from 1.
TASK_TYPE: Final = "taskType"
_FIRST_TASK_TYPE: Final = 1
FILTERS: Final = (DOMAIN, TASK_LIST, TASK_TYPE)
BY_DOMAIN: Final = (DOMAIN,)
BY_TASK_LIST: Final = FILTERS

_META: Final = "tenuto.setting"
_SCOPES_MAX: Final = 10_000
_DURATION: Final = re.compile(r"-?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+")
_DURATION_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_UNIT_S: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class _Meta:
    key: str
    filters: tuple[str, ...]
    seconds: bool
    least: float


_PLAIN: Final = _Meta("", (), False, 0)


def setting(
    default: Any, key: str = "", *, filters: tuple[str, ...] = (), seconds: bool = False, least: float = 0
) -> Any:
    """A field of a settings dataclass. `key`: its name for operators; `filters`: what its values may depend on;
    `seconds`: a duration, which may be written as "1m30s" too; `least`: the smallest number allowed."""
    return field(default=default, metadata={_META: _Meta(key, filters, seconds, least)})


def fixed(default: Any) -> Any:
    """A field that is set once, when a process starts."""
    return field(default=default, metadata={_META: None})


class Override(NamedTuple):
    """One value of one name, and under which filters it holds (name and value of each, sorted by name)."""

    name: str
    value: Any
    filters: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """One field that can be set: its name, where it is in the dataclass, and what it may be."""

    name: str
    path: tuple[str, ...]
    kind: str
    default: Any
    filters: tuple[str, ...]
    seconds: bool
    least: float

    def parse(self, value: Any) -> Any:
        """The field's value for what an operator wrote. Raises ValueError."""
        if self.kind == "bool":
            if isinstance(value, bool):
                return value
        elif self.kind == "str":
            if isinstance(value, str):
                return value
        elif self.kind == "list":
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                return tuple(value)
        else:
            return self._number(value)
        raise ValueError(f"{self.name} must be a {self.kind}, not {_short(value)}")

    def _number(self, value: Any) -> int | float:
        what = "a duration, like 10 (seconds) or 1m30s" if self.seconds else f"a{'n' * (self.kind == 'int')} {self.kind}"
        if self.seconds and isinstance(value, str) and _DURATION.fullmatch(value):
            parts = _DURATION_PART.findall(value)
            value = math.copysign(sum(float(number) * _UNIT_S[unit] for number, unit in parts), -1 if value[0] == "-" else 1)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{self.name} must be {what}, not {_short(value)}")
        if self.kind == "int" and value != int(value):
            raise ValueError(f"{self.name} must be {what}, not {_short(value)}")
        if not self.least <= value <= 2**53:
            raise ValueError(f"{self.name} must be at least {self.least:g}, not {_short(value)}")
        return int(value) if self.kind == "int" else float(value)

    def shown(self, value: Any) -> Any:
        """The value as operators write it: a duration as text."""
        if self.seconds:
            return f"{value:g}s"
        return list(value) if isinstance(value, tuple) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


def keys_of(defaults: Any, service: str) -> Iterator[Key]:
    """The fields of a settings dataclass that can be set, those of dataclasses within it too."""
    yield from _keys(defaults, service, ())


def _keys(defaults: Any, service: str, path: tuple[str, ...]) -> Iterator[Key]:
    hints = typing.get_type_hints(type(defaults))
    for one in dataclasses.fields(defaults):
        default = getattr(defaults, one.name)
        if dataclasses.is_dataclass(default):
            yield from _keys(default, service, (*path, one.name))
            continue
        kind = _KINDS.get(hints[one.name])
        if kind is None:
            continue
        meta = one.metadata.get(_META, _PLAIN)
        if meta is None:
            continue
        name = meta.key or f"{service}.{one.name}"
        yield Key(name, (*path, one.name), kind, default, meta.filters, meta.seconds, meta.least)


_KINDS: Final[dict[Any, str]] = {bool: "bool", int: "int", float: "float", str: "str", tuple[str, ...]: "list"}


@dataclass(slots=True)
class Prepared(Generic[T]):
    """Settings with overrides that were found good."""

    current: T
    by_domain: dict[str, T]
    # By name, of those that are set.
    overrides: dict[str, list[Override]]
    # Whether anything depends on task lists.
    scoped: bool


class LiveSettings(Generic[T]):
    """One service's settings. `current`, and what the `for_...` methods return, are values: take what you need from
    them at once and ask again the next time."""

    __slots__ = ("_defaults", "_held", "_listeners", "_scopes", "current", "keys")

    def __init__(self, defaults: T, service: str) -> None:
        """`service` is in front of the names of fields that have none of their own."""
        self._defaults = defaults
        self.keys: dict[str, list[Key]] = {}
        for key in keys_of(defaults, service):
            self.keys.setdefault(key.name, []).append(key)
        self._held: Prepared[T] = Prepared(defaults, {}, {}, False)
        self._scopes: dict[tuple[str, str, int], T] = {}
        self._listeners: list[Callable[[], None]] = []
        self.current: T = defaults

    def on_change(self, listener: Callable[[], None]) -> None:
        """`listener` runs after each change: for what is made of settings once and kept."""
        self._listeners.append(listener)

    @classmethod
    def of(cls, settings: T | LiveSettings[T], service: str) -> LiveSettings[T]:
        """Settings that are live already, or plain ones that nobody changes."""
        return settings if isinstance(settings, LiveSettings) else cls(settings, service)

    def for_domain(self, domain: str) -> T:
        """The settings in force for a domain, by its name."""
        return self._held.by_domain.get(domain, self.current)

    def for_task_list(self, domain: str, task_list: str, task_type: int) -> T:
        """The settings in force for a task list; `task_type` is the number of internal.TaskType."""
        held = self._held
        if not held.scoped:
            return held.by_domain.get(domain, self.current)
        scope = (domain, task_list, task_type)
        found = self._scopes.get(scope)
        if found is None:
            if len(self._scopes) >= _SCOPES_MAX:
                self._scopes.clear()
            filters = {DOMAIN: domain, TASK_LIST: task_list, TASK_TYPE: task_type - _FIRST_TASK_TYPE}
            found = self._scopes[scope] = self._resolved(held.overrides, filters)
        return found

    def value(self, name: str, filters: Mapping[str, Any]) -> Any:
        """What is in force for a name, as operators write it. Raises KeyError."""
        key = self.keys[name][0]
        resolved: Any = self._resolved(self._held.overrides, filters)
        for part in key.path:
            resolved = getattr(resolved, part)
        return key.shown(resolved)

    def prepare(self, overrides: Iterable[Override]) -> Prepared[T]:
        """What the settings are with these overrides, those of other services left aside. Raises ValueError."""
        mine: dict[str, list[Override]] = {}
        for override in overrides:
            for key in self.keys.get(override.name, ()):
                _check(key, override)
                mine.setdefault(override.name, []).append(override)
        domains = {value for held in mine.values() for one in held for name, value in one.filters if name == DOMAIN}
        scoped = any(name != DOMAIN for held in mine.values() for one in held for name, _ in one.filters)
        # Each combination there is must make whole settings, not only each value by itself.
        for held in mine.values():
            for one in held:
                self._resolved(mine, dict(one.filters))
        by_domain = {domain: self._resolved(mine, {DOMAIN: domain}) for domain in domains}
        return Prepared(self._resolved(mine, {}), by_domain, mine, scoped)

    def adopt(self, prepared: Prepared[T]) -> None:
        """Puts prepared settings in force."""
        self._held = prepared
        self._scopes.clear()
        self.current = prepared.current
        for listener in self._listeners:
            listener()

    def _resolved(self, overrides: Mapping[str, Sequence[Override]], scope: Mapping[str, Any]) -> T:
        changes: dict[str, Any] = {}
        for name, held in overrides.items():
            best: Override | None = None
            for one in held:
                if all(scope.get(filter_name) == value for filter_name, value in one.filters) and (
                    best is None or len(one.filters) >= len(best.filters)
                ):
                    best = one
            if best is None:
                continue
            for key in self.keys[name]:
                inner = changes
                for part in key.path[:-1]:
                    inner = inner.setdefault(part, {})
                inner[key.path[-1]] = key.parse(best.value)
        return _replaced(self._defaults, changes)


def _replaced(settings: T, changes: Mapping[str, Any]) -> T:
    if not changes:
        return settings
    whole = {
        name: _replaced(getattr(settings, name), value) if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    replaced: T = dataclasses.replace(settings, **whole)  # type: ignore[type-var]
    return replaced


def _check(key: Key, override: Override) -> None:
    key.parse(override.value)
    for name, value in override.filters:
        if name not in key.filters:
            can = ", ".join(key.filters) or "nothing"
            raise ValueError(f"{key.name} cannot depend on {_short(name)}; it can on {can}")
        if name == TASK_TYPE:
            if value not in (0, 1) or isinstance(value, bool):
                raise ValueError(f"{TASK_TYPE} must be 0 (decision) or 1 (activity), not {_short(value)}")
        elif not isinstance(value, str) or not value:
            raise ValueError(f"{name} must be a text, not {_short(value)}")


def unknown(name: str, known: Iterable[str]) -> str:
    """What to tell of a name that no setting has."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f"there is no setting {_short(name)}" + (f"; did you mean {near[0]}?" if near else "")
