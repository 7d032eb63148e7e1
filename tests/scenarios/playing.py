"""Plays scripts of commands: a block is commands, a line "----", and what they gave; blocks are parted by empty lines."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def play(text: str, do: Callable[[str], list[str]]) -> str:
    """The script with what its commands give now; `do` carries one out."""
    blocks = []
    for block in text.strip().split("\n\n"):
        commands = block.split("\n----")[0].split("\n")
        given = [line for command in commands if not command.startswith("#") for line in do(command)]
        blocks.append("\n".join([*commands, "----", *given]) if given or "\n----" in block else "\n".join(commands))
    return "\n\n".join(blocks) + "\n"


def check(path: Path, given: str) -> None:
    """Holds what a script gives now against the script, or writes it there (REWRITE=1)."""
    if os.environ.get("REWRITE"):
        path.write_text(given)
    else:
        assert given == path.read_text()
