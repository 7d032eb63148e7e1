"""A test that hangs ends its process, also where it holds the interpreter; so does one that leaves something behind that the
interpreter's end waits for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# PyDLL keeps the interpreter's lock while the function runs: no Python code can stop it.
HANGS = "import ctypes\n\ndef test_hangs():\n    ctypes.PyDLL(None).sleep(600)\n"
LEAVES = (
    "import atexit, ctypes\n\ndef test_passes():\n    atexit.register(ctypes.PyDLL(None).sleep, 600)\n\ndef test_too(): pass\n"
)


def run(folder: Path, text: str, *args: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(text)
    (folder / "conftest.py").write_text("from tests.conftest import pytest_unconfigure\n")
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", *args]
    environment = {**os.environ, "TENUTO_TESTS_END_S": "2", "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    return subprocess.run(
        [*command, str(folder)], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_test_that_hangs_is_ended(tmp_path: Path) -> None:
    ended = run(tmp_path, HANGS, "-o", "faulthandler_timeout=2")
    assert ended.returncode == 1
    assert "Timeout" in ended.stderr and "test_hangs" in ended.stderr


def test_a_worker_that_hangs_is_told_of(tmp_path: Path) -> None:
    ended = run(tmp_path, HANGS, "-o", "faulthandler_timeout=2", "-n", "1", "--max-worker-restart=0")
    assert ended.returncode == 1
    assert "crashed while running" in ended.stdout and "test_hangs" in ended.stdout


def test_an_end_that_hangs_is_ended(tmp_path: Path) -> None:
    ended = run(tmp_path, LEAVES)
    assert "2 passed" in ended.stdout
    assert ended.returncode == 1 and "Timeout" in ended.stderr
