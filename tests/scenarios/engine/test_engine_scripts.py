"""Plays the scripts beside this file on the engine. `REWRITE=1 pytest ...` writes what they give now into them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.engine.arrows import Arrows
from tests.scenarios.engine.script import parse, play, written
from tests.scenarios.engine.transitions import TRANSITIONS
from tests.scenarios.playing import check

SCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    check(path, play(path.read_text()))


def test_the_scripts_draw_every_transition(record_property: Callable[[str, object], None]) -> None:
    """What was drawn how often is printed at the end of the run: see conftest."""
    arrows = Arrows()
    for path in SCRIPTS:
        play(path.read_text(), arrows)
    drawn = {str(arrow): count for arrow, count in arrows.drawn.items()}
    declared = [line for line in TRANSITIONS.splitlines() if line]
    record_property("transitions", [f"{drawn.get(line, 0):5} {line}" for line in declared])
    assert not set(drawn) - set(declared), "these are not declared"
    assert not set(declared) - set(drawn), "no scenario draws these"


def test_a_script_is_parsed_and_written_alike() -> None:
    text = "# why\nstart\n----\n1 Begun\n\nadvance 5\n\n# more\ncomplete-decision\n  timer t 5\n----\nnothing\n\n# end\n"
    blocks, tail = parse(text)
    assert [block.command for block in blocks] == ["start", "advance 5", "complete-decision"]
    assert [block.given for block in blocks] == [[], [], ["  timer t 5"]]
    assert [block.expected for block in blocks] == [["1 Begun"], [], ["nothing"]]
    assert written(blocks, tail) == text


@pytest.mark.parametrize(
    "script", ["start\n\nstart-decison\n", "start timeuot=5\n", "start\n\nsignal a b\n", "  input first\n", "signal early\n"]
)
def test_what_a_script_does_not_mean_is_an_error(script: str) -> None:
    with pytest.raises((KeyError, AssertionError)):
        play(script)


def test_a_change_of_behaviour_is_seen() -> None:
    text = (Path(__file__).parent / "timers.txt").read_text()
    assert play(text) == text
    assert play(text.replace("  timer b 5\n", "  timer b 6\n", 1)) != text
