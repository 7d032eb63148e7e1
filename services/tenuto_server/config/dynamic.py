"""Where settings that change while a process runs come from: a file, and what operators set by the admin interface.

A YAML file in the form of Cadence's dynamic configuration (name: a list of `value` with `constraints`; or just a value)
is looked at every second and read again when it has changed; a bad edit is refused with a log line and what was in
force stays. Over it stands one compare-and-set row of the store, which the admin calls change and every process reads
every second. Both are checked as a whole against all services' settings before anything is put in force.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tenuto_server.config.live import LiveSettings, Override, unknown
from tenuto_server.persistence.interface import Store, StoreUnavailable
from tenuto_server.persistence.rows import UnknownEncoding, pack, unpack

log = logging.getLogger(__name__)

_SPACE: Final = "settings"
_KEY: Final = "dynamic"
_ENCODING: Final = 1
_INTERVAL_S: Final = 1.0
_ATTEMPTS_MAX: Final = 10
_VALUES_MAX: Final = 1_000
_ROW_BYTES_MAX: Final = 512 * 1024
_FILE_BYTES_MAX: Final = 4 * 1024 * 1024

# As stored: name -> values with their filters, in the order given.
Stored = dict[str, list[tuple[Any, list[tuple[str, Any]]]]]


def overrides_of_text(text: str) -> list[Override]:
    """The overrides that a file's text holds. Raises ValueError with the place of the mistake."""
    # Loaded where a file is used: the server must start quickly.
    import yaml

    try:
        parsed = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"not YAML: {error}") from None
    if parsed is None:
        return []
    if not isinstance(parsed, dict):
        raise ValueError("not a list of settings: write `name: value` lines")
    found: list[Override] = []
    for name, values in parsed.items():
        entries = values if isinstance(values, list) and all(isinstance(one, dict) for one in values) else [{"value": values}]
        for entry in entries:
            constraints = entry.get("constraints") or {}
            if "value" not in entry or entry.keys() - {"value", "constraints"} or not isinstance(constraints, dict):
                raise ValueError(f"{name}: each value is `- value: ...`, with `constraints: {{name: value}}` if need be")
            found.append(Override(str(name), entry["value"], as_filters(constraints.items())))
    return found


def as_filters(pairs: Any) -> tuple[tuple[str, Any], ...]:
    """Filters in the order in which they are compared."""
    return tuple(sorted(((str(name), value) for name, value in pairs), key=lambda pair: pair[0]))


def check(services: Sequence[LiveSettings[Any]], overrides: Sequence[Override]) -> list[Any]:
    """Each service's settings with these overrides. Raises ValueError for a name that none has, or a bad value."""
    known = {name for live in services for name in live.keys}
    for override in overrides:
        if override.name not in known:
            raise ValueError(unknown(override.name, known))
    return [live.prepare(overrides) for live in services]


def check_file(services: Sequence[LiveSettings[Any]], path: str) -> list[Override]:
    """The overrides of a file. Raises ValueError and OSError."""
    file = Path(path)
    if file.stat().st_size > _FILE_BYTES_MAX:
        raise ValueError(f"{path} is larger than {_FILE_BYTES_MAX} bytes")
    overrides = overrides_of_text(file.read_text(encoding="utf-8"))
    check(services, overrides)
    return overrides


