"""A program of ours as a child process, through all its lives."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

STOP_SECONDS = 15.0
END_SECONDS = 30.0


class Child:
    """One program: started, stopped in good order, killed, started again. What all its lives print goes to `log`."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        """Starts a life; returns at once."""
        assert not self.is_up, f"{self.name} is still running"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    @property
    def is_up(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The running process's id."""
        return self._living().pid

    @property
    def code(self) -> int | None:
        """With what the present life ended by itself; None while it runs, and where there is none."""
        return None if self._process is None else self._process.poll()

    def kill(self) -> None:
        """SIGKILL: the process is gone when this returns. Without a process nothing happens."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def terminate(self, timeout: float = STOP_SECONDS) -> int:
        """SIGTERM. Returns the exit code; raises subprocess.TimeoutExpired."""
        self._living().terminate()
        return self.wait(timeout)

    def wait(self, timeout: float = END_SECONDS) -> int:
        """Waits for the process to end by itself. Returns the exit code; raises subprocess.TimeoutExpired."""
        code = self._living().wait(timeout)
        self._process = None
        return code

    def pause(self) -> None:
        """SIGSTOP: the process stands still, and does not know."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def output(self) -> str:
        """The end of what its lives have printed."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def _living(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, f"{self.name} is not running"
        return self._process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
