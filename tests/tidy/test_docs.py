"""The documents: links lead somewhere, and no document is named that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tidy.source import ROOT, Text, texts

LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*(\S+)")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$")
DOCUMENT = re.compile(r"(?<![\w./-])(?:\.\./)*(docs/[\w./-]*\w\.md)\b")


def prose(text: str) -> list[str]:
    """A document's lines; those of code blocks are empty, and so is code within a line."""
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        opening = re.match(r"\s*(```+|~~~+)", line)
        if fence:
            fence = "" if opening and opening[1].startswith(fence) else fence
            lines.append("")
        elif opening:
            fence = opening[1]
            lines.append("")
        else:
            lines.append(re.sub(r"`[^`]*`", "", line))
    return lines


def anchors(text: str) -> set[str]:
    """The fragments that a document's headings can be reached by, as GitHub and GitLab make them."""
    found: set[str] = set()
    fenced = prose(text)
    for number, line in enumerate(text.splitlines()):
        if fenced[number] and (heading := HEADING.match(line)):
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            copies = sum(1 for name in found if name == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", name))
            found.add(f"{slug}-{copies}" if copies else slug)
    return found


def broken_links(document: Text, root: Path) -> list[str]:
    """Links of one document to files and headings that are not there."""
    problems = []
    for number, line in enumerate(prose(document.text), 1):
        targets = LINK.findall(line)
        if reference := REFERENCE.match(line):
            targets.append(reference[1])
        for target in targets:
            if ELSEWHERE.match(target):
                continue
            name, _, fragment = target.partition("#")
            path = ((root / document.path).parent / name).resolve() if name else root / document.path
            if not path.exists() or not path.is_relative_to(root.resolve()):
                problems.append(f"{document.path}:{number}: {target}: no such file")
            elif fragment and path.suffix == ".md" and fragment not in anchors(path.read_text(encoding="utf-8")):
                problems.append(f"{document.path}:{number}: {target}: no such heading")
    return problems


def test_links_lead_somewhere() -> None:
    documents = [text for text in texts() if text.path.endswith(".md")]
    problems = [problem for document in documents for problem in broken_links(document, ROOT)]
    assert not problems, "\n" + "\n".join(problems)


def test_documents_that_are_named_exist() -> None:
    """In code, comments and documents alike: a page of docs/ that is spoken of can be read."""
    problems = [
        f"{text.path}:{number}: {name} does not exist"
        for text in texts()
        if not text.is_under("tests/tidy")
        for number, line in enumerate(text.lines, 1)
        for name in DOCUMENT.findall(line)
        if not (ROOT / name).exists()
    ]
    assert not problems, "\n" + "\n".join(problems)


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "B.md").write_text("# The `one` way, really\n```\n# no heading\n```\n")
    body = (
        "[right](docs/B.md) [too](docs/B.md#the-one-way-really) [here](#top) [out](https://example.org/x.md)\n"
        "# Top\n"
        "[gone](docs/C.md) [heading](docs/B.md#no-heading)\n"
        "```\n[in code](docs/C.md)\n```\n"
        "`[in code](docs/C.md)`\n"
        "[ref]: docs/D.md\n"
        "[above](../secret.md)\n"
    )
    (tmp_path / "A.md").write_text(body)
    found = [problem.split(": ")[0:2] for problem in broken_links(Text("A.md", body), tmp_path)]
    assert found == [
        ["A.md:3", "docs/C.md"],
        ["A.md:3", "docs/B.md#no-heading"],
        ["A.md:8", "docs/D.md"],
        ["A.md:9", "../secret.md"],
    ]
