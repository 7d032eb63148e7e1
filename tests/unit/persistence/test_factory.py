"""Which URL names which store."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.factory import open_store


def used(url: str) -> str:
    async def use() -> str:
        store = open_store(url, Runtime())
        await store.open()
        assert await store.compare_and_set("s", "k", b"v", 0)
        await store.close()
        return type(store).__name__

    return asyncio.run(use())


def test_memory() -> None:
    assert used("memory://") == "MemoryStore"
    assert used("sqlite://:memory:") == "SqliteStore"


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a folder").mkdir()
    assert used("sqlite:///relative.db") == "SqliteStore"
    assert used(f"sqlite:///{tmp_path}/absolute.db?synchronous=NORMAL") == "SqliteStore"
    assert used("sqlite:///a%20folder/x.db?synchronous=full") == "SqliteStore"
    for name in ("relative.db", "absolute.db", "a folder/x.db"):
        assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("", "has no scheme"),
        ("store.db", "has no scheme"),
        ("postgres://x", "known are"),
        ("memory://x", "nothing more"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite://relative.db", "names no file"),
        ("sqlite:///x.db?synchronous=OFF", "FULL or NORMAL"),
        ("sqlite:///x.db?cache=1", "knows no option cache"),
    ],
)
def test_other_urls_are_refused(url: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        open_store(url, Runtime())


def test_only_the_store_that_is_asked_for_is_imported() -> None:
    script = (
        "import sys; from tenuto_server.config.runtime import Runtime; from tenuto_server.persistence.factory import "
        "open_store; open_store('memory://', Runtime()); print('sqlite3' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "False"
