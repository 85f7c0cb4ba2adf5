"""The chart of the runtime: what the generator makes, and rendered the objects that a policy compiles to.

`render` knows the few functions that the templates use. Helm itself is not needed.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from support.common import ROOT, linked
from support.gitops_support import compiled
from vsr_compiler.deploy.runtime_chart import SCHEMA, files
from vsr_compiler.manifests.objects import Object
from vsr_compiler.pipeline import read_policy

CHART = ROOT / "charts" / "vsr-runtime"
NAMESPACE = "routing"
_ACTION = re.compile(r"\{\{ toJson (?P<path>[\w.]+) \}\}")


def looked_up(path: str, scope: Any, dot: Any) -> Any:
    """The value of `.` or `.a.b`."""
    if path == ".":
        return dot
    for name in path.removeprefix(".").split("."):
        scope = scope[name]
    return scope


def render(text: str, scope: dict[str, Any]) -> Any:
    """A template with conditions, ranges and values as JSON. Anything else stays, and is found below."""
    lines: list[str] = []
    skipped = False
    items: list[Any] | None = None
    for line in text.splitlines():
        word = line.strip()
        if word.startswith("{{- if "):
            condition = word.removeprefix("{{- if ").removesuffix(" }}")
            negated = condition.startswith("not ")
            skipped = bool(looked_up(condition.removeprefix("not "), scope, None)) == negated
        elif word.startswith("{{- range "):
            items = looked_up(word.removeprefix("{{- range ").removesuffix(" }}"), scope, None)
        elif word == "{{- end }}":
            items, skipped = None, False
        elif not skipped:
            for dot in [None] if items is None else items:
                shown = _ACTION.sub(lambda match, dot=dot: json.dumps(looked_up(match["path"], scope, dot)), line)
                lines.append(shown.replace("{{ .Release.Service }}", scope["Release"]["Service"]))
    result = "\n".join(lines)
    assert "{{" not in result
    return YAML(typ="safe").load(result)


def rendered(values: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """The objects of a release, by kind and name."""
    defaults = YAML(typ="safe").load((CHART / "values.yaml").read_text(encoding="utf-8"))
    merged = {**defaults, **values}
    jsonschema.validate(merged, json.loads((CHART / "values.schema.json").read_text(encoding="utf-8")))
    scope = {"Values": merged, "Release": {"Namespace": NAMESPACE, "Service": "Helm"}}
    made = [render(path.read_text(encoding="utf-8"), scope) for path in sorted((CHART / "templates").iterdir())]
    return {(body["kind"], body["metadata"]["name"]): body for body in made if body}


def plain(body: Any) -> Any:
    """An object without what only one of both has: labels and annotations of controllers, and empty values."""
    result = copy.deepcopy(body)
    metadata = result["metadata"]
    metadata.pop("annotations", None)
    kept = {key: text for key, text in metadata["labels"].items() if key.startswith("app.kubernetes.io/name")}
    metadata["labels"] = kept
    template = result.get("spec", {}).get("template", {})
    template.get("metadata", {}).pop("annotations", None)
    return without_empty(result)


def without_empty(value: Any) -> Any:
    """A value without empty lists and mappings, which the API server does not store in pods."""
    if isinstance(value, dict):
        return {key: inner for key, item in value.items() if (inner := without_empty(item)) not in ({}, [])}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def values_of(objects: list[Object]) -> dict[str, Any]:
    """The values with which the chart is to make these objects."""
    by_kind = {(item.kind, item.name): item.body for item in objects}
    deployment = by_kind["Deployment", "semantic-router"]["spec"]
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    default = render_default()
    return {
        "configMap": next(item["configMap"]["name"] for item in pod["volumes"] if item["name"] == "config"),
        "image": container["image"],
        "replicas": deployment["replicas"],
        "headless": ("Service", "semantic-router-headless") in by_kind,
        "podDisruptionBudget": ("PodDisruptionBudget", "semantic-router") in by_kind,
        "networkPolicy": {
            "enabled": True, "from": by_kind["NetworkPolicy", "semantic-router"]["spec"]["ingress"][0]["from"],
        },
        "args": container["args"][len(default["args"]) :],
        "env": container["env"][1:],
        "volumeMounts": container["volumeMounts"][2:],
        "volumes": pod["volumes"][2:],
        **{name: container[name] for name in ("resources", "startupProbe")},
        **{
            name: pod.get(name, {} if name in {"affinity", "nodeSelector"} else [])
            for name in (
                "affinity", "imagePullSecrets", "initContainers", "nodeSelector", "terminationGracePeriodSeconds",
                "tolerations",
            )
        },
    }  # fmt: skip


def render_default() -> Any:
    """The container of the chart's defaults."""
    body = rendered({"configMap": "config"})["Deployment", "semantic-router"]
    return body["spec"]["template"]["spec"]["containers"][0]


POLICY = f"""\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: small}}
router: {{image: "r:1", namespace: {NAMESPACE}, ROUTER}}
endpoints: {{one: {{service: "one:8000"}}PROVIDER}}
models: {{one: {{endpoints: one}}MODEL}}
default: one
"""
WORDS = {
    "ROUTER": "replicas: 3, nodeSelector: {pool: cpu}, tolerations: [{key: a, operator: Exists}], "
    'pullSecrets: [registry], env: {A: "b"}, resources: {limits: {memory: 3Gi}}',
    "PROVIDER": ', far: {external: {url: "https://api.example.com/v1", apiKey: {secret: far, key: apiKey}}}',
    "MODEL": ", far: {endpoints: far}",
}
CASES = {
    "nothing special": {"ROUTER": "replicas: 2", "PROVIDER": "", "MODEL": ""},
    "a provider, placement and scale": WORDS,
}


