"""The tidy rules find planted mistakes and leave right code alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.tidy import rules
from tests.tidy.source import Source, Text

SERVICE = "services/tenuto_server/history/service.py"
REPLAY = "sdk/tenuto/_replay/loop.py"
SOLIDUS = "/"

Rule = Callable[[Source], Iterator[rules.Problem]]

WRONG: list[tuple[Rule, str, str, int]] = [
    (rules.docstring, SERVICE, "x = 1\n", 1),
    (rules.module_length, SERVICE, "x = 1\n" * 601, 601),
    (rules.function_length, SERVICE, "def f():\n" + "    x = 1\n" * 71, 1),
    (rules.function_length, SERVICE, "class A:\n    async def f(self):\n" + "        x = 1\n" * 71, 2),
    (rules.clocks_and_chance, SERVICE, "import time\nnow = time.time()\n", 2),
    (rules.clocks_and_chance, SERVICE, "from time import time_ns as clock\n\nf(default=clock)\n", 3),
    (rules.clocks_and_chance, SERVICE, "import datetime as dt\nx = dt.datetime.now(dt.UTC)\n", 2),
    (rules.clocks_and_chance, SERVICE, "from datetime import datetime\nx = datetime.now()\n", 2),
    (rules.clocks_and_chance, SERVICE, "import random\nx = random.randint(1, 2)\n", 2),
    (rules.clocks_and_chance, SERVICE, "from random import choice\nx = choice([1])\n", 2),
    (rules.clocks_and_chance, SERVICE, "import random\nx = random.Random()\n", 2),
    (rules.clocks_and_chance, SERVICE, "import uuid\nx = str(uuid.uuid4())\n", 2),
    (rules.clocks_and_chance, SERVICE, "def f():\n    import secrets\n    return secrets.token_hex()\n", 3),
    (rules.replay_is_pure, REPLAY, "import asyncio\nasyncio.run(f())\n", 2),
    (rules.replay_is_pure, REPLAY, "import asyncio.subprocess\nx = asyncio.subprocess.PIPE\n", 2),
    (rules.replay_is_pure, REPLAY, "import random\nx = random.random()\n", 2),
    (rules.replay_is_pure, REPLAY, "from random import Random\nx = Random()\n", 2),
    (rules.sleeps, SERVICE, "import time\ntime.sleep(1)\n", 2),
    (rules.sleeps, "sdk/tenuto/worker.py", "from time import sleep\n# tidy: allow blocking-sleep: no\nsleep(1)\n", 3),
    (rules.sleeps, "tests/unit/test_x.py", "import time\ntime.sleep(0.1)\n", 2),
    (rules.threads, SERVICE, "import asyncio\nx = asyncio.to_thread(f)\n", 2),
    (rules.threads, SERVICE, "import threading\nx = threading.Lock()\n", 2),
    (rules.prints, SERVICE, "print(1)\n", 1),
    (rules.unfinished, SERVICE, "x = 1  # TO" + "DO: y\n", 1),
    (rules.workplace, "docs/A.md", f"\nsee {SOLIDUS}work{SOLIDUS}x\n", 2),
    (rules.workplace, "docs/A.md", f"cd {SOLIDUS}home{SOLIDUS}ann{SOLIDUS}x\n", 1),
    (rules.workplace, SERVICE, "# by Clau" + "de\n", 1),
]

RIGHT: list[tuple[Rule, str, str]] = [
    (rules.docstring, SERVICE, '"""What it is for."""\n'),
    (rules.docstring, "tests/unit/__init__.py", ""),
    (rules.module_length, SERVICE, "x = 1\n" * 600),
    (rules.function_length, SERVICE, 'def f():\n    """' + "a\n" * 90 + '"""\n' + "    x = 1\n" * 70),
    (rules.clocks_and_chance, "services/tenuto_server/config/runtime.py", "import time\nnow = time.time()\n"),
    (rules.clocks_and_chance, "sdk/tenuto/client.py", "import uuid\nx = uuid.uuid4()\n"),
    (rules.clocks_and_chance, SERVICE, "import random\ndef f(chance: random.Random): chance.random()\n"),
    (rules.clocks_and_chance, SERVICE, "import random\nx = random.Random(1)\n"),
    (rules.clocks_and_chance, SERVICE, "class A:\n    def f(self, time):\n        return time.time()\n"),
    (rules.clocks_and_chance, SERVICE, "import datetime\nx = datetime.datetime.fromtimestamp(1, datetime.UTC)\n"),
    (rules.replay_is_pure, REPLAY, "import asyncio\nclass Loop(asyncio.AbstractEventLoop): ...\n"),
    (rules.replay_is_pure, REPLAY, "import random\nx = random.Random(7)\n"),
    (rules.sleeps, SERVICE, "import asyncio\nawait_ = asyncio.sleep(1)\n"),
    (
        rules.sleeps,
        SERVICE,
        "import time\n# tidy: allow blocking-sleep: no event loop runs in this thread\ntime.sleep(1)\n",
    ),
    (rules.threads, "services/tenuto_server/persistence/sqlite/store.py", "import threading\nx = threading.Lock()\n"),
    (rules.threads, "services/tenuto_server/transport/pyvoy_acceptor.py", "import threading\nx = threading.Lock()\n"),
    (rules.prints, "services/tenuto_server/__main__.py", "print(1)\n"),
    (rules.prints, "sdk/samples/hello.py", "print(1)\n"),
    (rules.prints, "tests/benchmarks/__main__.py", "print(1)\n"),
    (rules.unfinished, SERVICE, "# the to-do list is empty\n"),
    (rules.workplace, "docs/A.md", "https://example.org/work/x and ~/work/ and ./home/x\n"),
]


@pytest.mark.parametrize(("rule", "path", "text", "line"), WRONG)
def test_finds_a_planted_mistake(rule: Rule, path: str, text: str, line: int) -> None:
    assert [number for number, _ in rule(Source(path, text))] == [line]


@pytest.mark.parametrize(("rule", "path", "text"), RIGHT)
def test_leaves_right_code_alone(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text))) == []


def test_a_message_names_the_replacement() -> None:
    [(_, message)] = rules.clocks_and_chance(Source(SERVICE, "import uuid\nx = uuid.uuid4()\n"))
    assert "Runtime.new_id" in message


def test_relative_imports_are_resolved() -> None:
    source = Source(
        "services/tenuto_server/history/engine/timers.py", "from . import state\nfrom ..shard import Shard\n"
    )
    assert source.imported_names == {
        "state": "tenuto_server.history.engine.state",
        "Shard": "tenuto_server.history.shard.Shard",
    }


def test_texts_that_are_not_python_are_read_too() -> None:
    assert [line for line, _ in rules.unfinished(Text("Makefile", "a:\n\t# FIX" + "ME\n"))] == [2]
