"""Runs the scripts beside this file against the matcher of one task list.

A script is a sequence of blocks: commands, a line "----", what they gave. `REWRITE=1 pytest ...` writes what they give
now into the scripts, so that a change of behaviour is a diff to read.

    limits NAME=VALUE ...                          a new, empty matcher with these settings
    at SECONDS                                     time moves on
    offer TASK scheduled=N from=ADDRESS            history offers
    poll POLL [identity=NAME] [rate=N]             a poll joins
    finish POLL started|stale                      history answered about the poll's task
    put-back POLL [unknown]                        nobody asked history, or nobody knows its answer
    rejoin POLL                                    the poll waits again
    leave POLL [gone]                              the poll is over; gone: its caller went away
    query QUERY                                    somebody asks for a run's state
    handed-out POLL                                the poll's query is on its way to the worker
    forget QUERY                                   whoever asked has gone
    away ADDRESS                                   a history process seems to be away
    show                                           what is held

After each command that can make pairs, all pairs are taken and shown, and when to look again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenuto_server.errors import InvariantViolation
from tenuto_server.matching.matcher import Matcher, Poll, Query, Room
from tenuto_server.matching.settings import MatchingSettings
from tests.scenarios.playing import check, play

SCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


class Script:
    """One matcher, driven by lines of text."""

    def __init__(self) -> None:
        self.now = 0.0
        self.names: dict[Poll, str] = {}
        self.polls: dict[str, Poll] = {}
        self.queries: dict[str, Query] = {}
        self.settings = MatchingSettings()
        self.matcher = Matcher(self.now, self.settings, Room(self.settings.tasks_max))
        self.commands: dict[str, Callable[[list[str], dict[str, str]], list[str]]] = {
            "limits": self.limits,
            "at": self.at,
            "offer": self.offer,
            "poll": self.poll,
            "finish": self.finish,
            "put-back": self.put_back,
            "rejoin": self.rejoin,
            "leave": self.leave,
            "query": self.query,
            "handed-out": self.handed_out,
            "forget": self.forget,
            "away": self.away,
            "show": self.show,
        }

    def do(self, line: str) -> list[str]:
        """What one command gives; an event that its state does not allow gives its refusal."""
        name, *words = line.split()
        named = dict(word.split("=", 1) for word in words if "=" in word)
        try:
            return self.commands[name]([word for word in words if "=" not in word], named)
        except InvariantViolation as error:
            return [f"refused: {type(error).__name__}"]

    def limits(self, _words: list[str], named: dict[str, str]) -> list[str]:
        values: dict[str, Any] = {key: float(value) if "_s" in key else int(value) for key, value in named.items()}
        self.settings = MatchingSettings(**values)
        self.matcher = Matcher(self.now, self.settings, Room(self.settings.tasks_max))
        return []

    def at(self, words: list[str], _named: dict[str, str]) -> list[str]:
        self.now = float(words[0])
        return self.pairs()

    def offer(self, words: list[str], named: dict[str, str]) -> list[str]:
        outcome = self.matcher.offer(words[0].encode(), int(named["scheduled"]), named["from"])
        return [outcome.value, *self.pairs()]

    def poll(self, words: list[str], named: dict[str, str]) -> list[str]:
        poll = self.matcher.add_poll(named.get("identity", words[0]), self.now, float(named.get("rate", 0)))
        if poll is None:
            return ["no room"]
        self.polls[words[0]] = poll
        self.names[poll] = words[0]
        return self.pairs()

    def finish(self, words: list[str], _named: dict[str, str]) -> list[str]:
        self.matcher.finish(self.polls[words[0]], self.now, started={"started": True, "stale": False}[words[1]])
        return self.pairs()

    def put_back(self, words: list[str], _named: dict[str, str]) -> list[str]:
        kept = self.matcher.put_back(self.polls[words[0]], self.now, unknown="unknown" in words)
        return ["kept" if kept else "let go", *self.pairs()]

    def rejoin(self, words: list[str], _named: dict[str, str]) -> list[str]:
        self.matcher.rejoin(self.polls[words[0]], self.now)
        return self.pairs()

    def leave(self, words: list[str], _named: dict[str, str]) -> list[str]:
        self.matcher.remove_poll(self.polls[words[0]], self.now, caller_gone="gone" in words)
        return self.pairs()

    def query(self, words: list[str], _named: dict[str, str]) -> list[str]:
        query = self.matcher.add_query(words[0])
        if query is None:
            return ["no room"]
        self.queries[words[0]] = query
        return self.pairs()

    def handed_out(self, words: list[str], _named: dict[str, str]) -> list[str]:
        self.matcher.finish_query(self.polls[words[0]])
        return self.pairs()

    def forget(self, words: list[str], _named: dict[str, str]) -> list[str]:
        self.matcher.remove_query(self.queries[words[0]])
        return self.pairs()

    def away(self, words: list[str], _named: dict[str, str]) -> list[str]:
        return [f"{self.matcher.rest_address(words[0], self.now)} rest", *self.pairs()]

    def show(self, _words: list[str], _named: dict[str, str]) -> list[str]:
        matcher = self.matcher
        line = " ".join(self.names[poll] for poll in matcher.line()) or "nobody"
        seen = matcher.pollers(self.now, self.settings.poller_window_s)
        pollers = " ".join(f"{identity}@{poller.last_seen:g}/{poller.rate:g}" for identity, poller in seen.items())
        recent = matcher.has_recent_poller(self.now, self.settings.sticky_window_s)
        asked = " ".join(query.asker for query in matcher.waiting_queries())
        idle_s, empty = matcher.idle_s(self.now), matcher.is_empty
        return [
            f"backlog {matcher.backlog}, in line: {line}, rate {matcher.rate:g}",
            f"pollers: {pollers or 'none'}; recent: {recent}; idle {idle_s:g} s; empty: {empty}",
            *([f"queries: {asked}"] if asked else []),
        ]

    def pairs(self) -> list[str]:
        """Takes all pairs that can be had now."""
        lines = []
        while True:
            query, match = self.matcher.match_query(self.now), self.matcher.match(self.now)
            if query is not None:
                assert query.poll is not None
                lines.append(f"query {query.asker} -> {self.names[query.poll]}")
            if match is not None:
                lines.append(f"{match.task.key.decode()} -> {self.names[match.poll]} (ask {match.task.address})")
            if query is None and match is None:
                break
        retry_at = self.matcher.retry_at(self.now)
        if retry_at is not None:
            lines.append(f"look again at {retry_at:.3f}")
        return lines


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    check(path, play(path.read_text(), Script().do))


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 5
