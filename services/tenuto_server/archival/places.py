"""Places for archives: whole objects under names, written at once or not at all.

A URI names a place: `file:///folder`, `s3://bucket/path` or `gs://bucket/path`. The file place needs nothing; the others need
the library obstore (the extra `archive`), and take credentials and region from the environment, as usual for each cloud.
"""

from __future__ import annotations

import asyncio
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMES: Final = ("file", "s3", "gs")
_PLACES_MAX: Final = 1000
_PART_BYTES_MAX: Final = 200
_UNFINISHED: Final = ".unfinished"


class ArchiveUnavailable(Exception):
    """The place did not answer, or refused. Nothing is known of what was asked."""


class Place(Protocol):
    """Objects by name. A name is made by `name_of`. Every method may raise `ArchiveUnavailable`."""

    async def put(self, name: str, data: bytes) -> None:
        """Writes the object whole, in place of one that is there; when this returns it is durable."""

    async def get(self, name: str) -> bytes | None:
        """The object, None where there is none."""

    async def names(self, folder: str) -> list[str]:
        """The last parts of the names in a folder, of objects and of folders, sorted."""


def fault(uri: str) -> str:
    """What is wrong with a place's URI, empty for one that is right."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "it is no URI"
    if parts.scheme not in SCHEMES:
        return f"its scheme is none of {', '.join(SCHEMES)}"
    if parts.query or parts.fragment or ".." in parts.path.split("/"):
        return "it has more than a place"
    if parts.scheme == "file":
        return "" if not parts.netloc and parts.path.startswith("/") and parts.path != "/" else "it is not like file:///folder"
    return "" if parts.netloc and "@" not in parts.netloc else f"it is not like {parts.scheme}://bucket/path"


def name_of(parts: Sequence[str]) -> str:
    """A name of parts that may hold any character; different parts give different names."""
    return "/".join([_safe(part) for part in parts])


def _safe(part: str) -> str:
    """The part as a file may be named; a long one by its digest."""
    quoted = quote(part, safe="").replace(".", "%2E")
    return quoted if quoted and len(quoted) <= _PART_BYTES_MAX else "%" + sha256(part.encode()).hexdigest()


class Places:
    """Opens places, each once."""

    def __init__(self) -> None:
        self._open: dict[str, Place] = {}

    def at(self, uri: str) -> Place:
        """The place of a URI. Raises ValueError for a URI that is none, ArchiveUnavailable where its library is missing."""
        place = self._open.get(uri)
        if place is None:
            if len(self._open) >= _PLACES_MAX:
                self._open.clear()
            place = self._open[uri] = _open(uri)
        return place


def _open(uri: str) -> Place:
    wrong = fault(uri)
    if wrong:
        raise ValueError(f"{uri!r} names no place for an archive: {wrong}")
    if uri.startswith("file://"):
        return FilePlace(Path(unquote(urlsplit(uri).path)))
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise ArchiveUnavailable(f"{uri} needs the library obstore: install tenuto-server[archive]") from None
    try:
        return ObjectPlace(from_url(uri))
    except (BaseError, ValueError) as error:
        raise ArchiveUnavailable(f"{uri} cannot be opened: {error}") from error


class FilePlace:
    """Files in a folder, which is made with the first. Blocking work is done by the loop's helper threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, data: bytes) -> None:
        """See `Place.put`: written beside its place, then moved there."""
        await self._do(self._put, name, data)

    async def get(self, name: str) -> bytes | None:
        """See `Place.get`."""
        found: bytes | None = await self._do(self._get, name)
        return found

    async def names(self, folder: str) -> list[str]:
        """See `Place.names`."""
        found: list[str] = await self._do(self._names, folder)
        return found

    async def _do(self, work: Any, *arguments: Any) -> Any:
        try:
            # tidy: allow threads: a place is a store of its own, and files block
            return await asyncio.to_thread(work, *arguments)
        except OSError as error:
            raise ArchiveUnavailable(str(error)) from error

    def _put(self, name: str, data: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}{_UNFINISHED}{os.getpid()}")
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _get(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def _names(self, folder: str) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self._folder / folder) if _UNFINISHED not in name)
        except FileNotFoundError:
            return []


class ObjectPlace:
    """Objects of an object store: one put is whole or not at all there."""

    def __init__(self, store: Any) -> None:
        self._store = store

    async def put(self, name: str, data: bytes) -> None:
        """See `Place.put`."""
        import obstore

        await self._do(obstore.put_async(self._store, name, data))

    async def get(self, name: str) -> bytes | None:
        """See `Place.get`."""
        import obstore

        try:
            found = await self._do(obstore.get_async(self._store, name))
        except FileNotFoundError:
            return None
        return bytes(await self._do(found.bytes_async()))

    async def names(self, folder: str) -> list[str]:
        """See `Place.names`."""
        import obstore

        found = await self._do(obstore.list_with_delimiter_async(self._store, folder))
        paths = [one["path"] for one in found["objects"]] + list(found["common_prefixes"])
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)

    async def _do(self, work: Any) -> Any:
        from obstore.exceptions import BaseError

        try:
            return await work
        except FileNotFoundError:
            raise
        except (BaseError, OSError, ValueError) as error:
            raise ArchiveUnavailable(str(error)) from error
