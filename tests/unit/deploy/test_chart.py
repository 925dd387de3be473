"""The chart renders what Kubernetes takes, closed and probed by real requests, or refuses in words.

Helm's own library renders; Kubernetes' own schemas judge, strictly. No cluster is at hand.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from penchant.cli.main import options_of
from penchant.config import parse
from tests.support.handwritten import ROOT
from tests.support.rendered_chart import (
    CHART,
    VALUES,
    Manifest,
    RenderedChart,
    read_values,
    render,
)

KUBERNETES = ("1.29", "1.35")
"""The oldest release that the chart takes, and a new one."""
OF_OTHERS = json.loads(Path(__file__).with_name("custom_resources.json").read_text())
"""Schemas of the kinds that operators bring."""
MINIMAL = read_values(CHART / "ci" / "evaluation-values.yaml")
SHARED: Manifest = read_values(CHART / "ci" / "valkey-values.yaml")
SCALED: Manifest = {
    **SHARED,
    "autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 6},
}


@pytest.fixture(scope="module", params=VALUES, ids=lambda path: path.stem)
def chart(request: pytest.FixtureRequest) -> RenderedChart:
    return render(read_values(request.param))


def check(manifest: Manifest) -> None:
    """Validates a manifest strictly: an unknown field is an error."""
    validate = pytest.importorskip(
        "kubernetes_validate", reason="no kubernetes-validate: pip install '.[deploy]'"
    ).validate
    if manifest["kind"] in OF_OTHERS:
        jsonschema.validate(manifest["spec"], OF_OTHERS[manifest["kind"]])
        return
    for release in KUBERNETES:
        assert validate(manifest, release, strict=True) == release


def containers(chart: RenderedChart) -> Iterator[tuple[Manifest, Manifest]]:
    for _, spec in chart.pods():
        for container in spec["containers"]:
            yield spec, container


def words(command: list[str]) -> tuple[str, list[str]]:
    """The command of `penchant` in a container's command line, and its options."""
    assert command[0] == "penchant"
    return command[1], [word.partition("=")[0] for word in command[2:] if word.startswith("--")]


def test_there_are_at_least_six_ways_to_deploy() -> None:
    assert len(VALUES) >= 6


def test_each_manifest_is_one_that_kubernetes_takes(chart: RenderedChart) -> None:
    assert {"StatefulSet", "Service", "ServiceAccount", "ConfigMap"} <= {
        one["kind"] for one in chart.manifests
    }
    for manifest in chart.manifests:
        check(manifest)
    names = [(one["kind"], one["metadata"]["name"]) for one in chart.manifests]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", VALUES, ids=lambda path: path.stem)
def test_helms_lint_finds_no_fault(path: Path) -> None:
    helm = pytest.importorskip("helm_python", reason="no helm-python-sdk: pip install '.[deploy]'")
    report = helm.lint(str(CHART), read_values(path), strict=True)
    assert report["errors"] == []
    assert {one["error"] for one in report["messages"]} <= {"icon is recommended"}


