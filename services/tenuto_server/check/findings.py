"""What a check finds, and the report that it makes of it."""

from __future__ import annotations

import enum
from collections import Counter
from typing import NamedTuple

import msgspec


class Kind(enum.StrEnum):
    """What a finding is about."""

    SHARD = "shard"
    LOG = "log"
    DOMAIN = "domain"
    WORKFLOW = "workflow"
    SNAPSHOT = "snapshot"
    HISTORY = "history"
    WAKING = "waking"
    TIMER = "timer"
    TASK = "task"
    VISIBILITY = "visibility"


class Finding(NamedTuple):
    """Something that is not as it must be; `is_notice`: that does no harm, such as what a crash left behind. Names are empty
    where none fits."""

    kind: Kind
    text: str
    domain_id: str = ""
    workflow_id: str = ""
    run_id: str = ""
    shard: int = -1
    is_notice: bool = False

    def line(self) -> str:
        """For people."""
        where = "/".join(name for name in (self.domain_id, self.workflow_id, self.run_id) if name)
        shard = f"shard {self.shard}" if self.shard >= 0 else ""
        place = " ".join(word for word in (shard, where) if word)
        return f"{'notice' if self.is_notice else 'PROBLEM'} {self.kind.value}{' ' + place if place else ''}: {self.text}"


class Report:
    """All findings, the first `kept_max` of them in full, and how much was looked at."""

    def __init__(self, kept_max: int) -> None:
        self.kept_max = kept_max
        self.findings: list[Finding] = []
        self.problems = 0
        self.notices = 0
        self.looked_at: Counter[str] = Counter()

    def add(self, findings: list[Finding]) -> None:
        """Takes findings in."""
        for finding in findings:
            if finding.is_notice:
                self.notices += 1
            else:
                self.problems += 1
            if len(self.findings) < self.kept_max:
                self.findings.append(finding)

    def text(self) -> str:
        """For people."""
        lines = [finding.line() for finding in self.findings]
        left_out = self.problems + self.notices - len(self.findings)
        if left_out:
            lines.append(f"... and {left_out} more")
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.looked_at.items()) if count)
        lines.append(f"{self.problems} problems and {self.notices} notices in {counts or 'an empty store'}")
        return "\n".join(lines)

    def json(self) -> str:
        """For programs."""
        found = [{**finding._asdict(), "kind": finding.kind.value} for finding in self.findings]
        whole = {
            "problems": self.problems,
            "notices": self.notices,
            "looked_at": dict(sorted(self.looked_at.items())),
            "findings": found,
        }
        return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()
