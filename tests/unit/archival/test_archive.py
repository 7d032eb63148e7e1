"""Archives in a folder, in an object store's memory and in a simulated S3: what is written reads back, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tenuto_api import api
from tenuto_server.archival import archive
from tenuto_server.archival.places import ArchiveUnavailable, FilePlace, ObjectPlace, Place, Places, fault, name_of
from tenuto_server.visibility import attributes, query, tree
from tests.conformance.test_visibility import record

KINDS = ("file", "memory", "s3")


@contextmanager
def place_of(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    if kind == "file":
        yield Places().at(f"file://{folder}/a%20b")
    elif kind == "memory":
        store = pytest.importorskip("obstore.store")
        yield ObjectPlace(store.MemoryStore())
    else:
        pytest.importorskip("obstore")
        server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            for name, value in (
                ("AWS_ENDPOINT", f"http://{host}:{port}"),
                ("AWS_ALLOW_HTTP", "true"),
                ("AWS_ACCESS_KEY_ID", "nobody"),
                ("AWS_SECRET_ACCESS_KEY", "nothing"),
                ("AWS_REGION", "us-east-1"),
            ):
                monkeypatch.setenv(name, value)
            boto3 = pytest.importorskip("boto3")
            boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1").create_bucket(Bucket="archive")
            yield Places().at("s3://archive/some/where")
        finally:
            server.stop()


async def pages(*counts: int) -> AsyncIterator[tuple[int, bytes, int]]:
    first = 1
    for count in counts:
        events = [api.HistoryEvent(event_id=first + n) for n in range(count)]
        yield first, api.History(events=events).SerializeToString(), count
        first += count


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_archived_reads_back(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = record("run", close_ns=50, close_status=1)

    async def story(place: Place) -> None:
        assert await archive.read_history(place, "domain", run.workflow_id, "run", 1, 10) is None
        assert await archive.list_records(place, tree.everything("domain"), 10, b"") == ([], b"")
        for _again in range(2):
            await archive.write_history(place, run, pages(3, 2, 4))
        seen: list[int] = []
        first = 1
        while first:
            page = await archive.read_history(place, "domain", run.workflow_id, "run", first, 2)
            assert page is not None and 0 < len(page.events) <= 2
            seen += [event.event_id for event in page.events]
            first = page.next_id
        assert seen == list(range(1, 10))
        last = await archive.read_history(place, "domain", run.workflow_id, "run", 0, 10)
        assert last is not None and [event.event_id for event in last.events] == [9]
        with pytest.raises(ValueError, match="no such event"):
            await archive.read_history(place, "domain", run.workflow_id, "run", 10, 2)
        assert await archive.read_history(place, "domain", "another", "run", 1, 2) is None

    with place_of(kind, tmp_path, monkeypatch) as place:
        asyncio.run(story(place))


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_listed_by_query_the_last_closed_first(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = 86_400 * 10**9
    runs = [record(f"r{n}", close_ns=day * (n // 3 + 1) + n, close_status=1 + n % 2) for n in range(9)]

    async def listed(place: Place, text: str, size: int) -> list[str]:
        asked = query.parse(text, attributes.DEFAULT, "domain")
        found: list[str] = []
        token = b""
        while True:
            page, token = await archive.list_records(place, asked, size, token)
            found += [one.run_id for one in page]
            if not token:
                return found

    async def story(place: Place) -> None:
        for run in runs:
            await archive.write_record(place, run)
        for size in (1, 2, 4, 100):
            assert await listed(place, "", size) == [f"r{n}" for n in range(8, -1, -1)]
        assert await listed(place, "CloseStatus = 'FAILED'", 3) == ["r7", "r5", "r3", "r1"]
        assert await listed(place, "RunID = 'r4'", 3) == ["r4"]
        with pytest.raises(ValueError, match="token"):
            await archive.list_records(place, tree.everything("domain"), 1, b"nonsense")

    with place_of(kind, tmp_path, monkeypatch) as place:
        asyncio.run(story(place))


def test_names_are_safe_and_differ() -> None:
    parts = ["a", "..", ".", "", "a/b", "a%2Fb", "é", "x" * 5000, "x" * 5001, "a\0b"]
    names = {name_of(("history", part)) for part in parts}
    assert len(names) == len(parts)
    for name in names:
        assert name.count("/") == 1 and ".." not in name and len(name) < 255 and name.isascii() and not name.endswith("/")


@pytest.mark.parametrize(
    "uri", ["file:///var/archive", "file:///a/b%20c", "s3://bucket", "s3://bucket/path", "gs://bucket/a/b"]
)
def test_good_places(uri: str) -> None:
    assert fault(uri) == ""


@pytest.mark.parametrize(
    "uri",
    ["", "file://", "file:///", "file://host/x", "file://x", "s3://", "ftp://x/y", "/var", "file:///a/../b", "s3://a?b=c", "gs://me@b"],
)
def test_bad_places(uri: str) -> None:
    assert fault(uri)
    with pytest.raises(ValueError, match="names no place"):
        Places().at(uri)


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    place = FilePlace(tmp_path)

    async def story() -> None:
        await place.put("folder/name", b"old")
        (tmp_path / "folder" / "name.unfinished1").write_bytes(b"ne")
        assert await place.names("folder") == ["name"]
        assert await place.get("folder/name") == b"old"
        (tmp_path / "blocked").write_bytes(b"")
        with pytest.raises(ArchiveUnavailable):
            await place.put("blocked/name", b"x")

    asyncio.run(story())
