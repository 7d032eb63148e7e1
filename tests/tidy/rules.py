"""The tidy rules. Each takes a file and yields what is wrong with it: a line number and what to do about it.

A rule with a name may be set aside for one line, by a comment on it or on the line above that says why:
`# tidy: allow blocking-sleep: the store's own thread waits here, no event loop runs in it`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.tidy.source import Source, Text

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 600
REASON_CHARS_MIN = 20

Problem = tuple[int, str]

# What a service must not call -> what to call instead. Only config/runtime.py may.
RUNTIME = "take it from the Runtime (tenuto_server.config.runtime)"
NOT_IN_SERVICES = {
    "time.time": f"Runtime.now: {RUNTIME}",
    "time.time_ns": f"Runtime.now: {RUNTIME}",
    "time.monotonic": "Runtime.monotonic, or the event loop's time()",
    "time.monotonic_ns": "Runtime.monotonic, or the event loop's time()",
    "time.perf_counter": "Runtime.monotonic, or the event loop's time()",
    "time.perf_counter_ns": "Runtime.monotonic, or the event loop's time()",
    "datetime.datetime.now": f"Runtime.now: {RUNTIME}",
    "datetime.datetime.utcnow": f"Runtime.now: {RUNTIME}",
    "datetime.datetime.today": f"Runtime.now: {RUNTIME}",
    "datetime.date.today": f"Runtime.now: {RUNTIME}",
    "uuid.uuid1": f"Runtime.new_id: {RUNTIME}",
    "uuid.uuid4": f"Runtime.new_id: {RUNTIME}",
    "os.urandom": f"Runtime.random: {RUNTIME}",
    "secrets": f"Runtime.random: {RUNTIME}",
    "random": f"Runtime.random: {RUNTIME}",
}
# Naming the type is no draw.
HARMLESS = {"random.Random"}

# asyncio in the replayer is there for its interfaces; these reach the world.
NOT_IN_REPLAY = {
    "asyncio.run": "nothing: the deterministic loop runs the workflow",
    "asyncio.Runner": "nothing: the deterministic loop runs the workflow",
    "asyncio.new_event_loop": "nothing: the deterministic loop runs the workflow",
    "asyncio.get_event_loop": "asyncio.get_running_loop",
    "asyncio.to_thread": "an activity",
    "asyncio.open_connection": "an activity",
    "asyncio.open_unix_connection": "an activity",
    "asyncio.start_server": "an activity",
    "asyncio.start_unix_server": "an activity",
    "asyncio.create_subprocess_exec": "an activity",
    "asyncio.create_subprocess_shell": "an activity",
    "asyncio.subprocess": "an activity",
    "asyncio.streams": "an activity",
    "datetime.datetime.now": "the time of the decision task",
    "datetime.datetime.utcnow": "the time of the decision task",
    "random": "a random.Random seeded from the run id",
    "uuid.uuid1": "an id made of the run id and a counter",
    "uuid.uuid4": "an id made of the run id and a counter",
}

# Threads may run in a store or under an acceptor; all else is one event loop.
THREADED = ("services/tenuto_server/persistence",)
THREADS = {
    "threading": "the event loop: threads live in stores and acceptors only",
    "_thread": "the event loop: threads live in stores and acceptors only",
    "concurrent.futures": "the event loop: threads live in stores and acceptors only",
    "multiprocessing": "more processes of tenuto-server",
    "asyncio.to_thread": "the event loop: threads live in stores and acceptors only",
}

# Put together here, so that this file does not hold what it forbids.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b")
WORKPLACE = {
    "a folder of the machine it was written on": re.compile(
        r"(?<![\w.~}-])/(" + "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]\\w*")) + r")/"
    ),
    "a tool that wrote it": re.compile(
        "|".join(("clau" + "de", "anthro" + "pic", "chat" + "gpt", "co" + "pilot")), re.I
    ),
    "a page that is not in the project": re.compile(
        r"\b(" + "|".join(("DES" + "IGN", "STY" + "LE", "behav" + "iour", "wi" + "re")) + r")\.md\b"
    ),
    "the way it was made": re.compile("|".join(("sub" + "-?agent", "helper " + "session", "other " + "helper")), re.I),
}


def docstring(source: Source) -> Iterator[Problem]:
    """Every module says what it is for; an empty __init__.py of the tests may be silent."""
    if not source.text.strip() and source.name == "__init__" and source.is_under("tests"):
        return
    if not ast.get_docstring(source.tree):
        yield 1, "no docstring: say in one sentence what the module is for"


def module_length(source: Source) -> Iterator[Problem]:
    """A module has one subject, and fits in a head."""
    if len(source.lines) > MODULE_LINES_MAX:
        yield (
            len(source.lines),
            f"{len(source.lines)} lines (at most {MODULE_LINES_MAX}): look for the second subject in it",
        )


def function_length(source: Source) -> Iterator[Problem]:
    """A function fits on a screen; its docstring does not count."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            count = (body[-1].end_lineno or 0) - body[0].lineno + 1
            if count > FUNCTION_LINES_MAX:
                yield (
                    node.lineno,
                    f"{node.name} has {count} lines (at most {FUNCTION_LINES_MAX}): look for a second subject",
                )