CANDIDATE = {"name": "candidate", "mountPath": "/etc/vsr-candidate", "readOnly": True}


@pytest.mark.parametrize("share", [0, 12.5])
def test_a_candidate_runs_beside_the_policy_as_in_pods_that_the_compiler_writes(share: float, tmp_path: Path) -> None:
    """With its ConfigMap alone it is compared, with a share it decides."""
    text = POLICY.replace("ROUTER", "replicas: 2").replace("PROVIDER", "").replace("MODEL", "")
    (tmp_path / "next.yaml").write_text(text.replace("name: small", "name: next"), encoding="utf-8")
    path = tmp_path / "policy.yaml"
    used = f"replicas: 2, candidate: {{policy: next.yaml, share: {share}}}"
    path.write_text(f"{text.replace('replicas: 2', used)}environments: {{it: {{target: istio}}}}\n", encoding="utf-8")
    everything = compiled(read_policy(path)).environments["it"]
    (expected,) = [item.body for item in everything if (item.kind, item.name) == ("Deployment", "semantic-router")]
    sources = {item["name"]: item.get("configMap", {}).get("name") for item in pod_of(expected)["volumes"]}
    values = {"configMap": sources["config"], "candidate": {"configMap": sources["candidate"], "share": share}}
    values["image"] = pod_of(expected)["containers"][0]["image"]
    made = rendered(values)["Deployment", "semantic-router"]
    assert CANDIDATE in pod_of(made)["containers"][0]["volumeMounts"]
    assert plain(made) == plain(expected)


def pod_of(deployment: Any) -> Any:
    """The spec of the pods of a Deployment."""
    return deployment["spec"]["template"]["spec"]


@pytest.mark.parametrize("target", ["istio", "envoy-gateway", "ai-gateway"])
@pytest.mark.parametrize("case", CASES)
def test_the_chart_makes_the_objects_that_the_compiler_writes(case: str, target: str) -> None:
    """Pods, Services, account, budget and network policy: only the marks of other controllers differ."""
    text = f"{POLICY}environments: {{it: {{target: {target}}}}}\n"
    for word, value in CASES[case].items():
        text = text.replace(word, value)
    everything = compiled(linked(text)).environments["it"]
    objects = [item for item in everything if item.namespace == NAMESPACE and item.name.startswith("semantic-router")]
    expected = {
        (item.kind, item.name): plain(item.body)
        for item in objects
        if item.kind in {"Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"}
    }
    made = rendered(values_of(objects))
    assert {key: plain(body) for key, body in made.items()} == expected


def test_the_chart_in_the_repository_is_what_the_emitters_make() -> None:
    """`python -m vsr_compiler.deploy.runtime_chart charts/vsr-runtime` writes it."""
    here = {
        str(path.relative_to(CHART)): path.read_text(encoding="utf-8") for path in CHART.rglob("*") if path.is_file()
    }
    assert here == files()


def test_pods_are_replaced_when_the_configuration_changes() -> None:
    """A ConfigMap of the same name changes nothing of the pods by itself."""
    body = rendered({"configMap": "config", "configSha256": "abc"})["Deployment", "semantic-router"]
    assert body["spec"]["template"]["metadata"]["annotations"] == {"vsr.dev/config-sha256": "abc"}


def test_parts_can_be_left_out() -> None:
    """And the Service of Envoy Gateway takes the place of the other."""
    values = {"configMap": "c", "podDisruptionBudget": False, "networkPolicy": {"enabled": False}, "headless": True}
    assert sorted(rendered(values)) == [
        ("Deployment", "semantic-router"),
        ("Service", "semantic-router-headless"),
        ("Service", "semantic-router-http"),
        ("ServiceAccount", "semantic-router"),
    ]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"configMap": ""},
        {"configMap": "c", "replicas": "2"},
        {"configMap": "c", "replcas": 2},
        {"configMap": "c", "candidate": {"configMap": "", "share": 5}},
        {"configMap": "c", "candidate": {"configMap": "d", "share": 101}},
        {"configMap": "c", "candidate": {"policy": "next.yaml"}},
        {"configMap": "c", "networkPolicy": {"enabled": True, "from": []}},
        {"configMap": "c", "nodeSelector": {"a": 1}},
    ],
    ids=str,
)
def test_helm_refuses_wrong_values(values: dict[str, Any]) -> None:
    """An empty list of sources would admit everybody."""
    with pytest.raises(jsonschema.ValidationError):
        rendered(values)


def test_a_namespace_of_digits_stays_a_text() -> None:
    """YAML would read it as a number."""
    text = (CHART / "templates" / "service.yaml").read_text(encoding="utf-8")
    scope = {"Values": {"headless": False}, "Release": {"Namespace": "123", "Service": "Helm"}}
    assert render(text, scope)["metadata"]["namespace"] == "123"
    assert SCHEMA["additionalProperties"] is False
    assert Path(CHART / "Chart.yaml").is_file()
