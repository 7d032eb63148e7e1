"""Settings with overrides: which value holds where, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tenuto_server.config.live import (
    BY_DOMAIN,
    BY_TASK_LIST,
    DOMAIN,
    TASK_LIST,
    TASK_TYPE,
    LiveSettings,
    Override,
    fixed,
    setting,
)


@dataclass(frozen=True, slots=True)
class Inner:
    size: int = setting(10, "limit.size", filters=BY_DOMAIN, least=1)
    names: tuple[str, ...] = setting((), "limit.names")


@dataclass(frozen=True, slots=True)
class Settings:
    inner: Inner = field(default_factory=Inner)
    wait: float = setting(5.0, "service.waitInterval", filters=BY_TASK_LIST, seconds=True)
    also_size: int = setting(3, "limit.size", filters=BY_DOMAIN)
    on: bool = False
    name: str = fixed("me")

    def __post_init__(self) -> None:
        if self.inner.size > 1000:
            raise ValueError("size is too large for the service")


def live(*overrides: Override) -> LiveSettings[Settings]:
    settings = LiveSettings(Settings(), "service")
    settings.adopt(settings.prepare(overrides))
    return settings


def test_names_and_defaults() -> None:
    settings = live()
    assert set(settings.keys) == {"limit.size", "limit.names", "service.waitInterval", "service.on"}
    assert settings.current == Settings()
    assert settings.for_domain("d") is settings.current


def test_one_name_sets_all_fields_that_have_it() -> None:
    settings = live(Override("limit.size", 7), Override("service.on", True))
    assert settings.current == Settings(inner=Inner(size=7), also_size=7, on=True)


@pytest.mark.parametrize(
    ("value", "seconds"), [(2, 2.0), (2.5, 2.5), ("90s", 90.0), ("1m30s", 90.0), ("1.5h", 5400.0), ("200ms", 0.2)]
)
def test_durations(value: Any, seconds: float) -> None:
    settings = live(Override("service.waitInterval", value))
    assert settings.current.wait == pytest.approx(seconds)
    assert settings.value("service.waitInterval", {}) == f"{seconds:g}s"


def test_the_value_with_the_most_filters_holds_and_among_equals_the_last() -> None:
    settings = live(
        Override("service.waitInterval", 1, ((DOMAIN, "d"), (TASK_LIST, "t"))),
        Override("service.waitInterval", 2),
        Override("service.waitInterval", 3, ((DOMAIN, "d"),)),
        Override("service.waitInterval", 4),
        Override("service.waitInterval", 5, ((TASK_TYPE, 1),)),
    )
    assert settings.current.wait == 4
    assert settings.for_domain("d").wait == 3
    assert settings.for_domain("other").wait == 4
    waits = {
        (domain, task_list, kind): settings.for_task_list(domain, task_list, kind).wait
        for domain in ("d", "e") for task_list in ("t", "u") for kind in (1, 2)
    }  # fmt: skip
    assert waits == {
        ("d", "t", 1): 1, ("d", "t", 2): 1, ("d", "u", 1): 3, ("d", "u", 2): 5,
        ("e", "t", 1): 4, ("e", "t", 2): 5, ("e", "u", 1): 4, ("e", "u", 2): 5,
    }  # fmt: skip
    assert settings.value("service.waitInterval", {DOMAIN: "d", TASK_LIST: "t", TASK_TYPE: 0}) == "1s"


def test_a_change_is_seen_at_once_and_listeners_hear_of_it() -> None:
    settings, heard = live(Override("limit.size", 7, ((DOMAIN, "d"),))), []
    settings.on_change(lambda: heard.append(settings.current.inner.size))
    assert settings.for_domain("d").inner.size == 7
    settings.adopt(settings.prepare([Override("limit.size", 8)]))
    assert settings.for_domain("d").inner.size == 8
    settings.adopt(settings.prepare([]))
    assert settings.for_domain("d") == Settings()
    assert heard == [8, 10]


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (Override("limit.size", "x"), "limit.size must be an int, not 'x'"),
        (Override("limit.size", 1.5), "limit.size must be an int, not 1.5"),
        (Override("limit.size", True), "limit.size must be an int, not True"),
        (Override("limit.size", 0), "limit.size must be at least 1, not 0"),
        (Override("limit.size", 1e308), "limit.size must be at least 1, not 1e\\+308"),
        (Override("limit.size", 2000), "size is too large for the service"),
        (Override("limit.size", 2000, ((DOMAIN, "d"),)), "size is too large for the service"),
        (Override("limit.names", ["a", 1]), "limit.names must be a list"),
        (Override("service.on", 1), "service.on must be a bool, not 1"),
        (Override("service.waitInterval", "5"), "must be a duration, like 10 \\(seconds\\) or 1m30s, not '5'"),
        (Override("service.waitInterval", "-5s"), "must be at least 0"),
        (Override("service.waitInterval", float("nan")), "must be a duration"),
        (Override("service.waitInterval", None), "must be a duration"),
        (Override("service.on", True, ((DOMAIN, "d"),)), "service.on cannot depend on 'domainName'; it can on nothing"),
        (Override("limit.size", 5, (("shardID", 1),)), "limit.size cannot depend on 'shardID'; it can on domainName"),
        (Override("limit.size", 5, ((DOMAIN, 5),)), "domainName must be a text, not 5"),
        (Override("service.waitInterval", 5, ((TASK_TYPE, 2),)), "taskType must be 0"),
    ],
)
def test_what_is_refused_changes_nothing(override: Override, text: str) -> None:
    settings = live(Override("limit.size", 7))
    with pytest.raises(ValueError, match=text):
        settings.prepare([override])
    assert settings.current.inner.size == 7