def test_no_container_is_root_writes_to_its_image_or_may_ask_the_cluster(
    chart: RenderedChart,
) -> None:
    for spec, container in containers(chart):
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        closed = container["securityContext"]
        assert closed["readOnlyRootFilesystem"] is True
        assert closed["allowPrivilegeEscalation"] is False
        assert closed["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        assert {"hostNetwork", "hostPID", "hostIPC"}.isdisjoint(spec)


def test_every_volume_is_mounted_and_every_mount_has_a_volume(chart: RenderedChart) -> None:
    for _, spec in chart.pods():
        mounted = {m["name"] for one in spec["containers"] for m in one["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}
        for container in spec["containers"]:
            paths = [mount["mountPath"] for mount in container["volumeMounts"]]
            assert len(set(paths)) == len(paths)
            writable = {m["mountPath"] for m in container["volumeMounts"] if "readOnly" not in m}
            assert container["workingDir"] in writable
            assert "/tmp" in writable


def test_the_files_that_a_container_is_given_are_mounted(chart: RenderedChart) -> None:
    for _, container in containers(chart):
        paths = [mount["mountPath"] for mount in container["volumeMounts"]]
        given = [*container["command"], *container.get("args", ())]
        if given[0] == "sh":
            given = given[-1].split("exec ")[1].split()
        for word in given:
            value = word.partition("=")[2] or word
            if value.startswith("/"):
                assert any(value == one or value.startswith(f"{one}/") for one in paths), word


def test_every_probe_is_a_real_request_within_its_time(chart: RenderedChart) -> None:
    (server,) = (one for _, one in containers(chart) if one["name"] == "server")
    with_tls = any(word.startswith("--tls=") for word in server["args"])
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = server[name]
        command, options = words(probe["exec"]["command"])
        assert command == "probe"
        assert ("--serve-tls" in options) == with_tls
        assert probe["timeoutSeconds"] >= 5  # Python starts, then five models answer.
    ready, alive = server["readinessProbe"], server["livenessProbe"]
    stuck_after = next(
        int(word.partition("=")[2]) for word in server["args"] if word.startswith("--stuck-after")
    )
    # Only what `serve` itself did not mend may end the container.
    assert alive["failureThreshold"] * alive["periodSeconds"] > 3 * stuck_after
    assert ready["failureThreshold"] < alive["failureThreshold"]


def test_the_command_lines_are_those_of_this_release(chart: RenderedChart) -> None:
    for _, container in containers(chart):
        command = [*container["command"], *container.get("args", ())]
        if command[0] == "sh":
            command = command[-1].split("exec ")[1].split()
        name, options = words(command)
        assert set(options) <= options_of(name).keys(), options
    text = "".join(
        one["data"]["penchant.toml"]
        for one in chart.of("ConfigMap")
        if "penchant.toml" in one["data"]
    )
    given = tomllib.loads(text)
    parse({"store": given["store"], "encoder": given["encoder"], **given.get("settings", {})})


def test_pseudonym_keys_come_by_the_environment() -> None:
    """A mounted secret is readable by its group, and such a file of keys is refused."""
    chart = render(read_values(CHART / "ci" / "production-values.yaml"))
    (settings,) = (one["data"] for one in chart.of("ConfigMap") if "penchant.toml" in one["data"])
    name = "PENCHANT_PSEUDONYM_KEYS"
    assert f'pseudonym_keys = "env:{name}"' in settings["penchant.toml"]
    for _, container in containers(chart):
        (key,) = (one for one in container["env"] if one["name"] == name)
        assert key["valueFrom"]["secretKeyRef"]["name"] == "penchant-pseudonym-keys"


def test_the_drain_ends_within_the_grace_period(chart: RenderedChart) -> None:
    (spec,) = (spec for spec, one in containers(chart) if one["name"] == "server")
    (server,) = (one for one in spec["containers"] if one["name"] == "server")
    *_, waits = server["lifecycle"]["preStop"]["exec"]["command"]
    triton_s, refresh_s = 20, 2
    assert int(waits) + triton_s + refresh_s < spec["terminationGracePeriodSeconds"]


def test_selectors_choose_the_servers_pods_alone(chart: RenderedChart) -> None:
    labels = {
        metadata["labels"]["app.kubernetes.io/component"]: metadata["labels"]
        for metadata, _ in chart.pods()
    }

    def chosen(selector: dict[str, str]) -> set[str]:
        return {name for name, has in labels.items() if selector.items() <= has.items()}

    selectors = [one["spec"]["selector"] for one in chart.of("Service")]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in chart.of("PodDisruptionBudget")]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in chart.of("StatefulSet")]
    for selector in selectors:
        assert chosen(selector) == {"server"}
    for policy in chart.of("NetworkPolicy"):
        assert chosen(policy["spec"]["podSelector"]["matchLabels"]) == set(labels)


def test_a_budget_never_keeps_a_node_from_being_drained(chart: RenderedChart) -> None:
    for budget in chart.of("PodDisruptionBudget"):
        assert "minAvailable" not in budget["spec"]
        assert budget["spec"]["maxUnavailable"] >= 1


def test_only_whom_the_policy_names_may_call() -> None:
    policy = render(read_values(CHART / "ci" / "production-values.yaml")).of("NetworkPolicy")[0]
    grpc, metrics = policy["spec"]["ingress"]
    assert grpc["ports"] == [{"protocol": "TCP", "port": 8001}]
    assert grpc["from"][0]["podSelector"] == {"matchLabels": {"app": "api"}}
    assert metrics["ports"] == [{"protocol": "TCP", "port": 8002}]
    assert all(
        rule.get("to") or {"port": 53, "protocol": "UDP"} in rule["ports"]
        for rule in policy["spec"]["egress"]
    )
    (default,) = render(MINIMAL).of("NetworkPolicy")
    assert len(default["spec"]["ingress"]) == 1, "nobody reads the metrics unless told"


def test_a_container_beside_the_server_shares_its_process_ids() -> None:
    """LMDB refuses a reader whose process id another one has, in another namespace."""
    for _, spec in render(read_values(CHART / "ci" / "loop-values.yaml")).pods():
        (one,) = spec["containers"]
        shared = spec.get("shareProcessNamespace", False)
        assert shared != ("skipped=" in one.get("args", [""])[0]), "a pod of its own skips ids"
    _, spec = next(render(read_values(CHART / "ci" / "production-values.yaml")).pods())
    assert [one["name"] for one in spec["containers"]] == ["server", "refresh"]
    assert spec["shareProcessNamespace"] is True
    assert "--refresh-every=never" in spec["containers"][0]["args"]


def test_the_store_outlives_the_release(chart: RenderedChart) -> None:
    for claim in chart.of("PersistentVolumeClaim"):
        assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_whatever_rules_and_dashboards_there_are_come_along() -> None:
    chart = render(read_values(CHART / "ci" / "production-values.yaml"))
    rules = [
        path
        for path in (ROOT / "deploy" / "rules").glob("*.yml")
        if not path.name.endswith("_test.yml")
    ]
    assert len(chart.of("PrometheusRule")) == len(rules)
    boards = [one for one in chart.of("ConfigMap") if "-dashboard-" in one["metadata"]["name"]]
    files = {path.name: path for path in (ROOT / "deploy" / "dashboards").glob("*.json")}
    assert {name for one in boards for name in one["data"]} == set(files)
    for board in boards:
        for name, text in board["data"].items():
            assert json.loads(text) == json.loads(files[name].read_text())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"replicas": 2}, "replicas"),
        ({"autoscaling": {"enabled": True}}, "autoscaling"),
        ({"store": {"type": "redis"}}, "type"),
        ({"store": {"type": "valkey"}}, "store.address: got none, expected valkey://"),
        ({"store": {"address": "valkey://cache/shop"}}, "got one beside store.type lmdb"),
        (
            {"store": {"type": "valkey", "address": "valkey://a:secret@cache/shop"}},
            "address",
        ),
        (
            {"store": {"type": "valkey", "address": "valkey://cache/shop"}},
            "networkPolicy.egress: got none beside store.type valkey",
        ),
        ({"insecure": False}, "tokens.secret: got none, expected the secret"),
        ({"tokens": {"secret": "keys"}}, "insecure: got true beside tokens.secret"),
        ({"image": {"repository": ""}}, "repository"),
        ({"image": {"repository": "r", "digest": "sha256:abc"}}, "digest"),
        ({"loop": {"enabled": True}}, "plan"),
        ({"netwrokPolicy": {"enabled": False}}, "netwrokPolicy"),
        ({"probes": {"timeout": 3}}, "timeout"),
        ({"refresh": {"mode": "cron"}}, "mode"),
        ({"drain": {"gracePeriodSeconds": 5}}, "gracePeriodSeconds"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_values_that_cannot_be_served_are_refused_by_name(change: Manifest, said: str) -> None:
    with pytest.raises(Exception, match=said):
        render({**MINIMAL, **change})


@pytest.mark.parametrize("by", ["hpa", "keda"])
def test_many_replicas_scale_by_the_time_in_the_queue(by: str) -> None:
    values: dict[str, Any] = {**SCALED, "autoscaling": {**SCALED["autoscaling"], "by": by}}
    chart = render(values)
    for manifest in chart.manifests:
        check(manifest)
    (server,) = chart.of("StatefulSet")
    assert "replicas" not in server["spec"], "the autoscaler decides"
    (scaler,) = chart.of("HorizontalPodAutoscaler" if by == "hpa" else "ScaledObject")
    assert scaler["spec"]["scaleTargetRef"]["name"] == server["metadata"]["name"]
    if by == "keda":
        query = scaler["spec"]["triggers"][0]["metadata"]["query"]
        assert "nv_inference_queue_duration_us" in query
        assert "nv_inference_compute_infer_duration_us" in query


def test_the_notes_say_so_where_anybody_may_call() -> None:
    assert "whoever reaches it" in render(MINIMAL).notes
    assert "whoever" not in render(read_values(CHART / "ci" / "gpu-values.yaml")).notes


def test_servers_of_a_store_in_valkey_have_its_address_and_not_its_password() -> None:
    chart = render(SHARED)
    (server,) = chart.of("StatefulSet")
    assert server["spec"]["replicas"] == 3
    assert not chart.of("PersistentVolumeClaim")
    settings = next(
        one["data"]["penchant.toml"]
        for one in chart.of("ConfigMap")
        if "penchant.toml" in one["data"]
    )
    address = (
        "valkeys://penchant@valkey.store.svc:6379/shop?wait=1&password_env=PENCHANT_STORE_PASSWORD"
    )
    assert f'store = "{address}"' in settings
    (container,) = server["spec"]["template"]["spec"]["containers"]
    (password,) = [one for one in container["env"] if one["name"] == "PENCHANT_STORE_PASSWORD"]
    assert password["valueFrom"]["secretKeyRef"]["name"] == "valkey-password"
