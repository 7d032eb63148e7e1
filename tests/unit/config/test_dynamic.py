"""Where settings come from: a file that is read again, and the store; what is refused, and what stands over what."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tenuto_server.config.dynamic import DynamicConfig, overrides_of_text
from tenuto_server.config.live import LiveSettings, Override
from tenuto_server.frontend.settings import FrontendSettings
from tenuto_server.history.settings import HistorySettings
from tenuto_server.matching.settings import MatchingSettings
from tenuto_server.persistence.memory import MemoryStore
from tests.unit.frontend.fakes import run
from tests.unit.history import virtual

# Longer than the sources are looked at.
A_WHILE_S = 1.5


class World:
    """Two processes' settings on one store and one file."""

    def __init__(self, file: Path | None = None) -> None:
        self.store = MemoryStore(virtual.runtime())
        self.frontend = LiveSettings(FrontendSettings(), "frontend")
        self.other = LiveSettings(FrontendSettings(), "frontend")
        rest: list[LiveSettings[Any]] = [LiveSettings(HistorySettings(), "history"), LiveSettings(MatchingSettings(), "matching")]
        path = "" if file is None else str(file)
        self.mine = DynamicConfig([self.frontend, *rest], self.store, path)
        self.theirs = DynamicConfig([self.other], self.store)

    def rps(self) -> float:
        return self.frontend.current.rates.host_user


def test_a_file_in_cadence_s_form() -> None:
    text = """
frontend.rps:
- value: 100
  constraints: {}
frontend.domainrps:
- value: 50
- value: 60
  constraints:
    domainName: orders
history.longPollExpirationInterval: 5s
frontend.rateLimiterBypassCallerTypes: [cli, ui]
"""
    assert overrides_of_text(text) == [
        Override("frontend.rps", 100),
        Override("frontend.domainrps", 50),
        Override("frontend.domainrps", 60, (("domainName", "orders"),)),
        Override("history.longPollExpirationInterval", "5s"),
        Override("frontend.rateLimiterBypassCallerTypes", ["cli", "ui"]),
    ]
    assert overrides_of_text("") == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("frontend.rps: [", "not YAML"),
        ("- 1", "not a list of settings"),
        ("frontend.rps:\n- values: 1", "frontend.rps: each value is"),
        ("frontend.rps:\n- value: 1\n  constraint: {}", "frontend.rps: each value is"),
        ("frontend.rps:\n- value: 1\n  constraints: [a]", "frontend.rps: each value is"),
        ("frontend.rpz: 1", "there is no setting 'frontend.rpz'; did you mean frontend.rps"),
        ("frontend.rps: many", "frontend.rps must be a float, not 'many'"),
    ],
)
def test_a_bad_file_stops_the_start(tmp_path: Path, text: str, told: str) -> None:
    async def scenario() -> None:
        file = tmp_path / "settings.yaml"
        file.write_text(text)
        world = World(file)
        with pytest.raises(ValueError, match=told):
            await world.mine.start()
        assert world.frontend.current == FrontendSettings()

    run(scenario())


def test_a_file_is_read_again_and_a_bad_edit_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        file = tmp_path / "settings.yaml"
        file.write_text("frontend.rps: 100")
        world = World(file)
        await world.mine.start()
        assert world.rps() == 100
        file.write_text("frontend.rps: 20000")
        await asyncio.sleep(A_WHILE_S)
        assert world.rps() == 20_000
        for bad in ("frontend.rps: -1", "frontend.rps: [", "frontend.nothing: 100000"):
            caplog.clear()
            file.write_text(bad)
            await asyncio.sleep(3 * A_WHILE_S)
            assert world.rps() == 20_000
            assert len([one for one in caplog.records if "are refused" in one.getMessage()]) == 1
        file.unlink()
        await asyncio.sleep(A_WHILE_S)
        assert world.rps() == 20_000
        file.write_text("")
        await asyncio.sleep(A_WHILE_S)
        assert world.rps() == FrontendSettings().rates.host_user
        await world.mine.stop()

    run(scenario())


def test_the_store_stands_over_the_file_and_every_process_reads_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        file = tmp_path / "settings.yaml"
        file.write_text("frontend.rps: 100")
        world = World(file)
        await world.mine.start()
        await world.theirs.start()
        await world.mine.update("frontend.rps", [(5, [])])
        assert world.rps() == 5
        await asyncio.sleep(A_WHILE_S)
        assert world.other.current.rates.host_user == 5
        file.write_text("frontend.rps: 200000")
        await asyncio.sleep(A_WHILE_S)
        assert world.rps() == 5
        await world.theirs.restore("frontend.rps", [])
        await asyncio.sleep(A_WHILE_S)
        assert world.rps() == 200_000
        await world.mine.stop()
        await world.theirs.stop()

    run(scenario())


def test_values_by_domain_are_set_and_taken_back_one_by_one() -> None:
    async def scenario() -> None:
        world = World()
        name, mine = "limit.blobSize.error", [("domainName", "orders")]
        await world.mine.update(name, [(100, []), (200, mine)])
        assert world.frontend.for_domain("orders").limits.blob_bytes_max == 200
        assert world.mine.get(name, {"domainName": "orders"}) == 200
        assert world.mine.get(name, {"domainName": "others"}) == 100
        assert await world.theirs.stored(name) == {name: [(100, []), (200, mine)]}
        await world.mine.restore(name, [("domainName", "others")])
        await world.mine.restore(name, mine)
        assert await world.theirs.stored("") == {name: [(100, [])]}
        await world.mine.update(name, [])
        assert await world.mine.stored("") == {}
        assert world.frontend.current == FrontendSettings()

    run(scenario())


def test_changes_at_once_all_count() -> None:
    async def scenario() -> None:
        world = World()
        names = ["frontend.rps", "frontend.domainrps", "frontend.asyncrps", "limit.blobSize.error"]
        changes = [config.update(name, [(7, [])]) for config, name in zip([world.mine, world.theirs] * 2, names, strict=True)]
        await asyncio.gather(*changes)
        assert set(await world.mine.stored("")) == set(names)

    run(scenario())


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("frontend.rps", "x", "must be a float"),
        ("nothing", 1, "there is no setting 'nothing'"),
        ("frontend.rps", -1, "at least 0"),
        ("frontend.rateLimiterBypassCallerTypes", ["x" * 600_000], "bytes of settings"),
    ],
)
def test_a_bad_value_is_not_stored(name: str, value: object, told: str) -> None:
    async def scenario() -> None:
        world = World()
        with pytest.raises(ValueError, match=told):
            await world.mine.update(name, [(value, [])])
        assert await world.mine.stored("") == {}
        assert world.frontend.current == FrontendSettings()

    run(scenario())


def test_what_a_newer_program_stored_is_refused_whole(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        world = World()
        older = DynamicConfig([LiveSettings(HistorySettings(), "history")], world.store)
        await world.mine.update("frontend.rps", [(5, [])])
        await older.start()
        await asyncio.sleep(5 * A_WHILE_S)
        assert len([one for one in caplog.records if "in the store are refused" in one.getMessage()]) == 1
        await older.stop()

    run(scenario())
