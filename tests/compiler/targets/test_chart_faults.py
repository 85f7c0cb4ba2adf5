"""What charts do with our values: their own defaults, objects of the same name, and names that YAML misreads."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from support import rendering
from support.common import SMALL, linked, reference
from support.properties import examples
from vsr_compiler.manifests.objects import Body
from vsr_compiler.manifests.scalars import is_plain_text
from vsr_compiler.releases.semantic_router import STOCK_ROUTER
from vsr_compiler.targets.common import router

STOCK = SMALL.replace(
    'router: {image: "registry.example/vsr-runtime:0.1.0"}', "router: {engine: semantic-router, deadline: 5s}"
)
DEFAULTS: dict[str, Body] = {
    "helm 3": {
        "env": [{"name": "LD_LIBRARY_PATH", "value": "/app/lib"}, {"name": "HUGGINGFACE_HUB_TOKEN", "value": "secret"}],
        "resources": {"limits": {"memory": "7Gi", "cpu": "2"}, "requests": {"memory": "3Gi", "cpu": "1"}},
    },
    "helm 4": {
        "env": [{"name": "EMBEDDING_MODEL_OVERRIDE", "value": "qwen3"}],
        "extraVolumes": [{"name": "ml-models", "hostPath": {"path": "/mnt/ml-models"}}],
        "extraVolumeMounts": [{"name": "ml-models", "mountPath": "/mnt/ml-models"}],
        "resources": {"limits": {"memory": "2Gi", "cpu": "2"}, "requests": {"memory": "1Gi", "cpu": "500m"}},
    },
}
"""Defaults of the chart semantic-router that end in its pod, as Helm 3 (one document) and Helm 4 (all of them) read
them: deploy/helm/semantic-router/values.yaml at 3d48f8c9c."""
WORDS = ["on", "off", "yes", "no", "y", "n", "true", "false", "null"]
NUMBERS = ["123", "0x1f", "1e3", "0", "12e03"]


def helm(defaults: Body, values: Body) -> Body:
    """Coalesce values as Helm does: mappings are merged, `null` deletes a default, everything else replaces it."""
    result = copy.deepcopy(defaults)
    for key, value in values.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = helm(result[key], value)
        else:
            result[key] = value
    return result


@pytest.mark.parametrize("version", DEFAULTS)
@pytest.mark.parametrize(
    "own",
    [
        "",
        "\n  env: {A: b}\n  volumes: [{name: data, pvc: c, mount: /data}]",
        "\n  resources: {limits: {cpu: 3}}",
    ],
)
def test_no_default_of_the_chart_reaches_the_stock_router(version: str, own: str) -> None:
    """Case 05: the container that the chart makes of our values has the variables and limits of our Deployment."""
    text = STOCK.replace("router: {engine: semantic-router, deadline: 5s}", "router:\n  engine: semantic-router" + own)
    policy = linked(text)
    (values,) = [item for item in rendering.values(policy, "envoy-gateway") if item.chart == "semantic-router"]
    (pod,) = [
        item.body["spec"]["template"]["spec"]
        for item in rendering.objects(policy, "envoy-gateway")
        if item.kind == "Deployment" and item.name == policy.router.grpc.name
    ]
    container = pod["containers"][0]
    chart = helm(DEFAULTS[version], values.body)
    assert [*chart["env"], *chart["extraEnv"]] == container["env"]
    assert chart["resources"] == container["resources"]
    ours = {"config", "models", "scratch"}
    assert chart["extraVolumes"] == [item for item in pod["volumes"] if item["name"] not in ours]
    assert chart["extraVolumeMounts"] == [item for item in container["volumeMounts"] if item["name"] not in ours]
    assert chart["podSecurityContext"] == pod["securityContext"]


@pytest.mark.parametrize("target", ["istio", "envoy-gateway", "ai-gateway"])
@pytest.mark.parametrize("chart_has_headless", [True, False])
def test_a_gateway_finds_the_pods_of_a_router_that_its_chart_installs(
    target: str, monkeypatch: pytest.MonkeyPatch, *, chart_has_headless: bool
) -> None:
    """Case 06: the Service that the filter calls is there once, from the chart or from us, and headless if needed."""
    changed = {name: replace(release, chart_has_headless=chart_has_headless) for name, release in STOCK_ROUTER.items()}
    monkeypatch.setattr("vsr_compiler.targets.common.stock_router.STOCK_ROUTER", changed)
    policy = linked(STOCK)
    objects = rendering.objects(policy, target)
    (component,) = [item for item in rendering.components(policy, target) if item.name == "router-by-helm"]
    deleted = {(patch["target"]["kind"], patch["target"]["name"]) for patch in component.patches}
    assert deleted <= {(item.kind, item.name) for item in objects}
    ours = {item.name for item in objects if item.kind == "Service"} - {name for kind, name in deleted}
    chart = {"semantic-router", *(["semantic-router-headless"] if chart_has_headless else [])}
    needed = "semantic-router" if target == "istio" else "semantic-router-headless"
    assert not ours & chart, "Helm refuses to take an object over"
    assert needed in ours | chart
    for item in objects:
        if item.kind == "Service" and item.name == "semantic-router-headless":
            assert item.body["spec"]["clusterIP"] == "None"
            # The labels that the chart gives its pods, by `nameOverride`.
            assert item.body["spec"]["selector"] == {"app.kubernetes.io/name": "semantic-router"}


def test_the_component_deletes_nothing_that_the_base_does_not_have() -> None:
    """A patch whose target is missing is easily overlooked when the base changes."""
    policy = linked(STOCK)
    component = router.by_helm(policy, [])
    assert component.patches == ()


def test_a_name_that_yaml_reads_as_a_boolean_is_refused_where_a_chart_prints_it() -> None:
    """The stack's chart prints `model: on`, which is a boolean, and the API server refuses the label."""
    found = rendering.notices(linked(SMALL.replace("one", '"on"')), "production-stack")
    (error,) = [item for item in found if item.code == "VSR339"]
    assert "`servingEngineSpec.modelSpec[].name`" in error.message
    assert "`on`" in error.message
    assert error.span.line == 6


