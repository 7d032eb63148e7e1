"""A real Prometheus: taken from PATH, else unpacked (not installed) from Debian's package into `.cache/prometheus`."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

CACHE = Path(__file__).resolve().parents[3] / ".cache" / "prometheus"


def binary(name: str) -> str:
    """The path of `prometheus` or `promtool`. Skips the test only where there is neither it nor Debian's apt-get."""
    found = shutil.which(name)
    if found is not None:
        return found
    unpacked = CACHE / "usr" / "bin" / name
    if not unpacked.exists():
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            pytest.skip("no prometheus on PATH, and no apt-get to get it with")
        _unpack()
    return str(unpacked)


def _unpack() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (CACHE / "usr").exists():
            return
        fetch = ["apt-get", "download", "prometheus"]
        fetched = subprocess.run(fetch, check=False, cwd=CACHE, capture_output=True, text=True, timeout=120)
        packages = sorted(CACHE.glob("prometheus_*.deb"))
        assert packages, f"apt-get download prometheus: {fetched.stderr}"
        subprocess.run(["dpkg-deb", "-x", str(packages[-1]), "unpacking"], cwd=CACHE, check=True, timeout=120)
        os.rename(CACHE / "unpacking" / "usr", CACHE / "usr")


class Prometheus:
    """A running one, asked by its HTTP API."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer. Raises OSError while it does not serve."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.loads(answer.read())["data"]

    async def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The labels and the value of each series."""
        data = await asyncio.to_thread(self.ask, "query", query=expression)
        return [(series["metric"], float(series["value"][1])) for series in data["result"]]

    async def until(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """What the query answers, when it answers anything."""
        while True:
            try:
                found = await self.query(expression)
            except OSError:
                found = []
            if found:
                return found
            await asyncio.sleep(0.2)


@asynccontextmanager
async def scraping(target: str, folder: Path) -> AsyncIterator[Prometheus]:
    """One that scrapes `target` twice a second; its data lies in `folder`."""
    config = folder / "prometheus.yml"
    config.write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "500ms", "scrape_timeout": "400ms"},
                "scrape_configs": [{"job_name": "tenuto", "static_configs": [{"targets": [target]}]}],
            }
        )
    )
    check = [binary("promtool"), "check", "config", str(config)]
    await asyncio.to_thread(subprocess.run, check, check=True, capture_output=True, timeout=60)
    process, address = await _started(config, folder)
    try:
        yield Prometheus(address)
    finally:
        process.kill()
        await process.wait()


async def _started(config: Path, folder: Path) -> tuple[asyncio.subprocess.Process, str]:
    """It takes any free port, and says which only in its log."""
    process = await asyncio.create_subprocess_exec(
        binary("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0", "--log.format=json",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    said: list[bytes] = []
    while line := await process.stderr.readline():
        said.append(line)
        entry = json.loads(line)
        if entry.get("msg") == "Listening on" and "address" in entry:
            return process, str(entry["address"])
    raise AssertionError(b"".join(said).decode())
