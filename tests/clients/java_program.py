"""The foreign Java program: its jars from Maven Central, compiled when first needed, kept in .cache/java."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "java"
SOURCES = Path(__file__).with_name("java")
MAIN = "foreign.Main"
FETCH_SECONDS_MAX = 600.0
COMPILE_SECONDS_MAX = 120.0
# The client reaches into the JDK by reflection, as it did before Java had modules.
OPENS = ("java.lang", "java.util", "java.util.concurrent", "java.time")


def missing_tools() -> list[str]:
    """What is needed to run the Java program and is not on this machine."""
    return [tool for tool in ("java", "javac", "mvn") if shutil.which(tool) is None]


def java_command() -> list[str]:
    """The command that runs the program, up to its arguments. Raises CalledProcessError with the tools' words if the jars cannot
    be had or the program does not compile."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _jars()
        _classes()
    opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENS]
    return ["java", "-Xmx256m", "-XX:+UseSerialGC", *opens, "-cp", f"{FOLDER / 'classes'}:{FOLDER / 'lib'}/*", MAIN]


def _jars() -> None:
    pom = SOURCES / "pom.xml"
    command = [
        "mvn", "-q", "-B", "-f", str(pom),
        "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies",
        "-DincludeScope=runtime", f"-DoutputDirectory={FOLDER / 'lib'}",
    ]  # fmt: skip
    _once("lib", [pom], command, FETCH_SECONDS_MAX)


def _classes() -> None:
    sources = sorted(SOURCES.glob("src/**/*.java"))
    classes = FOLDER / "classes"
    command = ["javac", "-nowarn", "-d", str(classes), "-cp", f"{FOLDER / 'lib'}/*", *map(str, sources)]
    _once("classes", [SOURCES / "pom.xml", *sources], command, COMPILE_SECONDS_MAX)


def _once(name: str, sources: list[Path], command: list[str], seconds_max: float) -> None:
    """Runs a command that fills the folder `name`, unless it did so from these very sources."""
    folder, stamp = FOLDER / name, FOLDER / f"{name}.made"
    wanted = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds_max, check=False)
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    stamp.write_text(wanted, encoding="utf-8")