@pytest.mark.parametrize("word", WORDS + NUMBERS)
def test_every_such_name_is_refused_or_renamed(word: str) -> None:
    """Quoted, as in our own manifests, the same name is text. An object whose name is a number is called otherwise."""
    policy = linked(SMALL.replace("one", f'"{word}"'))
    refused = [item.code for item in rendering.notices(policy, "production-stack") if item.code == "VSR339"]
    assert refused == (["VSR339"] if word in WORDS else [])
    assert not any(item.code == "VSR339" for item in rendering.notices(policy, "istio"))


def test_secrets_namespaces_and_claims_of_charts_are_names_too() -> None:
    """What a chart prints is in its table, wherever the policy sets it."""
    token = linked(SMALL.replace("{vllm: {}}", '{vllm: {token: "no", namespace: "on"}}'))
    found = {item.message for item in rendering.notices(token, "production-stack") if item.code == "VSR339"}
    assert {"hf_token.secretName" in text or "the namespace" in text for text in found} == {True}
    assert len(found) == 2
    claim = linked(STOCK.replace("deadline: 5s", 'deadline: 5s, weights: {pvc: "1e3"}'))
    found = {item.message for item in rendering.notices(claim, "istio") if item.code == "VSR339"}
    assert len(found) == 1


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True) | st.sampled_from(WORDS + NUMBERS))
@examples(200)
def test_a_label_without_quotes_is_text_or_refused(label: str) -> None:
    """A reader of YAML 1.1 reads what is accepted as the same text."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    if is_plain_text(label):
        assert yaml.load(f"name: {label}\n") == {"name": label}


@pytest.mark.parametrize("case", ["05-stock-chart-defaults-leak", "06-stock-chart-service-not-headless"])
def test_the_recorded_cases_render(case: str) -> None:
    """Both policies of the reference data have values without gaps, and a component that fits the chart."""
    policy = linked((reference() / "data/cases/helm" / case / "policy.yaml").read_text(encoding="utf-8"))
    (values,) = [item for item in rendering.values(policy, "envoy-gateway") if item.chart == "semantic-router"]
    assert values.body["resources"]["limits"]["cpu"] is None
    assert {"env", "extraEnv", "extraVolumes", "extraVolumeMounts"} <= values.body.keys()
    (component,) = [item for item in rendering.components(policy, "envoy-gateway") if item.name == "router-by-helm"]
    assert ("Service", "semantic-router-headless") in {
        (patch["target"]["kind"], patch["target"]["name"]) for patch in component.patches
    }