class DynamicConfig:
    """Keeps a process's settings in step with their sources. Without `start` only its own changes are seen."""

    def __init__(self, services: Sequence[LiveSettings[Any]], store: Store, file: str = "") -> None:
        """`services`: the settings of all services, also of those that this process does not run: so that it knows
        all names."""
        self._services = services
        self._store = store
        self._file = file
        self._seen_file: tuple[int, int, int] | None = None
        self._of_file: list[Override] = []
        self._stored: Stored = {}
        self._version = 0
        self._refused = 0
        self._refresher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reads the file (ValueError and OSError where that cannot be done) and, as far as it answers, the store; keeps
        reading both until `stop`."""
        if self._file:
            self._seen_file = _stamp(self._file)
            self._of_file = check_file(self._services, self._file)
            self._put_in_force(self._of_file, self._stored)
        await self._read_store_quietly()
        self._refresher = asyncio.get_running_loop().create_task(self._keep_reading())

    def kill(self) -> None:
        """Ends the reading at once."""
        if self._refresher is not None:
            self._refresher.cancel()
            self._refresher = None

    async def stop(self) -> None:
        """Ends the reading."""
        refresher = self._refresher
        self.kill()
        if refresher is not None:
            await asyncio.gather(refresher, return_exceptions=True)

    async def _keep_reading(self) -> None:
        while True:
            await asyncio.sleep(_INTERVAL_S)
            self._look_at_file()
            await self._read_store_quietly()

    # --- the file -----------------------------------------------------------------------------------------------------
    def _look_at_file(self) -> None:
        if not self._file:
            return
        try:
            stamp = _stamp(self._file)
            if stamp == self._seen_file:
                return
            self._seen_file = stamp
            overrides = check_file(self._services, self._file)
            self._put_in_force(overrides, self._stored)
        except FileNotFoundError:
            # Editors take a file away for a moment; what was in it stays in force.
            return
        except (ValueError, OSError) as error:
            log.error("the settings in %s are refused, those in force stay: %s", self._file, error)
            return
        self._of_file = overrides
        log.info("settings read from %s", self._file)

    # --- the store ----------------------------------------------------------------------------------------------------
    async def refresh(self) -> None:
        """Reads what operators have set. Raises StoreUnavailable."""
        row = await self._store.peek(_SPACE, _KEY)
        version = 0 if row is None else row.version
        if version in (self._version, self._refused):
            return
        try:
            stored = {} if row is None else _decode(row.value)
            self._put_in_force(self._of_file, stored)
        except (ValueError, UnknownEncoding) as error:
            self._refused = version
            log.error("the settings in the store are refused, those in force stay: %s", error)
            return
        self._stored, self._version, self._refused = stored, version, 0
        log.info("settings read from the store")

    async def _read_store_quietly(self) -> None:
        try:
            await self.refresh()
        except StoreUnavailable as error:
            log.warning("settings could not be read from the store, those in force stay: %s", error)

    def _put_in_force(self, of_file: Sequence[Override], stored: Stored) -> None:
        prepared = check(self._services, [*of_file, *_overrides(stored)])
        for live, settings in zip(self._services, prepared, strict=True):
            live.adopt(settings)

    # --- operators ----------------------------------------------------------------------------------------------------
    def get(self, name: str, filters: Mapping[str, Any]) -> Any:
        """The value in force under these filters. Raises ValueError for a name that no setting has."""
        return self._of_name(name).value(name, filters)

    async def stored(self, name: str) -> Stored:
        """What operators have set: of one name, or of all where it is empty. Raises ValueError, StoreUnavailable."""
        if name:
            self._of_name(name)
        await self.refresh()
        return {one: values for one, values in self._stored.items() if not name or one == name}

    async def update(self, name: str, values: list[tuple[Any, list[tuple[str, Any]]]]) -> None:
        """Replaces all values that were set of a name; none: it is as if never set. Raises ValueError,
        StoreUnavailable."""
        self._of_name(name)

        def change(stored: Stored) -> None:
            stored.pop(name, None)
            if values:
                stored[name] = [(value, [*as_filters(filters)]) for value, filters in values]

        await self._change(change)

    async def put(self, values: Mapping[str, Any], filters: list[tuple[str, Any]]) -> None:
        """Sets one value of each name under these filters, all at once; what stands under other filters stays. Raises
        ValueError, StoreUnavailable."""
        for name in values:
            self._of_name(name)
        wanted = [*as_filters(filters)]

        def change(stored: Stored) -> None:
            for name, value in values.items():
                stored[name] = [(one, held) for one, held in stored.get(name, []) if held != wanted] + [(value, wanted)]

        await self._change(change)

    async def restore(self, name: str, filters: list[tuple[str, Any]]) -> None:
        """Takes back the value set under exactly these filters (none: the general one). Raises ValueError,
        StoreUnavailable."""
        self._of_name(name)
        asked = [*as_filters(filters)]

        def change(stored: Stored) -> None:
            kept = [(value, held) for value, held in stored.get(name, []) if held != asked]
            stored.pop(name, None)
            if kept:
                stored[name] = kept

        await self._change(change)

    def _of_name(self, name: str) -> LiveSettings[Any]:
        for live in self._services:
            if name in live.keys:
                return live
        raise ValueError(unknown(name, [known for live in self._services for known in live.keys]))

    async def _change(self, change: Callable[[Stored], None]) -> None:
        for _ in range(_ATTEMPTS_MAX):
            row = await self._store.get(_SPACE, _KEY)
            stored: Stored = {} if row is None else _decode(row.value)
            change(stored)
            if sum(len(values) for values in stored.values()) > _VALUES_MAX:
                raise ValueError(f"more than {_VALUES_MAX} values are set")
            value = pack(_ENCODING, msgspec.json.encode(stored))
            if len(value) > _ROW_BYTES_MAX:
                raise ValueError(f"more than {_ROW_BYTES_MAX} bytes of settings")
            check(self._services, [*self._of_file, *_overrides(stored)])
            if await self._store.compare_and_set(_SPACE, _KEY, value, 0 if row is None else row.version):
                await self.refresh()
                return
        raise StoreUnavailable("the settings are being changed by others")


def _overrides(stored: Stored) -> list[Override]:
    return [Override(name, value, tuple(filters)) for name, values in stored.items() for value, filters in values]


def _decode(value: bytes) -> Stored:
    _, data = unpack(value, "settings", _ENCODING)
    try:
        return msgspec.json.decode(data, type=Stored)
    except msgspec.MsgspecError as error:
        raise UnknownEncoding("the settings in the store cannot be decoded") from error


def _stamp(path: str) -> tuple[int, int, int]:
    """What changes with a file's contents."""
    found = Path(path).stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
