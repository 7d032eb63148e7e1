"""The kustomize base and the Helm chart: good by the API's schemas, the same system, and fit for the program that they run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tenuto_server.config.dynamic import check_file
from tenuto_server.matching.matcher import Room
from tenuto_server.matching.measures import Measured, measures
from tenuto_server.node.foundation import live_settings
from tenuto_server.node.settings import ServerSettings, load
from tenuto_server.persistence.cassandra.settings import parse
from tests.deploy import tools
from tests.deploy.objects import (
    CHART,
    KUBERNETES,
    POD_IP,
    SERVICES,
    Object,
    changed,
    charted,
    check_variables,
    command_of,
    environment_of,
    kustomized,
    mounted,
    named,
    normalised,
    of_kind,
    parsed,
    pod_of,
    selected,
    services_of,
)

# Kinds of other projects: the API's schemas do not hold them.
CUSTOM = {"ScaledObject": "keda.sh/v1alpha1", "PodMonitor": "monitoring.coreos.com/v1"}
WORKER = {
    "name": "orders", "image": "registry.example.com/orders:1", "args": ["worker", "--server", "$(TENUTO_FRONTEND)"],
    "domain": "default", "taskList": "orders", "minReplicas": 1, "maxReplicas": 20, "backlogPerWorker": 10,
    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
}  # fmt: skip
EVERYTHING: dict[str, Any] = {
    "workers": [WORKER],
    "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "frontend": {
        "autoscaling": {"enabled": False}, "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
        "podAnnotations": {"c": "d"}, "env": [{"name": "TENUTO_PROCESSES", "value": "2"}],
        "nodeSelector": {"disk": "fast"}, "tolerations": [{"key": "x", "operator": "Exists"}],
    },
    "imagePullSecrets": [{"name": "registry"}],
    "image": {"repository": "registry.example.com/tenuto", "tag": "2"},
    "settings": {"shards": 512, "logs": {"level": "DEBUG"}},
    "dynamicSettings": {"frontend.shutdownDrainDuration": "5s"},
}  # fmt: skip


@pytest.fixture(scope="module", params=["base", "chart", "chart with everything"])
def objects(request: pytest.FixtureRequest) -> list[Object]:
    if request.param == "base":
        return kustomized()
    return charted(**EVERYTHING) if request.param == "chart with everything" else charted()


def components(tmp_path: Path) -> list[Object]:
    """The base with both components."""
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    # Kustomize takes no absolute paths.
    (overlay / "kubernetes").symlink_to(KUBERNETES)
    here = "../" * (len(overlay.resolve().parts) - 1) + str(KUBERNETES).lstrip("/")
    described = {
        "namespace": "tenuto",
        "resources": [f"{here}/base"],
        "components": [f"{here}/components/podmonitor", f"{here}/components/worker"],
    }
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    return kustomized(overlay)


def problem(one: Object) -> str:
    """What the API's schema has against an object; empty for nothing."""
    try:
        kubernetes_validate.validate(one, tools.KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{one['kind']} {one['metadata']['name']}: {error.message}"
    return ""


def test_objects_keep_to_the_api(objects: list[Object]) -> None:
    known = [one for one in objects if CUSTOM.get(one["kind"]) != one["apiVersion"]]
    assert [said for one in known if (said := problem(one))] == []
    assert {one["kind"] for one in known} >= {"ConfigMap", "Secret", "Job", "Deployment", "StatefulSet", "Service"}


def test_a_misspelled_field_is_found() -> None:
    history = named(kustomized())["StatefulSet", "tenuto-history"]
    assert "replica" in problem(changed(history, spec={**history["spec"], "replica": 3}))
    assert "3 is not of type" in problem(changed(history, spec={**history["spec"], "podManagementPolicy": 3}))


def test_base_and_chart_are_the_same_system() -> None:
    assert normalised(kustomized()) == normalised(charted())


def test_components_and_chart_are_the_same_system(tmp_path: Path) -> None:
    chart = charted(workers=[WORKER], podMonitor={"enabled": True})
    assert normalised(components(tmp_path)) == normalised(chart)


def test_the_comparison_sees_a_difference() -> None:
    assert normalised(kustomized()) != normalised(charted(history={"replicas": 4}))
    assert normalised(kustomized()) != normalised(charted(settings={"shards": 65}))


# --- fit for the program ----------------------------------------------------------------------------------------------
def started_with(
    container: Object, workload: Object, objects: list[Object], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> ServerSettings:
    """The settings that a service's container would have."""
    environment = environment_of(container, objects)
    check_variables(environment)
    with monkeypatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        config = Path(environment["TENUTO_CONFIG"])
        places = mounted(container, workload, objects, folder)
        return load(str(places[str(config.parent)] / config.name))


def test_services_start_with_these_settings(
    objects: list[Object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = named(objects)["Service", "tenuto-frontend"]
    found = []
    for component, workload, container in services_of(objects):
        found.append(component)
        settings = started_with(container, workload, objects, tmp_path / component, monkeypatch)
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        assert command_of(container["args"]) == [component]
        assert settings.http == f"0.0.0.0:{ports['ops']}"
        assert (settings.internal.host, settings.internal.told()) == ("0.0.0.0", POD_IP)
        assert ports.get("internal", settings.internal.port) == settings.internal.port
        assert ports.get("grpc", 7833) == int(settings.public.address.rpartition(":")[2])
        assert settings.worker_host.frontend == f"tenuto-frontend:{public['spec']['ports'][0]['port']}"
        check_file(list(live_settings()), settings.dynamic_settings)
        location, _, query = settings.store.removeprefix("cassandra://").partition("?")
        assert parse(location, query, environment_of(container, objects)).user == ""
    assert sorted(found) == sorted(SERVICES)


def test_there_is_time_to_stop(objects: list[Object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = live_settings()
    drains = {"frontend": live.frontend.current.drain_s, "matching": live.matching.current.drain_s}
    for component, workload, container in services_of(objects):
        settings = started_with(container, workload, objects, tmp_path / component, monkeypatch)
        grace = pod_of(workload)["spec"]["terminationGracePeriodSeconds"]
        assert grace >= settings.drain_delay + drains.get(component, 0) + 20, component
        if component == "frontend":
            # It is in a Service: it serves on until all have heard that it is not ready.
            probe = container["readinessProbe"]
            assert settings.drain_delay > probe["periodSeconds"] * probe["failureThreshold"]


def test_the_schema_is_made_in_the_same_store(objects: list[Object]) -> None:
    (job,) = of_kind(objects, "Job")
    (container,) = pod_of(job)["spec"]["containers"]
    assert container["args"] == ["schema", "create"]
    command_of(container["args"])
    stores = {environment_of(one, objects)["TENUTO_STORE"] for _, _, one in services_of(objects)}
    assert stores == {environment_of(container, objects)["TENUTO_STORE"]}
    images = {one["image"] for _, _, one in services_of(objects)}
    assert images == {container["image"]}


def test_passwords_and_certificates_reach_the_store(tmp_path: Path) -> None:
    store = "cassandra://db1,db2:9142/tenuto?ssl=true&ca=/etc/tenuto-tls/ca.crt&cert=/etc/tenuto-tls/tls.crt&key=/etc/tenuto-tls/tls.key"
    objects = charted(cassandra={"store": store, "user": "tenuto", "password": "s3cret", "tlsSecret": "mine"})
    containers = [(workload, pod_of(workload)["spec"]["containers"][0]) for workload in of_kind(objects, "Job", "Deployment")]
    for number, (workload, container) in enumerate(containers):
        secrets = [one["secret"] for one in pod_of(workload)["spec"]["volumes"] if "secret" in one]
        assert secrets == [{"secretName": "mine", "optional": True}]
        places = mounted(container, workload, objects, tmp_path / str(number))
        for name in ("ca.crt", "tls.crt", "tls.key"):
            (places["/etc/tenuto-tls"] / name).touch()
        environment = environment_of(container, objects)
        url = environment["TENUTO_STORE"].replace("/etc/tenuto-tls", str(places["/etc/tenuto-tls"]))
        location, _, query = url.removeprefix("cassandra://").partition("?")
        settings = parse(location, query, environment)
        assert (settings.user, settings.password, settings.hosts) == ("tenuto", "s3cret", ("db1", "db2"))
        assert settings.tls is not None and Path(settings.tls.key).is_file()


# --- the objects among themselves -------------------------------------------------------------------------------------
def test_selectors_take_what_they_are_meant_for(objects: list[Object]) -> None:
    for workload in of_kind(objects, "Deployment", "StatefulSet"):
        assert selected(workload["spec"]["selector"]["matchLabels"], objects) == [workload]
    for service in of_kind(objects, "Service"):
        (workload,) = selected(service["spec"]["selector"], objects)
        assert service["metadata"]["name"].startswith(workload["metadata"]["name"])
        ports = {one["name"] for one in pod_of(workload)["spec"]["containers"][0]["ports"]}
        assert {one["targetPort"] for one in service["spec"]["ports"]} <= ports
    budgets = {one["metadata"]["name"]: one for one in of_kind(objects, "PodDisruptionBudget")}
    assert set(budgets) == {f"tenuto-{component}" for component in SERVICES}
    for name, budget in budgets.items():
        (workload,) = selected(budget["spec"]["selector"]["matchLabels"], objects)
        assert workload["metadata"]["name"] == name
    for monitor in of_kind(objects, "PodMonitor"):
        watched = selected(monitor["spec"]["selector"]["matchLabels"], objects)
        assert {one["metadata"]["name"] for one in watched} >= set(budgets)


def test_what_is_referred_to_is_there(objects: list[Object]) -> None:
    there = named(objects)
    for scaler in of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]
        scaled = there[target.get("kind", "Deployment"), target["name"]]
        assert "replicas" not in scaled["spec"], "applying it again would undo what the scaler did"
    for workload in of_kind(objects, "Deployment", "StatefulSet", "Job"):
        pod = pod_of(workload)["spec"]
        assert ("ServiceAccount", pod.get("serviceAccountName", "tenuto")) in there
        for volume in pod.get("volumes", []):
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there
            if "secret" in volume:
                assert volume["secret"]["optional"]
    for workload in of_kind(objects, "StatefulSet"):
        assert there["Service", workload["spec"]["serviceName"]]["spec"]["clusterIP"] == "None"


def test_pods_may_do_little(objects: list[Object]) -> None:
    for workload in of_kind(objects, "Deployment", "StatefulSet", "Job"):
        pod = pod_of(workload)["spec"]
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        # Variables that Kubernetes makes of Services' names could be taken for settings.
        assert pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False and security["capabilities"] == {"drop": ["ALL"]}
            if container["name"] != "worker":
                assert security["readOnlyRootFilesystem"] is True
                assert {"cpu", "memory"} <= container["resources"]["requests"].keys() & container["resources"]["limits"].keys()


def test_probes_ask_what_the_process_answers(objects: list[Object]) -> None:
    for _, _, container in services_of(objects):
        asked = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert asked == {
            "startupProbe": {"path": "/healthz", "port": "ops"},
            "livenessProbe": {"path": "/healthz", "port": "ops"},
            "readinessProbe": {"path": "/readyz", "port": "ops"},
        }


# --- the chart's own --------------------------------------------------------------------------------------------------
def test_workers_are_scaled_by_what_matching_measures() -> None:
    (scaler,) = of_kind(charted(workers=[WORKER]), "ScaledObject")
    (trigger,) = scaler["spec"]["triggers"]
    families = {one.name: one for one in measures(Measured(), {}, Room(1), 0)}
    backlog = families["tenuto_task_list_backlog"]
    assert {"domain", "task_list"} <= set(backlog.labels)
    assert "tenuto_matching_task_lists" in families
    assert trigger["metadata"]["query"] == (
        'sum(tenuto_task_list_backlog{domain="default",task_list="orders"}) or 0 * count(tenuto_matching_task_lists)'
    )
    assert trigger["metadata"]["threshold"] == "10"


def test_a_secret_of_ones_own() -> None:
    objects = charted(cassandra={"existingSecret": "mine", "password": "unused"})
    assert of_kind(objects, "Secret") == []
    for workload in of_kind(objects, "Deployment", "StatefulSet", "Job"):
        variables = pod_of(workload)["spec"]["containers"][0]["env"]
        sources = [one["valueFrom"] for one in variables if "valueFrom" in one]
        assert {one["secretKeyRef"]["name"] for one in sources if "secretKeyRef" in one} == {"mine"}


def test_a_change_of_settings_restarts_services() -> None:
    def marks(objects: list[Object]) -> set[str]:
        return {pod_of(one)["metadata"]["annotations"]["checksum/config"] for _, one, _ in services_of(objects)}

    before = marks(charted())
    assert len(before) == 1
    assert marks(charted(settings={"shards": 65})) != before
    assert marks(charted(dynamicSettings={"frontend.shutdownDrainDuration": "5s"})) == before


@pytest.mark.parametrize(
    "values",
    [
        {"histroy": {"replicas": 3}},
        {"history": {"replicas": 0}},
        {"frontend": {"drainDelay": -1}},
        {"cassandra": {"store": "sqlite:///tenuto.db"}},
        {"cassandra": {"store": "cassandra://user:password@db/tenuto"}},
        {"workers": [{"name": "orders"}]},
        {"workers": [{**WORKER, "taskList": 'a"} or vector(1) #'}]},
    ],
    ids=str,
)
def test_bad_values_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(tools.Failed, match="don't meet the specifications of the schema"):
        charted(**values)


def test_what_helm_says_after_an_installation() -> None:
    notes = tools.run("helm", "install", "tenuto", str(CHART), "--namespace", "tenuto", "--dry-run=client").partition("NOTES:")[2]
    assert "tenuto-frontend.tenuto:7833" in notes and "job/tenuto-schema-1" in notes


def test_the_chart_is_in_good_form() -> None:
    tools.run("helm", "lint", "--strict", str(CHART))
    (chart,) = parsed((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    (values,) = parsed((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert values["image"]["tag"] == "" and chart["version"] == chart["appVersion"]
