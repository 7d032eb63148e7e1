"""Whatever docs/COMPATIBILITY.md names as a test is there."""

from __future__ import annotations

import re

import pytest

from tests.tidy.source import ROOT

TEXT = (ROOT / "docs" / "COMPATIBILITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([a-z0-9_/]+\.(?:py|txt)(?:::\w+)?)`", TEXT)))


@pytest.mark.parametrize("named", NAMED)
def test_a_named_test_is_there(named: str) -> None:
    file, _, test = named.partition("::")
    folder = ROOT / "tests" / ("scenarios/engine" if file.endswith(".txt") and "/" not in file else "")
    assert (folder / file).is_file()
    if test:
        assert f"def {test}(" in (folder / file).read_text(encoding="utf-8")


def test_rows_that_work_name_what_shows_it() -> None:
    rows = [line.split("|") for line in TEXT.splitlines() if line.startswith("| ") and line.count("|") >= 4]
    bare = [row[1].strip() for row in rows if row[2].strip().startswith("works") and "`" not in row[-2]]
    assert bare == []
