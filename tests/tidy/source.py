"""What the tidy rules read: the project's hand-written files, each as text and, for Python, as a syntax tree."""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATED = "protos/tenuto_api/"
SKIPPED_FOLDERS = ("__pycache__", "build", "dist", "node_modules")
TEXT_NAMES = ("Makefile", "Dockerfile", "run")
TEXT_SUFFIXES = (
    ".cfg", ".cql", ".css", ".html", ".ini", ".java", ".js", ".json", ".md", ".proto", ".py", ".sh", ".sql", ".toml",
    ".txt", ".xml", ".yaml", ".yml",
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A file: `path` is relative to the project's top, with forward slashes."""

    path: str
    text: str

    @functools.cached_property
    def lines(self) -> list[str]:
        """The text's lines; line n of a message is lines[n - 1]."""
        return self.text.splitlines()

    def is_under(self, *folders: str) -> bool:
        """Whether the file is one of `folders` or lies below one."""
        return any(self.path == folder or self.path.startswith(folder + "/") for folder in folders)


@dataclass(frozen=True)
class Source(Text):
    """A Python file."""

    @functools.cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, self.path)

    @property
    def name(self) -> str:
        """The stem of the file's name: "runtime" for config/runtime.py."""
        return Path(self.path).stem

    @functools.cached_property
    def module(self) -> str:
        """The dotted name by which others import it; a package's is its __init__.py's."""
        parts = Path(self.path).with_suffix("").parts
        if parts[0] in ("protos", "sdk", "services"):
            parts = parts[1:]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        """What its relative imports start from."""
        return self.module if self.name == "__init__" else self.module.rpartition(".")[0]

    @functools.cached_property
    def imported_names(self) -> dict[str, str]:
        """Local name -> dotted name of what it stands for, for every import anywhere in the file."""
        names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                origin = self.origin_of(node)
                names.update({alias.asname or alias.name: f"{origin}.{alias.name}" for alias in node.names})
        return names

    def origin_of(self, node: ast.ImportFrom) -> str:
        """The absolute module that a from-import takes its names from."""
        if node.level == 0:
            return node.module or ""
        parts = self.package.split(".")
        base = ".".join(parts[: len(parts) - node.level + 1])
        return f"{base}.{node.module}" if node.module else base

    def dotted(self, node: ast.AST) -> str | None:
        """What a name or attribute chain means by the file's imports ("time.sleep"); None where it is no import's."""
        if isinstance(node, ast.Name):
            return self.imported_names.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else None
        return None


def walk() -> Iterator[Path]:
    """The project's files: no hidden folders but .ci, nothing generated or built."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(
            name
            for name in folders
            if name == ".ci" or not (name.startswith(".") or name in SKIPPED_FOLDERS or name.endswith(".egg-info"))
        )
        for name in sorted(files):
            path = Path(folder, name)
            if not path.relative_to(ROOT).as_posix().startswith(GENERATED):
                yield path


def relative(path: Path) -> str:
    """The path from the project's top."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def texts() -> list[Text]:
    """Every hand-written text file, Python ones as `Source`."""
    found: list[Text] = []
    for path in walk():
        if path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES:
            kind = Source if path.suffix == ".py" else Text
            found.append(kind(relative(path), path.read_text(encoding="utf-8")))
    return found


@functools.cache
def sources() -> list[Source]:
    """Every hand-written Python file."""
    return [text for text in texts() if isinstance(text, Source)]
