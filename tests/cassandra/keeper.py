"""A process that keeps another one, and ends it when its owner is gone: so nothing outlives a run of tests that was killed.

    python -m tests.cassandra.keeper OWNER FOLDER COMMAND...

OWNER is `pid:start time` (`identity`), or `-` for none. The command's pid is written to FOLDER/pid and its output to
FOLDER/output. The keeper ends with the command, and kills it at SIGTERM, or when the owner is gone, or (by the kernel, on Linux)
when it is itself killed. Having done so it runs what FOLDER/cleanup holds, a shell command, and removes FOLDER if there is a file
FOLDER/temporary.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

LOOK_SECONDS = 0.5
WAIT_SECONDS = 0.05
PR_SET_PDEATHSIG = 1
NO_OWNER = "-"

# The keepers that this process started: they are reaped when somebody looks, and by the kernel when it ends.
_started: list[subprocess.Popen[bytes]] = []


def identity(pid: int) -> str:
    """Names a process so that a later one with its pid is told apart, where /proc tells when it started."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"{pid}:"
    return f"{pid}:{text.rpartition(')')[2].split()[19]}"


def alive(name: str) -> bool:
    """Whether the process that `identity` named still runs."""
    if name == NO_OWNER:
        return True
    for process in [*_started]:
        if process.poll() is not None:
            _started.remove(process)
    pid = int(name.partition(":")[0])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return identity(pid) == name


def keep(owner: str, folder: Path, command: list[str]) -> int:
    """Runs the command until it ends or must end; returns its exit code."""
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with (folder / "output").open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
        )
    part = folder / "pid.part"
    part.write_text(str(child.pid), encoding="utf-8")
    part.replace(folder / "pid")
    while not ended and alive(owner):
        try:
            child.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        break
    if child.poll() is None:
        child.kill()
        child.wait()
    (folder / "pid").unlink(missing_ok=True)
    cleanup = folder / "cleanup"
    if cleanup.exists():
        subprocess.run(["sh", str(cleanup)], check=False, stdin=subprocess.DEVNULL, capture_output=True)
    if (ended or not alive(owner)) and (folder / "temporary").exists():
        shutil.rmtree(folder, ignore_errors=True)
    return child.returncode


def start(owner: str, folder: Path, command: list[str], seconds_max: float = 10.0) -> subprocess.Popen[bytes]:
    """Starts a keeper with the command, and returns when the command runs."""
    (folder / "pid").unlink(missing_ok=True)
    keeper = subprocess.Popen(
        [sys.executable, "-m", __spec__.name, owner, str(folder), *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parents[2], start_new_session=True,
    )  # fmt: skip
    _started.append(keeper)
    wait_until(lambda: (folder / "pid").exists() or keeper.poll() is not None, seconds_max)
    if not (folder / "pid").exists():
        keeper.kill()
        raise RuntimeError(f"{command[0]} did not start; its output is in {folder / 'output'}")
    (folder / "keeper").write_text(identity(keeper.pid), encoding="utf-8")
    return keeper


def wait_until(condition: Callable[[], bool], seconds_max: float) -> bool:
    """Waits for a condition of the world; returns whether it came true in time."""
    until = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() > until:
            return False
        # tidy: allow blocking-sleep: what is waited for is another process, and no event loop runs in this thread
        time.sleep(WAIT_SECONDS)
    return True


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
