"""Holds every hand-written file of the project to the tidy rules; there are no exceptions to list."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator

import pytest

from tests.tidy import rules
from tests.tidy.source import ROOT, Source, Text, sources, texts

PYTHON_RULES: list[Callable[[Source], Iterator[rules.Problem]]] = [
    rules.docstring,
    rules.module_length,
    rules.function_length,
    rules.clocks_and_chance,
    rules.replay_is_pure,
    rules.sleeps,
    rules.threads,
    rules.prints,
]
TEXT_RULES: list[Callable[[Text], Iterator[rules.Problem]]] = [rules.unfinished, rules.workplace]


def report(problems: list[str]) -> None:
    """Fails with one line a problem."""
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_python(rule: Callable[[Source], Iterator[rules.Problem]]) -> None:
    report([f"{s.path}:{line}: {message}" for s in sources() for line, message in rule(s)])


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.__name__)
def test_text(rule: Callable[[Text], Iterator[rules.Problem]]) -> None:
    report([f"{t.path}:{line}: {message}" for t in texts() for line, message in rule(t)])


def test_the_rules_see_the_whole_project() -> None:
    paths = {text.path for text in texts()}
    known = {"Makefile", ".ci/run", "pyproject.toml", "protos/generate.py", "tests/tidy/test_tree.py"}
    assert known | {"services/tenuto_server/errors.py", "sdk/tenuto/__init__.py"} <= paths
    assert not [path for path in paths if "_pb2" in path or ".venv" in path]


def is_entry_point(source: Source) -> bool:
    """What is run, or is imported by users rather than by us."""
    if source.name in ("__init__", "__main__") or source.is_under("sdk/samples"):
        return True
    is_public = source.module.count(".") == 1 and source.is_under("sdk") and not source.name.startswith("_")
    return is_public or '__name__ == "__main__"' in source.text


def used_modules(source: Source) -> set[str]:
    """Modules that a file imports, or names in a string as pyvoy and entry points do ("package.module:attribute")."""
    used: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            used.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = source.origin_of(node)
            used.update([origin, *(f"{origin}.{alias.name}" for alias in node.names)])
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[\w.]+(:\w+)?", node.value)
        ):
            used.add(node.value.partition(":")[0])
    return used


def dead_modules(project: list[Source]) -> list[str]:
    """Modules of the SDK and the services that nothing of them uses."""
    ours = [source for source in project if source.is_under("sdk", "services")]
    used: set[str] = set()
    for source in ours:
        used |= used_modules(source) - {source.module}
    return [source.path for source in ours if source.module not in used and not is_entry_point(source)]


def test_no_module_is_dead() -> None:
    report([f"{path}: nothing imports it: remove it, or use it" for path in dead_modules(sources())])


def test_a_dead_module_is_found() -> None:
    project = [
        Source("services/tenuto_server/__main__.py", "from tenuto_server.history import shard\n"),
        Source("services/tenuto_server/history/__init__.py", ""),
        Source(
            "services/tenuto_server/history/shard.py", "from . import log\nAPP = 'tenuto_server.transport.app:app'\n"
        ),
        Source("services/tenuto_server/history/log.py", ""),
        Source("services/tenuto_server/transport/app.py", ""),
        Source("services/tenuto_server/history/forgotten.py", "import tenuto_server.history.forgotten\n"),
        Source("sdk/tenuto/client.py", ""),
        Source("sdk/tenuto/_worker.py", ""),
        Source("tests/unit/test_worker.py", "import tenuto._worker\n"),
    ]
    assert dead_modules(project) == ["services/tenuto_server/history/forgotten.py", "sdk/tenuto/_worker.py"]


def test_every_store_is_behind_the_factory() -> None:
    """A package below persistence is a store: import-linter must know it, so that only the factory imports it."""
    stores = {
        source.module
        for source in sources()
        if source.name == "__init__" and source.package.rpartition(".")[0] == "tenuto_server.persistence"
    }
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    protected = {name for contract in contracts for name in contract.get("protected_modules", [])}
    assert sorted(stores - protected) == [], "add these to the contract in pyproject.toml"


def test_every_dependency_is_pinned() -> None:
    """Direct dependencies of the distributions and of development stand in constraints.txt with one exact version."""
    pins = {}
    for line in (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            assert re.fullmatch(r"[\w.+!]+", version), line
            pins[normal(name)] = version
    wanted = []
    for path in ROOT.glob("*/pyproject.toml"):
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        wanted += project.get("dependencies", [])
        for extra in project.get("optional-dependencies", {}).values():
            wanted += extra
    development = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8").splitlines()
    wanted += [line for line in development if line and not line.startswith(("#", "-"))]
    names = {normal(re.split(r"[\s<>=!~;\[]", requirement)[0]) for requirement in wanted}
    assert sorted(name for name in names - pins.keys() if not name.startswith("tenuto")) == []


def normal(name: str) -> str:
    """A distribution's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
