"""Chooses where tests get their Cassandra from, and starts one where it must.

1. `TENUTO_TEST_CASSANDRA=host:port[,host...]`: a cluster that is there already; every host has the first one's port.
2. A container engine that answers and has, or can pull, the image `cassandra:5`.
3. The jars, on Java 17 (`distribution`, `node`).

Where none of them can be had, tests that need Cassandra fail and say why: they are never skipped.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cassandra import keeper
from tests.cassandra.distribution import ROOT, Unavailable
from tests.cassandra.node import READY_SECONDS_MAX, Node, NodeSettings, answers
from tests.ports import free_port

VARIABLE = "TENUTO_TEST_CASSANDRA"
DEFAULT_PORT = 9042
IMAGE = "cassandra:5"
ENGINES = ("docker", "podman")
ENGINE_SECONDS_MAX = 10.0
PULL_SECONDS_MAX = 300.0
# Below this the memory file system is left alone, and data goes to the temporary folder.
MEMORY_BYTES_MIN = 4 * 2**30
STOP_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Cassandra:
    """A Cassandra that answers: contact points, all with the same port; where it came from; its process where that is known."""

    hosts: tuple[str, ...]
    port: int
    origin: str
    pid: int | None = None

    @property
    def contact_points(self) -> str:
        """In the form of TENUTO_TEST_CASSANDRA."""
        first, *others = self.hosts
        return ",".join([f"{first}:{self.port}", *others])


def given(text: str | None) -> Cassandra | None:
    """What TENUTO_TEST_CASSANDRA names. Raises Unavailable if that cannot be read."""
    if not text:
        return None
    hosts, ports = [], []
    for part in text.split(","):
        host, _, port = part.strip().partition(":")
        hosts.append(host)
        if port:
            ports.append(port)
    if not all(hosts) or not all(port.isdecimal() for port in ports) or len(set(ports)) > 1:
        raise Unavailable(f"{VARIABLE} must be host:port[,host...] with one port for all, not {text!r}")
    return Cassandra(tuple(hosts), int(ports[0]) if ports else DEFAULT_PORT, f"{VARIABLE}={text}")


def shared(owner: str) -> Cassandra:
    """The Cassandra of all processes of `owner` (`keeper.identity` of the run's first process): started by whoever asks first,
    ended by `stop_shared`, or when the owner is gone. Raises Unavailable, or node.NotReady."""
    there = given(os.environ.get(VARIABLE))
    if there is not None:
        if not any(answers(host, there.port) for host in there.hosts):
            raise Unavailable(f"nobody answers CQL at {there.contact_points} ({VARIABLE})")
        return there
    folder = _folder(owner.replace(":", "-"))
    with _locked(folder):
        running = _running(folder)
        return running if running is not None else _start(folder, owner)


def stop_shared(owner: str) -> None:
    """Ends what `shared` started for this owner, if anything."""
    folder = _folder(owner.replace(":", "-"))
    if folder.exists():
        _stop(folder)


def start_for_developer() -> Cassandra:
    """A node that goes on till `stop_for_developer`; it keeps no data afterwards."""
    folder = _folder(_developer())
    with _locked(folder):
        running = _running(folder)
        return running if running is not None else _start(folder, keeper.NO_OWNER)


def stop_for_developer() -> bool:
    """Ends the developer's node; returns whether there was one."""
    folder = _folder(_developer())
    was_there = (folder / "keeper").exists()
    if folder.exists():
        _stop(folder)
    return was_there


def temporary_base() -> Path:
    """Where nodes' data goes: memory where there is plenty of it, else the temporary folder."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > MEMORY_BYTES_MIN:
        return memory
    return Path(tempfile.gettempdir())


def container_engine() -> str | None:
    """A container engine that answers and has the image, pulling it if it must; None where there is none."""
    for engine in ENGINES:
        if shutil.which(engine) is None or not _succeeds([engine, "info"], ENGINE_SECONDS_MAX):
            continue
        if _succeeds([engine, "image", "inspect", IMAGE], ENGINE_SECONDS_MAX) or _succeeds(
            [engine, "pull", "--quiet", IMAGE], PULL_SECONDS_MAX
        ):
            return engine
    return None


def _start(folder: Path, owner: str) -> Cassandra:
    (folder / "temporary").touch()
    (folder / "cleanup").write_text(f"rm -f '{folder}.lock'\n", encoding="utf-8")
    engine = container_engine()
    found = _start_container(folder, owner, engine) if engine else _start_jars(folder, owner)
    facts = {"hosts": found.hosts, "port": found.port, "origin": found.origin, "pid": found.pid}
    (folder / "ready.json").write_text(json.dumps(facts), encoding="utf-8")
    return found


def _start_jars(folder: Path, owner: str) -> Cassandra:
    node = Node(NodeSettings(folder, port=free_port(), storage_port=free_port()), owner)
    node.start()
    node.wait_ready()
    return Cassandra((node.settings.address,), node.settings.port, "jars", node.pid)


def _start_container(folder: Path, owner: str, engine: str) -> Cassandra:
    name, port = f"{folder.name}-{os.getpid()}", free_port()
    settings = {
        "MAX_HEAP_SIZE": "512M",
        "HEAP_NEWSIZE": "128M",
        "JVM_EXTRA_OPTS": "-Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms=100",
    }
    environment = [word for key, value in settings.items() for word in ("-e", f"{key}={value}")]
    with (folder / "cleanup").open("a", encoding="utf-8") as cleanup:
        cleanup.write(f"{engine} rm -f -v {name}\n")
    process = keeper.start(
        owner, folder, [engine, "run", "--rm", "--name", name, "-p", f"127.0.0.1:{port}:9042", *environment, IMAGE]
    )
    keeper.wait_until(lambda: answers("127.0.0.1", port) or process.poll() is not None, READY_SECONDS_MAX)
    if process.poll() is not None or not answers("127.0.0.1", port):
        output = (folder / "output").read_text(encoding="utf-8", errors="replace")[-3000:]
        raise Unavailable(f"{engine} run {IMAGE} did not come up:\n{output}")
    return Cassandra(("127.0.0.1",), port, f"{engine} run {IMAGE}")


def _running(folder: Path) -> Cassandra | None:
    try:
        facts = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
        name = (folder / "keeper").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    found = Cassandra(tuple(facts["hosts"]), facts["port"], facts["origin"], facts["pid"])
    return found if keeper.alive(name) and answers(found.hosts[0], found.port) else None


def _stop(folder: Path) -> None:
    with _locked(folder):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            name = (folder / "keeper").read_text(encoding="utf-8")
            if keeper.alive(name):
                os.kill(int(name.partition(":")[0]), signal.SIGTERM)
            keeper.wait_until(lambda: not keeper.alive(name), STOP_SECONDS_MAX)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The lock lies beside the folder, for the folder may be removed under it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.with_name(folder.name + ".lock")
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
        if not folder.exists():
            path.unlink(missing_ok=True)


def _folder(name: str) -> Path:
    return temporary_base() / f"tenuto-cassandra-{os.getuid()}-{name}"


def _developer() -> str:
    """A developer's node belongs to one checkout."""
    return f"developer-{ROOT.stat().st_dev:x}-{ROOT.stat().st_ino:x}"


def _succeeds(command: list[str], seconds_max: float) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=seconds_max, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
