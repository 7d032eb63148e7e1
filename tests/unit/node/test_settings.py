"""Settings of a process: where they come from, and what is said of wrong ones."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from tenuto_server.node.process import describe, from_environment
from tenuto_server.node.settings import ServerSettings, SettingsError, load


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "server.yaml"
    file.write_text("shards: 16\nstore: memory://\ninternal: {host: 0.0.0.0, port: 7940}\nlogs: {level: debug}\n")
    monkeypatch.setenv("TENUTO_STORE", "sqlite:///t.db")
    monkeypatch.setenv("TENUTO_INTERNAL__PORT", "7941")
    monkeypatch.setenv("TENUTO_INTERNAL__ADVERTISE", "10.0.0.1")
    settings = load(str(file), ["internal.port=7942", "worker-host.modules=[shop:orders]"])
    assert settings.shards == 16
    assert settings.store == "sqlite:///t.db"
    assert (settings.internal.host, settings.internal.port, settings.internal.told()) == ("0.0.0.0", 7942, "10.0.0.1")
    assert settings.logs.level == "DEBUG"
    assert settings.worker_host.modules == ("shop:orders",)


def test_what_is_not_said_has_its_default() -> None:
    assert load("") == ServerSettings()


def test_settings_survive_the_way_to_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load("", ["public.address=0.0.0.0:1", "worker_host.modules=[a:b]", "membership.ttl=9"])
    monkeypatch.setenv("TENUTO_SERVER_PROCESS", describe("frontend", settings))
    # What is in the environment was read already, and does not count once more.
    monkeypatch.setenv("TENUTO_SHARDS", "3")
    assert from_environment() == ("frontend", settings)


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("shards=0", "shards: "),
        ("shards=lots", "shards: "),
        ("shards", "'shards': write name=value"),
        ("internal.port=65536", "internal.port: "),
        ("internal=7", "internal: "),
        ("nonsense=1", "nonsense: "),
        ("internal.nonsense=1", "internal.nonsense: "),
        ("public.address=here", "public.address: an address is host:port"),
        ("public.acceptor=carrier-pigeon", "public.acceptor: "),
        ("membership.announce=60", "membership: announce_interval_s must be over 0 and under ttl_s"),
        ("dynamic_settings=/not/there.yaml", "dynamic_settings: there is no file /not/there.yaml"),
        ("public.http.address=localhost", "public.http.address: an address is host:port"),
        ("public.http.procedures=[a.B::C]", "public.http.procedures: there are no procedures a.B::C"),
        ("a: [=b", "a: [: "),
        ("shards={", "'shards={': "),
    ],
)
def test_a_wrong_setting_is_named(assignment: str, problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load("", [assignment])
    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "\x00", "1: 2"])
def test_a_file_that_holds_no_settings_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "server.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"server\.yaml"):
        load(str(file))
    with pytest.raises(SettingsError, match="No such file"):
        load(str(tmp_path / "none.yaml"))


def test_each_of_several_processes_has_its_own_ports_but_the_public_one() -> None:
    settings = load("", ["internal.port=7940", "http=127.0.0.1:8088", "processes=3"])
    third = settings.of_process(2)
    assert (third.internal.port, third.http, third.public, third.processes) == (7942, "127.0.0.1:8090", settings.public, 1)
    free = load("", ["http=127.0.0.1:0"]).of_process(2)
    assert (free.internal.port, free.http) == (0, "127.0.0.1:0")


def test_the_interface_over_http() -> None:
    assert load("").http_api(shared=False) is None
    start, cluster = "uber.cadence.api.v1.WorkflowAPI::StartWorkflowExecution", "uber.cadence.admin.v1.AdminAPI::DescribeCluster"
    assignments = ["public.http.address=0.0.0.0:8800", f"public.http.procedures=['{start}','{cluster}']", "processes=2"]
    told = load("", assignments).of_process(1).http_api(shared=True)
    assert told is not None
    assert (told.address, told.procedures, told.reuse_port) == ("0.0.0.0:8800", (start, cluster), True)


def test_a_process_that_listens_everywhere_tells_an_address_that_can_be_called() -> None:
    told = load("", ["internal.host=0.0.0.0"]).internal.told()
    try:
        assert not ipaddress.ip_address(told).is_unspecified
    except ValueError:
        assert told, "a host name"
