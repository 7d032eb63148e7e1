"""The foreign client's own virtual environment, made when it is first needed and kept beside .venv."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv-clients"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
INSTALL_SECONDS_MAX = 300.0


def client_python() -> Path:
    """The Python that has the client installed. Raises CalledProcessError with pip's words if that cannot be had."""
    python = FOLDER / "bin" / "python"
    stamp = FOLDER / "installed.txt"
    wanted = f"{sys.version}\n{REQUIREMENTS.read_text(encoding='utf-8')}"
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            venv.create(FOLDER, with_pip=True, clear=False)
            subprocess.run(
                [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS],
                check=True,
                timeout=INSTALL_SECONDS_MAX,
            )
            stamp.write_text(wanted, encoding="utf-8")
    return python
