"""The jars of Apache Cassandra's server, from Maven Central into .cache/cassandra, once, whoever asks first.

Maven fetches them where it is installed (it knows the machine's mirrors); elsewhere they are fetched one by one, as jars.txt
lists them. Either way each file's hash must be the listed one.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import urllib.request
from pathlib import Path

VERSION = "5.0.9"
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "cassandra" / VERSION
POM = Path(__file__).with_name("pom.xml")
# A line a jar: its SHA-256, and its place in a Maven repository.
LIST = Path(__file__).with_name("jars.txt")
CENTRAL = "https://repo.maven.apache.org/maven2"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
FETCH_SECONDS_MAX = 600.0
JAR_SECONDS_MAX = 60.0


class Unavailable(Exception):
    """The jars cannot be had; the text says why and what to do."""


def jars() -> Path:
    """The folder of the jars. Raises Unavailable."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    library, stamp = FOLDER / "lib", FOLDER / "made"
    wanted = hashlib.sha256(LIST.read_bytes()).hexdigest()
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return library
        shutil.rmtree(library, ignore_errors=True)
        library.mkdir()
        if shutil.which("mvn"):
            _by_maven(library)
        else:
            _one_by_one(library)
        _check(library)
        stamp.write_text(wanted, encoding="utf-8")
    return library


def listed() -> dict[str, tuple[str, str]]:
    """What jars.txt says: file name -> (SHA-256, place in a Maven repository)."""
    lines = [line.split() for line in LIST.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {place.rpartition("/")[2]: (digest, place) for digest, place in lines}


def make_list() -> str:
    """jars.txt anew from the pom, by Maven."""
    folder = FOLDER / "list"
    shutil.rmtree(folder, ignore_errors=True)
    # With the layout of a repository the folders say group, artifact and version.
    _by_maven(folder, "-Dmdep.useRepositoryLayout=true")
    lines = [f"{_digest(jar)} {jar.relative_to(folder).as_posix()}" for jar in sorted(folder.rglob("*.jar"))]
    shutil.rmtree(folder)
    return "\n".join(["# Made by: python -m tests.cassandra list", *lines, ""])


def _by_maven(folder: Path, *options: str) -> None:
    command = [
        "mvn", "-q", "-B", "-f", str(POM), f"{PLUGIN}:copy-dependencies",
        "-DincludeScope=runtime", f"-DoutputDirectory={folder}", *options,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS_MAX, check=False)
    if done.returncode != 0:
        raise Unavailable(f"Maven could not fetch Cassandra {VERSION}: {(done.stdout + done.stderr).strip()[-2000:]}")


def _one_by_one(folder: Path) -> None:
    for name, (_, place) in listed().items():
        try:
            with urllib.request.urlopen(f"{CENTRAL}/{place}", timeout=JAR_SECONDS_MAX) as answer:
                (folder / name).write_bytes(answer.read())
        except OSError as error:
            raise Unavailable(f"{CENTRAL}/{place} could not be fetched: {error}") from error


def _check(folder: Path) -> None:
    found = {jar.name: _digest(jar) for jar in folder.glob("*.jar")}
    wanted = {name: digest for name, (digest, _) in listed().items()}
    differing = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if differing:
        raise Unavailable(f"the jars of Cassandra {VERSION} are not those that {LIST.name} lists: {', '.join(differing)}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