def references(source: Source, banned: dict[str, str]) -> Iterator[tuple[int, str, str]]:
    """Every use of a banned name, or of what lies in a banned module: line, dotted name, what to use instead."""
    inner: set[ast.AST] = set()
    for node in ast.walk(source.tree):
        if node in inner or not isinstance(node, ast.Name | ast.Attribute):
            continue
        if isinstance(node, ast.Attribute):
            inner.update(ast.walk(node.value))
        dotted = source.dotted(node)
        if dotted is None or dotted in HARMLESS:
            continue
        for name, replacement in banned.items():
            if dotted == name or dotted.startswith(name + "."):
                yield node.lineno, dotted, replacement


def clocks_and_chance(source: Source) -> Iterator[Problem]:
    """Services take time and chance from the Runtime, so that the simulation can put its own in place."""
    if not source.is_under("services") or source.is_under("services/tenuto_server/config/runtime.py"):
        return
    for line, name, replacement in references(source, NOT_IN_SERVICES):
        yield line, f"{name}: use {replacement}"
    yield from unseeded(source)


def replay_is_pure(source: Source) -> Iterator[Problem]:
    """The replayer implements asyncio's interfaces and reaches nothing through them; its chance is seeded."""
    if source.is_under("sdk/tenuto/_replay"):
        for line, name, replacement in references(source, NOT_IN_REPLAY):
            yield line, f"{name}: use {replacement}"
        yield from unseeded(source)


def unseeded(source: Source) -> Iterator[Problem]:
    """random.Random() takes its seed from the operating system."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and not node.args and source.dotted(node.func) == "random.Random":
            yield node.lineno, "random.Random without a seed: hand one in"


def sleeps(source: Source) -> Iterator[Problem]:
    """Nothing blocks an event loop, and no test waits for time to pass."""
    for line, name, _ in references(source, {"time.sleep": ""}):
        if not allowed(source, line, "blocking-sleep"):
            yield (
                line,
                f"{name}: await asyncio.sleep, or wait for what you wait for (or `# tidy: allow blocking-sleep: why`)",
            )


def threads(source: Source) -> Iterator[Problem]:
    """Services are one event loop a process."""
    if not source.is_under("services") or source.is_under(*THREADED) or source.name.endswith("acceptor"):
        return
    for line, name, replacement in references(source, THREADS):
        if not allowed(source, line, "threads"):
            yield line, f"{name}: use {replacement} (or `# tidy: allow threads: why`)"


def prints(source: Source) -> Iterator[Problem]:
    """A library logs; only programs print."""
    is_program = source.name in ("__main__", "cli") or "/cli/" in source.path or source.is_under("sdk/samples")
    if is_program or not source.is_under("sdk", "services"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "print: use logging"


def unfinished(text: Text) -> Iterator[Problem]:
    """What is left to do is not said in the code."""
    for number, line in enumerate(text.lines, 1):
        if found := UNFINISHED.search(line):
            yield number, f"{found[0]}: do it, or write down the decision not to"


def workplace(text: Text) -> Iterator[Problem]:
    """The project says nothing about where and how it was made."""
    for number, line in enumerate(text.lines, 1):
        for what, pattern in WORKPLACE.items():
            if found := pattern.search(line):
                yield number, f"{found[0]!r} names {what}"


def allowed(source: Source, line: int, rule: str) -> bool:
    """Whether a comment on the line or the one above sets the rule aside and says why."""
    marker = re.compile(rf"#\s*tidy: allow {rule}:\s*(\S.*)")
    nearby = source.lines[max(line - 2, 0) : line]
    return any((found := marker.search(text)) and len(found[1]) >= REASON_CHARS_MIN for text in nearby)
