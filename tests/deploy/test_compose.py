"""The compose file, the Dockerfile and Prometheus' settings: they agree with one another and with the program."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenuto_server.node.settings import ServerSettings, load
from tenuto_server.persistence.cassandra.settings import parse
from tests.deploy.objects import ROOT, SERVICES, check_variables, command_of

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
SETTINGS = ROOT / "deploy" / "docker" / "tenuto.yaml"
PROMETHEUS = ROOT / "deploy" / "compose" / "prometheus.yml"
IMAGE = "tenuto-server"
COMPILERS = ("build-essential", "gcc", "g++", "clang", "make", "rustc", "cargo", "apt-get")


def compose() -> dict[str, Any]:
    """The compose file's services."""
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return services


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, lines joined."""
    text = "\n".join(line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1].strip()) for line in lines if line.strip()]


def last_stage() -> list[tuple[str, str]]:
    """Those of the image itself."""
    all_of_them = instructions()
    start = max(number for number, (word, _) in enumerate(all_of_them) if word == "FROM")
    return all_of_them[start:]


def argument(word: str) -> str:
    """What stands after an instruction of which the image has one."""
    (found,) = [rest for name, rest in last_stage() if name == word]
    return found


def settings_of(service: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> ServerSettings:
    """What a service would be started with."""
    check_variables(service["environment"])
    with monkeypatch.context() as patched:
        for name, value in service["environment"].items():
            patched.setenv(name, value)
        return load(str(SETTINGS))


def ports(service: dict[str, Any]) -> set[int]:
    """The container's ports that are published."""
    return {int(one.rpartition(":")[2]) for one in service.get("ports", [])}


# --- the compose file -------------------------------------------------------------------------------------------------
def test_all_services_are_there_and_start(monkeypatch: pytest.MonkeyPatch) -> None:
    services = compose()
    assert set(SERVICES) | {"cassandra", "schema", "jaeger", "prometheus"} == set(services)
    for name in SERVICES:
        service = services[name]
        assert service["image"] == IMAGE and command_of(service["command"]) == [name]
        settings = settings_of(service, monkeypatch)
        assert settings.internal.host == "0.0.0.0" and settings.internal.port
        host, _, port = settings.worker_host.frontend.rpartition(":")
        assert (host, port) == ("frontend", settings.public.address.rpartition(":")[2])
        endpoint = re.fullmatch(r"http://(\w+):4317", settings.traces.endpoint)
        assert endpoint is not None and endpoint[1] in services
    assert services["history"]["scale"] == 2
    public = settings_of(services["frontend"], monkeypatch)
    wanted = {int(address.rpartition(":")[2]) for address in (public.public.address, public.http)}
    assert ports(services["frontend"]) == wanted == {7833, 8088}


def test_nothing_is_shown_to_the_network() -> None:
    for name, service in compose().items():
        for published in service.get("ports", []):
            assert published.startswith("127.0.0.1:"), f"{name} shows {published}, and nothing asks for a password"


def test_the_store_is_the_cassandra_of_the_file() -> None:
    services = compose()
    stores = {services[name]["environment"]["TENUTO_STORE"] for name in (*SERVICES, "schema")}
    assert len(stores) == 1
    location, _, query = stores.pop().removeprefix("cassandra://").partition("?")
    settings = parse(location, query, {})
    assert settings.hosts == ("cassandra",) and settings.hosts[0] in services and settings.replication == 1


def test_services_wait_for_what_they_need() -> None:
    services = compose()
    assert command_of(services["schema"]["command"]) == ["schema", "create"]
    assert services["schema"]["depends_on"] == {"cassandra": {"condition": "service_healthy"}}
    assert "cqlsh" in services["cassandra"]["healthcheck"]["test"][1]
    for name in SERVICES:
        # Directly on Cassandra and on Jaeger too: they are stopped after those that depend on them and still run.
        assert services[name]["depends_on"] == {
            "schema": {"condition": "service_completed_successfully"},
            "cassandra": {"condition": "service_healthy"},
            "jaeger": {"condition": "service_started"},
        }
    built = {name: service["build"] for name, service in services.items() if "build" in service}
    # Built once: those that wait for it find it made.
    assert list(built) == ["schema"] and services["schema"]["image"] == IMAGE
    assert (ROOT / built["schema"]["context"] / built["schema"]["dockerfile"]).resolve() == DOCKERFILE


def test_every_service_has_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, service in compose().items():
        assert "mem_limit" in service, name
    for name in SERVICES:
        service = compose()[name]
        assert int(service["stop_grace_period"].removesuffix("s")) >= settings_of(service, monkeypatch).drain_delay + 30
        assert service["read_only"] is True and service["tmpfs"] == ["/tmp"] and service["cap_drop"] == ["ALL"]


def test_volumes_are_there() -> None:
    whole = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    for name, service in whole["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            known = (ROOT / source).is_file() if source.startswith(".") else source in whole["volumes"]
            assert known, f"{name}: {volume}"


def test_prometheus_asks_every_service(monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))["scrape_configs"]
    (discovery,) = job["dns_sd_configs"]
    assert sorted(discovery["names"]) == sorted(SERVICES)
    for name in SERVICES:
        settings = settings_of(compose()[name], monkeypatch)
        assert settings.http == f"0.0.0.0:{discovery['port']}"
    # What the program itself says of it, where it is installed.
    if promtool := shutil.which("promtool"):
        done = subprocess.run([promtool, "check", "config", str(PROMETHEUS)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


# --- the image --------------------------------------------------------------------------------------------------------
def test_the_image_runs_as_nobody_in_particular() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", argument("USER"))
    assert argument("ENTRYPOINT") == '["tenuto-server"]'
    made = next(rest for word, rest in last_stage() if word == "RUN")
    user, group = argument("USER").split(":")
    assert f"--uid {user}" in made and f"--gid {group}" in made


def test_the_image_has_no_compiler() -> None:
    assert len([word for word, _ in instructions() if word == "FROM"]) == 2
    for _, rest in last_stage():
        assert not [word for word in COMPILERS if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", rest)], rest


def test_the_image_has_all_that_is_optional() -> None:
    project = tomllib.loads((ROOT / "services" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"tenuto_server-\*\.whl\)\[([\w,]+)\]", DOCKERFILE.read_text(encoding="utf-8"))
    assert set(extras.split(",")) == set(project["optional-dependencies"])


def test_the_image_shows_the_ports_of_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of({"environment": {}}, monkeypatch)
    served = {settings.public.address.rpartition(":")[2], str(settings.internal.port), settings.http.rpartition(":")[2]}
    assert set(argument("EXPOSE").split()) == served
    health = argument("HEALTHCHECK")
    assert f"('127.0.0.1', {settings.http.rpartition(':')[2]})" in health and "GET /healthz" in health
    variables = dict(pair.split("=", 1) for word, rest in last_stage() if word == "ENV" for pair in rest.split())
    assert ("COPY", f"deploy/docker/tenuto.yaml {variables['TENUTO_CONFIG']}") in last_stage()


def copied() -> Iterator[str]:
    """What the Dockerfile takes from the project."""
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            yield from rest.split()[:-1]


def test_what_the_image_is_made_of_is_there() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    for path in copied():
        assert (ROOT / path).exists(), path
        assert [one for one in allowed if Path(path) == Path(one) or Path(path).is_relative_to(one)], f"{path} is left out"
