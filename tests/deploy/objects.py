"""Objects of Kubernetes as the tests look at them: rendered, normalised, and what a container would be started with."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from tenuto_server.__main__ import main
from tenuto_server.node.settings import ServerSettings
from tests.deploy import tools

ROOT = tools.ROOT
KUBERNETES = ROOT / "deploy" / "kubernetes"
CHART = KUBERNETES / "chart"
POD_IP = "10.1.2.3"
SERVICES = ("frontend", "history", "matching", "worker-host")
WORKLOADS = ("Deployment", "StatefulSet", "Job")
# What names a variable beside a setting.
MORE_VARIABLES = {"TENUTO_CONFIG", "TENUTO_CASSANDRA_USER", "TENUTO_CASSANDRA_PASSWORD"}

Object = dict[str, Any]


def parsed(text: str) -> list[Object]:
    """The objects of a YAML text."""
    return [one for one in yaml.safe_load_all(text) if one]


@functools.cache
def _kustomized(folder: Path) -> str:
    return tools.run("kubectl", "kustomize", str(folder))


def kustomized(folder: Path = KUBERNETES / "base") -> list[Object]:
    """What a folder of kustomize gives."""
    return parsed(_kustomized(folder))


@functools.cache
def _charted(values: str) -> str:
    options = [f"--set-json={name}={json.dumps(value)}" for name, value in json.loads(values).items()]
    return tools.run("helm", "template", "tenuto", str(CHART), "--namespace", "tenuto", *options)


def charted(**values: Any) -> list[Object]:
    """What the chart gives with these values, as a release named "tenuto"."""
    return parsed(_charted(json.dumps(values)))


def named(objects: Iterable[Object]) -> dict[tuple[str, str], Object]:
    """By kind and name."""
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    """Those of some kinds."""
    return [one for one in objects if one["kind"] in kinds]


def pod_of(workload: Object) -> Object:
    """A workload's pod template."""
    template: Object = workload["spec"]["template"]
    return template


def selected(selector: Mapping[str, str], objects: Iterable[Object]) -> list[Object]:
    """The workloads whose pods a selector takes."""
    return [
        one for one in of_kind(objects, *WORKLOADS) if selector.items() <= pod_of(one)["metadata"]["labels"].items()
    ]


# --- the same in another form -----------------------------------------------------------------------------------------
_OF_HELM = {"helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "checksum/config"}


def normalised(objects: Iterable[Object]) -> dict[tuple[str, str], Object]:
    """Without what differs between kustomize and Helm by their nature: labels of Helm, the marks by which a change of settings
    restarts services, namespaces, and how one gets rid of a Job that ran."""
    text = json.dumps([one for one in objects if one["kind"] != "Namespace"])
    text = re.sub(r'"tenuto-config-[0-9a-z]{10}"', '"tenuto-config"', text)
    text = re.sub(r'"tenuto-schema-\d+"', '"tenuto-schema"', text)
    result = [_bare(one) for one in json.loads(text)]
    for one in result:
        one["metadata"].pop("namespace", None)
        if one["kind"] == "Job":
            one["spec"].pop("ttlSecondsAfterFinished", None)
        if one["kind"] == "ConfigMap":
            one["data"] = {name: yaml.safe_load(value) for name, value in one["data"].items()}
    return named(result)


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        bare = {name: _bare(inner) for name, inner in value.items() if name not in _OF_HELM}
        return {name: inner for name, inner in bare.items() if inner != {} or value[name] == {}}
    return [_bare(inner) for inner in value] if isinstance(value, list) else value


# --- what a container is started with ---------------------------------------------------------------------------------
def command_of(arguments: Sequence[str]) -> list[str]:
    """The words of `arguments` that name a command of tenuto-server. Fails where there is none."""
    group: click.Command = main
    words: list[str] = []
    for argument in arguments:
        if not isinstance(group, click.Group):
            break
        assert argument in group.commands, f"tenuto-server {' '.join(words)} has no command {argument}"
        group = group.commands[argument]
        words.append(argument)
    assert not isinstance(group, click.Group), f"tenuto-server {' '.join(words)} is a group of commands"
    return words


def check_variables(names: Iterable[str]) -> None:
    """A misspelled variable would be ignored: each must be a setting's."""
    known = {f"TENUTO_{name.upper()}" for name in ServerSettings.model_fields} | MORE_VARIABLES
    assert sorted(name for name in names if name.startswith("TENUTO_") and name.split("__")[0] not in known) == []


def environment_of(container: Object, objects: Iterable[Object]) -> dict[str, str]:
    """A container's variables, with what they refer to looked up."""
    there = named(objects)
    found: dict[str, str] = {}
    for variable in container.get("env", []):
        name = variable["name"]
        assert name not in found, f"{name} stands there twice"
        match variable:
            case {"value": str(value)}:
                found[name] = value
            case {"valueFrom": {"configMapKeyRef": {"name": where, "key": key}}}:
                found[name] = there["ConfigMap", where]["data"][key]
            case {"valueFrom": {"secretKeyRef": {"name": where, "key": key}}}:
                found[name] = there["Secret", where]["stringData"][key]
            case {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}:
                found[name] = POD_IP
            case _:
                raise AssertionError(f"a variable of a kind that is not known here: {variable}")
    return found


def mounted(container: Object, workload: Object, objects: Iterable[Object], folder: Path) -> dict[str, Path]:
    """Writes the files of the ConfigMaps that a container mounts below `folder`: where each mount is found. What the files say
    of one another's places is changed with it."""
    there = named(objects)
    volumes = {one["name"]: one for one in pod_of(workload)["spec"]["volumes"]}
    places: dict[str, Path] = {}
    contents: dict[Path, str] = {}
    for mount in container["volumeMounts"]:
        volume = volumes[mount["name"]]
        place = places[mount["mountPath"]] = folder / mount["mountPath"].strip("/")
        place.mkdir(parents=True)
        if "configMap" in volume:
            data = there["ConfigMap", volume["configMap"]["name"]]["data"]
            contents |= {place / name: text for name, text in data.items()}
    for path, text in contents.items():
        path.write_text(_moved(text, places), encoding="utf-8")
    return places


def _moved(text: str, places: Mapping[str, Path]) -> str:
    mounts = "|".join(re.escape(mount) for mount in sorted(places, reverse=True))
    return re.sub(f"({mounts})/", lambda found: f"{places[found[1]]}/", text)


def services_of(objects: Iterable[Object]) -> Iterator[tuple[str, Object, Object]]:
    """Tenuto's services: component, workload, container."""
    for workload in of_kind(objects, "Deployment", "StatefulSet"):
        component = workload["metadata"]["labels"]["app.kubernetes.io/component"]
        if component in SERVICES:
            (container,) = pod_of(workload)["spec"]["containers"]
            yield component, workload, container


def changed(one: Object, **values: Any) -> Object:
    """A copy of an object with other values at its top."""
    return {**copy.deepcopy(one), **values}
